package approvals

import (
	"testing"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/rest"
)

func TestWhoHasToAgreeIsSaid(t *testing.T) {
	t.Parallel()
	ana := []rest.Agreement{{Name: "Ana"}}
	for name, c := range map[string]struct {
		a                     rest.Approval
		status, needs, agreed string
	}{
		"anybody":                    {rest.Approval{Status: approval.Pending}, "pending", "", ""},
		"one, of a server of before": {rest.Approval{Status: approval.Pending, Needs: 0}, "pending", "", ""},
		"an admin":                   {rest.Approval{Status: approval.Pending, Needs: 1, NeedsRole: "admin"}, "pending", "at least admin", ""},
		"two, and none yet":          {rest.Approval{Status: approval.Pending, Needs: 2}, "pending, 0 of 2", "2 people, each at least member", "0 of 2 agreed"},
		"two admins, and one":        {rest.Approval{Status: approval.Pending, Needs: 2, NeedsRole: "admin", Agreed: ana}, "pending, 1 of 2", "2 people, each at least admin", "1 of 2 agreed: Ana"},
		"both":                       {rest.Approval{Status: approval.Approved, Needs: 2, Agreed: append(ana, rest.Agreement{Name: "Ben"})}, "approved", "2 people, each at least member", "2 of 2 agreed: Ana, Ben"},
	} {
		if s, n, a := status(c.a), needs(c.a), agreed(c.a); s != c.status || n != c.needs || a != c.agreed {
			t.Errorf("%s: %q, %q, %q; want %q, %q, %q", name, s, n, a, c.status, c.needs, c.agreed)
		}
	}
}
