package config

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

func (p Policy) id() string { return p.Name }

// fields leave out what is usual, and the document.
func (p Policy) fields() pairs {
	out := pairs{{"enabled", ""}, {"report_only", ""}, {"priority", ""}}
	if p.Disabled {
		out[0][1] = "false"
	}
	if p.ReportOnly {
		out[1][1] = "true"
	}
	if p.Priority != policy.DefaultPriority {
		out[2][1] = strconv.Itoa(p.Priority)
	}
	return out
}

// policies says what changes about policies.
func (d *differ) policies(old, new []Policy) {
	compare(d, "policies", old, new, Policy.id, Policy.fields, func(path string, a, b Policy) {
		if a.Name == "" || a.Document == b.Document {
			return
		}
		if n := len(d.changes); n > 0 && d.changes[n-1].Path == path {
			d.changes[n-1].Detail = "document, " + d.changes[n-1].Detail
			return
		}
		d.changes = append(d.changes, Change{Update, path, "document"})
	})
}

// policy writes a policy with its document in the lines below, so that its
// comments stay and people can read it.
func (w *writer) policy(p Policy) {
	mark := "- "
	for _, kv := range p.fields() {
		if kv[1] != "" {
			w.line(1, mark+kv[0]+": "+kv[1])
			mark = "  "
		}
	}
	block := literal(p.Document)
	if block == "" || !readsBack(block, p.Document) {
		w.line(1, mark+"document: "+quote(p.Document))
		return
	}
	w.line(1, mark+"document: "+block)
}

const textIndent = "      "

// literal writes text as a block of lines, or returns "" where none could hold
// it.
func literal(text string) string {
	body := strings.TrimRight(text, "\n")
	if body == "" || strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && unicode.IsControl(r) || r == '\ufeff' || r == '\u2028' || r == '\u2029' || r == '\u0085'
	}) {
		return ""
	}
	mark := "|"
	switch ends := len(text) - len(body); {
	case ends == 0:
		mark = "|-"
	case ends > 1:
		mark = "|+"
	}
	var b strings.Builder
	b.WriteString(mark)
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		b.WriteByte('\n')
		if line != "" {
			b.WriteString(textIndent + line)
		}
	}
	return b.String()
}

// readsBack reports whether YAML has a block of lines as text.
func readsBack(block, text string) bool {
	root, problem := yamldoc.Tree([]byte("policies:\n  - document: "+block+"\n  - priority: 1\n"), 2*maxSize, maxDepth, maxKeys)
	if problem != nil {
		return false
	}
	items, ok := value(root, "policies").(*ast.SequenceNode)
	if !ok || len(items.Values) != 2 {
		return false
	}
	got, ok := value(items.Values[0], "document").(*ast.LiteralNode)
	return ok && got.Value.Value == text
}
