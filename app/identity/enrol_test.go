package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/fault"
)

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestEnrolledGatewayHasACertificateForADay(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	keys := map[string]crypto.Signer{"P-256": newKey(t)}
	_, keys["Ed25519"], _ = ed25519.GenerateKey(rand.Reader)
	for name, key := range keys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			cert, err := b.Enrol(t.Context(), b.token(t, "gw_1", "tm_1"), request(t, key, x509.CertificateRequest{}))
			if err != nil {
				t.Fatal(err)
			}
			e := b.holds(t, cert, nil)
			leaf := e.chain[0]
			type shape struct {
				URI, CN, Serial  string
				Use              []x509.ExtKeyUsage
				KeyUsage         x509.KeyUsage
				CA               bool
				Life             time.Duration
				Gateway, Team    string
				SameKey, Expires bool
			}
			got := shape{
				leaf.URIs[0].String(), leaf.Subject.CommonName, leaf.SerialNumber.String(), leaf.ExtKeyUsage, leaf.KeyUsage, leaf.IsCA,
				leaf.NotAfter.Sub(leaf.NotBefore), cert.GatewayID, cert.TeamID,
				key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(leaf.PublicKey), cert.NotAfter.Equal(leaf.NotAfter),
			}
			want := shape{
				"spiffe://" + testDomain + "/team/tm_1/gateway/gw_1", "gw_1", cert.Serial,
				[]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, x509.KeyUsageDigitalSignature, false,
				24*time.Hour + time.Minute, "gw_1", "tm_1", true, true,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("certificate (-want +got):\n%s", diff)
			}
			id, err := b.Check(t.Context(), e.state())
			if want := (Identity{GatewayID: "gw_1", TeamID: "tm_1", Serial: cert.Serial}); err != nil || id != want {
				t.Errorf("Check = %v, %v; want %v", id, err, want)
			}
		})
	}
}

func TestRequestMayRepeatTheNameItWillGet(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	csr := request(t, newKey(t), x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "gw_1", Organization: []string{"ignored"}},
		URIs:    []*url.URL{mustURL("spiffe://" + testDomain + "/team/tm_1/gateway/gw_1")},
	})
	cert, err := b.Enrol(t.Context(), b.token(t, "gw_1", "tm_1"), csr)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.holds(t, cert, nil).chain[0].Subject.Organization; got != nil {
		t.Errorf("organization = %v was taken from the request", got)
	}
}

func TestOfManyUsesOfATokenOneWins(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	servers := []*Authority{b.Authority, b.reopen(t)}
	token := b.token(t, "gw_1", "tm_1")
	var (
		wg    sync.WaitGroup
		start = make(chan struct{})
		errs  = make([]error, 16)
	)
	for i := range errs {
		csr := request(t, newKey(t), x509.CertificateRequest{})
		wg.Go(func() {
			<-start
			_, errs[i] = servers[i%2].Enrol(t.Context(), token, csr)
		})
	}
	close(start)
	wg.Wait()

	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantKind(t, err, fault.Conflict)
		if msg := fault.Message(err); !strings.HasPrefix(msg, "This enrolment token has been used. Ask for a new one") {
			t.Errorf("message = %q", msg)
		}
	}
	if won != 1 || len(b.memory.certs) != 1 {
		t.Errorf("%d enrolments and %d certificates, want one", won, len(b.memory.certs))
	}
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		early, late := b.token(t, "gw_1", "tm_1"), b.token(t, "gw_2", "tm_1")
		csr := request(t, newKey(t), x509.CertificateRequest{})
		time.Sleep(tokenLife - time.Second)
		if _, err := b.Enrol(t.Context(), early, csr); err != nil {
			t.Errorf("a second before its end: %v", err)
		}
		time.Sleep(time.Second)
		_, err := b.Enrol(t.Context(), late, csr)
		wantKind(t, err, fault.Expired)
	})
}

func TestTokenOfOneGatewayDoesNotEnrolAnother(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	token := b.token(t, "gw_a", "tm_1")
	key := newKey(t)
	for _, victim := range []string{"/team/tm_1/gateway/gw_b", "/team/tm_2/gateway/gw_a"} {
		_, err := b.Enrol(t.Context(), token, request(t, key, x509.CertificateRequest{URIs: []*url.URL{mustURL("spiffe://" + testDomain + victim)}}))
		wantKind(t, err, fault.Invalid)
	}
	cert, err := b.Enrol(t.Context(), token, request(t, key, x509.CertificateRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	if cert.GatewayID != "gw_a" || cert.TeamID != "tm_1" {
		t.Errorf("enrolled %s of %s", cert.GatewayID, cert.TeamID)
	}
}

func TestRequestsThatAskForMoreAreRefused(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	key := newKey(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := mustURL("spiffe://" + testDomain + "/team/tm_1/gateway/gw_1")
	caTrue, _ := asn1.Marshal(struct{ CA bool }{true})
	serverAuth, _ := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 1}})
	plain := request(t, key, x509.CertificateRequest{})

	tampered := flipLastByte(t, plain)

	tests := map[string][]byte{
		"a DNS name":                request(t, key, x509.CertificateRequest{DNSNames: []string{"link.example.org"}}),
		"an address":                request(t, key, x509.CertificateRequest{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}),
		"a mail address":            request(t, key, x509.CertificateRequest{EmailAddresses: []string{"a@example.org"}}),
		"its own URI and one more":  request(t, key, x509.CertificateRequest{URIs: []*url.URL{own, mustURL("spiffe://" + testDomain + "/team/tm_1/gateway/gw_2")}}),
		"its own URI and a host":    request(t, key, x509.CertificateRequest{URIs: []*url.URL{own}, DNSNames: []string{"a.example"}}),
		"another common name":       request(t, key, x509.CertificateRequest{Subject: pkix.Name{CommonName: "gw_2"}}),
		"to be an authority":        request(t, key, x509.CertificateRequest{ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: caTrue}}}),
		"use as a server":           request(t, key, x509.CertificateRequest{ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: serverAuth}}}),
		"an RSA key":                request(t, rsaKey, x509.CertificateRequest{}),
		"a key on P-384":            request(t, p384, x509.CertificateRequest{}),
		"SHA-1":                     sha1Request(t, key),
		"a broken signature":        tampered,
		"two requests":              append(append([]byte(nil), plain...), plain...),
		"text after the request":    append(append([]byte(nil), plain...), "more"...),
		"another kind of PEM block": []byte(strings.ReplaceAll(string(plain), "CERTIFICATE REQUEST", "CERTIFICATE")),
		"nothing":                   nil,
		"no PEM":                    []byte("hello"),
		"too much":                  request(t, key, x509.CertificateRequest{Subject: pkix.Name{Organization: []string{strings.Repeat("a", maxRequest)}}}),
	}
	for name, csr := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := b.Enrol(t.Context(), b.token(t, "gw_1", "tm_1"), csr)
			wantKind(t, err, fault.Invalid)
		})
	}
	t.Cleanup(func() {
		if n := b.memory.usedTokens(); n != 0 {
			t.Errorf("%d tokens were used up by requests that were no good", n)
		}
	})
}

func TestAFailureAfterTheTokenWasUsedSaysSo(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	b.memory.beforeInsert = func() error { return errBroken }
	token := b.token(t, "gw_1", "tm_1")
	csr := request(t, newKey(t), x509.CertificateRequest{})
	_, err := b.Enrol(t.Context(), token, csr)
	wantKind(t, err, fault.Unavailable)
	if msg := fault.Message(err); !strings.Contains(msg, "used up. Ask for a new one") {
		t.Errorf("message = %q", msg)
	}
	b.memory.beforeInsert = nil
	_, err = b.Enrol(t.Context(), token, csr)
	wantKind(t, err, fault.Conflict)
}

func TestRefusedGatewayGetsNeitherTokenNorCertificate(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	token := b.token(t, "gw_1", "tm_1")
	b.bouncer.refuse("gw_1")
	_, err := b.Enrol(t.Context(), token, request(t, newKey(t), x509.CertificateRequest{}))
	wantKind(t, err, fault.Forbidden)
	_, _, err = b.EnrolToken(t.Context(), "gw_1", "tm_1")
	wantKind(t, err, fault.Forbidden)
	if len(b.memory.certs) != 0 {
		t.Error("a certificate was issued")
	}
}

func TestIdentifiersThatAreNoneGetNoToken(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	for name, id := range map[string]string{
		"empty": "", "a path": "gw/gateway/x", "dots": "..", "a query": "gw?x", "an escape": "gw%2f", "too long": strings.Repeat("x", 65), "a line": "gw\n",
	} {
		_, _, err := b.EnrolToken(t.Context(), id, "tm_1")
		if fault.Of(err) != fault.Invalid {
			t.Errorf("gateway is %s: %v", name, err)
		}
		_, _, err = b.EnrolToken(t.Context(), "gw_1", id)
		if fault.Of(err) != fault.Invalid {
			t.Errorf("team is %s: %v", name, err)
		}
	}
}

// flipLastByte breaks the signature of a request, which stands at its end.
func flipLastByte(t *testing.T, csr []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(csr)
	block.Bytes[len(block.Bytes)-1] ^= 1
	return pem.EncodeToMemory(block)
}

// sha1Request is a request whose signature is genuine but of SHA-1.
func sha1Request(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	block, _ := pem.Decode(request(t, key, x509.CertificateRequest{}))
	var req struct {
		Info      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(block.Bytes, &req); err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(req.Info.FullBytes)
	sig, err := key.Sign(rand.Reader, sum[:], crypto.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	req.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	req.Signature = asn1.BitString{Bytes: sig, BitLength: len(sig) * 8}
	if block.Bytes, err = asn1.Marshal(req); err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
}
