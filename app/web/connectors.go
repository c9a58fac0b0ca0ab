package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) connectorForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	asked := r.URL.Query().Get("type")
	own, err := s.Gateways.Own(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	typ := own.Named(cmp.Or(asked, "github"))
	if typ == nil {
		return fault.New(fault.NotFound, "There is no such kind of connector.", nil)
	}
	form := views.ConnectorForm{Gateway: g, Type: connectorType(typ), Source: "paste", Style: string(typ.Styles[0]), Header: typ.Usual().Name, CredentialName: credentialName(g.Name, typ.Name), Open: asked != ""}
	return s.showConnectorForm(w, r, v, http.StatusOK, form)
}

// credentialName is a proposal for a new credential.
func credentialName(gateway, connector string) string {
	return gateway[:min(len(gateway), 40)] + "-" + connector
}

func (s *Server) showConnectorForm(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, form views.ConnectorForm) error {
	f, err := s.frame(r, v, "gateways", "Set up a gateway")
	if err != nil {
		return err
	}
	about(&f, v, form.Gateway)
	f.Narrow = true
	if form.Existing, err = s.connectorLines(r.Context(), v, form.Gateway.ID); err != nil {
		return err
	}
	vault, err := s.Vault.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	for _, c := range vault {
		if c.Type == "" || c.Type == form.Type.Name {
			form.Vault = append(form.Vault, views.Option{Value: c.ID, Text: c.Name})
		}
	}
	own, err := s.Gateways.Own(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	for _, t := range own.All() {
		form.Types = append(form.Types, connectorType(t))
	}
	form.Open = form.Open || len(form.Existing) == 0
	return render(w, r, status, views.ConnectorFormPage(f, form))
}

func connectorType(t *connectors.Type) views.ConnectorType {
	ct := views.ConnectorType{
		Name: t.Name, Title: t.Title, Docs: t.Docs, Hosts: t.Hosts,
		SecretLabel: t.Hint.Label, SecretHint: t.Hint.Placeholder, HelpText: t.Hint.Help,
	}
	for _, k := range t.Styles {
		ct.Styles = append(ct.Styles, views.Option{Value: string(k), Text: styleText[k]})
	}
	return ct
}

var styleText = map[credential.Kind]string{
	credential.Bearer: "Authorization: Bearer …",
	credential.Token:  "Authorization: token …",
	credential.Basic:  "Authorization: Basic …, from user:password",
	credential.Header: "A header of its own",
	credential.Query:  "A query parameter",
}

// addConnector adds a connector, and puts a pasted key into the vault. Nothing
// goes into the vault before everything else is known to be right.
func (s *Server) addConnector(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	own, err := s.Gateways.Own(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	typ := own.Named(text(r, "type"))
	if typ == nil {
		return fault.New(fault.Invalid, "Choose a kind of connector.", nil)
	}
	form := views.ConnectorForm{
		Gateway: g, Type: connectorType(typ), Name: text(r, "name"), Hosts: text(r, "hosts"), Private: text(r, "private"),
		Style: text(r, "style"), Header: text(r, "header"), Source: text(r, "source"), Credential: text(r, "credential"),
		CredentialName: text(r, "credential_name"), ClientKey: text(r, "client_key"), Open: true, Errors: views.Errors{},
	}
	secret := credential.NewSecret(r.PostForm.Get("secret"))
	was, err := s.Gateways.Configuration(r.Context(), v.Team.ID, g.ID)
	if err != nil {
		return err
	}
	vault, err := s.Vault.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	c := readConnector(form, typ)
	checkConnector(form.Errors, c, typ, was)
	if c.ClientKey, err = readClientKey(form.ClientKey); err != nil {
		form.Errors["client_key"] = fault.Message(err)
	}
	checkSource(form.Errors, form, secret, vault)
	if form.Source == "vault" {
		c.CredentialID = form.Credential
	}
	if !form.Errors.Any() {
		if _, _, err := gateways.Arrange(g.ID, append(slices.Clone(was), gateways.Connector{Connector: c}), rows(was), vault, own); err != nil {
			form.Errors[""] = fault.Message(err)
		}
	}
	if form.Errors.Any() {
		if form.Source == "paste" && !secret.Empty() && form.Errors["secret"] == "" {
			form.Errors["secret"] = "Paste the key again. It is not kept while something else is wrong."
		}
		return s.showConnectorForm(w, r, v, http.StatusUnprocessableEntity, form)
	}
	if form.Source == "paste" {
		cred, err := s.Vault.Put(r.Context(), v, form.CredentialName, typ.Name, c.Hosts, secret)
		if k := fault.Of(err); k == fault.Invalid || k == fault.Conflict {
			form.Errors["secret"] = fault.Message(err)
			return s.showConnectorForm(w, r, v, k.Status(), form)
		}
		if err != nil {
			return err
		}
		c.CredentialID = cred.ID
	}
	if err := s.Gateways.Configure(r.Context(), v, g.ID, append(was, gateways.Connector{Connector: c})); err != nil {
		return err
	}
	return see(w, r, "/gateways/"+g.ID+"/setup/connectors")
}

func readConnector(form views.ConnectorForm, typ *connectors.Type) fleet.Connector {
	c := fleet.Connector{Type: typ.Name, Name: cmp.Or(form.Name, typ.Name), AuthKind: typ.Styles[0]}
	if len(typ.Hosts) == 0 {
		c.Hosts, c.Private = words(form.Hosts), words(form.Private)
	}
	if len(typ.Styles) > 1 && form.Style != "" {
		c.AuthKind = credential.Kind(form.Style)
	}
	if c.AuthKind == credential.Header || c.AuthKind == credential.Query {
		c.AuthName = form.Header
		if usual := typ.Usual(); c.AuthName == "" && c.AuthKind == usual.Kind {
			c.AuthName = usual.Name
		}
	}
	return c
}

// checkConnector puts a sentence beside each field that is wrong.
func checkConnector(errs views.Errors, c fleet.Connector, typ *connectors.Type, was []gateways.Connector) {
	if err := fleet.CheckName(c.Name); err != nil {
		errs["name"] = fault.Message(err)
	} else if slices.ContainsFunc(was, func(w gateways.Connector) bool { return w.Name == c.Name }) {
		errs["name"] = "There is a connector of this name. Choose another."
	}
	if err := c.Style().Check(); err != nil {
		errs["header"] = fault.Message(err)
	}
	for _, cidr := range c.Private {
		if err := fleet.CheckPrivate(cidr); err != nil {
			errs["private"] = fault.Message(err)
		}
	}
	if len(errs) > 0 {
		return
	}
	if _, err := connectors.New(connectors.Config{Type: c.Type, Own: typ, Name: c.Name, Hosts: c.Hosts, Style: c.Style()}); err != nil {
		errs["hosts"] = fault.Message(err)
	}
}

func checkSource(errs views.Errors, form views.ConnectorForm, secret credential.Secret, vault []fleet.Credential) {
	switch form.Source {
	case "none":
	case "paste":
		if secret.Empty() {
			errs["secret"] = "Paste the key, or choose another source."
		}
		if err := fleet.CheckName(form.CredentialName); err != nil {
			errs["credential_name"] = fault.Message(err)
		} else if slices.ContainsFunc(vault, func(c fleet.Credential) bool { return c.Name == form.CredentialName }) {
			errs["credential_name"] = "There is a credential of this name. Choose it from the vault, or another name."
		}
	case "vault":
		if !slices.ContainsFunc(vault, func(c fleet.Credential) bool { return c.ID == form.Credential }) {
			errs["credential"] = "Choose a credential."
		}
	default:
		errs["source"] = "Say where the credential comes from."
	}
}

func rows(cs []gateways.Connector) []fleet.Connector {
	all := make([]fleet.Connector, len(cs))
	for i, c := range cs {
		all[i] = c.Connector
	}
	return all
}

func (s *Server) removeConnector(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	cs, err := s.Gateways.Configuration(r.Context(), v.Team.ID, g.ID)
	if err != nil {
		return err
	}
	name := text(r, "name")
	left := slices.DeleteFunc(slices.Clone(cs), func(c gateways.Connector) bool { return strings.EqualFold(c.Name, name) })
	if len(left) == len(cs) {
		return fault.New(fault.NotFound, "There is no such connector. Somebody may have removed it already.", nil)
	}
	if err := s.Gateways.Configure(r.Context(), v, g.ID, left); err != nil {
		return err
	}
	return see(w, r, "/gateways/"+g.ID+"/setup/connectors")
}
