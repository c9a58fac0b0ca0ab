package cel

import (
	"math"
	"net/netip"
	"regexp/syntax"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

func textConst(s string) policy.Expr { return policy.Expr{Value: &policy.Const{Text: &s}} }

func (t *translation) literal(e ast.Expr) policy.Expr {
	c := &policy.Const{}
	switch v := e.AsLiteral().(type) {
	case types.String:
		return textConst(string(v))
	case types.Int:
		c.Int = new(int64(v))
	case types.Double:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			t.bad(e, "This number is too large.")
		}
		c.Float = new(float64(v))
	case types.Bool:
		c.Bool = new(bool(v))
	case types.Null:
		t.bad(e, "null is not used here; has(NAME) says whether something is there.")
	case types.Uint:
		t.bad(e, "Numbers are written without u here.")
	case types.Bytes:
		t.bad(e, "Text is written without b here.")
	default:
		t.bad(e, "This part of CEL is not used here.")
	}
	return policy.Expr{Value: c}
}

// fixed returns the text that has to stand at e as it is.
func (t *translation) fixed(e ast.Expr, what string) (string, bool) {
	s, ok := constantText(e)
	if !ok {
		t.bad(e, "%s has to be written out as a text here.", what)
	}
	return s, ok
}

const (
	maxPattern = 1000 // bytes
	maxParts   = 5000 // with repeats written out, about
	maxSteps   = 1000 // of the program that it becomes
)

func (t *translation) pattern(e ast.Expr) policy.Expr {
	s, ok := t.fixed(e, "A pattern")
	if !ok {
		return policy.Expr{}
	}
	if len(s) > maxPattern {
		t.bad(e, "A pattern has at most %d bytes.", maxPattern)
		return policy.Expr{}
	}
	re, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		t.bad(e, "This is not a pattern of RE2: %s.", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return policy.Expr{}
	}
	if partsOf(re) > maxParts || steps(re) > maxSteps {
		t.bad(e, "This pattern repeats too much, or is too long.")
	}
	return textConst(s)
}

// steps returns how long the program of a pattern is.
func steps(re *syntax.Regexp) int {
	program, err := syntax.Compile(re.Simplify())
	if err != nil {
		return maxSteps + 1
	}
	return len(program.Inst)
}

// partsOf is about how large a pattern is, and cheap to find out.
func partsOf(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		n += partsOf(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<30)
}

func (t *translation) globText(e ast.Expr) policy.Expr {
	s, _ := t.fixed(e, "A glob")
	return textConst(s)
}

func (t *translation) network(e ast.Expr) policy.Expr {
	s, ok := t.fixed(e, "A network")
	if !ok {
		return policy.Expr{}
	}
	if _, err := netip.ParsePrefix(s); err != nil {
		t.bad(e, "A network is written like 10.0.0.0/8 or 2001:db8::/32; of one address, 192.0.2.1/32.")
	}
	return textConst(s)
}

func (t *translation) window(e ast.Expr) policy.Expr {
	s, ok := t.fixed(e, "A window")
	if !ok {
		return policy.Expr{}
	}
	w, err := policy.ParseWindow(s)
	if err != nil {
		t.bad(e, "%s", fault.Message(err))
	}
	return policy.Expr{Value: &policy.Const{Window: &w}}
}

// instant translates timestamp(): of a text that stands there, the time.
func (t *translation) instant(e ast.Expr) policy.Expr {
	s, ok := constantText(e)
	if !ok {
		return policy.Expr{Op: policy.ParseTime, Args: []policy.Expr{t.value(e)}}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || at.UTC().Year() < 1 || at.UTC().Year() > 9999 {
		t.bad(e, "A time is written like 2026-11-23T22:00:00Z.")
	}
	at = at.UTC()
	return policy.Expr{Value: &policy.Const{Time: &at}}
}

func (t *translation) duration(e ast.Expr) policy.Expr {
	s, ok := t.fixed(e, "A duration")
	if !ok {
		return policy.Expr{}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.bad(e, "A duration is written like 90s, 15m or 24h.")
	}
	return policy.Expr{Value: &policy.Const{Duration: &d}}
}
