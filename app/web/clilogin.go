package web

import (
	"net/http"
	"net/netip"
	"net/url"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// cliLogin asks whether a command line on this machine may act as v. About one
// elsewhere it asks only who has typed its code: whoever began it could have
// sent the link.
func (s *Server) cliLogin(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	l, err := s.Accounts.Login(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if l.Kind != team.LoopbackLogin {
		return see(w, r, "/device")
	}
	return s.askCLILogin(w, r, v, l)
}

func (s *Server) askCLILogin(w http.ResponseWriter, r *http.Request, v team.Viewer, l team.Login) error {
	if l.Status != team.LoginPending {
		return fault.New(fault.Conflict, "This sign-in has been answered already. Run tameflare login again.", nil)
	}
	w.Header().Set("Content-Security-Policy", contentPolicy(formTarget(l)))
	return render(w, r, http.StatusOK, views.CLILogin(theme(r), v, l))
}

// formTarget is where else the page's form may lead: browsers hold the address
// that a form is redirected to against form-action, too. An IPv6 address has
// no spelling there, so its scheme stands for it.
func formTarget(l team.Login) string {
	u, err := url.Parse(l.RedirectURI)
	if err != nil || l.Kind != team.LoopbackLogin {
		return ""
	}
	addr, err := netip.ParseAddr(u.Hostname())
	switch {
	case err != nil || !addr.IsLoopback() || u.Scheme != "http":
		return ""
	case addr.Is4():
		return " http://" + u.Host
	}
	return " http:"
}

func (s *Server) confirmCLILogin(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	approve := false
	switch r.PostForm.Get("choice") {
	case "approve":
		approve = true
	case "deny":
	default:
		return fault.New(fault.Invalid, "Choose to sign the command line in, or to refuse it.", nil)
	}
	to, err := s.Accounts.ConfirmLogin(r.Context(), v, r.PathValue("id"), approve)
	if err != nil {
		return err
	}
	if to != "" {
		return see(w, r, to)
	}
	return render(w, r, http.StatusOK, views.CLILoginDone(theme(r), approve))
}

// deviceForm asks for the code of a terminal without a browser. A code in the
// address only fills the field: somebody else may have sent the link.
func (s *Server) deviceForm(w http.ResponseWriter, r *http.Request, _ team.Viewer) error {
	return render(w, r, http.StatusOK, views.Device(theme(r), r.URL.Query().Get("code"), nil))
}

func (s *Server) device(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	code := text(r, "code")
	l, err := s.Accounts.LoginByUserCode(r.Context(), v, code)
	switch k := fault.Of(err); {
	case err == nil:
		return s.askCLILogin(w, r, v, l)
	case k == fault.NotFound || k == fault.Expired || k == fault.Limited:
		status := k.Status()
		if k == fault.NotFound {
			status = http.StatusUnprocessableEntity // the page is there, its field is wrong
		}
		return render(w, r, status, views.Device(theme(r), code, views.Errors{"code": fault.Message(err)}))
	}
	return err
}
