package connectors

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

var anyStyle = []credential.Kind{credential.Bearer, credential.Token, credential.Basic, credential.Header, credential.Query}

var generic = &Type{
	Name:      "http",
	Title:     "Generic HTTP",
	Docs:      "https://www.rfc-editor.org/rfc/rfc9110#section-9",
	Wildcards: true,
	Styles:    anyStyle,
	Hint:      Hint{Label: "API key or token", Placeholder: "the key", Help: "The key of the service at these hosts. For basic authentication, write user:password."},
	Headers:   carriers,
	Queries:   carrierQueries,
	Meaning:   []string{"Destination", "Depth", "Overwrite", "If", "If-Match", "If-None-Match", "Cookie"},
	service:   newHTTPService("http"),
}

var webhook = &Type{
	Name:      "webhook",
	Title:     "Webhook",
	Docs:      "https://www.rfc-editor.org/rfc/rfc9110#section-9",
	Wildcards: true,
	Styles:    anyStyle,
	Hint:      Hint{Label: "Signing token or key", Placeholder: "the key", Help: "What the receiver wants to see with each delivery, if anything."},
	Headers:   carriers,
	Queries:   carrierQueries,
	Meaning:   []string{"Cookie"},
	service:   newHTTPService("webhook"),
}

// httpService names requests by their method alone, for services that nobody
// has described.
type httpService struct {
	methods            []httpRow
	websocket, unknown httpRow
}

type httpRow struct {
	method string
	action.Action
	title string
}

func newHTTPService(name string) httpService {
	row := func(method string, class action.Class, risk action.Risk, title string) httpRow {
		return httpRow{method, action.Action{Name: name + "." + strings.ToLower(method), Class: class, Risk: risk, Reversible: class == action.Read}, title}
	}
	return httpService{methods: []httpRow{
		row("GET", action.Read, action.Low, "read {resource}"),
		row("HEAD", action.Read, action.Low, "see whether {resource} is there"),
		row("OPTIONS", action.Read, action.Low, "ask what {resource} accepts"),
		row("POST", action.Write, action.Medium, "send to {resource}"),
		row("PUT", action.Write, action.Medium, "write {resource}"),
		row("PATCH", action.Write, action.Medium, "change {resource}"),
		row("DELETE", action.Delete, action.High, "delete {resource}"),
	},
		websocket: row("WEBSOCKET", action.Write, action.Medium, "open a WebSocket to {resource}"),
		unknown:   row("UNKNOWN", action.Admin, action.Critical, "use an unusual method on {resource}"),
	}
}

func (s httpService) operations() []Operation {
	var ops []Operation
	add := func(r httpRow, forms ...Form) {
		ops = append(ops, Operation{Action: r.Name, Class: r.Class, Risk: r.Risk, Title: r.title, Reversible: r.Reversible, Forms: forms})
	}
	for _, r := range s.methods {
		add(r, Form{Method: r.method, Path: "/{path...}"})
	}
	add(s.websocket, Form{Method: "GET", Path: "/{path...}", Note: "with an Upgrade header"})
	add(s.unknown)
	slices.SortFunc(ops, func(a, b Operation) int { return strings.Compare(a.Action, b.Action) })
	return ops
}

func (s httpService) needs(Request) Need { return NeedNothing }

func (s httpService) read(r Request) (action.Action, error) {
	method, err := r.method()
	if err != nil {
		return action.Action{}, err
	}
	a := s.unknown.Action
	for _, row := range s.methods {
		if row.method == method {
			a = row.Action
		}
	}
	if r.upgrades() { // whatever it reads, anything may be sent afterwards; or the server may not mind
		plain := action.Alternative{Name: a.Name, Class: a.Class}
		if a = s.unknown.Action; method == "GET" {
			a = s.websocket.Action
		}
		if plain.Name != a.Name {
			a.Or = []action.Alternative{plain}
		}
	}
	path, odd := httpPath(r.Path)
	switch {
	case odd&brokenPath != 0:
		return action.Action{}, fault.New(fault.Invalid, odd.sentence(), nil)
	case odd != 0: // no one resource, since servers differ in how they read it
		a.Unknown = []string{"resource"}
	default:
		a.Resource = r.Host + path
	}
	return a, nil
}

// httpPath returns the one spelling of raw.
func httpPath(raw string) (string, oddity) {
	if raw == "*" { // OPTIONS *
		return "", 0
	}
	var buf [16]string
	segments, odd := splitPath(raw, buf[:0])
	if odd != 0 || strings.IndexByte(raw, '%') < 0 {
		return strings.TrimSuffix(raw, "/"), odd
	}
	return "/" + strings.Join(segments, "/"), 0
}

func (httpService) style(_, _ string, configured credential.Style) (credential.Style, string) {
	return configured, ""
}

func (httpService) refusal(_ Request, p Problem) Reply { return p.generic() }

func (s httpService) sentence(a action.Action) (title string, ok bool) {
	for _, op := range s.operations() {
		if op.Action == a.Name {
			return op.Title, true
		}
	}
	return "", false
}

func (httpService) dummyPrefix() string { return "key-" }

// Unmatched says what a request does whose host no connector answers for.
func Unmatched(r Request) action.Action {
	a, err := generic.service.read(r)
	if err != nil {
		return action.Action{Name: "http.unknown", Unknown: []string{"*"}}
	}
	return a
}
