package approval_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func pending() approval.Approval {
	return approval.Approval{ID: "apr_1", Fingerprint: "f", Status: approval.Pending, CreatedAt: now, ExpiresAt: now.Add(time.Minute), TTL: time.Minute}
}

func TestDecideOnceAndInTime(t *testing.T) {
	t.Parallel()

	ana, ben := approval.Decider{ID: "usr_a", Name: "Ana", Role: team.RoleMember, Channel: approval.Dashboard}, approval.Decider{ID: "usr_b", Name: "Ben"}
	granted, err := pending().Decide(ana, approval.Grant, now)
	if err != nil || granted.Status != approval.Approved || granted.DecidedBy != "usr_a" || !granted.ExpiresAt.Equal(now.Add(time.Minute)) {
		t.Fatalf("granted: %+v, %v", granted, err)
	}
	if _, err := granted.Decide(ben, approval.Deny, now); fault.Of(err) != fault.Conflict || fault.Message(err) != "Already approved by Ana." {
		t.Errorf("second decision: %v", err)
	}
	denied, err := pending().Decide(ben, approval.Deny, now)
	if err != nil || denied.Status != approval.Denied || denied.EndedAt.IsZero() {
		t.Errorf("denied: %+v, %v", denied, err)
	}
	if _, err := pending().Decide(ana, approval.Grant, now.Add(time.Minute)); fault.Of(err) != fault.Expired {
		t.Errorf("late decision: %v", err)
	}
	if v := approval.Verdict(false); v != approval.Deny {
		t.Error("the zero verdict does not deny")
	}
}

func TestGrantIsForOneRequestOnce(t *testing.T) {
	t.Parallel()

	if _, err := pending().Use("f", now); fault.Of(err) != fault.Conflict {
		t.Errorf("use while pending: %v", err)
	}
	granted, err := pending().Decide(approval.Decider{ID: "usr_a", Role: team.RoleMember}, approval.Grant, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := granted.Use("g", now); fault.Of(err) != fault.Forbidden {
		t.Errorf("another request: %v", err)
	}
	if _, err := granted.Use("f", now.Add(time.Minute)); fault.Of(err) != fault.Expired {
		t.Errorf("too late: %v", err)
	}
	used, err := granted.Use("f", now)
	if err != nil || used.Status != approval.Executed {
		t.Fatalf("use: %+v, %v", used, err)
	}
	if _, err := used.Use("f", now); fault.Of(err) != fault.Conflict {
		t.Errorf("second use: %v", err)
	}
}

func TestFinalStatesStay(t *testing.T) {
	t.Parallel()

	for _, s := range []approval.Status{approval.Denied, approval.Expired, approval.Cancelled, approval.Executed, approval.Unused} {
		a := pending()
		a.Status = s
		if _, err := a.Decide(approval.Decider{}, approval.Grant, now); err == nil {
			t.Errorf("%s was decided", s)
		}
		if _, err := a.Use("f", now); err == nil {
			t.Errorf("%s was used", s)
		}
		if _, changed := a.Lapse(now.Add(time.Hour)); changed {
			t.Errorf("%s lapsed", s)
		}
		if _, changed := a.Cancel("x", now); changed {
			t.Errorf("%s was cancelled", s)
		}
		if a.Settled() == "" || !s.Final() {
			t.Errorf("%s: %q", s, a.Settled())
		}
	}
}

func TestLapse(t *testing.T) {
	t.Parallel()

	if _, changed := pending().Lapse(now); changed {
		t.Error("lapsed before its time")
	}
	if a, changed := pending().Lapse(now.Add(time.Minute)); !changed || a.Status != approval.Expired {
		t.Errorf("pending became %s", a.Status)
	}
	granted, err := pending().Decide(approval.Decider{Role: team.RoleMember}, approval.Grant, now)
	if err != nil {
		t.Fatal(err)
	}
	if a, changed := granted.Lapse(now.Add(time.Minute)); !changed || a.Status != approval.Unused {
		t.Errorf("approved became %s", a.Status)
	}
	if a, changed := granted.Cancel("Kill switch.", now); !changed || a.Status != approval.Cancelled {
		t.Errorf("approved, cancelled: %s", a.Status)
	}
}

// Every field counts, also one that is added later.
func TestEveryFieldChangesTheFingerprint(t *testing.T) {
	t.Parallel()

	seen := map[string]string{approval.Request{}.Fingerprint(): "the empty request"}
	for i := range reflect.TypeFor[approval.Request]().NumField() {
		var r approval.Request
		reflect.ValueOf(&r).Elem().Field(i).SetString("x")
		name := reflect.TypeFor[approval.Request]().Field(i).Name
		if other, ok := seen[r.Fingerprint()]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[r.Fingerprint()] = name
	}
}
