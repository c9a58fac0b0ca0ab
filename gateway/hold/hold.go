// Package hold lets requests wait for a person.
//
// Holding is a courtesy: the approval is kept at the server, and whoever comes
// back with the same request meets it again. Requests that are the same wait
// together, on one question, and one long poll hears of them all. One whose
// client has gone stops waiting at once, and when the last has stopped nobody
// polls any more.
package hold

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

// Server keeps the approvals.
type Server interface {
	Ask(ctx context.Context, a wire.Ask) (wire.Approval, error)
	// Wait returns the approval once it is newer than seq, or as it is after
	// wait.
	Wait(ctx context.Context, id string, seq int64, wait time.Duration) (wire.Approval, error)
	// Changes returns those approvals of the gateway that have changed after a
	// place, once there are any, or none after wait. It fails with
	// fault.NotFound where the server is too old for that.
	Changes(ctx context.Context, after int64, wait time.Duration) (wire.Changes, error)
	Use(ctx context.Context, id string, u wire.Use) (wire.Approval, error)
}

// Desk is where requests wait. Its fields are set before use; the rest of the
// zero Desk is ready.
type Desk struct {
	Server Server
	Log    *slog.Logger

	// Waiting hears of each request that begins to wait, with the approval
	// that it waits for. It must not block. May be nil.
	Waiting func(ask *wire.Ask, a wire.Approval, until time.Time)

	mu        sync.Mutex
	questions map[string]*question // by fingerprint
	open      map[string]*question // those that wait for a person, by the approval's ID
	poll      *poll                // hears of open; nil where there is none
}

const (
	pollWait  = 20 * time.Second
	retryWait = 250 * time.Millisecond
)

// Hold asks a person and returns the approval when there is a decision, when
// hold has passed (then it is still pending), or when ctx ends. It fails at
// once with fault.Unavailable where the server cannot be reached, also when
// that happens while it waits. Anything but an approved status is a no. Ask is not
// changed meanwhile.
func (d *Desk) Hold(ctx context.Context, ask *wire.Ask, hold time.Duration) (wire.Approval, error) {
	if err := ctx.Err(); err != nil {
		return wire.Approval{}, err
	}
	q := d.join(ctx, ask)
	defer d.leave(q)
	until := time.Now().Add(hold)
	timer := time.NewTimer(hold)
	defer timer.Stop()
	over, told := false, false
	for {
		d.mu.Lock()
		answered, a, err, news := q.answered, q.latest, q.err, q.news
		d.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return wire.Approval{}, ctx.Err()
		case err != nil:
			return wire.Approval{}, err
		case answered && (a.Status != approval.Pending || over || hold <= 0):
			return a, nil
		case answered && !told && d.Waiting != nil:
			d.Waiting(ask, a, until)
			told = true
		}
		select {
		case <-ctx.Done():
		case <-timer.C:
			over = true // and still there has to be an answer to return
		case <-news:
		}
	}
}

// Use redeems a grant, right before the request is sent. It fails with
// fault.Conflict where the grant is gone, and with fault.Unavailable where the
// server cannot be reached: then nobody knows whether it was used up, and the
// request must not be sent.
func (d *Desk) Use(ctx context.Context, id string, u wire.Use) error {
	a, err := d.Server.Use(ctx, id, u)
	if err != nil {
		return fmt.Errorf("use approval: %w", err)
	}
	if a.Status != approval.Executed {
		return fault.New(fault.Conflict, "The approval cannot be used any more. Send the request again to ask again.", fmt.Errorf("status %q", a.Status))
	}
	return nil
}

// Look returns an approval of this gateway as it is: once it is not pending any
// more, or when wait is over or ctx ends. It fails with fault.NotFound where
// there is none of that ID.
func (d *Desk) Look(ctx context.Context, id string, wait time.Duration) (wire.Approval, error) {
	until := time.Now().Add(wait)
	a, err := d.Server.Wait(ctx, id, 0, 0)
	for err == nil && a.Status == approval.Pending {
		left := time.Until(until)
		if left <= 0 {
			break
		}
		a, err = d.Server.Wait(ctx, id, a.Seq, min(left, pollWait))
	}
	if err != nil {
		return wire.Approval{}, fmt.Errorf("look at approval: %w", err)
	}
	if a.ID != id {
		return wire.Approval{}, fmt.Errorf("looked for approval %s and got %s", id, a.ID)
	}
	return a, nil
}
