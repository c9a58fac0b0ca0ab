package configuration_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/configuration"
	"github.com/tameflare/tameflare/app/oauth/oauthtest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// login is a document with an OAuth credential, and its secrets.
func login(e *oauthtest.Endpoint, g credential.Grant) (*config.Document, map[string]credential.Secret) {
	doc := &config.Document{
		Credentials: []config.Credential{{Name: "login", Connector: "http", Hosts: []string{"api.example"}, OAuth: e.OAuth(g)}},
		Gateways: []config.Gateway{{Name: "bot", Connectors: []config.Connector{
			{Type: "http", Name: "api", Hosts: []string{"api.example"}, Credential: "login"},
		}}},
	}
	secrets := map[string]credential.Secret{config.ClientSecretOf("login"): credential.NewSecret(e.ClientSecret)}
	if g == credential.RefreshToken {
		secrets[config.RefreshTokenOf("login")] = e.SignIn()
	}
	return doc, secrets
}

func TestOAuthIsAppliedOnceAndExportedWithoutSecrets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		e := oauthtest.New(t)
		f.Vault.Tokens = e.Client()
		doc, secrets := login(e, credential.RefreshToken)
		if dry := f.apply(t, doc, secrets, configuration.Options{DryRun: true}); len(dry) != 3 || e.Requests() != 0 {
			t.Errorf("a dry run: %v, %d requests", dry, e.Requests())
		}
		f.apply(t, doc, secrets, configuration.Options{})
		id := f.login(t).ID
		if secret, _, err := f.Vault.Reveal(t.Context(), f.owner.Team.ID, id); err != nil || secret.Reveal() != e.Access() {
			t.Errorf("gateways get %q, %v", secret.Reveal(), err)
		}
		out := f.export(t)
		if diff := cmp.Diff(doc.Credentials, out.Credentials); diff != "" {
			t.Error(diff)
		}
		text, err := config.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range e.Secrets() {
			if strings.Contains(string(text), secret) {
				t.Errorf("the export holds a secret: %s", text)
			}
		}
		// The refresh token that the document brings has been used up long ago.
		if err := f.Vault.RefreshNow(t.Context(), f.owner, id); err != nil {
			t.Fatal(err)
		}
		asked := e.Requests()
		if again := f.apply(t, doc, secrets, configuration.Options{}); len(again) != 0 || e.Requests() != asked || e.Reuses() != 0 {
			t.Errorf("applied again: %v, %d requests more, %d reuses", again, e.Requests()-asked, e.Reuses())
		}
		secrets[config.RefreshTokenOf("login")] = e.SignIn()
		if got := f.apply(t, doc, secrets, configuration.Options{}); len(got) != 1 || got[0] != "update credentials/login" || e.Requests() != asked+1 {
			t.Errorf("a new refresh token: %v", got)
		}
	})
}

func (f fixture) login(t *testing.T) fleet.Credential {
	t.Helper()
	c, err := f.store.CredentialByName(t.Context(), f.owner.Team.ID, "login")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRefusedOAuthChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		e := oauthtest.New(t)
		f.Vault.Tokens = e.Client()
		before := f.revision(t)
		doc, secrets := login(e, credential.ClientCredentials)
		wrong := map[string]credential.Secret{config.ClientSecretOf("login"): credential.NewSecret("wrong")}
		if _, err := f.Apply(t.Context(), f.owner, doc, wrong, configuration.Options{}); fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "Credential login: The token endpoint at") {
			t.Errorf("%v", err)
		}
		broken := *doc
		broken.Gateways = []config.Gateway{{Name: "bot", Connectors: []config.Connector{{Type: "http", Name: "api", Hosts: []string{"api.example"}, Credential: "nowhere"}}}}
		asked := e.Requests()
		if _, err := f.Apply(t.Context(), f.owner, &broken, secrets, configuration.Options{}); fault.Of(err) != fault.Invalid || e.Requests() != asked {
			t.Errorf("the endpoint was asked for a document that cannot be had: %v", err)
		}
		if doc := f.export(t); len(doc.Credentials)+len(doc.Gateways) != 0 || f.revision(t) != before {
			t.Errorf("left: %+v", doc)
		}
		f.apply(t, doc, secrets, configuration.Options{})
		moved := *doc
		moved.Credentials = []config.Credential{doc.Credentials[0]}
		moved.Credentials[0].OAuth.TokenURL = "https://evil.example/token"
		if _, err := f.Apply(t.Context(), f.owner, &moved, nil, configuration.Options{}); fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "bound to them") {
			t.Errorf("the token address moved without the secrets: %v", err)
		}
		if _, err := f.Apply(t.Context(), f.owner, doc, map[string]credential.Secret{"login": credential.NewSecret("x")}, configuration.Options{}); fault.Of(err) != fault.Invalid {
			t.Errorf("a secret of the other kind: %v", err)
		}
	})
}

// Somebody else changes the configuration between the answer of the token
// endpoint and the commit: what was answered is good for the next attempt.
func TestConflictAsksTheEndpointOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		e := oauthtest.New(t)
		f.Vault.Tokens = e.Client()
		f.apply(t, &config.Document{Gateways: []config.Gateway{{Name: "lab"}}}, nil, configuration.Options{})
		g, err := f.store.TeamGateway(t.Context(), f.owner.Team.ID, "lab")
		if err != nil {
			t.Fatal(err)
		}
		f.Store = &meddled{f.store, func() {
			if err := f.store.Configure(t.Context(), g.TeamID, g.ID, nil, nil, audit.Event{Type: "gateway.configured"}); err != nil {
				t.Error(err)
			}
		}}
		doc, secrets := login(e, credential.RefreshToken)
		f.apply(t, doc, secrets, configuration.Options{})
		if e.Requests() != 1 || e.Reuses() != 0 {
			t.Errorf("%d requests, %d reuses, want one and none", e.Requests(), e.Reuses())
		}
		if secret, _, err := f.Vault.Reveal(t.Context(), f.owner.Team.ID, f.login(t).ID); err != nil || secret.Reveal() != e.Access() {
			t.Errorf("gateways get %q, %v", secret.Reveal(), err)
		}
		rows, err := f.store.Events(t.Context(), f.owner.Team.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		all, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range e.Secrets() {
			if strings.Contains(string(all), secret) {
				t.Error("the record holds a secret")
			}
		}
	})
}
