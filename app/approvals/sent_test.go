package approvals_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/outbox"
)

// changes are those that wait to be told to the outside, in order.
func (f fixture) changes(t *testing.T) (types []string, seqs []int64) {
	t.Helper()
	for {
		items, err := f.store.ClaimItems(t.Context(), f.clock.Now(), f.clock.Now().Add(time.Minute), 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(items) == 0 {
			return types, seqs
		}
		for _, i := range items {
			var c outbox.Change
			if err := json.Unmarshal(i.Payload, &c); err != nil || i.Kind != outbox.Approval || i.Ref == "" {
				t.Errorf("item %+v, %v", i, err)
			}
			types, seqs = append(types, c.Type), append(seqs, c.Seq)
			i.DoneAt = f.clock.Now()
			if err := f.store.EndItem(t.Context(), i); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (f fixture) listen(t *testing.T) {
	t.Helper()
	enabled := map[bool]string{true: "1", false: "TRUE"}[!f.store.Shared()]
	f.change(t, "INSERT INTO integrations (id, team_id, kind, name, settings, version, enabled, created_by, created_at) VALUES ('int_1"+f.owner.Team.ID+"', '"+f.owner.Team.ID+"', 'webhook', 'all', '{}', 1, "+enabled+", 'usr_1', '2026-01-01 00:00:00')")
}

func TestTheStatusOfWhatWasSentIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.listen(t)
		a := f.ask(t, 'a')
		f.clock.Add(time.Millisecond) // items are in the order of their times
		f.decide(t, a.ID, approval.Grant)
		f.clock.Add(time.Millisecond)
		f.use(t, a)
		f.clock.Add(time.Millisecond)
		waiting := f.ask(t, 'b')
		f.clock.Add(time.Millisecond)
		other := storetest.Gateway(t, f.store, f.owner, "other-bot")
		for _, u := range []store.Upload{
			{TeamID: f.gw.TeamID, GatewayID: other.ID, Upstream: map[string]int{a.ID: 500}, Now: f.clock.Now()}, // not its own
			{TeamID: f.gw.TeamID, GatewayID: f.gw.ID, Upstream: map[string]int{a.ID: 201, waiting.ID: 200, "apr_none": 200}, Now: f.clock.Now()},
		} {
			if err := f.store.AppendTraffic(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := f.Get(t.Context(), f.owner.Team.ID, a.ID); err != nil || got.Upstream != 201 || got.Seq != 4 {
			t.Errorf("status %d at %d, %v", got.Upstream, got.Seq, err)
		}
		types, seqs := f.changes(t)
		want := map[string]int64{"approval.opened": 1, "approval.approved": 2, "approval.executed": 3, "approval.sent": 4}
		if len(types) != 5 {
			t.Errorf("told %v", types)
		}
		for i, typ := range types {
			if seqs[i] != want[typ] {
				t.Errorf("%s at %d, want %d", typ, seqs[i], want[typ])
			}
		}
	})
}

func TestARepeatIsToldAsOpenedAndApproved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.use(t, f.grantFor(t, f.owner, 'a', time.Hour))
		f.listen(t)
		f.clock.Add(time.Minute)
		again := f.ask(t, 'a')
		types, seqs := f.changes(t)
		if len(types) != 2 || types[0] != approval.Opened || types[1] != "approval.approved" || seqs[0] != 1 || seqs[1] != again.Seq {
			t.Errorf("told %v at %v, and it is at %d", types, seqs, again.Seq)
		}
	})
}
