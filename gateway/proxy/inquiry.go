package proxy

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

// statusHost is where a process asks what has become of its approvals. No name
// below .invalid exists (RFC 6761): whoever goes past the proxy reaches nobody,
// and the proxy never looks it up.
const statusHost = "tameflare.invalid"

func statusURL(id string) string { return "http://" + statusHost + "/approvals/" + id }

// inquiryPath is the path of one approval, at the dashboard and at statusHost.
var inquiryPath = regexp.MustCompile(`^/approvals/(apr_[A-Za-z0-9]{1,100})$`)

const longestInquiry = time.Minute

// inquire answers a process that asks about an approval: at statusHost, and at
// the address that people decide at, which the process knows just as well. The
// answer is the gateway's own. Nothing is forwarded, so there is nothing to
// decide, and nothing to put on record.
func (x *exchange) inquire() error {
	id, ours := x.inquired()
	if !ours {
		return nil
	}
	x.ended, x.connector = true, nil
	switch {
	case id == "":
		return noInquiry("Here is only GET /approvals/ with the ID of an approval.")
	case !x.showsToken():
		return &refusal{
			status: http.StatusUnauthorized, code: "unauthenticated",
			detail:     "This address answers the process of a run, and wants the token of that run.",
			suggestion: "Send the header Authorization: Bearer followed by the value of the environment variable TAMEFLARE_RUN_TOKEN.",
		}
	}
	wait, err := x.patience()
	if err != nil {
		return err
	}
	if !x.s.inquiries.enter(time.Now()) {
		return &refusal{
			status: http.StatusTooManyRequests, code: "rate_limited", retry: 5,
			detail:     "This run asks about its approvals too often.",
			suggestion: "Add ?wait=60s to the address: then one question waits for the answer.",
		}
	}
	defer x.s.inquiries.leave()
	a, err := x.s.Desk.Look(x.ctx, id, 0)
	// What others have asked for is none of this process's business, and is not
	// there.
	if err == nil && (a.Principal == "" || a.Principal != audit.Plain(x.s.run.Principal, maxPrincipal)) {
		err = fault.New(fault.NotFound, "", nil)
	}
	if err == nil && a.Status == approval.Pending && wait > 0 {
		a, err = x.s.Desk.Look(x.ctx, id, wait)
	}
	switch over := x.over(); {
	case over != nil:
		return over
	case fault.Of(err) == fault.NotFound:
		return noInquiry("This gateway has asked for no such approval for you.")
	case err != nil:
		return &refusal{
			status: http.StatusServiceUnavailable, code: "unavailable", retry: 5, cause: err,
			detail: "Nobody can say now what has become of this approval.", suggestion: "Ask again later.",
		}
	}
	if err := x.answerInquiry(a); err != nil {
		x.reply.abort()
	}
	return errAnswered
}

// maxPrincipal is how much the server keeps of a principal.
const maxPrincipal = 500

func noInquiry(detail string) *refusal {
	return &refusal{status: http.StatusNotFound, code: "not_found", detail: detail}
}

// inquired reports whether the request asks about an approval, and about which.
func (x *exchange) inquired() (id string, ours bool) {
	m := inquiryPath.FindStringSubmatch(x.path)
	if x.r.Method != http.MethodGet {
		m = nil
	}
	if m != nil {
		id = m[1]
	}
	if x.dest.host == statusHost {
		return id, true
	}
	if m == nil {
		return "", false
	}
	dashboard, err := url.Parse(x.state.BaseURL())
	return id, err == nil && dashboard.Host != "" && x.dest.scheme == dashboard.Scheme && x.dest.names(dashboard.Host)
}

func (x *exchange) showsToken() bool {
	values := x.r.Header["Authorization"]
	if len(values) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	want := x.s.keys.Token().Reveal()
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(want)) == 1
}

// patience is how long the process wants to wait for a decision.
func (x *exchange) patience() (time.Duration, error) {
	given, err := url.ParseQuery(x.query)
	if err == nil && !given.Has("wait") {
		return 0, nil
	}
	wait, perr := time.ParseDuration(given.Get("wait"))
	if err != nil || perr != nil || wait < 0 {
		return 0, &refusal{status: http.StatusBadRequest, code: "malformed", detail: "Write wait as a duration, such as 20s; 60s is the longest."}
	}
	return min(wait, longestInquiry), nil
}

// inquiry is the answer.
type inquiry struct {
	ID          string          `json:"id"`
	Status      approval.Status `json:"status"`
	Action      string          `json:"action,omitempty"`
	Sentence    string          `json:"sentence,omitempty"`
	Detail      string          `json:"detail"`
	Decider     string          `json:"decider,omitempty"`
	Reason      string          `json:"reason,omitempty"` // what the decider said
	ExpiresAt   string          `json:"expires_at,omitempty"`
	Retry       string          `json:"retry,omitempty"` // what to send, where that helps
	ApprovalURL string          `json:"approval_url,omitempty"`
	StatusURL   string          `json:"status_url"`
}

func (x *exchange) answerInquiry(a wire.Approval) error {
	out := inquiry{
		ID: a.ID, Status: a.Status, Action: a.Action, Sentence: a.Sentence, Decider: a.Decider, Reason: a.Note,
		ApprovalURL: a.URL, StatusURL: statusURL(a.ID),
	}
	out.Detail, out.Retry = became(a)
	if !a.ExpiresAt.IsZero() && !a.Status.Final() {
		out.ExpiresAt = a.ExpiresAt.UTC().Format(time.RFC3339)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	x.status = http.StatusOK
	return x.answerWith(http.StatusOK, "OK", http.Header{
		"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, requestID: {x.id},
	}, body)
}

// inquiries keeps a run from asking about its approvals without end. The zero
// inquiries is ready.
type inquiries struct {
	mu   sync.Mutex
	at   int       // under way
	full time.Time // when the run may ask inquiryBurst times at once again
}

const (
	inquiriesAtOnce = 64
	inquiryBurst    = 40
	inquiryEvery    = 250 * time.Millisecond
)

// enter reports whether the run may ask now, and counts it. Who was let in
// calls leave.
func (i *inquiries) enter(now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	full := i.full
	if full.Before(now) {
		full = now
	}
	if full = full.Add(inquiryEvery); i.at >= inquiriesAtOnce || full.Sub(now) > inquiryBurst*inquiryEvery {
		return false
	}
	i.at, i.full = i.at+1, full
	return true
}

func (i *inquiries) leave() {
	i.mu.Lock()
	i.at--
	i.mu.Unlock()
}
