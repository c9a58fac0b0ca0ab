// Package vault keeps the credentials that agents must not see.
//
// Secrets go in and never come out again to a person. A team's data key seals
// them, and the master key, which is not in the database, wraps the data key:
// a stolen database or backup holds nothing that opens.
package vault

import (
	"context"
	"crypto/rand"
	"fmt"
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
}

// Service is the vault. Its methods that change something need a viewer who
// may manage, and fail with fault.Forbidden for anybody else.
type Service struct {
	Store   Store
	Master  Master
	Changed func(ctx context.Context, teamID string) // tells the gateways' polls; nil tells nobody
	Now     func() time.Time
}

const maxSecret = 64 << 10

// Put adds a credential, or makes the next version of the one of that name. It
// fails with fault.Invalid where an argument makes no sense, and with
// fault.Conflict where somebody else changed the same credential meanwhile, or
// where the name belongs to a credential of another type.
func (s *Service) Put(ctx context.Context, v team.Viewer, name, typ string, hosts []string, secret credential.Secret) (fleet.Credential, error) {
	if err := manages(v); err != nil {
		return fleet.Credential{}, err
	}
	if err := fleet.CheckName(name); err != nil {
		return fleet.Credential{}, err
	}
	if err := checkSecret(secret); err != nil {
		return fleet.Credential{}, err
	}
	hosts, err := cleanHosts(hosts)
	if err != nil {
		return fleet.Credential{}, err
	}
	now := audit.Time(s.Now())
	c, err := s.Store.CredentialByName(ctx, v.Team.ID, name)
	fresh := fault.Of(err) == fault.NotFound
	switch {
	case fresh:
		c = fleet.Credential{ID: "cred_" + strings.ToLower(rand.Text()), TeamID: v.Team.ID, Name: name, Type: typ, CreatedAt: now}
	case err != nil:
		return fleet.Credential{}, fmt.Errorf("put credential: %w", err)
	case c.Type != typ:
		return fleet.Credential{}, fault.New(fault.Conflict, "There is a credential of this name for "+c.Type+". Choose another name.", nil)
	}
	c.Version++
	c.Hosts, c.RotatedAt = hosts, now
	if c.Sealed, c.Fingerprint, err = s.seal(ctx, c, secret); err != nil {
		return fleet.Credential{}, fmt.Errorf("put credential: %w", err)
	}
	if fresh {
		err = s.Store.InsertCredential(ctx, c, s.event(v, "credential.created", c))
	} else {
		err = s.Store.RotateCredential(ctx, c, s.event(v, "credential.rotated", c))
	}
	if err != nil {
		return fleet.Credential{}, fmt.Errorf("put credential: %w", err)
	}
	s.changed(ctx, v.Team.ID)
	return withoutSealed(c), nil
}

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
	if err := s.Store.DeleteCredential(ctx, v.Team.ID, id, s.event(v, "credential.deleted", c)); err != nil {
		return fmt.Errorf("delete credential: %w", err)
	}
	s.changed(ctx, v.Team.ID)
	return nil
}

// Reveal opens a credential. Its one caller seals the secret to a gateway
// again. It fails where the record, or what it is bound to, was changed by
// anybody but this service.
func (s *Service) Reveal(ctx context.Context, teamID, id string) (credential.Secret, fleet.Credential, error) {
	c, err := s.Store.Credential(ctx, teamID, id)
	if err != nil {
		return credential.Secret{}, fleet.Credential{}, named(err)
	}
	t, err := s.Store.Team(ctx, teamID)
	if err != nil {
		return credential.Secret{}, fleet.Credential{}, fmt.Errorf("reveal credential: %w", err)
	}
	secret, err := s.open(t, c)
	if err != nil {
		return credential.Secret{}, fleet.Credential{}, fmt.Errorf("reveal credential %s: %w", id, err)
	}
	return secret, withoutSealed(c), nil
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

func (s *Service) seal(ctx context.Context, c fleet.Credential, secret credential.Secret) (sealed []byte, print string, err error) {
	t, err := s.Store.Team(ctx, c.TeamID)
	if err != nil {
		return nil, "", err
	}
	key, err := s.Master.teamKey(t.ID, t.DataKey)
	if err != nil {
		return nil, "", err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, "", err
	}
	return aead.Seal(nil, nil, []byte(secret.Reveal()), binding(c)), fingerprint(key, secret.Reveal()), nil //nolint:gosec // the mode makes its own random nonce
}

func (s *Service) open(t team.Team, c fleet.Credential) (credential.Secret, error) {
	key, err := s.Master.teamKey(t.ID, t.DataKey)
	if err != nil {
		return credential.Secret{}, err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return credential.Secret{}, err
	}
	plain, err := aead.Open(nil, nil, c.Sealed, binding(c))
	if err != nil {
		return credential.Secret{}, errChanged
	}
	return credential.NewSecret(string(plain)), nil
}

func (s *Service) event(v team.Viewer, typ string, c fleet.Credential) audit.Event {
	return audit.Event{
		Time: s.Now(), Type: typ, Actor: v.Actor(), Target: c.ID, Name: c.Name,
		Detail: map[string]string{"type": c.Type, "version": strconv.FormatInt(c.Version, 10), "hosts": strings.Join(c.Hosts, " ")},
	}
}

func (s *Service) changed(ctx context.Context, teamID string) {
	if s.Changed != nil {
		s.Changed(ctx, teamID)
	}
}

// checkSecret refuses what cannot be sent in a header or an address. A line
// break, most of all, could smuggle a header of its own.
func checkSecret(secret credential.Secret) error {
	s := secret.Reveal()
	switch {
	case s == "":
		return fault.New(fault.Invalid, "The secret is empty.", nil)
	case len(s) > maxSecret:
		return fault.New(fault.Invalid, "The secret is longer than 64 kB.", nil)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return fault.New(fault.Invalid, "The secret has a line break or another control character in it. Paste it again without.", nil)
	case strings.TrimSpace(s) != s:
		return fault.New(fault.Invalid, "The secret begins or ends with a space. Paste it again without.", nil)
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
