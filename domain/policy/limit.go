package policy

import (
	"math"
	"strconv"
	"strings"
)

// limit is one key of a rule's Limits, ready to be asked.
type limit struct {
	key   string
	globs []glob
}

func compileLimits(l Limits) []limit {
	limits := make([]limit, 0, len(l))
	for _, key := range l.Keys() {
		one := limit{key: key}
		for _, g := range l[key] {
			one.globs = append(one.globs, compileGlob(g))
		}
		limits = append(limits, one)
	}
	return limits
}

// words says what has to hold.
func (l *limit) words() string {
	globs := make([]string, 0, len(l.globs))
	for _, g := range l.globs {
		globs = append(globs, strings.Join(g, "*"))
	}
	return l.key + " is " + either(globs)
}

func (l *limit) match(value string) verdict {
	for _, g := range l.globs {
		if g.match(value) {
			return holds
		}
	}
	return fails
}

// glob is the text between the stars of a pattern for values. It has one part
// more than there were stars.
type glob []string

func compileGlob(s string) glob { return strings.Split(s, "*") }

// match costs no more than looking through s once for each part.
func (g glob) match(s string) bool {
	first, last := g[0], g[len(g)-1]
	if len(g) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range g[1 : len(g)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// appendFloat writes f as JSON has it.
func appendFloat(b []byte, f float64) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if n := len(b); format == 'e' && n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' { // e-09 is e-9
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}
