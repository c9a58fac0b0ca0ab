package link_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/wire"
)

func (m *machine) changes(after int64, wait string) wire.Changes {
	m.t.Helper()
	var c wire.Changes
	if status := m.call("GET", fmt.Sprintf("/v1/approvals/changes?after=%d&wait=%s", after, wait), nil, &c); status != http.StatusOK {
		m.t.Errorf("changes after %d: status %d", after, status)
	}
	return c
}

func (m *machine) asks(fingerprint string) wire.Approval {
	m.t.Helper()
	var a wire.Approval
	if status := m.call("POST", "/v1/approvals", ask(fingerprint), &a); status != http.StatusOK {
		m.t.Fatalf("ask: status %d", status)
	}
	return a
}

// statuses is what became of which approval.
func statuses(c wire.Changes) map[string]approval.Status {
	all := map[string]approval.Status{}
	for _, a := range c.Approvals {
		all[a.ID] = a.Status
	}
	return all
}

func TestOnePollHearsOfEveryApprovalOfTheGateway(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := serve(t, s)
		m, other := h.enrol(t, "deploy-bot"), h.enrol(t, "other")
		began := time.Now()
		start := m.changes(0, "20s")
		if start.After <= 0 || len(start.Approvals) > 0 || time.Since(began) > bus.Interval {
			t.Fatalf("the beginning: %+v after %v", start, time.Since(began))
		}
		one, two, foreign := m.asks("a"), m.asks("b"), other.asks("c")
		if one.Principal != "ana@laptop" || one.Action != "github.pr.merge" || one.Sentence != "merge acme/site#12" {
			t.Errorf("asked: %+v", one)
		}
		if none := m.changes(start.After, "0s"); len(none.Approvals) > 0 || none.After <= start.After {
			t.Errorf("that something was asked is no change: %+v", none)
		}
		decide := func(id string, v approval.Verdict) {
			t.Helper()
			_, err := h.approvals.Decide(t.Context(), h.owner, id, approval.Decision{Channel: approval.Dashboard, Verdict: v, Note: "So be it."})
			check(t, err)
		}
		decide(foreign.ID, approval.Grant)
		decide(one.ID, approval.Grant)
		decide(two.ID, approval.Deny)
		both := m.changes(start.After, "20s")
		if got := statuses(both); len(got) != 2 || got[one.ID] != approval.Approved || got[two.ID] != approval.Denied {
			t.Errorf("changes: %v", got)
		}
		if a := both.Approvals[0]; a.Decider != "Ana" || a.Note != "So be it." || a.URL != "https://dash.example/approvals/"+a.ID || a.Seq != 2 {
			t.Errorf("a change: %+v", a)
		}
		three := m.asks("d")
		got := make(chan wire.Changes, 1)
		h.bus.listening(t, 2, func() { go func() { got <- m.changes(both.After, "60s") }() })
		began = time.Now()
		_, err := h.kills.Pull(t.Context(), h.owner, kills.Scope{}, "It runs wild.")
		check(t, err)
		select {
		case c := <-got:
			if s := statuses(c); s[three.ID] != approval.Cancelled || time.Since(began) > bus.Interval/2 {
				t.Errorf("after the kill switch: %+v after %v", c, time.Since(began))
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the poll stays open")
		}
		if ahead := m.changes(both.After+1000, "20s"); ahead.After >= both.After+1000 || len(ahead.Approvals) > 0 {
			t.Errorf("ahead of a restored server: %+v", ahead)
		}
	})
}

func TestThePollForChangesEndsWithTheGateway(t *testing.T) {
	t.Parallel()
	h := serve(t, storetest.Open(t))
	m := h.enrol(t, "deploy-bot")
	start := m.changes(0, "0s")
	got := make(chan wire.Problem, 1)
	h.bus.listening(t, 2, func() {
		go func() {
			var p wire.Problem
			m.call("GET", fmt.Sprintf("/v1/approvals/changes?after=%d&wait=60s", start.After), nil, &p)
			got <- p
		}()
	})
	check(t, h.gateways.Revoke(t.Context(), h.owner, m.gw.ID))
	select {
	case p := <-got:
		if p.Code != "forbidden" {
			t.Errorf("got %+v", p)
		}
	case <-time.After(bus.Interval / 2):
		t.Fatal("the poll stays open")
	}
	if status := h.stranger(t).call("GET", "/v1/approvals/changes", nil, nil); status != http.StatusUnauthorized {
		t.Errorf("without a certificate: %d", status)
	}
}

func TestAQuestionTakesTheBeginningOfABodyAndNoMore(t *testing.T) {
	t.Parallel()
	h := serve(t, storetest.Open(t))
	m := h.enrol(t, "deploy-bot")
	q := ask("a")
	q.Body, q.BodyType = []byte(strings.Repeat("x", wire.MaxBody)), "text/plain"
	q.BodySize = 1 << 20
	if status := m.call("POST", "/v1/approvals", q, nil); status != http.StatusOK {
		t.Errorf("as much as may be: %d", status)
	}
	var p wire.Problem
	q.Body = append(q.Body, 'x')
	if status := m.call("POST", "/v1/approvals", q, &p); status != http.StatusUnprocessableEntity || !strings.Contains(p.Detail, "64 KiB") {
		t.Errorf("one byte more: %d %+v", status, p)
	}
}
