package policy

import (
	"slices"
	"strings"
)

// uses is what an Engine looks at of requests.
type uses struct {
	query   bool
	headers []string
	body    bool // for any connector type
	types   map[string]bool
}

func (u *uses) add(c *clause) {
	u.fields(c.program)
	if !c.found.body || u.body {
		return
	}
	patterns := c.of.actions
	if len(patterns) == 0 {
		patterns = c.found.patterns
	}
	u.body = len(patterns) == 0
	for _, p := range patterns {
		// The first word of an action is its connector's type.
		word, _, _ := strings.Cut(string(p), ".")
		if word == "*" {
			u.body = true
			return
		}
		if u.types == nil {
			u.types = map[string]bool{}
		}
		u.types[word] = true
	}
}

func (u *uses) fields(n *node) {
	if n == nil {
		return
	}
	if f := n.field; f != nil {
		u.query = u.query || f.part == onQuery
		if f.part == onHeader && !slices.Contains(u.headers, f.key) {
			u.headers = append(u.headers, f.key)
		}
	}
	for i := range n.args {
		u.fields(&n.args[i])
	}
}

// Uses says what e looks at of a request.
func (e *Engine) Uses() Uses {
	if e == nil || e.policies == nil {
		return Uses{Body: func(string) bool { return false }}
	}
	u := &e.policies.uses
	return Uses{
		Query:   u.query,
		Headers: slices.Clone(u.headers),
		Body:    func(connectorType string) bool { return u.body || u.types[connectorType] },
	}
}
