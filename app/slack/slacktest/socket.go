package slacktest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// socket is a connection of the app's by Socket Mode.
type socket struct {
	conn *websocket.Conn
	mu   sync.Mutex // of writing
	acks sync.Map   // by envelope: chan json.RawMessage
}

func (c *socket) close() { _ = c.conn.Close() }

func (c *socket) write(v any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn.WriteJSON(v)
}

func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	conn, err := (&websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &socket{conn: conn}
	defer c.close()
	if c.write(map[string]any{"type": "hello", "num_connections": 1, "connection_info": map[string]any{"app_id": "A0TAMEFLARE"}, "debug_info": map[string]any{"host": "stand-in"}}) != nil {
		return
	}
	s.mu.Lock()
	s.sockets = append(s.sockets, c)
	s.dials++
	s.ring()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sockets = slices.DeleteFunc(s.sockets, func(other *socket) bool { return other == c })
		s.ring()
	}()
	done := make(chan struct{})
	defer close(done)
	go c.pings(done)
	for {
		var ack struct {
			Envelope string          `json:"envelope_id"`
			Payload  json.RawMessage `json:"payload"`
		}
		if conn.ReadJSON(&ack) != nil {
			return
		}
		if to, ok := c.acks.LoadAndDelete(ack.Envelope); ok {
			if to, ok := to.(chan json.RawMessage); ok {
				to <- ack.Payload
			}
		}
	}
}

func (c *socket) pings(done <-chan struct{}) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if c.conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second)) != nil {
				return
			}
		case <-done:
			return
		}
	}
}

// Connections is how many the app has by Socket Mode.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// Dials is how many connections the app has ever made.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Cut ends the app's connections, as a failing network does.
func (s *Server) Cut() {
	s.mu.Lock()
	open := slices.Clone(s.sockets)
	s.mu.Unlock()
	for _, c := range open {
		c.close()
	}
}

// Refresh asks the app to make new connections, as Slack does now and then.
func (s *Server) Refresh() error {
	s.mu.Lock()
	open := slices.Clone(s.sockets)
	s.mu.Unlock()
	for _, c := range open {
		if err := c.write(map[string]any{"type": "disconnect", "reason": "refresh_requested", "debug_info": map[string]any{"host": "stand-in"}}); err != nil {
			return err
		}
	}
	return nil
}

// through sends something over the newest connection, and waits until the app
// has confirmed it.
func (s *Server) through(ctx context.Context, typ string, payload []byte) (Answer, error) {
	return s.Envelope(ctx, "envelope-"+rand.Text(), typ, payload)
}

// Envelope is what Socket Mode sends.
func (s *Server) Envelope(ctx context.Context, id, typ string, payload []byte) (Answer, error) {
	s.mu.Lock()
	var c *socket
	if n := len(s.sockets); n > 0 {
		c = s.sockets[n-1]
	}
	s.mu.Unlock()
	if c == nil {
		return Answer{}, errors.New("the app is not connected")
	}
	acked := make(chan json.RawMessage, 1)
	c.acks.Store(id, acked)
	began := time.Now()
	err := c.write(map[string]any{"envelope_id": id, "type": typ, "payload": json.RawMessage(payload), "accepts_response_payload": typ == "slash_commands"})
	if err != nil {
		return Answer{}, err
	}
	select {
	case body := <-acked:
		return Answer{http.StatusOK, string(body), time.Since(began)}, nil
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}
