package jsonrpc_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/jsonrpc"
)

func TestAMessageIsReadOneWayOrNotAtAll(t *testing.T) {
	t.Parallel()

	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	one := func(m jsonrpc.Message) *jsonrpc.Batch { return &jsonrpc.Batch{Messages: []jsonrpc.Message{m}} }
	list := jsonrpc.Message{ID: raw("1"), Method: "tools/list"}
	for name, tc := range map[string]struct {
		data string
		want *jsonrpc.Batch // nil where it is unreadable
	}{
		"request":               {`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, one(list)},
		"string for an id":      {` { "id" : "a\u0062" , "method" : "tools\/call" , "params" : { "name" : "x" } , "jsonrpc" : "2.0" } `, one(jsonrpc.Message{ID: raw(`"a\u0062"`), Method: "tools/call", Params: raw(`{ "name" : "x" }`)})},
		"null for an id":        {`{"jsonrpc":"2.0","id":null,"method":"ping"}`, one(jsonrpc.Message{ID: raw("null"), Method: "ping"})},
		"no parameters":         {`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}`, one(list)},
		"list of parameters":    {`{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}`, one(jsonrpc.Message{ID: raw("1"), Method: "m", Params: raw("[1]")})},
		"notification":          {`{"jsonrpc":"2.0","method":"notifications/initialized"}`, one(jsonrpc.Message{Kind: jsonrpc.Notification, Method: "notifications/initialized"})},
		"response":              {`{"jsonrpc":"2.0","id":1,"result":{}}`, one(jsonrpc.Message{Kind: jsonrpc.Response, ID: raw("1")})},
		"null for a result":     {`{"jsonrpc":"2.0","id":1,"result":null}`, one(jsonrpc.Message{Kind: jsonrpc.Response, ID: raw("1")})},
		"error":                 {`{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}`, one(jsonrpc.Message{Kind: jsonrpc.Response, ID: raw("null")})},
		"no error":              {`{"jsonrpc":"2.0","id":1,"result":{},"error":null}`, one(jsonrpc.Message{Kind: jsonrpc.Response, ID: raw("1")})},
		"other keys":            {`{"jsonrpc":"2.0","id":1,"method":"tools/list","x":{"Method":1}}`, one(list)},
		"batch of one":          {`[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]`, &jsonrpc.Batch{Array: true, Messages: []jsonrpc.Message{list}}},
		"batch":                 {` [ {"jsonrpc":"2.0","id":1,"method":"tools/list"} , {"jsonrpc":"2.0","method":"x"} ]`, &jsonrpc.Batch{Array: true, Messages: []jsonrpc.Message{list, {Kind: jsonrpc.Notification, Method: "x"}}}},
		"nothing":               {``, nil},
		"empty batch":           {`[]`, nil},
		"batch too long":        {`[` + strings.Repeat(`{"jsonrpc":"2.0","method":"x"},`, 128) + `{"jsonrpc":"2.0","method":"x"}]`, nil},
		"batch of batches":      {`[[{"jsonrpc":"2.0","method":"x"}]]`, nil},
		"batch with null":       {`[{"jsonrpc":"2.0","method":"x"},null]`, nil},
		"one bad of a batch":    {`[{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"1.0","method":"x"}]`, nil},
		"a string":              {`"x"`, nil},
		"no version":            {`{"id":1,"method":"tools/list"}`, nil},
		"another version":       {`{"jsonrpc":"1.0","id":1,"method":"tools/list"}`, nil},
		"number for a version":  {`{"jsonrpc":2.0,"id":1,"method":"tools/list"}`, nil},
		"object for an id":      {`{"jsonrpc":"2.0","id":{},"method":"tools/list"}`, nil},
		"list for an id":        {`{"jsonrpc":"2.0","id":[1],"method":"tools/list"}`, nil},
		"true for an id":        {`{"jsonrpc":"2.0","id":true,"method":"tools/list"}`, nil},
		"method is no string":   {`{"jsonrpc":"2.0","id":1,"method":["tools/list"]}`, nil},
		"method is null":        {`{"jsonrpc":"2.0","id":1,"method":null}`, nil},
		"method is empty":       {`{"jsonrpc":"2.0","id":1,"method":""}`, nil},
		"parameters are scalar": {`{"jsonrpc":"2.0","id":1,"method":"x","params":"y"}`, nil},
		"method and result":     {`{"jsonrpc":"2.0","id":1,"method":"x","result":{}}`, nil},
		"method and error":      {`{"jsonrpc":"2.0","id":1,"method":"x","error":null}`, nil},
		"result and error":      {`{"jsonrpc":"2.0","id":1,"result":{},"error":{}}`, nil},
		"neither":               {`{"jsonrpc":"2.0","id":1}`, nil},
		"error is a string":     {`{"jsonrpc":"2.0","id":1,"error":"x"}`, nil},
		"result without an id":  {`{"jsonrpc":"2.0","result":{}}`, nil},
		"key twice":             {`{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}`, nil},
		"key twice by escape":   {`{"jsonrpc":"2.0","id":1,"method":"tools/list","m\u0065thod":"tools/call"}`, nil},
		"key twice below":       {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}`, nil},
		"key in another case":   {`{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}`, nil},
		"only in another case":  {`{"jsonrpc":"2.0","Id":1,"method":"tools/list"}`, nil},
		"letter that folds":     {`{"jsonrpc":"2.0","id":1,"method":"tools/list","param\u017f":{}}`, nil},
		"more after it":         {`{"jsonrpc":"2.0","method":"x"}{"jsonrpc":"2.0","method":"y"}`, nil},
		"one after another":     {"{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"y\"}", nil},
		"not UTF-8":             {"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}", nil},
		"mark of byte order":    {"\uFEFF{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", nil},
		"too deep":              {`{"jsonrpc":"2.0","method":"x","params":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, nil},
		"deeper than any stack": {strings.Repeat("[", 1_000_000), nil},
	} {
		got, err := jsonrpc.Read([]byte(tc.data))
		if tc.want == nil {
			if !errors.Is(err, jsonrpc.ErrUnreadable) || got.Messages != nil {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			continue
		}
		if diff := cmp.Diff(got, *tc.want); diff != "" || err != nil {
			t.Errorf("%s: %v, %s", name, err, diff)
		}
	}
}

func TestAParameterIsFound(t *testing.T) {
	t.Parallel()

	b, err := jsonrpc.Read([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_all","arguments":{"n":3,"force":true,"paths":["a","b"],"Mode":"x","o":{}},"Uri":"y"}}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]body.Value{
		"name": {Kind: body.String, Text: "delete_all"}, "arguments.n": {Kind: body.Number, Text: "3"}, "arguments.force": {Kind: body.Bool, Text: "true"},
		"arguments.paths": {Kind: body.List, List: []string{"a", "b"}}, "arguments.o": {Kind: body.Other}, "arguments.none": {},
		"arguments.mode": {Kind: body.Other}, "uri": {Kind: body.Other}, "name.x": {Kind: body.Other},
	} {
		got, ok := b.Messages[0].Param(strings.Split(path, ".")...)
		if diff := cmp.Diff(got, want); diff != "" || ok != (want.Kind != body.Absent) {
			t.Errorf("%s: %v, %s", path, ok, diff)
		}
	}
	if v, ok := (jsonrpc.Message{}).Param("name"); ok {
		t.Errorf("no parameters: %v", v)
	}
}

func TestEveryRequestIsAnsweredWithTheError(t *testing.T) {
	t.Parallel()

	const failure = `"error":{"code":-32001,"message":"Not \u003call\u003e \"now\".","data":{"rule":"r"}}`
	for name, tc := range map[string]struct{ data, want string }{
		"one":               {`{"jsonrpc":"2.0","id":"a\u0062","method":"x"}`, `{"jsonrpc":"2.0","id":"a\u0062",` + failure + `}`},
		"null":              {`{"jsonrpc":"2.0","id":null,"method":"x"}`, `{"jsonrpc":"2.0","id":null,` + failure + `}`},
		"array of one":      {`[{"jsonrpc":"2.0","id":1e0,"method":"x"}]`, `[{"jsonrpc":"2.0","id":1e0,` + failure + `}]`},
		"array":             {`[{"jsonrpc":"2.0","id":1,"method":"x"},{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":3,"result":1},{"jsonrpc":"2.0","id":2,"method":"y"}]`, `[{"jsonrpc":"2.0","id":1,` + failure + `},{"jsonrpc":"2.0","id":2,` + failure + `}]`},
		"notification":      {`{"jsonrpc":"2.0","method":"x"}`, `{"jsonrpc":"2.0","id":null,` + failure + `}`},
		"only notification": {`[{"jsonrpc":"2.0","method":"x"}]`, `{"jsonrpc":"2.0","id":null,` + failure + `}`},
		"unreadable":        {`{`, `{"jsonrpc":"2.0","id":null,` + failure + `}`},
	} {
		b, err := jsonrpc.Read([]byte(tc.data))
		if (err != nil) != (name == "unreadable") {
			t.Fatalf("%s: %v", name, err)
		}
		got := string(jsonrpc.ErrorReply(b, -32001, `Not <all> "now".`, map[string]string{"rule": "r"}))
		if got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		if _, err := jsonrpc.Read([]byte(got)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, data := range []any{nil, make(chan int)} {
		if got, want := string(jsonrpc.ErrorReply(jsonrpc.Batch{}, 1, "x", data)), `{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}`; got != want {
			t.Errorf("%v: %s, want %s", data, got, want)
		}
	}
}
