package corpus_test

import (
	"path/filepath"
	"testing"

	"github.com/tameflare/tameflare/integration/corpus"
)

// least is how many different operations there are of a client, as its
// requests are counted.
var least = map[string]int{
	"octokit": 10, "openai": 10, "anthropic": 10, "stripe": 10, "slack": 10, "gh": 15, "git": 10, "curl": 10,
}

func TestWhatClientsSendIsNamedAsAPersonWould(t *testing.T) {
	t.Parallel()

	for client, want := range least {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			records, err := corpus.Read(filepath.Join("testdata", client+".jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			if len(records) < want {
				t.Errorf("there are %d requests, want %d", len(records), want)
			}
			for _, r := range records {
				if r.Action == "" {
					t.Errorf("%s: nobody has said yet what this is", r)
					continue
				}
				got, err := named(t, r)
				if err != nil {
					t.Errorf("%s: %v", r, err)
					continue
				}
				if d := differences(r, got); d != "" {
					t.Errorf("%s\n\t%s", r, d)
				}
			}
		})
	}
}
