package proxy

import (
	"net/http"
	"net/url"
	"strings"
)

// shortest is how long a credential must be to be looked for in an answer: what
// is shorter is found by chance, and hides nothing.
const shortest = 6

// conceal cuts the credential that the request was given out of a header of the
// answer. A service that redirects repeats the query that it was sent, and
// with it the key. Bodies stream, and are not looked through.
func (x *exchange) conceal(h http.Header) {
	c, ok := x.state.Credential(x.connector)
	if !ok || len(c.Secret.Reveal()) < shortest {
		return
	}
	plain := c.Secret.Reveal()
	escaped := url.QueryEscape(plain)
	for _, values := range h {
		for i, v := range values {
			if strings.Contains(v, plain) || strings.Contains(v, escaped) {
				values[i] = strings.NewReplacer(plain, hidden, escaped, hidden).Replace(v)
			}
		}
	}
}

// hidden stands where the credential was. Sent again it is replaced by the
// credential, as anything else in that place is.
const hidden = "hidden-by-tameflare"
