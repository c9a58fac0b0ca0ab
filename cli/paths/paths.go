// Package paths says where the command line keeps its files: in the XDG base
// directories, and nothing in the project that it is called in.
package paths

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// Paths are the directories. None of them has to exist.
type Paths struct {
	Config string // settings and, without a keyring, tokens
	State  string // gateways: keys, spool, log
}

// Find works the directories out from the environment. It fails with
// fault.Invalid where there is not even a home directory.
func Find(getenv func(string) string) (Paths, error) {
	find := func(variable, below string) (string, error) {
		if base := getenv(variable); filepath.IsAbs(base) { // the specification has relative ones ignored
			return filepath.Join(base, "tameflare"), nil
		}
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", fault.New(fault.Invalid, "There is no home directory. Set HOME, or "+variable+".", nil)
		}
		return filepath.Join(home, below, "tameflare"), nil
	}
	var p Paths
	var err error
	if p.Config, err = find("XDG_CONFIG_HOME", ".config"); err != nil {
		return p, err
	}
	p.State, err = find("XDG_STATE_HOME", filepath.Join(".local", "state"))
	return p, err
}

// Gateway returns the directory of a gateway's state. Gateways of two servers
// may have the same name.
func (p Paths) Gateway(server, name string) string {
	return filepath.Join(p.State, "gateways", serverDir(server), name)
}

// Gateways returns the directory with all gateways of one server.
func (p Paths) Gateways(server string) string {
	return filepath.Join(p.State, "gateways", serverDir(server))
}

func serverDir(server string) string {
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		server = u.Host
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, strings.TrimLeft(server, "."))
}
