package policy

import (
	"strings"

	"github.com/tameflare/tameflare/domain/action"
)

// finding is what is known of the requests that a clause may apply to: enough
// to leave it out for others without asking it.
type finding struct {
	patterns []action.Pattern // one has to match the action's name; none: any
	body     bool             // it looks at the body
	keys     []key            // each of them has to be met
	key      *key             // the one that it is found by
}

// key is a field that has to be one of some texts.
type key struct {
	field  *field
	texts  []string
	absent bool // if the request does not have the field, it is unclear
}

const maxKeyTexts = 500

// find looks for what has to hold whatever else does.
func (c *compiler) find(p *node, f *finding) {
	if p == nil {
		return
	}
	if p.code == allOf {
		for i := range p.args {
			c.find(&p.args[i], f)
		}
		return
	}
	if p.not {
		return
	}
	k := key{}
	var prefixes []string // of which one has to be
	exact := true
	switch p.code {
	case isEqual:
		k.field, k.texts = p.field, textsOf(p.c.value)
	case isIn:
		k.field, k.texts = p.field, textsOf(p.c.many...)
	case isStart:
		k.field, prefixes, exact = p.field, []string{p.c.value.text}, false
	case isGlob:
		k.field = p.field
		k.texts, prefixes, exact = globTexts(p.c.globs)
	case eq:
		k.absent = true
		a, b := &p.args[0], &p.args[1]
		if a.code == theConst {
			a, b = b, a
		}
		if a.code == theField && b.code == theConst {
			k.field, k.texts = a.field, textsOf(b.c.value)
		}
	case memberOf:
		k.absent = true
		if a, b := &p.args[0], &p.args[1]; a.code == theField && b.code == theConst && b.c.value.kind == list {
			all, _ := b.c.value.ref.([]value)
			k.field, k.texts = a.field, textsOf(all...)
		}
	case begins:
		k.absent, exact = true, false
		if a, b := &p.args[0], &p.args[1]; a.code == theField && b.code == theConst && b.c.value.kind == text {
			k.field, prefixes = a.field, []string{b.c.value.text}
		}
	case globOf:
		k.absent = true
		// What is no text makes it unclear, and what a field is depends on the
		// request, save for these.
		if a := &p.args[0]; a.code == theField && (a.field.part == onAction || a.field.part == onResource) {
			k.field = a.field
			k.texts, prefixes, exact = globTexts(p.c.globs)
		}
	default:
	}
	switch {
	case k.field == nil:
	case k.field.part == onAction:
		f.named(k.texts, prefixes)
	case exact:
		f.keyed(k)
	case k.field.part == onResource:
		c.owned(k, append(prefixes, k.texts...), f)
	}
}

// globTexts are globs as texts, or the beginnings of what they match.
func globTexts(globs []glob) (texts, prefixes []string, exact bool) {
	for _, g := range globs {
		if len(g) == 1 {
			texts = append(texts, g[0])
		} else {
			prefixes = append(prefixes, g[0])
		}
	}
	return texts, prefixes, len(prefixes) == 0
}

// textsOf are the texts of all, none where one of them is something else.
func textsOf(all ...value) []string {
	if len(all) > maxKeyTexts {
		return nil
	}
	texts := make([]string, 0, len(all))
	for i := range all {
		if all[i].kind != text {
			return nil
		}
		texts = append(texts, all[i].text)
	}
	return texts
}

// keyed adds a key, if nothing but the texts themselves can meet it.
func (f *finding) keyed(k key) {
	if len(k.texts) == 0 {
		return
	}
	if !k.absent && (k.field.part == onParam || k.field.part == onBody) {
		for _, s := range k.texts {
			if _, number := asNumber(s); number || s == "true" || s == "false" {
				return // which a number, or a truth, there would meet too
			}
		}
	}
	f.keys = append(f.keys, k)
}

// owned adds the owners that resources of the prefixes have.
func (c *compiler) owned(k key, prefixes []string, f *finding) {
	k.texts = nil
	for _, s := range prefixes {
		owner, _, whole := strings.Cut(s, "/")
		if !whole {
			return
		}
		k.texts = append(k.texts, owner)
	}
	field, err := c.field(&Expr{Field: "owner"})
	if err != nil {
		return
	}
	k.field = field
	f.keyed(k)
}

// named adds what the action's name has to be, as patterns. They may match
// more, but no less.
func (f *finding) named(texts, prefixes []string) {
	var patterns []action.Pattern
	for _, s := range texts {
		if !wellFormed(s) {
			continue // no action is called so
		}
		patterns = append(patterns, action.Pattern(s))
	}
	for _, s := range prefixes {
		end := strings.LastIndexByte(s, '.')
		if end <= 0 || !wellFormed(s[:end]) {
			return
		}
		patterns = append(patterns, action.Pattern(s[:end]+".*"))
	}
	if len(patterns) == 0 || f.patterns != nil && len(f.patterns) <= len(patterns) {
		return
	}
	f.patterns = patterns
}
