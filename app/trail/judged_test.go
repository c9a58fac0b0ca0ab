package trail_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
)

// explained is an intent that a policy has decided.
func explained(id string) audit.Traffic {
	e := intent(id)
	e.By, e.Rule, e.Policy, e.PolicyV, e.Score = "policy", "pol_1/3f9a2c1b", "pol_1", 4, 70
	e.Reported, e.ReportedAs = "pol_2/00112233", "deny"
	e.Why = json.RawMessage(`{"considered":[{"stage":"policy","rule":"pol_1/3f9a2c1b","decision":"allow","verdict":"holds","decides":true}]}`)
	e.Action = action.Action{
		Connector: "github", Name: "github.pr.merge", Class: action.Write, Risk: action.High, Resource: "acme/site#7",
		Params: map[string]any{"merge_method": "squash", "n": int64(3)}, Unknown: []string{"base"}, Reversible: true,
	}
	return e
}

// policies are the columns that policies fill.
func policies(r audit.Request) audit.Request {
	return audit.Request{
		PolicyID: r.PolicyID, PolicyV: r.PolicyV, Score: r.Score, Reported: r.Reported, ReportedAs: r.ReportedAs, Facts: r.Facts, Why: r.Why,
	}
}

// What the intent says of policies is there whether the outcome comes with it
// or later.
func TestAnOutcomeLeavesWhatPoliciesSaid(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		f.append(t, c.traffic(explained("aaaa"), outcome("aaaa", 200), explained("bbbb")), 3)
		f.append(t, c.traffic(outcome("bbbb", 200), intent("cccc")), 5)
		want := audit.Request{
			PolicyID: "pol_1", PolicyV: 4, Score: 70, Reported: "pol_2/00112233", ReportedAs: "deny",
			Facts: `{"params":{"merge_method":"squash","n":3},"unknown":["base"],"reversible":true}`,
			Why:   string(explained("aaaa").Why),
		}
		for _, id := range []string{"aaaa", "bbbb"} {
			got := f.request(t, id)
			if diff := cmp.Diff(want, policies(got)); diff != "" || got.Status != 200 {
				t.Errorf("%s: status %d; -want +got\n%s", id, got.Status, diff)
			}
			a, ok := got.ReadAction()
			if diff := cmp.Diff(explained(id).Action, a); diff != "" || !ok {
				t.Errorf("the action of %s: -want +got\n%s", id, diff)
			}
		}
		if diff := cmp.Diff(audit.Request{Facts: "{}"}, policies(f.request(t, "cccc"))); diff != "" {
			t.Errorf("without policies: -want +got\n%s", diff)
		}
	})
}

func TestAnExplanationThatIsNoneIsLeftOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		entry := func(why string) []byte {
			return []byte(`{"time":"2026-11-23T12:00:00Z","step":"intent","request":"req_aaaa","decision":"allow","score":900,"policy_version":-3,` +
				`"reported_as":"perhaps","policy":"` + strings.Repeat("p", 400) + `","action":{"name":"x.y"},"why":` + why + `}`)
		}
		for i, why := range []string{
			`"text"`, `null`, `[]`, `{"considered":7}`, `{"considered":[{"decision":"perhaps"}]}`, "{\"flip\":null,\"x\":\"\xff\"}",
			`{"x":"` + strings.Repeat("x", 16<<10) + `"}`,
		} {
			f.append(t, c.seal(entry(why)), int64(i+1))
			got := f.request(t, "aaaa")
			if got.Why != "" || got.Score != 100 || got.PolicyV != 0 || got.ReportedAs != "deny" || len(got.PolicyID) > 300 {
				t.Errorf("%.40s: %+v", why, policies(got))
			}
		}
		f.append(t, c.seal(entry(`{ "flip" : null }`)), 8)
		if got := f.request(t, "aaaa").Why; got != `{"flip":null}` {
			t.Errorf("stored %s", got)
		}
	})
}

// What is too large to be kept is unknown, and not missing.
func TestTooManyFactsAreUnknown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		e := explained("aaaa")
		for i := range 40 {
			e.Action.Params[strings.Repeat("k", i+1)] = strings.Repeat("v", 1000)
		}
		f.append(t, c.traffic(e), 1)
		a, ok := f.request(t, "aaaa").ReadAction()
		if diff := cmp.Diff([]string{"*"}, a.Unknown); diff != "" || !ok {
			t.Errorf("%v; -want +got\n%s", ok, diff)
		}
	})
}
