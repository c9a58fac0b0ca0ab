package approval_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

func TestWhoCannotAgree(t *testing.T) {
	t.Parallel()

	can := approval.Decider{ID: "usr_a", Role: team.RoleMember, Groups: []string{"ops", "release"}, Fresh: true, Auth: "session"}
	for name, tt := range map[string]struct {
		a        func(*approval.Approval)
		d        func(*approval.Decider)
		sentence string // "": they can
		proof    bool   // all that is missing is a proof
	}{
		"no terms":                 {},
		"of the group":             {a: func(a *approval.Approval) { a.NeedsGroup = "release" }},
		"of both groups":           {a: func(a *approval.Approval) { a.NeedsGroup = "ops+release" }},
		"of one of two groups":     {a: func(a *approval.Approval) { a.NeedsGroup = "legal+ops" }, sentence: "This request needs a person in legal and ops. You can deny it, and not approve it."},
		"of another group":         {a: func(a *approval.Approval) { a.NeedsGroup = "legal"; a.NeedsRole = team.RoleMember }, sentence: "This request needs a member, admin or owner in legal. You can deny it, and not approve it."},
		"a group without a name":   {a: func(a *approval.Approval) { a.NeedsGroup = "ops+" }, sentence: "This request needs a person in ops and . You can deny it, and not approve it."},
		"of the group, and lower":  {a: func(a *approval.Approval) { a.NeedsGroup = "ops"; a.NeedsRole = team.RoleAdmin }, sentence: "This request needs an admin or owner in ops. You can deny it, and not approve it."},
		"another's run":            {a: func(a *approval.Approval) { a.NotSelf = true }},
		"own run":                  {a: func(a *approval.Approval) { a.NotSelf = true }, d: func(d *approval.Decider) { d.Own = true }, sentence: "This is your own run. Somebody else has to approve it; you can deny it."},
		"own run, where that goes": {d: func(d *approval.Decider) { d.Own = true }},
		"nobody's run":             {a: func(a *approval.Approval) { a.NotSelf = true }, d: func(d *approval.Decider) { d.Unowned = true }, sentence: "Whoever runs this cannot approve it, and nobody knows whose the run is. Enrol the gateway again. Until then this can only be denied."},
		"freshly proven":           {a: func(a *approval.Approval) { a.StepUp = true }},
		"not fresh":                {a: func(a *approval.Approval) { a.StepUp = true }, d: func(d *approval.Decider) { d.Fresh = false }, sentence: "Confirm that it is you: enter your password to approve this request.", proof: true},
		"by token":                 {a: func(a *approval.Approval) { a.StepUp = true }, d: func(d *approval.Decider) { d.Fresh, d.Auth = false, "token" }, sentence: "Confirm that it is you: this request can be approved in the dashboard only, with your password.", proof: true},
		"not fresh, and own":       {a: func(a *approval.Approval) { a.StepUp, a.NotSelf = true, true }, d: func(d *approval.Decider) { d.Fresh, d.Own = false, true }, sentence: "This is your own run. Somebody else has to approve it; you can deny it."},
		"nobody":                   {d: func(d *approval.Decider) { *d = approval.Decider{Fresh: true} }, sentence: "This request needs a person. You can deny it, and not approve it."},
	} {
		a, d := pending(), can
		if tt.a != nil {
			tt.a(&a)
		}
		if tt.d != nil {
			tt.d(&d)
		}
		err := a.MayAgree(d)
		if (err == nil) != (tt.sentence == "") || err != nil && (fault.Of(err) != fault.Forbidden || fault.Message(err) != tt.sentence) {
			t.Errorf("%s: %v, want %q", name, err, tt.sentence)
		}
		if errors.Is(err, approval.ErrNotFresh) != tt.proof {
			t.Errorf("%s: a proof is missing: %v, want %v", name, !tt.proof, tt.proof)
		}
		granted, derr := a.Decide(d, approval.Grant, now)
		if (derr == nil) != (err == nil) || derr == nil && granted.Status != approval.Approved || derr != nil && granted.Status != approval.Pending {
			t.Errorf("%s: agreeing made it %s, %v", name, granted.Status, derr)
		}
		if denied, err := a.Decide(d, approval.Deny, now); err != nil || denied.Status != approval.Denied {
			t.Errorf("%s: denying: %s, %v", name, denied.Status, err)
		}
	}
}

// Who voted freshly need not be fresh when the others vote; what they are
// counts then.
func TestVotesAreCountedByWhatVotersAreNow(t *testing.T) {
	t.Parallel()

	a := pending()
	a.Needs, a.NeedsGroup, a.NotSelf, a.StepUp = 2, "release", true, true
	voter := approval.Decider{ID: "usr_a", Role: team.RoleMember, Groups: []string{"release"}, Fresh: true}
	a, err := a.Decide(voter, approval.Grant, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		now  approval.Decider
		want int
	}{
		"as they were, no longer fresh": {approval.Decider{Role: team.RoleMember, Groups: []string{"release"}}, 1},
		"out of the group":              {approval.Decider{Role: team.RoleOwner}, 0},
		"a viewer":                      {approval.Decider{Role: team.RoleViewer, Groups: []string{"release"}}, 0},
		"the gateway is theirs now":     {approval.Decider{Role: team.RoleMember, Groups: []string{"release"}, Own: true}, 0},
		"the gateway is nobody's now":   {approval.Decider{Role: team.RoleMember, Groups: []string{"release"}, Unowned: true}, 0},
	} {
		who := func(string) approval.Decider { return tt.now }
		if got := a.Recount(who); len(got.Agreed) != tt.want {
			t.Errorf("%s: %d votes, want %d", name, len(got.Agreed), tt.want)
		}
		if got := a.Stands(who); got != (tt.want == 1) {
			t.Errorf("%s: stands %v", name, got)
		}
	}
}

func TestWhatIsNeededInWords(t *testing.T) {
	t.Parallel()

	for want, a := range map[string]approval.Approval{
		"Needs a person.": {},
		"Needs a person. Nobody approves their own run.":                                {NotSelf: true},
		"Needs an admin or owner in release. Whoever approves confirms who they are.":   {NeedsRole: team.RoleAdmin, NeedsGroup: "release", StepUp: true},
		"Needs 2 people in legal and release to agree. One denial is enough.":           {Needs: 2, NeedsGroup: "legal+release"},
		"Needs 3 owners to agree. One denial is enough. Nobody approves their own run.": {Needs: 3, NeedsRole: team.RoleOwner, NotSelf: true},
	} {
		if got := a.Needed(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if special := want != "Needs a person."; a.Special() != special {
			t.Errorf("%q: special %v", want, a.Special())
		}
	}
}

func TestAnEventSaysHowAndHowLong(t *testing.T) {
	t.Parallel()

	a := pending()
	a.Action.Name = "github.pr.merge"
	ana := approval.Decider{ID: "usr_a", Name: "Ana", Role: team.RoleMember, Channel: approval.Slack, Auth: "slack", Note: "Fine."}
	a, err := a.Decide(ana, approval.Grant, now.Add(1500*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	e := a.Event(team.Viewer{User: team.User{ID: "usr_a"}, Auth: "slack"}.Actor(), a.DecidedAt)
	want := map[string]string{"action": "github.pr.merge", "fingerprint": "f", "latency_ms": "1500", "channel": "slack", "auth": "slack", "note": "Fine."}
	for name, value := range want {
		if e.Detail[name] != value {
			t.Errorf("%s is %q, want %q", name, e.Detail[name], value)
		}
	}
	if e.Type != "approval.approved" || e.Actor.Auth != "slack" {
		t.Errorf("%s by %+v", e.Type, e.Actor)
	}
	used, err := a.Use("f", a.DecidedAt.Add(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if got := used.Event(team.Viewer{}.Actor(), used.EndedAt).Detail["latency_ms"]; got != "20" {
		t.Errorf("from the approval to its use: %s ms, want 20", got)
	}
	if got := pending().Event(team.Viewer{}.Actor(), now.Add(-time.Hour)).Detail["latency_ms"]; got != "0" {
		t.Errorf("after the clock went back: %s ms", got)
	}
}
