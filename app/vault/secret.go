package vault

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tameflare/tameflare/domain/credential"
)

// Place is what a sealed secret, or a sealed text, belongs to. It opens
// nowhere else.
type Place struct {
	TeamID  string
	Kind    string // "integration", "approval body"
	ID      string
	Version int64
}

func (p Place) binding() []byte {
	return associated("tameflare/vault/place/1", p.TeamID, p.Kind, p.ID, strconv.FormatInt(p.Version, 10))
}

// SealAt seals plain under the team's data key, bound to its place.
func (s *Service) SealAt(ctx context.Context, at Place, plain credential.Secret) ([]byte, error) {
	aead, _, err := s.cipher(ctx, at.TeamID)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", at.Kind, err)
	}
	return aead.Seal(nil, nil, []byte(plain.Reveal()), at.binding()), nil //nolint:gosec // the mode makes its own random nonce
}

// OpenAt opens what SealAt sealed for the same place. It fails where anything of
// the place, or of what is sealed, was changed.
func (s *Service) OpenAt(ctx context.Context, at Place, sealed []byte) (credential.Secret, error) {
	aead, _, err := s.cipher(ctx, at.TeamID)
	if err != nil {
		return credential.Secret{}, fmt.Errorf("open %s: %w", at.Kind, err)
	}
	plain, err := aead.Open(nil, nil, sealed, at.binding())
	if err != nil {
		return credential.Secret{}, fmt.Errorf("open %s: %w", at.Kind, errChanged)
	}
	return credential.NewSecret(string(plain)), nil
}
