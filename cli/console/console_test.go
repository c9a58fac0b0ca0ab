package console_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/cli/console"
)

func TestOurMarksHaveTheirColourAndNobodyElsesTextHas(t *testing.T) {
	t.Parallel()

	var out strings.Builder
	c := &console.Console{Err: &out, Environ: []string{"CLICOLOR_FORCE=1"}}
	c.Say("%s %s", c.Mark(c.Err, console.Good), "\x1b[31mred\u202e")
	if want := "\x1b[32m✓\x1b[0m ·[31mred·\n"; out.String() != want {
		t.Errorf("said %q, want %q", out.String(), want)
	}
}
