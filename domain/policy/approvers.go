package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// Approvers are who has to agree. The zero Approvers is one person who may
// decide at all.
type Approvers struct {
	Role  string `json:"role,omitempty"`  // at least this one: "member", "admin" or "owner"
	Count int    `json:"count,omitempty"` // how many different people; 0 is 1
	// Group is the named group whose members may agree; of several, with "+"
	// between, in order, whoever is in all of them.
	Group string `json:"group,omitempty"`
	// NotSelf keeps whoever enrolled the gateway from approving what runs there.
	NotSelf bool `json:"prevent_self_approval,omitempty"`
	// StepUp asks whoever agrees to prove again who they are.
	StepUp bool `json:"step_up,omitempty"`
}

// What Approvers may ask for.
const (
	MaxApprovers = 10 // people
	MaxGroups    = 4  // that one rule or clause names
)

// Groups are the names in a.Group.
func (a Approvers) Groups() []string {
	if a.Group == "" {
		return nil
	}
	return strings.Split(a.Group, "+")
}

// JoinGroups writes names as Approvers have them.
func JoinGroups(names ...string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), "+")
}

// Check fails with fault.Invalid where nobody can be asked for a.
func (a Approvers) Check() error {
	if a.Count < 0 || a.Count > MaxApprovers {
		return fault.New(fault.Invalid, fmt.Sprintf("An approval takes 1 to %d people.", MaxApprovers), nil)
	}
	if roleRank(a.Role) == len(roles) {
		return fault.New(fault.Invalid, "Who approves is a member, an admin or an owner.", nil)
	}
	groups := a.Groups()
	if len(groups) > MaxGroups {
		return fault.New(fault.Invalid, fmt.Sprintf("A rule names at most %d approver groups.", MaxGroups), nil)
	}
	for _, name := range groups {
		if err := CheckGroupName(name); err != nil {
			return err
		}
	}
	if JoinGroups(groups...) != a.Group {
		return fault.New(fault.Invalid, "Approver groups are named in the order of the alphabet, each once.", nil)
	}
	return nil
}

const maxGroupName = 40

// CheckGroupName fails with fault.Invalid where name cannot be that of a group.
func CheckGroupName(name string) error {
	ok := name != "" && len(name) <= maxGroupName && name[0] != '-'
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !ok {
		return fault.New(fault.Invalid, "A group's name is 1 to 40 of a-z, 0-9 and dash, and begins with a letter or digit.", nil)
	}
	return nil
}

// HasTerms reports whether a asks for more than a role and a number.
func (a Approvers) HasTerms() bool { return a.Group != "" || a.NotSelf || a.StepUp }

var roles = [...]string{"", "member", "admin", "owner"}

func roleRank(role string) int {
	for i, name := range roles {
		if name == role {
			return i
		}
	}
	return len(roles) // unheard of: above all
}

// and is who has to agree where both are asked for.
func (a Approvers) and(b Approvers) Approvers {
	a.Count = max(a.Count, b.Count)
	if roleRank(b.Role) > roleRank(a.Role) {
		a.Role = b.Role
	}
	if a.Group != b.Group {
		a.Group = JoinGroups(append(a.Groups(), b.Groups()...)...)
	}
	a.NotSelf, a.StepUp = a.NotSelf || b.NotSelf, a.StepUp || b.StepUp
	return a
}

// alike reports whether a and b ask for the same.
func (a Approvers) alike(b Approvers) bool {
	a.Count, b.Count = max(a.Count, 1), max(b.Count, 1)
	return a == b
}

// compare puts first what asks for more, as far as that can be said.
func (a Approvers) compare(b Approvers) int {
	return cmp.Or(
		cmp.Compare(roleRank(b.Role), roleRank(a.Role)), cmp.Compare(b.Count, a.Count),
		boolCompare(b.StepUp, a.StepUp), boolCompare(b.NotSelf, a.NotSelf),
		cmp.Compare(len(b.Groups()), len(a.Groups())), strings.Compare(a.Group, b.Group),
	)
}

// String says in words who has to agree: "the approval of 2 admins of release".
func (a Approvers) String() string {
	role := cmp.Or(a.Role, "person")
	article := "a"
	if role == "admin" || role == "owner" {
		article = "an"
	}
	whose := a.whose()
	var out string
	switch {
	case a.Count <= 1 && whose == "":
		out = article + " " + role + "'s approval"
	case a.Count <= 1:
		out = "the approval of " + article + " " + role + whose
	case role == "person":
		out = fmt.Sprintf("the approval of %d people%s", a.Count, whose)
	default:
		out = fmt.Sprintf("the approval of %d %ss%s", a.Count, role, whose)
	}
	if a.StepUp {
		out += ", given with a fresh proof of who they are"
	}
	return out
}

// whose is what is said of people after what they are.
func (a Approvers) whose() (s string) {
	switch groups := a.Groups(); len(groups) {
	case 0:
	case 1:
		s = " of " + groups[0]
	default:
		last := len(groups) - 1
		s = " of each of " + strings.Join(groups[:last], ", ") + " and " + groups[last]
	}
	if a.NotSelf {
		s += " other than whoever enrolled the gateway"
	}
	return s
}

const together = " Together with other rules, it takes "

// with is d where other is asked for too.
func (d Decision) with(other Approvers) Decision {
	was := d.Approvers
	if d.Approvers = was.and(other); !d.Approvers.alike(was) {
		if before, after, found := strings.Cut(d.Reason, together); found {
			_, after, _ = strings.Cut(after, ".")
			d.Reason = before + after
		}
		d.Reason += together + d.Approvers.String() + "."
	}
	return d
}

// asking is d, of who has to agree where it asks for an approval.
func (d Decision) asking(who Approvers) Decision {
	if d.Would != RequireApproval {
		return d
	}
	return d.with(who)
}

// strictestOf is the stricter of two decisions about one request, d where they
// are as strict. Where both ask for an approval, it takes what both ask for.
func strictestOf(d, o Decision) Decision {
	out, other := d, o
	if stricter(o, d) {
		out, other = o, d
	}
	return out.asking(other.Approvers)
}
