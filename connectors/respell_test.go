package connectors_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors"
)

// respelling writes a request in another way, which some server or other takes
// for the same: either before it is written, or in what is written. It is not
// ok where there is nothing for it to do.
type respelling struct {
	name   string
	before func(*rand.Rand, *plain) (ok bool)
	after  func(*rand.Rand, *plain, *connectors.Request) (ok bool)
}

func pick(rng *rand.Rand, all ...string) string { return all[rng.IntN(len(all))] }

var respellings = []respelling{
	// The path.
	{name: "escapes in the path", after: escapePath},
	{name: "slashes in the path", after: func(rng *rand.Rand, _ *plain, r *connectors.Request) bool {
		at := slashes(r.Path)[rng.IntN(len(slashes(r.Path)))]
		r.Path = r.Path[:at] + pick(rng, "//", "/./", "/%2e/", "/x/../", "/x/%2e%2E/", "/;/", "\\", "/%5c", "/x/..%2f", "/%2f", "///", "/%00/") + r.Path[at+1:]
		return true
	}},
	{name: "the path's end", after: func(rng *rand.Rand, _ *plain, r *connectors.Request) bool {
		r.Path += pick(rng, "/", "//", "/.", "%2F", "/x/..", "%00", "%20", ";a=b", "%0a", "?", "/%2e", "%2f%2e%2e%2fx")
		return true
	}},
	{name: "case in the path", before: func(rng *rand.Rand, p *plain) bool {
		if p.row.service == "http" || p.row.service == "webhook" {
			return false // where they are resources
		}
		for i, s := range p.segments {
			if (s.capture == "" || p.row.service == "github" && slices.Contains(githubNames, s.capture)) && rng.IntN(2) == 0 {
				p.segments[i].text = strings.ToUpper(s.text)
			}
		}
		return true
	}},
	{name: ".git", before: func(_ *rand.Rand, p *plain) bool {
		for i, s := range p.segments {
			if (p.row.place == "git" || p.row.place == "gist") && (s.capture == "repo" || s.capture == "gist_id") {
				p.segments[i].text += ".git"
				return true
			}
		}
		return false
	}},

	// The method.
	{name: "case of the method", after: func(_ *rand.Rand, _ *plain, r *connectors.Request) bool {
		r.Method = strings.ToLower(r.Method)
		return true
	}},
	{name: "HEAD for GET", after: func(_ *rand.Rand, p *plain, r *connectors.Request) bool {
		if p.method != "GET" || len(placeHosts[p.row.service]) == 0 { // where it is another action
			return false
		}
		r.Method = "HEAD"
		return true
	}},
	{name: "the method in a header", after: func(rng *rand.Rand, p *plain, r *connectors.Request) bool {
		if p.how.override {
			return false
		}
		r.Header.Set(pick(rng, "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"), p.effective())
		r.Method = pick(rng, "POST", "GET", "PUT")
		return true
	}},
	{name: "the method in the query", after: func(rng *rand.Rand, p *plain, r *connectors.Request) bool {
		if p.how.override {
			return false
		}
		addQuery(r, pick(rng, "_method", "%5Fmethod", "_METHOD")+"="+p.effective(), pick(rng, "&", ";"))
		r.Method = pick(rng, "POST", "GET")
		return true
	}},
	{name: "the method in a form", before: func(rng *rand.Rand, p *plain) bool {
		if p.row.service != "stripe" && p.row.service != "ownform" || p.method == "POST" {
			return false // nobody else reads forms, or minds the method
		}
		p.body = append(p.body, said{[]string{"_method"}, p.method})
		p.method, p.how.kind, p.how.override = "POST", []kind{asForm, asMultipart}[rng.IntN(2)], true
		return true
	}},
	{name: "an upgrade", after: func(rng *rand.Rand, _ *plain, r *connectors.Request) bool {
		r.Header.Set("Upgrade", pick(rng, "websocket", "h2c"))
		return true
	}},

	// The query and the headers.
	{name: "the query twice", after: func(rng *rand.Rand, p *plain, r *connectors.Request) bool {
		if len(p.query) == 0 {
			return false
		}
		q := p.query[rng.IntN(len(p.query))]
		name := url.QueryEscape(q.name)
		again := pick(rng, name, fmt.Sprintf("%%%02X", name[0])+name[1:], strings.ToUpper(name)) + "=" + pick(rng, url.QueryEscape(q.value), "other", "")
		if rng.IntN(2) == 0 {
			r.RawQuery = again + pick(rng, "&", ";") + r.RawQuery
		} else {
			addQuery(r, again, pick(rng, "&", ";"))
		}
		return true
	}},
	{name: "escapes in the query", before: func(_ *rand.Rand, p *plain) bool { p.how.query = true; return len(p.query) > 0 }},
	{name: "the body in the query too", after: func(rng *rand.Rand, p *plain, r *connectors.Request) bool {
		if len(p.body) == 0 {
			return false
		}
		name := p.body[rng.IntN(len(p.body))].path[0]
		addQuery(r, pick(rng, name, strings.ToUpper(name), "%"+fmt.Sprintf("%02x", name[0])+name[1:], name+"[]")+"="+pick(rng, "closed", "other", "1"), "&")
		return true
	}},
	{name: "another query", after: func(rng *rand.Rand, _ *plain, r *connectors.Request) bool {
		addQuery(r, pick(rng, "zz=1", "per_page=100", "service=git-receive-pack", "a;b", "%zz"), "&")
		return true
	}},
	{name: "a header twice", after: func(rng *rand.Rand, p *plain, r *connectors.Request) bool {
		for _, name := range []string{"Stripe-Account", "Openai-Project", "Content-Type"} {
			if r.Header.Get(name) != "" && !p.how.override && rng.IntN(2) == 0 {
				r.Header[name] = append(r.Header[name], pick(rng, "other", r.Header.Get(name)))
				return true
			}
		}
		return false
	}},
	{name: "the content type", after: func(rng *rand.Rand, p *plain, r *connectors.Request) bool {
		if p.how.kind == asMultipart || p.how.kind == noBody || p.how.kind == inTheQuery || p.how.override {
			return false
		}
		have := r.Header.Get("Content-Type")
		r.Header.Set("Content-Type", pick(rng, have+"; charset=utf-8", strings.ToUpper(have), have+" ;charset=UTF-8", have+"; charset=utf-16", " "+have, have+"; charset=utf-7"))
		if p.row.service == "github" && rng.IntN(2) == 0 { // which does not mind
			r.Header.Set("Content-Type", pick(rng, "", "text/plain", "application/x-www-form-urlencoded", "application/vnd.github+json"))
		}
		return true
	}},
	{name: "no content type", after: func(_ *rand.Rand, p *plain, r *connectors.Request) bool {
		if p.how.kind == asJSON && (p.row.service == "stripe" || p.row.service == "ownform") || p.how.kind == asMultipart || p.how.kind == asForm && p.row.service == "slack" {
			return false
		}
		r.Header.Del("Content-Type")
		return true
	}},

	// The body, as it comes.
	{name: "a body not read", after: func(rng *rand.Rand, p *plain, r *connectors.Request) bool {
		if p.how.override { // which then nobody can see
			return false
		}
		r.Body = []connectors.Body{connectors.Unreadable(), {}, connectors.BeginningOf(nil)}[rng.IntN(3)]
		return true
	}},
	{name: "a body cut off", after: func(rng *rand.Rand, p *plain, r *connectors.Request) bool {
		if p.how.override { // which then nobody can see
			return false
		}
		data := p.sent
		if len(data) == 0 {
			return false
		}
		cut := data[:rng.IntN(len(data))]
		r.Body = connectors.BeginningOf(cut)
		if len(cut) > 0 && (p.how.kind == asJSON || p.how.kind == asGraphQL || p.how.kind == asPush) && rng.IntN(2) == 0 { // it does not look whole
			r.Body = connectors.Whole(cut)
		}
		return true
	}},
	{name: "gzip", after: func(rng *rand.Rand, p *plain, r *connectors.Request) bool {
		if p.how.override { // which then nobody can see
			return false
		}
		r.Header.Set("Content-Encoding", pick(rng, "gzip", "GZIP", "identity, gzip", "x-gzip", "br"))
		switch data := p.sent; rng.IntN(3) {
		case 0:
			r.Body = connectors.Whole(zipped(data))
		case 1:
			r.Body = connectors.Whole(data) // and it is not so
		default:
			r.Body = connectors.Decoded(data)
		}
		return true
	}},

	// The body, as it is written.
	{name: "escapes in the body", before: func(_ *rand.Rand, p *plain) bool { p.how.escapes = true; return len(p.body) > 0 }},
	{name: "spaces in the body", before: func(_ *rand.Rand, p *plain) bool { p.how.spaces = true; return len(p.body) > 0 }},
	{name: "another order", before: func(_ *rand.Rand, p *plain) bool { p.how.shuffled = true; return len(p.body) > 0 }},
	{name: "another field", before: func(_ *rand.Rand, p *plain) bool { p.how.extra = true; return len(p.body) > 0 }},
	{name: "lists with []", before: func(_ *rand.Rand, p *plain) bool { p.how.appended = true; return len(p.body) > 0 }},
	{name: "a key twice", after: twice},
	{name: "another kind of body", before: func(rng *rand.Rand, p *plain) bool {
		kinds := map[string][]kind{
			"ownform": {asForm, asMultipart, asJSON}, "openai": {asJSON, asMultipart}, "anthropic": {asJSON, asMultipart}, "stripe": {asForm, asMultipart, asJSON},
			"slack": {asJSON, asForm, asMultipart, inTheQuery},
		}[p.row.service]
		if kinds == nil || p.how.kind == noBody || p.row.place != "api" {
			return false
		}
		p.how.kind = kinds[rng.IntN(len(kinds))]
		return true
	}},
	{name: "by GET", before: func(_ *rand.Rand, p *plain) bool {
		if p.row.service != "slack" || p.row.place != "api" {
			return false
		}
		p.method, p.how.kind = "GET", inTheQuery
		return true
	}},

	// GraphQL, git.
	{name: "another document", before: func(rng *rand.Rand, p *plain) bool {
		d := &p.how.document
		switch rng.IntN(9) {
		case 0:
			d.alias = true
		case 1:
			d.fragment = 1 + rng.IntN(3)
		case 2:
			d.variables = 1 + rng.IntN(3)
		case 3:
			d.comments = true
		case 4:
			d.operations = true
		case 5:
			d.batch = true
		case 6:
			d.twice = true
		case 7:
			d.directive = true
		case 8:
			if p.method == "MUTATION" {
				d.more = `addStar(input: {starrableId: "R_1"}) { __typename }`
			} else {
				d.more = `viewer { login }`
			}
		}
		return p.how.kind == asGraphQL
	}},
	{name: "a batch", before: func(rng *rand.Rand, p *plain) bool {
		p.how.document.batch = p.row.service == "mcp" && p.how.kind == asJSON
		p.how.document.more = pick(rng, "", `{"jsonrpc":"2.0","id":9,"method":"ping"},`, `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"other"}},`)
		return p.how.document.batch
	}},
	{name: "more refs", before: func(rng *rand.Rand, p *plain) bool { p.how.refs = 1 + rng.IntN(3); return p.how.kind == asPush }},
}

// effective is the method that counts, however the request says it.
func (p *plain) effective() string {
	if p.how.kind == asGraphQL {
		return "POST"
	}
	return p.method
}

func addQuery(r *connectors.Request, text, separator string) {
	if r.RawQuery != "" {
		r.RawQuery += separator
	}
	r.RawQuery += text
}

func slashes(path string) []int {
	at := []int{0}
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			at = append(at, i)
		}
	}
	return at
}

func escapePath(rng *rand.Rand, _ *plain, r *connectors.Request) bool {
	escape := pick(rng, "%%%02X", "%%%02x", "%%%02X", "%%%02x", "%%25%02X")
	withSlashes := rng.IntN(3) == 0
	var b strings.Builder
	for i := 0; i < len(r.Path); i++ {
		c := r.Path[i]
		switch {
		case c == '%' && i+2 < len(r.Path):
			b.WriteString(r.Path[i : i+3])
			i += 2
		case i > 0 && c != '?' && c != ';' && (c != '/' || withSlashes) && rng.IntN(4) == 0:
			fmt.Fprintf(&b, escape, c)
		default:
			b.WriteByte(c)
		}
	}
	r.Path = b.String()
	return true
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.HuffmanOnly) // which needs the least memory
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(data); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// twice says a field of the body again, and something else.
func twice(rng *rand.Rand, p *plain, r *connectors.Request) bool {
	if len(p.body) == 0 || p.how.override {
		return false
	}
	s := p.body[rng.IntN(len(p.body))]
	name, other := s.path[0], pick(rng, "closed", "other", "true", "1")
	data := string(p.sent)
	switch p.how.kind {
	case asJSON, asGraphQL:
		if p.how.kind == asGraphQL {
			name, other = pick(rng, "query", "variables", "operationName"), pick(rng, "{viewer{login}}", "Other")
		}
		written := pick(rng, quote(name), `"`+fmt.Sprintf(`\u%04x`, name[0])+name[1:]+`"`, quote(strings.ToUpper(name))) + ":" + pick(rng, quote(other), "null", "[]")
		open, end := strings.IndexByte(data, '{'), strings.LastIndexByte(data, '}')
		if rng.IntN(2) == 0 {
			data = data[:open+1] + written + "," + data[open+1:]
		} else {
			data = data[:end] + "," + written + data[end:]
		}
	case asForm:
		written := pick(rng, name, "%"+fmt.Sprintf("%02x", name[0])+name[1:], strings.ToUpper(name), name+"[]", name+"[0]", name+"[x]") + "=" + other
		if rng.IntN(2) == 0 {
			data = written + pick(rng, "&", ";") + data
		} else {
			data += pick(rng, "&", ";") + written
		}
	case asMultipart:
		part := "--" + boundary + "\r\nContent-Disposition: form-data; " + pick(rng, "name=\""+name+"\"", "name="+name, "NAME=\""+name+"\"", "name*=utf-8''"+name) + "\r\n\r\n" + other + "\r\n"
		end := strings.LastIndex(data, "--"+boundary+"--")
		if rng.IntN(2) == 0 {
			data = part + data
		} else {
			data = data[:end] + part + data[end:]
		}
	default:
		return false
	}
	r.Body = connectors.Whole([]byte(data))
	return true
}
