package policy_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// A file of cases has groups of lines. "== name" begins a group, with nothing
// in it but a rule that allows everything. Settings, policies and clauses follow:
//
//	level soft_enforce | gateway ID | environment NAME | rules none | rule require_approval ttl=1h | kill github
//	policy NAME priority=5 report-only gateways=a,b environments=a actions=github.*
//	deny NAME risk=70 approvers=admin/2 ttl=1h hold=5s reason="…" if CONDITION
//
// and the cases: "? facts => what is expected", where the facts that are left
// out are those of somewhere.
type decisionCase struct {
	where    string
	settings policy.Settings
	question policy.Question
	want     want
}

type want struct {
	effect policy.Effect
	name   string            // of the clause or the rule, "" where the case does not say
	more   map[string]string // the words after it
}

// somewhere is a question with everything in it.
func somewhere() policy.Question {
	return policy.Question{
		Action: action.Action{
			Connector: "github", Name: "github.pr.merge", Class: action.Write, Risk: action.Medium,
			Resource: "acme/site#12", Params: map[string]any{},
		},
		Type: "github",
		Request: &policy.Request{
			Method: http.MethodPut, Scheme: "https", Host: "api.github.com", Path: "/repos/acme/site/pulls/12/merge",
			Query: map[string][]string{}, Header: map[string]string{},
		},
		Run:  &policy.Run{ID: "run_1", Principal: "ana@laptop"},
		Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), // a Monday
	}
}

func readCases(t *testing.T, file string) []decisionCase {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []decisionCase
	var group string
	var s policy.Settings
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		where := fmt.Sprintf("%s:%d %s", file, n, group)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "=="):
			group = strings.TrimSpace(line[2:])
			s = policy.Settings{Gateway: "deploy-bot", Environment: "production", Rules: []policy.Rule{rule("rule_all", "*", policy.Allow)}}
		case strings.HasPrefix(line, "?"):
			facts, expected, found := strings.Cut(line[1:], "=>")
			c := decisionCase{where: where, settings: s, question: somewhere()}
			c.settings.Policies = deepPolicies(s.Policies)
			for _, fact := range cutWords(facts) {
				if err := c.set(fact); err != nil {
					t.Fatalf("%s: %s: %v", where, fact, err)
				}
			}
			if c.want, err = readWant(cutWords(expected)); err != nil || !found {
				t.Fatalf("%s: %s: %v", where, expected, err)
			}
			all = append(all, c)
		default:
			if err := setting(&s, line); err != nil {
				t.Fatalf("%s: %s: %v", where, line, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func deepPolicies(all []policy.Policy) []policy.Policy {
	b, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	var out []policy.Policy
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

// cutWords cuts at spaces outside quotes and brackets.
func cutWords(s string) []string {
	var out []string
	var word strings.Builder
	depth, quoted, escaped := 0, false, false
	for _, r := range s {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case quoted:
		case strings.ContainsRune("[{(", r):
			depth++
		case strings.ContainsRune("]})", r):
			depth--
		case r == ' ' && depth == 0:
			if word.Len() > 0 {
				out = append(out, word.String())
			}
			word.Reset()
			continue
		}
		word.WriteRune(r)
	}
	if word.Len() > 0 {
		out = append(out, word.String())
	}
	return out
}

func setting(s *policy.Settings, line string) error {
	line, if_, conditional := strings.Cut(line, " if ")
	words := cutWords(line)
	more := map[string]string{}
	for _, word := range words[2:] {
		key, value, _ := strings.Cut(word, "=")
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		more[key] = value
	}
	name := words[1]
	switch words[0] {
	case "level":
		return s.Enforcement.UnmarshalText([]byte(name))
	case "gateway":
		s.Gateway = name
		return nil
	case "environment":
		s.Environment = strings.Trim(name, `"`)
		return nil
	case "kill":
		k := policy.Kill{ID: "kill_1", Connector: name}
		if name == "all" {
			k.Connector = ""
		}
		s.Kills = append(s.Kills, k)
		return nil
	case "rules":
		s.Rules = nil
		return nil
	case "rule":
		r := policy.Rule{ID: "rule_" + cmp.Or(more["id"], name), Connector: "github", Pattern: action.Pattern(cmp.Or(more["pattern"], "*"))}
		if err := r.Effect.UnmarshalText([]byte(name)); err != nil {
			return err
		}
		if more["ttl"] != "" {
			d, err := time.ParseDuration(more["ttl"])
			if err != nil {
				return err
			}
			r.TTL = d
		}
		s.Rules = append(s.Rules, r)
		return nil
	case "policy":
		p := policy.Policy{ID: "pol_" + name, Name: name, Version: 3}
		if more["priority"] != "" {
			n, err := strconv.Atoi(more["priority"])
			if err != nil {
				return err
			}
			p.Priority = n
		}
		_, p.ReportOnly = more["report-only"]
		p.Scope.Gateways, p.Scope.Environments = cutCommas(more["gateways"]), cutCommas(more["environments"])
		for _, pattern := range cutCommas(more["actions"]) {
			p.Scope.Actions = append(p.Scope.Actions, action.Pattern(pattern))
		}
		s.Policies = append(s.Policies, p)
		return nil
	}
	if len(s.Policies) == 0 {
		s.Policies = []policy.Policy{{ID: "pol_p", Name: "p", Version: 3}}
	}
	c, err := readClause(words[0], name, more)
	if err != nil {
		return err
	}
	if conditional {
		e, err := condition(if_)
		if err != nil {
			return err
		}
		c.If = &e
	}
	p := &s.Policies[len(s.Policies)-1]
	c.Line = len(p.Clauses) + 1
	p.Clauses = append(p.Clauses, c)
	return nil
}

func cutCommas(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func readClause(effect, name string, more map[string]string) (policy.Clause, error) {
	c := policy.Clause{Name: name, Reason: more["reason"]}
	if err := c.Effect.UnmarshalText([]byte(effect)); err != nil {
		return c, err
	}
	var err error
	for key, value := range more {
		switch key {
		case "risk":
			c.Risk, err = strconv.Atoi(value)
		case "ttl":
			c.TTL, err = time.ParseDuration(value)
		case "hold":
			var d time.Duration
			d, err = time.ParseDuration(value)
			c.Hold = &d
		case "approvers":
			c.Approvers, err = readApprovers(value)
		case "reason":
		default:
			err = fmt.Errorf("what is %s", key)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

func readApprovers(s string) (policy.Approvers, error) {
	role, count, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(count)
	return policy.Approvers{Role: role, Count: n}, err
}

func readWant(words []string) (want, error) {
	w := want{more: map[string]string{}}
	if len(words) == 0 {
		return w, fmt.Errorf("nothing is expected")
	}
	for _, word := range words[1:] {
		key, value, found := strings.Cut(word, "=")
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		switch {
		case found || word == "flagged" || word == "unclear" || word == "holds":
			w.more[key] = value
		default:
			w.name = word
		}
	}
	return w, w.effect.UnmarshalText([]byte(words[0]))
}
