package api

import (
	"context"
	"time"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
)

var waiting = approval.Approval{
	ID: "apr_1", TeamID: ours, Status: approval.Pending, Seq: 1, GatewayID: "gw_1", GatewayName: "one", Sentence: "merge acme/site#12",
	CreatedAt: noon, ExpiresAt: noon.Add(time.Minute), BodyType: "application/json", BodyCoding: "gzip", BodySize: 300, BodyDigest: "d1",
	Action: action.Action{Connector: "github", Name: "github.pr.merge", Risk: action.Medium}, NeedsRole: team.RoleAdmin, NeedsGroup: "release", NotSelf: true, StepUp: true,
}

func (h approvalHouse) List(_ context.Context, teamID string, f approval.Filter, _ page.Cursor, _ int) ([]approval.Approval, page.Cursor, error) {
	h.mu.Lock()
	h.chosen = f
	h.mu.Unlock()
	if teamID != ours || len(f.Status) > 0 && f.Status[0] != approval.Pending {
		return nil, page.Cursor{}, nil
	}
	return []approval.Approval{waiting}, page.Cursor{Time: noon, ID: "apr_1"}, nil
}

func (approvalHouse) Get(_ context.Context, teamID, id string) (approval.Approval, error) {
	if teamID != ours || id != waiting.ID {
		return approval.Approval{}, notThere()
	}
	return waiting, nil
}

func (approvalHouse) PendingCount(context.Context, string) (int, error) { return 1, nil }

func (h approvalHouse) Decide(_ context.Context, v team.Viewer, id string, choice approval.Decision) (approval.Approval, error) {
	ch, verdict, note := choice.Channel, choice.Verdict, choice.Note
	if v.Team.ID != ours || id != waiting.ID {
		return approval.Approval{}, notThere()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if note == "while killed" {
		return approval.Approval{}, fault.New(fault.Forbidden, "The kill switch is on.", approvals.ErrKilled)
	}
	first := h.decided == ""
	now := waiting
	now.Status, now.DeciderName, now.Note = approval.Denied, "ben", note
	if verdict == approval.Grant {
		now.Status = approval.Approved
	}
	if !first {
		return now, fault.New(fault.Conflict, "Already approved by ben.", nil)
	}
	h.decided, h.choice = ch, choice
	return now, nil
}

func (h approvalHouse) Similar(context.Context, approval.Approval) (approval.History, error) {
	before := waiting
	before.ID, before.Status, before.DeciderName, before.DecidedAt = "apr_0", approval.Executed, "ben", noon.Add(1500*time.Millisecond)
	return approval.History{Asked: 4, Approved: 3, Denied: 1, Last: []approval.Approval{before}, Suggest: 3}, nil
}

func (h approvalHouse) News(ctx context.Context, teamID string, f approval.Filter, after int64, wait time.Duration) ([]approval.Approval, int64, error) {
	h.mu.Lock()
	h.chosen = f
	during := h.during
	h.mu.Unlock()
	if during != nil {
		during()
	}
	if teamID != ours || after < 0 {
		return nil, 7, nil
	}
	return []approval.Approval{waiting}, after + 1, nil
}

func (h approvalHouse) Viewed(_ context.Context, v team.Viewer, id string) (approval.Body, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.viewed = append(h.viewed, v.User.Name+" "+id)
	return approval.Body{Bytes: []byte("\x1f\x8b\x00 not masked")}, nil
}

func (h approvalHouse) DecideAll(ctx context.Context, v team.Viewer, ids []string, choice approval.Decision) ([]approvals.Outcome, error) {
	if len(ids) > approvals.MaxAtOnce {
		return nil, fault.New(fault.Invalid, "At most 20 requests are decided at once.", nil)
	}
	var out []approvals.Outcome
	for _, id := range ids {
		a, err := h.Decide(ctx, v, id, choice)
		if a.ID == "" {
			a.ID = id
		}
		out = append(out, approvals.Outcome{Approval: a, Err: err})
	}
	return out, nil
}

func (approvalHouse) EndRepeat(_ context.Context, v team.Viewer, id string) (approval.Approval, error) {
	if v.Team.ID != ours || id != waiting.ID {
		return approval.Approval{}, notThere()
	}
	return waiting, nil
}
