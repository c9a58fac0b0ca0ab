package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/slack/slacktest"
)

// clicker is whoever decides in Slack.
const clicker = "U0ANA"

// chat is a Slack stand-in that the team has set up as people do.
type chat struct {
	server  *slacktest.Server
	channel string
}

// openSlack sets Slack up through the dashboard's own forms, and links the
// owner's account.
func (b *bench) openSlack(ctx context.Context) (*chat, error) {
	c := &chat{server: b.chat}
	c.channel = c.server.AddChannel("approvals", true)
	c.server.AddUser(slacktest.User{ID: clicker, Name: "ana"})
	page, err := b.world.OpenPage(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := page.Post(ctx, "/settings/slack/begin", nil); err != nil {
		return nil, err
	}
	set, err := page.Get(ctx, "/settings/slack?mode=http")
	if err != nil {
		return nil, err
	}
	manifest := regexp.MustCompile(`(?s)<pre[^>]*>(\s*\{.*?)</pre>`).FindStringSubmatch(set)
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(set)
	if manifest == nil || version == nil {
		return nil, errors.New("the page of Slack's settings shows no manifest")
	}
	if err := c.server.Install(html.UnescapeString(manifest[1])); err != nil {
		return nil, err
	}
	form := url.Values{
		"version": {version[1]}, "mode": {"http"}, "channel": {c.channel}, "enabled": {"yes"},
		"bot_token": {slacktest.BotToken}, "signing_secret": {slacktest.SigningSecret},
		"assurance_low": {"button"}, "assurance_medium": {"button"}, "assurance_high": {"button"}, "assurance_critical": {"button"},
	}
	if _, err := page.Post(ctx, "/settings/slack", form); err != nil {
		return nil, err
	}
	link, err := page.Post(ctx, "/settings/slack/link", nil)
	if err != nil {
		return nil, err
	}
	code := regexp.MustCompile(`/tameflare (link [0-9A-Z-]+)`).FindStringSubmatch(link)
	if code == nil {
		return nil, errors.New("the page shows no code to link a Slack account with")
	}
	if answer, err := c.server.Command(ctx, clicker, c.channel, code[1]); err != nil || answer.Status != http.StatusOK {
		return nil, fmt.Errorf("link the account: %d %s: %w", answer.Status, answer.Body, err)
	}
	return c, nil
}

// shown is a card in the channel.
type shown struct {
	message slacktest.Message
	at      time.Time
}

// card waits for the card that is about name.
func (c *chat) card(ctx context.Context, name string) (shown, error) {
	for {
		changed := c.server.Changed()
		all := c.server.Messages(c.channel)
		i := slices.IndexFunc(all, func(m slacktest.Message) bool {
			return m.Thread == "" && slices.Contains(strings.FieldsFunc(m.Shown(), func(r rune) bool { return r <= ' ' || r == '*' || r == '.' }), strings.TrimSpace(name))
		})
		if i >= 0 {
			return shown{all[i], all[i].At}, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return shown{}, fmt.Errorf("none of %d messages in Slack is about %s: %w", len(all), name, ctx.Err())
		}
	}
}

// approve presses the card's button, and returns once Slack has its answer.
func (c *chat) approve(ctx context.Context, s shown) error {
	i := slices.IndexFunc(s.message.Buttons(), func(id string) bool { return strings.Contains(id, "approve") })
	if i < 0 {
		return fmt.Errorf("the card has no button that approves: %s", s.message.Buttons())
	}
	answer, err := c.server.Click(ctx, clicker, s.message, s.message.Buttons()[i])
	if err == nil && answer.Status != http.StatusOK {
		err = fmt.Errorf("the click was answered with %d %s", answer.Status, answer.Body)
	}
	return err
}
