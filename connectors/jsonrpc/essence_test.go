package jsonrpc_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tameflare/tameflare/connectors/jsonrpc"
)

func TestOnlyWhatFindsTheAnswerIsTakenOut(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct{ data, want string }{
		"request":           {`{"jsonrpc":"2.0", "id" : "a\"b" ,"method":"x","params":{"id":1}}`, `{"jsonrpc":"2.0", "id" : 0 ,"method":"x","params":{"id":1}}`},
		"id after the rest": {`{"params":{"_meta":{"a":1,"progressToken":"t"},"progressToken":"t"},"method":"x","id":1.5e3,"jsonrpc":"2.0"}`, `{"params":{"_meta":{"a":1,"progressToken":0},"progressToken":"t"},"method":"x","id":0,"jsonrpc":"2.0"}`},
		"batch":             {`[{"jsonrpc":"2.0","id":1,"method":"x"}, {"jsonrpc":"2.0","id":22,"result":{}},{"jsonrpc":"2.0","method":"y","params":{"_meta":{"progressToken":1}}}]`, `[{"jsonrpc":"2.0","id":0,"method":"x"}, {"jsonrpc":"2.0","id":22,"result":{}},{"jsonrpc":"2.0","method":"y","params":{"_meta":{"progressToken":1}}}]`},
		"no object":         {`{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":[{"progressToken":1}]}}`, `{"jsonrpc":"2.0","id":0,"method":"x","params":{"_meta":[{"progressToken":1}]}}`},
		"by place":          {`{"jsonrpc":"2.0","id":1,"method":"x","params":[{"_meta":{"progressToken":1}}]}`, `{"jsonrpc":"2.0","id":0,"method":"x","params":[{"_meta":{"progressToken":1}}]}`},
		"unreadable":        {data: `{"jsonrpc":"2.0","id":1,"method":"x","id":2}`},
	} {
		got, err := jsonrpc.Essence([]byte(tc.data))
		if string(got) != tc.want || (tc.want == "") != errors.Is(err, jsonrpc.ErrUnreadable) {
			t.Errorf("%s: %s, %v, want %s", name, got, err, tc.want)
		}
	}
}

// FuzzEssence reads the essence again: it asks for the same, and is its own.
func FuzzEssence(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"progressToken":"t"}}}`, `[{"jsonrpc":"2.0","id":null,"method":"x"},{"jsonrpc":"2.0","id":1,"result":{}}]`,
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"_met\u0061":{"progressToken":"t"}}}`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, err := jsonrpc.Read(data)
		e, failed := jsonrpc.Essence(data)
		if (err == nil) != (failed == nil) {
			t.Fatalf("%q: %v, but reading it: %v", data, failed, err)
		}
		if err != nil {
			return
		}
		got, err := jsonrpc.Read(e)
		if diff := cmp.Diff(got, want, cmpopts.IgnoreFields(jsonrpc.Message{}, "ID", "Params")); err != nil || diff != "" {
			t.Fatalf("%q became %q: %v %s", data, e, err, diff)
		}
		for i, m := range want.Messages {
			if m.Kind == jsonrpc.Response && string(m.ID) != string(got.Messages[i].ID) {
				t.Fatalf("%q became %q: another answer", data, e)
			}
		}
		if again, err := jsonrpc.Essence(e); err != nil || string(again) != string(e) {
			t.Fatalf("%q became %q and then %q, %v", data, e, again, err)
		}
	})
}
