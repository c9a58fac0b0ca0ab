package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	api "github.com/slack-go/slack"

	"github.com/tameflare/tameflare/app/bus"
	out "github.com/tameflare/tameflare/app/outbox"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
)

const busOutbox = bus.Outbox

// event is what our messages say about themselves to other apps.
const event = "tameflare_approval"

func (s *Service) item(i integration.Integration, target string) outbox.Item {
	return out.Completed(outbox.Item{TeamID: i.TeamID, Kind: outbox.Slack, Integration: i.ID, Target: target}, s.now())
}

// Deliver shows an approval as it is now in a channel of Slack: with a new
// card, or by changing the one that stands there. What would show nothing new
// is done without asking Slack.
//
// A server that ends between posting a card and writing down where leaves a
// card that nobody changes any more; the next attempt posts another. Its
// buttons work, and whoever presses one is told what became of the request.
func (s *Service) Deliver(ctx context.Context, item outbox.Item) out.Result {
	i, err := s.Store.Integration(ctx, item.Integration)
	switch {
	case fault.Of(err) == fault.NotFound:
		return out.Result{Done: true}
	case err != nil:
		return s.later(ctx, item, err)
	case !i.Enabled || i.Kind != integration.Slack || i.TeamID != item.TeamID:
		return out.Result{Done: true}
	}
	settings, err := ReadSettings(i)
	if err != nil {
		return s.later(ctx, item, err)
	}
	secrets, err := s.secrets(ctx, i)
	if err != nil {
		return s.later(ctx, item, err)
	}
	client := s.slack(secrets)
	if item.Ref == "" {
		_, _, err := client.PostMessageContext(ctx, item.Target, message(hello(s.link("/settings/slack")), "TameFlare can post here.")...)
		return s.result(ctx, i, err)
	}
	var what errand
	if len(item.Payload) > 0 {
		if err := json.Unmarshal(item.Payload, &what); err != nil {
			return out.Result{Failed: true, Problem: "It does not say what is to be done."}
		}
	}
	a, err := s.Approvals.Get(ctx, item.TeamID, item.Ref)
	if fault.Of(err) == fault.NotFound {
		return out.Result{Done: true}
	}
	if err != nil {
		return s.later(ctx, item, err)
	}
	at, err := s.Store.SlackMessage(ctx, a.ID, item.Target)
	stands := err == nil
	if err != nil && fault.Of(err) != fault.NotFound {
		return s.later(ctx, item, err)
	}
	switch {
	case what.Answer && stands:
		return s.result(ctx, i, s.answer(ctx, client, at, a))
	case what.Answer, stands && at.Seq >= a.Seq:
		return out.Result{Done: true}
	case stands:
		return s.update(ctx, client, i, settings, at, a)
	case a.Status != approval.Pending: // it is over, and nobody in the channel has seen it
		return out.Result{Done: true}
	}
	return s.post(ctx, client, i, settings, item.Target, a)
}

// post puts up a card that nobody has put up yet.
func (s *Service) post(ctx context.Context, client *api.Client, i integration.Integration, settings Settings, target string, a approval.Approval) out.Result {
	channel, ts, err := client.PostMessageContext(ctx, target, append(s.card(ctx, settings, a), api.MsgOptionMetadata(api.SlackMetadata{
		EventType: event, EventPayload: map[string]any{"approval": a.ID},
	}))...)
	if err != nil {
		return s.result(ctx, i, err)
	}
	// Where it stands has to be known, even if there is no time left.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err = s.Store.InsertSlackMessage(keep, store.SlackMessage{ApprovalID: a.ID, Channel: target, TeamID: a.TeamID, TS: channel + " " + ts, Seq: a.Seq})
	if fault.Of(err) == fault.Conflict { // another server was faster, and one card is enough
		if _, _, derr := client.DeleteMessageContext(keep, channel, ts); derr != nil {
			s.Log.WarnContext(ctx, "a second card stays in Slack", "approval", a.ID, "channel", channel, "error", derr)
		}
		err = nil
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "where a card stands in Slack could not be written", "approval", a.ID, "error", err)
		return out.Result{Problem: fault.Message(err)}
	}
	return s.result(ctx, i, nil)
}

func (s *Service) update(ctx context.Context, client *api.Client, i integration.Integration, settings Settings, at store.SlackMessage, a approval.Approval) out.Result {
	channel, ts := place(at)
	_, _, _, err := client.UpdateMessageContext(ctx, channel, ts, s.card(ctx, settings, a)...)
	switch t := read(err); {
	case err != nil && gone[t.code]: // somebody removed it, and that is theirs to do
	case err != nil:
		return s.result(ctx, i, err)
	}
	at.Seq = a.Seq
	if err := s.Store.ShownInSlack(ctx, at); err != nil {
		return s.later(ctx, outbox.Item{Ref: a.ID}, err)
	}
	return s.result(ctx, i, nil)
}

var gone = map[string]bool{"message_not_found": true, "cant_update_message": true, "edit_window_closed": true}

// answer says in the card's thread how a ended.
func (s *Service) answer(ctx context.Context, client *api.Client, at store.SlackMessage, a approval.Approval) error {
	channel, ts := place(at)
	text := outcome(a)
	_, _, err := client.PostMessageContext(ctx, channel, append(message([]api.Block{said(text)}, text), api.MsgOptionTS(ts))...)
	if t := read(err); err != nil && (gone[t.code] || t.code == "cannot_reply_to_message" || t.code == "thread_not_found") {
		return nil
	}
	return err
}

// result is what came of a call, which is also how the integration does.
func (s *Service) result(ctx context.Context, i integration.Integration, err error) out.Result {
	if err == nil {
		s.Integrations.Did(ctx, i.ID, nil)
		return out.Result{Done: true, Answer: http.StatusOK}
	}
	t := read(err)
	s.Integrations.Did(ctx, i.ID, t.fault(err))
	return out.Result{Failed: !t.passing, Retry: t.wait, Answer: t.status, Problem: t.sentence}
}

func (s *Service) later(ctx context.Context, item outbox.Item, err error) out.Result {
	s.Log.WarnContext(ctx, "a card waits for its next attempt", "approval", item.Ref, "error", err)
	return out.Result{Problem: fault.Message(err), Retry: 5 * time.Second}
}

// place is the channel and the time by which Slack knows a message. A card
// that is posted to a name is known by the channel's ID from then on.
func place(m store.SlackMessage) (channel, ts string) {
	if _, err := fmt.Sscan(m.TS, &channel, &ts); err != nil {
		return m.Channel, m.TS
	}
	return channel, ts
}

// message is blocks, with a text for where they cannot be shown. Slack makes
// nothing of either that they do not say.
func message(blocks []api.Block, text string) []api.MsgOption {
	return []api.MsgOption{
		api.MsgOptionBlocks(blocks...), api.MsgOptionText(entities.Replace(plain(text, 1000)), false), api.MsgOptionParse(false), api.MsgOptionLinkNames(false),
		api.MsgOptionDisableLinkUnfurl(), api.MsgOptionDisableMediaUnfurl(), api.MsgOptionDisableMarkdown(),
	}
}
