package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

func wantKind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.Of(err) != want {
		t.Errorf("err = %v, want %v", err, want)
	}
}

func token(v team.Viewer, n string) team.Token {
	return team.Token{
		ID: "tok_" + v.Team.ID + n, UserID: v.User.ID, TeamID: v.Team.ID, Name: "laptop", Hash: "hash " + v.Team.ID + n, Hint: "abcd",
		CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()

	url := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	first, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), url)
	wantKind(t, err, fault.Conflict)
	if got := fault.Message(err); !strings.Contains(got, "is using this database") || !strings.Contains(got, "DATABASE_URL") {
		t.Errorf("message: %s", got)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	again.Close()
}

func TestAnyDirectoryWillDo(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(t.TempDir(), "a b?c#d%20e&f=é")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := storetest.OpenURL(t, "sqlite:"+filepath.Join(dir, "test.db"))
	storetest.Owner(t, s)
	if info, err := os.Stat(filepath.Join(dir, "test.db")); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
		t.Errorf("the database is elsewhere: %v, %v", info, err)
	}
	if files, _ := os.ReadDir(filepath.Dir(dir)); len(files) != 1 {
		t.Errorf("beside it: %v", files)
	}
}

// Writers queue behind each other, and nobody who reads waits for them.
func TestReadersGoOnWhileSomebodyWrites(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 10 {
					if err := s.InsertToken(t.Context(), token(v, fmt.Sprint(i, "-", j)), audit.Event{Time: now}); err != nil {
						t.Errorf("write: %v", err)
					}
				}
			})
			wg.Go(func() {
				for range 50 {
					if _, err := s.Tokens(t.Context(), v.Team.ID, v.User.ID); err != nil {
						t.Errorf("read: %v", err)
					}
				}
			})
		}
		wg.Wait()
		if ts, err := s.Tokens(t.Context(), v.Team.ID, v.User.ID); err != nil || len(ts) != 80 {
			t.Errorf("%d tokens, want 80: %v", len(ts), err)
		}
	})
}

func TestURLThatMakesNoSenseDoesNotQuoteItsPassword(t *testing.T) {
	t.Parallel()

	for _, url := range []string{"mysql://u:hunter2@h/db", "postgres://u:hunter2@h:no/db", ""} {
		_, err := store.Open(t.Context(), url)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestDatabaseIsFoundAgain(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		s, err := store.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		v := storetest.Owner(t, s)
		s.Close()

		s = storetest.OpenURL(t, url)
		got, err := s.User(t.Context(), v.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Email != v.User.Email || !got.CreatedAt.Equal(v.User.CreatedAt) || !got.DisabledAt.IsZero() {
			t.Errorf("got %+v, want %+v", got, v.User)
		}
	})
}

// A change and its event are one: where the change fails there is no event,
// and where the event cannot be written there is no change.
func TestNoChangeWithoutItsEvent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		ctx := t.Context()
		if err := s.InsertToken(ctx, token(v, "1"), audit.Event{Time: now, Type: "token.created"}); err != nil {
			t.Fatal(err)
		}
		wantKind(t, s.InsertToken(ctx, token(v, "1"), audit.Event{Time: now, Type: "token.created"}), fault.Conflict)
		wantKind(t, s.RevokeToken(ctx, v.Team.ID, "tok_none", now, audit.Event{Time: now, Type: "token.revoked"}), fault.NotFound)
		events, err := s.Events(ctx, v.Team.ID, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) != 2 || events[0].Type != "token.created" || events[0].Seq != 2 || events[1].Type != "team.created" {
			t.Errorf("events: %+v", events)
		}
	})
}

func TestChainHoldsAnything(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		for i, text := range []string{"", "plain", "a\x00b", "bad \xff utf-8", `{"b":1,"a":[2]}`, "<script>&", "\u2028", "'; --", `\x00`, "?0 ?", `\'`} {
			e := audit.Event{Time: now, Type: text, Target: text, Actor: audit.Actor{ID: text}, Gateway: text, Detail: map[string]string{"k": text, text: "v"}}
			if err := s.InsertToken(t.Context(), token(v, fmt.Sprint(i)), e); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
		chain, err := s.EventChain(t.Context(), v.Team.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.Verify(0, "", chain); err != nil || len(chain) != 12 {
			t.Errorf("%d entries: %v", len(chain), err)
		}
	})
}

func TestChainHoldsUnderConcurrency(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		const changes = 24
		var wg sync.WaitGroup
		for i := range changes {
			wg.Go(func() {
				if err := s.InsertToken(t.Context(), token(v, fmt.Sprint(i)), audit.Event{Time: now, Type: "token.created"}); err != nil {
					t.Errorf("insert: %v", err)
				}
			})
		}
		wg.Wait()
		chain, err := s.EventChain(t.Context(), v.Team.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.Verify(0, "", chain); err != nil || len(chain) != changes+1 {
			t.Errorf("%d entries, want %d: %v", len(chain), changes+1, err)
		}
	})
}

func TestEventsComeInPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		for i := range 4 {
			if err := s.InsertToken(t.Context(), token(v, fmt.Sprint(i)), audit.Event{Time: now, Type: "token.created", Target: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		other := storetest.Owner(t, s)
		var seen []int64
		for before := int64(0); ; {
			page, err := s.Events(t.Context(), v.Team.ID, before, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				seen = append(seen, e.Seq)
			}
			before = page[len(page)-1].Seq
		}
		if fmt.Sprint(seen) != "[5 4 3 2 1]" {
			t.Errorf("seen %v", seen)
		}
		if page, err := s.Events(t.Context(), other.Team.ID, 0, 10); err != nil || len(page) != 1 {
			t.Errorf("another team's: %d, %v", len(page), err)
		}
	})
}

// What is not in the database is not found, whatever it is.
func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		for what, get := range map[string]func() error{
			"user":       func() error { _, err := s.User(ctx, "x"); return err },
			"email":      func() error { _, err := s.UserByEmail(ctx, "x"); return err },
			"team":       func() error { _, err := s.Team(ctx, "x"); return err },
			"first team": func() error { _, err := s.FirstTeam(ctx); return err },
			"session":    func() error { _, err := s.Session(ctx, "x"); return err },
			"token":      func() error { _, err := s.Token(ctx, "x", "y"); return err },
			"token hash": func() error { _, err := s.TokenByHash(ctx, "x"); return err },
			"login":      func() error { _, err := s.Login(ctx, "x"); return err },
			"credential": func() error { _, err := s.Credential(ctx, "x", "y"); return err },
			"key":        func() error { _, err := s.LoadKey(ctx, "x"); return err },
		} {
			if err := get(); fault.Of(err) != fault.NotFound {
				t.Errorf("%s: %v, want not found", what, err)
			}
		}
	})
}

func TestDisabledOrRemovedIsNobody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v, other := storetest.Owner(t, s), storetest.Owner(t, s)
		if got, err := s.Viewer(t.Context(), v.User.ID, v.Team.ID); err != nil || got.Role != team.RoleOwner {
			t.Errorf("%+v, %v", got, err)
		}
		got, err := s.Viewer(t.Context(), v.User.ID, other.Team.ID)
		wantKind(t, err, fault.Unauthenticated)
		if got.May(team.View) {
			t.Error("a stranger may look")
		}
	})
}
