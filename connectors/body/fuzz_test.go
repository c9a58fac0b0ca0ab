package body_test

import (
	"errors"
	"io"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/body"
)

// FuzzJSON compares with encoding/json, which is laxer: whatever we take it
// takes, and finds the same in it.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":"x","b":-2.5e+3,"c":[1,true,{"a":{}}]}`, `{"\u0061":{"b":{"c":"\ud83d\ude00"}}}`, ` {"c" : [{"b":["x","\\\"\/"],"a":null},{"b":{"c":1}}] } `,
		`{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"a":"\ud800"}`, `{"a":01}`, `[]`, `{"a":1}x`, "{\"a\":\"\xff\"}", nested(70), `{"a":null,"b":{"a":false},"c":null}`,
	} {
		f.Add([]byte(seed))
	}
	paths := paths()
	finder := body.NewFinder(paths)
	f.Fuzz(func(t *testing.T, data []byte) {
		values := make([]body.Value, len(paths))
		err := finder.JSON(data, values)
		if err == nil && body.Check(data) != nil {
			t.Fatalf("%q: values are found in what Check refuses", data)
		}
		if say(t, values, err) == unread {
			return
		}
		document, err := decodeJSON(data)
		if err != nil {
			t.Fatalf("%q: we take what encoding/json does not: %v", data, err)
		}
		for i, path := range paths {
			if diff := cmp.Diff(lookUp(document, path), values[i]); diff != "" {
				t.Fatalf("%q: %s (-encoding/json +ours):\n%s", data, path, diff)
			}
		}
	})
}

// FuzzForm compares with net/url: whatever we take it takes, and has the same
// texts under the names that lead to a place.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		``, `a=1&b=x%20y+z`, `a[b]=1&c[]=x&c[]=y`, `c[0][a]=1&c[0][b][]=2&c[1][a]=3`, `a%5Bb%5D%5Bc%5D=%C3%A9`, `_charset_=utf-8&a=`,
		`a=1&a=2`, `a=1&a[b]=2`, `A=1`, `a.b=1`, `+a=1`, `a%00=1`, `a=%`, `x=1;a=2`, `a[=1`, `[a]=1`, ` [A]&c[]`, `c[1]=x&c[0]=y`, "a=1\n", "\xef\xbb\xbfa=1",
	} {
		f.Add([]byte(seed))
	}
	paths := paths()
	finder := body.NewFinder(paths)
	f.Fuzz(func(t *testing.T, data []byte) {
		values := make([]body.Value, len(paths))
		if say(t, values, finder.Form(data, values)) == unread {
			return
		}
		form, err := url.ParseQuery(string(data))
		if err != nil && !strings.Contains(string(data), ";") {
			t.Fatalf("%q: we take what net/url does not: %v", data, err)
		}
		compareForm(t, string(data), form, values)
		for _, name := range laxNames(string(data)) {
			if i := strings.Index("ab", name); i >= 0 && len(name) == 1 && values[i].Kind == body.Absent {
				t.Fatalf("%q: a lax reader finds %q, and we do not", data, name)
			}
		}
	})
}

// laxNames are the names of the fields at the top of a form, for any of the
// readers that are laxer than we are.
func laxNames(data string) (names []string) {
	for _, separators := range []string{"&", "&;"} {
		for piece := range strings.FieldsFuncSeq(data, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
			name, _, _ := strings.Cut(piece, "=")
			if decoded, err := url.QueryUnescape(name); err == nil {
				name = decoded
			}
			name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
			name, _, _ = strings.Cut(strings.TrimLeft(name, "[]"), "\x00")
			for _, end := range []string{"", "[", "]", "."} {
				base := name
				if end != "" {
					base, _, _ = strings.Cut(name, end)
				}
				names = append(names, strings.TrimSpace(base))
			}
		}
	}
	return names
}

// FuzzMultipart compares with mime/multipart: whatever we take it takes, and
// has the same texts under the names that lead to a place.
func FuzzMultipart(f *testing.F) {
	for _, seed := range []string{
		written(), written(named("a", "1"), named("b", "x\ny")), written(named("a[b]", "1"), named("c[]", "x"), named("c[]", "y")),
		written(disposed(`form-data; name="a"; filename="x"`)), written(disposed(`form-data; name=a`), named("x", "--B")), written(disposed(`form-data; name="a\"b"; x=y`)),
		written(named("a", "1"), named("a", "2")), written("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n" + named("a", "MQ==")),
	} {
		f.Add([]byte(seed), "B")
	}
	paths := paths()
	finder := body.NewFinder(paths)
	f.Fuzz(func(t *testing.T, data []byte, boundary string) {
		values := make([]body.Value, len(paths))
		if say(t, values, finder.Multipart(data, boundary, values)) == unread {
			return
		}
		form := url.Values{}
		files := false
		for r := multipart.NewReader(strings.NewReader(string(data)), boundary); ; {
			part, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%q: we take what mime/multipart does not: %v", data, err)
			}
			content, err := io.ReadAll(part)
			if err != nil {
				t.Fatalf("%q: we take what mime/multipart does not: %v", data, err)
			}
			files = files || len(part.Header) > 1 || strings.Contains(part.Header.Get("Content-Disposition"), "filename")
			form.Add(part.FormName(), string(content))
		}
		if !files {
			compareForm(t, string(data), form, values)
		}
	})
}

// compareForm compares values, those of the paths that a flat form can tell,
// with the form that another reader has made of data.
func compareForm(t *testing.T, data string, form url.Values, values []body.Value) {
	t.Helper()
	for i, name := range map[int]string{0: "a", 1: "b", 2: "a[b]", 3: "a[b][c]", 4: "c[]", 8: "b[a]", 9: "c[a]"} {
		texts := form[name]
		for other := range form {
			if other != name && strings.EqualFold(strings.TrimSpace(other), name) {
				t.Fatalf("%q: there is a %q", data, other)
			}
		}
		want := body.Value{}
		switch {
		case strings.HasSuffix(name, body.Each) && len(texts) > 0:
			want = body.Value{Kind: body.List, List: texts}
		case len(texts) > 1:
			t.Fatalf("%q: %s is there %d times", data, name, len(texts))
		case len(texts) == 1:
			want = body.Value{Kind: body.String, Text: texts[0]}
		case values[i].Kind != body.String:
			continue // There may be something within it, or around.
		}
		if values[i].Kind == body.Other && len(texts) > 0 {
			continue // Something else stands in the same place.
		}
		if diff := cmp.Diff(want, values[i]); diff != "" {
			t.Fatalf("%q: %s (-other reader +ours):\n%s", data, name, diff)
		}
	}
}
