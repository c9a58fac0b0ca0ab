package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/tameflare/tameflare/domain/fault"
)

// maxSocket is how long the path of a Unix socket may be on every system.
const maxSocket = 103

// RuntimeDir returns the directory for control sockets, and makes it if it is
// not there: tameflare/ in XDG_RUNTIME_DIR, or one in the temporary directory
// for this user alone. It fails with fault.Forbidden where that directory is
// somebody else's or open to others.
func RuntimeDir(getenv func(string) string) (string, error) {
	dir := filepath.Join(os.TempDir(), "tameflare-"+strconv.Itoa(os.Getuid()))
	if base := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(base) {
		if info, err := os.Stat(base); err == nil && info.IsDir() {
			dir = filepath.Join(base, "tameflare")
		}
	}
	return dir, private(dir)
}

// SocketPath returns where the gateway of that name listens. It fails with
// fault.Invalid where the path is longer than sockets can have.
func SocketPath(runtimeDir, gateway string) (string, error) {
	path := filepath.Join(runtimeDir, gateway+".sock")
	if len(path) > maxSocket {
		return "", fault.New(fault.Invalid, "The path "+path+" is too long for a socket. Set XDG_RUNTIME_DIR to a shorter one.", nil)
	}
	return path, nil
}

// private makes dir if need be and refuses one that others can get into: in a
// shared temporary directory anybody could have put it there.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make runtime directory: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at runtime directory: %w", err)
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || known && int(owner.Uid) != os.Getuid() {
		return fault.New(fault.Forbidden, "The directory "+dir+" is not private. Remove it, or run: chmod 700 "+dir, nil)
	}
	return nil
}
