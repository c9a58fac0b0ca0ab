package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli"
	"github.com/tameflare/tameflare/cli/console"
)

// The part of the document from here on is what --help says.
const referenceMark = "<!-- from here on: go test ./cli -run Reference -update -->\n"

func TestTheReferenceSaysWhatHelpSays(t *testing.T) {
	t.Parallel()

	path := filepath.Join("..", "docs", "cli.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, got, found := strings.Cut(string(text), referenceMark)
	if !found {
		t.Fatalf("%s has no line %s", path, referenceMark)
	}
	root, _ := cli.Root(&console.Console{})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	var want bytes.Buffer
	reference(t, &want, root)
	if *update {
		if err := os.WriteFile(path, []byte(before+referenceMark+want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("%s is older than the commands; go test ./cli -run Reference -update\n(-want +got)\n%s", path, diff)
	}
}

// reference writes what the help of cmd and of all below it says.
func reference(t *testing.T, out *bytes.Buffer, cmd *cobra.Command) {
	t.Helper()
	if cmd.Name() == "help" || cmd.Parent() != nil && cmd.Parent().Name() == "completion" {
		return // of cobra's own, and the same for every program
	}
	cmd.InitDefaultHelpFlag()
	if cmd.HasParent() {
		var help bytes.Buffer
		cmd.SetOut(&help)
		if err := cmd.Help(); err != nil {
			t.Fatalf("%s: %v", cmd.CommandPath(), err)
		}
		text, _, _ := strings.Cut(help.String(), "\nGlobal Flags:")
		out.WriteString("\n## " + cmd.CommandPath() + "\n```\n" + strings.TrimSpace(text) + "\n```\n")
	}
	for _, sub := range cmd.Commands() {
		reference(t, out, sub)
	}
}
