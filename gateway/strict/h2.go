package strict

import (
	"net/http"
	"strings"
)

// CheckH2 judges a request that came over HTTP/2, as net/http hands it over.
// There the framing cannot lie about where a request ends, but the request
// still becomes an HTTP/1 request at some server, so it must be one that can
// be written as such without changing its meaning.
//
// The result is an error holding an *Error, or nil.
func CheckH2(r *http.Request, limits Limits) error {
	if fault := checkH2(r, limits.withDefaults()); fault != nil {
		return fault
	}
	return nil
}

func checkH2(r *http.Request, limits Limits) *Error {
	if fault := method(r.Method); fault != nil {
		return fault
	}
	if len(r.RequestURI) > limits.Target {
		return errTargetLong
	}
	// Inside a terminated tunnel nobody opens another, nor sends what only a
	// proxy is sent.
	if r.Method == http.MethodConnect || r.RequestURI != "*" && !strings.HasPrefix(r.RequestURI, "/") {
		return errTarget
	}
	if _, _, fault := target(r.Method, r.RequestURI); fault != nil {
		return fault
	}
	if r.Host == "" {
		return errHostMissing
	}
	if !hostPort(r.Host, false) {
		return errHost
	}
	f := fields{}
	size := len(r.RequestURI)
	for n, values := range r.Header {
		for _, v := range values {
			if size += len(n) + len(v); size > limits.Head {
				return errHeadLarge
			}
			if f.count == limits.Headers {
				return errManyHeaders
			}
			if fault := addH2(&f, r, n, v); fault != nil {
				return fault
			}
		}
	}
	if f.hasLength && r.ContentLength != f.length {
		return errH2Length
	}
	for n := range r.Trailer {
		if fault := announced(n); fault != nil {
			return fault
		}
	}
	return nil
}

func addH2(f *fields, r *http.Request, n, v string) *Error {
	for _, w := range [...]string{
		"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "http2-settings",
	} {
		if fold(n, w) {
			return errH2Field
		}
	}
	switch {
	case fold(n, "te") && v != "trailers":
		return errH2Field
	case len(v) > 0 && v != trim(v):
		return errH2Space
	case fold(n, "trailer"):
		return nil // net/http moved the names to r.Trailer, where they are checked
	}
	if fault := add(f, n, v, 1); fault != nil {
		return fault
	}
	if fold(n, "host") && v != r.Host {
		return errAuthority
	}
	return nil
}
