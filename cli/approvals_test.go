package cli_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/wire"
)

var errNoApproval = fault.New(fault.NotFound, "There is no such approval.", nil)

// approvalRoutes answers what the server says of approvals.
func (s *site) approvalRoutes(handle func(string, func(*http.Request) (any, error))) {
	handle("GET /approvals", func(r *http.Request) (any, error) {
		list := rest.List[rest.Approval]{Items: []rest.Approval{}}
		q := r.URL.Query()
		for _, a := range s.approvals {
			if want := q["status"]; (len(want) == 0 || slices.Contains(want, string(a.Status))) && (!q.Has("risk") || q.Get("risk") == a.Risk) {
				list.Items = append(list.Items, a)
			}
		}
		if q.Get("limit") == "1" && q.Get("cursor") == "" && len(list.Items) > 1 {
			list.Items, list.Next = list.Items[:1], "more"
		}
		return list, nil
	})
	handle("GET /approvals/events", func(r *http.Request) (any, error) {
		after, err := strconv.Atoi(r.URL.Query().Get("after"))
		if err != nil {
			return rest.News{After: int64(s.changes)}, nil
		}
		// What it says while it holds nothing up: the caller asks again.
		wait := time.NewTimer(20 * time.Millisecond)
		defer wait.Stop()
		s.mu.Unlock()
		select {
		case <-wait.C:
		case <-r.Context().Done():
		}
		s.mu.Lock()
		news := rest.News{Items: []rest.Approval{}, After: int64(s.changes)}
		if after < s.changes {
			news.Items = append(news.Items, s.approvals...)
		}
		return news, nil
	})
	handle("GET /approvals/{id}", func(r *http.Request) (any, error) {
		a, err := s.approval(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		out := *a
		out.History = &rest.History{Asked: 3, Approved: 3, Suggest: 3, Last: []rest.Approval{s.approvals[1]}}
		return out, nil
	})
	handle("GET /approvals/{id}/body", func(r *http.Request) (any, error) {
		a, err := s.approval(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		return rest.Body{Bytes: []byte("{\"merge_method\":\"squash\"}\n"), Whole: true, Type: a.BodyType, Size: a.BodySize}, nil
	})
	handle("POST /approvals/{id}/decision", func(r *http.Request) (any, error) {
		var d rest.Decision
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			return nil, err
		}
		return s.decide(r.PathValue("id"), d)
	})
	handle("POST /approvals/decisions", func(r *http.Request) (any, error) {
		var d rest.Decisions
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			return nil, err
		}
		out := rest.List[rest.Outcome]{}
		for _, id := range d.IDs {
			o := rest.Outcome{ID: id}
			a, err := s.decide(id, d.Decision)
			if err != nil {
				o.Problem = &rest.Problem{Problem: wire.Problem{Status: fault.Of(err).Status(), Detail: fault.Message(err), Code: fault.Of(err).String()}}
			} else {
				o.Approval = &a
			}
			out.Items = append(out.Items, o)
		}
		return out, nil
	})
	handle("POST /approvals/{id}/repeat/end", func(r *http.Request) (any, error) {
		a, err := s.approval(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		a.RepeatUntil = time.Time{}
		return *a, nil
	})
}

func (s *site) approval(id string) (*rest.Approval, error) {
	for i := range s.approvals {
		if s.approvals[i].ID == id {
			return &s.approvals[i], nil
		}
	}
	return nil, errNoApproval
}

func (s *site) decide(id string, d rest.Decision) (rest.Approval, error) {
	a, err := s.approval(id)
	switch {
	case err != nil:
		return rest.Approval{}, err
	case d.Reason == "viewer":
		return rest.Approval{}, fault.New(fault.Forbidden, "Viewers do not decide.", nil)
	case d.Reason == "killed":
		return rest.Approval{}, errKilled
	case a.Status != approval.Pending:
		return *a, fault.New(fault.Conflict, "Already approved by "+a.Decider+".", nil)
	}
	a.Status, a.Decider, a.Channel, a.Note = approval.Approved, "Ana", "cli", d.Reason
	a.Seq++
	s.changes++
	s.lasts = d.For
	if d.Verdict == rest.Deny {
		a.Status = approval.Denied
	}
	if d.For != "" {
		a.RepeatUntil = time.Now().Add(15 * time.Minute)
	}
	return *a, nil
}
