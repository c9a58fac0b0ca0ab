package corpus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/integration/standin"
)

// soon is how long a client may take to say that it was refused. Some try
// again what they take for a failure, for half an hour.
const soon = 20 * time.Second

func TestRefusedSDKsPrintOurSentenceSoon(t *testing.T) {
	t.Parallel()

	s := open(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	for client, operations := range map[string][]string{
		"octokit":   {"merge", "graphql merge"},
		"openai":    {"chat", "chat, streamed", "file upload"},
		"anthropic": {"message", "message, streamed", "batch delete"},
		"stripe":    {"refund", "customer delete"},
		"slack":     {"message", "file upload"},
	} {
		t.Run(client, func(t *testing.T) {
			s.services.Take()
			for _, o := range s.sdk(t, "strict", client, operations...) {
				if o.OK || !strings.Contains(o.Error, sentence) {
					t.Errorf("%s: ok = %t, error = %q", o.Name, o.OK, o.Error)
				}
				if took := time.Duration(o.MS) * time.Millisecond; took > soon {
					t.Errorf("%s took %s", o.Name, took)
				}
			}
			s.nothingSent(t, func(standin.Sent) bool { return true })
		})
	}
}

// nothingSent fails for every request that was sent and that is one of those.
func (s *stage) nothingSent(t *testing.T, those func(standin.Sent) bool) {
	t.Helper()
	if n := s.count(t, those); n != 0 {
		t.Errorf("%d requests got through", n)
	}
}

// count returns how many of the requests that were sent since it was last
// looked at are of those.
func (s *stage) count(t *testing.T, those func(standin.Sent) bool) (n int) {
	t.Helper()
	sent, problems := s.services.Take()
	for _, p := range problems {
		t.Error(p)
	}
	for _, r := range sent {
		if those(r) {
			t.Logf("sent: %s %s%s %.200q", r.Method, r.Host, r.URL.Path, r.Content)
			n++
		}
	}
	return n
}

// merges reports whether a pull request would be merged, now or later.
func merges(r standin.Sent) bool {
	body := string(r.Content)
	return strings.HasSuffix(r.URL.Path, "/merge") || strings.Contains(body, "mergePullRequest") || strings.Contains(body, "enablePullRequestAutoMerge")
}

// mergers are all the ways to merge that gh and curl have.
var mergers = map[string]string{
	"the command":             `gh pr merge 12 --merge`,
	"as soon as it can":       `gh pr merge 13 --auto --merge`,
	"REST":                    `gh api --silent -X PUT ` + mergePath,
	"aliases and fragments":   `gh api --silent graphql -F id=PR_1 -F how=SQUASH -f query='` + manyMerges + `'`,
	"beside a query, batched": `curl -sS --json '[{"query":"{ viewer { login } }"},{"query":"mutation($i:MergePullRequestInput!){ x: mergePullRequest(input:$i){ clientMutationId } }","variables":{"i":{"pullRequestId":"PR_1"}}}]' https://api.github.com/graphql`,
	"one of two operations":   `curl -sS --json '{"operationName":"B","query":"query A { viewer { login } } mutation B { mergePullRequest(input:{pullRequestId:\"PR_1\"}) { clientMutationId } }"}' https://api.github.com/graphql`,
}

func TestEveryWayToMergeStopsAtOneRule(t *testing.T) {
	t.Parallel()

	s := open(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services.Take()
	script := "git init -q && git remote add origin https://github.com/acme/site.git\n"
	for name, command := range mergers {
		script += "echo '== " + name + "'; " + command + "; echo\n"
	}
	out, err := s.run(t, "strict", t.TempDir(), []string{"GH_REPO=acme/site"}, "sh", "-c", script)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said := map[string]string{}
	for _, part := range strings.Split(out, "== ") {
		name, text, _ := strings.Cut(part, "\n")
		said[name] = text
	}
	for name := range mergers {
		if !strings.Contains(said[name], sentence) {
			t.Errorf("%s: it says %q", name, said[name])
		}
	}
	s.nothingSent(t, merges)
}

// pushes counts the pushes that arrived.
func pushes(r standin.Sent) bool {
	return r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/git-receive-pack")
}

func TestAPushStopsAtARuleForItsRef(t *testing.T) {
	t.Parallel()

	s := open(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	bare, work := s.repository(t, "acme/strict")
	s.services.Take()
	push := func(gateway, refspecs string) (string, error) {
		return s.run(t, gateway, work, nil, "sh", "-c", "git commit -q --allow-empty -m more && git push origin "+refspecs)
	}
	if out, err := push("strict", "HEAD:refs/heads/feature"); err != nil || refs(t, bare)["refs/heads/feature"] != "more" {
		t.Errorf("a feature branch: %v\n%s", err, out)
	}
	if n := s.count(t, pushes); n != 1 {
		t.Errorf("%d pushes arrived, want 1", n)
	}
	for name, refspecs := range map[string]string{
		"main":             "HEAD:main",
		"main, with force": "+HEAD:main",
		"main and another": "HEAD:refs/heads/other HEAD:main",
		"main, deleted":    ":main",
		"main, atomically": "--atomic HEAD:main HEAD:refs/heads/other",
	} {
		out, err := push("strict", refspecs)
		if err == nil || !strings.Contains(out, "remote rejected") || !strings.Contains(out, sentence) {
			t.Errorf("%s: err = %v, it says\n%s", name, err, out)
		}
	}
	s.nothingSent(t, pushes)
	if got := refs(t, bare); got["refs/heads/main"] != "first" || got["refs/heads/other"] != "" {
		t.Errorf("the refs are %v", got)
	}
}
