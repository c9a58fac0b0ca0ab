package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/replay"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestAReplayShowsWhatWouldChange(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	jobs := h.Replays.(*replay.Service)
	run := func() {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- jobs.Run(ctx) }()
		t.Cleanup(func() { stop(); <-ended })
	}
	for _, r := range []string{"req_push1", "req_push2", "req_zen"} {
		e := audit.Traffic{
			Request: r, Step: audit.Intent, Method: "POST", Scheme: "https", Host: "github.com", Path: "/acme/site.git/git-receive-pack",
			Decision: "allow", By: "rule", Time: time.Now().Add(-time.Hour),
		}
		e.Action.Connector, e.Action.Name, e.Action.Resource = "github", "github.repo.push", "acme/<b>site"
		if r == "req_zen" {
			e.Action.Name = "github.meta.zen"
		}
		h.record(t, e)
	}
	configured(t, h, fleet.Rule{Pattern: "*", Effect: policy.Allow, HoldMS: -1})
	_, page := h.write(t, "/policies/preview", written(noPushes))
	_, rest, _ := strings.Cut(page, `hx-get="/replays/`)
	id, _, _ := strings.Cut(rest, `"`)
	look := func() string {
		return h.do(t, visit{path: "/replays/" + id, as: h.owner, header: map[string]string{"HX-Request": "true"}}).Body.String()
	}
	wantSays(t, "page", h.get(t, "/replays/"+id), "<html", "Cancel the replay")
	waiting := look()
	wantSays(t, "a replay that has not begun", waiting, "Looking for recorded requests", "Cancel the replay", `hx-trigger="load delay:500ms"`)
	run()
	for waiting = look(); strings.Contains(waiting, "Cancel the replay"); {
		waiting = look()
	}
	wantSays(t, "replay", waiting, "Newly denied: 2 requests", `href="/traffic/req_push1"`, `href="/traffic/req_push2"`, "no-pushes, rule pushes", "acme/&lt;b&gt;site")
	wantSilent(t, "replay", waiting, "req_zen", "hx-trigger")
	wantSound(t, "replay", waiting)

	rival := h.addTeam(t, "rivals")
	if w := h.do(t, visit{path: "/replays/" + id, as: rival}); w.Code != http.StatusNotFound {
		t.Errorf("another team's replay: %d", w.Code)
	}
}

func configured(t *testing.T, h *house, rules ...fleet.Rule) {
	t.Helper()
	err := h.Gateways.Configure(t.Context(), h.owner, h.gateway.ID, []gateways.Connector{{
		Connector: fleet.Connector{Type: "github", Name: "github", CredentialID: h.cred.ID}, Rules: rules,
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAReplayCanBeCancelled(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	w := h.do(t, visit{method: http.MethodPost, path: "/replays/" + h.replay + "/cancel", as: h.owner, header: map[string]string{"HX-Request": "true"}})
	wantSays(t, "cancel", w.Body.String(), "The replay was cancelled.")
	if to := h.post(t, "/replays/"+h.replay+"/cancel").Header().Get("Location"); to != "/replays/"+h.replay {
		t.Errorf("without a script it leads to %q", to)
	}
}

func TestManyReplaysAtOnceAreRefusedAndThePreviewIsShown(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	page := ""
	for range 6 {
		code, body := h.write(t, "/policies/preview", written(noPushes))
		if page = body; code != http.StatusOK {
			t.Fatalf("preview: %d", code)
		}
	}
	wantSays(t, "preview", page, "Several replays are under way already", "Preview of no-pushes")
}
