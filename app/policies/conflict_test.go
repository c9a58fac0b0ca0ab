package policies_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/fault"
)

func TestOnlyTheNewestVersionIsChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ctx := t.Context()
		p := f.save(t, draft("first"))
		f.save(t, draft("other"))
		d := draft("first")
		d.Document, d.ID, d.Base = text("first", "github.pr.merge"), p.ID, 1
		f.save(t, d)
		d.Document = text("first", "github.pr.close")
		for _, base := range []int64{0, 1, 3} {
			d.Base = base
			_, err := f.Save(ctx, f.owner, d)
			wantKind(t, fmt.Sprint("save from ", base), err, fault.Conflict, "version 2")
			_, err = f.Set(ctx, f.owner, p.ID, base, policies.Counts{}, "")
			wantKind(t, fmt.Sprint("set from ", base), err, fault.Conflict, "version 2")
			_, err = f.Revert(ctx, f.owner, p.ID, base, 1, "")
			wantKind(t, fmt.Sprint("revert from ", base), err, fault.Conflict, "version 2")
			wantKind(t, fmt.Sprint("delete from ", base), f.Delete(ctx, f.owner, p.ID, base), fault.Conflict, "version 2")
		}
		_, err := f.Save(ctx, f.owner, draft("first"))
		wantKind(t, "a new one of the name", err, fault.Conflict, "first")
		renamed := draft("other")
		renamed.ID, renamed.Base = p.ID, 2
		_, err = f.Save(ctx, f.owner, renamed)
		wantKind(t, "another name that is taken", err, fault.Conflict, "other")

		stranger := storetest.Owner(t, f.store)
		d.Base = 2
		_, err = f.Save(ctx, stranger, d)
		wantKind(t, "another team's", err, fault.NotFound, "")
		_, err = f.Set(ctx, stranger, p.ID, 2, policies.Counts{}, "")
		wantKind(t, "set another team's", err, fault.NotFound, "")
		_, err = f.Revert(ctx, stranger, p.ID, 2, 1, "")
		wantKind(t, "revert another team's", err, fault.NotFound, "")
		wantKind(t, "delete another team's", f.Delete(ctx, stranger, p.ID, 2), fault.NotFound, "")
		_, err = f.Revert(ctx, f.owner, p.ID, 2, 9, "")
		wantKind(t, "a version that never was", err, fault.NotFound, "version")
		if got := types(f.events(t)); got != "created created updated" {
			t.Errorf("events: %s", got)
		}
	})
}

func TestOfManySaversOneWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		p := f.save(t, draft("first"))
		won := make([]bool, 6)
		var wg sync.WaitGroup
		for i := range won {
			wg.Go(func() {
				d := draft("first")
				d.ID, d.Base, d.Priority = p.ID, 1, 30+i
				_, err := f.Save(t.Context(), f.owner, d)
				if won[i] = err == nil; !won[i] {
					wantKind(t, "a loser", err, fault.Conflict, "version 2")
				}
			})
		}
		wg.Wait()
		got, err := f.Find(t.Context(), f.owner.Team.ID, p.ID)
		if err != nil || got.Version != 2 || !won[got.Priority-30] || types(f.events(t)) != "created changed" {
			t.Errorf("%+v, %v; won: %v; events: %s", got, err, won, types(f.events(t)))
		}
		n := 0
		for _, w := range won {
			if w {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d won", n)
		}
	})
}

// meddled is a store in which somebody is faster, so many times.
type meddled struct {
	*store.Store
	times int
	by    func() error
}

func (m *meddled) Carry(ctx context.Context, p store.Plan) error {
	if m.times > 0 {
		m.times--
		if err := m.by(); err != nil {
			return err
		}
	}
	return m.Store.Carry(ctx, p)
}

// What somebody else configures in between is no conflict, unless it is about
// the same policy.
func TestOtherChangesInBetweenAreNoConflict(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		first := f.save(t, draft("first"))
		other := &policies.Service{Store: f.store, Known: f.Known, Bus: f.rings, Now: time.Now, Log: f.Log}
		n := 0
		m := &meddled{Store: f.store, times: 1, by: func() error {
			n++
			_, err := other.Save(t.Context(), f.owner, draft(fmt.Sprint("meddled", n)))
			return err
		}}
		f.Store = m
		d := draft("first")
		d.ID, d.Base, d.ReportOnly = first.ID, 1, true
		if got := f.save(t, d); got.Version != 2 || !got.ReportOnly {
			t.Errorf("%+v", got)
		}
		m.times = 1000
		d.Base, d.ReportOnly = 2, false
		_, err := f.Save(t.Context(), f.owner, d)
		wantKind(t, "for ever", err, fault.Unavailable, "Try again")
		m.times, m.by = 1, func() error { return other.Delete(t.Context(), f.owner, first.ID, 2) }
		_, err = f.Save(t.Context(), f.owner, d)
		wantKind(t, "deleted meanwhile", err, fault.NotFound, "")
	})
}
