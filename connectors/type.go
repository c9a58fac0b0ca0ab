// Package connectors knows outside services: which hosts are theirs, what a
// request to them does, and how they are shown a credential.
//
// What a service offers is a table beside the code, one row an operation. A
// request is judged in the form in which it is forwarded: a spelling that
// could be read in two ways is refused or counts as the stricter of the two,
// and what no table knows is never named like something that one does.
package connectors

import (
	"net/http"
	"net/url"
	"slices"

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
	Header    string            // the usual header or query parameter for a credential, where that is not Authorization
	Hint      Hint

	// Headers and Queries are where a client could bring a credential of its
	// own. They are taken away before ours is put in.
	Headers []string
	Queries []string

	// Meaning are headers that change what a request does, and to whom.
	Meaning []string

	service service
	env     []string // see Env
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
	needs(Request) Need
	read(Request) (action.Action, error)
	style(host string, path string, configured credential.Style) (style credential.Style, user string)
	refusal(Request, Problem) Reply
	dummyPrefix() string

	// sentence returns the template for what a does, of one of its actions.
	sentence(a action.Action) (title string, ok bool)
}

// Types returns every type, in the order in which pages list them.
func Types() []*Type { return []*Type{github, openai, anthropic, stripe, slack, mcp, generic, webhook} }

// TypeNamed returns the type called name, or nil.
func TypeNamed(name string) *Type {
	for _, t := range Types() {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Operations returns every action of the type, each with all the forms in
// which a request can ask for it, sorted by action.
func (t *Type) Operations() []Operation { return t.service.operations() }

// Refusal shapes p as the service itself reports errors, so that its clients
// print the sentence. A nil Type answers for hosts that no connector knows.
func (t *Type) Refusal(r Request, p Problem) Reply {
	if t == nil {
		return p.generic()
	}
	return t.service.refusal(r, p)
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

// Usual returns how the service is usually shown a credential.
func (t *Type) Usual() credential.Style {
	s := credential.Style{Kind: t.Styles[0]}
	if s.Kind == credential.Header || s.Kind == credential.Query {
		s.Name = t.Header
	}
	return s
}

func (t *Type) takes(kind credential.Kind) bool { return slices.Contains(t.Styles, kind) }

// Operation is something that can be asked of a service.
type Operation struct {
	Action     string
	Class      action.Class
	Risk       action.Risk
	Title      string // a template for Sentence: "merge {resource}"
	Reversible bool
	Params     []string // what rules may look at besides the resource
	Forms      []Form   // none for what the table does not know
}

// Form is one shape of the requests that ask for an operation.
type Form struct {
	Host   string // "api.github.com"; "" where the connector's settings say
	Method string
	Path   string // with {names} for what differs; {name...} is the rest of the path
	Note   string // what else must hold: "with state=closed in the body"
	Docs   string // the service's documentation of it, where there is a page
	ID     string // the service's own name of it: "pulls/merge"; "" where it has none
}

var (
	carriers = []string{
		"Authorization", "Proxy-Authorization", "X-Api-Key", "Api-Key", "Apikey", "X-Auth-Token", "X-Access-Token",
		"X-Authorization", "X-Token", "Private-Token", "X-Goog-Api-Key",
	}
	carrierQueries = []string{"access_token", "api_key", "apikey"}
)
