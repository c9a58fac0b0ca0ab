package views

import (
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/team"
)

func TestACardSaysWhoHasToAgree(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	card := func(a approval.Approval) string {
		a.ID, a.GatewayName, a.CreatedAt, a.ExpiresAt = "apr_1", "box", now, now.Add(time.Minute)
		var b strings.Builder
		if err := ApprovalCard(Card{Approval: a, MayDecide: true, Now: now}).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	two := approval.Approval{Status: approval.Pending, Needs: 2, NeedsRole: team.RoleAdmin, Agreed: []approval.Vote{{ID: "usr_a", Name: "Ana <b>"}}}
	if got := card(two); !strings.Contains(got, "Needs 2 admins or owners to agree. One denial is enough. 1 of 2 agreed: Ana &lt;b&gt;.") {
		t.Errorf("a card of two: %s", got)
	}
	if got := card(approval.Approval{Status: approval.Pending, NeedsRole: team.RoleOwner}); !strings.Contains(got, "Needs an owner.") || strings.Contains(got, "agreed") {
		t.Errorf("a card of an owner: %s", got)
	}
	if got := card(approval.Approval{Status: approval.Pending}); strings.Contains(got, "Who has to agree") {
		t.Errorf("a card like any other: %s", got)
	}
	done := two
	done.Status, done.DecidedAt, done.DeciderName, done.Channel = approval.Executed, now, "Ben", approval.CLI
	done.Agreed = append(done.Agreed, approval.Vote{ID: "usr_b", Name: "Ben"})
	if got := card(done); !strings.Contains(got, "by Ana &lt;b&gt; and Ben, cli") {
		t.Errorf("a card that was decided by both: %s", got)
	}
}
