package slack_test

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/slack/slacktest"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/team"
)

func TestSocketComesBack(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{Mode: slack.Socket})
	h.connected(t, 1)
	for name, end := range map[string]func() error{
		"cut":       func() error { h.slack.Cut(); return nil },
		"refreshed": h.slack.Refresh,
	} {
		dials := h.slack.Dials()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if !h.slack.Await(patience, func() bool {
			return h.slack.Dials() > dials && h.slack.Connections() == 1
		}) {
			t.Fatalf("%s: not connected again", name)
		}
		a := h.ask(t, question(name))
		card := h.card(t, room, a)
		h.click(t, ana, card, "approve")
		h.shows(t, card, "Approved by Ana")
	}
}

func TestSocketEndsWithTheIntegration(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{Mode: slack.Socket})
	h.connected(t, 1)
	if _, err := h.Save(t.Context(), h.owner, h.i.Version, slack.Settings{Mode: slack.Socket, Channel: room}, slack.Secrets{}, false); err != nil {
		t.Fatal(err)
	}
	h.connected(t, 0)
}

// An envelope that Slack sends again counts once, and is no offence.
func TestEnvelopeCountsOnce(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{Mode: slack.Socket})
	h.connected(t, 1)
	a := h.ask(t, question("a"))
	card := h.card(t, room, a)
	payload, err := h.slack.Payload(ana, card, "approve")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := h.slack.Envelope(t.Context(), "the-same", "interactive", payload); err != nil || got.Status != http.StatusOK {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	h.shows(t, card, "Approved by Ana")
	if es := h.events(t, "slack.refused"); len(es) != 0 {
		t.Errorf("recorded %+v", es)
	}
}

func TestSocketKnowsItsWorkspace(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{Mode: slack.Socket})
	h.connected(t, 1)
	a := h.ask(t, question("a"))
	h.card(t, room, a)
	for why, payload := range map[string]string{
		"workspace": `{"type":"block_actions","team":{"id":"T0OTHER"},"user":{"id":"` + ana + `"},"actions":[{"block_id":"b","type":"button","action_id":"approve","value":"` + a.ID + `"}]}`,
		"malformed": `{"type":"block_actions","team":{"id":"T0TAMEFLARE"},"user":{"id":"` + ana + `"},"actions":[]}`,
	} {
		if _, err := h.slack.Envelope(t.Context(), why, "interactive", []byte(payload)); err != nil {
			t.Fatal(err)
		}
		if !h.slack.Await(time.Second, func() bool {
			return len(h.events(t, "slack.refused")) > 0 && slices.ContainsFunc(h.reasons(t), func(w string) bool { return w == why })
		}) && !slices.Contains(h.reasons(t), why) {
			t.Errorf("%s: recorded because of %v", why, h.reasons(t))
		}
	}
	h.is(t, a.ID, approval.Pending)
	// By HTTP nothing answers.
	if got, err := slacktest.Post(t.Context(), h.url+"/slack/"+h.i.ID+"/actions", "payload={}", slacktest.Sign("payload={}", time.Now(), slacktest.SigningSecret)); err != nil || got.Status != http.StatusNotFound {
		t.Errorf("by HTTP: %+v, %v", got, err)
	}
}

func (h *house) reasons(t testing.TB) (all []string) {
	t.Helper()
	for _, e := range h.events(t, "slack.refused") {
		all = append(all, e.Detail["why"])
	}
	return all
}

// slow decides when it is told to.
type slow struct {
	slack.Approvals
	begun, goOn chan struct{}
}

func (s *slow) Decide(c context.Context, v team.Viewer, id string, d approval.Decision) (approval.Approval, error) {
	close(s.begun)
	<-s.goOn
	return s.Approvals.Decide(c, v, id, d)
}

// Slack hears at once that its message has come, whatever deciding takes; and
// what has come is brought to its end, also while the server stops.
func TestSlackDoesNotWaitForDecisions(t *testing.T) {
	t.Parallel()
	h := quiet(t, storetest.Open(t))
	slowly := &slow{h.desk, make(chan struct{}), make(chan struct{})}
	h.Approvals = slowly
	h.setUp(t, slack.Settings{})
	h.link(t, h.owner, ana)
	a := h.ask(t, question("a"))
	h.Deliver(t.Context(), h.item(a))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	got := h.click(t, ana, h.card(t, room, a), "approve")
	if got.Status != http.StatusOK || got.Took < slack.Inline {
		t.Errorf("%d after %v, want 200 after %v", got.Status, got.Took, slack.Inline)
	}
	<-slowly.begun
	stop()
	h.is(t, a.ID, approval.Pending)
	close(slowly.goOn)
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	h.is(t, a.ID, approval.Approved)
}

// Nobody sees to it: Slack is told that, and nothing is decided later.
func TestFullDeskRefuses(t *testing.T) {
	t.Parallel()
	h := quiet(t, storetest.Open(t))
	h.setUp(t, slack.Settings{})
	h.link(t, h.owner, ana)
	a := h.ask(t, question("a"))
	h.Deliver(t.Context(), h.item(a))
	card := h.card(t, room, a)
	h.FillDesk(0, func() {})
	if got := h.click(t, ana, card, "approve"); got.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", got)
	}
}

// What was confirmed to Slack is seen to, also where the server stops before
// it is begun.
func TestWhatHasComeIsSeenTo(t *testing.T) {
	t.Parallel()
	h := quiet(t, storetest.Open(t))
	h.setUp(t, slack.Settings{})
	h.link(t, h.owner, ana)
	a := h.ask(t, question("a"))
	h.Deliver(t.Context(), h.item(a))
	var others atomic.Int64
	h.FillDesk(1, func() { others.Add(1) })
	if got := h.click(t, ana, h.card(t, room, a), "approve"); got.Status != http.StatusOK {
		t.Fatalf("%+v", got)
	}
	h.is(t, a.ID, approval.Pending)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := h.Run(ctx); err != nil {
		t.Fatal(err)
	}
	h.is(t, a.ID, approval.Approved)
	if got := others.Load(); got < 100 {
		t.Errorf("%d of the others were seen to", got)
	}
}
