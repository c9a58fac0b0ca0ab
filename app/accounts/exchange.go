package accounts

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// What PollDevice answers while there is no token (RFC 8628, 3.5). Tell them
// apart with errors.Is.
var (
	Pending      = fault.New(fault.Unavailable, "Nobody has confirmed the sign-in yet.", nil)
	SlowDown     = fault.New(fault.Limited, "Ask less often: wait five seconds longer each time.", nil)
	Denied       = fault.New(fault.Forbidden, "The sign-in was refused in the browser.", nil)
	ExpiredToken = fault.New(fault.Expired, "The sign-in was not confirmed in time, or has been used. Run tameflare login again.", nil)
)

// ExchangeCode gives the command line its token for the code that its browser
// brought. It fails with fault.Unauthenticated where the code is over, used or
// another's, without saying which. A code that comes without its verifier is
// worthless afterwards: somebody else has it.
func (s *Service) ExchangeCode(ctx context.Context, code, verifier, redirectURI string) (credential.Secret, team.Token, team.Viewer, error) {
	refuse := func() (credential.Secret, team.Token, team.Viewer, error) {
		return credential.Secret{}, team.Token{}, team.Viewer{},
			fault.New(fault.Unauthenticated, "This sign-in has been used, or is too old. Run tameflare login again.", nil)
	}
	l, err := s.Store.LoginByCode(ctx, hash(code))
	if fault.Of(err) == fault.NotFound {
		return refuse()
	}
	if err != nil {
		return credential.Secret{}, team.Token{}, team.Viewer{}, fmt.Errorf("exchange code: %w", err)
	}
	now := s.now()
	if l.Status != team.LoginApproved || !now.Before(l.ExpiresAt) {
		return refuse()
	}
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(challenge), []byte(l.Challenge)) != 1 || redirectURI != l.RedirectURI {
		e := audit.Event{Time: now, Type: "login.spoiled", Actor: audit.System(), Target: l.ID, Name: l.Client}
		if err := s.Store.SpoilLogin(ctx, l, e); err != nil {
			return credential.Secret{}, team.Token{}, team.Viewer{}, fmt.Errorf("exchange code: %w", err)
		}
		return refuse()
	}
	secret, t, v, err := s.redeem(ctx, l)
	if fault.Of(err) == fault.Conflict {
		return refuse()
	}
	return secret, t, v, err
}

// PollDevice gives a device its token once somebody has confirmed its login.
// Until then it fails with Pending, or with SlowDown where it asks too often,
// and finally with Denied or ExpiredToken.
func (s *Service) PollDevice(ctx context.Context, deviceCode string) (credential.Secret, team.Token, team.Viewer, error) {
	refuse := func(err error) (credential.Secret, team.Token, team.Viewer, error) {
		return credential.Secret{}, team.Token{}, team.Viewer{}, err
	}
	l, err := s.Store.LoginByDevice(ctx, hash(deviceCode))
	if fault.Of(err) == fault.NotFound {
		return refuse(ExpiredToken)
	}
	if err != nil {
		return refuse(fmt.Errorf("poll login: %w", err))
	}
	now := s.now()
	switch {
	case l.Status == team.LoginDenied:
		return refuse(Denied)
	case l.Status == team.LoginUsed, !now.Before(l.ExpiresAt):
		return refuse(ExpiredToken)
	}
	// A little early is the network's doing, not the device's.
	tooSoon := now.Sub(l.LastPolledAt) < time.Duration(l.PollSeconds)*time.Second-500*time.Millisecond
	if tooSoon {
		l.PollSeconds = min(l.PollSeconds+5, 60)
	}
	if tooSoon || l.Status == team.LoginPending {
		if err := s.Store.PolledLogin(ctx, l.ID, now, l.PollSeconds); err != nil {
			return refuse(fmt.Errorf("poll login: %w", err))
		}
		if tooSoon {
			return refuse(SlowDown)
		}
		return refuse(Pending)
	}
	secret, t, v, err := s.redeem(ctx, l)
	if fault.Of(err) == fault.Conflict {
		return refuse(ExpiredToken)
	}
	return secret, t, v, err
}

// redeem makes the token of an approved login, once.
func (s *Service) redeem(ctx context.Context, l team.Login) (credential.Secret, team.Token, team.Viewer, error) {
	v, err := s.Store.Viewer(ctx, l.UserID, l.TeamID)
	if err != nil {
		return credential.Secret{}, team.Token{}, team.Viewer{}, fmt.Errorf("redeem login: %w", err)
	}
	secret, t := s.tokenFor(l.UserID, l.TeamID, l.Client, tokenLife)
	v.Auth, v.By, v.IP = "token", t.ID, l.ClientIP
	if err := s.Store.UseLogin(ctx, l.ID, t, tokenEvent("token.created", v.Actor(), t, t.CreatedAt)); err != nil {
		return credential.Secret{}, team.Token{}, team.Viewer{}, fmt.Errorf("redeem login: %w", err)
	}
	return secret, t, v, nil
}
