package strict

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"sync"
	"sync/atomic"
)

const (
	maxExtension  = 128     // bytes of extension in one chunk
	maxExtensions = 8 << 10 // and in all chunks of a body
	maxTrailers   = 8 << 10
)

// Body is the body of one request. Whatever is wrong with its framing comes
// back from Read as an *Error, never as the end of the body: half a request
// must not look like a whole one.
//
// Extensions of chunks are dropped. Trailers are kept if the head announced
// them, and are an error otherwise.
type Body struct {
	mu       sync.Mutex // Read may run in a transport while Drain begins
	br       *bufio.Reader
	chunked  bool
	left     int64 // of the body, or of the current chunk
	inside   bool  // a chunk has begun, and its CR LF is still to come
	extra    int   // bytes of extensions so far
	trailer  http.Header
	err      error
	closed   atomic.Bool
	finished atomic.Bool
	broken   *atomic.Bool
}

// Read is io.Reader's.
func (b *Body) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read(p)
}

// Close makes further reads fail. It does not read what is left: Drain does.
func (b *Body) Close() error {
	b.closed.Store(true)
	return nil
}

func (b *Body) read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.left == 0 {
		if err := b.advance(); err != nil {
			return 0, b.end(err)
		}
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.br.Read(p)
	b.left -= int64(n)
	if err != nil {
		return n, b.end(cutShort(err))
	}
	if b.left == 0 && !b.chunked {
		return n, b.end(io.EOF)
	}
	return n, nil
}

// end remembers how the body ended.
func (b *Body) end(err error) error {
	b.err = err
	if errors.Is(err, io.EOF) {
		b.finished.Store(true)
	} else {
		b.broken.Store(true)
	}
	return err
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read request body: %w", err)
}

// advance gets to the next byte of the body, or says io.EOF.
func (b *Body) advance() error {
	if !b.chunked {
		return io.EOF
	}
	if b.inside {
		line, err := b.line()
		if err != nil {
			return err
		}
		if len(line) != 0 {
			return errChunk
		}
		b.inside = false
	}
	line, err := b.line()
	if err != nil {
		return err
	}
	size, fault := b.size(line)
	if fault != nil {
		return fault
	}
	if size == 0 {
		return b.trailers()
	}
	b.left, b.inside = size, true
	return nil
}

// line reads one line of framing, without its CR LF.
func (b *Body) line() ([]byte, error) {
	line, err := b.br.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, errChunk
	case err != nil:
		return nil, cutShort(err)
	case len(line) < 2 || line[len(line)-2] != '\r':
		return nil, errChunk
	}
	return line[:len(line)-2], nil
}

func (b *Body) size(line []byte) (int64, *Error) {
	var n int64
	i := 0
	for ; i < len(line) && octets[line[i]]&isHex != 0; i++ {
		if i == 15 { // fifteen digits fit into an int64 with room to spare
			return 0, errChunk
		}
		d := lower(line[i])
		if d >= 'a' {
			d -= 'a' - 10
		} else {
			d -= '0'
		}
		n = n<<4 | int64(d)
	}
	if i == 0 {
		return 0, errChunk
	}
	extension := line[i:]
	if len(extension) == 0 {
		return n, nil
	}
	if extension[0] != ';' {
		return 0, errChunk
	}
	// Visible bytes only: a blank or a line end in an extension is where
	// parsers disagree about the end of the line.
	if b.extra += len(extension); len(extension) > maxExtension || b.extra > maxExtensions || !all(extension, isTarget) {
		return 0, errChunkExtra
	}
	return n, nil
}

// trailers reads what follows the last chunk.
func (b *Body) trailers() error {
	got := make(http.Header, len(b.trailer))
	for total := 0; ; {
		line, err := b.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		if total += len(line); total > maxTrailers {
			return errTrailerBig
		}
		colon := index(line, ':')
		if colon < 0 || name(line[:colon]) != nil || !all(line[colon+1:], isValue) {
			return errTrailer
		}
		key := textproto.CanonicalMIMEHeaderKey(string(line[:colon]))
		if _, ok := b.trailer[key]; !ok {
			return errTrailer
		}
		got[key] = append(got[key], string(trim(line[colon+1:])))
	}
	for k, v := range got {
		b.trailer[k] = v
	}
	return io.EOF
}

// drain reads up to most bytes of what is left, and reports whether that was all.
func (b *Body) drain(most int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	var scratch [4 << 10]byte
	for b.err == nil && most > 0 {
		p := scratch[:min(most, int64(len(scratch)))]
		n, _ := b.read(p)
		most -= int64(n)
	}
	return b.finished.Load()
}
