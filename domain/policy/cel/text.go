package cel

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common"

	"github.com/tameflare/tameflare/domain/yamldoc"
)

// text is a source with its tokens. Offsets count characters, as cel-go does.
type text struct {
	runes  []rune
	tokens []token
}

type token struct {
	start, end int
	word       string // as it is written
}

// name reports whether the token is a name or a word such as "in".
func (t token) name() bool { return letter(rune(t.word[0])) && !strings.ContainsAny(t.word, `"'`) }

func letter(r rune) bool { return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
func digit(r rune) bool  { return r >= '0' && r <= '9' }

// scan finds the tokens of source. What is no token comes as one character, so
// that nothing is lost; whether it may stand there is the parser's to say.
func scan(source string) *text {
	t := &text{runes: []rune(source)}
	for i := 0; i < len(t.runes); {
		end := t.next(i)
		if word := string(t.runes[i:end]); strings.TrimSpace(word) != "" && !strings.HasPrefix(word, "//") {
			t.tokens = append(t.tokens, token{i, end, word})
		}
		i = end
	}
	return t
}

// next returns where the token, the blank or the comment that begins at i ends.
func (t *text) next(i int) int {
	r := t.runes[i]
	switch {
	case r == '/' && t.at(i+1) == '/':
		for i < len(t.runes) && t.runes[i] != '\n' {
			i++
		}
		return i
	case r == '"' || r == '\'' || r == '`':
		return t.quoted(i, r == '`')
	case letter(r):
		end := i
		for letter(t.at(end)) || digit(t.at(end)) {
			end++
		}
		if q := t.at(end); (q == '"' || q == '\'') && end-i <= 2 && strings.Trim(string(t.runes[i:end]), "rRbB") == "" {
			return t.quoted(end, strings.ContainsAny(string(t.runes[i:end]), "rR"))
		}
		return end
	case digit(r):
		end := i
		for letter(t.at(end)) || digit(t.at(end)) || t.at(end) == '.' && digit(t.at(end+1)) ||
			(t.at(end) == '-' || t.at(end) == '+') && (t.at(end-1) == 'e' || t.at(end-1) == 'E') && digit(t.at(end+1)) {
			end++
		}
		return end
	}
	for _, op := range [...]string{"&&", "||", "==", "!=", "<=", ">="} {
		if string(t.runes[i:min(i+2, len(t.runes))]) == op {
			return i + 2
		}
	}
	return i + 1
}

// quoted returns where the text ends whose first quote is at i.
func (t *text) quoted(i int, raw bool) int {
	quote, n := t.runes[i], 1
	if quote != '`' && t.at(i+1) == quote && t.at(i+2) == quote {
		n = 3
	}
	for i += n; i < len(t.runes); i++ {
		switch {
		case t.runes[i] == '\\' && !raw:
			i++
		case t.runes[i] == '\n' && n == 1:
			return i
		case t.runes[i] == quote && (n == 1 || t.at(i+1) == quote && t.at(i+2) == quote):
			return i + n
		}
	}
	return len(t.runes)
}

// at returns the character at i, or nought.
func (t *text) at(i int) rune {
	if i < 0 || i >= len(t.runes) {
		return 0
	}
	return t.runes[i]
}

// position returns line and column of a character, from 1.
func (t *text) position(offset int) (line, column int) {
	line, column = 1, 1
	for _, r := range t.runes[:min(max(offset, 0), len(t.runes))] {
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}

// start returns where the token begins.
func (t *text) start(i int) int {
	if i < 0 || i >= len(t.tokens) {
		return 0
	}
	return t.tokens[i].start
}

// find returns the token that an offset is in.
func (t *text) find(offset int) int {
	i, found := slices.BinarySearchFunc(t.tokens, offset, func(one token, at int) int { return one.start - at })
	if !found {
		i--
	}
	return max(i, 0)
}

// guard refuses what a parser should not have to look at, and what people
// write who know another language.
func (t *text) guard() *yamldoc.Problem {
	if len(t.tokens) == 0 {
		return &yamldoc.Problem{Line: 1, Column: 1, Message: "The expression is empty."}
	}
	open, run := 0, 0
	for i, one := range t.tokens {
		message := ""
		switch one.word {
		case "(", "[", "{":
			open++
		case ")", "]", "}":
			open--
		case "=":
			message = "Write == to compare."
		case "&":
			message = "Write && for and."
		case "|":
			message = "Write || for or."
		case "?":
			run++
		}
		if (one.word == "!" || one.word == "-") && i > 0 && t.tokens[i-1].word == one.word {
			message = "One " + one.word + " is enough."
		}
		if open > maxNesting || run > maxNesting {
			message = "This is nested too deep; write several rules."
		}
		if message != "" {
			line, column := t.position(one.start)
			return &yamldoc.Problem{Line: line, Column: column, Message: message}
		}
	}
	return nil
}

// syntax says what is wrong in our words.
func (t *text) syntax(e *common.Error) yamldoc.Problem {
	offset := len(t.runes)
	if line := e.Location.Line(); line >= 1 {
		offset = t.offset(line, e.Location.Column())
	}
	message := strings.TrimPrefix(e.Message, "Syntax error: ")
	last := t.tokens[len(t.tokens)-1]
	switch {
	case strings.Contains(message, "recursion limit"), strings.Contains(message, "count exceeds"):
		offset, message = 0, "This is nested too deep, or too long; write several rules."
	case strings.Contains(message, "unterminated"):
		message = "The text that begins here has no end; put the closing quote."
	case strings.HasPrefix(message, "reserved identifier: "):
		message = "The word " + strings.TrimPrefix(message, "reserved identifier: ") + " cannot be used here."
	case strings.Contains(message, "invalid argument to has()"):
		message = `Write has() with a name that follows a dot, such as has(params.amount), or "NAME" in params.`
	case strings.Contains(message, "argument must be a simple name"), strings.Contains(message, "argument is not an identifier"):
		message = `Write a name for an element first, such as params.labels.exists(x, x == "ready").`
	case strings.Contains(message, "iteration variable"):
		message = "Call the element something else."
	case strings.Contains(message, "invalid int literal"), strings.Contains(message, "invalid uint literal"), strings.Contains(message, "invalid double literal"):
		message = "This number is too large."
	case offset >= last.end:
		offset, message = last.end, "Something is missing at the end."
	default:
		found := t.tokens[t.find(offset)]
		if i := t.find(offset); i > 0 && strings.EqualFold(t.tokens[i-1].word, "not") {
			found = t.tokens[i-1]
		}
		offset, message = found.start, "This is not CEL from here on."
		switch strings.ToLower(found.word) {
		case ")", "]", "}":
			message = "Nothing opens this bracket, or something is missing before it."
		case "and":
			message = "Write && for and."
		case "or":
			message = "Write || for or."
		case "not":
			message = "Write ! for not."
		case "is":
			message = "Write == to compare."
		default:
			if strings.ContainsAny(found.word, "\"'") {
				message = `A \ in a text stands before a letter that it does not go with; write r"…" to take it as it is.`
			}
		}
	}
	line, column := t.position(offset)
	return yamldoc.Problem{Line: line, Column: column, Message: message}
}

// offset returns where a line, from 1, and a column, from 0, are.
func (t *text) offset(line, column int) int {
	for i, r := range t.runes {
		if line <= 1 {
			return min(i+column, len(t.runes))
		}
		if r == '\n' {
			line--
		}
	}
	return len(t.runes)
}
