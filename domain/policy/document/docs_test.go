package document_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
)

const reference = "../../../docs/policies.md"

func page(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Everything that the documentation shows as a policy is one, and does what
// it says there.
func TestTheExamplesOfTheDocumentationWork(t *testing.T) {
	t.Parallel()

	found := 0
	for block := range strings.SplitSeq(page(t), "```yaml\n") {
		text, _, ok := strings.Cut(block, "\n```")
		if !ok || !strings.HasPrefix(text, "name:") && !strings.HasPrefix(text, "metadata:") {
			continue
		}
		found++
		d, err := document.Parse("policies.md", []byte(text), known)
		if err != nil {
			t.Errorf("%s\n%s", fault.Message(err), text)
			continue
		}
		if len(d.Notes) > 0 && d.Policy.Name != "of-before" {
			t.Errorf("%s: %v", d.Policy.Name, d.Notes)
		}
		results, err := d.Run(policies.Reader(nil))
		if err != nil {
			t.Fatal(err)
		}
		stricter := false
		for _, r := range results {
			stricter = stricter || r.Got.Effect != policy.Allow
			if !r.Passed {
				t.Errorf("%s: %s: %s", d.Policy.Name, r.Test.Name, r.Problem)
			}
		}
		if !stricter {
			t.Errorf("%s: no test shows what it is for", d.Policy.Name)
		}
	}
	if found < 20 {
		t.Errorf("%d examples, want 20 at least", found)
	}
}

func TestTheDocumentationListsEverything(t *testing.T) {
	t.Parallel()

	text := page(t)
	for _, f := range policy.Fields() {
		if !strings.Contains(text, "| `"+f.Name+"` |") {
			t.Errorf("the field %s is not there", f.Name)
		}
	}
	for _, name := range document.Operators() {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("the operator %s is not there", name)
		}
	}
}
