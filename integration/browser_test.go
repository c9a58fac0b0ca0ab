package integration_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tameflare/tameflare/integration/world"
)

// browser opens a headless Chromium of its own for t.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	if path == "" {
		path = "chromium"
	}
	ctx, cancel := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		// Nothing but the page under test: Chromium's own requests would be refused, many at a time.
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-quic", true), chromedp.WindowSize(1280, 860),
	))
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func do(ctx context.Context, t *testing.T, what string, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		page, _ := chromedp.Run(context.WithoutCancel(ctx), chromedp.Text(chromedp.CSS("body")))
		t.Fatalf("%s: %v\n%s", what, err, page)
	}
}

// text returns what element says.
func text(ctx context.Context, t *testing.T, element string) string {
	t.Helper()
	s, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(element)))
	if err != nil {
		t.Fatalf("%s: %v", element, err)
	}
	return s
}

// picture saves a picture of the page, where pictures are wanted.
func picture(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("SCREENSHOTS_DIR")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The whole job, as a newcomer does it: register, set up a gateway, sign in the
// command line, run something that needs approval, approve it, find it again.
func TestBrowserFromRegistrationToTraffic(t *testing.T) {
	t.Parallel()

	w, err := world.New(programs, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		log := w.ServerLog()
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if t.Failed() {
			t.Logf("server log:\n%s", log)
		}
	})
	if err := w.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	css := func(s string) chromedp.CSS { return chromedp.CSS(s) }

	do(ctx, t, "register",
		chromedp.Navigate(w.Base+"/"),
		chromedp.WaitVisible(css(`input[name=team]`)),
		chromedp.SendKeys(css(`input[name=name]`), "Ana Owner"),
		chromedp.SendKeys(css(`input[name=email]`), "ana@example.com"),
		chromedp.SendKeys(css(`input[name=password]`), "a sentence is good"),
		chromedp.SendKeys(css(`input[name=team]`), "acme"),
		chromedp.Click(css(`main button.btn, form.form button.btn`)),
		chromedp.WaitVisible(css(`a[href="/gateways"]`)),
	)
	picture(ctx, t, "overview-first")
	do(ctx, t, "wizard: name",
		chromedp.Navigate(w.Base+"/gateways/new"),
		chromedp.SendKeys(css(`input[name=name]`), "deploy-bot"),
		chromedp.SendKeys(css(`input[name=environment]`), "production"),
		chromedp.Click(css(`form.form .actions button.btn`)),
		chromedp.WaitVisible(css(`input[name=secret]`)),
	)
	do(ctx, t, "wizard: connector",
		chromedp.SendKeys(css(`input[name=secret]`), w.GitHub.Token),
		chromedp.Click(css(`form.form .actions button.btn`)),
		chromedp.WaitNotPresent(css(`input[name=secret]`)),
		chromedp.Click(css(`.actions a.btn[href$="/access"]`)),
		chromedp.WaitVisible(css(`input[name="github.preset"]`)),
	)
	do(ctx, t, "wizard: access",
		chromedp.Click(css(`input[name="github.preset"][value="read_only"]`)),
		chromedp.Click(css(`details:not([open]) > summary`), chromedp.AtLeast(0)),
		chromedp.SendKeys(css(`input[name="github.pattern"]`), "github.pr.merge"),
		chromedp.SendKeys(css(`input[name="github.reason"]`), "Somebody looks at every merge."),
		chromedp.Click(css(`form.form .actions button.btn`)),
		chromedp.WaitVisible(css(`[hx-get$="/progress"]`)),
	)
	if page := text(ctx, t, "main"); !strings.Contains(page, "tameflare run --gateway deploy-bot -- python agent.py") {
		t.Errorf("the run command is not on the page:\n%s", page)
	}

	signIn(ctx, t, w)

	// The page is open before anything happens, and nobody reloads it.
	do(ctx, t, "open the approvals", chromedp.Navigate(w.Base+"/approvals"), chromedp.WaitVisible(css(`#approvals`)))
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.notReloaded = true`)); err != nil {
		t.Fatal(err)
	}
	cmd, said := w.Command(t.Context(), "tameflare", w.RunArgs("deploy-bot", "curl", "-sS", "-X", "PUT", "-d", `{"merge_method":"squash"}`, "https://api.github.com"+mergePath)...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, "the card appears", chromedp.WaitVisible(css(`article.approval[data-state=pending]`)))
	if card := text(ctx, t, "article.approval"); !strings.Contains(card, "deploy-bot wants to merge acme/site#12") || !strings.Contains(card, "Somebody looks at every merge.") {
		t.Errorf("the card says:\n%s", card)
	}
	picture(ctx, t, "approvals")
	do(ctx, t, "approve",
		chromedp.SendKeys(css(`article.approval input[name=reason]`), "ticket 8812"),
		chromedp.Click(css(`article.approval button[value=approve]`)),
		chromedp.WaitNotPresent(css(`article.approval[data-state=pending]`)),
	)
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "successfully merged") {
		t.Fatalf("the agent: %v, %q\n%s", err, out.String(), said)
	}
	stayed, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.notReloaded === true`))
	if err != nil || !stayed {
		t.Errorf("the page was reloaded: %v", err)
	}
	if n := w.GitHub.Effects("PUT", mergePath); n != 1 {
		t.Errorf("merged %d times", n)
	}

	do(ctx, t, "traffic", chromedp.Navigate(w.Base+"/traffic"), chromedp.WaitVisible(css(`table tbody tr`)))
	if rows := text(ctx, t, "table"); !strings.Contains(rows, "github.pr.merge") {
		t.Errorf("traffic says:\n%s", rows)
	}
	picture(ctx, t, "traffic")
}

var printed = regexp.MustCompile(`https?://\S+`)

// signIn signs the command line in by way of the browser, which is signed in.
func signIn(ctx context.Context, t *testing.T, w *world.World) {
	t.Helper()
	cmd, _ := w.Command(t.Context(), "tameflare", "login", "--host", w.Base, "--no-browser")
	cmd.Stderr = nil
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	words, url := "", ""
	lines := bufio.NewScanner(said)
	for (words == "" || url == "") && lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), "words:"); ok {
			words = strings.Join(strings.FieldsFunc(after, func(r rune) bool { return r < 'a' || r > 'z' }), " ")
		}
		if found := printed.FindString(lines.Text()); strings.Contains(found, "/cli/login/") {
			url = found
		}
	}
	rest := make(chan string, 1)
	go func() {
		var b strings.Builder
		for lines.Scan() {
			fmt.Fprintln(&b, lines.Text())
		}
		rest <- b.String()
	}()
	do(ctx, t, "sign in the command line", chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS(`button[value=approve]`)))
	page := text(ctx, t, "body")
	for word := range strings.FieldsSeq(words) {
		if !strings.Contains(page, word) {
			t.Errorf("the pairing word %q is not on the page:\n%s", word, page)
		}
	}
	picture(ctx, t, "cli-login")
	do(ctx, t, "confirm the sign-in", chromedp.Click(chromedp.CSS(`button[value=approve]`)))
	after := <-rest
	if err := cmd.Wait(); err != nil {
		if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Wait's own error
			t.Fatalf("tameflare login: exit code %d\n%s", e.ExitCode(), after)
		}
		t.Fatal(err)
	}
	if !strings.Contains(after, "ana@example.com") {
		t.Errorf("after signing in it says:\n%s", after)
	}
}
