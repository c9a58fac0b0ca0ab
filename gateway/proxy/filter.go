package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/jsonrpc"
)

// An agent should not be shown tools whose calls this gateway denies: it would
// spend its time on trying them. To hide one protects nothing, since a call of
// it is judged as any other.

// expectLists finds out whether the answer will list tools, and asks for it in
// a form that can be looked through.
func (x *exchange) expectLists(h http.Header) {
	x.lists = connectors.NeverList
	if x.connector == nil {
		return
	}
	q := x.question()
	if x.connector.Lists(q) == connectors.NeverList { // whatever is in the body
		return
	}
	q.Body = x.known(x.connector.NeedsBody(q))
	if x.lists = x.connector.Lists(q); x.lists == connectors.NeverList {
		return
	}
	h["Accept-Encoding"] = []string{"identity"}
	delete(h, "Range")
	delete(h, "If-Range")
}

// filter takes the tools out of an answer that would be refused to the client
// whatever it calls them with. An answer in which they cannot be found is
// withheld.
func (x *exchange) filter(in *inbound) error {
	if x.lists == connectors.NeverList || x.bare(in.StatusCode) || in.StatusCode < 200 || in.StatusCode > 299 {
		return nil
	}
	media := strings.ToLower(strings.Join(in.Header["Content-Type"], ","))
	events, whole := strings.Contains(media, "text/event-stream"), strings.Contains(media, "json")
	switch {
	case events && whole: // clients differ in what they would take it for
		return x.withheld(errors.New("two content types"))
	case events:
		return x.filterEvents(in)
	case x.lists == connectors.StreamList:
		return nil
	case whole, x.lists == connectors.WillList:
		return x.filterWhole(in)
	}
	return nil
}

// filterWhole looks through an answer that is one JSON text.
func (x *exchange) filterWhole(in *inbound) error {
	data, err := x.readAnswer(in.Body)
	if err != nil {
		return err
	}
	codings := in.Header["Content-Encoding"]
	if len(codings) > 1 {
		return x.withheld(errors.New("two content codings"))
	}
	if len(codings) == 1 {
		if data, err = decoded(codings[0], data, x.s.limits.List); err != nil {
			return x.withheld(err)
		}
	}
	// Servers of the first version answer on a stream, and here with a word.
	word := in.StatusCode == http.StatusAccepted && !bytes.ContainsAny(data, "{[")
	if !word && len(bytes.TrimSpace(data)) > 0 {
		if data, _, err = jsonrpc.FilterTools(data, x.shown); err != nil {
			return x.withheld(err)
		}
	}
	unverifiable(in)
	in.Body, in.ContentLength, in.pending = replaced{bytes.NewReader(data), in.Body}, int64(len(data)), nil
	in.Trailer = nil
	return nil
}

// readAnswer reads a whole answer, which counts as kept until the exchange
// ends.
func (x *exchange) readAnswer(from io.Reader) ([]byte, error) {
	b := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(b)
	var data []byte
	for {
		n, err := from.Read(b[:])
		if err := x.holdAnswer(n); err != nil {
			return nil, err
		}
		if data = append(data, b[:n]...); len(data) > x.s.limits.List {
			return nil, x.withheld(errTooMuch)
		}
		switch {
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, unreachable(x.dest.host+" did not answer as it should.", fmt.Errorf("read answer: %w", err))
		}
	}
}

// holdAnswer counts n more bytes of the answer as kept, or fewer where it is
// negative.
func (x *exchange) holdAnswer(n int) error {
	x.answer += int64(n)
	if x.s.kept.Add(int64(n)) > int64(x.s.limits.Kept) && n > 0 {
		return x.withheld(errors.New("too much is kept already"))
	}
	return nil
}

// shown reports whether the client is told of a tool. What counts is the
// configuration of this moment: a stream may be older than that.
func (x *exchange) shown(tool string) bool {
	st, err := x.s.Current.Load()
	if err != nil {
		return false
	}
	c := st.Connector(x.dest.host)
	if c == nil {
		return false
	}
	return !st.Hopeless(c.Call(tool), c)
}

// withheld is the refusal of an answer that has come, and goes no further.
func (x *exchange) withheld(cause error) *refusal {
	return &refusal{
		status: http.StatusBadGateway, code: "answer_withheld", cause: cause,
		detail:     "The answer of " + x.dest.host + " could not be looked through for tools that this gateway denies, so it was not passed on.",
		suggestion: "The service was asked and has answered. Tell the people who run it that its list of tools is too large, or not as MCP has it.",
	}
}

// unverifiable takes off the answer what is only true of the bytes that came.
func unverifiable(in *inbound) {
	for _, name := range [...]string{"Content-Encoding", "Etag", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Accept-Ranges"} {
		delete(in.Header, name)
	}
}

// replaced is a body of ours in the place of another.
type replaced struct {
	io.Reader
	io.Closer
}
