package link

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

func (s *Server) enrol(r *http.Request, _ caller) (any, error) {
	req, err := read[wire.EnrolRequest](r)
	if err != nil {
		return nil, err
	}
	return s.Fleet.Enrol(whole(r), req)
}

func (s *Server) renew(r *http.Request, c caller) (any, error) {
	req, err := read[wire.RenewRequest](r)
	if err != nil {
		return nil, err
	}
	return s.Fleet.Renew(whole(r), c.state, req)
}

func (s *Server) whoami(_ *http.Request, c caller) (any, error) {
	who := wire.Whoami{GatewayID: c.gw.ID, TeamID: c.gw.TeamID, Name: c.gw.Name}
	if len(c.state.PeerCertificates) > 0 {
		who.CertNotAfter = c.state.PeerCertificates[0].NotAfter
	}
	return who, nil
}

func (s *Server) snapshot(r *http.Request, c caller) (any, error) {
	q := r.URL.Query()
	after, err := number(q, "after")
	if err != nil {
		return nil, err
	}
	wait, err := patience(q)
	if err != nil {
		return nil, err
	}
	return s.Rollout.Snapshot(r.Context(), c.gw, after, wait)
}

func (s *Server) ask(r *http.Request, c caller) (any, error) {
	ask, err := read[wire.Ask](r)
	if err != nil {
		return nil, err
	}
	if len(ask.Body) > wire.MaxBody {
		return nil, fault.New(fault.Invalid, "Of a body only the first 64 KiB go along with a question.", nil)
	}
	return s.approval(s.Approvals.Ask(whole(r), c.gw, ask))
}

func (s *Server) changes(r *http.Request, c caller) (any, error) {
	q := r.URL.Query()
	after, err := number(q, "after")
	if err != nil {
		return nil, err
	}
	wait, err := patience(q)
	if err != nil {
		return nil, err
	}
	as, through, err := s.Approvals.Changes(r.Context(), c.gw, after, wait)
	if err != nil {
		return nil, err
	}
	out := wire.Changes{After: through}
	for _, a := range as {
		out.Approvals = append(out.Approvals, s.told(a))
	}
	return out, nil
}

func (s *Server) wait(r *http.Request, c caller) (any, error) {
	q := r.URL.Query()
	seq, err := number(q, "seq")
	if err != nil {
		return nil, err
	}
	wait, err := patience(q)
	if err != nil {
		return nil, err
	}
	return s.approval(s.Approvals.Wait(r.Context(), c.gw, r.PathValue("id"), seq, wait))
}

func (s *Server) use(r *http.Request, c caller) (any, error) {
	use, err := read[wire.Use](r)
	if err != nil {
		return nil, err
	}
	return s.approval(s.Approvals.Use(whole(r), c.gw, r.PathValue("id"), use))
}

func (s *Server) audit(r *http.Request, c caller) (any, error) {
	uploads := "uploads of " + c.gw.ID
	if !s.enter(uploads, maxUploads) {
		return nil, fault.New(fault.Limited, "This gateway uploads too much at once. Try again in a moment.", nil)
	}
	defer s.leave(uploads)
	entries, err := readEntries(r)
	if err != nil {
		return nil, err
	}
	return s.Trail.Append(whole(r), c.gw, entries)
}

func (s *Server) kill(r *http.Request, c caller) (any, error) {
	report, err := read[wire.KillReport](r)
	if err != nil {
		return nil, err
	}
	return nil, s.Kills.Report(whole(r), c.gw, report)
}

func (s *Server) approval(a approval.Approval, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return s.told(a), nil
}

// told is what the gateway that asked hears of a.
func (s *Server) told(a approval.Approval) wire.Approval {
	return wire.Approval{
		ID: a.ID, Status: a.Status, Seq: a.Heard(), ExpiresAt: a.ExpiresAt, Decider: a.Deciders(), Note: a.Note,
		URL:       s.BaseURL + "/approvals/" + url.PathEscape(a.ID),
		Principal: a.Principal, Action: a.Action.Name, Sentence: a.Sentence,
	}
}

// whole is the context of a change: it is made even if the caller goes away,
// or the server begins to stop, in the middle of it.
func whole(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }

// maxWait is below what proxies on the way allow an answer to take.
const maxWait = time.Minute

func patience(q url.Values) (time.Duration, error) {
	if !q.Has("wait") {
		return 0, nil
	}
	wait, err := time.ParseDuration(q.Get("wait"))
	if err != nil || wait < 0 {
		return 0, fault.New(fault.Invalid, "Write wait as a duration, such as 20s.", err)
	}
	return min(wait, maxWait), nil
}

func number(q url.Values, name string) (int64, error) {
	if !q.Has(name) {
		return 0, nil
	}
	n, err := strconv.ParseInt(q.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, fault.New(fault.Invalid, "Write "+name+" as a number.", err)
	}
	return n, nil
}
