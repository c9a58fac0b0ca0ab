package identity

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.step.sm/crypto/jose"

	"github.com/tameflare/tameflare/domain/fault"
)

// signed is a token of b's own key, with what change makes of the claims.
func (b *bench) signed(t testing.TB, signer jose.Signer, change func(*claims)) string {
	t.Helper()
	now := time.Now()
	c := claims{
		Claims: jose.Claims{
			ID: "id", Issuer: provisionerName, Subject: "gw_1", Audience: jose.Audience{b.mint.audience},
			IssuedAt: jose.NewNumericDate(now), NotBefore: jose.NewNumericDate(now), Expiry: jose.NewNumericDate(now.Add(time.Minute)),
		},
		SANs: []string{"spiffe://" + testDomain + "/team/tm_1/gateway/gw_1"},
	}
	change(&c)
	token, err := jose.Signed(signer).Claims(c).CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (b *bench) foreignSigner(t testing.TB, alg jose.SignatureAlgorithm, key any, kid string) jose.Signer {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, new(jose.SignerOptions).WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTokensThatAreNotOursAreRefused(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	other := newBench(t)
	same := func(*claims) {}
	ours := b.mint.signer
	good := b.signed(t, ours, same)
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"` + b.mint.public.KeyID + `"}`))
	public, err := x509.MarshalPKIXPublicKey(b.mint.public.Key)
	if err != nil {
		t.Fatal(err)
	}
	object, err := json.Marshal(map[string]string{"protected": parts[0], "payload": parts[1], "signature": parts[2]})
	if err != nil {
		t.Fatal(err)
	}

	tests := map[string]string{
		"empty":                            "",
		"words":                            "let me in",
		"three words":                      "let.me.in",
		"no algorithm":                     none + "." + parts[1] + ".",
		"no algorithm, some signature":     none + "." + parts[1] + "." + parts[2],
		"our public key as a secret":       b.signed(t, b.foreignSigner(t, jose.HS256, public, b.mint.public.KeyID), same),
		"another's key under our name":     b.signed(t, b.foreignSigner(t, jose.ES256, newKey(t), b.mint.public.KeyID), same),
		"our key under another name":       b.signed(t, b.foreignSigner(t, jose.ES256, b.provisionerKey(t), "other"), same),
		"another installation's":           other.token(t, "gw_1", "tm_1"),
		"another payload":                  parts[0] + "." + strings.Split(b.token(t, "gw_2", "tm_1"), ".")[1] + "." + parts[2],
		"the same as a JSON object":        string(object),
		"with a line behind it":            good + "\n",
		"very long":                        good + strings.Repeat("A", maxToken),
		"a claim that is very long":        b.signed(t, ours, func(c *claims) { c.Root = strings.Repeat("a", maxToken) }),
		"another audience":                 b.signed(t, ours, func(c *claims) { c.Audience = jose.Audience{"https://" + authorityName(testDomain) + "/1.0/revoke"} }),
		"no audience":                      b.signed(t, ours, func(c *claims) { c.Audience = nil }),
		"another issuer":                   b.signed(t, ours, func(c *claims) { c.Issuer = "admin" }),
		"no ID":                            b.signed(t, ours, func(c *claims) { c.ID = "" }),
		"no end":                           b.signed(t, ours, func(c *claims) { c.Expiry = nil }),
		"no beginning":                     b.signed(t, ours, func(c *claims) { c.NotBefore = nil }),
		"no date of issue":                 b.signed(t, ours, func(c *claims) { c.IssuedAt = nil }),
		"not good yet":                     b.signed(t, ours, func(c *claims) { c.NotBefore = jose.NewNumericDate(time.Now().Add(time.Hour)) }),
		"issued in the future":             b.signed(t, ours, func(c *claims) { c.IssuedAt = jose.NewNumericDate(time.Now().Add(time.Hour)) }),
		"no name":                          b.signed(t, ours, func(c *claims) { c.SANs = nil }),
		"two names":                        b.signed(t, ours, func(c *claims) { c.SANs = append(c.SANs, "link.example.org") }),
		"a name that is no gateway's":      b.signed(t, ours, func(c *claims) { c.SANs = []string{"link.example.org"} }),
		"a name under another domain":      b.signed(t, ours, func(c *claims) { c.SANs = []string{"spiffe://evil.test/team/tm_1/gateway/gw_1"} }),
		"a subject that is not its name's": b.signed(t, ours, func(c *claims) { c.Subject = "gw_2" }),
	}
	csr := request(t, newKey(t), x509.CertificateRequest{})
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := b.Enrol(t.Context(), token, csr)
			wantKind(t, err, fault.Unauthenticated)
		})
	}
	t.Cleanup(func() {
		// Smallstep notes a token as used before it looks at the signature.
		if n := b.memory.usedTokens(); n != 0 {
			t.Errorf("%d forged tokens were noted as used", n)
		}
		if _, err := b.mint.verify(good, time.Now()); err != nil {
			t.Errorf("the token that all the others were made from is no good: %v", err)
		}
	})
}

func (b *bench) provisionerKey(t testing.TB) any {
	t.Helper()
	_, key, err := b.keys.load(t.Context(), "provisioner")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestTokenTellsTheGatewayWhichRootToPin(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(b.token(t, "gw_1", "tm_1"), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Sha string `json:"sha"`
	}
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	if want := b.RootFingerprint(); got.Sha != want || len(want) != 64 {
		t.Errorf("sha = %q, want %q", got.Sha, want)
	}
}

func FuzzEnrolToken(f *testing.F) {
	b := newBench(f)
	good := b.token(f, "gw_1", "tm_1")
	want, err := b.mint.verify(good, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("")
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.AA")
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Fuzz(func(t *testing.T, token string) {
		got, err := b.mint.verify(token, time.Now())
		if err == nil && got != want {
			t.Errorf("a token nobody signed names %v", got)
		}
		if err != nil && fault.Of(err) != fault.Unauthenticated && fault.Of(err) != fault.Expired {
			t.Errorf("kind = %v: %v", fault.Of(err), err)
		}
	})
}

func FuzzRequest(f *testing.F) {
	n := name{team: "tm_1", gateway: "gw_1"}
	key := newKey(f)
	good := request(f, key, x509.CertificateRequest{})
	f.Add(good)
	f.Add(request(f, key, x509.CertificateRequest{DNSNames: []string{"a.example"}}))
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		req, err := parseRequest(in, n, testDomain)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Errorf("kind = %v: %v", fault.Of(err), err)
			}
			return
		}
		if req.CheckSignature() != nil || !isKeyAllowed(req.PublicKey) || len(req.DNSNames) != 0 {
			t.Errorf("accepted %+v", req)
		}
	})
}
