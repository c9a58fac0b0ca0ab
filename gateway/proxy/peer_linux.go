package proxy

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// established is TCP_ESTABLISHED. A socket in another state may have lost its
// owner, and then the kernel says root.
const established = 1

// ownerOf returns the user whose socket is at the other end of conn, which must
// be on this machine. It asks for exactly that socket.
func ownerOf(conn net.Conn) (uid int, err error) {
	local, ok := conn.LocalAddr().(*net.TCPAddr)
	remote, ok2 := conn.RemoteAddr().(*net.TCPAddr)
	if !ok || !ok2 {
		return 0, fmt.Errorf("owner of %T: not TCP", conn)
	}
	src, dst := unmapped(remote.AddrPort()), unmapped(local.AddrPort())
	uid, err = diagnose(src, dst)
	if err == nil {
		return uid, nil
	}
	if uid, err2 := lookUpOwner(src, dst); err2 == nil {
		return uid, nil
	}
	return 0, err
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// diagnose asks the kernel by sock_diag(7) for one TCP socket.
func diagnose(src, dst netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return 0, fmt.Errorf("open sock_diag: %w", err)
	}
	defer unix.Close(fd)
	// The kernel answers at once; this is for the day when it does not.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return 0, fmt.Errorf("limit sock_diag: %w", err)
	}
	if err := unix.Sendto(fd, diagRequest(src, dst), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, fmt.Errorf("ask sock_diag: %w", err)
	}
	var answer [1024]byte
	n, _, err := unix.Recvfrom(fd, answer[:], 0)
	if err != nil {
		return 0, fmt.Errorf("hear sock_diag: %w", err)
	}
	return diagAnswer(answer[:n], src, dst)
}

const (
	diagByFamily = 20 // SOCK_DIAG_BY_FAMILY
	headLen      = 16 // struct nlmsghdr
	requestLen   = 56 // struct inet_diag_req_v2
)

// diagRequest is a struct nlmsghdr and a struct inet_diag_req_v2.
func diagRequest(src, dst netip.AddrPort) []byte {
	b := make([]byte, headLen+requestLen)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], diagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	r := b[headLen:]
	r[0] = unix.AF_INET
	if src.Addr().Is6() {
		r[0] = unix.AF_INET6
	}
	r[1] = unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(r[4:], 1<<established)
	id := r[8:]
	binary.BigEndian.PutUint16(id[0:], src.Port())
	binary.BigEndian.PutUint16(id[2:], dst.Port())
	copy(id[4:20], src.Addr().AsSlice())
	copy(id[20:36], dst.Addr().AsSlice())
	// No interface, and any cookie.
	binary.NativeEndian.PutUint64(id[40:], ^uint64(0))
	return b
}

// diagAnswer reads a struct inet_diag_msg.
func diagAnswer(b []byte, src, dst netip.AddrPort) (int, error) {
	const messageLen = 72
	if len(b) < headLen+messageLen || binary.NativeEndian.Uint16(b[4:]) != diagByFamily {
		return 0, fmt.Errorf("sock_diag knows no socket from %s to %s", src, dst)
	}
	m := b[headLen:]
	if m[1] != established || binary.BigEndian.Uint16(m[4:]) != src.Port() || binary.BigEndian.Uint16(m[6:]) != dst.Port() {
		return 0, fmt.Errorf("sock_diag tells of another socket than the one from %s to %s", src, dst)
	}
	return int(binary.NativeEndian.Uint32(m[64:])), nil
}

// lookUpOwner is for kernels without sock_diag.
func lookUpOwner(src, dst netip.AddrPort) (int, error) {
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		uid, found := scanOwner(bufio.NewScanner(f), src, dst)
		_ = f.Close()
		if found {
			return uid, nil
		}
	}
	return 0, fmt.Errorf("no socket from %s to %s", src, dst)
}

func scanOwner(lines *bufio.Scanner, src, dst netip.AddrPort) (uid int, found bool) {
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[3] != "01" || procAddr(f[1]) != src || procAddr(f[2]) != dst {
			continue
		}
		uid, err := strconv.Atoi(f[7])
		return uid, err == nil
	}
	return 0, false
}

// procAddr reads "0100007F:1F90": words in the machine's order. What it cannot
// read is no address, which is nobody's.
func procAddr(s string) netip.AddrPort {
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(b)%4 != 0 {
		return netip.AddrPort{}
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n))
}
