package terms_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/terms"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// read reads what stands behind "a: ".
func read(t *testing.T, text string) (policy.Approvers, []yamldoc.Problem) {
	t.Helper()
	root, problem := yamldoc.Tree([]byte("a: "+text+"\n"), 1<<16, 20, 64)
	if problem != nil || root == nil {
		return policy.Approvers{}, []yamldoc.Problem{{}}
	}
	var r yamldoc.Reader
	a := terms.Read(&r, r.Mapping(yamldoc.Place{Node: root}, "a")["a"])
	return a, r.Problems.All
}

func TestWhoHasToAgreeIsReadAndWritten(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]policy.Approvers{
		"":                {},
		"2":               {Count: 2},
		"{role: admin}":   {Role: "admin"},
		"{group: ops}":    {Group: "ops"},
		`{group: "on"}`:   {Group: "on"},
		`{group: "0x1f"}`: {Group: "0x1f"},
		"{role: admin, group: release, count: 2, prevent_self_approval: true, step_up: true}": {Role: "admin", Group: "release", Count: 2, NotSelf: true, StepUp: true},
		`{group: [a, b, "1", "no"]}`: {Group: policy.JoinGroups("a", "b", "1", "no")},
	} {
		got, problems := read(t, text)
		if got != want || len(problems) > 0 {
			t.Errorf("%s: %+v, %v", text, got, problems)
		}
		if again, problems := read(t, terms.Write(got)); again != want || len(problems) > 0 {
			t.Errorf("%s is written as %s, which is %+v, %v", text, terms.Write(got), again, problems)
		}
	}
	if got, _ := read(t, "{step_up: false, group: [b, a]}"); got != (policy.Approvers{Group: "a+b"}) {
		t.Errorf("%+v", got)
	}
}

func TestWhoCannotAgreeIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"two":                           "1:4: a: how many people belongs here",
		"[admin]":                       "1:4: a: how many people belongs here",
		"0":                             "1:4: a: how many people have to agree is a number from 1 to 10",
		"-1":                            "1 to 10",
		"{count: 11}":                   "1:12: a.count: how many people",
		"{count: 99999999999999999999}": "1 to 10",
		"{count: many}":                 "1 to 10",
		"{role: viewer}":                "1:11: a.role: a viewer cannot approve",
		"{role: admn}":                  `did you mean "admin"?`,
		"{roles: admin}":                `did you mean "role"?`,
		"{group: Release}":              "1:12: a.group: A group's name is",
		"{group: a+b}":                  "A group's name is",
		"{group: [a, b, a]}":            "1:19: a.group[2]: the group a is named twice",
		"{group: [a, b, c, d, e]}":      "at most 4 approver groups",
		"{group: []}":                   "nothing in this list",
		"{step_up: please}":             "1:14: a.step_up: true or false belongs here",
		"{prevent_self_approval: 1}":    "true or false belongs here",
		"{role: admin, role: owner}":    "there twice",
	} {
		_, problems := read(t, text)
		var all yamldoc.Problems
		all.File, all.All = "f", problems
		if err := all.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Whatever is read without a complaint can be asked for, and is written so
// that it is read again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"2", "{role: admin, group: [a, b], count: 2, step_up: true}", "{group: 'x'}", "\n  role: owner", "{count: 0x2}", "!!int '2'", "{group: [a, null]}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, problems := read(t, text)
		if len(problems) > 0 {
			return
		}
		if err := a.Check(); err != nil {
			t.Fatalf("%+v: %v", a, err)
		}
		if again, problems := read(t, terms.Write(a)); again != a || len(problems) > 0 {
			t.Fatalf("%+v, then %+v, %v", a, again, problems)
		}
	})
}
