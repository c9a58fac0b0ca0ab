package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// Groups keeps whom rules may ask to agree.
type Groups interface {
	List(ctx context.Context, teamID string) ([]team.Group, error)
	Find(ctx context.Context, teamID, id string) (team.Group, error)
	People(ctx context.Context, teamID string) ([]store.Member, error)
	Uses(ctx context.Context, teamID string) (map[string][]string, error)
	GroupChanges
}

// GroupChanges makes, changes and removes them.
type GroupChanges interface {
	Save(ctx context.Context, v team.Viewer, id, name string, members []string) (team.Group, error)
	Delete(ctx context.Context, v team.Viewer, id string) error
}

func (s *Server) groups(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	all, err := s.Groups.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	uses, err := s.Groups.Uses(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "settings", "Approver groups")
	if err != nil {
		return err
	}
	var lines []views.GroupLine
	for _, g := range all {
		lines = append(lines, views.GroupLine{Group: g, Uses: uses[g.Name]})
	}
	return render(w, r, http.StatusOK, views.GroupsPage(f, lines))
}

func (s *Server) newGroupForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showGroup(w, r, v, http.StatusOK, views.GroupForm{}, nil)
}

func (s *Server) groupForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.Groups.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	var in []string
	for _, u := range g.Members {
		in = append(in, u.ID)
	}
	return s.showGroup(w, r, v, http.StatusOK, views.GroupForm{ID: g.ID, Name: g.Name}, in)
}

func (s *Server) showGroup(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, form views.GroupForm, in []string) error {
	all, err := s.Groups.People(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	for _, m := range all {
		form.People = append(form.People, views.GroupPerson{User: m.User, Role: m.Role, In: slices.Contains(in, m.User.ID)})
	}
	f, err := s.frame(r, v, "settings", "Approver groups")
	if err != nil {
		return err
	}
	f.Narrow = true
	return render(w, r, status, views.GroupFormPage(f, form))
}

// saveGroup makes a group, or changes the one in the address.
func (s *Server) saveGroup(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	form := views.GroupForm{ID: r.PathValue("id"), Name: strings.TrimSpace(r.PostForm.Get("name"))}
	members := r.PostForm["member"]
	if form.ID != "" { // what is wrong with the form is nobody's business whose group it is not
		if _, err := s.Groups.Find(r.Context(), v.Team.ID, form.ID); err != nil {
			return err
		}
	}
	_, err := s.Groups.Save(r.Context(), v, form.ID, form.Name, members)
	switch k := fault.Of(err); {
	case k == fault.Invalid || k == fault.Conflict:
		form.Errors = views.Errors{"name": fault.Message(err)}
		return s.showGroup(w, r, v, k.Status(), form, members)
	case err != nil:
		return err
	}
	return see(w, r, "/settings/groups")
}

func (s *Server) deleteGroupForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showDeleteGroup(w, r, v, http.StatusOK, nil)
}

func (s *Server) showDeleteGroup(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, errs views.Errors) error {
	g, err := s.Groups.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	uses, err := s.Groups.Uses(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "settings", "Approver groups")
	if err != nil {
		return err
	}
	f.Narrow = true
	return render(w, r, status, views.GroupDeletePage(f, views.GroupForm{ID: g.ID, Name: g.Name, Uses: uses[g.Name], Errors: errs}))
}

func (s *Server) deleteGroup(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	err := s.Groups.Delete(r.Context(), v, r.PathValue("id"))
	if k := fault.Of(err); k == fault.Conflict {
		return s.showDeleteGroup(w, r, v, k.Status(), views.Errors{"": fault.Message(err)})
	}
	if err != nil {
		return err
	}
	return see(w, r, "/settings/groups")
}
