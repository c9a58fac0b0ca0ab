package main

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// clientIP tells who asks. A header says so only where nobody but our own
// proxy can have written it: what a stranger writes would let them past every
// limit, and into the audit trail under another's address.
func clientIP(c Config, at places) func(*http.Request) string {
	host, _, _ := net.SplitHostPort(c.Addr) // checked by LoadConfig
	switch {
	case c.OnFly:
		return fromHeader("Fly-Client-IP") // which Fly's proxy always replaces
	case isLoopback(host) && !at.Loopback:
		return fromHeader("X-Forwarded-For") // a proxy on this machine is the only way in
	}
	return connecting
}

// fromHeader believes the last address in the header, which the nearest proxy
// wrote. Those before it came with the request.
func fromHeader(name string) func(*http.Request) string {
	return func(r *http.Request) string {
		values := r.Header.Values(name)
		if len(values) == 0 {
			return connecting(r)
		}
		last := values[len(values)-1]
		if i := strings.LastIndexByte(last, ','); i >= 0 {
			last = last[i+1:]
		}
		ip, err := netip.ParseAddr(strings.TrimSpace(last))
		if err != nil {
			return connecting(r)
		}
		return ip.Unmap().WithZone("").String()
	}
}

// connecting is the other end of the connection.
func connecting(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
