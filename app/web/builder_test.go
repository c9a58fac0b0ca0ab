package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

const commented = `# Who may merge is decided here.
name: merges-wait # the name that everybody knows
description: Somebody looks at every merge into main.

scope:
  actions: ["github.*"] # nothing else

rules:
  # Main is what customers see.
  - name: merge-into-main
    conditions: # both have to hold
      all:
        # the merge itself
        - {field: action, operator: equals, value: github.pr.merge} # not the update
        - {field: params.base, operator: equals, value: main}
    decision: require_approval # by a person
    reason: Somebody looks at every merge into main.
  # Nested on purpose.
  - name: nested
    conditions:
      any:
        - {field: class, operator: equals, value: delete}
        - not: {field: owner, operator: in, value: [acme]}
    decision: deny
  - name: by-cel
    when: risk_level >= 3 && action == "github.repo.delete" # in CEL
    decision: deny
# The end.
`

// formOf are the fields of the editor's form, as a browser would send them.
func formOf(t *testing.T, body string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	f := url.Values{}
	attr := func(n *html.Node, name string) (string, bool) {
		i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
		if i < 0 {
			return "", false
		}
		return n.Attr[i].Val, true
	}
	var walk func(n *html.Node, in bool)
	walk = func(n *html.Node, in bool) {
		to, _ := attr(n, "action")
		in = in || n.Data == "form" && to == "/policies/preview"
		name, named := attr(n, "name")
		if in && named {
			switch n.Data {
			case "input":
				value, _ := attr(n, "value")
				f.Add(name, value)
			case "textarea":
				text := ""
				if n.FirstChild != nil {
					text = n.FirstChild.Data
				}
				f.Add(name, strings.ReplaceAll(text, "\n", "\r\n"))
			case "select":
				var chosen, first string
				for o := range n.Descendants() {
					if o.Data != "option" {
						continue
					}
					value, _ := attr(o, "value")
					if _, ok := attr(o, "selected"); ok {
						chosen = "=" + value
					}
					if first == "" {
						first = "=" + value
					}
				}
				if chosen == "" {
					chosen = first
				}
				f.Add(name, strings.TrimPrefix(chosen, "="))
			}
		}
		for c := range n.ChildNodes() {
			walk(c, in)
		}
	}
	walk(root, false)
	return f
}

// editor opens a text in the editor and returns its form.
func (h *house) editor(t *testing.T, text string) url.Values {
	t.Helper()
	w := h.post(t, "/policies/builder", "document", text, "priority", "100", "enabled", "yes")
	if w.Code != http.StatusOK {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantSound(t, "the editor", w.Body.String())
	return formOf(t, w.Body.String())
}

func sentText(f url.Values) string {
	return strings.ReplaceAll(f.Get("document"), "\r\n", "\n")
}

func TestTheFormKeepsCommentsAndWhatItIsNotAbout(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for name, tt := range map[string]struct {
		change map[string]string
		do     string
		old    string
		want   string // in place of old; "" and old "" is no change at all
	}{
		"nothing":         {nil, "apply", "", ""},
		"a decision":      {map[string]string{"r.0.decision": "deny"}, "apply", "decision: require_approval # by a person", "decision: deny # by a person"},
		"a value":         {map[string]string{"r.0.1.value": "release"}, "apply", "value: main}", "value: release}"},
		"a parameter":     {map[string]string{"r.0.1.rest": "head"}, "apply", "field: params.base", "field: params.head"},
		"an operator":     {map[string]string{"r.0.1.operator": "starts_with"}, "apply", "field: params.base, operator: equals", "field: params.base, operator: starts_with"},
		"a nested rule":   {map[string]string{"r.1.decision": "require_approval"}, "apply", "[acme]}\n    decision: deny", "[acme]}\n    decision: require_approval"},
		"a CEL rule":      {map[string]string{"r.2.name": "cel"}, "apply", "name: by-cel", "name: cel"},
		"one of":          {map[string]string{"r.0.any": "yes"}, "apply", "", "?"},
		"less conditions": {nil, "remove.0.1", "        - {field: params.base, operator: equals, value: main}\n", ""},
		"fewer rules":     {nil, "remove-rule.2", "  - name: by-cel\n    when: risk_level >= 3 && action == \"github.repo.delete\" # in CEL\n    decision: deny\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := h.editor(t, commented)
			for k, v := range tt.change {
				if !f.Has(k) {
					t.Fatalf("the form has no %s, only %v", k, slices.Sorted(maps.Keys(f)))
				}
				f.Set(k, v)
			}
			f.Set("do", tt.do)
			w := h.do(t, visit{method: http.MethodPost, path: "/policies/builder", as: h.owner, form: f})
			if w.Code != http.StatusOK {
				t.Fatalf("%d\n%s", w.Code, w.Body)
			}
			got := sentText(formOf(t, w.Body.String()))
			if tt.want == "?" { // the conditions are written again
				for line := range strings.Lines(commented) {
					if _, comment, ok := strings.Cut(line, "#"); ok && !strings.Contains(got, strings.TrimSpace(comment)) {
						t.Errorf("the comment %q is gone:\n%s", comment, got)
					}
				}
				wantSays(t, "the text", got, "any:")
				return
			}
			if want := strings.Replace(commented, tt.old, tt.want, 1); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestRulesAndConditionsAreAdded(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	f := h.editor(t, commented)
	f.Set("do", "add.0")
	w := h.do(t, visit{method: http.MethodPost, path: "/policies/builder", as: h.owner, form: f})
	f = formOf(t, w.Body.String())
	if sentText(f) != commented {
		t.Fatalf("an empty row is in the text:\n%s", sentText(f))
	}
	f.Set("r.0.2.field", "params.*")
	f.Set("r.0.2.rest", "method")
	f.Set("r.0.2.operator", "in")
	f.Set("r.0.2.value", "squash, rebase")
	f.Set("do", "add-rule")
	w = h.do(t, visit{method: http.MethodPost, path: "/policies/builder", as: h.owner, form: f})
	if w.Code != http.StatusOK {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	f = formOf(t, w.Body.String())
	got := sentText(f)
	wantSays(t, "the text", got, "field: params.method, operator: in, value: [squash, rebase]", "name: rule-4", "# not the update", "# The end.")
	f.Set("r.3.0.field", "owner")
	f.Set("r.3.0.operator", "equals")
	f.Set("r.3.0.value", "acme")
	f.Set("do", "up.3")
	w = h.do(t, visit{method: http.MethodPost, path: "/policies/builder", as: h.owner, form: f})
	got = sentText(formOf(t, w.Body.String()))
	if a, b := strings.Index(got, "name: rule-4"), strings.Index(got, "name: by-cel"); a < 0 || a > b {
		t.Errorf("the new rule has not moved up:\n%s", got)
	}
	wantSays(t, "the text", got, "{field: owner, operator: equals, value: acme}")
}

func TestWhatWasChangedInTheFormIsPreviewed(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	f := h.editor(t, commented)
	f.Set("r.0.reason", "Somebody has a look.")
	w := h.do(t, visit{method: http.MethodPost, path: "/policies/preview", as: h.owner, form: f})
	if w.Code != http.StatusOK {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantSays(t, "the preview", w.Body.String(), "Somebody has a look.", "# by a person")
}

func TestTheTextCountsWhereBothWereChanged(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	changed := strings.Replace(commented, "value: main", "value: release", 1)
	for _, path := range []string{"/policies/builder", "/policies/preview"} {
		f := h.editor(t, commented)
		f.Set("document", changed)
		f.Set("r.0.decision", "deny")
		f.Set("r.1.name", "nested-still")
		f.Set("do", "apply")
		w := h.do(t, visit{method: http.MethodPost, path: path, as: h.owner, form: f})
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", path, w.Code)
		}
		wantSays(t, path, w.Body.String(), "Rule 1 was changed in the text meanwhile")
		if got, want := sentText(formOf(t, w.Body.String())), strings.Replace(changed, "name: nested", "name: nested-still", 1); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
		}
	}
	f := h.editor(t, commented)
	f.Set("document", changed)
	w := h.do(t, visit{method: http.MethodPost, path: "/policies/builder", as: h.owner, form: f})
	if got := sentText(formOf(t, w.Body.String())); w.Code != http.StatusOK || got != changed {
		t.Errorf("only the text was changed: %d\n%s", w.Code, got)
	}
	f.Set("document", "rules: [")
	f.Set("r.0.decision", "deny")
	w = h.do(t, visit{method: http.MethodPost, path: "/policies/builder", as: h.owner, form: f})
	wantSays(t, "a text that cannot be read", w.Body.String(), "The text cannot be read, so nothing of the form was put into it.")
	if got := sentText(formOf(t, w.Body.String())); got != "rules: [" {
		t.Errorf("it became %q", got)
	}
}

func TestOddFormsChangeNothing(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for _, do := range []string{"remove.9.9", "remove-rule.99", "up.0", "down.2", "add.77", "remove.0.77", "up", "...", "remove-rule.-1", "explode"} {
		f := h.editor(t, commented)
		f.Set("do", do)
		w := h.do(t, visit{method: http.MethodPost, path: "/policies/builder", as: h.owner, form: f})
		if w.Code >= 500 {
			t.Errorf("%s: %d", do, w.Code)
		}
		if got := sentText(formOf(t, w.Body.String())); got != commented {
			t.Errorf("%s: the text became\n%s", do, got)
		}
	}
	w := h.post(t, "/policies/builder", "document", commented, "priority", "100", "rules", "1000000000", "r.0.conditions", "1000000000")
	if w.Code >= 500 {
		t.Errorf("large numbers: %d", w.Code)
	}
}

func TestSpaceWithinAValueCounts(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	text := strings.Replace(commented, "value: main}", "value: new york}", 1)
	f := h.editor(t, text)
	f.Set("r.0.1.value", "newyork")
	f.Set("do", "apply")
	w := h.do(t, visit{method: http.MethodPost, path: "/policies/builder", as: h.owner, form: f})
	if got, want := sentText(formOf(t, w.Body.String())), strings.Replace(text, "new york", "newyork", 1); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestARuleOfTooManyConditionsStaysWhole(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	text := "name: p\nrules:\n  - name: r\n    conditions:\n" + strings.Repeat("      - {field: owner, operator: exists}\n", 201) + "    decision: deny\n"
	f := h.editor(t, text)
	if f.Has("r.0.mark") || f.Has("r.0.name") {
		t.Error("it is shown as a form")
	}
	short := strings.Replace(text, strings.Repeat("      - {field: owner, operator: exists}\n", 200), "", 1)
	f = h.editor(t, short)
	f.Set("r.0.conditions", "202")
	f.Set("r.0.decision", "allow")
	f.Set("do", "apply")
	w := h.do(t, visit{method: http.MethodPost, path: "/policies/builder", as: h.owner, form: f})
	if got := sentText(formOf(t, w.Body.String())); got != short {
		t.Errorf("a rule of more than is read was changed:\n%s", got)
	}
}
