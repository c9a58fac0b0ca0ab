package web

import (
	"html"
	"net/http"
	"testing"

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/policy/packs"
	"github.com/tameflare/tameflare/domain/team"
)

func TestEveryPackIsShownAndIsAStart(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	body := h.get(t, "/policies/packs")
	for _, p := range packs.All() {
		wantSays(t, p.Name, body, html.EscapeString(p.Title), "/policies/new?pack="+p.Name)
		w := h.do(t, visit{path: "/policies/new?pack=" + p.Name, as: h.owner})
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", p.Name, w.Code)
		}
		wantSays(t, p.Name, w.Body.String(), "pass.")
	}
	viewer := storetest.Member(t, h.store, h.owner, "Vera", team.RoleViewer)
	w := h.do(t, visit{path: "/policies/packs", as: viewer})
	wantSilent(t, "a viewer", w.Body.String(), "/policies/new")
}
