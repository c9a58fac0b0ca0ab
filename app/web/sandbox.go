package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/yamldoc"
	"github.com/tameflare/tameflare/views"
)

// draftID is the ID of a policy that has not been saved.
const draftID = "pol_draft"

const (
	sandboxRows = 50
	atLayout    = "2006-01-02T15:04" // of <input type=datetime-local>
)

// asked is a question to the sandbox, as its form was filled in.
type asked struct {
	views.Sandbox
	time    time.Time // zero: not said
	command string
	action  string
	draft   *policy.Policy // nil for none
}

func (s *Server) sandboxForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	q := r.URL.Query()
	b := views.Sandbox{Way: q.Get("way"), Gateway: q.Get("gateway"), Text: strings.TrimSpace(q.Get("q")), Request: q.Get("request")}
	return s.showSandbox(w, r, v, http.StatusOK, b)
}

// sandbox says what a gateway would decide. Nothing is sent, and nothing of a
// pasted command or action is kept: it may hold keys, and so no answer and no
// error repeats it.
func (s *Server) sandbox(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	in, err := s.readSandbox(r, v)
	if err != nil {
		return err
	}
	status := http.StatusUnprocessableEntity
	if !in.Errors.Any() && len(in.Problems) == 0 {
		if err := s.ask(r.Context(), v, &in); err != nil {
			return err
		}
		if in.Answer != nil {
			status = http.StatusOK
		}
	}
	return s.showSandbox(w, r, v, status, in.Sandbox)
}

// readSandbox reads the form, with a sentence about each field that is wrong.
func (s *Server) readSandbox(r *http.Request, v team.Viewer) (asked, error) {
	if err := parse(r); err != nil {
		return asked{}, err
	}
	in := asked{
		Sandbox: views.Sandbox{
			Way: text(r, "way"), Gateway: text(r, "gateway"), At: text(r, "at"), Request: text(r, "request"),
			Policy: strings.ReplaceAll(r.PostForm.Get("policy"), "\r\n", "\n"), Alone: text(r, "alone") == "yes", Errors: views.Errors{},
		},
		command: r.PostForm.Get("command"), action: r.PostForm.Get("action"),
	}
	if in.At != "" {
		var err error
		if in.time, err = time.Parse(atLayout, in.At); err != nil {
			in.Errors["at"] = "A time is written like 2026-03-01T22:30."
			in.Errors[""] = in.Errors["at"]
		}
	}
	if strings.TrimSpace(in.Policy) == "" {
		in.Policy = ""
		return in, nil
	}
	c, err := s.Policies.Check(r.Context(), v.Team.ID, in.Policy)
	if fault.Of(err) == fault.Invalid {
		in.Problems = problems(err)
		return in, nil
	}
	if err != nil {
		return in, err
	}
	p := c.Compiled
	p.ID, p.Version, p.Priority = draftID, 0, policy.DefaultPriority
	in.draft = &p
	return in, nil
}

// change puts the draft among the policies that are asked.
func (in *asked) change(set *policy.Settings) {
	if in.Alone {
		set.Policies = nil
	}
	if in.draft != nil {
		set.Policies = slices.DeleteFunc(slices.Clone(set.Policies), func(p policy.Policy) bool { return p.Name == in.draft.Name })
		set.Policies = append(set.Policies, *in.draft)
	}
}

// policiesText says which policies were asked.
func (in *asked) policiesText() string {
	switch {
	case in.draft == nil && in.Alone:
		return "No policy was asked."
	case in.draft == nil:
		return "The saved policies that are enabled were asked."
	case in.Alone:
		return "Of policies, only the text was asked."
	}
	return "The text was asked beside the saved policies that are enabled."
}

// unquoted are problems without anything that stands in the text: what
// somebody pastes may be a key.
func unquoted(all []yamldoc.Problem, pasted string) []yamldoc.Problem {
	plain := make([]yamldoc.Problem, len(all))
	for i, p := range all {
		plain[i] = yamldoc.Problem{Line: p.Line, Column: p.Column, Message: withoutQuotes(p.Message, pasted)}
	}
	return plain
}

// withoutQuotes takes out of a sentence what it quotes from a text.
func withoutQuotes(message, pasted string) string {
	parts := strings.Split(message, `"`)
	for i := 1; i < len(parts)-1; i += 2 {
		if strings.Contains(pasted, strings.TrimSuffix(parts[i], "…")) {
			parts[i] = "…"
		}
	}
	return strings.Join(parts, `"`)
}

// showSandbox shows the form with what is known so far. What was pasted is not
// shown again, but for the text of a policy.
func (s *Server) showSandbox(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, b views.Sandbox) error {
	if b.Way != views.ByCurl && b.Way != views.ByAction {
		b.Way = views.ByRecord
	}
	if byHTMX(r) {
		return render(w, r, status, views.SandboxResult(b))
	}
	f, err := s.frame(r, v, "policies", "Sandbox")
	if err != nil {
		return err
	}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	b.Names = gatewayNames(gs)
	for _, g := range gs {
		if g.Status == fleet.Active {
			b.Gateways = append(b.Gateways, views.Option{Value: g.ID, Text: g.Name})
		}
	}
	about(&f, v, chosen(gs, b.Gateway)...)
	if b.Way == views.ByRecord {
		if b.Rows, _, err = s.Trail.Requests(r.Context(), v.Team.ID, audit.Filter{Text: b.Text}, page.Cursor{}, sandboxRows); err != nil {
			return err
		}
		if b.Rows, err = s.withChosen(r.Context(), v, b.Rows, b.Request); err != nil {
			return err
		}
	}
	return render(w, r, status, views.SandboxPage(f, b))
}

// withChosen puts the chosen request in front of the others, where it is not
// among them.
func (s *Server) withChosen(ctx context.Context, v team.Viewer, rows []audit.Request, id string) ([]audit.Request, error) {
	if id == "" || slices.ContainsFunc(rows, func(r audit.Request) bool { return r.ID == id }) {
		return rows, nil
	}
	row, err := s.Trail.Request(ctx, v.Team.ID, id)
	if fault.Of(err) == fault.NotFound {
		return rows, nil
	}
	return append([]audit.Request{row}, rows...), err
}
