package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

const (
	trafficRows = 50
	trafficNews = 100 // as far as new requests are counted
)

// filterNames are the parameters that make a filter, in the order of the page.
var filterNames = []string{"q", "decision", "gateway", "since", "alert", "host", "action", "method", "run"}

// periods are the stretches of time that can be chosen.
var periods = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour}

// readFilter reads a filter from an address. It fails with fault.Invalid.
func (s *Server) readFilter(q url.Values) (audit.Filter, views.TrafficFilter, url.Values, error) {
	kept := url.Values{}
	for _, name := range filterNames {
		if v := q.Get(name); v != "" {
			kept.Set(name, v)
		}
	}
	f := audit.Filter{
		GatewayID: q.Get("gateway"), Host: q.Get("host"), Action: q.Get("action"), Method: q.Get("method"), Run: q.Get("run"), Text: q.Get("q"), Alert: q.Get("alert"),
	}
	shown := views.TrafficFilter{Text: f.Text, Decision: q.Get("decision"), Gateway: f.GatewayID, Since: q.Get("since"), Alert: f.Alert}
	switch shown.Decision {
	case "", "allow", "deny", "require_approval":
		f.Decision = shown.Decision
	case "killed":
		f.Killed = true
	case "flagged":
		f.Flagged = true
	default:
		return f, shown, kept, fault.New(fault.Invalid, "There is no such decision to filter by.", nil)
	}
	if f.Alert != "" && f.Alert != audit.AnyAlert && !slices.Contains(audit.Alerts(), f.Alert) {
		return f, shown, kept, fault.New(fault.Invalid, "There is no such alert to filter by.", nil)
	}
	if shown.Since != "" {
		d, ok := periods[shown.Since]
		if !ok {
			return f, shown, kept, fault.New(fault.Invalid, "The time to look at is 1h, 24h or 7d.", nil)
		}
		f.Since = s.Now().Add(-d)
	}
	for _, name := range []string{"host", "action", "method", "run"} {
		if v := q.Get(name); v != "" {
			without := url.Values{}
			for k, vs := range kept {
				if k != name {
					without[k] = vs
				}
			}
			shown.Chips = append(shown.Chips, views.Link{Text: name + ": " + v, URL: address("/traffic", without)})
		}
	}
	return f, shown, kept, nil
}

func (s *Server) traffic(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showTraffic(w, r, v, nil)
}

func (s *Server) showTraffic(w http.ResponseWriter, r *http.Request, v team.Viewer, selected *views.TrafficDetail) error {
	q := r.URL.Query()
	filter, shown, kept, err := s.readFilter(q)
	if err != nil {
		return err
	}
	at, err := page.Parse(q.Get("after"))
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "traffic", "Traffic")
	if err != nil {
		return err
	}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	rows, next, err := s.Trail.Requests(r.Context(), v.Team.ID, filter, at, trafficRows)
	if err != nil {
		return err
	}
	about(&f, v, chosen(gs, filter.GatewayID)...)
	if selected != nil {
		about(&f, v, chosen(gs, selected.GatewayID)...)
	}
	t := views.Traffic{Rows: rows, Filter: shown, Gateways: gatewayOptions(gs), Names: gatewayNames(gs), Selected: selected}
	link := url.Values{}
	for k, vs := range kept {
		link[k] = vs
	}
	if !at.IsZero() {
		link.Set("after", at.String())
	}
	t.Query = link.Encode()
	if at.IsZero() { // an older page has no news
		var top page.Cursor
		if len(rows) > 0 {
			top = page.Cursor{Time: rows[0].Time, ID: rows[0].ID}
		}
		t.NewsURL = newsAddress(kept, top)
		f.Topics = "traffic"
	}
	if selected != nil {
		selected.CloseURL = address("/traffic", link)
	}
	t.Newest, t.Older = pages("/traffic", kept, at, next)
	return render(w, r, http.StatusOK, views.TrafficPage(f, t))
}

func newsAddress(kept url.Values, top page.Cursor) string {
	q := url.Values{}
	for k, vs := range kept {
		q[k] = vs
	}
	if !top.IsZero() {
		q.Set("top", top.String())
	}
	return address("/traffic/news", q)
}

// trafficNews counts what is newer than the top of an open page.
func (s *Server) trafficNews(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	q := r.URL.Query()
	filter, _, kept, err := s.readFilter(q)
	if err != nil {
		return err
	}
	top, err := page.Parse(q.Get("top"))
	if err != nil {
		return err
	}
	if top.Time.After(filter.Since) {
		filter.Since = top.Time
	}
	rows, _, err := s.Trail.Requests(r.Context(), v.Team.ID, filter, page.Cursor{}, trafficNews)
	if err != nil {
		return err
	}
	n := 0
	for _, row := range rows {
		if row.Time.After(top.Time) || row.Time.Equal(top.Time) && row.ID > top.ID {
			n++
		}
	}
	if n > 0 && top.IsZero() {
		w.Header().Set("HX-Refresh", "true") // the page has been empty: nothing jumps when its first rows come
	}
	return render(w, r, http.StatusOK, views.TrafficNews(newsAddress(kept, top), address("/traffic", kept), n))
}

// trafficDetail is one request beside the list that it was found in.
func (s *Server) trafficDetail(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	req, err := s.Trail.Request(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	d := views.TrafficDetail{Request: req}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	d.Gateway = gatewayNames(gs)[req.GatewayID]
	switch {
	case req.Credential == audit.ClientsOwn:
		d.Credential = audit.ClientsOwn
	case req.Credential != "":
		cs, err := s.Vault.List(r.Context(), v.Team.ID)
		if err != nil {
			return err
		}
		d.Credential = "deleted since"
		for _, c := range cs {
			if c.ID == req.Credential {
				d.Credential = c.Name
			}
		}
	}
	rules, err := s.ruleTexts(r.Context(), v, req.GatewayID)
	if err != nil {
		return err
	}
	d.Rule = rules[req.RuleID]
	names, err := s.named(r.Context(), v, rules)
	if err != nil {
		return err
	}
	decision, why := recorded(req)
	d.Why = names.why(why, decision)
	return s.showTraffic(w, r, v, &d)
}

// ruleTexts says of a gateway's access rules what they say, by their IDs.
func (s *Server) ruleTexts(ctx context.Context, v team.Viewer, gatewayID string) (map[string]string, error) {
	cs, err := s.Gateways.Configuration(ctx, v.Team.ID, gatewayID)
	if err != nil && fault.Of(err) != fault.NotFound {
		return nil, err
	}
	texts := map[string]string{}
	for _, c := range cs {
		for _, rule := range c.Rules {
			texts[rule.ID] = ruleText(rule)
		}
	}
	return texts, nil
}
