package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// titles of services in the reference.
var titles = map[string]string{
	"anthropic": "Anthropic", "github": "GitHub", "openai": "OpenAI", "slack": "Slack", "stripe": "Stripe",
}

// reference writes a table as a page of docs/actions.
func reference(service, table string) string {
	type one struct {
		class, risk, undo, title string
		forms                    []string
	}
	all, second := map[string]*one{}, map[string][]string{}
	for line := range strings.Lines(table) {
		c := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(c) != 12 {
			continue
		}
		name, more, _ := strings.Cut(c[3], "+")
		a := all[name]
		if a == nil {
			a = &one{class: c[4], risk: c[5], undo: c[6], title: listed(c[10])}
			all[name] = a
		}
		a.forms = append(a.forms, form(c))
		if more != "" { // listed there as well
			for part := range strings.SplitSeq(more, "+") {
				also, _, _ := strings.Cut(part, "=")
				second[also] = append(second[also], form(c))
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Actions of %s\n\n", titles[service])
	b.WriteString("Made from `connectors/tables` by `make generate`. [Connectors](../connectors.md) says what the columns mean.\n\n")
	fmt.Fprintf(&b, "%d actions. What is not here is `%s.other.get` (class read) where it is a GET, and else `%s.unknown` (class admin, risk critical).\n\n", len(all), service, service)
	b.WriteString("| Action | Class | Risk | Undo | An agent wants to | Requests |\n|---|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a := all[name]
		a.forms = append(a.forms, second[name]...)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", name, a.class, a.risk, a.undo, strings.ReplaceAll(a.title, "|", `\|`), strings.Join(a.forms, "<br>"))
	}
	return b.String()
}

// listed is a title without what is said only of some requests.
func listed(title string) string { return conditional.ReplaceAllString(title, "") }

var conditional = regexp.MustCompile(`\[\{[^}\]]*[=!?][^\]]*\]`)

func form(c []string) string {
	place, method, path, when := c[0], c[1], c[2], c[7]
	text := "`" + method + " " + path + "`"
	switch place {
	case "graphql":
		text = "GraphQL `" + strings.ToLower(method) + " " + strings.TrimPrefix(path, "/") + "`"
	case "api":
	default:
		text += " (" + place + ")"
	}
	if when = strings.TrimPrefix(when, "%"); when != "-" {
		text += " with `" + when + "`"
	}
	return strings.ReplaceAll(text, "|", `\|`)
}
