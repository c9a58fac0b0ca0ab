package policy_test

import (
	"testing"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestWhoHasToAgreeInWords(t *testing.T) {
	t.Parallel()

	for want, a := range map[string]policy.Approvers{
		"a person's approval":                                              {},
		"an admin's approval":                                              {Role: "admin", Count: 1},
		"the approval of 2 people":                                         {Count: 2},
		"the approval of 3 owners":                                         {Role: "owner", Count: 3},
		"the approval of a person of release":                              {Group: "release"},
		"the approval of an admin of release":                              {Role: "admin", Group: "release"},
		"the approval of 2 people of release":                              {Count: 2, Group: "release"},
		"the approval of a member of each of a and b":                      {Role: "member", Group: "a+b"},
		"the approval of 2 people of each of a, b and c":                   {Count: 2, Group: "a+b+c"},
		"the approval of a person other than whoever enrolled the gateway": {NotSelf: true},
		"an owner's approval, given with a fresh proof of who they are":    {Role: "owner", StepUp: true},
		"the approval of 2 admins of ops other than whoever enrolled the gateway, given with a fresh proof of who they are": {Role: "admin", Count: 2, Group: "ops", NotSelf: true, StepUp: true},
	} {
		if got := a.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGroupNames(t *testing.T) {
	t.Parallel()

	for name, good := range map[string]bool{
		"release": true, "a": true, "0-a": true, "a-": true, "": false, "-a": false, "Release": false, "a b": false, "a+b": false, "a.b": false, "é": false,
		"a23456789012345678901234567890123456789x": true, "a23456789012345678901234567890123456789xx": false,
	} {
		if err := policy.CheckGroupName(name); (err == nil) != good || err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%q: %v", name, err)
		}
	}
	if got := policy.JoinGroups("b", "a", "b"); got != "a+b" {
		t.Error(got)
	}
}

// A rule that is not sure to apply, and one of something else that the request
// may be, are satisfied only by whoever satisfies all of them.
func TestWhateverTheRequestIsWhoeverItTakesAgrees(t *testing.T) {
	t.Parallel()

	asks := func(id string, pattern action.Pattern, who policy.Approvers, when policy.Limits) policy.Rule {
		return policy.Rule{ID: id, Connector: "github", Pattern: pattern, Effect: policy.RequireApproval, Approvers: who, When: when}
	}
	ops, release := policy.Approvers{Group: "ops"}, policy.Approvers{Role: "admin", Group: "release", StepUp: true}
	both := policy.Approvers{Role: "admin", Group: "ops+release", StepUp: true}
	merge := act("github.pr.merge", action.Write)
	unread, lists, or, below := merge, merge, merge, merge
	unread.Unknown = []string{"*"}
	lists.Params = map[string]any{"labels": []string{"a", "b"}}
	or.Or = []action.Alternative{{Name: "github.pr.close", Class: action.Write}}
	below.Or = []action.Alternative{{Name: "github.pr.*", Class: action.Write}}
	main := policy.Limits{"base": {"main"}}
	for name, tt := range map[string]struct {
		about    action.Action
		rules    []policy.Rule
		policies []policy.Policy
		want     policy.Approvers
		reason   string
	}{
		"one rule": {merge, []policy.Rule{asks("a", "*", ops, nil), asks("b", "github.pr.merge", release, nil)}, nil, release,
			"The rule for github.pr.merge asks for the approval of an admin of release, given with a fresh proof of who they are."},
		"perhaps the one, perhaps the other": {unread, []policy.Rule{asks("a", "*", ops, nil), asks("b", "github.pr.merge", release, main)}, nil, both,
			"The rule for github.pr.merge where base is main asks for the approval of an admin of release, given with a fresh proof of who they are. The request does not show whether that is so, and then the strictest counts. Together with other rules, it takes the approval of an admin of each of ops and release, given with a fresh proof of who they are."},
		"perhaps one of three": {unread, []policy.Rule{asks("a", "*", policy.Approvers{}, nil), asks("b", "github.pr.merge", ops, policy.Limits{"base": {"dev"}}), asks("c", "github.pr.merge", release, main)}, nil, both, ""},
		"each of a list":       {lists, []policy.Rule{asks("a", "*", ops, policy.Limits{"labels": {"a"}}), asks("b", "*", release, policy.Limits{"labels": {"b"}})}, nil, both, ""},
		"what else it may be":  {or, []policy.Rule{asks("a", "github.pr.merge", ops, nil), asks("b", "github.pr.close", release, nil)}, nil, both, ""},
		"any of a prefix":      {below, []policy.Rule{asks("a", "github.pr.merge", ops, nil), asks("b", "github.pr.*", policy.Approvers{}, nil), asks("c", "github.pr.x.y", release, nil)}, nil, both, ""},
		"a policy, too": {merge, []policy.Rule{asks("a", "*", ops, nil)}, []policy.Policy{just("pol_p", policy.Clause{Name: "c", Effect: policy.RequireApproval, Approvers: release})}, both,
			"The rule c of policy p asks for the approval of an admin of release, given with a fresh proof of who they are. Together with other rules, it takes the approval of an admin of each of ops and release, given with a fresh proof of who they are."},
		"two policies, too": {merge, []policy.Rule{asks("a", "*", policy.Approvers{NotSelf: true}, nil)}, []policy.Policy{just("pol_p", policy.Clause{Name: "c", Effect: policy.RequireApproval, Approvers: ops}), just("pol_q", policy.Clause{Name: "d", Effect: policy.RequireApproval, Approvers: release})}, policy.Approvers{Role: "admin", Group: "ops+release", NotSelf: true, StepUp: true},
			"The rule c of policy p asks for the approval of a person of ops. Together with other rules, it takes the approval of an admin of each of ops and release other than whoever enrolled the gateway, given with a fresh proof of who they are."},
		"a policy that only allows":  {merge, []policy.Rule{asks("a", "*", ops, nil)}, []policy.Policy{just("pol_p", policy.Clause{Name: "c", Effect: policy.Allow})}, ops, ""},
		"a policy that only reports": {merge, []policy.Rule{asks("a", "*", ops, nil)}, []policy.Policy{{ID: "pol_p", Name: "p", ReportOnly: true, Clauses: []policy.Clause{{Name: "c", Effect: policy.RequireApproval, Approvers: release}}}}, ops, ""},
	} {
		e, err := policy.Compile(policy.Settings{Rules: tt.rules, Policies: tt.policies})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d := e.Decide(policy.Question{Action: tt.about, Type: "github"})
		if d.Effect != policy.RequireApproval || d.Approvers.Count > 1 {
			t.Errorf("%s: %+v", name, d)
		}
		if d.Approvers.Count = 0; d.Approvers != tt.want {
			t.Errorf("%s: %+v, want %+v", name, d.Approvers, tt.want)
		}
		if tt.reason != "" && d.Reason != tt.reason {
			t.Errorf("%s: %s", name, d.Reason)
		}
	}
}

func TestOnlyARuleThatAsksSaysWhoHasToAgree(t *testing.T) {
	t.Parallel()

	for name, r := range map[string]policy.Rule{
		"an allow": {Pattern: "*", Effect: policy.Allow, Approvers: policy.Approvers{Role: "admin"}}, "a deny": {Pattern: "*", Approvers: policy.Approvers{StepUp: true}},
		"a role":  {Pattern: "*", Effect: policy.RequireApproval, Approvers: policy.Approvers{Role: "viewer"}},
		"a group": {Pattern: "*", Effect: policy.RequireApproval, Approvers: policy.Approvers{Group: "+"}},
	} {
		if err := r.Check(); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (policy.Rule{Pattern: "*", Effect: policy.RequireApproval, Approvers: policy.Approvers{Role: "owner", Count: 10, Group: "a+b", NotSelf: true, StepUp: true}}).Check(); err != nil {
		t.Error(err)
	}
}
