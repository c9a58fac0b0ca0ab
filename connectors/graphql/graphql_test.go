package graphql_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/graphql"
)

// names returns the kind and the root fields, as one string.
func names(op graphql.Operation) string {
	all := []string{op.Kind}
	for _, f := range op.Fields {
		all = append(all, f.Name)
	}
	return strings.TrimSpace(strings.Join(all, " "))
}

func TestTheRootFieldsThatWouldRunAreNamed(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		query, operation, want string // want is "" where it is unreadable
	}{
		"shorthand":                    {query: "{viewer{login}}", want: "query viewer"},
		"query":                        {query: "query Q { viewer { login } rateLimit { cost } }", want: "query viewer rateLimit"},
		"mutation":                     {query: "mutation { mergePullRequest(input: {pullRequestId: \"x\"}) { clientMutationId } }", want: "mutation mergePullRequest"},
		"subscription":                 {query: "subscription S { events }", want: "subscription events"},
		"alias":                        {query: "mutation { safe: deleteRef(input: {}) { x } }", want: "mutation deleteRef"},
		"alias like a field":           {query: "mutation { viewer: deleteRef deleteRef: viewer }", want: "mutation deleteRef viewer"},
		"same field twice":             {query: "mutation { a: f(n: 1) b: f(n: 2) f }", want: "mutation f f f"},
		"only the type":                {query: "{ __typename t: __typename }", want: "query"},
		"introspection":                {query: "{ __schema { types { name } } __type(name: \"X\") { name } }", want: "query __schema __type"},
		"inline fragment":              {query: "mutation { ... on Mutation { a ... { b } } ... @include(if: false) { c } }", want: "mutation a b c"},
		"fragment":                     {query: "fragment F on Mutation { a ...G } mutation { ...F d } fragment G on Mutation { b: c }", want: "mutation a c d"},
		"fragment twice":               {query: "{ ...F ...F } fragment F on Query { a }", want: "query a"},
		"fragments that multiply":      {query: "{ ...F0 }" + multiply(30), want: "query a"},
		"fragment below is not root":   {query: "{ a { ...F } } fragment F on A { b }", want: "query a"},
		"skipped counts":               {query: "mutation($x: Boolean!) { a @skip(if: true) b @include(if: $x) ...F @skip(if: true) } fragment F on Mutation { c }", want: "mutation a b c"},
		"directives anywhere":          {query: "query Q($a: A = 1 @d) @live @x(a: [1, {b: $a}]) { a @x(y: \"z\") @y }", want: "query a"},
		"the named of several":         {query: "query A { a } mutation B { b }", operation: "B", want: "mutation b"},
		"the only one by its name":     {query: "mutation B { b }", operation: "B", want: "mutation b"},
		"variables":                    {query: "query Q($a: [[Int!]!]! = [[1]], $b: In = {x: [A, null]}) { a }", want: "query a"},
		"keywords are names":           {query: "query query { fragment on: mutation type true null } fragment fragment on on { on }", want: "query fragment mutation type true null"},
		"comments":                     {query: "# mutation { x }\nquery { # }\n a #\" \r\n b }#", want: "query a b"},
		"comma is space":               {query: ",,query,Q,{,a,,b,},", want: "query a b"},
		"byte order mark":              {query: "\uFEFF{ a }", want: "query a"},
		"carriage return, line feed":   {query: "{\r\n a\r\n}", want: "query a"},
		"string that looks like more":  {query: `{ a(x: "} mutation { b") c }`, want: "query a c"},
		"block that looks like more":   {query: "{ a(x: \"\"\"} \"x\" \\\"\"\" mutation { b\n\"\"\") c }", want: "query a c"},
		"escapes in strings":           {query: `{ a(x: "\" } \\") b(y: "\u0022 \ud83d\ude00") }`, want: "query a b"},
		"empty strings":                {query: `{ a(x: "", y: "") b }`, want: "query a b"},
		"numbers":                      {query: "{ a(x: [0 -0 -12 1.5 1e3 1.5E-3 -0.0]) }", want: "query a"},
		"as deep as may be":            {query: nested(64), want: "query a"},
		"as many as may be":            {query: "{" + strings.Repeat("a ", 256) + "}", want: "query" + strings.Repeat(" a", 256)},
		"one too many":                 {query: "{" + strings.Repeat("a ", 257) + "}"},
		"one too deep":                 {query: nested(65)},
		"very deep":                    {query: nested(200_000)},
		"very deep list":               {query: "{ a(x: " + strings.Repeat("[", 300_000) + ") }"},
		"very deep type":               {query: "query(" + "$x: " + strings.Repeat("[", 300_000) + ") { a }"},
		"too many tokens":              {query: "{ a { " + strings.Repeat("b ", 20_000) + "} }"},
		"too large":                    {query: "{ a } #" + strings.Repeat("x", 1<<20)},
		"too many fragments":           {query: "{ a }" + multiply(1001)},
		"nothing":                      {query: " "},
		"only a fragment":              {query: "fragment F on Query { a }"},
		"a schema":                     {query: "type Query { a: Int }"},
		"an operation and a schema":    {query: "{ a } extend type Query { b: Int }"},
		"several and no name":          {query: "query A { a } mutation B { b }"},
		"a name that is not there":     {query: "query A { a }", operation: "B"},
		"a name for none":              {query: "{ a }", operation: "B"},
		"same name twice":              {query: "query A { a } mutation A { b }", operation: "A"},
		"one of several has no name":   {query: "query A { a } { b }", operation: "A"},
		"fragment in itself":           {query: "{ ...F } fragment F on Query { a ...F }"},
		"fragments in a circle":        {query: "{ ...F } fragment F on Query { ...G } fragment G on Query { ... { ...F } }"},
		"fragment that is not there":   {query: "{ a ...F }"},
		"fragment twice defined":       {query: "{ ...F } fragment F on Query { a } fragment F on Query { b }"},
		"fragment called on":           {query: "{ a } fragment on on Query { a }"},
		"fragment with variables":      {query: "{ ...F } fragment F($x: Int) on Query { a }"},
		"variable twice":               {query: "query($a: Int, $a: Int) { a }"},
		"variable in a default":        {query: "query($a: Int = $b) { a }"},
		"empty braces":                 {query: "{}"},
		"empty braces below":           {query: "{ a {} }"},
		"empty parentheses":            {query: "{ a() }"},
		"brace missing":                {query: "{ a { b }"},
		"brace too many":               {query: "{ a } }"},
		"wrong closing":                {query: "{ a(x: [1}) }"},
		"comment to a lone return":     {query: "query A { x #\r } query B { y \n z }", operation: "A"},
		"lone return":                  {query: "{ a\rb }"},
		"line separator in a comment":  {query: "{ a #\u2028 b \n }"},
		"next line in a comment":       {query: "{ a #\u0085 b \n }"},
		"control in a comment":         {query: "{ a #\x00 \n }"},
		"four quotes that end a block": {query: `mutation { a(x: ["""x"""" ] ) harmless } #"] ) evil }`},
		"six quotes":                   {query: `{ a(x: """""") }`},
		"two blocks without a space":   {query: `{ a(x: ["""a""""""b"""]) }`},
		"mark of byte order inside":    {query: "{ a \uFEFF b }"},
		"mark of byte order at once":   {query: "{ a\uFEFF b }"},
		"other letters":                {query: "{ größe }"},
		"other spaces":                 {query: "{ a\u00a0b }"},
		"control":                      {query: "{ a \x00 }"},
		"not UTF-8":                    {query: "{ a(x: \"\xff\") }"},
		"string over a line":           {query: "{ a(x: \"\n\") }"},
		"string that does not end":     {query: `{ a(x: "b) }`},
		"block that does not end":      {query: `{ a(x: """b) }`},
		"half a pair":                  {query: `{ a(x: "\ud83d") }`},
		"halves the wrong way round":   {query: `{ a(x: "\ude00\ud83d") }`},
		"escape nobody knows":          {query: `{ a(x: "\x41") }`},
		"escape with braces":           {query: `{ a(x: "\u{41}") }`},
		"escape cut short":             {query: `{ a(x: "\u41") }`},
		"escape in a name":             {query: `{ \u0061 }`},
		"number and letters":           {query: "{ a(x: [1b]) }"},
		"number with a zero":           {query: "{ a(x: [01]) }"},
		"number with two points":       {query: "{ a(x: [1.5.5]) }"},
		"number and a fragment":        {query: "{ a(x: [1...]) }"},
		"number with a point":          {query: "{ a(x: 1.) }"},
		"two points":                   {query: "{ ..a }"},
		"lone quote":                   {query: "{ a(x: 'b') }"},
		"description":                  {query: `"about" query A { a }`},
	} {
		op, err := graphql.Read(graphql.Request{Query: tc.query, OperationName: tc.operation})
		if (err != nil) != (tc.want == "") || err != nil && !errors.Is(err, graphql.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(op); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// multiply returns n fragments of which each spreads the next twice.
func multiply(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on Query { ...F%d ...F%d }", i, i+1, i+1)
	}
	return b.String() + fmt.Sprintf(" fragment F%d on Query { a }", n)
}

func nested(n int) string {
	return strings.Repeat("{ a ", n) + strings.Repeat("}", n)
}

func TestAnArgumentIsFound(t *testing.T) {
	t.Parallel()

	const query = `query Q($id: ID!, $in: In, $d: String = "default", $o: In = {a: {b: [X, "y"]}}, $none: Int, $null: Int = 1, $list: [String]) {
		f(s: "a\n\u0041\/", e: MERGE, i: 12, n: -1.50e3, t: true, z: null, block: """
			one
			  two
		""", line: """ x \""" """, first: """  one
			two
			  three""", l: ["a", B, 3, true], empty: [], nested: {a: {b: "c"}}, objects: [{k: "v"}, {k: $id}, {}],
		id: $id, in: $in, d: $d, o: $o, none: $none, null: $null, list: $list, mixed: [$id, $d], gap: [$none], twice: {a: 1, a: 2},
		undeclared: $u, absent: {a: $none}, lists: [["a"], ["b"]], deep: [{l: [$in]}], holed: ["a", null], unknown: $nobody)
	}`
	const variables = `{"id":"n\u006fde","in":{"a":{"b":["p","q"]},"n":1.0,"z":null,"o":[{"k":1},{"k":true}]},"null":null,"list":"one","u":7}`
	op, err := graphql.Read(graphql.Request{Query: query, Variables: json.RawMessage(variables)})
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) body.Value { return body.Value{Kind: body.String, Text: s} }
	list := func(s ...string) body.Value { return body.Value{Kind: body.List, List: s} }
	other, null := body.Value{Kind: body.Other}, body.Value{Kind: body.Null}
	for path, want := range map[string]body.Value{
		"s": text("a\nA/"), "e": text("MERGE"), "i": {Kind: body.Number, Text: "12"}, "n": {Kind: body.Number, Text: "-1.50e3"},
		"t": {Kind: body.Bool, Text: "true"}, "z": null, "z.a": null, "block": text("one\n  two"), "line": text(` x """ `), "first": text("  one\ntwo\n  three"),
		"l": list("a", "B", "3", "true"), "l.[]": list("a", "B", "3", "true"), "empty": list(), "nested": other, "nested.a.b": text("c"), "nested.a.x": {}, "nested.a.b.c": other,
		"objects": other, "objects.[].k": list("v", "node"), "objects.k": other,
		"id": text("node"), "in": other, "in.a.b": list("p", "q"), "in.a.b.[]": list("p", "q"), "in.n": {Kind: body.Number, Text: "1.0"}, "in.z": null, "in.o.[].k": list("1", "true"), "in.x": {},
		"d": text("default"), "o.a.b": list("X", "y"), "none": {}, "null": null, "list": text("one"), "list.[]": list("one"), "mixed": list("node", "default"), "gap": other,
		"twice.a": other, "undeclared": {Kind: body.Number, Text: "7"}, "absent.a": {}, "absent": other, "missing": {}, "missing.[]": {}, "unknown": {},
		"lists.[].[]": list("a", "b"), "lists.[]": other, "deep.[].l.[].a.b.[]": list("p", "q"), "nested.[].a.b": list("c"), "holed": other,
	} {
		got, ok := op.Fields[0].Args.Lookup(strings.Split(path, ".")...)
		if diff := cmp.Diff(got, want); diff != "" || ok != (want.Kind != body.Absent) {
			t.Errorf("%s: %v %s", path, ok, diff)
		}
	}
	if v, ok := (graphql.Args{}).Lookup("a"); ok || v.Kind != body.Absent {
		t.Errorf("no arguments: %v", v)
	}
}

func TestEquivalentDocumentsSayTheSame(t *testing.T) {
	t.Parallel()

	const want = `mutation merge [{id PR_1} {how SQUASH} {labels [a b]} {n 3}] ; mutation viewer`
	for name, r := range map[string]graphql.Request{
		"literals":       {Query: `mutation { merge(input: {id: "PR_1", how: SQUASH, labels: ["a", "b"], n: 3}) { x } viewer { y } }`},
		"aliases":        {Query: `mutation { a: merge(input: {id: "PR_1", how: SQUASH, labels: ["a", "b"], n: 3}) { x } merge: viewer { y } }`},
		"space":          {Query: "mutation{merge(input:{id:\"PR_1\"how:SQUASH labels:[\"a\"\"b\"]n:3}){x}viewer{y}}"},
		"comments":       {Query: "#x\nmutation{#{\nmerge(input:{id:#)\n\"PR_1\",how:SQUASH labels:[\"a\",\"b\"]n:3}){x},,viewer{y}}"},
		"escapes":        {Query: `mutation { merge(input: {id: "\u0050R_1", how: SQUASH, labels: ["\u0061", "b"], n: 3}) { x } viewer { y } }`},
		"block":          {Query: "mutation { merge(input: {id: \"\"\"\n   PR_1\n\"\"\", how: SQUASH, labels: [\"\"\"a\"\"\", \"b\"], n: 3}) { x } viewer { y } }"},
		"order":          {Query: `mutation { merge(input: {n: 3, labels: ["a", "b"], id: "PR_1", how: SQUASH}) { x } viewer { y } }`},
		"fragment":       {Query: `mutation { ...F viewer } fragment F on Mutation { merge(input: {id: "PR_1", how: SQUASH, labels: ["a", "b"], n: 3}) { x } }`},
		"inline":         {Query: `mutation { ... @skip(if: true) { merge(input: {id: "PR_1", how: SQUASH, labels: ["a", "b"], n: 3}) { x } ... on M { viewer } } }`},
		"a variable":     {Query: `mutation M($in: I!) { merge(input: $in) { x } viewer }`, Variables: json.RawMessage(`{"in":{"id":"PR_1","how":"SQUASH","labels":["a","b"],"n":3}}`)},
		"many variables": {Query: `mutation M($i: ID!, $h: H, $l: [L], $n: Int = 3) { merge(input: {id: $i, how: $h, labels: $l, n: $n}) { x } viewer }`, Variables: json.RawMessage(`{"l":["a","\u0062"],"h":"SQUASH","i":"PR_1"}`)},
		"defaults":       {Query: `mutation M($in: I = {id: "PR_1", how: SQUASH, labels: ["a", "b"], n: 3}) { merge(input: $in) { x } viewer }`, Variables: json.RawMessage(`{}`)},
		"elements":       {Query: `mutation M($a: L, $b: L = "b") { merge(input: {id: "PR_1", how: SQUASH, labels: [$a, $b], n: 3}) viewer }`, Variables: json.RawMessage(`{"a":"a"}`)},
		"operation name": {Query: `query Q { x } mutation M { merge(input: {id: "PR_1", how: SQUASH, labels: ["a", "b"], n: 3}) { x } viewer }`, OperationName: "M"},
	} {
		op, err := graphql.Read(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var all []string
		for _, f := range op.Fields {
			text := op.Kind + " " + f.Name
			if _, ok := f.Args.Lookup("input"); ok {
				var args []string
				for _, key := range []string{"id", "how", "labels", "n"} {
					v, _ := f.Args.Lookup("input", key)
					if v.Kind == body.List {
						v.Text = fmt.Sprint(v.List)
					}
					args = append(args, fmt.Sprintf("{%s %s}", key, v.Text))
				}
				text += " " + fmt.Sprint(args)
			}
			all = append(all, text)
		}
		if got := strings.Join(all, " ; "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestVariablesMustBeUnambiguous(t *testing.T) {
	t.Parallel()

	for _, variables := range []string{`{"a":1,"a":2}`, `{"a":1}x`, `{`, "{\"a\":\"\xff\"}"} {
		if _, err := graphql.Read(graphql.Request{Query: "{a}", Variables: json.RawMessage(variables)}); !errors.Is(err, graphql.ErrUnreadable) {
			t.Errorf("%s: %v", variables, err)
		}
	}
}

func TestManyFieldsOfALargeVariableAreGivenUp(t *testing.T) {
	t.Parallel()

	query := "mutation($in: I) { " + strings.Repeat("f(input: $in) ", 256) + "}"
	variables := `{"in":{"text":"` + strings.Repeat("x", 1<<20) + `","id":1}}`
	op, err := graphql.Read(graphql.Request{Query: query, Variables: json.RawMessage(variables)})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := op.Fields[0].Args.Lookup("input", "id"); v.Text != "1" {
		t.Errorf("the first field: %v", v)
	}
	var last body.Value
	for _, f := range op.Fields {
		last, _ = f.Args.Lookup("input", "id")
	}
	if last.Kind != body.Other {
		t.Errorf("the last field: %v, want body.Other", last)
	}
}
