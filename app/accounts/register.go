package accounts

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// Registration is how somebody becomes the owner of a fresh server.
type Registration struct {
	Email      string
	Name       string // the part before the @ where empty
	Password   string
	Team       string // "<Name>'s team" where empty
	SetupToken string // from the set-up link
	Loopback   bool   // the server can be reached from its own machine only
	IP         string
}

// NeedsSetup reports whether nobody has an account yet.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	some, err := s.Store.HasUsers(ctx)
	if err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	return !some, nil
}

// Register makes the first account and its team. Anybody who can reach the
// server may do so on loopback; elsewhere whoever has the set-up link may. It
// fails with fault.Forbidden for everybody else, and for everybody once there
// is an account; with fault.Expired where the link is over; with fault.Invalid
// where a field makes no sense.
func (s *Service) Register(ctx context.Context, r Registration) (team.User, error) {
	switch fresh, err := s.NeedsSetup(ctx); {
	case err != nil:
		return team.User{}, fmt.Errorf("register: %w", err)
	case !fresh:
		return team.User{}, fault.New(fault.Forbidden, "This server has an owner. Ask them to add you.", nil)
	case !r.Loopback && r.SetupToken == "":
		return team.User{}, fault.New(fault.Forbidden, "Open the set-up link that the server printed when it started. Starting it again prints a new one.", nil)
	}
	now := s.now()
	u, err := s.newUser(ctx, r.Email, r.Name, r.Password, now)
	if err != nil {
		return team.User{}, err
	}
	t, err := s.newTeam(r.Team, u, now)
	if err != nil {
		return team.User{}, err
	}
	link := ""
	if !r.Loopback {
		link = hash(r.SetupToken)
	}
	e := audit.Event{
		Time: now, Type: "team.created", Target: t.ID, Name: t.Name, Detail: map[string]string{"email": u.Email},
		Actor: audit.Actor{Kind: audit.ByUser, ID: u.ID, Name: u.Name, IP: r.IP},
	}
	if err := s.Store.InsertFirstUser(ctx, u, t, link, now, e); err != nil {
		return team.User{}, fmt.Errorf("register: %w", err)
	}
	return u, nil
}

// NewUser is an account that is added on the server's console.
type NewUser struct {
	Email    string
	Name     string // the part before the @ where empty
	Role     team.Role
	Password credential.Secret
}

// AddUser adds an account from the server's console: to the team, or with a
// team of its own where there is none, and then it has to be the owner's.
func (s *Service) AddUser(ctx context.Context, n NewUser) (team.User, error) {
	if _, err := team.ParseRole(string(n.Role)); err != nil {
		return team.User{}, err
	}
	now := s.now()
	u, err := s.newUser(ctx, n.Email, n.Name, n.Password.Reveal(), now)
	if err != nil {
		return team.User{}, err
	}
	e := audit.Event{
		Time: now, Type: "user.added", Actor: console(), Target: u.ID, Name: u.Email, Detail: map[string]string{"role": string(n.Role)},
	}
	t, err := s.Store.FirstTeam(ctx)
	switch {
	case err == nil:
		if err := s.Store.InsertUser(ctx, u, t.ID, n.Role, now, e); err != nil {
			return team.User{}, fmt.Errorf("add user: %w", err)
		}
		return u, nil
	case fault.Of(err) != fault.NotFound:
		return team.User{}, fmt.Errorf("add user: %w", err)
	case n.Role != team.RoleOwner:
		return team.User{}, fault.New(fault.Invalid, "The first account is the owner's: give it the role owner.", nil)
	}
	if t, err = s.newTeam("", u, now); err != nil {
		return team.User{}, err
	}
	e.Type, e.Target, e.Name = "team.created", t.ID, t.Name
	e.Detail["email"] = u.Email
	if err := s.Store.InsertFirstUser(ctx, u, t, "", now, e); err != nil {
		return team.User{}, fmt.Errorf("add user: %w", err)
	}
	return u, nil
}

func console() audit.Actor {
	a := audit.System()
	a.Auth = "console"
	return a
}

// SetupLink makes a token for the set-up link of a fresh server. It is good
// for a day, once.
func (s *Service) SetupLink(ctx context.Context) (token string, err error) {
	token, l := s.newLink(team.SetUpLink, "", setUpLife)
	if err := s.Store.InsertLink(ctx, l); err != nil {
		return "", fmt.Errorf("make set-up link: %w", err)
	}
	return token, nil
}

func (s *Service) newLink(kind, userID string, life time.Duration) (token string, l team.Link) {
	token, now := newSecret().Reveal(), s.now()
	return token, team.Link{Hash: hash(token), Kind: kind, UserID: userID, CreatedAt: now, ExpiresAt: now.Add(life)}
}

func (s *Service) newUser(ctx context.Context, email, name, password string, now time.Time) (team.User, error) {
	address, err := parseEmail(email)
	if err != nil {
		return team.User{}, err
	}
	name = clamp(name, 100)
	if name == "" {
		name, _, _ = strings.Cut(address, "@")
	}
	if err := checkPassword(password, address); err != nil {
		return team.User{}, err
	}
	hashed, err := s.passwords.hash(ctx, credential.NewSecret(password))
	if err != nil {
		return team.User{}, err
	}
	return team.User{ID: newID("usr_"), Email: address, Name: name, PasswordHash: hashed, CreatedAt: now}, nil
}

func (s *Service) newTeam(name string, owner team.User, now time.Time) (team.Team, error) {
	if name = clamp(name, 100); name == "" {
		name = owner.Name + "'s team"
	}
	t := team.Team{ID: newID("team_"), Name: name, Revision: 1, CreatedAt: now}
	var err error
	if t.DataKey, err = s.Keys.NewTeamKey(t.ID); err != nil {
		return team.Team{}, fmt.Errorf("make the team's key: %w", err)
	}
	return t, nil
}

// parseEmail returns address in the one spelling that accounts are kept in.
func parseEmail(address string) (string, error) {
	address = strings.ToLower(strings.TrimSpace(address))
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address || len(address) > 254 || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fault.New(fault.Invalid, "Write an e-mail address like ana@example.com.", err)
	}
	return address, nil
}
