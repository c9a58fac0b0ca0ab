package hold

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

// poll is the one long poll for all that wait.
//
// It knows a place among the server's changes, and hears of every change after
// it. A question that was asked before there was a place, or while there is
// one, is looked at once more after it is listened for: so no change falls
// between.
type poll struct {
	cancel context.CancelFunc
	placed atomic.Bool // it knows its place
	alone  atomic.Bool // the server is too old: each question polls for itself
}

// looksAtOnce is how many questions are looked at at a time.
const looksAtOnce = 16

var errNowhere = errors.New("the server does not say which change was the last")

// listen tells the questions of what becomes of them until ctx ends, which is
// when there are none.
func (d *Desk) listen(ctx context.Context, p *poll) {
	var after int64
	failed := false
	for ctx.Err() == nil {
		c, err := d.Server.Changes(ctx, after, pollWait)
		if err == nil && c.After <= 0 {
			err = errNowhere
		}
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failed = false
			d.tell(c.Approvals)
			anew := after == 0 || c.After < after // as after a restore
			if after = c.After; anew {
				p.placed.Store(true) // from here on whoever comes looks for themselves
				d.each(false)
			}
		case fault.Of(err) == fault.NotFound:
			p.alone.Store(true)
			d.each(true)
			return
		case !failed && passes(err) && pause(ctx, retryWait):
			failed = true
		default:
			d.lose(p, fmt.Errorf("wait for approvals: %w", err))
			return
		}
	}
}

// passes reports whether a second try may do better: a connection may break, or
// be one too many, without the server being gone.
func passes(err error) bool {
	return fault.Of(err) == fault.Unavailable || fault.Of(err) == fault.Limited
}

// tell passes on what has changed.
func (d *Desk) tell(changed []wire.Approval) {
	for _, a := range changed {
		d.mu.Lock()
		q := d.open[a.ID]
		d.mu.Unlock()
		if q != nil {
			d.publish(q, a, nil)
		}
	}
}

// all returns the questions that wait.
func (d *Desk) all() []*question {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]*question, 0, len(d.open))
	for _, q := range d.open {
		all = append(all, q)
	}
	return all
}

// each looks at every question, or follows each.
func (d *Desk) each(follow bool) {
	var g errgroup.Group
	if !follow {
		g.SetLimit(looksAtOnce)
	}
	for _, q := range d.all() {
		g.Go(func() error {
			if !follow {
				d.look(q)
				return nil
			}
			d.mu.Lock()
			a := q.latest
			d.mu.Unlock()
			d.follow(q, a)
			return nil
		})
	}
	_ = g.Wait() // they tell of their own failures
}

// lose lets everybody know that there is nobody to hear from.
func (d *Desk) lose(p *poll, err error) {
	d.mu.Lock()
	if d.poll == p {
		d.poll = nil // whoever comes now begins another
	}
	d.mu.Unlock()
	p.cancel()
	for _, q := range d.all() {
		d.publish(q, wire.Approval{}, err)
	}
}
