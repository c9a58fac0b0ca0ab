package fleet_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestEditedRuleIsAnotherRule(t *testing.T) {
	t.Parallel()
	base := fleet.Rule{Pattern: "github.pr.merge", Effect: policy.RequireApproval, HoldMS: -1}
	id := fleet.RuleID("gw_1", "github", base)
	if fleet.RuleID("gw_1", "github", base) != id {
		t.Error("the same rule has two IDs")
	}
	if fleet.RuleID("gw_2", "github", base) == id || fleet.RuleID("gw_1", "other", base) == id {
		t.Error("the rule of another gateway or connector has the same ID")
	}
	for name, edit := range map[string]func(*fleet.Rule){
		"pattern": func(r *fleet.Rule) { r.Pattern = "github.pr.*" }, "class": func(r *fleet.Rule) { r.Class = "read" },
		"effect": func(r *fleet.Rule) { r.Effect = policy.Allow }, "hold": func(r *fleet.Rule) { r.HoldMS = 0 },
		"ttl": func(r *fleet.Rule) { r.TTLMS = 60_000 }, "reason": func(r *fleet.Rule) { r.Reason = "Because." },
		"limit": func(r *fleet.Rule) { r.When = policy.Limits{"base": {"main"}} },
		"role":  func(r *fleet.Rule) { r.Approvers.Role = "admin" }, "number": func(r *fleet.Rule) { r.Approvers.Count = 2 },
		"group": func(r *fleet.Rule) { r.Approvers.Group = "ops" }, "self": func(r *fleet.Rule) { r.Approvers.NotSelf = true },
		"proof": func(r *fleet.Rule) { r.Approvers.StepUp = true },
	} {
		r := base
		edit(&r)
		if fleet.RuleID("gw_1", "github", r) == id {
			t.Errorf("with another %s the rule keeps its ID", name)
		}
	}
}

func TestWhoHasToAgreeIsOfTheRulesID(t *testing.T) {
	t.Parallel()
	seen := map[string]policy.Approvers{}
	for _, who := range []policy.Approvers{
		{}, {Role: "admin"}, {Count: 2}, {Role: "admin", Count: 2}, {Group: "a"}, {Group: "b"}, {Group: "a+b"}, {NotSelf: true}, {StepUp: true}, {NotSelf: true, StepUp: true}, {Group: "a", StepUp: true},
	} {
		id := fleet.RuleID("gw_1", "github", fleet.Rule{Pattern: "*", HoldMS: -1, Approvers: who})
		if other, twice := seen[id]; twice {
			t.Errorf("%+v and %+v have one ID", who, other)
		}
		seen[id] = who
	}
}

// Grants are bound to the IDs that rules have had.
func TestARuleWithoutLimitsKeepsItsID(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]fleet.Rule{
		"rule_u2dzk2oawseslbnkf2npkivrau": {Pattern: "github.pr.merge", Effect: policy.RequireApproval, HoldMS: -1},
		"rule_kolvwsafmzuqxv24h46rwpaxoe": {Pattern: "*", Class: "read", Effect: policy.Allow, HoldMS: 0, TTLMS: 60_000, Reason: "Why.", When: policy.Limits{}},
	} {
		if got := fleet.RuleID("gw_1", "github", r); got != want {
			t.Errorf("%s: %s, want %s", r.Pattern, got, want)
		}
	}
}

func TestLimitsAreOfTheRulesID(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, text := range []string{"ref=a", "ref=b", "tag=a", "ref=a, ref=b", "ref=a, b=c", "ref=a, tag=b", "ref=1, tag=a", "ref=a, tag=1", "a=b, c=d", "a=b, a=c, a=d"} {
		limits, err := policy.ParseLimits(text)
		if err != nil {
			t.Fatal(err)
		}
		id := fleet.RuleID("gw_1", "github", fleet.Rule{Pattern: "*", HoldMS: -1, When: limits})
		if other := seen[id]; other != "" {
			t.Errorf("%s and %s have one ID", text, other)
		}
		seen[id] = text
	}
	one, other := fleet.Rule{When: policy.Limits{"ref": {"a", "b", "a"}}}, fleet.Rule{When: policy.Limits{"ref": {"b", "a"}}}
	if fleet.RuleID("gw_1", "github", one) != fleet.RuleID("gw_1", "github", other) {
		t.Error("the same in another order has another ID")
	}
}

func TestRuleComesBack(t *testing.T) {
	t.Parallel()
	class, hold := action.Read, time.Duration(0)
	want := policy.Rule{Connector: "github", Pattern: "github.*", Class: &class, When: policy.Limits{"ref": {"a", "b"}}, Effect: policy.RequireApproval, Hold: &hold, TTL: time.Hour, Reason: "Why.", Approvers: policy.Approvers{Role: "admin", Count: 2, Group: "a+b", NotSelf: true, StepUp: true}}
	got, err := fleet.NewRule(want, policy.NoPreset).Policy("github")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, r := range map[string]fleet.Rule{
		"a hold below none": {Pattern: "*", HoldMS: -2}, "a hold that overflows": {Pattern: "*", HoldMS: 1 << 62},
		"a ttl that overflows": {Pattern: "*", HoldMS: -1, TTLMS: 1 << 62}, "a limit that is none": {Pattern: "*", HoldMS: -1, When: policy.Limits{"": nil}}, "approvers of a deny": {Pattern: "*", HoldMS: -1, Approvers: policy.Approvers{StepUp: true}}, "a class that is none": {Pattern: "*", HoldMS: -1, Class: "x"},
	} {
		if _, err := r.Policy("github"); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func TestWhatAKillStops(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kill fleet.Kill
		want bool
	}{
		"everything":          {fleet.Kill{}, true},
		"the gateway":         {fleet.Kill{GatewayID: "gw_1"}, true},
		"another gateway":     {fleet.Kill{GatewayID: "gw_2"}, false},
		"the connector":       {fleet.Kill{Connector: "gh"}, true},
		"its type":            {fleet.Kill{Connector: "github"}, true},
		"another connector":   {fleet.Kill{Connector: "stripe"}, false},
		"both":                {fleet.Kill{GatewayID: "gw_1", Connector: "gh"}, true},
		"it, at another":      {fleet.Kill{GatewayID: "gw_2", Connector: "gh"}, false},
		"one that was lifted": {fleet.Kill{LiftedAt: time.Unix(1, 0)}, false},
	} {
		if got := tt.kill.Stops("gw_1", "gh", "github"); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
