package runs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

// Client talks to the gateway that listens at Socket. All its methods fail
// with fault.Unavailable where no gateway does, and otherwise with the fault
// that the gateway answered.
type Client struct {
	Socket string
}

// Session is a run as its caller holds it.
type Session struct {
	Door Door

	client Client
	body   io.ReadCloser
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

const (
	maxLine     = 1 << 20
	dialTimeout = 2 * time.Second
)

// Start begins a run. It goes on until End, Close or the end of the process.
// Cancelling ctx afterwards also ends it.
func (c Client) Start(ctx context.Context, s Start) (*Session, error) {
	ctx, cancel := context.WithCancel(ctx)
	res, err := c.do(ctx, http.MethodPost, "/runs", s) //nolint:bodyclose // the session closes it
	if err != nil {
		cancel()
		return nil, err
	}
	session := &Session{client: c, body: res.Body, lines: bufio.NewScanner(res.Body), cancel: cancel}
	session.lines.Buffer(nil, maxLine)
	first, err := session.Next()
	if err == nil && first.Door == nil {
		err = errors.New("the first event has no door")
	}
	if err != nil {
		session.Close()
		return nil, fmt.Errorf("start run: %w", err)
	}
	session.Door = *first.Door
	return session, nil
}

// Next waits for the next event. It returns io.EOF after the last.
func (s *Session) Next() (Event, error) {
	var e Event
	if !s.lines.Scan() {
		if err := s.lines.Err(); err != nil {
			return e, fmt.Errorf("read event: %w", err)
		}
		return e, io.EOF
	}
	if err := json.Unmarshal(s.lines.Bytes(), &e); err != nil {
		return e, fmt.Errorf("read event: %w", err)
	}
	return e, nil
}

// End asks the gateway to end the run. The events end with the summary then,
// and whoever calls Next sees it.
func (s *Session) End(ctx context.Context) error {
	res, err := s.client.do(ctx, http.MethodDelete, "/runs/"+s.Door.RunID, nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// Close lets go of the run at once, without a summary.
func (s *Session) Close() {
	s.cancel()
	_ = s.body.Close() // the connection is gone either way
}

// Status asks how the gateway is doing.
func (c Client) Status(ctx context.Context) (Status, error) {
	return get[Status](ctx, c, "/status")
}

// CA asks for the gateway's own root.
func (c Client) CA(ctx context.Context) (CA, error) {
	return get[CA](ctx, c, "/ca")
}

// Kill pulls or lifts the machine's kill switch, and returns those that are on
// afterwards. Lifting does not touch those that were pulled at the server: it
// fails with fault.Forbidden where there is nothing else in the way.
func (c Client) Kill(ctx context.Context, k Kill) ([]KillStatus, error) {
	res, err := c.do(ctx, http.MethodPost, "/kill", k) //nolint:bodyclose // decode closes it
	if err != nil {
		return nil, err
	}
	return decode[[]KillStatus](res)
}

// Shutdown ends the gateway.
func (c Client) Shutdown(ctx context.Context) error {
	res, err := c.do(ctx, http.MethodPost, "/shutdown", nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func get[T any](ctx context.Context, c Client, path string) (T, error) {
	res, err := c.do(ctx, http.MethodGet, path, nil) //nolint:bodyclose // decode closes it
	if err != nil {
		var none T
		return none, err
	}
	return decode[T](res)
}

func decode[T any](res *http.Response) (T, error) {
	defer res.Body.Close()
	var v T
	if err := json.NewDecoder(io.LimitReader(res.Body, maxLine)).Decode(&v); err != nil {
		return v, fmt.Errorf("read the gateway's answer: %w", err)
	}
	return v, nil
}

func (c Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://gateway"+path, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", c.Socket)
		},
	}
	res, err := transport.RoundTrip(req) // no redirects, no proxy, no cookies
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, ctx.Err())
		}
		return nil, fault.New(fault.Unavailable, "No gateway is running here. Start it with: tameflare gateway up", err)
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	p, err := decode[wire.Problem](res)
	if err != nil {
		return nil, fmt.Errorf("%s %s: status %d: %w", method, path, res.StatusCode, err)
	}
	return nil, fault.New(fault.Parse(p.Code), p.Detail, nil)
}
