package jsonrpc_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/jsonrpc"
)

// harmless keeps the tools that delete nothing.
func harmless(name string) bool { return !strings.HasPrefix(name, "delete") }

func TestToolsThatAreNotKeptAreTakenOut(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		reply, want string // want is "" where it is unreadable
	}{
		"one of three": {
			`{ "jsonrpc":"2.0" ,"id":1, "result":{"x": 1.00,"tools":[ {"name":"get","inputSchema":{"type":"object"}} , {"name":"delete","d":"\u00e9"},{ "name" : "put" }], "nextCursor":"\u0063"}}` + "\n",
			`{ "jsonrpc":"2.0" ,"id":1, "result":{"x": 1.00,"tools":[{"name":"get","inputSchema":{"type":"object"}},{ "name" : "put" }], "nextCursor":"\u0063"}}` + "\n",
		},
		"all":              {`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete"},{"name":"delete_all"}]}}`, `{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}`},
		"by an escape":     {`{"jsonrpc":"2.0","id":1,"result":{"tool\u0073":[{"nam\u0065":"d\u0065lete"}]}}`, `{"jsonrpc":"2.0","id":1,"result":{"tool\u0073":[]}}`},
		"in an array":      {`[{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete"},{"name":"a"}]}}, {"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"b"},{"name":"delete"}]}}, {"jsonrpc":"2.0","id":3,"error":{}}]`, `[{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}]}}, {"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"b"}]}}, {"jsonrpc":"2.0","id":3,"error":{}}]`},
		"none":             {`{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"get"} ]}}`, `{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"get"} ]}}`},
		"empty":            {`{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}`, `{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}`},
		"error":            {`{"jsonrpc":"2.0","id":1,"error":{"code":1}}`, `{"jsonrpc":"2.0","id":1,"error":{"code":1}}`},
		"other result":     {`{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`, `{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`},
		"null":             {`{"jsonrpc":"2.0","id":1,"result":null}`, `{"jsonrpc":"2.0","id":1,"result":null}`},
		"notification":     {`{"jsonrpc":"2.0","method":"x","params":{"tools":[{"name":"delete"}]}}`, `{"jsonrpc":"2.0","method":"x","params":{"tools":[{"name":"delete"}]}}`},
		"twice":            {reply: `{"jsonrpc":"2.0","id":1,"result":{"tools":[],"tools":[{"name":"delete"}]}}`},
		"in another case":  {reply: `{"jsonrpc":"2.0","id":1,"result":{"tools":[],"Tools":[{"name":"delete"}]}}`},
		"another result":   {reply: `{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"Result":{"tools":[{"name":"delete"}]}}`},
		"name twice":       {reply: `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get","name":"delete"}]}}`},
		"name nearly":      {reply: `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get","Name":"delete"}]}}`},
		"no name":          {reply: `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"title":"delete"}]}}`},
		"name is a number": {reply: `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":1}]}}`},
		"tool is a string": {reply: `{"jsonrpc":"2.0","id":1,"result":{"tools":["delete"]}}`},
		"tools are one":    {reply: `{"jsonrpc":"2.0","id":1,"result":{"tools":{"name":"delete"}}}`},
		"no message":       {reply: `{"tools":[{"name":"delete"}]}`},
		"no JSON":          {reply: `<html>`},
		"two":              {reply: `{"jsonrpc":"2.0","id":1,"result":{}} {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete"}]}}`},
	} {
		got, changed, err := jsonrpc.FilterTools([]byte(tc.reply), harmless)
		if (tc.want == "") != errors.Is(err, jsonrpc.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
		if string(got) != tc.want || changed != (tc.want != "" && tc.want != tc.reply) {
			t.Errorf("%s: %v\n%s, want\n%s", name, changed, got, tc.want)
		}
	}
}

func TestToolsAreTakenOutOfAStream(t *testing.T) {
	t.Parallel()

	const (
		before = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete"},{"name":"get"}]}}`
		after  = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get"}]}}`
		other  = `{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"delete"}]}}`
	)
	for name, tc := range map[string]struct {
		event, want string // want is "" where it is unreadable
	}{
		"event":                  {"data: " + before + "\n\n", "data: " + after + "\n\n"},
		"other fields":           {": x\nid: 7\r\nevent: message\ndata:" + before + "\nretry: 1\n\n", ": x\nid: 7\r\nevent: message\ndata: " + after + "\nretry: 1\n\n"},
		"returns":                {"id: 7\rdata: " + before + "\r\r", "id: 7\rdata: " + after + "\r\r"},
		"returns and line feeds": {"data: " + before + "\r\n\r\n", "data: " + after + "\r\n\r\n"},
		"several lines":          {"data: {\"jsonrpc\":\"2.0\",\ndata:\"id\":1,\nid: 7\ndata: \"result\":{\ndata:  \"tools\":[{\"name\":\"delete\"},\ndata: {\"name\":\"get\"}]}}\n\n", "data: {\"jsonrpc\":\"2.0\",\ndata: \"id\":1,\ndata: \"result\":{\ndata:  \"tools\":[{\"name\":\"get\"}]}}\nid: 7\n\n"},
		"end of the stream":      {"data: " + before, "data: " + after + "\n"},
		"mark of byte order":     {"\uFEFFdata: " + before + "\n\n", "\uFEFFdata: " + after + "\n\n"},
		"empty lines before":     {"\n\r\ndata: " + before + "\n\n\n", "\n\r\ndata: " + after + "\n\n\n"},
		"empty data in it":       {"data\ndata: " + before + "\ndata:\n\n", "data: \ndata: " + after + "\ndata: \n\n"},
		"nothing to take":        {"data:  " + after + "\n\n", "data:  " + after + "\n\n"},
		"another answer":         {"data: " + other + "\n\n", "data: " + other + "\n\n"},
		"another and this":       {"data: [" + other + "," + before + "]\n\n", "data: [" + other + "," + after + "]\n\n"},
		"comment":                {": keep alive\n\n", ": keep alive\n\n"},
		"no data":                {"id: 1\ndata:\n\n", "id: 1\ndata:\n\n"},
		"nothing":                {"\n", "\n"},
		"two events":             {event: "data: " + after + "\n\ndata: " + before + "\n\n"},
		"more after the event":   {event: "data: " + after + "\n\nid: 1\n"},
		"no message":             {event: "data: [DONE]\n\n"},
		"key twice":              {event: "data: {\"jsonrpc\":\"2.0\",\"id\":2,\ndata: \"id\":1,\"result\":{}}\n\n"},
		"lines without end":      {event: strings.Repeat(":\n", 100_001) + "data: " + before + "\n\n"},
		"a name cut in two":      {event: "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"del\ndata: ete\"}]}}\n\n"},
	} {
		ids := func(id json.RawMessage) bool { return string(id) == "1" }
		got, changed, err := jsonrpc.FilterSSE([]byte(tc.event), ids, harmless)
		if (tc.want == "") != errors.Is(err, jsonrpc.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
		if string(got) != tc.want || changed != (tc.want != "" && tc.want != tc.event) {
			t.Errorf("%s: %v\n%q, want\n%q", name, changed, got, tc.want)
		}
	}
}
