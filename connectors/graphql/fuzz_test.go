package graphql_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/graphql"
)

var seeds = []string{
	"{a}", `mutation M($a: A! = {b: [1, "c"]}, $d: [[D!]!]) @x { a: f(in: {b: $a, c: E, n: null, t: true, x: -1.5e3}) @skip(if: true) { g { h } } ...F }  fragment F on Mutation { ... on M @y { i(j: "\u00e9\n") } ... { k } }`,
	"query A { a } query B { b }", "{a(x:\"\"\" \\\"\"\" \n  y\n\"\"\")}#c", "\uFEFF{,a\r\n}", "{ ...F } fragment F on Q { ...F }", `{a(x:"""x"""")}`, "{a(x:[{}[]])}", "{__typename}", "query{a(x:$y)}", "{a#\r}", "{a(x:1b)}",
	"subscription S { on: fragment(query: mutation) { true } }",
}

// FuzzRead compares with gqlparser, which is laxer: whatever is read here it
// reads too, and finds the same fields and arguments in it.
func FuzzRead(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed, "", `{"y":[1,{"z":"w"}]}`)
	}
	f.Add(seeds[2], "B", "")
	f.Fuzz(func(t *testing.T, query, operation, variables string) {
		op, err := graphql.Read(graphql.Request{Query: query, OperationName: operation, Variables: json.RawMessage(variables)})
		if err != nil {
			if !errors.Is(err, graphql.ErrUnreadable) || op.Kind != "" {
				t.Fatalf("%q: %v, %v", query, op, err)
			}
			return
		}
		doc, gqlErr := parser.ParseQuery(&ast.Source{Input: query})
		if gqlErr != nil {
			t.Fatalf("%q: read here, but: %v", query, gqlErr)
		}
		running := doc.Operations.ForName(operation)
		if running == nil || string(running.Operation) != op.Kind {
			t.Fatalf("%q %q: %s, want %v", query, operation, op.Kind, running)
		}
		want := fields(doc, running.SelectionSet, map[string]bool{})
		if len(want) != len(op.Fields) {
			t.Fatalf("%q: %v, want %d fields", query, op.Fields, len(want))
		}
		for i, field := range want {
			if field.Name != op.Fields[i].Name {
				t.Fatalf("%q: %s, want %s", query, op.Fields[i].Name, field.Name)
			}
			compare(t, query, op.Fields[i].Args, nil, field.Arguments)
		}
	})
}

// fields are the root fields, as gqlparser has them.
func fields(doc *ast.QueryDocument, set ast.SelectionSet, seen map[string]bool) (all []*ast.Field) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if s.Name != "__typename" {
				all = append(all, s)
			}
		case *ast.InlineFragment:
			all = append(all, fields(doc, s.SelectionSet, seen)...)
		case *ast.FragmentSpread:
			if !seen[s.Name] {
				seen[s.Name] = true
				all = append(all, fields(doc, doc.Fragments.ForName(s.Name).SelectionSet, seen)...)
			}
		}
	}
	return all
}

func compare(t *testing.T, query string, args graphql.Args, path []string, list ast.ArgumentList) {
	t.Helper()
	times := map[string]int{}
	for _, a := range list {
		times[a.Name]++
	}
	for _, a := range list {
		if at := append(slices.Clone(path), a.Name); times[a.Name] == 1 {
			compareValue(t, query, args, at, a.Value)
		}
	}
}

func compareValue(t *testing.T, query string, args graphql.Args, at []string, v *ast.Value) {
	t.Helper()
	got, _ := args.Lookup(at...)
	var want body.Value
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		want = body.Value{Kind: body.Number, Text: v.Raw}
	case ast.StringValue, ast.EnumValue:
		want = body.Value{Kind: body.String, Text: v.Raw}
	case ast.BlockValue:
		if strings.Contains(v.Raw, "\n") { // where it counts the first line's indentation, against the specification
			return
		}
		want = body.Value{Kind: body.String, Text: v.Raw}
	case ast.BooleanValue:
		want = body.Value{Kind: body.Bool, Text: v.Raw}
	case ast.NullValue:
		want = body.Value{Kind: body.Null}
	case ast.ObjectValue:
		var list ast.ArgumentList
		for _, c := range v.Children {
			list = append(list, &ast.Argument{Name: c.Name, Value: c.Value})
		}
		compare(t, query, args, at, list)
		want = body.Value{Kind: body.Other}
	default: // a list, or a variable
		return
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Fatalf("%q: %v: %s", query, at, diff)
	}
}

// FuzzEnvelope compares with encoding/json, which takes the last of two keys
// and ignores case: of what is read here there are never two.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{a}","variables":{"x":[1]},"operationName":"A"}`, `[{"query":"{a}"},{"id":"1"}]`, `{"query":"\u007ba}","extensions":{"persistedQuery":{"sha256Hash":"x"}}}`, `{"Query":"{a}"}`, `{"query":"a","query":"b"}`, `{"variables":"{}"}`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	type envelope struct {
		Query         string          `json:"query"`
		OperationName string          `json:"operationName"`
		Variables     json.RawMessage `json:"variables"`
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := graphql.Envelope(data)
		if err != nil {
			if !errors.Is(err, graphql.ErrUnreadable) || got != nil {
				t.Fatalf("%q: %v, %v", data, got, err)
			}
			return
		}
		var want []envelope
		if err := json.Unmarshal(data, &want); err != nil {
			want = make([]envelope, 1)
			if err := json.Unmarshal(data, &want[0]); err != nil {
				t.Fatalf("%q: read here, but: %v", data, err)
			}
		}
		for i, w := range want {
			if string(w.Variables) == "null" {
				w.Variables = nil
			}
			if r := got[i]; r.Query != w.Query || r.OperationName != w.OperationName || string(r.Variables) != string(w.Variables) || !r.Persisted && r.Query == "" {
				t.Fatalf("%q: %+v, want %+v", data, r, w)
			}
		}
	})
}

// FuzzFromGET compares with net/url.
func FuzzFromGET(f *testing.F) {
	for _, seed := range []string{"query={a}&operationName=A&variables={}", "query=%7Ba%7D", "query=a&query=b", "Query=a", "query[]=a", "variables=%zz", "id=1", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rawQuery string) {
		r, err := graphql.FromGET(rawQuery)
		if err != nil {
			return
		}
		values, err := url.ParseQuery(rawQuery)
		if err != nil || r.Query != values.Get("query") || r.OperationName != values.Get("operationName") || len(values["query"]) > 1 {
			t.Fatalf("%q: %+v, want %v, %v", rawQuery, r, values, err)
		}
	})
}
