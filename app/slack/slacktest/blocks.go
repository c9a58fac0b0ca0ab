package slacktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// readBlocks reads blocks as slack-go does, and refuses what Slack would.
func readBlocks(raw string, modal bool) ([]slack.Block, error) {
	var all slack.Blocks
	if err := json.Unmarshal([]byte(raw), &all); err != nil {
		return nil, err
	}
	most := 50
	if modal {
		most = 100
	}
	if len(all.BlockSet) > most {
		return nil, fmt.Errorf("no more than %d items allowed [json-pointer:/blocks]", most)
	}
	if len(raw) > 40_000 {
		return nil, errors.New("blocks are too large")
	}
	seen := map[string]bool{}
	for n, b := range all.BlockSet {
		if id := b.ID(); id != "" {
			if seen[id] || len(id) > 255 {
				return nil, fmt.Errorf("block_id %q: twice, or too long [json-pointer:/blocks/%d]", id, n)
			}
			seen[id] = true
		}
		if err := checkBlock(b, modal); err != nil {
			return nil, fmt.Errorf("%w [json-pointer:/blocks/%d]", err, n)
		}
	}
	return all.BlockSet, nil
}

func checkBlock(b slack.Block, modal bool) error {
	switch b := b.(type) {
	case *slack.HeaderBlock:
		return checkText(b.Text, 150, slack.PlainTextType)
	case *slack.SectionBlock:
		if b.Text == nil && len(b.Fields) == 0 {
			return errors.New("a section has a text or fields")
		}
		if len(b.Fields) > 10 {
			return errors.New("no more than 10 fields")
		}
		for _, f := range b.Fields {
			if err := checkText(f, 2000, ""); err != nil {
				return err
			}
		}
		if b.Text != nil {
			return checkText(b.Text, 3000, "")
		}
		return nil
	case *slack.ContextBlock:
		if n := len(b.ContextElements.Elements); n == 0 || n > 10 {
			return errors.New("a context has 1 to 10 elements")
		}
		for _, e := range b.ContextElements.Elements {
			if t, ok := e.(*slack.TextBlockObject); ok {
				if err := checkText(t, 3000, ""); err != nil {
					return err
				}
			}
		}
		return nil
	case *slack.ActionBlock:
		return checkActions(b)
	case *slack.RichTextBlock:
		return checkRich(b)
	case *slack.DividerBlock:
		return nil
	case *slack.InputBlock:
		if !modal {
			return errors.New("an input stands in a window only")
		}
		if b.Element == nil {
			return errors.New("an input has an element")
		}
		return checkText(b.Label, 2000, slack.PlainTextType)
	}
	return fmt.Errorf("unsupported type: %s", b.BlockType())
}

func checkText(t *slack.TextBlockObject, most int, typ string) error {
	switch {
	case t == nil:
		return errors.New("missing required field: text")
	case typ != "" && t.Type != typ:
		return fmt.Errorf("must be of the type %s", typ)
	case utf8.RuneCountInString(t.Text) > most:
		return fmt.Errorf("must be less than %d characters", most+1)
	}
	return t.Validate()
}

func checkActions(b *slack.ActionBlock) error {
	if b.Elements == nil || len(b.Elements.ElementSet) == 0 || len(b.Elements.ElementSet) > 25 {
		return errors.New("actions have 1 to 25 elements")
	}
	seen := map[string]bool{}
	for _, e := range b.Elements.ElementSet {
		var id string
		switch e := e.(type) {
		case *slack.ButtonBlockElement:
			id = e.ActionID
			if err := checkText(e.Text, 75, slack.PlainTextType); err != nil {
				return err
			}
			if len(e.Value) > 2000 || len(e.URL) > 3000 || e.Style != "" && e.Style != slack.StylePrimary && e.Style != slack.StyleDanger {
				return errors.New("a button's value, url or style is none")
			}
			if err := checkConfirm(e.Confirm); err != nil {
				return err
			}
		case *slack.OverflowBlockElement:
			id = e.ActionID
			if len(e.Options) == 0 || len(e.Options) > 5 {
				return errors.New("an overflow has 1 to 5 options")
			}
			for _, o := range e.Options {
				if err := checkText(o.Text, 75, slack.PlainTextType); err != nil {
					return err
				}
				if o.Value == "" || len(o.Value) > 150 {
					return errors.New("an option's value has 1 to 150 characters")
				}
			}
			if err := checkConfirm(e.Confirm); err != nil {
				return err
			}
		default:
			return fmt.Errorf("unsupported element: %s", e.ElementType())
		}
		if id == "" || len(id) > 255 || seen[id] {
			return fmt.Errorf("action_id %q: none, twice or too long", id)
		}
		seen[id] = true
	}
	return nil
}

func checkConfirm(c *slack.ConfirmationBlockObject) error {
	if c == nil {
		return nil
	}
	for text, most := range map[*slack.TextBlockObject]int{c.Title: 100, c.Text: 300, c.Confirm: 30, c.Deny: 30} {
		if err := checkText(text, most, ""); err != nil {
			return fmt.Errorf("confirm: %w", err)
		}
	}
	return nil
}

func checkRich(b *slack.RichTextBlock) error {
	runs := richRuns(b)
	if len(runs) == 0 {
		return errors.New("rich text has elements")
	}
	for _, r := range runs {
		if t, ok := r.(*slack.RichTextSectionTextElement); ok && (t.Text == "" || utf8.RuneCountInString(t.Text) > 4000) {
			return errors.New("a text has 1 to 4000 characters")
		}
	}
	return nil
}

func richRuns(b *slack.RichTextBlock) []slack.RichTextSectionElement {
	var all []slack.RichTextSectionElement
	for _, e := range b.Elements {
		switch e := e.(type) {
		case *slack.RichTextSection:
			all = append(all, e.Elements...)
		case *slack.RichTextPreformatted:
			all = append(all, e.Elements...)
		case *slack.RichTextQuote:
			all = append(all, e.Elements...)
		}
	}
	return all
}

func readView(raw json.RawMessage) (slack.ModalViewRequest, error) {
	var v slack.ModalViewRequest
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, err
	}
	if v.Type != slack.VTModal || len(v.PrivateMetadata) > 3000 || len(v.CallbackID) > 255 {
		return v, errors.New("the view is none")
	}
	for _, t := range []*slack.TextBlockObject{v.Title, v.Submit, v.Close} {
		if err := checkText(t, 24, slack.PlainTextType); err != nil {
			return v, err
		}
	}
	var shape struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	if err := json.Unmarshal(raw, &shape); err != nil {
		return v, err
	}
	_, err := readBlocks(string(shape.Blocks), true)
	return v, err
}

// Shown is everything that a message shows, as text.
func (m Message) Shown() string {
	var all []string
	add := func(t *slack.TextBlockObject) {
		if t != nil {
			all = append(all, t.Text)
		}
	}
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.HeaderBlock:
			add(b.Text)
		case *slack.SectionBlock:
			add(b.Text)
			for _, f := range b.Fields {
				add(f)
			}
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				if t, ok := e.(*slack.TextBlockObject); ok {
					add(t)
				}
			}
		case *slack.RichTextBlock:
			var line strings.Builder
			for _, r := range richRuns(b) {
				if t, ok := r.(*slack.RichTextSectionTextElement); ok {
					line.WriteString(t.Text)
				}
			}
			all = append(all, line.String())
		case *slack.ActionBlock:
			for _, e := range b.Elements.ElementSet {
				if button, ok := e.(*slack.ButtonBlockElement); ok {
					all = append(all, "["+button.Text.Text+"]")
				}
			}
		}
	}
	return strings.Join(all, "\n")
}

// Buttons are the action IDs that somebody can press.
func (m Message) Buttons() []string {
	var ids []string
	for _, b := range m.Blocks {
		if actions, ok := b.(*slack.ActionBlock); ok {
			for _, e := range actions.Elements.ElementSet {
				switch e := e.(type) {
				case *slack.ButtonBlockElement:
					ids = append(ids, e.ActionID)
				case *slack.OverflowBlockElement:
					ids = append(ids, e.ActionID)
				}
			}
		}
	}
	return ids
}

// Active are the elements in which Slack would make a link, a mention or a
// channel of what a message says, but for buttons.
func (m Message) Active() []string {
	var found []string
	mrkdwn := func(t *slack.TextBlockObject) {
		if t == nil || t.Type != slack.MarkdownType {
			return
		}
		for rest := t.Text; ; {
			_, after, ok := strings.Cut(rest, "<")
			if !ok {
				break
			}
			inside, next, _ := strings.Cut(after, ">")
			if !strings.HasPrefix(inside, "!date^") {
				found = append(found, "<"+inside+">")
			}
			rest = next
		}
		if !t.Verbatim && (strings.Contains(t.Text, "://") || strings.ContainsAny(t.Text, "@#")) {
			found = append(found, t.Text)
		}
	}
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.SectionBlock:
			mrkdwn(b.Text)
			for _, f := range b.Fields {
				mrkdwn(f)
			}
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				if t, ok := e.(*slack.TextBlockObject); ok {
					mrkdwn(t)
				}
			}
		case *slack.RichTextBlock:
			for _, r := range richRuns(b) {
				if _, ok := r.(*slack.RichTextSectionTextElement); !ok {
					found = append(found, fmt.Sprintf("%T", r))
				}
			}
		}
	}
	return found
}
