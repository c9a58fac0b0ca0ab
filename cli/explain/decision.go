package explain

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/rest"
)

// when is the time of the requests.
func (o options) when(c *console.Console) (time.Time, error) {
	if o.at == "" {
		return c.Now(), nil
	}
	t, err := time.Parse(time.RFC3339, o.at)
	if err != nil {
		return t, exit.Wrong("A time is like 2026-11-23T22:00:00Z.")
	}
	return t, nil
}

// versionsOf returns the versions of the server's policies by their names.
func versionsOf(ctx context.Context, client *apiclient.Client, doc *config.Document) (map[string]int64, error) {
	if len(doc.Policies) == 0 {
		return nil, nil
	}
	all, err := apiclient.Get[rest.List[rest.Policy]](ctx, client, "/policies", nil)
	if err != nil {
		return nil, err
	}
	versions := make(map[string]int64, len(all.Items))
	for _, p := range all.Items {
		versions[p.Name] = p.Version
	}
	return versions, nil
}

// compiled are the policies of a configuration that count. Each goes by its
// name: that is what people call it.
func compiled(doc *config.Document, versions map[string]int64) ([]policy.Policy, error) {
	var all []policy.Policy
	for _, p := range doc.Policies {
		if p.Disabled {
			continue
		}
		d, err := document.Parse(cmp.Or(p.File, "policy "+p.Name), []byte(p.Document), nil)
		if err != nil {
			return nil, err
		}
		one := d.Policy
		one.ID, one.Version, one.Priority, one.ReportOnly = p.Name, versions[p.Name], p.Priority, p.ReportOnly
		all = append(all, one)
	}
	return all, nil
}

// named is what people call a rule of a policy, and where it stands.
type named struct {
	rule string
	line int
}

// rulesOf are the rules of policies by their keys.
func rulesOf(all []policy.Policy) map[string]named {
	rules := map[string]named{}
	for _, p := range all {
		for i, c := range p.Clauses {
			rules[p.Key(i)] = named{p.Name + "/" + c.Name, c.Line}
		}
	}
	return rules
}

// decided fills in what was decided, and why.
func (a *Answer) decided(rules map[string]named, d policy.Decision, why policy.Explanation) {
	for i, one := range why.Considered {
		why.Considered[i].Rule = cmp.Or(rules[one.Rule].rule, one.Rule)
	}
	a.Decision, a.Reason = d.Effect.String(), d.Reason
	a.Rule, a.Line = cmp.Or(rules[d.Rule].rule, d.Rule, string(d.By)), rules[d.Rule].line
	a.Policy, a.Version, a.Score = d.Policy, d.Version, d.Risk
	if d.Flagged {
		a.Would = d.Would.String()
	}
	if d.Would == policy.RequireApproval && d.Approvers != (policy.Approvers{}) {
		a.Approvers = &d.Approvers
	}
	if d.Reported != "" {
		a.Reported, a.ReportedAs = cmp.Or(rules[d.Reported].rule, d.Reported), d.ReportedAs.String()
	}
	a.Considered, a.More, a.Flip = why.Considered, why.More, why.Flip
}

// decisionRows say what was decided, and why, to people.
func (a Answer) decisionRows() [][]string {
	if a.Decision == "" {
		return nil
	}
	decision := a.Decision
	if a.Would != "" {
		decision += " (at full enforcement: " + a.Would + ")"
	}
	rule := a.Rule
	if a.Line > 0 {
		rule += fmt.Sprintf(", line %d", a.Line)
	}
	if a.Version > 0 {
		rule += fmt.Sprintf(" of version %d", a.Version)
	}
	rows := [][]string{{"decision", decision}, {"rule", rule}, {"reason", a.Reason}}
	if a.Approvers != nil {
		rows = append(rows, []string{"approval by", approvers(*a.Approvers)})
	}
	if a.Reported != "" {
		rows = append(rows, []string{"reported", a.Reported + " would say " + a.ReportedAs + ", and only reports"})
	}
	if len(a.Considered) > 1 || a.Policy != "" {
		label := "considered"
		for _, one := range a.Considered {
			rows = append(rows, []string{label, considered(one)})
			label = ""
		}
		if a.More > 0 {
			rows = append(rows, []string{"", fmt.Sprintf("and %d more", a.More)})
		}
	}
	return append(rows, []string{"otherwise", otherwise(a.Flip)})
}

// approvers says who has to agree.
func approvers(a policy.Approvers) string {
	who := fmt.Sprintf("%d people", a.Count)
	if a.Count < 2 {
		who = "one person"
	}
	if groups := a.Groups(); len(groups) > 0 {
		who += " of " + strings.Join(groups, " and of ")
	}
	if a.Role != "" {
		who += " whose role is at least " + a.Role
	}
	if a.NotSelf {
		who += ", other than whoever enrolled the gateway"
	}
	if a.StepUp {
		who += ", with a fresh proof of who they are"
	}
	return who
}

// considered says what a rule came to.
func considered(c policy.Considered) string {
	where := cmp.Or(c.Rule, c.Name)
	if c.Line > 0 {
		where += fmt.Sprintf(":%d", c.Line)
	}
	text := c.Effect.String() + " " + c.Verdict + ": " + where
	if c.Decides {
		text += " (decides)"
	}
	if c.ReportOnly {
		text += " (only reports)"
	}
	return text
}

// otherwise says what would have to change for another decision; "" for
// nothing.
func otherwise(f *policy.Flip) string {
	if f == nil || len(f.Changes) == 0 {
		return ""
	}
	says := map[policy.Effect]string{
		policy.Allow: "It would be allowed if ", policy.RequireApproval: "It would need an approval if ", policy.Deny: "It would be denied if ",
	}
	var parts []string
	for _, change := range f.Changes {
		part := "“" + change.Text + "”"
		if change.Line > 0 {
			part += fmt.Sprintf(" (%s:%d)", change.Policy, change.Line)
		}
		if change.Holds {
			part += " held"
		} else {
			part += " did not hold"
		}
		parts = append(parts, part)
	}
	return says[f.To] + strings.Join(parts, " and ") + "."
}
