package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/groups"
	"github.com/tameflare/tameflare/app/integrations"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/proposals"
	"github.com/tameflare/tameflare/app/replay"
	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/trail"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

const host = "127.0.0.1:8080"

// canary is the secret in the vault: no answer may ever hold it.
const canary = "github_pat_CANARY0123456789"

// house is a dashboard with the real services and one of everything in it.
type house struct {
	*Server
	store    *store.Store
	accounts *accounts.Service
	desk     *approvals.Service
	bus      *bus.Local
	log      *bytes.Buffer

	owner    team.Viewer
	gateway  fleet.Gateway
	cred     fleet.Credential
	approval approval.Approval
	request  string
	kill     fleet.Kill
	policy   fleet.Policy
	replay   string
	group    string
	token    team.Token
	login    team.Login
}

// empty is a server that nobody has an account on.
func empty(t testing.TB) *house {
	t.Helper()
	st := storetest.Open(t)
	master, _, err := vault.OpenMaster(t.TempDir(), credential.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{store: st, bus: &bus.Local{}, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	h.accounts = &accounts.Service{Store: st, Keys: master, Now: time.Now, Log: log}
	h.desk = &approvals.Service{Store: st, Bodies: &vault.Service{Store: st, Master: master, Now: time.Now}, Bus: h.bus, Now: time.Now, Log: log}
	h.Server = &Server{
		Accounts: h.accounts, People: st, Approvals: h.desk,
		Groups:     &groups.Service{Store: st, Now: time.Now},
		Gateways:   &gateways.Service{Store: st, Authority: revoker{}, Bus: h.bus, Now: time.Now, Log: log},
		Policies:   &policies.Service{Store: st, Known: policies.Types{Store: st}, Bus: h.bus, Now: time.Now, Log: log},
		Replays:    &replay.Service{Store: st, Now: time.Now, Log: log},
		Configured: st,
		Trail:      &trail.Service{Store: st, Bus: h.bus, Now: time.Now, Log: log},
		Vault:      &vault.Service{Store: st, Master: master, Now: time.Now},
		Kills:      &kills.Service{Store: st, Bus: h.bus, Now: time.Now},
		Bus:        h.bus, Cookies: accounts.Cookies{}, Now: time.Now, Log: log,
		BaseURL: "http://" + host, Loopback: true,
	}
	h.Slack = &slack.Service{
		Store: st, Approvals: h.desk, Integrations: &integrations.Service{Store: st, Vault: &vault.Service{Store: st, Master: master, Now: time.Now}, Now: time.Now, Log: log},
		Bus: h.bus, BaseURL: "http://" + host, Now: time.Now, Log: log,
	}
	h.Proposals = &proposals.Service{Store: st, Gateways: h.Server.Gateways, Now: time.Now}
	return h
}

// revoker is an authority that only has to hear of revocations.
type revoker struct{ gateways.Authority }

func (revoker) Revoke(context.Context, string, string) error { return nil }

// furnished has an owner's team with one of everything.
func furnished(t testing.TB) *house {
	t.Helper()
	h := empty(t)
	ctx := t.Context()
	h.owner = h.addTeam(t, "acme")
	var err error
	fail := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h.cred, err = h.Vault.Put(ctx, h.owner, "github-bot", "github", nil, credential.NewSecret(canary))
	fail()
	h.gateway, err = h.Gateways.Create(ctx, h.owner, gateways.Settings{Name: "deploy-bot", Environment: "production"})
	fail()
	read, err := fleet.PresetRules(policy.ReadOnly)
	fail()
	err = h.Gateways.Configure(ctx, h.owner, h.gateway.ID, []gateways.Connector{{
		Connector: fleet.Connector{Type: "github", Name: "github", CredentialID: h.cred.ID},
		Rules:     append(read, fleet.Rule{Pattern: "github.pr.merge", Effect: policy.RequireApproval, HoldMS: -1, Reason: "Merges need a person."}),
	}})
	fail()
	h.gateway.EnrolledAt, h.gateway.LastSeenAt, h.gateway.SealKey = time.Now(), time.Now(), []byte("key")
	err = h.store.EnrolGateway(ctx, h.gateway, audit.Event{Time: time.Now(), Type: "gateway.enrolled"})
	fail()
	h.approval = h.ask(t, question('a'))
	h.request = "req_abcdefghijklmnopqrstuvwxyz"
	h.record(t, audit.Traffic{Request: h.request, Method: "GET", Scheme: "https", Host: "api.github.com", Path: "/zen", Decision: "allow", By: "rule", Reason: "Reads are allowed.", Credential: h.cred.ID, Status: 200, Step: audit.Refused})
	h.policy, err = h.Policies.Save(ctx, h.owner, policies.Draft{Document: firstPolicy, Enabled: true, Message: "to begin with"})
	fail()
	h.policy, err = h.Policies.Set(ctx, h.owner, h.policy.ID, 1, policies.Counts{Enabled: true, Priority: 20}, "")
	fail()
	h.replay, err = h.Replays.Start(h.owner.Team.ID, replay.Change{})
	fail()
	group, err := h.Groups.Save(ctx, h.owner, "", "night-shift", nil)
	fail()
	h.group = group.ID
	_, h.token, err = h.accounts.NewToken(ctx, h.owner.User.ID, h.owner.Team.ID, "laptop", 0)
	fail()
	h.login, err = h.accounts.BeginLoopback(ctx, accounts.LoopbackLogin{
		RedirectURI: "http://127.0.0.1:41234/callback", State: "state", Challenge: strings.Repeat("c", 43), Client: "tameflare on laptop", IP: "127.0.0.1",
	})
	fail()
	return h
}

// pulled has a kill switch on besides, for a connector that nothing uses.
func (h *house) pull1(t testing.TB) {
	t.Helper()
	var err error
	if h.kill, err = h.Kills.Pull(t.Context(), h.owner, kills.Scope{Connector: "webhook"}, "drill"); err != nil {
		t.Fatal(err)
	}
}

func (h *house) addTeam(t testing.TB, name string) team.Viewer {
	t.Helper()
	v := storetest.Owner(t, h.store) // its key opens nothing
	key, err := h.accounts.Keys.NewTeamKey(v.Team.ID + name)
	if err != nil {
		t.Fatal(err)
	}
	id := v.Team.ID + name
	now := audit.Time(time.Now())
	v.Team = team.Team{ID: id, Name: name, Revision: 1, DataKey: key, CreatedAt: now}
	v.User = team.User{ID: "usr_" + id, Email: name + "@example.org", Name: "Ana " + name, PasswordHash: "none", CreatedAt: now}
	if err := h.store.InsertTeam(t.Context(), v.Team, v.User, audit.Event{Time: now, Type: "team.created", Actor: v.Actor()}); err != nil {
		t.Fatal(err)
	}
	return v
}

func question(fingerprint byte) wire.Ask {
	return wire.Ask{
		Fingerprint: strings.Repeat(string(fingerprint), 64), RequestID: "req_9", RunID: "run_1", Principal: "ana@laptop", RuleID: "rule_1",
		Reason: "Merges need a person.", Action: action.Action{Connector: "github", Name: "github.pr.merge", Class: action.Write, Risk: action.High, Resource: "acme/site#12"},
		Sentence: "merge acme/site#12", Method: "PUT", URL: "https://api.github.com/repos/acme/site/pulls/12/merge",
		BodyDigest: digestOf(mergeBody), BodySize: int64(len(mergeBody)), Body: []byte(mergeBody), BodyType: "application/json",
	}
}

const mergeBody = `{"merge_method":"squash","commit_title":"Ship it"}`

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func (h *house) ask(t testing.TB, q wire.Ask) approval.Approval {
	t.Helper()
	a, err := h.desk.Ask(t.Context(), h.gateway, q)
	if err != nil {
		t.Fatalf("ask: %v", err)
	}
	return a
}

// record lets the gateway write entries, as the first of its chain.
func (h *house) record(t testing.TB, entries ...audit.Traffic) {
	t.Helper()
	tail, err := h.store.TrafficTail(t.Context(), h.gateway.ID)
	if err != nil {
		t.Fatal(err)
	}
	var sealed []audit.Sealed
	seq, prev := tail.Seq, tail.Hash
	for _, e := range entries {
		if e.Time.IsZero() {
			e.Time = time.Now()
		}
		b := e.Bytes()
		seq++
		prev = audit.Link(seq, prev, b)
		sealed = append(sealed, audit.Sealed{Seq: seq, Hash: prev, Entry: b})
	}
	if _, err := h.Trail.(*trail.Service).Append(t.Context(), h.gateway, sealed); err != nil {
		t.Fatalf("append: %v", err)
	}
}

// visit is one request to the dashboard.
type visit struct {
	method, path string
	form         url.Values
	as           team.Viewer // the zero Viewer is a stranger
	cookie       string      // instead of a fresh session
	header       map[string]string
}

func (h *house) session(t testing.TB, v team.Viewer) string {
	t.Helper()
	id, err := h.accounts.StartSession(t.Context(), v.User.ID, "test", "127.0.0.1")
	if err != nil {
		t.Fatalf("start session: %v", err)
	}
	return id.Reveal()
}

func (h *house) do(t testing.TB, q visit) *httptest.ResponseRecorder {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodGet
	}
	r := httptest.NewRequestWithContext(t.Context(), q.method, q.path, strings.NewReader(q.form.Encode()))
	r.Host = host
	if q.method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if q.cookie == "" && q.as.User.ID != "" {
		q.cookie = h.session(t, q.as)
	}
	if q.cookie != "" {
		r.AddCookie(&http.Cookie{Name: "tameflare", Value: q.cookie})
	}
	for k, v := range q.header {
		if k == "Host" {
			r.Host = v
			continue
		}
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.Handler().ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), canary) {
		t.Errorf("%s %s: the answer holds a secret of the vault", q.method, q.path)
	}
	return w
}

// get fetches a page as the owner, and wants it to be there.
func (h *house) get(t testing.TB, path string) string {
	t.Helper()
	w := h.do(t, visit{path: path, as: h.owner})
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d, want 200\n%s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// post sends a form as the owner.
func (h *house) post(t testing.TB, path string, fields ...string) *httptest.ResponseRecorder {
	t.Helper()
	return h.do(t, visit{method: http.MethodPost, path: path, as: h.owner, form: form(fields...)})
}

// form makes a form of names and values.
func form(fields ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		f.Add(fields[i], fields[i+1])
	}
	return f
}

func wantSays(t testing.TB, what, body string, sentences ...string) {
	t.Helper()
	for _, s := range sentences {
		if !strings.Contains(body, s) {
			t.Errorf("%s: does not say %q:\n%s", what, s, body)
		}
	}
}

func wantSilent(t testing.TB, what, body string, sentences ...string) {
	t.Helper()
	for _, s := range sentences {
		if strings.Contains(body, s) {
			t.Errorf("%s: says %q", what, s)
		}
	}
}

func (h *house) fill(pattern string) string {
	id := map[string]string{
		"cli": h.login.ID, "approvals": h.approval.ID, "traffic": h.request, "gateways": h.gateway.ID,
		"connector-types": "billing", "vault": h.cred.ID, "kill": h.kill.ID, "settings": h.token.ID,
		"policies": h.policy.ID, "replays": h.replay,
	}
	if strings.HasPrefix(pattern, "/settings/groups/") {
		id["settings"] = h.group
	}
	path := strings.NewReplacer("{$}", "", "{type}", "github", "{action}", "github.pr.merge", "{n}", "1").Replace(pattern)
	return strings.ReplaceAll(path, "{id}", id[strings.Split(path, "/")[1]])
}

func (h *house) String() string { return fmt.Sprintf("house of %s", h.owner.Team.Name) }
