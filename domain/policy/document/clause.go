package document

import (
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/terms"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

var decisions = []string{"allow", "deny", "require_approval", "requires_approval"}

func (r *reading) clauses(root, p yamldoc.Place) {
	if !p.There() {
		r.Bad(root, "rules is missing")
		return
	}
	n, ok := p.Node.(*ast.SequenceNode)
	switch {
	case !ok:
		r.Bad(p, "a list of rules belongs here")
		return
	case len(n.Values) == 0:
		r.Bad(p, "there is no rule")
	case len(n.Values) > maxRules:
		r.Bad(p, "there are %d rules; a policy has at most %d", len(n.Values), maxRules)
		return
	}
	seen := map[string]bool{}
	for _, item := range r.Items(p) {
		c, ok := r.clause(item)
		if ok && seen[c.Name] && c.Name != "" {
			r.Bad(item, "there is another rule of the name %q before this", c.Name)
		}
		seen[c.Name] = true
		r.doc.Policy.Clauses = append(r.doc.Policy.Clauses, c)
		r.rules = append(r.rules, item)
	}
}

func (r *reading) clause(p yamldoc.Place) (c policy.Clause, ok bool) {
	keys := r.Mapping(p, "name", "description", "conditions", "when", "decision", "reason", "risk_score", "approval")
	if keys == nil {
		return c, false
	}
	c.Line, _ = place(p)
	if c.Name = r.Need(p, keys["name"], "name"); len(c.Name) > maxName || strings.ContainsFunc(c.Name, control) {
		r.Bad(keys["name"], "a rule's name is 1 to %d characters in one line", maxName)
	}
	r.Text(keys["description"])
	c.If = r.when(keys["conditions"], keys["when"])
	if !keys["decision"].There() {
		r.Bad(p, "decision is missing: allow, deny or require_approval")
	}
	r.OneOf(keys["decision"], &c.Effect, decisions[:3]...)
	if c.Reason = strings.TrimSpace(r.Text(keys["reason"])); len(c.Reason) > maxReason {
		r.Bad(keys["reason"], "a reason has at most %d bytes", maxReason)
	}
	if keys["risk_score"].There() {
		n, ok := r.whole(keys["risk_score"])
		if ok && (n < 0 || n > 100) {
			r.Bad(keys["risk_score"], "a risk score is a number from 0 to 100")
		}
		c.Risk = int(n)
	}
	if keys["approval"].There() && c.Effect != policy.RequireApproval && keys["decision"].There() {
		r.Bad(keys["approval"], "approval goes with the decision require_approval only")
		return c, true
	}
	r.approval(keys["approval"], &c)
	return c, true
}

func control(c rune) bool { return c < ' ' || c == 0x7f }

// when joins both ways to say when a rule applies.
func (r *reading) when(conditions, source yamldoc.Place) *policy.Expr {
	var all []policy.Expr
	if conditions.There() {
		if e, ok := r.conditions(conditions, 1); ok {
			all = append(all, e)
		}
	}
	if source.There() {
		if e := r.cel(source); e != nil {
			all = append(all, *e)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &all[0]
	}
	return &policy.Expr{Op: policy.All, Args: all}
}

func (r *reading) approval(p yamldoc.Place, c *policy.Clause) {
	if !p.There() {
		return
	}
	keys := r.Mapping(p, "timeout", "ttl", "timeout_seconds", "hold", "hold_seconds", "approver_roles", "count", "approvers", "min_approvals")
	if ttl, at, ok := r.length(keys, "timeout", "ttl", "timeout_seconds"); ok {
		if c.TTL = ttl; ttl < policy.MinTTL || ttl > policy.MaxTTL {
			r.Bad(at, "a timeout is between 30s and 24h")
		}
	}
	if hold, at, ok := r.length(keys, "hold", "hold_seconds"); ok {
		if c.Hold = &hold; hold < 0 || hold > policy.MaxHold {
			r.Bad(at, "a hold is between 0s and 30m")
		}
	}
	if terms.IsMapping(keys["approvers"]) {
		c.Approvers = terms.Read(&r.Reader, keys["approvers"])
		for _, key := range []string{"approver_roles", "count", "min_approvals"} {
			if keys[key].There() {
				r.Bad(keys[key], "write this below approvers, beside what is there")
			}
		}
		return
	}
	c.Approvers.Role = r.role(keys["approver_roles"])
	at := r.one(keys, "count", "approvers", "min_approvals")
	if !at.There() {
		return
	}
	n, ok := r.whole(at)
	if ok && (n < 1 || n > policy.MaxApprovers) {
		r.Bad(at, "how many people have to agree is a number from 1 to %d", policy.MaxApprovers)
	}
	c.Approvers.Count = int(n)
}

// one returns what one of several keys says that mean the same.
func (r *reading) one(keys map[string]yamldoc.Place, names ...string) (at yamldoc.Place) {
	for _, name := range names {
		switch {
		case !keys[name].There():
		case at.There():
			r.Bad(keys[name], "this is said already; write %s only", names[0])
		default:
			at = keys[name]
		}
	}
	return at
}

// length reads a length of time, or a number of seconds.
func (r *reading) length(keys map[string]yamldoc.Place, names ...string) (time.Duration, yamldoc.Place, bool) {
	at := r.one(keys, names...)
	if !at.There() {
		return 0, at, false
	}
	if _, number := at.Node.(*ast.IntegerNode); number {
		n, ok := r.whole(at)
		const most = int64(policy.MaxTTL/time.Second) * 1000
		return time.Duration(min(max(n, -most), most)) * time.Second, at, ok
	}
	if strings.HasSuffix(at.Path, "_seconds") {
		r.Bad(at, "a number of seconds belongs here")
		return 0, at, false
	}
	d, ok := r.Duration(at)
	return d, at, ok
}

// ranks are the roles that may decide, the lowest first.
var ranks = terms.Roles()

// role is the lowest of the roles at p: whoever has a higher one may too.
func (r *reading) role(p yamldoc.Place) string {
	lowest := len(ranks)
	for _, item := range r.list(p, len(ranks)) {
		text := r.Text(item)
		switch i := slices.Index(ranks, text); {
		case text == "":
		case text == "viewer":
			r.Bad(item, "a viewer cannot approve; name member, admin or owner")
		case i < 0:
			r.Bad(item, "%q is not one of %s%s", yamldoc.Shown(text), yamldoc.List(ranks), yamldoc.Suggest(text, ranks))
		default:
			lowest = min(lowest, i)
		}
	}
	if lowest == len(ranks) {
		return ""
	}
	return ranks[lowest]
}
