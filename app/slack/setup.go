package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/team"
)

// Begin makes the team's Slack, switched off: the manifest names its address.
func (s *Service) Begin(ctx context.Context, v team.Viewer) (integration.Integration, error) {
	if i, _, ok, err := s.Find(ctx, v.Team.ID); ok || err != nil {
		return i, err
	}
	i, err := s.Integrations.Save(ctx, v, integration.Integration{Kind: integration.Slack, Name: "Slack", Settings: []byte("{}")}, credential.Secret{})
	if err != nil {
		return i, fmt.Errorf("set up Slack: %w", err)
	}
	return i, nil
}

// Save keeps settings, and what is given of the secrets; what is not stays as
// it is. Version is of what was changed, so that of two people one is told.
// Where it is to be switched on, Slack is asked whether the secrets are good,
// for which workspace, and whether the app may do what it has to; what it says
// stands in the settings then. It fails with fault.Invalid or, where Slack does
// not answer, with fault.Unavailable.
func (s *Service) Save(ctx context.Context, v team.Viewer, version int64, set Settings, given Secrets, enabled bool) (integration.Integration, error) {
	i, was, ok, err := s.Find(ctx, v.Team.ID)
	if err != nil {
		return i, err
	}
	if !ok {
		return i, fault.New(fault.NotFound, "Slack is not set up yet.", nil)
	}
	if set, err = set.check(); err != nil {
		return i, err
	}
	before, err := s.secrets(ctx, i)
	if err != nil {
		return i, err
	}
	secrets := given.over(before)
	set.Workspace, set.WorkspaceName, set.BotUser = was.Workspace, was.WorkspaceName, was.BotUser
	if enabled {
		if err := secrets.check(set.Mode); err != nil {
			return i, err
		}
		if set, err = s.ask(ctx, set, secrets); err != nil {
			return i, err
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		return i, fmt.Errorf("save Slack: %w", err)
	}
	var sealable credential.Secret
	if secrets != (Secrets{}) {
		if sealable, err = secrets.sealable(); err != nil {
			return i, err
		}
	}
	i.Version, i.Settings, i.Enabled = version, text, enabled
	if i, err = s.Integrations.Save(ctx, v, i, sealable); err != nil {
		return i, fmt.Errorf("save Slack: %w", err)
	}
	s.poke()
	return i, nil
}

// Remove takes Slack away, with its secrets. People stay linked.
func (s *Service) Remove(ctx context.Context, v team.Viewer) error {
	i, _, ok, err := s.Find(ctx, v.Team.ID)
	if err == nil && ok {
		err = s.Integrations.Delete(ctx, v, i.ID)
	}
	if err != nil {
		return fmt.Errorf("remove Slack: %w", err)
	}
	s.poke()
	return nil
}

// ask asks Slack whom the secrets are of, and what they are good for.
func (s *Service) ask(ctx context.Context, set Settings, secrets Secrets) (Settings, error) {
	client := s.slack(secrets)
	who, err := client.AuthTestContext(ctx)
	if err != nil {
		return set, read(err).fault(err)
	}
	if missing := lacks(who.Header); len(missing) > 0 {
		return set, fault.New(fault.Invalid, "The app may do less than it needs. Add these scopes under OAuth & Permissions, and install it again: "+strings.Join(missing, ", ")+".", nil)
	}
	if who.TeamID == "" {
		return set, fault.New(fault.Invalid, "Slack does not say which workspace the token is for.", nil)
	}
	if set.Mode == Socket {
		if _, _, err := client.StartSocketModeContext(ctx); err != nil {
			t := read(err)
			t.sentence = "The app-level token does not open a connection. " + t.sentence
			return set, t.fault(err)
		}
	}
	set.Workspace, set.WorkspaceName, set.BotUser = plain(who.TeamID, 50), plain(who.Team, 100), plain(who.UserID, 50)
	return set, nil
}

// lacks returns the scopes that an app has to have and has not. Slack names
// those that it has with each answer.
func lacks(h http.Header) []string {
	granted := strings.FieldsFunc(h.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
	var missing []string
	for _, scope := range scopes {
		if !slices.Contains(granted, scope) {
			missing = append(missing, scope)
		}
	}
	return missing
}
