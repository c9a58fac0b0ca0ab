package connectors

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors/pktline"
	"github.com/tameflare/tameflare/domain/action"
)

// The last segments of the two requests that git sends over HTTPS (see
// gitprotocol-http).
const (
	gitReceive = "git-receive-pack"
	gitUpload  = "git-upload-pack"
)

// gitParams are of a push: its refs, and what becomes of them.
var gitParams = []string{"ref", "change"}

// git reads from the packet lines what a request of git would do. What they
// hide counts as a push to any ref, or as a clone.
func (g githubService) git(r *Request, method string, segments []string, a action.Action) action.Action {
	switch last := lower(segments[len(segments)-1]); {
	case method != "POST":
	case last == gitReceive:
		g.push(r, &a)
	case last == gitUpload:
		g.fetch(r, &a)
	}
	return a
}

func (githubService) push(r *Request, a *action.Action) {
	push, err := pktline.ReadPush(r.Body.data, r.Body.whole)
	if err != nil || !r.gitBody() {
		a.Unknown = append(a.Unknown, gitParams...)
		return
	}
	if len(push.Commands) == 0 { // git asks whether it may, before it sends much
		return
	}
	var refs, changes []string
	for _, c := range push.Commands {
		refs, changes = append(refs, c.Ref), appendNew(changes, c.Kind())
	}
	if len(refs) > maxList {
		a.Unknown = append(a.Unknown, gitParams...)
		return
	}
	a.Params = map[string]any{"ref": refs, "change": changes}
}

// fetch tells a clone from a fetch, which has something already, and both from
// a list of what there is.
func (g githubService) fetch(r *Request, a *action.Action) {
	version := 0
	for _, v := range r.Header["Git-Protocol"] {
		if strings.Contains(v, "version=2") {
			version = 2
		}
	}
	fetch, err := pktline.ReadFetch(r.Body.data, r.Body.whole, version)
	name := "clone"
	switch {
	case err != nil || !r.gitBody():
		a.Or = append(a.Or,
			action.Alternative{Name: strings.Replace(a.Name, ".fetch", ".clone", 1), Class: a.Class},
			action.Alternative{Name: "github.ref.list", Class: a.Class})
		return
	case fetch.Clone():
	case fetch.Command == "ls-refs":
		name = "list"
	default:
		return
	}
	resource, unknown := a.Resource, a.Unknown
	to := strings.Replace(a.Name, ".fetch", "."+name, 1)
	if name == "list" {
		to = "github.ref.list"
	}
	if d := g.table().byName[to]; d != nil {
		*a = d.named()
		a.Resource, a.Unknown = resource, unknown
	}
}

// gitBody reports whether the body can be read as it stands.
func (r *Request) gitBody() bool {
	return r.Body.begun && (r.Body.decoded || len(r.Header["Content-Encoding"]) == 0)
}

// isGit reports whether the client is git itself, which knows no other way to
// be told than its own.
func (r *Request) isGit() bool { return strings.HasPrefix(r.Header.Get("User-Agent"), "git/") }

// gitRefusal is written in git's own words where it takes no others: with any
// other status than 200 it shows the number alone.
func gitRefusal(r Request, p Problem) Reply {
	if !r.isGit() {
		return p.plain()
	}
	sentence := "TameFlare: " + p.sentence()
	switch {
	case strings.HasSuffix(r.Path, "/"+gitUpload):
		return Reply{Status: 200, ContentType: "application/x-git-upload-pack-result", Body: pktline.Refusal(sentence)}
	case strings.HasSuffix(r.Path, "/"+gitReceive):
		push, err := pktline.ReadPush(r.Body.data, r.Body.whole)
		if err != nil || !r.gitBody() {
			return p.plain()
		}
		if report := pktline.Report(push, sentence, true); report != nil {
			return Reply{Status: 200, ContentType: "application/x-git-receive-pack-result", Body: report}
		}
	}
	return p.plain()
}

// githubRefusal answers git in plain text, which it shows as the remote's words, and
// everyone else with the message that GitHub's clients print. The content type
// is plain JSON because Octokit reads no other.
func githubRefusal(r Request, p Problem) Reply {
	if strings.HasSuffix(r.Path, "/info/refs") || strings.HasSuffix(r.Path, "/"+gitUpload) || strings.HasSuffix(r.Path, "/"+gitReceive) {
		return gitRefusal(r, p)
	}
	type graphqlError struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	reply := struct {
		Message string         `json:"message"`
		Docs    string         `json:"documentation_url"`
		Errors  []graphqlError `json:"errors,omitempty"`
		Problem
	}{Message: p.sentence(), Docs: p.Type, Problem: p}
	if strings.HasSuffix(strings.TrimSuffix(lower(r.Path), "/"), "/graphql") {
		reply.Errors = []graphqlError{{"FORBIDDEN", p.sentence()}}
	}
	return p.shaped(plainJSON, reply)
}

// sentence tells a push that deletes from others. Whether one is forced, git
// does not say.
func (g githubService) sentence(a action.Action) (title string, ok bool) {
	to := "{resource}"
	switch a.Name {
	case "github.gist.push":
		to = "gist {resource}"
	case "github.repo.push":
	default:
		return g.tabled.sentence(a)
	}
	change, _ := a.Params["change"].([]string)
	switch {
	case len(change) == 0 && slices.Contains(a.Unknown, "ref"):
		return "push to " + to + ", to branches that the request hides", true
	case len(change) == 0:
		return "push to " + to, true
	case len(change) == 1 && change[0] == "create":
		return "push to {ref} of " + to + ", which is new", true
	case len(change) == 1 && change[0] == "delete":
		return "delete {ref} of " + to + " by a push", true
	case slices.Contains(change, "delete"):
		return "push to {ref} of " + to + ", and delete some of them", true
	}
	return "push to {ref} of " + to, true
}

// operations has besides what the table says the parameters of a push, which
// are read from its packet lines.
func (g githubService) operations() []Operation {
	all := g.tabled.operations()
	for i, op := range all {
		if op.Action == "github.repo.push" || op.Action == "github.gist.push" {
			all[i].Params = appendNew(appendNew(slices.Clone(op.Params), "ref"), "change")
		}
	}
	return all
}
