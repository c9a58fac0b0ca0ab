package web

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) showCredentialForm(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, form views.CredentialForm) error {
	f, err := s.frame(r, v, "vault", "Vault")
	if err != nil {
		return err
	}
	f.Narrow = true
	form.Kind = cmp.Or(form.Kind, views.KindStatic)
	own, err := s.Gateways.Own(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	for _, t := range own.All() {
		form.Types = append(form.Types, views.Option{Value: t.Name, Text: t.Title})
	}
	return render(w, r, status, views.CredentialFormPage(f, form))
}

func (s *Server) newCredentialForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showCredentialForm(w, r, v, http.StatusOK, views.CredentialForm{})
}

func (s *Server) newCredential(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	form := readCredential(r)
	form.Name, form.Type, form.Kind = text(r, "name"), text(r, "type"), cmp.Or(text(r, "kind"), views.KindStatic)
	if err := fleet.CheckName(form.Name); err != nil {
		form.Errors["name"] = fault.Message(err)
	}
	own, err := s.Gateways.Own(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	if own.Named(form.Type) == nil {
		form.Errors["type"] = "Choose what the credential is for."
	}
	lines, err := s.credentialLines(r, v)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.Name == form.Name { // Put would rotate it, and nobody asked for that
			form.Errors["name"] = "There is a credential of this name. Rotate it, or choose another name."
		}
	}
	return s.putCredential(w, r, v, form, form.Type)
}

func (s *Server) rotateForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	c, err := s.credentialOf(r, v)
	if err != nil {
		return err
	}
	return s.showCredentialForm(w, r, v, http.StatusOK, views.CredentialForm{
		ID: c.ID, Name: c.Name, Hosts: strings.Join(c.Hosts, " "), Kind: string(c.OAuth.Grant), OAuth: c.OAuth,
	})
}

func (s *Server) rotate(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	c, err := s.credentialOf(r, v)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	form := readCredential(r)
	form.ID, form.Name, form.Kind = c.ID, c.Name, cmp.Or(string(c.OAuth.Grant), views.KindStatic)
	return s.putCredential(w, r, v, form, c.Type)
}

// readCredential reads what a new credential and a changed one have in common.
// Secrets are not among it: they never go back into a form.
func readCredential(r *http.Request) views.CredentialForm {
	return views.CredentialForm{
		Hosts: text(r, "hosts"), Errors: views.Errors{},
		OAuth: credential.OAuth{
			TokenURL: text(r, "token_url"), ClientID: text(r, "client_id"), Scope: text(r, "scope"),
			Audience: text(r, "audience"), Resource: text(r, "resource"), ClientAuth: credential.ClientAuth(text(r, "client_auth")),
		},
	}
}

// checkKind looks for what the form's kind needs.
func checkKind(form *views.CredentialForm, has func(name string) bool) {
	need := func(there bool, name, sentence string) {
		if !there {
			form.Errors[name] = sentence
		}
	}
	switch form.Kind {
	case views.KindStatic:
		form.OAuth = credential.OAuth{}
		sentence := "Paste the secret."
		if form.ID != "" {
			sentence = "Paste the new secret."
		}
		need(has("secret"), "secret", sentence)
		return
	case string(credential.ClientCredentials):
		need(has("client_secret"), "client_secret", "Paste the client secret.")
	case string(credential.RefreshToken):
		need(has("refresh_token"), "refresh_token", "Paste the refresh token.")
	default:
		form.Errors["kind"] = "Choose how it is renewed."
		return
	}
	form.OAuth.Grant = credential.Grant(form.Kind)
	need(form.OAuth.TokenURL != "", "token_url", "Give the address of the token endpoint.")
	need(form.OAuth.ClientID != "", "client_id", "Give the client ID.")
}

// blame tells which field of a form a refusal of the vault is about.
func blame(message string, form views.CredentialForm) string {
	for prefix, field := range map[string]string{
		"A host": "hosts", "The secret": "secret", "The token address": "token_url", "The client ID": "client_id", "The client secret": "client_secret",
		"The refresh token": "refresh_token", "A scope": "scope", "The audience": "audience", "The resource": "resource", "The client authentication": "client_auth",
	} {
		if strings.HasPrefix(message, prefix) && (field != "secret" || form.Kind == views.KindStatic) {
			return field
		}
	}
	return ""
}

// putCredential seals what was pasted, unless the form is wrong or the token
// endpoint refuses.
func (s *Server) putCredential(w http.ResponseWriter, r *http.Request, v team.Viewer, form views.CredentialForm, typ string) error {
	checkKind(&form, func(name string) bool { return r.PostForm.Get(name) != "" })
	if form.Errors.Any() {
		return s.showCredentialForm(w, r, v, http.StatusUnprocessableEntity, form)
	}
	secret := func(name string) credential.Secret { return credential.NewSecret(r.PostForm.Get(name)) }
	_, err := s.Vault.PutEntry(r.Context(), v, vault.Entry{
		Name: form.Name, Type: typ, Hosts: words(form.Hosts), Secret: secret("secret"),
		OAuth: form.OAuth, ClientSecret: secret("client_secret"), RefreshToken: secret("refresh_token"),
	})
	if k := fault.Of(err); k == fault.Invalid || k == fault.Conflict || k == fault.Unavailable {
		field := ""
		if k == fault.Invalid {
			field = blame(fault.Message(err), form)
		}
		for _, name := range []string{"secret", "client_secret", "refresh_token"} {
			if form.OAuth.Grant != credential.Static && !secret(name).Empty() {
				form.Errors[name] = "Paste it again. It is not kept while something else is wrong."
			}
		}
		form.Errors[field] = fault.Message(err)
		return s.showCredentialForm(w, r, v, k.Status(), form)
	}
	if err != nil {
		return err
	}
	return see(w, r, "/vault")
}
