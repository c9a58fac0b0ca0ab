package connectors

import (
	"fmt"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
)

// condition is what tells a row from the next one of the same method and path.
type condition struct {
	source
	value string // in lower case; "": something is there
}

func parseConditions(text string, captures []capture) (all []condition, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, "&") {
		from, value, _ := strings.Cut(part, "=")
		c := condition{value: strings.ToLower(value)}
		if c.source, err = parseSource(from, captures); err != nil {
			return nil, err
		}
		if c.in == inPath {
			return nil, fmt.Errorf("condition %s: a path is told apart by its row", part)
		}
		all = append(all, c)
	}
	return all, nil
}

type verdict uint8

const (
	unclear verdict = iota
	no
	yes
)

// holds says whether a value is as c wants it. What is there but not written
// as the service documents it is unclear, not a no.
func (c condition) holds(v body.Value) verdict {
	switch {
	case v.Kind == body.Absent:
		return no
	case v.Kind == body.List:
		return c.holdsIn(v.List)
	case v.Kind == body.Bool && c.value != "":
		if v.Text == c.value {
			return yes
		}
		return no
	case v.Kind != body.String || v.Text == "":
		return unclear
	case c.value == "" || strings.EqualFold(strings.TrimSpace(v.Text), c.value):
		return yes
	case strings.Contains(strings.ToLower(v.Text), c.value), boolean(c.value) && !boolean(v.Text):
		return unclear // as 1 would be, which some servers take for true
	}
	return no
}

func boolean(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }

// holdsIn says whether any of all is as c wants it.
func (c condition) holdsIn(all []string) verdict {
	verdict := no
	for _, one := range all {
		switch c.holds(textual(one)) {
		case yes:
			return yes
		case unclear:
			verdict = unclear
		case no:
		}
	}
	return verdict
}

// allHold says whether all of a row's conditions hold.
func allHold(when []condition, v *values) verdict {
	all := yes
	for _, c := range when {
		value, known := v.value(c.source)
		verdict := unclear
		if known {
			verdict = c.holds(value)
		}
		if verdict == no {
			return no
		}
		if verdict == unclear {
			all = unclear
		}
	}
	return all
}

func note(when []condition) string {
	var parts []string
	for _, c := range when {
		where := map[place]string{inBody: "the body", inQuery: "the query", inHeader: "the headers"}[c.in]
		if c.value == "" {
			parts = append(parts, "with "+c.name+" in "+where)
		} else {
			parts = append(parts, "with "+c.name+"="+c.value+" in "+where)
		}
	}
	return strings.Join(parts, " and ")
}
