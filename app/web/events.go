package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

const (
	heartbeat   = 15 * time.Second
	writeLimit  = 10 * time.Second       // for one write to a reader who does not read
	breath      = 250 * time.Millisecond // between two batches of events, however much happens
	streamLimit = time.Hour              // then the browser connects again
)

// topics are what a page can hear of, each under the name of its event.
var topics = map[string]func(teamID string) string{
	"approvals": bus.Approvals,
	"gateways":  bus.Gateways,
	"traffic":   bus.Traffic,
}

// events tells an open page that there is something to read again. An event
// has a name and no content: what changed is read with the reader's own
// rights, which are looked at again before every event.
func (s *Server) events(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	var names []string
	for name := range strings.FieldsSeq(r.URL.Query().Get("topics")) {
		if topics[name] == nil {
			return fault.New(fault.Invalid, "There is no such topic.", nil)
		}
		names = append(names, name)
	}
	if len(names) == 0 || len(names) > len(topics) {
		return fault.New(fault.Invalid, "Say which topics to hear of.", nil)
	}
	ctx, cancel := context.WithTimeout(r.Context(), streamLimit)
	defer cancel()
	rings := make(map[string]<-chan struct{}, len(names))
	for _, name := range names {
		rung, stop := s.Bus.Subscribe(topics[name](v.Team.ID))
		defer stop()
		rings[name] = rung
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies in front must not collect it
	out := stream{w: w, control: http.NewResponseController(w)}
	w.WriteHeader(http.StatusOK)
	if err := out.send("retry: 1000\n\n"); err != nil {
		return nil // the reader has left
	}
	// What happened since the page was drawn, or while it was not connected,
	// was rung to nobody: the page looks once.
	marks, due := map[string]string{}, names
	if err := s.look(ctx, v, names, marks); err != nil {
		return s.ended(ctx, err)
	}
	look := time.NewTicker(bus.Interval)
	defer look.Stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		for _, name := range due {
			if err := out.send("event: " + name + "\ndata: \n\n"); err != nil {
				return nil
			}
		}
		if len(due) > 0 && !s.pause(ctx, breath) {
			return nil
		}
		due = nil
		select {
		case <-ctx.Done():
			return nil
		case <-s.Stopping:
			return nil
		case <-beat.C:
			if err := out.send(": beat\n\n"); err != nil {
				return nil
			}
		case <-rings["approvals"]:
			due = []string{"approvals"}
		case <-rings["gateways"]:
			due = []string{"gateways"}
		case <-rings["traffic"]:
			due = []string{"traffic"}
		case <-look.C:
		}
		now, err := s.viewer(r)
		if err != nil || now.Team.ID != v.Team.ID || !now.May(team.View) {
			return nil // signed out, disabled or moved; the page hears of it when it connects again
		}
		if due == nil { // no ring, which may have been lost
			before := cloned(marks)
			if err := s.look(ctx, now, names, marks); err != nil {
				return s.ended(ctx, err)
			}
			for _, name := range names {
				if before[name] != marks[name] {
					due = append(due, name)
				}
			}
		}
	}
}

// ended reports a failure in the middle of a stream, which can be no answer
// any more, and ends it.
func (s *Server) ended(ctx context.Context, err error) error {
	if ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		s.Log.ErrorContext(ctx, "stream ended", "error", err)
	}
	return nil
}

func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-s.Stopping:
		return false
	case <-t.C:
		return true
	}
}

// stream writes to a reader who may have stopped reading: a write that takes
// too long ends the stream.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (o stream) send(text string) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := o.w.Write([]byte(text)); err != nil {
		return err
	}
	return o.control.Flush()
}
