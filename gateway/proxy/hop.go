package proxy

import (
	"net/http"
	"net/textproto"
	"strings"
)

// hops are the headers that end at the next hop (RFC 9110 §7.6.1), spelt as
// http.Header has them.
var hops = [...]string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "Content-Length", "Expect", "Host", "Proxy-Authentication-Info",
}

// stripHops takes away what is not meant for whoever comes after us: the
// headers above, and those that Connection names.
func stripHops(h http.Header) {
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.TrimSpace(name); name != "" {
				delete(h, textproto.CanonicalMIMEHeaderKey(name))
			}
		}
	}
	for _, name := range hops {
		delete(h, name)
	}
}

// answerHeader turns an upstream's header into what the client gets.
func answerHeader(h http.Header) {
	stripHops(h)
	// It would lead the client past us, by HTTP/3.
	delete(h, "Alt-Svc")
	// What only we say, nobody else says.
	for name := range h {
		if strings.HasPrefix(name, "X-Tameflare-") {
			delete(h, name)
		}
	}
}

// takesTrailers reports whether the client says so.
func takesTrailers(h http.Header) bool {
	for _, value := range h["Te"] {
		for item := range strings.SplitSeq(value, ",") {
			if name, _, _ := strings.Cut(item, ";"); strings.EqualFold(strings.TrimSpace(name), "trailers") {
				return true
			}
		}
	}
	return false
}
