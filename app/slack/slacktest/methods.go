package slacktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// method is one of the Web API's.
type method struct {
	scope string // "" is any token of the bot's; "app" is an app-level token
	call  func(s *Server, in call) (map[string]any, string)
}

// call is what a method is given.
type call struct {
	form url.Values
	body []byte
	base string // of this server
}

var methods = map[string]method{
	"auth.test":             {"", (*Server).authTest},
	"chat.postMessage":      {"chat:write", (*Server).postMessage},
	"chat.postEphemeral":    {"chat:write", (*Server).postEphemeral},
	"chat.update":           {"chat:write", (*Server).updateMessage},
	"chat.delete":           {"chat:write", (*Server).deleteMessage},
	"views.open":            {"", (*Server).openView},
	"users.info":            {"users:read", (*Server).userInfo},
	"apps.connections.open": {"app", (*Server).openConnection},
}

// maxBody is more than any message of a bot's may be.
const maxBody = 1 << 20

func (s *Server) serve(w http.ResponseWriter, r *http.Request, name string, m method) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	in := call{body: body, base: "http://" + r.Host}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if in.form, err = url.ParseQuery(string(body)); err != nil {
			reply(w, refusal("invalid_form_data"))
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.ring()
	s.calls[name]++
	w.Header().Set("X-OAuth-Scopes", strings.Join(s.manifest.OAuthConfig.Scopes.Bot, ","))
	if left := s.failures[name]; len(left) > 0 {
		s.failures[name] = left[1:]
		fail(w, left[0])
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		token = in.form.Get("token")
	}
	if why := s.admit(token, m.scope); why != nil {
		reply(w, why)
		return
	}
	answer, problem := m.call(s, in)
	if problem != "" {
		reply(w, refusal(problem))
		return
	}
	if answer == nil {
		answer = map[string]any{}
	}
	answer["ok"] = true
	reply(w, answer)
}

func fail(w http.ResponseWriter, f Failure) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	if f.Status != 0 && f.Status != http.StatusOK {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, "<html>no</html>")
		return
	}
	reply(w, refusal(f.Error))
}

func refusal(code string) map[string]any {
	word, detail, _ := strings.Cut(code, ": ")
	answer := map[string]any{"ok": false, "error": word}
	if detail != "" {
		answer["response_metadata"] = map[string]any{"messages": []string{"[ERROR] " + detail}}
	}
	return answer
}

func (s *Server) admit(token, scope string) map[string]any {
	switch {
	case token == "":
		return refusal("not_authed")
	case scope == "app" && token == BotToken, scope != "app" && token == AppToken:
		return refusal("not_allowed_token_type")
	case token != BotToken && token != AppToken:
		return refusal("invalid_auth")
	case scope == "" || scope == "app":
		return nil
	}
	for _, has := range s.manifest.OAuthConfig.Scopes.Bot {
		if has == scope {
			return nil
		}
	}
	no := refusal("missing_scope")
	no["needed"], no["provided"] = scope, strings.Join(s.manifest.OAuthConfig.Scopes.Bot, ",")
	return no
}

func (s *Server) authTest(call) (map[string]any, string) {
	return map[string]any{"url": "https://acme.slack.com/", "team": WorkspaceName, "user": "tameflare", "team_id": Workspace, "user_id": BotUser, "bot_id": "B0BOT"}, ""
}

// content reads and checks what a message says.
func content(in call) (text string, blocks []slack.Block, meta slack.SlackMetadata, problem string) {
	text = in.form.Get("text")
	if raw := in.form.Get("blocks"); raw != "" {
		var err error
		if blocks, err = readBlocks(raw, false); err != nil {
			return "", nil, meta, "invalid_blocks: " + err.Error()
		}
	}
	if raw := in.form.Get("metadata"); raw != "" {
		if json.Unmarshal([]byte(raw), &meta) != nil || meta.EventType == "" {
			return "", nil, meta, "invalid_metadata_format"
		}
	}
	switch {
	case text == "" && len(blocks) == 0:
		return "", nil, meta, "no_text"
	case len(text) > 40_000:
		return "", nil, meta, "msg_too_long"
	}
	return text, blocks, meta, ""
}

func (s *Server) open(name string, byID bool) (*channel, string) {
	c := s.channel(name)
	switch {
	case c == nil || byID && c.id != name:
		return nil, "channel_not_found"
	case !c.member:
		return nil, "not_in_channel"
	}
	return c, ""
}

func (s *Server) postMessage(in call) (map[string]any, string) {
	c, problem := s.open(in.form.Get("channel"), false)
	if problem != "" {
		return nil, problem
	}
	text, blocks, meta, problem := content(in)
	if problem != "" {
		return nil, problem
	}
	s.next++
	now := time.Now()
	m := &Message{Channel: c.id, TS: fmt.Sprintf("%d.%06d", now.Unix(), s.next), Text: text, Blocks: blocks, Metadata: meta, At: now}
	if thread := in.form.Get("thread_ts"); thread != "" {
		parent := s.message(c.id, thread)
		if parent == nil || parent.Thread != "" {
			return nil, "thread_not_found"
		}
		m.Thread = thread
	}
	s.messages = append(s.messages, m)
	return map[string]any{"channel": c.id, "ts": m.TS, "message": map[string]any{"text": text, "ts": m.TS}}, ""
}

func (s *Server) message(channel, ts string) *Message {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts && !m.Deleted {
			return m
		}
	}
	return nil
}

func (s *Server) updateMessage(in call) (map[string]any, string) {
	c, problem := s.open(in.form.Get("channel"), true)
	if problem != "" {
		return nil, problem
	}
	m := s.message(c.id, in.form.Get("ts"))
	if m == nil {
		return nil, "message_not_found"
	}
	text, blocks, _, problem := content(in)
	if problem != "" {
		return nil, problem
	}
	m.Text, m.Blocks = text, blocks
	m.Updates++
	return map[string]any{"channel": c.id, "ts": m.TS, "text": text}, ""
}

func (s *Server) deleteMessage(in call) (map[string]any, string) {
	m := s.message(in.form.Get("channel"), in.form.Get("ts"))
	if m == nil {
		return nil, "message_not_found"
	}
	m.Deleted = true
	return map[string]any{"channel": m.Channel, "ts": m.TS}, ""
}

func (s *Server) postEphemeral(in call) (map[string]any, string) {
	c, problem := s.open(in.form.Get("channel"), false)
	if problem != "" {
		return nil, problem
	}
	if _, ok := s.users[in.form.Get("user")]; !ok {
		return nil, "user_not_in_channel"
	}
	text, _, _, problem := content(in)
	if problem != "" {
		return nil, problem
	}
	s.whispers = append(s.whispers, Whisper{c.id, in.form.Get("user"), text})
	return map[string]any{"message_ts": strconv.FormatInt(time.Now().UnixNano(), 10)}, ""
}

// triggerLife is for how long something that somebody did can open a window.
const triggerLife = 3 * time.Second

func (s *Server) openView(in call) (map[string]any, string) {
	var ask struct {
		Trigger string          `json:"trigger_id"`
		View    json.RawMessage `json:"view"`
	}
	if json.Unmarshal(in.body, &ask) != nil {
		return nil, "invalid_json"
	}
	t, ok := s.triggers[ask.Trigger]
	switch {
	case !ok:
		return nil, "invalid_trigger_id"
	case t.used:
		return nil, "exchanged_trigger_id"
	case time.Since(t.at) > triggerLife:
		return nil, "expired_trigger_id"
	}
	view, err := readView(ask.View)
	if err != nil {
		return nil, "invalid_arguments: " + err.Error()
	}
	t.used = true
	s.triggers[ask.Trigger] = t
	s.next++
	w := Window{ID: fmt.Sprintf("V0%06d", s.next), User: t.user, View: view}
	s.windows = append(s.windows, w)
	return map[string]any{"view": map[string]any{"id": w.ID, "team_id": Workspace, "type": "modal"}}, ""
}

func (s *Server) userInfo(in call) (map[string]any, string) {
	u, ok := s.users[in.form.Get("user")]
	if !ok {
		return nil, "user_not_found"
	}
	return map[string]any{"user": map[string]any{"id": u.ID, "name": u.Name, "team_id": u.team(), "is_restricted": u.Restricted, "is_stranger": u.team() != Workspace}}, ""
}

func (u User) team() string {
	if u.Team == "" {
		return Workspace
	}
	return u.Team
}

func (s *Server) openConnection(in call) (map[string]any, string) {
	if !s.manifest.Settings.SocketModeEnabled {
		return nil, "access_denied"
	}
	return map[string]any{"url": strings.Replace(in.base, "http://", "ws://", 1) + "/socket"}, ""
}

// response takes a late answer to a command.
func (s *Server) response(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in) != nil || in.Text == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whispers = append(s.whispers, Whisper{r.PathValue("channel"), r.PathValue("user"), in.Text})
	s.ring()
	_, _ = io.WriteString(w, "ok")
}
