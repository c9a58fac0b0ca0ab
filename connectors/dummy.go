package connectors

import (
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"strings"
)

// DummyMarker is in every dummy key, after the service's own prefix. 27 digits
// of base 62 follow it.
const DummyMarker = "tameflare"

const dummyDigits = 27

const base62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Dummy returns a key that looks to clients like one of the service's and
// opens nothing. The same seed gives the same key.
func (t *Type) Dummy(seed string) string {
	sum := sha256.Sum256([]byte("tameflare dummy key\x00" + t.Name + "\x00" + seed))
	digits := new(big.Int).SetBytes(sum[:]).Text(62)
	return t.service.dummyPrefix() + DummyMarker + (strings.Repeat("0", dummyDigits) + digits)[len(digits):][:dummyDigits]
}

// FindDummy finds a dummy key in s, of whatever type, without its prefix.
func FindDummy(s string) (dummy string, ok bool) {
	for {
		i := strings.Index(s, DummyMarker)
		if i < 0 {
			return "", false
		}
		s = s[i:]
		if len(s) >= len(DummyMarker)+dummyDigits && strings.Trim(s[len(DummyMarker):len(DummyMarker)+dummyDigits], base62) == "" {
			return s[:len(DummyMarker)+dummyDigits], true
		}
		s = s[len(DummyMarker):]
	}
}

// Brought returns every credential that a client itself put on a request, in
// any of the places where this service or any like it looks for one.
func (c *Connector) Brought(h http.Header, u *url.URL) []string {
	var all []string
	add := func(value string) {
		if value = strings.TrimSpace(value); value != "" {
			all = appendNew(all, value)
		}
	}
	for _, name := range append([]string{c.style.Name}, c.typ.Headers...) {
		if name == "" {
			continue
		}
		for _, value := range h.Values(name) {
			switch http.CanonicalHeaderKey(name) {
			case "Authorization", "Proxy-Authorization":
				for _, part := range authorization(value) {
					add(part)
				}
			default:
				add(value)
			}
		}
	}
	for _, name := range append([]string{c.style.Name}, c.typ.Queries...) {
		if name == "" {
			continue
		}
		values, err := queryValues(u.RawQuery, name)
		if err != nil {
			add(u.RawQuery) // it may be there
		}
		for _, value := range values {
			add(value)
		}
	}
	if u.User != nil {
		add(u.User.Username())
		if password, ok := u.User.Password(); ok {
			add(password)
		}
	}
	return all
}

// authorization returns what in the value of an Authorization header is
// secret: both halves where it is a user and a password (RFC 7617).
func authorization(value string) []string {
	scheme, rest, found := strings.Cut(strings.TrimSpace(value), " ")
	if !found {
		return []string{value}
	}
	if strings.EqualFold(scheme, "basic") {
		if plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest)); err == nil {
			user, password, _ := strings.Cut(string(plain), ":")
			return []string{user, password}
		}
	}
	return []string{rest}
}
