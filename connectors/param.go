package connectors

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
)

// param is something that rules may look at.
type param struct {
	name string
	source
	typ  paramType
	each int // where the elements of a list are, beside what stands at the source itself
}

type paramType uint8

const (
	anyScalar paramType = iota // as it is written: text, a number, true or false
	wholeNumber
	trueOrFalse
	list
)

// A value beyond these counts as unknown: nobody could read it on a card, and
// records should not grow with it.
const (
	maxText = 4 << 10
	maxList = 256
)

// elements finds those of a JSON array that has a name put before it.
var elements = body.NewFinder([]body.Path{{"all", body.Each}})

// seen returns what rules see of p.
func (p *param) seen(v *values) (any, bool) {
	value, known := v.value(p.source)
	if !known {
		return nil, false
	}
	if p.typ == list && p.in == inBody && value.Kind == body.Other {
		value = v.body[p.each]
	}
	return p.typ.of(value)
}

// parseParam reads [name=]source[:type].
func parseParam(text string, captures []capture) (p param, err error) {
	name, rest, named := strings.Cut(text, "=")
	if !named {
		name, rest = "", text
	}
	from, typ, _ := strings.Cut(rest, ":")
	if p.source, err = parseSource(from, captures); err != nil {
		return p, err
	}
	switch typ {
	case "":
	case "int":
		p.typ = wholeNumber
	case "bool":
		p.typ = trueOrFalse
	case "list":
		p.typ = list
	default:
		return p, fmt.Errorf("parameter %s: no type %s", text, typ)
	}
	if p.name = name; !named {
		p.name = p.short()
	}
	return p, nil
}

// of returns v as rules see it. It is nil where there is nothing to see, and
// not known where what is there is not what the table expects.
func (t paramType) of(v body.Value) (seen any, known bool) {
	switch v.Kind {
	case body.Absent, body.Null:
		return nil, true
	case body.String:
		if len(v.Text) > maxText {
			return nil, false
		}
		return t.text(v.Text)
	case body.Bool:
		return v.Text == "true", t == anyScalar || t == trueOrFalse
	case body.Number:
		if t == trueOrFalse || t == list {
			return nil, false
		}
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return n, true
		}
		f, err := strconv.ParseFloat(v.Text, 64)
		return f, err == nil && t == anyScalar
	case body.List:
		if len(v.List) == 0 {
			return nil, true
		}
		if len(v.List) > maxList || t == wholeNumber || t == trueOrFalse {
			return nil, false
		}
		size := 0
		for _, element := range v.List {
			size += len(element)
		}
		return v.List, size <= maxText
	case body.Other:
	}
	return nil, false
}

func (t paramType) text(s string) (any, bool) {
	switch t {
	case anyScalar:
		return s, true
	case wholeNumber:
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil && s[0] != '+'
	case trueOrFalse:
		return s == "true", s == "true" || s == "false"
	case list: // as some services take lists in forms: separated by commas, or as JSON
		if s == "" {
			return nil, true
		}
		if strings.TrimSpace(s)[:min(1, len(strings.TrimSpace(s)))] != "[" {
			parts := strings.Split(s, ",")
			for i, part := range parts {
				parts[i] = strings.TrimSpace(part)
			}
			return parts, true
		}
		var all [1]body.Value
		if elements.JSON([]byte(`{"all":`+s+`}`), all[:]) != nil || all[0].Kind != body.List {
			return nil, false
		}
		return anyScalar.of(all[0])
	}
	return nil, false
}
