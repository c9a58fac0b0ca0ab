package policy_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/policy"
)

// The notation of conditions in tests is op(args): equals(params.base, "main"),
// exist[x](params.labels, ==($x, "a")). Constants are as in JSON, or a time
// t"2026-11-23T09:00:00Z", a duration d"1h", a window w"mon,fri 09:00-17:00
// Europe/Berlin".

// condition reads the notation.
func condition(s string) (e policy.Expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %v", s, r)
		}
	}()
	n := notation{rest: s}
	e = n.expr()
	if n.skip(); n.rest != "" {
		panic("left over: " + n.rest)
	}
	return e, nil
}

type notation struct{ rest string }

func (n *notation) skip() { n.rest = strings.TrimLeft(n.rest, " ") }

func (n *notation) eat(s string) bool {
	n.skip()
	rest, ok := strings.CutPrefix(n.rest, s)
	n.rest = rest
	return ok
}

func (n *notation) must(s string) {
	if !n.eat(s) {
		panic(fmt.Sprintf("%q is missing before %q", s, n.rest))
	}
}

func (n *notation) while(chars string) string {
	rest := strings.TrimLeft(n.rest, chars)
	word := n.rest[:len(n.rest)-len(rest)]
	n.rest = rest
	return word
}

const wordChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$-"

func (n *notation) expr() policy.Expr {
	if c := n.constant(); c != nil {
		return policy.Expr{Value: c}
	}
	word := n.while("=!<>+*/%?:-")
	if word == "" {
		word = n.while(wordChars)
	}
	e := policy.Expr{Op: policy.Op(word)}
	if n.eat("[") {
		e.Var = n.while(wordChars)
		n.must("]")
	}
	if !n.eat("(") {
		if word == "" {
			panic("nothing at " + n.rest)
		}
		return policy.Expr{Field: word}
	}
	for !n.eat(")") {
		if len(e.Args) > 0 {
			n.must(",")
		}
		e.Args = append(e.Args, n.expr())
	}
	return e
}

func (n *notation) constant() *policy.Const {
	n.skip()
	switch {
	case strings.HasPrefix(n.rest, `"`):
		s := n.quoted()
		return &policy.Const{Text: &s}
	case n.eat(`t"`):
		n.rest = `"` + n.rest
		t, err := time.Parse(time.RFC3339Nano, n.quoted())
		if err != nil {
			panic(err)
		}
		return &policy.Const{Time: &t}
	case n.eat(`d"`):
		n.rest = `"` + n.rest
		d, err := time.ParseDuration(n.quoted())
		if err != nil {
			panic(err)
		}
		return &policy.Const{Duration: &d}
	case n.eat(`w"`):
		n.rest = `"` + n.rest
		w := readWindow(n.quoted())
		return &policy.Const{Window: &w}
	case n.eat("["):
		c := &policy.Const{IsList: true}
		for !n.eat("]") {
			if len(c.List) > 0 {
				n.must(",")
			}
			c.List = append(c.List, *n.constant())
		}
		return c
	}
	for _, b := range []bool{true, false} {
		if word := strconv.FormatBool(b); strings.HasPrefix(n.rest, word) && !strings.ContainsAny((n.rest + " ")[len(word):][:1], wordChars) {
			n.rest = n.rest[len(word):]
			return &policy.Const{Bool: &b}
		}
	}
	digits := strings.TrimPrefix(n.rest, "-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' {
		return nil
	}
	text := n.while("0123456789.eE+-")
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return &policy.Const{Int: &i}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return &policy.Const{Float: &f}
}

func (n *notation) quoted() string {
	q, err := strconv.QuotedPrefix(n.rest)
	if err != nil {
		panic(err)
	}
	n.rest = n.rest[len(q):]
	s, err := strconv.Unquote(q)
	if err != nil {
		panic(err)
	}
	return s
}

var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// readWindow reads "mon,fri 09:00-17:00 Europe/Berlin".
func readWindow(s string) policy.Window {
	var w policy.Window
	parts := strings.Fields(s)
	if len(parts) == 3 {
		for _, day := range strings.Split(parts[0], ",") {
			for i, name := range days {
				if name == day {
					w.Days = append(w.Days, time.Weekday(i))
				}
			}
		}
		parts = parts[1:]
	}
	var fromHour, from, toHour, to int
	if _, err := fmt.Sscanf(parts[0], "%d:%d-%d:%d", &fromHour, &from, &toHour, &to); err != nil {
		panic(err)
	}
	w.From, w.To, w.Zone = fromHour*60+from, toHour*60+to, parts[1]
	return w
}

// written is the notation of e.
func written(e *policy.Expr) string {
	switch {
	case e == nil:
		return "always"
	case e.Value != nil:
		return writtenConst(*e.Value)
	case e.Field != "":
		return e.Field
	}
	var args []string
	for i := range e.Args {
		args = append(args, written(&e.Args[i]))
	}
	bound := ""
	if e.Var != "" {
		bound = "[" + e.Var + "]"
	}
	return string(e.Op) + bound + "(" + strings.Join(args, ", ") + ")"
}

func writtenConst(c policy.Const) string {
	switch {
	case c.Text != nil:
		return strconv.Quote(*c.Text)
	case c.Time != nil:
		return "t" + strconv.Quote(c.Time.Format(time.RFC3339Nano))
	case c.Duration != nil:
		return "d" + strconv.Quote(c.Duration.String())
	case c.Window != nil:
		var names []string
		for _, d := range c.Window.Days {
			names = append(names, days[d])
		}
		return fmt.Sprintf(`w"%s%02d:%02d-%02d:%02d %s"`, strings.TrimLeft(strings.Join(names, ",")+" ", " "), c.Window.From/60, c.Window.From%60, c.Window.To/60, c.Window.To%60, c.Window.Zone)
	case c.IsList:
		var list []string
		for _, one := range c.List {
			list = append(list, writtenConst(one))
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	b, err := json.Marshal(constant(&c))
	if err != nil {
		panic(err)
	}
	return string(b)
}
