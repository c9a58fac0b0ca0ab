package connectors_test

import (
	"cmp"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
)

const typed = `version: 1
connector_types:
  - name: billing
    title: Billing service
    hosts: [api.billing.example.com]
    auth: {style: header, name: X-Billing-Key}
    base: /v1
    env: [BILLING_API_KEY]
    operations:
      - {method: GET, path: "/invoices", action: billing.invoice.list}
      - {method: POST, path: "/invoices/{invoice}", action: billing.invoice.void, class: delete, risk: high, when: ".state=void", resource: "{invoice}", title: "void invoice {resource}"}
      - {method: POST, path: "/invoices/{invoice}", action: billing.invoice.update, params: ["amount=.total:int"], resource: "{invoice}"}
gateways:
  - name: bot
    connectors:
      - {type: billing, rules: [{action: billing.invoice.void, decision: deny}]}
`

func TestADocumentBringsItsConnectorTypes(t *testing.T) {
	t.Parallel()

	doc, err := config.Parse("tameflare.yaml", []byte(typed), connectors.Catalogue{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := config.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	again, err := config.Parse("export", out, connectors.Catalogue{})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if diff := gocmp.Diff(doc, again); diff != "" {
		t.Errorf("%s\n%s", diff, out)
	}
	if changes := config.Diff(doc, again); len(changes) != 0 {
		t.Errorf("the same is different: %v", changes)
	}
	alone, err := config.ParseType("type.yaml", config.MarshalType(doc.Types[0].Definition))
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(doc.Types[0].Definition, alone.Definition); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsWrongWithATypeIsSaidWhereItIs(t *testing.T) {
	t.Parallel()

	times := map[string]int{"a name": -1}
	for name, tt := range map[string]struct{ old, new, want string }{
		"an action":        {"billing.invoice.list}", "billing.list}", `tameflare.yaml:10:50: connector_types[0].operations[0].action: “billing.list” is not an action`},
		"a class":          {"class: delete", "class: remove", `:11:90: connector_types[0].operations[1].class: "remove" is not one of`},
		"a form twice":     {`when: ".state=void", `, "", ":12:30: connector_types[0].operations[2].path: Operation POST /invoices/{invoice} before it has the same form"},
		"a name":           {"billing", "github", `There is a built-in connector type github`},
		"a host":           {"hosts: [api.billing.example.com]", "hosts: [\"api.billing.example.com:80\"]", "without a port"},
		"a key":            {"base: /v1", "bsae: /v1", `:7:5: connector_types[0].bsae: unknown key; did you mean "base"?`},
		"a rule's action":  {"rules: [{action: billing.invoice.void", "rules: [{action: billing.invoice.viod", `did you mean "billing.invoice.void"?`},
		"a parameter":      {"amount=.total:int", "amount=total", "There is no {total} in the path."},
		"a missing method": {"{method: GET, path", "{path", ":10:9: connector_types[0].operations[0]: method is missing"},
		"a variable":       {"BILLING_API_KEY", "PATH", ":8:10: connector_types[0].env: “PATH” is not the name of a variable for a key."},
		"no such type":     {"type: billing,", "type: biling,", `there is no connector type "biling"`},
		"a description":    {"base: /v1", "openapi: {file: x.yaml}", "can be read only where the document is applied from"},
	} {
		if !strings.Contains(typed, tt.old) {
			t.Fatalf("%s: nothing to change", name)
		}
		_, err := config.Parse("tameflare.yaml", []byte(strings.Replace(typed, tt.old, tt.new, cmp.Or(times[name], 1))), connectors.Catalogue{})
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.want) {
			t.Errorf("%s: %v\nwant %s", name, err, tt.want)
		}
	}
}

func TestADescriptionIsTakenFromBesideTheDocument(t *testing.T) {
	t.Parallel()

	description := `{"openapi": "3.0.0", "info": {"title": "Other"}, "servers": [{"url": "https://a.example.com"}],
		"paths": {"/things": {"get": {}, "post": {}}, "/things/search": {"post": {}}}}`
	doc, err := config.Parse("tameflare.yaml", []byte(`version: 1
connector_types:
  - name: things
    openapi: {file: things.json}
    operations:
      - {method: POST, path: /things/search, class: read}
      - {method: DELETE, path: /things, action: things.thing.delete_all, risk: critical}
`), connectors.Catalogue{Open: func(file string) ([]byte, error) {
		if file != "things.json" {
			return nil, os.ErrNotExist
		}
		return []byte(description), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range doc.Types[0].Operations {
		got = append(got, o.Form()+" "+o.Action+" "+o.Class.String()+" "+o.Risk.String())
	}
	want := []string{
		"GET /things things.thing.list read low", "POST /things things.thing.create write medium",
		"POST /things/search things.thing.search read low", "DELETE /things things.thing.delete_all delete critical",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(doc.Types[0].Notes) != 0 || !doc.Described() {
		t.Errorf("what was decided is noted still: %v", doc.Types[0].Notes)
	}
}

func TestADifferenceNamesWhatIsNewGoneAndStricter(t *testing.T) {
	t.Parallel()

	parse := func(text string) *config.Document {
		doc, err := config.Parse("tameflare.yaml", []byte(text), connectors.Catalogue{})
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	old := parse(typed)
	if got := config.Diff(&config.Document{}, old)[0]; got.Op != config.Create || got.Path != "connector_types/billing" || !strings.Contains(got.Detail, "operations: 3") {
		t.Errorf("%+v", got)
	}
	next := parse(strings.NewReplacer("class: delete, risk: high", "class: admin, risk: high", `{method: GET, path: "/invoices", action: billing.invoice.list}`, `{method: GET, path: "/bills", action: billing.bill.list}`).Replace(typed))
	want := []config.Change{{Op: config.Update, Path: "connector_types/billing", Detail: "operations: +billing.bill.list, ~billing.invoice.void (delete → admin), -billing.invoice.list"}}
	if diff := gocmp.Diff(want, config.Diff(old, next)); diff != "" {
		t.Error(diff)
	}
	next.Types[0].Operations = append(next.Types[0].Operations, definition.Operation{Method: "PUT", Path: "/x", Action: "billing.x.put"})
	if got := config.Diff(old, next)[0].Detail; !strings.HasPrefix(got, "operations: 3 → 4: +billing.bill.list, ") {
		t.Errorf("%s", got)
	}
}

// FuzzParseType wants what can be read and checked to be of use: it makes a
// type, that type names any request, and it is written as it was.
func FuzzParseType(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(typed[strings.Index(typed, "  - name: billing"):strings.Index(typed, "gateways:")], "\n    ", "\n")[4:]), "/v1/invoices/12")
	f.Add([]byte("name: a\noperations: [{method: GET, path: \"/{x}/{y...}\", action: a.b.c, resource: \"{x|.z}\", params: [y, \"?q:list\", \"@H\"], title: \"do [{resource}]\"}]"), "/b/c/d")
	f.Add([]byte("name: a\nbase: /{t}\nbody: form\noperations:\n  - {method: post, path: /, action: a.b.c, when: \"?x&.y=1\"}\n  - {method: post, path: /, action: a.b.d}\n"), "/b")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		if len(data) > 1<<14 {
			return
		}
		typ, err := config.ParseType("type", data)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		made, err := connectors.Define(typ.Definition)
		if err != nil {
			if len(typ.Definition.Hosts) == 0 {
				t.Fatal(err)
			}
			return
		}
		again, err := config.ParseType("again", config.MarshalType(typ.Definition))
		if err != nil {
			t.Fatalf("%v\n%s", err, config.MarshalType(typ.Definition))
		}
		if diff := gocmp.Diff(typ.Definition, again.Definition); diff != "" {
			t.Fatal(diff)
		}
		c, err := connectors.New(connectors.Config{Type: typ.Name, Own: made, Hosts: []string{"a.example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"GET", "POST"} {
			a, err := c.Read(connectors.Request{Method: method, Host: "a.example.com", Path: path, Body: connectors.Whole([]byte(`{"a":1}`))})
			if err == nil && (!strings.HasPrefix(a.Name, typ.Name+".") || c.Sentence(a) == "") {
				t.Fatalf("%+v", a)
			}
		}
	})
}
