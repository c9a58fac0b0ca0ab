package approvals

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

const (
	// maxPending is how many requests of a gateway wait at once. It bounds
	// what one gateway can fill the inbox with, and is as many as a run may
	// have waiting there.
	maxPending = 5000
	maxText    = 500
	maxURL     = 4000
	maxAction  = 64 << 10
)

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Ask returns the approval for a gateway's request: the one that is open for
// it, pending or granted, one that a person has just denied, or a new one;
// that is granted at once where a person approved the same request for a
// while. It fails with fault.Invalid where the question makes no sense, with fault.Forbidden where the gateway is revoked or
// a kill switch stops the request (then with ErrKilled), and with fault.Limited
// where too many wait already.
func (s *Service) Ask(ctx context.Context, gw fleet.Gateway, ask wire.Ask) (approval.Approval, error) {
	now := s.now()
	a, err := parse(gw, ask)
	if err != nil {
		return approval.Approval{}, err
	}
	// A retry needs no transaction: a kill, or a revocation, would have closed
	// what is open, and a denial is a no in any case.
	there, err := s.Store.JoinableApproval(ctx, gw.ID, a.Fingerprint, now)
	if err == nil {
		return there, nil
	}
	if fault.Of(err) != fault.NotFound {
		return approval.Approval{}, fmt.Errorf("ask: %w", err)
	}
	a.CreatedAt, a.ExpiresAt = now, now.Add(a.TTL)
	q := store.Asked{Approval: a, Whole: int64(len(ask.Body)) == ask.BodySize}
	if q.Body, err = s.seal(ctx, a, ask.Body); err != nil {
		return approval.Approval{}, fmt.Errorf("ask: %w", err)
	}
	got, joined, err := s.Store.OpenApproval(ctx, q, func(st store.Standing) (approval.Approval, []audit.Event, error) {
		switch {
		case st.Gateway.Status != fleet.Active:
			return a, nil, shutOut()
		case st.Kill != nil:
			return a, nil, killed(*st.Kill)
		}
		opened := a.Event(machine(gw), now)
		opened.Type = approval.Opened
		opened.Detail["request"], opened.Detail["rule"] = audit.Plain(ask.RequestID, maxText), a.RuleID
		if st.Before != nil {
			if granted, ok := a.Again(*st.Before, st.Who, now); ok {
				opened.Detail["repeats"] = granted.Repeats
				approved := granted.Event(audit.System(), now)
				approved.Detail["decided_by"], approved.Detail["decider"] = granted.DecidedBy, granted.DeciderName
				return granted, []audit.Event{opened, approved}, nil
			}
		}
		if st.Pending >= maxPending {
			return a, nil, fault.New(fault.Limited, "Too many requests of this gateway are waiting for a person already. Wait until they are decided.", nil)
		}
		return a, []audit.Event{opened}, nil
	})
	if err != nil {
		return approval.Approval{}, fmt.Errorf("ask: %w", err)
	}
	if !joined {
		s.rang(ctx, got)
	}
	return got, nil
}

// parse makes an approval of what a gateway asks. Gateways are on other
// people's machines: nothing they say is longer, or stranger, than it may be.
func parse(gw fleet.Gateway, ask wire.Ask) (approval.Approval, error) {
	refuse := func(why string) (approval.Approval, error) {
		return approval.Approval{}, fault.New(fault.Invalid, "This question cannot be put to a person: "+why, nil)
	}
	ttl := cmp.Or(ask.TTL, policy.DefaultTTL)
	switch {
	case !digest.MatchString(ask.Fingerprint):
		return refuse("its fingerprint is none.")
	case ask.BodyDigest != "" && !digest.MatchString(ask.BodyDigest), ask.BodySize < 0:
		return refuse("its body is not described.")
	case len(ask.Body) > wire.MaxBody, int64(len(ask.Body)) > ask.BodySize:
		return refuse("its body is longer than it may be.")
	case ttl < policy.MinTTL || ttl > policy.MaxTTL:
		return refuse("its ttl is not between 30s and 24h.")
	case approval.CheckRole(team.Role(ask.Approvers.Role)) != nil, ask.Approvers.Count < 0, ask.Approvers.Count > policy.MaxApprovers, len(ask.Approvers.Group) > maxText:
		return refuse("nobody knows who has to agree.")
	case ask.Action.Name == "" || ask.Method == "" || ask.URL == "":
		return refuse("it does not say what it is about.")
	}
	what, err := plainAction(ask.Action)
	if err != nil {
		return refuse("its action is too large.")
	}
	text := func(s string) string { return audit.Plain(s, maxText) }
	return approval.Approval{
		ID: "apr_" + strings.ToLower(rand.Text()), TeamID: gw.TeamID, GatewayID: gw.ID, GatewayName: gw.Name,
		Fingerprint: ask.Fingerprint, RunID: text(ask.RunID), Principal: text(ask.Principal), RuleID: text(ask.RuleID),
		Reason: text(ask.Reason), Action: what, Sentence: text(ask.Sentence), Method: text(ask.Method),
		URL: audit.Plain(ask.URL, maxURL), BodyDigest: ask.BodyDigest, BodySize: ask.BodySize,
		Status: approval.Pending, TTL: ttl, Seq: 1,
		NeedsRole: team.Role(ask.Approvers.Role), Needs: max(ask.Approvers.Count, 1),
		NeedsGroup: text(ask.Approvers.Group), NotSelf: ask.Approvers.NotSelf, StepUp: ask.Approvers.StepUp,
		Environment: gw.Environment, BodyType: text(ask.BodyType), BodyCoding: text(ask.BodyCoding),
		Connector: what.Connector, ActionName: what.Name, Resource: what.Resource, Risk: what.Risk.String(),
	}, nil
}

// plainAction returns a as every database can hold it. Its parameters are
// whatever JSON the gateway sent, so the text of it is what is cleaned.
func plainAction(a action.Action) (action.Action, error) {
	b, err := json.Marshal(a)
	if err != nil || len(b) > maxAction {
		return a, fmt.Errorf("action of %d bytes: %w", len(b), err)
	}
	var plain action.Action
	clean := strings.ReplaceAll(audit.Plain(string(b), maxAction+1), `\u0000`, `\ufffd`)
	if err := json.Unmarshal([]byte(clean), &plain); err != nil {
		return a, err
	}
	return plain, nil
}
