package body_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/body"
)

// unread is what a table wants of a body that is ambiguous.
const unread = "ambiguous"

// finder makes a Finder of paths with a blank between.
func finder(t testing.TB, paths string) (*body.Finder, []body.Value) {
	t.Helper()
	var all []body.Path
	for text := range strings.FieldsSeq(paths) {
		path, err := body.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, path)
	}
	return body.NewFinder(all), make([]body.Value, len(all))
}

// say writes values on one line: a string in quotes, a list in brackets, any
// other scalar as it is.
func say(t testing.TB, values []body.Value, err error) string {
	t.Helper()
	if err != nil {
		if !errors.Is(err, body.ErrAmbiguous) {
			t.Errorf("the error is %v, want ErrAmbiguous", err)
		}
		for _, v := range values {
			if v.Kind != body.Other {
				t.Errorf("an ambiguous body says %v, want other", v)
			}
		}
		return unread
	}
	words := make([]string, 0, len(values))
	for _, v := range values {
		switch v.Kind {
		case body.Absent:
			words = append(words, "absent")
		case body.Null:
			words = append(words, "null")
		case body.String:
			words = append(words, strconv.Quote(v.Text))
		case body.Number, body.Bool:
			words = append(words, v.Text)
		case body.List:
			words = append(words, "["+strings.Join(v.List, ",")+"]")
		case body.Other:
			words = append(words, "other")
		}
	}
	return strings.Join(words, " ")
}

// wants is a body and what it says in some places.
type wants struct{ paths, data, want string }

func run(t *testing.T, cases map[string]wants, read func(f *body.Finder, data string, values []body.Value) error) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, values := finder(t, c.paths)
			// What a former reading left behind must not show.
			for i := range values {
				values[i] = body.Value{Kind: body.String, Text: "former", List: []string{"former"}}
			}
			err := read(f, c.data, values)
			if diff := cmp.Diff(c.want, say(t, values, err)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.data, diff)
			}
		})
	}
}
