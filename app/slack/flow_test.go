package slack_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/slack/slacktest"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

func TestClickDecides(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]slack.Mode{"http": slack.HTTP, "socket": slack.Socket} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := running(t, slack.Settings{Mode: mode})
			if mode == slack.Socket {
				h.connected(t, 1)
			}
			for button, want := range map[string]approval.Status{"approve": approval.Approved, "deny": approval.Denied} {
				a := h.ask(t, question(button))
				card := h.card(t, room, a)
				for _, text := range []string{"deploy-bot wants to merge acme/site#12 into main", "PUT https://api.github.com/repos/acme/site/pulls/12/merge", "github.pr.merge", "ana@laptop", "medium", "Merges need a person."} {
					if !strings.Contains(card.Shown(), text) {
						t.Errorf("the card lacks %q:\n%s", text, card.Shown())
					}
				}
				if got := h.click(t, ana, card, button); got.Status != http.StatusOK || got.Body != "" {
					t.Errorf("answered %d %q, want an empty 200", got.Status, got.Body)
				}
				done := h.shows(t, card, map[approval.Status]string{approval.Approved: "Approved by Ana in Slack", approval.Denied: "Denied by Ana in Slack"}[want])
				if slices.Contains(done.Buttons(), "approve") || slices.Contains(done.Buttons(), "deny") || !slices.Contains(done.Buttons(), "open") {
					t.Errorf("the settled card has the buttons %v", done.Buttons())
				}
				got := h.is(t, a.ID, want)
				if got.Channel != approval.Slack || got.DecidedBy != h.owner.User.ID {
					t.Errorf("decided by %s in %q", got.DecidedBy, got.Channel)
				}
				es := h.events(t, "approval."+string(want))
				if len(es) != 1 || es[0].Actor.ID != h.owner.User.ID || es[0].Actor.Auth != "slack" || es[0].Detail["channel"] != "slack" {
					t.Errorf("events: %+v", es)
				}
			}
			if es := h.events(t, "slack.refused"); len(es) != 0 {
				t.Errorf("refused: %+v", es)
			}
		})
	}
}

// connected waits until so many connections are there.
func (h *house) connected(t testing.TB, n int) {
	t.Helper()
	if !h.slack.Await(patience, func() bool { return h.slack.Connections() == n }) {
		t.Fatalf("%d connections, want %d", h.slack.Connections(), n)
	}
}

func (h *house) click(t testing.TB, user string, m slacktest.Message, button string, option ...int) slacktest.Answer {
	t.Helper()
	got, err := h.slack.Click(t.Context(), user, m, button, option...)
	if err != nil {
		t.Fatalf("click on %s: %v", button, err)
	}
	return got
}

func TestReasonIsAskedFor(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{})
	a := h.ask(t, question("a"))
	card := h.card(t, room, a)
	h.click(t, ana, card, "deny_reason")
	if !h.slack.Await(patience, func() bool { return len(h.slack.Windows()) == 1 }) {
		t.Fatal("no window was opened")
	}
	h.is(t, a.ID, approval.Pending)
	if got, err := h.slack.Submit(t.Context(), ana, h.slack.Windows()[0], "Not on a Friday.\n<!channel>"); err != nil || got.Status != http.StatusOK || got.Body != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	done := h.shows(t, card, "Not on a Friday.")
	if got := h.is(t, a.ID, approval.Denied); !strings.HasPrefix(got.Note, "Not on a Friday.") {
		t.Errorf("note %q", got.Note)
	}
	if active := done.Active(); len(active) != 0 {
		t.Errorf("Slack would make something of %q", active)
	}
	h.await(t, room, "the answer in the thread", func(m slacktest.Message) bool {
		return m.Thread == card.TS && strings.Contains(m.Shown(), "Denied by Ana in Slack") && strings.Contains(m.Shown(), "Not on a Friday.")
	})
}

// However it ends, the card says so, and its buttons go.
func TestCardFollowsToEveryEnd(t *testing.T) {
	t.Parallel()
	use := func(t *testing.T, h *house, a approval.Approval) {
		if _, err := h.desk.Use(t.Context(), h.gw, a.ID, wire.Use{Fingerprint: a.Fingerprint, RequestID: "req_2"}); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := func(t *testing.T, h *house, a approval.Approval, v approval.Verdict) {
		if _, err := h.desk.Decide(t.Context(), h.owner, a.ID, approval.Decision{Channel: approval.Dashboard, Verdict: v, Note: "As agreed."}); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		end         func(t *testing.T, h *house, a approval.Approval)
		card, reply string
	}{
		"approved elsewhere": {func(t *testing.T, h *house, a approval.Approval) { elsewhere(t, h, a, approval.Grant) }, "Approved by Ana in the dashboard", ""},
		"denied elsewhere":   {func(t *testing.T, h *house, a approval.Approval) { elsewhere(t, h, a, approval.Deny) }, "Denied by Ana in the dashboard, after less than a second. Reason: As agreed.", "Denied by Ana"},
		"executed": {func(t *testing.T, h *house, a approval.Approval) {
			elsewhere(t, h, a, approval.Grant)
			use(t, h, a)
			h.clock.Add(10 * time.Second) // the answer in the thread waits a little
		}, "It was sent", "It was sent"},
		"expired": {func(t *testing.T, h *house, a approval.Approval) {
			h.clock.Add(a.TTL)
			if err := h.desk.Lapse(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, "Nobody answered within 10 min", "Nobody answered"},
		"unused": {func(t *testing.T, h *house, a approval.Approval) {
			elsewhere(t, h, a, approval.Grant)
			h.clock.Add(a.TTL + time.Minute)
			if err := h.desk.Lapse(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, "did not send it in time", "did not send it in time"},
		"killed": {func(t *testing.T, h *house, _ approval.Approval) {
			if _, err := h.kills.Pull(t.Context(), h.owner, kills.Scope{GatewayID: h.gw.ID}, "It runs wild."); err != nil {
				t.Fatal(err)
			}
		}, "Cancelled. The request was not sent.", "Cancelled."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := running(t, slack.Settings{})
			a := h.ask(t, question(name))
			card := h.card(t, room, a)
			tt.end(t, h, a)
			done := h.shows(t, card, tt.card)
			if slices.Contains(done.Buttons(), "approve") {
				t.Errorf("buttons %v", done.Buttons())
			}
			if tt.reply != "" {
				h.await(t, room, "the answer in the thread", func(m slacktest.Message) bool {
					return m.Thread == card.TS && strings.Contains(m.Shown(), tt.reply)
				})
			}
		})
	}
}

func TestProgressOfSeveralPeopleIsShown(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{})
	ben := storetest.Member(t, h.store, h.owner, "Ben", team.RoleMember)
	h.link(t, ben, "U0BEN")
	q := question("two")
	q.Approvers = policy.Approvers{Count: 2}
	a := h.ask(t, q)
	card := h.card(t, room, a)
	h.click(t, ana, card, "approve")
	card = h.shows(t, card, "1 of 2 agreed: Ana.")
	if !slices.Contains(card.Buttons(), "approve") {
		t.Errorf("after the first vote: %v", card.Buttons())
	}
	h.is(t, a.ID, approval.Pending)
	h.click(t, "U0BEN", card, "approve")
	h.shows(t, card, "Approved by Ana and Ben")
	h.is(t, a.ID, approval.Approved)
}

func TestApproveTheSameForAWhile(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{})
	a := h.ask(t, question("a"))
	card := h.card(t, room, a)
	h.click(t, ana, card, "more", 0)
	h.shows(t, card, "Approved by Ana")
	got := h.is(t, a.ID, approval.Approved)
	if left := got.RepeatUntil.Sub(got.DecidedAt); left != 15*time.Minute {
		t.Errorf("it counts for %v, want 15 minutes", left)
	}
}

func TestRoutesChooseChannels(t *testing.T) {
	t.Parallel()
	set := slack.Settings{Channel: "#all", Routes: []slack.Route{
		{Connector: "stripe", Channel: "#money"}, {Risk: "high", Channel: "#careful"}, {Environment: "production", Risk: "critical", Channel: "#careful"}, {Gateway: "deploy-bot", Connector: "github", Channel: "#deploy"},
	}}
	on := func(gateway, environment, connector string, r action.Risk) approval.Approval {
		return approval.Approval{GatewayName: gateway, Environment: environment, Action: action.Action{Connector: connector, Risk: r}}
	}
	for name, tt := range map[string]struct {
		a    approval.Approval
		want []string
	}{
		"none of them":              {on("x", "", "openai", action.Low), []string{"#all"}},
		"by connector":              {on("x", "", "stripe", action.Low), []string{"#money"}},
		"by risk":                   {on("x", "", "openai", action.High), []string{"#careful"}},
		"a higher risk":             {on("x", "", "openai", action.Critical), []string{"#careful"}},
		"two that name one channel": {on("x", "production", "openai", action.Critical), []string{"#careful"}},
		"two channels":              {on("x", "", "stripe", action.High), []string{"#money", "#careful"}},
		"by gateway and connector":  {on("deploy-bot", "", "github", action.Medium), []string{"#deploy"}},
		"only the gateway":          {on("deploy-bot", "", "openai", action.Medium), []string{"#all"}},
	} {
		if got := set.Channels(tt.a); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	if got := (slack.Settings{}).Channels(on("x", "", "y", action.Critical)); len(got) != 0 {
		t.Errorf("the zero settings send to %v", got)
	}
}

func TestEachChannelHasACard(t *testing.T) {
	t.Parallel()
	h := quiet(t, storetest.Open(t))
	h.slack.AddChannel("deploy", true)
	h.setUp(t, slack.Settings{Routes: []slack.Route{{Connector: "github", Channel: "#" + room}, {Gateway: "deploy-bot", Channel: "deploy"}}})
	h.link(t, h.owner, ana)
	h.start(t)
	a := h.ask(t, question("a"))
	one, two := h.card(t, room, a), h.card(t, "deploy", a)
	h.click(t, ana, two, "approve")
	h.shows(t, one, "Approved by Ana")
	h.shows(t, two, "Approved by Ana")
}

func TestTestMessage(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{})
	if err := h.Test(t.Context(), h.i); err != nil {
		t.Fatal(err)
	}
	h.await(t, room, "the test", func(m slacktest.Message) bool { return strings.Contains(m.Shown(), "TameFlare can post here") })
}
