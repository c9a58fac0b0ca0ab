package connectors

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzReadFields compares with encoding/json, which is laxer: whatever we take
// it takes, and finds the same in it.
func FuzzReadFields(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"state":"closed","sha":null}`, `{"st\u0061te":"\ud83d\ude00","sha":[1,-2.5e+3,true,{"a":{}}]}`, ` {"state" : 12 , "x":"\\\"\/"} `,
		`{"state":"a","state":"b"}`, `{"state":"\ud800"}`, `{"a":01}`, `[]`, `{"a":1}x`, "{\"a\":\"\xff\"}", strings.Repeat(`{"a":`, 70) + `1` + strings.Repeat(`}`, 70),
	} {
		f.Add([]byte(seed))
	}
	names := []string{"state", "sha"}
	f.Fuzz(func(t *testing.T, data []byte) {
		var values [2]value
		if readFields(data, names, values[:]) != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want map[string]any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%q: we take what encoding/json does not: %v", data, err)
		}
		for i, name := range names {
			have, there := want[name]
			if there != (values[i].kind != absent) {
				t.Fatalf("%q: %s is there: %v, want %v", data, name, values[i], have)
			}
			switch have := have.(type) {
			case string:
				if values[i] != (value{isString, have}) {
					t.Fatalf("%q: %s is %v, want %q", data, name, values[i], have)
				}
			case json.Number:
				if values[i] != (value{isNumber, have.String()}) {
					t.Fatalf("%q: %s is %v, want %s", data, name, values[i], have)
				}
			}
		}
	})
}

func TestABodyWithAKeyTwiceIsAmbiguousHoweverManyKeys(t *testing.T) {
	t.Parallel()

	for _, n := range []int{1, 15, 16, 17, 200} {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"` + strings.Repeat("k", i+1) + `":0,`)
		}
		var values [1]value
		if err := readFields([]byte(`{`+b.String()+`"z":1}`), []string{"z"}, values[:]); err != nil || values[0].kind != isNumber {
			t.Errorf("%d keys: %v, %v", n, values, err)
		}
		if err := readFields([]byte(`{`+b.String()+`"k":1}`), nil, nil); err == nil {
			t.Errorf("%d keys and one again: no error", n)
		}
	}
}
