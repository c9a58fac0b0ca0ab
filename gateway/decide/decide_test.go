package decide_test

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
)

func open(c wire.SealedCredential) (credential.Secret, error) {
	if string(c.Sealed) == "bad" {
		return credential.Secret{}, errors.New("cannot be opened")
	}
	return credential.NewSecret(string(c.Sealed)), nil
}

func snapshot(change func(*wire.Snapshot)) wire.Snapshot {
	s := wire.Snapshot{
		Version: 7, GatewayID: "gw_1", GatewayName: "deploy-bot", IssuedAt: time.Now(), ValidFor: 24 * time.Hour,
		Connectors: []wire.Connector{
			{Name: "github", Type: "github", CredentialID: "cred_1"},
			{Name: "internal", Type: "http", Hosts: []string{"api.internal.example"}, Private: []string{"10.0.0.0/8"}},
		},
		Rules:       []policy.Rule{{ID: "rule_1", Connector: "github", Pattern: "github.*", Effect: policy.Allow}},
		Credentials: []wire.SealedCredential{{ID: "cred_1", Name: "bot", Hosts: []string{"api.github.com"}, Sealed: []byte("secret")}},
	}
	if change != nil {
		change(&s)
	}
	return s
}

func compile(t *testing.T, change func(*wire.Snapshot)) *decide.State {
	t.Helper()
	st, err := decide.Compile(snapshot(change), open)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

var merge = action.Action{Connector: "github", Name: "github.pr.merge"}

func TestWhatCannotBeUsedIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()

	for name, change := range map[string]func(*wire.Snapshot){
		"no version":             func(s *wire.Snapshot) { s.Version = 0 },
		"valid for no time":      func(s *wire.Snapshot) { s.ValidFor = 0 },
		"issued at no time":      func(s *wire.Snapshot) { s.IssuedAt = time.Time{} },
		"unknown connector type": func(s *wire.Snapshot) { s.Connectors[0].Type = "gopher" },
		"connector twice":        func(s *wire.Snapshot) { s.Connectors[1].Name = "github" },
		"host twice":             func(s *wire.Snapshot) { s.Connectors[1].Hosts = []string{"api.github.com"} },
		"network with host bits": func(s *wire.Snapshot) { s.Connectors[1].Private = []string{"10.0.0.1/8"} },
		"bad pattern":            func(s *wire.Snapshot) { s.Rules[0].Pattern = "github..pr" },
		"credential twice":       func(s *wire.Snapshot) { s.Credentials = append(s.Credentials, s.Credentials[0]) },
		"broken type":            func(s *wire.Snapshot) { s.Types = []definition.Definition{{Name: "billing"}} },
		"type twice":             func(s *wire.Snapshot) { s.Types = []definition.Definition{billing(), billing()} },
		"unknown enforcement":    func(s *wire.Snapshot) { s.Enforcement = 9 },
	} {
		if st, err := decide.Compile(snapshot(change), open); fault.Of(err) != fault.Invalid || st != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func billing() definition.Definition {
	return definition.Definition{Name: "billing", Hosts: []string{"api.billing.example.com"}, Operations: []definition.Operation{
		{Method: "DELETE", Path: "/invoices/{id}", Action: "billing.invoice.delete", Class: action.Delete, Risk: action.High},
	}}
}

func TestATypeThatComesWithASnapshotIsActedOn(t *testing.T) {
	t.Parallel()

	st := compile(t, func(s *wire.Snapshot) {
		s.Types = []definition.Definition{billing()}
		s.Connectors = append(s.Connectors, wire.Connector{Name: "bills", Type: "billing"})
		s.Rules = append(s.Rules, policy.Rule{ID: "rule_2", Connector: "bills", Pattern: "billing.*", Effect: policy.Allow}, policy.Rule{ID: "rule_3", Connector: "bills", Pattern: "billing.invoice.delete", Effect: policy.Deny})
	})
	c := st.Connector("api.billing.example.com")
	a, err := c.Read(connectors.Request{Method: "DELETE", Host: "api.billing.example.com", Path: "/invoices/1"})
	if err != nil {
		t.Fatal(err)
	}
	if d := st.Decide(policy.Question{Action: a}, c); d.Effect != policy.Deny || d.Rule != "rule_3" {
		t.Errorf("%+v: %+v", a, d)
	}
}

func TestAStateKnowsItsConnectors(t *testing.T) {
	t.Parallel()

	st := compile(t, nil)
	github := st.Connector("api.github.com")
	if d := st.Decide(policy.Question{Action: merge}, github); d.Effect != policy.Allow {
		t.Errorf("got %+v", d)
	}
	if d := st.Decide(policy.Question{Action: action.Action{Name: "http.get"}}, nil); d.Effect != policy.Deny {
		t.Errorf("a host without connector: %+v", d)
	}
	c, has := st.Credential(github)
	if !has || c.Secret.Reveal() != "secret" || !c.For("api.github.com") || c.For("github.com") || c.For("xapi.github.com") {
		t.Errorf("got %+v, %v", c, has)
	}
	if _, has := st.Credential(st.Connector("api.internal.example")); has {
		t.Error("a credential that nobody configured")
	}
	if got := st.Permits("api.internal.example"); len(got) != 1 || got[0] != netip.MustParsePrefix("10.0.0.0/8") {
		t.Errorf("got %v", got)
	}
	if got := st.Permits("api.github.com"); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	wild := decide.Credential{Hosts: []string{"*.example.com"}}
	if !wild.For("a.example.com") || wild.For("example.com") || wild.For("aexample.com") {
		t.Error("a pattern matches what it should not")
	}
}

func TestACredentialThatIsNotThereIsNotReplacedByNothing(t *testing.T) {
	t.Parallel()

	for name, change := range map[string]func(*wire.Snapshot){
		"cannot be opened": func(s *wire.Snapshot) { s.Credentials[0].Sealed = []byte("bad") },
		"did not come":     func(s *wire.Snapshot) { s.Credentials = nil },
	} {
		st := compile(t, change)
		c, has := st.Credential(st.Connector("api.github.com"))
		if !has || !c.Secret.Empty() || len(st.Broken()) != 1 {
			t.Errorf("%s: %+v, %v, %q", name, c, has, st.Broken())
		}
	}
}

func TestNilDenies(t *testing.T) {
	t.Parallel()

	var st *decide.State
	if d := st.Decide(policy.Question{Action: merge}, st.Connector("api.github.com")); d.Effect != policy.Deny {
		t.Errorf("got %+v", d)
	}
	var c decide.Current
	if st, err := c.Load(); st != nil || fault.Of(err) != fault.Unavailable {
		t.Errorf("got %v, %v", st, err)
	}
}

func TestAStateCountsForItsTime(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		var c decide.Current
		counts := func(when string, want bool) {
			t.Helper()
			if _, err := c.Load(); (err == nil) != want || err != nil && fault.Of(err) != fault.Unavailable {
				t.Errorf("%s: %v, want counted %v", when, err, want)
			}
		}
		c.Use(compile(t, nil))
		time.Sleep(24 * time.Hour)
		counts("at the end of its time", true)
		time.Sleep(time.Second)
		counts("after its time", false)
		c.Confirm(time.Now().Add(-time.Hour))
		counts("confirmed an hour ago", true)
		c.Confirm(time.Now().Add(-20 * time.Hour))
		time.Sleep(22 * time.Hour)
		counts("an older confirmation changes nothing", true)
		time.Sleep(2 * time.Hour)
		counts("an hour after that", false)

		c.Use(compile(t, func(s *wire.Snapshot) { s.IssuedAt = time.Now().Add(1000 * time.Hour) }))
		time.Sleep(25 * time.Hour)
		counts("from a server whose clock is ahead", false)

		c.Use(compile(t, func(s *wire.Snapshot) { s.ValidFor = 1000 * time.Hour }))
		time.Sleep(decide.MaxValid + time.Second)
		counts("with a time that is too long", false)

		c.Use(compile(t, nil))
		c.Revoke()
		counts("revoked", false)
		c.Confirm(time.Now())
		counts("confirmed after that", false)
		c.Use(compile(t, nil))
		counts("welcome again", true)
	})
}

func TestKillSwitchesAddUp(t *testing.T) {
	t.Parallel()

	var c decide.Current
	killed := func(when string, want bool) {
		t.Helper()
		st, err := c.Load()
		if err != nil {
			t.Fatal(err)
		}
		if d := st.Decide(policy.Question{Action: merge}, st.Connector("api.github.com")); (d.By == policy.ByKillSwitch) != want {
			t.Errorf("%s: %+v, want killed %v", when, d, want)
		}
	}
	c.Kill("github", "before there is anything")
	c.Use(compile(t, nil))
	killed("pulled before the first snapshot", true)
	if was := c.Lift(""); was {
		t.Error("lifted one for everything")
	}
	killed("another one lifted", true)
	changed := c.Changed()
	if was := c.Lift("github"); !was {
		t.Error("there was one to lift")
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told of the change")
	}
	killed("lifted", false)

	c.Stop([]policy.Kill{{ID: "kill_1"}})
	killed("one that came with a snapshot nobody could use", true)
	if was := c.Lift(""); was {
		t.Error("lifted the server's")
	}
	killed("the server's is not ours to lift", true)
	c.Use(compile(t, nil))
	killed("the next snapshot without it", false)
}

func TestLoadingAllocatesNothing(t *testing.T) {
	var c decide.Current // not parallel: allocations are counted
	c.Use(compile(t, nil))
	if n := testing.AllocsPerRun(100, func() {
		st, err := c.Load()
		if err != nil || st.Decide(policy.Question{Action: merge}, st.Connector("api.github.com")).Effect != policy.Allow {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestASnapshotThatNeedsWhatIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()

	st, err := decide.Compile(snapshot(func(s *wire.Snapshot) { s.Requires = []string{wire.KnowsPolicies, "time-travel"} }), open)
	if st != nil || fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "“time-travel”") {
		t.Errorf("got %v, %v", st, err)
	}
	st, err = decide.Compile(snapshot(func(s *wire.Snapshot) { s.Requires = []string{wire.Unreadable} }), open)
	if st != nil || fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "cannot read one of its policies") {
		t.Errorf("got %v, %v", st, err)
	}
	compile(t, func(s *wire.Snapshot) {
		s.Requires = []string{wire.KnowsLimits, wire.KnowsPolicies, wire.KnowsApprovers, wire.KnowsTerms}
	})
}

func policies(environment string) []policy.Policy {
	return []policy.Policy{{ID: "pol_1", Name: "careful", Version: 2, Scope: policy.Scope{Environments: []string{environment}}, Clauses: []policy.Clause{
		{Name: "first", Effect: policy.Allow, Line: 4}, {Name: "no merges", Effect: policy.Deny, Line: 9},
	}}}
}

func TestPoliciesOfASnapshotDecide(t *testing.T) {
	t.Parallel()

	st := compile(t, func(s *wire.Snapshot) { s.Environment, s.Policies = "production", policies("prod*") })
	github := st.Connector("api.github.com")
	d := st.Decide(policy.Question{Action: merge}, github)
	if d.Effect != policy.Deny || d.By != policy.ByPolicy || d.Policy != "pol_1" || d.Version != 2 {
		t.Errorf("got %+v", d)
	}
	if name, rule, line := st.Clause(d); name != "careful" || rule != "no merges" || line != 9 {
		t.Errorf("named %q, %q, line %d", name, rule, line)
	}
	if same, why := st.Explain(policy.Question{Action: merge}, github); same.Rule != d.Rule || len(why.Considered) == 0 || !st.Judges() {
		t.Errorf("explained as %+v, %+v", same, why)
	}
	elsewhere := compile(t, func(s *wire.Snapshot) { s.Environment, s.Policies = "staging", policies("prod*") })
	if d := elsewhere.Decide(policy.Question{Action: merge}, github); d.Effect != policy.Allow {
		t.Errorf("in another environment: %+v", d)
	}
	for name, broken := range map[string]policy.Policy{
		"a field that there is not":       {ID: "pol_1", Name: "x", Version: 1, Clauses: []policy.Clause{{Name: "x", If: &policy.Expr{Op: policy.Exists, Args: []policy.Expr{{Field: "nonsense"}}}}}},
		"an operator nobody has heard of": {ID: "pol_1", Name: "x", Version: 1, Clauses: []policy.Clause{{If: &policy.Expr{Op: "unheard-of"}}}},
	} {
		if st, err := decide.Compile(snapshot(func(s *wire.Snapshot) { s.Policies = []policy.Policy{broken} }), open); st != nil || fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
}

func TestKillSwitchesLeavePoliciesAsTheyAre(t *testing.T) {
	t.Parallel()

	var c decide.Current
	c.Use(compile(t, func(s *wire.Snapshot) { s.Policies = policies("*") }))
	judged := func(when string, by policy.By, stopped bool) {
		t.Helper()
		st, err := c.Load()
		if err != nil {
			t.Fatal(err)
		}
		github := st.Connector("api.github.com")
		if d := st.Decide(policy.Question{Action: merge}, github); d.By != by || d.Effect != policy.Deny {
			t.Errorf("%s: %+v", when, d)
		}
		if d, stops := st.Stops("github", github); stops != stopped || stops != (d.By == policy.ByKillSwitch) {
			t.Errorf("%s: stops %v, %+v", when, stops, d)
		}
		if _, stops := st.Stops("internal", st.Connector("api.internal.example")); stops {
			t.Errorf("%s: another connector is stopped", when)
		}
	}
	judged("before", policy.ByPolicy, false)
	c.Kill("github", "Enough.")
	judged("pulled", policy.ByKillSwitch, true)
	c.Lift("github")
	judged("lifted", policy.ByPolicy, false)
	if _, stops := (*decide.State)(nil).Stops("github", nil); !stops {
		t.Error("no state at all stops nothing")
	}
}

func TestManyClausesAreNotExplainedAtEachPass(t *testing.T) {
	t.Parallel()

	with := func(n int) *decide.State {
		return compile(t, func(s *wire.Snapshot) {
			p := policy.Policy{ID: "pol_1", Name: "many", Version: 1}
			for i := range n {
				p.Clauses = append(p.Clauses, policy.Clause{Name: "rule " + strconv.Itoa(i), Effect: policy.Allow, Line: i})
			}
			s.Policies = nil
			if n > 0 {
				s.Policies = []policy.Policy{p, {ID: "pol_2", Name: "one more", Version: 1, Clauses: []policy.Clause{{Name: "last", Effect: policy.Allow}}}}
			}
		})
	}
	for n, want := range map[int]bool{0: false, 1: true, 499: true, 500: false} {
		if got := with(n).Explains(); got != want {
			t.Errorf("%d clauses and one more: %v, want %v", n, got, want)
		}
	}
	if (*decide.State)(nil).Explains() {
		t.Error("nothing explains itself")
	}
}

func TestAClauseIsNamedByItsPolicyToo(t *testing.T) {
	t.Parallel()

	st := compile(t, func(s *wire.Snapshot) {
		s.Policies = append(policies("*"), policy.Policy{ID: "pol_2", Name: "other", Version: 1, Clauses: []policy.Clause{
			{Name: "no merges", Effect: policy.Deny, Line: 3}, {Name: "no merges", Effect: policy.Deny, Line: 5},
		}})
	})
	key := (&policy.Policy{ID: "pol_2", Name: "other", Version: 1, Clauses: []policy.Clause{{Name: "no merges", Effect: policy.Deny, Line: 3}}}).Key(0)
	for name, c := range map[string]struct {
		d            policy.Decision
		policy, rule string
		line         int
	}{
		"the first of two alike": {policy.Decision{Policy: "pol_2", Rule: key}, "other", "no merges", 3},
		"of another policy":      {policy.Decision{Policy: "pol_1", Rule: key}, "careful", "", 0},
		"a rule nobody has":      {policy.Decision{Policy: "pol_2", Rule: "pol_2/none"}, "other", "", 0},
		"a policy nobody has":    {policy.Decision{Policy: "pol_3", Rule: "pol_3/none"}, "", "", 0},
		"no policy":              {policy.Decision{Rule: "rule_1"}, "", "", 0},
	} {
		if p, r, line := st.Clause(c.d); p != c.policy || r != c.rule || line != c.line {
			t.Errorf("%s: %q, %q, line %d", name, p, r, line)
		}
	}
}
