// Package jsonrpc reads JSON-RPC 2.0 as MCP carries it over HTTP, answers it
// with errors, and takes tools out of the lists that servers send.
//
// What is read here is read one way by everyone: a message that says a key
// twice, or nearly, or leaves open what it is, is ErrUnreadable.
package jsonrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/rawjson"
)

// ErrUnreadable says that it is not certain what a message means.
var ErrUnreadable = errors.New("not a JSON-RPC message that can be read")

// maxMessages bounds what is decided about one request. Clients that batch
// send a handful.
const maxMessages = 128

// Batch is one message, or several.
type Batch struct {
	Messages []Message
	Array    bool // they came in an array, also if it is one
}

// Message is one of a batch. Its parts are those of the data it was read from.
type Message struct {
	Kind   Kind
	ID     json.RawMessage // as written: a string, a number or null; nil for a Notification
	Method string          // not for a Response
	Params json.RawMessage // an object or an array, or nil
}

// Kind is what a message is.
type Kind uint8

const (
	// Request asks for an answer.
	Request Kind = iota
	// Notification asks for none.
	Notification
	// Response is the answer to a Request of the other side.
	Response
)

// known are the keys with a meaning.
var known = []string{"jsonrpc", "id", "method", "params", "result", "error"}

// Read reads a body. It fails with ErrUnreadable.
func Read(data []byte) (Batch, error) {
	if body.Check(data) != nil {
		return Batch{}, unreadable("the JSON is ambiguous")
	}
	b := Batch{Array: rawjson.First(data) == '['}
	for at := range messages(data) {
		if len(b.Messages) == maxMessages {
			return Batch{}, unreadable("more than %d messages", maxMessages)
		}
		p, err := split(data, at)
		if err != nil {
			return Batch{}, err
		}
		m, err := p.message(data)
		if err != nil {
			return Batch{}, err
		}
		b.Messages = append(b.Messages, m)
	}
	if b.Messages == nil {
		return Batch{}, unreadable("no message")
	}
	return b, nil
}

// messages yields where each message of data begins.
func messages(data []byte) func(yield func(at int) bool) {
	return func(yield func(int) bool) {
		if rawjson.First(data) != '[' {
			yield(0)
			return
		}
		for span := range rawjson.ElementsAt(data, 0) {
			if !yield(span.Start) {
				return
			}
		}
	}
}

// parts are the known fields of a message, by their place in known.
type parts struct {
	version, id, method, params, result, failure rawjson.Span
}

func split(data []byte, at int) (p parts, err error) {
	if rawjson.First(data[at:]) != '{' {
		return p, unreadable("a message is no object")
	}
	places := []*rawjson.Span{&p.version, &p.id, &p.method, &p.params, &p.result, &p.failure}
	for key, span := range rawjson.MembersAt(data, at) {
		for i, k := range known {
			if key == k {
				*places[i] = span
			} else if strings.EqualFold(key, k) {
				return p, unreadable("%q is nearly %q", key, k)
			}
		}
	}
	if rawjson.Text(p.version.Of(data)) != "2.0" {
		return p, unreadable("it is not version 2.0")
	}
	return p, nil
}

// message says what p is, and fails where it is none of the three.
func (p parts) message(data []byte) (m Message, err error) {
	kind := func(s rawjson.Span) byte { return rawjson.First(s.Of(data)) }
	if id := kind(p.id); id != 0 {
		if id == '{' || id == '[' || id == 't' || id == 'f' {
			return m, unreadable("the id is no string or number")
		}
		m.ID = p.id.Of(data)
	}
	result, failure := kind(p.result), kind(p.failure)
	if kind(p.method) == 0 {
		ambiguous := failure == '{' && result != 0 && result != 'n'
		neither := result == 0 && failure != '{'
		if m.ID == nil || ambiguous || neither || failure != 0 && failure != '{' && failure != 'n' {
			return Message{}, unreadable("neither a request nor a response")
		}
		m.Kind = Response
		return m, nil
	}
	if result != 0 || failure != 0 {
		return Message{}, unreadable("a request and a response")
	}
	if m.Method = rawjson.Text(p.method.Of(data)); m.Method == "" {
		return Message{}, unreadable("the method is no name")
	}
	switch kind(p.params) {
	case '{', '[':
		m.Params = p.params.Of(data)
	case 0, 'n':
	default:
		return Message{}, unreadable("the parameters are no object")
	}
	if m.ID == nil {
		m.Kind = Notification
	}
	return m, nil
}

// Param returns what stands at path below the parameters, in the words of
// package body, and false where there is nothing. A list of scalars is a List.
// A key that differs only in case from one on the path makes it body.Other.
func (m Message) Param(path ...string) (body.Value, bool) {
	if m.Params == nil {
		return body.Value{}, false
	}
	v := rawjson.Find(m.Params, path)
	return v, v.Kind != body.Absent
}

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnreadable, fmt.Sprintf(format, args...))
}
