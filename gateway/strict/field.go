package strict

// fields is what the header lines of one request add up to.
type fields struct {
	count     int
	host      bool
	length    int64
	hasLength bool
	chunked   bool
	expect    bool
	upgrade   bool
	trailer   bool
}

// name checks a header name.
func name[T text](n T) *Error {
	if len(n) == 0 || !all(n, isToken) {
		return errFieldName
	}
	i := 0
	for i < len(n)-1 && !letter(n[i]) {
		i++
	}
	switch n[i] | 0x20 {
	case 'c':
		return genuine(n, "contentlength", "content-length")
	case 'h':
		return genuine(n, "host", "host")
	case 't':
		return genuine(n, "transferencoding", "transfer-encoding")
	}
	return nil
}

func genuine[T text](n T, letters, spelt string) *Error {
	if imitates(n, letters) && !fold(n, spelt) {
		return errLookAlike
	}
	return nil
}

// add takes one header into account. The value still has the blanks around it.
func add[T text](f *fields, n, value T, minor int) *Error {
	if fault := name(n); fault != nil {
		return fault
	}
	if !all(value, isValue) {
		return errControl
	}
	f.count++
	v := trim(value)
	switch n[0] | 0x20 {
	case 'c':
		switch {
		case fold(n, "content-length"):
			length, ok := number(v)
			return f.setLength(index(value, '\t') >= 0, length, ok)
		case fold(n, "connection"):
			return list(v, nominated[T])
		}
	case 'e':
		if fold(n, "expect") {
			// Two Expect lines, or one with more in it, make some servers wait
			// for a body that others do not.
			if f.expect || string(v) != "100-continue" {
				return errExpect
			}
			f.expect = true
		}
	case 'h':
		switch {
		case fold(n, "host"):
			if f.host {
				return errHostTwice
			}
			if index(value, '\t') >= 0 || !hostPort(v, false) {
				return errHost
			}
			f.host = true
		case fold(n, "http2-settings"):
			return errUpgrade
		}
	case 't':
		switch {
		case fold(n, "transfer-encoding"):
			return f.setEncoding(index(value, '\t') >= 0, string(v) == "chunked", all(v, isToken) && len(v) > 0, minor)
		case fold(n, "trailer"):
			f.trailer = true
			return list(v, announced[T])
		}
	case 'u':
		if fold(n, "upgrade") {
			f.upgrade = true
			return list(v, protocol[T])
		}
	}
	return nil
}

// setLength takes a Content-Length. Blanks inside make it no number; a tab
// around it is something no client sends and some servers do not trim.
func (f *fields) setLength(tab bool, n int64, ok bool) *Error {
	if f.hasLength {
		return errLengthTwice
	}
	if tab || !ok {
		return errLength
	}
	f.length, f.hasLength = n, true
	return nil
}

func (f *fields) setEncoding(tab, chunked, token bool, minor int) *Error {
	switch {
	case f.chunked:
		return errEncoding
	case minor == 0:
		return errEncodingOld
	case chunked && !tab:
		f.chunked = true
		return nil
	case token && !tab:
		return errEncodingKind
	}
	return errEncoding
}

// end looks at how the headers go together.
func (f *fields) end(connect bool) *Error {
	switch {
	case f.chunked && f.hasLength:
		return errBothLengths
	case connect && (f.chunked || f.length > 0):
		return errConnectBody
	case f.upgrade && (f.chunked || f.length > 0):
		return errUpgradeBody
	case f.trailer && !f.chunked:
		return errTrailer
	}
	return nil
}

// list checks each element of a comma-separated list.
func list[T text](v T, check func(T) *Error) *Error {
	for len(v) > 0 {
		item := v
		if i := index(v, ','); i >= 0 {
			item, v = v[:i], v[i+1:]
		} else {
			v = v[len(v):]
		}
		if fault := check(trim(item)); fault != nil {
			return fault
		}
	}
	return nil
}

// nominated checks a name in the Connection header. A proxy drops the headers
// named there, and the request has been judged with them: so none may be named
// but those that never go further.
func nominated[T text](n T) *Error {
	for _, w := range [...]string{
		"close", "keep-alive", "upgrade", "te", "trailer", "http2-settings", "proxy-connection", "proxy-authorization",
	} {
		if fold(n, w) {
			return nil
		}
	}
	return errConnection
}

// announced checks a name in the Trailer header.
func announced[T text](n T) *Error {
	if len(n) == 0 || !all(n, isToken) || framing(n) || fold(n, "trailer") || fold(n, "connection") ||
		fold(n, "upgrade") || fold(n, "te") || fold(n, "keep-alive") || fold(n, "set-cookie") ||
		hasFold(n, "proxy-") || hasFold(n, "x-forwarded-") || hasFold(n, "x-tameflare-") {
		return errTrailer
	}
	return nil
}

// framing reports whether a header says how long the request is, where it
// goes, who sends it or how its body reads.
func framing[T text](n T) bool {
	for _, w := range [...]string{
		"host", "content-length", "transfer-encoding", "authorization", "cookie",
		"content-type", "content-encoding", "content-range", "range", "expect", "forwarded",
	} {
		if fold(n, w) {
			return true
		}
	}
	return name(n) != nil
}

func hasFold[T text](s T, p string) bool { return len(s) >= len(p) && fold(s[:len(p)], p) }

// protocol checks a name in the Upgrade header. HTTP/2 by upgrade would carry
// requests past every later check.
func protocol[T text](p T) *Error {
	if len(p) == 0 || hasFold(p, "h2") || hasFold(p, "http") || hasFold(p, "tls") {
		return errUpgrade
	}
	for i := range len(p) {
		if octets[p[i]]&isToken == 0 && p[i] != '/' {
			return errUpgrade
		}
	}
	return nil
}
