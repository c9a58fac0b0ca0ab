package connectors_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/tameflare/tameflare/domain/action"
)

// FuzzMCP reads the body as a lenient server does: the last of two keys counts,
// and capitals do not. No tool is called there that is not named here.
func FuzzMCP(f *testing.F) {
	for _, seed := range []string{
		call(`{"name":"x","arguments":{"path":"a","n":[1,"b"],"o":{}}}`), `[` + call(`{"name":"x"}`) + `,` + call(`{"name":"y"}`) + `,{"jsonrpc":"2.0","id":1,"method":"tools/list"}]`,
		call(`{"name":"x","Name":"y"}`), call(`["x"]`), `{"jsonrpc":"2.0","id":1,"METHOD":"tools/call","params":{"name":"x"}}`, `{"jsonrpc":"2.0","id":1,"method":"ping"}`,
	} {
		f.Add([]byte(seed))
	}
	c := one(f, "mcp")
	type message struct {
		Method string
		Params json.RawMessage
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := c.Read(post(string(data)))
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		var all []message
		if json.Unmarshal(data, &all) != nil {
			all = make([]message, 1)
			if json.Unmarshal(data, &all[0]) != nil {
				return
			}
		}
		for _, m := range all {
			var params struct{ Name string }
			if m.Method != "tools/call" || json.Unmarshal(m.Params, &params) != nil {
				continue
			}
			if a.Class > action.Write {
				t.Fatalf("%q: a call is %+v", data, a)
			}
			tools, _ := a.Params["tool"].([]string)
			if a.Params["tool"] != params.Name && !slices.Contains(tools, params.Name) && !slices.Contains(a.Unknown, "tool") && !slices.Contains(a.Unknown, "*") {
				t.Fatalf("%q: calls %q, and is %+v", data, params.Name, a)
			}
		}
	})
}
