package corpus_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/integration/standin"
)

func TestWhatWaitsForAPersonRunsOnceApproved(t *testing.T) {
	t.Parallel()

	s := open(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	bare, work := s.repository(t, "acme/careful")
	for _, tt := range []struct {
		name, script string
		those        func(standin.Sent) bool
	}{
		{"gh pr merge", "gh pr merge 12 --merge", merges},
		{"the automatic merge", "gh pr merge 13 --auto --merge", merges},
		{"git push", "git commit -q --allow-empty -m approved && git push origin HEAD:main HEAD:refs/heads/feature", pushes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.services.Take()
			type ended struct {
				out string
				err error
			}
			done := make(chan ended, 1)
			go func() {
				out, err := s.run(t, "careful", work, []string{"GH_REPO=acme/site"}, "sh", "-c", tt.script)
				done <- ended{out, err}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
			defer cancel()
			asked, err := s.WaitForPending(ctx)
			if err != nil {
				cancel()
				e := <-done
				t.Fatalf("%v: %v\n%s", err, e.err, e.out)
			}
			s.nothingSent(t, tt.those)
			if _, err := s.Do(t.Context(), "", "tameflare", "approvals", "approve", asked.ID, "--reason", "ticket 8812"); err != nil {
				t.Error(err)
			}
			if e := <-done; e.err != nil {
				t.Errorf("%v\n%s", e.err, e.out)
			}
			if n := s.count(t, tt.those); n != 1 {
				t.Errorf("it was done %d times, want 1", n)
			}
		})
	}
	if got := refs(t, bare); got["refs/heads/main"] != "approved" || got["refs/heads/feature"] != "approved" {
		t.Errorf("the refs are %v", got)
	}
}

// What a client could read of the real credentials, it could send elsewhere.
func TestNoClientSeesACredential(t *testing.T) {
	t.Parallel()

	s := open(t)
	out, err := s.run(t, "agent", t.TempDir(), nil, "sh", "-c", "env; tr '\\0' '\\n' </proc/$PPID/environ; tr '\\0' ' ' </proc/$PPID/cmdline")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for kind, key := range s.services.Keys {
		if strings.Contains(out, key) {
			t.Errorf("the credential of %s is in the environment", kind)
		}
	}
	for _, name := range []string{"GITHUB_TOKEN", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "STRIPE_API_KEY", "SLACK_BOT_TOKEN"} {
		if !strings.Contains(out, "\n"+name+"=") {
			t.Errorf("there is no dummy in %s", name)
		}
	}
}
