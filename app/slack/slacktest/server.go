// Package slacktest stands in for Slack in tests.
//
// It takes a bot's calls as Slack does: it checks the token, the scopes, the
// channel and the shape of each message, refuses what Slack would refuse, with
// Slack's words, and keeps what it took. And it has people in it, who press the
// buttons of messages and send windows: what they do arrives signed, by HTTP
// or by Socket Mode, as the app's manifest says.
package slacktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

// What the app that is installed has.
const (
	Workspace     = "T0TAMEFLARE"
	WorkspaceName = "Acme"
	BotUser       = "U0BOT"
	BotToken      = "xoxb-stand-in-bot" //nolint:gosec // they open nothing
	AppToken      = "xapp-stand-in-app" //nolint:gosec // as above
	SigningSecret = "8f742231b10e8888abcd99yyyzzz85a5"
)

// User is somebody in Slack.
type User struct {
	ID, Name   string
	Team       string // the workspace that they are of; "" is the app's
	Restricted bool   // a guest
}

// Message is what stands in a channel.
type Message struct {
	Channel  string // ID
	TS       string
	Thread   string // the TS of the message that it answers
	Text     string
	Blocks   []slack.Block
	Metadata slack.SlackMetadata
	Updates  int // how often it was changed
	Deleted  bool
	At       time.Time // when it was posted
}

// Whisper is what one person only was told.
type Whisper struct{ Channel, User, Text string }

// Window is a view that was opened.
type Window struct {
	ID   string
	User string
	View slack.ModalViewRequest
}

// Failure is how a call fails.
type Failure struct {
	Status     int    // of HTTP; 0 is 200
	RetryAfter int    // seconds, with 429
	Error      string // Slack's word for it, with 200
}

// Server is a Slack with one workspace and one app.
type Server struct {
	http *httptest.Server

	mu       sync.Mutex
	manifest slack.Manifest
	channels []*channel
	users    map[string]User
	messages []*Message
	whispers []Whisper
	windows  []Window
	triggers map[string]trigger
	failures map[string][]Failure
	calls    map[string]int
	sockets  []*socket
	dials    int
	changed  chan struct{}
	next     int
}

type channel struct {
	id, name string
	member   bool // the bot is in it
}

type trigger struct {
	user string
	at   time.Time
	used bool
}

// New starts a Slack that ends with t.
func New(t testing.TB) *Server {
	t.Helper()
	s := Start()
	t.Cleanup(s.Close)
	return s
}

// Start starts a Slack with nobody in it but the bot.
func Start() *Server {
	s := &Server{
		users: map[string]User{BotUser: {ID: BotUser, Name: "tameflare"}}, triggers: map[string]trigger{},
		failures: map[string][]Failure{}, calls: map[string]int{}, changed: make(chan struct{}),
	}
	s.http = httptest.NewServer(s.handler())
	return s
}

// Close ends it.
func (s *Server) Close() {
	s.mu.Lock()
	open := slices.Clone(s.sockets)
	s.mu.Unlock()
	for _, c := range open {
		c.close()
	}
	s.http.CloseClientConnections()
	s.http.Close()
}

// URL is what SLACK_API_URL is to be.
func (s *Server) URL() string { return s.http.URL + "/api/" }

// Install makes the app from a manifest: what it may do, and where its
// messages go.
func (s *Server) Install(manifest string) error {
	var m slack.Manifest
	dec := json.NewDecoder(strings.NewReader(manifest))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	switch {
	case m.Display.Name == "" || len(m.Display.Name) > 35:
		return errors.New("manifest: a name has 1 to 35 characters")
	case len(m.OAuthConfig.Scopes.Bot) == 0:
		return errors.New("manifest: the bot has no scopes")
	case m.Settings.Interactivity == nil || !m.Settings.Interactivity.IsEnabled:
		return errors.New("manifest: there is no interactivity")
	case !m.Settings.SocketModeEnabled && m.Settings.Interactivity.RequestUrl == "":
		return errors.New("manifest: interactivity has no request URL")
	}
	for _, c := range m.Features.SlashCommands {
		if !strings.HasPrefix(c.Command, "/") || c.Description == "" || !m.Settings.SocketModeEnabled && c.Url == "" {
			return fmt.Errorf("manifest: the command %q is not whole", c.Command)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manifest = m
	return nil
}

// Grant changes what the app may do.
func (s *Server) Grant(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manifest.OAuthConfig.Scopes.Bot = scopes
}

// AddChannel makes a channel, and says what its ID is. Member is whether the
// bot is in it.
func (s *Server) AddChannel(name string, member bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	c := &channel{id: fmt.Sprintf("C0%06d", s.next), name: strings.TrimPrefix(name, "#"), member: member}
	s.channels = append(s.channels, c)
	return c.id
}

// AddUser adds somebody.
func (s *Server) AddUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.ID] = u
}

// Fail makes the next calls of a method fail, each as one of all.
func (s *Server) Fail(method string, all ...Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[method] = append(s.failures[method], all...)
}

// Calls is how often a method was called.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Messages returns what stands in a channel, by its name or ID, the oldest
// first, with the answers in threads.
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channel(channel)
	var all []Message
	for _, m := range s.messages {
		if c != nil && m.Channel == c.id && !m.Deleted {
			all = append(all, *m)
		}
	}
	return all
}

// Whispers returns what people were told that nobody else saw.
func (s *Server) Whispers() []Whisper {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.whispers)
}

// Windows returns what was opened.
func (s *Server) Windows() []Window {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.windows)
}

// Changed returns a channel that is closed with the next change of anything.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Await waits until there is what is looked for, and says whether it came in
// time.
func (s *Server) Await(patience time.Duration, there func() bool) bool {
	over := time.NewTimer(patience)
	defer over.Stop()
	for {
		changed := s.Changed()
		if there() {
			return true
		}
		select {
		case <-changed:
		case <-over.C:
			return there()
		}
	}
}

// ring tells everybody who waits. It is called with mu held.
func (s *Server) ring() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// channel finds one by ID, or by name. It is called with mu held.
func (s *Server) channel(name string) *channel {
	for _, c := range s.channels {
		if c.id == name || c.name == strings.TrimPrefix(name, "#") {
			return c
		}
	}
	return nil
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for name, m := range methods {
		mux.HandleFunc("POST /api/"+name, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, name, m) })
	}
	mux.HandleFunc("POST /response/{channel}/{user}", s.response)
	mux.HandleFunc("GET /socket", s.connect)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"ok": false, "error": "unknown_method"})
	})
	return mux
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}
