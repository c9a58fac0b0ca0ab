package web

import (
	"net/http"
	"slices"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// findConnector returns what is configured for a gateway, and which of it is
// called name. It fails with fault.NotFound.
func (s *Server) findConnector(r *http.Request, v team.Viewer, g fleet.Gateway, name string) ([]gateways.Connector, int, error) {
	cs, err := s.Gateways.Configuration(r.Context(), v.Team.ID, g.ID)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(cs, func(c gateways.Connector) bool { return c.Name == name })
	if i < 0 {
		return nil, 0, fault.New(fault.NotFound, "There is no such connector. Somebody may have removed it already.", nil)
	}
	return cs, i, nil
}

func (s *Server) clientKeyForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	cs, i, err := s.findConnector(r, v, g, r.URL.Query().Get("name"))
	if err != nil {
		return err
	}
	return s.showClientKeyForm(w, r, v, http.StatusOK, views.ClientKeyForm{Gateway: g, Connector: cs[i].Name, ClientKey: cs[i].ClientKey.String()})
}

func (s *Server) showClientKeyForm(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, form views.ClientKeyForm) error {
	f, err := s.frame(r, v, "gateways", "Set up a gateway")
	if err != nil {
		return err
	}
	about(&f, v, form.Gateway)
	f.Narrow = true
	return render(w, r, status, views.ClientKeyPage(f, form))
}

// setClientKey says what becomes of a key that a client brings to a connector.
func (s *Server) setClientKey(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	cs, i, err := s.findConnector(r, v, g, text(r, "name"))
	if err != nil {
		return err
	}
	form := views.ClientKeyForm{Gateway: g, Connector: cs[i].Name, ClientKey: text(r, "client_key")}
	key, err := readClientKey(form.ClientKey)
	if err != nil {
		form.Errors = views.Errors{"client_key": fault.Message(err)}
		return s.showClientKeyForm(w, r, v, http.StatusUnprocessableEntity, form)
	}
	cs[i].ClientKey = key
	if err := s.Gateways.Configure(r.Context(), v, g.ID, cs); err != nil {
		return err
	}
	return see(w, r, "/gateways/"+g.ID+"/setup/connectors")
}

// readClientKey reads a choice. No choice is the usual one.
func readClientKey(word string) (credential.ClientKey, error) {
	var k credential.ClientKey
	err := k.UnmarshalText([]byte(word))
	return k, err
}
