package web

import (
	"context"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/curl"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// ask asks the gateway, or notes in in why there is nothing to ask.
func (s *Server) ask(ctx context.Context, v team.Viewer, in *asked) error {
	var row *audit.Request
	gateway := in.Gateway
	if in.Way != views.ByCurl && in.Way != views.ByAction {
		in.Way = views.ByRecord
		if in.Request == "" {
			in.Errors[""] = "Choose a request."
			return nil
		}
		found, err := s.Trail.Request(ctx, v.Team.ID, in.Request)
		if err != nil {
			return err
		}
		row = &found
		if gateway == "" {
			gateway = row.GatewayID
		}
	}
	g, err := s.Gateways.Find(ctx, v.Team.ID, gateway)
	if fault.Of(err) == fault.NotFound {
		in.Errors[""] = "Choose a gateway: it is not there any more."
		return nil
	}
	if err != nil {
		return err
	}
	at, err := s.judge(ctx, v, g.ID, in.change)
	if fault.Of(err) == fault.Invalid { // what is tried does not go together with what is saved
		in.Errors[""] = fault.Message(err)
		return nil
	}
	if err != nil {
		return err
	}
	if in.draft != nil {
		at.names.policies[draftID] = fleet.Policy{ID: draftID, Name: in.draft.Name + " (the text below)"}
		at.names.add(*in.draft)
	}
	switch in.Way {
	case views.ByCurl:
		err = s.answerCommand(ctx, v, in, at)
	case views.ByAction:
		err = s.answerAction(ctx, v, in, at)
	default:
		err = s.answerRecorded(ctx, v, in, at, row)
	}
	if err == nil && in.Answer != nil {
		in.Answer.Policies = in.policiesText()
	}
	return err
}

// when is the time that is decided for.
func (s *Server) when(in *asked, or time.Time) time.Time {
	switch {
	case !in.time.IsZero():
		return in.time
	case !or.IsZero():
		return or
	}
	return s.Now()
}

func (s *Server) answerCommand(ctx context.Context, v team.Viewer, in *asked, at *judging) error {
	known, _, err := s.catalogueOf(ctx, v)
	if err != nil {
		return err
	}
	command, err := curl.Parse(in.command)
	if fault.Of(err) == fault.Invalid {
		in.Errors[""] = fault.Message(err)
		return nil
	}
	if err != nil {
		return err
	}
	now := s.when(in, time.Time{})
	in.Answer = &views.SandboxAnswer{TrialAnswer: explain(command, at, known, now), Time: now}
	return nil
}

func (s *Server) answerAction(ctx context.Context, v team.Viewer, in *asked, at *judging) error {
	a, _, err := document.ParseAction([]byte(in.action))
	if fault.Of(err) == fault.Invalid {
		in.Places = unquoted(problems(err), in.action)
		return nil
	}
	if err != nil {
		return err
	}
	known, own, err := s.catalogueOf(ctx, v)
	if err != nil {
		return err
	}
	a.Rate(connectors.Catalogue{Own: own})
	if of := at.set.OfType(a.Type); at.set.Named(a.Action.Connector) == nil && len(of) > 0 {
		a.Action.Connector = of[0].Name() // the service has another name here
	}
	q := a.Question()
	q.Time = s.when(in, time.Time{})
	c := at.set.Named(q.Action.Connector)
	out := &views.SandboxAnswer{Time: q.Time}
	facts(&out.TrialAnswer, q.Action, c, known)
	out.Nobody = c == nil
	out.Decision = at.decide(q, connectors.Request{}, c)
	in.Answer = out
	return nil
}

func (s *Server) answerRecorded(ctx context.Context, v team.Viewer, in *asked, at *judging, row *audit.Request) error {
	q, ok := at.Question(row)
	if !ok {
		in.Errors[""] = "This request was refused before anybody knew what it would do, so there is nothing to decide about."
		return nil
	}
	known, _, err := s.catalogueOf(ctx, v)
	if err != nil {
		return err
	}
	q.Time = s.when(in, q.Time)
	c := at.set.Named(q.Action.Connector)
	out := &views.SandboxAnswer{Recorded: row, Time: q.Time}
	facts(&out.TrialAnswer, q.Action, c, known)
	out.Nobody = c == nil
	out.Decision = at.decide(q, connectors.Request{Method: row.Method, Host: row.Host, Path: row.Path}, c)
	in.Answer = out
	return nil
}
