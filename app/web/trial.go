package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/curl"
	"github.com/tameflare/tameflare/connectors/lookup"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// trialForm takes a curl command.
func (s *Server) trialForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showTrial(w, r, v, http.StatusOK, views.Trial{Gateway: r.URL.Query().Get("gateway")})
}

// trial says what a pasted command would do. Nothing is sent, and nothing of
// the text is kept: it may hold keys, and so no answer and no error repeats it.
func (s *Server) trial(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	t := views.Trial{Gateway: text(r, "gateway")}
	known, own, err := s.catalogueOf(r.Context(), v)
	if err != nil {
		return err
	}
	at := naming(own)
	if t.Gateway != "" {
		if at, err = s.judge(r.Context(), v, t.Gateway); err != nil {
			return err
		}
	}
	command, err := curl.Parse(r.PostForm.Get("command"))
	if fault.Of(err) == fault.Invalid {
		t.Error = fault.Message(err)
		return s.showTrial(w, r, v, http.StatusUnprocessableEntity, t)
	}
	if err != nil {
		return err
	}
	answer := explain(command, at, known, s.Now())
	t.Answer = &answer
	return s.showTrial(w, r, v, http.StatusOK, t)
}

func (s *Server) showTrial(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, t views.Trial) error {
	if byHTMX(r) {
		return render(w, r, status, views.TrialResult(t))
	}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	for _, g := range gs {
		if g.Status == fleet.Active {
			t.Gateways = append(t.Gateways, views.Option{Value: g.ID, Text: g.Name})
		}
	}
	f, err := s.frame(r, v, "connectors", "Paste a curl command")
	if err != nil {
		return err
	}
	f.Narrow = true
	about(&f, v, chosen(gs, t.Gateway)...)
	return render(w, r, status, views.TrialPage(f, t))
}

// explain says what the request of a command would do, and what at decides
// about it where it is a gateway's.
func explain(command curl.Request, at *judging, known *lookup.Index, now time.Time) views.TrialAnswer {
	r, err := command.Connectors()
	if err != nil {
		return malformed(views.TrialAnswer{Method: command.Method, Notes: command.Notes, Body: bodyText(command)}, err)
	}
	out := shown(command, r, at.set.For(r.Host))
	q, c, err := command.Question(at.set)
	if err != nil {
		return malformed(out, err)
	}
	facts(&out, q.Action, c, known)
	if c == nil {
		out.Nobody = true
	}
	if at.Judge != nil {
		q.Time = now
		out.Decision = at.decide(q, r, c)
	}
	return out
}

// facts says what a is, where c names it; nil for no connector.
func facts(out *views.TrialAnswer, a action.Action, c *connectors.Connector, known *lookup.Index) {
	out.Sentence = connectors.Sentence(a)
	if c != nil {
		out.Connector, out.Sentence = c.Type().Title, c.Sentence(a)
		if c.Name() != c.Type().Name {
			out.Connector += ", " + c.Name()
		}
	}
	out.Action, out.Params = a, trialParams(a)
	if word, _, _ := strings.Cut(a.Name, "."); known.Action(word, a.Name) != nil {
		out.URL = "/connectors/" + url.PathEscape(word) + "/" + url.PathEscape(a.Name)
	}
}

// malformed is the answer about a request that no gateway takes, whatever its
// rules.
func malformed(out views.TrialAnswer, err error) views.TrialAnswer {
	out.Malformed = fault.Message(err)
	return out
}

// shown is the request without what may be a key: of headers and query only
// names, and no carrier of a credential.
func shown(command curl.Request, r connectors.Request, c *connectors.Connector) views.TrialAnswer {
	h, u := r.Header.Clone(), url.URL{RawQuery: r.RawQuery}
	if h == nil {
		h = http.Header{}
	}
	before, queryBefore := len(h), u.RawQuery
	if c != nil {
		c.Strip(h, &u)
	}
	if plain, err := connectors.New(connectors.Config{Type: "http", Hosts: []string{r.Host}}); err == nil {
		plain.Strip(h, &u)
	}
	out := views.TrialAnswer{
		Method: r.Method, Host: r.Host, Path: r.Path, Notes: command.Notes, Body: bodyText(command),
		Headers: slices.Sorted(maps.Keys(h)), Left: len(h) != before || u.RawQuery != queryBefore,
	}
	for piece := range strings.SplitSeq(u.RawQuery, "&") {
		if name, _, _ := strings.Cut(piece, "="); name != "" && !slices.Contains(out.Parameters, name) {
			out.Parameters = append(out.Parameters, name)
		}
	}
	return out
}

func bodyText(command curl.Request) string {
	switch n := len(command.Body); {
	case command.Unread:
		return "Not here, so what is in it is unknown"
	case n == 0:
		return "None"
	case n == 1:
		return "1 byte"
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}

// trialParams are the resource and the parameters, those that the request
// hides too.
func trialParams(a action.Action) []views.TrialParam {
	var all []views.TrialParam
	hidden := func(name string) bool { return slices.Contains(a.Unknown, name) }
	switch {
	case hidden("*"):
		all = append(all, views.TrialParam{Name: "Everything else", Unknown: true})
	case hidden("resource"):
		all = append(all, views.TrialParam{Name: "Resource", Unknown: true})
	}
	if a.Resource != "" {
		all = append(all, views.TrialParam{Name: "Resource", Value: a.Resource})
	}
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		all = append(all, views.TrialParam{Name: name, Value: valueText(a.Params[name])})
	}
	for _, name := range a.Unknown {
		if name != "*" && name != "resource" {
			all = append(all, views.TrialParam{Name: name, Unknown: true})
		}
	}
	return all
}

// valueText writes a parameter's value as a rule compares it.
func valueText(value any) string {
	switch v := value.(type) {
	case string:
		return strings.ToValidUTF8(v, string(utf8.RuneError))
	case []string:
		return strings.Join(v, ", ")
	}
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return cmp.Or(string(b), "–")
}
