// Package integration says where a team is told what happens, and from where
// it answers: Slack, webhooks in both directions, e-mail. It does no I/O. The
// structs are also the rows that app/store keeps.
package integration

import (
	"encoding/json"
	"time"
)

// Kind is a kind of integration.
type Kind string

const (
	Slack   Kind = "slack"   // one per team
	Webhook Kind = "webhook" // events to an address of the team's (Standard Webhooks)
	Email   Kind = "email"   // cards by e-mail
	Inbound Kind = "inbound" // signed decisions from a program of the team's
)

// Integration is one of a team's.
type Integration struct {
	ID       string `bun:",pk"` // "int_…"
	TeamID   string
	Kind     Kind
	Name     string          // unique among the team's of its kind
	Settings json.RawMessage // by kind; no secret
	Sealed   []byte          // its secrets, sealed: see app/vault's SealSecret
	Version  int64           // rises with every change of Settings or Sealed
	Enabled  bool
	Problem  string // why the server switched it off, for people; "" where it did not

	// How it does.
	Refused     int64     // messages that came in and were not what they claimed
	LastOKAt    time.Time `bun:"last_ok_at,nullzero"`
	LastErrorAt time.Time `bun:",nullzero"`
	LastError   string    // for people; never a secret, never another side's text

	CreatedBy string // user ID
	CreatedAt time.Time
}
