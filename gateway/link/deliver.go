package link

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

const (
	batchEntries = 1000
	batchBytes   = 512 << 10
	lastDelivery = 1500 * time.Millisecond // that a shutdown waits for what is still here
	gather       = 100 * time.Millisecond  // at least, between batches that are not full
	gatherMost   = time.Second             // at most
	share        = 10                      // of the time, one part goes into deliveries that are not full
	look         = 5 * time.Second         // without having been told
	stuckPause   = time.Minute             // where the server does not take what there is
)

// deliver brings the audit to the server until ctx ends. An entry is forgotten
// here when the server says that it has it, and not before.
func (l *Link) deliver(ctx context.Context) error {
	d := &delivery{l: l, after: l.Spool.Stats().Through, size: batchBytes}
	retry := backoff{first: 200 * time.Millisecond, longest: 10 * time.Second}
	for ctx.Err() == nil {
		more, err := d.once(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && fault.Of(err) != fault.Unavailable && fault.Of(err) != fault.Limited:
			l.stuck(fault.Message(err))
			l.Log.Error("the audit cannot be delivered", "after", d.after, "error", err)
			l.waitForServer(ctx, stuckPause)
		case err != nil:
			retry.wait(ctx)
		case more:
			retry.reset()
		default:
			retry.reset()
			l.waitForEntries(ctx, d.rest())
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDelivery)
	defer cancel()
	for l.reachable() {
		if more, err := d.once(ctx); err != nil || !more {
			break
		}
	}
	return nil
}

// waitForEntries returns when there are entries, and others had time to gather
// with them.
func (l *Link) waitForEntries(ctx context.Context, rest time.Duration) {
	t := time.NewTimer(look)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-l.Spool.Changed():
		pause(ctx, rest)
	}
}

func (l *Link) waitForServer(ctx context.Context, longest time.Duration) {
	t := time.NewTimer(longest)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-l.wake:
	}
}

func (l *Link) stuck(why string) {
	l.mu.Lock()
	l.status.Delivery = why
	l.mu.Unlock()
}

// delivery is where the uploads stand.
type delivery struct {
	l     *Link
	after int64
	size  int           // of a batch
	took  time.Duration // by the last one
	buf   bytes.Buffer
	z     *zstd.Encoder // into buf; made once
}

// rest is how long entries gather before the next delivery. What a delivery
// costs, here and at the server, hardly depends on how much is in it: so it is
// made rarer the longer it takes.
func (d *delivery) rest() time.Duration { return min(max((share-1)*d.took, gather), gatherMost) }

// once delivers one batch, and reports whether the next is full already.
func (d *delivery) once(ctx context.Context) (more bool, err error) {
	l := d.l
	batch, err := l.Spool.Batch(d.after, batchEntries, d.size)
	if err != nil || len(batch) == 0 {
		return false, err
	}
	if err := l.usable(); err != nil {
		return false, err
	}
	began := time.Now()
	defer func() { d.took = time.Since(began) }()
	full := len(batch) == batchEntries || plainSize(batch) >= d.size
	body, err := d.encode(batch)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	b, err := l.client.Load().send(ctx, http.MethodPost, "/v1/audit", http.Header{
		"Content-Type": {"application/x-ndjson"}, "Content-Encoding": {"zstd"},
	}, body)
	l.heard(err)
	if err != nil {
		if len(batch) > 1 && fault.Of(err) == fault.Internal {
			d.size = max(d.size/2, 1) // perhaps one that it cannot take is among them
		}
		return false, fmt.Errorf("deliver audit: %w", err)
	}
	var answer wire.AuditAnswer
	if err := json.Unmarshal(b, &answer); err != nil {
		return false, fmt.Errorf("deliver audit: read answer: %w", err)
	}
	d.size = batchBytes
	if answer.Expected > 0 {
		// The server's record ends elsewhere: it was restored, or this
		// answer was lost. It knows where to go on.
		if answer.Expected-1 == d.after {
			return false, fault.New(fault.Conflict, "The server does not take this gateway's audit: its record ends elsewhere.",
				fmt.Errorf("deliver audit: %d expected again", answer.Expected))
		}
		l.Log.Warn("the server's audit ends elsewhere", "expected", answer.Expected, "sent", batch[0].Seq)
		d.after = answer.Expected - 1
		if oldest := batch[0].Seq; d.after < oldest-1 {
			if again, err := l.Spool.Batch(d.after, 1, 1); err != nil || len(again) == 0 || again[0].Seq != answer.Expected {
				d.after = oldest - 1
				return false, fault.New(fault.Conflict, "The server's audit of this gateway ends before what is still here. An administrator has to accept the gap.", err)
			}
		}
		return true, nil
	}
	last := batch[len(batch)-1].Seq
	if answer.Through < batch[0].Seq {
		return false, fmt.Errorf("deliver audit: sent %d to %d, and the server has %d", batch[0].Seq, last, answer.Through)
	}
	d.after = min(answer.Through, last)
	l.stuck("")
	if err := l.Spool.Forget(d.after); err != nil {
		l.Log.Warn("delivered entries cannot be removed", "error", err)
	}
	return full || d.after < last, nil
}

func plainSize(batch []audit.Sealed) int {
	n := 0
	for _, e := range batch {
		n += len(e.Entry)
	}
	return n
}

// encode writes a batch as compressed lines. The bytes of the entries are
// those that their hashes cover, so they are copied and not marshalled again.
func (d *delivery) encode(batch []audit.Sealed) ([]byte, error) {
	d.buf.Reset()
	if d.z == nil {
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return nil, fmt.Errorf("compress audit: %w", err)
		}
		d.z = z
	}
	d.z.Reset(&d.buf)
	line := make([]byte, 0, 2<<10)
	for _, e := range batch {
		line = append(line[:0], `{"seq":`...)
		line = strconv.AppendInt(line, e.Seq, 10)
		line = append(line, `,"hash":"`...)
		line = append(line, e.Hash...)
		line = append(line, `","entry":`...)
		line = append(line, e.Entry...)
		line = append(line, "}\n"...)
		if _, err := d.z.Write(line); err != nil {
			return nil, fmt.Errorf("compress audit: %w", err)
		}
	}
	if err := d.z.Close(); err != nil {
		return nil, fmt.Errorf("compress audit: %w", err)
	}
	return d.buf.Bytes(), nil
}
