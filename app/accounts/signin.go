package accounts

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// How many failures there may be in throttleWindow. An account allows more
// than one address, so that a stranger cannot so easily keep its owner out.
const (
	failuresFromThere  = 8   // for one account from one address
	failuresOfAccount  = 40  // from everywhere
	failuresFromSource = 100 // for all accounts from one address
)

// SignIn returns the user with the address and the password. It fails with
// fault.Unauthenticated, with the same sentence after the same time, where
// there is no such account, it is disabled, or the password is another; and
// with fault.Limited after too many of these, whether or not there is such an
// account.
func (s *Service) SignIn(ctx context.Context, email, password, ip string) (team.User, error) {
	refused := fault.New(fault.Unauthenticated, "The e-mail address or the password is not right.", nil)
	address, err := parseEmail(email)
	if err != nil || len(password) > maxPassword {
		return team.User{}, refused // there is no such account, as anybody can see
	}
	u, err := s.prove(ctx, address, password, ip, refused)
	if fault.Of(err) == fault.Unauthenticated {
		s.Log.InfoContext(ctx, "sign-in refused", "ip", ip)
	}
	return u, err
}

// prove returns the account with the address, whose password it is. It fails
// with refused where there is none such, and with fault.Limited after too many
// of these.
func (s *Service) prove(ctx context.Context, address, password, ip string, refused error) (team.User, error) {
	now := s.now()
	from := network(ip)
	here, account, source := "both "+address+" "+from, "account "+address, "source "+from
	for _, limit := range []struct {
		key string
		n   int
	}{{here, failuresFromThere}, {account, failuresOfAccount}, {source, failuresFromSource}} {
		if wait := s.failures.blocked(limit.key, limit.n, now); wait > 0 {
			return team.User{}, tooMany(wait)
		}
	}
	u, err := s.Store.UserByEmail(ctx, address)
	if err != nil && fault.Of(err) != fault.NotFound {
		return team.User{}, fmt.Errorf("look up account: %w", err)
	}
	// Counted before it is known whether it failed, or many at once would all
	// be let through.
	s.failures.add(now, here, account, source)
	ok, err := s.passwords.match(ctx, credential.NewSecret(password), u.PasswordHash)
	if err != nil {
		return team.User{}, fmt.Errorf("prove password: %w", err)
	}
	if !ok || !u.DisabledAt.IsZero() {
		return team.User{}, refused
	}
	s.failures.clear(here)
	s.failures.takeBack(account, source)
	return u, nil
}

func tooMany(wait time.Duration) error {
	minutes := int(wait/time.Minute) + 1
	unit := " minutes."
	if minutes == 1 {
		unit = " minute."
	}
	return fault.New(fault.Limited, "Too many attempts. Try again in "+strconv.Itoa(minutes)+unit, nil)
}

// NewSignInLink makes a token with which v signs in once, within ten minutes,
// without a password.
func (s *Service) NewSignInLink(ctx context.Context, v team.Viewer) (token string, err error) {
	token, l := s.newLink(team.SignInLink, v.User.ID, signInLife)
	e := audit.Event{Time: l.CreatedAt, Type: "link.created", Actor: v.Actor(), Target: v.User.ID, Name: v.User.Email, Detail: map[string]string{"by": v.By}}
	if err := s.Store.OfferLink(ctx, v.Team.ID, l, e); err != nil {
		return "", fmt.Errorf("make sign-in link: %w", err)
	}
	return token, nil
}

// SignInWithLink returns the user whose link it is, and uses it up. It fails
// with fault.Expired where it is over, used, or never was.
func (s *Service) SignInWithLink(ctx context.Context, token string) (team.User, error) {
	l, err := s.Store.UseLink(ctx, hash(token), team.SignInLink, s.now())
	if err != nil {
		return team.User{}, fmt.Errorf("sign in with link: %w", err)
	}
	u, err := s.Store.User(ctx, l.UserID)
	if err != nil {
		return team.User{}, fmt.Errorf("sign in with link: %w", err)
	}
	if !u.DisabledAt.IsZero() {
		return team.User{}, fault.New(fault.Unauthenticated, "This account may not sign in any more.", nil)
	}
	return u, nil
}
