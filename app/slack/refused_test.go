package slack_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/slack/slacktest"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// form is a payload as Slack sends it.
func form(t *testing.T, payload []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"payload": {string(payload)}}.Encode()
}

// Each bad click has its answer, changes nothing, and is recorded once.
func TestBadClicks(t *testing.T) {
	t.Parallel()
	type try struct {
		*house
		a    approval.Approval
		card slacktest.Message
		to   string // the address that clicks go to
	}
	post := func(t *testing.T, h try, body string, header http.Header) slacktest.Answer {
		t.Helper()
		got, err := slacktest.Post(t.Context(), h.to, body, header)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	approve := func(t *testing.T, h try, user string) slacktest.Answer { return h.click(t, user, h.card, "approve") }
	body := func(t *testing.T, h try) string {
		p, err := h.slack.Payload(ana, h.card, "approve")
		return form(t, p, err)
	}
	now := time.Now

	for name, tt := range map[string]struct {
		set     slack.Settings
		stepUp  bool
		do      func(t *testing.T, h try) slacktest.Answer
		status  int
		answer  string
		whisper string // what the one who clicked is told
		why     string
		is      approval.Status // afterwards; "" is pending
	}{
		"a forged signature": {
			do: func(t *testing.T, h try) slacktest.Answer {
				b := body(t, h)
				return post(t, h, b, slacktest.Sign(b, now(), "another secret"))
			},
			status: 401, answer: "The signature is missing or wrong.", why: "forged",
		},
		"a changed body": {
			do: func(t *testing.T, h try) slacktest.Answer {
				b := body(t, h)
				return post(t, h, b+"&x=1", slacktest.Sign(b, now(), slacktest.SigningSecret))
			},
			status: 401, answer: "The signature is missing or wrong.", why: "forged",
		},
		"no signature": {
			do:     func(t *testing.T, h try) slacktest.Answer { return post(t, h, body(t, h), nil) },
			status: 401, answer: "The signature is missing or wrong.", why: "forged",
		},
		"an old timestamp": {
			do: func(t *testing.T, h try) slacktest.Answer {
				b := body(t, h)
				return post(t, h, b, slacktest.Sign(b, now().Add(-6*time.Minute), slacktest.SigningSecret))
			},
			status: 401, answer: "The message is too old.", why: "old",
		},
		"a timestamp of the future": {
			do: func(t *testing.T, h try) slacktest.Answer {
				b := body(t, h)
				return post(t, h, b, slacktest.Sign(b, now().Add(6*time.Minute), slacktest.SigningSecret))
			},
			status: 401, answer: "The message is too old.", why: "old",
		},
		"a replayed body": {
			do: func(t *testing.T, h try) slacktest.Answer {
				p, err := h.slack.Payload(ana, h.card, "open") // which decides nothing
				b := form(t, p, err)
				header := slacktest.Sign(b, now(), slacktest.SigningSecret)
				if got := post(t, h, b, header); got.Status != 200 {
					t.Fatalf("the first time: %d", got.Status)
				}
				header.Set("X-Slack-Signature", "v0="+strings.ToUpper(strings.TrimPrefix(header.Get("X-Slack-Signature"), "v0=")))
				return post(t, h, b, header)
			},
			status: 409, answer: "The message has come before.", why: "replayed",
		},
		"nothing that Slack sends": {
			do: func(t *testing.T, h try) slacktest.Answer {
				b := "payload=%7B"
				return post(t, h, b, slacktest.Sign(b, now(), slacktest.SigningSecret))
			},
			status: 400, answer: "The message makes no sense.", why: "malformed",
		},
		"the wrong workspace": {
			do: func(t *testing.T, h try) slacktest.Answer {
				p, err := h.slack.Payload(ana, h.card, "approve")
				b := form(t, []byte(strings.ReplaceAll(string(p), slacktest.Workspace, "T0OTHER")), err)
				return post(t, h, b, slacktest.Sign(b, now(), slacktest.SigningSecret))
			},
			status: 403, answer: "The message is from another workspace.", why: "workspace",
		},
		"somebody of another workspace in a shared channel": {
			do: func(t *testing.T, h try) slacktest.Answer {
				h.slack.AddUser(slacktest.User{ID: "U0EVE", Name: "eve", Team: "T0OTHER"})
				h.link(t, h.owner, "U0EVE")
				return approve(t, h, "U0EVE")
			},
			status: 200, whisper: "Guests, and people of other workspaces, do not decide here.", why: "stranger",
		},
		"somebody who is not linked": {
			do: func(t *testing.T, h try) slacktest.Answer {
				h.slack.AddUser(slacktest.User{ID: "U0EVE", Name: "eve"})
				return approve(t, h, "U0EVE")
			},
			status: 200, whisper: "Your Slack account is not linked to TameFlare, so nothing was decided. <", why: "unlinked",
		},
		"somebody who was unlinked": {
			do: func(t *testing.T, h try) slacktest.Answer {
				if err := h.Unlink(t.Context(), h.owner, slacktest.Workspace, ana); err != nil {
					t.Fatal(err)
				}
				return approve(t, h, ana)
			},
			status: 200, whisper: "Your Slack account is not linked to TameFlare", why: "unlinked",
		},
		"a viewer": {
			do: func(t *testing.T, h try) slacktest.Answer {
				h.link(t, storetest.Member(t, h.store, h.owner, "Vic", team.RoleViewer), "U0VIC")
				h.slack.AddUser(slacktest.User{ID: "U0VIC", Name: "vic"})
				return approve(t, h, "U0VIC")
			},
			status: 200, whisper: "Viewers do not decide. Ask an owner or admin to make you a member.", why: "role",
		},
		"a viewer who wants to give a reason": {
			do: func(t *testing.T, h try) slacktest.Answer {
				h.link(t, storetest.Member(t, h.store, h.owner, "Vic", team.RoleViewer), "U0VIC")
				h.slack.AddUser(slacktest.User{ID: "U0VIC", Name: "vic"})
				return h.click(t, "U0VIC", h.card, "deny_reason")
			},
			status: 200, whisper: "Viewers do not decide.", why: "role",
		},
		"a second click": {
			do: func(t *testing.T, h try) slacktest.Answer {
				h.click(t, ana, h.card, "deny")
				h.shows(t, h.card, "Denied by Ana")
				return approve(t, h, ana)
			},
			status: 200, whisper: "Already denied by Ana.", why: "conflict", is: approval.Denied,
		},
		"after it has expired": {
			do: func(t *testing.T, h try) slacktest.Answer {
				h.clock.Add(h.a.TTL)
				if err := h.desk.Lapse(t.Context()); err != nil {
					t.Fatal(err)
				}
				b := body(t, h)
				return post(t, h, b, slacktest.Sign(b, h.clock.Now(), slacktest.SigningSecret))
			},
			status: 200, whisper: "Nobody answered in time.", why: "expired", is: approval.Expired,
		},
		"after a kill": {
			do: func(t *testing.T, h try) slacktest.Answer {
				if _, err := h.kills.Pull(t.Context(), h.owner, kills.Scope{GatewayID: h.gw.ID}, "It runs <wild>."); err != nil {
					t.Fatal(err)
				}
				return approve(t, h, ana)
			},
			status: 200, whisper: "Cancelled before anybody decided: ", why: "cancelled", is: approval.Cancelled,
		},
		"the approval of another team": {
			do: func(t *testing.T, h try) slacktest.Answer {
				rivals := storetest.Owner(t, h.store)
				theirs, err := h.desk.Ask(t.Context(), storetest.Gateway(t, h.store, rivals, "their-bot"), question("theirs"))
				if err != nil {
					t.Fatal(err)
				}
				p, err := h.slack.Payload(ana, h.card, "approve")
				b := form(t, []byte(strings.ReplaceAll(string(p), h.a.ID, theirs.ID)), err)
				got := post(t, h, b, slacktest.Sign(b, now(), slacktest.SigningSecret))
				if a, err := h.store.Approval(t.Context(), theirs.ID); err != nil || a.Status != approval.Pending {
					t.Errorf("theirs is %s, %v", a.Status, err)
				}
				return got
			},
			status: 200, whisper: "There is no such request any more.", why: "not_found",
		},
		"the dashboard decides": {
			// The card was posted while the button did.
			do: func(t *testing.T, h try) slacktest.Answer {
				if _, err := h.Save(t.Context(), h.owner, h.i.Version, slack.Settings{Channel: "#" + room, Assurance: map[string]slack.Assurance{"medium": slack.InDashboard}}, slack.Secrets{}, true); err != nil {
					t.Fatal(err)
				}
				return approve(t, h, ana)
			},
			status: 200, whisper: "Requests of this risk are not decided in Slack. Decide it <", why: "dashboard",
		},
		"a proof is wanted": {
			set: slack.Settings{Assurance: map[string]slack.Assurance{"medium": slack.WithProof}},
			do:  func(t *testing.T, h try) slacktest.Answer { return approve(t, h, ana) }, status: 200, whisper: "First confirm <", why: "step_up",
		},
		"the rule wants a proof": {
			stepUp: true,
			do: func(t *testing.T, h try) slacktest.Answer {
				p, err := h.slack.Payload(ana, h.card, "deny") // there is no other button
				b := form(t, []byte(strings.Replace(string(p), `"action_id":"deny"`, `"action_id":"approve"`, 1)), err)
				return post(t, h, b, slacktest.Sign(b, now(), slacktest.SigningSecret))
			},
			status: 200, whisper: "This request needs a fresh proof of who you are.", why: "step_up",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := running(t, tt.set)
			q := risky(name, action.Medium)
			if tt.stepUp {
				q.Approvers = policy.Approvers{StepUp: true}
			}
			a := h.ask(t, q)
			x := try{house: h, a: a, card: h.card(t, room, a), to: h.url + "/slack/" + h.i.ID + "/actions"}
			before := len(h.slack.Whispers())
			got := tt.do(t, x)
			if got.Status != tt.status || got.Body != tt.answer {
				t.Errorf("answered %d %q, want %d %q", got.Status, got.Body, tt.status, tt.answer)
			}
			if tt.whisper != "" {
				h.slack.Await(patience, func() bool { return len(h.slack.Whispers()) > before })
			}
			told := h.slack.Whispers()[before:]
			switch {
			case tt.whisper == "" && len(told) > 0, len(told) > 1:
				t.Errorf("told %+v", told)
			case tt.whisper != "" && (len(told) != 1 || !strings.HasPrefix(told[0].Text, tt.whisper)):
				t.Errorf("told %+v, want %q", told, tt.whisper)
			}
			want := tt.is
			if want == "" {
				want = approval.Pending
			}
			h.is(t, a.ID, want)
			es := h.events(t, "slack.refused")
			if len(es) != 1 || es[0].Detail["why"] != tt.why || es[0].Detail["integration"] != h.i.ID {
				t.Fatalf("recorded %+v, want one entry because of %q", es, tt.why)
			}
			if strings.Contains(string(es[0].Bytes()), slacktest.SigningSecret) || strings.Contains(string(es[0].Bytes()), slacktest.BotToken) {
				t.Error("a secret is in the audit trail")
			}
		})
	}
}

// Nobody who is not linked is told anything of a request, and no agent's words
// become a mention in an explanation.
func TestExplanationsAreHarmless(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{})
	a := h.ask(t, question("a"))
	card := h.card(t, room, a)
	if _, err := h.kills.Pull(t.Context(), h.owner, kills.Scope{}, "<!channel> <https://evil.example|click> *x*"); err != nil {
		t.Fatal(err)
	}
	h.click(t, ana, card, "approve")
	h.whisper(t, ana, "Cancelled before anybody decided")
	for _, w := range h.slack.Whispers() {
		if strings.ContainsAny(w.Text, "<>*") || strings.Contains(w.Text, "https://evil") {
			t.Errorf("told %q", w.Text)
		}
	}
}

func TestProofOfTheDashboardCounts(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{Assurance: map[string]slack.Assurance{"medium": slack.WithProof}})
	now := audit.Time(time.Now())
	proven := func(id string, at time.Time) {
		t.Helper()
		s := team.Session{ID: id, UserID: h.owner.User.ID, TeamID: h.owner.Team.ID, CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(time.Hour), ConfirmedAt: at}
		if err := h.store.InsertSession(t.Context(), s, audit.Event{Time: now, Type: "session.started"}); err != nil {
			t.Fatal(err)
		}
	}
	proven("old", now.Add(-6*time.Minute))
	a := h.ask(t, question("a"))
	card := h.card(t, room, a)
	h.click(t, ana, card, "approve")
	h.whisper(t, ana, "First confirm")
	h.is(t, a.ID, approval.Pending)
	proven("fresh", now.Add(-time.Minute))
	h.click(t, ana, card, "approve")
	h.shows(t, card, "Approved by Ana")
}

func TestForgedMessagesAreRecordedSoManyAMinute(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{})
	const made = 75
	for range made {
		if got, err := slacktest.Post(t.Context(), h.url+"/slack/"+h.i.ID+"/actions", "payload=x", nil); err != nil || got.Status != http.StatusUnauthorized {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	n := len(h.events(t, "slack.refused"))
	if n < 60 || n > 60+15 { // a minute may have ended between
		t.Errorf("%d entries", n)
	}
	if i, err := h.store.Integration(t.Context(), h.i.ID); err != nil || i.Refused != made {
		t.Errorf("%d counted, %v; want %d", i.Refused, err, made)
	}
}

func TestNothingAnswersElsewhere(t *testing.T) {
	t.Parallel()
	h := running(t, slack.Settings{})
	sign := func(b string) http.Header { return slacktest.Sign(b, time.Now(), slacktest.SigningSecret) }
	large := strings.Repeat("a", 300<<10)
	for name, tt := range map[string]struct {
		path, body string
		want       int
	}{
		"an integration that there is not": {"/slack/int_none/actions", "payload={}", 404},
		"another address":                  {"/slack/" + h.i.ID + "/events", "payload={}", 404},
		"too much":                         {"/slack/" + h.i.ID + "/actions", large, 413},
	} {
		if got, err := slacktest.Post(t.Context(), h.url+tt.path, tt.body, sign(tt.body)); err != nil || got.Status != tt.want {
			t.Errorf("%s: %d, %v; want %d", name, got.Status, err, tt.want)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/slack/"+h.i.ID+"/actions", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", resp.StatusCode)
	}
	if _, err := h.Save(t.Context(), h.owner, h.i.Version, slack.Settings{Channel: "#" + room}, slack.Secrets{}, false); err != nil {
		t.Fatal(err)
	}
	if got, err := slacktest.Post(t.Context(), h.url+"/slack/"+h.i.ID+"/actions", "payload={}", sign("payload={}")); err != nil || got.Status != http.StatusNotFound {
		t.Errorf("switched off: %d, %v", got.Status, err)
	}
}
