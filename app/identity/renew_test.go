package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smallstep/certificates/authority/provisioner"

	"github.com/tameflare/tameflare/domain/fault"
)

func TestRenewalKeepsTheNameAndGivesAnotherDay(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		e := b.enrol(t, "gw_1", "tm_1")
		next, gw1 := newKey(t), name{team: "tm_1", gateway: "gw_1"}
		for what, c := range map[string]struct {
			csr []byte
			key *ecdsa.PrivateKey
		}{
			"the same key": {nil, e.key},
			"a new key":    {request(t, next, x509.CertificateRequest{}), next},
		} {
			time.Sleep(8 * time.Hour)
			cert, err := b.Renew(t.Context(), e.state(), c.csr)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			r := b.holds(t, cert, c.key)
			leaf := r.chain[0]
			if err := b.step.profile(leaf, gw1); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if !c.key.PublicKey.Equal(leaf.PublicKey) {
				t.Errorf("%s: for another key", what)
			}
			if got, want := cert.NotAfter, time.Now().Add(24*time.Hour); !got.Equal(want.UTC().Truncate(time.Second)) {
				t.Errorf("%s: ends %v, want %v", what, got, want)
			}
			if row := b.memory.certs[cert.Serial]; row.RenewedFrom != e.Serial || cert.Serial == e.Serial {
				t.Errorf("%s: serial %s of %s renewed from %q", what, cert.Serial, e.Serial, row.RenewedFrom)
			}
			if _, err := b.Check(t.Context(), r.state()); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if _, err := b.Check(t.Context(), e.state()); err != nil {
				t.Errorf("%s: the old certificate is no good any more: %v", what, err)
			}
		}
	})
}

// forge signs a gateway's certificate with one thing changed, and has it
// verified as a listener would that is configured for anything.
func (b *bench) forge(t *testing.T, by *issuer, enter bool, change func(*x509.Certificate)) tls.ConnectionState {
	t.Helper()
	ext, err := (&provisioner.Extension{Type: provisioner.TypeJWK, Name: provisionerName, CredentialID: b.mint.public.KeyID}).ToExtension()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: "gw_1"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(gatewayLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		URIs:                  []*url.URL{mustURL("spiffe://" + testDomain + "/team/tm_1/gateway/gw_1")},
		ExtraExtensions:       []pkix.Extension{ext},
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, newKey(t).Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if enter {
		if err := b.memory.InsertCertificate(t.Context(), Issued{
			Serial: leaf.SerialNumber.String(), TeamID: "tm_1", GatewayID: "gw_1", DER: der, NotAfter: leaf.NotAfter,
		}); err != nil {
			t.Fatal(err)
		}
	}
	chain := []*x509.Certificate{leaf, by.cert, b.Authority.root}
	return tls.ConnectionState{PeerCertificates: chain[:2], VerifiedChains: [][]*x509.Certificate{chain}}
}

func TestOnlyOurGatewaysRenew(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	stranger := newBench(t)
	ours, theirs := b.issuer.Load(), stranger.issuer.Load()
	mitm := &issuer{cert: stranger.Authority.root}
	_, mitmKey, err := stranger.keys.load(t.Context(), "root")
	if err != nil {
		t.Fatal(err)
	}
	mitm.key = mitmKey
	same := func(*x509.Certificate) {}
	e := b.enrol(t, "gw_1", "tm_1")

	// The forgery that differs in nothing is accepted: what the others are
	// refused for is what was changed.
	if _, err := b.Renew(t.Context(), b.forge(t, ours, true, same), nil); err != nil {
		t.Fatalf("the template of all forgeries: %v", err)
	}

	tests := map[string]struct {
		state tls.ConnectionState
		want  fault.Kind
	}{
		"no certificate":                  {tls.ConnectionState{}, fault.Unauthenticated},
		"one that no handshake verified":  {tls.ConnectionState{PeerCertificates: e.chain[:2]}, fault.Unauthenticated},
		"an empty chain":                  {tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}}}, fault.Unauthenticated},
		"a foreign intermediate's":        {b.forge(t, theirs, true, same), fault.Unauthenticated},
		"a foreign root's":                {b.forge(t, mitm, true, same), fault.Unauthenticated},
		"a foreign root's authority":      {b.forge(t, mitm, true, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }), fault.Unauthenticated},
		"a gateway of another system":     {stranger.enrol(t, "gw_1", "tm_1").state(), fault.Unauthenticated},
		"an authority":                    {b.forge(t, ours, true, func(c *x509.Certificate) { c.IsCA = true }), fault.Unauthenticated},
		"one that may sign certificates":  {b.forge(t, ours, true, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }), fault.Unauthenticated},
		"one for servers":                 {b.forge(t, ours, true, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), fault.Unauthenticated},
		"one for servers, too":            {b.forge(t, ours, true, func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) }), fault.Unauthenticated},
		"one for any use":                 {b.forge(t, ours, true, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }), fault.Unauthenticated},
		"one without a use":               {b.forge(t, ours, true, func(c *x509.Certificate) { c.ExtKeyUsage = nil }), fault.Unauthenticated},
		"one that enrolment did not make": {b.forge(t, ours, true, func(c *x509.Certificate) { c.ExtraExtensions = nil }), fault.Unauthenticated},
		"another provisioner's":           {b.forge(t, ours, true, otherProvisioner(t)), fault.Unauthenticated},
		"one with a host name":            {b.forge(t, ours, true, func(c *x509.Certificate) { c.DNSNames = []string{"link.example.org"} }), fault.Unauthenticated},
		"one with two names":              {b.forge(t, ours, true, func(c *x509.Certificate) { c.URIs = append(c.URIs, c.URIs[0]) }), fault.Unauthenticated},
		"one without a name":              {b.forge(t, ours, true, func(c *x509.Certificate) { c.URIs = nil }), fault.Unauthenticated},
		"one under another domain":        {b.forge(t, ours, true, uri("spiffe://other.test/team/tm_1/gateway/gw_1")), fault.Unauthenticated},
		"one under a subdomain":           {b.forge(t, ours, true, uri("spiffe://a."+testDomain+"/team/tm_1/gateway/gw_1")), fault.Unauthenticated},
		"a name with more behind it":      {b.forge(t, ours, true, uri("spiffe://"+testDomain+"/team/tm_1/gateway/gw_1/x")), fault.Unauthenticated},
		"a name with a query":             {b.forge(t, ours, true, uri("spiffe://"+testDomain+"/team/tm_1/gateway/gw_1?x")), fault.Unauthenticated},
		"one that is not in the ledger":   {b.forge(t, ours, false, same), fault.Forbidden},
		"one that is another's there":     {b.forge(t, ours, true, uri("spiffe://"+testDomain+"/team/tm_1/gateway/gw_2")), fault.Forbidden},
		"one that is another team's":      {b.forge(t, ours, true, uri("spiffe://"+testDomain+"/team/tm_2/gateway/gw_1")), fault.Forbidden},
		"one with a serial of the ledger": {b.forge(t, ours, false, func(c *x509.Certificate) { c.SerialNumber = e.chain[0].SerialNumber }), fault.Forbidden},
	}
	before := len(b.memory.certs)
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := b.Renew(t.Context(), c.state, nil)
			wantKind(t, err, c.want)
		})
	}
	t.Cleanup(func() {
		if n := len(b.memory.certs); n != before {
			t.Errorf("%d certificates were issued", n-before)
		}
	})
}

func uri(s string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.URIs = []*url.URL{mustURL(s)} }
}

func otherProvisioner(t *testing.T) func(*x509.Certificate) {
	ext, err := (&provisioner.Extension{Type: provisioner.TypeJWK, Name: "admin"}).ToExtension()
	if err != nil {
		t.Fatal(err)
	}
	return func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{ext} }
}

// Smallstep verifies no chain when it renews. Should our own checks be passed
// by some way, then the ledger, which it asks through authDB, still stands.
func TestSmallstepRenewsNothingThatIsNotInTheLedger(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(42), Subject: pkix.Name{CommonName: "an authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if chain, err := b.step.renew(t.Context(), cert, nil); err == nil {
		t.Errorf("a stranger's authority was renewed under our root: %v", chain[0].Issuer)
	}
}

func TestExpiredCertificateSaysEnrolAgain(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		e := b.enrol(t, "gw_1", "tm_1")
		foreign := newBench(t).enrol(t, "gw_1", "tm_1")
		time.Sleep(24*time.Hour - time.Second)
		if _, err := b.Renew(t.Context(), e.state(), nil); err != nil {
			t.Errorf("a second before its end: %v", err)
		}
		time.Sleep(2 * time.Second)
		_, err := b.Renew(t.Context(), e.state(), nil)
		wantKind(t, err, fault.Expired)
		if msg := fault.Message(err); !strings.Contains(msg, "Enrol it again: run tameflare gateway up") {
			t.Errorf("message = %q", msg)
		}
		_, err = b.Renew(t.Context(), foreign.state(), nil)
		wantKind(t, err, fault.Unauthenticated)
	})
}

func TestRenewalTakesOnlyAProperRequest(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	e := b.enrol(t, "gw_1", "tm_1")
	for name, csr := range map[string][]byte{
		"empty":          {},
		"another's name": request(t, newKey(t), x509.CertificateRequest{URIs: []*url.URL{mustURL("spiffe://" + testDomain + "/team/tm_1/gateway/gw_2")}}),
	} {
		_, err := b.Renew(t.Context(), e.state(), csr)
		if fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRevocationTakesEveryCertificateOfTheGateway(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	first := b.enrol(t, "gw_1", "tm_1")
	renewed, err := b.Renew(t.Context(), first.state(), nil)
	if err != nil {
		t.Fatal(err)
	}
	second := b.holds(t, renewed, first.key)
	other := b.enrol(t, "gw_2", "tm_1")
	for range 2 { // once more changes nothing
		if err := b.Revoke(t.Context(), "gw_1", "laptop lost"); err != nil {
			t.Fatal(err)
		}
	}
	for name, e := range map[string]enrolled{"the first": first, "the renewed": second} {
		_, err := b.Check(t.Context(), e.state())
		wantKind(t, err, fault.Forbidden)
		_, err = b.Renew(t.Context(), e.state(), nil)
		wantKind(t, err, fault.Forbidden)
		if _, err := b.Peer(e.state()); err != nil {
			t.Errorf("%s: Peer asks the ledger: %v", name, err)
		}
		if _, err := b.step.renew(t.Context(), e.chain[0], nil); err == nil {
			t.Errorf("%s: smallstep would still renew it", name)
		}
		if got := b.memory.revoked[e.Serial]; got.Reason != "laptop lost" || got.RevokedAt.IsZero() {
			t.Errorf("%s: revocation = %+v", name, got)
		}
	}
	if _, err := b.Check(t.Context(), other.state()); err != nil {
		t.Errorf("another gateway: %v", err)
	}
}

func TestGatewayThatIsNotAdmittedDoesNotRenew(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	e := b.enrol(t, "gw_1", "tm_1")
	b.bouncer.refuse("gw_1")
	_, err := b.Renew(t.Context(), e.state(), nil)
	wantKind(t, err, fault.Forbidden)
	if got := fault.Message(err); got != "This gateway is switched off." {
		t.Errorf("message = %q", got)
	}
}

func TestRevocationDuringARenewalLeavesNoCertificate(t *testing.T) {
	t.Parallel()

	for _, when := range []string{"before", "after"} {
		t.Run(when+" the new one is in the ledger", func(t *testing.T) {
			t.Parallel()

			b := newBench(t)
			e := b.enrol(t, "gw_1", "tm_1")
			revoke := func() {
				if err := b.Revoke(context.Background(), "gw_1", "race"); err != nil {
					t.Error(err)
				}
			}
			if when == "before" {
				b.memory.beforeInsert = func() error { revoke(); return nil }
			} else {
				b.memory.afterInsert = revoke
			}
			_, err := b.Renew(t.Context(), e.state(), nil)
			wantKind(t, err, fault.Forbidden)
			live, err := b.memory.LiveCertificates(t.Context(), "gw_1", time.Now())
			if err != nil || len(live) != 0 || len(b.memory.certs) != 2 {
				t.Errorf("%d certificates live of %d, %v", len(live), len(b.memory.certs), err)
			}
		})
	}
}

func TestStoreThatFailsRefuses(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	e := b.enrol(t, "gw_1", "tm_1")
	b.memory.beforeInsert = func() error { return errBroken }
	_, err := b.Renew(t.Context(), e.state(), nil)
	wantKind(t, err, fault.Unavailable)

	b.memory.fail = errBroken
	_, err = b.Check(t.Context(), e.state())
	wantKind(t, err, fault.Internal)
	_, err = b.Enrol(t.Context(), b.token(t, "gw_1", "tm_1"), request(t, newKey(t), x509.CertificateRequest{}))
	wantKind(t, err, fault.Unavailable)
	if _, err := b.step.renew(t.Context(), e.chain[0], nil); err == nil {
		t.Error("smallstep renews without the ledger")
	}
}
