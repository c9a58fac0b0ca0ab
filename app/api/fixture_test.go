package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// house is everything behind the API: one team with one of everything. The
// tokens are "owner", "admin", "member", "viewer" and "nobody" of that team,
// and "stranger", the owner of another.
type house struct {
	mu       sync.Mutex
	revoked  map[string]bool
	decided  approval.Channel
	choice   approval.Decision
	chosen   approval.Filter
	viewed   []string // who has read a body
	during   func()   // is called while somebody waits for news
	requests []audit.Request
	applied  map[string]credential.Secret
	dryRun   bool
	prune    bool
	poll     error
	bus      bus.Local
}

const ours = "team_a"

func notThere() error { return fault.New(fault.NotFound, "There is no such thing.", nil) }

func (h *house) catalogue(context.Context, string) (config.Catalogue, error) {
	return connectors.Catalogue{}, nil
}

func (h *house) TokenViewer(_ context.Context, token, ip string) (team.Viewer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := team.Viewer{User: team.User{ID: "usr_" + token, Email: token + "@x.test", Name: token}, Team: team.Team{ID: ours, Name: "A"}, Role: team.Role(token), Auth: "token", By: "tok_" + token, IP: ip}
	switch {
	case h.revoked[token]:
		return team.Viewer{}, fault.New(fault.Unauthenticated, "This token has been revoked. Run tameflare login.", nil)
	case token == "stranger":
		v.Team, v.Role = team.Team{ID: "team_b", Name: "B"}, team.RoleOwner
	case token == "nobody":
		v.Role = team.Nobody
	case !v.May(team.View):
		return team.Viewer{}, fault.New(fault.Unauthenticated, "This is not a TameFlare token. Run tameflare login.", nil)
	}
	return v, nil
}

func (h *house) Tokens(_ context.Context, v team.Viewer) ([]team.Token, error) {
	return []team.Token{{ID: v.By, Name: "laptop", ExpiresAt: noon}}, nil
}

func (h *house) RevokeToken(_ context.Context, _ team.Viewer, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.revoked[strings.TrimPrefix(id, "tok_")] = true
	return nil
}

func (h *house) NewSignInLink(context.Context, team.Viewer) (string, error) { return "once", nil }

func (h *house) BeginLoopback(_ context.Context, b accounts.LoopbackLogin) (team.Login, error) {
	if b.RedirectURI == "" {
		return team.Login{}, fault.New(fault.Invalid, "The login's answer may go to http://127.0.0.1:PORT or http://[::1]:PORT only.", nil)
	}
	return team.Login{ID: "login_1", Words: team.PairingWords(b.Challenge), ExpiresAt: noon}, nil
}

func (h *house) BeginDevice(context.Context, string, string) (team.Login, credential.Secret, error) {
	return team.Login{ID: "login_2", UserCode: "BCDF-GHJK", PollSeconds: 5}, credential.NewSecret("device"), nil
}

func (h *house) ExchangeCode(_ context.Context, code, _, _ string) (credential.Secret, team.Token, team.Viewer, error) {
	if code != "good" {
		return credential.Secret{}, team.Token{}, team.Viewer{}, fault.New(fault.Unauthenticated, "This sign-in has been used, or is too old. Run tameflare login again.", nil)
	}
	return credential.NewSecret("tfc_new"), team.Token{ID: "tok_new"}, team.Viewer{Role: team.RoleOwner}, nil
}

func (h *house) PollDevice(context.Context, string) (credential.Secret, team.Token, team.Viewer, error) {
	return credential.NewSecret("tfc_new"), team.Token{}, team.Viewer{}, h.poll
}

// gatewayHouse, approvalHouse and killHouse are the house again, where methods
// have the same names.
type (
	gatewayHouse  struct{ *house }
	approvalHouse struct{ *house }
	killHouse     struct{ *house }
)

var gatewayOne = fleet.Gateway{ID: "gw_1", TeamID: ours, Name: "one", Status: fleet.Active}

func (gatewayHouse) Create(_ context.Context, v team.Viewer, s gateways.Settings) (fleet.Gateway, error) {
	return fleet.Gateway{ID: "gw_2", TeamID: v.Team.ID, Name: s.Name, Enforcement: s.Enforcement, Status: fleet.Active}, s.Check()
}

func (gatewayHouse) List(_ context.Context, teamID string) ([]fleet.Gateway, error) {
	if teamID != ours {
		return nil, nil
	}
	return []fleet.Gateway{gatewayOne}, nil
}

func (gatewayHouse) Find(_ context.Context, teamID, idOrName string) (fleet.Gateway, error) {
	if teamID != ours || idOrName != gatewayOne.Name && idOrName != gatewayOne.ID {
		return fleet.Gateway{}, notThere()
	}
	return gatewayOne, nil
}

func (gatewayHouse) Enrolment(_ context.Context, _ team.Viewer, id string) (gateways.Enrolment, error) {
	return gateways.Enrolment{Token: "once", GatewayID: id, LinkURL: "https://link.test", RootPEM: "pem"}, nil
}

func (killHouse) Pull(_ context.Context, _ team.Viewer, s kills.Scope, reason string) (fleet.Kill, error) {
	return fleet.Kill{ID: "kill_1", GatewayID: s.GatewayID, Connector: s.Connector, Reason: reason}, nil
}

func (killHouse) Lift(_ context.Context, v team.Viewer, id string) error {
	if v.Team.ID != ours || id != "kill_1" {
		return notThere()
	}
	return nil
}

func (killHouse) Active(_ context.Context, teamID string) ([]fleet.Kill, error) {
	if teamID != ours {
		return nil, nil
	}
	return []fleet.Kill{{ID: "kill_1", GatewayID: "gw_1"}}, nil
}

func (h *house) Requests(_ context.Context, teamID string, _ audit.Filter, _ page.Cursor, _ int) ([]audit.Request, page.Cursor, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if teamID != ours {
		return nil, page.Cursor{}, nil
	}
	return append([]audit.Request(nil), h.requests...), page.Cursor{}, nil
}

func (h *house) export(context.Context, string) (*config.Document, error) {
	return &config.Document{Gateways: []config.Gateway{{Name: "one"}}}, nil
}

func (h *house) apply(_ context.Context, _ team.Viewer, d *config.Document, secrets map[string]credential.Secret, dryRun, prune bool) ([]config.Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.applied, h.dryRun, h.prune = secrets, dryRun, prune
	return config.Diff(&config.Document{}, d), nil
}

func open(t *testing.T) (*house, *httptest.Server) {
	t.Helper()
	h := &house{revoked: map[string]bool{}}
	return h, h.open(t, &policyHouse{})
}

// openWith opens a house in which somebody keeps an eye on the policies.
func openWith(t *testing.T, kept *policyHouse) (*policyHouse, *httptest.Server) {
	t.Helper()
	h := &house{revoked: map[string]bool{}}
	return kept, h.open(t, kept)
}

func (h *house) open(t *testing.T, kept *policyHouse) *httptest.Server {
	t.Helper()
	s := &Server{
		Tokens: h, Logins: h, Gateways: gatewayHouse{h}, Approvals: approvalHouse{h}, Kills: killHouse{h}, Trail: h,
		Configurations: Configurations{Export: h.export, Apply: h.apply, Catalogue: h.catalogue}, Bus: &h.bus,
		Policies: kept, Judge: h.judge,
		ClientIP: func(*http.Request) string { return "192.0.2.1" }, BaseURL: "https://flare.test", Version: "v1",
		Now: func() time.Time { return noon }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return server
}

// say makes a call and returns the status, the body and the problem, if any.
func say(t *testing.T, server *httptest.Server, token, method, path, body string, edit ...func(*http.Request)) (int, []byte, rest.Problem) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+rest.Prefix+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, e := range edit {
		e(req)
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p rest.Problem
	if res.StatusCode >= 400 {
		if err := json.Unmarshal(b, &p); err != nil || p.Status != res.StatusCode || p.Code == "" || p.Detail == "" || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: status %d without a whole problem: %s (%v)", method, path, res.StatusCode, b, err)
		}
	}
	if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("%s %s: allows other origins: %q", method, path, got)
	}
	return res.StatusCode, b, p
}
