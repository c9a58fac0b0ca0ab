package vault_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// owner adds a team with a data key of m's to s.
func owner(t *testing.T, s *store.Store, m vault.Master) team.Viewer {
	t.Helper()
	id := strings.ToLower(rand.Text())
	v := team.Viewer{
		User: team.User{ID: "usr_" + id, Email: id + "@example.org", Name: "Ana", PasswordHash: "none", CreatedAt: now},
		Team: team.Team{ID: "team_" + id, Name: "Team", Revision: 1, CreatedAt: now},
		Role: team.RoleOwner,
	}
	var err error
	if v.Team.DataKey, err = m.NewTeamKey(v.Team.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.InsertTeam(t.Context(), v.Team, v.User, audit.Event{Time: now, Type: "team.created"}); err != nil {
		t.Fatal(err)
	}
	return v
}

func service(t *testing.T, s vault.Store, m vault.Master) *vault.Service {
	t.Helper()
	return &vault.Service{Store: s, Master: m, Now: func() time.Time { return now }}
}

func put(t *testing.T, s *vault.Service, v team.Viewer, name, secret string, hosts ...string) fleet.Credential {
	t.Helper()
	c, err := s.Put(t.Context(), v, name, "github", hosts, credential.NewSecret(secret))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSecretComesBackForItsHosts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		m := master(t)
		v := owner(t, st, m)
		s := service(t, st, m)
		rung := ""
		s.Changed = func(_ context.Context, teamID string) { rung = teamID }

		first := put(t, s, v, "bot", "s3cret-one", "B.example", "a.example", "b.example ")
		if rung != v.Team.ID {
			t.Error("nobody was told")
		}
		if first.Sealed != nil {
			t.Error("what is sealed was handed out")
		}
		if diff := cmp.Diff([]string{"a.example", "b.example"}, first.Hosts); diff != "" {
			t.Error(diff)
		}
		second := put(t, s, v, "bot", "s3cret-two", "a.example")
		if second.ID != first.ID || second.Version != 2 || second.Fingerprint == first.Fingerprint {
			t.Errorf("rotated: %+v after %+v", second, first)
		}
		secret, c, err := s.Reveal(t.Context(), v.Team.ID, first.ID)
		if err != nil || secret.Reveal() != "s3cret-two" || len(c.Hosts) != 1 || c.Sealed != nil {
			t.Errorf("%+v, %v", c, err)
		}
		list, err := s.List(t.Context(), v.Team.ID)
		if err != nil || len(list) != 1 || list[0].Sealed != nil {
			t.Errorf("%+v, %v", list, err)
		}
		events, err := st.Events(t.Context(), v.Team.ID, 0, 10)
		if err != nil || len(events) != 3 || events[0].Type != "credential.rotated" || events[1].Type != "credential.created" {
			t.Errorf("%+v, %v", events, err)
		}
	})
}

// tampered is a store in which somebody has changed a row.
type tampered struct {
	*store.Store
	change func(*fleet.Credential)
}

func (s tampered) Credential(ctx context.Context, teamID, id string) (fleet.Credential, error) {
	c, err := s.Store.Credential(ctx, teamID, id)
	s.change(&c)
	return c, err
}

// Whoever can write to the database can neither move a secret nor send it
// elsewhere.
func TestChangedRowDoesNotOpen(t *testing.T) {
	t.Parallel()

	st, m := storetest.Open(t), master(t)
	v, stranger := owner(t, st, m), owner(t, st, m)
	s := service(t, st, m)
	mine := put(t, s, v, "mine", "s3cret-mine", "a.example", "b.example")
	old, err := st.Credential(t.Context(), v.Team.ID, mine.ID)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, v, "mine", "s3cret-next", "a.example", "b.example")
	neighbour := put(t, s, v, "neighbour", "s3cret-neighbour", "a.example", "b.example")
	foreign := put(t, s, stranger, "mine", "s3cret-foreign", "a.example", "b.example")
	row := func(teamID, id string) fleet.Credential {
		c, err := st.Credential(t.Context(), teamID, id)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}

	for name, change := range map[string]func(*fleet.Credential){
		"another credential's": func(c *fleet.Credential) { c.Sealed = row(v.Team.ID, neighbour.ID).Sealed },
		"another team's":       func(c *fleet.Credential) { c.Sealed = row(stranger.Team.ID, foreign.ID).Sealed },
		"an old version's":     func(c *fleet.Credential) { c.Sealed = old.Sealed },
		"the version":          func(c *fleet.Credential) { c.Version++ },
		"another host":         func(c *fleet.Credential) { c.Hosts[0] = "evil.example" },
		"a host more":          func(c *fleet.Credential) { c.Hosts = append(c.Hosts, "evil.example") },
		"two hosts in one":     func(c *fleet.Credential) { c.Hosts = []string{strings.Join(c.Hosts, "")} },
		"no host":              func(c *fleet.Credential) { c.Hosts = nil },
		"the type":             func(c *fleet.Credential) { c.Type = "http" },
		"the ID":               func(c *fleet.Credential) { c.ID = neighbour.ID },
		"the team":             func(c *fleet.Credential) { c.TeamID = stranger.Team.ID },
		"a byte":               func(c *fleet.Credential) { c.Sealed[len(c.Sealed)-1] ^= 1 },
		"nothing":              func(c *fleet.Credential) { c.Sealed = nil },
	} {
		s := service(t, tampered{st, change}, m)
		if secret, _, err := s.Reveal(t.Context(), v.Team.ID, mine.ID); err == nil {
			t.Errorf("%s: opened as %q", name, secret.Reveal())
		}
	}
	if _, _, err := service(t, st, master(t)).Reveal(t.Context(), v.Team.ID, mine.ID); err == nil {
		t.Error("another master key opened it")
	}
	if _, _, err := s.Reveal(t.Context(), stranger.Team.ID, mine.ID); fault.Of(err) != fault.NotFound {
		t.Errorf("another team: %v, want not found", err)
	}
	if secret, _, err := s.Reveal(t.Context(), v.Team.ID, mine.ID); err != nil || secret.Reveal() != "s3cret-next" {
		t.Errorf("untouched: %v", err)
	}
}

func TestDatabaseFilesHoldNoSecret(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	st, m := storetest.OpenURL(t, "sqlite:"+filepath.Join(dir, "test.db")), master(t)
	v := owner(t, st, m)
	s := service(t, st, m)
	canary := "canary-" + rand.Text()
	put(t, s, v, "bot", canary, "a.example")
	put(t, s, v, "bot", canary, "a.example", "b.example")

	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	name := false
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		name = name || bytes.Contains(b, []byte("credential.created")) // the search does find what is there
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("%s holds the secret", f.Name())
		}
	}
	if !name {
		t.Error("the files do not hold what was written: they are not the ones")
	}
}

func TestPutRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()

	st, m := storetest.Open(t), master(t)
	v := owner(t, st, m)
	s := service(t, st, m)
	put(t, s, v, "taken", "x", "a.example")
	member := v
	member.Role = team.RoleMember
	for name, c := range map[string]struct {
		v                 team.Viewer
		name, typ, secret string
		hosts             []string
		kind              fault.Kind
		sentence          string
	}{
		"a member":       {member, "bot", "github", "x", nil, fault.Forbidden, "Only owners and admins"},
		"nobody":         {team.Viewer{}, "bot", "github", "x", nil, fault.Forbidden, "Only owners and admins"},
		"a bad name":     {v, "my bot", "github", "x", nil, fault.Invalid, "A name is"},
		"no secret":      {v, "bot", "github", "", nil, fault.Invalid, "is empty"},
		"a line break":   {v, "bot", "github", "x\r\nHost: evil", nil, fault.Invalid, "line break"},
		"a space":        {v, "bot", "github", " x", nil, fault.Invalid, "space"},
		"not utf-8":      {v, "bot", "github", "x\xff", nil, fault.Invalid, "control"},
		"too long":       {v, "bot", "github", strings.Repeat("x", 64<<10+1), nil, fault.Invalid, "64 kB"},
		"a host's url":   {v, "bot", "github", "x", []string{"https://a.example/"}, fault.Invalid, "api.example.com"},
		"another's name": {v, "taken", "http", "x", nil, fault.Conflict, "of this name for github"},
	} {
		_, err := s.Put(t.Context(), c.v, c.name, c.typ, c.hosts, credential.NewSecret(c.secret))
		if fault.Of(err) != c.kind || !strings.Contains(fault.Message(err), c.sentence) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Delete(t.Context(), member, "cred_1"); fault.Of(err) != fault.Forbidden {
		t.Errorf("a member deletes: %v", err)
	}
	if err := s.Delete(t.Context(), v, "cred_1"); fault.Of(err) != fault.NotFound {
		t.Errorf("deleting nothing: %v", err)
	}
}
