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
