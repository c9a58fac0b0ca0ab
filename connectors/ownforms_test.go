package connectors_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/definition"
)

// untabled are the forms of types that have no table of their own: generic
// ones, MCP servers, and what a team has written down.
func untabled(t testing.TB) []form {
	t.Helper()
	var all []form
	for _, service := range []string{"http", "webhook"} {
		c := one(t, service)
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"} {
			r := row{service: service, method: method, path: "/v1/{thing}/{other}", does: []does{{name: service + "." + strings.ToLower(method)}}}
			all = append(all, form{row: r, c: c, host: c.Hosts()[0]})
		}
	}
	c := one(t, "mcp")
	for _, op := range c.Type().Operations() {
		for _, f := range op.Forms {
			r := row{service: "mcp", method: f.Method, path: "/mcp", id: f.ID, does: []does{{op.Action, op.Class}}}
			all = append(all, form{row: r, c: c, host: c.Hosts()[0], said: message(f), header: listening(f)})
		}
	}
	for _, body := range []definition.Body{definition.JSON, definition.Form} {
		all = append(all, ownForms(t, body)...)
	}
	return all
}

// message is what a JSON-RPC message of a form says.
func message(f connectors.Form) []said {
	if f.Method != "POST" {
		return nil
	}
	all := []said{{[]string{"jsonrpc"}, "2.0"}}
	if f.ID == "" {
		return append(all, said{[]string{"id"}, int64(1)}, said{[]string{"result", "x"}, "y"})
	}
	all = append(all, said{[]string{"method"}, f.ID})
	if !strings.HasPrefix(f.ID, "notifications/") {
		all = append(all, said{[]string{"id"}, int64(1)})
	}
	for _, name := range []string{"name", "uri", "taskId", "level"} {
		all = append(all, said{[]string{"params", name}, "delete_" + name})
	}
	return append(all, said{[]string{"params", "arguments", "path"}, "docs/ü"}, said{[]string{"params", "arguments", "n"}, int64(3)})
}

func listening(f connectors.Form) http.Header {
	return http.Header{"Accept": {"application/json, text/event-stream"}, "Mcp-Session-Id": {"1"}}
}

func ownForms(t testing.TB, body definition.Body) []form {
	t.Helper()
	d := definition.Definition{Name: "own" + body.String(), Hosts: []string{"api.own.example.com"}, Body: body, Base: "/v1", Operations: []definition.Operation{
		{Method: "GET", Path: "/invoices", Action: "list", Class: action.Read, Risk: action.Low, Params: []string{"?status", "account=@X-Account"}},
		{Method: "POST", Path: "/invoices/{invoice}", Action: "void", Class: action.Delete, Risk: action.High, When: ".state=void", Resource: "{invoice}"},
		{Method: "POST", Path: "/invoices/{invoice}", Action: "send", Class: action.Write, Risk: action.High, When: ".to[]", Params: []string{"to=.to[]"}, Resource: "{invoice}"},
		{Method: "POST", Path: "/invoices/{invoice}", Action: "update", Class: action.Write, Risk: action.Medium, Params: []string{"amount=.total:int", "rows=.rows[].price", "city=.address.city"}, Resource: "{.customer|.account}"},
		{Method: "DELETE", Path: "/invoices/{invoice}", Action: "delete", Class: action.Delete, Risk: action.High, Resource: "{invoice}"},
		{Method: "PUT", Path: "/files/{path...}", Action: "write", Class: action.Write, Risk: action.Low, Params: []string{"path"}, Resource: "{path}"},
		{Method: "POST", Path: "/keys", Action: "make", Class: action.Admin, Risk: action.High, Params: []string{"scopes=.scopes:list"}, Resource: "{.name}"},
	}}
	for i, o := range d.Operations {
		d.Operations[i].Action = d.Name + ".invoice." + o.Action
	}
	typ, err := connectors.Define(d)
	if err != nil {
		t.Fatal(err)
	}
	c, err := connectors.New(connectors.Config{Own: typ})
	if err != nil {
		t.Fatal(err)
	}
	var all []form
	for _, o := range d.Operations {
		r := row{
			service: d.Name, place: "api", method: o.Method, path: d.Base + o.Path, does: []does{{o.Action, o.Class}},
			when: list(o.When, "&"), params: o.Params, resource: list(strings.Trim(o.Resource, "{}"), "|"),
		}
		all = append(all, form{row: r, c: c, host: d.Hosts[0]})
	}
	return all
}
