package config

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/terms"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

func (r *parsing) rule(p yamldoc.Place, typ string) (rule Rule) {
	keys := r.Mapping(p, "preset", "action", "class", "when", "decision", "hold", "ttl", "reason", "approvers")
	if keys == nil {
		return rule
	}
	if keys["preset"].There() {
		return r.preset(keys)
	}
	if !keys["action"].There() {
		r.Bad(p, "a rule has an action or a preset")
		return rule
	}
	had := len(r.Problems.All)
	rule.Action = action.Pattern(r.Text(keys["action"]))
	r.checkPattern(keys["action"], string(rule.Action), typ)
	if keys["class"].There() {
		rule.Class = new(action.Class)
		r.OneOf(keys["class"], rule.Class, "read", "write", "delete", "admin")
	}
	rule.When = r.limits(keys["when"], rule.Action, typ)
	if !keys["decision"].There() {
		r.Bad(p, "decision is missing: allow, deny or require_approval")
	}
	r.OneOf(keys["decision"], &rule.Decision, "allow", "deny", "require_approval")
	if hold, ok := r.Duration(keys["hold"]); ok {
		rule.Hold = &hold
	}
	rule.TTL, _ = r.Duration(keys["ttl"])
	if rule.Approvers = terms.Read(&r.Reader, keys["approvers"]); rule.Approvers.Count == 1 {
		rule.Approvers.Count = 0 // which means the same
	}
	rule.Reason = r.Text(keys["reason"])
	if len(rule.Reason) > maxReason {
		r.Bad(keys["reason"], "a reason has at most %d bytes", maxReason)
	}
	if len(r.Problems.All) > had {
		return rule
	}
	if rule.Decision != policy.RequireApproval && (keys["hold"].There() || keys["ttl"].There() || keys["approvers"].There()) {
		r.Bad(p, "hold, ttl and approvers go with the decision require_approval only")
		return rule
	}
	check := policy.Rule{Pattern: rule.Action, Class: rule.Class, When: rule.When, Effect: rule.Decision, Hold: rule.Hold, TTL: rule.TTL, Approvers: rule.Approvers}
	if err := check.Check(); err != nil {
		r.Bad(p, "%s", fault.Message(err))
	}
	return rule
}

func (r *parsing) preset(keys map[string]yamldoc.Place) Rule {
	preset := policy.Preset(r.Text(keys["preset"]))
	if !slices.Contains(presets, string(preset)) {
		r.Bad(keys["preset"], "%q is not one of %s%s", yamldoc.Shown(string(preset)), yamldoc.List(presets), yamldoc.Suggest(string(preset), presets))
	}
	for _, key := range []string{"action", "class", "when", "decision", "hold", "ttl", "reason", "approvers"} {
		if keys[key].There() {
			r.Bad(keys[key], "a preset stands alone; write this as a rule of its own")
		}
	}
	return Rule{Preset: preset}
}

// checkPattern looks at how a pattern is written, that it can match an action
// of the type at all, and that it is not nearly one that there is.
func (r *parsing) checkPattern(p yamldoc.Place, pattern, typ string) {
	if err := action.Pattern(pattern).Check(); err != nil {
		r.Bad(p, "%s", fault.Message(err))
		return
	}
	if r.known == nil || typ == "" {
		return
	}
	actions := r.known.Actions(typ)
	if first, _, _ := strings.Cut(pattern, "."); first != "*" && first != typ {
		r.Bad(p, "%s matches nothing here: the actions of this connector begin with %q", pattern, typ+".")
		return
	}
	if slices.ContainsFunc(actions, action.Pattern(pattern).Matches) {
		return
	}
	if hint := yamldoc.Suggest(pattern, actions); hint != "" {
		r.Bad(p, "there is no action %s%s", pattern, hint)
	}
}
