package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/tameflare/tameflare/app/replay"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// startReplay begins to look what a draft would have changed about the last
// seven days. It is looked at as if it were enabled and did more than report:
// that is what somebody wants to know before it is.
func (s *Server) startReplay(r *http.Request, v team.Viewer, d draft, said policy.Policy) (views.Replay, error) {
	compiled, err := json.Marshal(said)
	if err != nil {
		return views.Replay{}, fmt.Errorf("write policy: %w", err)
	}
	all, err := s.Policies.List(r.Context(), v.Team.ID)
	if err != nil {
		return views.Replay{}, err
	}
	all = slices.DeleteFunc(all, func(p fleet.Policy) bool { return !p.Enabled || p.ID == d.form.ID })
	p := fleet.Policy{
		ID: draftID, TeamID: v.Team.ID, Name: said.Name, Version: d.now.Version + 1,
		Enabled: true, Priority: d.counts.Priority, Document: d.form.Document, Compiled: string(compiled),
	}
	if d.form.ID != "" {
		p.ID = d.form.ID
	}
	id, err := s.Replays.Start(v.Team.ID, replay.Change{Policies: append(all, p)})
	if k := fault.Of(err); k == fault.Limited || k == fault.Unavailable {
		return views.Replay{Over: true, Error: fault.Message(err)}, nil
	}
	if err != nil {
		return views.Replay{}, err
	}
	return views.Replay{ID: id}, nil
}

// replay says how far a replay is, or what came of it.
func (s *Server) replay(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	out, err := s.replayed(v, r.PathValue("id"))
	if err != nil {
		return err
	}
	if byHTMX(r) {
		return render(w, r, http.StatusOK, views.ReplayPart(out))
	}
	f, err := s.frame(r, v, "policies", "Replay")
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.ReplayPage(f, out))
}

func (s *Server) replayed(v team.Viewer, id string) (views.Replay, error) {
	p, ok := s.Replays.Status(v.Team.ID, id)
	if !ok {
		return views.Replay{}, fault.New(fault.NotFound, "There is no such replay any more. Preview the policy again.", nil)
	}
	out := views.Replay{ID: id, Done: p.Done, Total: p.Total, Over: p.Over()}
	if p.Err != nil {
		out.Error = fault.Message(p.Err)
	}
	if rep := p.Report; rep != nil {
		out.Since, out.Until, out.Requests, out.Same = rep.Since, rep.Until, rep.Requests, rep.Same
		out.Parts = []views.ReplayEnd{
			replayEnd(policy.Deny, rep.Denied), replayEnd(policy.RequireApproval, rep.Held), replayEnd(policy.Allow, rep.Allowed),
		}
	}
	return out, nil
}

func replayEnd(to policy.Effect, o replay.Outcome) views.ReplayEnd {
	e := views.ReplayEnd{To: to, N: o.N}
	for _, x := range o.Examples {
		e.Rows = append(e.Rows, views.ReplayRow{
			ID: x.Request.ID, Gateway: x.Gateway, Action: x.Request.Action, Resource: x.Request.Resource,
			Time: x.Request.Time, Was: x.Was.Would, Policy: x.Policy, Rule: x.Rule,
		})
	}
	return e
}

func (s *Server) cancelReplay(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	id := r.PathValue("id")
	if _, err := s.replayed(v, id); err != nil {
		return err
	}
	s.Replays.Cancel(v.Team.ID, id)
	if !byHTMX(r) {
		return see(w, r, "/replays/"+id)
	}
	return s.replay(w, r, v)
}
