package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/connectors"
	described "github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
)

const protectMain = `name: protect-main
scope: {actions: ["github.*"]}
rules:
  - name: nobody-deletes
    conditions: [{field: action, operator: equals, value: github.repo.delete}]
    decision: deny
    reason: Never.
    risk_score: 95
  - name: at-night
    conditions: [{field: action, operator: equals, value: github.pr.merge}, {field: time, operator: gte, value: "2026-11-23T20:00:00Z"}]
    decision: require_approval
    approval: {approver_roles: [admin], count: 2}
tests:
  - {name: deleting, request: {method: DELETE, url: "https://api.github.com/repos/a/b"}, expect: deny, rule: nobody-deletes}
`

// policyHouse has one policy, in its third version.
type policyHouse struct {
	mu    sync.Mutex
	saved []policies.Draft
	gone  bool
}

func compiledJSON(text string) string {
	c, err := policies.Check(text, connectors.Catalogue{}, described.Reader(nil))
	if err != nil {
		return "{}"
	}
	b, err := json.Marshal(c.Compiled)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func policyOne() fleet.Policy {
	return fleet.Policy{
		ID: "pol_1", TeamID: ours, Name: "protect-main", Enabled: true, Priority: 50, Version: 3, Document: protectMain,
		Compiled: compiledJSON(protectMain), CreatedAt: noon, UpdatedAt: noon,
	}
}

func (p *policyHouse) List(_ context.Context, teamID string) ([]fleet.Policy, error) {
	if teamID != ours {
		return nil, nil
	}
	return []fleet.Policy{policyOne()}, nil
}

func (p *policyHouse) Find(_ context.Context, teamID, idOrName string) (fleet.Policy, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := policyOne(); teamID == ours && (idOrName == one.ID || idOrName == one.Name) && !p.gone {
		return one, nil
	}
	return fleet.Policy{}, notThere()
}

func (p *policyHouse) Versions(_ context.Context, teamID, id string) ([]fleet.PolicyVersion, error) {
	var all []fleet.PolicyVersion
	for n := int64(3); n > 0 && teamID == ours && id == "pol_1"; n-- {
		all = append(all, fleet.PolicyVersion{PolicyID: id, Version: n, Enabled: true, Priority: 50, Document: protectMain, AuthorName: "Ana", CreatedAt: noon})
	}
	return all, nil
}

func (p *policyHouse) Version(ctx context.Context, teamID, id string, n int64) (fleet.PolicyVersion, error) {
	all, err := p.Versions(ctx, teamID, id)
	if i := slices.IndexFunc(all, func(v fleet.PolicyVersion) bool { return v.Version == n }); i >= 0 {
		return all[i], err
	}
	return fleet.PolicyVersion{}, notThere()
}

func (p *policyHouse) Check(_ context.Context, _, text string) (policies.Checked, error) {
	if text == "name: new" { // short, for the walk
		text = strings.Replace(protectMain, "protect-main", "new", 1)
	}
	return policies.Check(text, connectors.Catalogue{}, described.Reader(nil))
}

func (p *policyHouse) Save(_ context.Context, v team.Viewer, d policies.Draft) (fleet.Policy, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := policyOne()
	if v.Team.ID != ours {
		return out, notThere()
	}
	if d.ID != "" && d.Base != out.Version {
		return out, fault.New(fault.Conflict, "Somebody has changed the policy protect-main meanwhile.", nil)
	}
	p.saved = append(p.saved, d)
	if d.ID == "" {
		out = fleet.Policy{ID: "pol_2", Name: "new", Version: 1}
	} else if d.Document != out.Document || d.Enabled != out.Enabled || d.ReportOnly != out.ReportOnly || d.Priority != out.Priority {
		out.Version++
	}
	out.Document, out.Enabled, out.ReportOnly, out.Priority = d.Document, d.Enabled, d.ReportOnly, d.Priority
	return out, nil
}

func (p *policyHouse) Revert(_ context.Context, v team.Viewer, id string, base, to int64, message string) (fleet.Policy, error) {
	return p.Save(context.Background(), v, policies.Draft{ID: id, Base: base, Document: "version " + message, Priority: int(to)})
}

func (p *policyHouse) Delete(_ context.Context, v team.Viewer, id string, base int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v.Team.ID != ours || id != "pol_1" {
		return notThere()
	}
	if base != 3 {
		return fault.New(fault.Conflict, "Somebody has changed the policy protect-main meanwhile.", nil)
	}
	p.gone = true
	return nil
}

func (h *house) judge(context.Context, string, string) (*judge.Judge, error) {
	reading := fleet.Rule{ID: "rule_1", ConnectorID: "con_1", Pattern: "github.*", Effect: policy.Allow, HoldMS: -1}
	return judge.Of(store.Configuration{
		Gateway: gatewayOne, Connectors: []fleet.Connector{{ID: "con_1", Type: "github", Name: "code"}},
		Rules: []fleet.Rule{reading}, Policies: []fleet.Policy{policyOne()},
	})
}

func answered[T any](t *testing.T, status int, body []byte) (out T) {
	t.Helper()
	if err := json.Unmarshal(body, &out); err != nil || status != http.StatusOK {
		t.Fatalf("status %d: %s (%v)", status, body, err)
	}
	return out
}

func TestAPolicyIsShownWithWhatItSaysAndItsVersion(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	status, body, _ := say(t, server, "viewer", "GET", "/policies/protect-main", "")
	p := answered[rest.Policy](t, status, body)
	if p.Document != protectMain || p.Version != 3 || !p.Enabled || p.Priority != 50 || len(p.Rules) != 2 {
		t.Errorf("%+v", p)
	}
	want := rest.PolicyRule{Name: "nobody-deletes", Decision: "deny", Reason: "Never.", Risk: 95, Line: 4}
	if diff := cmp.Diff(want, p.Rules[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(policy.Scope{Actions: []action.Pattern{"github.*"}}, p.Scope); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	status, body, _ = say(t, server, "viewer", "GET", "/policies", "")
	if list := answered[rest.List[rest.Policy]](t, status, body); len(list.Items) != 1 || list.Items[0].Document != "" {
		t.Errorf("the list: %+v", list)
	}
	status, body, _ = say(t, server, "viewer", "GET", "/policies/protect-main/versions", "")
	all := answered[rest.List[rest.PolicyVersion]](t, status, body)
	if len(all.Items) != 3 || all.Items[0].Version != 3 || all.Items[0].Author != "Ana" || len(all.Items[0].Digest) != 64 || all.Items[0].Document != "" {
		t.Errorf("the versions: %+v", all)
	}
	status, body, _ = say(t, server, "viewer", "GET", "/policies/protect-main/versions/2", "")
	if v := answered[rest.PolicyVersion](t, status, body); v.Version != 2 || v.Document != protectMain || v.Digest != all.Items[0].Digest {
		t.Errorf("a version: %+v", v)
	}
}

func TestWhatIsWrongWithAPolicyIsAListOfPlaces(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	send := func(path, doc string) (int, []byte, rest.Problem) {
		b, err := json.Marshal(map[string]string{"document": doc})
		if err != nil {
			t.Fatal(err)
		}
		return say(t, server, "owner", "POST", path, string(b))
	}
	typo := strings.Replace(protectMain, "field: action,", "field: acton,", 1)
	status, _, p := send("/policies", typo)
	if status != 422 || len(p.Problems) != 1 || p.Problems[0].Line != 5 || p.Problems[0].Column == 0 || !strings.Contains(p.Problems[0].Message, `"action"`) {
		t.Errorf("status %d: %+v", status, p)
	}
	failing := strings.Replace(protectMain, "expect: deny", "expect: allow", 1)
	status, _, p = send("/policies", failing)
	if status != 422 || len(p.Tests) != 1 || p.Tests[0].Passed || p.Tests[0].Got != "deny" || p.Tests[0].Rule != "nobody-deletes" || p.Tests[0].RuleLine != 4 || !strings.Contains(p.Detail, "deleting") {
		t.Errorf("status %d: %+v", status, p)
	}
	for name, tt := range map[string]struct {
		doc             string
		problems, tests int
		ok              bool
	}{"all is well": {protectMain, 0, 1, true}, "a test that fails": {failing, 0, 1, false}, "a word that is not": {typo, 1, 0, false}} {
		status, body, _ := send("/policies/check", tt.doc)
		got := answered[rest.PolicyChecked](t, status, body)
		if got.OK != tt.ok || len(got.Problems) != tt.problems || len(got.Tests) != tt.tests {
			t.Errorf("%s: %s", name, body)
		}
	}
}

func TestADraftSaysWhatItWasMadeFrom(t *testing.T) {
	t.Parallel()

	changed := strings.Replace(protectMain, "Never.", "Never ever.", 1)
	for name, tt := range map[string]struct {
		draft   rest.PolicyDraft
		match   string
		status  int
		saved   bool
		changed bool
	}{
		"from the newest":          {rest.PolicyDraft{Policy: "protect-main", Base: 3, Document: changed}, "", 200, true, true},
		"by its tag":               {rest.PolicyDraft{Policy: "pol_1", Document: changed}, `"3"`, 200, true, true},
		"the same":                 {rest.PolicyDraft{Policy: "pol_1", Base: 3, Document: protectMain}, "", 200, true, false},
		"only how it counts":       {rest.PolicyDraft{Policy: "pol_1", Base: 3, Document: protectMain, Enabled: new(bool)}, "", 200, true, true},
		"from an older one":        {rest.PolicyDraft{Policy: "pol_1", Base: 2, Document: changed}, "", 409, false, false},
		"by an older tag":          {rest.PolicyDraft{Policy: "pol_1", Document: changed}, `"2"`, 412, false, false},
		"by two that differ":       {rest.PolicyDraft{Policy: "pol_1", Base: 2, Document: changed}, `"3"`, 412, false, false},
		"by a tag that is none":    {rest.PolicyDraft{Policy: "pol_1", Document: changed}, `*`, 412, false, false},
		"from nowhere":             {rest.PolicyDraft{Policy: "pol_1", Document: changed}, "", 428, false, false},
		"a new one":                {rest.PolicyDraft{Document: "name: new"}, "", 200, true, true},
		"dry":                      {rest.PolicyDraft{Policy: "pol_1", Base: 3, Document: changed, DryRun: true}, "", 200, false, true},
		"dry and the same":         {rest.PolicyDraft{Policy: "pol_1", Base: 3, Document: protectMain, DryRun: true}, "", 200, false, false},
		"dry, from an older one":   {rest.PolicyDraft{Policy: "pol_1", Base: 2, Document: changed, DryRun: true}, "", 409, false, false},
		"dry, of a name there is":  {rest.PolicyDraft{Document: protectMain, DryRun: true}, "", 409, false, false},
		"dry, of a bad priority":   {rest.PolicyDraft{Document: "name: new", Priority: new(int), DryRun: true}, "", 422, false, false},
		"of a policy there is not": {rest.PolicyDraft{Policy: "other", Base: 3, Document: changed}, "", 404, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			house, server := openWith(t, &policyHouse{})
			b, err := json.Marshal(tt.draft)
			if err != nil {
				t.Fatal(err)
			}
			status, body, _ := say(t, server, "admin", "POST", "/policies", string(b), func(r *http.Request) {
				if tt.match != "" {
					r.Header.Set("If-Match", tt.match)
				}
			})
			if status != tt.status || (len(house.saved) > 0) != tt.saved {
				t.Fatalf("status %d, saved %v, want %d and %v: %s", status, house.saved, tt.status, tt.saved, body)
			}
			if status == 200 {
				if got := answered[rest.PolicySaved](t, status, body); got.Changed != tt.changed || got.DryRun != tt.draft.DryRun || len(got.Tests) != 1 {
					t.Errorf("%s", body)
				}
			}
		})
	}
}

func TestWhatADraftLeavesOutStaysAsItIs(t *testing.T) {
	t.Parallel()

	house, server := openWith(t, &policyHouse{})
	changed := strings.Replace(protectMain, "Never.", "Never ever.", 1)
	b, err := json.Marshal(rest.PolicyDraft{Policy: "pol_1", Base: 3, Document: changed, Message: "Louder."})
	if err != nil {
		t.Fatal(err)
	}
	say(t, server, "admin", "POST", "/policies", string(b))
	want := policies.Draft{ID: "pol_1", Base: 3, Document: changed, Enabled: true, Priority: 50, Message: "Louder."}
	if len(house.saved) != 1 || house.saved[0] != want {
		t.Errorf("saved %+v, want %+v", house.saved, want)
	}
	say(t, server, "admin", "POST", "/policies", `{"document":"name: new","report_only":true}`)
	if want := (policies.Draft{Document: "name: new", Enabled: true, ReportOnly: true, Priority: 100}); len(house.saved) != 2 || house.saved[1] != want {
		t.Errorf("saved %+v, want %+v", house.saved, want)
	}
}

func TestADeletedPolicyWasTheOneThatSomebodySaw(t *testing.T) {
	t.Parallel()

	house, server := openWith(t, &policyHouse{})
	for _, tt := range []struct {
		path, match string
		status      int
	}{{"/policies/pol_1", "", 428}, {"/policies/pol_1?base=2", "", 409}, {"/policies/pol_1?base=x", "", 422}, {"/policies/pol_1", `"2"`, 412}, {"/policies/pol_1", `"3"`, 204}, {"/policies/pol_1", `"3"`, 404}} {
		status, body, _ := say(t, server, "owner", "DELETE", tt.path, "", func(r *http.Request) {
			if tt.match != "" {
				r.Header.Set("If-Match", tt.match)
			}
		})
		if status != tt.status {
			t.Errorf("%s %s: status %d, want %d: %s", tt.path, tt.match, status, tt.status, body)
		}
	}
	if !house.gone {
		t.Error("it is there still")
	}
}

func TestADecisionComesWithItsReasons(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	ask := func(body string) rest.Answer {
		t.Helper()
		status, b, _ := say(t, server, "viewer", "POST", "/decisions", body)
		return answered[rest.Answer](t, status, b)
	}
	got := ask(`{"gateway":"one","request":{"method":"DELETE","url":"https://api.github.com/repos/acme/site"}}`)
	if got.Action != "github.repo.delete" || got.Connector != "code" || got.Class != "delete" || got.Resource != "acme/site" {
		t.Errorf("the action: %+v", got)
	}
	if got.Decision != "deny" || got.By != "policy" || got.Policy != "protect-main" || got.Version != 3 || got.Line != 4 || got.Reason != "Never." || got.Score != 95 || !strings.HasPrefix(got.Rule, "pol_1/") {
		t.Errorf("the decision: %+v", got)
	}
	if len(got.Considered) == 0 || !got.Considered[0].Decides || got.Considered[0].Policy != "protect-main" || got.Considered[0].Name != "nobody-deletes" {
		t.Errorf("considered: %+v", got.Considered)
	}
	if got.Flip == nil || got.Flip.To != policy.Allow || len(got.Flip.Changes) != 1 || got.Flip.Changes[0].Policy != "protect-main" || got.Flip.Changes[0].Holds {
		t.Errorf("what would flip it: %+v", got.Flip)
	}
	merge := `{"gateway":"gw_1","request":{"method":"PUT","url":"https://api.github.com/repos/acme/site/pulls/1/merge","headers":{"Content-Type":["application/json"]},"body":"{}"}`
	if got := ask(merge + `,"time":"2026-11-23T21:00:00Z"}`); got.Decision != "require_approval" || got.Approvers == nil || got.Approvers.Role != "admin" || got.Approvers.Count != 2 {
		t.Errorf("at night: %+v", got)
	}
	if got := ask(merge + `}`); got.Decision != "allow" || got.By != "rule" || got.Rule != "rule_1" || got.Approvers != nil {
		t.Errorf("at noon: %+v", got)
	}
	if got := ask(`{"gateway":"one","action":{"action":"github.repo.delete","resource":"a/b"}}`); got.Decision != "deny" || got.Policy != "protect-main" || got.Class != "delete" {
		t.Errorf("an action: %+v", got)
	}
	for _, body := range []string{
		`{"gateway":"one"}`, `{"gateway":"one","request":{"method":"GET","url":"nowhere"}}`, `{"gateway":"one","action":{"actoin":"x"}}`,
		`{"gateway":"one","action":{"action":"github.user.get"},"request":{"method":"GET","url":"https://a.example/"}}`,
	} {
		if status, b, _ := say(t, server, "viewer", "POST", "/decisions", body); status != 422 {
			t.Errorf("%s: status %d, want 422: %s", body, status, b)
		}
	}
}
