package credential

import (
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

// Grant is how a credential's secret comes to be.
type Grant string

const (
	Static            Grant = ""                   // somebody put it in, and it stays as it is
	ClientCredentials Grant = "client_credentials" // RFC 6749, 4.4
	RefreshToken      Grant = "refresh_token"      // RFC 6749, 6
)

// ClientAuth is how a client shows a token endpoint who it is (RFC 6749, 2.3.1).
type ClientAuth string

const (
	ClientBasic ClientAuth = "basic" // in the Authorization header
	ClientPost  ClientAuth = "post"  // in the form
)

// OAuth says where access tokens come from. It holds no secret. The zero OAuth
// is that of a static credential.
type OAuth struct {
	Grant      Grant
	TokenURL   string
	ClientID   string
	Scope      string // words with one space between, as RFC 6749 has it
	Audience   string // a parameter that some endpoints want; "" for none
	Resource   string // RFC 8707; "" for none
	ClientAuth ClientAuth
}

// Limits of what people say about OAuth.
const (
	maxURL   = 2000
	maxParam = 1000
)

// Clean returns o in the one spelling that is stored and compared. It fails
// with fault.Invalid where o cannot be used, or is no OAuth at all.
func (o OAuth) Clean() (OAuth, error) {
	o.TokenURL, o.ClientID = strings.TrimSpace(o.TokenURL), strings.TrimSpace(o.ClientID)
	o.Audience, o.Resource = strings.TrimSpace(o.Audience), strings.TrimSpace(o.Resource)
	o.Scope = strings.Join(strings.Fields(o.Scope), " ")
	if o.ClientAuth == "" {
		o.ClientAuth = ClientBasic
	}
	if o.Grant != ClientCredentials && o.Grant != RefreshToken {
		return o, fault.New(fault.Invalid, "The grant is client_credentials or refresh_token.", nil)
	}
	if o.ClientAuth != ClientBasic && o.ClientAuth != ClientPost {
		return o, fault.New(fault.Invalid, "The client authentication is basic or post.", nil)
	}
	if err := checkTokenURL(o.TokenURL); err != nil {
		return o, err
	}
	switch {
	case o.ClientID == "":
		return o, fault.New(fault.Invalid, "The client ID is missing.", nil)
	case !printable(o.ClientID):
		return o, fault.New(fault.Invalid, "The client ID has a character in it that none can have, or is too long.", nil)
	case !printable(o.Scope) || strings.ContainsAny(o.Scope, `"\`):
		return o, fault.New(fault.Invalid, "A scope has a character in it that none can have, or there are too many.", nil)
	case !printable(o.Audience):
		return o, fault.New(fault.Invalid, "The audience has a character in it that none can have, or is too long.", nil)
	}
	if u, err := url.Parse(o.Resource); o.Resource != "" && (err != nil || !u.IsAbs() || u.Fragment != "" || !printable(o.Resource)) {
		return o, fault.New(fault.Invalid, "The resource is a whole address, such as https://api.example.com, without “#”.", nil)
	}
	return o, nil
}

func checkTokenURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(text) > maxURL || !printable(text[:min(len(text), maxParam)]) {
		return fault.New(fault.Invalid, "The token address is a whole one, such as https://login.example.com/oauth/token, without a user and without “#”.", nil)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return fault.New(fault.Invalid, "The token address begins with https://: secrets are sent there.", nil)
	}
	return nil
}

// loopback reports whether host is this machine by name.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// printable reports whether s is ASCII that prints, and not too long.
func printable(s string) bool {
	return len(s) <= maxParam && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// Host is where the token endpoint is, for people.
func (o OAuth) Host() string {
	u, err := url.Parse(o.TokenURL)
	if err != nil {
		return ""
	}
	return u.Host
}

// AccessToken is what a token endpoint gave.
type AccessToken struct {
	Value    Secret
	Refresh  Secret        // empty: the one that it was asked with stays
	Lifetime time.Duration // of Value
}

// The codes of RFC 6749, 5.2, that more depends on than their sentence.
const (
	InvalidGrant  = "invalid_grant"
	InvalidClient = "invalid_client"
)

// Refusal is a token endpoint's definite no: to ask again in the same way is
// of no use.
type Refusal struct{ Code string }

func (r *Refusal) Error() string { return "token endpoint: " + r.Code }
