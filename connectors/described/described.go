// Package described reads requests that somebody has written down instead of
// sending them.
//
// They are judged as those are that go through a gateway, so what is refused
// at its door is refused here, with the same sentences.
package described

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/address"
	"github.com/tameflare/tameflare/domain/fault"
)

// Request is a request as a person writes it.
type Request struct {
	Method string
	URL    string // absolute, http or https
	Header http.Header
	Body   []byte
	Unread bool // the body has parts that are not here, so nothing in it is known
}

// Connectors returns r in the form in which a gateway judges requests: the
// path as it is written, and the host in its one spelling. It fails with
// fault.Invalid where a gateway would not have taken it.
func (r Request) Connectors() (connectors.Request, error) {
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
	host, _, err := address.ParseHost(rest[:end])
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
	if err := checkHeader(r.Header, host); err != nil {
		return none, err
	}
	body := connectors.Whole(r.Body)
	if r.Unread {
		body = connectors.Unreadable()
	}
	return connectors.Request{Method: r.Method, Host: host, Path: path, RawQuery: query, Header: r.Header, Body: body}, nil
}

// checkHeader fails where a header cannot be sent, or leads elsewhere.
func checkHeader(h http.Header, host string) error {
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			return fault.New(fault.Invalid, "A header's name is letters, digits and dashes, as in Content-Type.", nil)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fault.New(fault.Invalid, "The header "+name+" has a line break or another control character in it.", nil)
			}
		}
	}
	for _, other := range h["Host"] {
		if named, _, err := address.ParseHost(other); err != nil || named != host {
			return fault.New(fault.Invalid, "The header Host names another host than the address. A gateway refuses such a request.", nil)
		}
	}
	return nil
}
