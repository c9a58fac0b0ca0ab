package hooks

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/outbound"
	delivery "github.com/tameflare/tameflare/app/outbox"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
)

// Integrations keeps integrations: see app/integrations.
type Integrations interface {
	Find(ctx context.Context, teamID, id string) (integration.Integration, error)
	Secrets(ctx context.Context, i integration.Integration) (credential.Secret, error)
	Save(ctx context.Context, v team.Viewer, i integration.Integration, secrets credential.Secret) (integration.Integration, error)
	Health
}

// Health is told how integrations do.
type Health interface {
	Did(ctx context.Context, id string, err error)
	Disable(ctx context.Context, i integration.Integration, problem string) error
}

// Items keeps what is to be delivered, and what was.
type Items interface {
	AddItems(ctx context.Context, items ...outbox.Item) error
	Delivery(ctx context.Context, teamID, id string) (outbox.Item, error)
	Deliveries(ctx context.Context, teamID, integrationID string, after page.Cursor, limit int) ([]outbox.Item, error)
	FailingSince(ctx context.Context, integrationID string, after time.Time) (time.Time, error)
}

// Service makes webhooks and sends their messages.
type Service struct {
	Integrations Integrations
	Items        Items
	Ring         func(ctx context.Context) // that there is something to deliver
	Guard        outbound.Guard
	BaseURL      string // of the dashboard
	Now          func() time.Time
	Log          *slog.Logger
}

// Router is the service as what makes messages of changes.
type Router struct{ *Service }

// Items returns the message about a change, where the webhook wants it.
func (r Router) Items(_ context.Context, _ string, i integration.Integration, a approval.Approval, c outbox.Change) ([]outbox.Item, error) {
	set, err := ParseSettings(i)
	if err != nil {
		return nil, err
	}
	event := eventOf(c)
	if !set.wants(event, a.GatewayID) {
		return nil, nil
	}
	body, err := approvalPayload(i.ID, event, a, c, r.BaseURL)
	if err != nil {
		return nil, err
	}
	return []outbox.Item{{Kind: outbox.Webhook, Integration: i.ID, Ref: a.ID, Target: event, Payload: body, Lane: "webhook " + i.ID + " " + a.ID}}, nil
}

const (
	// goneAfter is for how long a webhook may fail before it is switched off.
	goneAfter  = 5 * 24 * time.Hour
	longestNap = time.Hour // that an endpoint may ask for
	maxAnswer  = 64 << 10
)

// Deliver sends a message.
func (s *Service) Deliver(ctx context.Context, item outbox.Item) delivery.Result {
	i, err := s.Integrations.Find(ctx, item.TeamID, item.Integration)
	switch {
	case fault.Of(err) == fault.NotFound:
		return delivery.Result{Failed: true, Problem: fault.Message(err)}
	case err != nil:
		return s.stumbled(ctx, item, err)
	case !i.Enabled:
		return delivery.Result{Failed: true, Problem: "The webhook is switched off."}
	}
	req, err := s.request(ctx, i, item)
	if err != nil {
		return s.stumbled(ctx, item, err)
	}
	status, pause, err := s.send(req)
	r := delivery.Result{Answer: status, Retry: pause}
	if err == nil {
		r.Done = true
		s.Integrations.Did(ctx, i.ID, nil)
		return r
	}
	r.Problem = fault.Message(err)
	s.Integrations.Did(ctx, i.ID, err)
	_, refused := errors.AsType[*outbound.Refused](err)
	r.Failed = refused || status == http.StatusGone
	s.giveUp(ctx, i, status)
	return r
}

// stumbled is a failure of ours.
func (s *Service) stumbled(ctx context.Context, item outbox.Item, err error) delivery.Result {
	s.Log.WarnContext(ctx, "a message to a webhook could not be sent", "integration", item.Integration, "item", item.ID, "error", err)
	return delivery.Result{Problem: fault.Message(err)}
}

func (s *Service) request(ctx context.Context, i integration.Integration, item outbox.Item) (*http.Request, error) {
	set, err := ParseSettings(i)
	if err != nil {
		return nil, err
	}
	var m message
	if err := json.Unmarshal(item.Payload, &m); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	plain, err := s.Integrations.Secrets(ctx, i)
	if err != nil {
		return nil, err
	}
	k, err := parseKeys(plain)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, set.URL, bytes.NewReader(m.Body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.GetBody = nil // the outbox sends again, and net/http does not
	now := s.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "TameFlare-Webhooks")
	req.Header.Set(HeaderID, m.ID)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(HeaderSignature, k.sign(m.ID, now, now, m.Body))
	return req, nil
}

// send returns the status of the answer, and how long the other side wants to
// be left alone. No error quotes the answer.
func (s *Service) send(req *http.Request) (status int, pause time.Duration, err error) {
	resp, err := s.Guard.Client().Do(req)
	if err != nil {
		return 0, 0, unanswered(req.URL, err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // so that the other side can finish; what it says does not count
	status = resp.StatusCode
	switch {
	case status/100 == 2:
		return status, 0, nil
	case status == http.StatusGone:
		err = errors.New("answers 410: it is gone")
	case status/100 == 3:
		err = errors.New("sends elsewhere. Give the address that it is at")
	default:
		err = errors.New("answers " + strconv.Itoa(status))
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		if n, nerr := strconv.Atoi(resp.Header.Get("Retry-After")); nerr == nil && n > 0 {
			pause = min(time.Duration(min(n, int(longestNap/time.Second)))*time.Second, longestNap)
		}
	}
	return status, pause, fault.New(fault.Unavailable, "The endpoint at "+req.URL.Hostname()+" "+err.Error()+".", nil)
}

// unanswered is what a connection that came to nothing means.
func unanswered(u *url.URL, err error) error {
	at := "The endpoint at " + u.Hostname() + " "
	if _, ok := errors.AsType[*outbound.Refused](err); ok {
		return fault.New(fault.Invalid, refusal(err), err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fault.New(fault.Unavailable, at+"has a certificate that this server does not trust.", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, at+"did not answer in time.", err)
	}
	return fault.New(fault.Unavailable, at+"cannot be reached.", err)
}

// refusal says why an address is not called.
func refusal(err error) string {
	r, ok := errors.AsType[*outbound.Refused](err)
	switch {
	case !ok:
		return "The address cannot be called."
	case r.Plain:
		return "The endpoint at " + r.Host + " is not called without TLS. Whoever runs this server can allow that in TAMEFLARE_OUTBOUND_ALLOW, for an address that is not public."
	case r.Class.Permissible():
		return "The endpoint at " + r.Host + " is at " + r.Class.String() + ". Whoever runs this server can allow that in TAMEFLARE_OUTBOUND_ALLOW."
	}
	return "The endpoint at " + r.Host + " is at " + r.Class.String() + ", where none may be."
}

// giveUp switches a webhook off that says it is gone, or that has not taken a
// message for days.
func (s *Service) giveUp(ctx context.Context, i integration.Integration, status int) {
	problem := "It answered 410, which says that it is gone."
	if status != http.StatusGone {
		since, err := s.Items.FailingSince(ctx, i.ID, i.LastOKAt)
		if err != nil || since.IsZero() || s.Now().Sub(since) < goneAfter {
			return
		}
		problem = "It has taken no message for " + strconv.Itoa(int(s.Now().Sub(since)/(24*time.Hour))) + " days."
	}
	if err := s.Integrations.Disable(ctx, i, problem); err != nil {
		s.Log.WarnContext(ctx, "a webhook could not be switched off", "integration", i.ID, "problem", strings.TrimSuffix(problem, "."), "error", err)
	}
}
