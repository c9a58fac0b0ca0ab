package policies_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

const billing = `version: 1
connector_types:
  - name: billing
    hosts: [api.billing.example.com]
    operations:
      - {method: POST, path: "/invoices/{invoice}", action: billing.invoice.update, resource: "{invoice}"}
`

func own(t *testing.T) connectors.Own {
	t.Helper()
	doc, err := config.Parse("t.yaml", []byte(billing), connectors.Catalogue{})
	if err != nil {
		t.Fatal(err)
	}
	made, err := connectors.DefineAll(doc.Definitions())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTheRequestOfATestIsNamedAsAGatewayNamesIt(t *testing.T) {
	t.Parallel()

	read := policies.Reader(own(t))
	for name, tt := range map[string]struct{ method, url, typ, connector, action string }{
		"a service that comes along": {"DELETE", "https://api.github.com/repos/a/b", "github", "github", "github.repo.delete"},
		"an own type":                {"POST", "https://api.billing.example.com/invoices/7", "billing", "billing", "billing.invoice.update"},
		"any other host":             {"POST", "https://intern.example/x", "http", "http", "http.post"},
	} {
		q, err := read(document.Request{Method: tt.method, URL: tt.url, Header: http.Header{"X-A": {"b"}}})
		if err != nil || q.Type != tt.typ || q.Action.Connector != tt.connector || q.Action.Name != tt.action || q.Request.Header["x-a"] != "b" {
			t.Errorf("%s: %+v, %v", name, q, err)
		}
	}
	if _, err := read(document.Request{Method: "GET", URL: "nowhere"}); fault.Of(err) != fault.Invalid {
		t.Errorf("an address that is none: %v", err)
	}
}

const failing = `name: failing
rules:
  - {name: no-deletes, conditions: [{field: class, operator: equals, value: delete}], decision: deny}
tests:
  - {name: reading, request: {method: GET, url: "https://api.github.com/user"}, expect: allow}
  - {name: deleting, request: {method: DELETE, url: "https://api.github.com/repos/a/b"}, expect: allow}
`

func TestATestThatFailsIsAProblemInItsLine(t *testing.T) {
	t.Parallel()

	c := policies.Catalogue{}
	_, err := c.ReadPolicy("f.yaml", []byte(failing), c)
	found, ok := errors.AsType[*yamldoc.Problems](err)
	if !ok || len(found.All) != 1 || found.All[0].Line != 6 || !strings.Contains(found.Error(), "f.yaml:6:1: The test “deleting” fails: ") {
		t.Errorf("%v", err)
	}
	if _, err := (policies.Catalogue{Untested: true}).ReadPolicy("f.yaml", []byte(failing), c); err != nil {
		t.Errorf("untested: %v", err)
	}
	doc, err := document.Parse("f.yaml", []byte(failing), connectors.Catalogue{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := doc.Run(policies.Reader(nil))
	if err != nil {
		t.Fatal(err)
	}
	got := policies.Tests(results)
	want := []rest.PolicyTest{
		{Name: "reading", Line: 5, Passed: true, Expected: "allow", Got: "allow"},
		{Name: "deleting", Line: 6, Expected: "allow", Got: "deny", Rule: "no-deletes", RuleLine: 3, Problem: got[1].Problem},
	}
	if diff := cmp.Diff(want, got); diff != "" || got[1].Problem == "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAPolicyIsReadWithTheTypesOfItsConfiguration(t *testing.T) {
	t.Parallel()

	text := billing + `policies:
  - document: |
      name: own
      scope: {actions: ["billing.invoice.update"]}
      rules: [{name: no, decision: deny}]
      tests: [{name: an update, request: {method: POST, url: "https://api.billing.example.com/invoices/7"}, expect: deny}]
`
	if _, err := config.Parse("t.yaml", []byte(text), policies.Catalogue{}); err != nil {
		t.Error(err)
	}
	if _, err := config.Parse("t.yaml", []byte("version: 1\npolicies: [{file: a.yaml}]\n"), policies.Catalogue{}); !strings.Contains(fault.Message(err), "only where the document is applied from") {
		t.Errorf("a file where there are none: %v", err)
	}
	files := policies.Catalogue{Catalogue: connectors.Catalogue{Open: func(string) ([]byte, error) { return []byte("\ufeff" + failing), nil }}, Untested: true}
	if doc, err := config.Parse("t.yaml", []byte("version: 1\npolicies: [{file: a.yaml}]\n"), files); err != nil || doc.Policies[0].Document != failing {
		t.Errorf("a file with a mark of its encoding: %+v, %v", doc, err)
	}
}

func TestAnActionIsRatedByItsName(t *testing.T) {
	t.Parallel()

	c := connectors.Catalogue{Own: own(t)}
	if class, risk, reversible, known := c.Rate("github", "github.repo.delete"); class != action.Delete || risk > action.High || reversible || !known {
		t.Errorf("%v %v %v %v", class, risk, reversible, known)
	}
	if class, _, _, known := c.Rate("billing", "billing.invoice.update"); class != action.Write || !known {
		t.Errorf("of an own type: %v %v", class, known)
	}
	for _, name := range []string{"github.repo.unheard", ""} {
		if class, risk, reversible, known := c.Rate("github", name); class != action.Admin || risk != action.Critical || reversible || known {
			t.Errorf("%q: %v %v %v %v", name, class, risk, reversible, known)
		}
	}
	if _, _, _, known := c.Rate("nothing", "github.repo.delete"); known {
		t.Error("a type that there is not is known")
	}
}
