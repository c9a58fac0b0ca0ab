// Package outbox is what has to be told to the outside. An item is written in
// the transaction of what it tells about, and goes out after it, at least once.
// It does no I/O.
package outbox

import "time"

// Kind says who delivers an item.
type Kind string

const (
	// Approval says that an approval was opened or changed; delivering it
	// makes items for each integration that wants to know.
	Approval Kind = "approval"
	Slack    Kind = "slack"   // show Ref's card in the channel Target
	Webhook  Kind = "webhook" // send Payload to the integration's address
	Email    Kind = "email"   // send Ref's card to the address Target
)

// Item is one thing to deliver. Of the items of one lane one is under way at a
// time, oldest first.
type Item struct {
	ID           string `bun:",pk"` // "out_…"; later ones sort later
	TeamID       string
	Kind         Kind
	Lane         string
	Integration  string // ID; "" for Approval
	Ref          string // ID of the approval it is about; "" for a test
	Target       string
	Payload      []byte // JSON, by kind; never a secret
	Attempts     int
	CreatedAt    time.Time
	DueAt        time.Time
	ClaimedUntil time.Time `bun:",nullzero"`
	DoneAt       time.Time `bun:",nullzero"`
	Failed       bool      // given up
	Answer       int       // HTTP status of the last attempt, 0 for none
	Error        string    // of the last attempt, for people
}

// Change is the payload of an Approval item: what happened, as its event is
// called ("approval.opened", "approval.denied" …), and as which change of the
// approval.
type Change struct {
	Type string    `json:"type"`
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"`
}
