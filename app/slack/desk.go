package slack

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// inline is for how long an answer is waited for before Slack is told that
	// the message has come. Slack shows a failure after three seconds.
	inline = 250 * time.Millisecond

	clerks  = 32 // some wait for Slack while others decide
	queue   = 128
	errands = 15 * time.Second // what one message may take
)

// desk is where messages wait for somebody to see to them.
type desk struct {
	once  sync.Once
	in    chan func(context.Context)
	poked chan struct{} // there may be other connections to keep
}

func (d *desk) open() *desk {
	d.once.Do(func() { d.in, d.poked = make(chan func(context.Context), queue), make(chan struct{}, 1) })
	return d
}

func (s *Service) inbox() chan func(context.Context) { return s.desk.open().in }
func (s *Service) poking() chan struct{}             { return s.desk.open().poked }

// Run sees to what comes in, and keeps the connections of Socket Mode, until
// ctx ends. What has come in by then is brought to its end.
func (s *Service) Run(ctx context.Context) error {
	var working sync.WaitGroup
	for range clerks {
		working.Go(func() { s.clerk(ctx) })
	}
	s.sockets(ctx)
	working.Wait()
	return nil
}

func (s *Service) clerk(ctx context.Context) {
	for {
		select {
		case job := <-s.inbox():
			s.see(ctx, job)
			continue
		case <-ctx.Done():
		}
		select { // what is left
		case job := <-s.inbox():
			s.see(ctx, job)
		default:
			return
		}
	}
}

func (s *Service) see(ctx context.Context, job func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), errands)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(ctx, "a message from Slack caused a panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	job(ctx)
}

// hand gives a message to somebody who sees to it, and waits a little for
// what there is to answer. It returns false for ok where nobody can.
func (s *Service) hand(to office, l letter) (answer string, ok bool) {
	told := make(chan string) // nobody takes it who has left
	left := make(chan struct{})
	defer close(left)
	job := func(ctx context.Context) {
		r := s.handle(ctx, to, l)
		select {
		case told <- r.inline(l):
			r.said = r.inline(l) != ""
		case <-left:
		}
		s.after(ctx, to, l, r)
	}
	select {
	case s.inbox() <- job:
	default:
		return "", false
	}
	patience := time.NewTimer(inline)
	defer patience.Stop()
	select {
	case answer = <-told:
	case <-patience.C:
	}
	return answer, true
}
