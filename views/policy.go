package views

import (
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// policyState says how a policy counts.
func policyState(enabled, reportOnly bool) state {
	switch {
	case !enabled:
		return idle.called("Off")
	case reportOnly:
		return monitored.called("Report only")
	}
	return allowed.called("Enabled")
}

// aboutText says in words what a policy is about.
func aboutText(s policy.Scope) string {
	var b strings.Builder
	b.WriteString("everything")
	if len(s.Actions) > 0 {
		b.Reset()
		words := make([]string, len(s.Actions))
		for i, p := range s.Actions {
			words[i] = string(p)
		}
		b.WriteString(yamldoc.List(words))
	}
	if len(s.Gateways) > 0 {
		b.WriteString(" at " + yamldoc.List(s.Gateways))
	} else if len(s.Environments) == 0 {
		b.WriteString(" at every gateway")
	}
	if len(s.Environments) > 0 {
		b.WriteString(" in " + yamldoc.List(s.Environments))
	}
	return b.String()
}

// effectCounts are the decisions of a policy's rules, the strictest first.
func effectCounts(cs []policy.Clause) []state {
	var out []state
	for _, e := range []policy.Effect{policy.Deny, policy.RequireApproval, policy.Allow} {
		n := 0
		for _, c := range cs {
			if c.Effect == e {
				n++
			}
		}
		if n > 0 {
			s := effectState(e)
			out = append(out, s.called(strconv.Itoa(n)+" "+strings.ToLower(s.word)))
		}
	}
	return out
}

// approvalText says who has to agree to what a clause holds, and for how long
// that takes. It is "" for one that holds nothing.
func approvalText(c policy.Clause) string {
	if c.Effect != policy.RequireApproval {
		return ""
	}
	who := "One person"
	if c.Approvers.Count > 1 {
		who = strconv.Itoa(c.Approvers.Count) + " people"
	}
	switch c.Approvers.Role {
	case "admin":
		who += ", admin or owner,"
	case "owner":
		who += ", owner,"
	}
	if groups := c.Approvers.Groups(); len(groups) > 0 {
		who = strings.TrimSuffix(who, ",") + " of " + strings.Join(groups, " and of ")
	}
	if c.Approvers.NotSelf {
		who = strings.TrimSuffix(who, ",") + " other than whoever enrolled the gateway"
	}
	hold, ttl := policy.DefaultHold, policy.DefaultTTL
	if c.Hold != nil {
		hold = *c.Hold
	}
	if c.TTL > 0 {
		ttl = c.TTL
	}
	verb := " decides"
	if c.Approvers.Count > 1 {
		verb = " decide"
	}
	text := who + verb + " within " + spanText(ttl)
	if c.Approvers.StepUp {
		text += ", with a fresh proof of who they are"
	}
	if hold > 0 {
		return text + "; the request waits for " + Duration(hold)
	}
	return text + "; the request does not wait"
}

// joint says how the parts of a condition belong together. It is "" for one
// that stands for itself.
func joint(e *policy.Expr) string {
	if e.Text != "" {
		return ""
	}
	switch e.Op {
	case policy.All:
		return "all of"
	case policy.Any:
		return "any of"
	case policy.Not:
		return "not"
	default:
		return ""
	}
}

// conditionText is a condition that stands for itself.
func conditionText(e *policy.Expr) string {
	if e.Text != "" {
		return e.Text
	}
	parts := []string{}
	if e.Field != "" {
		return e.Field
	}
	if e.Value != nil {
		return "…"
	}
	for i := range e.Args {
		parts = append(parts, conditionText(&e.Args[i]))
	}
	return string(e.Op) + "(" + strings.Join(parts, ", ") + ")"
}

// failing counts the tests that fail.
func failing(rs []document.Result) int {
	n := 0
	for _, r := range rs {
		if !r.Passed {
			n++
		}
	}
	return n
}

// testsText says how the tests of a policy went.
func testsText(rs []document.Result) string {
	bad := failing(rs)
	switch {
	case len(rs) == 0:
		return "There are no tests yet."
	case bad == 0:
		return "All " + count(int64(len(rs)), "test") + " pass."
	}
	if len(rs) == 1 {
		return "The test fails."
	}
	if bad == 1 {
		return "1 of " + count(int64(len(rs)), "test") + " fails."
	}
	return strconv.Itoa(bad) + " of " + count(int64(len(rs)), "test") + " fail."
}

// subjectText says what a test is about.
func subjectText(t document.Test) string {
	s := ""
	if t.Request != nil {
		s = t.Request.Method + " " + t.Request.URL
	}
	if t.Action != nil {
		s = t.Action.Action.Name
		if t.Action.Action.Resource != "" {
			s += " " + t.Action.Action.Resource
		}
	}
	if t.Gateway != "" {
		s += " at " + t.Gateway
	}
	if t.Environment != "" {
		s += " in " + t.Environment
	}
	if !t.Time.IsZero() {
		s += " on " + t.Time.Format("Mon 2 Jan 2006 15:04 MST")
	}
	return s
}

// versionText says which version of a policy it is.
func versionText(n int64) string { return "version " + strconv.FormatInt(n, 10) }

// whyText says why a version was made.
func whyText(v fleet.PolicyVersion) string {
	if v.Reverts > 0 {
		back := "Back to " + versionText(v.Reverts) + "."
		if v.Message == "" {
			return back
		}
		return back + " " + v.Message
	}
	return v.Message
}

func policyURL(id string) string { return "/policies/" + id }

func versionURL(id string, n int64) string {
	return policyURL(id) + "/versions/" + strconv.FormatInt(n, 10)
}

func placeText(line, column int) string {
	if line == 0 {
		return "The document"
	}
	s := "Line " + strconv.Itoa(line)
	if column > 0 {
		s += ", column " + strconv.Itoa(column)
	}
	return s
}

// dayText is a day for who reads when something was changed.
func dayText(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04") }
