// Package apiclient calls the server's /api/v1.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/wire"
)

// Client calls one server. It never follows a redirect: a token goes where the
// user said, or nowhere.
type Client struct {
	Host    string // "https://flare.example.com"
	Token   credential.Secret
	Version string // of this program

	transport *http.Transport
}

const (
	connectTime = 5 * time.Second
	totalTime   = 30 * time.Second
	maxAnswer   = 16 << 20
)

// New makes a client.
func New(host string, token credential.Secret, version string) *Client {
	return &Client{Host: host, Token: token, Version: version, transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTime}).DialContext,
		TLSHandshakeTimeout:   connectTime,
		ResponseHeaderTimeout: totalTime,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   2,
		IdleConnTimeout:       totalTime,
	}}
}

// Error is what the server answered instead. It is also a fault.
type Error struct {
	Problem rest.Problem
	err     error
}

func (e *Error) Error() string { return e.err.Error() }
func (e *Error) Unwrap() error { return e.err }

// Code returns the code of the problem that err is, "" where the server did
// not answer.
func Code(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Problem.Code
	}
	return ""
}

// Get asks for something.
func Get[Out any](ctx context.Context, c *Client, path string, query url.Values) (Out, error) {
	return call[Out](ctx, c, http.MethodGet, path, query, nil)
}

// Post sends something. In may be nil for an empty object.
func Post[Out any](ctx context.Context, c *Client, path string, query url.Values, in any) (Out, error) {
	if in == nil {
		in = struct{}{}
	}
	return call[Out](ctx, c, http.MethodPost, path, query, in)
}

// Delete takes something away.
func Delete(ctx context.Context, c *Client, path string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, path, nil, nil)
	return err
}

func call[Out any](ctx context.Context, c *Client, method, path string, query url.Values, in any) (Out, error) {
	var out Out
	timed, cancel := context.WithTimeout(ctx, totalTime)
	defer cancel()
	res, err := c.do(timed, method, path, query, in)
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			err = ctx.Err()
		}
		return out, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNoContent {
		return out, nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&out); err != nil {
		return out, fault.New(fault.Unavailable, "What "+c.Host+" answers is not of a TameFlare server of this version.", err)
	}
	return out, nil
}

// Stream asks for something that does not end. The caller closes it.
func (c *Client) Stream(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	res, err := c.do(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, in any) (*http.Response, error) {
	target := c.Host + rest.Prefix + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("User-Agent", "tameflare-cli/"+c.Version)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !c.Token.Empty() {
		req.Header.Set("Authorization", "Bearer "+c.Token.Reveal())
	}
	res, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "The server at "+c.Host+" does not answer ("+reason(err)+"). Is it running, and is this its address?", err)
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, c.problem(res)
}

// problem reads what the server answered instead.
func (c *Client) problem(res *http.Response) error {
	var p rest.Problem
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&p); err != nil || p.Code == "" {
		return fault.New(fault.Unavailable, fmt.Sprintf("What %s answers (status %d) is not of a TameFlare server.", c.Host, res.StatusCode), err)
	}
	return Said(c.Host, p)
}

// Said is the error that a server's problem is.
func Said(host string, p rest.Problem) error {
	e := &Error{Problem: p}
	kind := fault.Parse(p.Code)
	switch {
	case p.Code == wire.CodeKilled:
		kind = fault.Forbidden
	case kind == fault.Internal && p.Code != fault.Internal.String():
		kind = fault.Invalid // a code that this program does not know
	}
	if kind == fault.Internal {
		e.err = fault.New(fault.Unavailable, "Something went wrong at the server "+host+". Its log says what.", nil)
	} else {
		e.err = fault.New(kind, p.Detail, nil)
	}
	return e
}

// reason is why a server could not be reached, in few words.
func reason(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "it took too long"
	}
	return err.Error()
}
