package connectors_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
)

func TestABodyIsAValueWhereItCanBeReadInOneWay(t *testing.T) {
	t.Parallel()

	const form = "application/x-www-form-urlencoded"
	github := one(t, "github")
	fields := map[string]any{"amount": int64(5)}
	for name, c := range map[string]struct {
		typ    string
		coding string
		body   connectors.Body
		want   any
		known  bool
		github any // as GitHub reads it
	}{
		"none at all":             {typ: "application/json", body: connectors.Whole(nil), want: map[string]any{}, known: true, github: map[string]any{}},
		"JSON":                    {typ: "application/json; charset=utf-8", body: connectors.Whole([]byte(`{"amount":5}`)), want: fields, known: true, github: fields},
		"a kind of JSON":          {typ: "application/vnd.api+json", body: connectors.Whole([]byte(`{"amount":5}`)), want: fields, known: true, github: fields},
		"a form":                  {typ: form, body: connectors.Whole([]byte(`amount=5`)), want: map[string]any{"amount": "5"}, known: true},
		"JSON that says form":     {typ: form, body: connectors.Whole([]byte(`{"amount":5}`)), github: fields},
		"with an ampersand":       {typ: form, body: connectors.Whole([]byte(`{"amount":5,"x":"&amount=6&"}`))},
		"no type":                 {body: connectors.Whole([]byte(`{"amount":5}`)), github: fields},
		"a form without a type":   {body: connectors.Whole([]byte(`amount=5`))},
		"another type":            {typ: "text/xml", body: connectors.Whole([]byte(`<amount/>`))},
		"another character set":   {typ: "application/json; charset=utf-16", body: connectors.Whole([]byte(`{"amount":5}`))},
		"a key twice":             {typ: "application/json", body: connectors.Whole([]byte(`{"amount":5,"amount":6}`))},
		"a field twice":           {typ: form, body: connectors.Whole([]byte(`amount=5&amount=6`))},
		"multipart":               {typ: "multipart/form-data; boundary=B", body: connectors.Whole([]byte("--B\r\n\r\n--B--"))},
		"in a coding":             {typ: "application/json", coding: "gzip", body: connectors.Whole([]byte(`{"amount":5}`))},
		"with its coding off":     {typ: "application/json", coding: "gzip", body: connectors.Decoded([]byte(`{"amount":5}`)), want: fields, known: true, github: fields},
		"only the beginning":      {typ: "application/json", body: connectors.BeginningOf([]byte(`{"amount":5}`))},
		"too large to be read":    {typ: "application/json", body: connectors.Unreadable()},
		"not read, without bytes": {typ: "application/json"},
	} {
		r := connectors.Request{Method: "POST", Host: "api.github.com", Path: "/x", Header: http.Header{}, Body: c.body}
		if c.typ != "" {
			r.Header.Set("Content-Type", c.typ)
		}
		if c.coding != "" {
			r.Header.Set("Content-Encoding", c.coding)
		}
		got, known := r.BodyValue()
		if diff := cmp.Diff(c.want, got); diff != "" || known != c.known {
			t.Errorf("%s: known %v, want %v (-want +got):\n%s", name, known, c.known, diff)
		}
		at, _ := github.BodyValue(r)
		if diff := cmp.Diff(c.github, at); diff != "" {
			t.Errorf("%s, at GitHub (-want +got):\n%s", name, diff)
		}
	}
}

func TestAQueryIsKnownWhereItCanBeReadInOneWay(t *testing.T) {
	t.Parallel()

	for query, want := range map[string]map[string][]string{
		"":                         {},
		"a=1&b=x+y%20z&a=2&&c":     {"a": {"1", "2"}, "b": {"x y z"}, "c": {""}},
		"a%5Bb%5D=1":               {"a[b]": {"1"}},
		"a=%zz":                    nil,
		"a=1;b=2":                  nil,
		"a=%00":                    nil,
		"a=%ff":                    nil,
		strings.Repeat("a&", 1001): nil,
	} {
		got, known := connectors.Request{RawQuery: query}.QueryValues()
		if diff := cmp.Diff(want, got); diff != "" || known != (want != nil) {
			t.Errorf("%.40q: known %v (-want +got):\n%s", query, known, diff)
		}
	}
}

func FuzzBodyValue(f *testing.F) {
	f.Add("application/json", []byte(`{"a":[1,2.5,"x",null]}`))
	f.Add("application/x-www-form-urlencoded", []byte(`a[b]=1&c[]=2`))
	f.Add("", []byte(`{}`))
	c := one(f, "github")
	f.Fuzz(func(t *testing.T, typ string, data []byte) {
		r := connectors.Request{Method: "POST", Host: "api.github.com", Path: "/", RawQuery: string(data), Header: http.Header{"Content-Type": {typ}}, Body: connectors.Whole(data)}
		for _, read := range []func() (any, bool){r.BodyValue, func() (any, bool) { return c.BodyValue(r) }} {
			v, known := read()
			again, _ := read()
			if !cmp.Equal(v, again) || !known && v != nil {
				t.Fatalf("%q: %v, then %v; known %v", data, v, again, known)
			}
		}
		if v, known := r.QueryValues(); known == (v == nil) {
			t.Fatalf("%q: %v, %v", data, v, known)
		}
	})
}
