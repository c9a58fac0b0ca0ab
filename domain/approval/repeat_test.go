package approval_test

import (
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

func low() approval.Approval {
	a := pending()
	a.GatewayID, a.Action.Risk = "gw_1", action.Low
	return a
}

func ben() approval.Decider {
	return approval.Decider{ID: "usr_b", Name: "Ben", Role: team.RoleMember, Fresh: true}
}

func TestForHowLongADecisionCounts(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		a    func(*approval.Approval)
		span time.Duration
		want fault.Kind // Internal: it is fine
	}{
		"once":                {span: 0},
		"a while":             {span: 15 * time.Minute},
		"the longest":         {span: approval.MaxRepeat},
		"longer":              {span: approval.MaxRepeat + 1, want: fault.Invalid},
		"backwards":           {span: -time.Minute, want: fault.Invalid},
		"high risk":           {a: func(a *approval.Approval) { a.Action.Risk = action.High }, span: time.Minute},
		"critical risk":       {a: func(a *approval.Approval) { a.Action.Risk = action.Critical }, span: time.Minute, want: fault.Invalid},
		"critical risk, once": {a: func(a *approval.Approval) { a.Action.Risk = action.Critical }},
		"with a proof":        {a: func(a *approval.Approval) { a.StepUp = true }, span: time.Minute, want: fault.Invalid},
		"several people":      {a: func(a *approval.Approval) { a.Needs = 2 }, span: time.Minute, want: fault.Invalid},
	} {
		a := low()
		if tt.a != nil {
			tt.a(&a)
		}
		d := ben()
		d.For = tt.span
		got, err := a.Decide(d, approval.Grant, now)
		if fault.Of(err) != tt.want || (err == nil) != (tt.want == fault.Internal) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if err != nil && (got.Status != approval.Pending || len(got.Agreed) != 0) {
			t.Errorf("%s: refused, and now %s with %d votes", name, got.Status, len(got.Agreed))
		}
		if want := now.Add(tt.span); err == nil && tt.span > 0 && !got.RepeatUntil.Equal(want) || tt.span == 0 && !got.RepeatUntil.IsZero() {
			t.Errorf("%s: counts until %v", name, got.RepeatUntil)
		}
		if denied, err := a.Decide(d, approval.Deny, now); err != nil || denied.Status != approval.Denied || !denied.RepeatUntil.IsZero() {
			t.Errorf("%s: denied: %s until %v, %v", name, denied.Status, denied.RepeatUntil, err)
		}
	}
}

func TestTheSameAgainIsApprovedAsLongAsItCounts(t *testing.T) {
	t.Parallel()

	d := ben()
	d.For, d.Channel, d.Auth = 15*time.Minute, approval.Slack, "slack"
	granted, err := low().Decide(d, approval.Grant, now)
	if err != nil {
		t.Fatal(err)
	}
	used, err := granted.Use("f", now)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		before func(*approval.Approval)
		next   func(*approval.Approval)
		who    approval.Decider
		at     time.Duration
		want   bool
	}{
		"used before":          {who: ben(), want: true},
		"at the end":           {who: ben(), at: 15*time.Minute - 1, want: true},
		"after the end":        {who: ben(), at: 15 * time.Minute},
		"not used yet":         {before: func(a *approval.Approval) { *a = granted }, who: ben(), want: true},
		"cancelled":            {before: func(a *approval.Approval) { a.Status = approval.Cancelled }, who: ben()},
		"denied":               {before: func(a *approval.Approval) { a.Status = approval.Denied }, who: ben()},
		"for once":             {before: func(a *approval.Approval) { a.RepeatUntil = time.Time{} }, who: ben()},
		"another gateway":      {next: func(a *approval.Approval) { a.GatewayID = "gw_2" }, who: ben()},
		"a changed byte":       {next: func(a *approval.Approval) { a.Fingerprint = "g" }, who: ben()},
		"Ben is a viewer now":  {who: approval.Decider{Role: team.RoleViewer}},
		"the rule wants more":  {next: func(a *approval.Approval) { a.NeedsRole = team.RoleAdmin }, who: ben()},
		"it wants two now":     {next: func(a *approval.Approval) { a.Needs = 2 }, who: ben()},
		"it wants a proof now": {next: func(a *approval.Approval) { a.StepUp = true }, who: ben()},
	} {
		before, next := used, low()
		next.ID = "apr_2"
		if tt.before != nil {
			tt.before(&before)
		}
		if tt.next != nil {
			tt.next(&next)
		}
		at := now.Add(tt.at)
		got, ok := next.Again(before, func(string) approval.Decider { return tt.who }, at)
		if ok != tt.want || (got.Status == approval.Approved) != tt.want {
			t.Errorf("%s: %s, %v, want %v", name, got.Status, ok, tt.want)
			continue
		}
		if !ok {
			if got.DecidedBy != "" || got.Repeats != "" {
				t.Errorf("%s: refused, and decided by %q", name, got.DecidedBy)
			}
			continue
		}
		if got.Repeats != "apr_1" || got.DecidedBy != "usr_b" || got.Channel != approval.Slack || got.Auth != "slack" || !got.RepeatUntil.IsZero() ||
			!got.ExpiresAt.Equal(at.Add(got.TTL)) || got.Note != "The same request was approved until 03:19 UTC by Ben." {
			t.Errorf("%s: %+v", name, got)
		}
		if _, err := got.Use("f", at); err != nil {
			t.Errorf("%s: use: %v", name, err)
		}
	}
}

func TestEndingARepeat(t *testing.T) {
	t.Parallel()

	d := ben()
	d.For = time.Minute
	granted, err := low().Decide(d, approval.Grant, now)
	if err != nil {
		t.Fatal(err)
	}
	ended, changed := granted.EndRepeat(now)
	if !changed || !ended.RepeatUntil.IsZero() || ended.Status != approval.Approved || ended.Seq != granted.Seq+1 {
		t.Errorf("ended: %+v, %v", ended, changed)
	}
	if _, changed := ended.EndRepeat(now); changed {
		t.Error("ended twice")
	}
	if _, changed := granted.EndRepeat(now.Add(time.Minute)); changed {
		t.Error("ended after its end")
	}
	if cancelled, _ := granted.Cancel("Stop.", now); !cancelled.RepeatUntil.IsZero() {
		t.Error("a cancelled grant counts on")
	}
}

func TestWhatWasAskedBefore(t *testing.T) {
	t.Parallel()

	asked := func(id string, s approval.Status, change ...func(*approval.Approval)) approval.Approval {
		a := low()
		a.ID, a.Status, a.Action.Name, a.Action.Resource = id, s, "github.issue.comment", "acme/site#1"
		for _, c := range change {
			c(&a)
		}
		return a
	}
	elsewhere := func(a *approval.Approval) { a.Action.Resource = "acme/site#2" }
	critical := func(a *approval.Approval) { a.Action.Risk = action.Critical }
	x, u, p, d := approval.Executed, approval.Unused, approval.Pending, approval.Denied
	for name, tt := range map[string]struct {
		this          approval.Approval
		before        []approval.Approval
		asked, last   int
		suggest       int
		granted, nays int
	}{
		"nothing":            {this: asked("0", p)},
		"two":                {this: asked("0", p), before: []approval.Approval{asked("1", x), asked("2", x)}, asked: 2, last: 2, granted: 2},
		"three":              {this: asked("0", p), before: []approval.Approval{asked("1", x), asked("2", u), asked("3", approval.Approved)}, asked: 3, last: 2, granted: 3, suggest: 3},
		"of critical risk":   {this: asked("0", p, critical), before: []approval.Approval{asked("1", x), asked("2", x), asked("3", x)}, asked: 3, last: 3, granted: 3},
		"a denial long ago":  {this: asked("0", p), before: []approval.Approval{asked("1", x), asked("2", x), asked("3", x), asked("4", d)}, asked: 4, last: 4, granted: 3, nays: 1},
		"nobody answered":    {this: asked("0", p), before: []approval.Approval{asked("1", x), asked("2", approval.Expired), asked("3", x), asked("4", x)}, asked: 4, last: 4, granted: 3},
		"itself":             {this: asked("0", p), before: []approval.Approval{asked("0", p), asked("1", x)}, asked: 1, last: 1, granted: 1},
		"one is waiting":     {this: asked("0", p), before: []approval.Approval{asked("9", p), asked("1", x), asked("2", x), asked("3", x)}, asked: 4, last: 3, granted: 3, suggest: 3},
		"repeats":            {this: asked("0", p), before: []approval.Approval{asked("1", x, func(a *approval.Approval) { a.Repeats = "5" }), asked("2", x), asked("3", x)}, asked: 2, last: 2, granted: 2},
		"elsewhere":          {this: asked("0", p), before: []approval.Approval{asked("1", x, elsewhere), asked("2", x), asked("3", x), asked("4", x)}, asked: 3, last: 4, granted: 3, suggest: 3},
		"no resource":        {this: asked("0", p, func(a *approval.Approval) { a.Action.Resource = "" }), before: []approval.Approval{asked("1", x)}, last: 1},
		"more than are told": {this: asked("0", p), before: []approval.Approval{asked("1", x), asked("2", x), asked("3", x), asked("4", x), asked("5", x), asked("6", x)}, asked: 6, last: 5, granted: 6, suggest: 6},
	} {
		h := tt.this.Similar(tt.before)
		if h.Asked != tt.asked || h.Approved != tt.granted || h.Denied != tt.nays || len(h.Last) != tt.last || h.Suggest != tt.suggest {
			t.Errorf("%s: asked %d, approved %d, denied %d, last %d, suggest %d", name, h.Asked, h.Approved, h.Denied, len(h.Last), h.Suggest)
		}
	}
}
