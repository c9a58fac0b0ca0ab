package credential

import (
	"encoding/base64"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/tameflare/tameflare/domain/fault"
)

// Kind is how a service wants to be shown a credential.
type Kind string

const (
	None   Kind = ""       // the service takes no credential, or none was chosen
	Bearer Kind = "bearer" // Authorization: Bearer <secret> (RFC 6750)
	Token  Kind = "token"  // Authorization: token <secret>, as GitHub has it
	Basic  Kind = "basic"  // Authorization: Basic; the secret is "user:password" (RFC 7617)
	Header Kind = "header" // a header of its own, named by Style.Name
	Query  Kind = "query"  // a query parameter, named by Style.Name
)

// Style says where a credential goes on a request.
type Style struct {
	Kind Kind   `json:"style,omitempty" yaml:"style,omitempty"`
	Name string `json:"name,omitempty" yaml:"name,omitempty"` // of the header or query parameter
}

// Check fails with fault.Invalid where the style cannot be used as it stands.
func (s Style) Check() error {
	switch s.Kind {
	case None, Bearer, Token, Basic:
		if s.Name != "" {
			return fault.New(fault.Invalid, "Only the styles header and query take a name.", nil)
		}
		return nil
	case Header:
		if !httpguts.ValidHeaderFieldName(s.Name) || hopByHop[textproto.CanonicalMIMEHeaderKey(s.Name)] {
			return fault.New(fault.Invalid, "Name the header that carries the credential, such as X-Api-Key.", nil)
		}
		return nil
	case Query:
		if s.Name == "" || strings.ContainsAny(s.Name, "&=#? \t\r\n") {
			return fault.New(fault.Invalid, "Name the query parameter that carries the credential, such as api_key.", nil)
		}
		return nil
	}
	return fault.New(fault.Invalid, "The style must be bearer, token, basic, header or query.", nil)
}

// hopByHop are headers that a credential can never be in: they end at the
// next hop or frame the message.
var hopByHop = map[string]bool{
	"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Te": true,
	"Trailer": true, "Upgrade": true, "Keep-Alive": true, "Proxy-Connection": true, "Expect": true,
}

// Apply puts secret on a request: into h, or into the query of u. What was in
// that place before is gone afterwards.
func (s Style) Apply(h http.Header, u *url.URL, secret Secret) {
	v := secret.Reveal()
	switch s.Kind {
	case Bearer:
		h.Set("Authorization", "Bearer "+v)
	case Token:
		h.Set("Authorization", "token "+v)
	case Basic:
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(v)))
	case Header:
		h.Set(s.Name, v)
	case Query:
		stripQuery(u, s.Name)
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += url.QueryEscape(s.Name) + "=" + url.QueryEscape(v)
	case None:
	}
}

// Strip takes away what a client itself put where this style's credential
// goes. Authorization and Proxy-Authorization go whatever the style is.
func (s Style) Strip(h http.Header, u *url.URL) {
	h.Del("Authorization")
	h.Del("Proxy-Authorization")
	switch s.Kind {
	case Header:
		h.Del(s.Name)
	case Query:
		stripQuery(u, s.Name)
	case None, Bearer, Token, Basic:
	}
}

// stripQuery removes every parameter that some server or other takes for name,
// and leaves the others byte for byte as they were.
func stripQuery(u *url.URL, name string) {
	if u.RawQuery == "" {
		return
	}
	var kept strings.Builder
	gone := false
	for rest := u.RawQuery; rest != ""; {
		part, separator := rest, ""
		if i := strings.IndexAny(rest, "&;"); i >= 0 {
			part, separator = rest[:i], rest[i:i+1]
		}
		rest = rest[len(part)+len(separator):]
		key, _, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(key)
		plain, _, _ = strings.Cut(plain, "[")
		if err == nil && strings.EqualFold(strings.TrimSpace(plain), name) {
			gone = true
			continue
		}
		kept.WriteString(part)
		kept.WriteString(separator)
	}
	if gone {
		u.RawQuery = strings.TrimSuffix(kept.String(), "&")
	}
}
