package hooks_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/hooks"
	"github.com/tameflare/tameflare/app/integrations"
	"github.com/tameflare/tameflare/app/outbound"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

const baseURL = "https://flare.example.com"

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) on(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// house is a server's part with a team that has integrations.
type house struct {
	*hooks.Service
	clock
	store    *store.Store
	kept     *integrations.Service
	desk     *approvals.Service
	receiver *hooks.Receiver
	master   vault.Master
	log      *bytes.Buffer
	owner    team.Viewer
	gateway  fleet.Gateway
}

func furnished(t *testing.T, s *store.Store) *house {
	t.Helper()
	master, _, err := vault.OpenMaster(t.TempDir(), credential.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{store: s, master: master, log: &bytes.Buffer{}, clock: clock{at: audit.Time(time.Now())}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	h.kept = &integrations.Service{Store: s, Vault: &vault.Service{Store: s, Master: master, Now: h.now}, Now: h.now, Log: log}
	h.Service = &hooks.Service{
		Integrations: h.kept, Items: s, Ring: func(context.Context) {}, Now: h.now, Log: log, BaseURL: baseURL,
		Guard: outbound.Guard{Allow: []outbound.Allowed{{Host: "127.0.0.1", Range: netip.MustParsePrefix("127.0.0.0/8")}}, Plain: true},
	}
	h.desk = &approvals.Service{Store: s, Bus: new(bus.Local), Now: h.now, Log: log}
	h.receiver = &hooks.Receiver{
		Integrations: h.kept, Seen: s, People: s, Approvals: h.desk, BaseURL: baseURL, Now: h.now, Log: log,
		IP: func(*http.Request) string { return "192.0.2.7" },
	}
	h.owner = h.addTeam(t)
	h.gateway = storetest.Gateway(t, s, h.owner, "deploy-bot")
	return h
}

// addTeam adds a team whose key the master opens.
func (h *house) addTeam(t *testing.T) team.Viewer {
	t.Helper()
	v := storetest.Owner(t, h.store)
	v.Team.ID, v.User.ID, v.User.Email = v.Team.ID+"k", v.User.ID+"k", "k"+v.User.Email
	var err error
	if v.Team.DataKey, err = h.master.NewTeamKey(v.Team.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.store.InsertTeam(t.Context(), v.Team, v.User, audit.Event{Time: time.Now(), Type: "team.created", Actor: v.Actor()}); err != nil {
		t.Fatal(err)
	}
	return v
}

// ask is an approval that waits.
func (h *house) ask(t *testing.T, fingerprint byte, risk action.Risk, who policy.Approvers) approval.Approval {
	t.Helper()
	return h.askWith(t, strings.Repeat(string(fingerprint), 64), risk, who)
}

func (h *house) askWith(t *testing.T, fingerprint string, risk action.Risk, who policy.Approvers) approval.Approval {
	t.Helper()
	a, err := h.desk.Ask(t.Context(), h.gateway, wire.Ask{
		Fingerprint: fingerprint, RequestID: "req_1", RunID: "run_1", Principal: "ana@laptop", RuleID: "rule_1", Reason: "Merges need a person.",
		Action:   action.Action{Connector: "github", Name: "github.pr.merge", Class: action.Write, Risk: risk, Resource: "acme/site#12", Params: map[string]any{"secret": "CANARY"}},
		Sentence: "merge acme/site#12", Method: "PUT", URL: "https://api.github.com/repos/acme/site/pulls/12/merge?token=CANARY", TTL: time.Hour, Approvers: who,
	})
	if err != nil {
		t.Fatalf("ask: %v", err)
	}
	return a
}

func (h *house) webhook(t *testing.T, set hooks.Settings) (integration.Integration, string) {
	t.Helper()
	i, secret, err := h.SaveWebhook(t.Context(), h.owner, hooks.Draft{Name: "hook " + strconv.Itoa(time.Now().Nanosecond()), Enabled: true}, set)
	if err != nil {
		t.Fatalf("save webhook: %v", err)
	}
	return i, secret.Reveal()
}

func (h *house) inbound(t *testing.T, set hooks.InboundSettings) (integration.Integration, string) {
	t.Helper()
	i, secret, err := h.SaveInbound(t.Context(), h.owner, hooks.Draft{Name: "Pager", Enabled: true}, set)
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return i, secret.Reveal()
}

// events are what the team recorded of a type, oldest first.
func (h *house) events(t *testing.T, prefix string) []audit.Event {
	t.Helper()
	rows, err := h.store.Events(t.Context(), h.owner.Team.ID, 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	var all []audit.Event
	for _, r := range rows {
		e, err := r.Event()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(r.Entry), "CANARY") || strings.Contains(string(r.Entry), "whsec_") {
			t.Errorf("an event holds a secret: %s", r.Entry)
		}
		if strings.HasPrefix(e.Type, prefix) {
			all = append([]audit.Event{e}, all...)
		}
	}
	return all
}

func (h *house) deliveries(t *testing.T, id string) []hooks.Delivery {
	t.Helper()
	all, _, err := h.Deliveries(t.Context(), h.owner.Team.ID, id, page.Cursor{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// signed is the header that a sender of its own makes, from the standard and
// not from our code.
func signed(t *testing.T, secret, id string, at time.Time, body []byte) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) != 32 || !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("a secret of %d bytes, %v", len(key), err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// endpoint is somebody's server that webhooks go to.
type endpoint struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
	answer func(http.ResponseWriter)
}

func listen(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.got, e.bodies = append(e.got, r), append(e.bodies, string(b))
		if e.answer != nil {
			e.answer(w)
		}
	}))
	t.Cleanup(e.Close)
	return e
}

func payloadOf(t *testing.T, i outbox.Item) (id, body string) {
	t.Helper()
	var m struct {
		ID   string
		Body json.RawMessage
	}
	if err := json.Unmarshal(i.Payload, &m); err != nil {
		t.Fatal(err)
	}
	return m.ID, string(m.Body)
}
