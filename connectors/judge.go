package connectors

import (
	"mime"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// maxFields is how many fields of a body the rows of a group may need.
const maxFields = 8

// name says which row of g a request is and makes its action. Where the body
// hides which, it is not ok, and the action is nobody's: the caller names it.
func (g *group) name(r *Request, c *captured) (a action.Action, ok bool) {
	var buf [maxFields]value
	values := buf[:len(g.fields)]
	readable := true
	if len(values) > 0 {
		readable = readBody(r, g.fields, values)
	}
	for _, row := range g.rows {
		switch row.when.holds(r, g.fields, values, readable) {
		case no:
			continue
		case unclear:
			return action.Action{}, false
		case yes:
		}
		return row.act(g.fields, values, readable, c), true
	}
	return action.Action{}, false
}

// alternatives are all the actions that g's rows name.
func (g *group) alternatives() []action.Alternative {
	all := make([]action.Alternative, 0, len(g.rows))
	for _, row := range g.rows {
		all = append(all, action.Alternative{Name: row.action, Class: row.class})
	}
	return all
}

func (r *row) act(fields []string, values []value, readable bool, c *captured) action.Action {
	a := action.Action{Name: r.action, Class: r.class, Risk: r.risk, Reversible: r.reversible, Resource: r.resource.fill(c.values[:c.n])}
	if n := len(r.params) + len(r.fields); n > 0 {
		a.Params = make(map[string]any, n)
	}
	for _, i := range r.params {
		a.Params[r.captures[i].name] = c.values[i]
	}
	for _, field := range r.fields {
		if !readable {
			a.Unknown = append(a.Unknown, field)
			continue
		}
		v := lookUp(fields, values, field)
		if p, ok := v.param(); ok {
			a.Params[field] = p
		} else if v.kind == isOther || v.kind == isNumber {
			a.Unknown = append(a.Unknown, field)
		}
	}
	return a
}

func lookUp(fields []string, values []value, field string) value {
	for i, name := range fields {
		if name == field {
			return values[i]
		}
	}
	return value{}
}

type verdict uint8

const (
	unclear verdict = iota
	no
	yes
)

// holds says whether the body is as c wants it. What is there but not written
// as the service documents it is unclear, not a no; so is a field that is in
// the query as well, since some services read both.
func (c condition) holds(r *Request, fields []string, values []value, readable bool) verdict {
	if c.field == "" {
		return yes
	}
	if !readable {
		return unclear
	}
	if inQuery, err := queryValues(r.RawQuery, c.field); err != nil || len(inQuery) > 0 {
		return unclear
	}
	switch v := lookUp(fields, values, c.field); {
	case v.kind == absent:
		return no
	case v.kind != isString || v.text == "":
		return unclear
	case c.value == "" || strings.EqualFold(strings.TrimSpace(v.text), c.value):
		return yes
	case strings.Contains(strings.ToLower(v.text), c.value):
		return unclear
	}
	return no
}

// readBody reads the fields of a JSON body. It reports false where the body is
// not known in whole, is encoded, or is not one JSON object; an empty body has
// no fields. What the content type says does not matter, since services read
// JSON whatever it says, unless it names another character set.
func readBody(r *Request, fields []string, values []value) bool {
	if !r.Body.whole {
		return false
	}
	for _, v := range r.Header["Content-Encoding"] {
		if !r.Body.decoded && !strings.EqualFold(strings.TrimSpace(v), "identity") {
			return false
		}
	}
	for _, v := range r.Header["Content-Type"] {
		if strings.IndexByte(v, ';') < 0 {
			continue
		}
		_, params, err := mime.ParseMediaType(v)
		if charset := params["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
			return false
		}
	}
	return len(r.Body.data) == 0 || readFields(r.Body.data, fields, values) == nil
}

// check looks at how the captures of a row are written. It is false where the
// segment is another word in that place, which makes it another path, and
// fails with fault.Invalid where the service could take it for what it is not.
func (r *row) check(c *captured) (bool, error) {
	for i, capture := range r.captures {
		v := c.values[i]
		switch capture.kind {
		case nameSegment:
			if strings.Trim(v, nameBytes) != "" || v == "." || v == ".." {
				return false, fault.New(fault.Invalid, "The path has something in the place of the "+capture.name+" that cannot be one.", nil)
			}
		case numberSegment:
			if strings.Trim(v, "0123456789") == "" && v[0] != '0' {
				continue
			}
			if strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == "" {
				return false, nil
			}
			return false, fault.New(fault.Invalid, "The path has something in the place of the "+capture.name+" that is not a plain number.", nil)
		case anySegment, rest:
		}
	}
	return true, nil
}

const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
