package definition

import (
	"regexp"
	"slices"
	"strings"
)

// source is where a value comes from: a name in the path, .field.sub of the
// body, ?query or @Header.
var (
	inBody   = regexp.MustCompile(`^\.[A-Za-z0-9_$-]+(\[\])*(\.[A-Za-z0-9_$-]+(\[\])*)*$`)
	inQuery  = regexp.MustCompile(`^\?[A-Za-z0-9_.$\[\]-]+$`)
	inHeader = regexp.MustCompile(`^@[A-Za-z0-9-]+$`)
	param    = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
)

// source says what is wrong with one, "" where nothing is.
func (c *checking) source(text string, captures []string) string {
	switch {
	case len(text) > maxText:
		return "A source has at most 200 bytes."
	case inBody.MatchString(text), inQuery.MatchString(text), inHeader.MatchString(text):
		if SecretName(text) || strings.EqualFold(text[1:], c.d.Auth.Name) {
			return "“" + shown(text) + "” looks like a secret. What rules look at is shown to people and kept in records."
		}
		return ""
	case slices.Contains(captures, text):
		return ""
	case capture.MatchString(text):
		return "There is no {" + text + "} in the path."
	}
	return "“" + shown(text) + "” is not where a value can be. Write a name in the path, .field of the body, ?query or @Header."
}

var types = []string{"int", "bool", "list"}

func (c *checking) params(i int, params []string, captures []string) {
	if len(params) > maxParams {
		c.bad(i, "params", "An operation has at most 16 parameters.")
	}
	var have []string
	for _, text := range params {
		name, from := ParamName(text)
		from, typ, typed := strings.Cut(from, ":")
		switch sentence := c.source(from, captures); {
		case typed && !slices.Contains(types, typ):
			c.bad(i, "params", "“"+shown(text)+"”: the types are int, bool and list.")
		case sentence != "":
			c.bad(i, "params", sentence)
		case !param.MatchString(name) || name == "resource":
			c.bad(i, "params", "“"+shown(name)+"” cannot be a parameter's name. Give it another: name="+shown(from)+".")
		case slices.Contains(have, name):
			c.bad(i, "params", "There are two parameters called "+name+".")
		}
		have = append(have, name)
	}
}

// ParamName returns the name of a parameter, and the rest of how it is
// written. Where none is given it is the last word of its source.
func ParamName(text string) (name, from string) {
	name, from, named := strings.Cut(text, "=")
	if named {
		return name, from
	}
	name, _, _ = strings.Cut(text, ":")
	from = text
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "?") || strings.HasPrefix(name, "@") {
		if name[0] == '.' {
			name = strings.TrimSuffix(name, "[]")
		}
		name = name[1:]
	}
	return name[strings.LastIndexByte(name, '.')+1:], from
}

func (c *checking) when(i int, when string) {
	if when == "" {
		return
	}
	parts := strings.Split(when, "&")
	if len(parts) > maxConditions {
		c.bad(i, "when", "At most 4 conditions tell an operation from others.")
	}
	for _, part := range parts {
		from, value, _ := strings.Cut(part, "=")
		if !inBody.MatchString(from) && !inQuery.MatchString(from) && !inHeader.MatchString(from) || !plainText(value) || strings.ContainsAny(value, "&\t") {
			c.bad(i, "when", "“"+shown(part)+"” is not a condition. Write .field=value, ?query=value or @Header=value, with & between several.")
		}
	}
}

func (c *checking) resource(i int, text string, captures []string) {
	if text == "?" {
		return
	}
	if !plainText(text) {
		c.bad(i, "resource", "A resource is at most 200 bytes of plain text in one line.")
	}
	for text != "" {
		before, after, found := strings.Cut(text, "{")
		inside, more, closed := strings.Cut(after, "}")
		if strings.Contains(before, "}") || found && !closed {
			c.bad(i, "resource", "The braces do not match.")
			return
		}
		if found {
			for from := range strings.SplitSeq(inside, "|") {
				if sentence := c.source(from, captures); sentence != "" {
					c.bad(i, "resource", sentence)
				}
			}
		}
		text = more
	}
}

var (
	placeholder = regexp.MustCompile(`\{([^{}\[\]]*)\}`)
	bracketed   = regexp.MustCompile(`\[[^\[\]]*\]`)
)

func (c *checking) title(i int, o Operation) {
	if !plainText(o.Title) || o.Title == "" {
		c.bad(i, "title", "A title is 1 to 200 bytes of plain text in one line.")
		return
	}
	known := []string{"resource"}
	for _, p := range o.Params {
		name, _ := ParamName(p)
		known = append(known, name)
	}
	for _, m := range placeholder.FindAllStringSubmatch(o.Title, -1) {
		if !slices.Contains(known, m[1]) {
			c.bad(i, "title", "The title speaks of {"+shown(m[1])+"}, which is neither the resource nor one of the parameters.")
		}
	}
	left := placeholder.ReplaceAllString(o.Title, "")
	optional := bracketed.ReplaceAllString(left, "")
	if strings.ContainsAny(optional, "{}[]") {
		c.bad(i, "title", "The braces or brackets in the title do not match.")
	}
}

// SecretName reports whether what is called so is probably a secret.
func SecretName(name string) bool {
	words := Words(name)
	for i, w := range words {
		switch w {
		case "password", "passwd", "passphrase", "secret", "secrets", "credential", "credentials", "authorization", "cookie", "apikey", "cvc", "cvv", "ssn", "otp", "pin", "signature", "iban":
			return true
		case "key":
			if i > 0 && slices.Contains([]string{"api", "private", "access", "signing", "secret", "encryption", "ssh"}, words[i-1]) {
				return true
			}
		case "token":
			if i == len(words)-1 && !(i > 0 && slices.Contains([]string{"page", "next", "continuation", "sync", "pagination"}, words[i-1])) {
				return true
			}
		}
	}
	return false
}

// together looks at what operations say about the same thing.
func (c *checking) together() {
	byAction := map[string]int{}
	type form struct {
		plain int // the one without a condition, -1 for none
		whens []string
	}
	forms := map[string]*form{}
	for i, o := range c.d.Operations {
		if first, there := byAction[o.Action]; there {
			other := c.d.Operations[first]
			if other.Class != o.Class {
				c.bad(i, "class", "The action "+shown(o.Action)+" is "+o.Class.String()+" here and "+other.Class.String()+" at "+shown(other.Form())+". One action has one class.")
			} else if other.Risk != o.Risk {
				c.bad(i, "risk", "The action "+shown(o.Action)+" has another risk here than at "+shown(other.Form())+".")
			}
		} else if o.Action != "" {
			byAction[o.Action] = i
		}
		key := Shape(o.Method, c.d.Base+o.Path)
		f := forms[key]
		if f == nil {
			f = &form{plain: -1}
			forms[key] = f
		}
		switch {
		case f.plain >= 0 && o.When == "":
			c.bad(i, "path", "Operation "+shown(c.d.Operations[f.plain].Form())+" before it has the same form. Tell them apart with when.")
		case f.plain >= 0:
			c.bad(i, "when", "It is never reached: the operation before it of the same form has no condition. Put that one last.")
		case slices.Contains(f.whens, o.When) && o.When != "":
			c.bad(i, "when", "Another operation of the same form has the same condition.")
		}
		if o.When == "" && f.plain < 0 {
			f.plain = i
		}
		f.whens = append(f.whens, o.When)
	}
}
