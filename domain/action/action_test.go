package action_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/tameflare/tameflare/domain/action"
)

func TestPattern(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		pattern action.Pattern
		name    string
		want    bool
	}{
		{"github.pr.merge", "github.pr.merge", true},
		{"github.pr.merge", "github.pr.merge.now", false},
		{"github.pr.merge", "github.pr", false},
		{"github.pr.*", "github.pr.merge", true},
		{"github.pr.*", "github.pr.merge.now", true},
		{"github.pr.*", "github.pr", false},
		{"github.pr.*", "github.prs.merge", false},
		{"github.*", "github.pr.merge", true},
		{"github.*.get", "github.pr.get", true},
		{"github.*.get", "github.pr.file.get", false},
		{"github.*.get", "github.pr.merge", false},
		{"*", "stripe.refund.create", true},
		{"*", "", false},
		{"", "", false},
		{"", "github", false},
		{"github", "", false},
	} {
		if got := tt.pattern.Matches(tt.name); got != tt.want {
			t.Errorf("%q matches %q = %v, want %v", tt.pattern, tt.name, got, tt.want)
		}
	}
}

func TestPatternCheck(t *testing.T) {
	t.Parallel()

	for p, ok := range map[action.Pattern]bool{
		"github.pr.*": true, "*": true, "github.*.get": true, "mcp.tools.call": true, "http.get": true,
		"": false, "github.": false, "github.p*": false, ".pr": false, "a b": false, "GitHub.pr": false, "a.\x00": false,
	} {
		if err := p.Check(); (err == nil) != ok {
			t.Errorf("Check(%q) = %v", p, err)
		}
	}
}

func TestMoreSpecificPatternsComeFirst(t *testing.T) {
	t.Parallel()

	want := []action.Pattern{"github.pr.merge", "github.pr.*", "github.*.get", "github.*", "*", "github.*.*"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortStableFunc(got, action.Pattern.Compare)
	// "github.*.get" and "github.*" are equally specific: one star, the same beginning.
	want = []action.Pattern{"github.pr.merge", "github.pr.*", "github.*", "github.*.get", "*", "github.*.*"}
	if !slices.Equal(got, want) {
		t.Errorf("order = %q, want %q", got, want)
	}
}

func TestUnratedAndUnclassedAreTheWorst(t *testing.T) {
	t.Parallel()

	var a action.Action
	if a.Risk != action.Critical || a.Class != action.Admin || a.Reversible {
		t.Errorf("zero action: risk %v, class %v, reversible %v", a.Risk, a.Class, a.Reversible)
	}
}

func TestClassAndRiskSurviveJSON(t *testing.T) {
	t.Parallel()

	for c := action.Admin; c <= action.Read; c++ {
		for r := action.Critical; r <= action.Low; r++ {
			b, err := json.Marshal(action.Action{Class: c, Risk: r})
			if err != nil {
				t.Fatal(err)
			}
			var back action.Action
			if err := json.Unmarshal(b, &back); err != nil || back.Class != c || back.Risk != r {
				t.Errorf("%s came back as %v, %v (%v)", b, back.Class, back.Risk, err)
			}
		}
	}
	var a action.Action
	if err := json.Unmarshal([]byte(`{"class":"harmless"}`), &a); err == nil {
		t.Error("an unknown class was read")
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("github.pr.*", "github.pr.merge")
	f.Add("*.*", "a.b.c")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		p := action.Pattern(pattern)
		if p.Check() == nil && p.Exact() && p.Matches(name) && pattern != name {
			t.Errorf("exact %q matches %q", pattern, name)
		}
	})
}
