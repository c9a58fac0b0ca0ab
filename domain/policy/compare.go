package policy

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// numeric reports whether v is a number.
func (v *value) numeric() bool { return v.kind == whole || v.kind == double }

// compareNumbers orders two numbers by what they are, whatever their types.
func compareNumbers(a, b *value) int {
	switch {
	case a.kind == whole && b.kind == whole:
		return cmp.Compare(a.num, b.num)
	case a.kind == double && b.kind == double:
		return cmp.Compare(a.float(), b.float())
	case a.kind == whole:
		return -compareToWhole(b.float(), a.num)
	}
	return compareToWhole(a.float(), b.num)
}

// compareToWhole does not round n, which a float64 may not be able to hold.
func compareToWhole(f float64, n int64) int {
	const end = 1 << 63
	switch {
	case f >= end:
		return 1
	case f < -end:
		return -1
	}
	floor := math.Floor(f)
	if c := cmp.Compare(int64(floor), n); c != 0 || floor == f {
		return c
	}
	return 1
}

// asNumber reads the number in a text: what JSON would take for one, and
// leading noughts.
func asNumber(s string) (value, bool) {
	if s == "" || len(s) > 400 || s[len(s)-1] < '0' || s[len(s)-1] > '9' {
		return value{}, false
	}
	for i, plain := 0, true; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
		case c == '-' && i == 0 && len(s) > 1:
		case c == '.' && plain && i > 0 && digit(s[i-1]) && digit(s[i+1]):
			plain = false
		case (c == 'e' || c == 'E') && i > 0 && digit(s[i-1]) && !strings.ContainsAny(s[i+1:], "eE."):
			if s[i+1] == '+' || s[i+1] == '-' {
				i++
			}
			plain = false
		default:
			return value{}, false
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return wholeValue(n), true
	}
	f, err := strconv.ParseFloat(s, 64)
	v := doubleValue(f)
	return v, err == nil && v.kind == double
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// textIs says whether the number in a text is n. Some services read as a number
// what others do not, such as +1 or 1e2 with a blank before it.
func textIs(s string, n *value) verdict {
	if of, ok := asNumber(s); ok {
		return surely(compareNumbers(&of, n) == 0)
	}
	if strings.ContainsAny(s, "0123456789") && strings.Trim(s, " \t\r\n+-.,_0123456789abcdefABCDEFxX") == "" {
		return unclear
	}
	return fails
}

func truthText(v *value) string {
	if v.num != 0 {
		return "true"
	}
	return "false"
}

// same is equality in YAML: a number in a text counts as the number where the
// other is one, and so does true or false.
func same(a, b *value) verdict {
	switch {
	case a.numeric() && b.numeric():
		return surely(compareNumbers(a, b) == 0)
	case a.numeric() && b.kind == text:
		return textIs(b.text, a)
	case a.kind == text && b.numeric():
		return textIs(a.text, b)
	case a.kind == truth && b.kind == text:
		return surely(b.text == truthText(a))
	case a.kind == text && b.kind == truth:
		return surely(a.text == truthText(b))
	}
	switch a.kind {
	case text:
		return surely(b.kind == text && a.text == b.text)
	case truth:
		return surely(b.kind == truth && a.num == b.num)
	case moment:
		return surely(b.kind == moment && a.num == b.num && a.nano == b.nano)
	case whole, double:
		return fails
	default:
		return unclear
	}
}

// ordered compares numbers, texts that are numbers, and times, for YAML.
func ordered(a, b *value) (int, bool) {
	if a.kind == moment && b.kind == moment {
		return cmp.Or(cmp.Compare(a.num, b.num), cmp.Compare(a.nano, b.nano)), true
	}
	if a.kind == text && b.numeric() {
		n, ok := asNumber(a.text)
		return compareNumbers(&n, b), ok
	}
	if a.numeric() && b.numeric() {
		return compareNumbers(a, b), true
	}
	return 0, false
}

// ranked compares two values of one type, for CEL.
func ranked(a, b *value) (int, bool) {
	switch {
	case a.numeric() && b.numeric():
		return compareNumbers(a, b), true
	case a.kind != b.kind:
		return 0, false
	}
	switch a.kind {
	case text:
		return strings.Compare(a.text, b.text), true
	case truth, duration:
		return cmp.Compare(a.num, b.num), true
	case moment:
		return ordered(a, b)
	default:
		return 0, false
	}
}

// equal is equality in CEL. It costs by how much there is to compare; what is
// not known of a part makes the whole unclear.
func (r *run) equal(a, b *value) verdict {
	r.cost++
	switch {
	case a.kind == unknown || b.kind == unknown || r.spent():
		return unclear
	case a.numeric() && b.numeric():
		return surely(compareNumbers(a, b) == 0)
	case a.kind == opening:
		return opensEqual(a.text, b)
	case b.kind == opening:
		return opensEqual(b.text, a)
	case a.kind != b.kind:
		return fails
	}
	switch a.kind {
	case null:
		return holds
	case truth, duration:
		return surely(a.num == b.num)
	case moment:
		return surely(a.num == b.num && a.nano == b.nano)
	case text:
		r.cost += int64(min(len(a.text), len(b.text)) / perText)
		return surely(a.text == b.text)
	case list:
		if a.size() != b.size() {
			return fails
		}
		all := holds
		for i := range a.size() {
			x, y := a.at(i), b.at(i)
			if all = both(all, r.equal(&x, &y)); all == fails {
				return fails
			}
		}
		return all
	case mapping:
		return r.equalMaps(a, b)
	default:
		return unclear
	}
}

func (r *run) equalMaps(a, b *value) verdict {
	if a.size() != b.size() {
		return fails
	}
	all := holds
	m, _ := a.ref.(map[string]any)
	for name, x := range m {
		mine, other := valueOf(x), b.under(name)
		if other.kind == absent {
			return fails
		}
		if all = both(all, r.equal(&mine, &other)); all == fails {
			return fails
		}
	}
	return all
}

// both is the verdict about two conditions that have to hold.
func both(a, b verdict) verdict {
	switch {
	case a == fails || b == fails:
		return fails
	case a == unclear || b == unclear:
		return unclear
	}
	return holds
}
