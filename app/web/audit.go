package web

import (
	"net/http"
	"strconv"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

const auditRows = 50

func (s *Server) audit(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	var before int64
	if q := r.URL.Query().Get("before"); q != "" {
		n, err := strconv.ParseInt(q, 10, 64)
		if err != nil || n < 1 {
			return fault.New(fault.Invalid, "This page's address is not complete. Go back to the first page.", err)
		}
		before = n
	}
	f, err := s.frame(r, v, "audit", "Audit")
	if err != nil {
		return err
	}
	rows, err := s.Trail.Events(r.Context(), v.Team.ID, before, auditRows+1)
	if err != nil {
		return err
	}
	newest, older := "", ""
	if before > 0 {
		newest = "/audit"
	}
	if len(rows) > auditRows {
		rows = rows[:auditRows]
		older = "/audit?before=" + strconv.FormatInt(rows[auditRows-1].Seq, 10)
	}
	lines := make([]views.EventLine, len(rows))
	for i, row := range rows {
		e, err := row.Event()
		if err != nil { // the entry is there, and what it says is not readable
			e = audit.Event{Time: row.Time, Type: row.Type, Target: row.Target}
		}
		lines[i] = views.EventLine{Event: e, Seq: row.Seq, Hash: row.Hash}
	}
	f.Closed = true
	return render(w, r, http.StatusOK, views.AuditPage(f, lines, newest, older))
}
