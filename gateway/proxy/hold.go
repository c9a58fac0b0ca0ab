package proxy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
)

// hold asks a person, where the decision says so, and returns nil once there is
// a grant for exactly this request. The client is there then; whoever has gone
// in between gets nothing done, also not afterwards.
func (x *exchange) hold() error {
	if x.decision.Effect != policy.RequireApproval {
		return nil
	}
	if x.s.holds.Add(1) > int64(x.s.limits.Holds) {
		x.s.holds.Add(-1)
		return limited("Too many requests of this run wait for a person already.")
	}
	defer x.s.holds.Add(-1)
	ask, err := x.prepare()
	if err != nil || ask == nil {
		return err
	}
	began := time.Now()
	err = x.wait(ask)
	x.entry.HeldMS, x.entry.Approval = time.Since(began).Milliseconds(), x.approval.ID
	if err := x.answered(err); err != nil {
		return err
	}
	if err := x.still(ask.Fingerprint); err != nil {
		return err
	}
	x.asked = ask
	return nil
}

// prepare returns what a person is to be asked, or nothing where nobody needs
// to be after all.
func (x *exchange) prepare() (*wire.Ask, error) {
	if err := x.keepAll(); err != nil {
		return nil, err
	}
	// More of the body is known now, and it is later.
	x.decision, x.client = x.weigh(x.state, x.connector, x.action)
	x.judged()
	switch x.decision.Effect {
	case policy.RequireApproval:
	case policy.Allow:
		return nil, nil //nolint:nilnil // it passes
	default:
		return nil, x.denied()
	}
	if err := x.sendable(); err != nil {
		return nil, err // nobody is asked for what would be refused after all
	}
	x.waiting()
	x.tell(true)
	return x.ask(), nil
}

// wait waits for the decision. Thousands may do so at once, each with what its
// goroutine's stack holds: so little else is in here.
func (x *exchange) wait(ask *wire.Ask) (err error) {
	x.approval, err = x.s.Desk.Hold(x.ctx, ask, x.decision.Hold)
	return err
}

// answered is why the request must not go, once the wait is over.
func (x *exchange) answered(err error) error {
	if over := x.over(); over != nil {
		return over
	}
	if err != nil {
		return unasked(err)
	}
	if x.approval.Status != approval.Approved {
		return x.settled(x.approval)
	}
	return nil
}

// unasked says why a person could not be asked.
func unasked(err error) error {
	switch {
	case errors.Is(err, decide.ErrKilled):
		return killedAtServer(err)
	case fault.Of(err) == fault.Limited:
		return err
	}
	return unavailable("Nobody can be asked about this request now.", err)
}

// killedAtServer is for a kill switch that the server knows of and this
// gateway does not yet.
func killedAtServer(err error) error {
	return killed{policy.Decision{By: policy.ByKillSwitch, Reason: fault.Message(err)}}
}

// keepAll reads the whole body: what a person grants is what is sent, so all
// of it must be known before.
func (x *exchange) keepAll() error {
	if err := x.keep(x.s.limits.Body); err != nil {
		return err
	}
	switch {
	case !x.whole:
		return &refusal{
			status: http.StatusForbidden, code: "denied", rule: x.decision.Rule,
			detail:     "This request needs a person's approval, and its body is too large to be kept until then.",
			suggestion: "Send it in smaller parts.",
		}
	case len(x.r.Trailer) > 0:
		return &refusal{
			status: http.StatusForbidden, code: "denied", rule: x.decision.Rule,
			detail:     "This request needs a person's approval, and it has trailers, which nobody could look at.",
			suggestion: "Send it without trailers.",
		}
	}
	return nil
}

// ask is what the person is asked.
func (x *exchange) ask() *wire.Ask {
	digest := sha256.Sum256(x.kept)
	return &wire.Ask{
		Fingerprint: x.fingerprint(),
		RequestID:   x.id,
		RunID:       x.s.run.ID,
		Principal:   x.s.run.Principal,
		RuleID:      x.decision.Rule,
		Reason:      x.decision.Reason,
		TTL:         x.decision.TTL,
		Approvers:   x.decision.Approvers,
		Action:      x.action,
		Sentence:    x.sentence(),
		Method:      x.r.Method,
		URL:         x.shownURL(),
		BodyDigest:  hex.EncodeToString(digest[:]),
		BodySize:    int64(len(x.kept)),
		Body:        x.shownBody(),
		BodyType:    strings.Join(x.r.Header["Content-Type"], ", "),
		BodyCoding:  strings.Join(x.r.Header["Content-Encoding"], ", "),
	}
}

// sentence says what the request would do, in the words of its connector.
func (x *exchange) sentence() string {
	if x.connector == nil {
		return connectors.Sentence(x.action)
	}
	return x.connector.Sentence(x.action)
}

// fingerprint names this request: a grant fits no other.
func (x *exchange) fingerprint() string {
	digest := sha256.Sum256(x.essence())
	credential, _ := x.state.Credential(x.connector)
	id := credential.ID
	u := url.URL{Scheme: x.dest.scheme, RawQuery: x.query}
	switch {
	case x.client.own != "": // the grant is for that key, wherever it stands
		id = x.client.own
	case x.connector != nil:
		x.connector.Strip(http.Header{}, &u)
	}
	return approval.Request{
		GatewayID:     x.state.GatewayID(),
		Principal:     x.s.run.Principal,
		Action:        x.action.Name,
		Method:        x.r.Method,
		Scheme:        x.dest.scheme,
		Authority:     x.dest.authority(),
		Path:          x.path,
		Query:         u.RawQuery,
		ContentType:   strings.Join(x.r.Header["Content-Type"], ", "),
		ContentCoding: strings.Join(x.r.Header["Content-Encoding"], ", "),
		BodyDigest:    hex.EncodeToString(digest[:]),
		CredentialID:  id,
		RuleID:        grantor(x.decision),
		Params:        judgedBy(x.action) + "\n" + x.means() + x.lookedAt(),
	}.Fingerprint()
}

// grantor names what a grant is needed for, and who can give it: a policy may
// want more people than the rule that is named.
func grantor(d policy.Decision) string {
	if d.Approvers == (policy.Approvers{}) {
		return d.Rule
	}
	who := fmt.Sprintf("%s by %d %s", d.Rule, d.Approvers.Count, d.Approvers.Role)
	if d.Approvers.HasTerms() {
		who += fmt.Sprintf(" of %q, not self %t, fresh %t", d.Approvers.Group, d.Approvers.NotSelf, d.Approvers.StepUp)
	}
	return who
}

// means is what the request's headers say about what it does.
func (x *exchange) means() string {
	if x.connector == nil {
		return ""
	}
	return x.connector.Means(x.r.Header)
}

// lookedAt writes out the headers that policies look at, so that a grant does
// not fit a request that shows them another value. It is "" where the request
// has none of them.
func (x *exchange) lookedAt() string {
	uses := x.state.Uses()
	if len(uses.Headers) == 0 {
		return ""
	}
	shown := x.shownHeaders(uses.Headers)
	if len(shown) == 0 {
		return ""
	}
	text, err := json.Marshal(shown) // in the order of its keys
	if err != nil {
		panic("proxy: " + err.Error()) // strings
	}
	return "\n" + string(text)
}

// judgedBy writes out what a was judged by, without the key that clients make
// anew for each try of the same request.
func judgedBy(a action.Action) string {
	params := maps.Clone(a.Params)
	delete(params, "idempotency_key")
	text, err := json.Marshal(params) // in the order of its keys
	if err != nil {
		panic("proxy: " + err.Error()) // strings, numbers and lists of strings
	}
	return string(text)
}

// essence is the body, without what a repetition of the request would not have
// in common with it.
func (x *exchange) essence() []byte {
	if x.connector == nil {
		return x.kept
	}
	q := x.question()
	q.Body = x.known(x.connector.NeedsBody(q))
	if e, ok := x.connector.Essence(q); ok {
		return e
	}
	return x.kept
}

// still looks whether what was decided before the wait would be decided again:
// configuration may have changed meanwhile, and a grant is for what was asked.
func (x *exchange) still(fingerprint string) error {
	st, err := x.s.Current.Load()
	if err != nil {
		return err
	}
	if st == x.state && !st.Judges() { // policies may mind the time that it is now
		return nil
	}
	connector := st.Connector(x.dest.host)
	named, err := x.nameAgain(connector)
	if err != nil {
		return err
	}
	decision, client := x.weigh(st, connector, named)

	x.s.flows.mu.Lock() // a new state is held against these
	x.state, x.connector, x.action, x.decision, x.client = st, connector, named, decision, client
	x.s.flows.mu.Unlock()
	x.judged()
	x.entry.Snapshot = st.Version()
	if decision.Effect == policy.Deny {
		return x.denied()
	}
	if decision.Effect == policy.RequireApproval && x.fingerprint() != fingerprint {
		return &refusal{
			status: http.StatusForbidden, code: "approval_expired", rule: decision.Rule,
			detail:     "The configuration has changed while this request waited, so its approval does not fit any more.",
			suggestion: "Send the request again to ask again.",
		}
	}
	return nil
}

func (x *exchange) nameAgain(c *connectors.Connector) (action.Action, error) {
	q := x.question()
	if c == nil {
		return connectors.Unmatched(q), nil
	}
	q.Body = x.known(c.NeedsBody(q))
	return c.Read(q)
}

// redeem uses the grant up, where there is one. That is done once the request
// is ready to go, so that a grant is not spent on one that is refused after
// all; but a client that goes away just then has spent it.
func (x *exchange) redeem() error {
	if x.asked == nil {
		return nil
	}
	err := x.s.Desk.Use(x.ctx, x.approval.ID, wire.Use{Fingerprint: x.asked.Fingerprint, RequestID: x.asked.RequestID})
	if over := x.over(); over != nil {
		return over
	}
	switch {
	case err == nil:
		return nil
	case fault.Of(err) == fault.Conflict, fault.Of(err) == fault.Expired, fault.Of(err) == fault.NotFound:
		return &refusal{
			status: http.StatusForbidden, code: "approval_expired", rule: x.decision.Rule, cause: err,
			detail:     "The approval of this request was used already, or has lapsed.",
			suggestion: "Send the request again to ask again, if it is still needed.",
		}
	case errors.Is(err, decide.ErrKilled):
		return killedAtServer(err)
	}
	return unavailable("The approval of this request cannot be confirmed now.", err)
}
