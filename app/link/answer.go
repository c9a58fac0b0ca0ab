package link

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

// problem is err as gateways hear of it.
func problem(err error) wire.Problem {
	kind := fault.Of(err)
	p := wire.Problem{Status: kind.Status(), Detail: fault.Message(err), Code: kind.String()}
	if r, ok := errors.AsType[*refusal](err); ok {
		p.Status = r.status
	}
	if errors.Is(err, approvals.ErrKilled) {
		p.Code = wire.CodeKilled
	}
	p.Title = http.StatusText(p.Status)
	return p
}

func (s *Server) stamp(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	if s.Version != "" {
		w.Header().Set(wire.VersionHeader, s.Version)
	}
}

// write encodes v, all of it before the first byte goes out.
func (s *Server) write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.Log.Error("an answer to a gateway does not encode", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"title":"Internal Server Error","status":500,"code":"internal","detail":"Something went wrong on our side."}`)
	}
	s.stamp(w)
	w.Header().Set("Content-Type", "application/json")
	if status >= http.StatusBadRequest {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever is gone does not hear it
}
