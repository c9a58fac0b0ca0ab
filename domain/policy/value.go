package policy

import (
	"math"
	"time"
)

// kind is the type of a value.
type kind uint8

// The zero kind is that nobody knows what there is, or that there is nothing
// that could be reckoned with.
const (
	unknown kind = iota
	absent       // it is known that there is nothing
	null
	truth
	whole
	double
	text
	moment
	duration
	list
	mapping
	opening // a text of which only the beginning is known, and that it is longer
)

// value is what a field, or a part of an expression, is. It is small, and made
// without allocating; lists and maps stay what they were.
type value struct {
	kind  kind
	nano  int32    // of a moment
	num   int64    // truth (0 or 1), whole, the bits of a double, the seconds of a moment, a duration
	text  string   // text and opening
	texts []string // a list of texts, where ref is nil
	ref   any      // a list, or a map by text
}

func truthValue(b bool) value {
	if b {
		return value{kind: truth, num: 1}
	}
	return value{kind: truth}
}

func wholeValue(n int64) value { return value{kind: whole, num: n} }

// doubleValue is unknown for what is no number.
func doubleValue(f float64) value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return value{}
	}
	return value{kind: double, num: int64(math.Float64bits(f))}
}

func textValue(s string) value { return value{kind: text, text: s} }

func momentValue(t time.Time) value {
	return value{kind: moment, num: t.Unix(), nano: int32(t.Nanosecond())}
}

func durationValue(d time.Duration) value { return value{kind: duration, num: int64(d)} }

func (v *value) float() float64 { return math.Float64frombits(uint64(v.num)) }

func (v *value) time() time.Time { return time.Unix(v.num, int64(v.nano)).UTC() }

// valueOf makes a value of what JSON and forms are made of. Of another type it
// is unknown.
func valueOf(x any) value {
	switch x := x.(type) {
	case string:
		return textValue(x)
	case bool:
		return truthValue(x)
	case int64:
		return wholeValue(x)
	case float64:
		return doubleValue(x)
	case nil:
		return value{kind: null}
	}
	switch x.(type) {
	case []string, []any:
		return value{kind: list, ref: x}
	case map[string]any:
		return value{kind: mapping, ref: x}
	}
	return value{}
}

// size is how many elements a list or a map has.
func (v *value) size() int {
	switch ref := v.ref.(type) {
	case []string:
		return len(ref)
	case []any:
		return len(ref)
	case []value:
		return len(ref)
	case map[string]any:
		return len(ref)
	}
	return len(v.texts)
}

// at is one element of a list.
func (v *value) at(i int) value {
	switch ref := v.ref.(type) {
	case []string:
		return textValue(ref[i])
	case []any:
		return valueOf(ref[i])
	case []value:
		return ref[i]
	}
	return textValue(v.texts[i])
}

// under is what a map has by that name.
func (v *value) under(name string) value {
	m, _ := v.ref.(map[string]any)
	if x, there := m[name]; there {
		return valueOf(x)
	}
	return value{kind: absent}
}

// verdict is v as a condition. What is neither true nor false is unclear.
func (v *value) verdict() verdict {
	if v.kind != truth {
		return unclear
	}
	return surely(v.num != 0)
}

func surely(b bool) verdict {
	if b {
		return holds
	}
	return fails
}

func (v verdict) opposite() verdict {
	switch v {
	case holds:
		return fails
	case fails:
		return holds
	case unclear:
	}
	return unclear
}

// value is v as a part of an expression.
func (v verdict) value() value {
	if v == unclear {
		return value{}
	}
	return truthValue(v == holds)
}
