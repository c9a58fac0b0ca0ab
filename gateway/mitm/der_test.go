package mitm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLeafIsTheOneThatX509WouldMake(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		host string
		now  time.Time
	}{
		"name":       {"api.example", time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)},
		"long name":  {strings.Repeat("abcdefg.", 30) + "example", time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)},
		"IPv4":       {"127.0.0.1", time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)},
		"IPv6":       {"2001:db8::1", time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)},
		"after 2049": {"api.example", time.Date(2050, 1, 1, 3, 0, 0, 0, time.FixedZone("", 3600))},
		"2049":       {"api.example", time.Date(2049, 12, 31, 12, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r, err := newRoot("test", c.now, 30*24*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			signed, err := r.sign(c.host, key, c.now)
			if err != nil {
				t.Fatal(err)
			}
			got := signed.Leaf
			if err := got.CheckSignatureFrom(r.cert); err != nil {
				t.Fatal(err)
			}
			template := x509.Certificate{
				SerialNumber: got.SerialNumber,
				NotBefore:    c.now.Add(-backdate), NotAfter: c.now.Add(leafLife - backdate),
				KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
				BasicConstraintsValid: true, SubjectKeyId: keyID(&key.PublicKey),
			}
			if ip := net.ParseIP(c.host); ip != nil {
				template.IPAddresses = []net.IP{ip}
			} else {
				template.DNSNames = []string{c.host}
			}
			if len(c.host) <= 64 {
				template.Subject = pkix.Name{CommonName: c.host}
			}
			der, err := x509.CreateCertificate(rand.Reader, &template, r.cert, &key.PublicKey, r.key)
			if err != nil {
				t.Fatal(err)
			}
			want, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			// UTF8String here, PrintableString where x509 can: one kind will do.
			if diff := cmp.Diff(want.Subject.String(), got.Subject.String()); diff != "" {
				t.Error(diff)
			}
			tbs := func(c *x509.Certificate) map[string]any {
				return map[string]any{
					"size": len(c.RawTBSCertificate), "version": c.Version, "serial": c.SerialNumber.String(), "issuer": c.RawIssuer, "public": c.RawSubjectPublicKeyInfo,
					"from": c.NotBefore, "to": c.NotAfter, "extensions": c.Extensions, "algorithm": c.SignatureAlgorithm.String(),
				}
			}
			if diff := cmp.Diff(tbs(want), tbs(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
