package mitm

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"time"
)

const (
	leafLife = 24 * time.Hour
	backdate = time.Hour // clocks in containers run behind
	leafLead = time.Hour // a certificate this near its end is not given out
)

// leaf is one certificate, or the making of one. Its fields may be read once
// ready is closed.
type leaf struct {
	ready  chan struct{}
	signer *root
	cert   *tls.Certificate
	err    error
}

// fresh reports whether l may be given out, as far as can be told: a leaf that
// is still being made is fresh, or everybody would make one.
func (l *leaf) fresh(signer *root, now time.Time) bool {
	if l.signer != signer {
		return false
	}
	select {
	case <-l.ready:
	default:
		return true
	}
	return l.err == nil && !now.Before(l.cert.Leaf.NotBefore) && now.Before(l.cert.Leaf.NotAfter.Add(-leafLead))
}

var errHost = errors.New("not a host name in its usual spelling")

// sign makes a certificate for host.
func (r *root) sign(host string, key *ecdsa.PrivateKey, now time.Time) (*tls.Certificate, error) {
	if now.Before(r.cert.NotBefore) || !now.Before(r.cert.NotAfter.Add(-leafLead)) {
		return nil, fmt.Errorf("the root is valid from %s to %s", r.cert.NotBefore, r.cert.NotAfter)
	}
	from, to := now.Add(-backdate), now.Add(leafLife-backdate)
	if from.Before(r.cert.NotBefore) {
		from = r.cert.NotBefore
	}
	if to.After(r.cert.NotAfter) {
		to = r.cert.NotAfter
	}
	var name []byte
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" {
			return nil, errHost
		}
		name = tlv(0x87, ip.Unmap().AsSlice())
	} else if plainName(host) {
		name = tlv(0x82, []byte(host))
	} else {
		return nil, errHost
	}
	der, err := r.certificate(host, name, &key.PublicKey, from, to)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read what was signed: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, nil
}

// plainName accepts names as they are after netguard.ParseHost. A wildcard, a
// dot at the end or a capital letter here would be a certificate for more, or
// for something else, than the host that is being connected to.
func plainName(s string) bool {
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	label := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if label == 0 || i == len(s)-1 {
				return false
			}
			label = 0
			continue
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
		if label++; label > 63 {
			return false
		}
	}
	return true
}

// newSerial returns a number that no other certificate has.
func newSerial() (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("draw serial: %w", err)
	}
	b[0] &= 0x7f // positive
	b[0] |= 0x40 // and of one length
	return new(big.Int).SetBytes(b), nil
}

// keyID names a key in certificates. Strict clients, among them Python 3.13,
// refuse chains in which issuers are not named so.
func keyID(k *ecdsa.PublicKey) []byte {
	raw, err := k.Bytes()
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(raw)
	return sum[:20]
}
