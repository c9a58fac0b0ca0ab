package body

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"
)

// maxHeader is how long the headers of a part may be. Readers begin to refuse
// them at 8 KB.
const maxHeader = 8 << 10

// header is what the headers of a part say.
type header struct {
	disposition disposition
	text        bool // The part is plain text.
	encoded     bool // The part is not what it says as it stands.
}

// readHeader reads the lines before the empty one. It is false where they are
// malformed, or where no one name, or no one character set, follows from them.
func readHeader(lines []byte) (h header, ok bool) {
	if len(lines) > maxHeader || !utf8.Valid(lines) {
		return h, false
	}
	h.text = true
	var seen []string
	for line := range bytes.SplitSeq(lines, crlf) {
		before, after, ok := strings.Cut(string(line), ":")
		if !ok || !isToken(before) || strings.ContainsFunc(after, isControl) {
			return h, false
		}
		name := strings.ToLower(before)
		for _, other := range seen {
			if other == name {
				return h, false
			}
		}
		seen = append(seen, name)
		if !h.field(name, strings.Trim(after, " \t")) {
			return h, false
		}
	}
	return h, h.disposition.named
}

func (h *header) field(name, value string) (ok bool) {
	switch name {
	case "content-disposition":
		h.disposition, ok = readDisposition(value)
		return ok
	case "content-type":
		kind, params, err := mime.ParseMediaType(value)
		if err != nil || strings.HasPrefix(kind, "multipart/") {
			return false
		}
		h.text = kind == "text/plain"
		set, said := params["charset"]
		return !said || unicodeCharset(set)
	case "content-transfer-encoding":
		switch strings.ToLower(value) {
		case "7bit", "8bit", "binary":
		default:
			h.encoded = true
		}
	case "content-length":
	default:
		// Content-Encoding is one; whatever others may do to the content is
		// not known.
		h.encoded = h.encoded || strings.HasPrefix(name, "content-")
	}
	return true
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// isToken reports whether s is a token by RFC 9110.
func isToken(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}
