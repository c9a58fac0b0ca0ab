package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) showSavedType(w http.ResponseWriter, r *http.Request, v team.Viewer, d definition.Definition, version int64) error {
	form, err := s.typeForm(r, v, d, version, nil)
	if err != nil {
		return err
	}
	form.Saved, form.YAML = true, string(config.MarshalType(d))
	return s.renderType(w, r, v, http.StatusOK, form)
}

// showType shows a type that is not saved as it is.
func (s *Server) showType(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, d definition.Definition, version int64, notes []definition.Note, errs views.Errors) error {
	form, err := s.typeForm(r, v, d, version, notes)
	if err != nil {
		return err
	}
	form.Errors = errs
	return s.renderType(w, r, v, status, form)
}

func (s *Server) renderType(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, form views.TypeForm) error {
	f, err := s.frame(r, v, "connectors", "Own connector types")
	if err != nil {
		return err
	}
	return render(w, r, status, views.TypePage(f, form))
}

// typeForm is a type with what was guessed about it, what is wrong with it and
// what it would do to gateways.
func (s *Server) typeForm(r *http.Request, v team.Viewer, d definition.Definition, version int64, notes []definition.Note) (views.TypeForm, error) {
	d = d.Plain()
	text, err := json.Marshal(d)
	if err != nil {
		return views.TypeForm{}, err
	}
	guesses, err := json.Marshal(notes)
	if err != nil {
		return views.TypeForm{}, err
	}
	form := views.TypeForm{
		Version: version, Definition: d, JSON: string(text), Guesses: string(guesses), Hosts: strings.Join(d.Hosts, " "), Env: strings.Join(d.Env, " "),
		MayManage: v.May(team.Manage),
	}
	for _, o := range d.Operations {
		row := views.TypeRow{Operation: o}
		for _, n := range notes {
			if n.Form == o.Form() {
				row.Guesses = append(row.Guesses, n.Message)
			}
		}
		form.Rows = append(form.Rows, row)
	}
	for _, n := range notes {
		if n.Form == "" {
			form.General = append(form.General, n.Message)
		}
	}
	problems := d.Check()
	for _, p := range problems {
		if p.Operation < 0 {
			form.General = append(form.General, p.Message)
			continue
		}
		form.Rows[p.Operation].Problems = append(form.Rows[p.Operation].Problems, p.Message)
	}
	if len(problems) == 0 {
		if _, err := connectors.Define(d); err != nil {
			form.General = append(form.General, fault.Message(err))
		}
	}
	if form.Lost, err = s.Gateways.Lost(r.Context(), v.Team.ID, d); err != nil {
		return form, err
	}
	if version > 0 {
		form.Uses, err = s.uses(r, v, d.Name)
	}
	return form, err
}

const maxBraces = 60_000

// readTypeForm reads a type that was looked over: the definition as it was
// shown, with what the rows and fields have become. It fails with
// fault.Invalid where that is not what the form was.
//
// More braces than maxBraces are in no definition; a text of nothing but them
// would take far more room as operations.
func readTypeForm(r *http.Request) (d definition.Definition, notes []definition.Note, version int64, err error) {
	bad := fault.New(fault.Invalid, "The form could not be read. Go back and send it again.", nil)
	written := r.PostForm.Get("definition")
	if strings.Count(written, "{") > maxBraces || json.Unmarshal([]byte(written), &d) != nil || json.Unmarshal([]byte(r.PostForm.Get("guesses")), &notes) != nil {
		return d, nil, 0, bad
	}
	if version, err = strconv.ParseInt(text(r, "version"), 10, 64); err != nil || version < 0 {
		return d, nil, 0, bad
	}
	as, cs, rs := r.PostForm["a"], r.PostForm["c"], r.PostForm["r"]
	if n := len(d.Operations); len(as) != n || len(cs) != n || len(rs) != n {
		return d, nil, 0, bad
	}
	name := d.Name
	if version == 0 {
		name = text(r, "name")
	}
	d.Title, d.Base = text(r, "title"), text(r, "base")
	d.Hosts, d.Env = words(text(r, "hosts")), words(text(r, "env"))
	d.Auth = credential.Style{Kind: credential.Kind(text(r, "style")), Name: text(r, "auth")}
	if d.Auth.Kind != credential.Header && d.Auth.Kind != credential.Query {
		d.Auth.Name = ""
	}
	if d.Operations, err = readTypeRows(d.Operations, as, cs, rs, d.Name, name); err != nil {
		return d, nil, 0, err
	}
	d.Name = name
	return d.Plain(), notes, version, nil
}

// readTypeRows changes operations as the rows say. What is changed about an
// action in one row holds for its other rows, where those are as they were.
func readTypeRows(ops []definition.Operation, as, cs, rs []string, was, name string) ([]definition.Operation, error) {
	next := slices.Clone(ops)
	class, risk := map[string]int{}, map[string]int{}
	for i := range next {
		o := &next[i]
		o.Action = strings.TrimSpace(as[i])
		if err := o.Class.UnmarshalText([]byte(cs[i])); err != nil {
			return nil, err
		}
		if err := o.Risk.UnmarshalText([]byte(rs[i])); err != nil {
			return nil, err
		}
		if o.Class != ops[i].Class {
			class[o.Action] = i
			if o.Risk == ops[i].Risk { // nobody has said another
				o.Risk = definition.UsualRisk(o.Class)
			}
		}
		if o.Risk != ops[i].Risk {
			risk[o.Action] = i
		}
	}
	for i := range next {
		o := &next[i]
		if j, ok := class[o.Action]; ok && o.Class == ops[i].Class {
			o.Class = next[j].Class
		}
		if j, ok := risk[o.Action]; ok && o.Risk == ops[i].Risk {
			o.Risk = next[j].Risk
		}
		if o.Title == ops[i].UsualTitle() { // it says what the action is called
			o.Title = ""
		}
		if rest, ok := strings.CutPrefix(o.Action, was+"."); ok && was != name {
			o.Action = name + "." + rest
		}
	}
	return next, nil
}
