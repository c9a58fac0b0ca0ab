package connectors

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// oddity says in what ways a path can be read differently from how it looks.
type oddity uint8

const (
	brokenPath   oddity = 1 << iota // no slash first, or a bad escape
	emptySegment                    // "//"
	dotSegment                      // "." or ".."
	strangeByte                     // a control character, a backslash, a space at an end, invalid UTF-8
	twiceEscaped                    // an escape that, undone, leaves another
	semicolon                       // which some servers cut a segment at
	slashEscaped                    // %2F
)

var oddities = []struct {
	is       oddity
	sentence string
}{
	{brokenPath, "The path is not a valid one."},
	{emptySegment, "The path has two slashes together; write one."},
	{dotSegment, "The path has . or .. in it; write out where it leads."},
	{strangeByte, "The path has a backslash, a control character, a space at an end or broken text in it."},
	{twiceEscaped, "The path is escaped twice; escape it once."},
	{semicolon, "The path has a semicolon; write it as %3B."},
	{slashEscaped, "The path hides a slash as %2F where it could be read in two ways."},
}

func (o oddity) sentence() string {
	for _, row := range oddities {
		if o&row.is != 0 {
			return row.sentence
		}
	}
	return ""
}

// splitPath undoes the escapes of raw once and appends its segments to buf. A
// final slash makes no difference. What is odd is reported and not repaired.
func splitPath(raw string, buf []string) (segments []string, odd oddity) {
	rest, ok := strings.CutPrefix(raw, "/")
	if !ok || strings.ContainsAny(raw, "?#") {
		return buf, brokenPath
	}
	segments = buf
	for more := rest != ""; more && rest != ""; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		plain, o := unescape(segment)
		segments = append(segments, plain)
		odd |= o
	}
	return segments, odd
}

// PlainPath returns the one spelling of a path as policies see it: with its
// escapes undone once, and without a final slash. Known is false where servers
// differ in what they make of raw: such a path has no one spelling.
func PlainPath(raw string) (path string, known bool) {
	if raw == "*" { // OPTIONS *
		return raw, true
	}
	path, odd := httpPath(raw)
	switch {
	case odd != 0:
		return "", false
	case path == "":
		return "/", true
	}
	return path, true
}

func unescape(segment string) (string, oddity) {
	var odd oddity
	if strings.IndexByte(segment, ';') >= 0 {
		odd = semicolon
	}
	if strings.IndexByte(segment, '%') >= 0 {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return segment, brokenPath
		}
		segment = plain
		if hasEscape(segment) {
			odd |= twiceEscaped
		}
		if strings.IndexByte(segment, '/') >= 0 {
			odd |= slashEscaped
			for part := range strings.SplitSeq(segment, "/") {
				odd |= look(part)
			}
			return segment, odd | strange(segment)
		}
	}
	return segment, odd | look(segment) | strange(segment)
}

func look(part string) oddity {
	switch part {
	case "":
		return emptySegment
	case ".", "..":
		return dotSegment
	}
	return 0
}

func strange(segment string) oddity {
	if strings.TrimSpace(segment) != segment {
		return strangeByte
	}
	ascii := true
	for i := range len(segment) {
		switch c := segment[i]; {
		case c < 0x20, c == 0x7f, c == '\\':
			return strangeByte
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if !ascii && !utf8.ValidString(segment) {
		return strangeByte
	}
	return 0
}

func hasEscape(s string) bool {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '%' && isHex(s[i+1]) && isHex(s[i+2]) {
			return true
		}
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// resplit reads segments as a server would that undoes escapes before it looks
// for slashes.
func resplit(segments []string) []string {
	return strings.Split(strings.Join(segments, "/"), "/")
}
