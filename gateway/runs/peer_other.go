//go:build !linux && !darwin

package runs

import (
	"net"
	"os"
)

// peerUID trusts the socket's mode: this system cannot be asked.
func peerUID(net.Conn) (int, error) { return os.Getuid(), nil }
