package accounts

import (
	"context"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// touchEvery bounds how often a session or token that is used a lot is written.
const touchEvery = time.Minute

// StartSession signs a browser in as the user, who has just shown their
// password, in the team that they joined first. The ID goes into a cookie; see
// Cookies. Each sign-in has a new one.
func (s *Service) StartSession(ctx context.Context, userID, userAgent, ip string) (credential.Secret, error) {
	return s.startSession(ctx, userID, userAgent, ip, s.now())
}

// StartLinkedSession is StartSession for whoever came with a sign-in link. A
// token makes such links, so a link proves no more than a token does.
func (s *Service) StartLinkedSession(ctx context.Context, userID, userAgent, ip string) (credential.Secret, error) {
	return s.startSession(ctx, userID, userAgent, ip, time.Time{})
}

func (s *Service) startSession(ctx context.Context, userID, userAgent, ip string, confirmed time.Time) (credential.Secret, error) {
	v, err := s.firstViewer(ctx, userID)
	if err != nil {
		return credential.Secret{}, fmt.Errorf("start session: %w", err)
	}
	id, now := newSecret(), s.now()
	session := team.Session{
		ID: hash(id.Reveal()), UserID: userID, TeamID: v.Team.ID, UserAgent: clamp(userAgent, 300), IP: clamp(ip, 60),
		CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(sessionLife), ConfirmedAt: confirmed,
	}
	v.Auth, v.By, v.IP = "session", session.ID, session.IP
	e := audit.Event{Time: now, Type: "user.signed_in", Actor: v.Actor(), Target: v.User.ID, Name: v.User.Email, Detail: map[string]string{"user_agent": session.UserAgent}}
	if err := s.Store.InsertSession(ctx, session, e); err != nil {
		return credential.Secret{}, fmt.Errorf("start session: %w", err)
	}
	return id, nil
}

// firstViewer is the user in the team that they joined first.
func (s *Service) firstViewer(ctx context.Context, userID string) (team.Viewer, error) {
	ms, err := s.Store.Memberships(ctx, userID)
	if err != nil {
		return team.Viewer{}, err
	}
	if len(ms) == 0 {
		return team.Viewer{}, fault.New(fault.Forbidden, "This account belongs to no team. Ask an owner to add you.", nil)
	}
	return s.Store.Viewer(ctx, userID, ms[0].TeamID)
}

// Viewer returns who the browser with this session ID is signed in as. It
// fails with fault.Unauthenticated where it is nobody, any more.
func (s *Service) Viewer(ctx context.Context, sessionID, ip string) (team.Viewer, error) {
	over := fault.New(fault.Unauthenticated, "Sign in to go on.", nil)
	if !plausible(sessionID) {
		return team.Viewer{}, over
	}
	session, err := s.Store.Session(ctx, hash(sessionID))
	if fault.Of(err) == fault.NotFound {
		return team.Viewer{}, over
	}
	if err != nil {
		return team.Viewer{}, fmt.Errorf("look up session: %w", err)
	}
	now := s.now()
	if !now.Before(session.ExpiresAt) || now.Sub(session.LastSeenAt) >= sessionIdle {
		return team.Viewer{}, over
	}
	v, err := s.Store.Viewer(ctx, session.UserID, session.TeamID)
	if err != nil {
		return team.Viewer{}, fmt.Errorf("look up session: %w", err)
	}
	if now.Sub(session.LastSeenAt) >= touchEvery {
		if err := s.Store.TouchSession(ctx, session.ID, clamp(ip, 60), now); err != nil {
			return team.Viewer{}, fmt.Errorf("keep session: %w", err)
		}
	}
	v.Auth, v.By, v.IP, v.ConfirmedAt = "session", session.ID, clamp(ip, 60), session.ConfirmedAt
	return v, nil
}

// EndSession signs the viewer's browser out. It counts from the next request.
func (s *Service) EndSession(ctx context.Context, v team.Viewer) error {
	if v.Auth != "session" {
		return fault.New(fault.Invalid, "There is no session to end.", nil)
	}
	e := audit.Event{Time: s.now(), Type: "user.signed_out", Actor: v.Actor(), Target: v.User.ID, Name: v.User.Email}
	if err := s.Store.DeleteSession(ctx, v.Team.ID, v.By, e); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// Run forgets what is over, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		now := s.now()
		if err := s.Store.ForgetExpired(ctx, now.Add(-sessionIdle), now); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "expired sessions could not be removed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
