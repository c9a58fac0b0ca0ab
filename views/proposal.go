package views

import (
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/fleet"
)

// Proposal is the access rules that would cover what a gateway's requests have
// done.
type Proposal struct {
	Gateway      fleet.Gateway
	Since, Until time.Time
	Requests     int64
	More         bool // there were more requests than were looked at
	Connectors   []ProposedConnector
	Uncovered    []UncoveredRequests
	Stamp        string // the time of Until, as adopting sends it back
	Digest       string
	MayManage    bool
	Adopted      bool // somebody has just adopted it
	Errors       Errors
}

// ProposedConnector is what is proposed for one connector.
type ProposedConnector struct {
	Name, Title            string
	Seen                   bool // whether there were requests; its rules stay as they are where there were none
	Rules                  []fleet.Rule
	Allowed, Asked, Denied int64    // requests that would pass, wait for a person, and that a rule denies
	Drops                  []string // patterns of today's rules that would be gone
	Refused                int64    // that were refused, and that no rule is made for
	Kept                   []string // actions left out, as a rule could allow what is stopped
	Leaves                 int      // actions that nothing would allow any more
}

// UncoveredRequests are requests that no rule can cover as they are.
type UncoveredRequests struct {
	Host, Action, Why string
	N                 int64
	Example           string // a request's ID
}

// Changes reports whether adopting it would change anything.
func (p Proposal) Changes() bool {
	for _, c := range p.Connectors {
		if c.Seen {
			return true
		}
	}
	return false
}

// coversText says what the rules of a connector do with what was seen.
func (c ProposedConnector) coversText() string {
	var parts []string
	for _, o := range []struct {
		n    int64
		word string
	}{{c.Allowed, "pass"}, {c.Asked, "wait for a person"}, {c.Denied, "are denied, as they are today"}, {c.Refused, "were refused, and are left so"}} {
		if o.n > 0 {
			parts = append(parts, number(o.n)+" "+o.word)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Of the requests seen, " + both(parts) + "."
}

// leavesText says what would be allowed no longer.
func (c ProposedConnector) leavesText() string {
	var kept string
	if len(c.Kept) > 0 {
		kept = "Left out, since a rule for it could allow what is stopped today: " + strings.Join(c.Kept, ", ") + ". Make that rule by hand. "
	}
	if c.Leaves == 0 {
		return kept
	}
	if c.Leaves == 1 {
		return kept + "1 action of " + c.Title + " is left out: nothing allows it."
	}
	return kept + strconv.Itoa(c.Leaves) + " actions of " + c.Title + " are left out: nothing allows them."
}
