// Package integrations keeps where a team is told what happens, and from where
// it answers.
//
// What the kinds of integrations do is their own rooms' business; here they are
// made, changed and deleted, their secrets sealed, and it is known how they do.
// Secrets go in and are used. They never come back to a page.
package integrations

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/team"
)

const (
	most        = 50 // integrations of a team
	maxName     = 60
	maxSettings = 16 << 10
	maxSecrets  = 16 << 10
)

// Store keeps integrations.
type Store interface {
	Integrations(ctx context.Context, teamID string) ([]integration.Integration, error)
	Integration(ctx context.Context, id string) (integration.Integration, error)
	Changes
	Health
}

// Changes writes integrations.
type Changes interface {
	InsertIntegration(ctx context.Context, i integration.Integration, most int, e audit.Event) error
	UpdateIntegration(ctx context.Context, i integration.Integration, e audit.Event) error
	DisableIntegration(ctx context.Context, i integration.Integration, problem string, e audit.Event) error
	DeleteIntegration(ctx context.Context, teamID, id string, e audit.Event) error
}

// Health writes how integrations do.
type Health interface {
	IntegrationDid(ctx context.Context, id string, at time.Time, problem string) error
	IntegrationRefused(ctx context.Context, i integration.Integration, e audit.Event) error
}

// Vault seals secrets.
type Vault interface {
	SealAt(ctx context.Context, at vault.Place, plain credential.Secret) ([]byte, error)
	OpenAt(ctx context.Context, at vault.Place, sealed []byte) (credential.Secret, error)
}

// Service keeps integrations.
type Service struct {
	Store Store
	Vault Vault
	Now   func() time.Time
	Log   *slog.Logger

	refusals throttle
}

func none() error { return fault.New(fault.NotFound, "There is no such integration.", nil) }

// List returns the team's integrations, by kind and name.
func (s *Service) List(ctx context.Context, teamID string) ([]integration.Integration, error) {
	is, err := s.Store.Integrations(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("list integrations: %w", err)
	}
	return is, nil
}

// Find returns one of the team's integrations. It fails with fault.NotFound.
func (s *Service) Find(ctx context.Context, teamID, id string) (integration.Integration, error) {
	i, err := s.ByID(ctx, id)
	if err == nil && i.TeamID != teamID {
		return integration.Integration{}, none()
	}
	return i, err
}

// ByID returns an integration, whoever's it is: for those who have to show
// that they know its secret. It fails with fault.NotFound.
func (s *Service) ByID(ctx context.Context, id string) (integration.Integration, error) {
	i, err := s.Store.Integration(ctx, audit.Plain(id, 100))
	if err != nil {
		return integration.Integration{}, fmt.Errorf("find integration: %w", err)
	}
	return i, nil
}

// Save adds i, where it has no ID, or makes the next version of the one that
// was read as i.Version. Secrets are JSON; empty ones keep those that there
// are. It fails with fault.Forbidden where v may not, with fault.Invalid where
// i cannot be kept, and with fault.Conflict where the name is taken or
// somebody else was faster.
func (s *Service) Save(ctx context.Context, v team.Viewer, i integration.Integration, secrets credential.Secret) (integration.Integration, error) {
	if err := manages(v); err != nil {
		return integration.Integration{}, err
	}
	i.Name = strings.TrimSpace(i.Name)
	if err := check(i, secrets); err != nil {
		return integration.Integration{}, err
	}
	now := audit.Time(s.Now())
	var was integration.Integration
	fresh := i.ID == ""
	if fresh {
		i.ID, i.TeamID, i.Version = "int_"+strings.ToLower(rand.Text()), v.Team.ID, 1
		i.CreatedBy, i.CreatedAt = v.User.ID, now
	} else {
		var err error
		if was, err = s.Find(ctx, v.Team.ID, i.ID); err != nil {
			return integration.Integration{}, err
		}
		// What it is, whose, and how it does, no change changes.
		i.TeamID, i.Kind, i.CreatedBy, i.CreatedAt, i.Version = was.TeamID, was.Kind, was.CreatedBy, was.CreatedAt, i.Version+1
		i.Refused, i.LastOKAt, i.LastErrorAt, i.LastError = was.Refused, was.LastOKAt, was.LastErrorAt, was.LastError
		if secrets.Empty() && was.Sealed != nil {
			if secrets, err = s.Secrets(ctx, was); err != nil {
				return integration.Integration{}, err
			}
		}
	}
	if i.Enabled {
		i.Problem = ""
	}
	var err error
	if i.Sealed = nil; !secrets.Empty() {
		if i.Sealed, err = s.Vault.SealAt(ctx, place(i), secrets); err != nil {
			return integration.Integration{}, fmt.Errorf("save integration: %w", err)
		}
	}
	if fresh {
		err = s.Store.InsertIntegration(ctx, i, most, event("integration.created", i, v.Actor(), now))
	} else {
		err = s.Store.UpdateIntegration(ctx, i, event("integration.changed", i, v.Actor(), now))
	}
	if err != nil {
		return integration.Integration{}, fmt.Errorf("save integration: %w", err)
	}
	return i, nil
}

// Secrets returns i's secrets, as JSON; empty where it has none.
func (s *Service) Secrets(ctx context.Context, i integration.Integration) (credential.Secret, error) {
	if i.Sealed == nil {
		return credential.Secret{}, nil
	}
	plain, err := s.Vault.OpenAt(ctx, place(i), i.Sealed)
	if err != nil {
		return credential.Secret{}, fmt.Errorf("open the secrets of an integration: %w", err)
	}
	return plain, nil
}

// Delete removes an integration with all that it still had to deliver. It
// fails with fault.Forbidden where v may not, and with fault.NotFound.
func (s *Service) Delete(ctx context.Context, v team.Viewer, id string) error {
	if err := manages(v); err != nil {
		return err
	}
	i, err := s.Find(ctx, v.Team.ID, id)
	if err != nil {
		return err
	}
	if err := s.Store.DeleteIntegration(ctx, i.TeamID, i.ID, event("integration.deleted", i, v.Actor(), audit.Time(s.Now()))); err != nil {
		return fmt.Errorf("delete integration: %w", err)
	}
	return nil
}

// Disable switches i off on behalf of the server, and says why. Where it is
// off, or was changed since it was read, nothing happens.
func (s *Service) Disable(ctx context.Context, i integration.Integration, problem string) error {
	e := event("integration.disabled", i, audit.System(), audit.Time(s.Now()))
	e.Detail["problem"] = problem
	if err := s.Store.DisableIntegration(ctx, i, problem, e); err != nil && fault.Of(err) != fault.Conflict {
		return fmt.Errorf("disable integration: %w", err)
	}
	return nil
}

func place(i integration.Integration) vault.Place {
	return vault.Place{TeamID: i.TeamID, Kind: "integration", ID: i.ID, Version: i.Version}
}

func event(typ string, i integration.Integration, by audit.Actor, at time.Time) audit.Event {
	return audit.Event{Time: at, Type: typ, Actor: by, Target: i.ID, Name: i.Name, Detail: map[string]string{"kind": string(i.Kind)}}
}

func manages(v team.Viewer) error {
	if !v.May(team.Manage) {
		return fault.New(fault.Forbidden, "Only owners and admins change integrations. Ask one of them.", nil)
	}
	return nil
}

func check(i integration.Integration, secrets credential.Secret) error {
	odd := func(r rune) bool { return !unicode.IsGraphic(r) }
	switch i.Kind {
	case integration.Slack, integration.Webhook, integration.Email, integration.Inbound:
	default:
		return fault.New(fault.Invalid, "There is no such kind of integration.", nil)
	}
	switch {
	case i.Name == "" || utf8.RuneCountInString(i.Name) > maxName || strings.ContainsFunc(i.Name, odd) || !utf8.ValidString(i.Name):
		return fault.New(fault.Invalid, "A name has 1 to 60 characters.", nil)
	case len(i.Settings) > maxSettings || !json.Valid(i.Settings):
		return fault.New(fault.Invalid, "The settings cannot be kept.", nil)
	case len(secrets.Reveal()) > maxSecrets || !secrets.Empty() && !json.Valid([]byte(secrets.Reveal())):
		return fault.New(fault.Invalid, "The secrets cannot be kept.", nil)
	}
	return nil
}
