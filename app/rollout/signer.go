package rollout

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/app/identity"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

const keyName = "snapshot"

// Keys keeps the key that snapshots are signed with, sealed, beside the
// authority's.
type Keys interface {
	LoadKey(ctx context.Context, name string) (identity.Key, error)
	InsertKey(ctx context.Context, key identity.Key) error
}

// Signer signs what gateways act on. Gateways learn its public half when they
// are enrolled.
type Signer struct{ key ed25519.PrivateKey }

// OpenSigner loads the key, making it first where there is none. Several
// servers that start at once end up with the same.
func OpenSigner(ctx context.Context, keys Keys, seal identity.Sealer) (*Signer, error) {
	row, err := keys.LoadKey(ctx, keyName)
	if fault.Of(err) == fault.NotFound {
		if err = create(ctx, keys, seal); err == nil {
			row, err = keys.LoadKey(ctx, keyName) // which may be another server's
		}
	}
	if err != nil {
		return nil, fmt.Errorf("load snapshot key: %w", err)
	}
	seed, err := seal.Open(row.Sealed, associated(row.Public))
	if err != nil {
		return nil, fmt.Errorf("open snapshot key (is the master key the one it was sealed with?): %w", err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("snapshot key is damaged")
	}
	return &Signer{ed25519.NewKeyFromSeed(seed)}, nil
}

func create(ctx context.Context, keys Keys, seal identity.Sealer) error {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make snapshot key: %w", err)
	}
	sealed, err := seal.Seal(key.Seed(), associated(public))
	if err != nil {
		return fmt.Errorf("seal snapshot key: %w", err)
	}
	return keys.InsertKey(ctx, identity.Key{Name: keyName, Sealed: sealed, Public: public, CreatedAt: time.Now().UTC()})
}

// associated binds the sealed key to what it is for and to its public half.
func associated(public []byte) []byte {
	sum := sha256.Sum256(public)
	return append([]byte("tameflare/policies/1\x00"+keyName+"\x00"), sum[:]...)
}

// Public returns the key that signatures are verified with.
func (s *Signer) Public() []byte {
	public, _ := s.key.Public().(ed25519.PublicKey)
	return public
}

// sign signs v's JSON for one of the contexts of package wire.
func (s *Signer) sign(purpose string, v any) (*wire.Signed, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return &wire.Signed{Payload: payload, Signature: ed25519.Sign(s.key, append([]byte(purpose), payload...))}, nil
}
