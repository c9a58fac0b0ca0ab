package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// write types into the editor, which is in a shadow root where no selector
// reaches, at the end of what it holds.
func write(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	focused, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => { const c = document.querySelector(".editor").shadowRoot.querySelector(".cm-content"); c.focus(); return c.getRootNode().activeElement === c; })()`))
	if err != nil || !focused {
		t.Fatalf("focus the editor: %v, %v", focused, err)
	}
	do(ctx, t, "go to the end", chromedp.KeyEvent(kb.End, chromedp.KeyModifiers(kb.ModifierCtrl)))
	do(ctx, t, "write", chromedp.KeyEvent(text))
}

// says waits until element has words in it. It asks again and again: the page's
// own policy keeps it from running what a browser's tools would wait with.
func says(ctx context.Context, t *testing.T, element, words string) {
	t.Helper()
	wait, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	asked := fmt.Sprintf(`(document.querySelector(%q)?.textContent ?? "").replace(/\s+/g, " ")`, element)
	for {
		said, err := chromedp.Run(wait, chromedp.Evaluate[string](asked))
		if err == nil && strings.Contains(said, words) {
			return
		}
		select {
		case <-wait.Done():
			t.Fatalf("%s does not say %q: %v\n%s", element, words, err, said)
		case <-tick.C:
		}
	}
}

// fits takes a picture of the page, and one as on a phone, where nothing may
// reach over the edge.
func fits(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	picture(ctx, t, name)
	do(ctx, t, "make it narrow", chromedp.EmulateViewport(360, 740))
	over, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	if err != nil || over > 0 {
		t.Errorf("%s is %v pixels too wide for a phone: %v", name, over, err)
	}
	picture(ctx, t, name+"-phone")
	do(ctx, t, "make it wide again", chromedp.EmulateViewport(1280, 860))
}

// Somebody takes a pack, adds a test that fails, is refused, puts it right, sees
// what the policy would have changed, saves it, sees the gateway act on it, and
// goes back to how it was.
func TestBrowserWritesAPolicyAndTakesItBack(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "", standard)
	issue := w.RunArgs("agent", "curl", "-sS", "-o", w.Path("answer"), "-w", "%{http_code}", "-d", `{"title":"Broken"}`, "https://api.github.com/repos/acme/site/issues")
	if code, err := w.Do(t.Context(), "", "tameflare", issue...); err != nil || !strings.HasPrefix(code, "2") {
		t.Fatalf("before the policy an issue gets %q, %v", code, err)
	}
	link, err := w.SignInLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	css := func(s string) chromedp.CSS { return chromedp.CSS(s) }
	do(ctx, t, "sign in", chromedp.Navigate(link), chromedp.Click(css(`form.form button.btn`)), chromedp.WaitVisible(css(`nav.side a[href="/policies"]`)))
	refused := make(chan string, 100)
	err = chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok && e.Entry.Source == log.EntrySourceSecurity {
			refused <- e.Entry.Text
		}
	})
	if err != nil {
		t.Fatal(err)
	}

	do(ctx, t, "policies", chromedp.Click(css(`nav.side a[href="/policies"]`)), chromedp.WaitVisible(css(`.empty-state`)))
	fits(ctx, t, "policies-first")
	do(ctx, t, "new policy", chromedp.Click(css(`a[href="/policies/new"]`)), chromedp.WaitVisible(css(`.editor`)))
	do(ctx, t, "take a pack", chromedp.Click(css(`a[href$="pack=read-only-research"]`)), chromedp.WaitVisible(css(`.editor`)))
	says(ctx, t, "#said", "All 6 tests pass.")
	write(ctx, t, `  - {name: an issue is fine, action: {action: github.issue.create}, expect: allow}`)
	says(ctx, t, "#said", "1 of 7 tests fails.")
	fits(ctx, t, "policies-editor")

	do(ctx, t, "preview", chromedp.Click(css(`form[action="/policies/preview"] button.btn`)), chromedp.WaitVisible(css(`form[action="/policies"]`)))
	do(ctx, t, "try to save", chromedp.Click(css(`form[action="/policies"] button.btn`)), chromedp.WaitVisible(css(`.notice[data-kind=bad]`)))
	says(ctx, t, "main", "The test “an issue is fine” fails")
	do(ctx, t, "back", chromedp.Click(css(`form[action="/policies"] button[formaction="/policies/check"]`)), chromedp.WaitVisible(css(`.editor`)))
	write(ctx, t, strings.Repeat(kb.Backspace, len("allow}"))+"deny}")
	says(ctx, t, "#said", "All 7 tests pass.")

	do(ctx, t, "preview again", chromedp.Click(css(`form[action="/policies/preview"] button.btn`)), chromedp.WaitVisible(css(`form[action="/policies"]`)))
	says(ctx, t, "#replay", "Newly denied: 1 request")
	do(ctx, t, "the request is a link", chromedp.WaitVisible(css(`#replay a[href^="/traffic/req_"]`)))
	do(ctx, t, "look at the replay", chromedp.ScrollIntoView(css(`#replay details`)))
	fits(ctx, t, "policies-preview")
	do(ctx, t, "save", chromedp.SendKeys(css(`input[name=message]`), "Research needs no writes."),
		chromedp.Click(css(`form[action="/policies"] button.btn`)), chromedp.WaitVisible(css(`#reach`)))
	says(ctx, t, "#reach", "Up to date")
	fits(ctx, t, "policies-policy")
	if code, err := w.Do(t.Context(), "", "tameflare", issue...); err != nil || code != "403" {
		t.Errorf("under the policy an issue gets %q, %v", code, err)
	}

	do(ctx, t, "edit", chromedp.Click(css(`.page-head a[href$="/edit"]`)), chromedp.WaitVisible(css(`.editor`)))
	write(ctx, t, "\r# Looked over in November.")
	says(ctx, t, "#said", "All 7 tests pass.")
	do(ctx, t, "preview the change", chromedp.Click(css(`form[action="/policies/preview"] button.btn`)), chromedp.WaitVisible(css(`.listing tr.add`)))
	says(ctx, t, ".listing", "# Looked over in November.")
	do(ctx, t, "save, turned off", chromedp.Click(css(`form[action="/policies"] input[name=enabled]`)),
		chromedp.Click(css(`form[action="/policies"] button.btn`)), chromedp.WaitVisible(css(`#reach`)))
	says(ctx, t, "#reach", "It is off")
	says(ctx, t, "#reach", "Up to date")
	if code, err := w.Do(t.Context(), "", "tameflare", issue...); err != nil || !strings.HasPrefix(code, "2") {
		t.Errorf("with the policy off an issue gets %q, %v", code, err)
	}

	do(ctx, t, "revert", chromedp.Click(css(`a[href$="/versions/1#revert"]`)), chromedp.WaitVisible(css(`#revert form`)))
	fits(ctx, t, "policies-revert")
	do(ctx, t, "confirm", chromedp.Click(css(`#revert form button.btn`)), chromedp.WaitVisible(css(`#reach`)))
	says(ctx, t, "main", "Back to version 1.")
	says(ctx, t, "#reach", "Up to date")
	if code, err := w.Do(t.Context(), "", "tameflare", issue...); err != nil || code != "403" {
		t.Errorf("after going back an issue gets %q, %v", code, err)
	}
	if n := w.GitHub.Effects("POST", "/repos/acme/site/issues"); n != 2 {
		t.Errorf("%d issues were made, want 2", n)
	}
	for len(refused) > 0 {
		t.Errorf("the browser's security refused something: %s", <-refused)
	}
}
