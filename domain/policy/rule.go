package policy

import (
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// What an approval may last, and what it does where a rule does not say.
const (
	DefaultHold = 55 * time.Second
	MaxHold     = 30 * time.Minute
	DefaultTTL  = 10 * time.Minute
	MinTTL      = 30 * time.Second
	MaxTTL      = 24 * time.Hour
)

// Rule is an access rule: what happens to the actions of one connector that
// its pattern matches.
type Rule struct {
	ID        string         `json:"id"`        // "rule_…"; also what a decision names
	Connector string         `json:"connector"` // the configured connector's name
	Pattern   action.Pattern `json:"pattern"`
	Class     *action.Class  `json:"class,omitempty"` // nil: any class
	When      Limits         `json:"when,omitempty"`  // what the resource and the parameters must be; nil: anything
	Effect    Effect         `json:"effect"`
	Hold      *time.Duration `json:"hold,omitempty"` // how long a request waits for a person; nil: DefaultHold, 0: not at all
	TTL       time.Duration  `json:"ttl,omitempty"`  // how long the approval lives, and then its grant; 0: DefaultTTL
	Reason    string         `json:"reason,omitempty"`
	Approvers Approvers      `json:"approvers,omitzero"` // for RequireApproval
}

// Check fails with fault.Invalid where r cannot be used as it stands.
func (r Rule) Check() error {
	if err := r.Pattern.Check(); err != nil {
		return err
	}
	if int(r.Effect) >= len(effects) {
		return fault.New(fault.Invalid, "A decision is allow, deny or require_approval.", nil)
	}
	if r.Class != nil && *r.Class > action.Read {
		return fault.New(fault.Invalid, "A class is read, write, delete or admin.", nil)
	}
	if err := r.When.Check(); err != nil {
		return err
	}
	if r.Effect != RequireApproval && r.Approvers != (Approvers{}) {
		return fault.New(fault.Invalid, "Who has to agree goes with the decision require_approval only.", nil)
	}
	if err := r.Approvers.Check(); err != nil {
		return err
	}
	return checkTimes(r.Hold, r.TTL)
}

func checkTimes(hold *time.Duration, ttl time.Duration) error {
	if hold != nil && (*hold < 0 || *hold > MaxHold) {
		return fault.New(fault.Invalid, "A hold is between 0s and 30m.", nil)
	}
	if ttl != 0 && (ttl < MinTTL || ttl > MaxTTL) {
		return fault.New(fault.Invalid, "A ttl is between 30s and 24h.", nil)
	}
	return nil
}

// Preset is a set of access rules with a name that the wizard offers.
type Preset string

const (
	AllowAll   Preset = "allow_all"
	ReadOnly   Preset = "read_only"
	ApproveAll Preset = "require_approval"
	NoPreset   Preset = ""
)

// Rules returns the access rules that p stands for, without ID and connector.
// It fails with fault.Invalid for a preset that there is not.
func (p Preset) Rules() ([]Rule, error) {
	switch p {
	case AllowAll:
		return []Rule{{Pattern: "*", Effect: Allow}}, nil
	case ReadOnly:
		read := action.Read
		return []Rule{{Pattern: "*", Class: &read, Effect: Allow}}, nil
	case ApproveAll:
		return []Rule{{Pattern: "*", Effect: RequireApproval}}, nil
	case NoPreset:
	}
	return nil, fault.New(fault.Invalid, "A preset is allow_all, read_only or require_approval.", nil)
}

// Kill is a kill switch that is on. An empty Connector means all of them.
type Kill struct {
	ID        string    `json:"id"`
	Connector string    `json:"connector,omitempty"` // a connector type ("github") or configured name
	Reason    string    `json:"reason,omitempty"`
	Since     time.Time `json:"since"`
}

// By says which stage decided.
type By string

const (
	ByKillSwitch By = "kill_switch"
	ByRule       By = "rule"
	ByPolicy     By = "policy"
	ByDefault    By = "default" // nothing matched
)

// Decision is the answer, with the reason for it. The zero Decision denies.
type Decision struct {
	Effect  Effect        // what happens, at this gateway's enforcement level
	Would   Effect        // what would happen at full_enforce; the same unless Flagged
	Flagged bool          // the enforcement level let pass what Would refuses or holds
	By      By            //
	Rule    string        // the rule's ID; for a kill switch its ID; "" by default
	Reason  string        // a sentence
	Hold    time.Duration // for RequireApproval
	TTL     time.Duration // for RequireApproval

	Approvers Approvers // for RequireApproval: the strictest of all that ask for one
	Policy    string    // the policy's ID, where By is ByPolicy; Rule is then its Policy.Key
	Version   int64     // of that policy
	Risk      int       // the highest risk score of the clauses that apply; 0 where none has one

	// Reported is the Policy.Key of a clause that would have made the decision
	// stricter if its policy did more than report; "" for none. ReportedAs is
	// what it would have been.
	Reported   string
	ReportedAs Effect
}
