package hooks

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/outbox"
)

// TestEvent is the event of a message that somebody sends to see whether it
// arrives. It goes to every webhook.
const TestEvent = "test"

// opened is how the trail calls what webhooks call "approval.requested".
const opened, requested = "approval.opened", "approval.requested"

// Events lists what a webhook can be told, in the order in which it happens.
func Events() []string {
	return []string{
		requested, "approval.agreed", "approval.approved", "approval.denied", "approval.expired",
		"approval.cancelled", "approval.executed", "approval.unused",
	}
}

// eventOf is what webhooks call a change; "" where they are not told of it.
func eventOf(c outbox.Change) string {
	if c.Type == opened {
		return requested
	}
	if slices.Contains(Events(), c.Type) {
		return c.Type
	}
	return ""
}

// message is what is sent, and what the payload of an item is: the ID and the
// bytes stay the same in every attempt.
type message struct {
	ID   string          `json:"id"`
	Type string          `json:"type"`
	Body json.RawMessage `json:"body"`
}

// envelope is a message's body.
type envelope struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // when it happened
	Data      any       `json:"data"`
}

// Approval is an approval as messages show it: what is needed to ask somebody,
// and nothing of what is sent. It is as it was when the message was made; of
// two about the same one that with the higher Seq is newer.
type Approval struct {
	ID          string    `json:"id"`
	Status      string    `json:"status"`
	Seq         int64     `json:"seq"`
	Gateway     string    `json:"gateway"`
	GatewayID   string    `json:"gateway_id"`
	Environment string    `json:"environment,omitempty"`
	Run         string    `json:"run,omitempty"`
	Principal   string    `json:"principal,omitempty"`
	Connector   string    `json:"connector"`
	Action      string    `json:"action"`
	Class       string    `json:"class"`
	Risk        string    `json:"risk"`
	Reversible  bool      `json:"reversible"`
	Resource    string    `json:"resource,omitempty"`
	Sentence    string    `json:"sentence"`
	Method      string    `json:"method"`
	URL         string    `json:"url"` // without its query
	BodySize    int64     `json:"body_size"`
	Reason      string    `json:"reason,omitempty"`
	Fingerprint string    `json:"fingerprint"`
	Needs       int       `json:"needs"`
	Agreed      int       `json:"agreed,omitempty"`
	StepUp      bool      `json:"step_up,omitempty"` // only the dashboard takes an agreement
	CreatedAt   time.Time `json:"created_at"`
	ExpiresAt   time.Time `json:"expires_at"`
	Decider     string    `json:"decider,omitempty"`
	Channel     string    `json:"channel,omitempty"`
	Note        string    `json:"note,omitempty"`
	DecidedAt   time.Time `json:"decided_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	Upstream    int       `json:"upstream_status,omitempty"`
	Repeats     string    `json:"repeats,omitempty"` // ID of the approval that this repeats, where nobody was asked
	Page        string    `json:"page"`              // where a person can decide
}

const (
	maxText = 500
	maxName = 150
	maxURL  = 2000
)

func shown(a approval.Approval, baseURL string) Approval {
	text := func(s string) string { return audit.Plain(s, maxText) }
	name := func(s string) string { return audit.Plain(s, maxName) }
	address, _, _ := strings.Cut(a.URL, "?")
	return Approval{
		ID: a.ID, Status: string(a.Status), Seq: a.Seq, Gateway: name(a.GatewayName), GatewayID: a.GatewayID, Environment: name(a.Environment),
		Run: name(a.RunID), Principal: name(a.Principal), Connector: name(a.Action.Connector), Action: name(a.Action.Name),
		Class: a.Action.Class.String(), Risk: a.Action.Risk.String(), Reversible: a.Action.Reversible, Resource: text(a.Action.Resource),
		Sentence: text(a.Sentence), Method: name(a.Method), URL: audit.Plain(address, maxURL), BodySize: a.BodySize, Reason: text(a.Reason),
		Fingerprint: a.Fingerprint, Needs: a.Wanted(), Agreed: len(a.Agreed), StepUp: a.StepUp, CreatedAt: a.CreatedAt, ExpiresAt: a.ExpiresAt,
		Decider: name(a.Deciders()), Channel: string(a.Channel), Note: text(a.Note), DecidedAt: a.DecidedAt, EndedAt: a.EndedAt,
		Upstream: a.Upstream, Repeats: a.Repeats, Page: baseURL + "/approvals/" + a.ID,
	}
}

// messageID is the same for the same change told to the same integration, so
// that whoever gets a message twice can know.
func messageID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "msg_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}

func payload(id, typ string, at time.Time, data any) ([]byte, error) {
	body, err := json.Marshal(envelope{Type: typ, Timestamp: at, Data: data})
	if err == nil {
		body, err = json.Marshal(message{ID: id, Type: typ, Body: body})
	}
	if err != nil {
		return nil, fmt.Errorf("make a message: %w", err)
	}
	return body, nil
}

func approvalPayload(integrationID, typ string, a approval.Approval, c outbox.Change, baseURL string) ([]byte, error) {
	return payload(messageID(integrationID, a.ID, c.Type, strconv.FormatInt(c.Seq, 10)), typ, c.At, shown(a, baseURL))
}
