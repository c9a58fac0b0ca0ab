package slack

import (
	"bytes"
	"encoding/json"
	"fmt"

	api "github.com/slack-go/slack"
)

// scopes are what the app has to be allowed.
var scopes = []string{
	"chat:write", // cards, and what is said to who clicked
	"commands",   // /tameflare
	"users:read", // whether somebody who links their account is a guest
}

// Manifest is what a Slack app is made from, for an integration's ID.
func (s *Service) Manifest(id string, mode Mode) (string, error) {
	m := api.Manifest{
		Metadata: api.ManifestMetadata{MajorVersion: 1, MinorVersion: 1},
		Display:  api.Display{Name: "TameFlare", Description: "Approve or deny what agents want to do.", BackgroundColor: "#1f1f1f"},
		Features: api.Features{
			BotUser:       api.BotUser{DisplayName: "TameFlare", AlwaysOnline: true},
			SlashCommands: []api.ManifestSlashCommand{{Command: "/tameflare", Description: "Link your account", UsageHint: "link CODE"}},
		},
		OAuthConfig: api.OAuthConfig{Scopes: api.OAuthScopes{Bot: scopes}},
		Settings:    api.Settings{Interactivity: &api.Interactivity{IsEnabled: true}, SocketModeEnabled: mode == Socket},
	}
	if mode != Socket {
		m.Settings.Interactivity.RequestUrl = s.link(Prefix + id + "/actions")
		m.Features.SlashCommands[0].Url = s.link(Prefix + id + "/commands")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return "", fmt.Errorf("write Slack manifest: %w", err)
	}
	return b.String(), nil
}
