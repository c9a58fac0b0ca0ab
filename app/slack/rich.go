package slack

import api "github.com/slack-go/slack"

// Rich text holds its text as it is: nothing in it is a link, a mention or a
// format unless it is an element of its own.

var (
	bold = &api.RichTextSectionTextStyle{Bold: true}
	code = &api.RichTextSectionTextStyle{Code: true}
)

func run(text string, style *api.RichTextSectionTextStyle) api.RichTextSectionElement {
	return api.NewRichTextSectionTextElement(text, style)
}

// paragraph is one block of text.
func paragraph(runs ...api.RichTextSectionElement) api.Block {
	return api.NewRichTextBlock("", api.NewRichTextSection(runs...))
}

func said(text string) api.Block { return paragraph(run(plain(text, 2000), nil)) }

func preformatted(text string) api.Block {
	return api.NewRichTextBlock("", &api.RichTextPreformatted{Type: api.RTEPreformatted, Elements: []api.RichTextSectionElement{run(text, nil)}})
}

func quote(text string) api.Block {
	return api.NewRichTextBlock("", &api.RichTextQuote{Type: api.RTEQuote, Elements: []api.RichTextSectionElement{run(text, nil)}})
}

// remark is a line in small print, of our own words in mrkdwn.
func remark(mrkdwn string) api.Block { return api.NewContextBlock("", ours(mrkdwn)) }
