package mitm

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// root is one self-signed certificate and its key.
type root struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newRoot(name string, now time.Time, life time.Duration) (*root, error) {
	if name == "" {
		name = "this machine"
		if h, err := os.Hostname(); err == nil {
			name = h
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make root key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	cn := []rune("TameFlare gateway on " + name)
	template := x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"TameFlare"}, CommonName: string(cn[:min(len(cn), 64)]), SerialNumber: serial.Text(16)[:8]},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(life),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		SubjectKeyId:          keyID(&key.PublicKey),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sign root: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read root: %w", err)
	}
	return &root{cert, key}, nil
}

func (r *root) expires() time.Time { return r.cert.NotAfter }

func (r *root) fingerprint() string {
	sum := sha256.Sum256(r.cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// living returns the roots that have not ended, oldest first as they came.
func living(roots []*root, now time.Time) []*root {
	var alive []*root
	for _, r := range roots {
		if now.Before(r.expires()) {
			alive = append(alive, r)
		}
	}
	return alive
}

// signerFirst puts the oldest root that lasts beyond until in front: a newer
// one is published, but processes that run already do not trust it yet.
func signerFirst(roots []*root, until time.Time) []*root {
	for i, r := range roots {
		if i == len(roots)-1 || r.expires().After(until) {
			return append(append([]*root{r}, roots[i+1:]...), roots[:i]...)
		}
	}
	return roots
}

// encodeRoots writes certificate and key together, so that one rename changes
// both.
func encodeRoots(roots []*root) []byte {
	var b bytes.Buffer
	for _, r := range roots {
		key, err := x509.MarshalPKCS8PrivateKey(r.key)
		if err != nil {
			panic(err) // a P-256 key always marshals
		}
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.cert.Raw}))
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	}
	return b.Bytes()
}

var errRoots = errors.New("not pairs of a root certificate and its key")

func decodeRoots(data []byte) ([]*root, error) {
	var roots []*root
	for len(bytes.TrimSpace(data)) > 0 {
		var cert, key *pem.Block
		if cert, data = pem.Decode(data); cert == nil || cert.Type != "CERTIFICATE" {
			return nil, errRoots
		}
		if key, data = pem.Decode(data); key == nil || key.Type != "PRIVATE KEY" {
			return nil, errRoots
		}
		c, err := x509.ParseCertificate(cert.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read root: %w", err)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(key.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read root key: %w", err)
		}
		k, ok := parsed.(*ecdsa.PrivateKey)
		if !ok || !k.PublicKey.Equal(c.PublicKey) || !c.IsCA || !c.MaxPathLenZero {
			return nil, errRoots
		}
		roots = append(roots, &root{c, k})
	}
	if len(roots) == 0 {
		return nil, errRoots
	}
	return roots, nil
}

func certsPEM(roots []*root) []byte {
	var b bytes.Buffer
	for _, r := range roots {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.cert.Raw}))
	}
	return b.Bytes()
}
