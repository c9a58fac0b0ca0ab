package mitm

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrMisdirected is what errors.Is finds in a *Misdirected.
var ErrMisdirected = errors.New("the server name is not the host of the tunnel")

// Misdirected is a client that opened a tunnel to one host and asked for
// another inside.
type Misdirected struct {
	Host string // of the tunnel
	SNI  string // asked for inside
}

func (m *Misdirected) Error() string {
	return fmt.Sprintf("the tunnel leads to %s, but the server name inside is %q", m.Host, m.SNI)
}

// Is makes errors.Is(err, ErrMisdirected) hold.
func (m *Misdirected) Is(target error) bool { return target == ErrMisdirected }

// ServerConfig returns how to talk TLS with the client of one tunnel to host,
// which is spelt as netguard.ParseHost does.
//
// When the client asks for another server name, the handshake fails with a
// *Misdirected. With a misdirected function the handshake goes on with host's
// certificate instead, so that the answer can be given inside TLS, and the
// function is called first; every request of that connection must then be
// refused. A client that names no server is taken to mean host.
func (a *Authority) ServerConfig(host string, misdirected func(*Misdirected)) *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		// Without the hybrid key exchange, which costs a third of a handshake:
		// this leg never leaves the machine.
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.Leaf(host)
		},
		// Not in GetCertificate, which is not called when a session is resumed.
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if hello.ServerName == "" || strings.EqualFold(hello.ServerName, host) {
				return nil, nil
			}
			m := &Misdirected{Host: host, SNI: hello.ServerName}
			if misdirected == nil {
				return nil, m
			}
			misdirected(m)
			return nil, nil
		},
	}
	// Each tunnel has a config, so the keys must be shared for a session to be
	// resumed in the next tunnel.
	if keys := a.ticketKeys(); keys != nil {
		c.SetSessionTicketKeys(keys)
	} else {
		c.SessionTicketsDisabled = true
	}
	return c
}

// ticketLife is how long sessions are encrypted with one key, and how long
// that key can still open them after.
const ticketLife = 12 * time.Hour

func (a *Authority) ticketKeys() [][32]byte {
	now := a.config.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if age := now.Sub(a.ticked); a.tickets != nil && age >= 0 && age < ticketLife {
		return a.tickets
	}
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil
	}
	next := [][32]byte{key}
	if age := now.Sub(a.ticked); a.tickets != nil && age >= 0 && age < 2*ticketLife {
		next = append(next, a.tickets[0])
	}
	// A new list: the old one is in use by the tunnels that took it.
	a.tickets, a.ticked = next, now
	return next
}
