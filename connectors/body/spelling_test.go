package body_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/body"
)

// generated is how many bodies each of these tests makes.
const generated = 3000

// speller makes bodies, and spells each in as many ways as there are.
type speller struct{ *rand.Rand }

func newSpeller(seed int) speller { return speller{rand.New(rand.NewPCG(uint64(seed), 7))} }

func (s speller) chance(percent int) bool { return s.IntN(100) < percent }

func (s speller) pick(words ...string) string { return words[s.IntN(len(words))] }

// document makes an object; one for forms has texts only, and nothing empty.
func (s speller) document(depth int, form bool) map[string]any {
	object := map[string]any{}
	for len(object) == 0 || s.chance(60) {
		object[s.pick("a", "b", "c", "x", "é y")] = s.any(depth, form)
	}
	return object
}

func (s speller) any(depth int, form bool) any {
	switch n := s.IntN(10); {
	case n < 2 && depth > 0:
		return s.document(depth-1, form)
	case n < 4 && depth > 0:
		var array []any
		for form && len(array) == 0 || s.chance(60) {
			array = append(array, s.any(depth-1, form))
		}
		return append([]any{}, array...)
	case n < 7 || form:
		return s.pick("", "x", "main", "a b+c%&=;[]", "\"\\/\u00e9\U0001f600\n", "12")
	case n < 8:
		return json.Number(s.pick("0", "-1", "1.50", "2E+3"))
	case n < 9:
		return s.chance(50)
	}
	return nil
}

// text is a JSON string, written somehow.
func (s speller) text(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case s.chance(20) || r < ' ':
			for _, half := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, s.pick(`\u%04x`, `\u%04X`), half)
			}
		case r == '"' || r == '\\' || r == '/' && s.chance(50):
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func (s speller) space() string { return s.pick("", "", "", " ", "\n", "\t\r\n ") }

// json is a document, written somehow.
func (s speller) json(document any) string {
	switch v := document.(type) {
	case map[string]any:
		var fields []string
		for name, value := range v {
			fields = append(fields, s.space()+s.text(name)+s.space()+":"+s.json(value))
		}
		slices.Sort(fields)
		s.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		return s.space() + "{" + strings.Join(fields, ",") + s.space() + "}" + s.space()
	case []any:
		var elements []string
		for _, element := range v {
			elements = append(elements, s.json(element))
		}
		return s.space() + "[" + strings.Join(elements, ",") + s.space() + "]" + s.space()
	case string:
		return s.space() + s.text(v) + s.space()
	}
	text, _ := json.Marshal(document)
	return s.space() + string(text) + s.space()
}

// pair is a field of a form.
type pair struct{ name, text string }

// pairs are the fields that a document is in a form, in order.
func (s speller) pairs(name string, document any) (all []pair) {
	switch v := document.(type) {
	case map[string]any:
		for field, value := range v {
			inner := name + "[" + field + "]"
			if name == "" {
				inner = field
			}
			all = append(all, s.pairs(inner, value)...)
		}
	case []any:
		appends := s.chance(50) && !slices.ContainsFunc(v, func(element any) bool { _, text := element.(string); return !text })
		for i, element := range v {
			index := strconv.Itoa(i)
			if appends {
				index = ""
			}
			all = append(all, s.pairs(name+"["+index+"]", element)...)
		}
	case string:
		all = append(all, pair{name, v})
	}
	return all
}

// escape writes text for a form somehow. What stands for itself is up to it.
func (s speller) escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == ' ' && s.chance(50):
			b.WriteByte('+')
		case strings.IndexByte("%&=;+ \n", c) >= 0 || s.chance(20):
			fmt.Fprintf(&b, s.pick("%%%02x", "%%%02X"), c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (s speller) form(pairs []pair) string {
	var b strings.Builder
	for _, p := range pairs {
		b.WriteString(s.pick("", "", "&") + s.escape(p.name) + "=" + s.escape(p.text) + "&")
	}
	return strings.TrimSuffix(b.String(), s.pick("&", ""))
}

func (s speller) multipart(pairs []pair) string {
	var b strings.Builder
	for _, p := range pairs {
		disposition := s.pick("Content-Disposition", "content-disposition") + ":" + s.pick("", " ") + "form-data;" + s.pick("", " ") + s.pick("name", "NAME") + `="` + p.name + `"`
		headers := s.pick(disposition, disposition+"\r\nContent-Type: text/plain; charset=\"utf-8\"", "Content-Transfer-Encoding: 8bit\r\n"+disposition)
		b.WriteString("--B\r\n" + headers + "\r\n\r\n" + p.text + "\r\n")
	}
	return b.String() + "--B--" + s.pick("", "\r\n")
}

func TestJSONSaysTheSameHoweverItIsSpelled(t *testing.T) {
	t.Parallel()

	paths := paths()
	f := body.NewFinder(paths)
	values := make([]body.Value, len(paths))
	for seed := range generated {
		s := newSpeller(seed)
		document := s.document(3, false)
		want := make([]body.Value, len(paths))
		for i, path := range paths {
			want[i] = lookUp(document, path)
		}
		data := s.json(document)
		if err := f.JSON([]byte(data), values); err != nil {
			t.Fatalf("%d: %s: %v", seed, data, err)
		}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Fatalf("%d: %s (-want +got):\n%s", seed, data, diff)
		}
	}
}

func TestAFormSaysWhatJSONWouldHoweverItIsSpelled(t *testing.T) {
	t.Parallel()

	paths := paths()
	f := body.NewFinder(paths)
	want, values := make([]body.Value, len(paths)), make([]body.Value, len(paths))
	for seed := range generated {
		s := newSpeller(seed)
		document := s.document(3, true)
		if err := f.JSON([]byte(s.json(document)), want); err != nil {
			t.Fatalf("%d: %v", seed, err)
		}
		pairs := s.pairs("", document)
		data := s.form(pairs)
		if err := f.Form([]byte(data), values); err != nil {
			t.Fatalf("%d: %s: %v", seed, data, err)
		}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Fatalf("%d: %s (-JSON +form):\n%s", seed, data, diff)
		}
		data = s.multipart(pairs)
		if err := f.Multipart([]byte(data), "B", values); err != nil {
			t.Fatalf("%d: %s: %v", seed, data, err)
		}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Fatalf("%d: %s (-JSON +multipart):\n%s", seed, data, diff)
		}

		// In whatever order they come, fields with an index say the same.
		if slices.ContainsFunc(pairs, func(p pair) bool { return strings.Contains(p.name, body.Each) }) {
			continue
		}
		s.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		data = s.form(pairs)
		if f.Form([]byte(data), values) == nil && !cmp.Equal(want, values) {
			t.Fatalf("%d: %s (-in order +in another):\n%s", seed, data, cmp.Diff(want, values))
		}
	}
}
