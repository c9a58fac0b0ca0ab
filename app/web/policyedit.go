package web

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/policy/packs"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/yamldoc"
	"github.com/tameflare/tameflare/views"
)

// maxPolicyBody holds the largest document, three bytes for each of its own as
// a form sends it.
const maxPolicyBody = 3*document.MaxSize + 64<<10

// firstPolicy is what somebody starts with who starts from nothing.
const firstPolicy = `name: look-at-merges
description: Somebody looks at merges, and agents delete nothing.

scope:
  actions: ["github.*"]

rules:
  - name: merges wait
    conditions:
      all:
        - {field: action, operator: equals, value: github.pr.merge}
        - {field: repository, operator: not_equals, value: sandbox}
    decision: require_approval
    reason: Somebody looks at every merge.

  - name: nothing is deleted
    conditions: {field: class, operator: equals, value: delete}
    decision: deny
    reason: Agents delete nothing.

tests:
  - name: a merge waits
    request: {method: PUT, url: "https://api.github.com/repos/acme/site/pulls/12/merge"}
    expect: require_approval
  - name: a merge in the sandbox does not
    request: {method: PUT, url: "https://api.github.com/repos/acme/sandbox/pulls/3/merge"}
    expect: allow
  - name: no repository is deleted
    request: {method: DELETE, url: "https://api.github.com/repos/acme/site"}
    expect: deny
`

// draft is a policy as somebody writes it, with what it is made from.
type draft struct {
	form   views.PolicyDraft
	counts policies.Counts
	now    fleet.Policy // what counts today; zero for a new one
	gone   bool         // what it was made from has been deleted
	built  built        // what came of the form of its rules
}

func (s *Server) newPolicy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	text := firstPolicy
	if name := r.URL.Query().Get("pack"); name != "" {
		pack, ok := packs.Named(name)
		if !ok {
			return fault.New(fault.NotFound, "There is no such pack. Choose another.", nil)
		}
		text = pack.Document
	}
	d := draft{form: views.PolicyDraft{Document: text, Settings: settingsOf(fleet.Policy{Enabled: true, Priority: policy.DefaultPriority})}}
	return s.showEditor(w, r, v, http.StatusOK, d)
}

func (s *Server) editPolicy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	p, err := s.Policies.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	d := draft{form: views.PolicyDraft{ID: p.ID, Name: p.Name, Document: p.Document, Settings: settingsOf(p)}, now: p}
	return s.showEditor(w, r, v, http.StatusOK, d)
}

// showEditor shows a draft to be written, with what is wrong with it.
func (s *Server) showEditor(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, d draft) error {
	f, err := s.frame(r, v, "policies", "New policy")
	if err != nil {
		return err
	}
	if d.form.ID == "" {
		for _, p := range packs.All() {
			d.form.Packs = append(d.form.Packs, views.PackLink{Name: p.Name, Title: p.Title, Summary: p.Summary})
		}
	} else {
		f.Title = "Edit " + views.Visible(d.form.Name, 80)
	}
	var c policies.Checked
	if d.form.Said, c, err = s.said(r, v, d.form.Document); err != nil {
		return err
	}
	if len(d.form.Said.Problems) == 0 {
		if err := s.aboutScope(r.Context(), &f, v, c.Compiled.Scope); err != nil {
			return err
		}
	}
	d.form.Builder = builder(d.built, d.form.Document)
	return render(w, r, status, views.PolicyEditPage(f, d.form))
}

// said is what there is to say about a text, and what it is where there is no
// problem.
func (s *Server) said(r *http.Request, v team.Viewer, text string) (views.PolicySaid, policies.Checked, error) {
	c, err := s.Policies.Check(r.Context(), v.Team.ID, text)
	if fault.Of(err) == fault.Invalid {
		return views.PolicySaid{Problems: problems(err)}, c, nil
	}
	if err != nil {
		return views.PolicySaid{}, c, err
	}
	return views.PolicySaid{Name: c.Compiled.Name, Notes: c.Document.Notes, Results: c.Results, Clauses: c.Compiled.Clauses}, c, nil
}

// problems are what is wrong with a text, each where it is as far as that is
// known.
func problems(err error) []yamldoc.Problem {
	if all, ok := errors.AsType[*yamldoc.Problems](err); ok {
		return all.All
	}
	return []yamldoc.Problem{{Message: fault.Message(err)}}
}

// checkPolicy says what is wrong with a text, and changes nothing. Who has no
// script gets the editor back.
func (s *Server) checkPolicy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if !byHTMX(r) {
		d, err := s.readDraft(r, v)
		if err != nil {
			return err
		}
		return s.showEditor(w, r, v, http.StatusOK, d)
	}
	if err := parse(r); err != nil {
		return err
	}
	said, _, err := s.said(r, v, readDocument(r))
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.PolicySays(said))
}

// readDocument is the text as it was written: forms send a line's end as two
// characters.
func readDocument(r *http.Request) string {
	return strings.ReplaceAll(r.PostForm.Get("document"), "\r\n", "\n")
}

// readDraft reads the form of the editor, or of the preview.
func (s *Server) readDraft(r *http.Request, v team.Viewer) (draft, error) {
	set, counts, err := readCounts(r)
	if err != nil {
		return draft{}, err
	}
	d := draft{counts: counts, built: build(readDocument(r), r.PostForm)}
	d.form = views.PolicyDraft{ID: text(r, "id"), Document: d.built.text, Settings: set}
	if d.form.ID == "" {
		d.form.Settings.Base = 0
		return d, nil
	}
	d.now, err = s.Policies.Find(r.Context(), v.Team.ID, d.form.ID)
	if fault.Of(err) == fault.NotFound { // what was written is not lost
		d.form.ID, d.form.Settings.Base, d.gone = "", 0, true
		return d, nil
	}
	d.form.ID, d.form.Name = d.now.ID, d.now.Name
	return d, err
}

// previewPolicy shows what saving a draft would change.
func (s *Server) previewPolicy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	d, err := s.readDraft(r, v)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if d.form.Settings.Errors.Any() {
		status = http.StatusUnprocessableEntity
	}
	if d.built.note != "" { // or what somebody has changed would be lost
		return s.showEditor(w, r, v, http.StatusUnprocessableEntity, d)
	}
	return s.showPreview(w, r, v, status, d)
}

// showPreview shows a draft beside what counts today. One that cannot be read
// goes back to the editor. Where somebody else has saved meanwhile, it is
// shown beside theirs, and made from theirs from then on.
func (s *Server) showPreview(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, d draft) error {
	said, c, err := s.said(r, v, d.form.Document)
	if err != nil {
		return err
	}
	d.form.Said = said
	if len(d.form.Said.Problems) > 0 {
		return s.showEditor(w, r, v, http.StatusUnprocessableEntity, d)
	}
	d.form.Name = cmp.Or(d.form.Name, d.form.Said.Name)
	if d.gone && !d.form.Settings.Errors.Any() {
		d.form.Settings.Errors = views.Errors{"": "Somebody has deleted the policy meanwhile. Saving makes it anew."}
	}
	p := views.PolicyPreview{Draft: d.form, Now: d.now.Document}
	if d.form.ID != "" && d.form.Settings.Base != d.now.Version {
		theirs, err := s.Policies.Version(r.Context(), v.Team.ID, d.now.ID, d.now.Version)
		if err != nil {
			return err
		}
		p.Theirs, p.Draft.Settings.Base = &theirs, d.now.Version
		base, err := s.Policies.Version(r.Context(), v.Team.ID, d.now.ID, d.form.Settings.Base)
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
		p.Before = base.Document
	}
	if p.Replay, err = s.startReplay(r, v, d, c.Compiled); err != nil {
		return err
	}
	f, err := s.frame(r, v, "policies", "Preview")
	if err != nil {
		return err
	}
	if err := s.aboutScope(r.Context(), &f, v, c.Compiled.Scope); err != nil {
		return err
	}
	return render(w, r, status, views.PolicyPreviewPage(f, p))
}

// savePolicy keeps a draft, or shows it again with what is in its way.
func (s *Server) savePolicy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	d, err := s.readDraft(r, v)
	if err != nil {
		return err
	}
	set := d.form.Settings
	switch {
	case set.Errors.Any():
		return s.showPreview(w, r, v, http.StatusUnprocessableEntity, d)
	case d.gone:
		return s.showPreview(w, r, v, http.StatusConflict, d)
	}
	p, err := s.Policies.Save(r.Context(), v, policies.Draft{
		ID: d.form.ID, Base: set.Base, Document: d.form.Document,
		Enabled: set.Enabled, ReportOnly: set.ReportOnly, Priority: d.counts.Priority, Message: set.Message,
	})
	if k := fault.Of(err); k == fault.Invalid || k == fault.Conflict {
		if d.now.Version == set.Base { // or it is said with what they have saved
			d.form.Settings.Errors = views.Errors{"": fault.Message(err)}
		}
		return s.showPreview(w, r, v, k.Status(), d)
	}
	if err != nil {
		return err
	}
	return see(w, r, "/policies/"+p.ID)
}
