package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

// refusal is an answer of ours. Nothing in it comes from an upstream or from a
// credential.
type refusal struct {
	status     int
	code       string
	detail     string // a sentence
	suggestion string // another, on what to do
	rule       string
	retry      int  // seconds; 0 is no advice
	last       bool // the connection cannot go on
	cause      error
}

func (r *refusal) Error() string {
	if r.cause != nil {
		return r.code + ": " + r.cause.Error()
	}
	return r.code + ": " + r.detail
}

func (r *refusal) Unwrap() error { return r.cause }

// titles begin the reason phrase, which is all that many clients print.
var titles = map[string]string{
	"denied":               "Denied by TameFlare",
	"kill_switch":          "Stopped by TameFlare",
	"approval_denied":      "Denied by TameFlare",
	"approval_expired":     "Approval expired at TameFlare",
	"approval_pending":     "Waiting for approval at TameFlare",
	"rate_limited":         "Limited by TameFlare",
	"misdirected":          "Misdirected request at TameFlare",
	"malformed":            "Malformed request at TameFlare",
	"unavailable":          "TameFlare unavailable",
	"upstream_unreachable": "Upstream unreachable through TameFlare",
	"answer_withheld":      "Answer withheld by TameFlare",
	"unauthenticated":      "Token needed by TameFlare",
	"not_found":            "Not found at TameFlare",
}

// denied is the refusal of what the rules do not allow.
func (x *exchange) denied() *refusal {
	d := x.decision
	if d.By == policy.ByKillSwitch {
		return stopped(d)
	}
	if d.By == byClientKey {
		return &refusal{status: http.StatusForbidden, code: "denied", detail: d.Reason, suggestion: x.client.suggestion}
	}
	return &refusal{
		status: http.StatusForbidden, code: "denied", detail: d.Reason, rule: d.Rule,
		suggestion: "Do not repeat this request. Find another way, or ask the people who run this gateway to allow it.",
	}
}

func stopped(d policy.Decision) *refusal {
	return &refusal{
		status: http.StatusForbidden, code: "kill_switch", detail: d.Reason, rule: d.Rule,
		suggestion: "Stop what you are doing and wait until a person lifts the kill switch.",
	}
}

func limited(detail string) *refusal {
	return &refusal{status: http.StatusTooManyRequests, code: "rate_limited", detail: detail, retry: 5, suggestion: "Send fewer requests at once."}
}

func unavailable(detail string, cause error) *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable, code: "unavailable", detail: detail, retry: 5, cause: cause,
		suggestion: "Nothing was sent. Try again later.",
	}
}

func unreachable(detail string, cause error) *refusal {
	return &refusal{status: http.StatusBadGateway, code: "upstream_unreachable", detail: detail, cause: cause}
}

// refusalOf finds the answer for err. What nobody classified is ours, and says
// no more than that.
func refusalOf(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	if k, ok := errors.AsType[killed](err); ok {
		return stopped(k.decision)
	}
	detail := fault.Message(err)
	switch fault.Of(err) {
	case fault.Invalid:
		return &refusal{status: http.StatusBadRequest, code: "malformed", detail: detail, cause: err}
	case fault.Forbidden:
		return &refusal{status: http.StatusForbidden, code: "denied", detail: detail, cause: err}
	case fault.Limited:
		return &refusal{status: http.StatusTooManyRequests, code: "rate_limited", detail: detail, retry: 5, cause: err}
	case fault.Unavailable:
		return unavailable(detail, err)
	case fault.Internal, fault.Unauthenticated, fault.NotFound, fault.Conflict, fault.Expired:
	}
	return unavailable("The gateway could not handle this request safely, so it did not send it.", err)
}

// fail ends the exchange without the upstream's answer.
func (x *exchange) fail(err error) {
	over := x.over()
	if over != nil {
		err = over
	}
	k, stop := errors.AsType[killed](err)
	if stop && !x.intended {
		x.decision = k.decision
		x.judged()
	}
	if errors.Is(err, errClientGone) || errors.Is(err, errRunEnded) || x.reply.begun() {
		var why *refusal
		if stop {
			why = stopped(k.decision)
		} else if r, ok := errors.AsType[*refusal](err); ok { // of what came after the head of the answer
			why = r
		}
		x.recordEnd(why, err)
		x.reply.abort()
		return
	}
	if errors.Is(err, errRevoked) {
		err = unavailable("This gateway may not forward requests any more.", err)
	}
	why := refusalOf(err)
	if x.intended && why.code == "unavailable" {
		why = unsure(why)
	}
	x.refuse(why)
}

// unsure is why, for a request that may be under way already: nobody must be
// led to send it twice.
func unsure(why *refusal) *refusal {
	w := *why
	if errors.Is(why.cause, errPanic) {
		w.detail = "The gateway could not handle the answer to this request safely."
	}
	w.retry, w.suggestion = 0, "The service may have done it already. Look there before you send it again."
	return &w
}

// refuse answers with why, on record.
func (x *exchange) refuse(why *refusal) {
	p := connectors.Problem{
		Type:   "https://tameflare.com/problems/" + why.code,
		Title:  titles[why.code],
		Status: why.status, Detail: why.detail, Code: why.code,
		Decision: x.entry.Decision, Action: x.action.Name, Rule: why.rule, Suggestion: why.suggestion,
		Instance: x.id, RequestID: x.id,
		ApprovalID: x.approval.ID, ApprovalURL: x.approval.URL, Decider: x.approval.Decider, Reason: x.approval.Note,
	}
	if x.approval.ID != "" {
		p.StatusURL = statusURL(x.approval.ID)
	}
	if x.approval.Status == approval.Pending && !x.approval.ExpiresAt.IsZero() {
		p.ExpiresAt = x.approval.ExpiresAt.UTC().Format(time.RFC3339)
	}
	if p.Rule == "" {
		p.Rule = x.decision.Rule
	}
	if x.decision.By == policy.ByPolicy && x.state != nil {
		p.Policy, p.PolicyRule, p.PolicyLine = x.state.Clause(x.decision)
	}
	var service *connectors.Type
	q := x.question()
	if x.connector != nil {
		service = x.connector.Type()
		q.Body = x.known(x.connector.NeedsBody(q))
	}
	shaped := service.Refusal(q, p)
	status := cmp.Or(shaped.Status, why.status)
	h := http.Header{"Content-Type": {shaped.ContentType}, "Cache-Control": {"no-store"}, requestID: {x.id}}
	if why.code == "kill_switch" {
		h[killSwitch] = []string{"active"}
	}
	if why.status == http.StatusUnauthorized {
		h["Www-Authenticate"] = []string{`Bearer realm="TameFlare", error="invalid_token"`}
	}
	if why.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(why.retry))
	}
	// On record is what the client got, which need not be the problem's own
	// status: git is told of a refused push in an answer that is a success. What
	// was decided is in the decision and the code.
	x.status = status
	x.recordEnd(why, why.cause)
	if why.last {
		x.reply.finish()
	} else if status < http.StatusBadRequest {
		x.hearOut()
	}
	if err := x.answerWith(status, phrase(p.Title+": "+p.Detail), h, shaped.Body); err != nil {
		x.reply.abort()
	}
}

// hearing is how much of a refused request's body is read so that its client
// comes to reading the answer.
const hearing = 64 << 20

// hearOut reads what is left of the body, and keeps nothing. A client that is
// answered early stops sending when the status is an error; with any other it
// goes on, and would find the connection closed before it reads why.
func (x *exchange) hearOut() {
	if x.body != nil && !x.whole {
		_, _ = io.CopyN(io.Discard, x.body, hearing) // the answer follows all the same
	}
}

const (
	requestID  = "X-Tameflare-Request-Id"
	killSwitch = "X-Tameflare-Kill-Switch"
)

func (x *exchange) answerWith(status int, reason string, h http.Header, body []byte) error {
	if err := x.reply.begin(status, reason, h, int64(len(body)), false); err != nil {
		return fmt.Errorf("begin answer: %w", err)
	}
	if _, err := x.reply.Write(body); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return x.reply.end(nil)
}
