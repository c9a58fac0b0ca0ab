package jsonrpc

import (
	"cmp"
	"slices"

	"github.com/tameflare/tameflare/connectors/rawjson"
)

// Essence returns data with a 0 in the place of what only says how an answer
// finds its request: the id, and the token under which progress is reported.
// Two bodies with the same essence ask for the same. It fails as Read does.
//
// The id of a Response stays: it says which question is answered.
func Essence(data []byte) ([]byte, error) {
	b, err := Read(data)
	if err != nil {
		return nil, err
	}
	var spans []rawjson.Span
	n := 0
	for at := range messages(data) {
		m := b.Messages[n]
		n++
		if m.Kind != Request {
			continue
		}
		p, err := split(data, at)
		if err != nil {
			return nil, err
		}
		spans = append(spans, p.id)
		if token, ok := progressToken(data, p.params); ok {
			spans = append(spans, token)
		}
	}
	slices.SortFunc(spans, func(a, b rawjson.Span) int { return cmp.Compare(a.Start, b.Start) })
	out, done := make([]byte, 0, len(data)), 0
	for _, s := range spans {
		out = append(append(out, data[done:s.Start]...), '0')
		done = s.End
	}
	return append(out, data[done:]...), nil
}

func progressToken(data []byte, params rawjson.Span) (rawjson.Span, bool) {
	meta, ok := field(data, params, "_meta")
	if !ok {
		return rawjson.Span{}, false
	}
	return field(data, meta, "progressToken")
}

func field(data []byte, in rawjson.Span, name string) (rawjson.Span, bool) {
	if rawjson.First(in.Of(data)) != '{' {
		return rawjson.Span{}, false
	}
	for key, span := range rawjson.MembersAt(data, in.Start) {
		if key == name {
			return span, true
		}
	}
	return rawjson.Span{}, false
}
