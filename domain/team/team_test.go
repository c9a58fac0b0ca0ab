package team_test

import (
	"testing"

	"github.com/tameflare/tameflare/domain/team"
)

func TestWhatRolesMay(t *testing.T) {
	t.Parallel()

	for role, want := range map[team.Role][4]bool{
		team.RoleOwner:  {true, true, true, true},
		team.RoleAdmin:  {true, true, true, false},
		team.RoleMember: {true, true, false, false},
		team.RoleViewer: {true, false, false, false},
		team.Nobody:     {},
		"root":          {},
	} {
		for i, p := range team.Permissions() {
			if got := role.May(p); got != want[i] {
				t.Errorf("%q may %s = %v, want %v", role, p, got, want[i])
			}
		}
	}
}

func TestParseRole(t *testing.T) {
	t.Parallel()

	for _, r := range team.Roles() {
		if got, err := team.ParseRole(string(r)); err != nil || got != r {
			t.Errorf("ParseRole(%q) = %q, %v", r, got, err)
		}
	}
	for _, s := range []string{"", "Owner", "root"} {
		if got, err := team.ParseRole(s); err == nil || got != team.Nobody {
			t.Errorf("ParseRole(%q) = %q, %v", s, got, err)
		}
	}
}
