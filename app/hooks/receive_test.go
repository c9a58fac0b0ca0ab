package hooks_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/hooks"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// post is a message as a program sends it.
type post struct {
	to, id, secret, body string
	at                   time.Time // of the timestamp; zero is now
	signature            string    // instead of the right one
	bare                 bool      // without headers
}

func (h *house) send(t *testing.T, p post) (int, hooks.Problem, hooks.Outcome) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/"+p.to+"/decisions", strings.NewReader(p.body))
	if p.at.IsZero() {
		p.at = h.now()
	}
	if p.signature == "" && p.secret != "" {
		p.signature = signed(t, p.secret, p.id, p.at, []byte(p.body))
	}
	if !p.bare {
		r.Header.Set("webhook-id", p.id)
		r.Header.Set("webhook-timestamp", strconv.FormatInt(p.at.Unix(), 10))
		r.Header.Set("webhook-signature", p.signature)
	}
	w := httptest.NewRecorder()
	mux := http.NewServeMux()
	mux.Handle(hooks.Decisions, h.receiver)
	mux.ServeHTTP(w, r)
	var problem hooks.Problem
	var out hooks.Outcome
	var err error
	if w.Code == http.StatusOK {
		err = json.Unmarshal(w.Body.Bytes(), &out)
	} else {
		err = json.Unmarshal(w.Body.Bytes(), &problem)
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s: an error of type %s", p.id, got)
		}
	}
	if err != nil {
		t.Fatalf("answer %d %q: %v", w.Code, w.Body, err)
	}
	return w.Code, problem, out
}

func decision(a approval.Approval, verdict, approver string) string {
	b, _ := json.Marshal(hooks.Decision{ApprovalID: a.ID, Decision: verdict, Reason: "as agreed", Approver: approver}) //nolint:errchkjson // four texts
	return string(b)
}

func TestSignedDecisionIsCarriedOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		i, secret := h.inbound(t, hooks.InboundSettings{})
		mia := storetest.Member(t, s, h.owner, "Mia", team.RoleMember)
		for verdict, want := range map[string]approval.Status{"approve": approval.Approved, "deny": approval.Denied} {
			a := h.ask(t, verdict[0], action.Medium, policy.Approvers{})
			p := post{to: i.ID, id: "msg_" + verdict, secret: secret, body: decision(a, verdict, " "+strings.ToUpper(mia.User.Email))}
			for n := range 3 { // the same message again has the same answer, and does nothing
				status, problem, out := h.send(t, p)
				if status != http.StatusOK || out.Status != string(want) || out.ApprovalID != a.ID || out.Decider != "Mia" || out.Page != baseURL+"/approvals/"+a.ID {
					t.Errorf("%s, time %d: %d %+v %+v", verdict, n+1, status, out, problem)
				}
			}
			got, err := h.desk.Get(t.Context(), h.owner.Team.ID, a.ID)
			if err != nil || got.Status != want || got.DecidedBy != mia.User.ID || got.Channel != approval.Inbound || got.Note != "as agreed" {
				t.Errorf("%s: became %+v, %v", verdict, got, err)
			}
			es := h.events(t, "approval."+string(want))
			if len(es) != 1 || es[0].Actor.ID != mia.User.ID || es[0].Actor.Auth != "inbound" || es[0].Actor.IP != "192.0.2.7" || es[0].Detail["integration"] != i.ID || es[0].Detail["channel"] != "inbound" {
				t.Errorf("%s: recorded %+v", verdict, es)
			}
			// Another message that says the same is right, too.
			if status, _, out := h.send(t, post{to: i.ID, id: "msg_again_" + verdict, secret: secret, body: p.body}); status != http.StatusOK || out.Status != string(want) {
				t.Errorf("%s said again: %d", verdict, status)
			}
		}
		if es := h.events(t, "integration.refused"); len(es) != 0 {
			t.Errorf("refused: %+v", es)
		}
	})
}

// Each message that is not carried out has its answer, and one entry in the
// trail.
func TestEachBadMessageHasItsAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		in, secret := h.inbound(t, hooks.InboundSettings{})
		mia := storetest.Member(t, s, h.owner, "Mia", team.RoleMember).User.Email
		viewer := storetest.Member(t, s, h.owner, "Vic", team.RoleViewer).User.Email
		stranger := storetest.Owner(t, s).User.Email
		other := h.addTeam(t)
		theirs := storetest.Gateway(t, s, other, "theirs")
		medium, high := h.ask(t, '1', action.Medium, policy.Approvers{}), h.ask(t, '2', action.High, policy.Approvers{})
		stepUp := h.ask(t, '3', action.Low, policy.Approvers{StepUp: true})
		admins := h.ask(t, '4', action.Low, policy.Approvers{Role: "admin"})
		denied := h.ask(t, '5', action.Low, policy.Approvers{})
		if _, err := h.desk.Decide(t.Context(), h.owner, denied.ID, approval.Decision{Channel: approval.Dashboard}); err != nil {
			t.Fatal(err)
		}
		ours := h.gateway
		h.gateway = theirs
		foreign := h.ask(t, '6', action.Low, policy.Approvers{})
		h.gateway = ours
		off, offSecret, err := h.SaveInbound(t.Context(), h.owner, hooks.Draft{Name: "Off"}, hooks.InboundSettings{})
		if err != nil {
			t.Fatal(err)
		}
		good := decision(medium, "approve", mia)
		seen := post{to: in.ID, id: "msg_seen", secret: secret, body: decision(denied, "deny", mia)}
		if status, _, _ := h.send(t, seen); status != http.StatusOK {
			t.Fatalf("denied already: %d", status)
		}
		for name, tt := range map[string]struct {
			post
			status int
			why    string
		}{
			"forged":                   {post{body: good, signature: "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, 401, "signature"},
			"another's secret":         {post{body: good, secret: offSecret.Reveal()}, 401, "signature"},
			"no headers":               {post{body: good, bare: true}, 401, "unsigned"},
			"old":                      {post{body: good, secret: secret, at: h.now().Add(-5*time.Minute - time.Second)}, 401, "timestamp"},
			"of the future":            {post{body: good, secret: secret, at: h.now().Add(5*time.Minute + time.Second)}, 401, "timestamp"},
			"replayed for another":     {post{id: "msg_seen", body: good, secret: secret}, 409, "replay"},
			"no JSON":                  {post{body: "approve", secret: secret}, 422, "malformed"},
			"more than is known":       {post{body: `{"approval_id":"a","decision":"approve","approver":"b","force":true}`, secret: secret}, 422, "malformed"},
			"two objects":              {post{body: good + good, secret: secret}, 422, "malformed"},
			"neither approve nor deny": {post{body: decision(medium, "Approve", mia), secret: secret}, 422, "malformed"},
			"nobody's decision":        {post{body: decision(medium, "approve", ""), secret: secret}, 422, "malformed"},
			"too long":                 {post{body: strings.Repeat(" ", 16<<10) + good, secret: secret}, 422, "too_large"},
			"switched off":             {post{to: off.ID, body: good, secret: offSecret.Reveal()}, 403, "off"},
			"by a stranger":            {post{body: decision(medium, "approve", stranger), secret: secret}, 403, "approver"},
			"by nobody":                {post{body: decision(medium, "approve", "nobody@example.org"), secret: secret}, 403, "approver"},
			"by a viewer":              {post{body: decision(medium, "deny", viewer), secret: secret}, 403, "role"},
			"more risk than it may":    {post{body: decision(high, "approve", mia), secret: secret}, 403, "risk"},
			"step-up":                  {post{body: decision(stepUp, "approve", mia), secret: secret}, 403, "step_up"},
			"of another role":          {post{body: decision(admins, "approve", mia), secret: secret}, 403, "refused"},
			"about another team's":     {post{body: decision(foreign, "approve", mia), secret: secret}, 404, "approval"},
			"about nothing":            {post{body: decision(approval.Approval{ID: "apr_none"}, "approve", mia), secret: secret}, 404, "approval"},
			"the opposite of what is":  {post{body: decision(denied, "approve", mia), secret: secret}, 409, "settled"},
		} {
			tt.to, tt.id = or(tt.to, in.ID), or(tt.id, "msg_"+strings.ReplaceAll(name, " ", "_"))
			before := len(h.events(t, ""))
			status, problem, _ := h.send(t, tt.post)
			if status != tt.status || problem.Status != tt.status || problem.Why != tt.why || problem.Detail == "" {
				t.Errorf("%s: %d %+v, want %d %s", name, status, problem, tt.status, tt.why)
			}
			es := h.events(t, "")
			if len(es) != before+1 || es[before].Type != "integration.refused" || es[before].Detail["why"] != tt.why || es[before].Target != tt.to {
				t.Errorf("%s: %d entries, the last %+v", name, len(es)-before, es[len(es)-1])
			}
		}
		// Time goes by.
		late := h.ask(t, '7', action.Low, policy.Approvers{})
		h.on(2 * time.Hour)
		status, problem, _ := h.send(t, post{to: in.ID, id: "msg_late", secret: secret, body: decision(late, "approve", mia)})
		if es := h.events(t, "integration.refused"); status != http.StatusGone && status != http.StatusConflict || es[len(es)-1].Detail["message"] != "msg_late" {
			t.Errorf("late: %d %+v", status, problem)
		}
		for id, want := range map[string]approval.Status{high.ID: approval.Expired, foreign.ID: approval.Pending} {
			if a, err := s.Approval(t.Context(), id); err != nil || a.Status != want && a.Status != approval.Pending {
				t.Errorf("%s is %s, %v", id, a.Status, err)
			}
		}
		if got, err := h.kept.ByID(t.Context(), in.ID); err != nil || got.Refused != int64(len(h.events(t, "integration.refused")))-1 {
			t.Errorf("counted %d, %v", got.Refused, err)
		}
	})
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func TestNobodysAddressTakesNothing(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	out, secret := h.webhook(t, hooks.Settings{URL: "https://hooks.example.com/"})
	for _, id := range []string{"int_none", out.ID} { // a webhook takes no decisions
		if status, _, _ := h.send(t, post{to: id, id: "m", secret: secret, body: "{}"}); status != http.StatusNotFound {
			t.Errorf("%s: %d", id, status)
		}
	}
	if es := h.events(t, "integration.refused"); len(es) != 0 {
		t.Errorf("recorded %+v", es)
	}
}

func TestRiskThatAProgramMayApproveIsASetting(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	mia := storetest.Member(t, h.store, h.owner, "Mia", team.RoleMember).User.Email
	n := byte('a')
	for most, least := range map[string]action.Risk{"low": action.Low, "": action.Medium, "medium": action.Medium, "high": action.High, "critical": action.Critical} {
		i, secret, err := h.SaveInbound(t.Context(), h.owner, hooks.Draft{Name: "up to " + most, Enabled: true}, hooks.InboundSettings{MaxRisk: most})
		if err != nil {
			t.Fatal(err)
		}
		for _, risk := range []action.Risk{action.Low, action.Medium, action.High, action.Critical} {
			a := h.askFor(t, n, risk)
			n++
			status, _, _ := h.send(t, post{to: i.ID, id: "msg_" + a.ID, secret: secret.Reveal(), body: decision(a, "approve", mia)})
			if want := risk >= least; want != (status == http.StatusOK) {
				t.Errorf("up to %q, a risk of %s: %d", most, risk, status)
			}
			if status, _, _ := h.send(t, post{to: i.ID, id: "no_" + a.ID, secret: secret.Reveal(), body: decision(a, "deny", mia)}); status != http.StatusOK && risk < least {
				t.Errorf("up to %q, a denial of a risk of %s: %d", most, risk, status)
			}
		}
	}
	if _, _, err := h.SaveInbound(t.Context(), h.owner, hooks.Draft{Name: "odd"}, hooks.InboundSettings{MaxRisk: "none"}); err == nil {
		t.Error("a risk that is none is kept")
	}
}

// Each person's agreement counts once, whoever brings it.
func TestSeveralPeopleAgreeByMessage(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	i, secret := h.inbound(t, hooks.InboundSettings{})
	mia, max := storetest.Member(t, h.store, h.owner, "Mia", team.RoleMember).User.Email, storetest.Member(t, h.store, h.owner, "Max", team.RoleMember).User.Email
	a := h.ask(t, 'a', action.Low, policy.Approvers{Count: 2})
	for n, step := range []struct {
		who    string
		status approval.Status
		agreed int
	}{{mia, approval.Pending, 1}, {mia, approval.Pending, 1}, {max, approval.Approved, 2}, {mia, approval.Approved, 2}} {
		status, problem, out := h.send(t, post{to: i.ID, id: "msg_" + strconv.Itoa(n), secret: secret, body: decision(a, "approve", step.who)})
		if status != http.StatusOK || out.Status != string(step.status) || out.Agreed != step.agreed || out.Needs != 2 {
			t.Errorf("step %d: %d %+v %+v", n, status, out, problem)
		}
	}
	if es := h.events(t, "approval.a"); len(es) != 2 || es[0].Type != "approval.agreed" || es[1].Type != "approval.approved" {
		t.Errorf("recorded %+v", es)
	}
}

// While a secret is being changed, both count.
func TestChangedSecretIsTaken(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	i, old := h.inbound(t, hooks.InboundSettings{})
	mia := storetest.Member(t, h.store, h.owner, "Mia", team.RoleMember).User.Email
	_, next, err := h.Rotate(t.Context(), h.owner, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	for n, secret := range []string{old, next.Reveal()} {
		a := h.askFor(t, byte('a'+n), action.Low)
		if status, problem, _ := h.send(t, post{to: i.ID, id: "msg_" + strconv.Itoa(n), secret: secret, body: decision(a, "approve", mia)}); status != http.StatusOK {
			t.Errorf("secret %d: %d %+v", n, status, problem)
		}
	}
	h.on(hooks.Overlap)
	a := h.askFor(t, 'c', action.Low)
	if status, _, _ := h.send(t, post{to: i.ID, id: "msg_after", secret: old, body: decision(a, "approve", mia)}); status != http.StatusUnauthorized {
		t.Errorf("the old secret, a day later: %d", status)
	}
}

func (h *house) askFor(t *testing.T, n byte, risk action.Risk) approval.Approval {
	t.Helper()
	const hex = "0123456789abcdef"
	q := []byte(strings.Repeat("0", 64))
	q[0], q[1] = hex[n>>4], hex[n&15]
	return h.askWith(t, string(q), risk, policy.Approvers{})
}
