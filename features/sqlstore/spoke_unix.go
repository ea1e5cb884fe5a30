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
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err != nil || !silent
}
