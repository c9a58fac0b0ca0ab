package definition_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
)

func billing() definition.Definition {
	return definition.Definition{
		Name: "billing", Title: "Billing", Docs: "https://billing.example.com/docs", Hosts: []string{"api.billing.example.com"},
		Auth: credential.Style{Kind: credential.Header, Name: "X-Billing-Key"}, Base: "/v1", Env: []string{"BILLING_API_KEY"},
		Operations: []definition.Operation{
			{Method: "GET", Path: "/invoices", Action: "billing.invoice.list", Class: action.Read, Risk: action.Low, Reversible: true, Params: []string{"?status", "?all:bool"}, Title: "list invoices"},
			{Method: "POST", Path: "/invoices/{invoice}", Action: "billing.invoice.void", Class: action.Delete, Risk: action.High, When: ".state=void", Resource: "{invoice}", Title: "void invoice {resource}"},
			{Method: "POST", Path: "/invoices/{invoice}", Action: "billing.invoice.update", Class: action.Write, Risk: action.Medium, Params: []string{"amount=.total", ".lines[].kind"}, Resource: "{invoice}", Title: "change invoice[ {resource}][ to {amount}]"},
		},
	}
}

func TestAGoodDefinitionHasNoProblems(t *testing.T) {
	t.Parallel()

	if problems := billing().Plain().Check(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestEveryProblemHasItsPlaceAndSentence(t *testing.T) {
	t.Parallel()

	op := func(change func(*definition.Operation)) func(*definition.Definition) {
		return func(d *definition.Definition) { change(&d.Operations[2]) }
	}
	for name, tt := range map[string]struct {
		change func(*definition.Definition)
		field  string
		want   string
	}{
		"a name with a dot":           {func(d *definition.Definition) { d.Name = "bill.ing" }, "name", "A connector type's name"},
		"a title in two lines":        {func(d *definition.Definition) { d.Title = "a\nb" }, "title", "plain text"},
		"documentation that runs":     {func(d *definition.Definition) { d.Docs = "javascript:alert(1)" }, "docs", "https://"},
		"a header that frames":        {func(d *definition.Definition) { d.Auth.Name = "Content-Length" }, "auth", "X-Api-Key"},
		"a base that is none":         {func(d *definition.Definition) { d.Base = "v1" }, "base", "/api/v1"},
		"a variable of programs":      {func(d *definition.Definition) { d.Env = []string{"LD_PRELOAD"} }, "env", "LD_PRELOAD"},
		"a variable in small letters": {func(d *definition.Definition) { d.Env = []string{"path"} }, "env", "path"},
		"a proxy":                     {func(d *definition.Definition) { d.Env = []string{"HTTPS_PROXY"} }, "env", "HTTPS_PROXY"},
		"a variable of node":          {func(d *definition.Definition) { d.Env = []string{"NODE_OPTIONS_TOKEN"} }, "env", "NODE_OPTIONS_TOKEN"},
		"no operations":               {func(d *definition.Definition) { d.Operations = nil }, "operations", "at least one"},
		"a method":                    {op(func(o *definition.Operation) { o.Method = "HEAD" }), "method", "HEAD is what GET is"},
		"a path without a slash":      {op(func(o *definition.Operation) { o.Path = "invoices" }), "path", "begins with a slash"},
		"a path with dots":            {op(func(o *definition.Operation) { o.Path = "/a/../b" }), "path", "where it leads"},
		"a segment of both":           {op(func(o *definition.Operation) { o.Path = "/a/{b}.json" }), "path", "/{b}.json"[1:]},
		"a rest in the middle":        {op(func(o *definition.Operation) { o.Path = "/{a...}/b" }), "path", "at its end"},
		"a name twice":                {op(func(o *definition.Operation) { o.Path = "/{invoice}/{invoice}" }), "path", "twice"},
		"an action of two words":      {op(func(o *definition.Operation) { o.Action = "billing.invoice" }), "action", "billing.resource.verb"},
		"an action of others":         {op(func(o *definition.Operation) { o.Action = "github.invoice.get" }), "action", "does not begin"},
		"the action of all else":      {op(func(o *definition.Operation) { o.Action = "billing.other.get" }), "action", "anything else"},
		"two classes":                 {op(func(o *definition.Operation) { o.Action = "billing.invoice.list" }), "class", "One action has one class"},
		"two risks":                   {op(func(o *definition.Operation) { o.Action, o.Class = "billing.invoice.void", action.Delete }), "risk", "another risk"},
		"a condition on the path":     {op(func(o *definition.Operation) { o.When = "invoice=1" }), "when", "not a condition"},
		"the same condition":          {op(func(o *definition.Operation) { o.When = ".state=void" }), "when", "same condition"},
		"the same form":               {func(d *definition.Definition) { d.Operations[1].When = "" }, "path", "same form"},
		"one that is never reached":   {func(d *definition.Definition) { o := d.Operations; o[1], o[2] = o[2], o[1] }, "when", "never reached"},
		"a parameter that is not":     {op(func(o *definition.Operation) { o.Params = []string{"amount=total"} }), "params", "no {total} in the path"},
		"a parameter's type":          {op(func(o *definition.Operation) { o.Params = []string{".amount:float"} }), "params", "int, bool and list"},
		"a parameter twice":           {op(func(o *definition.Operation) { o.Params = []string{".amount", "?amount"} }), "params", "two parameters called amount"},
		"a secret":                    {op(func(o *definition.Operation) { o.Params = []string{"x=.client_secret"} }), "params", "looks like a secret"},
		"the key itself":              {op(func(o *definition.Operation) { o.Params = []string{"x=@x-billing-KEY"} }), "params", "looks like a secret"},
		"a resource that is not":      {op(func(o *definition.Operation) { o.Resource = "{customer}" }), "resource", "no {customer}"},
		"a brace":                     {op(func(o *definition.Operation) { o.Resource = "{invoice" }), "resource", "do not match"},
		"a title of others":           {op(func(o *definition.Operation) { o.Title = "change {customer}" }), "title", "{customer}"},
		"a title that is broken":      {op(func(o *definition.Operation) { o.Title = "change [{resource}" }), "title", "do not match"},
	} {
		d := billing()
		d.Operations = slices.Clone(d.Operations)
		tt.change(&d)
		problems := d.Plain().Check()
		if !slices.ContainsFunc(problems, func(p definition.Problem) bool { return p.Field == tt.field && strings.Contains(p.Message, tt.want) }) {
			t.Errorf("%s: %v, want one about %s with %q", name, problems, tt.field, tt.want)
		}
		if fault.Of(definition.Err(problems)) != fault.Invalid {
			t.Errorf("%s: %v", name, definition.Err(problems))
		}
	}
}

func TestMoreOperationsThanAnyoneReadsAreRefused(t *testing.T) {
	t.Parallel()

	d := billing()
	d.Operations = slices.Repeat(d.Operations, 700)
	if problems := d.Check(); len(problems) != 1 || !strings.Contains(problems[0].Message, "2100 operations") {
		t.Errorf("%d problems", len(problems))
	}
}

func TestAClassIsNeverLooserThanTheMethod(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		method, path, id string
		want             action.Class
		look             bool
	}{
		{"GET", "/invoices", "", action.Read, false},
		{"POST", "/invoices", "", action.Write, false},
		{"DELETE", "/invoices/{id}", "", action.Delete, false},
		{"POST", "/invoices/search", "", action.Write, true},
		{"POST", "/x", "validateInvoice", action.Write, true},
		{"POST", "/invoices/{id}/delete", "", action.Delete, true},
		{"GET", "/api-keys", "", action.Admin, true},
		{"GET", "/members", "", action.Read, true},
		{"POST", "/members", "", action.Admin, true},
		{"DELETE", "/webhooks/{id}", "", action.Admin, true},
		{"PUT", "/x", "rotateSecret", action.Admin, true},
		{"PATCH", "/turkeys", "", action.Write, false},
	} {
		c, look := definition.UsualClass(tt.method, tt.path, tt.id)
		if c != tt.want || (look != "") != tt.look {
			t.Errorf("%s %s %s: %v, %q", tt.method, tt.path, tt.id, c, look)
		}
	}
}

func TestTheZeroOfAnOperationIsTheStrictest(t *testing.T) {
	t.Parallel()

	var d definition.Definition
	if err := json.Unmarshal([]byte(`{"operations": [{"method": "GET"}]}`), &d); err != nil {
		t.Fatal(err)
	}
	if o := d.Operations[0]; o.Class != action.Admin || o.Risk != action.Critical {
		t.Errorf("%+v", o)
	}
	for _, text := range []string{`{"body": "xml"}`, `{"operations": [{"class": "harmless"}]}`} {
		if json.Unmarshal([]byte(text), &d) == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestADefinitionTravelsWhole(t *testing.T) {
	t.Parallel()

	want := billing().Sorted()
	want.Body = definition.Form
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got definition.Definition
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNamesAreCutIntoWords(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"listInvoiceItems": "list invoice items", "list_invoice-items": "list invoice items", "createAPIKey": "create api key", "HTTPRequest": "http request", "/v1/a.b": "v1 a b", "": "",
	} {
		if got := strings.Join(definition.Words(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for word, want := range map[string]string{"invoices": "invoice", "companies": "company", "boxes": "box", "addresses": "address", "status": "status", "access": "access", "keys": "key"} {
		if got := definition.Singular(word); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestATitleIsMadeOfTheAction(t *testing.T) {
	t.Parallel()

	for action, want := range map[string]string{"b.invoice.list": "list invoices", "b.invoice_line.get": "read invoice line[ {resource}]", "b.company.list": "list companies", "b.invoice.send": "send invoice[ {resource}]"} {
		resource := ""
		if strings.Contains(want, "resource") {
			resource = "{id}"
		}
		d := definition.Definition{Operations: []definition.Operation{{Path: "/{id}", Action: action, Resource: resource}}}.Plain()
		if got := d.Operations[0].Title; got != want {
			t.Errorf("%s: %q, want %q", action, got, want)
		}
	}
}
