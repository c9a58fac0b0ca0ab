// Package approval is one held request and its life. It does no I/O.
//
// The row is the truth and the hold only a courtesy: whoever waits may go away
// and come back, and a request with the same fingerprint meets the same
// approval. What a person granted is exactly what is sent, once.
package approval

import (
	"cmp"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// Status says where an approval is in its life:
//
//	pending → approved | denied | expired | cancelled
//	approved → executed | unused
//
// One that needs several people is pending until the last of them agrees.
// Everything but pending and approved is final.
type Status string

const (
	Pending   Status = "pending"
	Approved  Status = "approved"
	Denied    Status = "denied"
	Expired   Status = "expired"   // nobody answered in time
	Cancelled Status = "cancelled" // the kill switch, or a revoked gateway
	Executed  Status = "executed"  // the grant was used
	Unused    Status = "unused"    // the grant lapsed
)

// Final reports whether nothing can become of s any more.
func (s Status) Final() bool { return s != Pending && s != Approved }

// Verdict is what a person decided. The zero Verdict denies.
type Verdict bool

const (
	Deny  Verdict = false
	Grant Verdict = true
)

// Channel is where a decision was made.
type Channel string

const (
	Dashboard Channel = "dashboard"
	CLI       Channel = "cli"
	API       Channel = "api"
	Slack     Channel = "slack"
	Email     Channel = "email"   // from the page that a mail leads to
	Inbound   Channel = "inbound" // a signed decision from a program of the team's
)

// Approval is a request that waits, or waited, for a person.
type Approval struct {
	ID          string `bun:",pk"` // "apr_…"
	TeamID      string
	GatewayID   string
	GatewayName string
	Fingerprint string // of the request; see Fingerprint
	RunID       string
	Principal   string // who runs the process, as the gateway knows it: "ana@laptop"
	RuleID      string
	Reason      string        // why it was asked
	Action      action.Action `bun:"type:text"`
	Sentence    string        // what it would do, for people: "merge acme/site#812 into main"
	Method      string
	URL         string // without what looks like a secret
	BodyDigest  string // SHA-256, hex
	BodySize    int64
	Status      Status
	CreatedAt   time.Time
	ExpiresAt   time.Time     // while pending: when asking ends; once approved: when the grant lapses
	TTL         time.Duration // how long each of the two lasts
	DecidedBy   string        `bun:",nullzero"` // user ID; "" where no person decided
	DeciderName string        `bun:",nullzero"`
	Channel     Channel       `bun:",nullzero"`
	Note        string        `bun:",nullzero"` // what the decider said
	DecidedAt   time.Time     `bun:",nullzero"`
	EndedAt     time.Time     `bun:",nullzero"` // executed, unused, expired or cancelled
	Upstream    int           `bun:",nullzero"` // HTTP status that the executed request got
	Seq         int64         // rises with every change, so that pages know what they have

	NeedsRole team.Role // who has to agree, at least; "" is whoever may decide
	Needs     int       // how many of them; 0 is 1
	Agreed    []Vote    `bun:"type:text"` // where several have to

	NeedsGroup string // who agrees is in that group, or in each of them, with "+" between; "" is no group
	NotSelf    bool   // whoever enrolled the gateway cannot agree
	StepUp     bool   // whoever agrees has to have proved just now who they are

	// RepeatUntil is until when the same request is approved again without
	// being put to anybody: each time as an approval of its own, whose Repeats
	// is the ID of this one.
	RepeatUntil time.Time `bun:",nullzero"`
	Repeats     string    `bun:",nullzero"`

	Auth        string `bun:",nullzero"` // how the decider had shown who they are: "session", "token", "slack", "inbound"
	Environment string // of the gateway
	BodyType    string // Content-Type, as sent
	BodyCoding  string // Content-Encoding, as sent

	// Of Action, for filters.
	Connector  string
	ActionName string
	Resource   string
	Risk       string
}

// Body is the beginning of a held request's body, as it is sent.
type Body struct {
	Bytes []byte
	Whole bool // there is no more of it
}

// Decision is what a person chose, and where. The zero Decision denies.
type Decision struct {
	Verdict Verdict
	Note    string
	Channel Channel
	// For is for how long the same request is approved again; 0 is once.
	For time.Duration
	Via string // the integration that brought it, by ID; "" where none did
}

// MaxRepeat is the longest that a Decision can count for the same request.
const MaxRepeat = 8 * time.Hour

// Decider is a person who decides.
type Decider struct {
	ID, Name string
	Role     team.Role // what they are now
	Groups   []string  // that they are in now
	Own      bool      // the run is theirs
	Unowned  bool      // nobody knows whose the run is
	Fresh    bool      // they have just proved who they are
	Auth     string
	Channel  Channel
	Note     string
	For      time.Duration // see Decision
}

// Decide returns a as it will be once d's verdict stands. Where several people
// have to agree it stays pending until the last of them does; anybody's denial
// settles it. It fails with fault.Conflict when a is settled already, naming
// who was first, or when d has agreed before, with fault.Forbidden when d
// cannot agree (see MayAgree), with fault.Invalid when d's For is none that a
// can have, and with fault.Expired when the time to answer is over.
func (a Approval) Decide(d Decider, v Verdict, now time.Time) (Approval, error) {
	switch {
	case a.Status != Pending:
		return a, fault.New(fault.Conflict, a.Settled(), nil)
	case !now.Before(a.ExpiresAt):
		return a, fault.New(fault.Expired, "Nobody answered in time. The request was not sent; the agent has to ask again.", nil)
	}
	if v == Grant {
		agreed, err := a.agree(d, now)
		if err != nil {
			return a, err
		}
		if err := a.mayRepeat(d.For); err != nil {
			return a, err
		}
		a = agreed
		if a.Wanted() > 1 && len(a.Agreed) < a.Wanted() {
			a.Seq++
			return a, nil
		}
	}
	a.Status, a.DecidedBy, a.DeciderName, a.Channel, a.Auth, a.Note, a.DecidedAt = Denied, d.ID, d.Name, d.Channel, d.Auth, d.Note, now
	if v == Grant {
		a.Status, a.ExpiresAt = Approved, now.Add(a.TTL)
		if d.For > 0 {
			a.RepeatUntil = now.Add(d.For)
		}
	} else {
		a.EndedAt = now
	}
	a.Seq++
	return a, nil
}

// Use returns a with its grant used up, for a request with that fingerprint.
// It fails with fault.Conflict when the grant is not there or is used, with
// fault.Expired when it has lapsed and with fault.Forbidden when the request
// is not the one that was approved.
func (a Approval) Use(fingerprint string, now time.Time) (Approval, error) {
	switch {
	case a.Fingerprint != fingerprint:
		return a, fault.New(fault.Forbidden, "This is not the request that was approved.", nil)
	case a.Status != Approved:
		return a, fault.New(fault.Conflict, a.Settled(), nil)
	case !now.Before(a.ExpiresAt):
		return a, fault.New(fault.Expired, "The approval has lapsed. Send the request again to ask again.", nil)
	}
	a.Status, a.EndedAt = Executed, now
	a.Seq++
	return a, nil
}

// Lapse returns a as it is once its time is over, and whether that changes
// anything: pending becomes expired, and an approval nobody used is unused.
func (a Approval) Lapse(now time.Time) (Approval, bool) {
	if a.Status.Final() || now.Before(a.ExpiresAt) {
		return a, false
	}
	if a.Status == Pending {
		a.Status = Expired
	} else {
		a.Status = Unused
	}
	a.EndedAt = now
	a.Seq++
	return a, true
}

// CoolDown is for how long a person's denial answers the same request again.
// An agent that repeats itself would otherwise put a new card before people
// each time.
const CoolDown = time.Minute

// Meets reports whether the same request, made again at now, meets a instead
// of being put to people anew: a is open, or a person has just denied it.
func (a Approval) Meets(now time.Time) bool {
	switch a.Status {
	case Pending, Approved:
		return now.Before(a.ExpiresAt)
	case Denied:
		return a.DecidedBy != "" && now.Sub(a.DecidedAt) < CoolDown
	case Expired, Cancelled, Executed, Unused:
	}
	return false
}

// Cancel returns a cancelled, and whether that changes anything. A grant that
// has not been used is withdrawn too, and no request is approved because of it
// any more.
func (a Approval) Cancel(note string, now time.Time) (Approval, bool) {
	if a.Status.Final() {
		return a, false
	}
	a.Status, a.Note, a.EndedAt, a.RepeatUntil = Cancelled, note, now, time.Time{}
	a.Seq++
	return a, true
}

// Settled says in a sentence what became of a.
func (a Approval) Settled() string {
	by := cmp.Or(a.Deciders(), "somebody")
	switch a.Status {
	case Pending:
		return "This request is waiting for a decision."
	case Approved:
		return "Already approved by " + by + "."
	case Denied:
		return "Already denied by " + by + "."
	case Expired:
		return "Nobody answered in time. The request was not sent; the agent has to ask again."
	case Cancelled:
		return "Cancelled before anybody decided: " + a.Note
	case Executed:
		return "Approved by " + by + ", and the request was sent. An approval is good for one request."
	case Unused:
		return "Approved by " + by + ", but the agent did not send the request in time."
	}
	return "This request is not waiting any more."
}
