package slack

import (
	"context"
	"encoding/json"
	"slices"

	api "github.com/slack-go/slack"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/approval"
)

// after does what can wait until Slack knows that its message has come: it
// opens windows, explains, and brings a card up to date that nobody else
// would.
func (s *Service) after(ctx context.Context, to office, l letter, r reply) {
	if l.act == nothing {
		return
	}
	client := s.slack(to.secrets)
	if r.window {
		_, err := client.OpenViewContext(ctx, l.trigger, reasonWindow(r.approval, l))
		if err == nil {
			return
		}
		s.Log.WarnContext(ctx, "a window could not be opened in Slack", "error", err)
		r.text = escape(read(err).sentence, 200)
	}
	if r.text != "" && !r.said {
		s.explain(ctx, client, to, l, r.text)
	}
	if r.known && l.act == decide && l.ts != "" && s.orphan(ctx, r.approval, l) {
		if _, _, _, err := client.UpdateMessageContext(ctx, l.channel, l.ts, s.card(ctx, to.settings, r.approval)...); err != nil {
			s.Log.WarnContext(ctx, "a card could not be brought up to date", "approval", r.approval.ID, "error", err)
		}
	}
}

// explain tells whoever sent a message, and nobody else, what came of it.
func (s *Service) explain(ctx context.Context, client *api.Client, to office, l letter, text string) {
	options := []api.MsgOption{api.MsgOptionText(text, false), api.MsgOptionDisableLinkUnfurl(), api.MsgOptionParse(false)}
	var err error
	switch {
	case l.act == command && s.isOurs(l.reply):
		_, _, err = client.PostMessageContext(ctx, l.channel, append(options, api.MsgOptionResponseURL(l.reply, api.ResponseTypeEphemeral))...)
	case l.channel != "":
		_, err = client.PostEphemeralContext(ctx, l.channel, l.user, options...)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "nobody could be told in Slack why nothing was done", "integration", to.ID, "error", err)
		s.Integrations.Did(ctx, to.ID, read(err).fault(err))
	}
}

// orphan reports whether the card that was clicked is one that the outbox does
// not know of: see Deliver.
func (s *Service) orphan(ctx context.Context, a approval.Approval, l letter) bool {
	known, err := s.Store.SlackMessages(ctx, a.ID)
	return err == nil && !slices.ContainsFunc(known, func(m store.SlackMessage) bool {
		_, ts := place(m)
		return ts == l.ts
	})
}

// reasonWindow asks why somebody denies a request.
func reasonWindow(a approval.Approval, l letter) api.ModalViewRequest {
	of, err := json.Marshal(about{Approval: a.ID, Channel: l.channel, TS: l.ts})
	if err != nil {
		of = nil // strings
	}
	input := &api.PlainTextInputBlockElement{Type: api.METPlainTextInput, ActionID: elemReason, Multiline: true, MaxLength: maxNote, FocusOnLoad: true}
	return api.ModalViewRequest{
		Type: api.VTModal, CallbackID: callDeny, PrivateMetadata: string(of),
		Title: words("Deny the request", 24), Submit: words("Deny", 24), Close: words("Back", 24),
		Blocks: api.Blocks{BlockSet: []api.Block{
			paragraph(run(plain(sentence(a), 1000), nil)),
			api.NewInputBlock(blockReason, words("Why?", 150), words("The agent is told.", 150), input),
		}},
	}
}
