package trail

import (
	"bytes"
	"encoding/json"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
)

const (
	maxWhy   = 16 << 10
	maxFacts = 32 << 10
	maxScore = 100
)

// judged takes over what policies have said, and what they could look at.
func judged(r *audit.Request, t numbered) {
	word := func(s string) string { return audit.Plain(s, maxWord) }
	r.PolicyID, r.PolicyV, r.Score = word(t.Policy), max(t.PolicyV, 0), min(max(t.Score, 0), maxScore)
	r.Reported, r.ReportedAs = word(t.Reported), decision(t.ReportedAs)
	r.Why, r.Facts = why(t.Why), ""
	if t.Action.Name == "" {
		return
	}
	if facts := audit.Facts(t.Action); len(facts) <= maxFacts { // else all of it is unknown
		r.Facts = facts
	}
}

// why returns an explanation as it can be stored, "" where it is none.
func why(said json.RawMessage) string {
	var b bytes.Buffer
	if len(said) == 0 || json.Compact(&b, said) != nil || b.Bytes()[0] != '{' || audit.Plain(b.String(), maxWhy) != b.String() { // not text, or too long
		return ""
	}
	var e policy.Explanation
	if json.Unmarshal(b.Bytes(), &e) != nil {
		return ""
	}
	return b.String()
}
