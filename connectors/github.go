package connectors

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

//go:embed github.tsv
var githubTable string

var github = &Type{
	Name:   "github",
	Title:  "GitHub",
	Docs:   "https://docs.github.com/rest",
	Hosts:  []string{"api.github.com", "github.com", "uploads.github.com"},
	Styles: []credential.Kind{credential.Bearer, credential.Token, credential.Basic},
	Hint: Hint{
		Label:       "Personal access token",
		Placeholder: "github_pat_…",
		Help:        "A fine-grained token with no more than what your rules allow. Make one under Settings → Developer settings → Personal access tokens.",
	},
	Headers: append([]string{"Cookie", "X-Github-Token"}, carriers...),
	Queries: append([]string{"client_id", "client_secret"}, carrierQueries...),
	service: githubService{sync.OnceValue(loadGitHub)},
}

// The places where GitHub lives. Each has paths of its own.
const (
	githubAPI     = "api"
	githubUploads = "uploads"
	githubGit     = "git" // git over HTTPS, and pages for people
)

type githubRows struct {
	places     map[string]*tree
	operations []Operation
}

func loadGitHub() githubRows {
	rows := parseTable(githubTable)
	g := githubRows{places: map[string]*tree{githubAPI: {}, githubUploads: {}, githubGit: {}}}
	for _, r := range rows {
		g.places[r.place].add(r)
	}
	g.operations = append(operations(rows, func(place string) string {
		return map[string]string{githubAPI: "api.github.com", githubUploads: "uploads.github.com", githubGit: "github.com"}[place]
	}),
		Operation{Action: "github.other.get", Class: action.Read, Risk: action.Low, Title: "read something else[ of {resource}]", Reversible: true},
		Operation{Action: "github.unknown", Title: "do something that the connector does not know[ to {resource}]"},
	)
	slices.SortFunc(g.operations, func(a, b Operation) int { return strings.Compare(a.Action, b.Action) })
	return g
}

type githubService struct{ rows func() githubRows }

func (g githubService) operations() []Operation { return slices.Clone(g.rows().operations) }

// githubPlace says where a host and the first segments of a path lead. Hosts
// that are not GitHub's own run GitHub Enterprise Server, which has everything
// under one name.
func githubPlace(host string, segments []string) (place string, inside []string) {
	switch host {
	case "api.github.com":
		return githubAPI, segments
	case "uploads.github.com":
		return githubUploads, segments
	case "github.com":
		return githubGit, segments
	}
	if strings.HasSuffix(host, ".ghe.com") {
		switch {
		case strings.HasPrefix(host, "api."):
			return githubAPI, segments
		case strings.HasPrefix(host, "uploads."):
			return githubUploads, segments
		}
		return githubGit, segments
	}
	if len(segments) >= 2 && lower(segments[0]) == "api" {
		switch lower(segments[1]) {
		case "v3":
			return githubAPI, segments[2:]
		case "uploads":
			return githubUploads, segments[2:]
		case "graphql":
			return githubAPI, segments[1:]
		}
	}
	return githubGit, segments
}

func (g githubService) needsBody(r Request) bool {
	var buf [16]string
	segments, _ := splitPath(r.Path, buf[:0])
	place, inside := githubPlace(r.Host, segments)
	var c captured
	group, err := g.find(place, upper(r.Method), inside, r.RawQuery, &c)
	return err == nil && group != nil && len(group.fields) > 0
}

// find looks a request up. GitHub answers HEAD as it does GET, and takes a
// POST for a PATCH where there is nothing to POST to.
func (g githubService) find(place, method string, segments []string, query string, c *captured) (*group, error) {
	t := g.rows().places[place]
	if method == "HEAD" {
		method = "GET"
	}
	group, err := t.find(method, segments, query, c)
	if group == nil && err == nil && method == "POST" {
		return t.find("PATCH", segments, query, c)
	}
	return group, err
}

func (g githubService) read(r Request) (action.Action, error) {
	method, err := r.method()
	if err != nil {
		return action.Action{}, err
	}
	var buf [16]string
	segments, odd := splitPath(r.Path, buf[:0])
	if odd&^slashEscaped != 0 {
		return action.Action{}, fault.New(fault.Invalid, odd.sentence(), nil)
	}
	if r.upgrades() { // whatever it reads, anything may be sent afterwards
		return action.Action{Name: "github.unknown", Unknown: []string{"*"}}, nil
	}
	a, err := g.judge(&r, method, segments)
	if err != nil || odd == 0 {
		return a, err
	}
	// The service undoes the escapes either before it looks for slashes or
	// after: both readings have to come to the same, or to reading only.
	b, err := g.judge(&r, method, resplit(segments))
	switch {
	case err != nil:
		return action.Action{}, err
	case a.Name == b.Name && a.Resource == b.Resource:
		return b, nil
	case a.Class == action.Read && b.Class == action.Read:
		if a.Resource != b.Resource {
			a.Resource, a.Unknown = "", append(a.Unknown, "resource")
		}
		a.Or = append(a.Or, action.Alternative{Name: b.Name, Class: b.Class})
		return a, nil
	}
	return action.Action{}, fault.New(fault.Invalid, odd.sentence(), nil)
}

func (g githubService) judge(r *Request, method string, segments []string) (action.Action, error) {
	place, inside := githubPlace(r.Host, segments)
	var c captured
	group, err := g.find(place, method, inside, r.RawQuery, &c)
	if err != nil {
		return action.Action{}, err
	}
	if group == nil {
		if place == githubGit && r.RawQuery != "" {
			if service, err := queryValues(r.RawQuery, "service"); err != nil || len(service) > 0 && service[0] != "git-upload-pack" {
				method = "" // nearly a push: do not take it for a page
			}
		}
		return githubUnlisted(method, place, inside), nil
	}
	first := group.rows[0]
	switch ok, err := first.check(&c); {
	case err != nil:
		return action.Action{}, err
	case !ok:
		return githubUnlisted(method, place, inside), nil
	}
	for i, capture := range first.captures {
		if capture.kind == nameSegment { // GitHub's names do not mind their case
			c.values[i] = lower(c.values[i])
		}
		if capture.name == "repo" {
			c.values[i] = strings.TrimSuffix(c.values[i], ".git")
		}
	}
	a, ok := group.name(r, &c)
	if !ok {
		a = githubUnlisted(method, place, inside)
		a.Resource, a.Or = first.resource.fill(c.values[:c.n]), group.alternatives()
	}
	return a, nil
}

// githubUnlisted names what the table does not know. GitHub's GETs read; all
// else counts as the worst that there is.
func githubUnlisted(method, place string, segments []string) action.Action {
	a := action.Action{Name: "github.unknown", Unknown: []string{"*"}}
	if method == "GET" || method == "HEAD" {
		a = action.Action{Name: "github.other.get", Class: action.Read, Risk: action.Low, Reversible: true, Unknown: []string{"*"}}
	}
	if place != githubGit && len(segments) > 2 && lower(segments[0]) == "repos" {
		segments = segments[1:3]
	} else if place != githubGit || len(segments) < 2 {
		return a
	}
	owner, repo := segments[0], strings.TrimSuffix(lower(segments[1]), ".git")
	if strings.Trim(owner+repo, nameBytes) == "" {
		a.Resource = lower(owner) + "/" + repo
	}
	return a
}

// style says how a host wants the credential: where git is served it is a
// password, for a user of any name.
func (githubService) style(host, path string, configured credential.Style) (credential.Style, string) {
	if configured.Kind == credential.Basic {
		return configured, ""
	}
	var buf [16]string
	segments, _ := splitPath(path, buf[:0])
	if place, _ := githubPlace(host, segments); place == githubGit {
		return credential.Style{Kind: credential.Basic}, "x-access-token"
	}
	return configured, ""
}

// refusal answers git in plain text, which it shows as the remote's words, and
// everyone else with the message that GitHub's clients print. The content type
// is plain JSON because Octokit reads no other.
func (githubService) refusal(r Request, p Problem) (string, []byte) {
	if strings.HasSuffix(r.Path, "/info/refs") || strings.HasSuffix(r.Path, "/git-upload-pack") || strings.HasSuffix(r.Path, "/git-receive-pack") {
		return "text/plain; charset=utf-8", []byte(p.text())
	}
	body, err := json.Marshal(struct {
		Message string `json:"message"`
		Docs    string `json:"documentation_url"`
		Problem
	}{p.sentence(), p.Type, p})
	if err != nil {
		return p.generic()
	}
	return "application/json; charset=utf-8", body
}

func (githubService) dummyPrefix() string { return "ghp_" }
