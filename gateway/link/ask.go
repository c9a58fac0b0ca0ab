package link

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/wire"
)

const (
	askTimeout  = 5 * time.Second
	deafTimeout = time.Second // where the server was not there a moment ago
)

// Ask asks a person about a request. It fails with fault.Unavailable where the
// server cannot be reached.
func (l *Link) Ask(ctx context.Context, a wire.Ask) (wire.Approval, error) {
	if err := l.enter(ctx); err != nil {
		return wire.Approval{}, err
	}
	defer l.leave()
	return ask[wire.Approval](ctx, l, http.MethodPost, "/v1/approvals", l.patience(), a)
}

// Wait returns the approval once it is newer than seq, or as it is after wait.
func (l *Link) Wait(ctx context.Context, id string, seq int64, wait time.Duration) (wire.Approval, error) {
	if wait <= 0 {
		if err := l.enter(ctx); err != nil {
			return wire.Approval{}, err
		}
		defer l.leave()
	}
	path := "/v1/approvals/" + url.PathEscape(id) + "?wait=" + wait.String() + "&seq=" + strconv.FormatInt(seq, 10)
	return ask[wire.Approval](ctx, l, http.MethodGet, path, wait+askTimeout, nil)
}

// Changes returns those approvals of the gateway that have changed after a
// place, once there are any, or none after wait.
func (l *Link) Changes(ctx context.Context, after int64, wait time.Duration) (wire.Changes, error) {
	path := "/v1/approvals/changes?wait=" + wait.String() + "&after=" + strconv.FormatInt(after, 10)
	return ask[wire.Changes](ctx, l, http.MethodGet, path, wait+askTimeout, nil)
}

// Use redeems a grant. It fails with fault.Conflict where it is not there any
// more.
func (l *Link) Use(ctx context.Context, id string, u wire.Use) (wire.Approval, error) {
	if err := l.enter(ctx); err != nil {
		return wire.Approval{}, err
	}
	defer l.leave()
	return ask[wire.Approval](ctx, l, http.MethodPost, "/v1/approvals/"+url.PathEscape(id)+"/use", l.patience(), u)
}

// maxCalls is how many calls about approvals are under way at once. It leaves
// room on one connection, which carries 250 at most, for the polls and for what
// else the link has to say.
const maxCalls = 100

// enter waits for its turn. Whoever was let in calls leave.
func (l *Link) enter(ctx context.Context) error {
	select {
	case l.calls <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Link) leave() { <-l.calls }

func (l *Link) patience() time.Duration {
	if l.reachable() {
		return askTimeout
	}
	return deafTimeout
}

func ask[T any](ctx context.Context, l *Link, method, path string, timeout time.Duration, in any) (T, error) {
	if err := l.usable(); err != nil {
		var none T
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := call[T](ctx, l.client.Load(), method, path, in)
	l.heard(err)
	return out, err
}
