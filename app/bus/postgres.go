package bus

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"time"
)

// Notifier carries short texts between servers on one database.
type Notifier interface {
	Notify(ctx context.Context, text string) error
	// Listen hears until the connection breaks or ctx ends. It calls ready
	// once it listens.
	Listen(ctx context.Context, ready func(), heard func(text string)) error
}

// Postgres is a Bus between all servers on one Postgres. Within this process
// it rings directly, and while the database cannot be reached only there.
type Postgres struct {
	store Notifier
	log   *slog.Logger
	self  string
	local Local
}

// NewPostgres returns a Bus that reaches other servers while its Run runs.
func NewPostgres(store Notifier, log *slog.Logger) *Postgres {
	return &Postgres{store: store, log: log, self: rand.Text()}
}

const (
	notifyPatience = 5 * time.Second
	shortestPause  = 100 * time.Millisecond
	longestPause   = 5 * time.Second
)

// Publish rings topic here and at the other servers. It does not fail: what
// it is about has been committed, and who does not hear it looks by itself.
func (p *Postgres) Publish(ctx context.Context, topic string) {
	p.local.Publish(ctx, topic)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notifyPatience)
	defer cancel()
	if err := p.store.Notify(ctx, p.self+" "+topic); err != nil {
		p.log.WarnContext(ctx, "other servers were not told of a change, and will find it by themselves", "topic", topic, "error", err)
	}
}

// Subscribe waits for topic until stop.
func (p *Postgres) Subscribe(topic string) (<-chan struct{}, func()) { return p.local.Subscribe(topic) }

// Run listens to the other servers until ctx ends. When the connection breaks
// it makes another. What was said in between is lost, so everybody is rung
// and looks.
func (p *Postgres) Run(ctx context.Context) error {
	pause := shortestPause
	for {
		err := p.store.Listen(ctx, func() {
			pause = shortestPause
			p.local.publishAll()
		}, p.hear)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to end
		}
		p.log.WarnContext(ctx, "the connection to the other servers broke; connecting again", "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

func (p *Postgres) hear(text string) {
	from, topic, _ := strings.Cut(text, " ")
	if from != p.self {
		p.local.Publish(context.Background(), topic)
	}
}
