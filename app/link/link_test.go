package link_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

const canary = "ghp_canary0123456789"

func (h *host) configure(t testing.TB, g fleet.Gateway) {
	t.Helper()
	cred, err := h.vault.Put(t.Context(), h.owner, "github-bot", "github", nil, credential.NewSecret(canary))
	check(t, err)
	rules, err := fleet.PresetRules(policy.ReadOnly)
	check(t, err)
	rules = append(rules, fleet.NewRule(policy.Rule{Pattern: "github.pr.merge", Effect: policy.RequireApproval}, policy.NoPreset))
	check(t, h.gateways.Configure(t.Context(), h.owner, g.ID, []gateways.Connector{{
		Connector: fleet.Connector{Type: "github", CredentialID: cred.ID}, Rules: rules,
	}}))
}

func ask(fingerprint string) wire.Ask {
	return wire.Ask{
		Fingerprint: strings.Repeat(fingerprint, 64), RequestID: "req_1", Principal: "ana@laptop", RuleID: "rule_1",
		Action:   action.Action{Connector: "github", Name: "github.pr.merge", Resource: "acme/site#12"},
		Sentence: "merge acme/site#12", Method: "PUT", URL: "https://api.github.com/repos/acme/site/pulls/12/merge",
	}
}

func TestGatewaysWholeLife(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := serve(t, s)
		m := h.enrol(t, "deploy-bot")
		h.configure(t, m.gw)

		var who wire.Whoami
		if status := m.call("GET", "/v1/whoami", nil, &who); status != 200 || who.GatewayID != m.gw.ID || who.Name != "deploy-bot" || time.Until(who.CertNotAfter) < 20*time.Hour {
			t.Errorf("whoami: %d %+v", status, who)
		}

		snap, _ := m.snapshot("after=0&wait=20s")
		if snap == nil || snap.GatewayID != m.gw.ID || len(snap.Connectors) != 1 || len(snap.Rules) != 2 || len(snap.Credentials) != 1 || snap.ValidFor != 24*time.Hour {
			t.Fatalf("snapshot: %+v", snap)
		}
		sealed := snap.Credentials[0]
		if secret, err := m.unseal(sealed, m.gw.ID); err != nil || secret != canary {
			t.Errorf("credential: %q, %v", secret, err)
		}
		if _, err := m.unseal(sealed, "gw_other"); err == nil {
			t.Error("the credential opens as another gateway's")
		}
		elsewhere := sealed
		elsewhere.Hosts = []string{"evil.example"}
		if _, err := m.unseal(elsewhere, m.gw.ID); err == nil {
			t.Error("the credential opens for another host")
		}
		if fmt.Sprint(sealed.Hosts) == "[]" {
			t.Error("the credential may go nowhere")
		}
		if _, err := policy.Compile(policy.Settings{Gateway: snap.GatewayName, Enforcement: snap.Enforcement, Rules: snap.Rules, Kills: snap.Kills}); err != nil {
			t.Errorf("the rules do not compile: %v", err)
		}

		if none, same := m.snapshot(fmt.Sprintf("after=%d", snap.Version)); none != nil || same.Version != snap.Version {
			t.Errorf("polled again: %+v, %+v, want a confirmation", none, same)
		}
		if g, err := s.Gateway(t.Context(), m.gw.ID); err != nil || g.SnapshotAck != snap.Version || g.Version != "0.9.0" {
			t.Errorf("row: acknowledged %d by %q, %v, want %d", g.SnapshotAck, g.Version, err, snap.Version)
		}

		var a wire.Approval
		if status := m.call("POST", "/v1/approvals", ask("a"), &a); status != 200 || a.Status != approval.Pending || a.URL != "https://dash.example/approvals/"+a.ID {
			t.Fatalf("ask: %d %+v", status, a)
		}
		if status := m.call("POST", "/v1/approvals/"+a.ID+"/use", wire.Use{Fingerprint: strings.Repeat("a", 64)}, nil); status != http.StatusConflict {
			t.Errorf("use before the grant: %d, want 409", status)
		}
		_, err := h.approvals.Decide(t.Context(), h.owner, a.ID, approval.Decision{Channel: approval.Dashboard, Verdict: approval.Grant, Note: "Go on."})
		check(t, err)
		if status := m.call("GET", fmt.Sprintf("/v1/approvals/%s?wait=20s&seq=%d", a.ID, a.Seq), nil, &a); status != 200 || a.Status != approval.Approved || a.Decider != "Ana" || a.Note != "Go on." {
			t.Errorf("wait: %d %+v", status, a)
		}
		for _, want := range []int{200, 409} {
			if status := m.call("POST", "/v1/approvals/"+a.ID+"/use", wire.Use{Fingerprint: strings.Repeat("a", 64)}, nil); status != want {
				t.Errorf("use: %d, want %d", status, want)
			}
		}

		entries, last := chain(t, 1, "", 3)
		if status, answer := m.upload(entries); status != 200 || answer.Through != 3 {
			t.Errorf("audit: %d %+v", status, answer)
		}
		more, _ := chain(t, 9, last, 1)
		if status, answer := m.upload(more); status != 200 || answer.Expected != 4 {
			t.Errorf("audit with a gap: %d %+v, want 4 to be expected", status, answer)
		}

		if status := m.call("POST", "/v1/kills", wire.KillReport{On: true, Reason: "Stop.", At: time.Now()}, nil); status != http.StatusNoContent {
			t.Errorf("kill report: %d, want 204", status)
		}
		if status := m.call("POST", "/v1/approvals", ask("b"), &wire.Problem{}); status != http.StatusForbidden {
			t.Errorf("ask while killed: %d, want 403", status)
		}

		var renewed wire.RenewAnswer
		if status := m.call("POST", "/v1/renew", wire.RenewRequest{}, &renewed); status != 200 {
			t.Fatalf("renew: %d", status)
		}
		m.use(renewed.Chain)
		if status := m.call("GET", "/v1/whoami", nil, &who); status != 200 {
			t.Errorf("whoami with the new certificate: %d", status)
		}

		// Another machine takes over, and goes on where the trail ends.
		next := h.stranger(t)
		next.enrol(h, m.gw)
		if next.answer.AuditThrough != 3 || next.answer.AuditHash != last {
			t.Errorf("enrolled again: the trail ends at %d, want 3", next.answer.AuditThrough)
		}
		goesOn, _ := chain(t, 4, last, 1)
		if status, answer := next.upload(goesOn); status != 200 || answer.Through != 4 {
			t.Errorf("audit of the new machine: %d %+v", status, answer)
		}
	})
}

// Two people agree, and the gateway hears of it when both have.
func TestAGrantOfTwoPeople(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := serve(t, s)
		m := h.enrol(t, "deploy-bot")
		h.configure(t, m.gw)
		ben := storetest.Member(t, s, h.owner, "Ben", team.RoleAdmin)
		q := ask("a")
		q.Approvers = policy.Approvers{Role: "admin", Count: 2}
		var a wire.Approval
		if status := m.call("POST", "/v1/approvals", q, &a); status != 200 || a.Status != approval.Pending {
			t.Fatalf("ask: %d %+v", status, a)
		}
		_, err := h.approvals.Decide(t.Context(), h.owner, a.ID, approval.Decision{Channel: approval.Dashboard, Verdict: approval.Grant})
		check(t, err)
		for _, wait := range []string{"0s", "50ms"} {
			var after wire.Approval
			if status := m.call("GET", fmt.Sprintf("/v1/approvals/%s?wait=%s&seq=%d", a.ID, wait, a.Seq), nil, &after); status != 200 || after.Status != approval.Pending || after.Seq != a.Seq || after.Decider != "" {
				t.Errorf("after one: %d %+v, want nothing new since %+v", status, after, a)
			}
		}
		if status := m.call("POST", "/v1/approvals/"+a.ID+"/use", wire.Use{Fingerprint: q.Fingerprint}, nil); status != http.StatusConflict {
			t.Errorf("use of half a grant: %d, want 409", status)
		}
		_, err = h.approvals.Decide(t.Context(), ben, a.ID, approval.Decision{Channel: approval.CLI, Verdict: approval.Grant})
		check(t, err)
		if status := m.call("GET", fmt.Sprintf("/v1/approvals/%s?wait=20s&seq=%d", a.ID, a.Seq), nil, &a); status != 200 || a.Status != approval.Approved || a.Decider != "Ana and Ben" {
			t.Errorf("after both: %d %+v", status, a)
		}
		if status := m.call("POST", "/v1/approvals/"+a.ID+"/use", wire.Use{Fingerprint: q.Fingerprint}, nil); status != 200 {
			t.Errorf("use: %d", status)
		}
	})
}

// chain is n lines of an upload, from number first on, after prev.
func chain(t testing.TB, first int64, prev string, n int) (lines []byte, last string) {
	t.Helper()
	var out bytes.Buffer
	for i := range int64(n) {
		entry := audit.Traffic{Time: time.Now(), Step: audit.Refused, Request: fmt.Sprintf("req_%04d", first+i), Host: "a<b>.example"}.Bytes()
		prev = audit.Link(first+i, prev, entry)
		check(t, json.NewEncoder(&out).Encode(wire.Entry{Seq: first + i, Hash: prev, Entry: entry}))
	}
	return out.Bytes(), prev
}

func TestOnlyGatewaysMayCall(t *testing.T) {
	t.Parallel()
	h := serve(t, storetest.Open(t))
	stranger, one, two := h.stranger(t), h.enrol(t, "one"), h.enrol(t, "two")
	for _, route := range []string{"POST /v1/renew", "GET /v1/whoami", "GET /v1/snapshot", "POST /v1/approvals", "GET /v1/approvals/changes", "GET /v1/approvals/apr_x", "POST /v1/approvals/apr_x/use", "POST /v1/audit", "POST /v1/kills"} {
		method, path, _ := strings.Cut(route, " ")
		var p wire.Problem
		if status := stranger.call(method, path, struct{}{}, &p); status != http.StatusUnauthorized || p.Code != "unauthenticated" || p.Detail == "" {
			t.Errorf("%s without a certificate: %d %+v, want 401", route, status, p)
		}
	}
	var a wire.Approval
	if status := one.call("POST", "/v1/approvals", ask("a"), &a); status != 200 {
		t.Fatalf("ask: %d", status)
	}
	if status := two.call("GET", "/v1/approvals/"+a.ID, nil, nil); status != http.StatusNotFound {
		t.Errorf("another gateway's approval: %d, want 404", status)
	}
	if status := two.call("POST", "/v1/approvals/"+a.ID+"/use", wire.Use{Fingerprint: strings.Repeat("a", 64)}, nil); status != http.StatusNotFound {
		t.Errorf("use of another gateway's approval: %d, want 404", status)
	}
}

func TestRevocationEndsPollsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := serve(t, s)
		m := h.enrol(t, "deploy-bot")
		snap, _ := m.snapshot("after=0")
		var a wire.Approval
		m.call("POST", "/v1/approvals", ask("a"), &a)
		polls := make(chan wire.Problem, 2)
		h.bus.listening(t, 3, func() { // one listens to the approval and to the gateways
			for _, path := range []string{fmt.Sprintf("/v1/snapshot?after=%d&wait=60s", snap.Version), fmt.Sprintf("/v1/approvals/%s?seq=%d&wait=60s", a.ID, a.Seq)} {
				go func() {
					var p wire.Problem
					m.call("GET", path, nil, &p)
					polls <- p
				}()
			}
		})
		began := time.Now()
		check(t, h.gateways.Revoke(t.Context(), h.owner, m.gw.ID))
		for range 2 {
			select {
			case p := <-polls:
				if p.Status != http.StatusForbidden || p.Code != "forbidden" {
					t.Errorf("poll: %+v, want 403 forbidden", p)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("a poll stays open")
			}
		}
		// A second is what is promised, on a machine that is not busy; here it
		// has to be sooner than a look without a ring.
		if took := time.Since(began); took > bus.Interval/2 {
			t.Errorf("the polls ended after %v", took)
		}
		var p wire.Problem
		if status := m.call("GET", "/v1/whoami", nil, &p); status != http.StatusForbidden || p.Code != "forbidden" {
			t.Errorf("the next call: %d %+v, want 403 forbidden", status, p)
		}
	})
}

func TestKillSwitchReachesAPollSoon(t *testing.T) {
	t.Parallel()
	h := serve(t, storetest.Open(t))
	m := h.enrol(t, "deploy-bot")
	snap, _ := m.snapshot("after=0")
	got := make(chan *wire.Snapshot, 1)
	h.bus.listening(t, 1, func() {
		go func() {
			next, _ := m.snapshot(fmt.Sprintf("after=%d&wait=60s", snap.Version))
			got <- next
		}()
	})
	began := time.Now()
	_, err := h.kills.Pull(t.Context(), h.owner, kills.Scope{}, "It runs wild.")
	check(t, err)
	select {
	case next := <-got:
		if next == nil || len(next.Kills) != 1 || next.Version <= snap.Version {
			t.Errorf("snapshot: %+v", next)
		}
		t.Logf("after %v", time.Since(began))
	case <-time.After(bus.Interval / 2):
		t.Error("the kill switch did not arrive")
	}
}

func TestPollsEndWhenTheServerStops(t *testing.T) {
	t.Parallel()
	h := serve(t, storetest.Open(t))
	m := h.enrol(t, "deploy-bot")
	snap, _ := m.snapshot("after=0")
	got := make(chan *wire.Confirmation, 1)
	h.bus.listening(t, 1, func() {
		go func() {
			_, same := m.snapshot(fmt.Sprintf("after=%d&wait=60s", snap.Version))
			got <- same
		}()
	})
	h.stop()
	select {
	case same := <-got:
		if same == nil || same.Version != snap.Version {
			t.Errorf("got %+v, want a confirmation of %d", same, snap.Version)
		}
	case <-time.After(bus.Interval / 2):
		t.Error("the poll stays open")
	}
}

func TestGatewayAheadOfARestoredServer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := serve(t, s)
		m := h.enrol(t, "deploy-bot")
		snap, _ := m.snapshot("after=0")
		ahead := snap.Version + 1000
		next, _ := m.snapshot(fmt.Sprintf("after=%d&wait=20s", ahead))
		if next == nil || next.Version <= ahead {
			t.Errorf("got %+v, want a snapshot above %d", next, ahead)
		}
		if status := m.call("GET", "/v1/snapshot?after=9000000000000000000", nil, nil); status != http.StatusUnprocessableEntity {
			t.Errorf("a version that cannot be: %d, want 422", status)
		}
	})
}

func TestHostileCalls(t *testing.T) {
	t.Parallel()
	h := serve(t, storetest.Open(t))
	m := h.enrol(t, "deploy-bot")
	z, err := zstd.NewWriter(nil)
	check(t, err)
	jsonType, ndjson := http.Header{"Content-Type": {"application/json"}}, http.Header{"Content-Type": {"application/x-ndjson"}}
	packed := http.Header{"Content-Type": {"application/x-ndjson"}, "Content-Encoding": {"zstd"}}
	for name, tt := range map[string]struct {
		route  string
		body   []byte
		header http.Header
		want   int
	}{
		"no content type":          {"POST /v1/approvals", []byte("{}"), http.Header{}, 415},
		"a form":                   {"POST /v1/approvals", []byte("a=b"), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415},
		"JSON that is packed":      {"POST /v1/approvals", []byte("{}"), http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}, 415},
		"no JSON":                  {"POST /v1/approvals", []byte("{"), jsonType, 422},
		"an empty question":        {"POST /v1/approvals", []byte("{}"), jsonType, 422},
		"an effect that is none":   {"POST /v1/approvals", []byte(`{"action":{"class":"nuclear"}}`), jsonType, 422},
		"a body too large":         {"POST /v1/approvals", bytes.Repeat([]byte(" "), 300<<10), jsonType, 413},
		"a place that is none":     {"GET /v1/approvals/changes?after=x", nil, http.Header{}, 422},
		"an ID of odd bytes":       {"GET /v1/approvals/a%00b%ff", nil, http.Header{}, 404},
		"a wait that is none":      {"GET /v1/snapshot?wait=soon", nil, http.Header{}, 422},
		"a negative wait":          {"GET /v1/snapshot?wait=-1s", nil, http.Header{}, 422},
		"a negative version":       {"GET /v1/snapshot?after=-1", nil, http.Header{}, 422},
		"no such route":            {"GET /v1/nothing", nil, http.Header{}, 404},
		"the wrong method":         {"DELETE /v1/snapshot", nil, http.Header{}, 404},
		"audit as JSON":            {"POST /v1/audit", []byte("{}"), jsonType, 415},
		"audit in another packing": {"POST /v1/audit", []byte("{}"), http.Header{"Content-Type": {"application/x-ndjson"}, "Content-Encoding": {"gzip"}}, 415},
		"audit that is no zstd":    {"POST /v1/audit", []byte("{}"), packed, 422},
		"audit that is no JSON":    {"POST /v1/audit", z.EncodeAll([]byte("x\n"), nil), packed, 422},
		"audit without numbers":    {"POST /v1/audit", z.EncodeAll([]byte("{}\n"), nil), packed, 422},
		"a line without an end":    {"POST /v1/audit", z.EncodeAll(bytes.Repeat([]byte("x"), 2<<20), nil), packed, 413},
		"a bomb":                   {"POST /v1/audit", z.EncodeAll(bytes.Repeat([]byte("\n"), 100<<20), nil), packed, 413},
		"too many entries":         {"POST /v1/audit", bytes.Repeat([]byte("{}\n"), 5001), ndjson, 413},
	} {
		method, path, _ := strings.Cut(tt.route, " ")
		res, body := m.send(method, path, tt.body, tt.header)
		var p wire.Problem
		if err := json.Unmarshal(body, &p); err != nil || p.Status != res.StatusCode || p.Detail == "" || p.Code == "" || p.Code == "internal" {
			t.Errorf("%s: %s (%v)", name, body, err)
		}
		if res.StatusCode != tt.want || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s, want %d", name, res.StatusCode, res.Header.Get("Content-Type"), tt.want)
		}
		if tt.want != 404 && res.Header.Get(wire.VersionHeader) != "1.2.3" {
			t.Errorf("%s: no version", name)
		}
	}
	if status := m.call("GET", "/v1/whoami", nil, nil); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
}

func TestEnrolmentIsThrottled(t *testing.T) {
	t.Parallel()
	h := serve(t, storetest.Open(t))
	m := h.stranger(t)
	for i := range 100 { // a slow machine earns some more in between
		var p wire.Problem
		status := m.call("POST", "/v1/enrol", wire.EnrolRequest{Token: "a.b.c", SealKey: m.seal.PublicKey().Bytes()}, &p)
		if status == http.StatusTooManyRequests && i >= 20 {
			return
		}
		if status != http.StatusUnauthorized {
			t.Errorf("attempt %d: %d %s, want 401", i+1, status, p.Detail)
		}
	}
	t.Error("nobody is ever told to wait")
}

func TestBadSealKeyLeavesTheTokenAsItWas(t *testing.T) {
	t.Parallel()
	h := serve(t, storetest.Open(t))
	g, err := h.gateways.Create(t.Context(), h.owner, gateways.Settings{Name: "deploy-bot"})
	check(t, err)
	m := h.stranger(t)
	for name, key := range map[string][]byte{"none": nil, "short": make([]byte, 31)} {
		var p wire.Problem
		if status := m.call("POST", "/v1/enrol", wire.EnrolRequest{Token: "x", SealKey: key}, &p); status != 422 {
			t.Errorf("%s: %d %+v, want 422", name, status, p)
		}
	}
	m.enrol(h, g)
}
