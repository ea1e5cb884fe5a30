//go:build !unix

package sqlstore

import "net"

// spoke reports whether there is anything to read on a connection. It cannot be asked here: a
// dead connection is found by its use.
func spoke(net.Conn) bool { return false }
