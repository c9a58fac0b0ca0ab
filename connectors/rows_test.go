package connectors_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/tables"
	"github.com/tameflare/tameflare/domain/action"
)

// row is a line of a table, as a test reads it.
type row struct {
	service, place, method, path string
	does                         []does // the first names it
	when                         []string
	params                       []string
	resource                     []string // the sources in it
	id                           string
}

type does struct {
	name  string
	class action.Class
}

// rows reads all tables anew, and not with the code under test.
func rows(t testing.TB) []row {
	t.Helper()
	var all []row
	for service, text := range map[string]string{
		"anthropic": tables.Anthropic, "github": tables.GitHub, "openai": tables.OpenAI, "slack": tables.Slack, "stripe": tables.Stripe,
	} {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			c := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			for i := range c {
				if c[i] == "-" {
					c[i] = ""
				}
			}
			r := row{service: service, place: c[0], method: c[1], path: c[2], params: list(c[8], ","), when: list(c[7], "&"), id: c[11]}
			for i, name := range strings.Split(c[3], "+") {
				name, class, listed := strings.Cut(name, "=")
				if !listed {
					class = c[4]
				}
				d := does{name: name}
				if err := d.class.UnmarshalText([]byte(class)); err != nil || listed == (i == 0) {
					t.Fatalf("%s: %v", line, err)
				}
				r.does = append(r.does, d)
			}
			for rest := c[9]; ; {
				_, after, found := strings.Cut(rest, "{")
				if !found {
					break
				}
				var names string
				names, rest, _ = strings.Cut(after, "}")
				r.resource = append(r.resource, list(names, "|")...)
			}
			all = append(all, r)
		}
	}
	return all
}

func list(text, separator string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, separator)
}
