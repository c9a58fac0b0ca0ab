package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
)

// loopback signs in with the browser on this machine (RFC 8252, RFC 7636). The
// answer comes to a port that only this machine reaches, and is of no use
// without the verifier, which never leaves this process before.
func loopback(ctx context.Context, c *console.Console, api *apiclient.Client, noBrowser bool) (rest.TokenAnswer, error) {
	verifier, state := rand.Text()+rand.Text(), rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])

	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return rest.TokenAnswer{}, fmt.Errorf("wait for the browser: %w", err)
	}
	defer ln.Close()
	redirect := "http://" + ln.Addr().String() + "/callback"
	begun, err := apiclient.Post[rest.LoginAnswer](ctx, api, "/logins", nil, rest.LoginRequest{
		Kind: team.LoopbackLogin, Client: client(c), RedirectURI: redirect, State: state, Challenge: challenge,
	})
	if err != nil {
		return rest.TokenAnswer{}, err
	}
	// Our own words, not the server's: that they are the same is the point.
	words := strings.ReplaceAll(team.PairingWords(challenge), " ", " · ")
	if !noBrowser && open(c, begun.URL) {
		c.Say("%s Opening %s   (press Ctrl-C to cancel, or use --device)", console.Note, begun.URL)
	} else {
		c.Say("%s Open this in the browser of this machine, or use --device:\n  %s", console.Note, begun.URL)
	}
	c.Say("  Pairing words:  %s", words)

	ctx, cancel := context.WithDeadline(ctx, begun.ExpiresAt)
	defer cancel()
	code, err := callback(ctx, ln, state)
	if err != nil {
		return rest.TokenAnswer{}, err
	}
	return apiclient.Post[rest.TokenAnswer](ctx, api, "/logins/token", nil, rest.TokenRequest{Code: code, Verifier: verifier, RedirectURI: redirect})
}

// callback waits for the browser to bring the code. Who calls without the
// state is somebody else, and is not heard.
func callback(ctx context.Context, ln net.Listener, state string) (string, error) {
	type answer struct {
		code string
		err  error
	}
	answers := make(chan answer, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Connection", "close")
		q := r.URL.Query()
		a := answer{code: q.Get("code")}
		text := "You are signed in. You can close this tab and go back to the terminal."
		switch {
		case q.Get("state") != state:
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, "<!doctype html><title>TameFlare</title><p>This is not the sign-in that the terminal waits for.")
			return
		case q.Get("error") != "" || a.code == "":
			a.err = exit.With(exit.Auth, fault.New(fault.Unauthenticated, "The sign-in was refused in the browser.", nil))
			text = "The sign-in was refused. You can close this tab."
		}
		fmt.Fprint(w, "<!doctype html><title>TameFlare</title><p>"+text)
		select {
		case answers <- a:
		default:
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() { _ = server.Serve(ln) }() // ends with Shutdown below
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(last) // the browser has its page by then, or never
	}()
	select {
	case a := <-answers:
		return a.code, a.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return "", exit.With(exit.Auth, fault.New(fault.Expired, "Nobody confirmed the sign-in in time. Run tameflare login again.", nil))
		}
		return "", ctx.Err()
	}
}

// open shows an address in the user's browser, if there is one.
func open(c *console.Console, address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	name, args := "xdg-open", []string{u.String()}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "linux":
		if c.Getenv("DISPLAY") == "" && c.Getenv("WAYLAND_DISPLAY") == "" {
			return false
		}
	}
	if browser := c.Getenv("BROWSER"); browser != "" && !strings.ContainsAny(browser, " :%") {
		name = browser
	}
	cmd := exec.Command(name, args...) //nolint:noctx // it may outlive us
	if err := cmd.Start(); err != nil {
		return false
	}
	go func() { _ = cmd.Wait() }() // so that it does not stay a zombie
	return true
}
