package proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
)

// exchange is one request on its way through, and what is known of it so far.
type exchange struct {
	s     *service
	t     *tunnel
	id    string
	proto string // of the client: "h1" or "h2"
	began time.Time

	// ctx ends when the client goes away, when a kill switch names the
	// exchange, and when the run ends. Its cause says which.
	ctx    context.Context
	cancel context.CancelCauseFunc

	r       *http.Request
	body    io.ReadCloser // nil where there is none
	length  int64         // of the body; -1 where it is not known
	upgrade bool          // the client asks to switch protocols
	reply   reply
	waiting func() // called when a long wait begins

	dest        destination
	path, query string // as sent

	kept  []byte // what was read of the body to judge it
	whole bool   // that is all there is

	state     *decide.State
	asked     *wire.Ask             // what a person has granted, until the grant is redeemed
	connector *connectors.Connector // nil where none answers for the host
	action    action.Action
	decision  policy.Decision
	asking    policy.Question // what decision answers
	matter    matter          // that asking points to
	explained bool            // entry.Why is there, or there is none
	client    brought
	approval  wire.Approval

	out      *outbound
	lists    connectors.Lists // whether the answer lists tools
	answer   int64            // bytes of the answer that are kept
	entry    audit.Traffic    // what the records say
	intended bool             // the intent is on record
	ended    bool             // and so is the end
	sent     atomic.Int64     // bytes of body towards the upstream
	received int64
	status   int
}

func newExchange(ctx context.Context, t *tunnel, r *http.Request, proto string) *exchange {
	x := &exchange{s: t.s, t: t, id: "req_" + strings.ToLower(rand.Text()), proto: proto, began: time.Now(), r: r}
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	return x
}

// stages are the path of every request, in order. One that fails refuses it.
var stages = [...]func(*exchange) error{
	(*exchange).bind,
	(*exchange).pin,
	(*exchange).inquire,
	(*exchange).read,
	(*exchange).decide,
	(*exchange).hold,
	(*exchange).equip,
	(*exchange).redeem,
	(*exchange).intend,
	(*exchange).forward,
}

// serve takes the exchange through its stages. A panic in one of them is a
// refusal like any other, and the process stays.
func (x *exchange) serve() {
	defer x.letGo()
	defer func() {
		if p := recover(); p != nil {
			x.s.log.Error("panic in a request", "request", x.id, "panic", p, "stack", string(debug.Stack()))
			x.fail(errPanic)
		}
	}()
	for _, stage := range stages {
		if err := stage(x); err != nil {
			if !errors.Is(err, errAnswered) {
				x.fail(err)
			}
			return
		}
	}
}

var (
	errPanic    = errors.New("a stage panicked")
	errAnswered = errors.New("it is answered")
)

func (x *exchange) letGo() {
	x.s.flows.remove(x)
	x.s.kept.Add(-int64(len(x.kept)) - x.answer)
	x.kept, x.answer = nil, 0
}

// over returns why the exchange must end, or nil.
func (x *exchange) over() error {
	if x.ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(x.ctx)
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		// HTTP/2 ends the context of a request whose client reset it.
		return errClientGone
	}
	return cause
}

func (x *exchange) bind() error {
	d, refused := x.t.bind(x.r)
	x.dest = d
	x.path, x.query = target(x.r)
	x.describe()
	if refused != nil {
		return refused
	}
	return nil
}

// pin takes the configuration that judges this request, from here to its end.
func (x *exchange) pin() (err error) {
	x.state, err = x.s.Current.Load()
	if err != nil {
		return err
	}
	x.entry.Snapshot = x.state.Version()
	x.connector = x.state.Connector(x.dest.host)
	return nil
}

func (x *exchange) decide() error {
	x.decision, x.client = x.weigh(x.state, x.connector, x.action)
	x.entry.DecideUS = time.Since(x.began).Microseconds()
	x.judged()
	// From here a kill switch finds the exchange. One that came since the
	// state was pinned has not: so look again.
	x.s.flows.add(x)
	if st, err := x.s.Current.Load(); st != x.state || err != nil {
		x.judge(st, err)
	}
	if x.decision.Effect == policy.Allow || x.decision.Effect == policy.RequireApproval {
		return x.over()
	}
	return x.denied()
}

// intend puts on record what is about to be done, since it must not be done
// unless it is.
func (x *exchange) intend() error {
	if err := x.over(); err != nil {
		return err
	}
	if err := x.recordIntent(); err != nil {
		return err
	}
	// Writing to a disk takes its time.
	return x.over()
}
