package proxy

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/connectors"
)

// dummiesOf returns every dummy key, of whatever run, in a header and a
// target, also where it stands in escapes or in a Basic authorisation. Whoever
// wants to hide one can: this is for keys that are carried away as they are.
func dummiesOf(h http.Header, path, query string) []string {
	var all []string
	all = unescapedDummies(all, path)
	all = unescapedDummies(all, query)
	for _, values := range h {
		for _, value := range values {
			all = unescapedDummies(all, value)
			if plain, ok := basic(value); ok {
				all = unescapedDummies(all, plain)
			}
		}
	}
	return all
}

// rounds is how often escapes are taken off: some clients escape twice.
const rounds = 3

func unescapedDummies(all []string, s string) []string {
	all = appendDummies(all, s)
	for range rounds {
		plain := lenient(s)
		if plain == s {
			break
		}
		s = plain
		all = appendDummies(all, s)
	}
	return all
}

func appendDummies(all []string, s string) []string {
	for {
		dummy, ok := connectors.FindDummy(s)
		if !ok {
			return all
		}
		all = append(all, dummy)
		s = s[strings.Index(s, dummy)+len(dummy):]
	}
}

// lenient takes the percent escapes off that are ones, and leaves what only
// looks like one.
func lenient(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	plain := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if high, low := unhex(s[i+1]), unhex(s[i+2]); high >= 0 && low >= 0 {
				plain = append(plain, byte(high<<4|low))
				i += 2
				continue
			}
		}
		plain = append(plain, s[i])
	}
	return string(plain)
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// basic returns the user and the password of a Basic authorisation.
func basic(value string) (string, bool) {
	scheme, rest, found := strings.Cut(strings.TrimSpace(value), " ")
	if !found || !strings.EqualFold(scheme, "basic") {
		return "", false
	}
	rest = strings.TrimRight(strings.TrimSpace(rest), "=")
	for _, e := range [...]*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if plain, err := e.DecodeString(rest); err == nil {
			return string(plain), true
		}
	}
	return "", false
}

// keptDummies returns the dummy keys in as much of the body as was kept to be
// judged, or for a person.
func (x *exchange) keptDummies() []string {
	if len(x.kept) == 0 {
		return nil
	}
	data := x.kept
	if codings := x.r.Header["Content-Encoding"]; len(codings) == 1 {
		data, _ = partly(codings[0], data, x.s.limits.Look)
	}
	if !bytes.Contains(data, []byte(connectors.DummyMarker)) {
		return nil
	}
	return appendDummies(nil, string(data))
}
