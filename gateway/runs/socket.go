package runs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

// Listen opens the control socket. A socket that a dead gateway left behind is
// replaced; it fails with fault.Conflict where a gateway answers on it.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	if len(path) > maxSocket {
		return nil, fault.New(fault.Invalid, "The path "+path+" is too long for a socket. Set XDG_RUNTIME_DIR to a shorter one.", nil)
	}
	dir := filepath.Dir(path)
	if err := private(dir); err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if err == nil {
		return nil, fault.New(fault.Conflict, "This gateway is running already.", conn.Close())
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replace control socket: %w", err)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", path) // the directory is private already
	if err != nil {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open control socket: %w", err), ln.Close())
	}
	return ln, nil
}

// guarded lets only this user in, and root, whom nothing keeps out.
type guarded struct{ net.Listener }

// peer is a connection with the user at its other end.
type peer struct {
	net.Conn
	uid int
}

func (g guarded) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, err := peerUID(conn)
		if err == nil && (uid == os.Getuid() || uid == 0) {
			return peer{conn, uid}, nil
		}
		_ = conn.Close() // whoever it was has nothing to say here
	}
}

// rawPeer runs read on the socket of conn.
func rawPeer(conn net.Conn, read func(fd int) (int, error)) (int, error) {
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, errors.New("not a Unix socket")
	}
	raw, err := unixConn.SyscallConn()
	if err != nil {
		return 0, err
	}
	uid := -1
	var readErr error
	if err := raw.Control(func(fd uintptr) { uid, readErr = read(int(fd)) }); err != nil {
		return 0, err
	}
	return uid, readErr
}
