package described

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/policy"
)

// Question returns what is decided about r at a gateway with these connectors,
// but for who makes it and when, and which of them answers for its host; nil
// for none. It fails with fault.Invalid where a gateway would not have taken
// r.
func (r Request) Question(set *connectors.Set) (policy.Question, *connectors.Connector, error) {
	r.Header = spelled(r.Header)
	seen, err := r.Connectors()
	if err != nil {
		return policy.Question{}, nil, err
	}
	scheme, _, _ := strings.Cut(r.URL, "://")
	q := policy.Question{Request: &policy.Request{
		Method: strings.ToUpper(seen.Method), Scheme: strings.ToLower(scheme), Host: seen.Host,
		Header: make(map[string]string, len(r.Header)),
	}}
	for name, values := range r.Header {
		if name = strings.ToLower(name); len(values) == 1 {
			q.Request.Header[name] = values[0]
		} else { // servers differ in which of several counts
			q.Request.Hidden = append(q.Request.Hidden, "headers."+name)
		}
	}
	slices.Sort(q.Request.Hidden)
	var known bool
	if q.Request.Path, known = connectors.PlainPath(seen.Path); !known {
		q.Request.Hidden = append(q.Request.Hidden, "path")
	}
	if q.Request.Query, known = seen.QueryValues(); !known {
		q.Request.Hidden = append(q.Request.Hidden, "query")
	}
	read := seen.BodyValue
	c := set.For(seen.Host)
	if c == nil {
		q.Action = connectors.Unmatched(seen)
	} else {
		q.Type = c.Type().Name
		q.Action, err = c.Read(seen)
		read = func() (any, bool) { return c.BodyValue(seen) }
	}
	if q.Request.Body, known = read(); !known {
		q.Request.Hidden = append(q.Request.Hidden, "body")
	}
	return q, c, err
}

// spelled returns h with the names of headers as they are after reading them.
func spelled(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		for _, v := range values {
			out.Add(name, v)
		}
	}
	return out
}
