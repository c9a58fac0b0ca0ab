package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/oauth/oauthtest"
	"github.com/tameflare/tameflare/app/outbound"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

func TestTokenIsAskedForAsTheEndpointWants(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		auth   credential.ClientAuth
		public bool
	}{
		"basic": {credential.ClientBasic, false}, "post": {credential.ClientPost, false}, "public": {credential.ClientBasic, true}, "public, post": {credential.ClientPost, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := oauthtest.New(t)
			e.Auth = tt.auth
			if tt.public {
				e.ClientSecret = ""
			}
			secret := credential.NewSecret(e.ClientSecret)
			o := e.OAuth(credential.RefreshToken)
			o.Audience, o.Resource = "aud", "https://api.example.com/"
			first := e.SignIn()
			got, err := e.Client().Token(t.Context(), o, secret, first)
			if err != nil {
				t.Fatal(err)
			}
			if got.Value.Reveal() != e.Access() || got.Refresh.Empty() || got.Refresh == first || got.Lifetime != time.Hour {
				t.Errorf("got %q, %v", got.Value.Reveal(), got.Lifetime)
			}
			form := e.Last()
			if form.Get("scope") != "read write" || form.Get("audience") != "aud" || form.Get("resource") != "https://api.example.com/" {
				t.Errorf("asked with %v", form)
			}
			got, err = e.Client().Token(t.Context(), e.OAuth(credential.ClientCredentials), secret, credential.Secret{})
			if err != nil || got.Value.Reveal() != e.Access() || !got.Refresh.Empty() || e.Last().Has("refresh_token") {
				t.Errorf("client credentials: %v", err)
			}
		})
	}
}

func TestWhatIsNoTokenIsRefused(t *testing.T) {
	t.Parallel()
	const good = `"access_token":"at-canary","token_type":"Bearer"`
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter)
		code   string // of the refusal; "" where another time it may go better
		says   string
	}{
		"revoked":              {oauthtest.Text(400, `{"error":"invalid_grant","error_description":"canary"}`), "invalid_grant", "Sign in at the service again"},
		"GitHub's way":         {oauthtest.Text(200, `{"error":"bad_refresh_token"}`), "invalid_grant", "refresh token"},
		"wrong client":         {oauthtest.Text(401, `{"error":"invalid_client"}`), "invalid_client", "does not know the client"},
		"401 without a word":   {oauthtest.Text(401, `canary`), "invalid_client", "does not know the client"},
		"wrong scope":          {oauthtest.Text(400, `{"error":"invalid_scope"}`), "invalid_scope", "scopes"},
		"an error of its own":  {oauthtest.Text(400, `{"error":"canary"}`), "", "could not give"},
		"overloaded":           {oauthtest.Text(503, `{"error":"invalid_grant"}`), "", "answers 503"},
		"too many":             {oauthtest.Text(429, ``), "", "answers 429"},
		"another page":         {oauthtest.Text(404, `canary`), "", "Is the address"},
		"a web page":           {oauthtest.Text(200, `<html>canary`), "", "JSON"},
		"no token":             {oauthtest.Text(200, `{"token_type":"Bearer"}`), "", "cannot be sent"},
		"another type":         {oauthtest.Text(200, `{"access_token":"at-canary","token_type":"mac"}`), "", "Bearer"},
		"a line break in it":   {oauthtest.Text(200, `{"access_token":"at-canary\r\nHost: evil","token_type":"Bearer"}`), "", "cannot be sent"},
		"not ASCII":            {oauthtest.Text(200, `{"access_token":"at-canaryé","token_type":"Bearer"}`), "", "cannot be sent"},
		"a bad refresh token":  {oauthtest.Text(200, `{`+good+`,"refresh_token":"canary\n"}`), "", "cannot be kept"},
		"too much":             {oauthtest.Text(200, `{`+good+`,"x":"`+strings.Repeat("x", 64<<10)+`"}`), "", "64 kB"},
		"sent somewhere else":  {func(w http.ResponseWriter) { w.Header().Set("Location", "/token"); w.WriteHeader(307) }, "", "sends elsewhere"},
		"sent there to look":   {func(w http.ResponseWriter) { w.Header().Set("Location", "/token"); w.WriteHeader(302) }, "", "sends elsewhere"},
		"redirect with a body": {oauthtest.Text(302, `{`+good+`}`), "", "sends elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := oauthtest.New(t)
			e.Answer(tt.answer)
			got, err := e.Client().Token(t.Context(), e.OAuth(credential.RefreshToken), credential.NewSecret(e.ClientSecret), e.SignIn())
			r, definite := errors.AsType[*credential.Refusal](err)
			want := fault.Unavailable
			if tt.code != "" {
				want = fault.Invalid
			}
			if !got.Value.Empty() || fault.Of(err) != want || definite != (tt.code != "") || definite && r.Code != tt.code || !strings.Contains(fault.Message(err), tt.says) {
				t.Errorf("got %v (%q)", err, fault.Message(err))
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("quotes the answer: %v", err)
			}
			if e.Requests() != 1 {
				t.Errorf("asked %d times, want once", e.Requests())
			}
		})
	}
}

func TestLifetimeIsWhatTheEndpointSays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		``: time.Hour, `,"expires_in":null`: time.Hour, `,"expires_in":90`: 90 * time.Second, `,"expires_in":"120"`: 2 * time.Minute,
		`,"expires_in":3599.5`: 3599*time.Second + 500*time.Millisecond, `,"expires_in":1e30`: 365 * 24 * time.Hour,
	} {
		e := oauthtest.New(t)
		e.Answer(oauthtest.Text(200, `{"access_token":"x","token_type":"BEARER"`+text+`}`))
		got, err := e.Client().Token(t.Context(), e.OAuth(credential.ClientCredentials), credential.NewSecret("s"), credential.Secret{})
		if err != nil || got.Lifetime != want {
			t.Errorf("%s: %v, %v, want %v", text, got.Lifetime, err, want)
		}
	}
}

func TestOnlyWhatIsAllowedIsDialled(t *testing.T) {
	t.Parallel()
	e := oauthtest.New(t)
	plain := httptest.NewServer(e)
	t.Cleanup(plain.Close)
	port := func(url string) string { return url[strings.LastIndex(url, ":"):] }
	loopback := outbound.Allowed{Host: "127.0.0.1", Range: netip.MustParsePrefix("127.0.0.0/8")}
	for name, tt := range map[string]struct {
		url   string
		allow []outbound.Allowed
		says  string
	}{
		"loopback, not listed":              {e.URL, nil, "is at a loopback address. Whoever runs this server can allow"},
		"loopback by name, not listed":      {"https://localhost" + port(e.URL), []outbound.Allowed{loopback}, "is at a loopback address"},
		"loopback in another form":          {"https://[::ffff:127.0.0.1]" + port(e.URL), []outbound.Allowed{loopback}, "is at a loopback address"},
		"metadata, though listed":           {"https://169.254.169.254", []outbound.Allowed{{Host: "169.254.169.254", Range: netip.MustParsePrefix("0.0.0.0/0")}}, "where none may be"},
		"metadata":                          {"https://169.254.169.254", nil, "where none may be"},
		"private":                           {"https://10.1.2.3", nil, "a private address"},
		"private, another range is listed":  {"https://10.1.2.3", []outbound.Allowed{{Host: "10.1.2.3", Range: netip.MustParsePrefix("10.2.0.0/16")}}, "a private address"},
		"unspecified":                       {"https://0.0.0.0", []outbound.Allowed{{Host: "0.0.0.0", Range: netip.MustParsePrefix("0.0.0.0/0")}}, "where none may be"},
		"without TLS, not listed":           {plain.URL, nil, "without TLS"},
		"without TLS, to where all can see": {"http://192.0.2.1", []outbound.Allowed{{Host: "192.0.2.1", Range: netip.MustParsePrefix("192.0.2.0/24")}}, "without TLS"},
	} {
		c := e.Client()
		c.Allow = tt.allow
		o := e.OAuth(credential.ClientCredentials)
		o.TokenURL = tt.url + "/token"
		_, err := c.Token(t.Context(), o, credential.NewSecret(e.ClientSecret), credential.Secret{})
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if e.Requests() != 0 {
		t.Errorf("%d requests came through", e.Requests())
	}
	c, o := e.Client(), e.OAuth(credential.ClientCredentials)
	o.TokenURL = plain.URL + "/token"
	if _, err := c.Token(t.Context(), o, credential.NewSecret(e.ClientSecret), credential.Secret{}); err != nil {
		t.Errorf("without TLS on this machine, listed: %v", err)
	}
	c.Roots = nil
	if _, err := c.Token(t.Context(), e.OAuth(credential.ClientCredentials), credential.NewSecret(e.ClientSecret), credential.Secret{}); fault.Of(err) != fault.Unavailable || !strings.Contains(fault.Message(err), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
}

func TestWhoDoesNotAnswerIsToldApart(t *testing.T) {
	t.Parallel()
	e := oauthtest.New(t)
	client := e.Client()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Token(ctx, e.OAuth(credential.ClientCredentials), credential.NewSecret("s"), credential.Secret{}); fault.Of(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	e.Close()
	if _, err := client.Token(t.Context(), e.OAuth(credential.ClientCredentials), credential.NewSecret("s"), credential.Secret{}); fault.Of(err) != fault.Unavailable || !strings.Contains(fault.Message(err), "cannot be reached") {
		t.Errorf("%v", err)
	}
}

// An answer may have used up the refresh token, so that what can be used of it
// is not thrown away for what is odd about the rest.
func TestAnOddAnswerIsUsed(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		status   int
		rest     string
		lifetime time.Duration
	}{
		"as it should be":     {200, `"token_type":"Bearer","expires_in":60`, time.Minute},
		"text":                {200, `"token_type":"bearer","expires_in":"60"`, time.Minute},
		"no type":             {200, `"expires_in":60`, time.Minute},
		"created":             {201, `"token_type":"Bearer","expires_in":60`, time.Minute},
		"no lifetime":         {200, `"token_type":"Bearer"`, time.Hour},
		"dead already":        {200, `"token_type":"Bearer","expires_in":0`, time.Hour},
		"a lifetime of words": {200, `"token_type":"Bearer","expires_in":"soon"`, time.Hour},
		"less than nothing":   {200, `"token_type":"Bearer","expires_in":-5`, time.Hour},
	} {
		e := oauthtest.New(t)
		e.Answer(oauthtest.Text(tt.status, `{"access_token":"at","refresh_token":"rt",`+tt.rest+`}`))
		got, err := e.Client().Token(t.Context(), e.OAuth(credential.RefreshToken), credential.NewSecret(e.ClientSecret), e.SignIn())
		if err != nil || got.Value.Reveal() != "at" || got.Refresh.Reveal() != "rt" || got.Lifetime != tt.lifetime {
			t.Errorf("%s: %v, %v", name, got.Lifetime, err)
		}
	}
}
