package connectors

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tameflare/tameflare/connectors/body"
)

// BodyValue returns what the body says as a whole, and whether that is known:
// the value of JSON, or a map of the fields of a form. Without a body it is an
// empty map. A body that is not read in full, has a content coding, is of
// another type or can be understood in two ways is not known.
func (r Request) BodyValue() (value any, known bool) { return r.bodyValue(readsJSON | readsForm) }

// BodyValue is that of r, as c's service reads it: some take every body for
// JSON, whatever type it says it has.
func (c *Connector) BodyValue(r Request) (value any, known bool) {
	if s, ok := c.typ.service.(interface{ reads() format }); ok && s.reads()&anyType != 0 {
		return r.bodyValue(s.reads())
	}
	return r.BodyValue()
}

func (t *tabled) reads() format { return t.format }

func (r Request) bodyValue(f format) (value any, known bool) {
	if !r.Body.whole {
		return nil, false
	}
	for _, coding := range r.Header["Content-Encoding"] {
		if !r.Body.decoded && !strings.EqualFold(strings.TrimSpace(coding), "identity") {
			return nil, false
		}
	}
	data := r.Body.data
	if len(data) == 0 {
		return map[string]any{}, true
	}
	types := r.Header["Content-Type"]
	if f&anyType == 0 && (len(types) == 0 || types[0] == "") {
		return nil, false // which readers guess
	}
	kind, _, ok := f.kind(types)
	if !ok {
		return nil, false
	}
	var err error
	switch kind {
	case readsJSON:
		if f&anyType != 0 && len(types) > 0 && strings.Contains(strings.ToLower(types[0]), "form") && bytes.IndexByte(data, '&') >= 0 {
			return nil, false // which says something else as a form
		}
		value, err = body.DecodeJSON(data)
	case readsForm:
		if looksJSON(bytes.TrimSpace(data)) {
			return nil, false
		}
		value, err = body.DecodeForm(data)
	case readsMultipart, readsQuery, anyType:
		return nil, false
	}
	if err != nil {
		return nil, false
	}
	return value, true
}

// maxQuery is how many parameters a query may have that is taken apart.
const maxQuery = 1000

// QueryValues returns the parameters of the query, each with all its values,
// and whether they are known. A query that servers read in two ways is not.
func (r Request) QueryValues() (values map[string][]string, known bool) {
	values = map[string][]string{}
	if r.RawQuery == "" {
		return values, true
	}
	if strings.ContainsAny(r.RawQuery, ";\x00") || strings.Count(r.RawQuery, "&") >= maxQuery {
		return nil, false
	}
	for part := range strings.SplitSeq(r.RawQuery, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, false
		}
		if value, err = url.QueryUnescape(value); err != nil || !sound(name) || !sound(value) {
			return nil, false
		}
		values[name] = append(values[name], value)
	}
	return values, true
}

// sound reports whether all readers see the same in text.
func sound(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }
