package runs

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUID returns the user at the other end, as the kernel knows it.
func peerUID(conn net.Conn) (int, error) {
	return rawPeer(conn, func(fd int) (int, error) {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return 0, err
		}
		return int(cred.Uid), nil
	})
}
