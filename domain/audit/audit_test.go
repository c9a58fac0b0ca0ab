package audit_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
)

func chain(texts ...string) []audit.Sealed {
	var out []audit.Sealed
	prev := ""
	for i, text := range texts {
		e := audit.Sealed{Seq: int64(i + 1), Entry: audit.Event{Type: "x", Target: text}.Bytes()}
		e.Hash = audit.Link(e.Seq, prev, e.Entry)
		prev = e.Hash
		out = append(out, e)
	}
	return out
}

func TestChainNoticesEveryChange(t *testing.T) {
	t.Parallel()

	if err := audit.Verify(0, "", chain("a", "b", "c")); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]audit.Sealed) []audit.Sealed{
		"a byte":         func(c []audit.Sealed) []audit.Sealed { c[1].Entry[9] ^= 1; return c },
		"a hash":         func(c []audit.Sealed) []audit.Sealed { c[1].Hash = c[0].Hash; return c },
		"a row removed":  func(c []audit.Sealed) []audit.Sealed { return slices.Delete(c, 1, 2) },
		"the first gone": func(c []audit.Sealed) []audit.Sealed { return c[1:] },
		"two swapped":    func(c []audit.Sealed) []audit.Sealed { c[0], c[1] = c[1], c[0]; return c },
		"renumbered": func(c []audit.Sealed) []audit.Sealed {
			c = slices.Delete(c, 0, 1)
			c[0].Seq, c[1].Seq = 1, 2
			return c
		},
	} {
		if err := audit.Verify(0, "", change(chain("a", "b", "c"))); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

func TestAnythingCanBeStored(t *testing.T) {
	t.Parallel()

	for _, ugly := range []string{"", "a\x00b", "bad \xff utf-8", "\u2028", strings.Repeat("é", 5000)} {
		b := audit.Traffic{Request: ugly, Path: ugly, Action: action.Action{Params: map[string]any{ugly: ugly, "list": []string{ugly}, "n": int64(1)}}}.Bytes()
		if !utf8.Valid(b) || strings.Contains(string(b), `\u0000`) || len(b) > 20_000 {
			t.Errorf("%.20q: %d bytes, %.80q", ugly, len(b), b)
		}
		var back audit.Traffic
		if err := json.Unmarshal(b, &back); err != nil {
			t.Errorf("%.20q: %v", ugly, err)
		}
		if again := back.Bytes(); string(again) != string(b) {
			t.Errorf("%.20q: not the same when written again", ugly)
		}
	}
}

func TestPlainCutsBetweenCharacters(t *testing.T) {
	t.Parallel()

	for limit := range 12 {
		if got := audit.Plain("ééééééééé", limit); !utf8.ValidString(got) || limit >= 3 && len(got) > limit {
			t.Errorf("limit %d: %q", limit, got)
		}
	}
}

func TestTimeIsUTCToTheMicrosecond(t *testing.T) {
	t.Parallel()

	in := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("x", 3600))
	if got := audit.Time(in).Format(time.RFC3339Nano); got != "2026-01-02T02:04:05.123456Z" {
		t.Error(got)
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("a\x00b\xff", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 3 || limit > 1<<20 {
			return
		}
		got := audit.Plain(s, limit)
		if !utf8.ValidString(got) || strings.Contains(got, "\x00") || len(got) > limit {
			t.Errorf("Plain(%q, %d) = %q", s, limit, got)
		}
	})
}

// What was hashed before there were alerts must still be what it was.
func TestEntriesOfBeforeThereWereAlertsKeepTheirHash(t *testing.T) {
	t.Parallel()

	old := audit.Traffic{
		Time: time.Unix(1_790_000_000, 0), Step: audit.Intent, Request: "req_a", Run: "run_1", Method: "GET", Host: "api.github.com",
		Decision: "allow", Approval: "apr_1", Credential: "cred_1", Snapshot: 3, Status: 200,
	}
	const bytes = `{"time":"2026-09-21T14:13:20Z","step":"intent","request":"req_a","run":"run_1","method":"GET","host":"api.github.com",` +
		`"decision":"allow","approval":"apr_1","credential":"cred_1","snapshot":3,"status":200}`
	if got := string(old.Bytes()); got != bytes {
		t.Errorf("written as\n%s\nwant\n%s", got, bytes)
	}
	marked := old
	marked.Alert = audit.ForeignKey
	if audit.Link(1, "", marked.Bytes()) == audit.Link(1, "", old.Bytes()) {
		t.Error("an alert could be taken away unseen")
	}
}

func TestAnExplanationThatIsNoneIsLeftOut(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		why  string
		want bool
	}{
		"one":           {`{"considered":[]}`, true},
		"none":          {``, false},
		"half of one":   {`{"considered":[`, false},
		"one too large": {`"` + strings.Repeat("x", 20_000) + `"`, false},
	} {
		b := audit.Traffic{Request: "req_a", Policy: "pol\x00", Why: json.RawMessage(tt.why)}.Bytes()
		if got := strings.Contains(string(b), `"why"`); got != tt.want || strings.Contains(string(b), `\u0000`) {
			t.Errorf("%s: %.200s", name, b)
		}
	}
}
