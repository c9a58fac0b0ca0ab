package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/oauth/oauthtest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
)

// signedUp is a house and a token endpoint that its vault may ask.
func signedUp(t *testing.T) (*house, *oauthtest.Endpoint) {
	t.Helper()
	h, end := furnished(t), oauthtest.New(t)
	h.Vault.(*vault.Service).Tokens = end.Client()
	return h, end
}

func oauthForm(end *oauthtest.Endpoint, more ...string) []string {
	return append([]string{
		"name", "login", "type", "http", "kind", "client_credentials", "token_url", end.URL + "/token",
		"client_id", end.ClientID, "client_secret", end.ClientSecret, "scope", "read  write", "client_auth", "basic",
	}, more...)
}

func TestOAuthCredentialShowsHowItStands(t *testing.T) {
	t.Parallel()
	h, end := signedUp(t)
	form := oauthForm(end, "kind", "refresh_token", "refresh_token", end.SignIn().Reveal())
	form = slices.Delete(form, 4, 6) // the kind that it had
	if w := h.post(t, "/vault", form...); w.Code != http.StatusSeeOther {
		t.Fatalf("add: %d\n%s", w.Code, w.Body)
	}
	c := h.named(t, "login")
	if c.OAuth.Scope != "read write" || c.OAuth.Grant != credential.RefreshToken || !c.Refresh.Live(time.Now()) {
		t.Errorf("%+v", c)
	}
	wantSays(t, "vault", h.get(t, "/vault"), "Renewed", "Refresh token", strings.TrimPrefix(end.URL, "https://"), "expires in", "by hand")
	change := h.get(t, "/vault/"+c.ID+"/rotate")
	wantSays(t, "change", change, "Change login", end.URL+"/token", end.ClientID, "read write", `name="refresh_token"`)
	wantSilent(t, "change", change, `name="secret"`)

	end.Revoke()
	if w := h.post(t, "/vault/"+c.ID+"/refresh"); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Sign in at the service again") {
		t.Errorf("refresh: %d\n%s", w.Code, w.Body)
	}
	body := h.get(t, "/vault")
	wantSays(t, "vault", body, "Needs attention", "Sign in at the service again, and put in the new one.", "Try again", "expires in")
	wantSays(t, "audit", h.get(t, "/audit"), "credential.refresh_failed", "tameflare-server", "problem: The token endpoint at")

	again := []string{"kind", "static", "secret", "ignored", "token_url", end.URL + "/token", "client_id", end.ClientID, "client_secret", end.ClientSecret, "refresh_token", end.SignIn().Reveal()}
	if w := h.post(t, "/vault/"+c.ID+"/rotate", again...); w.Code != http.StatusSeeOther {
		t.Fatalf("change: %d\n%s", w.Code, w.Body)
	}
	if now := h.named(t, "login"); now.ID != c.ID || now.Refresh.State != fleet.RefreshActive || now.OAuth.Grant != credential.RefreshToken {
		t.Errorf("%+v", now)
	}
	body = h.get(t, "/vault")
	wantSilent(t, "vault", body, "Needs attention", "Try again")
	for _, secret := range end.Secrets() {
		for _, path := range []string{"/vault", "/vault/" + c.ID + "/rotate", "/audit", "/overview"} {
			wantSilent(t, path, h.get(t, path), secret)
		}
		wantSilent(t, "log", h.log.String(), secret)
	}
}

func TestOAuthFormSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	h, end := signedUp(t)
	change := func(name, value string) []string {
		form := oauthForm(end)
		form[slices.Index(form, name)+1] = value
		return form
	}
	for name, tt := range map[string]struct {
		form   []string
		status int
		says   string
	}{
		"no kind that there is": {change("kind", "password"), 422, "Choose how it is renewed."},
		"no address":            {change("token_url", ""), 422, "Give the address of the token endpoint."},
		"no TLS":                {change("token_url", "http://login.example.com/token"), 422, "begins with https://"},
		"a private address":     {change("token_url", "https://10.0.0.1/token"), 422, "is at a private address"},
		"no client":             {change("client_id", ""), 422, "Give the client ID."},
		"no secret":             {change("client_secret", ""), 422, "Paste the client secret."},
		"a secret of two lines": {change("client_secret", "hunter2\nx"), 422, "The client secret has a line break"},
		"a refused client":      {change("client_secret", "hunter2"), 422, "does not know the client"},
		"no refresh token":      {change("kind", "refresh_token"), 422, "Paste the refresh token."},
		"another page":          {change("token_url", end.URL+"/other"), 503, "Is the address that of a token endpoint"},
		"a taken name":          {change("name", "github-bot"), 422, "There is a credential of this name."},
	} {
		w := h.post(t, "/vault", tt.form...)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%s: %d, want %d and %q\n%s", name, w.Code, tt.status, tt.says, w.Body)
		}
		wantSilent(t, name, w.Body.String(), "hunter2", end.ClientSecret)
		wantSays(t, name, w.Body.String(), `name="scope"`, `value="read  write"`)
	}
	w := h.post(t, "/vault", change("token_url", end.URL+"/other")...)
	wantSays(t, "refused", w.Body.String(), "Paste it again.")
	if cs, err := h.Vault.List(t.Context(), h.owner.Team.ID); err != nil || len(cs) != 1 {
		t.Errorf("the vault holds %v, want what it held", cs)
	}
}
