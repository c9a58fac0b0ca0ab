package document

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

var (
	plainInt   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	plainFloat = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
)

// number reads a number that is written plainly.
func number(n ast.Node) (c policy.Const, ok bool) {
	text := n.GetToken().Value
	switch n.(type) {
	case *ast.IntegerNode:
		i, err := strconv.ParseInt(text, 10, 64)
		return policy.Const{Int: &i}, err == nil && plainInt.MatchString(text)
	case *ast.FloatNode:
		f, err := strconv.ParseFloat(text, 64)
		return policy.Const{Float: &f}, err == nil && !math.IsInf(f, 0) && plainFloat.MatchString(text)
	}
	return c, false
}

// amount is a number, or a moment where f is one.
func (r *reading) amount(p yamldoc.Place, f field) policy.Const {
	if f.typ == policy.Timestamp {
		t, ok := r.moment(p)
		if !ok {
			return policy.Const{}
		}
		return policy.Const{Time: &t}
	}
	c, ok := number(p.Node)
	if !ok {
		r.Bad(p, "a number belongs here, in plain digits and without quotes")
	}
	return c
}

func (r *reading) moment(p yamldoc.Place) (time.Time, bool) {
	text := r.Text(p)
	if text == "" {
		return time.Time{}, false
	}
	t, err := time.Parse(timeLayout, text)
	if err != nil || t.Year() < 1 || t.Year() > 9998 || t.IsZero() {
		r.Bad(p, "a moment is written like 2026-11-23T22:00:00Z")
		return time.Time{}, false
	}
	return t.UTC(), true
}

func (r *reading) range2(p yamldoc.Place, f field) policy.Const {
	had := len(r.Problems.All)
	c := r.values(p, func(item yamldoc.Place) policy.Const { return r.amount(item, f) })
	switch {
	case len(r.Problems.All) > had:
	case len(c.List) != 2:
		r.Bad(p, "between has two values, such as [10, 20]")
	case c.List[0].Time != nil && c.List[0].Time.After(*c.List[1].Time), c.List[0].Time == nil && float(c.List[0]) > float(c.List[1]):
		r.Bad(p, "the first value is larger than the second, so nothing is between them")
	}
	return c
}

func float(c policy.Const) float64 {
	if c.Int != nil {
		return float64(*c.Int)
	}
	return *c.Float
}

func (r *reading) size(p yamldoc.Place, o operator) policy.Const {
	n, ok := r.whole(p)
	if ok && (n < 0 || n > 1<<30) {
		r.Bad(p, "a size is a number of elements, or of characters")
	}
	n += o.shift
	return policy.Const{Int: &n}
}

// whole reads a whole number.
func (r *reading) whole(p yamldoc.Place) (int64, bool) {
	if n, isInt := p.Node.(*ast.IntegerNode); isInt {
		if c, ok := number(n); ok {
			return *c.Int, true
		}
	}
	r.Bad(p, "a whole number belongs here, without quotes")
	return 0, false
}

// window reads "mon-fri 09:00-17:00 Europe/Berlin", or the same in parts.
func (r *reading) window(p yamldoc.Place) policy.Const {
	var written string
	switch p.Node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		keys := r.Mapping(p, "days", "from", "to", "zone")
		from, to := r.Need(p, keys["from"], "from"), r.Need(p, keys["to"], "to")
		if from == "" || to == "" {
			return policy.Const{}
		}
		var days []string
		for _, item := range r.list(keys["days"], 7) {
			days = append(days, r.Text(item))
		}
		parts := []string{strings.Join(days, ","), from + "-" + to, r.Text(keys["zone"])}
		for _, part := range parts {
			if strings.ContainsFunc(part, func(c rune) bool { return c <= ' ' }) {
				r.Bad(p, "days, from, to and zone are one word each, such as {days: [mon-fri], from: \"09:00\", to: \"17:00\", zone: Europe/Berlin}")
				return policy.Const{}
			}
		}
		written = strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
	default:
		if written = r.Text(p); written == "" {
			return policy.Const{}
		}
	}
	w, err := policy.ParseWindow(written)
	if err != nil {
		r.Bad(p, "%s", fault.Message(err))
	}
	return policy.Const{Window: &w}
}
