package hooks_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/hooks"
	"github.com/tameflare/tameflare/app/outbound"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// items are the messages about a change of a.
func (h *house) items(t *testing.T, i integration.Integration, a approval.Approval, typ string) []outbox.Item {
	t.Helper()
	items, err := hooks.Router{Service: h.Service}.Items(t.Context(), a.TeamID, i, a, outbox.Change{Type: typ, Seq: a.Seq, At: h.now()})
	if err != nil {
		t.Fatalf("items: %v", err)
	}
	for n := range items {
		items[n].TeamID = a.TeamID
	}
	return items
}

func TestMessageIsSignedAndThin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		e := listen(t)
		i, secret := h.webhook(t, hooks.Settings{URL: e.URL + "/tameflare?x=1"})
		a := h.ask(t, 'a', action.High, policy.Approvers{})
		items := h.items(t, i, a, "approval.opened")
		if len(items) != 1 {
			t.Fatalf("%d messages", len(items))
		}
		if r := h.Deliver(t.Context(), items[0]); !r.Done || r.Answer != 200 {
			t.Fatalf("delivered %+v", r)
		}
		r, body := e.got[0], e.bodies[0]
		id, want := payloadOf(t, items[0])
		if r.Method != http.MethodPost || r.URL.String() != "/tameflare?x=1" || body != want || r.Header.Get("webhook-id") != id || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s %s %v", r.Method, r.URL, r.Header)
		}
		if got := r.Header.Get("webhook-signature"); got != signed(t, secret, id, h.now(), []byte(body)) || r.Header.Get("webhook-timestamp") != strconv.FormatInt(h.now().Unix(), 10) {
			t.Errorf("signed %s", got)
		}
		var m struct {
			Type      string
			Timestamp time.Time
			Data      hooks.Approval
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil || m.Type != "approval.requested" || !m.Timestamp.Equal(h.now()) || m.Data.ID != a.ID || m.Data.Risk != "high" || m.Data.Page != baseURL+"/approvals/"+a.ID || m.Data.URL != "https://api.github.com/repos/acme/site/pulls/12/merge" {
			t.Errorf("says %s, %v", body, err)
		}
		if strings.Contains(body, "CANARY") || len(body) > 20<<10 {
			t.Errorf("tells too much: %s", body)
		}
		if got, err := h.kept.ByID(t.Context(), i.ID); err != nil || !got.LastOKAt.Equal(h.now()) {
			t.Errorf("how it does: %+v, %v", got, err)
		}
		// The same change has the same ID, and another another.
		again, _ := payloadOf(t, h.items(t, i, a, "approval.opened")[0])
		other, _ := payloadOf(t, h.items(t, i, a, "approval.expired")[0])
		if again != id || other == id {
			t.Errorf("ids %s, %s, %s", id, again, other)
		}
	})
}

// However much an agent writes, a message stays small.
func TestMessageIsNeverLong(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	i, _ := h.webhook(t, hooks.Settings{URL: "https://hooks.example.com/"})
	long := strings.Repeat("\u0001\U0001F600<", 20000)
	a := approval.Approval{
		ID: "apr_1", TeamID: h.owner.Team.ID, GatewayName: long, RunID: long, Principal: long, Reason: long, Sentence: long, Method: long, URL: long,
		Note: long, DeciderName: long, Environment: long, Action: action.Action{Connector: long, Name: long, Resource: long, Params: map[string]any{"a": long}},
	}
	if _, body := payloadOf(t, h.items(t, i, a, "approval.denied")[0]); len(body) > 20<<10 {
		t.Errorf("%d bytes", len(body))
	}
}

func TestWebhookIsToldWhatItWants(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	a := h.ask(t, 'a', action.Low, policy.Approvers{})
	all := append([]string{"approval.opened"}, hooks.Events()[1:]...)
	for name, tt := range map[string]struct {
		set  hooks.Settings
		want []string
	}{
		"everything":       {hooks.Settings{}, all},
		"some events":      {hooks.Settings{Events: []string{"approval.requested", "approval.expired"}}, []string{"approval.opened", "approval.expired"}},
		"its gateway":      {hooks.Settings{Gateways: []string{"gw_x", a.GatewayID}}, all},
		"another gateway":  {hooks.Settings{Gateways: []string{"gw_x"}}, nil},
		"an event of both": {hooks.Settings{Events: []string{"approval.denied"}, Gateways: []string{"gw_x"}}, nil},
	} {
		tt.set.URL = "https://hooks.example.com/"
		i, _ := h.webhook(t, tt.set)
		var got []string
		for _, typ := range append(slices.Clone(all), "approval.requested.later", "kill.pulled", "") {
			if len(h.items(t, i, a, typ)) == 1 {
				got = append(got, typ)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: told of %v", name, got)
		}
	}
}

func TestWhatAnEndpointAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer       func(http.ResponseWriter)
		done, failed bool
		status       int
		retry        time.Duration
		off          bool
	}{
		"fine":           {answer: func(w http.ResponseWriter) { w.WriteHeader(204) }, done: true, status: 204},
		"an error":       {answer: func(w http.ResponseWriter) { http.Error(w, "CANARY", 500) }, status: 500},
		"a refusal":      {answer: func(w http.ResponseWriter) { http.Error(w, "CANARY", 400) }, status: 400},
		"gone":           {answer: func(w http.ResponseWriter) { http.Error(w, "CANARY", http.StatusGone) }, failed: true, status: 410, off: true},
		"elsewhere":      {answer: func(w http.ResponseWriter) { w.Header().Set("Location", "/CANARY"); w.WriteHeader(307) }, status: 307},
		"too fast":       {answer: func(w http.ResponseWriter) { w.Header().Set("Retry-After", "90"); w.WriteHeader(429) }, status: 429, retry: 90 * time.Second},
		"down for days":  {answer: func(w http.ResponseWriter) { w.Header().Set("Retry-After", "999999999999999999"); w.WriteHeader(503) }, status: 503},
		"down for a day": {answer: func(w http.ResponseWriter) { w.Header().Set("Retry-After", "86400"); w.WriteHeader(503) }, status: 503, retry: time.Hour},
		"a date":         {answer: func(w http.ResponseWriter) { w.Header().Set("Retry-After", "tomorrow"); w.WriteHeader(503) }, status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := furnished(t, storetest.Open(t))
			e := listen(t)
			e.answer = tt.answer
			i, _ := h.webhook(t, hooks.Settings{URL: e.URL})
			a := h.ask(t, 'a', action.Low, policy.Approvers{})
			r := h.Deliver(t.Context(), h.items(t, i, a, "approval.opened")[0])
			if tt.status == 503 && r.Retry > time.Hour {
				t.Errorf("left alone for %v", r.Retry)
			}
			if r.Done != tt.done || r.Failed != tt.failed || r.Answer != tt.status || tt.retry != 0 && r.Retry != tt.retry || tt.done != (r.Problem == "") || strings.Contains(r.Problem, "CANARY") {
				t.Errorf("came to %+v", r)
			}
			if len(e.got) != 1 {
				t.Errorf("%d requests", len(e.got))
			}
			got, err := h.kept.ByID(t.Context(), i.ID)
			if err != nil || got.Enabled == tt.off || tt.off != strings.Contains(got.Problem, "410") || strings.Contains(got.LastError, "CANARY") || tt.done == (got.LastError != "") {
				t.Errorf("is %+v, %v", got, err)
			}
			if strings.Contains(h.log.String(), "CANARY") {
				t.Error("the answer is in the log")
			}
		})
	}
}

func TestMessageGoesNowhereElse(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	e := listen(t)
	i, _ := h.webhook(t, hooks.Settings{URL: e.URL})
	item := h.items(t, i, h.ask(t, 'a', action.Low, policy.Approvers{}), "approval.opened")[0]
	h.Guard.Allow = nil // whoever runs the server has taken it back
	if r := h.Deliver(t.Context(), item); !r.Failed || len(e.got) != 0 || !strings.Contains(r.Problem, "TAMEFLARE_OUTBOUND_ALLOW") {
		t.Errorf("came to %+v", r)
	}
	h.Guard = outbound.Guard{}
	for name, url := range map[string]string{
		"no address": "", "a path": "/hooks", "another scheme": "ftp://hooks.example.com/", "without TLS": "http://hooks.example.com/",
		"a name and a password": "https://ana:secret@hooks.example.com/", "a fragment": "https://hooks.example.com/#x", "loopback": "https://127.0.0.1/",
		"metadata": "https://169.254.169.254/latest", "private": "https://[fd00::1]/", "a space": "https://hooks.example.com/a b", "too long": "https://hooks.example.com/" + strings.Repeat("x", 2000),
		"a line break": "https://hooks.example.com/\r\nHost: x",
	} {
		if _, _, err := h.SaveWebhook(t.Context(), h.owner, hooks.Draft{Name: name, Enabled: true}, hooks.Settings{URL: url}); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := h.SaveWebhook(t.Context(), h.owner, hooks.Draft{Name: "odd"}, hooks.Settings{URL: "https://hooks.example.com/", Events: []string{"all"}}); fault.Of(err) != fault.Invalid {
		t.Errorf("an event of nobody's: %v", err)
	}
	h.Guard.Allow = []outbound.Allowed{{Host: "hooks.internal", Range: netip.MustParsePrefix("10.0.0.0/8")}}
	if _, _, err := h.SaveWebhook(t.Context(), h.owner, hooks.Draft{Name: "internal"}, hooks.Settings{URL: "http://hooks.internal/"}); err != nil {
		t.Errorf("listed: %v", err)
	}
}

func TestWebhookThatIsOffOrGoneIsNotCalled(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	e := listen(t)
	i, _ := h.webhook(t, hooks.Settings{URL: e.URL})
	item := h.items(t, i, h.ask(t, 'a', action.Low, policy.Approvers{}), "approval.opened")[0]
	if err := h.kept.Disable(t.Context(), i, "off"); err != nil {
		t.Fatal(err)
	}
	if r := h.Deliver(t.Context(), item); !r.Failed {
		t.Errorf("off: %+v", r)
	}
	if err := h.Test(t.Context(), h.owner, i.ID); fault.Of(err) != fault.Conflict {
		t.Errorf("test of one that is off: %v", err)
	}
	if err := h.kept.Delete(t.Context(), h.owner, i.ID); err != nil {
		t.Fatal(err)
	}
	if r := h.Deliver(t.Context(), item); !r.Failed || len(e.got) != 0 {
		t.Errorf("gone: %+v", r)
	}
}

// Five days without an answer, and nobody is listening any more. One bad
// moment after a quiet week is not that.
func TestWebhookThatFailsForDaysIsSwitchedOff(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		e := listen(t)
		i, _ := h.webhook(t, hooks.Settings{URL: e.URL})
		n := 0
		attempt := func(answer int) {
			t.Helper()
			n++
			e.answer = func(w http.ResponseWriter) { w.WriteHeader(answer) }
			item := outbox.Item{
				ID: "out_" + strconv.Itoa(n), TeamID: i.TeamID, Kind: outbox.Webhook, Lane: strconv.Itoa(n), Integration: i.ID,
				Payload: []byte(`{"id":"msg_1","type":"test","body":{}}`), CreatedAt: h.now(), DueAt: h.now(),
			}
			if err := s.AddItems(t.Context(), item); err != nil {
				t.Fatal(err)
			}
			claimed, err := s.ClaimItems(t.Context(), h.now(), h.now().Add(time.Minute), 1)
			if err != nil || len(claimed) != 1 {
				t.Fatalf("claim: %v, %v", claimed, err)
			}
			r := h.Deliver(t.Context(), claimed[0])
			claimed[0].DoneAt, claimed[0].Failed = h.now(), !r.Done
			if err := s.EndItem(t.Context(), claimed[0]); err != nil {
				t.Fatal(err)
			}
		}
		off := func() bool {
			t.Helper()
			got, err := h.kept.ByID(t.Context(), i.ID)
			if err != nil {
				t.Fatal(err)
			}
			return !got.Enabled
		}
		attempt(500)
		h.on(time.Hour)
		attempt(200)
		h.on(10 * 24 * time.Hour)
		attempt(500)
		if off() {
			t.Fatal("off after one failure in a quiet time")
		}
		h.on(4 * 24 * time.Hour)
		attempt(500)
		if off() {
			t.Fatal("off after four days")
		}
		h.on(25 * time.Hour)
		attempt(500)
		if !off() {
			t.Fatal("on after five days")
		}
		if es := h.events(t, "integration.disabled"); len(es) != 1 || !strings.Contains(es[0].Detail["problem"], "5 days") {
			t.Errorf("recorded %+v", es)
		}
	})
}

func TestMessageIsSentAgainUnderItsID(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		e := listen(t)
		i, _ := h.webhook(t, hooks.Settings{URL: e.URL})
		if err := h.Test(t.Context(), h.owner, i.ID); err != nil {
			t.Fatal(err)
		}
		first := h.deliveries(t, i.ID)
		if len(first) != 1 || first[0].Event != "test" || first[0].Message == "" {
			t.Fatalf("deliveries %+v", first)
		}
		if err := h.Again(t.Context(), h.owner, i.ID, first[0].ID); fault.Of(err) != fault.Conflict {
			t.Errorf("while it is on its way: %v", err)
		}
		claimed, err := s.ClaimItems(t.Context(), h.now(), h.now().Add(time.Minute), 1)
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claim: %v, %v", claimed, err)
		}
		claimed[0].DoneAt, claimed[0].Failed, claimed[0].Answer = h.now(), true, 500
		if err := s.EndItem(t.Context(), claimed[0]); err != nil {
			t.Fatal(err)
		}
		h.on(time.Second)
		if err := h.Again(t.Context(), h.owner, i.ID, first[0].ID); err != nil {
			t.Fatal(err)
		}
		both := h.deliveries(t, i.ID)
		if len(both) != 2 || both[0].Message != both[1].Message || both[0].ID == both[1].ID || hooks.Sent(both[0]) != hooks.Sent(both[1]) {
			t.Errorf("deliveries %+v", both)
		}
		other, _ := h.webhook(t, hooks.Settings{URL: e.URL})
		if err := h.Again(t.Context(), h.owner, other.ID, first[0].ID); fault.Of(err) != fault.NotFound {
			t.Errorf("another webhook's: %v", err)
		}
		for _, role := range []team.Role{team.RoleMember, team.RoleViewer} {
			v := h.owner
			v.Role = role
			_, _, rotated := h.Rotate(t.Context(), v, i.ID)
			_, _, saved := h.SaveWebhook(t.Context(), v, hooks.Draft{Name: "theirs"}, hooks.Settings{URL: "https://hooks.example.com/"})
			_, _, in := h.SaveInbound(t.Context(), v, hooks.Draft{Name: "theirs"}, hooks.InboundSettings{})
			for what, err := range map[string]error{"test": h.Test(t.Context(), v, i.ID), "again": h.Again(t.Context(), v, i.ID, first[0].ID), "rotate": rotated, "save": saved, "inbound": in} {
				if fault.Of(err) != fault.Forbidden {
					t.Errorf("%s by a %s: %v", what, role, err)
				}
			}
		}
		stranger := h.addTeam(t)
		if err := h.Test(t.Context(), stranger, i.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("another team's test: %v", err)
		}
	})
}

func TestBothSecretsSignWhileOneIsChanged(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	e := listen(t)
	i, old := h.webhook(t, hooks.Settings{URL: e.URL})
	changed, secret, err := h.Rotate(t.Context(), h.owner, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	item := h.items(t, changed, h.ask(t, 'a', action.Low, policy.Approvers{}), "approval.opened")[0]
	id, body := payloadOf(t, item)
	for n, want := range []string{
		signed(t, secret.Reveal(), id, h.now(), []byte(body)) + " " + signed(t, old, id, h.now(), []byte(body)),
		signed(t, secret.Reveal(), id, h.now().Add(hooks.Overlap), []byte(body)),
	} {
		if r := h.Deliver(t.Context(), item); !r.Done {
			t.Fatalf("delivered %+v", r)
		}
		if got := e.got[n].Header.Get("webhook-signature"); got != want {
			t.Errorf("signed %q, want %q", got, want)
		}
		h.on(hooks.Overlap)
	}
	// A change of anything else leaves the secret as it is.
	if _, again, err := h.SaveWebhook(t.Context(), h.owner, hooks.Draft{ID: i.ID, Version: changed.Version, Name: "renamed", Enabled: true}, hooks.Settings{URL: e.URL}); err != nil || !again.Empty() {
		t.Fatalf("renamed: %v", err)
	}
	if r := h.Deliver(t.Context(), item); !r.Done || e.got[2].Header.Get("webhook-signature") != signed(t, secret.Reveal(), id, h.now(), []byte(body)) {
		t.Errorf("after that %+v", r)
	}
}

// What is broken in the settings is ours to find, and no reason to panic.
func TestBrokenSettingsSendNothing(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	i, err := h.kept.Save(t.Context(), h.owner, integration.Integration{Kind: integration.Webhook, Name: "broken", Settings: []byte(`[]`), Enabled: true}, credential.NewSecret(`{"secret":"whsec_x"}`))
	if err != nil {
		t.Fatal(err)
	}
	if r := h.Deliver(t.Context(), outbox.Item{TeamID: i.TeamID, Integration: i.ID, Payload: []byte("{}")}); r.Done || r.Failed || r.Problem == "" {
		t.Errorf("came to %+v", r)
	}
	if _, err := (hooks.Router{Service: h.Service}).Items(t.Context(), i.TeamID, i, approval.Approval{}, outbox.Change{Type: "approval.opened"}); err == nil {
		t.Error("no error")
	}
}
