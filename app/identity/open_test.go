package identity

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smallstep/certificates/authority/provisioner"

	"github.com/tameflare/tameflare/domain/fault"
)

func TestServersOnOneStoreAreOneAuthority(t *testing.T) {
	t.Parallel()

	b := &bench{memory: newMemory(), sealer: newSealer(t), bouncer: new(bouncer)}
	b.config = Config{TrustDomain: testDomain, LinkNames: []string{"localhost"}, Store: b.memory, Sealer: b.sealer, Admit: b.bouncer.admit}
	var (
		wg      sync.WaitGroup
		start   = make(chan struct{})
		servers = make([]*Authority, 8)
	)
	for i := range servers {
		wg.Go(func() {
			<-start
			a, err := Open(t.Context(), b.config)
			if err != nil {
				t.Error(err)
			}
			servers[i] = a
		})
	}
	close(start)
	wg.Wait()
	if t.Failed() {
		return
	}

	b.Authority = servers[0]
	for i, a := range servers {
		if a.RootFingerprint() != b.RootFingerprint() || a.mint.public.KeyID != b.mint.public.KeyID || !a.issuer.Load().cert.Equal(b.issuer.Load().cert) {
			t.Errorf("server %d has other keys", i)
		}
		// A token of one is good at another, and so is a certificate.
		key := newKey(t)
		cert, err := a.Enrol(t.Context(), b.token(t, "gw_1", "tm_1"), request(t, key, x509.CertificateRequest{}))
		if err != nil {
			t.Errorf("server %d: %v", i, err)
			continue
		}
		if _, err := b.Renew(t.Context(), b.holds(t, cert, key).state(), nil); err != nil {
			t.Errorf("server %d: %v", i, err)
		}
	}
}

func TestARestartKeepsOutstandingTokens(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		token := b.token(t, "gw_1", "tm_1")
		e := b.enrol(t, "gw_2", "tm_1")
		time.Sleep(time.Minute) // Smallstep refuses what is older than its start
		again := b.reopen(t)
		if _, err := again.Enrol(t.Context(), token, request(t, newKey(t), x509.CertificateRequest{})); err != nil {
			t.Errorf("token from before the restart: %v", err)
		}
		if _, err := again.Renew(t.Context(), e.state(), nil); err != nil {
			t.Errorf("certificate from before the restart: %v", err)
		}
	})
}

func TestPrivateKeysAreSealed(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	if len(b.memory.keys) != 3 {
		t.Errorf("%d keys, want root, intermediate and provisioner", len(b.memory.keys))
	}
	for name, row := range b.memory.keys {
		_, key, err := b.keys.load(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		scalar, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for what, secret := range map[string][]byte{"PEM": []byte("PRIVATE KEY"), "the number": scalar, "PKCS #8": pkcs8} {
			if bytes.Contains(row.Sealed, secret) || bytes.Contains(row.Public, secret) {
				t.Errorf("key %s shows %s", name, what)
			}
		}
	}
}

func TestKeysThatWereTamperedWithDoNotOpen(t *testing.T) {
	t.Parallel()

	stranger := newBench(t)
	tests := map[string]func(b *bench){
		"another master key": func(b *bench) { b.config.Sealer = stranger.sealer },
		"another's root in the place of ours": func(b *bench) {
			k := b.memory.keys["root"]
			k.Public = stranger.memory.keys["root"].Public
			b.memory.keys["root"] = k
		},
		"another's root that vouches for our intermediate": func(b *bench) {
			own := b.issuer.Load().cert
			_, key, err := stranger.keys.load(t.Context(), "root")
			if err != nil {
				t.Error(err)
			}
			der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
				SerialNumber: big.NewInt(7), Subject: own.Subject, NotBefore: own.NotBefore, NotAfter: own.NotAfter, KeyUsage: own.KeyUsage,
				BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true, PermittedURIDomains: own.PermittedURIDomains,
			}, stranger.Authority.root, own.PublicKey, key)
			if err != nil {
				t.Error(err)
			}
			r, i := b.memory.keys["root"], b.memory.keys["intermediate.1"]
			r.Public, i.Public = stranger.Authority.root.Raw, der
			b.memory.keys["root"], b.memory.keys["intermediate.1"] = r, i
		},
		"two keys swapped": func(b *bench) {
			i, p := b.memory.keys["intermediate.1"], b.memory.keys["provisioner"]
			i.Sealed, p.Sealed = p.Sealed, i.Sealed
			b.memory.keys["intermediate.1"], b.memory.keys["provisioner"] = i, p
		},
		"one key under another's name": func(b *bench) { b.memory.keys["intermediate.1"] = b.memory.keys["root"] },
		"a key that is lost in part":   func(b *bench) { k := b.memory.keys["root"]; k.Sealed = nil; b.memory.keys["root"] = k },
		"another trust domain":         func(b *bench) { b.config.TrustDomain = "other.test" },
	}
	for name, tamper := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := newBench(t)
			tamper(b)
			if _, err := Open(t.Context(), b.config); err == nil {
				t.Error("it opens")
			}
		})
	}
}

func TestAKeyOpensUnderItsOwnNameAlone(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	b.memory.keys["intermediate.2"] = b.memory.keys["intermediate.1"]
	if _, _, err := b.keys.load(t.Context(), "intermediate.2"); err == nil {
		t.Error("it opens")
	}
}

func TestTrustDomainCannotBeChanged(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	b.config.TrustDomain = "other.test"
	_, err := Open(t.Context(), b.config)
	if err == nil || !strings.Contains(err.Error(), `is for the trust domain ["tameflare.test"], not for "other.test"`) {
		t.Errorf("error = %v", err)
	}
}

func TestAuthorityWhoseRootHasEndedDoesNotOpen(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		time.Sleep(rootLife - reissueBefore)
		b.enrol(t, "gw_1", "tm_1")
		time.Sleep(reissueBefore + time.Hour)
		if _, err := Open(t.Context(), b.config); err == nil || !strings.Contains(err.Error(), "rehearse") {
			t.Errorf("error = %v, want that of a rehearsal", err)
		}
	})
}

func TestConfigurationThatCannotWorkDoesNotOpen(t *testing.T) {
	t.Parallel()

	tests := map[string]func(c *Config){
		"no trust domain":              func(c *Config) { c.TrustDomain = "" },
		"a trust domain with a path":   func(c *Config) { c.TrustDomain = "a.test/team" },
		"a trust domain in upper case": func(c *Config) { c.TrustDomain = "A.test" },
		"an address as trust domain":   func(c *Config) { c.TrustDomain = "10.0.0.1" },
		"no link name":                 func(c *Config) { c.LinkNames = nil },
		"a link name with a port":      func(c *Config) { c.LinkNames = []string{"link.example.org:8443"} },
		"an empty link name":           func(c *Config) { c.LinkNames = []string{""} },
		"a wildcard":                   func(c *Config) { c.LinkNames = []string{"*.example.org"} },
		"no store":                     func(c *Config) { c.Store = nil },
		"no sealer":                    func(c *Config) { c.Sealer = nil },
		"nobody who admits":            func(c *Config) { c.Admit = nil },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			store := newMemory()
			c := Config{TrustDomain: testDomain, LinkNames: []string{"localhost"}, Store: store, Sealer: newSealer(t), Admit: new(bouncer).admit}
			spoil(&c)
			if _, err := Open(t.Context(), c); err == nil {
				t.Error("it opens")
			}
			if len(store.keys) != 0 {
				t.Error("it made keys nevertheless")
			}
		})
	}
}

func TestAProvisionerThatDoesNotStartIsNoticed(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	day := &provisioner.Duration{Duration: 24 * time.Hour}
	hour := &provisioner.Duration{Duration: time.Hour}
	tests := map[string]*provisioner.JWK{
		"it could not be initialised": {Type: "JWK", Name: provisionerName, Key: b.mint.public, Claims: &provisioner.Claims{MinTLSDur: day, MaxTLSDur: hour}},
		"it has another key":          {Type: "JWK", Name: provisionerName, Key: newBench(t).mint.public, Options: b.template()},
		"it has no template":          {Type: "JWK", Name: provisionerName, Key: b.mint.public},
	}
	for name, p := range tests {
		step, err := startEngine(b.Authority, p)
		if err != nil {
			t.Fatalf("%s: smallstep itself says so now (%v); it is the rehearsal that is tested here", name, err)
		}
		sick := &Authority{domain: b.domain, root: b.Authority.root, roots: b.roots, mint: b.mint, step: step}
		if err := sick.rehearse(t.Context()); err == nil {
			t.Errorf("%s, and the rehearsal passes", name)
		}
	}
	if n := b.memory.usedTokens() + len(b.memory.certs); n != 0 {
		t.Errorf("rehearsals left %d rows", n)
	}
}

func (b *bench) template() *provisioner.Options {
	return &provisioner.Options{X509: &provisioner.X509Options{Template: leafTemplate}}
}

func TestIntermediateIsReplacedBeforeItsEnd(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		colleague := b.reopen(t)
		first := b.issuer.Load().cert
		time.Sleep(intermediateLife - reissueBefore - time.Hour)
		old := b.enrol(t, "gw_1", "tm_1")
		if !old.chain[1].Equal(first) {
			t.Error("replaced before it was time")
		}
		time.Sleep(2 * time.Hour)
		renewed, err := b.Renew(t.Context(), old.state(), nil)
		if err != nil {
			t.Fatal(err)
		}
		e := b.holds(t, renewed, old.key)
		if e.chain[1].Equal(first) {
			t.Error("not replaced when it was time")
		}
		if _, err := b.Check(t.Context(), e.state()); err != nil {
			t.Errorf("under the new one: %v", err)
		}
		if _, err := b.Check(t.Context(), old.state()); err != nil {
			t.Errorf("under the old one: %v", err)
		}
		for name, a := range map[string]*Authority{"a server that was running": colleague, "a server that starts": b.reopen(t)} {
			i, err := a.currentIssuer(t.Context())
			if err != nil || !i.cert.Equal(e.chain[1]) {
				t.Errorf("%s has another intermediate (%v)", name, err)
			}
		}
	})
}

func TestIntermediateThatCannotBeReplacedSignsOnUntilItsEnd(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		time.Sleep(intermediateLife - reissueBefore + time.Hour)
		b.sealer.fail = errBroken
		b.enrol(t, "gw_1", "tm_1")
		if !strings.Contains(b.log.String(), "could not be replaced") {
			t.Errorf("nobody is told: %s", b.log)
		}
		time.Sleep(reissueBefore)
		_, err := b.Enrol(t.Context(), b.token(t, "gw_1", "tm_1"), request(t, newKey(t), x509.CertificateRequest{}))
		wantKind(t, err, fault.Unavailable)
		if b.memory.usedTokens() != 1 {
			t.Error("the token was used up for nothing")
		}
		b.sealer.fail = nil
		b.enrol(t, "gw_1", "tm_1")
	})
}

func TestIntermediateDoesNotOutliveTheRoot(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for range 4 {
			time.Sleep(rootLife/4 - 10*24*time.Hour)
			b.enrol(t, "gw_1", "tm_1")
		}
		b.enrol(t, "gw_1", "tm_1")
		// At its end there is nothing better to be had, so no more are made.
		if _, ok := b.memory.keys["intermediate.4"]; ok {
			t.Errorf("a new intermediate for every certificate: %d keys", len(b.memory.keys))
		}
		if i := b.issuer.Load().cert; i.NotAfter.After(b.Authority.root.NotAfter) {
			t.Errorf("intermediate ends %v, root %v", i.NotAfter, b.Authority.root.NotAfter)
		}
		b.reopen(t)
		if !strings.Contains(b.log.String(), "root ends") {
			t.Error("nobody is told that the root ends")
		}
	})
}

func TestIntermediateSignsForItsTrustDomainAlone(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	i := b.issuer.Load()
	if !i.cert.PermittedDNSDomainsCritical || !i.cert.MaxPathLenZero || b.Authority.root.MaxPathLen != 1 {
		t.Errorf("constraints of intermediate or root are not as they should be")
	}
	sign := func(uri string) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "x"}, URIs: []*url.URL{mustURL(uri)},
			NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}, i.cert, newKey(t).Public(), i.key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	between := x509.NewCertPool()
	between.AddCert(i.cert)
	for uri, ok := range map[string]bool{"spiffe://" + testDomain + "/team/a/gateway/b": true, "spiffe://other.test/team/a/gateway/b": false} {
		_, err := sign(uri).Verify(x509.VerifyOptions{Roots: b.roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		if (err == nil) != ok {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
