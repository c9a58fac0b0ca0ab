package body_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/body"
)

func TestJSONSaysWhatStandsInItsPlaces(t *testing.T) {
	t.Parallel()

	run(t, map[string]wants{
		"nothing wanted":                 {``, `{"a":1}`, ``},
		"every scalar":                   {`.a .b .c .d .e .f`, `{"a":"x","b":-1.50e+3,"c":true,"d":false,"e":null}`, `"x" -1.50e+3 true false null absent`},
		"an object and an array":         {`.a .b`, `{"a":{},"b":[]}`, `other other`},
		"escapes":                        {`.a`, `{"a":"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t"}`, `"é😀\"\\/\b\f\n\r\t"`},
		"escapes in a key":               {`.state`, `{"st\u0061te":"x"}`, `"x"`},
		"space everywhere":               {`.a .b.c`, " {\t\"a\" :\r\n 1 , \"b\" : { \"c\" : 2 } } ", `1 2`},
		"nested":                         {`.a.b.c .a.d`, `{"a":{"b":{"c":1},"d":2}}`, `1 2`},
		"nested, elsewhere":              {`.a.b .b`, `{"b":1,"c":{"a":{"b":2}}}`, `absent 1`},
		"null on the way":                {`.a.b .a.b.c`, `{"a":null}`, `null null`},
		"a scalar on the way":            {`.a.b .a.b.c`, `{"a":"x"}`, `other other`},
		"an array on the way":            {`.a.b`, `{"a":[{"b":1}]}`, `other`},
		"a place and one within":         {`.a .a.b`, `{"a":{"b":1}}`, `other 1`},
		"the same place twice":           {`.a .a`, `{"a":1}`, `1 1`},
		"a list":                         {`.a[] .b[] .c[]`, `{"a":["x",1,true],"b":[]}`, `[x,1,true] [] absent`},
		"a list and its array":           {`.a .a[]`, `{"a":["x"]}`, `other [x]`},
		"a list that is a scalar":        {`.a[]`, `{"a":"x"}`, `other`},
		"a list that is null":            {`.a[] .a[].b`, `{"a":null}`, `null null`},
		"a list that is an object":       {`.a[]`, `{"a":{"0":"x"}}`, `other`},
		"a list with null":               {`.a[]`, `{"a":["x",null,"y"]}`, `other`},
		"a list with an object":          {`.a[] .a[].b`, `{"a":["x",{"b":1},"y"]}`, `other other`},
		"a list with an array":           {`.a[]`, `{"a":["x",["y"]]}`, `other`},
		"fields of a list":               {`.a[].b.c .a[].d`, `{"a":[{"b":{"c":1}},{},{"b":{}},{"b":{"c":2},"d":"x"}]}`, `[1,2] [x]`},
		"fields of a list without any":   {`.a[].b`, `{"a":[{},{}]}`, `[]`},
		"fields of a list, one an array": {`.a[].b`, `{"a":[{"b":1},{"b":[2]}]}`, `other`},
		"fields of a list, one null":     {`.a[].b.c`, `{"a":[{"b":{"c":1}},{"b":null}]}`, `other`},
		"a list of lists":                {`.a[][] .a[].b[]`, `{"a":[["x"],[],["y","z"]]}`, `[x,y,z] other`},
		"lists in a list":                {`.a[].b[]`, `{"a":[{"b":[1]},{},{"b":[]},{"b":[2,3]}]}`, `[1,2,3]`},
		"lists in a list, one null":      {`.a[].b[]`, `{"a":[{"b":[1]},{"b":null}]}`, `other`},
		"a body that is a list":          {`[].a .a`, `[{"a":1},{"a":2}]`, `[1,2] other`},
		"an object where a list may be":  {`[].a .a`, `{"a":1}`, `other 1`},
		"many keys":                      {`.z`, `{` + manyKeys(100) + `"z":1}`, `1`},
		"space in what is empty":         {`.a`, `{"x":{ },"y":[ ],"a":9}`, `9`},
		"objects as deep as they may be": {`.b`, `{"b":` + strings.Repeat(`{"a":`, 63) + `1` + strings.Repeat(`}`, 64), `other`},
		"a key with an empty name":       {`.a`, `{"":1,"a":2}`, `2`},
		"NUL where nothing is wanted":    {`.a`, `{"b":"\u0000","a":1}`, `1`},
		"as deep as it may be":           {`.a`, nested(63), `other`},
		"a number too large for any":     {`.a`, `{"a":123456789012345678901234567890e999}`, `123456789012345678901234567890e999`},
		"a case that is no wanted one":   {`.a.b`, `{"B":1,"a":{"A":2,"b":3}}`, `3`},
	}, func(f *body.Finder, data string, values []body.Value) error { return f.JSON([]byte(data), values) })
}

func TestAmbiguousJSONSaysNothing(t *testing.T) {
	t.Parallel()

	cases := map[string]wants{}
	for name, data := range map[string]string{
		"nothing":                              ``,
		"only space":                           ` `,
		"a scalar":                             `1`,
		"an array":                             `[{"a":1}]`,
		"null":                                 `null`,
		"two values":                           `{"a":1}{"a":2}`,
		"text after it":                        `{"a":1}x`,
		"a byte order mark":                    "\ufeff" + `{"a":1}`,
		"a key twice":                          `{"a":1,"a":1}`,
		"a key twice, escaped":                 `{"a":1,"\u0061":1}`,
		"an unwanted key twice":                `{"a":1,"x":1,"x":1}`,
		"a key twice, deep":                    `{"a":1,"x":[{"y":{"z":1,"z":1}}]}`,
		"a key twice among many":               `{` + manyKeys(100) + `"a":1,"k":1}`,
		"another case":                         `{"a":1,"A":2}`,
		"another case only":                    `{"A":2}`,
		"another case, escaped":                `{"a":1,"\u0041":2}`,
		"another case, within":                 `{"b":{"SS":2}}`,
		"another case, beyond ASCII":           `{"b":{"ſs":2}}`,
		"the sign for kelvin":                  `{"K":2}`,
		"another case, in a list":              `{"list":[{"X":1}]}`,
		"half a pair":                          `{"x":"\ud800"}`,
		"the other half":                       `{"x":"\udc00"}`,
		"two first halves":                     `{"x":"\ud800\ud800"}`,
		"half a pair in a key":                 `{"\ud800":1}`,
		"invalid UTF-8":                        "{\"x\":\"\xff\"}",
		"invalid UTF-8 in a key":               "{\"\xc0\xaf\":1}",
		"a surrogate in UTF-8":                 "{\"x\":\"\xed\xa0\x80\"}",
		"NUL in a key":                         `{"a\u0000":1}`,
		"NUL in a wanted string":               `{"a":"x\u0000"}`,
		"NUL in a wanted element":              `{"list":[{"x":"\u0000"}]}`,
		"a raw NUL":                            "{\"x\":\"\x00\"}",
		"a raw line end":                       "{\"x\":\"\n\"}",
		"a raw line end after escapes":         "{\"x\":\"\\t\n\"}",
		"an unknown escape":                    `{"x":"\x41"}`,
		"an escape cut short":                  `{"x":"\u12"}`,
		"an escape with a sign":                `{"x":"\u+123"}`,
		"too deep":                             nested(64),
		"a leading zero":                       `{"x":01}`,
		"a leading plus":                       `{"x":+1}`,
		"no digits":                            `{"x":-}`,
		"no digits after the point":            `{"x":1.}`,
		"no digits before the point":           `{"x":.1}`,
		"no digits in the exponent":            `{"x":1e}`,
		"hexadecimal":                          `{"x":0x1}`,
		"not a number":                         `{"x":NaN}`,
		"a word in another case":               `{"x":True}`,
		"a word cut short":                     `{"x":tru`,
		"a comma too many":                     `{"x":1,}`,
		"a comma too many in an array":         `{"x":[1,]}`,
		"a comma too few":                      `{"x":1 "y":2}`,
		"a comma too few in an array":          `{"x":[1 2]}`,
		"a comma at first":                     `{,"x":1}`,
		"no colon":                             `{"x" 1}`,
		"no value":                             `{"x":}`,
		"an array that ends as an object":      `{"a":[}`,
		"an array that ends so after one":      `{"a":[1}`,
		"an object that ends as an array":      `{"x":[{]}`,
		"an object that ends so after a key":   `{"x":[{"y"]}`,
		"an object that ends so after a colon": `{"x":[{"y":]}`,
		"an object that ends so after a value": `{"x":[{"y":1]}`,
		"objects too deep":                     strings.Repeat(`{"a":`, 65) + `1` + strings.Repeat(`}`, 65),
		"half a pair that ends a string":       `{"x":"\ud800}`,
		"an escape that ends a string":         `{"x":"\q}`,
		"a line end that ends a string":        "{\"x\":\"\n}",
		"another case without a value":         `{"b":{"SS":}}`,
		"a key without quotes":                 `{x:1}`,
		"single quotes":                        `{'x':1}`,
		"a comment":                            `{"x":1/**/}`,
		"an object cut short":                  `{"a":1`,
		"an array cut short":                   `{"a":[1`,
		"a string cut short":                   `{"a":"x`,
		"a string cut short at escapes":        `{"a":"\`,
		"a form feed for a space":              "{\"a\":\f1}",
	} {
		cases[name] = wants{`.a .b.ss .k .list[].x`, data, unread}
	}
	run(t, cases, func(f *body.Finder, data string, values []body.Value) error { return f.JSON([]byte(data), values) })
}

func TestCheckTakesOneValueOfAnyKind(t *testing.T) {
	t.Parallel()

	for data, want := range map[string]bool{
		`{}`:                      true,
		` [ ] `:                   true,
		`"x"`:                     true,
		`-0.1e-5`:                 true,
		`null`:                    true,
		`[{"a":1},{"a":1,"A":2}]`: true,
		`{"a":"\u0000"}`:          true,
		strings.Repeat(`[`, 64) + strings.Repeat(`]`, 64): true,
		strings.Repeat(`[`, 65) + strings.Repeat(`]`, 65): false,
		``:                           false,
		`"x`:                         false,
		`1 2`:                        false,
		`[1],`:                       false,
		`[{"a":{"b":1,"\u0062":2}}]`: false,
		"\"\xff\"":                   false,
		"\ufeff1":                    false,
	} {
		if err := body.Check([]byte(data)); (err == nil) != want {
			t.Errorf("%q: %v, want it taken: %v", data, err, want)
		}
	}
}

func TestAZeroFinderLooksForNothing(t *testing.T) {
	t.Parallel()

	var f body.Finder
	if err := f.JSON([]byte(`{"a":1}`), nil); err != nil {
		t.Error(err)
	}
	if err := f.Form([]byte(`a=1&a=2`), nil); err != nil {
		t.Error(err)
	}
}

// manyKeys are n fields with different keys, each made of the letter k.
func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"` + strings.Repeat("k", i+1) + `":0,`)
	}
	return b.String()
}

// nested is an object whose field a holds n arrays, one in the other.
func nested(n int) string {
	return `{"a":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `}`
}
