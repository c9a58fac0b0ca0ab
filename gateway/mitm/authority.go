// Package mitm makes the certificates that the gateway shows to the processes
// it governs.
//
// Each gateway has a root of its own, made on the machine it runs on. The key
// never leaves that machine, and only the governed processes trust the root.
// It signs certificates for servers, for one day, for hosts that somebody is
// connecting to at that moment, and nothing else.
package mitm

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Config is what may differ between gateways. The zero Config is right for
// most.
type Config struct {
	// Name is in the root's subject, for people who look at a list of roots.
	// Empty means the machine's name.
	Name string
	// Life is how long a root is valid; zero means a year. A new root is
	// published when a twelfth of it is left.
	Life time.Duration
	// Cache is how many leaf certificates are kept; zero means 10,000.
	Cache int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Authority is a gateway's root and the certificates signed by it. It is safe
// for use by several goroutines.
type Authority struct {
	dir    string
	config Config
	key    *ecdsa.PrivateKey // of every leaf of this process
	leaves *lru.Cache[string, *leaf]
	roots  atomic.Pointer[[]*root] // the first signs, all are published
	minted atomic.Uint64

	mu      sync.Mutex // over who mints a leaf, and over tickets; never over signing
	tickets [][32]byte
	ticked  time.Time

	change sync.Mutex // over replacing roots
}

// Load opens the authority in dir with the zero Config.
func Load(dir string, now time.Time) (*Authority, error) { return Config{}.Load(dir, now) }

// Load opens the authority in dir, and creates it where there is none. When
// the root nears its end, its successor is made. It fails with fault.Invalid
// when others can read the key.
func (c Config) Load(dir string, now time.Time) (*Authority, error) {
	if c.Life <= 0 {
		c.Life = 365 * 24 * time.Hour
	}
	if c.Cache <= 0 {
		c.Cache = 10_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make leaf key: %w", err)
	}
	leaves, err := lru.New[string, *leaf](c.Cache)
	if err != nil {
		return nil, fmt.Errorf("make leaf cache: %w", err)
	}
	a := &Authority{dir: dir, config: c, key: key, leaves: leaves}
	if _, err := a.Renew(now); err != nil {
		return nil, err
	}
	return a, nil
}

// Renew reads the roots from disk and makes a new one when the newest nears
// its end. A new root is published, and trusted by processes started from then
// on, for a while before it signs. It reports whether what is published
// changed; bundles must then be written anew.
func (a *Authority) Renew(now time.Time) (changed bool, err error) {
	a.change.Lock()
	defer a.change.Unlock()

	stored, err := openRoots(a.keyFile())
	if err != nil {
		return false, err
	}
	alive := living(stored, now)
	if len(alive) == 0 || alive[len(alive)-1].expires().Sub(now) <= a.lead() {
		next, err := newRoot(a.config.Name, now, a.config.Life)
		if err != nil {
			return false, err
		}
		alive = append(alive, next)
		if len(stored) == 0 {
			// Several gateways may start at once: the first one's root counts.
			switch err := createFile(a.keyFile(), encodeRoots(alive)); {
			case errors.Is(err, errExists):
				if alive, err = openRoots(a.keyFile()); err != nil {
					return false, err
				}
			case err != nil:
				return false, err
			}
		} else if err := writeFile(a.keyFile(), encodeRoots(alive), 0o600); err != nil {
			return false, err
		}
	}
	var before []byte
	if a.roots.Load() != nil {
		before = a.CertPEM()
	}
	if err := a.use(signerFirst(alive, now.Add(a.lead()/2))); err != nil {
		return false, err
	}
	return !bytes.Equal(before, a.CertPEM()), nil
}

// Rotate replaces the root at once. Processes that trust only the old one can
// connect no more; those started later trust the new one.
func (a *Authority) Rotate(now time.Time) error {
	a.change.Lock()
	defer a.change.Unlock()

	next, err := newRoot(a.config.Name, now, a.config.Life)
	if err != nil {
		return err
	}
	if err := writeFile(a.keyFile(), encodeRoots([]*root{next}), 0o600); err != nil {
		return err
	}
	if err := a.use([]*root{next}); err != nil {
		return err
	}
	a.mu.Lock()
	a.tickets = nil // a resumed session would not ask who signed
	a.mu.Unlock()
	return nil
}

// use publishes roots and signs with the first.
func (a *Authority) use(roots []*root) error {
	if len(roots) == 0 {
		return errors.New("read authority: no valid root")
	}
	certs := certsPEM(roots)
	if published, err := os.ReadFile(a.CertFile()); err != nil || !bytes.Equal(published, certs) {
		if err := writeFile(a.CertFile(), certs, 0o644); err != nil {
			return err
		}
	}
	a.roots.Store(&roots)
	return nil
}

func (a *Authority) keyFile() string     { return filepath.Join(a.dir, "ca.key") }
func (a *Authority) lead() time.Duration { return a.config.Life / 12 }
func (a *Authority) signer() *root       { return (*a.roots.Load())[0] }

// CertPEM returns the certificates to trust: the root that signs, and its
// successor if there is one.
func (a *Authority) CertPEM() []byte { return certsPEM(*a.roots.Load()) }

// Fingerprint returns the SHA-256 of the signing root as OpenSSL prints it.
func (a *Authority) Fingerprint() string { return a.signer().fingerprint() }

// Expires returns when the signing root ends.
func (a *Authority) Expires() time.Time { return a.signer().expires() }

// Stats is what the authority has done so far.
type Stats struct {
	Minted uint64 // certificates signed since the start
	Cached int    // certificates kept
}

// Stats returns how busy the authority is. Many certificates minted for few
// requests mean that somebody connects to random names.
func (a *Authority) Stats() Stats { return Stats{a.minted.Load(), a.leaves.Len()} }

// Leaf returns a certificate for host, which is a name as netguard.ParseHost
// returns it, or an IP address. Of many who ask at once for the same host one
// has it made and the others wait.
func (a *Authority) Leaf(host string) (*tls.Certificate, error) {
	now, signer := a.config.Now(), a.signer()
	for {
		l, mine := a.claim(host, signer, now)
		if mine {
			a.mint(l, host, now)
		}
		<-l.ready
		if l.err != nil {
			return nil, fmt.Errorf("make certificate for %q: %w", host, l.err)
		}
		if l.fresh(signer, now) {
			return l.cert, nil
		}
	}
}

// claim returns host's leaf from the cache, or a new one that the caller must
// mint.
func (a *Authority) claim(host string, signer *root, now time.Time) (l *leaf, mine bool) {
	if l, ok := a.leaves.Get(host); ok && l.fresh(signer, now) {
		return l, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if l, ok := a.leaves.Get(host); ok && l.fresh(signer, now) {
		return l, false
	}
	l = &leaf{ready: make(chan struct{}), signer: signer}
	a.leaves.Add(host, l)
	return l, true
}

// mint makes l's certificate. What cannot be made is not remembered.
func (a *Authority) mint(l *leaf, host string, now time.Time) {
	l.err = errors.New("interrupted") // stands if signing panics
	defer func() {
		if l.err != nil {
			a.mu.Lock()
			if kept, ok := a.leaves.Peek(host); ok && kept == l {
				a.leaves.Remove(host)
			}
			a.mu.Unlock()
		}
		close(l.ready)
	}()
	l.cert, l.err = l.signer.sign(host, a.key, now)
	if l.err == nil {
		a.minted.Add(1)
	}
}
