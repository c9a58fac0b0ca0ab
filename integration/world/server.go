package world

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

var client = &http.Client{Timeout: 30 * time.Second}

// StartServer starts the server and returns once it is ready.
func (w *World) StartServer(ctx context.Context) error {
	log, err := os.OpenFile(w.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own
	// Not bound to ctx: it ends with Close, also when ctx was only for the start.
	w.server, _ = w.Command(context.WithoutCancel(ctx), "tameflare-server")
	w.server.Stdout, w.server.Stderr = log, log
	if err := w.server.Start(); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	w.exited = make(chan error, 1)
	go func(exited chan<- error, wait func() error) { exited <- wait() }(w.exited, w.server.Wait)

	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !w.ready(ctx) {
		select {
		case err := <-w.exited:
			w.server = nil
			return fmt.Errorf("the server ended: %w\n%s", err, w.ServerLog())
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w\n%s", ctx.Err(), w.ServerLog())
		case <-tick.C:
		}
	}
	return nil
}

func (w *World) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Base+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode < 300
}

func (w *World) logFile() string { return w.Path(cmp.Or(w.log, "server.log")) }

// ServerLog returns what the server has logged.
func (w *World) ServerLog() string {
	said, err := os.ReadFile(w.logFile())
	if err != nil {
		return err.Error()
	}
	return string(said)
}

// KillServer ends the server as a crash would.
func (w *World) KillServer() error { return w.end(syscall.SIGKILL) }

// StopServer ends the server as an operator would. It fails where the server
// does not end well.
func (w *World) StopServer() error { return w.end(syscall.SIGTERM) }

func (w *World) end(sig syscall.Signal) error {
	if w.server == nil {
		return nil
	}
	// Ctrl-C in a terminal reaches the server too, so it may have ended by itself.
	if err := w.server.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := <-w.exited
	w.server = nil
	if sig == syscall.SIGKILL {
		return nil
	}
	return err
}

// API calls the server's API as the owner, and reads the answer into out.
func (w *World) API(ctx context.Context, method, path, body string, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, w.Base+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// SignInLink asks for a link that signs the owner in once.
func (w *World) SignInLink(ctx context.Context) (string, error) {
	var answer struct {
		URL string `json:"url"`
	}
	err := w.API(ctx, http.MethodPost, "/links/sign-in", "{}", &answer)
	return answer.URL, err
}

// Approval is what tests and demo read of an approval.
type Approval struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// Approvals lists approvals with the CLI.
func (w *World) Approvals(ctx context.Context) ([]Approval, error) {
	out, err := w.Do(ctx, "", "tameflare", "approvals", "ls", "--status", "all", "--json")
	if err != nil {
		return nil, err
	}
	var list []Approval
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	return list, nil
}

// WaitForPending returns the first approval that waits for a decision, as soon
// as there is one.
func (w *World) WaitForPending(ctx context.Context) (Approval, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := w.Approvals(ctx)
		if err != nil {
			return Approval{}, err
		}
		for _, a := range list {
			if a.Status == "pending" {
				return a, nil
			}
		}
		select {
		case <-ctx.Done():
			return Approval{}, fmt.Errorf("no request was held: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// ServerPID returns the server's process.
func (w *World) ServerPID() int { return w.server.Process.Pid }
