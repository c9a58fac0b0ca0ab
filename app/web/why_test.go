package web

import (
	"encoding/json"
	"testing"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
)

// merged is a request that the policy of the house has held.
func merged(t *testing.T, h *house, id string) audit.Traffic {
	t.Helper()
	said, err := h.policy.Policy()
	if err != nil {
		t.Fatal(err)
	}
	key := said.Key(0)
	why, err := json.Marshal(policy.Explanation{
		Considered: []policy.Considered{
			{Stage: policy.ByPolicy, Rule: key, Policy: h.policy.ID, Name: "merges wait", Line: 8, Effect: policy.RequireApproval, Verdict: "holds", Decides: true},
			{Stage: policy.ByRule, Rule: "rule_gone", Name: "github.*", Effect: policy.Allow, Verdict: "holds"},
			{Stage: policy.ByPolicy, Rule: "pol_gone/1", Policy: "pol_gone", Name: "<b>old", Line: 3, Effect: policy.Deny, Verdict: "unclear", ReportOnly: true},
		},
		More: 2,
		Flip: &policy.Flip{To: policy.Allow, Changes: []policy.Change{{Policy: h.policy.ID, Line: 12, Text: "params.base equals main"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return audit.Traffic{
		Request: id, Method: "PUT", Scheme: "https", Host: "api.github.com", Path: "/repos/acme/site/pulls/12/merge",
		Action:   action.Action{Connector: "github", Name: "github.pr.merge", Class: action.Write, Risk: action.High, Resource: "acme/site#12", Params: map[string]any{"base": "main"}},
		Decision: "require_approval", By: "policy", Rule: key, Policy: h.policy.ID, PolicyV: 1, Score: 70, Reason: "Somebody looks at every merge into main.",
		Reported: "pol_gone/1", ReportedAs: "deny", Why: why, Status: 503, Code: "approval_expired", Step: audit.Refused,
	}
}

func TestARequestSaysWhyItWasDecidedSo(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	const id = "req_mergedmergedmergedmergedme"
	h.record(t, merged(t, h, id))
	body := h.get(t, "/traffic/"+id)
	wantSays(t, "the request", body,
		`/policies/`+h.policy.ID+`/versions/1#L8`, "merges wait", "line 8",
		"70 of 100", "applies", "and decides", "cannot be known", "its policy only reports", "&lt;b&gt;old", "2 other rules were looked at",
		"It would be allowed if", "params.base equals main", "did not hold",
		"If its policy did more than report, this would be denied",
		"/policies/sandbox?request="+id,
	)
	wantSound(t, "the request", body)
	version := h.get(t, "/policies/"+h.policy.ID+"/versions/1")
	wantSays(t, "the version", version, `id="L8"`)
	wantSays(t, "a later version", h.get(t, "/policies/"+h.policy.ID+"/versions/2"), `id="L8"`)
	wantSays(t, "the list", h.get(t, "/traffic"), "reported: denied")
	wantSays(t, "another request", h.get(t, "/traffic/"+h.request), "An access rule")
	wantSilent(t, "another request", h.get(t, "/traffic/"+h.request), "It would be allowed if", "Risk score")
}

func TestTheListSaysWhatWouldHaveHappened(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	held := merged(t, h, "req_wouldwouldwouldwouldwouldw")
	held.Decision, held.Would, held.Reported, held.ReportedAs, held.Status, held.Code = "allow", "require_approval", "", "", 200, ""
	h.record(t, held)
	wantSays(t, "the list", h.get(t, "/traffic"), "would be held for approval")
	wantSays(t, "the request", h.get(t, "/traffic/"+held.Request), "At full enforcement this would be held for approval.")
}

func TestAnExplanationThatCannotBeReadIsLeftOut(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	odd := merged(t, h, "req_oddoddoddoddoddoddoddoddod")
	odd.Why, odd.Policy = json.RawMessage(`{"considered":[{"decision":"perhaps"}]}`), "pol_gone"
	h.record(t, odd)
	body := h.get(t, "/traffic/"+odd.Request)
	wantSays(t, "the request", body, "A policy", "70 of 100")
	wantSilent(t, "the request", body, "It would be allowed if", "/policies/pol_gone")
}
