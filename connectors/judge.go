package connectors

import (
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// name says which row of g the request of v is and makes its action. Where the
// request hides which, it is not ok, and the action is nobody's: the caller
// names it.
func (g *group) name(v *values, f format) (a action.Action, ok bool, err error) {
	v.room(g)
	if err := f.look(g, v); err != nil {
		return action.Action{}, false, err
	}
	a, ok = g.pick(v)
	return a, ok, nil
}

// pick says which row v is of.
func (g *group) pick(v *values) (action.Action, bool) {
	for _, row := range g.rows {
		switch allHold(row.when, v) {
		case no:
			continue
		case unclear:
			return action.Action{}, false
		case yes:
		}
		return row.act(v), true
	}
	return action.Action{}, false
}

// alternatives are all the actions that g's rows name.
func (g *group) alternatives() []action.Alternative {
	all := make([]action.Alternative, 0, len(g.rows))
	for _, row := range g.rows {
		all = append(all, action.Alternative{Name: row.does.action, Class: row.does.class})
		all = append(all, row.also...)
	}
	return all
}

func (r *row) act(v *values) action.Action {
	a := r.does.named()
	a.Or = r.also
	if r.resource.hidden {
		a.Unknown = append(a.Unknown, "resource")
	} else if resource, known := r.resource.of(v); known {
		a.Resource = resource
	} else {
		a.Unknown = append(a.Unknown, "resource")
	}
	for i := range r.params {
		p := &r.params[i]
		seen, known := p.seen(v)
		if known && seen != nil {
			if a.Params == nil {
				a.Params = make(map[string]any, len(r.params))
			}
			a.Params[p.name] = seen
		}
		if !known {
			a.Unknown = append(a.Unknown, p.name)
		}
	}
	return a
}

func (d *deed) named() action.Action {
	return action.Action{Name: d.action, Class: d.class, Risk: d.risk, Reversible: d.reversible}
}

// of returns the resource, "" where a part of it is not there. It is not known
// where the request hides a part of it.
func (res *resource) of(v *values) (string, bool) {
	switch len(res.parts) {
	case 0:
		return "", true
	case 1: // only one value, or only text
		if part := &res.parts[0]; part.text == "" {
			return first(part.from, v)
		}
	case 2: // nearly always: owner/repo
		a, b := &res.parts[0], &res.parts[1]
		if a.text == "" && len(a.from) == 1 && len(b.from) == 1 && a.from[0].in == inPath && b.from[0].in == inPath {
			return v.captured.values[a.from[0].index] + b.text + v.captured.values[b.from[0].index], true
		}
	}
	var b strings.Builder
	for i := range res.parts {
		part := &res.parts[i]
		b.WriteString(part.text)
		if len(part.from) == 0 {
			continue
		}
		value, known := first(part.from, v)
		if !known || value == "" {
			return "", known
		}
		b.WriteString(value)
	}
	return b.String(), true
}

// first returns the first value that is there. Where several are, and not the
// same, nobody knows which of them the service takes.
func first(from []source, v *values) (string, bool) {
	found := ""
	for i := range from {
		one, known := only(&from[i], v)
		if !known || one != "" && found != "" && one != found {
			return "", false
		}
		if found == "" {
			found = one
		}
	}
	return found, true
}

// only returns the one value that is at s, "" for none.
func only(s *source, v *values) (string, bool) {
	if s.many != nil {
		seen, known := s.many.seen(v)
		all, _ := seen.([]string)
		switch {
		case known && seen == nil:
			return "", true
		case known && len(all) == 1:
			return all[0], true
		}
		return "", false // several: it is done to each
	}
	value, known := v.value(*s)
	if !known {
		return "", false
	}
	switch value.Kind {
	case body.Absent, body.Null:
		return "", true
	case body.String, body.Number, body.Bool:
		return value.Text, len(value.Text) <= maxText
	case body.List, body.Other:
	}
	return "", false
}

// check looks at how the captures of a row are written. It fails with
// fault.Invalid where the service could take one for what it is not.
func (r *row) check(c *captured) error {
	for i, capture := range r.captures {
		v := c.values[i]
		switch capture.kind {
		case nameSegment:
			if strings.Trim(v, nameBytes) != "" || v == "." || v == ".." {
				return fault.New(fault.Invalid, "The path has something in the place of the "+capture.name+" that cannot be one.", nil)
			}
		case numberSegment:
			if !plainNumber(v) && (v == "" || strings.Trim(v, nameBytes) != "" || !letter(v[0])) {
				return fault.New(fault.Invalid, "The path has something in the place of the "+capture.name+" that is not a plain number.", nil)
			}
		case idSegment:
			if strings.Trim(v, nameBytes) != "" || v == "." || v == ".." || strings.Trim(v, "0123456789") == "" && !plainNumber(v) {
				return fault.New(fault.Invalid, "The path has something in the place of the "+capture.name+" that cannot be one.", nil)
			}
		case anySegment, rest:
		}
	}
	return nil
}

// plainNumber reports whether v is a number in the one way to write it. What
// begins otherwise than with a letter some servers read as a number too.
func plainNumber(v string) bool {
	return strings.Trim(v, "0123456789") == "" && v != "" && (v[0] != '0' || v == "0")
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
