package corpus_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/integration/corpus"
)

// sayRun is the beginning of a script that says in which run it is.
const sayRun = "echo \"run=$TAMEFLARE_RUN_ID\"\n"

func runOf(out string) string {
	_, after, _ := strings.Cut(out, "run=")
	run, _, _ := strings.Cut(after, "\n")
	return run
}

// note is what the gateway writes down of a request.
type note struct {
	Method   string `json:"method"`
	URL      string `json:"url"`
	Action   string `json:"action"`
	Class    string `json:"class"`
	Resource string `json:"resource"`
}

// noted compares what the gateway has written down of a run with what its
// requests are. It waits for the gateway, which does not hurry to report.
func (s *stage) noted(t *testing.T, run string, want []corpus.Record) {
	t.Helper()
	if !strings.HasPrefix(run, "run_") {
		t.Fatalf("the run is %q", run)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var all []note
	for {
		var page struct { // anew: what is left out would stay as it was
			Items []note `json:"items"`
		}
		if err := s.API(ctx, http.MethodGet, "/requests?limit=200&run="+run, "", &page); err != nil {
			t.Fatal(err)
		}
		if all = page.Items; len(all) >= len(want) {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d requests are written down, want %d", len(all), len(want))
		case <-tick.C:
		}
	}
	type line struct{ method, at, action, class, resource string }
	lines := map[line]int{}
	for _, r := range want {
		lines[line{r.Method, "https://" + r.Host + r.Path, r.Action, r.Class, r.Resource}]++
	}
	for _, r := range all {
		at, _, _ := strings.Cut(r.URL, "?")
		lines[line{r.Method, at, r.Action, r.Class, r.Resource}]--
	}
	for l, n := range lines {
		switch {
		case n > 0:
			t.Errorf("not written down %d times: %v", n, l)
		case n < 0:
			t.Errorf("written down %d times too often: %v", -n, l)
		}
	}
}
