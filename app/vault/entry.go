package vault

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// Entry is what somebody puts into the vault.
type Entry struct {
	Name, Type string
	Hosts      []string
	Secret     credential.Secret // of a static credential

	OAuth        credential.OAuth
	ClientSecret credential.Secret // empty for a public client
	RefreshToken credential.Secret // for the grant that is that
}

// Draft is an entry that has been checked, and is neither sealed nor stored.
type Draft struct {
	Credential fleet.Credential // its next version, or the first
	New        bool

	entry  Entry
	actor  audit.Actor
	before time.Time // when somebody last changed it
}

// Put adds a credential, or makes the next version of the one of that name. It
// fails with fault.Invalid where an argument makes no sense, and with
// fault.Conflict where somebody else changed the same credential meanwhile, or
// where the name belongs to a credential of another type.
func (s *Service) Put(ctx context.Context, v team.Viewer, name, typ string, hosts []string, secret credential.Secret) (fleet.Credential, error) {
	return s.PutEntry(ctx, v, Entry{Name: name, Type: typ, Hosts: hosts, Secret: secret})
}

// PutEntry is Put for every kind of credential. One of OAuth gets its first
// access token before anything is stored: where the token endpoint refuses,
// the error says so and the vault is as it was.
func (s *Service) PutEntry(ctx context.Context, v team.Viewer, e Entry) (fleet.Credential, error) {
	d, err := s.Draft(ctx, v, e)
	if err != nil {
		return fleet.Credential{}, err
	}
	// From here on nobody's impatience counts: an answer that gets lost may
	// have used up the refresh token.
	ctx = context.WithoutCancel(ctx)
	token, err := s.Ask(ctx, d)
	if err != nil {
		return fleet.Credential{}, err
	}
	c, err := s.save(ctx, d, token)
	for range 3 {
		if fault.Of(err) != fault.Conflict || d.New || d.entry.OAuth.Grant == credential.Static {
			break
		}
		next, derr := s.Draft(ctx, v, e)
		if derr != nil || !next.follows(d) {
			break
		}
		d = next // a refresher came between; what was asked for is still good
		c, err = s.save(ctx, d, token)
	}
	if err != nil {
		return fleet.Credential{}, err
	}
	s.changed(ctx, v.Team.ID)
	return withoutSealed(c), nil
}

// follows reports whether between o and d there was nothing but refreshes.
func (d Draft) follows(o Draft) bool {
	return !d.New && d.Credential.ID == o.Credential.ID && d.Credential.Version > o.Credential.Version && d.before.Equal(o.before)
}

// Draft checks an entry against itself and the vault. It asks nobody and
// changes nothing. It fails as Put does.
func (s *Service) Draft(ctx context.Context, v team.Viewer, e Entry) (Draft, error) {
	if err := manages(v); err != nil {
		return Draft{}, err
	}
	if err := fleet.CheckName(e.Name); err != nil {
		return Draft{}, err
	}
	if err := e.clean(); err != nil {
		return Draft{}, err
	}
	hosts, err := cleanHosts(e.Hosts)
	if err != nil {
		return Draft{}, err
	}
	now := audit.Time(s.Now())
	c, err := s.Store.CredentialByName(ctx, v.Team.ID, e.Name)
	d := Draft{New: fault.Of(err) == fault.NotFound, entry: e, actor: v.Actor(), before: c.RotatedAt}
	switch {
	case d.New:
		c = fleet.Credential{ID: "cred_" + strings.ToLower(rand.Text()), TeamID: v.Team.ID, Name: e.Name, Type: e.Type, CreatedAt: now}
	case err != nil:
		return Draft{}, fmt.Errorf("put credential: %w", err)
	case c.Type != e.Type:
		return Draft{}, fault.New(fault.Conflict, "There is a credential of this name for "+c.Type+". Choose another name.", nil)
	}
	_, key, err := s.cipher(ctx, v.Team.ID)
	if err != nil {
		return Draft{}, fmt.Errorf("put credential: %w", err)
	}
	c.Version++
	c.Hosts, c.RotatedAt, c.OAuth, c.Refresh = hosts, now, e.OAuth, fleet.Refresh{}
	c.Sealed, c.Fingerprint = nil, fingerprint(key, e.print())
	d.Credential = c
	return d, nil
}

// clean checks the secrets and settings of e, and brings them into the
// spelling in which they are stored.
func (e *Entry) clean() error {
	if e.OAuth.Grant == credential.Static {
		return checkSecret("secret", e.Secret)
	}
	var err error
	if e.OAuth, err = e.OAuth.Clean(); err != nil {
		return err
	}
	switch {
	case e.OAuth.Grant == credential.ClientCredentials && e.ClientSecret.Empty():
		return fault.New(fault.Invalid, "The client secret is missing: with client credentials it is all that there is.", nil)
	case e.OAuth.Grant == credential.RefreshToken && e.RefreshToken.Empty():
		return fault.New(fault.Invalid, "The refresh token is missing.", nil)
	}
	if e.OAuth.Grant != credential.RefreshToken {
		e.RefreshToken = credential.Secret{}
	}
	for what, secret := range map[string]credential.Secret{"client secret": e.ClientSecret, "refresh token": e.RefreshToken} {
		if secret.Empty() {
			continue
		}
		if err := checkSecret(what, secret); err != nil {
			return err
		}
	}
	return nil
}

// print is what a fingerprint is made of: what somebody put in. Refreshes do
// not change it, so that the same entry is known again.
func (e Entry) print() string {
	if e.OAuth.Grant == credential.Static {
		return e.Secret.Reveal()
	}
	return string(associated("oauth", e.ClientSecret.Reveal(), e.RefreshToken.Reveal()))
}

// Ask gets the first access token of an OAuth credential; for a static one
// there is nothing to ask. It fails as Tokens does.
func (s *Service) Ask(ctx context.Context, d Draft) (credential.AccessToken, error) {
	e := d.entry
	if e.OAuth.Grant == credential.Static {
		return credential.AccessToken{}, nil
	}
	if s.Tokens == nil {
		return credential.AccessToken{}, fault.New(fault.Unavailable, "This server takes no OAuth credentials.", nil)
	}
	token, err := s.Tokens.Token(ctx, e.OAuth, e.ClientSecret, e.RefreshToken)
	if err != nil {
		return credential.AccessToken{}, fmt.Errorf("first token: %w", err)
	}
	return token, nil
}

// Seal makes what is stored of a draft and what was asked for it, and the
// event about that.
func (s *Service) Seal(ctx context.Context, d Draft, token credential.AccessToken) (fleet.Credential, audit.Event, error) {
	c, plain := d.Credential, []byte(d.entry.Secret.Reveal())
	if c.OAuth.Grant != credential.Static {
		c.Refresh = s.renewed(token)
		plain = keys{client: d.entry.ClientSecret, refresh: d.entry.RefreshToken}.with(token, d.entry.RefreshToken).bytes()
	}
	var err error
	if c.Sealed, err = s.seal(ctx, c, plain); err != nil {
		return fleet.Credential{}, audit.Event{}, fmt.Errorf("put credential: %w", err)
	}
	typ := "credential.rotated"
	if d.New {
		typ = "credential.created"
	}
	return c, s.event(d.actor, typ, c), nil
}

func (s *Service) save(ctx context.Context, d Draft, token credential.AccessToken) (fleet.Credential, error) {
	c, e, err := s.Seal(ctx, d, token)
	if err != nil {
		return fleet.Credential{}, err
	}
	if d.New {
		err = s.Store.InsertCredential(ctx, c, e)
	} else {
		err = s.Store.RotateCredential(ctx, c, e)
	}
	if err != nil {
		return fleet.Credential{}, fmt.Errorf("put credential: %w", err)
	}
	return c, nil
}
