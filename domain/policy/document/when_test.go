package document_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/policy"
)

func TestWhatIsWrongInCELIsSaidInItsPlace(t *testing.T) {
	t.Parallel()

	for name, rule := range map[string]string{
		"plain":           "  - {name: a, decision: deny, when: owner == 'é' && acton == 'b'}\n",
		"single quotes":   "  - name: a\n    when: 'owner == ''a'' && acton == ''b'''\n    decision: deny\n",
		"double quotes":   "  - name: a\n    when: \"owner == \\\"a\\\" && acton == 'b'\"\n    decision: deny\n",
		"escapes":         "  - name: a\n    when: \"owner == '\\x61\\u0062' && acton == 'b'\"\n    decision: deny\n",
		"as it is":        "  - name: a\n    when: |\n      owner == 'a' &&\n      acton == 'b'\n    decision: deny\n",
		"as it is, set":   "  - name: a\n    when: |\n\n      owner == 'a' &&\n\n        acton == 'b'\n    decision: deny\n",
		"folded":          "  - name: a\n    when: >-\n      owner == 'a'\n      && acton == 'b'\n    decision: deny\n",
		"several lines":   "  - name: a\n    when: owner == 'a' &&\n      acton == 'b'\n    decision: deny\n",
		"after a comment": "  # one\n  - name: a # two\n    # three\n    when: # four\n      acton == 'b'\n    decision: deny\n",
		"Windows":         "  - name: a\r\n    when: |\r\n      owner == 'a' &&\r\n      acton == 'b'\r\n    decision: deny\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := clauses(rule)
			problems := refused(t, text)
			var line, column int
			for i, l := range strings.Split(text, "\n") {
				if before, _, ok := strings.Cut(l, "acton"); ok {
					line, column = i+1, len([]rune(before))+1
				}
			}
			for _, p := range problems {
				if p.Line == line && p.Column == column && strings.Contains(p.Message, `"action"`) {
					return
				}
			}
			t.Errorf("%+v, want one at %d:%d that names action", problems, line, column)
		})
	}
}

func TestTheConditionsOfCELHaveTheirPlaces(t *testing.T) {
	t.Parallel()

	d := read(t, clauses("  - name: a\n    when: |\n      owner == 'a' ||\n        class == 'admin'\n    conditions: {field: risk, operator: equals, value: high}\n    decision: deny\n"))
	e := d.Policy.Clauses[0].If
	if e.Op != policy.All || len(e.Args) != 2 || e.Args[1].Op != policy.Any {
		t.Fatalf("%+v", e)
	}
	if risk := e.Args[0]; risk.Line != 7 || risk.Column != 17 || risk.Text != "risk equals high" {
		t.Errorf("%+v", risk)
	}
	for i, want := range []struct {
		line, column int
		text         string
	}{{5, 7, "owner == 'a'"}, {6, 9, "class == 'admin'"}} {
		if got := e.Args[1].Args[i]; got.Line != want.line || got.Column != want.column || got.Text != want.text {
			t.Errorf("%d:%d %q, want %+v", got.Line, got.Column, got.Text, want)
		}
	}
}
