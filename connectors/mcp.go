package connectors

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/jsonrpc"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

var mcp = &Type{
	Name:      "mcp",
	Title:     "MCP server",
	Docs:      "https://modelcontextprotocol.io/specification/2025-11-25",
	Wildcards: true,
	Styles:    anyStyle,
	Hint:      Hint{Label: "Access token", Placeholder: "the token", Help: "The token that the MCP server wants to see, if any. Leave it out for a server that is open to all."},
	Headers:   carriers,
	Queries:   carrierQueries,
	service:   newMCPService(),
}

// mcpService names the requests of the Model Context Protocol over HTTP, on
// whatever path the server has chosen.
type mcpService struct {
	requests      map[string]*mcpRow // by their JSON-RPC method
	notifications map[string]*mcpRow
	response      *mcpRow
	get, end      *mcpRow // of the transport itself
	all           []*mcpRow
}

const mcpToolsList = "tools/list"

func newMCPService() *mcpService {
	s := &mcpService{requests: map[string]*mcpRow{}, notifications: map[string]*mcpRow{}}
	for _, r := range mcpRequests {
		s.requests[r.method] = &r
		s.all = append(s.all, &r)
	}
	for _, method := range mcpNotifications {
		s.notifications[method] = &mcpNotification
	}
	s.response, s.get, s.end = &mcpResponse, &mcpStream, &mcpEnd
	s.all = append(s.all, &mcpNotification, &mcpResponse, &mcpStream, &mcpEnd)
	return s
}

func (s *mcpService) operations() []Operation {
	ops := []Operation{
		{Action: mcpOther.Name, Class: mcpOther.Class, Risk: mcpOther.Risk, Reversible: true, Title: "read something else of the MCP server"},
		{Action: mcpUnknown.Name, Title: "do something that the connector does not know"},
	}
	for _, r := range s.all {
		op := Operation{Action: r.name, Class: r.class, Risk: r.risk, Title: r.title, Reversible: r.reversible, Forms: r.forms()}
		if r.param != "" {
			op.Params = append(op.Params, r.param)
		}
		if r.arguments {
			op.Params = append(op.Params, mcpArgument("*"))
		}
		ops = append(ops, op)
	}
	slices.SortFunc(ops, func(a, b Operation) int { return strings.Compare(a.Action, b.Action) })
	return ops
}

func (s *mcpService) needs(r Request) Need {
	if upper(r.Method) == "POST" {
		return NeedAll
	}
	return NeedNothing
}

func (s *mcpService) read(r Request) (action.Action, error) {
	method, err := r.method()
	if err != nil {
		return action.Action{}, err
	}
	if _, odd := httpPath(r.Path); odd&brokenPath != 0 {
		return action.Action{}, fault.New(fault.Invalid, odd.sentence(), nil)
	}
	switch {
	case r.upgrades(): // whatever it reads, anything may be sent afterwards
	case method == "POST":
		b, ok := s.messages(r)
		if !ok {
			return mcpAnything(), nil
		}
		if err := s.mirrored(r.Header, b); err != nil {
			return action.Action{}, err
		}
		return s.batch(b), nil
	case method == "DELETE" && len(r.Header[mcpSession]) > 0:
		return s.end.named(), nil
	case method == "GET" && mcpListens(r.Header["Accept"]):
		return s.get.named(), nil
	case method == "GET", method == "HEAD":
		return mcpOther, nil
	}
	return mcpAnything(), nil
}

const mcpSession = "Mcp-Session-Id"

func mcpListens(accept []string) bool {
	return slices.ContainsFunc(accept, func(value string) bool { return strings.Contains(strings.ToLower(value), "text/event-stream") })
}

// messages reads the body. It reports false where that is hidden, or no
// JSON-RPC that everybody would read in one way.
func (s *mcpService) messages(r Request) (jsonrpc.Batch, bool) {
	data, ok := mcpBody(r)
	if !ok {
		return jsonrpc.Batch{}, false
	}
	b, err := jsonrpc.Read(data)
	return b, err == nil
}

// mcpBody is the body where it is JSON as far as its headers say. Some servers
// do not look at the content type, so neither does this.
func mcpBody(r Request) ([]byte, bool) {
	if !r.Body.whole {
		return nil, false
	}
	for _, v := range r.Header["Content-Encoding"] {
		if !r.Body.decoded && !strings.EqualFold(strings.TrimSpace(v), "identity") {
			return nil, false
		}
	}
	kind, _, ok := (readsJSON | anyType).kind(r.Header["Content-Type"])
	return r.Body.data, ok && kind == readsJSON
}

// batch names all messages of one request.
func (s *mcpService) batch(b jsonrpc.Batch) action.Action {
	all := make([]action.Action, 0, len(b.Messages))
	for _, m := range b.Messages {
		row := s.row(m)
		if row == nil {
			return mcpAnything()
		}
		all = append(all, row.act(m))
	}
	t := action.Together(all)
	if len(all) > 1 && t.Name == mcpCall {
		mcpEveryTool(&t, all)
	}
	return t
}

// mcpEveryTool says of a batch which tools it calls, so that rules can look at
// each of them: what else there is in the batch is an alternative, of which
// nothing is known.
func mcpEveryTool(t *action.Action, all []action.Action) {
	var tools []string
	for _, a := range all {
		if a.Name != mcpCall {
			continue
		}
		tool, known := a.Params[mcpTool].(string)
		if !known || slices.Contains(a.Unknown, "*") {
			return
		}
		tools = appendNew(tools, tool)
	}
	if t.Params == nil {
		t.Params = map[string]any{}
	}
	known := []string{mcpTool}
	if len(tools) == 1 {
		t.Resource, t.Params[mcpTool] = tools[0], tools[0]
		known = append(known, "resource")
	} else {
		t.Params[mcpTool] = tools
	}
	t.Unknown = slices.DeleteFunc(t.Unknown, func(name string) bool { return slices.Contains(known, name) })
}

func (s *mcpService) row(m jsonrpc.Message) *mcpRow {
	switch m.Kind {
	case jsonrpc.Request:
		return s.requests[m.Method]
	case jsonrpc.Notification:
		return s.notifications[m.Method]
	case jsonrpc.Response:
		return s.response
	}
	return nil
}

func (s *mcpService) style(_, _ string, configured credential.Style) (credential.Style, string) {
	return configured, ""
}

func (s *mcpService) sentence(a action.Action) (title string, ok bool) {
	for _, op := range s.operations() {
		if op.Action == a.Name {
			return op.Title, true
		}
	}
	return "", false
}

func (s *mcpService) dummyPrefix() string { return "mcp-" }

// mcpDenied is the code of the errors in which refusals are told. Of the range
// that JSON-RPC leaves to servers, clients print any.
const mcpDenied = -32001

// refusal is the error that answers every request in the body. The SDKs take
// no member in it that JSON-RPC does not have, so the problem is its data.
func (s *mcpService) refusal(r Request, p Problem) Reply {
	if upper(r.Method) != "POST" {
		return p.generic()
	}
	b, _ := s.messages(r) // none: an error that answers nothing
	return Reply{ContentType: "application/json", Body: jsonrpc.ErrorReply(b, mcpDenied, "TameFlare: "+p.sentence(), p)}
}

// textOf is a value that can be a resource.
func textOf(v body.Value) (string, bool) {
	return v.Text, v.Kind == body.String && v.Text != "" && len(v.Text) <= maxText
}
