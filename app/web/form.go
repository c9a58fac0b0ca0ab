package web

import (
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// parse reads a form that was sent. It fails with fault.Invalid.
func parse(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fault.New(fault.Invalid, "The form could not be read. Go back and send it again.", err)
	}
	return nil
}

// text is a field of a parsed form, without the space around it.
func text(r *http.Request, name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }

// words are the parts of a field that takes several things.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r <= ' ' })
}

// looksLikeEmail tells which field of a refused form is to blame; what an
// address is, the accounts decide.
func looksLikeEmail(s string) bool {
	name, host, ok := strings.Cut(strings.TrimSpace(s), "@")
	return ok && name != "" && host != "" && !strings.ContainsAny(s, " \t\r\n")
}
