package approval_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

func needs(n int, role team.Role) approval.Approval {
	a := pending()
	a.Needs, a.NeedsRole, a.Seq = n, role, 1
	return a
}

func person(id string, r team.Role) approval.Decider {
	return approval.Decider{ID: "usr_" + id, Name: strings.ToUpper(id), Role: r, Channel: approval.CLI}
}

func TestTheLastOfSeveralSettlesIt(t *testing.T) {
	t.Parallel()

	first, err := needs(2, "").Decide(person("ana", team.RoleMember), approval.Grant, now)
	if err != nil || first.Status != approval.Pending || len(first.Agreed) != 1 || first.DecidedBy != "" || !first.DecidedAt.IsZero() {
		t.Fatalf("the first: %+v, %v", first, err)
	}
	if first.Seq != 2 || first.Heard() != 1 {
		t.Errorf("seq %d, heard %d: want that pages see a change, and gateways none", first.Seq, first.Heard())
	}
	if !first.ExpiresAt.Equal(now.Add(time.Minute)) {
		t.Errorf("agreement moved the end to %v", first.ExpiresAt)
	}
	if got := first.Progress(); got != "1 of 2 agreed: ANA." {
		t.Errorf("progress %q", got)
	}
	if _, err := first.Decide(person("ana", team.RoleMember), approval.Grant, now); fault.Of(err) != fault.Conflict || fault.Message(err) != "You have agreed to this already. 1 of 2 agreed: ANA." {
		t.Errorf("the same person again: %v", err)
	}
	both, err := first.Decide(person("ben", team.RoleMember), approval.Grant, now.Add(time.Second))
	if err != nil || both.Status != approval.Approved || both.DecidedBy != "usr_ben" || len(both.Agreed) != 2 || both.Heard() != both.Seq {
		t.Fatalf("the second: %+v, %v", both, err)
	}
	if len(first.Agreed) != 1 {
		t.Error("a decision changed what it was made from")
	}
	if _, err := both.Decide(person("eve", team.RoleOwner), approval.Grant, now); fault.Message(err) != "Already approved by ANA and BEN." {
		t.Errorf("a third: %v", err)
	}
}

func TestOneDenialSettlesIt(t *testing.T) {
	t.Parallel()

	first, err := needs(3, team.RoleAdmin).Decide(person("ana", team.RoleAdmin), approval.Grant, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]approval.Decider{
		"somebody else": person("ben", team.RoleAdmin), "somebody below the role": person("eve", team.RoleMember), "whoever agreed before": person("ana", team.RoleAdmin),
	} {
		denied, err := first.Decide(d, approval.Deny, now)
		if err != nil || denied.Status != approval.Denied || denied.Deciders() != d.Name || denied.EndedAt.IsZero() {
			t.Errorf("%s: %+v, %v", name, denied, err)
		}
	}
}

func TestWhoseAgreementCounts(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		needs, has team.Role
		want       bool
	}{
		{"", team.RoleMember, true}, {"", team.RoleViewer, false}, {"", team.Nobody, false},
		{team.RoleMember, team.RoleMember, true}, {team.RoleMember, team.RoleViewer, false},
		{team.RoleAdmin, team.RoleMember, false}, {team.RoleAdmin, team.RoleAdmin, true}, {team.RoleAdmin, team.RoleOwner, true},
		{team.RoleOwner, team.RoleAdmin, false}, {team.RoleOwner, team.RoleOwner, true}, {team.RoleOwner, team.Nobody, false},
		{"auditor", team.RoleOwner, false}, {"auditor", "auditor", false}, {team.RoleViewer, team.RoleViewer, false},
	} {
		if err := needs(1, c.needs).MayAgree(person("ana", c.has)); (err == nil) != c.want {
			t.Errorf("%q where %q is needed: %v", c.has, c.needs, err)
		}
		a, err := needs(1, c.needs).Decide(person("ana", c.has), approval.Grant, now)
		if c.want != (err == nil && a.Status == approval.Approved) || !c.want && fault.Of(err) != fault.Forbidden {
			t.Errorf("%q agrees where %q is needed: %s, %v", c.has, c.needs, a.Status, err)
		}
	}
	if _, err := needs(2, team.RoleAdmin).Decide(person("ana", team.RoleMember), approval.Grant, now); fault.Message(err) != "This request needs 2 admins or owners. You can deny it, and not approve it." {
		t.Errorf("the sentence: %v", err)
	}
}

func TestVotesOfThoseWhoLostTheirRoleDoNotCount(t *testing.T) {
	t.Parallel()

	a := needs(2, team.RoleAdmin)
	a, err := a.Decide(person("ana", team.RoleAdmin), approval.Grant, now)
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]team.Role{"usr_ana": team.RoleMember}
	recounted := a.Recount(func(id string) approval.Decider { return approval.Decider{ID: id, Role: roles[id]} })
	if len(recounted.Agreed) != 0 || len(a.Agreed) != 1 {
		t.Fatalf("after a recount: %v, and before %v", recounted.Agreed, a.Agreed)
	}
	next, err := recounted.Decide(person("ben", team.RoleAdmin), approval.Grant, now)
	if err != nil || next.Status != approval.Pending || len(next.Agreed) != 1 {
		t.Errorf("one vote that counts: %s with %v, %v", next.Status, next.Agreed, err)
	}
	roles["usr_ana"] = team.RoleOwner
	if kept := a.Recount(func(id string) approval.Decider { return approval.Decider{ID: id, Role: roles[id]} }); len(kept.Agreed) != 1 {
		t.Error("a vote that counts is gone")
	}
}

func TestPartlyAgreedIsNoAgreement(t *testing.T) {
	t.Parallel()

	a, err := needs(2, "").Decide(person("ana", team.RoleOwner), approval.Grant, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Use("f", now); fault.Of(err) != fault.Conflict {
		t.Errorf("use: %v", err)
	}
	if over, changed := a.Lapse(now.Add(time.Minute)); !changed || over.Status != approval.Expired {
		t.Errorf("at the end of its time: %s", over.Status)
	}
	if _, err := a.Decide(person("ben", team.RoleOwner), approval.Grant, now.Add(time.Minute)); fault.Of(err) != fault.Expired {
		t.Errorf("too late: %v", err)
	}
	for n, want := range map[int]int{-1: 1, 0: 1, 1: 1, 5: 5} {
		if got := (approval.Approval{Needs: n}).Wanted(); got != want {
			t.Errorf("%d needed is %d, want %d", n, got, want)
		}
	}
}
