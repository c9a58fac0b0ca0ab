package integration_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/integration/world"
)

// delivered returns the requests that the server knows, by path, waiting until
// there are at least want.
func delivered(t *testing.T, w *world.World, want int) map[string]int {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var page struct {
			Items []struct {
				URL string `json:"url"`
			} `json:"items"`
		}
		if err := w.API(t.Context(), http.MethodGet, "/requests?limit=200", "", &page); err != nil {
			t.Fatal(err)
		}
		if len(page.Items) >= want {
			n := map[string]int{}
			for _, r := range page.Items {
				n[strings.TrimPrefix(r.URL, "https://api.github.com")]++
			}
			return n
		}
		select {
		case <-deadline:
			t.Fatalf("%d requests were delivered, want %d", len(page.Items), want)
		case <-tick.C:
		}
	}
}

func TestWithoutTheServerWhatIsAllowedGoesOn(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, w *world.World) {
		if _, err := under(t, w, "curl", "-sSf", "https://api.github.com/user"); err != nil {
			t.Fatal(err)
		}
		delivered(t, w, 1)
		if err := w.StopServer(); err != nil {
			t.Fatal(err)
		}

		const n = 20
		out, err := under(t, w, "sh", "-c", fmt.Sprintf(`for i in $(seq %d); do curl -sSf https://api.github.com/repos/acme/site/pulls/$i >/dev/null || exit 1; done`, n))
		if err != nil {
			t.Fatalf("allowed requests: %v %s", err, out)
		}
		body, status := askForMerge(t, w).answer()
		if status != "503" || !strings.Contains(body, `"unavailable"`) {
			t.Errorf("a request that needs a person: %s %s", status, body)
		}

		if err := w.StartServer(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := delivered(t, w, n+2)
		for i := 1; i <= n; i++ {
			if path := fmt.Sprintf("/repos/acme/site/pulls/%d", i); got[path] != 1 {
				t.Errorf("%s was delivered %d times", path, got[path])
			}
		}
		if got[mergePath] != 1 || w.GitHub.Effects("PUT", mergePath) != 0 {
			t.Errorf("the merge: %d rows, %d effects; want 1 and 0", got[mergePath], w.GitHub.Effects("PUT", mergePath))
		}
	})
}
