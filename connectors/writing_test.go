package connectors_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/body"
)

// writing is how a body is written down: the plainest way, but for what is set.
type writing struct {
	kind     kind
	rng      *rand.Rand // for what is drawn while writing
	escapes  bool       // text is escaped where it need not be
	spaces   bool
	query    bool // escapes in the query
	override bool // the body says the method
	shuffled bool
	appended bool // lists of a form have [] and no numbers
	extra    bool // fields that nobody asks for stand in between
	document document
	refs     int // more that a push changes
}

type kind int

const (
	noBody kind = iota
	asJSON
	asForm
	asMultipart
	inTheQuery
	asGraphQL
	asPush
	asFetch
	asClone
	asList // of refs
)

// usual is the writing that clients of the service choose.
func (f form) usual(rng *rand.Rand) writing {
	switch {
	case f.place == "graphql":
		return writing{kind: asGraphQL}
	case strings.HasSuffix(f.path, "/git-receive-pack"):
		return writing{kind: asPush}
	case strings.HasSuffix(f.path, "/git-upload-pack"):
		switch {
		case f.when == nil:
			return writing{kind: asFetch}
		case strings.HasPrefix(f.when[0], "%ls"):
			return writing{kind: asList}
		}
		return writing{kind: asClone}
	case f.service == "stripe" && f.method == "GET":
		return writing{kind: inTheQuery}
	case f.method == "GET" || f.method == "HEAD" || f.method == "OPTIONS" || f.service == "http" || f.service == "webhook" || f.service == "mcp" && f.said == nil:
		return writing{}
	case f.service == "stripe" && !strings.HasPrefix(f.path, "/v2/"), f.service == "ownform":
		return writing{kind: asForm}
	case f.service == "slack" && f.place == "api":
		return writing{kind: []kind{asJSON, asForm}[rng.IntN(2)]}
	}
	return writing{kind: asJSON}
}

// node is a value of a body with what is below it.
type node struct {
	leaf   any
	list   []*node
	names  []string
	fields map[string]*node
}

// tree puts together what is said; of two things that cannot both be, the first.
func tree(all []said) *node {
	root := &node{}
	for _, s := range all {
		root.put(s.path, s.value)
	}
	return root
}

func (n *node) put(path body.Path, v any) {
	switch {
	case n.leaf != nil || len(path) == 0 && (n.list != nil || n.names != nil):
	case len(path) == 0:
		n.leaf = v
	case path[0] == body.Each:
		all, ok := v.([]string)
		if !ok {
			all = []string{fmt.Sprint(v)}
		}
		if n.names != nil {
			return
		}
		for i, one := range all {
			if i == len(n.list) {
				n.list = append(n.list, &node{})
			}
			n.list[i].put(path[1:], one)
		}
	default:
		if n.list != nil {
			return
		}
		if n.fields[path[0]] == nil {
			if n.fields == nil {
				n.fields = map[string]*node{}
			}
			n.names, n.fields[path[0]] = append(n.names, path[0]), &node{}
		}
		n.fields[path[0]].put(path[1:], v)
	}
}

func (w *writing) order(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if w.shuffled {
		w.rng.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	return all
}

func (w *writing) space() string {
	if !w.spaces {
		return ""
	}
	return []string{"", " ", "\n\t", "\r\n  "}[w.rng.IntN(4)]
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// quote writes a JSON string.
func (w *writing) quote(s string) string {
	if !w.escapes {
		return quote(s)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c > 0xffff || w.rng.IntN(2) == 0:
			text := quote(string(c))
			b.WriteString(text[1 : len(text)-1])
		case w.rng.IntN(2) == 0:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\u%04X`, c)
		}
	}
	return b.String() + `"`
}

func (w *writing) json(n *node) string {
	var parts []string
	switch {
	case n.list != nil:
		for _, one := range n.list {
			parts = append(parts, w.space()+w.json(one)+w.space())
		}
		return "[" + strings.Join(parts, ",") + "]"
	case n.leaf != nil:
		switch v := n.leaf.(type) {
		case string:
			return w.quote(v)
		case []string:
			for _, one := range v {
				parts = append(parts, w.space()+w.quote(one))
			}
			return "[" + strings.Join(parts, ",") + "]"
		}
		return fmt.Sprint(n.leaf)
	}
	for _, i := range w.order(len(n.names)) {
		name := n.names[i]
		parts = append(parts, w.space()+w.quote(name)+w.space()+":"+w.space()+w.json(n.fields[name])+w.space())
	}
	if w.extra {
		parts = slices.Insert(parts, w.rng.IntN(len(parts)+1), `"zz_unasked":[{"state":"closed"},null,1e3]`)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// flat writes n as the fields of a form.
func (w *writing) flat(n *node, name string, add func(name, value string)) {
	switch {
	case n.list != nil:
		for i, one := range n.list {
			at := fmt.Sprintf("%s[%d]", name, i)
			if w.appended && one.leaf != nil {
				at = name + "[]"
			}
			w.flat(one, at, add)
		}
	case n.leaf != nil:
		add(name, text(n.leaf))
	default:
		for _, i := range w.order(len(n.names)) {
			at := n.names[i]
			if name != "" {
				at = name + "[" + at + "]"
			}
			w.flat(n.fields[n.names[i]], at, add)
		}
	}
}

// formPairs are the fields of a form. In Slack's, what has parts is JSON.
func (p *plain) formPairs() (all []pair) {
	add := func(name, value string) { all = append(all, pair{name, value}) }
	root := tree(p.body)
	if p.row.service == "slack" {
		for _, i := range p.how.order(len(root.names)) {
			if n := root.fields[root.names[i]]; n.leaf != nil {
				add(root.names[i], text(n.leaf))
			} else {
				add(root.names[i], p.how.json(n))
			}
		}
	} else {
		p.how.flat(root, "", add)
	}
	if p.how.extra {
		all = slices.Insert(all, p.how.rng.IntN(len(all)+1), pair{"zz_unasked", "x=y&z"})
	}
	return all
}

// escape writes a name or a value of a form.
func (w *writing) escape(s string) string {
	if !w.escapes {
		return url.QueryEscape(s)
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		safe := 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '[' || c == ']' || c == '_'
		switch {
		case c == ' ' && w.rng.IntN(2) == 0:
			b.WriteByte('+')
		case safe && w.rng.IntN(2) == 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, []string{"%%%02X", "%%%02x"}[w.rng.IntN(2)], c)
		}
	}
	return b.String()
}

const boundary = "a-boundary"

func (p *plain) writeBody(r *connectors.Request) {
	w := &p.how
	kind, data := "", ""
	switch w.kind {
	case noBody, inTheQuery:
	case asJSON:
		kind, data = "application/json", w.json(tree(p.body))
		if w.document.batch {
			data = "[" + w.document.more + data + "]"
		}
	case asForm:
		var parts []string
		for _, f := range p.formPairs() {
			parts = append(parts, w.escape(f.name)+"="+w.escape(f.value))
		}
		kind, data = "application/x-www-form-urlencoded", strings.Join(parts, "&")
	case asMultipart:
		for _, f := range p.formPairs() {
			name := strings.ReplaceAll(f.name, `"`, "%22")
			data += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + f.value + "\r\n"
		}
		kind, data = "multipart/form-data; boundary="+boundary, data+"--"+boundary+"--\r\n"
	case asGraphQL:
		kind, data = "application/json", p.envelope()
	case asPush, asFetch, asClone, asList:
		kind, data = "application/x-git-request", p.packets(r)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	p.sent = []byte(data)
	r.Body = connectors.Whole(p.sent)
}

const zeros, someID = "0000000000000000000000000000000000000000", "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff"

// packets is what git sends.
func (p *plain) packets(r *connectors.Request) string {
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	switch p.how.kind {
	case asPush:
		s := line(zeros + " " + someID + " refs/heads/main\x00 report-status side-band-64k agent=git/2.43.0\n")
		for i := range p.how.refs {
			s += line(someID + " " + zeros + fmt.Sprintf(" refs/heads/other%d\n", i))
		}
		return s + "0000PACK\x00\x00\x00\x02"
	case asFetch:
		return line("want "+someID+" multi_ack_detailed ofs-delta\n") + "0000" + line("have "+someID+"\n") + line("done\n")
	case asClone:
		return line("want "+someID+" multi_ack_detailed ofs-delta\n") + "0000" + line("done\n")
	default: // asList
	}
	r.Header.Set("Git-Protocol", "version=2")
	return line("command=ls-refs\n") + "0001" + line("peel\n") + line("ref-prefix refs/heads/\n") + "0000"
}
