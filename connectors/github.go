package connectors

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors/tables"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

var github = &Type{
	Name:  "github",
	Title: "GitHub",
	Docs:  "https://docs.github.com/rest",
	Hosts: []string{
		"api.github.com", "github.com", "uploads.github.com", "raw.githubusercontent.com", "codeload.github.com", "gist.github.com",
	},
	Styles: []credential.Kind{credential.Bearer, credential.Token, credential.Basic},
	Hint: Hint{
		Label:       "Personal access token",
		Placeholder: "github_pat_…",
		Help:        "A fine-grained token with no more than what your rules allow. Make one under Settings → Developer settings → Personal access tokens.",
	},
	Headers: append([]string{"Cookie", "X-Github-Token"}, carriers...),
	Queries: append([]string{"client_id", "client_secret"}, carrierQueries...),
	service: githubService{newTabled(spec{
		word:   "github",
		format: readsJSON | anyType,
		prefix: "ghp_",
		hosts:  githubHosts,
		where:  githubPlace,
		as:     githubMethods,
		kindOf: githubKind,
		tidy:   githubTidy,
		page:   githubPage,
		fills:  map[string][]string{"github.repo.push": gitParams, "github.gist.push": gitParams},
		more:   githubMore,
		shape:  githubRefusal,
	}, tables.GitHub)},
}

// The places where GitHub lives. Each has paths of its own.
const (
	githubAPI      = "api"
	githubUploads  = "uploads"
	githubGit      = "git" // git over HTTPS, and pages for people
	githubRaw      = "raw"
	githubCodeload = "codeload"
	githubGist     = "gist"
	githubGraphQL  = "graphql"
)

var githubHosts = map[string]string{
	githubAPI: "api.github.com", githubUploads: "uploads.github.com", githubGit: "github.com", githubRaw: "raw.githubusercontent.com",
	githubCodeload: "codeload.github.com", githubGist: "gist.github.com", githubGraphQL: "api.github.com",
}

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
	case "raw.githubusercontent.com":
		return githubRaw, segments
	case "codeload.github.com":
		return githubCodeload, segments
	case "gist.github.com":
		return githubGist, segments
	}
	if strings.HasSuffix(host, ".ghe.com") && !(len(segments) >= 2 && lower(segments[0]) == "api") {
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

// githubMethods knows that the API takes a POST for a PATCH where there is
// nothing to POST to.
func githubMethods(place, method string) []string {
	if place == githubAPI && method == "POST" {
		return patch
	}
	return nil
}

var patch = []string{"PATCH"}

// githubKind says what a capture takes. Some have a form of their own. A name
// or number that is not written like one is refused, since the service may
// take it for another that is.
func githubKind(name string) captureKind {
	switch name {
	case "owner", "repo", "org", "username", "team_slug", "gist_id", "template_owner", "template_repo":
		return nameSegment
	}
	switch {
	case strings.HasSuffix(name, "_number"):
		return numberSegment
	case strings.HasSuffix(name, "_id"):
		return idSegment
	}
	return anySegment
}

// githubTidy: GitHub's names do not mind their case, and git knows a
// repository with .git at its end as well.
func githubTidy(capture, value string) string {
	if githubKind(capture) == nameSegment {
		value = lower(value)
	}
	if capture == "repo" || capture == "gist_id" {
		value = strings.TrimSuffix(value, ".git")
	}
	return value
}

func githubPage(r *row) string {
	if r.place == githubGraphQL {
		kind := map[string]string{"MUTATION": "mutations", "QUERY": "queries"}[r.method]
		return "https://docs.github.com/graphql/reference/" + kind + "#" + strings.ToLower(strings.Trim(r.path, "/"))
	}
	if tag, _, ok := strings.Cut(r.id, "/"); ok {
		return "https://docs.github.com/rest/" + tag
	}
	return ""
}

type githubService struct{ *tabled }

func (g githubService) needs(r Request) Need {
	var buf [16]string
	segments, _ := splitPath(r.Path, buf[:0])
	place, inside := githubPlace(r.Host, segments)
	switch {
	case place == githubAPI && isGraphQL(inside):
		return NeedAll
	case place == githubGit || place == githubGist:
		if len(inside) > 0 {
			if last := lower(inside[len(inside)-1]); last == gitReceive || last == gitUpload {
				return NeedBeginning
			}
		}
	}
	if place == githubAPI {
		if named := githubByNumber(inside); named != nil {
			return max(g.tabled.needs(r), g.needsAt(place, upper(r.Method), named, r.RawQuery))
		}
	}
	return g.tabled.needs(r)
}

func (g githubService) read(r Request) (action.Action, error) { return g.readAs(r, g.judge) }

func (g githubService) judge(v *values, method string, segments []string) (action.Action, error) {
	r := &v.r
	place, inside := githubPlace(r.Host, segments)
	if place == githubAPI && isGraphQL(inside) && method == "POST" {
		return g.graphql(r), nil
	}
	if place == githubAPI && isGraphQL(inside) && (r.RawQuery != "" || !r.Body.whole || len(r.Body.data) > 0) {
		return githubAny, nil // whatever it is, it is not the description that a GET is for
	}
	if place == githubAPI {
		if oddNumber(inside) {
			return action.Action{}, fault.New(fault.Invalid, "The path has something in the place of a number that is not a plain one.", nil)
		}
		if named := githubByNumber(inside); named != nil {
			return g.byNumber(v, method, inside, named)
		}
	}
	a, err := g.tabled.judge(v, method, segments)
	switch {
	case err != nil:
		return a, err
	case g.unlistedName(a.Name) && a.Resource == "":
		if place == githubGit && a.Class == action.Read && r.RawQuery != "" {
			if service, err := queryValues(r.RawQuery, "service"); err != nil || len(service) > 0 {
				a = g.unknown() // nearly a push: do not take it for a page
			}
		}
		a.Resource = githubRepository(place, inside)
	case place == githubGit || place == githubGist:
		return g.git(r, method, inside, a), nil
	}
	return a, nil
}

// githubByNumber rewrites a path that has the number of a repository or an
// organisation in the place of its name. The service takes both everywhere,
// and its links to further pages have the number. It is nil for other paths.
func githubByNumber(segments []string) []string {
	if len(segments) < 2 || !plainNumber(segments[1]) {
		return nil
	}
	switch rest := segments[2:]; lower(segments[0]) {
	case "repositories":
		return append([]string{"repos", "by-number", segments[1]}, rest...)
	case "organizations":
		return append([]string{"orgs", segments[1]}, rest...)
	case "user":
		return append([]string{"users", segments[1]}, rest...)
	}
	return nil
}

// oddNumber reports whether a path has in the place of a repository's or an
// organisation's number what some servers read as one, and is not written so.
func oddNumber(segments []string) bool {
	if len(segments) < 2 || plainNumber(segments[1]) {
		return false
	}
	switch lower(segments[0]) {
	case "repositories", "organizations":
		first := strings.TrimLeft(segments[1], " +-")
		return first == "" || '0' <= first[0] && first[0] <= '9' && strings.Trim(first, "0123456789.eE_xX+-") == ""
	}
	return false
}

// byNumber judges a path as what it is with the names in it. Whose they are
// the request does not say.
func (g githubService) byNumber(v *values, method string, inside, named []string) (action.Action, error) {
	v.captured = captured{}
	group, err := g.find(githubAPI, method, inside, v.r.RawQuery, &v.captured)
	if err == nil && group == nil {
		v.captured = captured{}
		group, err = g.find(githubAPI, method, named, v.r.RawQuery, &v.captured)
	}
	if err != nil {
		return action.Action{}, err
	}
	a := g.unlisted(method)
	if group != nil {
		if a, err = g.inGroup(group, v); err != nil {
			return action.Action{}, err
		}
	}
	a.Resource = ""
	if !slices.Contains(a.Unknown, "resource") && !slices.Contains(a.Unknown, "*") {
		a.Unknown = append(a.Unknown, "resource")
	}
	return a, nil
}

func isGraphQL(segments []string) bool { return len(segments) == 1 && lower(segments[0]) == "graphql" }

// githubRepository is the repository that a path speaks of, whatever comes
// after it.
func githubRepository(place string, segments []string) string {
	switch {
	case place == githubGit && len(segments) >= 2:
	case place == githubAPI && len(segments) > 2 && lower(segments[0]) == "repos":
		segments = segments[1:]
	default:
		return ""
	}
	owner, repo := githubTidy("owner", segments[0]), githubTidy("repo", segments[1])
	if strings.Trim(owner+repo, nameBytes) != "" {
		return ""
	}
	return owner + "/" + repo
}

// style says how a host wants the credential: where git is served it is a
// password, for a user of any name.
func (githubService) style(host, path string, configured credential.Style) (credential.Style, string) {
	if configured.Kind == credential.Basic {
		return configured, ""
	}
	var buf [16]string
	segments, _ := splitPath(path, buf[:0])
	switch place, _ := githubPlace(host, segments); place {
	case githubGit, githubGist:
		return credential.Style{Kind: credential.Basic}, "x-access-token"
	}
	return configured, ""
}
