package approvals

import (
	"context"
	"errors"
	"slices"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// MaxAtOnce is how many requests are decided with one choice.
const MaxAtOnce = 20

// Outcome is what became of one of several.
type Outcome struct {
	Approval approval.Approval // as it is now; only its ID where Err is fault.NotFound
	Err      error
}

// DecideAll settles several requests with one choice, each as Decide does, and
// returns what became of each, in order. It fails, and decides nothing, with
// fault.Forbidden where v may not decide, and with fault.Invalid where these
// cannot be decided together: they are of one gateway and one action, and none
// that is approved is of high or critical risk.
func (s *Service) DecideAll(ctx context.Context, v team.Viewer, ids []string, d approval.Decision) ([]Outcome, error) {
	if !v.May(team.Decide) {
		return nil, mayNotDecide()
	}
	ids = distinct(ids)
	invalid := func(sentence string) ([]Outcome, error) { return nil, fault.New(fault.Invalid, sentence, nil) }
	switch {
	case len(ids) == 0:
		return invalid("Choose the requests to decide.")
	case len(ids) > MaxAtOnce:
		return invalid("At most 20 requests are decided at once.")
	}
	outcomes := make([]Outcome, len(ids))
	var first *approval.Approval
	for i, id := range ids {
		a, err := s.Get(ctx, v.Team.ID, id)
		if fault.Of(err) == fault.NotFound {
			outcomes[i] = Outcome{approval.Approval{ID: id}, err}
			continue
		}
		if err != nil {
			return nil, err
		}
		outcomes[i].Approval = a
		switch {
		case first == nil:
			first = &a
		case a.GatewayID != first.GatewayID || a.Action.Name != first.Action.Name:
			return invalid("Only requests of one gateway and one action are decided together.")
		}
		if d.Verdict == approval.Grant && (a.Action.Risk == action.High || a.Action.Risk == action.Critical) {
			return invalid("Requests of high or critical risk are approved one at a time.")
		}
	}
	for i := range outcomes {
		if o := &outcomes[i]; o.Err == nil {
			var got approval.Approval
			if got, o.Err = s.Decide(ctx, v, o.Approval.ID, d); got.ID != "" {
				o.Approval = got
			}
			if errors.Is(o.Err, context.Canceled) || errors.Is(o.Err, context.DeadlineExceeded) {
				return outcomes, o.Err
			}
		}
	}
	return outcomes, nil
}

func distinct(ids []string) []string {
	var out []string
	for _, id := range ids {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}
