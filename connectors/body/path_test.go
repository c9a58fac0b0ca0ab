package body_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/body"
)

func TestAPathIsReadAsTablesWriteIt(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]body.Path{
		".state":                 {"state"},
		"state":                  {"state"},
		".source.id":             {"source", "id"},
		".labels[]":              {"labels", body.Each},
		".tools[].function.name": {"tools", body.Each, "function", "name"},
		".a[][].b":               {"a", body.Each, body.Each, "b"},
		"[].method":              {body.Each, "method"},
		".[].method":             {body.Each, "method"},
		".0":                     {"0"},
		".":                      nil,
		"":                       nil,
		"..a":                    nil,
		".a.":                    nil,
		".a..b":                  nil,
		".a.[]":                  nil,
		".a[":                    nil,
		".a]":                    nil,
		".a[0]":                  nil,
		".a[]b":                  nil,
		".a[[]]":                 nil,
		".a[]]":                  nil,
	} {
		got, err := body.ParsePath(text)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestAPathIsWrittenAsTablesWriteIt(t *testing.T) {
	t.Parallel()

	for want, path := range map[string]body.Path{
		".tools[].function.name": {"tools", body.Each, "function", "name"},
		".[].method":             {body.Each, "method"},
		".a[][]":                 {"a", body.Each, body.Each},
	} {
		if got := path.String(); got != want {
			t.Errorf("%q is written %s, want %s", []string(path), got, want)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{".state", "a.b[].c", "[].x", ".a[][]", ".a[0]", "..", "[", ".é\x00.\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path, err := body.ParsePath(text)
		if err != nil {
			return
		}
		if len(path) == 0 {
			t.Fatalf("%q: a path without a name", text)
		}
		for _, name := range path {
			if name == "" {
				t.Fatalf("%q: an empty name in %q", text, []string(path))
			}
		}
		again, err := body.ParsePath(path.String())
		if diff := cmp.Diff(path, again); diff != "" || err != nil {
			t.Fatalf("%q is written %q: %v (-want +got):\n%s", text, path, err, diff)
		}
		// A place that a path names can be looked for in anything.
		values := make([]body.Value, 1)
		_ = body.NewFinder([]body.Path{path}).JSON([]byte(`{"a":[{"b":1}]}`), values)
	})
}
