package jsonrpc

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/rawjson"
)

// FilterTools takes the tools out of an answer to tools/list whose names are
// not to be kept, and reports whether there were any. Everything else stays as
// it was, byte by byte. In an array, every answer with tools is looked at.
//
// It fails with ErrUnreadable where a client could find a tool that is not
// found here; the answer must not be passed on then.
func FilterTools(reply []byte, keep func(name string) bool) ([]byte, bool, error) {
	return filter(reply, func(json.RawMessage) bool { return true }, keep)
}

// edit replaces a part of the data.
type edit struct {
	rawjson.Span
	with []byte
}

// filter looks at the answers to requests of which ids says so.
func filter(data []byte, ids func(id json.RawMessage) bool, keep func(name string) bool) ([]byte, bool, error) {
	if body.Check(data) != nil {
		return nil, false, unreadable("the JSON is ambiguous")
	}
	var edits []edit
	for at := range messages(data) {
		p, err := split(data, at)
		if err != nil {
			return nil, false, err
		}
		m, err := p.message(data)
		if err != nil {
			return nil, false, err
		}
		if m.Kind != Response || !ids(m.ID) || rawjson.First(p.result.Of(data)) != '{' {
			continue
		}
		e, changed, err := filterList(data, p.result.Start, keep)
		if err != nil {
			return nil, false, err
		}
		if changed {
			edits = append(edits, e)
		}
	}
	if edits == nil {
		return data, false, nil
	}
	b, at := make([]byte, 0, len(data)), 0
	for _, e := range edits {
		b = append(append(b, data[at:e.Start]...), e.with...)
		at = e.End
	}
	return append(b, data[at:]...), true, nil
}

// filterList looks at the result that begins at the given place.
func filterList(data []byte, at int, keep func(name string) bool) (e edit, changed bool, err error) {
	for key, span := range rawjson.MembersAt(data, at) {
		if key == "tools" {
			e.Span = span
		} else if strings.EqualFold(key, "tools") {
			return e, false, unreadable("%q is nearly tools", key)
		}
	}
	if e.End == 0 {
		return e, false, nil
	}
	if rawjson.First(e.Of(data)) != '[' {
		return e, false, unreadable("the tools are no list")
	}
	var kept [][]byte
	for tool := range rawjson.Elements(e.Of(data)) {
		name := rawjson.Find(tool, []string{"name"})
		if name.Kind != body.String {
			return e, false, unreadable("a tool without a name")
		}
		if keep(name.Text) {
			kept = append(kept, tool)
		} else {
			changed = true
		}
	}
	e.with = slices.Concat([]byte("["), bytes.Join(kept, []byte(",")), []byte("]"))
	return e, changed, nil
}
