package sqlstore

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// closeTimeout is how long closing a store waits for a server that says nothing. The driver
// would wait for each of its farewells.
const closeTimeout = 2 * time.Second

// lines are the connections of a store to its server, so that they can be cut.
type lines struct {
	mu   sync.Mutex
	open map[*line]struct{}
	cut  bool
}

// line is one connection.
type line struct {
	net.Conn
	of *lines
}

// over makes a dialler tell of what it dials.
func (l *lines) over(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		n := &line{conn, l}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.cut {
			_ = conn.Close()
			return nil, net.ErrClosed
		}
		if l.open == nil {
			l.open = map[*line]struct{}{}
		}
		l.open[n] = struct{}{}
		return n, nil
	}
}

// Close closes the connection.
func (n *line) Close() error {
	n.of.mu.Lock()
	delete(n.of.open, n)
	n.of.mu.Unlock()
	return n.Conn.Close()
}

// NetConn is the connection beneath.
func (n *line) NetConn() net.Conn { return n.Conn }

// hangUp cuts what is open, and whatever is dialled later.
func (l *lines) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for n := range l.open {
		_ = n.Conn.Close() // whoever uses it is told so, and closes it once more
	}
}

// count is how many connections are open.
func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}
