package body

import "strings"

// key is the name of a field: its names, with a NUL between. An empty one, but
// for the first, appends to a list.
type key string

// appends reports whether k adds an element each time it is said.
func (k key) appends() bool {
	return strings.HasSuffix(string(k), "\x00") || strings.Contains(string(k), "\x00\x00")
}

// fork returns the first names in which k and other differ, empty also where
// one of them has ended, and false where they are the same.
func (k key) fork(other key) (mine, theirs string, differ bool) {
	if k == other {
		return "", "", false
	}
	a, b := string(k), string(other)
	for a != "" && b != "" {
		var left, right string
		left, a, _ = strings.Cut(a, "\x00")
		right, b, _ = strings.Cut(b, "\x00")
		if left != right {
			return left, right, true
		}
	}
	return "", "", true
}

// follows reports whether k is said after last by readers that order elements
// by their index, as it is by those that order them as they come. Both stand
// in the same place.
func (k key) follows(last key) bool {
	before, after, differ := last.fork(k)
	if !differ {
		return true
	}
	if len(before) != len(after) {
		return len(before) < len(after)
	}
	return before < after
}

// isIndex reports whether name says the place of an element, or is empty and
// appends one.
func isIndex(name []byte) bool {
	for _, c := range name {
		if c < '0' || '9' < c {
			return false
		}
	}
	return len(name) < 2 || name[0] != '0'
}
