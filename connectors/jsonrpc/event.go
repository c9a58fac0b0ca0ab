package jsonrpc

import (
	"bytes"
	"encoding/json"
)

// maxLines bounds the memory for one event. Servers write its data on one line.
const maxLines = 100_000

// FilterSSE does in one event of an event stream what FilterTools does in an
// answer, for the answers to requests whose id, as written, ids says yes to.
// The event is its lines with their ends, and the empty line after them if it
// has one. Only lines with data change: comments and other fields stay.
//
// It fails with ErrUnreadable where event is not one event, or its data no
// message that can be read; it must not be passed on then.
func FilterSSE(event []byte, ids func(id json.RawMessage) bool, keep func(name string) bool) ([]byte, bool, error) {
	all, err := lines(event)
	if err != nil {
		return nil, false, err
	}
	var data [][]byte
	for _, l := range all {
		if l.isData {
			data = append(data, l.value)
		}
	}
	joined := bytes.Join(data, []byte("\n"))
	if len(bytes.TrimSpace(joined)) == 0 {
		return event, false, nil
	}
	filtered, changed, err := filter(joined, ids, keep)
	if err != nil {
		return nil, false, err
	}
	if !changed {
		return event, false, nil
	}
	b := make([]byte, 0, len(event))
	written := false
	for _, l := range all {
		if !l.isData {
			b = append(append(b, l.text...), l.end...)
		} else if !written {
			b = append(b, l.mark...)
			b = appendData(b, filtered, l.end)
			written = true
		}
	}
	return b, true, nil
}

// appendData writes data as lines that end like the one it stood in.
func appendData(b, data, end []byte) []byte {
	if len(end) == 0 {
		end = []byte("\n")
	}
	for part := range bytes.SplitSeq(data, []byte("\n")) {
		b = append(b, "data: "...)
		b = append(append(b, part...), end...)
	}
	return b
}

// eventLine is a line of an event.
type eventLine struct {
	text, end []byte
	mark      []byte // of the byte order, before the first field of a stream
	isData    bool
	value     []byte
}

// lines cuts an event into its lines, which end in any of three ways.
func lines(event []byte) (all []eventLine, err error) {
	for begun, ended := false, false; len(event) > 0; {
		l := eventLine{text: event}
		if i := bytes.IndexAny(event, "\r\n"); i >= 0 {
			n := i + 1
			if bytes.HasPrefix(event[i:], []byte("\r\n")) {
				n++
			}
			l.text, l.end, event = event[:i], event[i:n], event[n:]
		} else {
			event = nil
		}
		if len(l.text) == 0 {
			ended = begun
		} else if ended {
			return nil, unreadable("more than one event")
		} else {
			begun = true
		}
		if len(all) == maxLines {
			return nil, unreadable("more than %d lines", maxLines)
		}
		l.field(all == nil)
		all = append(all, l)
	}
	return all, nil
}

// field finds out whether the line has data.
func (l *eventLine) field(first bool) {
	text := l.text
	if mark := []byte("\uFEFF"); first && bytes.HasPrefix(text, mark) {
		l.mark, text = mark, text[len(mark):]
	}
	name, value, _ := bytes.Cut(text, []byte(":"))
	l.isData = string(name) == "data"
	l.value, _ = bytes.CutPrefix(value, []byte(" "))
}
