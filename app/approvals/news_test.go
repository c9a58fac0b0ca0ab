package approvals_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

func news(t *testing.T, f fixture, filter approvals.Filter, after int64, wait time.Duration) ([]approval.Approval, int64) {
	t.Helper()
	as, through, err := f.News(t.Context(), f.owner.Team.ID, filter, after, wait)
	if err != nil {
		t.Fatalf("news: %v", err)
	}
	return as, through
}

func TestNewsAreWhatWasOpenedAndDecidedSinceAPlace(t *testing.T) {
	t.Parallel()

	each(t, func(t *testing.T, f fixture) {
		f.ask(t, 'a')
		as, place := news(t, f, approvals.Filter{}, -1, 0)
		if len(as) != 0 {
			t.Fatalf("at first: %v, want nothing but the place", as)
		}
		if as, through := news(t, f, approvals.Filter{}, place, 0); len(as) != 0 || through != place {
			t.Errorf("when nothing happened: %v, %d; want nothing, %d", as, through, place)
		}
		b := f.ask(t, 'b')
		as, through := news(t, f, approvals.Filter{}, place, time.Minute)
		if len(as) != 1 || as[0].ID != b.ID || as[0].Status != approval.Pending || through <= place {
			t.Fatalf("opened: %v, %d", as, through)
		}
		if _, err := f.Decide(t.Context(), f.owner, b.ID, approval.Decision{Channel: approval.Dashboard}); err != nil {
			t.Fatal(err)
		}
		as, last := news(t, f, approvals.Filter{}, place, time.Minute) // from the older place: once, as it is now
		if len(as) != 1 || as[0].ID != b.ID || as[0].Status != approval.Denied || last <= through {
			t.Errorf("decided: %v, %d", as, last)
		}
		if as, _ := news(t, f, approvals.Filter{Risk: "low"}, place, 0); len(as) != 0 {
			t.Errorf("of another risk: %v, want none", as)
		}
		// A place ahead of the record, as after a restore, is not waited at.
		if as, through := news(t, f, approvals.Filter{}, last+100, time.Minute); len(as) != 0 || through != last {
			t.Errorf("ahead of the record: %v, %d; want none, %d", as, through, last)
		}
	})
}

func TestNewsComeAsSoonAsTheyAreThere(t *testing.T) {
	t.Parallel()

	each(t, func(t *testing.T, f fixture) {
		_, place := news(t, f, approvals.Filter{}, -1, 0)
		got := make(chan []approval.Approval, 1)
		go func() {
			as, _, err := f.News(t.Context(), f.owner.Team.ID, approvals.Filter{}, place, time.Minute)
			if err != nil {
				t.Error(err)
			}
			got <- as
		}()
		a := f.ask(t, 'a')
		select {
		case as := <-got:
			if len(as) != 1 || as[0].ID != a.ID {
				t.Errorf("news: %v, want %s", as, a.ID)
			}
		case <-time.After(bus.Interval - time.Second): // and not only when everybody looks again
			t.Error("no news")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, place = news(t, f, approvals.Filter{}, -1, 0)
		if as, through, err := f.News(ctx, f.owner.Team.ID, approvals.Filter{}, place, time.Minute); err != nil || len(as) != 0 || through != place {
			t.Errorf("for somebody who left: %v, %d, %v", as, through, err)
		}
	})
}

func TestNewsOfATeamAreNobodyElses(t *testing.T) {
	t.Parallel()

	each(t, func(t *testing.T, f fixture) {
		f.ask(t, 'a')
		other := storetest.Owner(t, f.store)
		if as, _, err := f.News(t.Context(), other.Team.ID, approvals.Filter{}, 0, 0); err != nil || len(as) != 0 {
			t.Errorf("another team: %v, %v; want none", as, err)
		}
		if as, _ := news(t, f, approvals.Filter{}, 0, 0); len(as) != 1 {
			t.Errorf("the team: %v, want one", as)
		}
	})
}

// plainBodies keeps bodies as they are.
type plainBodies struct{}

func (plainBodies) SealAt(_ context.Context, _ vault.Place, plain credential.Secret) ([]byte, error) {
	return []byte(plain.Reveal()), nil
}

func (plainBodies) OpenAt(_ context.Context, _ vault.Place, sealed []byte) (credential.Secret, error) {
	return credential.NewSecret(string(sealed)), nil
}

// readers are the events of somebody having read a body.
func (f fixture) readers(t *testing.T) []audit.Event {
	t.Helper()
	rows, err := f.store.Events(t.Context(), f.owner.Team.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var es []audit.Event
	for _, row := range rows {
		if row.Type != approvals.BodyViewed {
			continue
		}
		var e audit.Event
		if err := json.Unmarshal(row.Entry, &e); err != nil {
			t.Fatal(err)
		}
		es = append(es, e)
	}
	return es
}

func TestWhoReadsABodyIsOnRecord(t *testing.T) {
	t.Parallel()

	each(t, func(t *testing.T, f fixture) {
		f.Bodies = plainBodies{}
		q := question('a')
		q.Body = []byte(`{"merge_method":"squash"}`)
		q.BodySize = int64(len(q.Body))
		a, err := f.Ask(t.Context(), f.gw, q)
		if err != nil {
			t.Fatal(err)
		}
		viewer := f.owner
		viewer.Role = team.RoleViewer
		if _, err := f.Viewed(t.Context(), viewer, a.ID); fault.Of(err) != fault.Forbidden {
			t.Errorf("a viewer: %v, want forbidden", err)
		}
		if _, err := f.Viewed(t.Context(), storetest.Owner(t, f.store), a.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("another team: %v, want not found", err)
		}
		if es := f.readers(t); len(es) != 0 {
			t.Errorf("%+v before anybody read it", es)
		}
		b, err := f.Viewed(t.Context(), f.owner, a.ID)
		if err != nil || string(b.Bytes) != string(q.Body) {
			t.Fatalf("body %q, %v; want %q", b.Bytes, err, q.Body)
		}
		es := f.readers(t)
		if len(es) != 1 || es[0].Target != a.ID || es[0].Actor.ID != f.owner.User.ID || es[0].Detail["bytes"] != "25" || strings.Contains(string(es[0].Bytes()), "squash") {
			t.Errorf("events %+v, want one that names who, and not what", es)
		}
	})
}
