package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// winners runs attempt side by side and returns how many succeed. All others
// have to fail with want.
func winners(t *testing.T, want fault.Kind, attempt func(i int) error) int {
	t.Helper()
	const people = 8
	errs := make([]error, people)
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() { errs[i] = attempt(i) })
	}
	wg.Wait()
	won := 0
	for i, err := range errs {
		switch {
		case err == nil:
			won++
		case fault.Of(err) != want:
			t.Errorf("%d: %v, want %v", i, err, want)
		}
	}
	return won
}

func TestOneBecomesTheFirstOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		won := winners(t, fault.Forbidden, func(i int) error {
			u := team.User{ID: fmt.Sprintf("usr_%d", i), Email: fmt.Sprintf("%d@example.org", i), Name: "x", PasswordHash: "x", CreatedAt: now}
			tm := team.Team{ID: fmt.Sprintf("team_%d", i), Name: "x", Revision: 1, DataKey: []byte("x"), CreatedAt: now}
			return s.InsertFirstUser(t.Context(), u, tm, "", now, audit.Event{Time: now, Type: "team.created"})
		})
		if won != 1 {
			t.Errorf("%d became owner, want 1", won)
		}
	})
}

func TestLinkIsUsedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for _, hash := range []string{"a", "b"} {
			if err := s.InsertLink(ctx, team.Link{Hash: hash, Kind: team.SignInLink, UserID: "usr_1", CreatedAt: now, ExpiresAt: now.Add(time.Minute)}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.UseLink(ctx, "a", team.SetUpLink, now)
		wantKind(t, err, fault.Expired) // it is for something else
		_, err = s.UseLink(ctx, "b", team.SignInLink, now.Add(time.Minute))
		wantKind(t, err, fault.Expired)
		won := winners(t, fault.Expired, func(int) error {
			l, err := s.UseLink(ctx, "a", team.SignInLink, now)
			if err == nil && l.UserID != "usr_1" {
				t.Errorf("link of %q", l.UserID)
			}
			return err
		})
		if won != 1 {
			t.Errorf("used %d times, want 1", won)
		}
	})
}

func TestLoginGivesOneToken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		ctx := t.Context()
		l := team.Login{ID: "login_1", Kind: team.LoopbackLogin, Client: "x", Status: team.LoginPending, CreatedAt: now, ExpiresAt: now.Add(time.Minute)}
		if err := s.InsertLogin(ctx, l); err != nil {
			t.Fatal(err)
		}
		wantKind(t, s.UseLogin(ctx, l.ID, token(v, "0"), audit.Event{Time: now}), fault.Conflict) // nobody has approved
		l.Status, l.UserID, l.TeamID = team.LoginApproved, v.User.ID, v.Team.ID
		if won := winners(t, fault.Conflict, func(i int) error {
			mine := l
			mine.CodeHash = fmt.Sprint("code ", i)
			return s.SettleLogin(ctx, mine, audit.Event{Time: now, Type: "login.approved"})
		}); won != 1 {
			t.Errorf("settled %d times, want 1", won)
		}
		if won := winners(t, fault.Conflict, func(i int) error {
			return s.UseLogin(ctx, l.ID, token(v, fmt.Sprint(i)), audit.Event{Time: now, Type: "token.created"})
		}); won != 1 {
			t.Errorf("used %d times, want 1", won)
		}
		if ts, err := s.Tokens(ctx, v.Team.ID, v.User.ID); err != nil || len(ts) != 1 {
			t.Errorf("%d tokens, want 1: %v", len(ts), err)
		}
	})
}

func TestForgetsWhatIsOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		ctx := t.Context()
		for id, times := range map[string][2]time.Time{
			"idle":  {now.Add(-13 * time.Hour), now.Add(time.Hour)},
			"old":   {now, now},
			"alive": {now.Add(-time.Hour), now.Add(time.Hour)},
		} {
			if err := s.InsertSession(ctx, team.Session{ID: id, UserID: v.User.ID, TeamID: v.Team.ID, CreatedAt: now, LastSeenAt: times[0], ExpiresAt: times[1]}, audit.Event{Time: now}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.ForgetExpired(ctx, now.Add(-12*time.Hour), now); err != nil {
			t.Fatal(err)
		}
		for id, there := range map[string]bool{"idle": false, "old": false, "alive": true} {
			if _, err := s.Session(ctx, id); (err == nil) != there {
				t.Errorf("%s: %v", id, err)
			}
		}
	})
}

func credentialRow(v team.Viewer, id, name string) fleet.Credential {
	return fleet.Credential{
		ID: id, TeamID: v.Team.ID, Name: name, Type: "github", Hosts: []string{"a.example", "b.example"}, Version: 1,
		Sealed: []byte{0, 1, 255}, Fingerprint: "f", CreatedAt: now, RotatedAt: now,
	}
}

func TestOneRotationWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		ctx := t.Context()
		c := credentialRow(v, "cred_1", "bot")
		if err := s.InsertCredential(ctx, c, audit.Event{Time: now}); err != nil {
			t.Fatal(err)
		}
		wantKind(t, s.InsertCredential(ctx, credentialRow(v, "cred_2", "bot"), audit.Event{Time: now}), fault.Conflict)
		c.Version = 2
		if won := winners(t, fault.Conflict, func(i int) error {
			mine := c
			mine.Sealed = []byte{byte(i)}
			return s.RotateCredential(ctx, mine, audit.Event{Time: now, Type: "credential.rotated"})
		}); won != 1 {
			t.Errorf("%d rotations won, want 1", won)
		}
		got, err := s.CredentialByName(ctx, v.Team.ID, "bot")
		if err != nil || got.Version != 2 || len(got.Hosts) != 2 {
			t.Errorf("%+v, %v", got, err)
		}
		// One for the insertion, one for the rotation that won.
		if n, err := s.Revision(ctx, v.Team.ID); err != nil || n != v.Team.Revision+2 {
			t.Errorf("revision %d, want %d: %v", n, v.Team.Revision+2, err)
		}
	})
}

func TestOtherTeamsCredentialIsNotFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v, other := storetest.Owner(t, s), storetest.Owner(t, s)
		c := credentialRow(v, "cred_1", "bot")
		if err := s.InsertCredential(t.Context(), c, audit.Event{Time: now}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Credential(t.Context(), other.Team.ID, c.ID)
		wantKind(t, err, fault.NotFound)
		wantKind(t, s.DeleteCredential(t.Context(), other.Team.ID, c.ID, audit.Event{Time: now}), fault.NotFound)
		if err := s.DeleteCredential(t.Context(), v.Team.ID, c.ID, audit.Event{Time: now}); err != nil {
			t.Error(err)
		}
	})
}
