package slack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	api "github.com/slack-go/slack"

	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/slack/slacktest"
	"github.com/tameflare/tameflare/connectors/show"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/wire"
)

type ctx = context.Context

var errLost = errors.New("the server ended")

// confirms are the buttons that ask whether somebody is sure.
func confirms(t *testing.T, m slacktest.Message) (ids string) {
	t.Helper()
	for _, b := range m.Blocks {
		actions, ok := b.(*api.ActionBlock)
		if !ok {
			continue
		}
		for _, e := range actions.Elements.ElementSet {
			if button, ok := e.(*api.ButtonBlockElement); ok && button.Confirm != nil {
				ids += button.ActionID + " "
			}
		}
	}
	return ids
}

const hostile = "<!channel> <@U0ANA> <#C0000001> <https://evil.example|your bank> https://evil.example @here #general *bold* `x` &amp; \u202e\u200b\x00"

// Whatever an agent writes, its card says what it says and no more: no link,
// no mention, nothing hidden.
func TestWordsOfAgentsStayWords(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{})
	body := []byte(`{"body":"` + strings.ReplaceAll(strings.ReplaceAll(hostile, "\x00", ""), `"`, `\"`) + `"}`)
	q := question("hostile")
	q.Sentence, q.Reason, q.Principal, q.URL, q.Method = hostile, hostile, hostile, "https://api.github.com/"+hostile, "PUT"
	q.Action.Name, q.Action.Connector = "github."+hostile, hostile
	q.Body, q.BodyType = body, "application/json"
	h.withBody(&q)
	a := h.ask(t, q)
	if got := h.Deliver(t.Context(), h.item(a)); !got.Done {
		t.Fatalf("%+v", got)
	}
	card := h.card(t, room, a)
	if active := card.Active(); len(active) > 0 {
		t.Errorf("Slack would make something of %q", active)
	}
	if strings.Contains(card.Text, "<") {
		t.Errorf("the notification says %q", card.Text)
	}
	shown := card.Shown()
	if strings.ContainsAny(shown, "\u202e\u200b") || !strings.Contains(shown, "⟨U+202E⟩") {
		t.Errorf("hidden characters: %q", shown)
	}
}

func (h *house) withBody(q *wire.Ask) {
	q.BodySize, q.BodyDigest = int64(len(q.Body)), digest(q.Body)
}

// Slack takes the card of every body, and of every text, however large.
func TestLargeCardsAreTaken(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{})
	huge := strings.Repeat("Many words that somebody has to read. ", 2000)
	for name, body := range map[string]string{
		"prose":      `{"title":"x","body":"` + huge + `"}`,
		"many keys":  "{" + strings.TrimSuffix(strings.Repeat(`"key":"value",`, 3000), ",") + "}",
		"one line":   `{"x":"` + strings.Repeat("é<", 20_000) + `"}`,
		"no JSON":    strings.Repeat("\x00\xff<>&", 10_000),
		"very short": "{}",
	} {
		q := question(name)
		q.Body, q.BodyType = []byte(body)[:min(len(body), wire.MaxBody)], "application/json"
		h.withBody(&q)
		q.Sentence, q.Reason, q.URL = "say "+huge, huge, "https://api.github.com/"+strings.Repeat("x", 3000)
		a := h.ask(t, q)
		if got := h.Deliver(t.Context(), h.item(a)); !got.Done {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		if shown := h.card(t, room, a).Shown(); utf8.RuneCountInString(shown) > 13_000 {
			t.Errorf("%s: %d characters", name, utf8.RuneCountInString(shown))
		}
	}
}

func TestBodiesCanStayAtHome(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{HideBodies: true})
	q := question("a")
	q.Body, q.BodyType = []byte(`{"commit_title":"CANARY"}`), "application/json"
	h.withBody(&q)
	a := h.ask(t, q)
	h.Deliver(t.Context(), h.item(a))
	if shown := h.card(t, room, a).Shown(); strings.Contains(shown, "CANARY") {
		t.Errorf("the card shows the body: %s", shown)
	}
}

func TestPartsFit(t *testing.T) {
	t.Parallel()
	all := make([]show.Part, 0, 200)
	for i := range 200 {
		all = append(all, show.Part{Kind: show.Kind(i % 6), Title: "Part", Text: strings.Repeat("x", 500), Rows: [][2]string{{"a\nb", "c\nd: e"}}})
	}
	if n := len(slack.Parts(all)); n == 0 || n > 21 {
		t.Errorf("%d blocks", n)
	}
	table, err := json.Marshal(slack.Parts([]show.Part{{Kind: show.Table, Rows: [][2]string{{"a\nb", "c\nd: e"}}}}))
	if err != nil || !strings.Contains(string(table), "a⏎b: c⏎d: e") {
		t.Errorf("a value looks like another row: %s, %v", table, err)
	}
	if n := len(slack.Parts(nil)); n != 0 {
		t.Errorf("%d blocks of nothing", n)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "–", "  a\n\tb ": "a b", "a\u202eb": "a⟨U+202E⟩b", "\xff": "⟨U+FFFD⟩", strings.Repeat("a", 30): strings.Repeat("a", 19) + "…",
	} {
		if got := slack.Plain(in, 20); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := slack.Escape("<!here> *a* `b` https://x", 100); strings.ContainsAny(got, "<>*`") || strings.Contains(got, "://") {
		t.Errorf("%q", got)
	}
}

func FuzzText(f *testing.F) {
	f.Add(hostile, 40)
	f.Add("", 2)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 2 || limit > 5000 {
			return
		}
		for name, got := range map[string]string{"plain": slack.Plain(text, limit), "lines": slack.Lines(text, limit)} {
			if got == "" || !utf8.ValidString(got) || utf8.RuneCountInString(got) > limit || strings.ContainsAny(got, "\x00\u202e\u200b") {
				t.Errorf("%s of %q is %q", name, text, got)
			}
		}
		if got := slack.Escape(text, limit); strings.ContainsAny(got, "<>*_~`") {
			t.Errorf("escape of %q is %q", text, got)
		}
	})
}

func FuzzAction(f *testing.F) {
	f.Add([]byte(`{"type":"block_actions","team":{"id":"T"},"user":{"id":"U"},"actions":[{"block_id":"b","action_id":"approve","value":"apr_1"}]}`))
	f.Add([]byte(`{"type":"view_submission","team":{"id":"T"},"user":{"id":"U"},"view":{"callback_id":"deny","private_metadata":"{}","state":{"values":{}}}}`))
	f.Add([]byte(`{"type":"block_actions","actions":[null]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(_ *testing.T, payload []byte) {
		_ = slack.ReadAction(payload) // it never panics
	})
}

// Ours says what slack-go's verifier says.
func FuzzVerify(f *testing.F) {
	now := time.Now()
	good := slacktest.Sign("payload=x", now, slacktest.SigningSecret)
	f.Add([]byte("payload=x"), good.Get("X-Slack-Request-Timestamp"), good.Get("X-Slack-Signature"))
	f.Add([]byte("payload=y"), good.Get("X-Slack-Request-Timestamp"), good.Get("X-Slack-Signature"))
	f.Add([]byte(""), "0", "v0=")
	f.Add([]byte("x"), "x", "v1=00")
	f.Fuzz(func(t *testing.T, body []byte, ts, signature string) {
		h := http.Header{"X-Slack-Request-Timestamp": {ts}, "X-Slack-Signature": {signature}}
		_, err := slack.Verify(h, body, credential.NewSecret(slacktest.SigningSecret), time.Now())
		theirs, terr := api.NewSecretsVerifier(h, slacktest.SigningSecret)
		if terr == nil {
			_, _ = theirs.Write(body)
			terr = theirs.Ensure()
		}
		if (err == nil) != (terr == nil) {
			t.Errorf("%q %q %q: %v, and slack-go %v", body, ts, signature, err, terr)
		}
	})
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Now()
	secret := credential.NewSecret(slacktest.SigningSecret)
	body := "payload=x"
	for name, tt := range map[string]struct {
		change func(http.Header)
		secret credential.Secret
		ok     bool
	}{
		"as Slack does":        {func(http.Header) {}, secret, true},
		"without a secret":     {func(http.Header) {}, credential.Secret{}, false},
		"two signatures":       {func(h http.Header) { h.Add("X-Slack-Signature", "v0=00") }, secret, false},
		"two timestamps":       {func(h http.Header) { h.Add("X-Slack-Request-Timestamp", "1") }, secret, false},
		"another version":      {func(h http.Header) { h.Set("X-Slack-Signature", "v1="+h.Get("X-Slack-Signature")[3:]) }, secret, false},
		"half a signature":     {func(h http.Header) { h.Set("X-Slack-Signature", h.Get("X-Slack-Signature")[:20]) }, secret, false},
		"another timestamp":    {func(h http.Header) { h.Set("X-Slack-Request-Timestamp", strconv.FormatInt(now.Unix()+1, 10)) }, secret, false},
		"a timestamp spelt +1": {func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "+"+h.Get("X-Slack-Request-Timestamp")) }, secret, false},
	} {
		h := slacktest.Sign(body, now, slacktest.SigningSecret)
		tt.change(h)
		if _, err := slack.Verify(h, []byte(body), tt.secret, now); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	h := still(t, slack.Settings{})
	version := h.i.Version
	for name, tt := range map[string]struct {
		set     slack.Settings
		secrets slack.Secrets
		want    string
	}{
		"a channel that is none":  {slack.Settings{Channel: "#a b"}, slack.Secrets{}, "A channel is its name"},
		"a mention":               {slack.Settings{Channel: "<!here>"}, slack.Secrets{}, "A channel is its name"},
		"a mode that is none":     {slack.Settings{Mode: "x"}, slack.Secrets{}, "Messages come by http or by socket."},
		"a route without channel": {slack.Settings{Routes: []slack.Route{{Gateway: "x"}}}, slack.Secrets{}, "Route 1 needs a channel"},
		"a risk that is none":     {slack.Settings{Routes: []slack.Route{{Risk: "huge", Channel: "#x"}}}, slack.Secrets{}, "The risk of route 1"},
		"a level that is none":    {slack.Settings{Assurance: map[string]slack.Assurance{"low": "x"}}, slack.Secrets{}, "For each risk"},
		"another kind of token":   {slack.Settings{}, slack.Secrets{BotToken: credential.NewSecret("xoxp-user")}, "The bot token begins with xoxb-."},
		"a bad token":             {slack.Settings{}, slack.Secrets{BotToken: credential.NewSecret("xoxb-bad")}, "Slack does not know this token."},
		"a bad app token":         {slack.Settings{Mode: slack.Socket}, slack.Secrets{AppToken: credential.NewSecret("xapp-bad")}, "The app-level token does not open a connection."},
	} {
		_, err := h.Save(t.Context(), h.owner, version, tt.set, tt.secrets, true)
		if err == nil || !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	h.slack.Grant("chat:write")
	if _, err := h.Save(t.Context(), h.owner, version, slack.Settings{}, slack.Secrets{}, true); err == nil || !strings.Contains(err.Error(), "commands, users:read") {
		t.Errorf("without scopes: %v", err)
	}
	if i, _, _, _ := h.Find(t.Context(), h.owner.Team.ID); i.Version != version {
		t.Error("something was saved")
	}
}
