package configuration

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// checkSecrets refuses secrets that nothing in the document is about.
func checkSecrets(doc *config.Document, secrets map[string]credential.Secret) error {
	for name := range secrets {
		if !slices.ContainsFunc(doc.Credentials, func(c config.Credential) bool {
			if c.OAuth.Grant == credential.Static {
				return name == c.Name
			}
			return name == config.ClientSecretOf(c.Name) || name == config.RefreshTokenOf(c.Name)
		}) {
			return fault.New(fault.Invalid, "A secret came for “"+name+"”, which the document does not name.", nil)
		}
	}
	return nil
}

// entry is what the vault is to have for c, and whether any secret of it came
// along.
func entry(c config.Credential, secrets map[string]credential.Secret) (e vault.Entry, given bool) {
	e = vault.Entry{
		Name: c.Name, Type: c.Connector, Hosts: c.Hosts, OAuth: c.OAuth,
		Secret: secrets[c.Name], ClientSecret: secrets[config.ClientSecretOf(c.Name)], RefreshToken: secrets[config.RefreshTokenOf(c.Name)],
	}
	for _, name := range []string{c.Name, config.ClientSecretOf(c.Name), config.RefreshTokenOf(c.Name)} {
		_, there := secrets[name]
		given = given || there
	}
	return e, given
}

// credentials plans what happens to the vault, and returns which secrets are
// replaced: that is the one change which documents do not show. Nothing is
// sealed yet, and nobody asked for a token.
func (p *planner) credentials(ctx context.Context, want *config.Document, secrets map[string]credential.Secret) ([]config.Change, error) {
	var replaced []config.Change
	for _, c := range want.Credentials {
		old, there := p.now.credential(c.Name)
		if there && old.Type != c.Connector {
			return nil, fault.New(fault.Invalid, "The credential "+c.Name+" is for "+old.Type+". Choose another name for one for "+c.Connector+".", nil)
		}
		hosts, oauth := there && !slices.Equal(plainHosts(old.Hosts), c.Hosts), there && old.OAuth != c.OAuth
		e, given := entry(c, secrets)
		switch {
		case !given && !there:
			return nil, fault.New(fault.Invalid, "The credential "+c.Name+" is not in the vault, and no secret came with it. Say under “from” where it is.", nil)
		case !given && hosts:
			return nil, fault.New(fault.Invalid, "The hosts of the credential "+c.Name+" change, and its secret is bound to them. Say under “from” where it is.", nil)
		case !given && oauth:
			return nil, fault.New(fault.Invalid, "The OAuth settings of the credential "+c.Name+" change, and its secrets are bound to them. Say under “from” where they are.", nil)
		case !given:
			continue
		}
		d, err := p.s.Vault.Draft(ctx, p.v, e)
		if err != nil {
			return nil, fault.New(fault.Of(err), "Credential "+c.Name+": "+fault.Message(err), err)
		}
		same := there && d.Credential.Fingerprint == old.Fingerprint
		if same && !hosts && !oauth && old.Refresh.State != fleet.RefreshAttention {
			continue // the secret that is there already
		}
		if same && old.OAuth.Grant == credential.RefreshToken && old.Refresh.State != fleet.RefreshAttention {
			return nil, fault.New(fault.Invalid, "The settings of the credential "+c.Name+" change, and the refresh token that came with them has been used since. Sign in at the service again, and say under “from” where the new one is.", nil)
		}
		if there && (!same || !hosts && !oauth) {
			replaced = append(replaced, config.Change{Op: config.Update, Path: "credentials/" + c.Name, Detail: "secret: replaced"})
		}
		p.drafts = append(p.drafts, d)
		p.vault = append(slices.DeleteFunc(p.vault, func(o fleet.Credential) bool { return o.ID == d.Credential.ID }), d.Credential)
	}
	return replaced, nil
}

// seal fills the plan with what the vault is to have. Of OAuth credentials it
// gets the first access token, which is why it comes last, and only where the
// rest is known to be good. What asked has been answered before is not asked
// again: the answer may have used up the refresh token.
func (p *planner) seal(ctx context.Context, asked map[string]credential.AccessToken) error {
	// A refresh token may be used up by asking, so those come last.
	slices.SortStableFunc(p.drafts, func(a, b vault.Draft) int {
		return cmp.Compare(lastAsked(a), lastAsked(b))
	})
	for _, d := range p.drafts {
		name := d.Credential.Name
		token, known := asked[name]
		if !known {
			var err error
			if token, err = p.s.Vault.Ask(ctx, d); err != nil {
				return fault.New(fault.Of(err), "Credential "+name+": "+fault.Message(err), err)
			}
			asked[name] = token
		}
		c, e, err := p.s.Vault.Seal(ctx, d, token)
		if err != nil {
			return fmt.Errorf("seal %s: %w", name, err)
		}
		p.plan.Credentials = append(p.plan.Credentials, store.CredentialStep{Credential: c, New: d.New, Event: e})
	}
	return nil
}

func lastAsked(d vault.Draft) int {
	if d.Credential.OAuth.Grant == credential.RefreshToken {
		return 1
	}
	return 0
}
