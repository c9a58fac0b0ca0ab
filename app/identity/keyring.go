package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

// keyring keeps the authority's private keys, sealed, in the store. Restarts
// and other servers find the same ones: a token handed out by one server is
// good at all of them.
type keyring struct {
	store  Keys
	sealer Sealer
}

// certify makes the public half that is kept beside a new key.
type certify func(key *ecdsa.PrivateKey) (public []byte, err error)

// load opens the named key. It fails with fault.NotFound where there is none.
func (k keyring) load(ctx context.Context, name string) (public []byte, key *ecdsa.PrivateKey, err error) {
	row, err := k.store.LoadKey(ctx, name)
	if err != nil {
		return nil, nil, fmt.Errorf("load key %s: %w", name, err)
	}
	der, err := k.sealer.Open(row.Sealed, associated(name, row.Public))
	if err != nil {
		return nil, nil, fmt.Errorf("open key %s (is the master key the one it was sealed with?): %w", name, err)
	}
	// The parsers' errors are not passed on: they may quote what they read.
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, nil, fmt.Errorf("key %s is damaged", name)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("key %s is of type %T", name, parsed)
	}
	return row.Public, key, nil
}

// loadOrCreate opens the named key, making it first where there is none.
func (k keyring) loadOrCreate(ctx context.Context, name string, certify certify) ([]byte, *ecdsa.PrivateKey, error) {
	public, key, err := k.load(ctx, name)
	if fault.Of(err) != fault.NotFound {
		return public, key, err
	}
	if err := k.create(ctx, name, certify); err != nil {
		return nil, nil, fmt.Errorf("make key %s: %w", name, err)
	}
	// What counts is what the store holds now: another server may have been
	// faster, and then our key has never been.
	return k.load(ctx, name)
}

func (k keyring) create(ctx context.Context, name string, certify certify) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := certify(key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	sealed, err := k.sealer.Seal(der, associated(name, public))
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return k.store.InsertKey(ctx, Key{Name: name, Sealed: sealed, Public: public, CreatedAt: time.Now().UTC()})
}

// associated binds a sealed key to its name and its public half. Somebody who
// can write to the database but has no master key can therefore neither swap
// two keys nor put a root of their own in the place of ours.
func associated(name string, public []byte) []byte {
	sum := sha256.Sum256(public)
	return append([]byte("tameflare/identity/1\x00"+name+"\x00"), sum[:]...)
}
