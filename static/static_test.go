package static

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func get(t *testing.T, method, path string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.Header = header
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	res := w.Result()
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestEveryFileIsServedUnderItsHashAndMayBeKept(t *testing.T) {
	t.Parallel()
	if len(Names()) < 6 {
		t.Fatalf("only %v are embedded", Names())
	}
	for _, name := range Names() {
		want, err := os.ReadFile(filepath.Join("files", name))
		if err != nil {
			t.Fatal(err)
		}
		res := get(t, http.MethodGet, Path(name), http.Header{})
		got, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK || string(got) != string(want) {
			t.Errorf("%s: status %d, %d bytes, want %d", name, res.StatusCode, len(got), len(want))
		}
		if got, want := res.Header.Get("Cache-Control"), "public, max-age=31536000, immutable"; got != want {
			t.Errorf("%s: Cache-Control %q, want %q", name, got, want)
		}
		if got, want := res.Header.Get("Content-Type"), contentTypes[filepath.Ext(name)]; got != want {
			t.Errorf("%s: Content-Type %q, want %q", name, got, want)
		}
		if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options %q", name, got)
		}
	}
}

func TestOnlyHashedNamesAreFound(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method, path string
		want         int
	}{
		"the plain name":      {"GET", "/static/app.css", 404},
		"another hash":        {"GET", "/static/app.000000000000.css", 404},
		"the folder":          {"GET", "/static/", 404},
		"the folder's name":   {"GET", "/static", 404},
		"a way out":           {"GET", "/static/../static.go", 404},
		"the build files":     {"GET", "/static/build/package.json", 404},
		"a hash without root": {"GET", strings.TrimPrefix(Path("app.css"), "/static"), 404},
		"posting":             {"POST", Path("app.css"), 405},
		"head":                {"HEAD", Path("app.css"), 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := get(t, tt.method, tt.path, http.Header{}).StatusCode; got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}
}

func TestGzipIsSentToThoseWhoAcceptIt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		accept string
		want   string
	}{
		"browsers":        {"gzip, deflate, br, zstd", "gzip"},
		"with a weight":   {"br;q=1.0, gzip;q=0.5", "gzip"},
		"refused":         {"gzip;q=0, identity", ""},
		"refused finely":  {"gzip; q=0.000", ""},
		"another spelled": {"xgzip", ""},
		"nothing":         {"", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := get(t, http.MethodGet, Path("app.css"), http.Header{"Accept-Encoding": {tt.accept}})
			if got := res.Header.Get("Content-Encoding"); got != tt.want {
				t.Fatalf("Content-Encoding %q, want %q", got, tt.want)
			}
			if got := res.Header.Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("Vary %q", got)
			}
			body := io.Reader(res.Body)
			if tt.want == "gzip" {
				z, err := gzip.NewReader(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				body = z
			}
			got, err := io.ReadAll(body)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("files/app.css")
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("%d bytes, want %d", len(got), len(want))
			}
		})
	}
}

func TestAKnownTagIsAnsweredWithout(t *testing.T) {
	t.Parallel()
	first := get(t, http.MethodGet, Path("app.js"), http.Header{})
	again := get(t, http.MethodGet, Path("app.js"), http.Header{"If-None-Match": {first.Header.Get("ETag")}})
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("status %d, want 304", again.StatusCode)
	}
}

func TestAnUnknownNameIsASlip(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("Path of an unknown file did not panic")
		}
	}()
	Path("nothing.css")
}

func TestAHashFollowsTheContent(t *testing.T) {
	t.Parallel()
	hashed := func(content string) string {
		a, err := load(fstest.MapFS{"d/a.css": {Data: []byte(content)}}, "d")
		if err != nil {
			t.Fatal(err)
		}
		return a.byName["a.css"].hashed
	}
	if hashed("a{}") == hashed("b{}") {
		t.Error("two contents have one name")
	}
	// The first twelve digits of the content's SHA-256.
	if diff := cmp.Diff("a.5f546eb4606b.css", hashed("a{}")); diff != "" {
		t.Error(diff)
	}
}

func TestAStrayKindOfFileIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := load(fstest.MapFS{"d/notes.txt": {Data: []byte("x")}}, "d"); err == nil {
		t.Error("a text file was taken")
	}
}

// The content security policy forbids eval and inline script, and nothing may be fetched from elsewhere.
func TestTheFilesKeepToThePolicy(t *testing.T) {
	t.Parallel()
	elsewhere := regexp.MustCompile(`(?:url\(\s*["']?|@import\s+["'])(?:https?:)?//`)
	for _, name := range Names() {
		f := loaded().byName[name]
		if m := elsewhere.Find(f.plain); m != nil {
			t.Errorf("%s fetches from another origin: %s", name, m)
		}
		if strings.Contains(string(f.plain), "sourceMappingURL") {
			t.Errorf("%s points to a source map that is not shipped", name)
		}
	}
	own := string(loaded().byName["app.js"].plain)
	for _, word := range []string{"eval(", "new Function", "innerHTML", "document.write"} {
		if strings.Contains(own, word) {
			t.Errorf("app.js uses %s", word)
		}
	}
}

func TestEveryListedIconIsInTheSprite(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("build/icons.txt")
	if err != nil {
		t.Fatal(err)
	}
	sprite := string(loaded().byName["icons.svg"].plain)
	n := 0
	for line := range strings.Lines(string(list)) {
		icon := strings.TrimSpace(line)
		if icon == "" || strings.HasPrefix(icon, "#") {
			continue
		}
		n++
		if !strings.Contains(sprite, `<symbol id="`+icon+`" viewBox="0 0 24 24"><`) {
			t.Errorf("icon %s is listed and not in the sprite: run make generate", icon)
		}
	}
	if n < 40 {
		t.Errorf("only %d icons are listed", n)
	}
}

func TestTheCommittedFilesAreOfTheCommittedSources(t *testing.T) {
	t.Parallel()
	theme, err := filepath.Glob("build/theme/*.css")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, name := range append([]string{"build/app.css", "build/build.mjs", "build/editor.js", "build/icons.txt", "build/package-lock.json"}, theme...) {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write([]byte(strings.TrimPrefix(name, "build/") + "\n"))
		sum.Write(body)
	}
	want, err := os.ReadFile("build/made-from.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != strings.TrimSpace(string(want)) {
		t.Errorf("static/build has changed since static/files was made: run make generate")
	}
}
