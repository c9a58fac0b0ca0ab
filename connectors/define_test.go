package connectors_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
)

func billing() definition.Definition {
	return definition.Definition{
		Name: "billing", Title: "Billing", Hosts: []string{"API.billing.example.com", "*.eu.billing.example.com"},
		Auth: credential.Style{Kind: credential.Header, Name: "X-Billing-Key"}, Base: "/v1", Env: []string{"BILLING_API_KEY"},
		Operations: []definition.Operation{
			{Method: "get", Path: "/invoices/", Action: "billing.invoice.list", Class: action.Read, Risk: action.Low, Reversible: true, Params: []string{"?status"}},
			{Method: "POST", Path: "/invoices/{invoice}", Action: "billing.invoice.void", Class: action.Delete, Risk: action.High, When: ".state=void", Resource: "{invoice}"},
			{Method: "POST", Path: "/invoices/{invoice}", Action: "billing.invoice.update", Class: action.Write, Risk: action.Medium, Params: []string{"amount=.total"}, Resource: "{invoice}", Title: "change invoice {resource}[ to {amount}]"},
			{Method: "GET", Path: "/files/{path...}", Action: "billing.file.get", Class: action.Read, Risk: action.Low, Resource: "{path}"},
		},
	}
}

func bill(t *testing.T, d definition.Definition) *connectors.Connector {
	t.Helper()
	own, err := connectors.DefineAll([]definition.Definition{d})
	if err != nil {
		t.Fatal(err)
	}
	c, err := connectors.New(connectors.Config{Type: d.Name, Own: own.Named(d.Name)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOwnTypesNameRequestsAsBuiltInOnesDo(t *testing.T) {
	t.Parallel()

	c := bill(t, billing())
	for name, tt := range map[string]struct {
		method, path, query, body string
		want                      action.Action
		sentence                  string
	}{
		"a list":        {"GET", "/v1/invoices", "status=open", "", action.Action{Name: "billing.invoice.list", Class: action.Read, Risk: action.Low, Reversible: true, Params: map[string]any{"status": "open"}}, "list invoices"},
		"HEAD":          {"HEAD", "/V1/Invoices/", "", "", action.Action{Name: "billing.invoice.list", Class: action.Read, Risk: action.Low, Reversible: true}, "list invoices"},
		"a condition":   {"POST", "/v1/invoices/12", "", `{"state":"VOID"}`, action.Action{Name: "billing.invoice.void", Class: action.Delete, Risk: action.High, Resource: "12"}, "void invoice 12"},
		"another":       {"POST", "/v1/invoices/12", "", `{"total":5}`, action.Action{Name: "billing.invoice.update", Class: action.Write, Risk: action.Medium, Resource: "12", Params: map[string]any{"amount": int64(5)}}, "change invoice 12 to 5"},
		"a rest":        {"GET", "/v1/files/a/b", "", "", action.Action{Name: "billing.file.get", Class: action.Read, Risk: action.Low, Resource: "a/b"}, "read file a/b"},
		"unlisted read": {"GET", "/v1/secrets", "", "", action.Action{Name: "billing.other.get", Class: action.Read, Risk: action.Low, Reversible: true, Unknown: []string{"*"}}, "read something else"},
		"unlisted":      {"POST", "/v2/invoices", "", "", action.Action{Name: "billing.unknown", Unknown: []string{"*"}, Or: []action.Alternative{{Name: "billing.*"}}}, "do something that the connector does not know"},
		"unlisted end":  {"DELETE", "/v1/invoices", "", "", action.Action{Name: "billing.unknown", Unknown: []string{"*"}, Or: []action.Alternative{{Name: "billing.*"}}}, "do something that the connector does not know"},
		"hidden": {"POST", "/v1/invoices/12", "", `{"state":`, action.Action{Name: "billing.unknown", Unknown: []string{"*"}, Resource: "12", Or: []action.Alternative{
			{Name: "billing.invoice.void", Class: action.Delete}, {Name: "billing.invoice.update", Class: action.Write},
		}}, "do something that the connector does not know to 12"},
	} {
		h := http.Header{"Content-Type": {"application/json"}}
		a, err := c.Read(connectors.Request{Method: tt.method, Host: "api.billing.example.com", Path: tt.path, RawQuery: tt.query, Header: h, Body: connectors.Whole([]byte(tt.body))})
		tt.want.Connector = "billing"
		if diff := cmp.Diff(tt.want, a); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
		if got := c.Sentence(a); got != tt.sentence {
			t.Errorf("%s: %q, want %q", name, got, tt.sentence)
		}
	}
	if _, err := c.Read(connectors.Request{Method: "GET", Host: "api.billing.example.com", Path: "/v1/../invoices"}); fault.Of(err) != fault.Invalid {
		t.Errorf("dots are read: %v", err)
	}
}

func TestAnOwnTypeShowsAndStripsItsKey(t *testing.T) {
	t.Parallel()

	c := bill(t, billing())
	if !c.Answers("api.billing.example.com") || !c.Answers("a.eu.billing.example.com") || c.Answers("billing.example.com") {
		t.Errorf("hosts are %v", c.Hosts())
	}
	h := http.Header{"X-Billing-Key": {"theirs"}, "Authorization": {"Bearer theirs"}, "X-Api-Key": {"theirs"}}
	u := &url.URL{Scheme: "https", RawQuery: "api_key=theirs&a=b"}
	c.Strip(h, u)
	if len(h) > 0 || u.RawQuery != "a=b" {
		t.Errorf("left are %v and %s", h, u.RawQuery)
	}
	own, err := connectors.Define(billing())
	if err != nil {
		t.Fatal(err)
	}
	bearer, err := connectors.New(connectors.Config{Type: "billing", Own: own, Style: credential.Style{Kind: credential.Bearer}})
	if err != nil {
		t.Fatal(err)
	}
	theirs := http.Header{"X-Billing-Key": {"theirs"}}
	if bearer.Strip(theirs, u); len(theirs) > 0 {
		t.Errorf("left at a connector of another style: %v", theirs)
	}
	if err := c.Authorise(h, u, "api.billing.example.com", credential.NewSecret("ours")); err != nil || h.Get("X-Billing-Key") != "ours" {
		t.Errorf("%v, %v", h, err)
	}
	if key := c.Type().Dummy("seed"); !strings.HasPrefix(key, "key-tameflare") {
		t.Errorf("the dummy is %s", key)
	}
	if diff := cmp.Diff([]string{"BILLING_API_KEY"}, c.Type().Env()); diff != "" {
		t.Error(diff)
	}
}

func TestAFormIsReadWhereTheServiceTakesOne(t *testing.T) {
	t.Parallel()

	d := billing()
	d.Body = definition.Form
	a, err := bill(t, d).Read(connectors.Request{
		Method: "POST", Host: "api.billing.example.com", Path: "/v1/invoices/1", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body: connectors.Whole([]byte("state=void")),
	})
	if err != nil || a.Name != "billing.invoice.void" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAnActionCanBeUndoneWhereAllItsFormsCan(t *testing.T) {
	t.Parallel()

	d := billing()
	d.Operations = append(d.Operations, definition.Operation{Method: "GET", Path: "/all", Action: "billing.invoice.list", Class: action.Read, Risk: action.Low})
	for _, op := range bill(t, d).Type().Operations() {
		if op.Action == "billing.invoice.list" && (op.Reversible || len(op.Forms) != 2) {
			t.Errorf("%+v", op)
		}
	}
}

func TestTypesThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		all  func() []definition.Definition
		want string
	}{
		"a bad host": {func() []definition.Definition {
			d := billing()
			d.Hosts = []string{"http://x"}
			return []definition.Definition{d}
		}, "without scheme"},
		"the same twice": {func() []definition.Definition { return []definition.Definition{billing(), billing()} }, "two connector types billing"},
		"no operations":  {func() []definition.Definition { d := billing(); d.Operations = nil; return []definition.Definition{d} }, "at least one"},
		"a bad operation": {func() []definition.Definition {
			d := billing()
			d.Operations[3].Path = "/{a}/{b...}/c"
			return []definition.Definition{d}
		}, "Operation 4 (GET /{a}/{b...}/c)"},
	} {
		_, err := connectors.DefineAll(tt.all())
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (connectors.Own{}).CheckNew("github"); fault.Of(err) != fault.Invalid {
		t.Errorf("github is taken: %v", err)
	}
}

func TestATypeThatATeamHasStaysItsOwn(t *testing.T) {
	t.Parallel()

	d := billing()
	d.Name = "github" // as if a later version had brought it along
	for i := range d.Operations {
		d.Operations[i].Action = strings.Replace(d.Operations[i].Action, "billing.", "github.", 1)
	}
	own, err := connectors.DefineAll([]definition.Definition{d})
	if err != nil {
		t.Fatal(err)
	}
	if own.Named("github") == connectors.TypeNamed("github") || own.CheckNew("github") != nil {
		t.Error("the built-in type has taken its place")
	}
	if n := len(own.All()); n != len(connectors.Types()) || slices.Contains(own.All(), connectors.TypeNamed("github")) {
		t.Errorf("there are %d types", n)
	}
}
