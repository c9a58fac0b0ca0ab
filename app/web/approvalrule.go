package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/tameflare/tameflare/app/proposals"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// readEffect reads what a rule made of an approval does.
func readEffect(word string) (policy.Effect, error) {
	switch word {
	case "allow":
		return policy.Allow, nil
	case "deny":
		return policy.Deny, nil
	}
	return policy.Deny, fault.New(fault.Invalid, "A rule made of an approval allows or denies.", nil)
}

// approvalRuleForm shows the rule that would decide exactly this from now on.
func (s *Server) approvalRuleForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	effect, err := readEffect(r.URL.Query().Get("effect"))
	if err != nil {
		return err
	}
	a, err := s.Approvals.Get(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.showApprovalRule(w, r, v, http.StatusOK, a, effect, nil)
}

// addApprovalRule allows from now on what is approved, rule first, or blocks
// what is denied, denial first: where the second step fails, what is done is
// never more than was wanted.
func (s *Server) addApprovalRule(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	effect, err := readEffect(r.PostForm.Get("effect"))
	if err != nil {
		return err
	}
	a, err := s.Approvals.Get(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	note := text(r, "reason")
	if len([]rune(note)) > maxNote {
		err = fault.New(fault.Invalid, "A reason is at most 500 characters.", nil)
	} else {
		err = s.decideWithRule(r, v, a, effect, note)
	}
	if k := fault.Of(err); err != nil && k != fault.Internal {
		if a, gone := s.Approvals.Get(r.Context(), v.Team.ID, a.ID); gone == nil {
			return s.showApprovalRule(w, r, v, k.Status(), a, effect, err)
		}
	}
	if err != nil {
		return err
	}
	return see(w, r, "/approvals/"+a.ID)
}

func (s *Server) decideWithRule(r *http.Request, v team.Viewer, a approval.Approval, effect policy.Effect, note string) error {
	ctx := r.Context()
	d := approval.Decision{Channel: approval.Dashboard, Note: note}
	if a.Status != approval.Pending {
		return fault.New(fault.Conflict, a.Settled(), nil)
	}
	if effect == policy.Deny {
		if _, err := s.Approvals.Decide(ctx, v, a.ID, d); err != nil {
			return err
		}
		if err := s.Proposals.AddRule(ctx, v, a, effect); err != nil {
			return kept(err, "The request was denied, and the rule was not added: ")
		}
		return nil
	}
	v, err := s.confirmed(r, v)
	if err != nil {
		return err
	}
	if err := s.Approvals.MayAgree(ctx, v, a); err != nil {
		return err
	}
	if err := s.Proposals.AddRule(ctx, v, a, effect); err != nil {
		return err
	}
	d.Verdict = approval.Grant
	if _, err := s.Approvals.Decide(ctx, v, a.ID, d); err != nil {
		return kept(err, "The rule was added. This request was not approved with it: ")
	}
	return nil
}

// kept is err, with what was done before it.
func kept(err error, done string) error {
	if k := fault.Of(err); k != fault.Internal {
		return fault.New(k, done+fault.Message(err), err)
	}
	return err
}

func (s *Server) showApprovalRule(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, a approval.Approval, effect policy.Effect, problem error) error {
	f, err := s.frame(r, v, "approvals", "Rule")
	if err != nil {
		return err
	}
	if err := s.aboutIDs(r.Context(), &f, v, a.GatewayID); err != nil {
		return err
	}
	c, err := s.card(r.Context(), v, a)
	if err != nil {
		return err
	}
	shown := views.ApprovalRule{Card: c, Effect: effect}
	if problem != nil {
		shown.Errors = views.Errors{"": fault.Message(problem)}
	}
	one, err := s.Proposals.RuleFor(r.Context(), v.Team.ID, a, effect)
	switch {
	case fault.Of(err) == fault.Invalid:
		shown.Problem = fault.Message(err)
	case err != nil:
		return err
	default:
		if err := s.fillRule(r.Context(), v, a, one, &shown); err != nil {
			return err
		}
	}
	return render(w, r, status, views.ApprovalRulePage(f, shown))
}

// fillRule puts what is known of a rule into words.
func (s *Server) fillRule(ctx context.Context, v team.Viewer, a approval.Approval, one proposals.Single, shown *views.ApprovalRule) error {
	shown.Connector, shown.YAML, shown.There, shown.Exact = one.Connector, one.YAML, one.There, one.Exact
	shown.Covers, shown.CoversAll, shown.Beside = one.Covers, one.All, len(one.Rules)-1
	shown.CoversURL = address("/traffic", url.Values{"gateway": {a.GatewayID}, "action": {a.Action.Name}})
	for _, rule := range one.Rules {
		shown.Words = append(shown.Words, ruleText(rule))
	}
	if one.Still == nil {
		return nil
	}
	shown.Perhaps = one.Perhaps
	rules, err := s.ruleTexts(ctx, v, a.GatewayID)
	if err != nil {
		return err
	}
	n, err := s.named(ctx, v, rules)
	if err != nil {
		return err
	}
	d := *one.Still
	still := n.rule(policy.Considered{Stage: d.By, Rule: d.Rule, Policy: d.Policy, Name: n.clauses[d.Rule], Line: n.lines[d.Rule], Effect: d.Would})
	shown.Still = &still
	return nil
}
