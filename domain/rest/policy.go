package rest

import (
	"encoding/json"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// Policy is a policy in its newest version.
type Policy struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Version    int64        `json:"version"`
	Enabled    bool         `json:"enabled"`
	ReportOnly bool         `json:"report_only"`
	Priority   int          `json:"priority"`
	Scope      policy.Scope `json:"scope"`
	Rules      []PolicyRule `json:"rules"`
	Document   string       `json:"document,omitempty"` // left out in lists
	CreatedAt  time.Time    `json:"created_at,omitzero"`
	UpdatedAt  time.Time    `json:"updated_at,omitzero"`
}

// PolicyRule is what a rule of a policy comes to.
type PolicyRule struct {
	Name     string `json:"name"`
	Decision string `json:"decision"`
	Reason   string `json:"reason,omitempty"`
	Risk     int    `json:"risk_score,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// PolicyVersion is how a policy was at a time.
type PolicyVersion struct {
	Version    int64     `json:"version"`
	Enabled    bool      `json:"enabled"`
	ReportOnly bool      `json:"report_only"`
	Priority   int       `json:"priority"`
	Digest     string    `json:"digest"`             // SHA-256 of the document, in hex
	Document   string    `json:"document,omitempty"` // only where one version is asked for
	Author     string    `json:"author"`
	Message    string    `json:"message,omitempty"`
	Reverts    int64     `json:"reverts,omitempty"` // the version that it goes back to
	CreatedAt  time.Time `json:"created_at"`
}

// PolicyDraft makes a policy, or its next version. Base is the version that it
// was made from: where that is not the newest any more, nothing is changed.
type PolicyDraft struct {
	Policy     string `json:"policy,omitempty"` // ID or name of the one that is changed; empty makes a new one
	Base       int64  `json:"base,omitempty"`
	Document   string `json:"document"`
	Enabled    *bool  `json:"enabled,omitempty"` // as it is, and true for a new one, where left out; the next two likewise
	ReportOnly *bool  `json:"report_only,omitempty"`
	Priority   *int   `json:"priority,omitempty"`
	Message    string `json:"message,omitempty"` // why
	DryRun     bool   `json:"dry_run,omitempty"`
}

// PolicySaved is what became of a draft.
type PolicySaved struct {
	DryRun  bool            `json:"dry_run"`
	Changed bool            `json:"changed"` // false where all of it was so already
	Policy  Policy          `json:"policy"`
	Notes   []PolicyProblem `json:"notes,omitempty"`
	Tests   []PolicyTest    `json:"tests"`
}

// PolicyDocument is a document to look at.
type PolicyDocument struct {
	Document string `json:"document"`
}

// PolicyChecked is what there is to say about a document. It could be saved
// where OK is true.
type PolicyChecked struct {
	OK       bool            `json:"ok"`
	Name     string          `json:"name,omitempty"`
	Rules    []PolicyRule    `json:"rules,omitempty"`
	Problems []PolicyProblem `json:"problems"`
	Notes    []PolicyProblem `json:"notes,omitempty"`
	Tests    []PolicyTest    `json:"tests"`
}

// PolicyProblem is something in a document that cannot stay, or is worth a
// look.
type PolicyProblem struct {
	Line    int    `json:"line,omitempty"` // from 1
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

// PolicyTest is what became of a test of a document.
type PolicyTest struct {
	Name     string `json:"name"`
	Line     int    `json:"line"`
	Passed   bool   `json:"passed"`
	Expected string `json:"expected"`
	Got      string `json:"got,omitempty"` // empty where it could not be made
	Rule     string `json:"rule,omitempty"`
	RuleLine int    `json:"rule_line,omitempty"`
	Problem  string `json:"problem,omitempty"` // why it failed
}

// PolicyRevert makes an earlier version the newest again.
type PolicyRevert struct {
	Base    int64  `json:"base"`
	To      int64  `json:"to"`
	Message string `json:"message,omitempty"`
}

// Question asks what a gateway would decide: about a request, or about an
// action document.
type Question struct {
	Gateway   string          `json:"gateway"` // name or ID
	Request   *AskedRequest   `json:"request,omitempty"`
	Action    json.RawMessage `json:"action,omitempty"`
	Principal string          `json:"principal,omitempty"` // "ana@laptop"; unknown where empty
	Time      time.Time       `json:"time,omitzero"`       // now where left out
}

// AskedRequest is a request that nobody sends.
type AskedRequest struct {
	Method  string              `json:"method"`
	URL     string              `json:"url"`
	Headers map[string][]string `json:"headers,omitempty"`
	Body    string              `json:"body,omitempty"`
}

// Answer is what a gateway would decide, and why.
type Answer struct {
	Connector  string               `json:"connector"`
	Action     string               `json:"action"`
	Class      string               `json:"class"`
	Risk       string               `json:"risk"`
	Resource   string               `json:"resource"`
	Params     map[string]any       `json:"params"`
	Reversible bool                 `json:"reversible"`
	Unknown    []string             `json:"unknown,omitempty"`
	Or         []action.Alternative `json:"or,omitempty"`

	Decision   string              `json:"decision"`
	Would      string              `json:"would,omitempty"` // at full enforcement, where that differs
	By         string              `json:"by"`
	Rule       string              `json:"rule,omitempty"`
	Policy     string              `json:"policy,omitempty"` // its name
	Version    int64               `json:"version,omitempty"`
	Line       int                 `json:"line,omitempty"`
	Reason     string              `json:"reason"`
	Score      int                 `json:"risk_score,omitempty"`
	Approvers  *policy.Approvers   `json:"approvers,omitempty"`
	Reported   string              `json:"reported,omitempty"` // the rule of a report-only policy that would have been stricter
	ReportedAs string              `json:"reported_as,omitempty"`
	Considered []policy.Considered `json:"considered,omitempty"`
	More       int                 `json:"more,omitempty"` // that were considered and are left out
	Flip       *policy.Flip        `json:"flip,omitempty"`
}
