package body_test

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
)

// lookUp is what a path means, in the plainest way: of a document as
// encoding/json decodes it, with its numbers as written.
func lookUp(document any, path body.Path) body.Value {
	for i, name := range path {
		if document == nil {
			return body.Value{Kind: body.Null}
		}
		if name == body.Each {
			array, ok := document.([]any)
			if !ok {
				return body.Value{Kind: body.Other}
			}
			return gather(array, path[i+1:])
		}
		object, ok := document.(map[string]any)
		if !ok {
			return body.Value{Kind: body.Other}
		}
		if document, ok = object[name]; !ok {
			return body.Value{}
		}
	}
	switch v := document.(type) {
	case nil:
		return body.Value{Kind: body.Null}
	case string:
		return body.Value{Kind: body.String, Text: v}
	case json.Number:
		return body.Value{Kind: body.Number, Text: v.String()}
	case bool:
		text, _ := json.Marshal(v)
		return body.Value{Kind: body.Bool, Text: string(text)}
	}
	return body.Value{Kind: body.Other}
}

func gather(array []any, path body.Path) body.Value {
	list := body.Value{Kind: body.List}
	for _, element := range array {
		switch v := lookUp(element, path); v.Kind {
		case body.Absent:
		case body.String, body.Number, body.Bool:
			list.List = append(list.List, v.Text)
		case body.List:
			list.List = append(list.List, v.List...)
		case body.Null, body.Other:
			return body.Value{Kind: body.Other}
		}
	}
	return list
}

// decodeJSON reads data as encoding/json does.
func decodeJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var document any
	err := d.Decode(&document)
	return document, err
}

// paths are those that the fuzz targets and generated bodies are read with.
func paths() []body.Path {
	var all []body.Path
	for text := range strings.FieldsSeq(`.a .b .a.b .a.b.c .c[] .c[].a .c[].b[] .c[].b.c .b.a .c.a`) {
		path, err := body.ParsePath(text)
		if err != nil {
			panic(err)
		}
		all = append(all, path)
	}
	return all
}
