package jsonrpc_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/jsonrpc"
)

// FuzzRead compares with encoding/json, which takes the last of two keys and
// ignores case: of what is read here there are never two.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":[1]}}}`, `[{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":"a","result":null}]`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":1}}`, `{"jsonrpc":"2.0","Method":"x"}`, `[]`, `{"jsonrpc":"2.0","id":1e2,"method":"\u0061"}`, `{`,
	} {
		f.Add([]byte(seed))
	}
	type message struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
		Params  json.RawMessage `json:"params"`
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := jsonrpc.Read(data)
		if err != nil {
			if !errors.Is(err, jsonrpc.ErrUnreadable) || b.Messages != nil {
				t.Fatalf("%q: %v, %v", data, b, err)
			}
			return
		}
		want := make([]message, 1)
		if b.Array {
			err = json.Unmarshal(data, &want)
		} else {
			err = json.Unmarshal(data, &want[0])
		}
		if err != nil || len(want) != len(b.Messages) {
			t.Fatalf("%q: %v, want %v, %v", data, b, want, err)
		}
		for i, w := range want {
			if string(w.Params) == "null" {
				w.Params = nil
			}
			m := b.Messages[i]
			if w.Version != "2.0" || string(m.ID) != string(w.ID) || m.Method != w.Method || string(m.Params) != string(w.Params) {
				t.Fatalf("%q: %+v, want %+v", data, m, w)
			}
			m.Param("name", "[]")
		}
		if _, err := jsonrpc.Read(jsonrpc.ErrorReply(b, -1, string(data), nil)); err != nil {
			t.Fatalf("%q: the answer: %v", data, err)
		}
	})
}

// FuzzFilterTools reads the answer again with encoding/json: there must be no
// tool that is not kept, and nothing else must have changed.
func FuzzFilterTools(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete"},{"name":"get","x":{"y":1}}],"nextCursor":"n"}}`, `[{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete"}]}},{"jsonrpc":"2.0","method":"x"}]`,
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"Name":"delete"}]}}`, `{"jsonrpc":"2.0","id":1,"result":{"TOOLS":[]}}`, `{"jsonrpc":"2.0","id":1,"result":{"tools":null}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, changed, err := jsonrpc.FilterTools(data, harmless)
		if err != nil {
			if !errors.Is(err, jsonrpc.ErrUnreadable) || got != nil {
				t.Fatalf("%q: %q, %v", data, got, err)
			}
			return
		}
		before, after := decode(t, data), decode(t, got)
		if n := drop(before); (n > 0) != changed || !reflect.DeepEqual(before, after) || drop(after) != 0 {
			t.Fatalf("%q: %v, %q", data, changed, got)
		}
		if !changed && !bytes.Equal(data, got) {
			t.Fatalf("%q: now %q", data, got)
		}
	})
}

func decode(t *testing.T, data []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	return v
}

// drop takes the tools out of decoded messages, and counts them.
func drop(v any) (n int) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, message := range list {
		m, _ := message.(map[string]any)
		result, _ := m["result"].(map[string]any)
		tools, ok := result["tools"].([]any)
		if !ok {
			continue
		}
		kept := []any{}
		for _, tool := range tools {
			entry, _ := tool.(map[string]any)
			if name, _ := entry["name"].(string); harmless(name) {
				kept = append(kept, tool)
			} else {
				n++
			}
		}
		result["tools"] = kept
	}
	return n
}

// FuzzFilterSSE reads the event again as a browser does.
func FuzzFilterSSE(f *testing.F) {
	const answer = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete"},{"name":"get"}]}}`
	for _, seed := range []string{"data: " + answer + "\n\n", ": c\r\nid: 1\rdata:" + answer + "\n", "\uFEFFdata: " + answer, "data: {\ndata: }\n\n", "\n\n", "data\n\n", "data: " + answer + "\n\ndata: " + answer + "\n\n", "event: x\ndata: " + strings.ReplaceAll(answer, ",", ",\ndata: ") + "\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		got, changed, err := jsonrpc.FilterSSE(event, func(json.RawMessage) bool { return true }, harmless)
		if err != nil {
			if !errors.Is(err, jsonrpc.ErrUnreadable) || got != nil {
				t.Fatalf("%q: %q, %v", event, got, err)
			}
			return
		}
		before, rest := dispatch(event)
		after, restAfter := dispatch(got)
		if rest != restAfter || !changed && !bytes.Equal(event, got) {
			t.Fatalf("%q: %v, %q", event, changed, got)
		}
		if strings.TrimSpace(before) == "" {
			if changed {
				t.Fatalf("%q: %q", event, got)
			}
			return
		}
		want := decode(t, []byte(before))
		if n := drop(want); (n > 0) != changed || !reflect.DeepEqual(want, decode(t, []byte(after))) {
			t.Fatalf("%q: %v, %q", event, changed, got)
		}
	})
}

// dispatch returns the data of all events in a stream, and everything else.
func dispatch(stream []byte) (data, rest string) {
	stream = bytes.ReplaceAll(bytes.ReplaceAll(stream, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	scanner := bufio.NewScanner(strings.NewReader(strings.TrimPrefix(string(stream), "\uFEFF")))
	scanner.Buffer(nil, len(stream)+1)
	var all []string
	for scanner.Scan() {
		switch field, value, _ := strings.Cut(scanner.Text(), ":"); field {
		case "data":
			all = append(all, strings.TrimPrefix(value, " "))
		default:
			rest += scanner.Text() + "\n"
		}
	}
	return strings.Join(all, "\n"), rest
}
