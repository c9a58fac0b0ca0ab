package connectors_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/body"
)

// plain is a request before it is written down: what it says, and where.
type plain struct {
	row      row
	c        *connectors.Connector
	host     string
	method   string
	segments []segment
	query    []pair
	header   http.Header
	body     []said
	how      writing
	sent     []byte // its body, once it is written
}

// segment is a part of the path between slashes; the values of a capture of
// the rest are several.
type segment struct {
	text    string
	capture string // "": it stands in the path as it is
}

type pair struct{ name, value string }

// said is what a body says in one place: text, int64, bool or []string.
type said struct {
	path  body.Path
	value any
}

// form is a row with what a test needs to know of those beside it.
type form struct {
	row
	c      *connectors.Connector
	host   string
	asked  []string // the places that conditions of the same operation look at
	said   []said   // what it says in any case
	header http.Header
}

var placeHosts = map[string]map[string]string{
	"anthropic": {"api": "api.anthropic.com"},
	"openai":    {"api": "api.openai.com"},
	"stripe":    {"api": "api.stripe.com", "files": "files.stripe.com"},
	"slack":     {"api": "slack.com", "files": "files.slack.com", "hooks": "hooks.slack.com"},
	"github": {
		"api": "api.github.com", "uploads": "uploads.github.com", "git": "github.com", "raw": "raw.githubusercontent.com",
		"codeload": "codeload.github.com", "gist": "gist.github.com", "graphql": "api.github.com",
	},
}

// forms are all rows of all tables, and what the types without one know.
func forms(t testing.TB) []form {
	t.Helper()
	byType := map[string]*connectors.Connector{}
	var all []form
	for _, r := range rows(t) {
		c := byType[r.service]
		if c == nil {
			c = one(t, r.service)
			byType[r.service] = c
		}
		all = append(all, form{row: r, c: c, host: placeHosts[r.service][r.place]})
	}
	all = append(all, untabled(t)...)
	asked := map[string][]string{}
	key := func(r row) string { return r.service + " " + r.place + " " + r.method + " " + r.path }
	for _, f := range all {
		for _, when := range f.when {
			from, _, _ := strings.Cut(when, "=")
			asked[key(f.row)] = append(asked[key(f.row)], from)
		}
	}
	for i := range all {
		all[i].asked = asked[key(all[i].row)]
	}
	slices.SortStableFunc(all, func(a, b form) int { // tables are in a map, and cases have numbers
		return strings.Compare(key(a.row)+fmt.Sprint(a.when), key(b.row)+fmt.Sprint(b.when))
	})
	return all
}

// request makes up a request of the form.
func (f form) request(rng *rand.Rand) plain {
	p := plain{row: f.row, c: f.c, host: f.host, method: f.method, header: http.Header{}, body: slices.Clone(f.said)}
	maps.Copy(p.header, f.header)
	path, query, _ := strings.Cut(f.path, "?")
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		p.segments = append(p.segments, capture(rng, part)...)
	}
	if name, value, ok := strings.Cut(query, "="); ok {
		p.query = append(p.query, pair{name, value})
	}
	settled := map[string]bool{}
	for _, when := range f.when {
		if strings.HasPrefix(when, "%") {
			continue
		}
		from, value, valued := strings.Cut(when, "=")
		settled[from] = true
		if !valued {
			value = "1"
		}
		p.say(from, value)
	}
	for _, text := range slices.Concat(f.params, f.resource) {
		if _, rest, named := strings.Cut(text, "="); named {
			text = rest
		}
		from, kind, _ := strings.Cut(text, ":")
		if from == "?" || settled[from] || slices.Contains(f.asked, from) {
			continue
		}
		if settled[from] = true; rng.IntN(5) == 0 {
			continue
		}
		p.say(from, value(rng, kind, strings.Contains(from, "[]")))
	}
	switch f.service {
	case "stripe":
		if rng.IntN(3) == 0 {
			p.header.Set("Stripe-Account", "acct_1")
		}
	case "http", "webhook":
		p.body = nil
	}
	p.how = f.usual(rng)
	return p
}

// say puts what a source of a table wants where it is looked for.
func (p *plain) say(from string, v any) {
	switch from[0] {
	case '.':
		path, err := body.ParsePath(from)
		if err != nil {
			panic(err)
		}
		p.body = append(p.body, said{path, v})
	case '?':
		p.query = append(p.query, pair{from[1:], text(v)})
	case '@':
		p.header.Set(from[1:], text(v))
	}
}

func text(v any) string {
	if all, ok := v.([]string); ok {
		return strings.Join(all, ",")
	}
	return fmt.Sprint(v)
}

var words = []string{"main", "acme", "feature one", "ünïcode", "a.b-c_d", "release", `quote"d`, "50%", "a&b=c", "x+y"}

func value(rng *rand.Rand, kind string, each bool) any {
	word := func() string { return words[rng.IntN(len(words))] }
	switch {
	case kind == "int":
		return rng.Int64N(100000)
	case kind == "bool":
		return rng.IntN(2) == 0
	case each:
		return []string{word(), word()}[:1+rng.IntN(2)]
	case kind == "list":
		return []string{"C1", "C2"}[:1+rng.IntN(2)]
	}
	switch rng.IntN(8) {
	case 0:
		return rng.Int64N(1000)
	case 1:
		return rng.IntN(2) == 0
	}
	return word()
}

// capture fills a segment of a path in a table.
func capture(rng *rand.Rand, part string) []segment {
	name, ok := strings.CutPrefix(part, "{")
	if !ok {
		return []segment{{text: part}}
	}
	name = strings.TrimSuffix(name, "}")
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	if name, rest := strings.CutSuffix(name, "..."); rest {
		all := []segment{{pick("heads", "docs", "B1"), name}, {pick("main", "a b", "ü", "x.zip"), name}}
		return all[:1+rng.IntN(2)]
	}
	switch {
	case strings.HasSuffix(name, "_number"), strings.HasSuffix(name, "_id"), name == "id":
		return []segment{{pick("12", "812", "7", "abc1"), name}}
	case slices.Contains(githubNames, name):
		return []segment{{pick("acme", "site", "octo-cat", "a.b"), name}}
	}
	return []segment{{pick("main", "a b", "v1.0", "ünïcode", "50%", "C1"), name}}
}

// githubNames are those whose case GitHub does not mind.
var githubNames = []string{"owner", "repo", "org", "username", "team_slug", "gist_id", "template_owner", "template_repo"}

// written is the request in the plainest way to write it.
func (p *plain) written() connectors.Request {
	r := connectors.Request{Method: p.method, Host: p.host, Header: p.header.Clone()}
	switch {
	case p.how.kind == asGraphQL:
		r.Method, r.Path = "POST", "/graphql"
	case p.segments[0].text == "":
		r.Path = "/"
	default:
		for _, s := range p.segments {
			r.Path += "/" + url.PathEscape(s.text)
		}
	}
	pairs := p.query
	if p.how.kind == inTheQuery {
		pairs = slices.Concat(pairs, p.formPairs())
	}
	for _, q := range pairs {
		if r.RawQuery != "" {
			r.RawQuery += "&"
		}
		w := writing{escapes: p.how.query || p.how.escapes, rng: p.how.rng}
		r.RawQuery += w.escape(q.name) + "=" + w.escape(q.value)
	}
	p.writeBody(&r)
	return r
}
