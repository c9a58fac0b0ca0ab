package slack

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	api "github.com/slack-go/slack"
)

// What agents and their services write stands in cards as plain or as
// preformatted text, in which Slack reads nothing: no link, no mention, no
// channel, no format. Only our own words, and what went through escape, stand in mrkdwn.

// plain returns text as one line that a person may safely read: at most limit
// characters, with what would not be seen, or would reorder the rest, spelled
// out. It is never empty, which Slack refuses.
func plain(text string, limit int) string {
	s := visible(strings.Join(strings.Fields(text), " "), limit, false)
	if s == "" {
		return "–"
	}
	return s
}

// lines is plain for text of several lines.
func lines(text string, limit int) string {
	s := visible(strings.ReplaceAll(strings.Trim(text, "\r\n"), "\r\n", "\n"), limit, true)
	if s == "" {
		return "–"
	}
	return s
}

func visible(text string, limit int, breaks bool) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		out := string(r)
		switch {
		case breaks && (r == '\n' || r == '\t'):
		case r == utf8.RuneError, r != ' ' && !unicode.IsPrint(r), unseen(r):
			out = fmt.Sprintf("⟨U+%04X⟩", r)
		}
		size := utf8.RuneCountInString(out)
		if n+size > limit-1 {
			b.WriteString("…")
			break
		}
		n += size
		b.WriteString(out)
	}
	return b.String()
}

// unseen are characters that count as printable and show nothing.
func unseen(r rune) bool {
	return r == 0x00AD || r == 0x034F || r == 0x115F || r == 0x1160 || r == 0x2800 || r == 0x3164 || r == 0xFFA0 ||
		r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF
}

var (
	entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;") // by which Slack knows links, mentions and channels
	formats  = strings.NewReplacer("*", "∗", "_", "ˍ", "~", "∼", "`", "ˋ", "://", "∶//")
)

// escape returns text for a place where Slack reads mrkdwn.
func escape(text string, limit int) string {
	return formats.Replace(entities.Replace(plain(text, limit)))
}

// words is a text object in which Slack reads nothing.
func words(text string, limit int) *api.TextBlockObject {
	return api.NewTextBlockObject(api.PlainTextType, plain(text, limit), false, false)
}

// ours is a text object of our own words. Anybody else's are escaped in it.
func ours(text string) *api.TextBlockObject {
	return api.NewTextBlockObject(api.MarkdownType, text, false, true)
}
