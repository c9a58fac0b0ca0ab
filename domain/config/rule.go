package config

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

func (r *parsing) rule(p place, typ string) (rule Rule) {
	keys := r.mapping(p, "preset", "action", "class", "when", "decision", "hold", "ttl", "reason")
	if keys == nil {
		return rule
	}
	if keys["preset"].there() {
		return r.preset(keys)
	}
	if !keys["action"].there() {
		r.bad(p, "a rule has an action or a preset")
		return rule
	}
	had := len(r.problems.All)
	rule.Action = action.Pattern(r.text(keys["action"]))
	r.checkPattern(keys["action"], string(rule.Action), typ)
	if keys["class"].there() {
		rule.Class = new(action.Class)
		r.oneOf(keys["class"], rule.Class, "read", "write", "delete", "admin")
	}
	rule.When = r.limits(keys["when"], rule.Action, typ)
	if !keys["decision"].there() {
		r.bad(p, "decision is missing: allow, deny or require_approval")
	}
	r.oneOf(keys["decision"], &rule.Decision, "allow", "deny", "require_approval")
	if hold, ok := r.duration(keys["hold"]); ok {
		rule.Hold = &hold
	}
	rule.TTL, _ = r.duration(keys["ttl"])
	rule.Reason = r.text(keys["reason"])
	if len(rule.Reason) > maxReason {
		r.bad(keys["reason"], "a reason has at most %d bytes", maxReason)
	}
	if len(r.problems.All) > had {
		return rule
	}
	if rule.Decision != policy.RequireApproval && (keys["hold"].there() || keys["ttl"].there()) {
		r.bad(p, "hold and ttl go with the decision require_approval only")
	}
	check := policy.Rule{Pattern: rule.Action, Class: rule.Class, When: rule.When, Effect: rule.Decision, Hold: rule.Hold, TTL: rule.TTL}
	if err := check.Check(); err != nil {
		r.bad(p, "%s", fault.Message(err))
	}
	return rule
}

func (r *parsing) preset(keys map[string]place) Rule {
	preset := policy.Preset(r.text(keys["preset"]))
	if !slices.Contains(presets, string(preset)) {
		r.bad(keys["preset"], "%q is not one of %s%s", shown(string(preset)), list(presets), suggest(string(preset), presets))
	}
	for _, key := range []string{"action", "class", "when", "decision", "hold", "ttl", "reason"} {
		if keys[key].there() {
			r.bad(keys[key], "a preset stands alone; write this as a rule of its own")
		}
	}
	return Rule{Preset: preset}
}

// checkPattern looks at how a pattern is written, that it can match an action
// of the type at all, and that it is not nearly one that there is.
func (r *parsing) checkPattern(p place, pattern, typ string) {
	if err := action.Pattern(pattern).Check(); err != nil {
		r.bad(p, "%s", fault.Message(err))
		return
	}
	if r.known == nil || typ == "" {
		return
	}
	actions := r.known.Actions(typ)
	if first, _, _ := strings.Cut(pattern, "."); first != "*" && first != typ {
		r.bad(p, "%s matches nothing here: the actions of this connector begin with %q", pattern, typ+".")
		return
	}
	if slices.ContainsFunc(actions, action.Pattern(pattern).Matches) {
		return
	}
	if hint := suggest(pattern, actions); hint != "" {
		r.bad(p, "there is no action %s%s", pattern, hint)
	}
}
