package main

import (
	"regexp"
	"strings"
	"testing"
)

func exec(t *testing.T, stdin string, environment func(string) string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, talk strings.Builder
	p := program{getenv: environment, stdin: strings.NewReader(stdin), stdout: &out, stderr: &talk}
	code = p.run(t.Context(), args)
	return code, out.String(), talk.String()
}

func TestConsole(t *testing.T) {
	t.Parallel()

	e := env("TAMEFLARE_DATA_DIR", t.TempDir())
	const secret = "correct horse battery"
	code, out, talk := exec(t, secret+"\n", e, "user", "add", "--email", "ana@example.org", "--role", "owner", "--password-stdin")
	if code != 0 || out != "" || !strings.Contains(talk, "Added ana@example.org as owner") || strings.Contains(talk, secret) {
		t.Fatalf("user add: %d, %q, %q", code, out, talk)
	}
	code, out, talk = exec(t, "", e, "token", "add", "--email", "ana@example.org")
	if code != 0 || !regexp.MustCompile(`^tfc_[0-9A-Za-z]{49}\n$`).MatchString(out) || strings.Contains(talk, strings.TrimSpace(out)) {
		t.Fatalf("token add: %d, %q, %q", code, out, talk)
	}
	for name, c := range map[string]struct {
		stdin string
		args  []string
		code  int
		says  string
	}{
		"no such command":   {"", []string{"fly"}, 2, `no command "fly"`},
		"half a command":    {"", []string{"user"}, 2, `no command "user"`},
		"no address":        {secret, []string{"user", "add", "--password-stdin"}, 2, "give --email"},
		"password in args":  {"", []string{"user", "add", "--email", "b@example.org", "--password", secret}, 2, "not defined: -password"},
		"no such role":      {secret, []string{"user", "add", "--email", "b@example.org", "--role", "root", "--password-stdin"}, 1, "owner, admin, member or viewer"},
		"short password":    {"short", []string{"user", "add", "--email", "b@example.org", "--password-stdin"}, 1, "12 characters"},
		"twice":             {secret, []string{"user", "add", "--email", "ana@example.org", "--password-stdin"}, 1, "has an account"},
		"nobody's token":    {"", []string{"token", "add", "--email", "b@example.org"}, 1, "no account"},
		"too much":          {"", []string{"token", "add", "--email", "ana@example.org", "x"}, 2, `"x" is too much`},
		"serve with a word": {"", []string{"serve", "x"}, 2, `"x" is too much`},
	} {
		if code, out, talk := exec(t, c.stdin, e, c.args...); code != c.code || out != "" || !strings.Contains(talk, c.says) {
			t.Errorf("%s: %d, %q, %q", name, code, out, talk)
		}
	}
	if code, out, _ := exec(t, "", e, "version"); code != 0 || !strings.HasPrefix(out, "tameflare-server ") {
		t.Errorf("version: %d, %q", code, out)
	}
}

func TestConsoleSaysThatTheServerRuns(t *testing.T) {
	t.Parallel()

	data := t.TempDir()
	start(t, "TAMEFLARE_DATA_DIR", data)
	code, _, talk := exec(t, "", env("TAMEFLARE_DATA_DIR", data), "token", "add", "--email", "ana@example.org")
	if code != 1 || !strings.Contains(talk, "is using this database") {
		t.Errorf("%d, %q", code, talk)
	}
}
