package connectors

import (
	"slices"

	"github.com/tameflare/tameflare/connectors/jsonrpc"
	"github.com/tameflare/tameflare/domain/action"
)

// Lists says whether the answer to a request lists tools that can be called.
type Lists uint8

// The zero Lists is that it may.
const (
	MayList    Lists = iota // it is not certain
	WillList                // the request asks for it
	StreamList              // it may where it is a stream of events
	NeverList               // it has another purpose
)

// lister is a service of which clients learn from a list what they can call.
type lister interface {
	lists(Request) Lists
	call(tool string) action.Action
	essence(Request) ([]byte, bool)
}

// Lists says whether the answer to r lists tools. Those that are Hopeless to
// call are to be taken out of it, in all that package jsonrpc says of them.
func (c *Connector) Lists(r Request) Lists {
	if l, ok := c.typ.service.(lister); ok {
		return l.lists(r)
	}
	return NeverList
}

// Call returns what a call of tool is, as far as it can be told without its
// arguments.
func (c *Connector) Call(tool string) action.Action {
	l, ok := c.typ.service.(lister)
	if !ok {
		return action.Action{Connector: c.name, Unknown: []string{"*"}}
	}
	a := l.call(tool)
	a.Connector = c.name
	return a
}

// Essence returns what r asks for without what a repetition of it would not
// have in common: an approval of r is one of every request with the same
// essence. It reports false where that is the body as it stands.
func (c *Connector) Essence(r Request) ([]byte, bool) {
	if l, ok := c.typ.service.(lister); ok {
		return l.essence(r)
	}
	return nil, false
}

// lists expects the answer to a list on any stream that the client opens by
// itself: what another request has asked for may come there, or come again.
func (s *mcpService) lists(r Request) Lists {
	switch upper(r.Method) {
	case "POST":
		b, ok := s.messages(r)
		if !ok || r.upgrades() {
			return MayList
		}
		asks := func(m jsonrpc.Message) bool { return m.Kind == jsonrpc.Request && m.Method == mcpToolsList }
		if !slices.ContainsFunc(b.Messages, asks) {
			return NeverList
		}
		return WillList
	case "GET":
		return StreamList
	case "DELETE", "HEAD":
		return NeverList
	}
	return MayList
}

func (s *mcpService) call(tool string) action.Action {
	a := s.requests["tools/call"].named()
	a.Resource, a.Params = tool, map[string]any{mcpTool: tool}
	return a
}

func (s *mcpService) essence(r Request) ([]byte, bool) {
	data, ok := mcpBody(r)
	if !ok || upper(r.Method) != "POST" {
		return nil, false
	}
	e, err := jsonrpc.Essence(data)
	return e, err == nil
}
