package integration_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/integration/world"
)

// A secret in the vault is found nowhere else after a full run: in no file of
// server, gateway or CLI, in no process, page, export or answer.
func TestTheSecretIsNowhereElse(t *testing.T) {
	t.Parallel()

	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		lookEverywhere(t, newWorld(t, "", standard), nil)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := storetest.Postgres(t)
		lookEverywhere(t, newWorld(t, url, standard), func() []byte {
			out, err := dump(t, url)
			if err != nil {
				t.Fatalf("pg_dump: %v\n%s", err, out)
			}
			return out
		})
	})
}

func lookEverywhere(t *testing.T, w *world.World, dump func() []byte) {
	canary := w.GitHub.Token
	forms := map[string]string{
		"plain": canary, "base64": base64.StdEncoding.EncodeToString([]byte(canary)), "base64 URL": base64.RawURLEncoding.EncodeToString([]byte(canary)),
		"hex": hex.EncodeToString([]byte(canary)), "the Basic login": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte("x-access-token:"+canary)), "="),
	}
	look := func(where string, b []byte) {
		t.Helper()
		for form, text := range forms {
			if bytes.Contains(b, []byte(text)) {
				t.Errorf("the secret (%s) is in %s", form, where)
			}
		}
	}

	// A full run: allowed, denied, held and approved, unauthorised at the service.
	out, err := under(t, w, "sh", "-c", `
		curl -sSv https://api.github.com/user 2>&1; curl -sSv -X DELETE https://api.github.com/repos/acme/site 2>&1
		curl -sSv https://api.github.com/nothing 2>&1; curl -sSv https://elsewhere.example/ 2>&1; env`)
	if err != nil || !strings.Contains(out, "acme-bot") {
		t.Fatalf("out = %q, err = %v", out, err)
	}
	look("what the child saw", []byte(out))
	asked := askForMerge(t, w)
	approve(t, w, pending(t, w).ID)
	body, status := asked.answer()
	if status != "200" {
		t.Fatalf("merge: %s %s", status, body)
	}
	look("the merge's answer", []byte(body))
	if w.GitHub.Effects("GET", "/user") != 1 {
		t.Fatal("the secret never reached the service: the test looks for nothing")
	}

	for _, command := range [][]string{
		{"export"}, {"status", "--json"}, {"gateway", "status", "--json"}, {"approvals", "ls", "--json"}, {"tail", "--json", "--follow=false"}, {"ca", "show"},
	} {
		out, err := w.Do(t.Context(), "", "tameflare", command...)
		if err != nil && out == "" {
			t.Errorf("%v: %v", command, err)
		}
		look("tameflare "+strings.Join(command, " "), []byte(out))
	}
	for page, html := range pages(t, w) {
		look(page, html)
	}
	processes(t, w, look)
	if dump != nil {
		look("the database", dump())
	}
	if err := w.StopServer(); err != nil { // so that all of the database is in its file
		t.Error(err)
	}
	n := 0
	err = filepath.WalkDir(w.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		n++
		look(strings.TrimPrefix(path, w.Dir), b)
		return err
	})
	if err != nil || n < 8 {
		t.Errorf("looked into %d files: %v", n, err)
	}
}

// pages fetches the dashboard's pages as the owner, by following links.
func pages(t *testing.T, w *world.World) map[string][]byte {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	res, err := browser.PostForm(w.Base+"/sign-in", url.Values{"email": {world.Email}, "password": {w.Password}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	found := map[string][]byte{}
	for todo := []string{"/"}; len(todo) > 0; todo = todo[1:] {
		if found[todo[0]] != nil || len(found) > 60 {
			continue
		}
		res, err := browser.Get(w.Base + todo[0])
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, err = b.ReadFrom(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode >= 500 {
			t.Errorf("%s: %s, %v", todo[0], res.Status, err)
		}
		found[todo[0]] = b.Bytes()
		for _, part := range strings.Split(b.String(), `href="/`)[1:] {
			path, _, _ := strings.Cut(part, `"`)
			if !strings.HasPrefix(path, "static") && !strings.HasPrefix(path, "events") {
				todo = append(todo, "/"+strings.ReplaceAll(path, "&amp;", "&"))
			}
		}
	}
	if len(found) < 8 {
		t.Errorf("only %d pages were found", len(found))
	}
	return found
}

// processes looks into the command line and environment of each process that
// belongs to this installation.
func processes(t *testing.T, w *world.World, look func(string, []byte)) {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, dir := range entries {
		env, err := os.ReadFile(dir + "/environ")
		if err != nil || !bytes.Contains(env, []byte(w.Dir)) {
			continue // gone, or not ours
		}
		n++
		look(dir+"/environ", env)
		if line, err := os.ReadFile(dir + "/cmdline"); err == nil {
			look(dir+"/cmdline", line)
		}
	}
	if n < 2 { // server and gateway
		t.Errorf("only %d processes belong to the installation", n)
	}
}
