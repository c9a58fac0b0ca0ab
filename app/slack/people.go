package slack

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/team"
)

const (
	// LinkPage is where people get their codes.
	LinkPage = "/settings/slack/link"
	// CodeLife is for how long a code is good.
	CodeLife = 10 * time.Minute

	codeLetters = 10
)

// NewCode makes a code that links a Slack account to v, once. Earlier codes of
// theirs are worth nothing from then on.
func (s *Service) NewCode(ctx context.Context, v team.Viewer) (credential.Secret, error) {
	code := rand.Text()[:codeLetters] // base 32: fifty bits
	now := s.now()
	if err := s.Store.AddSlackCode(ctx, hash(code), v.Team.ID, v.User.ID, now, now.Add(CodeLife)); err != nil {
		return credential.Secret{}, fmt.Errorf("make a code for Slack: %w", err)
	}
	return credential.NewSecret(code[:codeLetters/2] + "-" + code[codeLetters/2:]), nil
}

func hash(code string) string {
	code = strings.ToUpper(strings.ReplaceAll(code, "-", ""))
	sum := sha256.Sum256([]byte("tameflare slack code\x00" + code))
	return hex.EncodeToString(sum[:])
}

// linkAccount uses up the code of a command, and returns the name of whoever
// had it made.
func (s *Service) linkAccount(ctx context.Context, to office, l letter) (string, error) {
	p := store.SlackPerson{TeamID: to.TeamID, Workspace: l.workspace, SlackUser: l.user, Name: cmp.Or(l.name, l.user), LinkedAt: s.now()}
	p, err := s.Store.LinkSlack(ctx, hash(l.words[1]), p, func(userID string) audit.Event {
		return audit.Event{
			Time: p.LinkedAt, Type: "slack.linked", Actor: audit.Actor{Kind: audit.ByUser, ID: userID, Auth: auth}, Target: userID, Name: p.Name,
			Detail: map[string]string{"workspace": p.Workspace, "slack_user": p.SlackUser, "integration": to.ID},
		}
	})
	if err != nil {
		return "", err
	}
	v, err := s.Store.Viewer(ctx, p.UserID, p.TeamID)
	return v.User.Name, err
}

// Linked returns the Slack accounts that v may see: their own, or everybody's
// where they manage the team.
func (s *Service) Linked(ctx context.Context, v team.Viewer) ([]store.SlackPerson, error) {
	all, err := s.Store.SlackPeople(ctx, v.Team.ID)
	if err != nil {
		return nil, fmt.Errorf("list linked Slack accounts: %w", err)
	}
	if v.May(team.Manage) {
		return all, nil
	}
	var own []store.SlackPerson
	for _, p := range all {
		if p.UserID == v.User.ID {
			own = append(own, p)
		}
	}
	return own, nil
}

// Unlink takes a Slack account away from whose it is: from v, or from anybody
// where v manages the team. It fails with fault.NotFound.
func (s *Service) Unlink(ctx context.Context, v team.Viewer, workspace, slackUser string) error {
	p, err := s.Store.SlackPerson(ctx, v.Team.ID, audit.Plain(workspace, maxID), audit.Plain(slackUser, maxID))
	if err == nil && p.UserID != v.User.ID && !v.May(team.Manage) {
		err = fault.New(fault.NotFound, "This Slack account is not linked.", nil)
	}
	if err == nil {
		err = s.Store.UnlinkSlack(ctx, p, audit.Event{
			Time: s.now(), Type: "slack.unlinked", Actor: v.Actor(), Target: p.UserID, Name: p.Name,
			Detail: map[string]string{"workspace": p.Workspace, "slack_user": p.SlackUser},
		})
	}
	if err != nil {
		return fmt.Errorf("unlink Slack account: %w", err)
	}
	return nil
}

// Find returns the team's Slack, and false for ok where it has none.
func (s *Service) Find(ctx context.Context, teamID string) (i integration.Integration, set Settings, ok bool, err error) {
	all, err := s.Integrations.List(ctx, teamID)
	if err != nil {
		return i, set, false, err
	}
	for _, i := range all {
		if i.Kind == integration.Slack {
			set, err := ReadSettings(i)
			return i, set, true, err
		}
	}
	return i, set, false, nil
}

const (
	mostTries = 5
	triesLife = 10 * time.Minute
	mostKeys  = 10_000
)

// guesses counts wrong codes. The zero guesses is ready for use.
type guesses struct {
	mu   sync.Mutex
	made map[string][]time.Time
}

// admits reports whether somebody may try.
func (g *guesses) admits(key string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lately(key, now) < mostTries
}

func (g *guesses) missed(key string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lately(key, now)
	if g.made == nil || len(g.made) >= mostKeys {
		g.made = map[string][]time.Time{} // only members of the workspace get this far
	}
	g.made[key] = append(g.made[key], now)
}

func (g *guesses) forget(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.made, key)
}

func (g *guesses) lately(key string, now time.Time) int {
	all := g.made[key]
	for len(all) > 0 && now.Sub(all[0]) >= triesLife {
		all = all[1:]
	}
	if len(all) == 0 {
		delete(g.made, key)
	} else {
		g.made[key] = all
	}
	return len(all)
}
