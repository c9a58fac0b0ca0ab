package standin

import (
	"net/http"
	"net/http/cgi"
	"os/exec"
	"strings"
)

// git serves the repositories by git's own smart HTTP program, as github.com
// does, to those who show the token as the password of a Basic login.
func (g *GitHub) git() http.Handler {
	backend := gitBackend(g.Repos)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.authorised(r) {
			g.note(r, 0, false)
			w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
			http.Error(w, "Repository not found.", http.StatusUnauthorized)
			return
		}
		g.note(r, r.ContentLength, strings.HasSuffix(r.URL.Path, "/git-receive-pack") && r.Method == http.MethodPost)
		backend.ServeHTTP(w, r)
	})
}

// gitBackend serves the repositories in a folder to whoever asks.
func gitBackend(repos string) http.Handler {
	path, err := exec.LookPath("git")
	if err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "git is not installed", http.StatusInternalServerError)
		})
	}
	return &cgi.Handler{
		Path: path, Args: []string{"http-backend"},
		Env: []string{"GIT_PROJECT_ROOT=" + repos, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=acme-bot"},
	}
}
