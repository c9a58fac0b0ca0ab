package policies

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// Counts is how a policy counts, beside what it says. Of a Priority of 0
// becomes policy.DefaultPriority.
type Counts struct {
	Enabled, ReportOnly bool
	Priority            int
}

// Next is a policy as it is to become.
type Next struct {
	Document string
	Compiled policy.Policy // of Document
	Counts   Counts
	Message  string // why
	Reverts  int64  // the version that it goes back to; 0 for none
}

// Step makes the next version of a policy, or a new one where was is nil, with
// its event. It reports false where that would change nothing. It fails with
// fault.Invalid where the policy cannot count like that.
func (n Next) Step(v team.Viewer, was *fleet.Policy, now time.Time) (step store.PolicyStep, changes bool, err error) {
	n.Counts.Priority = cmp.Or(n.Counts.Priority, policy.DefaultPriority)
	if err := fleet.CheckPriority(n.Counts.Priority); err != nil {
		return step, false, err
	}
	if err := CheckMessage(n.Message); err != nil {
		return step, false, err
	}
	compiled, err := json.Marshal(n.Compiled)
	if err != nil {
		return step, false, fmt.Errorf("write policy: %w", err)
	}
	now = audit.Time(now)
	p := fleet.Policy{ID: "pol_" + strings.ToLower(rand.Text()), TeamID: v.Team.ID, CreatedAt: now}
	if was != nil {
		p = *was
	}
	p.Name, p.Document, p.Compiled = n.Compiled.Name, n.Document, string(compiled)
	p.Enabled, p.ReportOnly, p.Priority = n.Counts.Enabled, n.Counts.ReportOnly, n.Counts.Priority
	if was != nil && p == *was {
		return store.PolicyStep{Policy: p}, false, nil
	}
	p.Version++
	p.UpdatedAt = now
	step = store.PolicyStep{Policy: p, New: was == nil, Version: fleet.PolicyVersion{
		PolicyID: p.ID, Version: p.Version, TeamID: p.TeamID, Enabled: p.Enabled, ReportOnly: p.ReportOnly, Priority: p.Priority,
		Document: p.Document, AuthorID: v.User.ID, AuthorName: audit.Plain(v.User.Name, 200), Message: audit.Plain(n.Message, 4*maxMessage),
		Reverts: n.Reverts, CreatedAt: now,
	}}
	step.Event = n.event(v, was, step)
	return step, true, nil
}

func (n Next) event(v team.Viewer, was *fleet.Policy, step store.PolicyStep) audit.Event {
	p := step.Policy
	e := event(v, "policy.changed", p, p.UpdatedAt)
	switch {
	case was == nil:
		e.Type = "policy.created"
	case n.Reverts > 0:
		e.Type = "policy.reverted"
		e.Detail["reverts_to"] = strconv.FormatInt(n.Reverts, 10)
	case was.Document != p.Document:
		e.Type = "policy.updated"
	case p.Enabled && !was.Enabled:
		e.Type = "policy.enabled"
	case was.Enabled && !p.Enabled:
		e.Type = "policy.disabled"
	}
	if was != nil && was.Name != p.Name {
		e.Detail["renamed_from"] = was.Name
	}
	if n.Message != "" {
		e.Detail["message"] = n.Message
	}
	return e
}

// ForgetStep removes a policy, with its event.
func ForgetStep(v team.Viewer, p fleet.Policy, now time.Time) store.PolicyStep {
	return store.PolicyStep{Policy: p, Event: event(v, "policy.deleted", p, now)}
}

func event(v team.Viewer, typ string, p fleet.Policy, now time.Time) audit.Event {
	return audit.Event{
		Time: now, Type: typ, Actor: v.Actor(), Target: p.ID, Name: p.Name,
		Detail: map[string]string{
			"version": strconv.FormatInt(p.Version, 10), "enabled": strconv.FormatBool(p.Enabled),
			"report_only": strconv.FormatBool(p.ReportOnly), "priority": strconv.Itoa(p.Priority),
		},
	}
}

const maxMessage = 500

// CheckMessage fails with fault.Invalid where a message is too long.
func CheckMessage(message string) error {
	if utf8.RuneCountInString(message) > maxMessage {
		return fault.New(fault.Invalid, "Say in at most 500 characters why.", nil)
	}
	return nil
}

// What a team may have.
const (
	MaxPolicies = 500
	MaxCompiled = 16 << 20 // bytes, of all together: they go to gateways whole
)

// CheckAll fails with fault.Invalid where a team cannot have all these.
func CheckAll(all []fleet.Policy) error {
	if len(all) > MaxPolicies {
		return fault.New(fault.Invalid, "A team has at most 500 policies. Put what belongs together into one, or delete some.", nil)
	}
	size := 0
	for _, p := range all {
		size += len(p.Compiled)
	}
	if size > MaxCompiled {
		return fault.New(fault.Invalid, "All policies together are larger than 16 MB, which is more than a gateway takes. Shorten their lists, or delete some.", nil)
	}
	return nil
}
