// Package hold lets requests wait for a person.
//
// Holding is a courtesy: the approval is kept at the server, and whoever comes
// back with the same request meets it again. Requests that are the same wait
// together, on one question and one long poll. One whose client has gone stops
// waiting at once, and when the last has stopped nobody polls any more.
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
	Use(ctx context.Context, id string, u wire.Use) (wire.Approval, error)
}

// Desk is where requests wait. Its fields are set before use; the rest of the
// zero Desk is ready.
type Desk struct {
	Server Server
	Log    *slog.Logger

	// Waiting hears of each request that begins to wait, with the approval
	// that it waits for. It must not block. May be nil.
	Waiting func(ask wire.Ask, a wire.Approval, until time.Time)

	mu        sync.Mutex
	questions map[string]*question // by fingerprint
}

const (
	pollWait  = 20 * time.Second
	retryWait = 250 * time.Millisecond
)

// question is one approval and all who wait for it.
type question struct {
	cancel  context.CancelFunc
	holders int

	answered bool
	latest   wire.Approval
	err      error
	news     chan struct{} // closed at the next change of these three
}

// Hold asks a person and returns the approval when there is a decision, when
// hold has passed (then it is still pending), or when ctx ends. It fails at
// once with fault.Unavailable where the server cannot be reached, also when
// that happens while it waits. Anything but an approved status is a no.
func (d *Desk) Hold(ctx context.Context, ask wire.Ask, hold time.Duration) (wire.Approval, error) {
	if err := ctx.Err(); err != nil {
		return wire.Approval{}, err
	}
	q := d.join(ctx, ask)
	defer d.leave(ask.Fingerprint, q)
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

func (d *Desk) join(ctx context.Context, ask wire.Ask) *question {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.questions[ask.Fingerprint]
	if q == nil {
		// The question outlives whoever asked first, if others wait too.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		q = &question{cancel: cancel, news: make(chan struct{})}
		if d.questions == nil {
			d.questions = map[string]*question{}
		}
		d.questions[ask.Fingerprint] = q
		go d.attend(ctx, ask, q)
	}
	q.holders++
	return q
}

func (d *Desk) leave(fingerprint string, q *question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q.holders--; q.holders == 0 {
		d.forget(fingerprint, q)
		q.cancel()
	}
}

// forget lets the next one ask anew. The caller holds mu.
func (d *Desk) forget(fingerprint string, q *question) {
	if d.questions[fingerprint] == q {
		delete(d.questions, fingerprint)
	}
}

// attend asks, and follows the approval until it is settled or nobody waits.
func (d *Desk) attend(ctx context.Context, ask wire.Ask, q *question) {
	a, err := d.Server.Ask(ctx, ask)
	d.publish(ask.Fingerprint, q, a, err)
	failed := false
	for err == nil && a.Status == approval.Pending && ctx.Err() == nil {
		next, waitErr := d.Server.Wait(ctx, a.ID, a.Seq, pollWait)
		switch {
		case waitErr == nil:
			failed = false
			if next.ID != a.ID {
				waitErr = fmt.Errorf("asked for approval %s and got %s", a.ID, next.ID)
				d.publish(ask.Fingerprint, q, a, waitErr)
				return
			}
			if next.Seq != a.Seq || next.Status != a.Status {
				a = next
				d.publish(ask.Fingerprint, q, a, nil)
			}
		case !failed && fault.Of(waitErr) == fault.Unavailable && pause(ctx, retryWait):
			failed = true // a connection may break without the server being gone
		default:
			err = waitErr
			d.publish(ask.Fingerprint, q, a, fmt.Errorf("wait for approval: %w", err))
		}
	}
}

func (d *Desk) publish(fingerprint string, q *question, a wire.Approval, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	q.latest, q.err = a, err
	q.answered = err == nil
	if err != nil || a.Status != approval.Pending {
		d.forget(fingerprint, q)
	}
	close(q.news)
	q.news = make(chan struct{})
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
