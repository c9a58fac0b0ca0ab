package proxy

import (
	"io"
	"net"
	"sync"
	"time"
)

// coarse is how exact the deadlines of a stream are. Moving one costs more
// than looking at the clock.
const coarse = 5 * time.Second

// pacedWriter gives each write to conn a limit of its own.
type pacedWriter struct {
	conn  net.Conn
	limit time.Duration
	set   time.Time
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	if now := time.Now(); now.Sub(w.set) > coarse {
		if err := w.conn.SetWriteDeadline(now.Add(w.limit)); err != nil {
			return 0, err
		}
		w.set = now
	}
	return w.conn.Write(p)
}

// buffers are for copying bodies.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// relay copies until src ends, through the buffer b, and counts. After each
// piece it calls between, which may be nil.
func relay(dst io.Writer, src io.Reader, b []byte, between func() error) (n int64, err error) {
	for {
		got, err := src.Read(b)
		if got > 0 {
			if _, err := dst.Write(b[:got]); err != nil {
				return n, &writeError{err}
			}
			n += int64(got)
		}
		switch {
		case err == io.EOF:
			return n, nil
		case err != nil:
			return n, err
		}
		if between != nil {
			if err := between(); err != nil {
				return n, &writeError{err}
			}
		}
	}
}

// writeError is a failure on the side that is written to.
type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }
