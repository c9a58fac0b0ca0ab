package integrations_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/integrations"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/team"
)

const canary = `{"secret":"CANARY-0123456789"}`

type house struct {
	*integrations.Service
	store *store.Store
	owner team.Viewer
	now   time.Time
}

func furnished(t *testing.T, s *store.Store) *house {
	t.Helper()
	master, _, err := vault.OpenMaster(t.TempDir(), credential.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{store: s, now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
	now := func() time.Time { return h.now }
	h.Service = &integrations.Service{Store: s, Vault: &vault.Service{Store: s, Master: master, Now: now}, Now: now, Log: slog.New(slog.DiscardHandler)}
	h.owner = addTeam(t, s, master)
	return h
}

// addTeam adds a team whose key the master opens.
func addTeam(t *testing.T, s *store.Store, master vault.Master) team.Viewer {
	t.Helper()
	v := storetest.Owner(t, s)
	v.Team.ID += "k"
	v.User.ID += "k"
	v.User.Email = "k" + v.User.Email
	key, err := master.NewTeamKey(v.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	v.Team.DataKey = key
	if err := s.InsertTeam(t.Context(), v.Team, v.User, audit.Event{Time: time.Now(), Type: "team.created", Actor: v.Actor()}); err != nil {
		t.Fatal(err)
	}
	return v
}

func webhook(name string) integration.Integration {
	return integration.Integration{Kind: integration.Webhook, Name: name, Settings: []byte(`{"url":"https://hooks.example.com/"}`), Enabled: true}
}

func (h *house) save(t *testing.T, i integration.Integration, secrets string) integration.Integration {
	t.Helper()
	got, err := h.Save(t.Context(), h.owner, i, credential.NewSecret(secrets))
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return got
}

// events are what the team recorded about integrations, oldest first, as "type detail".
func (h *house) events(t *testing.T) []string {
	t.Helper()
	rows, err := h.store.Events(t.Context(), h.owner.Team.ID, 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range rows {
		if strings.Contains(string(r.Entry), "CANARY") {
			t.Errorf("an event holds a secret: %s", r.Entry)
		}
		if e, err := r.Event(); err == nil && strings.HasPrefix(e.Type, "integration.") {
			all = append([]string{e.Type + " " + e.Name + " " + e.Detail["kind"] + e.Detail["problem"] + e.Detail["why"]}, all...)
		}
	}
	return all
}

func TestIntegrationIsKeptWithItsSecrets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		made := h.save(t, webhook(" Pager "), canary)
		if made.Version != 1 || made.Name != "Pager" || made.TeamID != h.owner.Team.ID || strings.Contains(string(made.Sealed), "CANARY") {
			t.Errorf("made %+v", made)
		}
		found, err := h.Find(t.Context(), h.owner.Team.ID, made.ID)
		if diff := cmp.Diff(made, found); diff != "" || err != nil {
			t.Errorf("found (-made +found):\n%s%v", diff, err)
		}
		if got, err := h.Secrets(t.Context(), found); err != nil || got.Reveal() != canary {
			t.Errorf("secrets: %v", err)
		}

		found.Name, found.Settings = "Pager 2", []byte(`{"url":"https://other.example.com/"}`)
		changed := h.save(t, found, "") // the secrets stay
		if got, err := h.Secrets(t.Context(), changed); err != nil || got.Reveal() != canary || changed.Version != 2 || string(changed.Sealed) == string(found.Sealed) {
			t.Errorf("kept: %v, %+v", err, changed)
		}
		stolen := changed
		stolen.Sealed = found.Sealed // of the version before
		if _, err := h.Secrets(t.Context(), stolen); err == nil {
			t.Error("what was sealed for another version opens")
		}
		if replaced := h.save(t, changed, `{"secret":"new CANARY"}`); replaced.Version != 3 {
			t.Errorf("replaced: %+v", replaced)
		} else if got, err := h.Secrets(t.Context(), replaced); err != nil || got.Reveal() != `{"secret":"new CANARY"}` {
			t.Errorf("replaced: %v", err)
		}
		if _, err := h.Save(t.Context(), h.owner, changed, credential.Secret{}); fault.Of(err) != fault.Conflict {
			t.Errorf("a change of what somebody else has changed: %v", err)
		}
		if err := h.Delete(t.Context(), h.owner, made.ID); err != nil {
			t.Errorf("delete: %v", err)
		}
		if _, err := h.Find(t.Context(), h.owner.Team.ID, made.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("after it was deleted: %v", err)
		}
		want := []string{"integration.created Pager webhook", "integration.changed Pager 2 webhook", "integration.changed Pager 2 webhook", "integration.deleted Pager 2 webhook"}
		if diff := cmp.Diff(want, h.events(t)); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

func TestWhatCannotBeKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		h.save(t, webhook("taken"), "")
		with := func(change func(*integration.Integration)) integration.Integration {
			i := webhook("other")
			change(&i)
			return i
		}
		for name, tt := range map[string]struct {
			i       integration.Integration
			secrets string
			want    fault.Kind
		}{
			"no name":               {with(func(i *integration.Integration) { i.Name = "  " }), "", fault.Invalid},
			"a long name":           {with(func(i *integration.Integration) { i.Name = strings.Repeat("é", 61) }), "", fault.Invalid},
			"a name that hides":     {with(func(i *integration.Integration) { i.Name = "a\u202eb" }), "", fault.Invalid},
			"a name of two lines":   {with(func(i *integration.Integration) { i.Name = "a\nb" }), "", fault.Invalid},
			"a kind of nobody's":    {with(func(i *integration.Integration) { i.Kind = "pager" }), "", fault.Invalid},
			"settings of no form":   {with(func(i *integration.Integration) { i.Settings = []byte("{") }), "", fault.Invalid},
			"too long settings":     {with(func(i *integration.Integration) { i.Settings = []byte(`"` + strings.Repeat("x", 16<<10) + `"`) }), "", fault.Invalid},
			"secrets of no form":    {with(func(*integration.Integration) {}), "CANARY", fault.Invalid},
			"a name that is taken":  {webhook("taken"), "", fault.Conflict},
			"one that is not there": {with(func(i *integration.Integration) { i.ID = "int_none" }), "", fault.NotFound},
		} {
			if _, err := h.Save(t.Context(), h.owner, tt.i, credential.NewSecret(tt.secrets)); fault.Of(err) != tt.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		// Of another kind the name is free.
		h.save(t, integration.Integration{Kind: integration.Email, Name: "taken", Settings: []byte("{}")}, "")
		for n := 3; n <= 50; n++ {
			h.save(t, webhook(strings.Repeat("x", n)), "")
		}
		if _, err := h.Save(t.Context(), h.owner, webhook("one too many"), credential.Secret{}); fault.Of(err) != fault.Limited {
			t.Errorf("the 51st: %v", err)
		}
	})
}

func TestOnlyThoseWhoManageChangeIntegrations(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	i := h.save(t, webhook("Pager"), canary)
	for _, role := range team.Roles() {
		v := h.owner
		v.Role = role
		_, made := h.Save(t.Context(), v, webhook("by "+string(role)), credential.Secret{})
		gone := h.Delete(t.Context(), v, "int_none")
		if role.May(team.Manage) != (made == nil) || role.May(team.Manage) != (fault.Of(gone) == fault.NotFound) || !role.May(team.Manage) && (fault.Of(made) != fault.Forbidden || fault.Of(gone) != fault.Forbidden) {
			t.Errorf("%s: %v, %v", role, made, gone)
		}
	}
	other := h.owner
	other.Team = storetest.Owner(t, h.store).Team
	if _, err := h.Find(t.Context(), other.Team.ID, i.ID); fault.Of(err) != fault.NotFound {
		t.Errorf("another team finds it: %v", err)
	}
	if err := h.Delete(t.Context(), other, i.ID); fault.Of(err) != fault.NotFound {
		t.Errorf("another team deletes it: %v", err)
	}
	i.Name = "theirs"
	if _, err := h.Save(t.Context(), other, i, credential.Secret{}); fault.Of(err) != fault.NotFound {
		t.Errorf("another team changes it: %v", err)
	}
}

func TestHowAnIntegrationDoesIsKnown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		i := h.save(t, webhook("Pager"), canary)
		read := func() integration.Integration {
			t.Helper()
			got, err := h.ByID(t.Context(), i.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		h.Did(t.Context(), i.ID, nil)
		if got := read(); !got.LastOKAt.Equal(h.now) || !got.LastErrorAt.IsZero() {
			t.Errorf("well: %+v", got)
		}
		h.now = h.now.Add(time.Second)
		h.Did(t.Context(), i.ID, fault.New(fault.Unavailable, "It does not answer.", errors.New("CANARY")))
		if got := read(); !got.LastErrorAt.Equal(h.now) || got.LastError != "It does not answer." || got.LastOKAt.Equal(h.now) {
			t.Errorf("badly: %+v", got)
		}
		h.Did(t.Context(), i.ID, errors.New("CANARY")) // which no page may say
		if got := read(); strings.Contains(got.LastError, "CANARY") {
			t.Errorf("badly: %+v", got)
		}
		h.now = h.now.Add(time.Second)
		h.Did(t.Context(), i.ID, nil) // well again: at once, and not only after a while
		if got := read(); !got.LastOKAt.Equal(h.now) {
			t.Errorf("well again: %+v", got)
		}
		h.RefusedOne(t.Context(), i.ID)
		for range 100 {
			h.Refused(t.Context(), i, audit.Event{Type: "integration.refused", Detail: map[string]string{"why": "signature"}})
		}
		h.now = h.now.Add(time.Minute)
		h.Refused(t.Context(), i, audit.Event{Type: "integration.refused", Detail: map[string]string{"why": "old"}})
		if got := read(); got.Refused != 102 {
			t.Errorf("%d refused", got.Refused)
		}
		got := h.events(t)
		if len(got) != 1+60+1 || got[60] != "integration.refused Pager signature" || got[61] != "integration.refused Pager old" {
			t.Errorf("recorded %d: %v", len(got), got)
		}
	})
}

func TestServerSwitchesAnIntegrationOff(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		i := h.save(t, webhook("Pager"), canary)
		for range 2 { // the second time nothing happens
			if err := h.Disable(t.Context(), i, "It is gone."); err != nil {
				t.Fatal(err)
			}
		}
		off, err := h.Find(t.Context(), h.owner.Team.ID, i.ID)
		if err != nil || off.Enabled || off.Problem != "It is gone." {
			t.Fatalf("%+v, %v", off, err)
		}
		off.Enabled = true
		on := h.save(t, off, "")
		if !on.Enabled || on.Problem != "" {
			t.Errorf("on again: %+v", on)
		}
		if err := h.Disable(t.Context(), off, "It is gone."); err != nil { // about how it was before
			t.Fatal(err)
		}
		if now, err := h.ByID(t.Context(), i.ID); err != nil || !now.Enabled {
			t.Errorf("%+v, %v", now, err)
		}
		want := []string{"integration.created Pager webhook", "integration.disabled Pager webhookIt is gone.", "integration.changed Pager webhook"}
		if diff := cmp.Diff(want, h.events(t)); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}
