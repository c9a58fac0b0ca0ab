package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/slack/slacktest"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/team"
)

var (
	manifestBox = regexp.MustCompile(`(?s)<pre>(\{.*?\})\s*</pre>`)
	codeBox     = regexp.MustCompile(`/tameflare link ([A-Z0-9-]+)`)
)

func slackFields(version string, more ...string) url.Values {
	return form(append([]string{"version", version, "mode", "http", "channel", "#approvals", "enabled", "yes"}, more...)...)
}

func TestSlackIsSetUpByItsPage(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	chat := slacktest.New(t)
	h.Slack.(*slack.Service).APIURL = chat.URL()
	admin := storetest.Member(t, h.store, h.owner, "Ada", team.RoleAdmin)

	page := h.do(t, visit{path: "/settings/slack", as: admin}).Body.String()
	if !strings.Contains(page, "Set up Slack") {
		t.Fatalf("before: %s", page)
	}
	h.do(t, visit{method: http.MethodPost, path: "/settings/slack/begin", as: admin})
	page = h.do(t, visit{path: "/settings/slack?mode=http", as: admin}).Body.String()
	found := manifestBox.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("there is no manifest: %s", page)
	}
	if err := chat.Install(html.UnescapeString(found[1])); err != nil {
		t.Fatal(err)
	}
	const secret = "xoxb-" + "wrong-CANARY"
	w := h.do(t, visit{method: http.MethodPost, path: "/settings/slack", as: admin, form: slackFields("1", "bot_token", secret, "signing_secret", "CANARY")})
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Slack does not know this token.") || strings.Contains(w.Body.String(), "CANARY") {
		t.Fatalf("a wrong token: %d\n%s", w.Code, w.Body)
	}
	w = h.do(t, visit{method: http.MethodPost, path: "/settings/slack", as: admin, form: slackFields("1",
		"bot_token", slacktest.BotToken, "signing_secret", slacktest.SigningSecret, "route_gateway", "deploy-bot", "route_environment", "", "route_connector", "", "route_risk", "high", "route_channel", "#careful", "assurance_low", "step_up")})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("save: %d\n%s", w.Code, w.Body)
	}
	page = h.do(t, visit{path: "/settings/slack", as: admin}).Body.String()
	for _, want := range []string{"Acme", `value="#careful"`, `value="step_up" selected`, "stored; leave empty to keep it", "Send a test"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	wantSilent(t, "the page", page, slacktest.BotToken, slacktest.SigningSecret)
	wantSilent(t, "the log", h.log.String(), slacktest.BotToken, slacktest.SigningSecret, "CANARY")

	// Empty secrets keep what there is; a stale form changes nothing.
	if w = h.do(t, visit{method: http.MethodPost, path: "/settings/slack", as: admin, form: slackFields("1")}); w.Code != http.StatusConflict {
		t.Errorf("a stale form: %d", w.Code)
	}
	if w = h.do(t, visit{method: http.MethodPost, path: "/settings/slack", as: admin, form: slackFields("2")}); w.Code != http.StatusSeeOther {
		t.Errorf("without secrets: %d\n%s", w.Code, w.Body)
	}
	if w = h.do(t, visit{method: http.MethodPost, path: "/settings/slack/test", as: admin}); w.Header().Get("Location") != "/settings/slack?sent" {
		t.Errorf("test: %d to %q", w.Code, w.Header().Get("Location"))
	}

	if w = h.do(t, visit{method: http.MethodPost, path: "/settings/slack/delete", as: admin}); w.Code != http.StatusSeeOther {
		t.Errorf("delete: %d", w.Code)
	}
	if page = h.do(t, visit{path: "/settings/slack", as: admin}).Body.String(); !strings.Contains(page, "Set up Slack") {
		t.Error("it is still there")
	}
}

func TestSlackManifestFollowsTheMode(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.do(t, visit{method: http.MethodPost, path: "/settings/slack/begin", as: h.owner})
	for mode, want := range map[string]bool{"http": false, "socket": true} {
		page := html.UnescapeString(h.do(t, visit{path: "/settings/slack?mode=" + mode, as: h.owner}).Body.String())
		if strings.Contains(page, `"socket_mode_enabled": true`) != want || strings.Contains(page, `"request_url": "http://`+host+`/slack/int_`) == want {
			t.Errorf("%s: %s", mode, manifestBox.FindString(page))
		}
	}
}

func TestSlackAccountIsLinkedByACode(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	chat := slacktest.New(t)
	h.Slack.(*slack.Service).APIURL = chat.URL()
	mia := storetest.Member(t, h.store, h.owner, "Mia", team.RoleMember)
	if page := h.do(t, visit{path: "/settings/slack/link", as: mia}).Body.String(); !strings.Contains(page, "Slack is not set up") {
		t.Error("there is nothing to link yet, and the page does not say so")
	}
	h.do(t, visit{method: http.MethodPost, path: "/settings/slack/begin", as: h.owner})
	manifest := manifestBox.FindStringSubmatch(h.do(t, visit{path: "/settings/slack?mode=http", as: h.owner}).Body.String())
	if err := chat.Install(html.UnescapeString(manifest[1])); err != nil {
		t.Fatal(err)
	}
	h.do(t, visit{method: http.MethodPost, path: "/settings/slack", as: h.owner, form: slackFields("1", "bot_token", slacktest.BotToken, "signing_secret", slacktest.SigningSecret)})
	page := h.do(t, visit{method: http.MethodPost, path: "/settings/slack/link", as: mia}).Body.String()
	if codeBox.FindString(page) == "" {
		t.Fatalf("no code: %s", page)
	}
	if again := h.do(t, visit{path: "/settings/slack/link", as: mia}).Body.String(); codeBox.FindString(again) != "" {
		t.Error("the code is shown again")
	}
}
