package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tameflare/tameflare/integration/world"
)

// What approving may take, at the 99th percentile.
const (
	cardLimit   = 500 * time.Millisecond // from the held request to its card, wherever people look
	clickLimit  = 250 * time.Millisecond // from the click until the agent goes on
	ackLimit    = 300 * time.Millisecond // of a click, as Slack sees it
	openPages   = 50
	heldInARow  = 200
	roundBudget = 20 * time.Second
)

// approving holds requests, one after the other, with pages open, and prints
// how long it took until their cards were everywhere, and until the agent went
// on after a click in Slack.
func (b *bench) approving(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	chat, err := b.openSlack(ctx)
	if err != nil {
		return err
	}
	seen, err := b.openPages(ctx)
	if err != nil {
		return err
	}
	t := b.paths[2].transport(scenario{workers: 4})
	defer t.CloseIdleConnections()

	var toPages, toSlack, toAgent, acks []time.Duration
	for n := range heldInARow {
		one, err := b.holdOne(ctx, t, chat, seen, n+1)
		if err != nil {
			return fmt.Errorf("held request %d: %w", n+1, err)
		}
		toPages, toSlack, toAgent, acks = append(toPages, one.pages), append(toSlack, one.slack), append(toAgent, one.agent), append(acks, one.ack)
	}
	fmt.Printf("\nApprovals, %d held requests, %d open pages, one Slack channel:\n\n| from | to | p50 ms | p99 ms | limit ms |\n|---|---|--:|--:|--:|\n", heldInARow, openPages)
	var over []error
	for _, row := range []struct {
		from, to string
		took     []time.Duration
		limit    time.Duration
	}{
		{"request held", "card in the last of the pages", toPages, cardLimit},
		{"request held", "card in Slack", toSlack, cardLimit},
		{"click in Slack", "answer to Slack", acks, ackLimit},
		{"click in Slack", "agent goes on", toAgent, clickLimit},
	} {
		slices.Sort(row.took)
		p50, p99 := row.took[len(row.took)/2], row.took[len(row.took)*99/100-1]
		fmt.Printf("| %s | %s | %.1f | %.1f | %d |\n", row.from, row.to, ms(p50), ms(p99), row.limit.Milliseconds())
		if p99 > row.limit {
			over = append(over, fmt.Errorf("from %s to %s took %v, want %v at most", row.from, row.to, p99, row.limit))
		}
	}
	return errors.Join(over...)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// took is how long the steps of one held request took.
type took struct{ pages, slack, ack, agent time.Duration }

func (b *bench) holdOne(ctx context.Context, t http.RoundTripper, chat *chat, seen *sightings, n int) (took, error) {
	ctx, cancel := context.WithTimeout(ctx, roundBudget)
	defer cancel()
	name := fmt.Sprintf("acme/site#%d ", n)
	asked := time.Now() // the gateway holds it a little later
	answered := make(chan error, 1)
	var at time.Time
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, fmt.Sprintf("https://api.github.com/repos/acme/site/pulls/%d/merge", n), strings.NewReader(`{}`))
		if err != nil {
			answered <- err
			return
		}
		res, err := t.RoundTrip(req)
		at = time.Now()
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				err = errors.Join(err, fmt.Errorf("the agent got %s", res.Status))
			}
		}
		answered <- err
	}()
	card, err := chat.card(ctx, name)
	if err != nil {
		return took{}, err
	}
	last, err := seen.everywhere(ctx, name)
	if err != nil {
		return took{}, err
	}
	clicked := time.Now()
	if err := chat.approve(ctx, card); err != nil {
		return took{}, err
	}
	acked := time.Now()
	if err := <-answered; err != nil {
		return took{}, err
	}
	return took{pages: last.Sub(asked), slack: card.at.Sub(asked), ack: acked.Sub(clicked), agent: at.Sub(clicked)}, nil
}

// sightings is what the open pages show.
type sightings struct {
	mu    sync.Mutex
	shown map[string][]time.Time // by what a card is about: when each page showed it
	news  chan struct{}
	ended error
}

// openPages opens the page of approvals many times.
func (b *bench) openPages(ctx context.Context) (*sightings, error) {
	s := &sightings{shown: map[string][]time.Time{}, news: make(chan struct{})}
	for range openPages {
		p, err := b.world.OpenPage(ctx)
		if err != nil {
			return nil, err
		}
		listening := make(chan struct{})
		go s.watch(ctx, p, sync.OnceFunc(func() { close(listening) }))
		select {
		case <-listening:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s, nil
}

// watch does what an open page does: it reads the cards after each event.
func (s *sightings) watch(ctx context.Context, p *world.Page, listening func()) {
	mine := map[string]bool{}
	err := p.Events(ctx, "approvals", listening, func(string) {
		body, err := p.Get(ctx, "/approvals/cards")
		if err != nil {
			s.end(ctx, err)
			return
		}
		s.saw(body, mine)
	})
	s.end(ctx, err)
}

// saw notes the pull requests that a page shows for the first time.
func (s *sightings) saw(body string, mine map[string]bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for rest := body; ; {
		i := strings.Index(rest, "/pulls/")
		if i < 0 {
			break
		}
		number, after, _ := strings.Cut(rest[i+len("/pulls/"):], "/merge")
		rest = after
		name := "acme/site#" + number + " "
		if len(number) > 4 || mine[name] {
			continue
		}
		mine[name] = true
		s.shown[name] = append(s.shown[name], now)
	}
	close(s.news)
	s.news = make(chan struct{})
}

func (s *sightings) end(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = errors.Join(s.ended, fmt.Errorf("an open page: %w", err))
	close(s.news)
	s.news = make(chan struct{})
}

// everywhere returns when the last of the pages showed it.
func (s *sightings) everywhere(ctx context.Context, name string) (time.Time, error) {
	for {
		s.mu.Lock()
		shown, news, err := s.shown[name], s.news, s.ended
		s.mu.Unlock()
		switch {
		case err != nil:
			return time.Time{}, err
		case len(shown) == openPages:
			return slices.MaxFunc(shown, time.Time.Compare), nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%d of %d pages show %s: %w", len(shown), openPages, name, ctx.Err())
		}
	}
}
