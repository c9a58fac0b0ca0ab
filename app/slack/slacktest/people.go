package slacktest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// Answer is what the app answered to something that somebody did.
type Answer struct {
	Status int
	Body   string
	Took   time.Duration
}

// Click is somebody pressing a button of a message, as it was when they saw it.
// Option is of what a menu offers: its number.
func (s *Server) Click(ctx context.Context, user string, m Message, actionID string, option ...int) (Answer, error) {
	payload, err := s.Payload(user, m, actionID, option...)
	if err != nil {
		return Answer{}, err
	}
	return s.Interact(ctx, payload)
}

// Payload is what Slack sends where somebody presses a button.
func (s *Server) Payload(user string, m Message, actionID string, option ...int) ([]byte, error) {
	act, err := pressed(m, actionID, option)
	if err != nil {
		return nil, err
	}
	act["action_ts"] = stamp()
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(map[string]any{
		"type": "block_actions", "api_app_id": "A0TAMEFLARE", "token": "legacy", "team": map[string]any{"id": Workspace, "domain": "acme"},
		"user": s.person(user), "trigger_id": s.trigger(user), "is_enterprise_install": false, "enterprise": nil,
		"container":    map[string]any{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": false},
		"channel":      map[string]any{"id": m.Channel, "name": "channel"},
		"message":      map[string]any{"type": "message", "ts": m.TS, "text": m.Text, "user": BotUser},
		"response_url": s.http.URL + "/response/" + m.Channel + "/" + user, "state": map[string]any{"values": map[string]any{}},
		"actions": []any{act},
	})
}

func (s *Server) person(id string) map[string]any {
	u, ok := s.users[id]
	if !ok {
		u = User{ID: id, Name: id}
	}
	return map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.team()}
}

func (s *Server) trigger(user string) string {
	id := "trigger." + rand.Text()
	s.triggers[id] = trigger{user: user, at: time.Now()}
	return id
}

func pressed(m Message, actionID string, option []int) (map[string]any, error) {
	for _, b := range m.Blocks {
		actions, ok := b.(*slack.ActionBlock)
		if !ok {
			continue
		}
		for _, e := range actions.Elements.ElementSet {
			switch e := e.(type) {
			case *slack.ButtonBlockElement:
				if e.ActionID == actionID {
					return map[string]any{"type": "button", "action_id": e.ActionID, "block_id": blockID(actions), "text": e.Text, "value": e.Value, "style": e.Style}, nil
				}
			case *slack.OverflowBlockElement:
				if e.ActionID == actionID && len(option) == 1 && option[0] < len(e.Options) {
					return map[string]any{"type": "overflow", "action_id": e.ActionID, "block_id": blockID(actions), "selected_option": e.Options[option[0]]}, nil
				}
			}
		}
	}
	return nil, fmt.Errorf("the message has no button %q", actionID)
}

func blockID(b *slack.ActionBlock) string {
	if b.BlockID == "" {
		return "aB1" // Slack makes one up
	}
	return b.BlockID
}

// Submit is somebody sending a window, with a text in each of its inputs.
func (s *Server) Submit(ctx context.Context, user string, w Window, text string) (Answer, error) {
	values := map[string]any{}
	for _, b := range w.View.Blocks.BlockSet {
		if in, ok := b.(*slack.InputBlock); ok {
			e, ok := in.Element.(*slack.PlainTextInputBlockElement)
			if !ok {
				return Answer{}, fmt.Errorf("an input of the type %T", in.Element)
			}
			if e.MaxLength > 0 && len([]rune(text)) > e.MaxLength {
				return Answer{}, errors.New("the input does not take that much")
			}
			values[in.BlockID] = map[string]any{e.ActionID: map[string]any{"type": "plain_text_input", "value": text}}
		}
	}
	s.mu.Lock()
	payload, err := json.Marshal(map[string]any{
		"type": "view_submission", "api_app_id": "A0TAMEFLARE", "token": "legacy", "team": map[string]any{"id": Workspace, "domain": "acme"},
		"user": s.person(user), "trigger_id": s.trigger(user), "response_urls": []any{}, "is_enterprise_install": false,
		"view": map[string]any{
			"id": w.ID, "team_id": Workspace, "type": "modal", "private_metadata": w.View.PrivateMetadata, "callback_id": w.View.CallbackID,
			"state": map[string]any{"values": values}, "hash": "h", "title": w.View.Title, "submit": w.View.Submit, "close": w.View.Close, "blocks": w.View.Blocks,
		},
	})
	s.mu.Unlock()
	if err != nil {
		return Answer{}, err
	}
	return s.Interact(ctx, payload)
}

// Interact sends a payload of an interaction to the app.
func (s *Server) Interact(ctx context.Context, payload []byte) (Answer, error) {
	s.mu.Lock()
	m := s.manifest
	s.mu.Unlock()
	if m.Settings.SocketModeEnabled {
		return s.through(ctx, "interactive", payload)
	}
	if m.Settings.Interactivity == nil {
		return Answer{}, errors.New("no app is installed")
	}
	return s.Send(ctx, m.Settings.Interactivity.RequestUrl, url.Values{"payload": {string(payload)}}.Encode())
}

// Command is somebody writing "/tameflare text" in a channel.
func (s *Server) Command(ctx context.Context, user, channel, text string) (Answer, error) {
	s.mu.Lock()
	m := s.manifest
	c := s.channel(channel)
	if c == nil || len(m.Features.SlashCommands) == 0 {
		s.mu.Unlock()
		return Answer{}, errors.New("there is no such channel or command")
	}
	name, _ := s.person(user)["name"].(string)
	fields := map[string]string{
		"token": "legacy", "team_id": Workspace, "team_domain": "acme", "channel_id": c.id, "channel_name": c.name, "user_id": user, "user_name": name,
		"command": m.Features.SlashCommands[0].Command, "text": text, "api_app_id": "A0TAMEFLARE", "is_enterprise_install": "false",
		"response_url": s.http.URL + "/response/" + c.id + "/" + user, "trigger_id": s.trigger(user),
	}
	s.mu.Unlock()
	if m.Settings.SocketModeEnabled {
		payload, err := json.Marshal(fields)
		if err != nil {
			return Answer{}, err
		}
		return s.through(ctx, "slash_commands", payload)
	}
	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	return s.Send(ctx, m.Features.SlashCommands[0].Url, form.Encode())
}

// Send sends a body to the app, signed now.
func (s *Server) Send(ctx context.Context, to, body string) (Answer, error) {
	return Post(ctx, to, body, Sign(body, time.Now(), SigningSecret))
}

// Sign is what Slack sends along with a body.
func Sign(body string, at time.Time, secret string) http.Header {
	ts := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + ts + ":" + body))
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", ts)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return h
}

// client is Slack's patience with apps.
var client = &http.Client{Timeout: 10 * time.Second}

// Post sends a body with whatever headers there are.
func Post(ctx context.Context, to, body string, h http.Header) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	for k, v := range h {
		r.Header[k] = v
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	began := time.Now()
	resp, err := client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return Answer{resp.StatusCode, string(b), time.Since(began)}, err
}

func stamp() string { return fmt.Sprintf("%.6f", float64(time.Now().UnixMicro())/1e6) }
