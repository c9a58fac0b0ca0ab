package accounts

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// A token is tokenPrefix, 256 random bits and their checksum, all in letters
// and digits, so that scanners find it and can tell it from an accident:
// ^tfc_[0-9A-Za-z]{49}$.
const (
	tokenPrefix = "tfc_"
	tokenBody   = 43 // digits of 256 bits to the base 62
	tokenCheck  = 6  // digits of 32 bits to the base 62
)

func newToken() credential.Secret {
	var b [32]byte
	rand.Read(b[:])
	token := tokenPrefix + base62(new(big.Int).SetBytes(b[:]), tokenBody)
	return credential.NewSecret(token + checksum(token))
}

func checksum(token string) string {
	return base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(token)))), tokenCheck)
}

func base62(n *big.Int, digits int) string {
	text := n.Text(62)
	return strings.Repeat("0", digits-len(text)) + text
}

// looksLikeToken tells without a database what cannot be a token of ours.
func looksLikeToken(token string) bool {
	cut := len(tokenPrefix) + tokenBody
	return len(token) == cut+tokenCheck && strings.HasPrefix(token, tokenPrefix) && token[cut:] == checksum(token[:cut])
}

func (s *Service) tokenFor(userID, teamID, name string, ttl time.Duration) (credential.Secret, team.Token) {
	secret, now := newToken(), s.now()
	if name = clamp(name, 100); name == "" {
		name = "without a name"
	}
	if ttl <= 0 || ttl > tokenLife {
		ttl = tokenLife
	}
	text := secret.Reveal()
	return secret, team.Token{
		ID: newID("tok_"), UserID: userID, TeamID: teamID, Name: name, Hash: hash(text), Hint: text[len(text)-4:],
		CreatedAt: now, ExpiresAt: now.Add(ttl),
	}
}

func tokenEvent(typ string, actor audit.Actor, t team.Token, at time.Time) audit.Event {
	return audit.Event{Time: at, Type: typ, Actor: actor, Target: t.ID, Name: t.Name, Detail: map[string]string{"user": t.UserID, "hint": t.Hint}}
}

// NewToken makes a token for the user in the team, from the server's console.
// It is good for ttl, at most 90 days, which are also meant by 0. The secret is
// shown this once.
func (s *Service) NewToken(ctx context.Context, userID, teamID, name string, ttl time.Duration) (credential.Secret, team.Token, error) {
	if _, err := s.Store.Viewer(ctx, userID, teamID); err != nil {
		return credential.Secret{}, team.Token{}, fmt.Errorf("make token: %w", err)
	}
	secret, t := s.tokenFor(userID, teamID, name, ttl)
	if err := s.Store.InsertToken(ctx, t, tokenEvent("token.created", console(), t, t.CreatedAt)); err != nil {
		return credential.Secret{}, team.Token{}, fmt.Errorf("make token: %w", err)
	}
	return secret, t, nil
}

// NewTokenFor is NewToken for the account with the address.
func (s *Service) NewTokenFor(ctx context.Context, email, name string, ttl time.Duration) (credential.Secret, team.Token, error) {
	address, err := parseEmail(email)
	if err != nil {
		return credential.Secret{}, team.Token{}, err
	}
	u, err := s.Store.UserByEmail(ctx, address)
	if fault.Of(err) == fault.NotFound {
		return credential.Secret{}, team.Token{}, fault.New(fault.NotFound, "There is no account with this address.", err)
	}
	if err != nil {
		return credential.Secret{}, team.Token{}, fmt.Errorf("make token: %w", err)
	}
	v, err := s.firstViewer(ctx, u.ID)
	if err != nil {
		return credential.Secret{}, team.Token{}, fmt.Errorf("make token: %w", err)
	}
	return s.NewToken(ctx, u.ID, v.Team.ID, name, ttl)
}

// TokenViewer returns whose token it is. It fails with fault.Unauthenticated
// where it is not one of ours, over, or revoked.
func (s *Service) TokenViewer(ctx context.Context, token, ip string) (team.Viewer, error) {
	refuse := func(message string) (team.Viewer, error) {
		return team.Viewer{}, fault.New(fault.Unauthenticated, message, nil)
	}
	if !looksLikeToken(token) {
		return refuse("This is not a TameFlare token. Run tameflare login.")
	}
	t, err := s.Store.TokenByHash(ctx, hash(token))
	if fault.Of(err) == fault.NotFound {
		return refuse("This token is not one of this server's. Run tameflare login.")
	}
	if err != nil {
		return team.Viewer{}, fmt.Errorf("look up token: %w", err)
	}
	now := s.now()
	switch {
	case !t.RevokedAt.IsZero():
		return refuse("This token has been revoked. Run tameflare login.")
	case !now.Before(t.ExpiresAt):
		return refuse("This token has expired. Run tameflare login.")
	}
	v, err := s.Store.Viewer(ctx, t.UserID, t.TeamID)
	if err != nil {
		return team.Viewer{}, fmt.Errorf("look up token: %w", err)
	}
	if now.Sub(t.LastUsedAt) >= touchEvery {
		if err := s.Store.TouchToken(ctx, t.ID, now); err != nil {
			return team.Viewer{}, fmt.Errorf("look up token: %w", err)
		}
	}
	v.Auth, v.By, v.IP = "token", t.ID, clamp(ip, 60)
	return v, nil
}

// Tokens returns the viewer's own tokens that have not been revoked.
func (s *Service) Tokens(ctx context.Context, v team.Viewer) ([]team.Token, error) {
	ts, err := s.Store.Tokens(ctx, v.Team.ID, v.User.ID)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return ts, nil
}

// RevokeToken ends one of the viewer's tokens, or anybody's in the team for
// who may command. It counts from the next request. It fails with
// fault.NotFound where there is none such for them.
func (s *Service) RevokeToken(ctx context.Context, v team.Viewer, id string) error {
	none := fault.New(fault.NotFound, "There is no such token, or it has been revoked.", nil)
	t, err := s.Store.Token(ctx, v.Team.ID, id)
	switch {
	case fault.Of(err) == fault.NotFound:
		return none
	case err != nil:
		return fmt.Errorf("revoke token: %w", err)
	case t.UserID != v.User.ID && !v.May(team.Command):
		return none
	}
	now := s.now()
	e := tokenEvent("token.revoked", v.Actor(), t, now)
	if v.By == id { // signing out a command line leaves the browsers alone
		err = s.Store.RevokeToken(ctx, v.Team.ID, id, now, e)
	} else {
		err = s.Store.RevokeTokenAndSessions(ctx, v.Team.ID, id, t.UserID, v.By, now, e)
	}
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}
