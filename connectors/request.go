package connectors

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/tameflare/tameflare/domain/fault"
)

// Request is what a connector may look at. Nothing in it is changed.
type Request struct {
	Method   string
	Host     string // in the one spelling made at the door: lower case, no port, no final dot
	Path     string // as it was sent, with its escapes
	RawQuery string
	Header   http.Header
	Body     Body
}

// Body is what is known of a request's body. The zero Body has not been read,
// and what would depend on it is unknown.
type Body struct {
	whole   bool
	begun   bool // data is the beginning, at least
	decoded bool // the content coding has been taken off
	data    []byte
}

// Whole is a body as it was sent, read to its end; data may be empty. What is
// in a content coding cannot be read.
func Whole(data []byte) Body { return Body{whole: true, begun: true, data: data} }

// Decoded is a whole body whose content coding the caller has taken off.
func Decoded(data []byte) Body { return Body{whole: true, begun: true, decoded: true, data: data} }

// BeginningOf is the beginning of a body, with any content coding taken off.
func BeginningOf(data []byte) Body { return Body{begun: true, decoded: true, data: data} }

// Unreadable is a body that could not be read: too large, or cut off.
func Unreadable() Body { return Body{} }

// overrides are headers with which some servers let a request have another
// method than the one it is sent with.
var overrides = []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"}

// method returns the method in effect, in capitals, since some servers do not
// mind their case. It fails with fault.Invalid where the request asks to be
// taken for another.
func (r Request) method() (string, error) {
	if !httpguts.ValidHeaderFieldName(r.Method) {
		return "", fault.New(fault.Invalid, "The request has no usable method.", nil)
	}
	method := upper(r.Method)
	for _, name := range overrides {
		for _, value := range r.Header[name] {
			if upper(strings.TrimSpace(value)) != method {
				return "", fault.New(fault.Invalid, "Send the request with the method that you mean, and without "+name+".", nil)
			}
		}
	}
	values, err := queryValues(r.RawQuery, "_method")
	if err != nil {
		return "", err
	}
	for _, value := range values {
		if upper(value) != method {
			return "", fault.New(fault.Invalid, "Send the request with the method that you mean, and without _method.", nil)
		}
	}
	return method, nil
}

func upper(s string) string {
	for i := range len(s) {
		if 'a' <= s[i] && s[i] <= 'z' {
			return strings.ToUpper(s)
		}
	}
	return s
}

// upgrades reports whether the request wants to become something else than
// HTTP, in which anything may follow.
func (r Request) upgrades() bool { return len(r.Header["Upgrade"]) > 0 }
