package policy

// Explanation says why a decision is what it is. It is recorded with the
// request, so other programs and later versions read it.
type Explanation struct {
	Considered []Considered `json:"considered,omitempty"` // the deciding one first, then in the order of how strict and how early they are
	More       int          `json:"more,omitempty"`       // that were considered and are left out
	Flip       *Flip        `json:"flip,omitempty"`       // nil where nothing about the request would change the decision
}

// Considered is an access rule, or a clause of a policy, whose scope the
// request is in.
type Considered struct {
	Stage      By     `json:"stage"` // ByRule or ByPolicy
	Rule       string `json:"rule"`  // Rule.ID or Policy.Key
	Policy     string `json:"policy,omitempty"`
	Name       string `json:"name,omitempty"` // of the clause; the pattern of an access rule
	Line       int    `json:"line,omitempty"`
	Effect     Effect `json:"decision"`
	Verdict    string `json:"verdict"` // "holds", "fails" or "unclear"
	Decides    bool   `json:"decides,omitempty"`
	ReportOnly bool   `json:"report_only,omitempty"`
}

// Flip is the fewest conditions that would have to be otherwise for another
// decision.
type Flip struct {
	To      Effect   `json:"to"`
	Changes []Change `json:"changes"`
}

// Change is one condition that would have to be otherwise.
type Change struct {
	Policy string `json:"policy,omitempty"`
	Line   int    `json:"line,omitempty"`
	Text   string `json:"text"`  // the condition as it is written
	Holds  bool   `json:"holds"` // whether it would have to hold
}
