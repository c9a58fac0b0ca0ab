package proxy

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"

	"github.com/tameflare/tameflare/domain/fault"
)

// outbound is a request as it goes upstream. It goes once.
type outbound struct {
	dest    destination
	method  string
	path    string // as the client sent it
	query   string // with the credential, where it belongs there
	header  http.Header
	upgrade bool // asks to switch protocols
	one     bool // goes over HTTP/1: the client speaks that, or asks to switch from it
	trails  bool // the client takes trailers

	body    io.ReadCloser // nil where there is none
	kept    []byte        // what comes before body
	length  int64         // of both together; -1 where it is not known
	empty   bool          // says so, for methods whose requests usually have a body
	trailer http.Header   // complete once body is read to its end
	expect  bool          // the client waits to be asked for the body
	sent    *atomic.Int64

	permits    string // what its connections may be used for, beside the destination
	credential string

	interim func(status int, h http.Header)
}

// target is the request target, in the origin form.
func (o *outbound) target() string {
	if o.query == "" {
		return o.path
	}
	return o.path + "?" + o.query
}

// stream is what of the body must be copied: all of it, kept or not.
func (o *outbound) stream() io.Reader {
	switch {
	case o.body == nil:
		return bytes.NewReader(o.kept)
	case len(o.kept) == 0:
		return o.body
	}
	return io.MultiReader(bytes.NewReader(o.kept), o.body)
}

// equip makes the request that goes upstream: without what the client brought
// of its own, and with the credential.
func (x *exchange) equip() error {
	h := x.r.Header
	out := &outbound{
		dest: x.dest, method: x.r.Method, path: x.path, header: h, upgrade: x.upgrade, one: x.upgrade || x.proto == "h1",
		kept: x.kept, length: x.length, trailer: x.r.Trailer, sent: &x.sent, interim: x.interim,
		trails: takesTrailers(h), expect: len(h["Expect"]) > 0,
	}
	if _, ok := h["Content-Length"]; ok && x.length == 0 {
		out.empty = true
	}
	if !x.whole {
		out.body = x.body
	}
	protocol := h["Upgrade"]
	stripHops(h)
	if x.upgrade {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, protocol
	}
	u := x.url()
	if err := x.authorise(out, &u); err != nil {
		return err
	}
	out.query, x.out = u.RawQuery, out
	x.expectLists(h)
	return nil
}

// sendable fails where equip would for want of a credential, and changes
// nothing.
func (x *exchange) sendable() error {
	u := x.url()
	return x.authorise(&outbound{header: x.r.Header.Clone()}, &u)
}

func (x *exchange) url() url.URL {
	return url.URL{Scheme: x.dest.scheme, Path: x.r.URL.Path, RawPath: x.r.URL.RawPath, RawQuery: x.query}
}

// authorise takes foreign credentials off, and puts ours on; where the client
// may bring one of its own, and does, neither.
//
// To a host that no connector answers for nothing is put, and nothing is taken
// off: at the enforcement levels that let such a request pass there is no
// credential of ours to protect, and without its own the client could not be
// watched doing its work.
func (x *exchange) authorise(out *outbound, u *url.URL) error {
	if x.connector == nil {
		return nil
	}
	for _, p := range x.state.Permits(x.dest.host) {
		out.permits += p.String() + " "
	}
	if x.client.own != "" { // it goes through as it is
		out.credential = x.client.own
		return nil
	}
	x.connector.Strip(out.header, u)
	c, needed := x.state.Credential(x.connector)
	if !needed {
		return nil
	}
	if c.Secret.Empty() {
		return unavailable("The credential of this connector is not here.", nil)
	}
	if !c.For(x.dest.host) {
		return fault.New(fault.Forbidden, "The credential of this connector is not for "+x.dest.host+".", nil)
	}
	out.credential = c.ID
	err := x.connector.Authorise(out.header, u, x.dest.host, c.Secret)
	if fault.Of(err) == fault.Invalid { // the secret is, and not the request
		return unavailable(fault.Message(err), err)
	}
	return err
}

// interim passes a 1xx answer on.
func (x *exchange) interim(status int, h http.Header) {
	answerHeader(h)
	x.conceal(h)
	x.reply.interim(status, h)
}

// bodyless are the methods of requests that usually have no body, so that the
// lack of one need not be said.
var bodyless = []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodDelete}

// saysEmpty reports whether the request should say that it has no body.
func (o *outbound) saysEmpty() bool { return o.empty || !slices.Contains(bodyless, o.method) }
