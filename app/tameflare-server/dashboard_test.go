package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

func call(t *testing.T, url, token string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestTokenOfTheConsoleOpensTheAPI(t *testing.T) {
	t.Parallel()

	data := t.TempDir()
	e := env("TAMEFLARE_DATA_DIR", data)
	if code, _, talk := exec(t, "correct horse battery", e, "user", "add", "--email", "ana@example.org", "--role", "owner", "--password-stdin"); code != 0 {
		t.Fatal(talk)
	}
	_, token, _ := exec(t, "", e, "token", "add", "--email", "ana@example.org")
	r := start(t, "TAMEFLARE_DATA_DIR", data)
	if status, body := call(t, r.url+"/api/v1/me", strings.TrimSpace(token)); status != http.StatusOK || !strings.Contains(body, "ana@example.org") {
		t.Errorf("%d, %s", status, body)
	}
	if status, body := call(t, r.url+"/api/v1/me", ""); status != http.StatusUnauthorized || strings.Contains(body, "ana@") {
		t.Errorf("without it: %d, %s", status, body)
	}
	if strings.Contains(r.said, "first account") {
		t.Errorf("it asks for another owner:\n%s", r.said)
	}
}

// The pages and the API are on one port, and each answers for its own paths.
func TestPagesAndAPIAreWired(t *testing.T) {
	t.Parallel()

	r := start(t, "TAMEFLARE_DATA_DIR", t.TempDir())
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/livez":         {http.StatusNoContent, ""},
		"/readyz":        {http.StatusNoContent, ""},
		"/":              {http.StatusOK, "password"}, // leads to the form for the first account
		"/register":      {http.StatusOK, "password"},
		"/nothing":       {http.StatusNotFound, "<html"},
		"/api/v1/status": {http.StatusUnauthorized, `"code":"unauthenticated"`},
		"/api/v1/none":   {http.StatusNotFound, `"code":"not_found"`},
	} {
		if status, body := call(t, r.url+path, ""); status != want.status || !strings.Contains(body, want.says) {
			t.Errorf("%s: %d, want %d with %q: %.300s", path, status, want.status, want.says, body)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/sign-in", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("under another name: %s", resp.Status)
	}
}

// A browser registers, is signed in by its cookie, and signs out.
func TestFirstOwnerRegistersInTheBrowser(t *testing.T) {
	t.Parallel()

	r := start(t, "TAMEFLARE_DATA_DIR", t.TempDir())
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	post := func(path string, form url.Values) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	resp := post("/register", url.Values{"email": {"ana@example.org"}, "name": {"Ana"}, "password": {"correct horse battery"}, "team": {"Acme"}})
	if resp.StatusCode != http.StatusOK || strings.HasSuffix(resp.Request.URL.Path, "/register") {
		t.Fatalf("registered to %s: %s", resp.Request.URL, resp.Status)
	}
	at, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	if cookies := jar.Cookies(at); len(cookies) != 1 || cookies[0].Name != "tameflare" {
		t.Errorf("cookies: %v", cookies)
	}
	page, err := browser.Get(r.url + "/vault")
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	if page.StatusCode != http.StatusOK || page.Request.URL.Path != "/vault" {
		t.Errorf("signed in: %s at %s", page.Status, page.Request.URL.Path)
	}
	post("/sign-out", nil)
	if page, err = browser.Get(r.url + "/vault"); err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	if page.Request.URL.Path != "/sign-in" {
		t.Errorf("signed out, and at %s", page.Request.URL.Path)
	}
}

// A stream would otherwise keep the server from stopping for all of the budget.
func TestStreamsEndWhenTheServerStops(t *testing.T) {
	t.Parallel()

	data := t.TempDir()
	e := env("TAMEFLARE_DATA_DIR", data)
	if code, _, talk := exec(t, "correct horse battery", e, "user", "add", "--email", "ana@example.org", "--role", "owner", "--password-stdin"); code != 0 {
		t.Fatal(talk)
	}
	_, token, _ := exec(t, "", e, "token", "add", "--email", "ana@example.org")
	r := start(t, "TAMEFLARE_DATA_DIR", data)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/api/v1/requests/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	began := time.Now()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > shutdownBudget/2 {
		t.Errorf("stopping took %v", took)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("the stream was cut, not ended: %v", err)
	}
}
