package connectors

import (
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/jsonrpc"
	"github.com/tameflare/tameflare/connectors/rawjson"
	"github.com/tameflare/tameflare/domain/action"
)

// mcpRow is one thing that can be asked of an MCP server.
type mcpRow struct {
	method string // in the body; "" where the request itself says it
	name   string
	class  action.Class
	risk   action.Risk
	title  string

	reversible bool
	resource   []string // where in the parameters its name stands
	param      string   // as what rules see it, besides resource
	arguments  bool     // rules see what its arguments are
	mirror     bool     // newer clients write the resource into a header too

	form Form
}

const (
	mcpCall = "mcp.tools.call"
	mcpTool = "tool"
)

const mcpDocs = "https://modelcontextprotocol.io/specification/2025-11-25/"

// mcpRequests are those of every version of the protocol to date.
var mcpRequests = []mcpRow{
	{method: "initialize", name: "mcp.session.initialize", class: action.Read, risk: action.Low, reversible: true, title: "begin a session", form: Form{Docs: "basic/lifecycle"}},
	{method: "ping", name: "mcp.session.ping", class: action.Read, risk: action.Low, reversible: true, title: "see whether the MCP server is there", form: Form{Docs: "basic/utilities/ping"}},
	{method: "server/discover", name: "mcp.server.discover", class: action.Read, risk: action.Low, reversible: true, title: "ask what the MCP server can do"},

	// Nobody but the server knows what a tool does.
	{method: "tools/call", name: mcpCall, class: action.Write, risk: action.Medium, title: "call the tool {resource}", resource: []string{"name"}, param: mcpTool, arguments: true, mirror: true, form: Form{Docs: "server/tools"}},
	{method: mcpToolsList, name: "mcp.tools.list", class: action.Read, risk: action.Low, reversible: true, title: "list the tools", form: Form{Docs: "server/tools"}},

	{method: "resources/list", name: "mcp.resources.list", class: action.Read, risk: action.Low, reversible: true, title: "list the resources", form: Form{Docs: "server/resources"}},
	{method: "resources/templates/list", name: "mcp.resources.templates_list", class: action.Read, risk: action.Low, reversible: true, title: "list the templates of resources", form: Form{Docs: "server/resources"}},
	{method: "resources/read", name: "mcp.resources.read", class: action.Read, risk: action.Low, reversible: true, title: "read the resource {resource}", resource: []string{"uri"}, param: "uri", mirror: true, form: Form{Docs: "server/resources"}},
	{method: "resources/subscribe", name: "mcp.resources.subscribe", class: action.Write, risk: action.Low, reversible: true, title: "subscribe to the resource {resource}", resource: []string{"uri"}, param: "uri", mirror: true, form: Form{Docs: "server/resources"}},
	{method: "resources/unsubscribe", name: "mcp.resources.unsubscribe", class: action.Write, risk: action.Low, reversible: true, title: "unsubscribe from the resource {resource}", resource: []string{"uri"}, param: "uri", mirror: true, form: Form{Docs: "server/resources"}},
	{method: "subscriptions/listen", name: "mcp.subscriptions.listen", class: action.Read, risk: action.Low, reversible: true, title: "listen for changes at the MCP server"},

	{method: "prompts/list", name: "mcp.prompts.list", class: action.Read, risk: action.Low, reversible: true, title: "list the prompts", form: Form{Docs: "server/prompts"}},
	{method: "prompts/get", name: "mcp.prompts.get", class: action.Read, risk: action.Low, reversible: true, title: "read the prompt {resource}", resource: []string{"name"}, param: "prompt", arguments: true, mirror: true, form: Form{Docs: "server/prompts"}},
	{method: "completion/complete", name: "mcp.completion.complete", class: action.Read, risk: action.Low, reversible: true, title: "ask how an argument could go on", form: Form{Docs: "server/utilities/completion"}},
	{method: "logging/setLevel", name: "mcp.logging.set_level", class: action.Write, risk: action.Low, reversible: true, title: "set how much the MCP server reports[: {resource}]", resource: []string{"level"}, param: "level", form: Form{Docs: "server/utilities/logging"}},

	{method: "tasks/get", name: "mcp.tasks.get", class: action.Read, risk: action.Low, reversible: true, title: "look how the task {resource} goes", resource: []string{"taskId"}, param: "task", mirror: true, form: Form{Docs: "basic/utilities/tasks"}},
	{method: "tasks/result", name: "mcp.tasks.result", class: action.Read, risk: action.Low, reversible: true, title: "read what came of the task {resource}", resource: []string{"taskId"}, param: "task", mirror: true, form: Form{Docs: "basic/utilities/tasks"}},
	{method: "tasks/list", name: "mcp.tasks.list", class: action.Read, risk: action.Low, reversible: true, title: "list the tasks", form: Form{Docs: "basic/utilities/tasks"}},
	{method: "tasks/cancel", name: "mcp.tasks.cancel", class: action.Write, risk: action.Low, title: "cancel the task {resource}", resource: []string{"taskId"}, param: "task", mirror: true, form: Form{Docs: "basic/utilities/tasks"}},
	{method: "tasks/update", name: "mcp.tasks.update", class: action.Write, risk: action.Low, title: "answer what the task {resource} asks", resource: []string{"taskId"}, param: "task", mirror: true},
	{method: "tasks/delete", name: "mcp.tasks.delete", class: action.Delete, risk: action.Low, title: "delete the task {resource}", resource: []string{"taskId"}, param: "task", mirror: true},
}

// mcpNotifications are those that clients send. They say how the session goes,
// and change nothing that outlives it.
var mcpNotifications = []string{
	"notifications/initialized", "notifications/cancelled", "notifications/progress", "notifications/roots/list_changed", "notifications/tasks/status",
}

var (
	mcpNotification = mcpRow{method: mcpNotifications[0], name: "mcp.notification.send", class: action.Read, risk: action.Low, reversible: true, title: "tell the MCP server how the session goes", form: Form{Docs: "basic", Note: "and the like"}}

	// What a server asks of its client is told to it: a text of a model, what
	// a person has typed in, which folders there are.
	mcpResponse = mcpRow{name: "mcp.response.send", class: action.Write, risk: action.Low, title: "answer a question of the MCP server", form: Form{Docs: "client/elicitation", Note: "JSON-RPC with a result"}}

	mcpStream = mcpRow{name: "mcp.stream.open", class: action.Read, risk: action.Low, reversible: true, title: "listen to the MCP server", form: Form{Method: "GET", Docs: "basic/transports", Note: "with Accept: text/event-stream"}}
	mcpEnd    = mcpRow{name: "mcp.session.delete", class: action.Delete, risk: action.Low, title: "end the session", form: Form{Method: "DELETE", Docs: "basic/transports", Note: "with an " + mcpSession + " header"}}

	mcpOther   = action.Action{Name: "mcp.other.get", Class: action.Read, Risk: action.Low, Reversible: true, Unknown: []string{"*"}}
	mcpUnknown = action.Action{Name: "mcp.unknown", Unknown: []string{"*"}}
)

// mcpAnything may be anything that the server can do.
func mcpAnything() action.Action {
	a := mcpUnknown
	a.Or = []action.Alternative{{Name: "mcp.*", Class: action.Admin}}
	return a
}

func (r *mcpRow) named() action.Action {
	return action.Action{Name: r.name, Class: r.class, Risk: r.risk, Reversible: r.reversible}
}

func (r *mcpRow) forms() []Form {
	f := r.form
	if f.Path = "/{path...}"; f.Method == "" {
		f.Method = "POST"
	}
	if f.Docs != "" {
		f.Docs = mcpDocs + f.Docs
	}
	if r.method != "" {
		f.ID, f.Note = r.method, strings.TrimSpace("JSON-RPC "+r.method+" "+f.Note)
	}
	return []Form{f}
}

// act names one message.
func (r *mcpRow) act(m jsonrpc.Message) action.Action {
	a := r.named()
	if rawjson.First(m.Params) == '[' { // by place, as nothing in the protocol is
		a.Unknown = []string{"*"}
		return a
	}
	if r.resource != nil {
		v, _ := m.Param(r.resource...)
		if text, ok := textOf(v); ok {
			a.Resource, a.Params = text, map[string]any{r.param: text}
		} else {
			a.Unknown = append(a.Unknown, "resource", r.param)
		}
	}
	if r.arguments {
		r.argue(&a, m)
	}
	return a
}

// What rules see of the arguments of one call. What is beyond counts as
// unknown; beyond maxHidden names all does.
const (
	maxArguments = 32
	maxHidden    = 128
	maxArgued    = 16 << 10 // bytes of all together: records should not grow with them
)

// mcpArgument is the name under which rules see an argument.
func mcpArgument(name string) string { return "arg." + name }

// argue adds the arguments that are in m to a.
func (r *mcpRow) argue(a *action.Action, m jsonrpc.Message) {
	var args []byte
	for key, value := range rawjson.Members(m.Params) {
		if key == "arguments" {
			args = value
		} else if strings.EqualFold(key, "arguments") { // some servers take it for that
			a.Unknown = []string{"*"}
			return
		}
	}
	switch rawjson.First(args) {
	case 0, 'n':
		return
	case '{':
	default:
		a.Unknown = []string{"*"}
		return
	}
	seen, size := 0, 0
	for name, value := range rawjson.Members(args) {
		key := mcpArgument(name)
		if !nameable(key) {
			continue
		}
		if seen < maxArguments && size+len(value) <= maxArgued && !secretive(name) {
			v, known := anyScalar.of(rawjson.Find(args, []string{name}))
			if known {
				if v != nil {
					a.Params = with(a.Params, key, v)
					seen, size = seen+1, size+len(value)
				}
				continue
			}
		}
		if len(a.Unknown) == maxHidden {
			a.Unknown = []string{"*"}
			return
		}
		a.Unknown = append(a.Unknown, key)
	}
}

func with(params map[string]any, key string, v any) map[string]any {
	if params == nil {
		params = map[string]any{}
	}
	params[key] = v
	return params
}

// nameable reports whether a rule can be on key: no other is worth keeping.
func nameable(key string) bool {
	return len(key) <= 64 && strings.Trim(key, nameBytes) == ""
}

// secretive reports whether an argument is more often than not a secret, by
// its name. Those are in no record, and unknown to rules.
func secretive(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"passw", "passphrase", "secret", "apikey", "api_key", "api-key", "credential", "private_key", "privatekey", "authorization"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return name == "token" || strings.HasSuffix(name, "_token") || strings.HasSuffix(name, "-token") || strings.HasSuffix(name, "accesstoken") || strings.HasSuffix(name, "authtoken")
}

// mirrored returns what newer clients write into Mcp-Name for m.
func (r *mcpRow) mirrored(m jsonrpc.Message) (body.Value, bool) {
	if !r.mirror {
		return body.Value{}, false
	}
	v, _ := m.Param(r.resource...)
	return v, true
}
