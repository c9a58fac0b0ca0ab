package connectors_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// post is a request of an MCP client.
func post(body string, header ...string) connectors.Request {
	r := connectors.Request{Method: "POST", Host: "api.example.com", Path: "/mcp", Header: http.Header{"Content-Type": {"application/json"}}, Body: connectors.Whole([]byte(body))}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func call(params string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + params + `}`
}

var anything = action.Action{Connector: "mcp", Name: "mcp.unknown", Unknown: []string{"*"}, Or: []action.Alternative{{Name: "mcp.*"}}}

func TestACallOfAToolSaysWhatIsCalled(t *testing.T) {
	t.Parallel()

	c := one(t, "mcp")
	tool := func(params map[string]any, unknown ...string) action.Action {
		a := action.Action{Connector: "mcp", Name: "mcp.tools.call", Class: action.Write, Risk: action.Medium, Params: params, Unknown: unknown}
		a.Resource, _ = params["tool"].(string)
		return a
	}
	many, deep := map[string]any{"tool": "x"}, strings.Repeat(`{"a":`, 3)+`1`+strings.Repeat(`}`, 3)
	var members, hidden []string
	for i := range 40 {
		name := "n" + string(rune('A'+i/26)) + string(rune('a'+i%26))
		members = append(members, `"`+name+`":1`)
		if i < 32 {
			many["arg."+name] = int64(1)
		} else {
			hidden = append(hidden, "arg."+name)
		}
	}
	for name, tt := range map[string]struct {
		params string
		want   action.Action
	}{
		"scalars":               {`{"name":"write_file","arguments":{"filePath":"/tmp/a","size":3,"ratio":0.5,"force":true,"none":null}}`, tool(map[string]any{"tool": "write_file", "arg.filePath": "/tmp/a", "arg.size": int64(3), "arg.ratio": 0.5, "arg.force": true})},
		"a list":                {`{"name":"x","arguments":{"paths":["a","b"],"empty":[]}}`, tool(map[string]any{"tool": "x", "arg.paths": []string{"a", "b"}})},
		"an object":             {`{"name":"x","arguments":{"o":` + deep + `}}`, tool(map[string]any{"tool": "x"}, "arg.o")},
		"by an escape":          {`{"n\u0061me":"delete\u005fall","arguments":{}}`, tool(map[string]any{"tool": "delete_all"})},
		"no arguments":          {`{"name":"x"}`, tool(map[string]any{"tool": "x"})},
		"no rule could name it": {`{"name":"x","arguments":{"a b":1,"` + strings.Repeat("n", 61) + `":1}}`, tool(map[string]any{"tool": "x"})},
		"too long":              {`{"name":"x","arguments":{"a":"` + strings.Repeat("a", 4097) + `"}}`, tool(map[string]any{"tool": "x"}, "arg.a")},
		"too many":              {`{"name":"x","arguments":{` + strings.Join(members, ",") + `}}`, tool(many, hidden...)},
		"too much":              {`{"name":"x","arguments":{"a":"` + strings.Repeat("a", 4090) + `","b":"` + strings.Repeat("b", 4090) + `","c":"` + strings.Repeat("c", 4090) + `","d":"` + strings.Repeat("d", 4090) + `","e":"eeeeeeeeeeeeeeeeeeee"}}`, tool(map[string]any{"tool": "x", "arg.a": strings.Repeat("a", 4090), "arg.b": strings.Repeat("b", 4090), "arg.c": strings.Repeat("c", 4090), "arg.d": strings.Repeat("d", 4090)}, "arg.e")},
		"secrets":               {`{"name":"x","arguments":{"password":"p","api_key":"k","access_token":"t","max_tokens":5}}`, tool(map[string]any{"tool": "x", "arg.max_tokens": int64(5)}, "arg.password", "arg.api_key", "arg.access_token")},
		"nearly the same":       {`{"name":"x","arguments":{"path":"a","Path":"b"}}`, tool(map[string]any{"tool": "x"}, "arg.path", "arg.Path")},
		"arguments nearly":      {`{"name":"x","Arguments":{"path":"a"}}`, tool(map[string]any{"tool": "x"}, "*")},
		"arguments are a text":  {`{"name":"x","arguments":"a"}`, tool(map[string]any{"tool": "x"}, "*")},
		"no name":               {`{"arguments":{}}`, tool(nil, "resource", "tool")},
		"name nearly":           {`{"name":"x","Name":"y"}`, tool(nil, "resource", "tool")},
		"name is a number":      {`{"name":1}`, tool(nil, "resource", "tool")},
		"name is empty":         {`{"name":""}`, tool(nil, "resource", "tool")},
		"by place":              {`["x",{}]`, tool(nil, "*")},
	} {
		got, err := c.Read(post(call(tt.params)))
		if diff := cmp.Diff(got, tt.want); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestWhatCannotBeReadMayBeAnything(t *testing.T) {
	t.Parallel()

	c := one(t, "mcp")
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	unread := post(list)
	unread.Body = connectors.Unreadable()
	begun := post(list)
	begun.Body = connectors.BeginningOf([]byte(list))
	put, options := post(list), post(list)
	put.Method, options.Method = "PUT", "OPTIONS"
	end := post("")
	end.Method = "DELETE"
	for name, r := range map[string]connectors.Request{
		"no body": post(""), "no JSON": post("x"), "a page": post("<html>"), "version 1": post(`{"id":1,"method":"tools/list"}`), "no array": post(`[]`),
		"another method": post(`{"jsonrpc":"2.0","id":1,"method":"tools/create"}`), "another notification": post(`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x"}}`),
		"twice": post(`{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}`), "in another case": post(`{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}`),
		"one of a batch": post(`[` + list + `,{"jsonrpc":"2.0","id":2,"method":"x"}]`), "not read": unread, "only begun": begun,
		"another charset": post(list, "Content-Type", "application/json"), "UTF-16": {Method: "POST", Host: "api.example.com", Path: "/", Header: http.Header{"Content-Type": {"application/json; charset=utf-16"}}, Body: connectors.Whole([]byte(list))},
		"coded": post(list, "Content-Encoding", "br"), "an upgrade": post(list, "Upgrade", "websocket"), "PUT": put, "OPTIONS": options, "the end of no session": end,
	} {
		got, err := c.Read(r)
		if diff := cmp.Diff(got, anything); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	for _, method := range []string{"GET", "HEAD"} {
		a, err := c.Read(connectors.Request{Method: method, Host: "api.example.com", Path: "/.well-known/oauth-protected-resource"})
		if err != nil || a.Name != "mcp.other.get" || a.Class != action.Read {
			t.Errorf("%s: %+v, %v", method, a, err)
		}
	}
	upgrade := connectors.Request{Method: "GET", Host: "api.example.com", Path: "/", Header: http.Header{"Upgrade": {"websocket"}, "Accept": {"text/event-stream"}}}
	if a, err := c.Read(upgrade); err != nil || a.Name != "mcp.unknown" {
		t.Errorf("a WebSocket: %+v, %v", a, err)
	}
}

func TestABatchIsAllThatIsInIt(t *testing.T) {
	t.Parallel()

	c := one(t, "mcp")
	const list, ping = `{"jsonrpc":"2.0","id":8,"method":"tools/list"}`, `{"jsonrpc":"2.0","id":9,"method":"ping"}`
	get, drop := call(`{"name":"get","arguments":{"id":1,"x":2}}`), call(`{"name":"drop","arguments":{"id":1}}`)
	other := []action.Alternative{{Name: "mcp.tools.list", Class: action.Read}}
	for name, tt := range map[string]struct {
		body string
		want action.Action
	}{
		"one":                {`[` + get + `]`, action.Action{Name: "mcp.tools.call", Class: action.Write, Risk: action.Medium, Resource: "get", Params: map[string]any{"tool": "get", "arg.id": int64(1), "arg.x": int64(2)}}},
		"two tools":          {`[` + get + `,` + drop + `]`, action.Action{Name: "mcp.tools.call", Class: action.Write, Risk: action.Medium, Params: map[string]any{"tool": []string{"get", "drop"}, "arg.id": int64(1)}, Unknown: []string{"arg.x", "resource"}}},
		"a tool and a list":  {`[` + list + `,` + drop + `]`, action.Action{Name: "mcp.tools.call", Class: action.Write, Risk: action.Medium, Resource: "drop", Params: map[string]any{"tool": "drop"}, Unknown: []string{"arg.id"}, Or: other}},
		"a hidden tool":      {`[` + get + `,` + call(`{"name":7}`) + `]`, action.Action{Name: "mcp.tools.call", Class: action.Write, Risk: action.Medium, Params: map[string]any{}, Unknown: []string{"arg.id", "arg.x", "resource", "tool"}}},
		"only what is read":  {`[` + list + `,` + ping + `]`, action.Action{Name: "mcp.tools.list", Class: action.Read, Risk: action.Low, Reversible: true, Or: []action.Alternative{{Name: "mcp.session.ping", Class: action.Read}}}},
		"the same tool more": {`[` + drop + `,` + drop + `]`, action.Action{Name: "mcp.tools.call", Class: action.Write, Risk: action.Medium, Resource: "drop", Params: map[string]any{"tool": "drop", "arg.id": int64(1)}}},
	} {
		got, err := c.Read(post(tt.body))
		tt.want.Connector = "mcp"
		slices.Sort(got.Unknown)
		if len(got.Unknown) == 0 {
			got.Unknown = nil
		}
		if diff := cmp.Diff(got, tt.want); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestHeadersSayWhatTheBodySays(t *testing.T) {
	t.Parallel()

	c := one(t, "mcp")
	const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"é"}}`
	read := `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a"}}`
	for name, tt := range map[string]struct {
		r    connectors.Request
		want bool
	}{
		"both":               {post(body, "Mcp-Method", "tools/call", "Mcp-Name", "=?base64?w6k=?="), true},
		"a URI":              {post(read, "Mcp-Method", "resources/read", "Mcp-Name", "file:///a"), true},
		"no name in it":      {post(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, "Mcp-Method", "tools/list", "Mcp-Name", "x"), true},
		"another method":     {post(body, "Mcp-Method", "tools/list"), false},
		"a second":           {post(body, "Mcp-Method", "tools/call", "Mcp-Method", "tools/list"), false},
		"another name":       {post(read, "Mcp-Name", "file:///b"), false},
		"another, coded":     {post(body, "Mcp-Name", "=?base64?eA==?="), false},
		"not to be read":     {post(body, "Mcp-Name", "=?base64?w6k"), false},
		"not of all of them": {post(`[`+read+`,`+body+`]`, "Mcp-Method", "resources/read"), false},
		"an answer":          {post(`{"jsonrpc":"2.0","id":1,"result":{}}`, "Mcp-Method", ""), false},
	} {
		if _, err := c.Read(tt.r); (err == nil) != tt.want || err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnMCPClientIsRefusedInJSONRPC(t *testing.T) {
	t.Parallel()

	typ := connectors.TypeNamed("mcp")
	for name, tt := range map[string]struct {
		body string
		ids  []string
	}{
		"one": {call(`{"name":"x"}`), []string{"1"}}, "batch": {`[{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`, []string{`"a"`, "2"}},
		"nothing to be read": {"{", []string{"null"}},
	} {
		reply := typ.Refusal(post(tt.body), refused)
		type answer struct {
			Version string          `json:"jsonrpc"`
			ID      json.RawMessage `json:"id"`
			Error   struct {
				Code    int
				Message string
				Data    connectors.Problem
			}
		}
		var got []answer
		body := reply.Body
		if body[0] != '[' {
			body = slices.Concat([]byte("["), body, []byte("]"))
		}
		if err := json.Unmarshal(body, &got); err != nil || reply.ContentType != "application/json" || reply.Status != 0 || len(got) != len(tt.ids) || (reply.Body[0] == '[') != (len(tt.ids) > 1) {
			t.Fatalf("%s: %s %s, %v", name, reply.ContentType, reply.Body, err)
		}
		for i, a := range got {
			if a.Version != "2.0" || string(a.ID) != tt.ids[i] || a.Error.Code != -32001 || !strings.Contains(a.Error.Message, refused.Detail) || a.Error.Data != refused {
				t.Errorf("%s: %+v", name, a)
			}
		}
	}
}

func TestAnAnswerIsLookedThroughWhereItMayListTools(t *testing.T) {
	t.Parallel()

	c := one(t, "mcp")
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	unread := post(list)
	unread.Body = connectors.Unreadable()
	for name, tt := range map[string]struct {
		r    connectors.Request
		want connectors.Lists
	}{
		"a list": {post(list), connectors.WillList}, "in a batch": {post(`[` + call(`{"name":"x"}`) + `,` + list + `]`), connectors.WillList}, "a call": {post(call(`{"name":"tools/list"}`)), connectors.NeverList},
		"not read": {unread, connectors.MayList}, "a stream": {connectors.Request{Method: "GET"}, connectors.StreamList}, "another method": {connectors.Request{Method: "PUT"}, connectors.MayList},
		"a WebSocket": {post(list, "Upgrade", "websocket"), connectors.MayList}, "the end": {connectors.Request{Method: "DELETE"}, connectors.NeverList},
	} {
		if got := c.Lists(tt.r); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	if got := one(t, "http").Lists(post(list)); got != connectors.NeverList {
		t.Errorf("another service: %v", got)
	}
	a, err := c.Read(post(call(`{"name":"delete_all"}`)))
	if diff := cmp.Diff(c.Call("delete_all"), a); diff != "" || err != nil {
		t.Errorf("a call as the filter sees it: %v %s", err, diff)
	}
}

func TestTheEssenceOfACallIsNotItsID(t *testing.T) {
	t.Parallel()

	c := one(t, "mcp")
	essence := func(body string) string {
		e, ok := c.Essence(post(body))
		if !ok {
			t.Errorf("%s: has none", body)
		}
		return string(e)
	}
	with := func(id, token, path string) string {
		return `{"method":"tools/call","params":{"name":"x","arguments":{"path":"` + path + `","id":7,"_meta":{"progressToken":7}},"_meta":{"progressToken":` + token + `}},"jsonrpc":"2.0","id":` + id + `}`
	}
	if a, b := essence(with("1", "1", "/a")), essence(with(`"x"`, "22", "/a")); a != b || a != with("0", "0", "/a") {
		t.Errorf("%s and %s", a, b)
	}
	if a, b := essence(with("1", "1", "/a")), essence(with("1", "1", "/b")); a == b {
		t.Errorf("%s is that of another argument", a)
	}
	if a, b := essence(`{"jsonrpc":"2.0","id":1,"result":{}}`), essence(`{"jsonrpc":"2.0","id":2,"result":{}}`); a == b {
		t.Errorf("%s answers two questions", a)
	}
	if e, ok := c.Essence(post("{")); ok {
		t.Errorf("of what cannot be read: %s", e)
	}
	if e, ok := one(t, "http").Essence(post(with("1", "1", "/a"))); ok {
		t.Errorf("of another service: %s", e)
	}
}
