package strict

import "net/netip"

// method accepts upper-case words as the registry of methods has them, among
// them M-SEARCH and VERSION-CONTROL.
func method[T text](m T) *Error {
	if len(m) == 0 || m[0] < 'A' || m[0] > 'Z' {
		return errMethod
	}
	for i := range len(m) {
		b := m[i]
		if (b < 'A' || b > 'Z') && b != '-' && octets[b]&isDigit == 0 {
			return errMethod
		}
	}
	if len(m) > 32 {
		return errMethodLong
	}
	// PRI opens an HTTP/2 connection. As an HTTP/1 method it only invites the
	// server behind us to change the protocol.
	if fold(m, "pri") {
		return errMethod
	}
	return nil
}

// target checks the request target and returns the authority in it, which is
// empty in the origin and asterisk forms, and the port that its scheme implies.
func target[T text](verb, t T) (authority T, port string, fault *Error) {
	if len(t) == 0 {
		return authority, "", errRequestLine
	}
	if !all(t, isTarget) {
		return authority, "", errTargetByte
	}
	if index(t, '#') >= 0 {
		return authority, "", errFragment
	}
	switch {
	case fold(verb, "connect"):
		if !hostPort(t, true) {
			return authority, "", errTarget
		}
		return t, "", nil
	case t[0] == '/':
		return authority, "", path(t)
	case len(t) == 1 && t[0] == '*':
		if !fold(verb, "options") {
			return authority, "", errTarget
		}
		return authority, "", nil
	}
	var rest T
	switch {
	case hasPrefix(t, "http://"):
		rest, port = t[len("http://"):], "80"
	case hasPrefix(t, "https://"):
		rest, port = t[len("https://"):], "443"
	case index(t, ':') > 0:
		return authority, "", errScheme
	default:
		return authority, "", errTarget
	}
	end := 0
	for end < len(rest) && rest[end] != '/' && rest[end] != '?' {
		end++
	}
	if !hostPort(rest[:end], false) {
		return authority, "", errTarget
	}
	return rest[:end], port, path(rest[end:])
}

func hasPrefix[T text](s T, p string) bool {
	if len(s) < len(p) {
		return false
	}
	for i := range len(p) {
		if s[i] != p[i] {
			return false
		}
	}
	return true
}

// path checks what comes before the query. The query is the server's own
// business: it has no structure that a forwarder could get wrong.
func path[T text](p T) *Error {
	for i := 0; i < len(p) && p[i] != '?'; i++ {
		switch p[i] {
		case '\\': // a slash to some servers and a letter to others
			return errTargetByte
		case '%':
			if i+2 >= len(p) || octets[p[i+1]]&octets[p[i+2]]&isHex == 0 {
				return errEscape
			}
		}
	}
	return nil
}

// hostPort reports whether s is a host with an optional port, or with one that
// must be there, and nothing else: no user, no path, no zone, no escape.
func hostPort[T text](s T, needPort bool) bool {
	host, port, ok := cut(s)
	if !ok || len(port) == 0 && needPort {
		return false
	}
	if len(port) > 0 {
		if n, ok := number(port); !ok || n == 0 || n > 65535 {
			return false
		}
	}
	if len(host) == 0 || len(host) > 255 {
		return false
	}
	if host[0] == '[' {
		// Rare, so that the copy does not matter.
		a, err := netip.ParseAddr(string(host[1 : len(host)-1]))
		return err == nil && a.Is6() && a.Zone() == ""
	}
	return all(host, isHost)
}

// cut splits host and port. The port is empty only when there is no colon.
func cut[T text](s T) (host, port T, ok bool) {
	end := len(s)
	if len(s) > 0 && s[0] == '[' {
		end = index(s, ']') + 1
		if end == 0 {
			return s, port, false
		}
	} else if i := index(s, ':'); i >= 0 {
		end = i
	}
	if end == len(s) {
		return s, port, true
	}
	if s[end] != ':' || end+1 == len(s) {
		return s, port, false
	}
	return s[:end], s[end+1:], true
}

// sameAuthority reports whether a and b, both checked by hostPort, name one
// destination, where a missing port is the implied one. With nothing implied a
// missing port equals any.
func sameAuthority[T text](a, b T, implied string) bool {
	ha, pa, _ := cut(a)
	hb, pb, _ := cut(b)
	if len(ha) != len(hb) {
		return false
	}
	for i := range len(ha) {
		if lower(ha[i]) != lower(hb[i]) {
			return false
		}
	}
	switch {
	case len(pa) == 0 && len(pb) == 0:
		return true
	case len(pa) == 0:
		return implied == "" || fold(pb, implied)
	case len(pb) == 0:
		return implied == "" || fold(pa, implied)
	}
	return string(pa) == string(pb)
}
