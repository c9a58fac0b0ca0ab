package connectors

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/tameflare/tameflare/domain/action"
)

// Sentence says what a does as a person would: "merge acme/site#12". It goes
// after "wants to". What the request itself has written into it is shortened,
// and without what could make it look like something else. It knows the
// built-in types; a Connector also knows its own.
func Sentence(a action.Action) string {
	word, _, _ := strings.Cut(a.Name, ".")
	return TypeNamed(word).sentence(a)
}

// Sentence is as the function of that name, for an action that c has named.
func (c *Connector) Sentence(a action.Action) string { return c.typ.sentence(a) }

func (t *Type) sentence(a action.Action) string {
	if t != nil {
		if title, ok := t.service.sentence(a); ok {
			return fill(title, a)
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
	switch v := a.Params[name].(type) {
	case nil:
		return ""
	case []string:
		return shorten(strings.Join(v, ", "))
	case int64:
		if currency, ok := a.Params["currency"].(string); ok && strings.HasSuffix(name, "amount") {
			return shorten(money(v, currency))
		}
		return fmt.Sprint(v)
	default:
		if name == "currency" {
			return shorten(strings.ToUpper(fmt.Sprint(v)))
		}
		return shorten(fmt.Sprint(v))
	}
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
