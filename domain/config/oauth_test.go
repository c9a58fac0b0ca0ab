package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

const withOAuth = `version: 1
credentials:
  - {name: x, connector: http, oauth: {grant: client_credentials, token_url: https://login.example.com/token, client_id: me, scopes: [a b, c], client_secret: {from: {env: X}}}}
  - name: y
    connector: http
    hosts: [api.example.com]
    oauth:
      grant: refresh_token
      token_url: "https://login.example.com/token?tenant=1"
      client_id: "1234"
      audience: https://api.example.com/
      resource: https://api.example.com/v1
      client_auth: post
      refresh_token: {from: {file: y.token}}
`

func TestOAuthIsReadAndWrittenBack(t *testing.T) {
	t.Parallel()
	doc, err := config.Parse("t.yaml", []byte(withOAuth), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Credential{
		{
			Name: "x", Connector: "http", ClientSecret: config.Source{Env: "X"},
			OAuth: credential.OAuth{Grant: credential.ClientCredentials, TokenURL: "https://login.example.com/token", ClientID: "me", Scope: "a b c", ClientAuth: credential.ClientBasic},
		},
		{
			Name: "y", Connector: "http", Hosts: []string{"api.example.com"}, RefreshToken: config.Source{File: "y.token"},
			OAuth: credential.OAuth{
				Grant: credential.RefreshToken, TokenURL: "https://login.example.com/token?tenant=1", ClientID: "1234",
				Audience: "https://api.example.com/", Resource: "https://api.example.com/v1", ClientAuth: credential.ClientPost,
			},
		},
	}
	if diff := cmp.Diff(want, doc.Credentials); diff != "" {
		t.Error(diff)
	}
	if got := doc.Credentials[0].Needs(); len(got) != 1 || got[0].Name != "x/client_secret" || got[0].From.Env != "X" {
		t.Errorf("needs %+v", got)
	}
	if got := doc.Credentials[1].Needs(); len(got) != 1 || got[0].Name != "y/refresh_token" {
		t.Errorf("needs %+v", got)
	}
	text, err := config.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	back, err := config.Parse("t.yaml", text, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(doc, back); diff != "" {
		t.Errorf("%s\n%s", diff, text)
	}
	back.Credentials[0].OAuth.Scope = "a"
	if got := config.Diff(doc, back); len(got) != 1 || got[0].Path != "credentials/x" || !strings.Contains(got[0].Detail, "scopes: [a]") {
		t.Errorf("%+v", got)
	}
}

func TestOAuthMistakesAreNamed(t *testing.T) {
	t.Parallel()
	const secret = "SuperSecretValue"
	for oauth, says := range map[string]string{
		`{token_url: "https://a.example/t", client_id: me}`:                                                                       "grant is missing",
		`{grant: password, token_url: "https://a.example/t", client_id: me}`:                                                      "client_credentials or refresh_token",
		`{grant: client_credentials, client_id: me}`:                                                                              "token_url is missing",
		`{grant: client_credentials, token_url: "http://a.example/t", client_id: me}`:                                             "begins with https://",
		`{grant: client_credentials, token_url: "https://a.example/t"}`:                                                           "client_id is missing",
		`{grant: client_credentials, token_url: "https://a.example/t", client_id: me, scope: a}`:                                  "scopes",
		`{grant: client_credentials, token_url: "https://a.example/t", client_id: me, client_auth: jwt}`:                          "basic or post",
		`{grant: client_credentials, token_url: "https://a.example/t", client_id: me, refresh_token: {from: {env: X}}}`:           "has no refresh token",
		`{grant: client_credentials, token_url: "https://a.example/t", client_id: me, client_secret: ` + secret + `}`:             "from",
		`{grant: client_credentials, token_url: "https://a.example/t", client_id: me, client_secret: {from: ` + secret + `}}`:     "never the secret itself",
		`{grant: client_credentials, token_url: "https://a.example/t", client_id: me, client_secret: {env: X}}`:                   "unknown key",
		`{grant: client_credentials, token_url: "https://a.example/t", client_id: me, client_secret: {from: {env: secretpaste}}}`: "name of an environment variable",
	} {
		_, err := config.Parse("t.yaml", []byte("version: 1\ncredentials:\n  - {name: x, connector: http, oauth: "+oauth+"}\n"), nil)
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), says) {
			t.Errorf("%s: %v", oauth, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the secret is repeated: %v", oauth, err)
		}
	}
	both := "version: 1\ncredentials:\n  - {name: x, connector: http, from: {env: X}, oauth: {grant: client_credentials, token_url: \"https://a.example/t\", client_id: me}}\n"
	if _, err := config.Parse("t.yaml", []byte(both), nil); !strings.Contains(fault.Message(err), "their own “from”") {
		t.Errorf("both: %v", err)
	}
}
