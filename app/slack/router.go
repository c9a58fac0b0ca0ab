package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
)

// errand is the payload of an item: what is to be done in the channel. The
// zero errand shows the card as the approval is when it is delivered.
type errand struct {
	Answer bool `json:"answer,omitempty"` // say in the card's thread how it ended
}

// pause is for how long the answer to a request that was sent is waited for,
// before the thread says that it was.
const pause = 3 * time.Second

// Items says in which channels a change of a is to be seen.
func (s *Service) Items(ctx context.Context, teamID string, i integration.Integration, a approval.Approval, c outbox.Change) ([]outbox.Item, error) {
	settings, err := ReadSettings(i)
	if err != nil {
		return nil, err
	}
	if a.Repeats != "" {
		return nil, nil // nobody was asked
	}
	channels := settings.Channels(a)
	if c.Type != approval.Opened {
		// Where it stands it is followed, also where routes have changed.
		if channels, err = s.where(ctx, a, channels); err != nil {
			return nil, err
		}
	}
	var items []outbox.Item
	for _, ch := range channels {
		lane := "slack " + a.ID + " " + ch
		items = append(items, outbox.Item{Kind: outbox.Slack, Lane: lane, Target: ch})
		if !ends(c.Type) {
			continue
		}
		payload, err := json.Marshal(errand{Answer: true})
		if err != nil {
			return nil, err
		}
		answer := outbox.Item{Kind: outbox.Slack, Lane: lane, Target: ch, Payload: payload}
		if c.Type == "approval."+string(approval.Executed) {
			// What waits holds up its lane, and the card is not to wait.
			answer.DueAt, answer.Lane = s.now().Add(pause), lane+" thread"
		}
		items = append(items, answer)
	}
	return items, nil
}

// ends reports whether nothing can become of an approval after that event.
func ends(event string) bool {
	for _, s := range []approval.Status{approval.Denied, approval.Expired, approval.Cancelled, approval.Executed, approval.Unused} {
		if event == "approval."+string(s) {
			return true
		}
	}
	return false
}

// where returns the channels in which a's card stands or may be about to.
func (s *Service) where(ctx context.Context, a approval.Approval, now []string) ([]string, error) {
	standing, err := s.Store.SlackMessages(ctx, a.ID)
	if err != nil {
		return nil, fmt.Errorf("find the cards of a request: %w", err)
	}
	seen := map[string]bool{}
	var all []string
	for _, m := range standing {
		seen[m.Channel] = true
		all = append(all, m.Channel)
	}
	for _, ch := range now {
		if !seen[ch] {
			all = append(all, ch)
		}
	}
	return all, nil
}

// Test adds a message that says that all works, to the outbox.
func (s *Service) Test(ctx context.Context, i integration.Integration) error {
	settings, err := ReadSettings(i)
	if err != nil {
		return err
	}
	target := settings.Channel
	if target == "" && len(settings.Routes) > 0 {
		target = settings.Routes[0].Channel
	}
	if target == "" {
		return fault.New(fault.Invalid, "There is no channel to send to. Choose one and save.", nil)
	}
	if !i.Enabled {
		return fault.New(fault.Invalid, "Slack is switched off. Put in the bot token and save.", nil)
	}
	if err := s.Store.AddItems(ctx, s.item(i, target)); err != nil {
		return fmt.Errorf("send a test to Slack: %w", err)
	}
	s.Bus.Publish(ctx, busOutbox)
	return nil
}
