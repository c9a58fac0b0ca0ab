package graphql

import "strings"

// token is a piece of the source. Its kind is one of those below, or the
// punctuation itself; three dots are one.
type token struct {
	kind       byte
	start, end int
}

const (
	end       byte = 0
	name      byte = 'a'
	integer   byte = '1'
	float     byte = '2'
	quoted    byte = '"'
	block     byte = 'B'
	spreading byte = '.'
)

// lexer cuts the source into tokens. It refuses what is not in the
// specification, and beyond that
//   - a carriage return without a line feed: some end a comment there, some do not;
//   - other separators of lines in a comment, for the same reason;
//   - more than three quotes in a row: some end a block string with the first three, some with the last;
//   - a mark of the byte order that is not at the beginning;
//   - half a surrogate pair, and the escape with braces, which few know.
type lexer struct {
	src string
	at  int
}

// next returns the next token, and false where there is something else.
func (l *lexer) next() (token, bool) {
	if !l.ignored() {
		return token{}, false
	}
	start := l.at
	if start == len(l.src) {
		return token{end, start, start}, true
	}
	switch c := l.src[start]; {
	case isLetter(c):
		for l.at++; l.at < len(l.src) && (isLetter(l.src[l.at]) || isDigit(l.src[l.at])); l.at++ {
		}
		return token{name, start, l.at}, true
	case isDigit(c) || c == '-':
		kind, ok := l.number()
		return token{kind, start, l.at}, ok
	case c == '"':
		kind, ok := l.string()
		return token{kind, start, l.at}, ok
	case c == '.':
		l.at += 3
		return token{spreading, start, l.at}, strings.HasPrefix(l.src[start:], "...")
	default:
		l.at++
		return token{c, start, l.at}, strings.IndexByte("!$&()!:=@[]{|}", c) >= 0
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

const byteOrderMark = "\uFEFF"

// ignored goes past what stands between tokens.
func (l *lexer) ignored() bool {
	if l.at == 0 && strings.HasPrefix(l.src, byteOrderMark) {
		l.at = len(byteOrderMark)
	}
	for l.at < len(l.src) {
		switch l.src[l.at] {
		case ' ', '\t', '\n', ',':
			l.at++
		case '\r':
			if !l.newline() {
				return false
			}
		case '#':
			if !l.comment() {
				return false
			}
		default:
			return true
		}
	}
	return true
}

// newline goes past a carriage return, if a line feed follows.
func (l *lexer) newline() bool {
	ok := strings.HasPrefix(l.src[l.at:], "\r\n")
	l.at += 2
	return ok
}

func (l *lexer) comment() bool {
	text := l.src[l.at:]
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	l.at += len(text)
	text, _ = strings.CutSuffix(text, "\r")
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\t' || r == 0x85 || r == 0x2028 || r == 0x2029
	})
}

// number reads an integer or a float, after which nothing may begin that
// could belong to it.
func (l *lexer) number() (kind byte, ok bool) {
	kind = integer
	l.eat("-")
	if !l.eat("0") && !l.digits() {
		return kind, false
	}
	if l.eat(".") {
		kind = float
		if !l.digits() {
			return kind, false
		}
	}
	if l.eat("eE") {
		kind = float
		l.eat("+-")
		if !l.digits() {
			return kind, false
		}
	}
	return kind, l.at == len(l.src) || !isLetter(l.src[l.at]) && !isDigit(l.src[l.at])
}

func (l *lexer) eat(any string) bool {
	if l.at == len(l.src) || strings.IndexByte(any, l.src[l.at]) < 0 {
		return false
	}
	l.at++
	return true
}

func (l *lexer) digits() bool {
	start := l.at
	for l.at < len(l.src) && isDigit(l.src[l.at]) {
		l.at++
	}
	return l.at > start
}

// string reads a string of either kind.
func (l *lexer) string() (kind byte, ok bool) {
	switch n := l.quotes(); n {
	case 1:
	case 2:
		return quoted, true
	case 3:
		return block, l.block()
	default:
		return 0, false
	}
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '"':
			l.at++
			return quoted, true
		case c == '\\':
			_, n := escaped(l.src[l.at:])
			if n == 0 {
				return quoted, false
			}
			l.at += n
		case c < ' ' && c != '\t':
			return quoted, false
		default:
			l.at++
		}
	}
	return quoted, false
}

// quotes goes past a row of quotes, and returns how many there are.
func (l *lexer) quotes() int {
	start := l.at
	for l.at < len(l.src) && l.src[l.at] == '"' {
		l.at++
	}
	return l.at - start
}

func (l *lexer) block() bool {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '"':
			before := l.src[l.at-1]
			if n := l.quotes(); n > 3 {
				return false
			} else if n == 3 && before != '\\' {
				return true
			}
		case c == '\r':
			if !l.newline() {
				return false
			}
		case c < ' ' && c != '\t' && c != '\n':
			return false
		default:
			l.at++
		}
	}
	return false
}
