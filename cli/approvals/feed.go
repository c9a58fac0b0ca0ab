package approvals

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

// source tells what waits, and what changes.
type source interface {
	Pending(ctx context.Context) ([]rest.Approval, error)
	// News returns what has changed since a place, as soon as something has;
	// before the first place, which is negative, the newest place at once.
	News(ctx context.Context, after int64, wait time.Duration) (rest.News, error)
}

// batch is something to hear of approvals.
type batch struct {
	items []rest.Approval // the oldest first
	whole bool            // items are all that is pending
	err   error           // why nothing can be heard
}

const (
	patience  = 20 * time.Second // for news
	firstTry  = time.Second      // after the server went away, and twice as long each time
	lastTry   = 15 * time.Second
	maxListed = 1000
)

// follow tells what waits, and then what changes, until ctx ends or the server
// refuses. A server that is away, or restarts, is asked again, and so is one
// that has less than it had.
func follow(ctx context.Context, s source, out chan<- batch) {
	after, try := int64(-1), firstTry
	for {
		b, place := next(ctx, s, after)
		if ctx.Err() != nil {
			return
		}
		after = place
		if b.err != nil || b.whole || len(b.items) > 0 {
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
		}
		switch {
		case b.err == nil:
			try = firstTry
			continue
		case !passes(b.err):
			return
		}
		select {
		case <-time.After(try):
		case <-ctx.Done():
			return
		}
		try = min(2*try, lastTry)
	}
}

// passes reports whether what failed may work in a while.
func passes(err error) bool {
	return fault.Of(err) == fault.Unavailable || fault.Of(err) == fault.Limited
}

// next returns what there is to hear after a place, and the place after it;
// that is negative where everything has to be listed again.
func next(ctx context.Context, s source, after int64) (batch, int64) {
	if after >= 0 {
		news, err := s.News(ctx, after, patience)
		if err != nil {
			return batch{err: err}, -1 // what changes until it works again is found by listing
		}
		if news.After >= after {
			return batch{items: news.Items}, news.After
		}
	}
	news, err := s.News(ctx, -1, 0) // first the place, so that nothing falls between
	if err != nil {
		return batch{err: err}, -1
	}
	items, err := s.Pending(ctx)
	if err != nil {
		return batch{err: err}, -1
	}
	return batch{items: items, whole: true}, news.After
}

// remote is the server's approvals, as far as a query chooses them.
type remote struct {
	client *apiclient.Client
	query  url.Values
}

func (r remote) with(values ...string) url.Values {
	query := make(url.Values, len(r.query)+len(values)/2)
	for name, value := range r.query {
		query[name] = value
	}
	for pair := range slices.Chunk(values, 2) {
		query.Set(pair[0], pair[1])
	}
	return query
}

func (r remote) Pending(ctx context.Context) ([]rest.Approval, error) {
	items, err := apiclient.All[rest.Approval](ctx, r.client, "/approvals", r.with("status", "pending"), maxListed)
	slices.Reverse(items)
	return items, err
}

func (r remote) News(ctx context.Context, after int64, wait time.Duration) (rest.News, error) {
	query := r.with()
	if after >= 0 {
		query = r.with("after", strconv.FormatInt(after, 10), "wait", wait.String())
	}
	return apiclient.Get[rest.News](ctx, r.client, "/approvals/events", query)
}

func (r remote) Get(ctx context.Context, id string) (rest.Approval, error) {
	return apiclient.Get[rest.Approval](ctx, r.client, "/approvals/"+url.PathEscape(id), nil)
}

func (r remote) Body(ctx context.Context, id string) (rest.Body, error) {
	return readBody(ctx, r.client, id)
}

func (r remote) Settle(ctx context.Context, id string, d rest.Decision) (rest.Approval, error) {
	return settle(ctx, r.client, id, d)
}
