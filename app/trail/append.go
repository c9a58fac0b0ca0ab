package trail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/wire"
)

const (
	// MaxBatch is how many entries an upload may have, and MaxEntry how large
	// each may be.
	MaxBatch = 5000
	MaxEntry = 1 << 20

	attempts = 3
)

// Append stores the next entries of a gateway's chain, and says up to which it
// has them all. Entries that are there already are skipped. Where the batch
// leaves a gap nothing is stored, and the answer says which entry is expected.
//
// It fails with fault.Invalid where the chain does not hold, and with
// fault.Conflict where an entry is not the one that is stored under its number:
// somebody has changed one of the two.
func (s *Service) Append(ctx context.Context, gw fleet.Gateway, entries []audit.Sealed) (wire.AuditAnswer, error) {
	if err := check(entries); err != nil {
		return wire.AuditAnswer{}, err
	}
	for range attempts {
		answer, err := s.append(ctx, gw, entries)
		// The same batch twice at once, after a connection broke: the second
		// finds that the first has moved the tail, and looks again.
		if fault.Of(err) != fault.Conflict || !isMoved(err) {
			return answer, err
		}
	}
	return wire.AuditAnswer{}, fault.New(fault.Unavailable, "The same entries are being sent twice. Try again in a moment.", nil)
}

func check(entries []audit.Sealed) error {
	if len(entries) > MaxBatch {
		return fault.New(fault.Invalid, "An upload has at most 5000 entries.", nil)
	}
	for i, e := range entries {
		switch {
		case e.Seq < 1 || i > 0 && e.Seq != entries[i-1].Seq+1:
			return fault.New(fault.Invalid, "The entries are not numbered one after the other.", nil)
		case len(e.Hash) != 64:
			return fault.New(fault.Invalid, fmt.Sprintf("Entry %d has no hash.", e.Seq), nil)
		case len(e.Entry) > MaxEntry:
			return fault.New(fault.Invalid, fmt.Sprintf("Entry %d is larger than 1 MiB.", e.Seq), nil)
		}
	}
	return nil
}

func (s *Service) append(ctx context.Context, gw fleet.Gateway, entries []audit.Sealed) (wire.AuditAnswer, error) {
	tail, err := s.Store.TrafficTail(ctx, gw.ID)
	if err != nil {
		return wire.AuditAnswer{}, fmt.Errorf("append traffic: %w", err)
	}
	if len(entries) == 0 {
		return wire.AuditAnswer{Through: tail.Seq}, nil
	}
	if entries[0].Seq > tail.Seq+1 {
		s.Log.WarnContext(ctx, "a gateway's audit trail has a gap; it is asked to send again", "gateway", gw.ID, "have", tail.Seq, "sent", entries[0].Seq)
		return wire.AuditAnswer{Through: tail.Seq, Expected: tail.Seq + 1}, nil
	}
	fresh, err := s.unseen(ctx, gw, tail, entries)
	if err != nil {
		return wire.AuditAnswer{}, err
	}
	if len(fresh) == 0 {
		return wire.AuditAnswer{Through: tail.Seq}, nil
	}
	if err := audit.Verify(tail.Seq, tail.Hash, fresh); err != nil {
		s.Log.ErrorContext(ctx, "a gateway's audit trail does not hold", "gateway", gw.ID, "error", err)
		return wire.AuditAnswer{}, fault.New(fault.Invalid, "The chain of entries does not hold. Nothing of this batch was stored.", err)
	}
	m := merger{gw: gw, now: audit.Time(s.Now())}
	for _, e := range fresh {
		m.add(e)
	}
	before, err := s.Store.GatewayRequests(ctx, gw.ID, m.missing())
	if err != nil {
		return wire.AuditAnswer{}, fmt.Errorf("append traffic: %w", err)
	}
	u := m.upload(tail, before)
	if m.unread > 0 {
		s.Log.WarnContext(ctx, "entries that this server cannot read are stored as they are", "gateway", gw.ID, "entries", m.unread)
	}
	if err := s.Store.AppendTraffic(ctx, u); err != nil {
		return wire.AuditAnswer{}, &moved{fmt.Errorf("append traffic: %w", err)}
	}
	s.tell(ctx, gw, u)
	return wire.AuditAnswer{Through: fresh[len(fresh)-1].Seq}, nil
}

// moved marks an error of the write itself, which may mean that the tail is
// not any more where it was.
type moved struct{ error }

func (m *moved) Unwrap() error { return m.error }

func isMoved(err error) bool {
	_, ok := errors.AsType[*moved](err)
	return ok
}

// unseen returns the entries beyond the tail, after comparing the others with
// what is stored.
func (s *Service) unseen(ctx context.Context, gw fleet.Gateway, tail audit.Sealed, entries []audit.Sealed) ([]audit.Sealed, error) {
	seen := entries[:min(tail.Seq-entries[0].Seq+1, int64(len(entries)))]
	if len(seen) == 0 {
		return entries, nil
	}
	stored, err := s.Store.Traffic(ctx, gw.ID, seen[0].Seq, seen[len(seen)-1].Seq, false)
	if err != nil {
		return nil, fmt.Errorf("append traffic: %w", err)
	}
	hashes := make(map[int64]string, len(stored))
	for _, e := range stored {
		hashes[e.Seq] = e.Hash
	}
	for _, e := range seen {
		if want, ok := hashes[e.Seq]; ok && want != e.Hash {
			s.Log.ErrorContext(ctx, "a gateway sent an entry that differs from the one that is stored", "gateway", gw.ID, "seq", e.Seq)
			return nil, fault.New(fault.Conflict, fmt.Sprintf("Entry %d differs from the one that is stored. Enrol the gateway again to begin where its trail ends.", e.Seq), nil)
		}
	}
	return entries[len(seen):], nil
}

// tell wakes the pages that show what an upload has changed.
func (s *Service) tell(ctx context.Context, gw fleet.Gateway, u store.Upload) {
	if len(u.Requests) > 0 {
		s.Bus.Publish(ctx, bus.Traffic(gw.TeamID))
	}
	if gw.FirstSeenAt.IsZero() && !u.First.IsZero() {
		s.Bus.Publish(ctx, bus.Gateways(gw.TeamID))
	}
	if len(u.Upstream) > 0 {
		for id := range u.Upstream {
			s.Bus.Publish(ctx, bus.Approval(id))
		}
		s.Bus.Publish(ctx, bus.Approvals(gw.TeamID))
		s.Bus.Publish(ctx, bus.Outbox)
	}
}

// earliest and ahead bound the times that gateways may claim.
var earliest = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

const ahead = 5 * time.Minute
