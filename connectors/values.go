package connectors

import (
	"bytes"
	"mime"
	"net/textproto"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/domain/fault"
)

// format is how a service reads bodies. It may read more than one.
type format uint8

const (
	readsJSON      format = 1 << iota
	readsForm             // application/x-www-form-urlencoded
	readsMultipart        // multipart/form-data
	readsQuery            // the query as if it were part of the body
	anyType               // JSON whatever the content type says
)

// values are what a request says in the places that a group of rows asks for.
type values struct {
	r        Request
	captured captured
	body     []body.Value // by the group's paths
	readable bool         // the body could be read
	clash    []bool       // the query says it as well

	found    [ordinary]body.Value
	segments [maxSegments]string
}

// What is looked at without allocating; more is possible.
const (
	ordinary    = 12 // fields of a body
	maxSegments = 16 // of a path
)

// room makes room for what g asks for.
func (v *values) room(g *group) {
	v.readable, v.clash = false, nil
	if v.body = v.found[:min(g.size, ordinary)]; g.size > ordinary {
		v.body = make([]body.Value, g.size)
	}
	clear(v.body)
}

// value returns what the request says at s. It is not known where the body
// hides it, or where the request says it in two ways.
func (v *values) value(s source) (body.Value, bool) {
	switch s.in {
	case inPath:
		return textual(v.captured.values[s.index]), true
	case inBody:
		if !v.readable || v.clash != nil && v.clash[s.index] {
			return body.Value{}, false
		}
		return v.body[s.index], true
	case inQuery:
		all, err := queryValues(v.r.RawQuery, s.name)
		if err != nil || len(all) > 1 {
			return body.Value{}, false
		}
		if len(all) == 1 {
			return textual(all[0]), true
		}
	case inHeader:
		all := v.r.Header[s.name]
		if len(all) > 1 {
			return body.Value{}, false
		}
		if len(all) == 1 {
			return textual(strings.TrimSpace(all[0])), true
		}
	case nowhere:
		return body.Value{}, false
	}
	return body.Value{}, true
}

func textual(s string) body.Value { return body.Value{Kind: body.String, Text: s} }

// look reads from the request what g's rows ask for.
func (f format) look(g *group, v *values) error {
	r := &v.r
	v.readable = true
	if g.finder == nil {
		return nil
	}
	v.readable = f.read(r, g, v.body)
	if v.readable && g.override >= 0 {
		if method := v.body[g.override]; method.Kind != body.Absent && !strings.EqualFold(method.Text, r.Method) {
			return fault.New(fault.Invalid, "Send the request with the method that you mean, and without _method.", nil)
		}
	}
	if r.RawQuery == "" {
		return nil
	}
	if f&readsQuery == 0 {
		v.clash = g.alsoInQuery(r.RawQuery)
		return nil
	}
	v.addQuery(g)
	return nil
}

// addQuery reads the query as if it were part of the body. What both say is
// not known.
func (v *values) addQuery(g *group) {
	query := make([]body.Value, len(v.body))
	if g.finder.Form([]byte(v.r.RawQuery), query) != nil {
		v.readable = false
		return
	}
	for i, q := range query {
		if q.Kind == body.Absent {
			continue
		}
		if v.body[i].Kind != body.Absent {
			if v.clash == nil {
				v.clash = make([]bool, len(v.body))
			}
			v.clash[i] = true
			continue
		}
		v.body[i] = q
	}
}

// alsoInQuery says which of the body's values the query may have too: some
// services read both, and nobody knows which of them counts.
func (g *group) alsoInQuery(query string) (clash []bool) {
	said := make([]body.Value, len(g.tops))
	unclear := g.finder.Form([]byte(query), said) != nil
	for i, name := range g.tops {
		all, err := queryValues(query, name)
		if unclear && strings.ContainsAny(query, "[%") || err != nil || len(all) > 0 || !unclear && said[i].Kind != body.Absent {
			if clash == nil {
				clash = make([]bool, len(g.tops))
			}
			clash[i] = true
		}
	}
	return clash
}

// read finds the group's values in the body. It reports false where the body
// is not known in whole, is encoded, or is not what the service reads; an
// empty body says nothing.
func (f format) read(r *Request, g *group, values []body.Value) bool {
	if !r.Body.whole {
		return false
	}
	for _, v := range r.Header["Content-Encoding"] {
		if !r.Body.decoded && !strings.EqualFold(strings.TrimSpace(v), "identity") {
			return false
		}
	}
	if len(r.Body.data) == 0 {
		return true
	}
	kind, boundary, ok := f.kind(r.Header["Content-Type"])
	if !ok {
		return false
	}
	switch kind {
	case readsJSON:
		return g.finder.JSON(r.Body.data, values) == nil && !(f&anyType != 0 && g.alsoForm(r))
	case readsForm:
		data := bytes.TrimSpace(r.Body.data)
		if string(data) == "{}" {
			return true // which says nothing, however it is read
		}
		return !looksJSON(data) && g.finder.Form(r.Body.data, values) == nil
	case readsMultipart:
		return g.finder.Multipart(r.Body.data, boundary, values) == nil
	case readsQuery, anyType: // which are no kinds of bodies
	}
	return false
}

// alsoForm reports whether JSON that was sent as a form says something that
// the rows ask for when it is read as one.
func (g *group) alsoForm(r *Request) bool {
	types := r.Header["Content-Type"]
	if len(types) == 0 || !strings.Contains(strings.ToLower(types[0]), "form") || bytes.IndexByte(r.Body.data, '&') < 0 {
		return false
	}
	said := make([]body.Value, g.size)
	if g.finder.Form(r.Body.data, said) != nil {
		return true
	}
	for _, v := range said {
		if v.Kind != body.Absent {
			return true
		}
	}
	return false
}

// looksJSON reports whether data begins like JSON. As a form it would be one
// long name, and say nothing of what a service reads that looks at it closer.
func looksJSON(data []byte) bool {
	return len(data) > 0 && (data[0] == '{' || data[0] == '[')
}

// kind says what a body of the given content type is for the service.
func (f format) kind(types []string) (kind format, boundary string, ok bool) {
	if len(types) > 1 {
		return 0, "", false
	}
	if len(types) == 0 || types[0] == "" {
		return f.usual(), "", true
	}
	media, params, plain := strings.ToLower(strings.TrimSpace(types[0])), map[string]string(nil), true
	if strings.IndexByte(media, ';') >= 0 {
		var err error
		if media, params, err = mime.ParseMediaType(types[0]); err != nil {
			return 0, "", false
		}
		charset := strings.ToLower(params["charset"])
		plain = charset == "" || charset == "utf-8" || charset == "us-ascii"
	}
	switch {
	case !plain:
		return 0, "", false
	case media == "multipart/form-data":
		return readsMultipart, params["boundary"], f&readsMultipart != 0
	case f&anyType != 0:
		return f.usual(), "", true
	case media == "application/json", strings.HasSuffix(media, "+json"):
		return readsJSON, "", f&readsJSON != 0
	case media == "application/x-www-form-urlencoded":
		return readsForm, "", f&readsForm != 0
	}
	return 0, "", false
}

func (f format) usual() format {
	if f&readsForm != 0 {
		return readsForm
	}
	return readsJSON
}

func canonical(header string) string { return textproto.CanonicalMIMEHeaderKey(header) }
