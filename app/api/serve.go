package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// call is one call that is let in.
type call struct {
	*http.Request
	w      http.ResponseWriter
	viewer team.Viewer // zero on a route for anyone
	ip     string
	query  url.Values
}

// endpoint answers a call. An answer of nil is 204; errAnswered says that it
// has written by itself.
type endpoint func(s *Server, c *call) (answer any, err error)

var errAnswered = errors.New("answered already")

// get makes an endpoint of one that takes no body.
func get[Out any](do func(s *Server, c *call) (Out, error)) endpoint {
	return func(s *Server, c *call) (any, error) { return do(s, c) }
}

// post makes an endpoint of one that takes a body.
func post[In, Out any](do func(s *Server, c *call, in In) (Out, error)) endpoint {
	return func(s *Server, c *call) (any, error) {
		var in In
		if err := read(c.Request, &in); err != nil {
			return nil, err
		}
		return do(s, c, in)
	}
}

// nothing is the answer of a call that has none.
type nothing struct{}

// place returns the pattern as the mux knows it.
func place(pattern string) string {
	method, path, _ := strings.Cut(pattern, " ")
	return method + " " + rest.Prefix + path
}

const (
	maxBody  = 2 << 20
	patience = 30 * time.Second // for a body
)

// refusal is an error with a status that kinds have no word for.
type refusal struct {
	status int
	error
}

func (r *refusal) Unwrap() error { return r.error }

// decided is an error that comes with an approval as it now is.
type decided struct {
	approval rest.Approval
	error
}

func (d *decided) Unwrap() error { return d.error }

func (s *Server) serve(w http.ResponseWriter, r *http.Request, to route) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience)) // a connection that knows no deadlines is one of a test
	answer, err := s.call(w, r, to)
	switch {
	case errors.Is(err, errAnswered):
	case err != nil:
		s.fail(w, r, err)
	case answer == nil, answer == nothing{}:
		s.stamp(w)
		w.WriteHeader(http.StatusNoContent)
	default:
		s.write(w, http.StatusOK, answer)
	}
}

func (s *Server) call(w http.ResponseWriter, r *http.Request, to route) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(r.Context(), "an API call panicked", "route", r.Pattern, "panic", p, "stack", string(debug.Stack()))
			answer, err = nil, errors.New("panic")
		}
	}()
	c := &call{Request: r, w: w, ip: s.ClientIP(r)}
	if c.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, fault.New(fault.Invalid, "The query cannot be read.", err)
	}
	if to.audience == anyone {
		if !s.strangers.allow(c.ip, s.Now()) {
			return nil, fault.New(fault.Limited, "Too many calls from this address. Try again in a minute.", nil)
		}
		return to.serve(s, c)
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil, fault.New(fault.Unauthenticated, "This needs a token. Run tameflare login.", nil)
	}
	if c.viewer, err = s.Tokens.TokenViewer(r.Context(), token, c.ip); err != nil {
		if fault.Of(err) == fault.Unauthenticated && !s.strangers.allow(c.ip, s.Now()) {
			err = fault.New(fault.Limited, "Too many calls without a good token from this address. Try again in a minute.", err)
		}
		return nil, err
	}
	if !to.audience.lets(c.viewer) {
		return nil, fault.New(fault.Forbidden, "Your role is "+string(c.viewer.Role)+", which may not do this. Ask an owner or admin.", nil)
	}
	return to.serve(s, c)
}

// stillLets fails where the caller's token is not good any more, or not for
// that audience.
func (s *Server) stillLets(c *call, to audience) error {
	token := strings.TrimPrefix(c.Header.Get("Authorization"), "Bearer ")
	v, err := s.Tokens.TokenViewer(c.Context(), token, c.ip)
	if err != nil {
		return err
	}
	if !to.lets(v) || v.Team.ID != c.viewer.Team.ID {
		return fault.New(fault.Forbidden, "This token may not do this any more.", nil)
	}
	return nil
}

// read decodes the body. A field that it does not know is an error: who
// misspells a field would believe that it had been heard.
func read(r *http.Request, v any) error {
	if typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || typ != "application/json" {
		return &refusal{http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "Send this as application/json.", err)}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &refusal{http.StatusRequestEntityTooLarge, fault.New(fault.Invalid, "This is too large.", nil)}
	}
	if err != nil {
		return fault.New(fault.Invalid, "The body could not be read to its end.", err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
			return fault.New(fault.Invalid, "There is no field "+clip(name)+" here.", nil)
		}
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return fault.New(fault.Invalid, "The field "+clip(wrong.Field)+" cannot be a "+wrong.Value+".", nil)
		}
		return fault.New(fault.Invalid, "The body is not the JSON that belongs here.", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "There is something after the end of the JSON.", nil)
	}
	return nil
}

// only fails with fault.Invalid where the query has anything but names.
func (c *call) only(names ...string) error {
	for name, values := range c.query {
		if !slices.Contains(names, name) {
			return fault.New(fault.Invalid, "There is no parameter "+clip(name)+" here.", nil)
		}
		if len(values) > 1 && name != "status" {
			return fault.New(fault.Invalid, "The parameter "+name+" is there twice.", nil)
		}
	}
	return nil
}

// clip makes what somebody sent fit for a sentence.
func clip(text string) string {
	text = strings.ToValidUTF8(text, "�")
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "…"
	}
	return text
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem(err)
	s.note(r, p, err)
	switch p.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="tameflare"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	s.write(w, p.Status, p)
}

// note logs what callers hear of as p only.
func (s *Server) note(r *http.Request, p rest.Problem, err error) {
	switch {
	case p.Code == fault.Internal.String() && r.Context().Err() == nil:
		s.Log.ErrorContext(r.Context(), "an API call failed", "route", r.Pattern, "error", err)
	default:
		s.Log.DebugContext(r.Context(), "an API call was refused", "route", r.Pattern, "error", err)
	}
}

// problem is err as callers hear of it.
func problem(err error) rest.Problem {
	kind := fault.Of(err)
	p := rest.Problem{Problem: wire.Problem{Status: kind.Status(), Detail: fault.Message(err), Code: kind.String()}}
	if r, ok := errors.AsType[*refusal](err); ok {
		p.Status = r.status
	}
	if d, ok := errors.AsType[*decided](err); ok {
		p.Approval = &d.approval
	}
	if b, ok := errors.AsType[*badPolicy](err); ok {
		p.Problems, p.Tests = b.problems, b.tests
	}
	if errors.Is(err, approvals.ErrKilled) {
		p.Code = wire.CodeKilled
	}
	for code, one := range map[string]error{
		rest.AuthorizationPending: accounts.Pending, rest.SlowDown: accounts.SlowDown,
		rest.AccessDenied: accounts.Denied, rest.ExpiredToken: accounts.ExpiredToken,
	} {
		if errors.Is(err, one) { // 400, as RFC 6749 wants it
			p.Code, p.Status = code, http.StatusBadRequest
		}
	}
	p.Title = http.StatusText(p.Status)
	return p
}

func (s *Server) stamp(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set(wire.VersionHeader, s.Version)
}

// write encodes v, all of it before the first byte goes out.
func (s *Server) write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.Log.Error("an API answer does not encode", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"title":"Internal Server Error","status":500,"code":"internal","detail":"Something went wrong on our side."}`)
	}
	s.stamp(w)
	w.Header().Set("Content-Type", "application/json")
	if status >= http.StatusBadRequest {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // whoever is gone does not hear it
}

// channel is how the caller decides: the command line says that it is one.
func (c *call) channel() approval.Channel {
	if strings.HasPrefix(c.UserAgent(), "tameflare-cli/") {
		return approval.CLI
	}
	return approval.API
}
