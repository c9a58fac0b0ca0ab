package rawjson_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/rawjson"
)

func TestAPlaceIsFound(t *testing.T) {
	t.Parallel()

	const data = ` {"a": {"b\u002ec" : "x\n\ud83d\ude00\/","n":-1.5e3 , "t":true,"f":false,"z":null},"l":["a",1,true],"o":[{"k":"v"},{"k":"w"},{}],"e":[], "":"empty","m":[1,[2]],"y":[null], "d":[["p"],["q"]], "Up":1, "v":1, "V":2, "K":3} `
	for name, tc := range map[string]struct {
		path []string
		want body.Value
	}{
		"string":              {[]string{"a", "b.c"}, body.Value{Kind: body.String, Text: "x\n😀/"}},
		"number":              {[]string{"a", "n"}, body.Value{Kind: body.Number, Text: "-1.5e3"}},
		"true":                {[]string{"a", "t"}, body.Value{Kind: body.Bool, Text: "true"}},
		"false":               {[]string{"a", "f"}, body.Value{Kind: body.Bool, Text: "false"}},
		"null":                {[]string{"a", "z"}, body.Value{Kind: body.Null}},
		"below null":          {[]string{"a", "z", "b"}, body.Value{Kind: body.Null}},
		"below a scalar":      {[]string{"a", "n", "b"}, body.Value{Kind: body.Other}},
		"object":              {[]string{"a"}, body.Value{Kind: body.Other}},
		"everything":          {nil, body.Value{Kind: body.Other}},
		"absent":              {[]string{"a", "x"}, body.Value{}},
		"empty name":          {[]string{""}, body.Value{Kind: body.String, Text: "empty"}},
		"list":                {[]string{"l"}, body.Value{Kind: body.List, List: []string{"a", "1", "true"}}},
		"each":                {[]string{"l", "[]"}, body.Value{Kind: body.List, List: []string{"a", "1", "true"}}},
		"each of objects":     {[]string{"o", "[]", "k"}, body.Value{Kind: body.List, List: []string{"v", "w"}}},
		"each of each":        {[]string{"d", "[]", "[]"}, body.Value{Kind: body.List, List: []string{"p", "q"}}},
		"each of lists":       {[]string{"d", "[]"}, body.Value{Kind: body.Other}},
		"list of objects":     {[]string{"o"}, body.Value{Kind: body.Other}},
		"through a list":      {[]string{"o", "k"}, body.Value{Kind: body.Other}},
		"list with a list":    {[]string{"m"}, body.Value{Kind: body.Other}},
		"list with null":      {[]string{"y"}, body.Value{Kind: body.Other}},
		"empty list":          {[]string{"e"}, body.Value{Kind: body.List}},
		"each of no list":     {[]string{"a", "[]"}, body.Value{Kind: body.Other}},
		"each of a scalar":    {[]string{"a", "n", "[]"}, body.Value{Kind: body.Other}},
		"another case":        {[]string{"up"}, body.Value{Kind: body.Other}},
		"two cases":           {[]string{"v"}, body.Value{Kind: body.Other}},
		"kelvin":              {[]string{"\u212a"}, body.Value{Kind: body.Other}},
		"each of none at all": {[]string{"x", "[]"}, body.Value{}},
	} {
		if diff := cmp.Diff(rawjson.Find([]byte(data), tc.path), tc.want); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// FuzzParts compares with encoding/json, on what is checked, and must come to
// an end on what is not.
func FuzzParts(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":[true,{"c":"\"}"}],"\u0063":"\ud83d\ude00"}`, ` [ 1 , -2e5 , "]" , [ ] , { } , null ] `, `"a\/\b\f\n\r\t\\\u00e9"`, `{"a":`, `[1,`, `["a`, `{"a"}`, `{"a":}`, `]`, ``, `"\`, `"\u12`, `[,]`, `{"a" "b"}`, `[1"a"]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		members, elements := map[string]json.RawMessage{}, []json.RawMessage{}
		for key, value := range rawjson.Members(data) {
			members[key] = value
		}
		for element := range rawjson.Elements(data) {
			elements = append(elements, element)
		}
		text := rawjson.Text(data)
		rawjson.Find(data, []string{"a", "[]", "b"})
		if body.Check(data) != nil {
			return
		}
		switch rawjson.First(data) {
		case '{':
			var want map[string]json.RawMessage
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatalf("%q: %v", data, err)
			}
			if diff := cmp.Diff(members, want); diff != "" {
				t.Fatalf("%q: %s", data, diff)
			}
		case '[':
			var want []json.RawMessage
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatalf("%q: %v", data, err)
			}
			if !slices.EqualFunc(elements, want, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
				t.Fatalf("%q: %q, want %q", data, elements, want)
			}
		case '"':
			var want string
			if err := json.Unmarshal(data, &want); err != nil || text != want {
				t.Fatalf("%q: %q, want %q, %v", data, text, want, err)
			}
		}
	})
}
