package strict

// text is what a head is made of: bytes off the wire, or strings that net/http
// made of an HTTP/2 request.
type text interface{ ~string | ~[]byte }

const (
	isToken  = 1 << iota // may stand in a method or a header name
	isValue              // may stand in a header value
	isTarget             // may stand in a request target
	isHost               // may stand in a host name
	isHex
	isDigit
	isAlpha
)

// octets says of each byte where it may stand.
var octets = func() (t [256]uint8) {
	for c := range 256 {
		b := byte(c)
		alpha := b|0x20 >= 'a' && b|0x20 <= 'z'
		digit := b >= '0' && b <= '9'
		if alpha || digit {
			t[c] |= isToken | isHost
		}
		if alpha {
			t[c] |= isAlpha
		}
		if digit {
			t[c] |= isDigit | isHex
		}
		if b|0x20 >= 'a' && b|0x20 <= 'f' {
			t[c] |= isHex
		}
		if b == '\t' || b >= ' ' && b != 0x7f {
			t[c] |= isValue
		}
		if b > ' ' && b < 0x7f {
			t[c] |= isTarget
		}
	}
	for _, b := range []byte("!#$%&'*+-.^_`|~") {
		t[b] |= isToken
	}
	for _, b := range []byte("-._~") {
		t[b] |= isHost
	}
	return t
}()

// all reports whether every byte of s is of the given kind.
func all[T text](s T, kind uint8) bool {
	for i := range len(s) {
		if octets[s[i]]&kind == 0 {
			return false
		}
	}
	return true
}

// letter reports whether b is a letter or a digit of ASCII.
func letter(b byte) bool { return octets[b]&(isDigit|isAlpha) != 0 }

func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b | 0x20
	}
	return b
}

// fold reports whether s equals want, which is in lower case, but for case.
func fold[T text](s T, want string) bool {
	if len(s) != len(want) {
		return false
	}
	for i := range len(s) {
		if lower(s[i]) != want[i] {
			return false
		}
	}
	return true
}

// imitates reports whether s is want, which is in lower case and made of
// letters, to a parser that drops or replaces everything but letters and
// digits. Such parsers stand behind CGI, where Content_Length and
// Content-Length become one variable.
func imitates[T text](s T, want string) bool {
	j := 0
	for i := range len(s) {
		if !letter(s[i]) {
			continue
		}
		b := lower(s[i])
		if j == len(want) || b != want[j] {
			return false
		}
		j++
	}
	return j == len(want)
}

// trim takes spaces and tabs off both ends.
func trim[T text](s T) T {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// index returns where b first stands in s, or -1.
func index[T text](s T, b byte) int {
	for i := range len(s) {
		if s[i] == b {
			return i
		}
	}
	return -1
}

// number reads a plain decimal number: digits only, no leading zero, and no
// larger than any body we will ever see.
func number[T text](s T) (int64, bool) {
	if len(s) == 0 || len(s) > 18 || len(s) > 1 && s[0] == '0' || !all(s, isDigit) {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}
