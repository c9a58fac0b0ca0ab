package approval

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// Vote is somebody's agreement to a request that needs several people.
type Vote struct {
	ID      string    `json:"id"` // user ID
	Name    string    `json:"name"`
	Channel Channel   `json:"channel"`
	Note    string    `json:"note,omitempty"`
	At      time.Time `json:"at"`
}

// Wanted is how many people have to agree.
func (a Approval) Wanted() int { return max(a.Needs, 1) }

// CheckRole fails with fault.Invalid where role is none that an approval can
// ask for. None at all is whoever may decide.
func CheckRole(role team.Role) error {
	if role != team.Nobody && !role.May(team.Decide) {
		return fault.New(fault.Invalid, "The role of approvers is member, admin or owner.", nil)
	}
	return nil
}

// ErrNotFresh is in the chain of a fault.Forbidden that somebody gets around
// by proving who they are.
var ErrNotFresh = errors.New("no fresh proof of identity")

// MayAgree fails with fault.Forbidden where d cannot agree to a: they are not
// of the role or the groups that have to, the run is theirs, or they have not
// just proved who they are (then, and only then, with ErrNotFresh). A denial
// needs none of it.
func (a Approval) MayAgree(d Decider) error {
	if err := a.counts(d); err != nil {
		return err
	}
	switch {
	case !a.StepUp || d.Fresh:
		return nil
	case d.Auth != "session":
		return fault.New(fault.Forbidden, "Confirm that it is you: this request can be approved in the dashboard only, with your password.", ErrNotFresh)
	}
	return fault.New(fault.Forbidden, "Confirm that it is you: enter your password to approve this request.", ErrNotFresh)
}

// counts fails with fault.Forbidden where the agreement of d, as they are now,
// is worth nothing.
func (a Approval) counts(d Decider) error {
	forbid := func(sentence string) error { return fault.New(fault.Forbidden, sentence, nil) }
	switch {
	case !a.roleMay(d.Role) || !a.inGroups(d.Groups):
		return forbid("This request needs " + a.who() + ". You can deny it, and not approve it.")
	case a.NotSelf && d.Unowned:
		return forbid("Whoever runs this cannot approve it, and nobody knows whose the run is. Enrol the gateway again. Until then this can only be denied.")
	case a.NotSelf && d.Own:
		return forbid("This is your own run. Somebody else has to approve it; you can deny it.")
	}
	return nil
}

// roleMay reports whether somebody of that role can agree to a. A role that
// nobody knows of is nobody's.
func (a Approval) roleMay(r team.Role) bool {
	roles := team.Roles() // from the most to the least
	least := slices.Index(roles, a.NeedsRole)
	return r.May(team.Decide) && (a.NeedsRole == team.Nobody || least >= 0 && slices.Index(roles, r) <= least)
}

// inGroups reports whether who is in those groups is in all that a asks for.
func (a Approval) inGroups(groups []string) bool {
	for _, g := range a.Groups() {
		if !slices.Contains(groups, g) {
			return false
		}
	}
	return true
}

// Groups are the groups that whoever agrees to a has to be in, all of them.
func (a Approval) Groups() []string {
	if a.NeedsGroup == "" {
		return nil
	}
	return strings.Split(a.NeedsGroup, "+")
}

// Recount returns a without the votes of those who could not agree any more.
// Who tells what somebody is now; how they prove it was asked when they voted.
func (a Approval) Recount(who func(userID string) Decider) Approval {
	if a.Status == Pending {
		a.Agreed = slices.DeleteFunc(slices.Clone(a.Agreed), func(v Vote) bool { return a.counts(who(v.ID)) != nil })
	}
	return a
}

// Givers are the user IDs of those who have agreed so far, and of whoever has
// settled a.
func (a Approval) Givers() []string {
	ids := make([]string, 0, len(a.Agreed)+1)
	for _, v := range a.Agreed {
		ids = append(ids, v.ID)
	}
	if a.DecidedBy != "" && !slices.Contains(ids, a.DecidedBy) {
		ids = append(ids, a.DecidedBy)
	}
	return ids
}

// Stands reports whether everybody who granted a could grant it still. Who
// tells what somebody is now.
func (a Approval) Stands(who func(userID string) Decider) bool {
	ids := a.Givers()
	return len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return a.counts(who(id)) != nil })
}

// agree adds d's vote. It fails with fault.Forbidden where d cannot agree, and
// with fault.Conflict where d has already.
func (a Approval) agree(d Decider, now time.Time) (Approval, error) {
	if err := a.MayAgree(d); err != nil {
		return a, err
	}
	if a.Wanted() == 1 {
		return a, nil
	}
	if slices.ContainsFunc(a.Agreed, func(v Vote) bool { return v.ID == d.ID }) {
		return a, fault.New(fault.Conflict, "You have agreed to this already. "+a.Progress(), nil)
	}
	a.Agreed = append(slices.Clone(a.Agreed), Vote{ID: d.ID, Name: d.Name, Channel: d.Channel, Note: d.Note, At: now})
	return a, nil
}

// who is who has to agree: "an admin or owner", "2 people".
func (a Approval) who() string {
	n := a.Wanted()
	words := map[team.Role][2]string{
		team.Nobody:     {"a person", "people"},
		team.RoleMember: {"a member, admin or owner", "members, admins or owners"},
		team.RoleAdmin:  {"an admin or owner", "admins or owners"},
		team.RoleOwner:  {"an owner", "owners"},
	}
	w, ok := words[a.NeedsRole]
	if !ok {
		w = [2]string{"the role " + string(a.NeedsRole), "people with the role " + string(a.NeedsRole)}
	}
	in := ""
	if groups := a.Groups(); len(groups) > 0 {
		in = " in " + listed(groups)
	}
	if n == 1 {
		return w[0] + in
	}
	return strconv.Itoa(n) + " " + w[1] + in
}

// Special reports whether a asks for more than one person who may decide.
func (a Approval) Special() bool {
	return a.Wanted() > 1 || a.NeedsRole != team.Nobody || a.NeedsGroup != "" || a.NotSelf || a.StepUp
}

// Needed says in sentences who has to agree, and how.
func (a Approval) Needed() string {
	s := "Needs " + a.who() + "."
	if a.Wanted() > 1 {
		s = "Needs " + a.who() + " to agree. One denial is enough."
	}
	if a.NotSelf {
		s += " Nobody approves their own run."
	}
	if a.StepUp {
		s += " Whoever approves confirms who they are."
	}
	return s
}

// Progress says how many have agreed, and who: "1 of 2 agreed: Ana." It is ""
// where one is enough.
func (a Approval) Progress() string {
	if a.Wanted() == 1 {
		return ""
	}
	s := strconv.Itoa(len(a.Agreed)) + " of " + strconv.Itoa(a.Wanted()) + " agreed"
	if len(a.Agreed) > 0 {
		s += ": " + listed(a.voters())
	}
	return s + "."
}

func (a Approval) voters() []string {
	names := make([]string, 0, len(a.Agreed))
	for _, v := range a.Agreed {
		names = append(names, v.Name)
	}
	return names
}

// listed is names in a sentence.
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Deciders is who has settled a: all who agreed, where it needed several; ""
// where nobody has.
func (a Approval) Deciders() string {
	switch a.Status {
	case Approved, Executed, Unused:
		if len(a.Agreed) > 1 {
			return listed(a.voters())
		}
	case Pending, Denied, Expired, Cancelled:
	}
	return a.DeciderName
}

// Heard is what gateways know of Seq: that somebody has agreed is no news for
// them before the last has.
func (a Approval) Heard() int64 {
	if a.Status == Pending {
		return min(a.Seq, 1)
	}
	return a.Seq
}
