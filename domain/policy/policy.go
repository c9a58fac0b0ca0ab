package policy

import (
	"time"

	"github.com/tameflare/tameflare/domain/action"
)

// Policy is what a policy document says, ready to be compiled. It comes after
// the access rules and only makes them stricter: of all clauses that apply the
// strictest counts, in whatever policy, and what no policy says anything about
// stays as the access rules have it.
type Policy struct {
	ID         string   `json:"id"` // "pol_…"
	Name       string   `json:"name"`
	Version    int64    `json:"version"`
	Priority   int      `json:"priority,omitempty"`    // of two that say the same, the lower one is named; 0 is DefaultPriority
	ReportOnly bool     `json:"report_only,omitempty"` // says what it would decide, and decides nothing
	Scope      Scope    `json:"scope,omitzero"`
	Clauses    []Clause `json:"rules"`
}

// What a priority may be.
const (
	DefaultPriority = 100
	MaxPriority     = 1000
)

// Scope is what a policy is about. An empty list is everything. Gateways and
// environments may have stars in them, which stand for any text.
type Scope struct {
	Gateways     []string         `json:"gateways,omitempty"`
	Environments []string         `json:"environments,omitempty"`
	Actions      []action.Pattern `json:"actions,omitempty"`
}

// Clause is one rule of a policy.
type Clause struct {
	Name      string         `json:"name"`
	If        *Expr          `json:"if,omitempty"` // nil: always
	Effect    Effect         `json:"decision"`
	Reason    string         `json:"reason,omitempty"`
	Risk      int            `json:"risk,omitempty"` // 0 to 100, as its author puts it
	Hold      *time.Duration `json:"hold,omitempty"` // as in Rule
	TTL       time.Duration  `json:"ttl,omitempty"`  // as in Rule
	Approvers Approvers      `json:"approvers,omitzero"`
	Line      int            `json:"line,omitempty"` // in its document, from 1
}

// Key names a clause within everything that decides: "pol_…/3f9a2c1b". It
// changes with what the clause says, so that an approval of before does not
// count for what is asked now.
func (p *Policy) Key(clause int) string { return p.ID + "/" + p.digest(clause) }
