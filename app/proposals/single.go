package proposals

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// Single is an access rule for what one held request would do, and for nothing
// else, as it would be added.
type Single struct {
	Gateway   fleet.Gateway
	Connector string
	Rules     []fleet.Rule // without IDs; after the first those that have to be beside it
	YAML      string       // of them
	There     bool         // all of it is configured already
	Exact     bool         // it names what the action is done to, or the tool that is called

	// Still is the decision about the request once the rule is there, where it
	// is not the rule's; nil where it is. Perhaps says that what decides looks
	// at headers or bodies, which are not kept: it may be otherwise.
	Still   *policy.Decision
	Perhaps bool

	Covers int  // other requests of the last 30 days that the rule would decide
	All    bool // these are all, and not only those among the newest
}

// mostCovered is how many requests are looked at for what a rule covers.
const mostCovered = 500

// RuleFor makes the access rule that allows, or denies, exactly what a asked
// for. What is denied today stays denied beside it. It fails with
// fault.Invalid where no such rule can be written, and with fault.NotFound
// where the gateway is gone.
func (s *Service) RuleFor(ctx context.Context, teamID string, a approval.Approval, effect policy.Effect) (Single, error) {
	if effect != policy.Allow && effect != policy.Deny {
		return Single{}, fault.New(fault.Invalid, "A rule made of an approval allows or denies.", nil)
	}
	conf, err := s.Store.Configuration(ctx, teamID, a.GatewayID)
	if err != nil {
		return Single{}, fmt.Errorf("make a rule: %w", err)
	}
	at := slices.IndexFunc(conf.Connectors, func(c fleet.Connector) bool { return c.Name == a.Action.Connector })
	if at < 0 {
		return Single{}, fault.New(fault.Invalid, "No connector of the gateway answers for this request any more, so no rule can name it.", nil)
	}
	row := conf.Connectors[at]
	one := Single{Gateway: conf.Gateway, Connector: row.Name}
	rule, err := exactly(a.Action, effect)
	if err != nil {
		return one, err
	}
	one.Exact = len(rule.When) > 0
	rules := []policy.Rule{rule}
	if effect == policy.Allow {
		stops, err := stopsOf(conf, row)
		if err != nil {
			return one, fmt.Errorf("make a rule: %w", err)
		}
		stops = slices.DeleteFunc(stops, func(r policy.Rule) bool { return r.Effect != policy.Deny })
		var ok bool
		if rules, ok = guard(rule, a.Action.Class, stops); !ok {
			return one, fault.New(fault.Invalid, "A rule for this would let through what is denied today. Write one by hand.", nil)
		}
	}
	for _, r := range rules {
		one.Rules = append(one.Rules, fleet.NewRule(r, policy.NoPreset))
	}
	fresh := missing(conf, row, one.Rules)
	one.There = len(fresh) == 0
	one.YAML = yamlOf(conf, row, rules)
	for i := range fresh {
		fresh[i].ID, fresh[i].ConnectorID = fmt.Sprintf("new_%d", i), row.ID
	}
	conf.Rules = append(slices.Clone(conf.Rules), fresh...)
	if err := one.decide(conf, row, a, effect); err != nil {
		return one, fmt.Errorf("make a rule: %w", err)
	}
	if err := s.cover(ctx, teamID, &one, a, rule); err != nil {
		return one, fmt.Errorf("make a rule: %w", err)
	}
	return one, nil
}

// AddRule configures what RuleFor makes. It fails as that does, with
// fault.Invalid where the rule would not decide, with fault.Conflict where the
// configuration is changed meanwhile, and as gateways.Configure does.
func (s *Service) AddRule(ctx context.Context, v team.Viewer, a approval.Approval, effect policy.Effect) error {
	revision, err := s.Store.Revision(ctx, v.Team.ID)
	if err != nil {
		return fmt.Errorf("add a rule: %w", err)
	}
	one, err := s.RuleFor(ctx, v.Team.ID, a, effect)
	if err != nil {
		return err
	}
	if one.Still != nil && !one.Perhaps && effect == policy.Allow {
		return fault.New(fault.Invalid, "This rule would not end the asking: something stricter decides about the request.", nil)
	}
	cs, err := s.Gateways.Configuration(ctx, v.Team.ID, a.GatewayID)
	if err != nil {
		return fmt.Errorf("add a rule: %w", err)
	}
	changed := fault.New(fault.Conflict, "The configuration has changed while this was looked at. Look at the rule again.", nil)
	at := -1
	for i := range cs {
		if cs[i].Name == one.Connector {
			at = i
		}
	}
	if at < 0 {
		return changed
	}
	cs[at].Rules = append(slices.Clone(cs[at].Rules), one.Rules...) // what is there already is left out
	now, err := s.Store.Revision(ctx, v.Team.ID)
	if err != nil {
		return fmt.Errorf("add a rule: %w", err)
	}
	if now != revision {
		return changed
	}
	if err := s.Gateways.Configure(ctx, v, a.GatewayID, cs); err != nil {
		return fmt.Errorf("add a rule: %w", err)
	}
	return nil
}

// exactly is the rule for a and for nothing else, as far as a says what it is.
func exactly(a action.Action, effect policy.Effect) (policy.Rule, error) {
	r := policy.Rule{Pattern: action.Pattern(a.Name), Effect: effect}
	if len(a.Or) > 0 || strings.HasSuffix(a.Name, ".unknown") || !r.Pattern.Exact() || r.Pattern.Check() != nil {
		return r, fault.New(fault.Invalid, "The request does not show what it would do, so no rule can be exactly for it.", nil)
	}
	limit := func(key, value string) error {
		if strings.Contains(value, "*") {
			return fault.New(fault.Invalid, "What this is done to has a star in its name, and in a rule a star stands for anything.", nil)
		}
		if r.When == nil {
			r.When = policy.Limits{}
		}
		r.When[key] = []string{value}
		return nil
	}
	known := func(name string) bool { return !slices.Contains(a.Unknown, name) && !slices.Contains(a.Unknown, "*") }
	if a.Resource != "" && known(policy.OnResource) {
		if err := limit(policy.OnResource, a.Resource); err != nil {
			return r, err
		}
	}
	if tool, _ := a.Params["tool"].(string); tool != "" && a.Name == "mcp.tools.call" && known("tool") {
		if err := limit("tool", tool); err != nil {
			return r, err
		}
	}
	return r, r.Check()
}

// missing are those rules that say nothing that is said already.
func missing(conf store.Configuration, row fleet.Connector, rules []fleet.Rule) []fleet.Rule {
	var fresh []fleet.Rule
	for _, r := range rules {
		there := slices.ContainsFunc(conf.Rules, func(o fleet.Rule) bool {
			return o.ConnectorID == row.ID && o.Pattern == r.Pattern && o.Class == r.Class && o.Effect == r.Effect && o.When.String() == r.When.String()
		})
		if !there {
			fresh = append(fresh, r)
		}
	}
	return fresh
}

// decide notes who decides about a once the rule is there.
func (one *Single) decide(conf store.Configuration, row fleet.Connector, a approval.Approval, effect policy.Effect) error {
	j, err := judge.Of(conf, func(set *policy.Settings) { set.Kills, set.Enforcement = nil, policy.FullEnforce })
	if err != nil {
		return err
	}
	asked := asRequest(a)
	q, ok := j.Question(&asked)
	if !ok {
		return nil
	}
	q.Run = &policy.Run{ID: a.RunID, Principal: a.Principal}
	d := j.Engine.Decide(q)
	if d.Would == effect {
		return nil
	}
	one.Still = &d
	if uses := j.Engine.Uses(); d.By == policy.ByPolicy && (len(uses.Headers) > 0 || uses.Body(row.Type)) {
		one.Perhaps = true
	}
	return nil
}

// asRequest is the row that a's request has in the record, as far as a keeps it.
func asRequest(a approval.Approval) audit.Request {
	r := audit.Request{
		Time: a.CreatedAt, RunID: a.RunID, Method: a.Method, Connector: a.Action.Connector, Action: a.Action.Name,
		Class: a.Action.Class.String(), Risk: a.Action.Risk.String(), Resource: a.Action.Resource, Facts: audit.Facts(a.Action),
	}
	if u, err := url.Parse(a.URL); err == nil {
		r.Scheme, r.Host, r.Path, r.Query = u.Scheme, u.Host, u.EscapedPath(), u.RawQuery
	}
	return r
}

// cover counts what the rule would have decided besides.
func (s *Service) cover(ctx context.Context, teamID string, one *Single, a approval.Approval, rule policy.Rule) error {
	rule.ID, rule.Connector = "new", one.Connector
	alone, err := policy.Compile(policy.Settings{Rules: []policy.Rule{rule}, Enforcement: policy.FullEnforce})
	if err != nil {
		return err
	}
	rows, err := s.Store.Requests(ctx, teamID, audit.Filter{GatewayID: a.GatewayID, Action: a.Action.Name, Since: s.Now().Add(-window)}, page.Cursor{}, mostCovered)
	if err != nil {
		return err
	}
	one.All = len(rows) < mostCovered
	for i := range rows {
		if rows[i].ApprovalID == a.ID {
			continue
		}
		if did, ok := rows[i].ReadAction(); ok && alone.Decide(policy.Question{Action: did}).Rule == rule.ID {
			one.Covers++
		}
	}
	return nil
}

// yamlOf writes the rules as they stand in a tameflare.yaml; "" where a
// document with them alone could not be read.
func yamlOf(conf store.Configuration, row fleet.Connector, rules []policy.Rule) string {
	c := config.Connector{Type: row.Type, Name: row.Name, Hosts: row.Hosts}
	for _, r := range rules {
		c.Rules = append(c.Rules, config.Rule{Action: r.Pattern, Class: r.Class, When: r.When, Decision: r.Effect, Hold: r.Hold, TTL: r.TTL, Reason: r.Reason})
	}
	doc := config.Document{Gateways: []config.Gateway{{Name: conf.Gateway.Name, Connectors: []config.Connector{c}}}}
	for _, d := range fleet.Definitions(conf.Types) {
		doc.Types = append(doc.Types, config.Type{Definition: d})
	}
	b, err := config.Marshal(&doc)
	if err != nil {
		return ""
	}
	var kept []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "- {action:") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
