//go:build unix

package sqlstore

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

// Whether a connection has something to say is told at once, also while somebody reads from it:
// after a write that took long the driver does so in the background.
func TestAConnectionIsAskedWhileSomebodyReadsIt(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err := (&net.Dialer{}).DialContext(t.Context(), "unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn := &line{Conn: near, of: &lines{}}
	if spoke(conn) {
		t.Error("a silent connection spoke")
	}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		_, _ = conn.Read(make([]byte, 1)) // until the other side ends it
	}()
	time.Sleep(20 * time.Millisecond) // it waits by now; if not, the test only proves less
	told := make(chan bool, 1)
	go func() { told <- spoke(conn) }()
	select {
	case said := <-told:
		if said {
			t.Error("a silent connection spoke while it was read")
		}
	case <-time.After(5 * time.Second):
		t.Error("asking waits for who reads")
	}
	_ = far.Close()
	<-reading
	if !spoke(conn) {
		t.Error("a connection that was ended is silent")
	}
	_ = conn.Close()
}
