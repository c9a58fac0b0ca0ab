package vault_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/oauth/oauthtest"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// Two at one refresh token that changes each time would log it out.
func TestFiftyRefreshersAskOnce(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		st := storetest.OpenURL(t, url)
		h := oauthIn(t, st)
		other := st // SQLite's file is one server's
		if st.Shared() {
			other = storetest.OpenURL(t, url)
		}
		servers := []*vault.Service{h.Service, h.server(other)}
		c := h.put(t, credential.RefreshToken)
		for period := range 3 {
			before := h.end.Requests()
			h.due(t, c.ID)
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i := range 50 {
				wg.Go(func() {
					<-start
					servers[i%2].RefreshDue(t.Context())
				})
			}
			close(start)
			wg.Wait()
			if got := h.end.Requests() - before; got != 1 || h.end.Reuses() != 0 {
				t.Fatalf("period %d: %d requests, %d of them with a used refresh token; want one and none", period, got, h.end.Reuses())
			}
			h.wantServed(t, c.ID, h.end.Access())
		}
		if row := h.row(t, c.ID); row.Version != 4 || row.Refresh.State != fleet.RefreshActive || row.Refresh.Holder != "" {
			t.Errorf("%+v", row)
		}
	})
}

func TestAccessTokenIsRenewedInGoodTime(t *testing.T) {
	t.Parallel()
	eachOAuth(t, func(t *testing.T, h *oauthHouse) {
		for _, g := range []credential.Grant{credential.ClientCredentials, credential.RefreshToken} {
			c := h.put(t, g)
			h.wantServed(t, c.ID, h.end.Access())
			at := h.clock.Now()
			early, late := at.Add(42*time.Minute), at.Add(45*time.Minute)
			if row := h.row(t, c.ID); row.Refresh.NextAt.Before(early) || row.Refresh.NextAt.After(late) || !row.Refresh.ExpiresAt.Equal(at.Add(time.Hour)) {
				t.Errorf("%s: %+v, want a look at 70 to 75 %% of an hour", g, row.Refresh)
			}
			h.clock.to(early.Add(-time.Second))
			asked := h.end.Requests()
			h.RefreshDue(t.Context())
			if h.end.Requests() != asked {
				t.Errorf("%s: asked too early", g)
			}
			before, rings, first, print := h.revision(t), h.rings(), h.end.Access(), h.row(t, c.ID).Fingerprint
			h.clock.to(late)
			h.RefreshDue(t.Context())
			h.wantServed(t, c.ID, h.end.Access())
			row := h.row(t, c.ID)
			if h.end.Access() == first || h.revision(t) != before+1 || h.rings() != rings+1 || row.Version != c.Version+1 || row.Fingerprint != print {
				t.Errorf("%s: %+v, revision %d after %d", g, row, h.revision(t), before)
			}
			if err := h.Delete(t.Context(), h.owner, c.ID); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// faulty is a store whose SettleRefresh goes wrong as told.
type faulty struct {
	*store.Store
	settle func(try int, write func() error) error
	tries  int
}

func (f *faulty) SettleRefresh(ctx context.Context, c fleet.Credential, was int64, holder string, e audit.Event, tell bool) error {
	f.tries++
	return f.settle(f.tries, func() error { return f.Store.SettleRefresh(ctx, c, was, holder, e, tell) })
}

func TestDatabaseThatStumblesLosesNoToken(t *testing.T) {
	t.Parallel()
	for name, settle := range map[string]func(try int, write func() error) error{
		"nothing written": func(try int, write func() error) error {
			if try < 4 {
				return errors.New("connection reset")
			}
			return write()
		},
		"written, and the answer lost": func(try int, write func() error) error {
			if err := write(); err != nil || try > 1 {
				return err
			}
			return errors.New("connection reset")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachOAuth(t, func(t *testing.T, h *oauthHouse) {
				c := h.put(t, credential.RefreshToken)
				h.due(t, c.ID)
				rings := h.rings()
				h.server(&faulty{Store: h.store, settle: settle}).RefreshDue(t.Context())
				h.wantServed(t, c.ID, h.end.Access())
				if row := h.row(t, c.ID); row.Version != 2 || row.Refresh.Holder != "" || h.rings() != rings+1 {
					t.Errorf("%+v, %d rings", row, h.rings()-rings)
				}
				h.due(t, c.ID)
				h.RefreshDue(t.Context())
				h.wantServed(t, c.ID, h.end.Access())
				if h.end.Requests() != 3 || h.end.Reuses() != 0 {
					t.Errorf("%d requests, %d reuses", h.end.Requests(), h.end.Reuses())
				}
			})
		})
	}
}

// A server that dies with the answer in its hand: the next one waits until it
// counts as gone, and asks with what is stored. An endpoint that knows of lost
// answers gives it another.
func TestServerThatDiesIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	eachOAuth(t, func(t *testing.T, h *oauthHouse) {
		h.end.Grace = true
		c := h.put(t, credential.RefreshToken)
		h.due(t, c.ID)
		dies := &faulty{Store: h.store, settle: func(int, func() error) error {
			return fault.New(fault.Conflict, "dead", nil) // which ends it without a word in the database
		}}
		h.server(dies).RefreshDue(t.Context())
		if row := h.row(t, c.ID); row.Version != 1 || row.Refresh.Holder == "" || h.end.Requests() != 2 {
			t.Fatalf("it did not die as meant: %+v, %d requests", row.Refresh, h.end.Requests())
		}
		h.RefreshDue(t.Context())
		if h.end.Requests() != 2 {
			t.Error("somebody else asked although the first may still be at it")
		}
		h.clock.to(h.clock.Now().Add(90 * time.Second))
		h.RefreshDue(t.Context())
		h.wantServed(t, c.ID, h.end.Access())
		if row := h.row(t, c.ID); row.Version != 2 || row.Refresh.State != fleet.RefreshActive || h.end.Reuses() != 0 {
			t.Errorf("%+v, %d reuses: logged out", row.Refresh, h.end.Reuses())
		}
	})
}

func TestRefreshTokenBeforeIsKeptUntilTheNewOneIsProven(t *testing.T) {
	t.Parallel()
	eachOAuth(t, func(t *testing.T, h *oauthHouse) {
		c := h.put(t, credential.RefreshToken)
		h.end.Forget()
		h.due(t, c.ID)
		h.RefreshDue(t.Context())
		h.wantServed(t, c.ID, h.end.Access())
		if row := h.row(t, c.ID); row.Refresh.State != fleet.RefreshActive || h.end.Requests() != 3 || h.end.Reuses() != 0 {
			t.Errorf("%+v, %d requests", row.Refresh, h.end.Requests())
		}
	})
}

func TestRefusalNeedsAttention(t *testing.T) {
	t.Parallel()
	eachOAuth(t, func(t *testing.T, h *oauthHouse) {
		c := h.put(t, credential.RefreshToken)
		h.due(t, c.ID)
		h.RefreshDue(t.Context()) // so that there is a previous one as well
		served := h.end.Access()
		h.end.Revoke()
		h.due(t, c.ID)
		before, rings := h.revision(t), h.rings()
		h.RefreshDue(t.Context())
		row := h.row(t, c.ID)
		if row.Refresh.State != fleet.RefreshAttention || !strings.Contains(row.Refresh.Problem, "Sign in at the service again") || row.Version != 2 {
			t.Errorf("%+v", row.Refresh)
		}
		h.wantServed(t, c.ID, served)
		if h.revision(t) != before || h.rings() != rings {
			t.Error("gateways were told although they may go on")
		}
		asked := h.end.Requests()

		h.due(t, c.ID)
		if !h.clock.Now().Equal(row.Refresh.ExpiresAt) {
			t.Errorf("looked at again at %v, want when the token expires, %v", h.clock.Now(), row.Refresh.ExpiresAt)
		}
		h.RefreshDue(t.Context())
		if secret, _, err := h.Reveal(t.Context(), h.owner.Team.ID, c.ID); fault.Of(err) != fault.Unavailable || !secret.Empty() {
			t.Errorf("an expired token is served: %v", err)
		}
		if h.revision(t) != before+1 || h.rings() != rings+1 || h.end.Requests() != asked {
			t.Errorf("revision %d after %d, %d requests more", h.revision(t), before, h.end.Requests()-asked)
		}
		if row := h.row(t, c.ID); row.Refresh.State != fleet.RefreshAttention || !row.Refresh.NextAt.IsZero() {
			t.Errorf("afterwards: %+v", row.Refresh)
		}
		want := []string{"credential.expired", "credential.refresh_failed", "credential.created", "team.created"}
		if diff := cmp.Diff(want, h.events(t)); diff != "" {
			t.Error(diff)
		}

		if err := h.RefreshNow(t.Context(), h.owner, c.ID); fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "Sign in") {
			t.Errorf("tried again: %v", err)
		}
		again := h.put(t, credential.RefreshToken)
		if again.ID != c.ID || again.Refresh.State != fleet.RefreshActive || again.Refresh.Problem != "" {
			t.Errorf("put in again: %+v", again)
		}
		h.wantServed(t, c.ID, h.end.Access())
	})
}

func TestEndpointThatIsDownIsTriedAgain(t *testing.T) {
	t.Parallel()
	eachOAuth(t, func(t *testing.T, h *oauthHouse) {
		c := h.put(t, credential.ClientCredentials)
		served, expires := h.end.Access(), h.row(t, c.ID).Refresh.ExpiresAt
		h.end.Answer(oauthtest.Status(503))
		before := h.revision(t)
		var pauses []time.Duration
		for h.clock.Now().Before(expires) {
			h.wantServed(t, c.ID, served)
			at := h.due(t, c.ID).Refresh.NextAt
			if !at.Before(expires) {
				break
			}
			if h.revision(t) != before {
				t.Fatal("gateways were told although they may go on")
			}
			h.RefreshDue(t.Context())
			row := h.row(t, c.ID)
			if row.Refresh.State != fleet.RefreshRetrying || !strings.Contains(row.Refresh.Problem, "answers 503") {
				t.Fatalf("%+v", row.Refresh)
			}
			pauses = append(pauses, row.Refresh.NextAt.Sub(at))
		}
		if len(pauses) < 6 || pauses[0] > 5*time.Second || pauses[4] < 10*pauses[0] {
			t.Errorf("paused %v, want longer and longer", pauses)
		}
		if !h.clock.Now().Equal(expires) {
			t.Errorf("looked at %v, want when the token expires, %v", h.clock.Now(), expires)
		}
		h.RefreshDue(t.Context())
		if row := h.row(t, c.ID); row.Refresh.State != fleet.RefreshExpired || h.revision(t) != before+1 {
			t.Errorf("%+v, revision %d after %d", row.Refresh, h.revision(t), before)
		}
		if _, _, err := h.Reveal(t.Context(), h.owner.Team.ID, c.ID); fault.Of(err) != fault.Unavailable {
			t.Errorf("an expired token is served: %v", err)
		}
		h.due(t, c.ID)
		h.RefreshDue(t.Context())
		if h.revision(t) != before+1 {
			t.Error("gateways were told twice that there is none")
		}

		h.end.Answer(nil)
		h.due(t, c.ID)
		h.RefreshDue(t.Context())
		h.wantServed(t, c.ID, h.end.Access())
		want := []string{"credential.recovered", "credential.expired", "credential.created", "team.created"}
		if diff := cmp.Diff(want, h.events(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// A server that was off for long comes back to a refusal: gateways may have a
// token that has expired, and hear that there is none.
func TestRefusalAfterTheEndIsToldAtOnce(t *testing.T) {
	t.Parallel()
	h := oauthIn(t, storetest.Open(t))
	c := h.put(t, credential.RefreshToken)
	h.end.Revoke()
	before := h.revision(t)
	h.clock.to(h.clock.Now().Add(3 * time.Hour))
	h.RefreshDue(t.Context())
	if row := h.row(t, c.ID); row.Refresh.State != fleet.RefreshAttention || !row.Refresh.NextAt.IsZero() || h.revision(t) != before+1 {
		t.Errorf("%+v, revision %d after %d", row.Refresh, h.revision(t), before)
	}
}

func TestRefusedEntryIsNotStored(t *testing.T) {
	t.Parallel()
	eachOAuth(t, func(t *testing.T, h *oauthHouse) {
		wrong := h.entry(credential.ClientCredentials)
		wrong.ClientSecret = credential.NewSecret("wrong")
		if _, err := h.PutEntry(t.Context(), h.owner, wrong); fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "does not know the client") {
			t.Errorf("%v", err)
		}
		if all, err := h.List(t.Context(), h.owner.Team.ID); err != nil || len(all) != 0 {
			t.Errorf("stored: %+v, %v", all, err)
		}
		c := h.put(t, credential.ClientCredentials)
		if _, err := h.PutEntry(t.Context(), h.owner, wrong); fault.Of(err) != fault.Invalid {
			t.Errorf("%v", err)
		}
		if row := h.row(t, c.ID); row.Version != 1 {
			t.Errorf("changed: %+v", row)
		}
		h.wantServed(t, c.ID, h.end.Access())
	})
}

func TestEntryThatMakesNoSenseAsksNobody(t *testing.T) {
	t.Parallel()
	h := oauthIn(t, storetest.Open(t))
	member := h.owner
	member.Role = team.RoleMember
	for name, tt := range map[string]struct {
		v      team.Viewer
		change func(*vault.Entry)
		says   string
	}{
		"a member":                  {member, func(*vault.Entry) {}, "Only owners and admins"},
		"a grant that there is not": {h.owner, func(e *vault.Entry) { e.OAuth.Grant = "password" }, "grant is"},
		"no address":                {h.owner, func(e *vault.Entry) { e.OAuth.TokenURL = "" }, "token address"},
		"no TLS":                    {h.owner, func(e *vault.Entry) { e.OAuth.TokenURL = "http://login.example.com/token" }, "https://"},
		"no scheme at all":          {h.owner, func(e *vault.Entry) { e.OAuth.TokenURL = "login.example.com/token" }, "token address"},
		"another scheme":            {h.owner, func(e *vault.Entry) { e.OAuth.TokenURL = "file://localhost/etc" }, "https://"},
		"a password in the address": {h.owner, func(e *vault.Entry) { e.OAuth.TokenURL = "https://a:b@login.example.com" }, "without a user"},
		"no client":                 {h.owner, func(e *vault.Entry) { e.OAuth.ClientID = " " }, "client ID is missing"},
		"a client of two lines":     {h.owner, func(e *vault.Entry) { e.OAuth.ClientID = "a\nb" }, "client ID"},
		"a quoted scope":            {h.owner, func(e *vault.Entry) { e.OAuth.Scope = `"a"` }, "scope"},
		"half a resource":           {h.owner, func(e *vault.Entry) { e.OAuth.Resource = "/api" }, "resource"},
		"another authentication":    {h.owner, func(e *vault.Entry) { e.OAuth.ClientAuth = "jwt" }, "client authentication"},
		"no secret":                 {h.owner, func(e *vault.Entry) { e.ClientSecret = credential.Secret{} }, "client secret is missing"},
		"no refresh token":          {h.owner, func(e *vault.Entry) { e.OAuth.Grant = credential.RefreshToken }, "refresh token is missing"},
		"a secret of two lines":     {h.owner, func(e *vault.Entry) { e.ClientSecret = credential.NewSecret("a\nb") }, "line break"},
	} {
		e := h.entry(credential.ClientCredentials)
		tt.change(&e)
		if _, err := h.PutEntry(t.Context(), tt.v, e); !strings.Contains(fault.Message(err), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.RefreshNow(t.Context(), member, "cred_1"); fault.Of(err) != fault.Forbidden {
		t.Errorf("a member refreshes: %v", err)
	}
	if h.end.Requests() != 0 {
		t.Errorf("asked %d times", h.end.Requests())
	}
}

// meddler is a store in which a refresher is faster, once.
type meddler struct {
	*store.Store
	meddle func()
}

func (m *meddler) RotateCredential(ctx context.Context, c fleet.Credential, e audit.Event) error {
	if m.meddle != nil {
		m.meddle()
		m.meddle = nil
	}
	return m.Store.RotateCredential(ctx, c, e)
}

func TestNewEntryOutlivesARefreshMeanwhile(t *testing.T) {
	t.Parallel()
	eachOAuth(t, func(t *testing.T, h *oauthHouse) {
		c := h.put(t, credential.ClientCredentials)
		s := h.server(&meddler{h.store, func() {
			if err := h.RefreshNow(t.Context(), h.owner, c.ID); err != nil {
				t.Error(err)
			}
		}})
		e := h.entry(credential.ClientCredentials)
		e.OAuth.Scope = "other"
		again, err := s.PutEntry(t.Context(), h.owner, e)
		if err != nil || again.Version != 3 || again.OAuth.Scope != "other" || h.end.Requests() != 3 {
			t.Errorf("%+v, %v, %d requests", again, err, h.end.Requests())
		}
		by := h.server(&meddler{h.store, func() {
			if _, err := h.PutEntry(t.Context(), h.owner, h.entry(credential.ClientCredentials)); err != nil {
				t.Error(err)
			}
		}})
		h.clock.to(h.clock.Now().Add(time.Minute))
		if _, err := by.PutEntry(t.Context(), h.owner, e); fault.Of(err) != fault.Conflict {
			t.Errorf("a person was faster: %v, want a conflict", err)
		}
	})
}

func TestRunRenewsByItself(t *testing.T) {
	t.Parallel()
	h := oauthIn(t, storetest.Open(t))
	h.end.Lifetime = time.Second
	renewed := make(chan struct{}, 10)
	h.Service.Changed = func(context.Context, string) { renewed <- struct{}{} }
	h.Now = time.Now
	c := h.put(t, credential.RefreshToken)
	<-renewed
	first := h.end.Access()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	<-renewed
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if h.end.Access() == first || h.row(t, c.ID).Version < 2 {
		t.Error("not renewed")
	}
}
