package show

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// withheld is what is shown of a secret: how long it is, and of a long one
// how it begins, by which people tell one from another.
func withheld(value string) string {
	n := utf8.RuneCountInString(value)
	begin := ""
	if n >= 16 {
		begin = string([]rune(value)[:4])
		if strings.ContainsAny(begin, " \n\r\t") {
			begin = ""
		}
	}
	return begin + "…, " + count(n, "character", "characters")
}

func lastFour(value string) string {
	plain := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, value)
	n := utf8.RuneCountInString(plain)
	if n < 8 {
		return withheld(plain)
	}
	return fmt.Sprintf("…%s, %d characters", string([]rune(plain)[n-4:]), n)
}

var maskedForm = regexp.MustCompile(`^(?:[A-Za-z]{1,8} )?[^…]{0,4}…[^…]{0,4}(?:, [\d,]+ characters?)?$`)

func alreadyMasked(value string) bool {
	return strings.Contains(value, "…") && maskedForm.MatchString(strings.TrimSuffix(value, ","))
}

// between is what may stand between two lines of a key, also where it is
// written into a program.
const between = `(?:\\[nr]|[\s"+,])+`

type shape struct {
	hint string
	form *regexp.Regexp
}

// shapes are what secrets of vendors look like. Where there is a group, only
// that is the secret.
//
// The hint is in every text that has the shape, in lower case: most texts need
// no closer look.
var shapes = []shape{
	{"private key", regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----((?:` + between + `[A-Za-z-]{3,12}: [^\n\\]{1,80})*(?:` + between + `[A-Za-z0-9+/]{16,}={0,2})+(?:` + between + `[A-Za-z0-9+/]{1,15}={0,2})?)`)},
	{"://", regexp.MustCompile(`\b[a-zA-Z][a-zA-Z0-9+.-]{1,30}://[^\s/@:"'<>]{0,200}:([^\s/@"'<>]{1,500})@`)}, // user:password@host
	{"k_", regexp.MustCompile(`\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}`)},
	{"whsec_", regexp.MustCompile(`\bwhsec_[A-Za-z0-9+/=_-]{12,}`)},
	{"sk-", regexp.MustCompile(`\bsk-[A-Za-z0-9_-]{20,}`)},
	{"gh", regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{16,}`)},
	{"github_pat_", regexp.MustCompile(`\bgithub_pat_[A-Za-z0-9_]{16,}`)},
	{"glpat-", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{16,}`)},
	{"xox", regexp.MustCompile(`\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}`)},
	{"xapp-", regexp.MustCompile(`\bxapp-\d-[A-Za-z0-9-]{8,}`)},
	{"akia", regexp.MustCompile(`\bAKIA[A-Z0-9]{16}\b`)},
	{"asia", regexp.MustCompile(`\bASIA[A-Z0-9]{16}\b`)},
	{"aiza", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{30,}`)},
	{"ya29.", regexp.MustCompile(`\bya29\.[A-Za-z0-9_-]{20,}`)},
	{"gocspx-", regexp.MustCompile(`\bGOCSPX-[A-Za-z0-9_-]{16,}`)},
	{"eyj", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,3}`)},
	{"npm_", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{30,}`)},
	{"pypi-", regexp.MustCompile(`\bpypi-[A-Za-z0-9_-]{40,}`)},
	{"_v1_", regexp.MustCompile(`\bdo[opr]_v1_[0-9a-f]{32,}`)},
	{"hf_", regexp.MustCompile(`\bhf_[A-Za-z0-9]{30,}`)},
	{"sg.", regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`)},
	{"age-secret", regexp.MustCompile(`\bAGE-SECRET-KEY-1[A-Z0-9]{20,}`)},
	{"tf", regexp.MustCompile(`\btf[a-z]_[A-Za-z0-9_-]{24,}`)}, // our own
	{"hooks.slack", regexp.MustCompile(`\bhooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{16,})`)},
	{"bearer", regexp.MustCompile(`(?i)\bBearer\s+([A-Za-z0-9._~+/=-]*[0-9][A-Za-z0-9._~+/=-]*)`)},
	{"basic", regexp.MustCompile(`(?i)\bBasic\s+([A-Za-z0-9+/_-]{8,}={0,2})(?:["'\s]|$)`)},
}

// cards are numbers of cards, in one or in four groups.
var cards = regexp.MustCompile(`\b[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{3,4}\b`)

// keyed is a name with what comes between it and its value.
var keyed = regexp.MustCompile(`[A-Za-z_$][A-Za-z0-9_.$-]*(?:\[[A-Za-z0-9_]*\]){0,4}(?:\\?["'])?\s{0,4}(?:=>|:=|[:=])\s{0,4}`)

// Mask returns text without what looks like a secret in it: by its own form,
// or by the name beside it. What is left of one says how long it is.
func Mask(text string) string {
	lower := strings.ToLower(text)
	for i, shape := range shapes {
		if strings.Contains(lower, shape.hint) {
			text = maskShape(shape.form, text, i == len(shapes)-1)
		}
	}
	if strings.ContainsAny(text, ":=") {
		text = maskKeyed(text)
	}
	return cards.ReplaceAllStringFunc(text, func(n string) string {
		if !luhn(n) {
			return n
		}
		return lastFour(n)
	})
}

func maskShape(shape *regexp.Regexp, text string, basic bool) string {
	var b strings.Builder
	at := 0
	for _, m := range shape.FindAllStringSubmatchIndex(text, -1) {
		start, end := m[0], m[1]
		if len(m) > 2 {
			start, end = m[2], m[3]
		}
		value := text[start:end]
		if start < at || value == "" || basic && word(value) || followsMask(text, end) {
			continue
		}
		b.WriteString(text[at:start])
		switch {
		case strings.Contains(text[m[0]:start], "PRIVATE KEY"):
			b.WriteString(" …, " + count(utf8.RuneCountInString(strings.TrimLeft(value, "\\nr \t\r\n\"+,")), "character", "characters"))
		default:
			b.WriteString(withheld(value))
		}
		at = end
	}
	if at == 0 {
		return text
	}
	return b.String() + text[at:]
}

func followsMask(text string, end int) bool { return strings.HasPrefix(text[end:], "…") }

// word reports whether what stands after Basic is a word, and no credential.
func word(value string) bool {
	return strings.Trim(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == "" && strings.ToLower(value[1:]) == value[1:]
}

// maskKeyed masks what stands beside the name of a secret.
func maskKeyed(text string) string {
	var b strings.Builder
	done, at := 0, 0
	for {
		m := keyed.FindStringIndex(text[at:])
		if m == nil {
			break
		}
		from, start := at+m[0], at+m[1]
		key := strings.TrimRight(text[from:start], " \t\r\n=:>\"'\\")
		at = start
		if called(key) == open {
			continue
		}
		value, end := valueAt(text, start)
		plain, sep := masked(key, value), text[from+len(key):start]
		if value == "" || plain == value || wordAfter(key, sep, value, text[start]) {
			continue
		}
		if text[start] == '"' || text[start] == '\\' { // of JSON, perhaps: the length is that of what it says
			var s string
			if json.Unmarshal([]byte(`"`+value+`"`), &s) == nil {
				plain = masked(key, s)
			}
		}
		begin := start + strings.Index(text[start:end], value)
		b.WriteString(text[done:begin])
		b.WriteString(plain)
		done, at = begin+len(value), end
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// valueAt returns the value that begins at start, without its quotes, and
// where it ends. The scheme of an authorisation is no value.
func valueAt(text string, start int) (value string, end int) {
	rest := text[start:]
	for _, quote := range []string{`\"`, `"`, `'`, "`"} {
		inside, ok := strings.CutPrefix(rest, quote)
		if !ok {
			continue
		}
		for i := 0; i < len(inside); i++ {
			if strings.HasPrefix(inside[i:], quote) {
				return inside[:i], start + len(quote) + i + len(quote)
			}
			if inside[i] == '\\' && quote == `"` {
				i++
			}
			if inside[i:] == "" || inside[min(i, len(inside)-1)] == '\n' && quote != "`" {
				break
			}
		}
		return "", start
	}
	n := strings.IndexAny(rest, " \t\r\n\"'`&,;<>(){}[]\\")
	if n < 0 {
		n = len(rest)
	}
	if n < len(rest) && rest[n] == ' ' && oneOf(strings.ToLower(rest[:n]), schemes) {
		more := strings.IndexAny(rest[n+1:], " \t\r\n\"'`&,;<>(){}[]\\")
		if more < 0 {
			more = len(rest) - n - 1
		}
		return rest[:n+1+more], start + n + 1 + more
	}
	return rest[:n], start + n
}

// wordAfter reports whether value is rather the next word of a sentence than
// a secret: "token: the thing that you use".
func wordAfter(key, sep, value string, first byte) bool {
	if first == '"' || first == '\'' || first == '`' || first == '\\' || strings.Contains(sep, "=") || !strings.HasSuffix(sep, " ") {
		return false
	}
	if strings.Contains(strings.ToLower(key), "pass") {
		return false
	}
	return strings.ContainsAny(value, "$") || len(value) < 8 || strings.Trim(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:!?-") == ""
}

func luhn(number string) bool {
	sum, double := 0, false
	digits := 0
	for i := len(number) - 1; i >= 0; i-- {
		c := number[i]
		if c == ' ' || c == '-' {
			continue
		}
		d := int(c - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum, double, digits = sum+d, !double, digits+1
	}
	return digits >= 15 && sum%10 == 0
}
