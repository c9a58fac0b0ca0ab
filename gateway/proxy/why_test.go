package proxy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/policy"
)

func TestAnExplanationFitsItsPlace(t *testing.T) {
	t.Parallel()
	long := policy.Explanation{More: 1, Flip: &policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "x"}}}}
	for range 12 {
		long.Considered = append(long.Considered, policy.Considered{Name: strings.Repeat("n", 1000)})
	}
	long.Considered[0].Decides = true
	b := written(long)
	var got policy.Explanation
	if err := json.Unmarshal(b, &got); err != nil || len(b) > maxWhy || len(got.Considered) == 0 || !got.Considered[0].Decides || len(got.Considered)+got.More != 13 || got.Flip == nil {
		t.Errorf("%d bytes with %d considered, %d more: %v", len(b), len(got.Considered), got.More, err)
	}
	if len(long.Considered) != 12 {
		t.Error("what is explained was changed")
	}
	huge := policy.Explanation{Considered: long.Considered[:2], Flip: &policy.Flip{Changes: []policy.Change{{Text: strings.Repeat("x", maxWhy)}}}}
	if b := written(huge); string(b) != `{"more":2}` {
		t.Errorf("without room for anything: %s", b)
	}
	if b := written(policy.Explanation{}); b != nil {
		t.Errorf("nothing to say is %s", b)
	}
}

func TestWhatClientsAreToldOfConditions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flip *policy.Flip
		want string
	}{
		"nothing":                {nil, ""},
		"one that holds":         {&policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "params.amount > 100"}}}, " It would pass if this were not so: params.amount > 100"},
		"one that does not":      {&policy.Flip{To: policy.RequireApproval, Changes: []policy.Change{{Text: "params.base: main", Holds: true}}}, " A person could approve it if this were so: params.base: main"},
		"two":                    {&policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "params.a"}, {Text: "params.b"}}}, ""},
		"a long one":             {&policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "params." + strings.Repeat("a", 200)}}}, ""},
		"one of several lines":   {&policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "params.a:\n  equals: x"}}}, ""},
		"about who runs it":      {&policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "run.principal == 'ana'"}}}, ""},
		"about a header":         {&policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "request.headers.x-pass == 'sesame'", Holds: true}}}, ""},
		"that mentions a header": {&policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "params.a == request.headers.x-pass", Holds: true}}}, ""},
	} {
		x := &exchange{decision: policy.Decision{By: policy.ByPolicy}, why: policy.Explanation{Flip: c.flip}}
		if got := x.otherwise(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
