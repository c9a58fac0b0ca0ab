// Package pktline reads what a git client asks over HTTP, and refuses it so that git prints why.
//
// The bodies of git's smart HTTP protocol are lines with their length in
// front. Their beginning says everything that a rule wants to know: which refs
// a push changes, and whether a fetch is a first one. What is read here is
// never looser than what git itself reads: whatever one of the servers in use
// could understand differently is ErrMalformed.
package pktline

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrIncomplete says that the body goes on after what there is of it, and that
// the part that matters is not all there.
var ErrIncomplete = errors.New("the beginning of the git request is not all there")

// ErrMalformed says that this is not one well-formed git request.
var ErrMalformed = errors.New("not a well-formed git request")

// maxPacket is LARGE_PACKET_MAX of git: the four digits and 65516 bytes.
const maxPacket = 65520

type kind uint8

const (
	line  kind = iota
	flush      // 0000, the end of a section or of everything
	delim      // 0001, between a command of protocol 2 and its arguments
)

// reader cuts a body into packets.
type reader struct {
	rest  []byte
	whole bool // rest ends where the body ends
}

// next returns the payload of the next packet, without its line feed if it has
// one. At the end of the data it fails with ErrIncomplete or ErrMalformed.
func (r *reader) next() (kind, string, error) {
	if len(r.rest) < 4 {
		return line, "", r.short()
	}
	n, ok := size(r.rest)
	switch {
	case !ok:
		return line, "", malformed("a length is %q", r.rest[:4])
	case n == 0:
		r.rest = r.rest[4:]
		return flush, "", nil
	case n == 1:
		r.rest = r.rest[4:]
		return delim, "", nil
	case n < 5 || n > maxPacket: // an empty line is nothing that git sends
		return line, "", malformed("a length is %d", n)
	case n > len(r.rest):
		return line, "", r.short()
	}
	text := string(r.rest[4:n])
	r.rest = r.rest[n:]
	return line, text, nil
}

func (r *reader) short() error {
	if r.whole {
		return malformed("it ends early")
	}
	return ErrIncomplete
}

// size reads four hexadecimal digits. Signs and underscores, which strconv
// would take, are none.
func size(data []byte) (n int, ok bool) {
	for _, c := range data[:4] {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | int(c-'0')
		case 'a' <= c && c <= 'f':
			n = n<<4 | int(c-'a'+10)
		case 'A' <= c && c <= 'F':
			n = n<<4 | int(c-'A'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// appendPacket adds a packet with the given payload, which must fit into one.
func appendPacket(b []byte, payload ...string) []byte {
	n := 4
	for _, p := range payload {
		n += len(p)
	}
	b = fmt.Appendf(b, "%04x", n)
	for _, p := range payload {
		b = append(b, p...)
	}
	return b
}

// isID reports whether s is an object id, of SHA-1 or SHA-256, as git writes it.
func isID(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// count reads a positive decimal number.
func count(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n == 0 {
		return 0, malformed("a depth is %q", s)
	}
	return int(n), nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}
