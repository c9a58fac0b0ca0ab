package audit

import (
	"encoding/json"
	"fmt"
	"time"
)

// ActorKind says what sort of actor did something.
type ActorKind string

const (
	ByUser    ActorKind = "user"
	ByGateway ActorKind = "gateway"
	BySystem  ActorKind = "system"
)

// Actor is who did something, and how they had shown who they are.
type Actor struct {
	Kind ActorKind `json:"kind"`
	ID   string    `json:"id,omitempty"`
	Name string    `json:"name,omitempty"`
	Auth string    `json:"auth,omitempty"` // "session", "token", "mtls"
	IP   string    `json:"ip,omitempty"`
}

// System is the server itself.
func System() Actor { return Actor{Kind: BySystem, Name: "tameflare-server"} }

// Event is one thing that a person, a gateway or the server did. Its Type is
// dotted and never reused for something else: "approval.approved".
type Event struct {
	Time    time.Time         `json:"time"`
	Type    string            `json:"type"`
	Actor   Actor             `json:"actor"`
	Target  string            `json:"target,omitempty"` // ID of what it was done to
	Name    string            `json:"name,omitempty"`   // what people call it
	Gateway string            `json:"gateway,omitempty"`
	Detail  map[string]string `json:"detail,omitempty"` // never a secret
}

const (
	maxText   = 1000
	maxDetail = 50
)

// Bytes returns what the chain hashes: e as JSON, with its fields in order,
// after everything in it was made storable.
func (e Event) Bytes() []byte {
	e.Time = Time(e.Time)
	for _, s := range []*string{&e.Type, &e.Actor.ID, &e.Actor.Name, &e.Actor.Auth, &e.Actor.IP, &e.Target, &e.Name, &e.Gateway} {
		*s = Plain(*s, maxText)
	}
	if e.Detail != nil {
		detail := make(map[string]string, len(e.Detail))
		for k, v := range e.Detail {
			if len(detail) == maxDetail {
				break
			}
			detail[Plain(k, maxText)] = Plain(v, maxText)
		}
		e.Detail = detail
	}
	b, err := json.Marshal(e) // map keys are sorted
	if err != nil {
		panic(fmt.Sprintf("audit: %v", err)) // strings, a time and a map of strings
	}
	return b
}

// EventRow is an event in its place in its team's chain, as stored.
type EventRow struct {
	TeamID  string `bun:",pk"`
	Seq     int64  `bun:",pk"`
	Time    time.Time
	Type    string
	ActorID string
	Target  string
	Gateway string
	Entry   []byte // Event.Bytes; what Hash covers
	Prev    string
	Hash    string
}

// Event reads r's entry.
func (r EventRow) Event() (Event, error) {
	var e Event
	if err := json.Unmarshal(r.Entry, &e); err != nil {
		return e, fmt.Errorf("event %d: %w", r.Seq, err)
	}
	return e, nil
}
