package hooks

import (
	"context"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/team"
)

// carryOut decides as a message says. A message counts once; one that comes
// again, or says what is so already, gets the outcome that there is.
func (rc *Receiver) carryOut(ctx context.Context, i integration.Integration, m received) (Outcome, error) {
	v, err := rc.member(ctx, i, m)
	if err != nil {
		return Outcome{}, err
	}
	verdict := approval.Deny
	if m.Decision.Decision == "approve" {
		verdict = approval.Grant
	}
	a, err := rc.Approvals.Get(ctx, i.TeamID, m.ApprovalID)
	if fault.Of(err) == fault.NotFound {
		return Outcome{}, &refused{"approval", err}
	}
	if err != nil {
		return Outcome{}, err
	}
	if err := rc.mayPass(i, a, verdict); err != nil {
		return Outcome{}, err
	}
	switch err := rc.Seen.SeeMessage(ctx, i.ID, m.id, audit.Time(rc.Now())); {
	case fault.Of(err) == fault.Conflict && stands(a, v, verdict):
		return rc.outcome(a), nil
	case fault.Of(err) == fault.Conflict:
		return Outcome{}, refuse("replay", fault.Conflict, "A message of this webhook-id has come before, and this was not what came of it. Give each message its own.")
	case err != nil:
		return Outcome{}, err
	}
	got, err := rc.Approvals.Decide(ctx, v, a.ID, approval.Decision{Verdict: verdict, Note: m.Reason, Channel: approval.Inbound, Via: i.ID})
	switch kind := fault.Of(err); {
	case err == nil:
		return rc.outcome(got), nil
	case kind == fault.Conflict && stands(got, v, verdict):
		return rc.outcome(got), nil
	case kind == fault.Internal, kind == fault.Unavailable, kind == fault.Limited:
		// Nothing was decided, and whoever sent it sends it again.
		if ferr := rc.Seen.ForgetMessage(context.WithoutCancel(ctx), i.ID, m.id); ferr != nil {
			rc.Log.WarnContext(ctx, "a message that failed counts as seen", "integration", i.ID, "error", ferr)
		}
		return Outcome{}, err
	case kind == fault.Conflict:
		return Outcome{}, &refused{"settled", err}
	case kind == fault.Expired:
		return Outcome{}, &refused{"expired", err}
	}
	return Outcome{}, &refused{"refused", err}
}

// member is whom a message names, as they are in the team now.
func (rc *Receiver) member(ctx context.Context, i integration.Integration, m received) (team.Viewer, error) {
	nobody := refuse("approver", fault.Forbidden, "Nobody in the team has the approver's e-mail address. Name a member who may decide.")
	u, err := rc.People.UserByEmail(ctx, strings.ToLower(strings.TrimSpace(m.Approver)))
	if fault.Of(err) == fault.NotFound {
		return team.Viewer{}, nobody
	}
	if err != nil {
		return team.Viewer{}, err
	}
	v, err := rc.People.Viewer(ctx, u.ID, i.TeamID)
	if fault.Of(err) == fault.Unauthenticated {
		return team.Viewer{}, nobody
	}
	if err != nil {
		return team.Viewer{}, err
	}
	if !v.May(team.Decide) {
		return team.Viewer{}, refuse("role", fault.Forbidden, "The approver is a viewer, and viewers do not decide.")
	}
	v.Auth, v.By, v.IP = "inbound", i.ID, m.ip
	return v, nil
}

// mayPass fails with fault.Forbidden where a program's word is not enough. A
// denial always is.
func (rc *Receiver) mayPass(i integration.Integration, a approval.Approval, verdict approval.Verdict) error {
	_, most, err := ParseInbound(i)
	switch {
	case err != nil:
		return err
	case verdict == approval.Deny:
		return nil
	case a.StepUp:
		return refuse("step_up", fault.Forbidden, "Whoever approves this has to prove who they are. Decide in the dashboard: "+rc.page(a))
	case a.Action.Risk < most: // the worst risk is the least
		return refuse("risk", fault.Forbidden, "This is of "+a.Action.Risk.String()+" risk, more than this integration may approve. Decide in the dashboard: "+rc.page(a))
	}
	return nil
}

// stands reports whether a is how v, deciding so, would have it.
func stands(a approval.Approval, v team.Viewer, verdict approval.Verdict) bool {
	switch a.Status {
	case approval.Approved, approval.Executed, approval.Unused:
		return verdict == approval.Grant
	case approval.Denied:
		return verdict == approval.Deny
	case approval.Pending:
		return verdict == approval.Grant && slices.ContainsFunc(a.Agreed, func(b approval.Vote) bool { return b.ID == v.User.ID })
	case approval.Expired, approval.Cancelled:
	}
	return false
}

func (rc *Receiver) page(a approval.Approval) string { return rc.BaseURL + "/approvals/" + a.ID }

func (rc *Receiver) outcome(a approval.Approval) Outcome {
	return Outcome{
		ApprovalID: a.ID, Status: string(a.Status), Agreed: len(a.Agreed), Needs: a.Wanted(),
		Decider: audit.Plain(a.Deciders(), maxText), Page: rc.page(a),
	}
}
