package connectors

import (
	"fmt"
	"slices"
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
// out where what they name is not there, or where a condition at their
// beginning does not hold: {public=true}, {!amount} where the request does not
// say it, {?amount} where the request hides whether it does.
func fill(title string, a action.Action) string {
	w := words{a, false}
	if node := text("node", a); a.Resource == "" && node != "" { // the next best name
		w.Resource, w.byNode = "node "+node, true
	}
	var b strings.Builder
	for title != "" {
		before, optional, found := strings.Cut(title, "[")
		b.WriteString(w.expand(before))
		if !found {
			break
		}
		optional, title, _ = strings.Cut(optional, "]")
		said, conditional, holds := w.conditions(optional)
		if name := between(said); holds && (name == "" && conditional || w.text(name) != "") {
			b.WriteString(w.expand(said))
		}
	}
	return b.String()
}

// words are what can be put into a template.
type words struct {
	action.Action
	byNode bool // the resource is the node
}

func (w words) text(name string) string {
	if name == "node" && w.byNode {
		return ""
	}
	return text(name, w.Action)
}

// conditions returns what of an optional part is to be said, whether it begins
// with conditions, and whether they hold.
func (w words) conditions(optional string) (said string, any, all bool) {
	all = true
	for strings.HasPrefix(optional, "{") {
		name := between(optional)
		if !strings.ContainsAny(name, "=!?") {
			break
		}
		any, all = true, all && w.holds(name)
		optional = optional[len(name)+2:]
	}
	return optional, any, all
}

func (w words) holds(condition string) bool {
	if name, ok := strings.CutPrefix(condition, "!"); ok {
		return !w.hides(name) && text(name, w.Action) == ""
	}
	if name, ok := strings.CutPrefix(condition, "?"); ok {
		return w.hides(name)
	}
	name, value, _ := strings.Cut(condition, "=")
	if all, ok := w.Params[name].([]string); ok {
		return slices.Contains(all, value)
	}
	said, ok := w.Params[name]
	return ok && strings.EqualFold(fmt.Sprint(said), value)
}

func (w words) hides(name string) bool {
	return slices.Contains(w.Unknown, name) || slices.Contains(w.Unknown, "*")
}

func (w words) expand(s string) string {
	name := between(s)
	if name == "" {
		return s
	}
	before, after, _ := strings.Cut(s, "{"+name+"}")
	value := w.text(name)
	if value == "" {
		value = hidden(before)
	}
	return before + value + w.expand(after)
}

// hidden stands for what a request does not say, after before.
func hidden(before string) string {
	before = strings.TrimSpace(before)
	last := before[strings.LastIndexByte(before, ' ')+1:]
	if last == before || slices.Contains(joining, last) {
		return "something that the request hides"
	}
	return "(the request hides which)"
}

// joining are words after which something has to follow.
var joining = []string{"", "of", "in", "to", "into", "from", "for", "on", "with", "as", "by", "following", "reach", "reaching", "through", "at"}

// listed is a template as it is written for people, without what is said only
// of some requests.
func listed(title string) string {
	for at := 0; ; {
		i := strings.Index(title[at:], "[{")
		if i < 0 {
			return title
		}
		at += i
		if name := between(title[at:]); strings.ContainsAny(name, "=!?") {
			_, after, _ := strings.Cut(title[at:], "]")
			title = title[:at] + after
		} else {
			at++
		}
	}
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
		return shorten(enumerate(name, v))
	case int64:
		if !strings.HasSuffix(name, "amount") && !strings.HasSuffix(name, "amount_off") {
			return fmt.Sprint(v)
		}
		if currency, ok := a.Params["currency"].(string); ok {
			return shorten(Money(v, currency))
		}
		if strings.HasPrefix(a.Name, "stripe.") { // 2050 may be 20.50, or not
			return fmt.Sprint(v) + " minor units"
		}
		return fmt.Sprint(v)
	default:
		said := fmt.Sprint(v)
		switch name {
		case "currency":
			said = strings.ToUpper(said)
		case "ref":
			said = refer(said, "branch ")
		case "sha":
			if len(said) == 40 && strings.Trim(said, "0123456789abcdef") == "" {
				said = said[:12]
			}
		}
		return shorten(said)
	}
}

// most is how many things of a list are named.
const most = 4

func enumerate(name string, all []string) string {
	if name == "ref" {
		plain := make([]string, 0, len(all))
		for _, ref := range all {
			plain = append(plain, refer(ref, ""))
		}
		all = plain
	}
	if len(all) > most {
		all = append(slices.Clone(all[:most-1]), fmt.Sprintf("%d more", len(all)-most+1))
	}
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// refer writes the name of a ref as people do.
func refer(ref, branch string) string {
	plain := strings.TrimPrefix(ref, "refs/")
	if name, ok := strings.CutPrefix(plain, "heads/"); ok {
		return branch + name
	}
	if name, ok := strings.CutPrefix(plain, "tags/"); ok {
		return "tag " + name
	}
	return ref
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
