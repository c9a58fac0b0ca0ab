package integration_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Somebody looks an action up, reads how it is asked for, and pastes a command
// to see what a gateway would do with it. No page is reloaded on the way to a
// result, and no key that was pasted comes back.
func TestBrowserLooksActionsUp(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "", standard)
	link, err := w.SignInLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	css := func(s string) chromedp.CSS { return chromedp.CSS(s) }
	do(ctx, t, "sign in", chromedp.Navigate(link), chromedp.Click(css(`form.form button.btn`)), chromedp.WaitVisible(css(`a[href="/connectors"]`)))

	do(ctx, t, "connectors", chromedp.Click(css(`nav.side a[href="/connectors"]`)), chromedp.WaitVisible(css(`#catalogue table`)))
	if page := text(ctx, t, "#catalogue"); !strings.Contains(page, "GitHub") || !strings.Contains(page, "agent") {
		t.Errorf("the connectors are:\n%s", page)
	}
	picture(ctx, t, "connectors")
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.notReloaded = true`)); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, "search", chromedp.SendKeys(css(`input[name=q]`), "mergePullRequest"), chromedp.WaitVisible(css(`#catalogue a[href^="/connectors/github/github.pr.merge"]`)))
	address, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + location.search + " " + (window.notReloaded === true)`))
	if err != nil || address != "/connectors?q=mergePullRequest true" {
		t.Errorf("the address is %q, %v", address, err)
	}
	picture(ctx, t, "connectors-search")
	do(ctx, t, "an action", chromedp.Click(css(`#catalogue a[href^="/connectors/github/github.pr.merge"]`)), chromedp.WaitVisible(css(`.codeblock`)))
	if page := text(ctx, t, "main"); !strings.Contains(page, "mutation mergePullRequest") || !strings.Contains(page, "decision: require_approval") {
		t.Errorf("the action's page says:\n%s", page)
	}
	picture(ctx, t, "connectors-action")

	do(ctx, t, "paste", chromedp.Navigate(w.Base+"/connectors/try"),
		chromedp.SendKeys(css(`textarea[name=command]`), `curl -X PUT -H "Authorization: Bearer ghp_pasted" https://api.github.com/repos/acme/site/pulls/12/merge -d '{"merge_method":"squash"}'`),
		chromedp.SendKeys(css(`select[name=gateway]`), "agent"),
		chromedp.Click(css(`form.form button.btn`)),
		chromedp.WaitVisible(css(`#answer .facts`)))
	answer := text(ctx, t, "#answer")
	for _, says := range []string{"It would merge acme/site#12", "github.pr.merge", "Held", "squash", "At agent"} {
		if !strings.Contains(answer, says) {
			t.Errorf("the answer does not say %q:\n%s", says, answer)
		}
	}
	if strings.Contains(answer, "ghp_pasted") || strings.Contains(w.ServerLog(), "ghp_pasted") {
		t.Error("a pasted key is in the answer or in the log")
	}
	picture(ctx, t, "connectors-try")
}
