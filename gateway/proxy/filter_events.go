package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tameflare/tameflare/connectors/jsonrpc"
	"github.com/tameflare/tameflare/connectors/rawjson"
)

// filterEvents looks through a stream as it comes, event by event.
func (x *exchange) filterEvents(in *inbound) error {
	if codings := in.Header["Content-Encoding"]; len(codings) > 1 || len(codings) == 1 && !plainly(codings[0]) {
		return x.withheld(errors.New("a stream in a content coding that was not asked for"))
	}
	unverifiable(in)
	f := &events{x: x, in: in, from: in.Body}
	in.Body, in.ContentLength, in.pending, in.Trailer = f, -1, f.pending, nil
	return nil
}

// events is a stream of events without the tools that are not shown. A whole
// event is there to be read as soon as it has come.
type events struct {
	x    *exchange
	in   *inbound
	from io.ReadCloser

	raw  []byte // what has come and is not looked through
	cut  cutter
	out  []byte // what has been
	fail error  // once out has been read
}

func (f *events) Close() error { return f.from.Close() }

// pending reports whether there is more to be read without a wait.
func (f *events) pending() bool { return len(f.out) > 0 }

func (f *events) Read(p []byte) (int, error) {
	for len(f.out) == 0 {
		if f.fail != nil {
			return 0, f.fail
		}
		f.fail = f.fill()
	}
	n := copy(p, f.out)
	f.out = f.out[n:]
	return n, nil
}

// fill waits for more of the stream, and looks through what is whole.
func (f *events) fill() error {
	b := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(b)
	n, err := f.from.Read(b[:])
	if err := f.x.holdAnswer(n); err != nil {
		return err
	}
	f.raw, f.out = append(f.raw, b[:n]...), f.out[:0]
	took := 0
	for {
		size, passes, ok := f.cut.next(f.raw[took:])
		if !ok {
			break
		}
		if failed := f.take(f.raw[took:took+size], passes); failed != nil {
			return failed
		}
		took += size
	}
	f.raw = f.raw[:copy(f.raw, f.raw[took:])]
	_ = f.x.holdAnswer(-took)
	switch {
	case err == io.EOF:
		failed := f.take(f.raw, false)
		f.in.Trailer = nil // it would be of what came
		if failed != nil {
			return failed
		}
		return io.EOF
	case err != nil:
		return fmt.Errorf("read answer: %w", err)
	case len(f.raw) > f.x.s.limits.List:
		return f.x.withheld(errTooMuch)
	}
	return nil
}

// take looks through one event.
func (f *events) take(event []byte, passes bool) error {
	if len(event) == 0 {
		return nil
	}
	if !passes {
		if len(event) > f.x.s.limits.List {
			return f.x.withheld(errTooMuch)
		}
		filtered, _, err := jsonrpc.FilterSSE(event, func(json.RawMessage) bool { return true }, f.x.shown)
		if err == nil {
			event = filtered
		} else if !namesEndpoint(event) {
			return f.x.withheld(err)
		}
	}
	f.out = append(f.out, event...)
	return nil
}

// namesEndpoint reports whether an event is the one in which servers of the
// first version of the protocol say where to post: its data is a path.
func namesEndpoint(event []byte) bool {
	endpoint := false
	for line := range bytes.FieldsFuncSeq(event, func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			endpoint = string(value) == "endpoint"
		case "data":
			if first := rawjson.First(value); first != '/' && first != 'h' && first != '?' {
				return false
			}
		}
	}
	return endpoint
}

// cutter finds where the events of a stream end: at an empty line, whichever of
// the three line ends the server uses.
type cutter struct {
	line  int  // where the line begins that is looked at
	at    int  // how far it has been
	begun bool // a line of the event has been seen
}

// next returns the size of what comes first in data, once that is whole: an
// event, or a line between events, which passes as it is. What it has seen of
// data that is not whole it does not look at again.
func (c *cutter) next(data []byte) (size int, passes, ok bool) {
	for {
		i := bytes.IndexAny(data[c.at:], "\r\n")
		if i < 0 {
			c.at = len(data)
			return 0, false, false
		}
		end := c.at + i
		empty, comment := end == c.line, data[c.line] == ':'
		if data[end] == '\r' && end+1 == len(data) && !empty { // a line feed may follow
			c.at = end
			return 0, false, false
		}
		size = end + 1
		if data[end] == '\r' && size < len(data) && data[size] == '\n' {
			size++
		}
		if empty || comment && !c.begun {
			passes = !c.begun
			*c = cutter{}
			return size, passes, true
		}
		c.line, c.at, c.begun = size, size, true
	}
}
