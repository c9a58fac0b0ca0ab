package corpus_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository makes a bare repository of the name with a commit on main and on
// old, and a folder to work in that knows it as origin.
func (s *stage) repository(t *testing.T, name string) (bare, work string) {
	t.Helper()
	bare, work = s.Path("repos/"+name+".git"), t.TempDir()
	script := `set -e
git init -q --bare -b main "$1" && git -C "$1" config http.receivepack true
git init -q -b main "$2" && cd "$2" && git commit -q --allow-empty -m first && git push -q "$1" main main:old
git remote add origin "https://github.com/$3.git"`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script, "sh", bare, work, name)
	cmd.Env = append(os.Environ(), gitEnv(s)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", name, err, out)
	}
	return bare, work
}

// refs are those of a bare repository, each with the subject of its commit.
func refs(t *testing.T, bare string) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", bare, "for-each-ref", "--format=%(refname) %(subject)").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		ref, subject, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[ref] = subject
	}
	return all
}

func gitEnv(s *stage) []string {
	return []string{
		"HOME=" + s.Path("home"), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_AUTHOR_DATE=2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z",
	}
}

// gitCommands are what people type.
var gitCommands = []string{
	"git ls-remote -q origin",
	"git clone -q https://github.com/acme/site.git clone",
	"git clone -q --depth 1 https://github.com/acme/site.git shallow",
	"git fetch -q origin",
	"git push -q origin main:feature",
	"git commit -q --allow-empty -m second",
	"git push -q origin main",
	"git commit -q --allow-empty --amend -m third",
	"git push -q --force origin main",
	"git push -q --delete origin old",
	"git push -q origin main:one main:two",
	"git tag v1",
	"git push -q origin v1",
	"git push -q https://github.com/acme/site HEAD:refs/heads/three",
	"git -C clone fetch -q origin",
}

func TestGitWorksUnmodifiedWithADummyKey(t *testing.T) {
	t.Parallel()

	s := open(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	bare, work := s.repository(t, "acme/site")
	s.services.Take()
	out, err := s.run(t, "agent", work, nil, "sh", "-c", sayRun+strings.Join(gitCommands, " &&\n"))
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	got := refs(t, bare)
	for ref, subject := range map[string]string{
		"refs/heads/main": "third", "refs/heads/feature": "first", "refs/heads/old": "", "refs/heads/one": "third", "refs/heads/two": "third", "refs/tags/v1": "third", "refs/heads/three": "third",
	} {
		if got[ref] != subject {
			t.Errorf("%s is %q, want %q", ref, got[ref], subject)
		}
	}
	if _, err := os.Stat(filepath.Join(work, "clone", ".git")); err != nil {
		t.Error(err)
	}
	s.sentAsRecorded(t, "git", runOf(out))
}

// curlCommands are what people and agents type, in the forms that curl has.
var curlCommands = []string{
	`curl -sS -f -o /dev/null https://api.github.com/repos/acme/site`,
	`curl -sS -f -o /dev/null -X PUT -H "Authorization: token $GITHUB_TOKEN" -d '{"merge_method":"rebase"}' https://api.github.com/repos/acme/site/pulls/12/merge`,
	`curl -sS -f -o /dev/null -u "x:$GITHUB_TOKEN" --json '{"title":"Broken"}' https://api.github.com/repos/acme/site/issues`,
	`curl -sS -f -o /dev/null -X DELETE https://api.github.com/repos/acme/site/git/refs/heads/feature`,
	`curl -sS -f -o /dev/null -T asset.txt -X POST 'https://uploads.github.com/repos/acme/site/releases/77/assets?name=asset.txt'`,
	`curl -sS -f -o /dev/null -H "Authorization: Bearer $OPENAI_API_KEY" -H 'Content-Type: application/json' -d '{"model":"gpt-5.2","messages":[]}' https://api.openai.com/v1/chat/completions`,
	`curl -sS -f -o /dev/null -H "Authorization: Bearer $OPENAI_API_KEY" -F purpose=batch -F file=@asset.txt https://api.openai.com/v1/files`,
	`curl -sS -f -o /dev/null -H "x-api-key: $ANTHROPIC_API_KEY" -H 'anthropic-version: 2023-06-01' --json '{"model":"claude-sonnet-4-5","max_tokens":20,"messages":[]}' https://api.anthropic.com/v1/messages`,
	`curl -sS -f -o /dev/null -u "$STRIPE_API_KEY:" -d amount=2000 -d currency=eur -d 'metadata[order]=17' https://api.stripe.com/v1/payment_intents`,
	`curl -sS -f -o /dev/null -u "$STRIPE_API_KEY:" -G -d limit=3 https://api.stripe.com/v1/charges`,
	`curl -sS -f -o /dev/null --http1.1 -H "Authorization: Bearer $SLACK_BOT_TOKEN" --json '{"channel":"C012AB3CD","text":"hello"}' https://slack.com/api/chat.postMessage`,
	`curl -sS -f -o /dev/null -H "Authorization: Bearer $SLACK_BOT_TOKEN" 'https://slack.com/api/conversations.history?channel=C012AB3CD'`,
	`curl -sS -f -o /dev/null -H "Authorization: bearer $GITHUB_TOKEN" -d '{"query":"query { viewer { login } }"}' https://api.github.com/graphql`,
}

func TestCurlWorksWithADummyKey(t *testing.T) {
	t.Parallel()

	s := open(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services.Take()
	out, err := s.run(t, "agent", t.TempDir(), nil, "sh", "-c", sayRun+"set -x; echo hello >asset.txt &&\n"+strings.Join(curlCommands, " &&\n"))
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	s.sentAsRecorded(t, "curl", runOf(out))
}
