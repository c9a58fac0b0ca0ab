package slack_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/outbox"
	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/slack/slacktest"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	out "github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/policy"
)

// still is a house with Slack in which nothing is delivered by itself.
func still(t *testing.T, set slack.Settings) *house {
	t.Helper()
	h := quiet(t, storetest.Open(t))
	h.setUp(t, set)
	return h
}

func (h *house) item(a approval.Approval) out.Item {
	return out.Item{ID: "out_1", TeamID: h.owner.Team.ID, Kind: out.Slack, Integration: h.i.ID, Ref: a.ID, Target: "#" + room}
}

func TestFailuresOfSlack(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fail    slacktest.Failure
		want    outbox.Result
		problem string
	}{
		"too fast":              {slacktest.Failure{Status: 429, RetryAfter: 7}, outbox.Result{Retry: 7 * time.Second, Answer: 429}, "Slack wants to be asked less often."},
		"a failure of its own":  {slacktest.Failure{Status: 503}, outbox.Result{Answer: 503}, "Slack answered with status 503."},
		"another of its own":    {slacktest.Failure{Error: "internal_error"}, outbox.Result{Answer: 200}, "Slack had a failure of its own."},
		"a bad token":           {slacktest.Failure{Error: "invalid_auth"}, outbox.Result{Failed: true, Answer: 200}, "Slack does not know this token."},
		"a token that was":      {slacktest.Failure{Error: "token_revoked"}, outbox.Result{Failed: true, Answer: 200}, "The token was revoked."},
		"no such channel":       {slacktest.Failure{Error: "channel_not_found"}, outbox.Result{Failed: true, Answer: 200}, "Slack knows no such channel"},
		"not invited":           {slacktest.Failure{Error: "not_in_channel"}, outbox.Result{Failed: true, Answer: 200}, "The app is not in the channel."},
		"something new":         {slacktest.Failure{Error: "brand_new <x>"}, outbox.Result{Failed: true, Answer: 200}, "Slack refused: brand_new"},
		"an answer that is not": {slacktest.Failure{Status: 302}, outbox.Result{Failed: true, Answer: 302}, "Slack answered with status 302."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := still(t, slack.Settings{})
			a := h.ask(t, question("a"))
			h.slack.Fail("chat.postMessage", tt.fail)
			got := h.Deliver(t.Context(), h.item(a))
			if !strings.HasPrefix(got.Problem, tt.problem) || got.Done {
				t.Errorf("problem %q, want %q", got.Problem, tt.problem)
			}
			if got.Failed != tt.want.Failed || got.Retry != tt.want.Retry || got.Answer != tt.want.Answer {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
			if i, err := h.store.Integration(t.Context(), h.i.ID); err != nil || !strings.HasPrefix(i.LastError, tt.problem) || i.LastErrorAt.IsZero() {
				t.Errorf("in the settings stands %q, %v", i.LastError, err)
			}
			if got := h.Deliver(t.Context(), h.item(a)); !got.Done {
				t.Errorf("the next attempt: %+v", got)
			}
			if n := len(h.slack.Messages(room)); n != 1 {
				t.Errorf("%d cards", n)
			}
		})
	}
}

func TestSlackIsNotThere(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{})
	a := h.ask(t, question("a"))
	h.slack.Close()
	if got := h.Deliver(t.Context(), h.item(a)); got.Done || got.Failed || got.Problem != "Slack could not be reached." {
		t.Errorf("%+v", got)
	}
}

// The same item again, and news that are none, ask nothing of Slack.
func TestNothingNewIsNotSent(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{})
	a := h.ask(t, question("a"))
	for range 3 {
		if got := h.Deliver(t.Context(), h.item(a)); !got.Done {
			t.Fatalf("%+v", got)
		}
	}
	if posts, updates := h.slack.Calls("chat.postMessage"), h.slack.Calls("chat.update"); posts != 1 || updates != 0 {
		t.Errorf("%d posts and %d updates", posts, updates)
	}
	if _, err := h.desk.Decide(t.Context(), h.owner, a.ID, approval.Decision{Channel: approval.CLI, Verdict: approval.Grant}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h.Deliver(t.Context(), h.item(a))
	}
	if updates := h.slack.Calls("chat.update"); updates != 1 {
		t.Errorf("%d updates", updates)
	}
	// What is over before anybody saw it is not put up.
	late := h.ask(t, question("b"))
	if _, err := h.desk.Decide(t.Context(), h.owner, late.ID, approval.Decision{Channel: approval.CLI}); err != nil {
		t.Fatal(err)
	}
	if got := h.Deliver(t.Context(), h.item(late)); !got.Done || len(h.slack.Messages(room)) != 1 {
		t.Errorf("%+v, %d cards", got, len(h.slack.Messages(room)))
	}
}

// lossy loses what it should write, as a server does that ends.
type lossy struct {
	*store.Store
	lose bool
}

func (l *lossy) InsertSlackMessage(t ctx, m store.SlackMessage) error {
	if l.lose {
		l.lose = false
		return errLost
	}
	return l.Store.InsertSlackMessage(t, m)
}

func TestCrashAfterPostingLeavesACardThatWorks(t *testing.T) {
	t.Parallel()
	h := quiet(t, storetest.Open(t))
	h.Store = &lossy{Store: h.store, lose: true}
	h.setUp(t, slack.Settings{})
	h.link(t, h.owner, ana)
	a := h.ask(t, question("a"))
	if got := h.Deliver(t.Context(), h.item(a)); got.Done || got.Failed {
		t.Fatalf("%+v", got)
	}
	if got := h.Deliver(t.Context(), h.item(a)); !got.Done {
		t.Fatalf("%+v", got)
	}
	cards := h.slack.Messages(room)
	if len(cards) != 2 {
		t.Fatalf("%d cards, want the lost one and another", len(cards))
	}
	h.start(t)
	h.click(t, ana, cards[0], "approve")
	h.shows(t, cards[0], "Approved by Ana")
	h.shows(t, cards[1], "Approved by Ana")
}

// Of two servers that post at once one card stays.
func TestSecondCardIsTakenAway(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{})
	a := h.ask(t, question("a"))
	h.Store = &hasty{Store: h.store, ahead: store.SlackMessage{ApprovalID: a.ID, Channel: "#" + room, TeamID: a.TeamID, TS: "C1 1.1", Seq: 1}}
	if got := h.Deliver(t.Context(), h.item(a)); !got.Done {
		t.Fatalf("%+v", got)
	}
	if n := len(h.slack.Messages(room)); n != 0 || h.slack.Calls("chat.delete") != 1 {
		t.Errorf("%d cards", n)
	}
}

// hasty is faster than whoever inserts.
type hasty struct {
	*store.Store
	ahead store.SlackMessage
}

func (s *hasty) InsertSlackMessage(t ctx, m store.SlackMessage) error {
	if err := s.Store.InsertSlackMessage(t, s.ahead); err != nil {
		return err
	}
	return s.Store.InsertSlackMessage(t, m)
}

func TestCardThatSomebodyRemovedIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{})
	a := h.ask(t, question("a"))
	h.Deliver(t.Context(), h.item(a))
	if _, err := h.desk.Decide(t.Context(), h.owner, a.ID, approval.Decision{Channel: approval.CLI}); err != nil {
		t.Fatal(err)
	}
	h.slack.Fail("chat.update", slacktest.Failure{Error: "message_not_found"})
	if got := h.Deliver(t.Context(), h.item(a)); !got.Done {
		t.Errorf("%+v", got)
	}
}

func TestSwitchedOffNothingIsSent(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{})
	a := h.ask(t, question("a"))
	if _, err := h.Save(t.Context(), h.owner, h.i.Version, slack.Settings{Channel: room}, slack.Secrets{}, false); err != nil {
		t.Fatal(err)
	}
	if got := h.Deliver(t.Context(), h.item(a)); !got.Done || h.slack.Calls("chat.postMessage") != 0 {
		t.Errorf("%+v", got)
	}
	if err := h.Test(t.Context(), h.i); err != nil {
		t.Errorf("the one from before: %v", err)
	}
	other := h.item(a)
	other.TeamID = "team_other"
	if got := h.Deliver(t.Context(), other); !got.Done || h.slack.Calls("chat.postMessage") != 0 {
		t.Errorf("of another team: %+v", got)
	}
}

func TestButtonsFollowTheAssurance(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{Assurance: map[string]slack.Assurance{"low": slack.WithProof, "high": slack.ByButton}})
	for r, want := range map[action.Risk][]string{
		action.Low: {"approve", "deny", "deny_reason", "open"}, action.Medium: {"approve", "deny", "deny_reason", "open", "more"},
		action.High: {"approve", "deny", "deny_reason", "open", "more"}, action.Critical: {"open"},
	} {
		a := h.ask(t, risky(r.String(), r))
		h.Deliver(t.Context(), h.item(a))
		card := h.card(t, room, a)
		if got := card.Buttons(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", r, got, want)
		}
		if got := strings.Contains(confirms(t, card), "approve"); got != (r == action.High) {
			t.Errorf("%s: approving is confirmed %v", r, got)
		}
	}
	proof := risky("proof", action.Medium)
	proof.Approvers = policy.Approvers{StepUp: true}
	a := h.ask(t, proof)
	h.Deliver(t.Context(), h.item(a))
	if got := h.card(t, room, a).Buttons(); !slices.Equal(got, []string{"deny", "deny_reason", "open"}) {
		t.Errorf("where the rule wants a proof: %v", got)
	}
	if (slack.Settings{Assurance: map[string]slack.Assurance{"low": "whatever"}}).Needs(action.Low) != slack.InDashboard {
		t.Error("a level that nobody knows lets the button decide")
	}
}

func TestItemsOfAChange(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{Routes: []slack.Route{{Connector: "stripe", Channel: "#money"}}})
	a := h.ask(t, question("a"))
	h.Deliver(t.Context(), h.item(a))
	repeated := a
	repeated.Repeats = "apr_before"
	for name, tt := range map[string]struct {
		a    approval.Approval
		c    string
		want int
	}{
		"opened": {a, approval.Opened, 1}, "agreed": {a, approval.Agreed, 1}, "denied": {a, "approval.denied", 2}, "executed": {a, "approval.executed", 2},
		"approved because of an earlier one": {repeated, "approval.approved", 0},
	} {
		items, err := h.Items(t.Context(), a.TeamID, h.i, tt.a, out.Change{Type: tt.c})
		if err != nil || len(items) != tt.want {
			t.Errorf("%s: %+v, %v; want %d", name, items, err, tt.want)
		}
		for _, i := range items {
			if i.Kind != out.Slack || i.Target != "#"+room || i.Lane == "" {
				t.Errorf("%s: %+v", name, i)
			}
		}
	}
	// Where a card stands it is followed, also when routes have changed.
	h.i.Settings = []byte(`{"channel":"#other"}`)
	items, err := h.Items(t.Context(), a.TeamID, h.i, a, out.Change{Type: approval.Agreed})
	if err != nil || len(items) != 2 {
		t.Errorf("after a change of channels: %+v, %v", items, err)
	}
}
