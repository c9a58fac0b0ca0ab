package proxy_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/proxy"
)

func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	w.Header().Set("Alt-Svc", `h3=":443"`)
	w.Header().Set("X-TameFlare-Kill-Switch", "a lie")
	w.Header().Set("Www-Authenticate", `Basic realm="x"`)
	_, _ = w.Write(append([]byte(r.Method+" "+r.RequestURI+" "), b...))
}

func TestWhatIsDecidedIsWhatHappens(t *testing.T) {
	t.Parallel()

	enforce := func(e policy.Enforcement) settings {
		return func(_ *rig, s *wire.Snapshot, _ *proxy.Run) { s.Enforcement = e }
	}
	killed := func(connector string) settings {
		return func(_ *rig, s *wire.Snapshot, _ *proxy.Run) {
			s.Kills = []policy.Kill{{ID: "kill_1", Connector: connector, Reason: "Stop."}}
		}
	}
	broken := func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { g.spool.broken = true }
	for name, test := range map[string]struct {
		method   string
		host     string
		change   []settings
		status   int
		code     string
		steps    []string
		upstream int
		used     int
	}{
		"allowed":                       {method: "GET", status: 200, steps: []string{"intent", "outcome"}, upstream: 1},
		"denied by a rule":              {method: "DELETE", status: 403, code: "denied", steps: []string{"refused denied"}},
		"no connector for the host":     {method: "GET", host: "other.example.com", status: 403, code: "denied", steps: []string{"refused denied"}},
		"approved":                      {method: "POST", status: 200, steps: []string{"intent", "outcome"}, upstream: 1, used: 1},
		"a person denied it":            {method: "POST", change: []settings{settle(approval.Denied)}, status: 403, code: "approval_denied", steps: []string{"refused approval_denied"}},
		"nobody answered yet":           {method: "POST", change: []settings{settle(approval.Pending)}, status: 503, code: "approval_pending", steps: []string{"refused approval_pending"}},
		"the approval expired":          {method: "POST", change: []settings{settle(approval.Expired)}, status: 403, code: "approval_expired", steps: []string{"refused approval_expired"}},
		"the approval was cancelled":    {method: "POST", change: []settings{settle(approval.Cancelled)}, status: 403, code: "approval_denied", steps: []string{"refused approval_denied"}},
		"a status of a later version":   {method: "POST", change: []settings{settle("perhaps")}, status: 403, code: "approval_denied", steps: []string{"refused approval_denied"}},
		"the kill switch for all":       {method: "GET", change: []settings{killed("")}, status: 403, code: "kill_switch", steps: []string{"refused kill_switch"}},
		"the kill switch for a type":    {method: "GET", change: []settings{killed("http")}, status: 403, code: "kill_switch", steps: []string{"refused kill_switch"}},
		"the kill switch for others":    {method: "GET", change: []settings{killed("github")}, status: 200, steps: []string{"intent", "outcome"}, upstream: 1},
		"the kill switch in monitor":    {method: "GET", change: []settings{killed(""), enforce(policy.Monitor)}, status: 403, code: "kill_switch", steps: []string{"refused kill_switch"}},
		"monitor lets a deny pass":      {method: "DELETE", change: []settings{enforce(policy.Monitor)}, status: 200, steps: []string{"intent", "outcome"}, upstream: 1},
		"monitor does not hold":         {method: "POST", change: []settings{enforce(policy.Monitor)}, status: 200, steps: []string{"intent", "outcome"}, upstream: 1},
		"soft enforcement denies":       {method: "DELETE", change: []settings{enforce(policy.SoftEnforce)}, status: 403, code: "denied", steps: []string{"refused denied"}},
		"the record cannot be written":  {method: "GET", change: []settings{broken}, status: 503, code: "unavailable"},
		"that, and approved":            {method: "POST", change: []settings{broken}, status: 503, code: "unavailable", used: 1},
		"that, and denied":              {method: "DELETE", change: []settings{broken}, status: 403, code: "denied"},
		"the credential is not there":   {method: "GET", change: []settings{func(_ *rig, s *wire.Snapshot, _ *proxy.Run) { s.Credentials = s.Credentials[1:] }}, status: 503, code: "unavailable", steps: []string{"refused unavailable"}},
		"it is for another host":        {method: "GET", change: []settings{func(_ *rig, s *wire.Snapshot, _ *proxy.Run) { s.Credentials[0].Hosts = []string{"evil.example"} }}, status: 403, code: "denied", steps: []string{"refused denied"}},
		"nobody can be asked":           {method: "POST", change: []settings{deskDown}, status: 503, code: "unavailable", steps: []string{"refused unavailable"}},
		"the grant was used by another": {method: "POST", change: []settings{useFails(fault.Conflict)}, status: 403, code: "approval_expired", steps: []string{"refused approval_expired"}},
		"the grant cannot be confirmed": {method: "POST", change: []settings{useFails(fault.Unavailable)}, status: 503, code: "unavailable", steps: []string{"refused unavailable"}},
	} {
		for _, h2 := range []bool{false, true} {
			t.Run(map[bool]string{false: "h1 ", true: "h2 "}[h2]+name, func(t *testing.T) {
				t.Parallel()
				g := newRig(t, http.HandlerFunc(echo), test.change...)
				to := test.host
				if to == "" {
					to = host
				}
				body := ""
				if test.method == "POST" {
					body = "hello"
				}
				res, answer := g.do(g.client(h2), test.method, "https://"+to+"/thing?x=1", body)
				if res.StatusCode != test.status {
					t.Errorf("status %d, want %d: %s", res.StatusCode, test.status, answer)
				}
				if test.code != "" && !strings.Contains(answer, `"code":"`+test.code+`"`) {
					t.Errorf("answer %s, want code %s", answer, test.code)
				}
				if got := res.Header.Get("X-TameFlare-Kill-Switch") == "active"; got != (test.code == "kill_switch") {
					t.Errorf("kill header %v with code %q", got, test.code)
				}
				if !strings.HasPrefix(res.Header.Get("X-TameFlare-Request-Id"), "req_") {
					t.Errorf("no request ID in %v", res.Header)
				}
				if res.StatusCode == 503 && res.Header.Get("Retry-After") == "" {
					t.Error("503 without Retry-After")
				}
				g.spool.settled(t, len(test.steps))
				if diff := cmp.Diff(test.steps, g.spool.steps()); diff != "" {
					t.Errorf("steps (-want +got):\n%s", diff)
				}
				if got, _ := g.upstream.seen(); len(got) != test.upstream {
					t.Errorf("upstream got %v, want %d", got, test.upstream)
				}
				if g.desk.uses() != test.used {
					t.Errorf("%d grants used, want %d", g.desk.uses(), test.used)
				}
				if test.upstream == 1 {
					if got := g.upstream.lastHeader(t).Get("Authorization"); got != "Bearer "+canary {
						t.Errorf("upstream got Authorization %q", got)
					}
					if want := test.method + " /thing?x=1 " + body; answer != want {
						t.Errorf("answer %q, want %q", answer, want)
					}
					if res.Header.Get("Alt-Svc") != "" || res.Header.Get("Www-Authenticate") == "" {
						t.Errorf("header %v", res.Header)
					}
				}
				g.end()
				if s := g.log.String() + answer; strings.Contains(s, canary) {
					t.Errorf("the secret shows: %s", s)
				}
			})
		}
	}
}

func deskDown(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
	g.desk.answer = func(context.Context, wire.Ask) (wire.Approval, error) {
		return wire.Approval{}, fault.New(fault.Unavailable, "The server is not there.", nil)
	}
}

func useFails(k fault.Kind) settings {
	return func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { g.desk.useErr = fault.New(k, "No.", nil) }
}
