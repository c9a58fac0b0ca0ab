package proxy

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// patience is how long an exchange runs before somebody looks whether its
// client is still there. Most are over by then, and pay nothing.
const patience = 20 * time.Millisecond

// watch notices a client that goes away while its request is under way, when
// nobody reads from its connection. It reads ahead into br, so what it finds
// there, the next request of a client that does not wait, is not lost.
type watch struct {
	conn net.Conn
	br   *bufio.Reader

	mu      sync.Mutex
	turn    int  // counts exchanges: what belongs to an earlier one is ignored
	armed   bool // the timer runs, or has run
	timer   *time.Timer
	gone    func()
	running chan struct{} // closed when the reader has ended; nil where there is none
	ending  bool
}

// begin says who is told in the exchange that begins. It returns the number of
// its turn.
func (w *watch) begin(gone func()) (turn int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn++
	w.gone = gone
	return w.turn
}

// arm starts watching, since the request has been read to its end.
func (w *watch) arm(turn int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if turn != w.turn || w.armed {
		return
	}
	w.armed = true
	if w.timer == nil {
		w.timer = time.AfterFunc(patience, w.look)
		return
	}
	w.timer.Reset(patience)
}

// now starts the look at once, for waits that are known to be long.
func (w *watch) now(turn int) {
	w.arm(turn)
	w.mu.Lock()
	defer w.mu.Unlock()
	if turn == w.turn && w.armed && w.running == nil {
		w.timer.Reset(0)
	}
}

// look runs on the timer's goroutine.
func (w *watch) look() {
	w.mu.Lock()
	if !w.armed || w.running != nil {
		w.mu.Unlock()
		return
	}
	ended := make(chan struct{})
	w.running, w.ending = ended, false
	_ = w.conn.SetReadDeadline(time.Time{})
	w.mu.Unlock()

	defer close(ended)
	for n := w.br.Buffered() + 1; n <= w.br.Size(); n = w.br.Buffered() + 1 {
		if _, err := w.br.Peek(n); err != nil {
			w.mu.Lock()
			gone := w.gone
			if w.ending {
				gone = nil
			}
			w.mu.Unlock()
			if gone != nil {
				gone()
			}
			return
		}
	}
	// The buffer is full of what the client sends ahead: it is there.
}

// end stops watching. When it returns, nobody but the caller reads.
func (w *watch) end() {
	w.mu.Lock()
	w.turn++
	w.armed, w.gone = false, nil
	if w.timer != nil {
		w.timer.Stop()
	}
	running := w.running
	if running == nil {
		w.mu.Unlock()
		return
	}
	w.ending = true
	_ = w.conn.SetReadDeadline(time.Unix(1, 0))
	w.mu.Unlock()
	<-running
	w.mu.Lock()
	w.running = nil
	w.mu.Unlock()
	_ = w.conn.SetReadDeadline(time.Time{})
}
