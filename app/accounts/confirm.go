package accounts

import (
	"context"
	"fmt"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// Confirm notes that v, who is signed in with a browser, has proved again who
// they are: see team.Viewer.Fresh. A wrong password counts as one at sign-in
// does. It fails with fault.Invalid where the password is another, and leaves
// the session as it was; with fault.Limited after too many of these, with
// fault.Forbidden where v has come with anything but a session, and with
// fault.Unauthenticated where that is over.
func (s *Service) Confirm(ctx context.Context, v team.Viewer, password, ip string) error {
	refused := fault.New(fault.Invalid, "The password is not right.", nil)
	if v.Auth != "session" || v.By == "" {
		return fault.New(fault.Forbidden, "Confirm in the dashboard that it is you.", nil)
	}
	if len(password) > maxPassword {
		return refused
	}
	u, err := s.prove(ctx, v.User.Email, password, ip, refused)
	if err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	if u.ID != v.User.ID {
		return refused
	}
	now := s.now()
	e := audit.Event{Time: now, Type: "user.confirmed", Actor: v.Actor(), Target: u.ID, Name: u.Email}
	if err := s.Store.ConfirmSession(ctx, v.Team.ID, v.By, u.ID, now, e); err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	return nil
}
