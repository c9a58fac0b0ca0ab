package approvals_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// group makes a group of the fixture's team.
func (f fixture) group(t *testing.T, name string, members ...team.Viewer) {
	t.Helper()
	id := "grp_" + name + f.owner.Team.ID
	f.change(t, fmt.Sprintf("INSERT INTO approver_groups (id, team_id, name, created_at) VALUES ('%s', '%s', '%s', '2026-01-01 00:00:00')", id, f.owner.Team.ID, name))
	for _, m := range members {
		f.change(t, fmt.Sprintf("INSERT INTO approver_group_members (group_id, user_id) VALUES ('%s', '%s')", id, m.User.ID))
	}
}

func (f fixture) leave(t *testing.T, v team.Viewer) {
	t.Helper()
	f.change(t, "DELETE FROM approver_group_members WHERE user_id = '"+v.User.ID+"'")
}

func TestWhoIsInTheGroupAgrees(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ana := storetest.Member(t, f.store, f.owner, "Ana", team.RoleMember)
		ben := storetest.Member(t, f.store, f.owner, "Ben", team.RoleMember)
		f.group(t, "release", ana, ben)
		f.group(t, "legal", ana)

		a := f.askFor(t, 'a', policy.Approvers{Group: "release"})
		if _, err := f.vote(t, f.owner, a.ID, approval.Grant); fault.Of(err) != fault.Forbidden || !strings.Contains(fault.Message(err), "a person in release") {
			t.Errorf("the owner, who is in no group: %v", err)
		}
		if err := f.MayAgree(t.Context(), f.owner, a); fault.Of(err) != fault.Forbidden || !strings.Contains(fault.Message(err), "in release") {
			t.Errorf("said before: %v", err)
		}
		if err := f.MayAgree(t.Context(), ben, a); err != nil {
			t.Errorf("said before, to Ben: %v", err)
		}
		if got, err := f.vote(t, ben, a.ID, approval.Grant); err != nil || got.Status != approval.Approved {
			t.Errorf("Ben: %s, %v", got.Status, err)
		}
		f.leave(t, ben) // and so his grant is worth nothing
		if _, err := f.Use(t.Context(), f.gw, a.ID, wire.Use{Fingerprint: a.Fingerprint}); fault.Of(err) != fault.Conflict {
			t.Errorf("used: %v", err)
		}

		both := f.askFor(t, 'b', policy.Approvers{Group: "legal+release"})
		f.group(t, "ops", ben)
		if _, err := f.vote(t, ben, both.ID, approval.Grant); fault.Of(err) != fault.Forbidden {
			t.Errorf("Ben, of other groups: %v", err)
		}
		if got, err := f.vote(t, ana, both.ID, approval.Grant); err != nil || got.Status != approval.Approved {
			t.Errorf("Ana, of both: %s, %v", got.Status, err)
		}
		other := f.askFor(t, 'c', policy.Approvers{Group: "release"})
		stranger := storetest.Owner(t, f.store)
		f.change(t, "UPDATE approver_groups SET team_id = '"+stranger.Team.ID+"' WHERE name = 'release'")
		if _, err := f.vote(t, ana, other.ID, approval.Grant); fault.Of(err) != fault.Forbidden {
			t.Errorf("by a group of another team: %v", err)
		}
		if got, err := f.vote(t, f.owner, other.ID, approval.Deny); err != nil || got.Status != approval.Denied {
			t.Errorf("denied by somebody outside: %s, %v", got.Status, err)
		}
	})
}

func TestAVoteCountsAsLongAsItsVoterIsInTheGroup(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ana := storetest.Member(t, f.store, f.owner, "Ana", team.RoleMember)
		ben := storetest.Member(t, f.store, f.owner, "Ben", team.RoleMember)
		f.group(t, "release", ana, ben, f.owner)
		a := f.askFor(t, 'a', policy.Approvers{Group: "release", Count: 2})
		if _, err := f.vote(t, ana, a.ID, approval.Grant); err != nil {
			t.Fatal(err)
		}
		f.leave(t, ana)
		if got, err := f.vote(t, ben, a.ID, approval.Grant); err != nil || got.Status != approval.Pending || got.Progress() != "1 of 2 agreed: Ben." {
			t.Errorf("after Ana left: %s %q, %v", got.Status, got.Progress(), err)
		}
	})
}

func TestNobodyApprovesTheirOwnRun(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ana := storetest.Member(t, f.store, f.owner, "Ana", team.RoleMember)
		f.change(t, "UPDATE gateways SET enrolled_by = NULL")
		a := f.askFor(t, 'a', policy.Approvers{NotSelf: true})
		if _, err := f.vote(t, f.owner, a.ID, approval.Grant); fault.Of(err) != fault.Forbidden || !strings.Contains(fault.Message(err), "Enrol the gateway again") {
			t.Errorf("nobody's run: %v", err)
		}
		f.change(t, "UPDATE gateways SET enrolled_by = '"+f.owner.User.ID+"'")
		if _, err := f.vote(t, f.owner, a.ID, approval.Grant); fault.Of(err) != fault.Forbidden || !strings.Contains(fault.Message(err), "your own run") {
			t.Errorf("one's own: %v", err)
		}
		if got, err := f.vote(t, ana, a.ID, approval.Grant); err != nil || got.Status != approval.Approved {
			t.Errorf("somebody else: %s, %v", got.Status, err)
		}
		// It becomes hers before it is used.
		f.change(t, "UPDATE gateways SET enrolled_by = '"+ana.User.ID+"'")
		if _, err := f.Use(t.Context(), f.gw, a.ID, wire.Use{Fingerprint: a.Fingerprint}); fault.Of(err) != fault.Conflict {
			t.Errorf("used: %v", err)
		}
		own := f.askFor(t, 'b', policy.Approvers{NotSelf: true})
		if got, err := f.vote(t, ana, own.ID, approval.Deny); err != nil || got.Status != approval.Denied {
			t.Errorf("denied by whose run it is: %s, %v", got.Status, err)
		}
	})
}

func TestAFreshProofIsNeeded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.askFor(t, 'a', policy.Approvers{StepUp: true})
		fresh := f.owner
		fresh.ConfirmedAt = f.clock.Now()
		stale := fresh
		stale.ConfirmedAt = f.clock.Now().Add(-team.StepUpWindow)
		token, slack := fresh, fresh
		token.Auth, slack.Auth = "token", "slack" // whatever they claim
		for name, tt := range map[string]struct {
			v    team.Viewer
			want string
		}{
			"never":   {f.owner, "Confirm that it is you: enter your password"},
			"too old": {stale, "Confirm that it is you: enter your password"},
			"a token": {token, "in the dashboard only"},
			"Slack":   {slack, "in the dashboard only"},
		} {
			_, err := f.vote(t, tt.v, a.ID, approval.Grant)
			if fault.Of(err) != fault.Forbidden || !strings.Contains(fault.Message(err), tt.want) || !errors.Is(err, approval.ErrNotFresh) {
				t.Errorf("%s: %v, want %q", name, err, tt.want)
			}
			if said := f.MayAgree(t.Context(), tt.v, a); fault.Message(said) != fault.Message(err) {
				t.Errorf("%s: said before %v, and then %v", name, said, err)
			}
		}
		if got, err := f.vote(t, fresh, a.ID, approval.Grant); err != nil || got.Status != approval.Approved || got.Auth != "session" {
			t.Fatalf("fresh: %s, %v", got.Status, err)
		}
		f.clock.Add(team.StepUpWindow) // the proof was needed then
		if _, err := f.Use(t.Context(), f.gw, a.ID, wire.Use{Fingerprint: a.Fingerprint}); err != nil {
			t.Errorf("use: %v", err)
		}
		denied := f.askFor(t, 'b', policy.Approvers{StepUp: true})
		if got, err := f.vote(t, token, denied.ID, approval.Deny); err != nil || got.Status != approval.Denied {
			t.Errorf("denied by token: %s, %v", got.Status, err)
		}
	})
}

func TestEveryEventSaysHow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.ask(t, 'a')
		f.clock.Add(41 * time.Second)
		slack := f.owner
		slack.Auth = "slack"
		if _, err := f.Decide(t.Context(), slack, a.ID, approval.Decision{Verdict: approval.Grant, Channel: approval.Slack, Note: "Go."}); err != nil {
			t.Fatal(err)
		}
		f.clock.Add(2 * time.Second)
		f.use(t, a)
		es := f.recorded(t, "approval.")
		if len(es) != 3 {
			t.Fatalf("%d events", len(es))
		}
		for i, want := range []map[string]string{
			{"action": "github.pr.merge", "fingerprint": a.Fingerprint, "latency_ms": "0", "request": "req_1"},
			{"action": "github.pr.merge", "fingerprint": a.Fingerprint, "latency_ms": "41000", "channel": "slack", "auth": "slack", "note": "Go."},
			{"action": "github.pr.merge", "fingerprint": a.Fingerprint, "latency_ms": "2000", "channel": "slack", "auth": "slack", "note": "Go.", "request": "req_1"},
		} {
			for name, value := range want {
				if es[i].Detail[name] != value {
					t.Errorf("%s: %s is %q, want %q", es[i].Type, name, es[i].Detail[name], value)
				}
			}
		}
		if es[1].Actor.ID != f.owner.User.ID || es[1].Actor.Auth != "slack" || es[2].Actor.ID != f.gw.ID {
			t.Errorf("by %+v and %+v", es[1].Actor, es[2].Actor)
		}
	})
}
