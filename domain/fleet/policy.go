package fleet

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

// Policy is a policy as stored, in its newest version.
type Policy struct {
	ID         string `bun:",pk"` // "pol_…"
	TeamID     string
	Name       string // unique in the team; the document's
	Enabled    bool
	ReportOnly bool
	Priority   int   // 1 to policy.MaxPriority
	Version    int64 // rises with every change, of the document or of how it counts
	Document   string
	Compiled   string // policy.Policy as JSON, as Document was read when it was saved
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Policy returns p as gateways compile it. It fails where what was stored
// cannot be read.
func (p Policy) Policy() (policy.Policy, error) {
	var out policy.Policy
	if err := json.Unmarshal([]byte(p.Compiled), &out); err != nil {
		return out, fmt.Errorf("policy %s as stored: %w", p.ID, err)
	}
	out.ID, out.Name, out.Version, out.Priority, out.ReportOnly = p.ID, p.Name, p.Version, p.Priority, p.ReportOnly
	return out, nil
}

// PolicyVersion is how a policy was at a time. None is ever changed.
type PolicyVersion struct {
	PolicyID   string `bun:",pk"`
	Version    int64  `bun:",pk"`
	TeamID     string
	Enabled    bool
	ReportOnly bool
	Priority   int
	Document   string
	AuthorID   string // user ID
	AuthorName string
	Message    string // why, in the author's words
	Reverts    int64  `bun:",nullzero"` // the version that this one goes back to
	CreatedAt  time.Time
}

const maxPolicyName = 80

// CheckPolicyName fails with fault.Invalid where name cannot be a policy's.
func CheckPolicyName(name string) error {
	if name == "" || len(name) > maxPolicyName || strings.TrimSpace(name) != name || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fault.New(fault.Invalid, "A policy's name is 1 to 80 characters in one line, without spaces around it.", nil)
	}
	return nil
}

// CheckPriority fails with fault.Invalid where n cannot be a priority.
func CheckPriority(n int) error {
	if n < 1 || n > policy.MaxPriority {
		return fault.New(fault.Invalid, "A priority is a number from 1 to 1000; the lower one counts as the earlier.", nil)
	}
	return nil
}
