package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/lookup"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// catalogueRows is how many actions a page lists.
const catalogueRows = 50

// catalogue is the index of all built-in actions, made when the first page asks.
type catalogue struct {
	once  sync.Once
	index *lookup.Index
}

func (c *catalogue) get() *lookup.Index {
	c.once.Do(func() { c.index = lookup.New(connectors.Types()) })
	return c.index
}

// catalogueOf is what there is for a team: the built-in types and its own.
func (s *Server) catalogueOf(ctx context.Context, v team.Viewer) (*lookup.Index, connectors.Own, error) {
	own, err := s.Gateways.Own(ctx, v.Team.ID)
	if err != nil {
		return nil, nil, err
	}
	return s.known.get().With(own), own, nil
}

// catalogueFilter reads a filter from an address. It fails with fault.Invalid.
func catalogueFilter(q url.Values, known *lookup.Index) (find lookup.Query, kept url.Values, err error) {
	kept = url.Values{}
	for _, name := range []string{"q", "type", "class", "risk", "show"} {
		if v := strings.TrimSpace(q.Get(name)); v != "" {
			kept.Set(name, v)
		}
	}
	find = lookup.Query{Words: kept.Get("q"), Type: kept.Get("type")}
	if _, ok := known.Type(find.Type); find.Type != "" && !ok {
		return find, kept, fault.New(fault.Invalid, "There is no such connector to filter by.", nil)
	}
	if v := kept.Get("class"); v != "" {
		find.Class = new(action.Class)
		if err := find.Class.UnmarshalText([]byte(v)); err != nil {
			return find, kept, err
		}
	}
	if v := kept.Get("risk"); v != "" {
		find.Risk = new(action.Risk)
		if err := find.Risk.UnmarshalText([]byte(v)); err != nil {
			return find, kept, err
		}
	}
	if v := kept.Get("show"); v != "" && v != "all" {
		return find, kept, fault.New(fault.Invalid, "What can be shown is all.", nil)
	}
	return find, kept, nil
}

// catalogue lists the connectors, or the actions that a filter finds; to a
// script the part of the page that changes while somebody types.
func (s *Server) catalogue(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	known, _, err := s.catalogueOf(r.Context(), v)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	find, kept, err := catalogueFilter(q, known)
	if err != nil {
		return err
	}
	c := views.Catalogue{
		Total: known.Len(), Listing: len(kept) > 0,
		Filter: views.CatalogueFilter{Text: kept.Get("q"), Type: kept.Get("type"), Class: kept.Get("class"), Risk: kept.Get("risk")},
	}
	for _, t := range known.Types() {
		c.Choices = append(c.Choices, views.Option{Value: t.Name, Text: t.Title})
	}
	if c.Listing {
		err = list(&c, known.Find(find), kept, q.Get("page"))
	} else {
		c.Types, err = s.catalogueTypes(r.Context(), v, known)
	}
	if err != nil {
		return err
	}
	if byHTMX(r) {
		w.Header().Set("HX-Replace-Url", address("/connectors", kept))
		return render(w, r, http.StatusOK, views.CatalogueBody(c))
	}
	f, err := s.frame(r, v, "connectors", "Connectors")
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.CataloguePage(f, c))
}

// list cuts a page out of what was found. It fails with fault.Invalid where
// there is no such page.
func list(c *views.Catalogue, found []*lookup.Action, kept url.Values, at string) error {
	n := 1
	if at != "" {
		var err error
		if n, err = strconv.Atoi(at); err != nil || n < 1 || n > 1+len(found)/catalogueRows {
			return fault.New(fault.Invalid, "There is no such page. Go back to the first.", err)
		}
	}
	from := (n - 1) * catalogueRows
	c.Count, c.From, c.Found = len(found), from+1, found[from:min(from+catalogueRows, len(found))]
	page := func(n int) string {
		q := url.Values{}
		for k, vs := range kept {
			q[k] = vs
		}
		if n > 1 {
			q.Set("page", strconv.Itoa(n))
		}
		return q.Encode()
	}
	c.Query = page(n)
	if n > 1 {
		c.Previous = "/connectors?" + page(n-1)
	}
	if from+catalogueRows < len(found) {
		c.Next = "/connectors?" + page(n+1)
	}
	return nil
}

// catalogueTypes says of each type which of the team's gateways use it.
func (s *Server) catalogueTypes(ctx context.Context, v team.Viewer, known *lookup.Index) ([]views.CatalogueType, error) {
	gs, err := s.Gateways.List(ctx, v.Team.ID)
	if err != nil {
		return nil, err
	}
	cs, err := s.Gateways.Connectors(ctx, v.Team.ID)
	if err != nil {
		return nil, err
	}
	using := map[string][]views.Link{}
	for _, g := range gs {
		link := views.Link{Text: g.Name, URL: "/gateways/" + url.PathEscape(g.ID)}
		for _, c := range cs {
			if c.GatewayID == g.ID && !slices.Contains(using[c.Type], link) {
				using[c.Type] = append(using[c.Type], link)
			}
		}
	}
	var all []views.CatalogueType
	for _, t := range known.Types() {
		all = append(all, views.CatalogueType{Type: t, Gateways: using[t.Name]})
	}
	return all, nil
}

// catalogueAction is one action, with a way back to where it was found.
func (s *Server) catalogueAction(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	known, _, err := s.catalogueOf(r.Context(), v)
	if err != nil {
		return err
	}
	a := known.Action(r.PathValue("type"), r.PathValue("action"))
	if a == nil {
		return fault.New(fault.NotFound, "No connector has an action of that name.", nil)
	}
	_, kept, err := catalogueFilter(r.URL.Query(), known)
	if err != nil {
		return err
	}
	if at, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && at > 1 {
		kept.Set("page", strconv.Itoa(at))
	}
	f, err := s.frame(r, v, "connectors", a.Operation.Action)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.CatalogueActionPage(f, views.CatalogueAction{Action: a, BackURL: address("/connectors", kept)}))
}
