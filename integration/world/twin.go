package world

import (
	"context"
	"path/filepath"
)

// StartTwin starts another server on the same database, with addresses of its
// own, and returns it as an installation that shares this one's folder,
// services and token. It is ended with StopServer or KillServer, before this
// one's Close. The database has to be Postgres.
func (w *World) StartTwin(ctx context.Context) (*World, error) {
	addr, link, err := freePorts()
	if err != nil {
		return nil, err
	}
	t := &World{Dir: w.Dir, Base: "http://" + addr, GitHub: w.GitHub, Password: w.Password, Token: w.Token, bin: w.bin, log: "twin.log"}
	t.Env = append(append([]string(nil), w.Env...),
		"TAMEFLARE_ADDR="+addr, "TAMEFLARE_GATEWAY_ADDR="+link, "TAMEFLARE_BASE_URL="+t.Base, "TAMEFLARE_HOST="+t.Base,
		"XDG_CONFIG_HOME="+filepath.Join(w.Dir, "twin-config"),
	)
	return t, t.StartServer(ctx)
}
