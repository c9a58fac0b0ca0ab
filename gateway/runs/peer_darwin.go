package runs

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUID returns the user at the other end, as the kernel knows it.
func peerUID(conn net.Conn) (int, error) {
	return rawPeer(conn, func(fd int) (int, error) {
		cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
		if err != nil {
			return 0, err
		}
		return int(cred.Uid), nil
	})
}
