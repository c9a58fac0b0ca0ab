package body_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/body"
)

func TestJSONBecomesAValue(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		data string
		want any
	}{
		"all there is":           {` {"a":"x\u00e9","n":-5,"f":1.5,"e":1e2,"t":true,"u":false,"z":null,"l":[1,"b",[]],"m":{"k":{}}} `, map[string]any{"a": "xé", "n": int64(-5), "f": 1.5, "e": 100.0, "t": true, "u": false, "z": nil, "l": []any{int64(1), "b", []any{}}, "m": map[string]any{"k": map[string]any{}}}},
		"a list":                 {`[1]`, []any{int64(1)}},
		"a text":                 {`"x"`, "x"},
		"the largest number":     {`9223372036854775807`, int64(9223372036854775807)},
		"a large round number":   {`1e300`, 1e300},
		"nought, with digits":    {`0.000`, 0.0},
		"seventeen digits":       {`0.12345678901234567`, 0.12345678901234567},
		"the same key elsewhere": {`{"a":{"b":1},"b":{"a":1}}`, map[string]any{"a": map[string]any{"b": int64(1)}, "b": map[string]any{"a": int64(1)}}},
	} {
		got, err := body.DecodeJSON([]byte(c.data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAmbiguousJSONIsNoValue(t *testing.T) {
	t.Parallel()

	for name, data := range map[string]string{
		"nothing":              ``,
		"a key twice":          `{"a":1,"a":2}`,
		"a key twice, escaped": `{"a":1,"\u0061":2}`,
		"a key in two cases":   `{"amount":1,"Amount":2}`,
		"deep inside":          `{"x":[{"a":1,"a":2}]}`,
		"a NUL in a text":      `{"a":"x\u0000"}`,
		"a NUL in a key":       `{"a\u0000":1}`,
		"more after it":        `{} {}`,
		"no UTF-8":             "\"\xff\"",
		"half a pair":          `"\ud800"`,
		"too deep":             nested(70),
		"a number too large":   `1e999`,
		"a number too small":   `1e-999`,
		"a number too exact":   `100.000000000000000001`,
		"beyond 64 bits":       `9223372036854775808123`,
		"a trailing comma":     `[1,]`,
		"too many values":      "[" + strings.Repeat("1,", 70_000) + "1]",
		"no number":            `01`,
		"half a word":          `tru`,
	} {
		if got, err := body.DecodeJSON([]byte(data)); !errors.Is(err, body.ErrAmbiguous) || got != nil {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func TestAFormBecomesAValue(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		data string
		want map[string]any
	}{
		"nothing":            {``, map[string]any{}},
		"texts":              {`amount=100&note=a+b%20%C3%A9&empty=`, map[string]any{"amount": "100", "note": "a b é", "empty": ""}},
		"nested":             {`metadata[order]=5&metadata[by][name]=x`, map[string]any{"metadata": map[string]any{"order": "5", "by": map[string]any{"name": "x"}}}},
		"appended":           {`to[]=a&to[]=b`, map[string]any{"to": []any{"a", "b"}}},
		"with an index":      {`i[0][p]=a&i[0][q]=1&i[1][p]=b`, map[string]any{"i": []any{map[string]any{"p": "a", "q": "1"}, map[string]any{"p": "b"}}}},
		"numbered and named": {`a[0]=x&a[k]=y`, map[string]any{"a": map[string]any{"0": "x", "k": "y"}}},
	} {
		got, err := body.DecodeForm([]byte(c.data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnAmbiguousFormIsNoValue(t *testing.T) {
	t.Parallel()

	for name, data := range map[string]string{
		"a field twice":            `a=1&a=2`,
		"in two cases":             `amount=1&Amount=2`,
		"without a value":          `a`,
		"a text and fields":        `a=1&a[b]=2`,
		"fields and a text":        `a[b]=2&a=1`,
		"a semicolon":              `a=1;b=2`,
		"a dot":                    `a.b=1`,
		"a space":                  `+a=1`,
		"a broken escape":          `a=%2`,
		"a NUL":                    `a=%00`,
		"not from nought":          `a[1]=x`,
		"out of order":             `a[1]=x&a[0]=y`,
		"both kinds of lists":      `a[]=x&a[0]=y`,
		"fields that are appended": `a[][b]=x&a[][c]=y`,
		"brackets that stay open":  `a[b=1`,
		"another character set":    `_charset_=iso-8859-1&a=1`,
		"a line break":             "a=1\n",
		"no name":                  `=1`,
		"too many":                 strings.Repeat("a[]=1&", 1001),
	} {
		if got, err := body.DecodeForm([]byte(data)); !errors.Is(err, body.ErrAmbiguous) || got != nil {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

// FuzzDecodeJSON compares with encoding/json, which is laxer: whatever we take
// it takes, and makes the same of.
func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":"x","b":-2.5e+3,"c":[1,true,{"a":null}]}`, `{"a":1,"A":2}`, `1e400`, `0.1`, nested(64), `"\ud83d\ude00"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := body.DecodeJSON(data)
		if err != nil {
			return
		}
		if body.Check(data) != nil {
			t.Fatalf("%q: a value is made of what Check refuses", data)
		}
		var want any
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q: we take what encoding/json does not: %v", data, err)
		}
		if !reflect.DeepEqual(want, floats(got)) {
			t.Fatalf("%q: got %v, want %v", data, got, want)
		}
	})
}

// floats is v with the numbers of encoding/json.
func floats(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = floats(v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k := range v {
			m[k] = floats(v[k])
		}
		return m
	}
	return v
}

// FuzzDecodeForm compares with net/url: whatever we take it takes, and has
// exactly one text for each of ours.
func FuzzDecodeForm(f *testing.F) {
	for _, seed := range []string{``, `a=1&b=x%20y+z`, `a[b]=1&c[]=x&c[]=y`, `c[0][a]=1&c[0][b]=2&c[1][a]=3`, `a=1&a=2`, `a.b=1`, `a[=1`, `a%5B%5D=1`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := body.DecodeForm(data)
		if err != nil {
			return
		}
		form, err := url.ParseQuery(string(data))
		if err != nil {
			t.Fatalf("%q: we take what net/url does not: %v", data, err)
		}
		said := 0
		for name, texts := range form {
			said += len(texts)
			if len(texts) > 1 && !strings.Contains(name, "[]") {
				t.Fatalf("%q: %s is there %d times", data, name, len(texts))
			}
			if text, plain := got[name].(string); !strings.Contains(name, "[") && (!plain || text != texts[0]) {
				t.Fatalf("%q: %s is %v, want %q", data, name, got[name], texts[0])
			}
		}
		if n := leaves(got); n != said {
			t.Fatalf("%q: %d texts, want %d", data, n, said)
		}
	})
}

func leaves(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, one := range v {
			n += leaves(one)
		}
	case []any:
		for _, one := range v {
			n += leaves(one)
		}
	default:
		n = 1
	}
	return n
}
