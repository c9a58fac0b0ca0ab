package proxy

import (
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/gateway/netguard"
)

// destination is where a request goes. There is one for each request, and it
// is what the rules judge, what is dialled, what the certificate must name and
// what the Host header says upstream.
type destination struct {
	scheme string // "http" or "https"
	host   string // as netguard.ParseHost spells it
	port   uint16
}

func (d destination) usual() bool {
	return d.scheme == "https" && d.port == 443 || d.scheme == "http" && d.port == 80
}

// authority is what Host and :authority say: without the port where it is the
// scheme's own, since some services sign it and expect none.
func (d destination) authority() string {
	if d.usual() {
		return netguard.JoinHost(d.host, 0)
	}
	return netguard.JoinHost(d.host, d.port)
}

// names reports whether authority, as a client wrote it, is d.
func (d destination) names(authority string) bool {
	host, port, err := netguard.ParseHost(authority)
	return err == nil && host == d.host && (port == d.port || port == 0 && d.usual())
}

// bind finds the one destination of r. The tunnel, the server name inside it,
// the request's target and its Host header must all say the same; of what they
// say nothing is believed over the rest.
func (t *tunnel) bind(r *http.Request) (d destination, refused *refusal) {
	if t.to.host == "" {
		return bindPlain(r)
	}
	d = t.to
	if t.wrong != "" {
		return d, misdirected("The tunnel leads to " + d.host + ", but the TLS server name inside it is another host.")
	}
	if r.Host != "" && !d.names(r.Host) { // HTTP/1.0 need not say
		return d, misdirected("The tunnel leads to " + d.authority() + ", but the request inside it is for another host.")
	}
	if target := r.RequestURI; !strings.HasPrefix(target, "/") && target != "*" {
		if r.URL.Scheme != d.scheme || !d.names(r.URL.Host) {
			return d, misdirected("The tunnel leads to " + d.authority() + ", but the request's target is another.")
		}
	}
	return d, nil
}

// bindPlain is for requests that come to the proxy itself, without a tunnel:
// their target names everything.
func bindPlain(r *http.Request) (destination, *refusal) {
	if r.URL.Host == "" {
		return destination{}, &refusal{
			status: http.StatusBadRequest, code: "malformed", last: true,
			detail: "This is a proxy. Send it the whole URL, or CONNECT.",
		}
	}
	if r.URL.Scheme != "http" {
		return destination{}, &refusal{
			status: http.StatusBadRequest, code: "malformed", last: true,
			detail: "Open a tunnel with CONNECT for https.",
		}
	}
	host, port, err := netguard.ParseHost(r.URL.Host)
	if err != nil {
		return destination{}, &refusal{
			status: http.StatusBadRequest, code: "malformed", last: true,
			detail: "The request's target does not name a proper host.",
		}
	}
	if port == 0 {
		port = 80
	}
	d := destination{"http", host, port}
	if r.Host != "" && !d.names(r.Host) {
		return d, misdirected("The request names one host in its target and another in its Host header.")
	}
	return d, nil
}

func misdirected(detail string) *refusal {
	return &refusal{
		status: http.StatusMisdirectedRequest, code: "misdirected", detail: detail,
		suggestion: "Send the request to the host that the connection was opened for.",
	}
}

// target splits what comes after the authority, byte for byte as it was sent.
func target(r *http.Request) (path, query string) {
	t := r.RequestURI
	if i := strings.Index(t, "://"); i > 0 && !strings.HasPrefix(t, "/") {
		t = t[i+3:]
		if i = strings.IndexAny(t, "/?"); i < 0 {
			t = "/"
		} else {
			t = t[i:]
		}
	}
	path, query, _ = strings.Cut(t, "?")
	if path == "" {
		path = "/"
	}
	return path, query
}
