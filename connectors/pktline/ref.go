package pktline

import (
	"strings"
	"unicode/utf8"
)

// maxRef is longer than any name that a file system, and so a server, can hold.
const maxRef = 1024

// checkRef fails where name is not a full name as git-check-ref-format has it,
// or is not text: a rule compares it, and a person reads it.
func checkRef(name string) error {
	if len(name) > maxRef || !utf8.ValidString(name) {
		return malformed("a ref is no text of at most %d bytes", maxRef)
	}
	if !strings.HasPrefix(name, "refs/") {
		return malformed("the ref %q is not below refs/", name)
	}
	if strings.Contains(name, "..") || strings.Contains(name, "@{") || strings.HasSuffix(name, ".") {
		return malformed("the ref %q", name)
	}
	if strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r)
	}) {
		return malformed("the ref %q", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return malformed("the ref %q", name)
		}
	}
	return nil
}
