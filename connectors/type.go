// Package connectors knows outside services: which hosts are theirs, what a
// request to them does, and how they are shown a credential.
//
// What a service offers is a table beside the code, one row an operation. A
// request is judged in the form in which it is forwarded: a spelling that
// could be read in two ways is refused or counts as the stricter of the two,
// and what no table knows is never named like something that one does.
package connectors

import (
	"crypto/sha256"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
)

// Type is what is known of one service. Types do not change.
type Type struct {
	Name  string   // "github": the first word of its actions
	Title string   // "GitHub"
	Docs  string   // the service's own documentation
	Hosts []string // where the service lives; none: a connector must name its hosts

	Wildcards bool              // a connector's hosts may be like *.example.com
	Styles    []credential.Kind // how it can be shown a credential; the first is the usual one
	Hint      Hint

	// Headers and Queries are where a client could bring a credential of its
	// own. They are taken away before ours is put in.
	Headers []string
	Queries []string

	service service
}

// Hint helps a person to fill in a credential.
type Hint struct {
	Label       string // "Personal access token"
	Placeholder string // "github_pat_…"
	Help        string // what it has to be allowed to do, and where to get one
}

// service is what differs in code from one type to the next.
type service interface {
	operations() []Operation
	needsBody(Request) bool
	read(Request) (action.Action, error)
	style(host string, path string, configured credential.Style) (style credential.Style, user string)
	refusal(Request, Problem) (contentType string, body []byte)
	dummyPrefix() string
}

// Types returns every type, in the order in which pages list them.
func Types() []*Type { return []*Type{github, generic, webhook} }

// TypeNamed returns the type called name, or nil.
func TypeNamed(name string) *Type {
	switch name {
	case github.Name:
		return github
	case generic.Name:
		return generic
	case webhook.Name:
		return webhook
	}
	return nil
}

// Operations returns every action of the type, each with all the forms in
// which a request can ask for it, sorted by action.
func (t *Type) Operations() []Operation { return t.service.operations() }

// Refusal shapes p as the service itself reports errors, so that its clients
// print the sentence. A nil Type answers for hosts that no connector knows.
func (t *Type) Refusal(r Request, p Problem) (contentType string, body []byte) {
	if t == nil {
		return p.generic()
	}
	return t.service.refusal(r, p)
}

// Dummy returns a key that looks to clients like one of the service's and
// opens nothing. The same seed gives the same key.
func (t *Type) Dummy(seed string) string {
	const length = 27
	sum := sha256.Sum256([]byte("tameflare dummy key\x00" + t.Name + "\x00" + seed))
	digits := new(big.Int).SetBytes(sum[:]).Text(62)
	return t.service.dummyPrefix() + "tameflare" + (strings.Repeat("0", length) + digits)[len(digits):][:length]
}

// strip takes away what a client itself brought as a credential.
func (t *Type) strip(h http.Header, u *url.URL) {
	for _, name := range t.Headers {
		h.Del(name)
	}
	for _, name := range t.Queries {
		credential.Style{Kind: credential.Query, Name: name}.Strip(h, u)
	}
	u.User = nil
}

func (t *Type) takes(kind credential.Kind) bool { return slices.Contains(t.Styles, kind) }

// Operation is something that can be asked of a service.
type Operation struct {
	Action     string
	Class      action.Class
	Risk       action.Risk
	Title      string // a template for Sentence: "merge {resource}"
	Reversible bool
	Forms      []Form // none for what the table does not know
}

// Form is one shape of the requests that ask for an operation.
type Form struct {
	Host   string // "api.github.com"; "" where the connector's settings say
	Method string
	Path   string // with {names} for what differs; {name...} is the rest of the path
	Note   string // what else must hold: "state=closed in the body"
}

var (
	carriers = []string{
		"Authorization", "Proxy-Authorization", "X-Api-Key", "Api-Key", "Apikey", "X-Auth-Token", "X-Access-Token",
		"X-Authorization", "X-Token", "Private-Token", "X-Goog-Api-Key",
	}
	carrierQueries = []string{"access_token", "api_key", "apikey"}
)
