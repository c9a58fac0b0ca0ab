package views

import (
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// The ways to say what is to be decided about.
const (
	ByRecord = "recorded"
	ByCurl   = "curl"
	ByAction = "action"
)

// Sandbox is a question to a gateway, and its answer. Nothing of a pasted
// command or action is in it that may be a key.
type Sandbox struct {
	Way      string // ByRecord, ByCurl or ByAction
	Gateways []Option
	Gateway  string // chosen; "" is that of the recorded request
	At       string // "2026-03-01T22:30", in UTC; "" is now, or when it was recorded
	Policy   string // the text of a policy that is tried
	Alone    bool   // instead of those that are saved

	Text    string // that narrows the recorded requests
	Rows    []audit.Request
	Names   map[string]string // of gateways
	Request string            // chosen

	Errors   Errors
	Problems []yamldoc.Problem // of the policy
	Places   []yamldoc.Problem // of the action, without what stands there
	Answer   *SandboxAnswer
}

// SandboxAnswer is what would be decided.
type SandboxAnswer struct {
	TrialAnswer
	Recorded *audit.Request // nil where it is none
	Time     time.Time      // that it was decided for
	Policies string         // which policies were asked, in a sentence
}

// sandboxTabs are the ways, as links.
func sandboxTabs(s Sandbox) []Link {
	var links []Link
	for _, o := range []Option{{ByRecord, "Recorded request"}, {ByCurl, "curl command"}, {ByAction, "Action"}} {
		links = append(links, Link{Text: o.Text, URL: withParam("/policies/sandbox", "way", o.Value), Current: s.Way == o.Value})
	}
	return links
}

// sandboxNow is what was decided about a request when it came.
func sandboxNow(r *audit.Request) string {
	s := doneWord(r.Decision)
	if mark := markText(*r); mark != "" {
		s += ", " + mark
	}
	return upper(s)
}
