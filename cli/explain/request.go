package explain

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/netguard"
)

// request is a request to explain.
type request struct {
	Method  string
	URL     string
	Headers http.Header
	Body    []byte
}

// parse reads a line of --jsonl. A header may have one value or a list; a body
// is text, or any other JSON for a body of just that.
func (r *request) parse(line []byte) error {
	var in struct {
		Method  string                     `json:"method"`
		URL     string                     `json:"url"`
		Headers map[string]json.RawMessage `json:"headers"`
		Body    json.RawMessage            `json:"body"`
	}
	bad := func(err error) error {
		return fault.New(fault.Invalid, `A line is {"method","url","headers","body"}.`, err)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || d.More() {
		return bad(err)
	}
	*r = request{Method: in.Method, URL: in.URL, Headers: http.Header{}}
	for name, raw := range in.Headers {
		var one string
		var many []string
		if json.Unmarshal(raw, &one) == nil {
			many = []string{one}
		} else if err := json.Unmarshal(raw, &many); err != nil {
			return bad(err)
		}
		for _, value := range many {
			r.Headers.Add(name, value)
		}
	}
	var text string
	switch {
	case len(in.Body) == 0 || string(in.Body) == "null":
	case json.Unmarshal(in.Body, &text) == nil:
		r.Body = []byte(text)
	default:
		r.Body = in.Body
	}
	return nil
}

// connectors returns r in the form in which the gateway judges requests: the
// path as it is written, and the host in its one spelling.
func (r request) connectors() (connectors.Request, error) {
	var none connectors.Request
	scheme, rest, ok := strings.Cut(r.URL, "://")
	if scheme = strings.ToLower(scheme); !ok || scheme != "https" && scheme != "http" || r.Method == "" {
		return none, fault.New(fault.Invalid, "The address must be an http or https URL, and there must be a method.", nil)
	}
	rest, _, _ = strings.Cut(rest, "#") // which clients do not send
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, _, err := netguard.ParseHost(rest[:end])
	if err != nil {
		return none, err
	}
	path, query, _ := strings.Cut(rest[end:], "?")
	if path == "" {
		path = "/"
	}
	if strings.ContainsFunc(path+query, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return none, fault.New(fault.Invalid, "The address has a space or a control character in it.", nil)
	}
	return connectors.Request{Method: r.Method, Host: host, Path: path, RawQuery: query, Header: r.Headers, Body: connectors.Whole(r.Body)}, nil
}
