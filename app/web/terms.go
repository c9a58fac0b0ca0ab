package web

import (
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/views"
)

// termNames are the columns of a rule's form that say who has to agree.
var termNames = []string{"role", "count", "group", "self", "proof"}

const yes = "yes"

func showTerms(f *views.RuleForm, a policy.Approvers) {
	f.Role, f.Group = a.Role, strings.Join(a.Groups(), ", ")
	if a.Count > 1 {
		f.Count = strconv.Itoa(a.Count)
	}
	if a.NotSelf {
		f.Self = yes
	}
	if a.StepUp {
		f.Proof = yes
	}
}

// readTerms reads who has to agree. It fails with fault.Invalid.
func readTerms(row views.RuleForm) (policy.Approvers, error) {
	names := strings.FieldsFunc(row.Group, func(c rune) bool { return c == ',' || c == ' ' })
	a := policy.Approvers{Role: row.Role, Group: policy.JoinGroups(names...), NotSelf: row.Self == yes, StepUp: row.Proof == yes}
	for _, name := range names { // before they are joined: a plus would part a name
		if err := policy.CheckGroupName(name); err != nil {
			return a, err
		}
	}
	if row.Count != "" {
		n, err := strconv.Atoi(row.Count)
		if err != nil || n < 1 {
			return a, fault.New(fault.Invalid, "How many people have to agree is a number from 1 to 10.", err)
		}
		a.Count = n
	}
	return a, a.Check()
}
