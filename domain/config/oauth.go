package config

import (
	"strings"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// oauth reads how a credential's access tokens are got.
func (r *parsing) oauth(p yamldoc.Place, c *Credential) {
	keys := r.Mapping(p, "grant", "token_url", "client_id", "scopes", "audience", "resource", "client_auth", "client_secret", "refresh_token")
	if keys == nil {
		return
	}
	had := len(r.Problems.All)
	o := credential.OAuth{
		Grant: credential.Grant(r.Need(p, keys["grant"], "grant")), TokenURL: r.Need(p, keys["token_url"], "token_url"),
		ClientID: r.Need(p, keys["client_id"], "client_id"), Scope: strings.Join(r.Texts(keys["scopes"]), " "),
		Audience: r.Text(keys["audience"]), Resource: r.Text(keys["resource"]), ClientAuth: credential.ClientAuth(r.Text(keys["client_auth"])),
	}
	c.ClientSecret, c.RefreshToken = r.from(keys["client_secret"]), r.from(keys["refresh_token"])
	if keys["refresh_token"].There() && o.Grant == credential.ClientCredentials {
		r.Bad(keys["refresh_token"], "the grant client_credentials has no refresh token")
	}
	if len(r.Problems.All) > had {
		return
	}
	clean, err := o.Clean()
	if err != nil {
		r.Bad(p, "%s", fault.Message(err))
		return
	}
	c.OAuth = clean
}

// from reads {from: {env: NAME}}: the long form, so that nobody takes the
// secret itself for what belongs here.
func (r *parsing) from(p yamldoc.Place) Source {
	if !p.There() {
		return Source{}
	}
	keys := r.Mapping(p, "from")
	if keys == nil {
		return Source{}
	}
	if !keys["from"].There() {
		r.Bad(p, "say where the secret is: {from: {env: NAME}}; never the secret itself")
		return Source{}
	}
	return r.source(keys["from"])
}

// oauth writes what oauth reads.
func (c Credential) oauth() string {
	o := c.OAuth
	if o == (credential.OAuth{}) {
		return ""
	}
	style := string(o.ClientAuth)
	if o.ClientAuth == credential.ClientBasic {
		style = ""
	}
	long := func(s Source) string {
		if s == (Source{}) {
			return ""
		}
		return flow(pairs{{"from", s.yaml()}})
	}
	return flow(pairs{
		{"grant", word(string(o.Grant))}, {"token_url", word(o.TokenURL)}, {"client_id", word(o.ClientID)}, {"scopes", words(strings.Fields(o.Scope))},
		{"audience", word(o.Audience)}, {"resource", word(o.Resource)}, {"client_auth", word(style)},
		{"client_secret", long(c.ClientSecret)}, {"refresh_token", long(c.RefreshToken)},
	})
}
