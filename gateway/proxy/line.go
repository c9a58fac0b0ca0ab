package proxy

import (
	"bufio"
	"errors"
	"net"
	"time"
)

// maxHead is how large the head of an answer may be.
const maxHead = 256 << 10

// line is an HTTP/1 connection to an upstream. One exchange has it at a time.
type line struct {
	conn net.Conn // TLS, or raw itself
	raw  net.Conn
	br   *bufio.Reader
	out  pacedWriter

	limit  time.Duration // that the upstream may be silent
	set    time.Time
	budget int // bytes that may still be read of a head; less than zero is no limit
	parked time.Time
}

func newLine(conn, raw net.Conn, limits Limits) *line {
	l := &line{conn: conn, raw: raw, limit: limits.Answer, budget: -1}
	l.out = pacedWriter{conn: conn, limit: limits.Stall}
	l.br = bufio.NewReaderSize(reading{l}, 4<<10)
	return l
}

// reading is the side of a line that br reads from.
type reading struct{ l *line }

var errLargeHead = errors.New("the head of the answer is too large")

func (r reading) Read(p []byte) (int, error) {
	l := r.l
	if l.budget == 0 {
		return 0, errLargeHead
	}
	if l.budget > 0 && len(p) > l.budget {
		p = p[:l.budget]
	}
	if now := time.Now(); now.Sub(l.set) > coarse {
		if err := l.conn.SetReadDeadline(now.Add(l.limit)); err != nil {
			return 0, err
		}
		l.set = now
	}
	n, err := l.conn.Read(p)
	if l.budget > 0 {
		l.budget -= n
	}
	return n, err
}
