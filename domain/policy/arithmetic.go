package policy

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// maxMade is the longest text or list that an expression may put together.
const maxMade = 64 << 10

// reckon is + - * / and %. What overflows, or is divided by nought, is unknown.
func (r *run) reckon(c code, a, b *value) value {
	switch {
	case a.kind == whole && b.kind == whole:
		return wholes(c, a.num, b.num)
	case a.kind == double && b.kind == double:
		return doubles(c, a.float(), b.float())
	case a.kind == text && b.kind == text && c == add:
		r.cost += int64(len(a.text)+len(b.text)) / perText
		if len(a.text)+len(b.text) > maxMade || r.spent() {
			return value{}
		}
		return textValue(a.text + b.text)
	case a.kind == list && b.kind == list && c == add:
		return r.joined(a, b)
	}
	return times(c, a, b)
}

func wholes(c code, a, b int64) value {
	switch c {
	case add:
		if sum := a + b; (sum > a) == (b > 0) {
			return wholeValue(sum)
		}
	case sub:
		if rest := a - b; (rest < a) == (b > 0) {
			return wholeValue(rest)
		}
	case mul:
		high, low := bits.Mul64(magnitude(a), magnitude(b))
		negative := (a < 0) != (b < 0)
		if high == 0 && (low <= math.MaxInt64 || negative && low == 1<<63) {
			return wholeValue(a * b)
		}
	case div:
		if b != 0 && (a != math.MinInt64 || b != -1) {
			return wholeValue(a / b)
		}
	case mod:
		if b != 0 && (a != math.MinInt64 || b != -1) {
			return wholeValue(a % b)
		}
	default:
	}
	return value{}
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func doubles(c code, a, b float64) value {
	switch c {
	case add:
		return doubleValue(a + b)
	case sub:
		return doubleValue(a - b)
	case mul:
		return doubleValue(a * b)
	case div:
		if b != 0 {
			return doubleValue(a / b)
		}
	default:
	}
	return value{}
}

func (r *run) joined(a, b *value) value {
	size := a.size() + b.size()
	if r.cost += int64(size); size > maxMade || r.spent() {
		return value{}
	}
	made := make([]value, 0, size)
	for _, v := range [...]*value{a, b} {
		for i := range v.size() {
			made = append(made, v.at(i))
		}
	}
	return value{kind: list, ref: made}
}

// times adds to and subtracts from times and durations.
func times(c code, a, b *value) value {
	switch {
	case a.kind == duration && b.kind == duration && (c == add || c == sub):
		v := wholes(c, a.num, b.num)
		if v.kind == whole {
			v.kind = duration
		}
		return v
	case a.kind == duration && b.kind == moment && c == add:
		return inRange(b.time().Add(time.Duration(a.num)))
	case a.kind == moment && b.kind == duration && c == add:
		return inRange(a.time().Add(time.Duration(b.num)))
	case a.kind == moment && b.kind == duration && c == sub && b.num != math.MinInt64:
		return inRange(a.time().Add(-time.Duration(b.num)))
	case a.kind == moment && b.kind == moment && c == sub:
		d := a.time().Sub(b.time())
		if d == math.MaxInt64 || d == math.MinInt64 { // as far as it goes, and perhaps farther
			return value{}
		}
		return durationValue(d)
	}
	return value{}
}

func inRange(t time.Time) value {
	if !common(t) {
		return value{}
	}
	return momentValue(t)
}

// convert makes something else of one value.
func (r *run) convert(n *node, v *value) value {
	switch n.code {
	case neg:
		switch {
		case v.kind == whole && v.num != math.MinInt64:
			return wholeValue(-v.num)
		case v.kind == double:
			return doubleValue(-v.float())
		}
	case sizeOf:
		switch v.kind {
		case text:
			return r.characters(v.text)
		case list, mapping:
			return wholeValue(int64(v.size()))
		default:
		}
	case lower, upper:
		if v.kind == text {
			r.cost += int64(len(v.text) / perText)
			return textValue(letters(n.code, v.text))
		}
	case toInt:
		return toWhole(v)
	case toDouble:
		switch v.kind {
		case whole:
			return doubleValue(float64(v.num))
		case double:
			return *v
		case text:
			if f, err := strconv.ParseFloat(v.text, 64); err == nil {
				return doubleValue(f)
			}
		default:
		}
	case toText:
		return toString(v)
	case parseTime:
		if v.kind == text && len(v.text) < 64 {
			if t, err := time.Parse(time.RFC3339, v.text); err == nil {
				return inRange(t)
			}
		}
	case timePart:
		if v.kind == moment {
			return wholeValue(int64(clockPart(v.time().In(n.c.zone), n.c.part)))
		}
	default:
	}
	return value{}
}

func toWhole(v *value) value {
	switch v.kind {
	case whole:
		return *v
	case double:
		if f := v.float(); f > math.MinInt64 && f < math.MaxInt64 {
			return wholeValue(int64(f))
		}
	case text:
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return wholeValue(n)
		}
	default:
	}
	return value{}
}

func toString(v *value) value {
	switch v.kind {
	case whole:
		return textValue(strconv.FormatInt(v.num, 10))
	case double:
		return textValue(strconv.FormatFloat(v.float(), 'g', -1, 64))
	case truth:
		return textValue(strconv.FormatBool(v.num != 0))
	case text:
		return *v
	default:
		return value{}
	}
}

// letters changes the case of the letters of ASCII, and of no others.
func letters(c code, s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case c == lower && r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case c == upper && r >= 'a' && r <= 'z':
			return r + 'A' - 'a'
		}
		return r
	}, s)
}

func clockPart(t time.Time, part string) int {
	switch part {
	case "hours":
		return t.Hour()
	case "minutes":
		return t.Minute()
	case "day_of_week":
		return int(t.Weekday())
	case "day_of_month":
		return t.Day()
	case "month":
		return int(t.Month()) - 1
	default:
		return t.Year()
	}
}
