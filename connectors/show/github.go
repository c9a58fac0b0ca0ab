package show

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// github shows what people write first, and files as what they will be.
func (s *sheet) github(in input, root *node) {
	if isGraphQL(root) {
		s.graphql(in, root)
		return
	}
	s.writing(root, "title", "commit_title", "body", "description", "message", "commit_message")
	if strings.HasPrefix(in.action.Name, "github.file.") || strings.HasPrefix(in.action.Name, "github.blob.") {
		s.repositoryFile(in, root)
	}
	if files := root.get("files"); files != nil && files.kind == object {
		for _, f := range files.fields {
			s.content(f.name, f.value, "content")
		}
	}
	if tree := root.get("tree"); tree != nil && tree.kind == list {
		for _, entry := range tree.items {
			s.content(plainText(entry.get("path")), entry, "content")
		}
	}
	if comments := root.get("comments"); comments != nil && comments.kind == list {
		for _, c := range comments.items {
			title := "Comment on " + plainText(c.get("path"))
			if line := plainText(c.get("line", "position")); line != "" {
				title += ", line " + line
			}
			s.prose(title, c.take("body"))
		}
	}
	s.rest("Details", root)
}

// writing shows what root says under the names as prose, but for what is short
// enough for a table.
func (s *sheet) writing(root *node, names ...string) {
	for _, name := range names {
		if v := root.get(name); v != nil && v.kind == text && !v.cut || v != nil && v.cut && v.text != "" {
			s.prose(spoken(name), root.take(name))
		}
	}
}

// spoken makes a title of a name: Commit message.
func spoken(name string) string {
	name = strings.ReplaceAll(name, "_", " ")
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// plainText returns what n says where it is no object or list, and nothing of
// it has to be shown elsewhere.
func plainText(n *node) string {
	if n == nil || n.kind == object || n.kind == list {
		return ""
	}
	return n.text
}

// repositoryFile shows the content that a file will have.
func (s *sheet) repositoryFile(in input, root *node) {
	path, _ := in.action.Params["path"].(string)
	if path != "" {
		rows := [][2]string{s.row("File", path)}
		if branch := root.take("branch"); branch != "" {
			rows = append(rows, s.row("Branch", branch))
		} else if strings.HasPrefix(in.action.Name, "github.file.") {
			rows = append(rows, [2]string{"Branch", "the default one"})
		}
		s.table("", rows)
	} else {
		path = "Content"
	}
	if plainText(root.get("encoding")) == "utf-8" {
		s.content(path, root, "content")
		return
	}
	s.base64(path, root.get("content"))
}

// content shows the text that n has under name.
func (s *sheet) content(title string, n *node, name string) {
	v := n.get(name)
	if v == nil || v.kind != text || v.shown {
		return
	}
	v.shown = true
	s.text(title, v.text)
}

// base64 shows what n says in base64. What cannot be decoded stays with the
// rest.
func (s *sheet) base64(title string, n *node) {
	if n == nil || n.kind != text || n.text == "" {
		return
	}
	plain := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, n.text)
	if n.cut {
		plain = plain[:len(plain)/4*4]
	}
	data, err := base64.StdEncoding.DecodeString(plain)
	if err != nil {
		data, err = base64.RawStdEncoding.DecodeString(plain)
	}
	if err != nil {
		s.note("Something that should be in base64 is not.")
		return
	}
	n.shown = true
	if isText(data, !n.cut) {
		if len(data) == 0 {
			s.note("The file will be empty.")
		}
		s.text(title, string(data))
		return
	}
	s.binary(input{raw: data, whole: !n.cut, contentType: fmt.Sprintf("the content of %s, which is no text", title)}, "")
}
