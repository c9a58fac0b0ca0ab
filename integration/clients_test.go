package integration_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/integration/world"
)

// asClient makes this test's own program a plain Go client, so that net/http
// is one of the clients that are tried.
const asClient = "TAMEFLARE_TEST_GO_CLIENT"

func goClient(url string) int {
	res, err := http.Get(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer res.Body.Close()
	if _, err := io.Copy(os.Stdout, res.Body); err != nil {
		return 1
	}
	return 0
}

// under runs command under the gateway "agent" and returns what it printed.
func under(t *testing.T, w *world.World, command ...string) (string, error) {
	t.Helper()
	return w.Do(t.Context(), "", "tameflare", w.RunArgs("agent", command...)...)
}

func python() string {
	if p := os.Getenv("PYTHON"); p != "" { // one that has requests
		return p
	}
	return "python3"
}

// node returns a script that asks for url. A Node that reads the proxy from
// the environment just fetches; an older one has to be told to tunnel, and
// still shows that it trusts the gateway's certificates.
func node(t *testing.T, url string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "node", "--version").Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	parts := strings.Split(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	major, _ := strconv.Atoi(parts[0])
	minor, _ := strconv.Atoi(parts[1])
	if major >= 24 || major == 22 && minor >= 21 {
		return `fetch(` + strconv.Quote(url) + `).then(r => r.text()).then(t => console.log(t))`
	}
	return `
const http = require('http'), https = require('https'), target = new URL(` + strconv.Quote(url) + `), proxy = new URL(process.env.https_proxy);
http.request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: target.hostname + ':443', headers: { host: target.hostname + ':443' } })
  .on('connect', (_, socket) => https.get({ socket, agent: false, host: target.hostname, servername: target.hostname, path: target.pathname }, r => r.pipe(process.stdout)))
  .end();`
}

func TestRealClientsGetTheCredentialAndCannotSeeIt(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "", standard)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const url = "https://api.github.com/user"
	for name, command := range map[string][]string{
		"curl, HTTP/1.1": {"curl", "-sS", "--http1.1", url},
		"curl, HTTP/2":   {"curl", "-sS", "--http2", url},
		"curl, own key":  {"curl", "-sS", "-H", "Authorization: Bearer ghp_own", url},
		"requests":       {python(), "-c", "import requests; print(requests.get('" + url + "').text)"},
		"urllib":         {python(), "-c", "import urllib.request; print(urllib.request.urlopen('" + url + "').read().decode())"},
		"Node":           {"node", "-e", node(t, url)},
		"Go":             {"env", asClient + "=" + url, self},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := under(t, w, command...)
			if err != nil || !strings.Contains(out, `"acme-bot"`) {
				t.Fatalf("out = %q, err = %v", out, err)
			}
		})
	}
	t.Cleanup(func() { // after all of them
		for _, seen := range w.GitHub.Seen() {
			if seen.Path == "/user" && (!seen.Effect || seen.Header.Get("Authorization") == "Bearer ghp_own") {
				t.Errorf("%s %s arrived without the credential", seen.Method, seen.Path)
			}
			for name := range seen.Header {
				if strings.HasPrefix(name, "X-Tameflare") || strings.HasPrefix(name, "Proxy-") || name == "Via" || name == "X-Forwarded-For" {
					t.Errorf("%s arrived with %s", seen.Path, name)
				}
			}
		}
	})
	t.Run("the child's environment", func(t *testing.T) {
		t.Parallel()
		out, err := under(t, w, "sh", "-c", "env; tr '\\0' '\\n' </proc/$PPID/environ; tr '\\0' ' ' </proc/$PPID/cmdline")
		if err != nil || !strings.Contains(out, "https_proxy=http://127.0.0.1:") {
			t.Fatalf("out = %q, err = %v", out, err)
		}
		if strings.Contains(out, w.GitHub.Token) {
			t.Error("the credential is in the child's environment")
		}
	})
}

func TestGitClonesAndPushesOverHTTPS(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "", standard)
	git := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+w.Path("home"), "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	bare := w.Path("repos/acme/site.git")
	if err := os.MkdirAll(bare, 0o700); err != nil {
		t.Fatal(err)
	}
	git(bare, "init", "-q", "--bare", "-b", "main")
	git(bare, "config", "http.receivepack", "true")
	seed, clone := filepath.Join(t.TempDir(), "seed"), filepath.Join(t.TempDir(), "clone")
	git(".", "init", "-q", "-b", "main", seed)
	git(seed, "commit", "-q", "--allow-empty", "-m", "first")
	git(seed, "push", "-q", bare, "main")

	if out, err := under(t, w, "git", "clone", "-q", "https://github.com/acme/site.git", clone); err != nil {
		t.Fatalf("clone: %v\n%s", err, out)
	}
	git(clone, "commit", "-q", "--allow-empty", "-m", "second")
	if out, err := under(t, w, "git", "-C", clone, "push", "-q", "origin", "main"); err != nil {
		t.Fatalf("push: %v\n%s", err, out)
	}
	log, err := exec.CommandContext(t.Context(), "git", "-C", bare, "log", "--format=%s", "main").Output()
	if err != nil || string(log) != "second\nfirst\n" {
		t.Errorf("log = %q, err = %v", log, err)
	}
	if n := w.GitHub.Effects("POST", "/acme/site.git/git-receive-pack"); n != 1 {
		t.Errorf("%d pushes arrived, want 1", n)
	}
}
