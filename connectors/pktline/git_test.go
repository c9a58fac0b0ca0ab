package pktline_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// server is a git server on loopback: the one that comes with git, on bare
// repositories below a directory.
type server struct {
	*httptest.Server
	repos string

	mu     sync.Mutex
	seen   []seen
	answer answer
}

// answer may answer a request in place of git.
type answer func(w http.ResponseWriter, r *http.Request, body []byte) bool

// seen is the body of a POST, and what it was for.
type seen struct {
	service, protocol string
	body              []byte
}

func newServer(t testing.TB) *server {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), "git", "--exec-path").Output()
	if err != nil {
		t.Fatalf("find git: %v", err)
	}
	s := &server{repos: t.TempDir()}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Env:  append(environment(t), "GIT_PROJECT_ROOT="+s.repos, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=agent"),
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read %s: %v", r.URL, err)
		}
		plain := body
		if r.Header.Get("Content-Encoding") == "gzip" {
			plain = unzip(t, body)
		}
		s.mu.Lock()
		answer := s.answer
		if r.Method == http.MethodPost {
			s.seen = append(s.seen, seen{filepath.Base(r.URL.Path), r.Header.Get("Git-Protocol"), plain})
		}
		s.mu.Unlock()
		if answer != nil && answer(w, r, plain) {
			return
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func unzip(t testing.TB, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Errorf("gzip: %v", err)
		return nil
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Errorf("gzip: %v", err)
	}
	return plain
}

// instead has a answer from now on.
func (s *server) instead(a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = a
}

// take returns what was posted since it was last called.
func (s *server) take() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.seen
	s.seen = nil
	return all
}

// environment is that of a git which reads nobody's configuration.
func environment(t testing.TB) []string {
	t.Helper()
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
	}
}

// git runs git in dir, and returns what it printed and whether it ended well.
func git(t testing.TB, dir string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Env = dir, environment(t)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func mustGit(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, ok := git(t, dir, args...)
	if !ok {
		t.Fatalf("git %q: %s", args, out)
	}
	return strings.TrimSpace(out)
}

// repository makes the bare repository site on the server, and one with a
// commit on main whose origin it is. It returns the latter.
func (s *server) repository(t testing.TB, args ...string) string {
	t.Helper()
	bare := filepath.Join(s.repos, "site.git")
	mustGit(t, s.repos, append([]string{"init", "--quiet", "--bare", "--initial-branch=main"}, append(args, bare)...)...)
	for _, setting := range []string{"receive.advertisePushOptions", "uploadpack.allowFilter"} {
		mustGit(t, bare, "config", setting, "true")
	}
	mustGit(t, bare, "config", "receive.certNonceSeed", "seed")
	work := t.TempDir()
	mustGit(t, work, append([]string{"init", "--quiet", "--initial-branch=main"}, args...)...)
	mustGit(t, work, "remote", "add", "origin", s.URL+"/site.git")
	mustGit(t, work, "commit", "--quiet", "--allow-empty", "--message=first")
	return work
}
