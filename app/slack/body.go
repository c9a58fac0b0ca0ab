package slack

import (
	"strings"
	"unicode/utf8"

	api "github.com/slack-go/slack"

	"github.com/tameflare/tameflare/connectors/show"
)

const (
	mostParts = 20   // blocks of a body
	mostText  = 6000 // characters of a body
	mostBlock = 2800 // characters of one block
)

// parts lays out a body, as much of it as fits on a card.
func parts(all []show.Part) []api.Block {
	var blocks []api.Block
	left := mostText
	cut := false
	for _, p := range all {
		made, size, short := part(p, min(left, mostBlock))
		if len(blocks)+len(made) > mostParts || left < 80 {
			cut = true
			break
		}
		blocks, left, cut = append(blocks, made...), left-size, cut || short
	}
	if cut {
		blocks = append(blocks, remark("That is not all of it. The rest can be read in TameFlare."))
	}
	return blocks
}

// part lays out p in about limit characters, and says how many it took and
// whether that was all.
func part(p show.Part, limit int) (blocks []api.Block, size int, short bool) {
	text := p.Text
	if len(p.Rows) > 0 {
		text = rows(p)
	}
	if strings.TrimSpace(text) == "" {
		return nil, 0, false
	}
	fits := lines(text, limit)
	short = utf8.RuneCountInString(strings.Trim(text, "\r\n")) >= limit
	title := []api.RichTextSectionElement{}
	if p.Title != "" {
		title = append(title, run(plain(p.Title, 120), bold))
	}
	switch p.Kind {
	case show.Amount:
		blocks = []api.Block{paragraph(append(title, run(space(title)+plain(text, 200), bold))...)}
	case show.Note:
		blocks = []api.Block{paragraph(append(title, run(space(title)+"ⓘ "+plain(text, 500), nil))...)}
	case show.Prose:
		blocks = append(heading(title), quote(fits))
	case show.Code, show.Diff, show.Table:
		blocks = append(heading(title), preformatted(fits))
	default:
		blocks = append(heading(title), preformatted(fits))
	}
	return blocks, utf8.RuneCountInString(fits) + utf8.RuneCountInString(p.Title), short
}

func heading(title []api.RichTextSectionElement) []api.Block {
	if len(title) == 0 {
		return nil
	}
	return []api.Block{paragraph(title...)}
}

func space(title []api.RichTextSectionElement) string {
	if len(title) == 0 {
		return ""
	}
	return "  "
}

// rows writes a table, or a diff, line by line.
func rows(p show.Part) string {
	var b strings.Builder
	one := strings.NewReplacer("\r\n", "⏎", "\n", "⏎", "\r", "⏎") // a value that goes on in the next line would look like another row
	for _, r := range p.Rows {
		if p.Kind != show.Diff {
			b.WriteString(one.Replace(r[0]) + ": " + one.Replace(r[1]) + "\n")
			continue
		}
		mark := map[string]string{show.Added: "+", show.Removed: "-", show.Same: " "}
		b.WriteString(mark[r[0]] + one.Replace(r[1]) + "\n") // what heads a file or a part of it has marks of its own
	}
	return b.String()
}
