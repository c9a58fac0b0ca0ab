package api

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheDocumentListsEveryCallAndWhoMayMakeIt(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := map[audience]string{anyone: "everybody", viewers: "viewers", deciders: "members", managers: "admins"}
	for _, r := range routes {
		if row := "| `" + r.pattern + "` | " + words[r.audience] + " | "; !strings.Contains(string(text), row) {
			t.Errorf("docs/api.md has no row %s", row)
		}
	}
	if rows := strings.Count(string(text), "\n| `"); rows != len(routes) {
		t.Errorf("docs/api.md has %d calls, and there are %d", rows, len(routes))
	}
}
