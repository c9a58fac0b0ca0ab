package link

import (
	"context"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

// certificate is what the gateway shows.
type certificate struct{ leaf *x509.Certificate }

// due is when to ask for the next one: after two thirds of its life, and not
// at the same time as the other gateways.
func (c certificate) due() time.Time {
	life := c.leaf.NotAfter.Sub(c.leaf.NotBefore)
	return c.leaf.NotBefore.Add(life*2/3 + rand.N(life/20+1)) //nolint:gosec // it spreads the load, and guards nothing
}

// use makes the certificate in b, as clientFile holds it, the one to show. It
// takes a new connection: the old one stays what it was verified as.
func (l *Link) use(b []byte) error {
	cert, err := parseClient(b)
	if err != nil {
		return err
	}
	l.cert.Store(&certificate{cert.Leaf})
	if old := l.client.Swap(newClient(l.Identity, cert, l.version)); old != nil {
		old.close() // what is under way on it ends by itself
	}
	return nil
}

const expired = "This gateway's certificate has expired. Enrol it again: run tameflare gateway up"

// usable fails where there is no point in asking the server.
func (l *Link) usable() error {
	if time.Now().After(l.cert.Load().leaf.NotAfter) {
		l.Current.Lapse()
		l.again(expired)
		return fault.New(fault.Unavailable, expired, nil)
	}
	return nil
}

// renew keeps the certificate fresh until ctx ends.
func (l *Link) renew(ctx context.Context) error {
	retry := backoff{first: time.Second, longest: 5 * time.Minute}
	due := l.cert.Load().due()
	for {
		if !pause(ctx, max(time.Until(due), 0)) {
			return nil
		}
		if err := l.usable(); err != nil {
			pause(ctx, refusedPause)
			continue
		}
		if err := l.renewOnce(ctx); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the end, and not a failure
			}
			l.Log.Warn("the certificate could not be renewed", "until", l.cert.Load().leaf.NotAfter, "error", err)
			retry.wait(ctx)
			continue
		}
		retry.reset()
		due = l.cert.Load().due()
	}
}

func (l *Link) renewOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	key, csr, err := newClientKey()
	if err != nil {
		return err
	}
	answer, err := call[wire.RenewAnswer](ctx, l.client.Load(), http.MethodPost, "/v1/renew", wire.RenewRequest{CSR: string(csr)})
	if err != nil {
		return err
	}
	b, err := encodeClient(key, answer.Chain)
	if err != nil {
		return err
	}
	if err := checkChain(b, l.Identity); err != nil {
		return err
	}
	if err := l.dir.Write(clientFile, b); err != nil {
		return fmt.Errorf("keep certificate: %w", err)
	}
	if err := l.use(b); err != nil {
		return err
	}
	l.Log.Info("certificate renewed", "until", l.cert.Load().leaf.NotAfter)
	return nil
}
