package web

import (
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) vault(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	f, err := s.frame(r, v, "vault", "Vault")
	if err != nil {
		return err
	}
	lines, err := s.credentialLines(r, v)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.VaultPage(f, lines, v.May(team.Manage), nil))
}

// credentialLines is the vault, and which connectors use what.
func (s *Server) credentialLines(r *http.Request, v team.Viewer) ([]views.CredentialLine, error) {
	cs, err := s.Vault.List(r.Context(), v.Team.ID)
	if err != nil || len(cs) == 0 {
		return nil, err
	}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return nil, err
	}
	used := map[string][]views.Link{}
	for _, g := range gs {
		connected, err := s.Gateways.Configuration(r.Context(), v.Team.ID, g.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range connected {
			used[c.CredentialID] = append(used[c.CredentialID], views.Link{Text: g.Name + "/" + c.Name, URL: "/gateways/" + g.ID})
		}
	}
	lines := make([]views.CredentialLine, len(cs))
	for i, c := range cs {
		lines[i] = views.CredentialLine{Credential: c, UsedBy: used[c.ID]}
	}
	return lines, nil
}

// credentialOf is the credential that an address names. It fails with fault.NotFound.
func (s *Server) credentialOf(r *http.Request, v team.Viewer) (views.CredentialLine, error) {
	lines, err := s.credentialLines(r, v)
	for _, l := range lines {
		if l.ID == r.PathValue("id") {
			return l, nil
		}
	}
	if err == nil {
		err = fault.New(fault.NotFound, "There is no such credential.", nil)
	}
	return views.CredentialLine{}, err
}

func (s *Server) showCredentialForm(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, form views.CredentialForm) error {
	f, err := s.frame(r, v, "vault", "Vault")
	if err != nil {
		return err
	}
	f.Narrow = true
	for _, t := range connectors.Types() {
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
	form := views.CredentialForm{Name: text(r, "name"), Type: text(r, "type"), Hosts: text(r, "hosts"), Errors: views.Errors{}}
	if err := fleet.CheckName(form.Name); err != nil {
		form.Errors["name"] = fault.Message(err)
	}
	if connectors.TypeNamed(form.Type) == nil {
		form.Errors["type"] = "Choose what the credential is for."
	}
	if r.PostForm.Get("secret") == "" {
		form.Errors["secret"] = "Paste the secret."
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

// putCredential seals what was pasted, unless the form is wrong.
func (s *Server) putCredential(w http.ResponseWriter, r *http.Request, v team.Viewer, form views.CredentialForm, typ string) error {
	if form.Errors.Any() {
		return s.showCredentialForm(w, r, v, http.StatusUnprocessableEntity, form)
	}
	_, err := s.Vault.Put(r.Context(), v, form.Name, typ, words(form.Hosts), credential.NewSecret(r.PostForm.Get("secret")))
	if k := fault.Of(err); k == fault.Invalid || k == fault.Conflict {
		field := "secret"
		switch {
		case k == fault.Conflict:
			field = ""
		case strings.HasPrefix(fault.Message(err), "A host"):
			field = "hosts"
		}
		form.Errors[field] = fault.Message(err)
		return s.showCredentialForm(w, r, v, k.Status(), form)
	}
	if err != nil {
		return err
	}
	return see(w, r, "/vault")
}

func (s *Server) rotateForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	c, err := s.credentialOf(r, v)
	if err != nil {
		return err
	}
	return s.showCredentialForm(w, r, v, http.StatusOK, views.CredentialForm{ID: c.ID, Name: c.Name, Hosts: strings.Join(c.Hosts, " ")})
}

func (s *Server) rotate(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	c, err := s.credentialOf(r, v)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	form := views.CredentialForm{ID: c.ID, Name: c.Name, Hosts: text(r, "hosts"), Errors: views.Errors{}}
	if r.PostForm.Get("secret") == "" {
		form.Errors["secret"] = "Paste the new secret."
	}
	return s.putCredential(w, r, v, form, c.Type)
}

func (s *Server) deleteCredentialForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showDeleteCredential(w, r, v, http.StatusOK, nil)
}

func (s *Server) showDeleteCredential(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, errs views.Errors) error {
	c, err := s.credentialOf(r, v)
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "vault", "Vault")
	if err != nil {
		return err
	}
	f.Narrow = true
	return render(w, r, status, views.CredentialDeletePage(f, c, errs))
}

func (s *Server) deleteCredential(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	err := s.Vault.Delete(r.Context(), v, r.PathValue("id"))
	if k := fault.Of(err); k == fault.Conflict {
		return s.showDeleteCredential(w, r, v, k.Status(), views.Errors{"": fault.Message(err)})
	}
	if err != nil {
		return err
	}
	return see(w, r, "/vault")
}
