package cli_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// door is a server that signs command lines in. Answers says what the token
// endpoint answers, in order: a code of rest, or "" for a token.
type door struct {
	begun   chan rest.LoginRequest
	asked   chan rest.TokenRequest
	answers chan string
}

func newDoor(t *testing.T, answers ...string) (*door, *httptest.Server) {
	t.Helper()
	d := &door{begun: make(chan rest.LoginRequest, 1), asked: make(chan rest.TokenRequest, 10), answers: make(chan string, len(answers))}
	for _, a := range answers {
		d.answers <- a
	}
	me := rest.Me{User: rest.User{Email: "ana@x.test"}, Team: rest.Team{Name: "acme"}, Role: "admin"}
	send := func(w http.ResponseWriter, v any) {
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+rest.Prefix+"/logins", func(w http.ResponseWriter, r *http.Request) {
		var in rest.LoginRequest
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		d.begun <- in
		send(w, rest.LoginAnswer{ID: "login_1", URL: "https://flare.test/cli/login/login_1", ExpiresAt: time.Now().Add(time.Minute), UserCode: "BCDF-GHJK", DeviceURL: "https://flare.test/device", DeviceCode: "dev", Interval: 1})
	})
	mux.HandleFunc("POST "+rest.Prefix+"/logins/token", func(w http.ResponseWriter, r *http.Request) {
		var in rest.TokenRequest
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		d.asked <- in
		if code := <-d.answers; code != "" {
			w.WriteHeader(http.StatusBadRequest)
			send(w, rest.Problem{Problem: wire.Problem{Status: 400, Code: code, Detail: "The sign-in was refused in the browser."}})
			return
		}
		send(w, rest.TokenAnswer{Token: token, Me: me})
	})
	mux.HandleFunc("GET "+rest.Prefix+"/me", func(w http.ResponseWriter, r *http.Request) { send(w, me) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return d, server
}

// signIn starts tameflare login and returns it with what it says.
func signIn(t *testing.T, server *httptest.Server, args ...string) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append([]string{"login", "--host", server.URL}, args...)...)
	cmd.Env = append(newSite(t).env(), "TAMEFLARE_HOST=")
	said := &strings.Builder{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, said
}

// visit goes where the browser is sent, and returns the status.
func visit(t *testing.T, redirect string, query url.Values) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, redirect+"?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

func TestLoginWithTheBrowserOfThisMachine(t *testing.T) {
	t.Parallel()

	d, server := newDoor(t, "")
	cmd, said := signIn(t, server, "--no-browser")
	in := <-d.begun
	if in.Kind != team.LoopbackLogin || !strings.HasPrefix(in.RedirectURI, "http://127.0.0.1:") || in.State == "" || !strings.HasPrefix(in.Client, "tameflare v1.2.3 on ") {
		t.Errorf("begins with %+v", in)
	}
	// Somebody else's code is not taken.
	if status := visit(t, in.RedirectURI, url.Values{"code": {"evil"}, "state": {"guess"}}); status != http.StatusBadRequest {
		t.Errorf("a visit without the state: status %d, want 400", status)
	}
	if status := visit(t, in.RedirectURI, url.Values{"code": {"good"}, "state": {in.State}}); status != http.StatusOK {
		t.Errorf("status %d, want 200", status)
	}
	ask := <-d.asked
	sum := sha256.Sum256([]byte(ask.Verifier))
	if ask.Code != "good" || ask.RedirectURI != in.RedirectURI || base64.RawURLEncoding.EncodeToString(sum[:]) != in.Challenge {
		t.Errorf("asks with %+v for the challenge %s", ask, in.Challenge)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	words := strings.ReplaceAll(team.PairingWords(in.Challenge), " ", " · ")
	for _, want := range []string{"https://flare.test/cli/login/login_1", "Pairing words:  " + words, "Signed in to " + server.URL + " as ana@x.test"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("does not say %q: %s", want, said)
		}
	}
	if strings.Contains(said.String(), ask.Verifier) || strings.Contains(said.String(), token) {
		t.Errorf("says a secret: %s", said)
	}
}

func TestLoginRefusedInTheBrowserEndsWithFour(t *testing.T) {
	t.Parallel()

	d, server := newDoor(t)
	cmd, said := signIn(t, server, "--no-browser")
	in := <-d.begun
	visit(t, in.RedirectURI, url.Values{"error": {"access_denied"}, "state": {in.State}})
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 4 || !strings.Contains(said.String(), "refused in the browser") {
		t.Errorf("ended with %v: %s", err, said)
	}
}

func TestLoginWithACode(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		answers []string
		code    int
		says    string
	}{
		"confirmed after a while": {[]string{rest.AuthorizationPending, ""}, 0, "as ana@x.test"},
		"refused":                 {[]string{rest.AccessDenied}, 4, "refused in the browser"},
		"not confirmed in time":   {[]string{rest.AuthorizationPending, rest.ExpiredToken}, 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			d, server := newDoor(t, c.answers...)
			cmd, said := signIn(t, server, "--device")
			if in := <-d.begun; in.Kind != team.DeviceLogin || in.Challenge != "" {
				t.Errorf("begins with %+v", in)
			}
			_ = cmd.Wait() // its code is looked at below
			if got := cmd.ProcessState.ExitCode(); got != c.code || !strings.Contains(said.String(), c.says) || !strings.Contains(said.String(), "BCDF-GHJK") {
				t.Errorf("exit code %d, want %d: %s", got, c.code, said)
			}
			if ask := <-d.asked; ask.DeviceCode != "dev" || ask.Code != "" {
				t.Errorf("asks with %+v", ask)
			}
		})
	}
}
