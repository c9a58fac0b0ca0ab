package body

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// fold appends name to b such that two names that differ only in case become
// the same, by the simple folding of Unicode: the sign for kelvin is a k.
func fold(b, name []byte) []byte {
	for i := 0; i < len(name); {
		if c := name[i]; c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			b = append(b, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(name[i:])
		i += size
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		b = utf8.AppendRune(b, least)
	}
	return b
}

// loosen appends name to b as the laxest readers of forms see it: some trim
// it, some ignore case, and PHP makes underscores of dots and spaces.
func loosen(b, name []byte) []byte {
	base := len(b)
	b = fold(b, bytes.TrimFunc(name, unseen))
	for i, c := range b[base:] {
		if c == '.' || c == ' ' {
			b[base+i] = '_'
		}
	}
	return b
}

// unseen reports whether r, at an end of a name, is easily taken for nothing:
// spaces, controls, and marks such as that for the byte order.
func unseen(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }
