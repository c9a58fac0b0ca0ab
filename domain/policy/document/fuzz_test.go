package document_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// FuzzParse: a document is either refused with places that are in it, or what
// it says can be sent to gateways, compiled there and tested.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(commented))
	f.Add([]byte(clauses("  - name: a\n    when: |\n      params.a > 1 &&\n\n      x\n    decision: deny\n")))
	f.Add([]byte(one("- {field: parameters.branch_name, operator: not_matches, value: \"^(main|x)$\"}")))
	f.Add([]byte("rules: [{name: a, decision: deny}]\nname: \"\\u00e9\"\ntests: [{name: t, expect: deny, action_spec: {type: a.b}}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := document.Parse("p.yaml", data, known)
		if err != nil {
			problems, ok := errors.AsType[*yamldoc.Problems](err)
			if !ok || fault.Of(err) != fault.Invalid || len(problems.All) == 0 {
				t.Fatalf("%v", err)
			}
			lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + 1
			for _, p := range problems.All {
				if p.Line > lines || p.Line < 0 || p.Message == "" {
					t.Errorf("of %d lines: %+v", lines, p)
				}
			}
			return
		}
		sent, err := json.Marshal(d.Policy)
		if err != nil {
			t.Fatal(err)
		}
		var got policy.Policy
		if err := json.Unmarshal(sent, &got); err != nil {
			t.Fatal(err)
		}
		got.ID = "pol_x"
		if _, err := policy.Compile(policy.Settings{Gateway: "g", Policies: []policy.Policy{got}}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Run(nil); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzEdit: an edit does what it should, or nothing.
func FuzzEdit(f *testing.F) {
	f.Add([]byte(commented), 0, "github.pr.merge", "No.")
	f.Add([]byte(whole), 2, "a, \"b,c\"", "It's: so # much")
	f.Add([]byte("rules: [{name: a, decision: deny}]"), 0, "12", "")
	f.Add([]byte("name: p\nrules:\n- name: a\n\n# x\n\n- name: b\n"), 1, "true", "x")
	f.Fuzz(func(t *testing.T, data []byte, index int, value, reason string) {
		before, err := document.ReadForm(data)
		if err != nil {
			return
		}
		c := document.ClauseForm{Name: "new", Decision: "deny", Reason: reason, Conditions: []document.ConditionForm{{Field: "params.a", Operator: "in", Value: value}}}
		if out, err := document.AddClause(data, c); err == nil {
			got, err := document.ReadForm(out)
			if err != nil || len(got.Clauses) != len(before.Clauses)+1 {
				t.Fatalf("%v\n%s", err, out)
			}
			if added := got.Clauses[len(before.Clauses)]; added.Name != "new" || added.Reason != strings.TrimSpace(strings.ReplaceAll(reason, "\r\n", "\n")) {
				t.Errorf("%+v\n%s", added, out)
			}
		}
		if index < 0 || index >= len(before.Clauses) {
			return
		}
		c = before.Clauses[index]
		c.Reason = reason
		if out, err := document.SetClause(data, index, c); err == nil {
			got, err := document.ReadForm(out)
			if err != nil || len(got.Clauses) != len(before.Clauses) || got.Clauses[index].Name != c.Name {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		if out, err := document.RemoveClause(data, index); err == nil {
			if got, err := document.ReadForm(out); err != nil || len(got.Clauses) != len(before.Clauses)-1 {
				t.Fatalf("%v\n%s", err, out)
			}
		}
	})
}
