// Package vault keeps the credentials that agents must not see.
//
// Secrets go in and never come out again to a person. A team's data key seals
// them, and the master key, which is not in the database, wraps the data key:
// a stolen database or backup holds nothing that opens.
package vault

import (
	"context"
	"crypto/cipher"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// Store is what a vault keeps its rows in.
type Store interface {
	Teams
	Credentials
}

// Teams knows the teams' wrapped data keys.
type Teams interface {
	Team(ctx context.Context, id string) (team.Team, error)
}

// Credentials keeps credentials, sealed. Each change raises the team's
// revision, so that its gateways hear of it.
type Credentials interface {
	Credentials(ctx context.Context, teamID string) ([]fleet.Credential, error)
	Credential(ctx context.Context, teamID, id string) (fleet.Credential, error)
	CredentialByName(ctx context.Context, teamID, name string) (fleet.Credential, error)
	InsertCredential(ctx context.Context, c fleet.Credential, e audit.Event) error
	RotateCredential(ctx context.Context, c fleet.Credential, e audit.Event) error
	DeleteCredential(ctx context.Context, teamID, id string, e audit.Event) error

	DueCredentials(ctx context.Context, now time.Time, limit int64) ([]fleet.Credential, error)
	HoldCredential(ctx context.Context, c fleet.Credential, holder string, now, until time.Time) error
	SettleRefresh(ctx context.Context, c fleet.Credential, was int64, holder string, e audit.Event, tell bool) error
}

// Tokens asks token endpoints. It fails with fault.Invalid and a
// *credential.Refusal in the chain where the answer is no.
type Tokens interface {
	Token(ctx context.Context, o credential.OAuth, clientSecret, refresh credential.Secret) (credential.AccessToken, error)
}

// Service is the vault. Its methods that change something need a viewer who
// may manage, and fail with fault.Forbidden for anybody else.
type Service struct {
	Store   Store
	Master  Master
	Tokens  Tokens                                   // nil: there are no OAuth credentials
	Changed func(ctx context.Context, teamID string) // tells the gateways' polls; nil tells nobody
	Now     func() time.Time
	Log     *slog.Logger // of the refresher; nil for nobody
}

const maxSecret = 64 << 10

// List returns the team's credentials by name, without what is sealed.
func (s *Service) List(ctx context.Context, teamID string) ([]fleet.Credential, error) {
	cs, err := s.Store.Credentials(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("list credentials: %w", err)
	}
	for i := range cs {
		cs[i] = withoutSealed(cs[i])
	}
	return cs, nil
}

// ByName returns a credential without what is sealed. It fails with
// fault.NotFound where the team has none of that name.
func (s *Service) ByName(ctx context.Context, teamID, name string) (fleet.Credential, error) {
	c, err := s.Store.CredentialByName(ctx, teamID, name)
	return withoutSealed(c), named(err)
}

// Delete removes a credential. It fails with fault.Conflict while a connector
// uses it.
func (s *Service) Delete(ctx context.Context, v team.Viewer, id string) error {
	if err := manages(v); err != nil {
		return err
	}
	c, err := s.Store.Credential(ctx, v.Team.ID, id)
	if err != nil {
		return named(err)
	}
	if err := s.Store.DeleteCredential(ctx, v.Team.ID, id, s.event(v.Actor(), "credential.deleted", c)); err != nil {
		return fmt.Errorf("delete credential: %w", err)
	}
	s.changed(ctx, v.Team.ID)
	return nil
}

// Reveal opens a credential: what requests carry, which for an OAuth credential
// is its access token and never what that was got with. Its one caller seals
// the secret to a gateway again. It fails where the record, or what it is bound
// to, was changed by anybody but this service, and with fault.Unavailable where
// the access token has run out.
func (s *Service) Reveal(ctx context.Context, teamID, id string) (credential.Secret, fleet.Credential, error) {
	c, err := s.Store.Credential(ctx, teamID, id)
	if err != nil {
		return credential.Secret{}, fleet.Credential{}, named(err)
	}
	secret, err := s.reveal(ctx, c)
	if err != nil {
		return credential.Secret{}, fleet.Credential{}, fmt.Errorf("reveal credential %s: %w", id, err)
	}
	return secret, withoutSealed(c), nil
}

func (s *Service) reveal(ctx context.Context, c fleet.Credential) (credential.Secret, error) {
	if c.OAuth.Grant != credential.Static && !c.Refresh.Live(s.Now()) {
		return credential.Secret{}, fault.New(fault.Unavailable, "The access token of "+c.Name+" has expired.", nil)
	}
	plain, err := s.open(ctx, c)
	if err != nil {
		return credential.Secret{}, err
	}
	if c.OAuth.Grant == credential.Static {
		return credential.NewSecret(string(plain)), nil
	}
	k, err := parseKeys(plain)
	return k.access, err
}

func manages(v team.Viewer) error {
	if !v.May(team.Manage) {
		return fault.New(fault.Forbidden, "Only owners and admins change credentials.", nil)
	}
	return nil
}

func named(err error) error {
	switch {
	case err == nil:
		return nil
	case fault.Of(err) == fault.NotFound:
		return fault.New(fault.NotFound, "There is no such credential.", err)
	}
	return fmt.Errorf("look up credential: %w", err)
}

func withoutSealed(c fleet.Credential) fleet.Credential {
	c.Sealed = nil
	return c
}

// cipher returns what seals a team's secrets, and the key behind it.
func (s *Service) cipher(ctx context.Context, teamID string) (cipher.AEAD, []byte, error) {
	t, err := s.Store.Team(ctx, teamID)
	if err != nil {
		return nil, nil, err
	}
	key, err := s.Master.teamKey(t.ID, t.DataKey)
	if err != nil {
		return nil, nil, err
	}
	aead, err := newAEAD(key)
	return aead, key, err
}

func (s *Service) seal(ctx context.Context, c fleet.Credential, plain []byte) ([]byte, error) {
	aead, _, err := s.cipher(ctx, c.TeamID)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, binding(c)), nil //nolint:gosec // the mode makes its own random nonce
}

func (s *Service) open(ctx context.Context, c fleet.Credential) ([]byte, error) {
	aead, _, err := s.cipher(ctx, c.TeamID)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, c.Sealed, binding(c))
	if err != nil {
		return nil, errChanged
	}
	return plain, nil
}

func (s *Service) event(a audit.Actor, typ string, c fleet.Credential) audit.Event {
	e := audit.Event{
		Time: s.Now(), Type: typ, Actor: a, Target: c.ID, Name: c.Name,
		Detail: map[string]string{"type": c.Type, "version": strconv.FormatInt(c.Version, 10), "hosts": strings.Join(c.Hosts, " ")},
	}
	if c.OAuth.Grant != credential.Static {
		e.Detail["grant"], e.Detail["token_endpoint"], e.Detail["scope"] = string(c.OAuth.Grant), c.OAuth.TokenURL, c.OAuth.Scope
		e.Detail["problem"] = c.Refresh.Problem
	}
	return e
}

func (s *Service) changed(ctx context.Context, teamID string) {
	if s.Changed != nil {
		s.Changed(ctx, teamID)
	}
}

// checkSecret refuses what cannot be sent in a header or an address. A line
// break, most of all, could smuggle a header of its own.
func checkSecret(what string, secret credential.Secret) error {
	s := secret.Reveal()
	switch {
	case s == "":
		return fault.New(fault.Invalid, "The "+what+" is empty.", nil)
	case len(s) > maxSecret:
		return fault.New(fault.Invalid, "The "+what+" is longer than 64 kB.", nil)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return fault.New(fault.Invalid, "The "+what+" has a line break or another control character in it. Paste it again without.", nil)
	case strings.TrimSpace(s) != s:
		return fault.New(fault.Invalid, "The "+what+" begins or ends with a space. Paste it again without.", nil)
	}
	return nil
}

// cleanHosts brings hosts into one order and spelling, since they are sealed
// with the secret.
func cleanHosts(hosts []string) ([]string, error) {
	out := make([]string, 0, len(hosts))
	for _, h := range hosts {
		h = strings.ToLower(strings.TrimSpace(h))
		if h == "" {
			continue
		}
		if len(h) > 253 || strings.ContainsFunc(h, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_:*[]", r))
		}) {
			return nil, fault.New(fault.Invalid, "A host is written like api.example.com, without https:// and without a path.", nil)
		}
		out = append(out, h)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
