package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
)

// Secrets are what Slack gives an app.
type Secrets struct {
	BotToken      credential.Secret // "xoxb-…"
	SigningSecret credential.Secret // what Slack signs its calls with
	AppToken      credential.Secret // "xapp-…", for Socket Mode
}

// sheet is how secrets are sealed.
type sheet struct {
	BotToken      string `json:"bot_token,omitempty"`
	SigningSecret string `json:"signing_secret,omitempty"`
	AppToken      string `json:"app_token,omitempty"`
}

func (s Secrets) sealable() (credential.Secret, error) {
	b, err := json.Marshal(sheet{s.BotToken.Reveal(), s.SigningSecret.Reveal(), s.AppToken.Reveal()})
	if err != nil {
		return credential.Secret{}, fmt.Errorf("write Slack secrets: %w", err)
	}
	return credential.NewSecret(string(b)), nil
}

// secrets opens what an integration has.
func (s *Service) secrets(ctx context.Context, i integration.Integration) (Secrets, error) {
	if len(i.Sealed) == 0 {
		return Secrets{}, nil
	}
	plain, err := s.Integrations.Secrets(ctx, i)
	if err != nil {
		return Secrets{}, fmt.Errorf("open Slack secrets: %w", err)
	}
	if plain.Empty() {
		return Secrets{}, nil
	}
	var is sheet
	if err := json.Unmarshal([]byte(plain.Reveal()), &is); err != nil {
		return Secrets{}, fmt.Errorf("read Slack secrets: %w", errSheet) // the cause would quote them
	}
	return Secrets{credential.NewSecret(is.BotToken), credential.NewSecret(is.SigningSecret), credential.NewSecret(is.AppToken)}, nil
}

var errSheet = fault.New(fault.Internal, "", nil)

// over returns s with what is missing taken from before.
func (s Secrets) over(before Secrets) Secrets {
	for to, from := range map[*credential.Secret]credential.Secret{
		&s.BotToken: before.BotToken, &s.SigningSecret: before.SigningSecret, &s.AppToken: before.AppToken,
	} {
		if to.Empty() {
			*to = from
		}
	}
	return s
}

// check fails with fault.Invalid where something is missing for a mode, or is
// another kind of secret than it should be.
func (s Secrets) check(m Mode) error {
	refuse := func(message string) error { return fault.New(fault.Invalid, message, nil) }
	switch {
	case s.BotToken.Empty():
		return refuse("The bot token is missing. Slack shows it under OAuth & Permissions, once the app is installed.")
	case !strings.HasPrefix(s.BotToken.Reveal(), "xoxb-"):
		return refuse("The bot token begins with xoxb-. What was put in is another secret.")
	case m == HTTP && s.SigningSecret.Empty():
		return refuse("The signing secret is missing. Slack shows it under Basic Information.")
	case m == Socket && s.AppToken.Empty():
		return refuse("The app-level token is missing. Slack makes one under Basic Information, with the scope connections:write.")
	case m == Socket && !strings.HasPrefix(s.AppToken.Reveal(), "xapp-"):
		return refuse("The app-level token begins with xapp-. What was put in is another secret.")
	}
	return nil
}
