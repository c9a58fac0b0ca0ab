package definition

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tameflare/tameflare/domain/action"
)

// Words cuts text into its words, in small letters: "listInvoiceItems",
// "list_invoice-items" and "/list/invoice.items" are all the same.
func Words(text string) []string {
	var all []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			all = append(all, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	runes := []rune(text)
	for i, r := range runes {
		switch {
		case !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'):
			end()
			continue
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) && unicode.IsUpper(runes[i-1])):
			end()
		}
		word.WriteRune(r)
	}
	end()
	return all
}

// Singular is the word for one of what word names several of.
func Singular(word string) string {
	n := len(word)
	switch {
	case n < 4, strings.HasSuffix(word, "ss"), strings.HasSuffix(word, "us"), strings.HasSuffix(word, "is"), word == "news", word == "series":
		return word
	case strings.HasSuffix(word, "ies") && n > 4:
		return word[:n-3] + "y"
	case strings.HasSuffix(word, "sses"), strings.HasSuffix(word, "xes"), strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "shes"):
		return word[:n-2]
	case strings.HasSuffix(word, "s"):
		return word[:n-1]
	}
	return word
}

// Plural is about the inverse of Singular.
func plural(word string) string {
	n := len(word)
	switch {
	case n == 0, strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && !strings.HasSuffix(word, "us"):
		return word
	case word[n-1] == 'y' && n > 1 && !strings.ContainsRune("aeiou", rune(word[n-2])):
		return word[:n-1] + "ies"
	case strings.HasSuffix(word, "ss"), strings.HasSuffix(word, "x"), strings.HasSuffix(word, "ch"), strings.HasSuffix(word, "sh"), strings.HasSuffix(word, "us"):
		return word + "es"
	}
	return word + "s"
}

// titleOf makes a title of an action's name: "create invoice {resource}".
func titleOf(name string, resource bool) string {
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		return ""
	}
	verb := strings.Join(Words(parts[len(parts)-1]), " ")
	noun := strings.Join(Words(strings.Join(parts[1:len(parts)-1], " ")), " ")
	switch verb {
	case "list":
		noun = plural(noun)
	case "get":
		verb = "read"
	case "update":
		verb = "change"
	}
	title := strings.TrimSpace(verb + " " + noun)
	if resource {
		title += "[ {resource}]"
	}
	return title
}

// UsualRisk is the risk of an action of a class, where nobody says.
func UsualRisk(c action.Class) action.Risk {
	switch c {
	case action.Read:
		return action.Low
	case action.Write:
		return action.Medium
	case action.Delete, action.Admin:
	}
	return action.High
}

// UsualClass is the class of an operation where nobody says: that of its
// method, or admin where its words are about who may do what. The sentence,
// which may be empty, is what somebody should look at: never is an operation
// read because its words sound so.
func UsualClass(method, path, id string) (c action.Class, look string) {
	words := append(Words(path), Words(id)...)
	for i, w := range words {
		words[i] = Singular(w)
	}
	governs := func(among []string) string {
		for _, w := range words {
			if slices.Contains(among, w) {
				return w
			}
		}
		return ""
	}
	switch method {
	case "GET", "HEAD":
		if w := governs(hands); w != "" {
			return action.Admin, "It has “" + w + "” in its name: admin, since it may hand out a credential. If it does not, make it read."
		}
		if w := governs(rules); w != "" {
			return action.Read, "It has “" + w + "” in its name: read, since it only looks. If agents should not see it, make it admin."
		}
		return action.Read, ""
	}
	c = action.Write
	if method == "DELETE" {
		c = action.Delete
	}
	if w := governs(append(slices.Clone(hands), rules...)); w != "" {
		return action.Admin, "It has “" + w + "” in its name: admin, since it may change who can do what. If it does not, make it " + c.String() + "."
	}
	if c == action.Write {
		if w := governs(ends); w != "" {
			return action.Delete, "It has “" + w + "” in its name: delete. If it removes nothing, make it write."
		}
		if w := governs(looks); w != "" {
			return action.Write, "It has “" + w + "” in its name and may change nothing. If so, make it read."
		}
	}
	return c, ""
}

var (
	hands = []string{"token", "key", "secret", "credential", "password", "apikey", "oauth", "certificate"}
	rules = []string{"permission", "role", "member", "webhook", "hook", "admin", "acl", "policy", "grant", "invitation", "invite", "sso", "saml", "scim"}
	looks = []string{"search", "query", "list", "validate", "preview", "find", "lookup", "check", "count", "estimate", "verify", "simulate"}
	ends  = []string{"delete", "remove", "destroy", "purge", "erase", "drop", "clear", "truncate", "wipe"}
)

// Usual fills in what o leaves open: the class where none was said, and the
// risk. Title and the rest are for Plain.
func (o Operation) Usual(id string, classed, rated bool) (_ Operation, look string) {
	if !classed {
		o.Class, look = UsualClass(strings.ToUpper(o.Method), o.Path, id)
	}
	if !rated {
		o.Risk = UsualRisk(o.Class)
	}
	return o, look
}
