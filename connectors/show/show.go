// Package show lays out a held request so that a person can decide about it.
//
// What matters for the decision comes first, in the words of the service that
// it goes to: an amount, a message, a changed file. The rest follows in a table,
// and nothing of what the body says is left out, but for what is too much to
// read and for what looks like a secret; where something is, it says so. All
// of it was written by whoever made the request, and is only ever shown.
package show

import (
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
)

// Kind is how a Part is read.
type Kind uint8

const (
	Code   Kind = iota // Text, every character as it is
	Prose              // Text, as a person wrote it
	Diff               // Rows of a class (see the constants below) and a line
	Table              // Rows of a name and a value
	Amount             // Text: money, with its currency
	Note               // Text: what to know about the request besides, in our own words
)

// The classes of the lines of a Diff.
const (
	Same    = ""
	Added   = "+"
	Removed = "-"
	Hunk    = "@" // where in the file the lines after it are
	File    = "f" // which file the lines after it are of
)

// Part is one thing to look at. Its texts are valid UTF-8 without secrets, and
// may have any character in them.
type Part struct {
	Kind        Kind
	Title, Text string
	Rows        [][2]string
}

// Of lays out the request that a is about. A body that nobody kept has no
// parts.
func Of(a approval.Approval, b approval.Body) []Part {
	return lay(a.Action, a.BodyType, a.BodyCoding, b, a.BodySize)
}

// Request lays out a request that would do a. The body is as it is sent, in
// the content type and the content coding that its headers name.
func Request(a action.Action, contentType, coding string, b approval.Body) []Part {
	return lay(a, contentType, coding, b, 0)
}

func lay(a action.Action, contentType, coding string, b approval.Body, size int64) []Part {
	if len(b.Bytes) == 0 {
		return nil
	}
	s := &sheet{}
	if !b.Whole {
		s.note(beginning(len(b.Bytes), size))
	}
	in := input{action: a, contentType: contentType, media: media(contentType), raw: b.Bytes, whole: b.Whole}
	in.service, _, _ = strings.Cut(a.Name, ".")
	in.data, in.whole = s.decode(coding, b.Bytes, b.Whole)
	if in.data == nil {
		s.binary(in, "in the coding "+coding)
		return s.done()
	}
	s.body(in)
	return s.done()
}

// input is a request's body, and what is known of it.
type input struct {
	action             action.Action
	service            string // the first word of the action
	contentType, media string
	raw, data          []byte // as sent, and without its coding
	whole              bool   // there is no more of data
}

// body chooses how the body is read. What it is counts for more than what it
// says it is: services differ in whether they look at that.
func (s *sheet) body(in input) {
	switch {
	case in.isPush():
		s.push(in)
	case strings.HasPrefix(in.media, "multipart/"):
		s.multipart(in)
	case in.media == "text/x-diff" || in.media == "text/x-patch":
		s.diff("", string(in.data))
	case looksJSON(in.data):
		s.json(in)
	case in.media == "application/x-www-form-urlencoded":
		s.form(in)
	case !isText(in.data, in.whole):
		s.binary(in, "")
	default:
		if isJSON(in.media) {
			s.note("The request says that its body is JSON, and it is not.")
		}
		s.text("", string(in.data))
	}
}

func (s *sheet) json(in input) {
	root, err := parse(in.data, in.whole)
	if err != nil {
		s.note("The body begins like JSON, and is none: " + err.Error() + ".")
		s.text("", string(in.data))
		return
	}
	if in.media != "" && !isJSON(in.media) {
		s.note("The request says that its body is " + clip(in.media, 60) + ". It is JSON.")
	}
	s.ambiguous(root, in)
	s.fields(in, root)
}

// fields shows what JSON or a form says, as fits the service.
func (s *sheet) fields(in input, root *node) {
	switch in.service {
	case "github":
		s.github(in, root)
	case "stripe":
		s.stripe(root)
	case "slack":
		s.slack(root)
	case "openai", "anthropic":
		s.model(root)
	case "mcp":
		s.mcp(in, root)
	default:
		s.generic(root)
	}
}

// generic shows JSON as it is, and what in it is a diff as one.
func (s *sheet) generic(root *node) {
	if root.isForm {
		s.rest("", root)
		return
	}
	root.walk("", func(name string, n *node) {
		if n.kind == text && isDiff(n.text) {
			s.diff(name, n.text)
			n.text = "(shown above)"
		}
	})
	s.code("JSON", root.pretty())
}

func media(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

func isJSON(media string) bool {
	return media == "application/json" || strings.HasSuffix(media, "+json")
}
