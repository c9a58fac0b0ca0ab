package lookup_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/lookup"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/definition"
)

func names(all []*lookup.Action) []string {
	var names []string
	for _, a := range all {
		names = append(names, a.Operation.Action)
	}
	return names
}

func TestWhatAPersonTypesIsFoundFirst(t *testing.T) {
	t.Parallel()

	x := lookup.New(connectors.Types())
	for words, want := range map[string]string{
		"github.pr.merge":            "github.pr.merge",
		"GitHub.PR.Merge":            "github.pr.merge",
		"pr merge":                   "github.pr.merge",
		"merge pr":                   "github.pr.merge",
		"mergePullRequest":           "github.pr.merge", // the mutation's name
		"pulls/merge":                "github.pr.merge", // the operation's
		"/pulls/{pull_number}/merge": "github.pr.merge",
		"repo push":                  "github.repo.push",
		"git-receive-pack repo push": "github.repo.push",
		"PostRefunds":                "stripe.refund.create",
		"refund create":              "stripe.refund.create",
		"chat.postMessage":           "slack.message.send",
		"/v1/chat/completions openai.chat.create": "openai.chat.create",
	} {
		found := names(x.Find(lookup.Query{Words: words}))
		if len(found) == 0 || found[0] != want {
			t.Errorf("%q: found %q, want %s first", words, found[:min(4, len(found))], want)
		}
	}
	if found := x.Find(lookup.Query{Words: "no such thing anywhere"}); len(found) != 0 {
		t.Errorf("nonsense: found %q", names(found))
	}
}

func TestFiltersNarrow(t *testing.T) {
	t.Parallel()

	x := lookup.New(connectors.Types())
	if got := len(x.Find(lookup.Query{})); got != x.Len() {
		t.Errorf("no filter: %d of %d", got, x.Len())
	}
	read, deletes, critical := action.Read, action.Delete, action.Critical
	sum := 0
	for _, class := range []action.Class{action.Admin, action.Delete, action.Write, action.Read} {
		sum += len(x.Find(lookup.Query{Class: &class}))
	}
	if sum != x.Len() {
		t.Errorf("the classes have %d actions together, want %d", sum, x.Len())
	}
	for name, q := range map[string]lookup.Query{
		"type": {Type: "stripe"}, "class": {Class: &read}, "risk": {Risk: &critical}, "all": {Type: "github", Class: &deletes, Words: "repo"},
	} {
		found := x.Find(q)
		if len(found) == 0 {
			t.Errorf("%s: nothing found", name)
		}
		for _, a := range found {
			if q.Type != "" && a.Type.Name != q.Type || q.Class != nil && a.Class != *q.Class || q.Risk != nil && a.Risk != *q.Risk {
				t.Errorf("%s: found %s of %s, %v, %v", name, a.Operation.Action, a.Type.Name, a.Class, a.Risk)
			}
		}
	}
	total := 0
	for _, of := range x.Types() {
		n := 0
		for _, count := range of.Class {
			n += count
		}
		if n != of.Actions || len(x.Find(lookup.Query{Type: of.Name})) != n {
			t.Errorf("%s: %d by class, %d in all", of.Name, n, of.Actions)
		}
		total += n
	}
	if total != x.Len() {
		t.Errorf("the types have %d actions together, want %d", total, x.Len())
	}
}

func TestTitlesArePlain(t *testing.T) {
	t.Parallel()

	for title, want := range map[string]string{
		"merge {resource}":                          "merge …",
		"ask[ {model}] for a chat completion":       "ask … for a chat completion",
		"deploy an agent[: {agent}][ under {name}]": "deploy an agent",
		"push[ {ref}] to {resource}":                "push … to …",
		"read how GitHub's GraphQL is made":         "read how GitHub's GraphQL is made",
		"delete[ {path}][ {id}] in {resource}":      "delete … in …",
		"{a}{b":                                     "……",
		"[":                                         "",
	} {
		if got := lookup.Plain(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}

// What must hold for every action there is.
func TestEveryAction(t *testing.T) {
	t.Parallel()

	x := lookup.New(connectors.Types())
	for _, a := range x.Find(lookup.Query{}) {
		if a.Words == "" || strings.ContainsAny(a.Words, "[]{}") {
			t.Errorf("%s: words %q", a.Operation.Action, a.Words)
		}
		if !strings.HasPrefix(a.Docs(), "https://") {
			t.Errorf("%s: documentation %q", a.Operation.Action, a.Docs())
		}
		if x.Action(a.Type.Name, a.Operation.Action) != a {
			t.Errorf("%s: not found under its name", a.Operation.Action)
		}
		for _, s := range a.Shapes() {
			if s.Kind == "" || s.Method == "" || strings.Contains(s.Method, "MUTATION") {
				t.Errorf("%s: form %+v", a.Operation.Action, s)
			}
		}
	}
	if x.Action("github", "stripe.refund.create") != nil {
		t.Error("an action is found under another type")
	}
}

// A rule that is shown can be applied as it stands.
func TestEveryRuleCanBeApplied(t *testing.T) {
	t.Parallel()

	for _, of := range lookup.New(connectors.Types()).Types() {
		all := lookup.New([]*connectors.Type{of.Type}).Find(lookup.Query{})
		known := one{of.Type, names(all)}
		for _, a := range all {
			doc := "version: 1\ngateways:\n  - name: bot\n    connectors:\n"
			for line := range strings.Lines(a.Rule()) {
				doc += "      " + line
			}
			got, err := config.Parse("tameflare.yaml", []byte(doc), known)
			if err != nil {
				t.Fatalf("%s: %v\n%s", a.Operation.Action, err, doc)
			}
			rules, err := got.Gateways[0].AccessRules()
			if err != nil || len(rules) != 1 || string(rules[0].Pattern) != a.Operation.Action {
				t.Fatalf("%s: %+v, %v", a.Operation.Action, rules, err)
			}
		}
	}
}

// one is a catalogue that knows the actions of one type: to list those of all
// for each of them would take long.
type one struct {
	*connectors.Type
	actions []string
}

func (one) Check(all ...config.Connector) error { return connectors.Catalogue{}.Check(all...) }

func (o one) Types() []string                      { return []string{o.Name} }
func (one) Params(string, action.Pattern) []string { return nil }
func (o one) Actions(string) []string              { return o.actions }

func TestFormsSayWhatTheyAre(t *testing.T) {
	t.Parallel()

	x := lookup.New(connectors.Types())
	kinds := func(typ, name string) map[string]bool {
		all := map[string]bool{}
		for _, s := range x.Action(typ, name).Shapes() {
			all[s.Kind] = true
		}
		return all
	}
	for name, want := range map[string]map[string]bool{
		"github github.pr.merge":  {"REST": true, "GraphQL": true},
		"github github.repo.push": {"git": true},
		"http http.get":           {"HTTP": true},
	} {
		typ, action, _ := strings.Cut(name, " ")
		if diff := cmp.Diff(want, kinds(typ, action)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	for _, s := range x.Action("github", "github.pr.merge").Shapes() {
		if s.Kind == "GraphQL" && (s.Method != "POST" || s.Address != "api.github.com/graphql" || !strings.HasPrefix(s.Note, "mutation ")) {
			t.Errorf("GraphQL: %+v", s)
		}
	}
}

func TestATeamsOwnTypesAreFoundBesides(t *testing.T) {
	t.Parallel()

	x := lookup.New(connectors.Types())
	define := func(name string) connectors.Own {
		own, err := connectors.DefineAll([]definition.Definition{{
			Name: "billing", Title: "Billing", Hosts: []string{"billing.example"},
			Operations: []definition.Operation{{Method: "POST", Path: "/invoices/{id}/void", Action: name, Class: action.Delete, Risk: action.High, Title: "void {resource}", Resource: "{id}"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return own
	}
	own := define("billing.invoice.void")
	y := x.With(own)
	if a := y.Action("billing", "billing.invoice.void"); a == nil || a.Words != "void …" {
		t.Errorf("own action: %+v", a)
	}
	if shapes := y.Action("billing", "billing.invoice.void").Shapes(); len(shapes) != 1 || shapes[0].ID != "" {
		t.Errorf("forms %+v: a definition has no names for its operations", shapes)
	}
	if y.Action("github", "github.pr.merge") != x.Action("github", "github.pr.merge") || y.Action("billing", "github.pr.merge") != nil {
		t.Error("the others are not as they were")
	}
	if found := names(y.Find(lookup.Query{Words: "billing invoice void"})); len(found) != 1 || found[0] != "billing.invoice.void" {
		t.Errorf("found %q", found)
	}
	if y.Len() != x.Len()+len(own[0].Operations()) || len(y.Types()) != len(x.Types())+1 {
		t.Errorf("%d actions of %d types", y.Len(), len(y.Types()))
	}
	if x.Action("billing", "billing.invoice.void") != nil || x.With(nil) != x {
		t.Error("the index has changed")
	}
	changed := y.With(define("billing.invoice.cancel")) // in the place of the first
	if changed.Len() != y.Len() || changed.Action("billing", "billing.invoice.void") != nil || changed.Action("billing", "billing.invoice.cancel") == nil {
		t.Error("a type of the same name does not take the place of the first")
	}
}

func BenchmarkFind(b *testing.B) {
	x := lookup.New(connectors.Types())
	for b.Loop() {
		x.Find(lookup.Query{Words: "pull request merge"})
	}
}
