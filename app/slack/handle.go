package slack

import (
	"context"
	"strings"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// reply is what came of a message.
type reply struct {
	why  string // it changed nothing; "" where it did what it should
	text string // what to tell whoever sent it, in mrkdwn
	said bool   // they have been told

	by       audit.Actor
	approval approval.Approval // as it is now, where the message is about one
	known    bool              // approval is
	window   bool              // open one, for a reason
}

// inline is what is answered at once: only commands can be.
func (r reply) inline(l letter) string {
	if l.act == command {
		return r.text
	}
	return ""
}

// handle does what a message says, if whoever sent it may.
func (s *Service) handle(ctx context.Context, to office, l letter) reply {
	var r reply
	switch l.act {
	case nothing:
		return reply{}
	case command:
		r = s.command(ctx, to, l)
	case decide, window:
		r = s.click(ctx, to, l)
	}
	if r.why == "" {
		return r
	}
	e := audit.Event{Time: s.now(), Type: eventRefused, Actor: r.by, Target: to.ID, Name: to.Name, Detail: l.detail(to, r.why)}
	if r.known {
		e.Target, e.Name, e.Gateway = r.approval.ID, r.approval.Sentence, r.approval.GatewayID
	}
	if err := s.Store.RecordEvent(ctx, to.TeamID, e); err != nil {
		s.Log.ErrorContext(ctx, "a refused message could not be recorded", "integration", to.ID, "why", r.why, "error", err)
	}
	return r
}

// click decides about a request, or looks whether somebody may.
func (s *Service) click(ctx context.Context, to office, l letter) reply {
	v, r := s.who(ctx, to, l)
	if r.why != "" {
		return r
	}
	r.by = v.Actor()
	a, err := s.Approvals.Get(ctx, to.TeamID, l.approval)
	if fault.Of(err) == fault.NotFound {
		return r.refused("not_found", "There is no such request any more.")
	}
	if err != nil {
		return s.failed(ctx, r, err)
	}
	r.approval, r.known = a, true
	page := "<" + s.link("/approvals/"+a.ID) + "|in TameFlare>"
	switch {
	case !v.May(team.Decide):
		return r.refused("role", "Viewers do not decide. Ask an owner or admin to make you a member.")
	case a.Status != approval.Pending:
		return r.refused(settled(a.Status), escape(a.Settled(), 1000))
	}
	switch to.settings.Needs(a.Action.Risk) {
	case ByButton:
	case WithProof:
		if v.ConfirmedAt, err = s.Store.LastProof(ctx, to.TeamID, v.User.ID, s.now()); err != nil {
			return s.failed(ctx, r, err)
		}
		if l.verdict == approval.Grant && !v.Fresh(s.Now()) {
			return r.refused("step_up", "First confirm "+page+" that it is you. Then press the button again within five minutes.")
		}
	case InDashboard:
		return r.refused("dashboard", "Requests of this risk are not decided in Slack. Decide it "+page+".")
	}
	if a.StepUp && l.verdict == approval.Grant && !v.Fresh(s.Now()) {
		return r.refused("step_up", "This request needs a fresh proof of who you are. Approve it "+page+".")
	}
	if l.act == window {
		r.window = true
		return r
	}
	got, err := s.Approvals.Decide(ctx, v, a.ID, approval.Decision{Verdict: l.verdict, Note: l.note, Channel: approval.Slack, For: l.repeat})
	if got.ID != "" {
		r.approval = got
	}
	if err == nil {
		return r
	}
	if fault.Of(err) == fault.Internal || fault.Of(err) == fault.Unavailable {
		return s.failed(ctx, r, err)
	}
	return r.refused(fault.Of(err).String(), escape(fault.Message(err), 1000))
}

// who is whose Slack account l is from, as they are now.
func (s *Service) who(ctx context.Context, to office, l letter) (team.Viewer, reply) {
	r := reply{by: audit.Actor{Kind: audit.ByUser, Name: "Slack user " + l.user, Auth: auth, IP: l.from}}
	if l.guest || l.userTeam != "" && l.userTeam != to.settings.Workspace {
		return team.Viewer{}, r.refused("stranger", "Guests, and people of other workspaces, do not decide here.")
	}
	p, err := s.Store.SlackPerson(ctx, to.TeamID, l.workspace, l.user)
	if fault.Of(err) == fault.NotFound {
		return team.Viewer{}, r.refused("unlinked", "Your Slack account is not linked to TameFlare, so nothing was decided. <"+s.link(LinkPage)+"|Link it>, and press the button again.")
	}
	if err != nil {
		return team.Viewer{}, s.failed(ctx, r, err)
	}
	v, err := s.Store.Viewer(ctx, p.UserID, to.TeamID)
	if fault.Of(err) == fault.Unauthenticated {
		return team.Viewer{}, r.refused("left", "Your account is not in this team any more, so nothing was decided.")
	}
	if err != nil {
		return team.Viewer{}, s.failed(ctx, r, err)
	}
	v.Auth, v.By, v.IP = auth, l.workspace+" "+l.user, "" // the address is Slack's
	return v, r
}

// auth is how somebody has shown who they are who clicks in Slack.
const auth = "slack"

func (r reply) refused(why, text string) reply {
	r.why, r.text = why, text
	return r
}

func (s *Service) failed(ctx context.Context, r reply, err error) reply {
	s.Log.ErrorContext(ctx, "a message from Slack could not be seen to", "error", err)
	return r.refused("failed", escape(fault.Message(err), 300)+" Nothing was decided. Try again in a moment.")
}

// settled is why a decision about what is over is refused.
func settled(is approval.Status) string {
	switch is {
	case approval.Expired, approval.Cancelled:
		return string(is)
	case approval.Pending, approval.Approved, approval.Denied, approval.Executed, approval.Unused:
	}
	return fault.Conflict.String()
}

// isOurs reports whether an address may be told something: Slack's own, or
// that of what stands in for it.
func (s *Service) isOurs(address string) bool {
	if s.APIURL != "" {
		return strings.HasPrefix(address, strings.TrimSuffix(s.APIURL, "/api")) || strings.HasPrefix(address, strings.TrimSuffix(s.APIURL, "/api/"))
	}
	return strings.HasPrefix(address, "https://hooks.slack.com/")
}
