package policy

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// matches looks for a regular expression, if that can be afforded.
func (r *run) matches(c *constant, s string) verdict {
	r.cost += int64(len(s)+1) * c.weight
	if r.spent() {
		return unclear
	}
	return surely(c.re.MatchString(s))
}

func (r *run) globs(c *constant, s string) verdict {
	r.cost += int64(len(c.globs)) * int64(1+len(s)/perText)
	if r.spent() {
		return unclear
	}
	for _, g := range c.globs {
		if g.match(s) {
			return holds
		}
	}
	return fails
}

// inNetwork is unclear about what is no address.
func (r *run) inNetwork(c *constant, s string) verdict {
	if len(s) > 100 {
		return unclear
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return unclear
	}
	ip = ip.Unmap().WithZone("")
	r.cost += int64(len(c.nets) / 4)
	for _, net := range c.nets {
		if net.Contains(ip) {
			return holds
		}
	}
	return fails
}

// opens says what can be said of an action of which only the beginning is
// known. What follows is at least one character.
func opens(n *node, s string) verdict {
	switch n.code {
	case isEqual:
		return opensEqual(s, &n.c.value)
	case isIn:
		for i := range n.c.many {
			if opensEqual(s, &n.c.many[i]) != fails {
				return unclear
			}
		}
		return fails
	case isStart:
		return opensStart(s, n.c.value.text)
	case isGlob:
		return opensGlobs(s, n.c.globs)
	default:
		return unclear
	}
}

func opensEqual(s string, other *value) verdict {
	switch {
	case other.kind == opening:
		return unclear
	case other.kind == text && len(other.text) > len(s) && strings.HasPrefix(other.text, s):
		return unclear
	}
	return fails
}

func opensStart(s, prefix string) verdict {
	switch {
	case strings.HasPrefix(s, prefix):
		return holds
	case strings.HasPrefix(prefix, s):
		return unclear
	}
	return fails
}

func opensGlobs(s string, globs []glob) verdict {
	out := fails
	for _, g := range globs {
		first := opensStart(s, g[0])
		switch {
		case len(g) == 1:
			other := textValue(g[0])
			first = opensEqual(s, &other)
		case first == holds && strings.Join(g[1:], "") != "":
			first = unclear
		}
		if first == holds {
			return holds
		}
		if first == unclear {
			out = unclear
		}
	}
	return out
}

// whole is one of the operators of YAML that look at a list, or a text, as it
// is.
func (r *run) whole(n *node) verdict {
	v := r.read(n.field)
	switch {
	case v.kind == unknown:
		return unclear
	case v.kind == absent:
		return fails
	case n.code == isThere:
		return holds
	case v.kind != list && v.kind != text:
		return unclear
	}
	switch n.code {
	case hasElement:
		return r.has(&v, &n.c.value)
	case hasAny, hasAll:
		return r.hasMany(&v, n)
	default:
		size := wholeValue(int64(v.size()))
		if v.kind == text {
			size = r.characters(v.text)
		}
		order, _ := ordered(&size, &n.c.value)
		return surely(fits(n.code, order))
	}
}

// has reports whether a list has an element, or a text a part.
func (r *run) has(v, part *value) verdict {
	if v.kind == text {
		r.cost += int64(1 + len(v.text)/perText)
		if part.kind != text {
			return unclear
		}
		return surely(strings.Contains(v.text, part.text))
	}
	out := fails
	size := v.size()
	r.cost += int64(size / 4)
	for i := 0; i < size && !r.spent(); i++ {
		element := v.at(i)
		switch same(&element, part) {
		case holds:
			return holds
		case unclear:
			out = unclear
		case fails:
		}
	}
	if r.spent() {
		return unclear
	}
	return out
}

func (r *run) hasMany(v *value, n *node) verdict {
	any, all := fails, holds
	for i := range n.c.many {
		one := r.has(v, &n.c.many[i])
		any, all = both(any.opposite(), one.opposite()).opposite(), both(all, one)
		if r.spent() {
			return unclear
		}
	}
	if n.code == hasAny {
		return any
	}
	return all
}

func (r *run) characters(s string) value {
	r.cost += int64(len(s) / perText)
	return wholeValue(int64(utf8.RuneCountInString(s)))
}
