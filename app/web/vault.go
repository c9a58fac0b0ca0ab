package web

import (
	"net/http"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) vault(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showVault(w, r, v, http.StatusOK, nil)
}

func (s *Server) showVault(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, errs views.Errors) error {
	f, err := s.frame(r, v, "vault", "Vault")
	if err != nil {
		return err
	}
	lines, err := s.credentialLines(r, v)
	if err != nil {
		return err
	}
	return render(w, r, status, views.VaultPage(f, lines, s.Now(), v.May(team.Manage), errs))
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

// refreshCredential gets a new access token at once, as somebody asked for.
func (s *Server) refreshCredential(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	err := s.Vault.RefreshNow(r.Context(), v, r.PathValue("id"))
	if k := fault.Of(err); k == fault.Invalid || k == fault.Conflict || k == fault.Unavailable {
		return s.showVault(w, r, v, k.Status(), views.Errors{"": fault.Message(err)})
	}
	if err != nil {
		return err
	}
	return see(w, r, "/vault")
}
