package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/proxy"
)

func text(s string) policy.Const  { return policy.Const{Text: &s} }
func whole(n int64) policy.Const  { return policy.Const{Int: &n} }
func at(t time.Time) policy.Const { return policy.Const{Time: &t} }
func (g *rig) put(u string) string {
	res, _ := g.do(g.client(false), "PUT", "https://"+host+u, "")
	return res.Status[:3]
}

func where(field string, op policy.Op, c policy.Const) *policy.Expr {
	return &policy.Expr{Op: op, Args: []policy.Expr{{Field: field}, {Value: &c}}, Line: 7, Column: 5, Text: field + " " + string(op)}
}

// judged gives the gateway a policy of these clauses.
func judged(clauses ...policy.Clause) settings {
	return func(_ *rig, s *wire.Snapshot, _ *proxy.Run) {
		s.Policies = append(s.Policies, policy.Policy{ID: "pol_1", Name: "careful", Version: 3, Clauses: clauses})
	}
}

func denies(name string, e *policy.Expr) policy.Clause {
	return policy.Clause{Name: name, If: e, Effect: policy.Deny, Line: 6}
}

func asks(name string, e *policy.Expr, who policy.Approvers) policy.Clause {
	return policy.Clause{Name: name, If: e, Effect: policy.RequireApproval, Approvers: who, Line: 12}
}

func TestPoliciesLookAtWhatTheRequestSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deny                    *policy.Expr
		method, target, headers string // headers: "Name: value", one a line
		body                    string
		passes                  bool
	}{
		"a query that is meant":         {deny: where("request.query.force", policy.Equals, text("yes")), target: "/x?force=yes"},
		"another query":                 {deny: where("request.query.force", policy.Equals, text("yes")), target: "/x?force=no", passes: true},
		"a query that says both":        {deny: where("request.query.force", policy.Equals, text("yes")), target: "/x?force=no&force=yes"},
		"a query in another spelling":   {deny: where("request.query.force", policy.Equals, text("yes")), target: "/x?%66orce=y%65s"},
		"one that some read otherwise":  {deny: where("request.query.force", policy.Equals, text("yes")), target: "/x?a=1;force=yes"},
		"a header":                      {deny: where("request.headers.x-mode", policy.Equals, text("bulk")), headers: "X-Mode: bulk"},
		"a header that is not there":    {deny: where("request.headers.x-mode", policy.Equals, text("bulk")), passes: true},
		"a header that is there twice":  {deny: where("request.headers.x-mode", policy.Contains, text("bulk")), headers: "X-Mode: one\nX-Mode: bulk"},
		"one value of two is equal":     {deny: where("request.headers.x-mode", policy.Equals, text("bulk")), headers: "X-Mode: one\nX-Mode: bulk"},
		"neither of two is equal":       {deny: where("request.headers.x-mode", policy.Equals, text("bulk")), headers: "X-Mode: one\nX-Mode: two"},
		"another header twice":          {deny: where("request.headers.x-mode", policy.Equals, text("bulk")), headers: "X-Mode: one\nX-Other: bulk\nX-Other: bulk", passes: true},
		"the host as a header":          {deny: where("request.headers.host", policy.Equals, text(host))},
		"a method":                      {deny: where("request.method", policy.Equals, text("PUT"))},
		"a path":                        {deny: where("request.path", policy.StartsWith, text("/secret")), target: "/secret/1"},
		"a path that is escaped":        {deny: where("request.path", policy.StartsWith, text("/secret")), target: "/%73ecret/1"},
		"a path with a dot segment":     {deny: where("request.path", policy.StartsWith, text("/secret")), target: "/x/../secret/1"},
		"a path with an empty segment":  {deny: where("request.path", policy.StartsWith, text("/secret")), target: "//secret/1"},
		"a path that ends in a slash":   {deny: where("request.path", policy.Equals, text("/secret")), target: "/secret/"},
		"another path, with an escape":  {deny: where("request.path", policy.StartsWith, text("/secret")), target: "/a%20secret", passes: true},
		"the path of the root":          {deny: where("request.path", policy.StartsWith, text("/secret")), target: "/", passes: true},
		"the host":                      {deny: where("request.host", policy.Equals, text(host))},
		"who runs the process":          {deny: where("run.principal", policy.Equals, text("ana@laptop"))},
		"somebody else":                 {deny: where("run.principal", policy.Equals, text("ben@laptop")), passes: true},
		"the run":                       {deny: where("run.id", policy.Equals, text("run_1"))},
		"the gateway":                   {deny: where("gateway", policy.Equals, text("deploy-bot"))},
		"a field of JSON":               {deny: where("request.body.amount", policy.GT, whole(100)), headers: "Content-Type: application/json", body: `{"amount":101}`},
		"a small one":                   {deny: where("request.body.amount", policy.GT, whole(100)), headers: "Content-Type: application/json", body: `{"amount":100}`, passes: true},
		"a field further down":          {deny: where("request.body.a.b", policy.Equals, text("x")), headers: "Content-Type: application/json", body: `{"a":{"b":"x"}}`},
		"a field of a form":             {deny: where("request.body.amount", policy.GT, whole(100)), headers: "Content-Type: application/x-www-form-urlencoded", body: `amount=101`},
		"the same key twice":            {deny: where("request.body.amount", policy.GT, whole(100)), headers: "Content-Type: application/json", body: `{"amount":1,"amount":1}`},
		"a body of another type":        {deny: where("request.body.amount", policy.GT, whole(100)), headers: "Content-Type: text/csv", body: `amount`},
		"a body without a type":         {deny: where("request.body.amount", policy.GT, whole(100)), body: `{"amount":1}`},
		"a body in a coding":            {deny: where("request.body.amount", policy.GT, whole(100)), headers: "Content-Type: application/json\nContent-Encoding: zstd", body: `{"amount":1}`},
		"no body":                       {deny: where("request.body.amount", policy.GT, whole(100)), passes: true},
		"no body, and it has to be one": {deny: where("request.body.amount", policy.NotExists, policy.Const{})},
		"a body that is too large":      {deny: where("request.body.amount", policy.GT, whole(100)), headers: "Content-Type: application/json", body: `{"amount":1,"x":"` + strings.Repeat("x", 5000) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.deny.Op == policy.NotExists {
				c.deny.Args = c.deny.Args[:1]
			}
			g := newRig(t, http.HandlerFunc(echo), judged(denies("no", c.deny)), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { g.proxy.Limits.Look = 4096 })
			target := c.target
			if target == "" {
				target = "/x"
			}
			var body io.Reader
			if c.body != "" {
				body = strings.NewReader(c.body)
			}
			r, err := http.NewRequestWithContext(t.Context(), "PUT", "https://"+host+target, body)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(c.headers, "\n") {
				if name, value, ok := strings.Cut(line, ": "); ok {
					r.Header.Add(name, value)
				}
			}
			for _, h2 := range []bool{false, true} {
				if c.body != "" {
					r.Body = io.NopCloser(strings.NewReader(c.body))
				}
				res, err := g.client(h2).Do(r)
				if err != nil {
					t.Fatal(err)
				}
				said, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || (res.StatusCode == 200) != c.passes || res.StatusCode != 200 && res.StatusCode != 403 {
					t.Errorf("h2 %v: %s, %v: %s", h2, res.Status, err, said)
				}
			}
			if requests, _ := g.upstream.seen(); (len(requests) > 0) != c.passes {
				t.Errorf("upstream saw %v", requests)
			}
		})
	}
}

func TestABodyThatAPolicyLookedAtGoesOnAsItWas(t *testing.T) {
	t.Parallel()
	arrived := make(chan string, 1)
	g := newRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		arrived <- string(b)
	}), judged(denies("no", where("request.body.a", policy.Equals, text("z")))))
	r, err := http.NewRequestWithContext(t.Context(), "PUT", "https://"+host+"/x", strings.NewReader(` {"a": "y"} `))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := g.client(false).Do(r)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	res.Body.Close()
	if got := <-arrived; got != ` {"a": "y"} ` {
		t.Errorf("upstream got %q", got)
	}
}

// What is kept of a body for a person is more than what policies look at, and
// does not change what they say.
func TestABodyThatIsKeptIsJudgedAsBefore(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), judged(asks("large", where("request.body.amount", policy.GT, whole(100)), policy.Approvers{})), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { g.proxy.Limits.Look = 4096 })
	r, err := http.NewRequestWithContext(t.Context(), "PUT", "https://"+host+"/x", strings.NewReader(`{"amount":1,"x":"`+strings.Repeat("x", 5000)+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := g.client(false).Do(r)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	res.Body.Close()
	select {
	case <-g.desk.asked:
	default:
		t.Error("nobody was asked about a body that policies could not read")
	}
}

func TestARefusalNamesThePolicy(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), judged(denies("no force", where("request.query.force", policy.Equals, text("yes")))))
	res, body := g.do(g.client(false), "PUT", "https://"+host+"/x?force=yes", "")
	var p struct {
		Code, Decision, Rule, Policy string
		PolicyRule                   string `json:"policy_rule"`
		PolicyLine                   int    `json:"policy_line"`
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil || res.StatusCode != 403 {
		t.Fatalf("%s: %s, %v", res.Status, body, err)
	}
	if p.Code != "denied" || p.Decision != "deny" || p.Policy != "careful" || p.PolicyRule != "no force" || p.PolicyLine != 6 || !strings.HasPrefix(p.Rule, "pol_1/") {
		t.Errorf("got %s", body)
	}
	if strings.Contains(body, "force equals") { // how to get past a policy is for those who write it
		t.Errorf("the client is told of the condition: %s", body)
	}
	e := g.spool.settled(t, 1)[0]
	if e.Step != audit.Refused || e.By != string(policy.ByPolicy) || e.Policy != "pol_1" || e.PolicyV != 3 || e.Rule != p.Rule {
		t.Errorf("on record: %+v", e)
	}
	var why policy.Explanation
	if err := json.Unmarshal(e.Why, &why); err != nil || len(why.Considered) != 2 || !why.Considered[0].Decides || why.Considered[0].Line != 6 || why.Flip == nil {
		t.Errorf("why: %s, %v", e.Why, err)
	}
}

func TestWhoHasToAgreeIsAskedForAndBoundToTheGrant(t *testing.T) {
	t.Parallel()
	asked := func(who policy.Approvers) wire.Ask {
		g := newRig(t, http.HandlerFunc(echo), judged(asks("two", where("action", policy.Equals, text("http.put")), who)))
		if got := g.put("/x"); got != "200" {
			t.Fatal(got)
		}
		return <-g.desk.asked
	}
	plain, one, two := asked(policy.Approvers{}), asked(policy.Approvers{Role: "admin"}), asked(policy.Approvers{Role: "admin", Count: 2})
	if two.Approvers.Role != "admin" || two.Approvers.Count != 2 || !strings.HasPrefix(two.RuleID, "pol_1/") {
		t.Errorf("asked %+v", two)
	}
	if plain.Fingerprint == one.Fingerprint || one.Fingerprint == two.Fingerprint {
		t.Error("a grant by fewer fits where more have to agree")
	}
	seen := map[string]policy.Approvers{}
	for _, who := range []policy.Approvers{{}, {Group: "ops"}, {Group: "ops+release"}, {NotSelf: true}, {StepUp: true}, {NotSelf: true, StepUp: true}, {Group: "ops", StepUp: true}} {
		q := byRule(t, who)
		if other, twice := seen[q.Fingerprint]; twice || q.Approvers != who {
			t.Errorf("asked for %+v: by %+v, and a grant by %+v fits", who, q.Approvers, other)
		}
		seen[q.Fingerprint] = who
	}
}

// byRule is what is asked where an access rule says who has to agree.
func byRule(t *testing.T, who policy.Approvers) wire.Ask {
	t.Helper()
	g := newRig(t, http.HandlerFunc(echo), func(_ *rig, s *wire.Snapshot, _ *proxy.Run) {
		s.Rules = append(s.Rules, policy.Rule{ID: "rule_ask", Connector: "api", Pattern: "http.put", Effect: policy.RequireApproval, Approvers: who})
	})
	if got := g.put("/x"); got != "200" {
		t.Fatal(got)
	}
	return <-g.desk.asked
}

// The rule that is named need not be the one that asks for the most people.
func TestAGrantByFewerFitsNoMore(t *testing.T) {
	t.Parallel()
	ask := func(others ...settings) wire.Ask {
		first := judged(asks("one", nil, policy.Approvers{}))
		g := newRig(t, http.HandlerFunc(echo), append([]settings{first}, others...)...)
		if got := g.put("/x"); got != "200" {
			t.Fatal(got)
		}
		return <-g.desk.asked
	}
	before := ask()
	after := ask(func(_ *rig, s *wire.Snapshot, _ *proxy.Run) {
		s.Policies = append(s.Policies, policy.Policy{ID: "pol_2", Name: "two", Version: 1, Priority: 900, Clauses: []policy.Clause{asks("two", nil, policy.Approvers{Count: 2})}})
	})
	if after.RuleID != before.RuleID || after.Approvers.Count != 2 {
		t.Fatalf("%s by %+v, after %s by %+v", before.RuleID, before.Approvers, after.RuleID, after.Approvers)
	}
	if before.Fingerprint == after.Fingerprint {
		t.Error("the grant of one person fits what needs two")
	}
}

func TestEnforcementLevelsTemperPolicies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		level       policy.Enforcement
		clause      policy.Clause
		status      string
		would, says string
	}{
		"deny, full":         {policy.FullEnforce, denies("no", nil), "403", "", "deny"},
		"deny, soft":         {policy.SoftEnforce, denies("no", nil), "403", "", "deny"},
		"deny, monitor":      {policy.Monitor, denies("no", nil), "200", "deny", "allow"},
		"approval, full":     {policy.FullEnforce, asks("ask", nil, policy.Approvers{}), "403", "", "require_approval"},
		"approval, soft":     {policy.SoftEnforce, asks("ask", nil, policy.Approvers{}), "200", "require_approval", "allow"},
		"approval, monitor":  {policy.Monitor, asks("ask", nil, policy.Approvers{}), "200", "require_approval", "allow"},
		"allow, all the way": {policy.FullEnforce, policy.Clause{Name: "yes", Effect: policy.Allow, Risk: 40}, "200", "", "allow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo), judged(c.clause), settle(approval.Denied), func(_ *rig, s *wire.Snapshot, _ *proxy.Run) { s.Enforcement = c.level })
			if got := g.put("/x"); got != c.status {
				t.Errorf("%s, want %s", got, c.status)
			}
			e := g.spool.settled(t, 1)[0]
			if e.Decision != c.says || e.Would != c.would || len(e.Why) == 0 || e.Score != c.clause.Risk {
				t.Errorf("on record: %s, would %q, score %d, why %s", e.Decision, e.Would, e.Score, e.Why)
			}
			if c.clause.Effect != policy.Allow && e.Policy != "pol_1" {
				t.Errorf("on record: policy %q", e.Policy)
			}
		})
	}
}

func TestAPolicyThatOnlyReportsIsOnRecord(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), judged(denies("no", nil)), func(_ *rig, s *wire.Snapshot, _ *proxy.Run) { s.Policies[0].ReportOnly = true })
	if got := g.put("/x"); got != "200" {
		t.Errorf("got %s", got)
	}
	e := g.spool.settled(t, 1)[0]
	if e.Decision != "allow" || e.Would != "" || !strings.HasPrefix(e.Reported, "pol_1/") || e.ReportedAs != "deny" || e.Policy != "" {
		t.Errorf("on record: %+v", e)
	}
}

func TestWhatNoPolicyConcernsHasNoExplanation(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), func(_ *rig, s *wire.Snapshot, _ *proxy.Run) {
		s.Policies = []policy.Policy{{ID: "pol_1", Name: "other", Version: 1, Scope: policy.Scope{Actions: []action.Pattern{"github.*"}}, Clauses: []policy.Clause{denies("no", nil)}}}
	})
	if got := g.put("/x"); got != "200" {
		t.Errorf("got %s", got)
	}
	if e := g.spool.settled(t, 1)[0]; e.Why != nil || e.Policy != "" {
		t.Errorf("on record: %s", e.Why)
	}
	if res, _ := g.do(g.client(false), "DELETE", "https://"+host+"/x", ""); res.StatusCode != 403 {
		t.Error(res.Status)
	}
	for _, e := range g.spool.settled(t, 3) {
		if e.Step == audit.Refused && len(e.Why) == 0 {
			t.Error("a refusal by an access rule is not explained")
		}
	}
}

// A window that closes while a person thinks counts.
func TestTimeGoesOnWhileARequestIsHeld(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then policy.Clause
		want string
	}{
		"denied from then on":           {denies("night", nil), "403 denied"},
		"by another rule, and not this": {asks("evening", nil, policy.Approvers{Count: 2}), "403 approval_expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
			clock := make(chan time.Time, 1)
			clock <- noon
			now := func() time.Time { at := <-clock; clock <- at; return at }
			c.then.If = where("time", policy.GTE, at(noon.Add(time.Hour)))
			first := asks("day", where("time", policy.LT, at(noon.Add(time.Hour))), policy.Approvers{})
			g := newRig(t, http.HandlerFunc(echo), judged(first, c.then), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
				g.proxy.Now = now
				g.desk.answer = func(context.Context, wire.Ask) (wire.Approval, error) {
					<-clock
					clock <- noon.Add(2 * time.Hour)
					return wire.Approval{ID: "apr_1", Status: approval.Approved}, nil
				}
			})
			res, body := g.do(g.client(false), "PUT", "https://"+host+"/x", "")
			var p struct{ Code string }
			if err := json.Unmarshal([]byte(body), &p); err != nil || res.Status[:3]+" "+p.Code != c.want {
				t.Errorf("%s %s, %v; want %s", res.Status, p.Code, err, c.want)
			}
			if g.desk.uses() != 0 {
				t.Error("the grant was used")
			}
		})
	}
}

func TestPoliciesDoNotLoosenTheKillSwitch(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), judged(policy.Clause{Name: "yes", Effect: policy.Allow}))
	g.current.Kill("api", "Enough.")
	res, body := g.do(g.client(false), "PUT", "https://"+host+"/x", "")
	if res.StatusCode != 403 || res.Header.Get("X-Tameflare-Kill-Switch") != "active" {
		t.Errorf("%s: %s", res.Status, body)
	}
}

func TestWhyARequestPassesIsWorkedOutOfFewClauses(t *testing.T) {
	t.Parallel()
	for n, explained := range map[int]bool{3: true, 501: false} {
		clauses := make([]policy.Clause, n)
		for i := range clauses {
			clauses[i] = denies(fmt.Sprintf("no %d", i), where("request.path", policy.Equals, text(fmt.Sprintf("/%d", i))))
		}
		g := newRig(t, http.HandlerFunc(echo), judged(clauses...))
		if got := g.put("/x"); got != "200" {
			t.Fatal(got)
		}
		if e := g.spool.settled(t, 2)[0]; e.Decision != "allow" || (len(e.Why) > 0) != explained {
			t.Errorf("of %d clauses: %s because of %.100s", n, e.Decision, e.Why)
		}
		if got := g.put("/2"); got != "403" {
			t.Fatal(got)
		}
		if e := g.spool.settled(t, 3)[2]; e.Decision != "deny" || len(e.Why) == 0 {
			t.Errorf("a refusal by one of %d clauses: %s because of %.100s", n, e.Decision, e.Why)
		}
	}
}
