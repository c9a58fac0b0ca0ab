package connectors

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/tameflare/tameflare/domain/action"
)

// Sentence says what a does as a person would: "merge acme/site#12". It goes
// after "wants to". What the request itself has written into it is shortened,
// and without what could make it look like something else.
func Sentence(a action.Action) string {
	word, _, _ := strings.Cut(a.Name, ".")
	if t := TypeNamed(word); t != nil {
		for _, op := range t.Operations() {
			if op.Action == a.Name {
				return fill(op.Title, a)
			}
		}
	}
	return "do " + shorten(a.Name)
}

// fill puts resource and params into a template. Parts in brackets are left
// out where what they name is not there.
func fill(title string, a action.Action) string {
	var b strings.Builder
	for title != "" {
		before, optional, found := strings.Cut(title, "[")
		b.WriteString(expand(before, a))
		if !found {
			break
		}
		optional, title, _ = strings.Cut(optional, "]")
		if name := between(optional); text(name, a) != "" {
			b.WriteString(expand(optional, a))
		}
	}
	return b.String()
}

func expand(s string, a action.Action) string {
	name := between(s)
	if name == "" {
		return s
	}
	before, after, _ := strings.Cut(s, "{"+name+"}")
	value := text(name, a)
	if value == "" {
		value = "something that the request hides"
	}
	return before + value + expand(after, a)
}

func between(s string) string {
	_, s, _ = strings.Cut(s, "{")
	s, _, _ = strings.Cut(s, "}")
	return s
}

func text(name string, a action.Action) string {
	if name == "resource" {
		return shorten(a.Resource)
	}
	if v, ok := a.Params[name]; ok {
		return shorten(fmt.Sprint(v))
	}
	return ""
}

const maxShown = 120

// shorten makes text from a request fit to be shown in a sentence.
func shorten(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxShown {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return b.String()
}
