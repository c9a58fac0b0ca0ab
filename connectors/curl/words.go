package curl

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/fault"
)

// shell cuts a command into words as a POSIX shell does. Nothing is expanded
// and nothing is run.
type shell struct {
	text  string
	at    int
	notes *notes
}

func bad(sentence string) error { return fault.New(fault.Invalid, sentence, nil) }

// words returns the words of the first command.
func (s *shell) words() ([]string, error) {
	var all []string
	for {
		for s.at < len(s.text) {
			if s.text[s.at] == '\\' && newline(s.text[s.at+1:]) > 0 {
				s.at += 1 + newline(s.text[s.at+1:])
				continue
			}
			if c := s.text[s.at]; c != ' ' && c != '\t' && c != '\r' {
				break
			}
			s.at++
		}
		if s.at == len(s.text) {
			return all, nil
		}
		switch c := s.text[s.at]; c {
		case '#':
			if end := strings.IndexByte(s.text[s.at:], '\n'); end >= 0 {
				s.at += end
				continue
			}
			return all, nil
		case '\n', ';', '|', '&', ')':
			if c == '\n' && len(all) == 0 {
				s.at++
				continue
			}
			if strings.Trim(s.text[s.at:], "\n;|&) \t\r") != "" {
				s.notes.add("Only the first command is read: what follows the first " + operator(c) + " outside quotes is left out.")
			}
			return all, nil
		case '<', '>':
			if err := s.redirection(); err != nil {
				return nil, err
			}
			continue
		case '(':
			return nil, bad("Paste one command, without parentheses around it.")
		}
		word, err := s.word()
		if err != nil {
			return nil, err
		}
		if (s.at < len(s.text) && (s.text[s.at] == '>' || s.text[s.at] == '<')) && digits(word) { // 2>/dev/null
			continue
		}
		all = append(all, word)
	}
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func operator(c byte) string {
	if c == '\n' {
		return "end of a line"
	}
	return string(c)
}

// redirection skips where input comes from or output goes to.
func (s *shell) redirection() error {
	rest := strings.TrimLeft(s.text[s.at:], "<>")
	s.notes.add("Files and other input are not read.")
	rest = strings.TrimPrefix(rest, "&")
	if strings.HasPrefix(rest, "(") {
		return refuseSubstitution()
	}
	rest = strings.TrimLeft(rest, " \t-")
	s.at = len(s.text) - len(rest)
	if rest == "" {
		return nil
	}
	_, err := s.word()
	return err
}

func refuseSubstitution() error {
	return bad("The command runs another one inside it, with $( ) or backticks. Nothing is run here: write what it would give instead.")
}

// newline returns how many bytes the line's end takes that s begins with.
func newline(s string) int {
	switch {
	case strings.HasPrefix(s, "\r\n"):
		return 2
	case strings.HasPrefix(s, "\n"):
		return 1
	}
	return 0
}

// word reads one word, quotes and all.
func (s *shell) word() (string, error) {
	var b strings.Builder
	for s.at < len(s.text) {
		c := s.text[s.at]
		var part string
		var err error
		switch {
		case strings.IndexByte(" \t\r\n;|&<>()", c) >= 0:
			return b.String(), nil
		case c == '\'':
			part, err = s.single()
		case c == '"':
			part, err = s.double()
		case strings.HasPrefix(s.text[s.at:], "$'"):
			part, err = s.ansi()
		case strings.HasPrefix(s.text[s.at:], `$"`):
			s.at++
			continue
		case c == '\\':
			s.at++
			if n := newline(s.text[s.at:]); n > 0 {
				s.at += n
				continue
			}
			if s.at == len(s.text) {
				return "", bad("The command ends in a backslash. Paste all of its lines.")
			}
			part = s.text[s.at : s.at+1]
			s.at++
		default:
			part, err = s.plain()
		}
		if err != nil {
			return "", err
		}
		b.WriteString(part)
	}
	return b.String(), nil
}

// plain is one byte that means itself, or a variable, which stays as it is.
func (s *shell) plain() (string, error) {
	c := s.text[s.at]
	s.at++
	if c == '`' || c == '$' && strings.HasPrefix(s.text[s.at:], "(") {
		return "", refuseSubstitution()
	}
	if c == '$' && s.at < len(s.text) && (s.text[s.at] == '{' || s.text[s.at] == '_' || s.text[s.at] >= 'A' && s.text[s.at] <= 'Z' || s.text[s.at] >= 'a' && s.text[s.at] <= 'z') {
		s.notes.add("Variables such as $TOKEN are not filled in; they stay as they are written.")
	}
	return string([]byte{c}), nil
}

func (s *shell) single() (string, error) {
	inside, _, ok := strings.Cut(s.text[s.at+1:], "'")
	if !ok {
		return "", open()
	}
	s.at += len(inside) + 2
	return inside, nil
}

func open() error { return bad("A quote is not closed. Paste the whole command.") }

func (s *shell) double() (string, error) {
	var b strings.Builder
	for s.at++; s.at < len(s.text); {
		switch c := s.text[s.at]; c {
		case '"':
			s.at++
			return b.String(), nil
		case '\\':
			next := s.text[s.at+1:]
			switch {
			case newline(next) > 0:
				s.at += 1 + newline(next)
			case next != "" && strings.IndexByte("$`\"\\", next[0]) >= 0:
				b.WriteByte(next[0])
				s.at += 2
			default:
				b.WriteByte('\\')
				s.at++
			}
		default:
			part, err := s.plain()
			if err != nil {
				return "", err
			}
			b.WriteString(part)
		}
	}
	return "", open()
}

var letters = map[byte]byte{
	'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'e': 27, 'E': 27, 'f': 12, 'v': 11, '\\': '\\', '\'': '\'', '"': '"', '?': '?',
}

// ansi reads $'…', in which backslashes stand for what they do in C.
func (s *shell) ansi() (string, error) {
	var b strings.Builder
	for s.at += 2; s.at < len(s.text); {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '\'':
			return b.String(), nil
		case c != '\\':
			b.WriteByte(c)
			continue
		case s.at == len(s.text):
			return "", open()
		}
		c = s.text[s.at]
		s.at++
		if plain, ok := letters[c]; ok {
			b.WriteByte(plain)
			continue
		}
		switch c {
		case 'x':
			n := s.number(16, 2)
			if n < 0 {
				b.WriteString(`\x`)
			} else {
				b.WriteByte(byte(n))
			}
		case 'u', 'U':
			n := s.number(16, map[byte]int{'u': 4, 'U': 8}[c])
			if n < 0 || n > utf8.MaxRune {
				return "", bad(`After \` + string(c) + " there is no character's number.")
			}
			b.WriteRune(rune(n))
		case '0', '1', '2', '3', '4', '5', '6', '7':
			s.at--
			b.WriteByte(byte(s.number(8, 3))) // the low eight bits, as a shell takes them
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return "", open()
}

// number reads up to most digits; it is -1 where there is none.
func (s *shell) number(base, most int) int {
	n := 0
	for n < most && s.at+n < len(s.text) {
		if _, err := strconv.ParseUint(s.text[s.at+n:s.at+n+1], base, 8); err != nil {
			break
		}
		n++
	}
	v, err := strconv.ParseUint(s.text[s.at:s.at+n], base, 32)
	if err != nil {
		return -1
	}
	s.at += n
	return int(v)
}
