package storetest

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// Member adds somebody to v's team.
func Member(t testing.TB, s *store.Store, v team.Viewer, name string, role team.Role) team.Viewer {
	t.Helper()
	now := audit.Time(time.Now())
	id := strings.ToLower(rand.Text())
	m := team.Viewer{
		User: team.User{ID: "usr_" + id, Email: id + "@example.org", Name: name, PasswordHash: "none", CreatedAt: now},
		Team: v.Team, Role: role, Auth: "session",
	}
	if err := s.InsertUser(t.Context(), m.User, v.Team.ID, role, now, audit.Event{Time: now, Type: "member.added", Actor: v.Actor(), Target: m.User.ID}); err != nil {
		t.Fatalf("insert member: %v", err)
	}
	return m
}

// Gateway adds a gateway to v's team, as if it had been enrolled.
func Gateway(t testing.TB, s *store.Store, v team.Viewer, name string) fleet.Gateway {
	t.Helper()
	now := audit.Time(time.Now())
	g := fleet.Gateway{
		ID: "gw_" + strings.ToLower(rand.Text()), TeamID: v.Team.ID, Name: name, Status: fleet.Active,
		CreatedAt: now, EnrolledAt: now, LastSeenAt: now,
	}
	if err := s.InsertGateway(t.Context(), g, audit.Event{Time: now, Type: "gateway.created", Actor: v.Actor(), Target: g.ID}); err != nil {
		t.Fatalf("insert gateway: %v", err)
	}
	return g
}
