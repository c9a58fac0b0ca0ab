package web

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/connectors/openapi"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// maxTypeBody is what a connector type may be sent with: an OpenAPI
// description as a file, or all rows of a form.
const maxTypeBody = openapi.MaxSize + 1<<20

func (s *Server) connectorTypes(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	f, err := s.frame(r, v, "connectors", "Own connector types")
	if err != nil {
		return err
	}
	types, err := s.Gateways.Types(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	lines := make([]views.TypeLine, 0, len(types))
	for _, t := range types {
		cs, creds, err := s.Gateways.Uses(r.Context(), v.Team.ID, t.Name)
		if err != nil {
			return err
		}
		lines = append(lines, views.TypeLine{
			Name: t.Name, Title: t.Definition.Called(), Hosts: t.Definition.Hosts, Operations: len(t.Definition.Operations),
			Actions: len(t.Definition.Actions()), Uses: append(cs, creds...), ChangedAt: t.ChangedAt,
		})
	}
	return render(w, r, http.StatusOK, views.TypesPage(f, lines, v.May(team.Manage)))
}

func (s *Server) newTypeForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showTypeSource(w, r, v, http.StatusOK, views.TypeSource{})
}

func (s *Server) showTypeSource(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, from views.TypeSource) error {
	f, err := s.frame(r, v, "connectors", "Add a connector type")
	if err != nil {
		return err
	}
	f.Narrow = true
	return render(w, r, status, views.TypeSourcePage(f, from))
}

// previewType reads what was uploaded or pasted, and shows what would come of
// it. Nothing is kept.
func (s *Server) previewType(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	text, err := uploaded(r)
	if err != nil {
		return err
	}
	d, notes, err := readType(text)
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if fault.Of(err) == fault.Invalid {
		from := views.TypeSource{Errors: views.Errors{"text": fault.Message(err)}}
		if len(text) <= maxBody { // more than that nobody has typed
			from.Text = string(text)
		}
		return s.showTypeSource(w, r, v, http.StatusUnprocessableEntity, from)
	}
	if err != nil {
		return err
	}
	return s.showType(w, r, v, http.StatusOK, d, version, notes, nil)
}

// uploaded returns the file that came, or else the text.
func uploaded(r *http.Request) ([]byte, error) {
	err := r.ParseMultipartForm(maxTypeBody) //nolint:gosec // protect has limited the body
	if errors.Is(err, http.ErrNotMultipart) {
		return []byte(r.PostFormValue("text")), nil
	}
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, fault.New(fault.Invalid, "That is too large. A description has at most 8 MB.", err)
		}
		return nil, fault.New(fault.Invalid, "The form could not be read. Go back and send it again.", err)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }() // a temporary file that stays is the system's to remove
	file, _, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) {
		return []byte(r.PostFormValue("text")), nil
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "The file could not be read. Go back and send it again.", err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The file could not be read. Go back and send it again.", err)
	}
	if len(text) == 0 {
		return []byte(r.PostFormValue("text")), nil
	}
	return text, nil
}

// readType tells by the text what it is.
func readType(text []byte) (definition.Definition, []definition.Note, error) {
	if len(strings.TrimSpace(string(text))) == 0 {
		return definition.Definition{}, nil, fault.New(fault.Invalid, "Choose a file, or paste the description.", nil)
	}
	if openapi.Looks(text) {
		return openapi.Read(text)
	}
	t, err := config.ParseType("definition", text)
	return t.Definition, t.Notes, err
}

// connectorType shows a type that is saved.
func (s *Server) connectorType(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	t, err := s.Gateways.Type(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.showSavedType(w, r, v, t.Definition, t.Version)
}

// saveType keeps a type as it was looked over, or shows it again where
// something is wrong.
func (s *Server) saveType(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	d, notes, version, err := readTypeForm(r)
	if err != nil {
		return err
	}
	if text(r, "do") != "save" {
		return s.showType(w, r, v, http.StatusOK, d, version, notes, nil)
	}
	err = s.Gateways.SaveType(r.Context(), v, d, version)
	if k := fault.Of(err); k == fault.Invalid || k == fault.Conflict {
		errs := views.Errors{"": fault.Message(err)}
		if len(d.Check()) > 0 {
			errs = views.Errors{"": "Some of it cannot stay as it is. The sentences below say what."}
		}
		return s.showType(w, r, v, k.Status(), d, version, notes, errs)
	}
	if err != nil {
		return err
	}
	return see(w, r, "/connector-types/"+d.Name)
}

func (s *Server) deleteTypeForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showDeleteType(w, r, v, http.StatusOK, nil)
}

func (s *Server) showDeleteType(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, errs views.Errors) error {
	t, err := s.Gateways.Type(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	cs, creds, err := s.Gateways.Uses(r.Context(), v.Team.ID, t.Name)
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "connectors", "Own connector types")
	if err != nil {
		return err
	}
	f.Narrow = true
	return render(w, r, status, views.TypeDeletePage(f, t.Name, cs, creds, errs))
}

func (s *Server) deleteType(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	err := s.Gateways.DeleteType(r.Context(), v, r.PathValue("id"))
	if k := fault.Of(err); k == fault.Conflict {
		return s.showDeleteType(w, r, v, k.Status(), views.Errors{"": fault.Message(err)})
	}
	if err != nil {
		return err
	}
	return see(w, r, "/connector-types")
}

// uses says in one list what is of a type.
func (s *Server) uses(r *http.Request, v team.Viewer, name string) ([]string, error) {
	cs, creds, err := s.Gateways.Uses(r.Context(), v.Team.ID, name)
	return slices.Concat(cs, creds), err
}
