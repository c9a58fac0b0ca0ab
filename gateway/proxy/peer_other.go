//go:build !linux

package proxy

import "net"

// ownerOf answers -1, anybody: these systems do not tell whose a socket is. The
// listener is on loopback, and its port is told to the run alone.
func ownerOf(net.Conn) (uid int, err error) { return -1, nil }
