package policy_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/policy"
)

const fewestCases = 400

// TestCases asks the engine and the reference what the files of testdata/cases
// have answers to.
func TestCases(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		cases := readCases(t, file)
		n += len(cases)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()

			for _, c := range cases {
				c.ask(t)
			}
		})
	}
	if n < fewestCases {
		t.Errorf("%d cases, want %d", n, fewestCases)
	}
}

func (c decisionCase) ask(t *testing.T) {
	t.Helper()
	e, err := policy.Compile(c.settings)
	if err != nil {
		t.Errorf("%s: %v", c.where, err)
		return
	}
	d := e.Decide(c.question)
	for _, problem := range c.problems(d) {
		t.Errorf("%s: %s\n\tgot %+v", c.where, problem, d)
	}
	explained, why := e.Explain(c.question)
	if explained != d {
		t.Errorf("%s: Explain has %+v, Decide %+v", c.where, explained, d)
	}
	for _, verdict := range []string{"holds", "unclear"} {
		if _, said := c.want.more[verdict]; said && (len(why.Considered) == 0 || why.Considered[0].Verdict != verdict) {
			t.Errorf("%s: want that it %s: %+v", c.where, verdict, why.Considered)
		}
	}
}

// problems are how d differs from what is expected, and from the reference.
func (c decisionCase) problems(d policy.Decision) []string {
	var all []string
	differ := func(what string, got, want any) {
		if got != want {
			all = append(all, strings.Join([]string{what, show(got), "want", show(want)}, " "))
		}
	}
	w := c.want
	differ("effect", d.Effect, w.effect)
	would := w.effect
	if text := w.more["would"]; text != "" {
		if would.UnmarshalText([]byte(text)) != nil {
			return []string{"no such effect: " + text}
		}
	}
	differ("would", d.Would, would)
	differ("flagged", d.Flagged, w.effect != would)
	by, rule, id, version := c.named()
	if w.name != "" {
		differ("by", d.By, by)
		differ("rule", d.Rule, rule)
		differ("policy", d.Policy, id)
		differ("version", d.Version, version)
	}
	for key, value := range w.more {
		switch key {
		case "approvers":
			a, err := readApprovers(value)
			if err != nil {
				return []string{err.Error()}
			}
			differ("approvers", d.Approvers, a)
		case "risk":
			differ("risk", show(d.Risk), value)
		case "ttl":
			differ("ttl", d.TTL, mustDuration(value))
		case "hold":
			differ("hold", d.Hold, mustDuration(value))
		case "reported":
			name, effect, _ := strings.Cut(value, ":")
			_, key, _ := c.key(name)
			differ("reported", d.Reported, key)
			differ("reported as", d.ReportedAs.String(), effect)
		case "reason":
			if !strings.Contains(d.Reason, value) {
				differ("reason", d.Reason, value)
			}
		}
	}
	if w.more["reported"] == "" {
		differ("reported", d.Reported, "")
	}
	ref := reference{c.settings}.decide(c.question)
	differ("reference: effect", ref.effect, w.effect)
	differ("reference: would", ref.would, would)
	if ref.alone && w.name != "" && by == policy.ByPolicy {
		differ("reference: rule", ref.rule, rule)
	}
	return all
}

func mustDuration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}

// named is what the case expects to decide.
func (c decisionCase) named() (by policy.By, rule, id string, version int64) {
	switch name := c.want.name; {
	case name == "default":
		return policy.ByDefault, "", "", 0
	case strings.HasPrefix(name, "kill_"):
		return policy.ByKillSwitch, name, "", 0
	case strings.HasPrefix(name, "rule_"):
		return policy.ByRule, name, "", 0
	default:
		id, rule, version := c.key(name)
		return policy.ByPolicy, rule, id, version
	}
}

func (c decisionCase) key(name string) (id, key string, version int64) {
	for _, p := range c.settings.Policies {
		for i, clause := range p.Clauses {
			if clause.Name == name || p.Name+"/"+clause.Name == name {
				return p.ID, p.Key(i), p.Version
			}
		}
	}
	return "", "no clause " + name, 0
}
