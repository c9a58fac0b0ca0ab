package proposals

import (
	"maps"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
)

// seen is what requests have done.
type seen struct {
	of   map[string]map[need]*use // by connector
	lost map[Uncovered]*Uncovered // by what they have in common
}

// need is what a rule would have to be for.
type need struct {
	action string
	class  action.Class
}

// use is how often something was needed, and for what.
type use struct {
	n, denied, asked int64 // the last two by rules that are kept
	refused          int64 // that were stopped, and by no rule that is kept
	narrow           bool  // some of them by rules: what is proposed must not cover all there is
	risk             action.Risk
	resources        map[string]bool // globs that cover them; nil where there are too many, or one is not known
	tools            map[string]bool // of MCP; likewise
}

const fewResources = 5

func (s *seen) add(row *audit.Request, kept *judge.Judge) {
	q, ok := kept.Question(row)
	if !ok {
		return
	}
	a := q.Action
	switch {
	case a.Connector == "" || kept.Set.Named(a.Connector) == nil:
		s.lose(row, "No connector answers for this host.")
		return
	case len(a.Or) > 0 || strings.HasSuffix(a.Name, ".unknown") || !action.Pattern(a.Name).Exact() || action.Pattern(a.Name).Check() != nil:
		s.lose(row, "The request does not show what it would do.")
		return
	}
	uses := s.of[a.Connector]
	if uses == nil {
		uses = map[need]*use{}
		s.of[a.Connector] = uses
	}
	key := need{a.Name, a.Class}
	u := uses[key]
	if u == nil {
		u = &use{risk: action.Low, resources: map[string]bool{}, tools: map[string]bool{}}
		uses[key] = u
	}
	u.n++
	switch d := kept.Engine.Decide(q); {
	case d.By == policy.ByDefault:
	case d.Would == policy.RequireApproval:
		u.asked++
		return
	default:
		u.denied++
		return
	}
	if stopped(row) {
		u.refused++
		u.narrow = u.narrow || row.DecidedBy != string(policy.ByPolicy) && row.DecidedBy != string(policy.ByKillSwitch) // these two stay
		return
	}
	u.risk = min(u.risk, a.Risk)
	u.resources = narrower(u.resources, globsOf(a))
	tool, _ := a.Params["tool"].(string)
	u.tools = narrower(u.tools, []string{tool})
}

// stopped reports whether a request was refused in earnest: not only flagged
// by a gateway that watches, and not sent after a person's approval.
func stopped(row *audit.Request) bool {
	return row.Decision == policy.Deny.String() || row.Decision == policy.RequireApproval.String() && row.Step == audit.Refused
}

func (s *seen) lose(row *audit.Request, why string) {
	key := Uncovered{Host: row.Host, Action: row.Action, Why: why}
	u := s.lost[key]
	if u == nil {
		u = &Uncovered{Host: row.Host, Action: row.Action, Why: why, Example: row.ID}
		s.lost[key] = u
	}
	u.N++
}

// narrower adds globs to a set, and gives it up where one is not usable or
// there would be too many.
func narrower(set map[string]bool, globs []string) map[string]bool {
	if set == nil || len(globs) == 0 {
		return nil
	}
	for _, g := range globs {
		if g == "" || strings.Contains(g, "*") && !strings.HasSuffix(g, "*") || len(g) > 200 {
			return nil
		}
		set[g] = true
	}
	if len(set) > 4*fewResources {
		return nil
	}
	return set
}

// globsOf are patterns for the resource of a, and for what is like it: of
// acme/site#12 everything in acme/site. There are none where it is not known.
func globsOf(a action.Action) []string {
	if a.Resource == "" || strings.Contains(a.Resource, "*") || slices.Contains(a.Unknown, "resource") || slices.Contains(a.Unknown, "*") {
		return nil
	}
	whole, mark := a.Resource, strings.IndexAny(a.Resource, "#@:")
	if mark <= 0 || !strings.Contains(whole[:mark], "/") {
		return []string{whole}
	}
	return []string{whole[:mark+1] + "*"}
}

// places is how many resources a rule names.
func (u *use) places() int {
	if u.narrow {
		return 4 * fewResources
	}
	return fewResources
}

// limits are what narrows a rule to what was seen; nil where nothing does.
func (u *use) limits(k need) policy.Limits {
	if k.action == "mcp.tools.call" {
		if n := len(u.tools); n > 0 && n <= 4*fewResources {
			return policy.Limits{"tool": slices.Sorted(maps.Keys(u.tools))}
		}
		return nil
	}
	if n := len(u.resources); n > 0 && n <= u.places() && (k.class != action.Read || u.narrow) {
		return policy.Limits{policy.OnResource: slices.Sorted(maps.Keys(u.resources))}
	}
	return nil
}
