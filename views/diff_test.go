package views

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiffsShowWhatWasChangedAndWhere(t *testing.T) {
	t.Parallel()
	twelve := "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n"
	tests := map[string]struct{ old, next, want string }{
		"nothing":                    {"a\nb\n", "a\nb\n", ""},
		"only the last line's end":   {"a\nb", "a\nb\n", ""},
		"from nothing":               {"", "a\nb\n", "0 1 + a|0 2 + b"},
		"to nothing":                 {"a\n", "", "1 0 - a"},
		"a line changed":             {"a\nb\nc\n", "a\nB\nc\n", "1 1   a|2 0 - b|0 2 + B|3 3   c"},
		"a line added":               {"a\nc\n", "a\nb\nc\n", "1 1   a|0 2 + b|2 3   c"},
		"far from the top":           {twelve, strings.Replace(twelve, "j\n", "", 1), "…|7 7   g|8 8   h|9 9   i|10 0 - j|11 10   k|12 11   l"},
		"two places far from others": {twelve, "A" + strings.Replace(twelve[1:], "l\n", "", 1), "1 0 - a|0 1 + A|2 2   b|3 3   c|4 4   d|…|9 9   i|10 10   j|11 11   k|12 0 - l"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, l := range diffLines(tt.old, tt.next) {
				if l.Gap {
					got = append(got, "…")
					continue
				}
				sign := map[string]string{"add": "+", "del": "-", "": " "}[l.kind()]
				got = append(got, lineNumberOr0(l.Old)+" "+lineNumberOr0(l.New)+" "+sign+" "+l.Text)
			}
			if d := cmp.Diff(tt.want, strings.Join(got, "|")); d != "" {
				t.Errorf("lines (-want +got):\n%s", d)
			}
		})
	}
}

func lineNumberOr0(n int) string {
	if n == 0 {
		return "0"
	}
	return lineNumber(n)
}

// Two people's texts may have nothing in common and be as long as can be.
func TestDiffsOfLongTextsEnd(t *testing.T) {
	t.Parallel()
	var a, b strings.Builder
	for i := range 20_000 {
		a.WriteString(strings.Repeat("a", i%7) + "\n")
		b.WriteString(strings.Repeat("b", i%5) + "\n")
	}
	if n := len(diffLines(a.String(), b.String())); n < 20_000 {
		t.Errorf("%d lines, want what was taken away and what was added", n)
	}
}
