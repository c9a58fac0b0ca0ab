package tables_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/tables"
)

const (
	place = iota
	method
	path
	actions
	class
	risk
	undo
	when
	params
	resource
	title
	id
	columns
)

func rows(t *testing.T) [][]string {
	t.Helper()
	var all [][]string
	for _, text := range []string{tables.Anthropic, tables.GitHub, tables.OpenAI, tables.Slack, tables.Stripe} {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			c := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(c) != columns {
				t.Fatalf("%d columns: %s", len(c), line)
			}
			all = append(all, c)
		}
	}
	return all
}

// names returns what a row's parameters are called.
func names(c []string) []string {
	var all []string
	for text := range strings.SplitSeq(c[params], ",") {
		name, _, named := strings.Cut(text, "=")
		if !named {
			source, _, _ := strings.Cut(text, ":")
			name = strings.TrimRight(source, "[]")
			name = name[strings.LastIndexAny(name, ".?@")+1:]
		}
		all = append(all, name)
	}
	return all
}

var braced = regexp.MustCompile(`\{([^}]*)\}`)

// A title is read by a person who decides by it.
func TestATitleSaysWhatEveryFormCanFillIn(t *testing.T) {
	t.Parallel()

	everywhere := map[string][]string{}
	somewhere := map[string][]string{"github.repo.push": {"ref"}, "github.gist.push": {"ref"}} // which code finds in the packets
	for _, c := range rows(t) {
		all := names(c)
		if c[resource] != "-" {
			all = append(all, "resource")
		}
		for action := range strings.SplitSeq(c[actions], "+") {
			action, _, _ = strings.Cut(action, "=")
			if have, seen := everywhere[action]; seen {
				everywhere[action] = slices.DeleteFunc(slices.Clone(have), func(n string) bool { return !slices.Contains(all, n) })
			} else {
				everywhere[action] = all
			}
			somewhere[action] = append(somewhere[action], all...)
		}
	}
	optional := regexp.MustCompile(`\[[^\]]*\]`)
	condition := regexp.MustCompile(`\{(?:[!?]([a-z_]+)|([a-z_]+)=[a-z_]+)\}`)
	for _, c := range rows(t) {
		action, _, _ := strings.Cut(c[actions], "+")
		text := c[title]
		if text == "-" || text != strings.TrimSpace(text) || strings.HasSuffix(text, ".") || strings.Contains(text, "  ") || strings.Count(text, "[") != strings.Count(text, "]") || strings.Count(text, "{") != strings.Count(text, "}") {
			t.Errorf("%s: %q is no title", action, text)
		}
		for _, part := range optional.FindAllString(text, -1) {
			conditions := condition.FindAllStringSubmatch(part, -1)
			for _, found := range conditions {
				if !slices.Contains(somewhere[action], found[1]+found[2]) {
					t.Errorf("%s: %s in %q, of %v", action, found[0], text, somewhere[action])
				}
			}
			found := braced.FindAllStringSubmatch(condition.ReplaceAllString(part, ""), -1)
			if len(conditions) > 0 && len(found) == 0 {
				continue
			}
			if len(found) != 1 || !slices.Contains(somewhere[action], found[0][1]) {
				t.Errorf("%s: %s in %q, of %v", action, part, text, somewhere[action])
			}
		}
		for _, found := range braced.FindAllStringSubmatch(optional.ReplaceAllString(text, ""), -1) {
			if !slices.Contains(everywhere[action], found[1]) {
				t.Errorf("%s: {%s} in %q is not in every form", action, found[1], text)
			}
		}
	}
}

// What rules look at is written into records.
func TestNoParameterIsASecret(t *testing.T) {
	t.Parallel()

	secret := regexp.MustCompile(`(?i)(^|[.?@_-])(password|passwd|secrets?|client_secret|private_key|api_key|keys?|tokens?|encrypted_value|cvc|payload|authorization|credentials?|content|message|text|prompt|input)(\[\])*$`)
	for _, c := range rows(t) {
		for text := range strings.SplitSeq(c[params], ",") {
			_, source, named := strings.Cut(text, "=")
			if !named {
				source = text
			}
			source, _, _ = strings.Cut(source, ":")
			if key := c[method] + " " + c[path] + " " + source; secret.MatchString(source) && !slices.ContainsFunc(harmless, func(h string) bool { return strings.Contains(key, h) }) {
				t.Errorf("%s may be a secret, or long", key)
			}
		}
	}
}

// harmless are parameters that are called like secrets, or like long texts, and
// are neither.
var harmless = []string{
	"max_tokens",         // a number
	"completion_tokens",  // a number
	"output_tokens",      // a number
	"include_claim_keys", // names of claims
	"?hide_secret",       // whether to
	"reactions .content", // one of eight
	"Reaction .content",  // one of eight
	".view_key",          // a name
	".lookup_key",        // a name
	"caches ?key",        // a name
}

func TestRowsAreWrittenAsTheReadmeSays(t *testing.T) {
	t.Parallel()

	word := regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+\.[a-z0-9_]+(=(read|write|delete|admin))?$`)
	of := map[string][]string{}
	for _, c := range rows(t) {
		for i, action := range strings.Split(c[actions], "+") {
			if !word.MatchString(action) || strings.Contains(action, "=") == (i == 0) {
				t.Errorf("%s is not service.resource.verb", action)
			}
		}
		if !slices.Contains([]string{"read", "write", "delete", "admin"}, c[class]) || !slices.Contains([]string{"low", "medium", "high", "critical"}, c[risk]) || !slices.Contains([]string{"yes", "no"}, c[undo]) {
			t.Errorf("%s: class %s, risk %s, undo %s", c[actions], c[class], c[risk], c[undo])
		}
		if !strings.HasPrefix(c[path], "/") || c[method] != strings.ToUpper(c[method]) {
			t.Errorf("%s %s is no request", c[method], c[path])
		}
		action, _, _ := strings.Cut(c[actions], "+")
		of[action] = append(of[action], strings.Join([]string{c[class], c[risk], c[undo], c[title]}, "\t"))
	}
	for action, all := range of {
		if slices.Sort(all); len(slices.Compact(all)) != 1 {
			t.Errorf("%s is said in several ways: %q", action, all)
		}
	}
}
