//go:build unix

package sqlstore

import (
	"errors"
	"net"
	"syscall"
)

// spoke reports whether there is anything to read on a connection: bytes, its end or an error.
func spoke(conn net.Conn) bool {
	for { // TLS, and the line that a store can cut
		over, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = over.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	silent := false
	// Not raw.Read: after a write that took long the driver goes on reading in the background,
	// and two readers of one connection wait for each other for ever.
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = errors.Is(err, syscall.EAGAIN)
	})
	return err != nil || !silent
}
