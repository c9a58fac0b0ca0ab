package slack

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	api "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
)

const (
	shortestPause = time.Second
	longestPause  = 2 * time.Minute
	// goodAfter is how long a connection has to hold to count as a good one.
	goodAfter = 30 * time.Second
	// mostBrief is how many connections in a row may end before that, until
	// there is a pause.
	mostBrief = 3
	atOnce    = 16 // messages of one connection
)

// sockets keeps a connection for each integration that comes by Socket Mode,
// as long as it is switched on and as it is, until ctx ends.
func (s *Service) sockets(ctx context.Context) {
	type connection struct {
		version int64
		end     context.CancelFunc
	}
	var running sync.WaitGroup
	defer running.Wait()
	open := map[string]connection{}
	defer func() {
		for _, c := range open {
			c.end()
		}
	}()
	tick := time.NewTicker(bus.Interval)
	defer tick.Stop()
	for {
		wanted, err := s.Store.SlackIntegrations(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "Slack's connections stay as they are for now", "error", err)
		}
		if err == nil {
			current := map[string]integration.Integration{}
			for _, i := range wanted {
				if set, err := ReadSettings(i); err == nil && set.Mode == Socket {
					current[i.ID] = i
				}
			}
			for id, c := range open {
				if i, ok := current[id]; !ok || i.Version != c.version {
					c.end()
					delete(open, id)
				}
			}
			for id, i := range current {
				if _, ok := open[id]; ok {
					continue
				}
				of, end := context.WithCancel(ctx)
				open[id] = connection{i.Version, end}
				running.Go(func() { s.socket(of, id) })
			}
		}
		select {
		case <-tick.C:
		case <-s.poking():
		case <-ctx.Done():
			return
		}
	}
}

// socket keeps one integration's connection until ctx ends. What makes it end
// otherwise is waited out a little longer each time.
func (s *Service) socket(ctx context.Context, id string) {
	pause := shortestPause
	for {
		began := time.Now()
		to, err := s.office(ctx, id)
		if err == nil {
			err = s.listen(ctx, to)
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > goodAfter {
			pause = shortestPause
		}
		s.Log.WarnContext(ctx, "a connection to Slack ended; connecting again", "integration", id, "error", err, "in", pause)
		if err != nil && fault.Of(err) == fault.Internal {
			s.Integrations.Did(ctx, id, read(err).fault(err))
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return
		}
		pause = min(2*pause, longestPause)
	}
}

// listen takes messages from one connection until it ends.
func (s *Service) listen(ctx context.Context, to office) error {
	ctx, cancel := context.WithCancel(ctx)
	var seeing sync.WaitGroup
	defer seeing.Wait()
	defer cancel()
	client := socketmode.New(s.slack(to.secrets), socketmode.OptionReadLimit(maxMessage), socketmode.OptionLog(silent), socketmode.OptionDialer(&websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, HandshakeTimeout: patience, WriteBufferSize: 32 << 10,
	}))
	ended := make(chan error, 1)
	go func() { ended <- client.RunContext(ctx) }()
	slots := make(chan struct{}, atOnce)
	var failed error
	var since time.Time // when it was made that there is
	brief := 0          // how many ended at once, one after the other
	for {
		select {
		case err := <-ended:
			if failed != nil {
				err = failed
			}
			return err
		case e := <-client.Events:
			switch e.Type {
			case socketmode.EventTypeConnecting:
				c, again := e.Data.(*api.ConnectingEvent)
				if again = again && c.ConnectionCount > 0; again && time.Since(since) < goodAfter {
					brief++
				} else {
					brief = 0
				}
				if brief > mostBrief { // the library makes the next one without a pause
					cancel()
				}
			case socketmode.EventTypeConnected:
				since = time.Now()
				s.Integrations.Did(ctx, to.ID, nil)
			case socketmode.EventTypeConnectionError:
				if c, ok := e.Data.(*api.ConnectionErrorEvent); ok {
					failed = c.ErrorObj
				}
				cancel()
			case socketmode.EventTypeInteractive, socketmode.EventTypeSlashCommand:
				if e.Request == nil {
					continue
				}
				slots <- struct{}{}
				seeing.Go(func() {
					defer func() { <-slots }()
					s.envelope(ctx, client, to, e)
				})
			default:
				if e.Request != nil && e.Request.EnvelopeID != "" {
					_ = client.AckCtx(ctx, e.Request.EnvelopeID, nil)
				}
			}
		}
	}
}

// envelope sees to one message, as receive does to one that comes by HTTP; but
// for the signature, in whose place the connection stands.
func (s *Service) envelope(ctx context.Context, client *socketmode.Client, to office, e socketmode.Event) {
	ack := func(payload any) {
		if err := client.AckCtx(ctx, e.Request.EnvelopeID, payload); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "Slack could not be told that its message has come", "error", err)
		}
	}
	var l letter
	err := errLetter
	switch in := e.Data.(type) {
	case api.InteractionCallback:
		l, err = fromAction(in)
	case api.SlashCommand:
		l, err = fromCommand(in)
	}
	switch seen := s.Store.SeeMessage(ctx, to.ID, "envelope "+e.Request.EnvelopeID, s.now()); {
	case fault.Of(seen) == fault.Conflict: // Slack sends again what was not confirmed in time
		ack(nil)
		return
	case seen != nil:
		s.Log.ErrorContext(ctx, "a message from Slack could not be taken", "error", seen)
		return
	}
	if err != nil || l.workspace != to.settings.Workspace {
		ack(nil)
		why := "malformed"
		if err == nil {
			why = "workspace"
		}
		s.refuse(ctx, to, l, why)
		return
	}
	answer, ok := s.hand(to, l)
	if !ok {
		return // not confirmed, it comes again
	}
	if answer == "" {
		ack(nil)
		return
	}
	payload, err := json.Marshal(private(answer))
	if err != nil {
		ack(nil)
		return
	}
	ack(json.RawMessage(payload))
}

// poke has Run look at once which connections there are to be.
func (s *Service) poke() {
	select {
	case s.poking() <- struct{}{}:
	default:
	}
}
