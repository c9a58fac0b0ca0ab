package show

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
)

// maxFields is how many fields of a form or a multipart body are looked at.
const maxFields = 1000

const twoReadings = "The body can be read in two ways. The service may take it otherwise than it is shown here."

// form shows application/x-www-form-urlencoded.
func (s *sheet) form(in input) {
	root := &node{kind: object, isForm: true}
	for part := range strings.SplitSeq(string(in.data), "&") {
		if part == "" {
			continue
		}
		if len(root.fields) == maxFields {
			s.left++
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		root.fields = append(root.fields, field{s.unescape(name), &node{kind: text, text: s.unescape(value)}})
	}
	if !in.whole && len(root.fields) > 0 {
		last := root.fields[len(root.fields)-1].value
		last.text += "…"
	}
	s.ambiguous(root, in)
	s.fields(in, root)
}

func (s *sheet) unescape(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		s.note(twoReadings)
		return text
	}
	return plain
}

// ambiguous notes what makes services differ about what the body says.
func (s *sheet) ambiguous(root *node, in input) {
	if name := twice(root, 0); name != "" {
		s.note("“" + clip(name, 60) + "” is there more than once. The service may take either.")
	}
	if !in.whole {
		return
	}
	var err error
	if root.isForm {
		err = (&body.Finder{}).Form(in.data, nil)
	} else {
		err = body.Check(in.data)
	}
	if err != nil && len(s.notes) == 0 {
		s.note(twoReadings)
	}
}

// twice returns a name that an object has more than once.
func twice(n *node, depth int) string {
	if n == nil || depth > maxDepth {
		return ""
	}
	seen := make(map[string]bool, len(n.fields))
	for _, f := range n.fields {
		if seen[f.name] && !(n.isForm && strings.HasSuffix(f.name, "[]")) {
			return f.name
		}
		seen[f.name] = true
		if name := twice(f.value, depth+1); name != "" {
			return name
		}
	}
	for _, item := range n.items {
		if name := twice(item, depth+1); name != "" {
			return name
		}
	}
	return ""
}

// multipart shows the fields of a multipart body, and of its files what they
// are. Files that are text are shown too.
func (s *sheet) multipart(in input) {
	_, params, err := mime.ParseMediaType(in.contentType)
	boundary := params["boundary"]
	if err != nil || boundary == "" {
		s.note("The request says that its body has parts, and not what separates them.")
		if isText(in.data, in.whole) {
			s.text("", string(in.data))
		} else {
			s.binary(in, "")
		}
		return
	}
	if in.whole && (&body.Finder{}).Multipart(in.data, boundary, nil) != nil {
		s.note(twoReadings)
	}
	root := &node{kind: object, isForm: true}
	var files [][2]string
	type file struct{ name, text string }
	var texts []file
	parts := multipart.NewReader(bytes.NewReader(in.data), boundary)
	for i := 0; ; i++ {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) || err != nil && !in.whole {
			break
		}
		if err != nil {
			s.note("Not all of the parts of the body can be read.")
			break
		}
		if i == maxFields {
			s.left++
			break
		}
		data, err := io.ReadAll(part)
		cut := err != nil
		name, filename, kind := part.FormName(), fileName(part), part.Header.Get("Content-Type")
		if filename == "" && isText(data, !cut) {
			root.fields = append(root.fields, field{name, &node{kind: text, text: string(data), cut: cut}})
			continue
		}
		about := bytesOf(int64(len(data)))
		if cut {
			about = "more than " + about
		}
		if kind != "" {
			about += ", " + kind
		}
		files = append(files, s.row(name+": "+filename, about))
		if isText(data, !cut) {
			texts = append(texts, file{filename, string(data)})
		}
	}
	if len(files)+len(root.fields) == 0 {
		s.note("The body has no parts that can be read.")
		s.binary(in, "")
		return
	}
	s.fields(in, root)
	s.table("Files", files)
	for _, f := range texts {
		s.text(f.name, f.text)
	}
}

// fileName is the name as it is sent, with any folders in it.
func fileName(part *multipart.Part) string {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return part.FileName()
	}
	return params["filename"]
}
