// Package static serves the files that browsers fetch as they are: the stylesheet, the scripts, the icons.
//
// They are embedded, and every one is served under a name that carries its
// hash, so that browsers may keep it for ever and still see a new one at once.
// files/ is committed; build/ holds what it is made of, and how.
package static

import (
	"embed"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// Prefix is where Handler expects to be mounted, and where Path points to.
const Prefix = "/static/"

//go:embed files
var files embed.FS

// loaded reads, hashes and compresses the files once, on first use.
var loaded = sync.OnceValue(func() assets {
	a, err := load(files, "files")
	if err != nil {
		panic(fmt.Sprintf("static: embedded files: %v", err))
	}
	return a
})

// Path is the address of a file, "/static/app.1f2e3d4c5b6a.css" for "app.css".
// It panics for a name that is not embedded: that is a slip in a template.
func Path(name string) string {
	f, ok := loaded().byName[name]
	if !ok {
		panic(fmt.Sprintf("static: no file %q in static/files", name))
	}
	return Prefix + f.hashed
}

// Names lists the embedded files, in order.
func Names() []string { return loaded().names }

// Handler answers below Prefix with the files, under their hashed names only.
// Nothing is listed, nothing else is found, and the answers may be kept for ever.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD are answered here.", http.StatusMethodNotAllowed)
			return
		}
		f, ok := loaded().byHash[strings.TrimPrefix(r.URL.Path, Prefix)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		f.serve(w, r)
	})
}
