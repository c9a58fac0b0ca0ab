package slack_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/slack/slacktest"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// typed is what somebody is told who writes a command.
func (h *house) typed(t testing.TB, user, text string) string {
	t.Helper()
	before := len(h.slack.Whispers())
	got, err := h.slack.Command(t.Context(), user, room, text)
	if err != nil || got.Status != http.StatusOK {
		t.Fatalf("/tameflare %s: %+v, %v", text, got, err)
	}
	if got.Body == "" { // it came late
		h.slack.Await(patience, func() bool { return len(h.slack.Whispers()) > before })
		if all := h.slack.Whispers(); len(all) > before {
			return all[before].Text
		}
	}
	return got.Body
}

func TestCodeLinksOnce(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]slack.Mode{"http": slack.HTTP, "socket": slack.Socket} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := quiet(t, storetest.Open(t))
			h.setUp(t, slack.Settings{Mode: mode})
			h.start(t)
			if mode == slack.Socket {
				h.connected(t, 1)
			}
			ben := storetest.Member(t, h.store, h.owner, "Ben", team.RoleMember)
			h.slack.AddUser(slacktest.User{ID: "U0BEN", Name: "ben"})
			old, err := h.NewCode(t.Context(), ben)
			if err != nil {
				t.Fatal(err)
			}
			code, err := h.NewCode(t.Context(), ben)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.typed(t, "U0BEN", "help"); !strings.Contains(got, "/tameflare link CODE") {
				t.Errorf("help: %s", got)
			}
			if got := h.typed(t, "U0BEN", "link "+old.Reveal()); !strings.Contains(got, "This code is wrong, used or older than ten minutes.") {
				t.Errorf("the code of before: %s", got)
			}
			if got := h.typed(t, "U0BEN", "link "+strings.ToLower(code.Reveal())); !strings.Contains(got, "Linked. You decide here as Ben.") {
				t.Errorf("the code: %s", got)
			}
			if got := h.typed(t, "U0BEN", "link "+code.Reveal()); !strings.Contains(got, "This code is wrong") {
				t.Errorf("a second time: %s", got)
			}
			linked, err := h.Linked(t.Context(), h.owner)
			if err != nil || len(linked) != 1 || linked[0].UserID != ben.User.ID || linked[0].SlackUser != "U0BEN" || linked[0].Name != "ben" {
				t.Fatalf("linked: %+v, %v", linked, err)
			}
			if own, err := h.Linked(t.Context(), storetest.Member(t, h.store, h.owner, "Eve", team.RoleMember)); err != nil || len(own) != 0 {
				t.Errorf("another member sees %+v, %v", own, err)
			}
			if es := h.events(t, "slack.linked"); len(es) != 1 || es[0].Target != ben.User.ID || es[0].Detail["slack_user"] != "U0BEN" {
				t.Errorf("recorded %+v", es)
			}
			if es := h.events(t, "slack.refused"); len(es) != 2 || es[0].Detail["why"] != "code" {
				t.Errorf("refused: %+v", es)
			}
		})
	}
}

func TestCodesAreNotGuessed(t *testing.T) {
	t.Parallel()
	h := quiet(t, storetest.Open(t))
	h.setUp(t, slack.Settings{})
	h.start(t)
	code, err := h.NewCode(t.Context(), h.owner)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if got := h.typed(t, ana, "link AAAAA-AAAAA"); !strings.Contains(got, "This code is wrong") {
			t.Fatalf("a wrong code: %s", got)
		}
	}
	if got := h.typed(t, ana, "link "+code.Reveal()); !strings.Contains(got, "Too many wrong codes.") {
		t.Errorf("the sixth: %s", got)
	}
	h.slack.AddUser(slacktest.User{ID: "U0BEN", Name: "ben"})
	if got := h.typed(t, "U0BEN", "link BBBBB-BBBBB"); !strings.Contains(got, "This code is wrong") {
		t.Errorf("somebody else: %s", got)
	}
}

func TestWhoCannotBeLinked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		user   slacktest.User
		before func(*testing.T, *house)
		want   string
	}{
		"a guest":                  {slacktest.User{ID: "U0X", Restricted: true}, nil, "Guests, and people of other workspaces, cannot be linked."},
		"of another workspace":     {slacktest.User{ID: "U0X", Team: "T0OTHER"}, nil, "Guests, and people of other workspaces, cannot be linked."},
		"whom Slack does not know": {slacktest.User{ID: "U0Y"}, nil, "Slack does not say who you are, so nothing was linked"},
		"without the scope":        {slacktest.User{ID: "U0X"}, func(_ *testing.T, h *house) { h.slack.Grant("chat:write", "commands") }, "so nothing was linked: The app may do less than it needs."},
		"somebody else's account": {slacktest.User{ID: "U0X"}, func(t *testing.T, h *house) {
			h.link(t, storetest.Member(t, h.store, h.owner, "Ben", team.RoleMember), "U0X")
		}, "This Slack account is linked to somebody else."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := quiet(t, storetest.Open(t))
			h.setUp(t, slack.Settings{})
			h.start(t)
			h.slack.AddUser(tt.user)
			if tt.before != nil {
				tt.before(t, h)
			}
			before, err := h.Linked(t.Context(), h.owner)
			if err != nil {
				t.Fatal(err)
			}
			code, err := h.NewCode(t.Context(), h.owner)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.typed(t, "U0X", "link "+code.Reveal()); !strings.Contains(got, tt.want) {
				t.Errorf("told %s", got)
			}
			if after, err := h.Linked(t.Context(), h.owner); err != nil || len(after) != len(before) {
				t.Errorf("linked: %+v, %v", after, err)
			}
			if es := h.events(t, "slack.refused"); len(es) != 1 {
				t.Errorf("recorded %+v", es)
			}
		})
	}
}

func TestUnlink(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{})
	ben := storetest.Member(t, h.store, h.owner, "Ben", team.RoleMember)
	h.link(t, ben, "U0BEN")
	if err := h.Unlink(t.Context(), ben, slacktest.Workspace, ana); fault.Of(err) != fault.NotFound {
		t.Errorf("somebody else's: %v", err)
	}
	if err := h.Unlink(t.Context(), storetest.Owner(t, h.store), slacktest.Workspace, ana); fault.Of(err) != fault.NotFound {
		t.Errorf("another team's: %v", err)
	}
	for _, u := range []string{"U0BEN", ana} {
		if err := h.Unlink(t.Context(), h.owner, slacktest.Workspace, u); err != nil {
			t.Errorf("%s by the owner: %v", u, err)
		}
	}
	if es := h.events(t, "slack.unlinked"); len(es) != 2 || es[0].Actor.ID != h.owner.User.ID {
		t.Errorf("recorded %+v", es)
	}
}

// Of many who use a code one is linked, on every database.
func TestOneOfManyUsesACode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		now := audit.Time(time.Now())
		if err := s.AddSlackCode(t.Context(), "hash", v.Team.ID, v.User.ID, now, now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		event := func(string) audit.Event { return audit.Event{Time: now, Type: "slack.linked"} }
		late := store.SlackPerson{TeamID: v.Team.ID, Workspace: "T", SlackUser: "late", LinkedAt: now.Add(time.Minute)}
		if _, err := s.LinkSlack(t.Context(), "hash", late, event); fault.Of(err) != fault.NotFound {
			t.Errorf("too late: %v", err)
		}
		other := store.SlackPerson{TeamID: storetest.Owner(t, s).Team.ID, Workspace: "T", SlackUser: "other", LinkedAt: now}
		if _, err := s.LinkSlack(t.Context(), "hash", other, event); fault.Of(err) != fault.NotFound {
			t.Errorf("in another team: %v", err)
		}
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = s.LinkSlack(t.Context(), "hash", store.SlackPerson{TeamID: v.Team.ID, Workspace: "T", SlackUser: string(rune('a' + i)), LinkedAt: now}, event)
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case fault.Of(err) != fault.NotFound:
				t.Errorf("%v", err)
			}
		}
		if won != 1 {
			t.Errorf("%d were linked", won)
		}
		if ps, err := s.SlackPeople(t.Context(), v.Team.ID); err != nil || len(ps) != 1 {
			t.Errorf("%+v, %v", ps, err)
		}
	})
}

func TestCardsAndProofsAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := quiet(t, s)
		a := h.ask(t, question("a"))
		m := store.SlackMessage{ApprovalID: a.ID, Channel: "#x", TeamID: a.TeamID, TS: "C1 1.1", Seq: 3}
		if _, err := s.SlackMessage(t.Context(), a.ID, "#x"); fault.Of(err) != fault.NotFound {
			t.Errorf("before: %v", err)
		}
		if err := s.InsertSlackMessage(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if err := s.InsertSlackMessage(t.Context(), m); fault.Of(err) != fault.Conflict {
			t.Errorf("a second: %v", err)
		}
		older := m
		older.Seq = 2
		if err := s.ShownInSlack(t.Context(), older); err != nil {
			t.Fatal(err)
		}
		if got, err := s.SlackMessage(t.Context(), a.ID, "#x"); err != nil || got != m {
			t.Errorf("%+v, %v", got, err)
		}
		now := audit.Time(time.Now())
		if at, err := s.LastProof(t.Context(), h.owner.Team.ID, h.owner.User.ID, now); err != nil || !at.IsZero() {
			t.Errorf("without a session: %v, %v", at, err)
		}
		for id, over := range map[string]time.Duration{"one": time.Hour, "over": -time.Second} {
			session := team.Session{ID: id, UserID: h.owner.User.ID, TeamID: h.owner.Team.ID, CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(over), ConfirmedAt: now.Add(-over)}
			if err := s.InsertSession(t.Context(), session, audit.Event{Time: now, Type: "session.started"}); err != nil {
				t.Fatal(err)
			}
		}
		if at, err := s.LastProof(t.Context(), h.owner.Team.ID, h.owner.User.ID, now); err != nil || !at.Equal(now.Add(-time.Hour)) {
			t.Errorf("proof at %v, %v; want that of the session that is not over", at, err)
		}
	})
}
