package gateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/gateway/runs"
)

// asked is what the process hears of an approval.
func (r *run) asks(t *testing.T, url, token string) (status int, got map[string]string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+token)
	res, err := r.http.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
	}
	return res.StatusCode, got
}

// waiting returns the approval that waits, once there is one.
func (w *world) waiting() string {
	w.t.Helper()
	var id string
	eventually(w.t, "asked", func() bool {
		w.server.Lock()
		defer w.server.Unlock()
		for at, a := range w.server.Approvals {
			if a.Status == approval.Pending {
				id = at
			}
		}
		return id != ""
	})
	return id
}

func TestAProcessFollowsItsApprovalToTheEnd(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	a, b := w.run(runs.Start{Program: "a"}), w.run(runs.Start{Program: "b"})
	if a.Door.Token == "" || a.Door.Token == b.Door.Token || slices.Contains([]string{a.Door.RunID, a.Door.Env["GITHUB_TOKEN"]}, a.Door.Token) {
		t.Errorf("tokens %q and %q", a.Door.Token, b.Door.Token)
	}
	var held sync.WaitGroup
	held.Go(func() {
		if status, _, _ := a.do(t, "PUT", "/repos/acme/site/pulls/7/merge"); status != 200 {
			t.Errorf("approved: %d", status)
		}
	})
	id := w.waiting()
	at := "http://tameflare.invalid/approvals/" + id
	if status, got := a.asks(t, at, a.Door.Token); status != 200 || got["status"] != "pending" || got["action"] != "github.pr.merge" || got["status_url"] != at {
		t.Errorf("while it waits: %d %v", status, got)
	}
	if status, _ := a.asks(t, at, b.Door.Token); status != http.StatusUnauthorized {
		t.Errorf("with another run's token: %d", status)
	}
	if status, _ := a.asks(t, "https://dashboard.example/approvals/"+id, a.Door.Token); status != 200 {
		t.Errorf("where people decide: %d", status)
	}
	told := make(chan map[string]string, 1)
	go func() {
		_, got := a.asks(t, at+"?wait=60s", a.Door.Token)
		told <- got
	}()
	w.server.Settle(id, approval.Approved)
	select {
	case got := <-told:
		if got["status"] != "approved" && got["status"] != "executed" {
			t.Errorf("told %v", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the process is never told")
	}
	held.Wait()
	// A run of the same user that comes later meets the same approvals.
	if status, got := b.asks(t, at, b.Door.Token); status != 200 || got["status"] != "executed" || got["retry"] != "" {
		t.Errorf("afterwards: %d %v", status, got)
	}
	if status, _ := a.asks(t, "http://tameflare.invalid/approvals/apr_other", a.Door.Token); status != http.StatusNotFound {
		t.Errorf("no such approval: %d", status)
	}

	if err := a.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.stop()
	w.server.Lock()
	defer w.server.Unlock()
	var linked bool
	for _, e := range w.server.Entries {
		var entry audit.Traffic
		if err := json.Unmarshal(e.Entry, &entry); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(e.Entry), "tameflare.invalid") || strings.Contains(string(e.Entry), a.Door.Token) {
			t.Errorf("on record: %s", e.Entry)
		}
		if entry.Step == audit.Outcome && entry.Approval == id && entry.Status == 200 {
			linked = true
		}
	}
	if !linked {
		t.Error("what was sent is not linked to its approval")
	}
	if strings.Contains(w.log.String(), a.Door.Token) {
		t.Error("the token is in the log")
	}
}

func TestAGatewayGetsOnWithAnOlderServer(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.server.Lock()
	w.server.NoChanges = true
	w.server.Unlock()
	r := w.run(runs.Start{})
	var held sync.WaitGroup
	held.Go(func() {
		if status, _, _ := r.do(t, "PUT", "/repos/acme/site/pulls/7/merge"); status != 200 {
			t.Errorf("approved: %d", status)
		}
	})
	w.server.Settle(w.waiting(), approval.Approved)
	held.Wait()
}
