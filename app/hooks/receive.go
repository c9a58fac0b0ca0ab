package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// Decisions is the address that decisions are posted to.
const Decisions = "POST /hooks/{id}/decisions"

// Inbounds keeps who may send decisions: see app/integrations.
type Inbounds interface {
	ByID(ctx context.Context, id string) (integration.Integration, error)
	Secrets(ctx context.Context, i integration.Integration) (credential.Secret, error)
	Refused(ctx context.Context, i integration.Integration, e audit.Event)
	Did(ctx context.Context, id string, err error)
}

// Seen remembers the messages that came in.
type Seen interface {
	SeeMessage(ctx context.Context, integrationID, nonce string, at time.Time) error
	ForgetMessage(ctx context.Context, integrationID, nonce string) error
}

// People knows who is in a team.
type People interface {
	UserByEmail(ctx context.Context, email string) (team.User, error)
	Viewer(ctx context.Context, userID, teamID string) (team.Viewer, error)
}

// Approvals is where decisions end.
type Approvals interface {
	Get(ctx context.Context, teamID, id string) (approval.Approval, error)
	Decide(ctx context.Context, v team.Viewer, id string, choice approval.Decision) (approval.Approval, error)
}

// Receiver takes decisions from programs of a team's. Whom a message names as
// the approver is who decides: they have to be in the team, and to be allowed
// to, just as if they sat before a page.
type Receiver struct {
	Integrations Inbounds
	Seen         Seen
	People       People
	Approvals    Approvals
	BaseURL      string
	IP           func(*http.Request) string
	Now          func() time.Time
	Log          *slog.Logger
}

// Decision is what is posted.
type Decision struct {
	ApprovalID string `json:"approval_id"`
	Decision   string `json:"decision"` // "approve" or "deny"
	Reason     string `json:"reason,omitempty"`
	Approver   string `json:"approver"` // e-mail address of the member who decides
}

// Outcome is the answer to a decision that was carried out.
type Outcome struct {
	ApprovalID string `json:"approval_id"`
	Status     string `json:"status"`           // of the approval, as it is now
	Agreed     int    `json:"agreed,omitempty"` // of as many as it needs, where others have to agree as well
	Needs      int    `json:"needs"`
	Decider    string `json:"decider,omitempty"`
	Page       string `json:"page"`
}

// Problem is the answer to one that was not (RFC 9457).
type Problem struct {
	wire.Problem
	Why string `json:"why,omitempty"` // in a word
}

const maxMessage = 16 << 10

// refused is why a message is not carried out, in a word for the trail.
type refused struct {
	why string
	error
}

func (r *refused) Unwrap() error { return r.error }

func refuse(why string, kind fault.Kind, sentence string) error {
	return &refused{why, fault.New(kind, sentence, nil)}
}

// ServeHTTP answers a message. Each that is not carried out has one entry in
// the team's trail, but for those to nobody's address, and those that come
// again after they were carried out, which get the same answer again.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	i, err := rc.Integrations.ByID(ctx, r.PathValue("id"))
	if err == nil && i.Kind != integration.Inbound {
		err = fault.New(fault.NotFound, "There is no such integration.", nil)
	}
	if err != nil {
		rc.fail(w, r, err)
		return
	}
	m, err := rc.read(r, i)
	var out Outcome
	if err == nil {
		out, err = rc.carryOut(ctx, i, m)
	}
	if err != nil {
		rc.note(ctx, i, m, err)
		rc.fail(w, r, err)
		return
	}
	rc.Integrations.Did(ctx, i.ID, nil)
	rc.write(w, http.StatusOK, "application/json", out)
}

// note records that a message was not carried out.
func (rc *Receiver) note(ctx context.Context, i integration.Integration, m received, err error) {
	why := fault.Of(err).String()
	if r, ok := errors.AsType[*refused](err); ok {
		why = r.why
	}
	e := audit.Event{
		Type: "integration.refused", Actor: audit.Actor{Kind: audit.BySystem, Name: i.Name, Auth: "inbound", IP: m.ip},
		Detail: map[string]string{"kind": string(i.Kind), "why": why, "message": audit.Plain(m.id, maxText)},
	}
	if m.verified { // what a stranger writes is not put into the trail
		e.Detail["approval"], e.Detail["approver"] = audit.Plain(m.ApprovalID, maxText), audit.Plain(m.Approver, maxText)
	} else {
		e.Detail["message"] = ""
	}
	rc.Integrations.Refused(ctx, i, e)
}

// received is a message, as far as it was understood.
type received struct {
	Decision
	id, ip   string
	verified bool
}

var messageIDs = regexp.MustCompile(`^[!-~]{1,200}$`)

// read fails with fault.Unauthenticated where nobody who knows the secret can
// have sent the message now, and with fault.Invalid where it makes no sense.
func (rc *Receiver) read(r *http.Request, i integration.Integration) (received, error) {
	m := received{id: r.Header.Get(HeaderID), ip: rc.IP(r)}
	stamp, sig := r.Header.Get(HeaderTimestamp), r.Header.Get(HeaderSignature)
	if !messageIDs.MatchString(m.id) || strings.Contains(m.id, ".") || stamp == "" || sig == "" {
		return m, refuse("unsigned", fault.Unauthenticated, "Sign the message: it needs the headers webhook-id, webhook-timestamp and webhook-signature.")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxMessage+1))
	if err != nil {
		return m, refuse("broken", fault.Invalid, "The message did not arrive in full.")
	}
	if len(body) > maxMessage {
		return m, refuse("too_large", fault.Invalid, "A message has at most 16 kB.")
	}
	plain, err := rc.Integrations.Secrets(r.Context(), i)
	if err != nil {
		return m, err
	}
	k, err := parseKeys(plain)
	if err != nil {
		return m, err
	}
	now := rc.Now()
	if !k.verify(m.id, stamp, sig, now, body) {
		return m, refuse("signature", fault.Unauthenticated, "The signature is not one of this integration's secret over webhook-id, webhook-timestamp and the body.")
	}
	m.verified = true
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Unix(at, 0).Before(now.Add(-Tolerance)) || time.Unix(at, 0).After(now.Add(Tolerance)) {
		return m, refuse("timestamp", fault.Unauthenticated, "The message is more than five minutes old, or of the future. Sign it again, and look at the clocks.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m.Decision); err != nil || d.Decode(new(any)) != io.EOF {
		m.Decision = Decision{}
		return m, refuse("malformed", fault.Invalid, "The body is one JSON object with approval_id, decision, approver and, where you like, reason.")
	}
	if m.Decision.Decision != "approve" && m.Decision.Decision != "deny" || m.ApprovalID == "" || m.Approver == "" {
		return m, refuse("malformed", fault.Invalid, "Say approval_id, the approver's e-mail address, and approve or deny as the decision.")
	}
	if !i.Enabled {
		return m, refuse("off", fault.Forbidden, "This integration is switched off.")
	}
	return m, nil
}

// fail answers with a problem (RFC 9457).
func (rc *Receiver) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.Of(err)
	if kind == fault.Internal {
		rc.Log.ErrorContext(r.Context(), "a signed decision failed", "error", err)
	}
	p := Problem{Problem: wire.Problem{
		Type: "about:blank", Title: http.StatusText(kind.Status()), Status: kind.Status(), Detail: fault.Message(err), Code: kind.String(),
	}}
	if re, ok := errors.AsType[*refused](err); ok {
		p.Why = re.why
	}
	rc.write(w, kind.Status(), "application/problem+json", p)
}

func (rc *Receiver) write(w http.ResponseWriter, status int, contentType string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "Something went wrong on our side.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // it fails only where the other side has left
}
