package configuration_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/configuration"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
)

// grouped asks for the group release in a rule, for ops in a policy, and for
// idle nowhere.
func grouped(f fixture) string {
	return strings.ReplaceAll(`version: 1
groups:
  - name: idle
  - name: ops
    members: ["ME"]
  - name: release
    members: ["ME"]
gateways:
  - name: deploy-bot
    enforcement: full_enforce
    connectors:
      - type: github
        rules:
          - {action: "github.pr.merge", decision: require_approval, approvers: {role: admin, group: release, count: 2, prevent_self_approval: true, step_up: true}}
          - {action: "github.repo.delete", decision: require_approval, approvers: 3}
policies:
  - document: |
      name: protect-main
      rules:
        - name: ask
          decision: require_approval
          approval: {approvers: {group: ops}}
`, "ME", f.owner.User.Email)
}

func TestGroupsAndWhoHasToAgreeAreAppliedAndExported(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		text := grouped(f)
		got := f.apply(t, f.policed(t, text), nil, configuration.Options{})
		want := []string{
			"create groups/idle", "create groups/ops", "create groups/release", "create gateways/deploy-bot", "create gateways/deploy-bot/connectors/github",
			"create gateways/deploy-bot/connectors/github/rules/github.pr.merge", "create gateways/deploy-bot/connectors/github/rules/github.repo.delete", "create policies/protect-main",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		written, err := config.Marshal(f.export(t))
		if err != nil || string(written) != text {
			t.Errorf("%v\n%s", err, cmp.Diff(text, string(written)))
		}
		if got := f.apply(t, f.policed(t, text), nil, configuration.Options{Prune: true}); len(got) != 0 {
			t.Errorf("the second time: %v", got)
		}
		if got := f.apply(t, f.policed(t, strings.Replace(text, "count: 2, ", "", 1)), nil, configuration.Options{}); len(got) != 1 || got[0] != "update gateways/deploy-bot/connectors/github/rules/github.pr.merge" {
			t.Errorf("fewer people: %v", got)
		}
		if got := f.apply(t, f.policed(t, "version: 1\ngroups: [{name: ops}]\n"), nil, configuration.Options{}); len(got) != 1 || got[0] != "update groups/ops" {
			t.Errorf("nobody in a group: %v", got)
		}
	})
}

func TestPruneKeepsGroupsThatAreAskedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		text := grouped(f)
		f.apply(t, f.policed(t, text), nil, configuration.Options{})
		from, to := strings.Index(text, "groups:"), strings.Index(text, "gateways:")
		if got := f.apply(t, f.policed(t, text[:from]+text[to:]), nil, configuration.Options{}); len(got) != 0 {
			t.Errorf("without prune: %v", got)
		}
		if got := f.apply(t, f.policed(t, text[:from]+text[to:]), nil, configuration.Options{Prune: true}); len(got) != 1 || got[0] != "delete groups/idle" {
			t.Errorf("with prune: %v", got)
		}
		got := f.apply(t, f.policed(t, "version: 1\n"), nil, configuration.Options{Prune: true})
		if diff := cmp.Diff([]string{"delete groups/ops", "delete groups/release", "delete gateways/deploy-bot", "delete policies/protect-main"}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if doc := f.export(t); len(doc.Groups)+len(doc.Gateways)+len(doc.Policies) != 0 {
			t.Errorf("left: %+v", doc)
		}
	})
}

func TestWhatAsksForNobodyIsNotApplied(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		text := grouped(f)
		for name, tt := range map[string]struct{ old, new, want string }{
			"a rule":   {"  - name: release\n    members: [\"" + f.owner.User.Email + "\"]\n", "", "The rule github.pr.merge of deploy-bot/github asks for the approver group release, and there is none"},
			"a policy": {"  - name: ops\n", "  - name: oops\n", "The policy protect-main asks for the approver group ops, and there is none"},
			"a member": {"members: [\"" + f.owner.User.Email + "\"]", "members: [eve@example.org]", "Group ops: nobody in the team has the address eve@example.org."},
		} {
			doc := f.policed(t, strings.Replace(text, tt.old, tt.new, 1))
			for _, dry := range []bool{true, false} {
				_, err := f.Apply(t.Context(), f.owner, doc, nil, configuration.Options{DryRun: dry})
				if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.want) {
					t.Errorf("%s: %v, want %s", name, err, tt.want)
				}
			}
		}
		if doc := f.export(t); len(doc.Groups)+len(doc.Gateways)+len(doc.Policies) != 0 {
			t.Errorf("left: %+v", doc)
		}
	})
}
