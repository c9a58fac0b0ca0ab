package slack_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/integrations"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/outbox"
	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/slack/slacktest"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/integration"
	out "github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

const (
	patience = 20 * time.Second
	room     = "approvals"
	ana      = "U0ANA" // the owner, in Slack
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += d
}

// house is a server with Slack, a Slack, and a team that has linked them.
type house struct {
	*slack.Service
	store  *store.Store
	desk   *approvals.Service
	kills  *kills.Service
	keeper *integrations.Service
	slack  *slacktest.Server
	clock  *clock
	bus    *bus.Local
	url    string

	owner team.Viewer
	gw    fleet.Gateway
	i     integration.Integration
}

// quiet is a house in which nothing runs, and no Slack is set up.
func quiet(t testing.TB, st *store.Store) *house {
	t.Helper()
	h := &house{store: st, clock: &clock{}, bus: &bus.Local{}, slack: slacktest.New(t)}
	log := slog.New(slog.DiscardHandler)
	master, _, err := vault.OpenMaster(t.TempDir(), credential.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	safe := &vault.Service{Store: st, Master: master, Now: h.clock.Now}
	h.desk = &approvals.Service{Store: st, Bodies: safe, Bus: h.bus, Now: h.clock.Now, Log: log}
	h.kills = &kills.Service{Store: st, Bus: h.bus, Now: h.clock.Now}
	h.keeper = &integrations.Service{Store: st, Vault: safe, Now: h.clock.Now, Log: log}
	h.Service = &slack.Service{
		Store: st, Approvals: h.desk, Integrations: h.keeper, Bus: h.bus, APIURL: h.slack.URL(), Now: h.clock.Now, Log: log,
	}
	front := httptest.NewServer(h.Handler())
	t.Cleanup(front.Close)
	h.url, h.BaseURL = front.URL, front.URL
	h.owner = h.team(t, master)
	h.gw = storetest.Gateway(t, st, h.owner, "deploy-bot")
	h.slack.AddChannel(room, true)
	h.slack.AddUser(slacktest.User{ID: ana, Name: "ana"})
	return h
}

func (h *house) team(t testing.TB, master vault.Master) team.Viewer {
	t.Helper()
	v := storetest.Owner(t, h.store) // its key opens nothing
	id := "team_" + strings.ToLower(rand.Text())
	key, err := master.NewTeamKey(id)
	if err != nil {
		t.Fatal(err)
	}
	now := audit.Time(time.Now())
	v.Team = team.Team{ID: id, Name: "acme", Revision: 1, DataKey: key, CreatedAt: now}
	v.User = team.User{ID: "usr_" + id, Email: id + "@example.org", Name: "Ana", PasswordHash: "none", CreatedAt: now}
	if err := h.store.InsertTeam(t.Context(), v.Team, v.User, audit.Event{Time: now, Type: "team.created", Actor: v.Actor()}); err != nil {
		t.Fatal(err)
	}
	return v
}

// running is a house in which everything works, with Slack as set.
func running(t testing.TB, set slack.Settings) *house {
	t.Helper()
	h := quiet(t, storetest.Open(t))
	h.setUp(t, set)
	h.link(t, h.owner, ana)
	h.start(t)
	return h
}

func (h *house) setUp(t testing.TB, set slack.Settings) {
	t.Helper()
	i, err := h.Begin(t.Context(), h.owner)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := h.Manifest(i.ID, set.Mode)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.slack.Install(manifest); err != nil {
		t.Fatal(err)
	}
	if set.Channel == "" {
		set.Channel = "#" + room
	}
	if h.i, err = h.Save(t.Context(), h.owner, i.Version, set, secrets(), true); err != nil {
		t.Fatalf("save: %v", err)
	}
}

func secrets() slack.Secrets {
	return slack.Secrets{
		BotToken: credential.NewSecret(slacktest.BotToken), SigningSecret: credential.NewSecret(slacktest.SigningSecret), AppToken: credential.NewSecret(slacktest.AppToken),
	}
}

func (h *house) start(t testing.TB) {
	t.Helper()
	deliveries := &outbox.Service{
		Store: h.store, Bus: h.bus, Now: h.clock.Now, Log: slog.New(slog.DiscardHandler),
		Deliver: map[out.Kind]outbox.Deliverer{out.Slack: h.Service}, Route: map[integration.Kind]outbox.Router{integration.Slack: h.Service},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	for _, run := range []func(context.Context) error{deliveries.Run, h.Run} {
		working.Go(func() {
			if err := run(ctx); err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		working.Wait()
	})
}

// link makes a Slack account v's, as if they had typed their code.
func (h *house) link(t testing.TB, v team.Viewer, slackUser string) {
	t.Helper()
	code, err := h.NewCode(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	p := store.SlackPerson{TeamID: v.Team.ID, Workspace: slacktest.Workspace, SlackUser: slackUser, Name: slackUser, LinkedAt: audit.Time(h.clock.Now())}
	_, err = h.store.LinkSlack(t.Context(), slack.Hash(code.Reveal()), p, func(string) audit.Event { return audit.Event{Time: p.LinkedAt, Type: "slack.linked"} })
	if err != nil {
		t.Fatalf("link: %v", err)
	}
}

func question(of string) wire.Ask {
	of = digest([]byte(of))
	return wire.Ask{
		Fingerprint: of, RequestID: "req_1", RunID: "run_1", Principal: "ana@laptop", RuleID: "rule_1", Reason: "Merges need a person.",
		Action:   action.Action{Connector: "github", Name: "github.pr.merge", Class: action.Write, Risk: action.Medium, Resource: "acme/site#12"},
		Sentence: "merge acme/site#12 into main", Method: "PUT", URL: "https://api.github.com/repos/acme/site/pulls/12/merge",
	}
}

func risky(of string, r action.Risk) wire.Ask {
	q := question(of)
	q.Action.Risk = r
	return q
}

func (h *house) ask(t testing.TB, q wire.Ask) approval.Approval {
	t.Helper()
	a, err := h.desk.Ask(t.Context(), h.gw, q)
	if err != nil {
		t.Fatalf("ask: %v", err)
	}
	return a
}

// card waits for the card of an approval, as it stands in a channel.
func (h *house) card(t testing.TB, channel string, a approval.Approval) slacktest.Message {
	t.Helper()
	return h.await(t, channel, "the card of "+a.ID, func(m slacktest.Message) bool {
		return m.Thread == "" && m.Metadata.EventPayload["approval"] == a.ID
	})
}

func (h *house) await(t testing.TB, channel, what string, is func(slacktest.Message) bool) (found slacktest.Message) {
	t.Helper()
	if !h.slack.Await(patience, func() bool {
		for _, m := range h.slack.Messages(channel) {
			if is(m) {
				found = m
				return true
			}
		}
		return false
	}) {
		t.Fatalf("%s is not in the channel: %+v", what, h.slack.Messages(channel))
	}
	return found
}

// shows waits until a card shows a text.
func (h *house) shows(t testing.TB, m slacktest.Message, text string) slacktest.Message {
	t.Helper()
	return h.await(t, m.Channel, text, func(now slacktest.Message) bool {
		return now.TS == m.TS && strings.Contains(now.Shown(), text)
	})
}

// whisper waits until somebody was told something.
func (h *house) whisper(t testing.TB, user, text string) {
	t.Helper()
	if !h.slack.Await(patience, func() bool {
		for _, w := range h.slack.Whispers() {
			if w.User == user && strings.Contains(w.Text, text) {
				return true
			}
		}
		return false
	}) {
		t.Errorf("%s was not told %q, but %+v", user, text, h.slack.Whispers())
	}
}

// events are what was recorded, of some types.
func (h *house) events(t testing.TB, prefix string) (all []audit.Event) {
	t.Helper()
	chain, err := h.store.EventChain(t.Context(), h.owner.Team.ID, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.Verify(0, "", chain); err != nil {
		t.Error(err)
	}
	for _, e := range chain {
		ev, err := (audit.EventRow{Entry: e.Entry}).Event()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(ev.Type, prefix) {
			all = append(all, ev)
		}
	}
	return all
}

func (h *house) is(t testing.TB, id string, want approval.Status) approval.Approval {
	t.Helper()
	a, err := h.desk.Get(t.Context(), h.owner.Team.ID, id)
	if err != nil || a.Status != want {
		t.Errorf("%s is %s, %v; want %s", id, a.Status, err, want)
	}
	return a
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
