package configuration_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/configuration"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
)

const ruled = `version: 1
policies:
  - document: |
      # What agents do not do.
      name: nothing-deleted
      rules:
        - name: no
          conditions: [{field: class, operator: equals, value: delete}]   # of any service
          decision: deny
      tests:
        - {name: a repository stays, request: {method: DELETE, url: "https://api.github.com/repos/a/b"}, expect: deny}
  - priority: 7
    report_only: true
    document: |
      name: Business hours
      scope: {environments: [production]}
      rules:
        - {name: closed, when: "time.getHours('Europe/Berlin') < 8", decision: deny}
`

// policed reads a document as the server does.
func (f fixture) policed(t *testing.T, text string) *config.Document {
	t.Helper()
	doc, err := config.Parse("tameflare.yaml", []byte(text), policies.Catalogue{Catalogue: connectors.Catalogue{}})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// recorded counts events by their type.
func (f fixture) recorded(t *testing.T) map[string]int {
	t.Helper()
	all, err := f.store.Events(t.Context(), f.owner.Team.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, e := range all {
		if strings.HasPrefix(e.Type, "policy.") {
			found[e.Type]++
		}
	}
	return found
}

func TestPoliciesAreAppliedOnceAndExportedWithTheirComments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		got := f.apply(t, f.policed(t, ruled), nil, configuration.Options{})
		if diff := cmp.Diff([]string{"create policies/nothing-deleted", "create policies/Business hours"}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		after := f.revision(t)
		if got := f.apply(t, f.policed(t, ruled), nil, configuration.Options{Prune: true}); len(got) != 0 || f.revision(t) != after {
			t.Errorf("the second time: %v", got)
		}
		text, err := config.Marshal(f.export(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"      # What agents do not do.\n", "value: delete}]   # of any service\n", "  - report_only: true\n    priority: 7\n"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("the export has no %q:\n%s", want, text)
			}
		}
		if got := f.apply(t, f.policed(t, string(text)), nil, configuration.Options{Prune: true}); len(got) != 0 {
			t.Errorf("what was exported: %v\n%s", got, text)
		}
		kept, err := f.store.Policies(t.Context(), f.owner.Team.ID)
		if err != nil || len(kept) != 2 || kept[0].Name != "Business hours" || !kept[0].ReportOnly || kept[0].Priority != 7 || kept[1].Version != 1 {
			t.Fatalf("%+v, %v", kept, err)
		}
		versions, err := f.store.PolicyVersions(t.Context(), f.owner.Team.ID, kept[1].ID)
		if err != nil || len(versions) != 1 || versions[0].AuthorName != "Ana" || versions[0].Message == "" {
			t.Errorf("%+v, %v", versions, err)
		}
	})
}

func TestAPolicyChangesInOneVersionAndIsPruned(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.apply(t, f.policed(t, ruled), nil, configuration.Options{})
		other := strings.NewReplacer("decision: deny\n", "decision: require_approval\n", "expect: deny", "expect: require_approval", "priority: 7\n", "priority: 8\n    enabled: false\n").Replace(ruled)
		changes, err := f.Apply(t.Context(), f.owner, f.policed(t, other), nil, configuration.Options{DryRun: true})
		want := []config.Change{
			{Op: config.Update, Path: "policies/nothing-deleted", Detail: "document"},
			{Op: config.Update, Path: "policies/Business hours", Detail: "enabled: true → false, priority: 7 → 8"},
		}
		if diff := cmp.Diff(want, changes); err != nil || diff != "" {
			t.Errorf("%v\n(-want +got)\n%s", err, diff)
		}
		before := f.revision(t)
		if kept, err := f.store.Policy(t.Context(), f.owner.Team.ID, "Business hours"); err != nil || kept.Version != 1 || !kept.Enabled {
			t.Errorf("a dry run changed %+v, %v", kept, err)
		}
		f.apply(t, f.policed(t, other), nil, configuration.Options{})
		if kept, err := f.store.Policy(t.Context(), f.owner.Team.ID, "Business hours"); err != nil || kept.Version != 2 || kept.Enabled || kept.Priority != 8 || f.revision(t) != before+1 {
			t.Errorf("%+v, %v", kept, err)
		}
		none := "version: 1\n"
		if got := f.apply(t, f.policed(t, none), nil, configuration.Options{}); len(got) != 0 {
			t.Errorf("without prune: %v", got)
		}
		one := &config.Document{Policies: []config.Policy{{Name: "one more", Document: "name: one more\nrules: [{name: r, decision: deny}]\n"}}}
		if got := f.apply(t, one, nil, configuration.Options{}); len(got) != 1 || len(f.export(t).Policies) != 3 {
			t.Errorf("another without prune: %v, %+v", got, f.export(t).Policies)
		}
		if got := f.apply(t, one, nil, configuration.Options{}); len(got) != 0 {
			t.Errorf("the same without its usual priority: %v", got)
		}
		got := f.apply(t, f.policed(t, none), nil, configuration.Options{Prune: true})
		if diff := cmp.Diff([]string{"delete policies/Business hours", "delete policies/nothing-deleted", "delete policies/one more"}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if left, err := f.store.Policies(t.Context(), f.owner.Team.ID); err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
		if diff := cmp.Diff(map[string]int{"policy.created": 3, "policy.updated": 1, "policy.disabled": 1, "policy.deleted": 3}, f.recorded(t)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestNothingChangesWhereAPolicyCannotCount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.apply(t, f.policed(t, ruled), nil, configuration.Options{})
		before := f.revision(t)
		with := func(p config.Policy) *config.Document {
			return &config.Document{Gateways: []config.Gateway{{Name: "fresh"}}, Policies: []config.Policy{p}}
		}
		text := f.export(t).Policies[1].Document
		for name, tt := range map[string]struct {
			doc  *config.Document
			says string
		}{
			"a test fails":       {with(config.Policy{Name: "nothing-deleted", Document: strings.Replace(text, "expect: deny", "expect: allow", 1)}), "a repository stays"},
			"it cannot be read":  {with(config.Policy{Name: "x", Document: "name: x\nrules: [{decision: perhaps}]\n"}), "decision"},
			"it has other names": {with(config.Policy{Name: "another", Document: text}), "calls it nothing-deleted"},
			"a priority":         {with(config.Policy{Name: "nothing-deleted", Document: text, Priority: 1001}), "priority"},
			"two of a name": {&config.Document{Policies: []config.Policy{
				{Name: "nothing-deleted", Document: text}, {Name: "nothing-deleted", Document: text},
			}}, "two policies"},
		} {
			_, err := f.Apply(t.Context(), f.owner, tt.doc, nil, configuration.Options{})
			if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.says) {
				t.Errorf("%s: %v, want invalid and a word about %q", name, err, tt.says)
			}
		}
		if doc := f.export(t); f.revision(t) != before || len(doc.Gateways) != 0 {
			t.Errorf("something was changed: %+v", doc)
		}
	})
}

func TestAPolicyMayBeAboutATypeThatComesWithIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		text := typed[:strings.Index(typed, "credentials:")] + `policies:
  - document: |
      name: invoices
      scope: {actions: ["billing.*"]}
      rules:
        - name: no-updates
          conditions: [{field: action, operator: equals, value: billing.invoice.update}]
          decision: deny
      tests:
        - {name: an update, request: {method: POST, url: "https://api.billing.example.com/invoices/7"}, expect: deny, rule: no-updates}
`
		f.apply(t, f.policed(t, text), nil, configuration.Options{})
		if got := f.apply(t, f.policed(t, text), nil, configuration.Options{Prune: true}); len(got) != 0 {
			t.Errorf("the second time: %v", got)
		}
	})
}
