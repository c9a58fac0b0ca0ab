package hold

import (
	"context"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/wire"
)

// question is one approval and all who wait for it. Everything but the first
// three is under the desk's lock.
type question struct {
	fingerprint string
	ctx         context.Context //nolint:containedctx // it is the question's own, and ends with the last holder
	cancel      context.CancelFunc

	holders  int
	answered bool
	latest   wire.Approval
	err      error
	news     chan struct{} // closed at the next change of these three
}

func (d *Desk) join(ctx context.Context, ask *wire.Ask) *question {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.questions[ask.Fingerprint]
	if q == nil {
		q = &question{fingerprint: ask.Fingerprint, news: make(chan struct{})}
		// It outlives whoever asked first, if others wait too.
		q.ctx, q.cancel = context.WithCancel(context.WithoutCancel(ctx))
		if d.questions == nil {
			d.questions, d.open = map[string]*question{}, map[string]*question{}
		}
		d.questions[ask.Fingerprint] = q
		go d.attend(q, ask)
	}
	q.holders++
	return q
}

func (d *Desk) leave(q *question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q.holders--; q.holders == 0 {
		d.forget(q)
		q.cancel()
	}
}

// forget lets the next one ask anew. When nobody waits, nobody polls. The
// caller holds mu.
func (d *Desk) forget(q *question) {
	if d.questions[q.fingerprint] == q {
		delete(d.questions, q.fingerprint)
	}
	if d.open[q.latest.ID] == q {
		delete(d.open, q.latest.ID)
	}
	if len(d.open) == 0 && d.poll != nil {
		d.poll.cancel()
		d.poll = nil
	}
}

// attend asks, and sees to it that somebody hears what becomes of it.
func (d *Desk) attend(q *question, ask *wire.Ask) {
	a, err := d.Server.Ask(q.ctx, *ask)
	switch hears := d.publish(q, a, err); {
	case hears == nil:
	case hears.alone.Load():
		d.follow(q, a)
	case hears.placed.Load():
		// It may have changed before it was listened for.
		d.look(q)
	}
}

// publish lets those who wait for q know of a, or of err. Where it still waits,
// it returns who hears of its changes.
func (d *Desk) publish(q *question, a wire.Approval, err error) *poll {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q.err != nil || q.answered && q.latest.Status != approval.Pending {
		return nil // it is settled
	}
	if q.answered && err == nil && a.Seq <= q.latest.Seq && a.Status == q.latest.Status {
		return nil // no news
	}
	if err != nil {
		a = q.latest
	}
	q.latest, q.err = a, err
	q.answered = err == nil
	close(q.news)
	q.news = make(chan struct{})
	if err != nil || a.Status != approval.Pending || q.holders == 0 {
		d.forget(q)
		return nil
	}
	d.open[a.ID] = q
	if d.poll == nil {
		d.poll = new(poll)
		var ctx context.Context
		ctx, d.poll.cancel = context.WithCancel(context.WithoutCancel(q.ctx))
		go d.listen(ctx, d.poll)
	}
	return d.poll
}

// look asks what has become of q, and tells.
func (d *Desk) look(q *question) {
	d.mu.Lock()
	was := q.latest
	d.mu.Unlock()
	d.wait(q, was, 0)
}

// follow polls for q alone until it is settled or nobody waits for it: a server
// may be older than this gateway.
func (d *Desk) follow(q *question, a wire.Approval) {
	for a.Status == approval.Pending && q.ctx.Err() == nil {
		var ok bool
		if a, ok = d.wait(q, a, pollWait); !ok {
			return
		}
	}
}

// wait waits for news of q, tells those who wait, and returns it.
func (d *Desk) wait(q *question, was wire.Approval, wait time.Duration) (a wire.Approval, ok bool) {
	a, err := d.Server.Wait(q.ctx, was.ID, was.Seq, wait)
	if err != nil && passes(err) && pause(q.ctx, retryWait) {
		a, err = d.Server.Wait(q.ctx, was.ID, was.Seq, wait)
	}
	if err == nil && a.ID != was.ID {
		err = fmt.Errorf("asked for approval %s and got %s", was.ID, a.ID)
	}
	if err != nil {
		d.publish(q, was, fmt.Errorf("wait for approval: %w", err))
		return was, false
	}
	d.publish(q, a, nil)
	return a, true
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
