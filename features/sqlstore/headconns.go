package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// headConns read head rows of PostgreSQL, one at a time and in as little as a round trip
// takes: past database/sql, on connections that have this one statement prepared and give the
// row as the server sends it.
type headConns struct {
	config *pgconn.Config
	text   string
	turns  chan struct{} // a token for each connection in use
	lock   sync.Mutex
	idle   []*headConn // last used, first used again
	closed bool
}

// headConn is one of the connections.
type headConn struct {
	*pgconn.PgConn
	statement *pgconn.StatementDescription
	life      context.Context // ends when it is too old to be used again
	end       context.CancelFunc
}

// newHeadConns prepares to read over so many connections. Each is made when it is needed.
func newHeadConns(config *pgconn.Config, text string, conns int) *headConns {
	return &headConns{config: config, text: text, turns: make(chan struct{}, conns)}
}

// read reads a head row: sql.ErrNoRows when there is none. The caller waits for a connection
// as long as his context lasts.
func (h *headConns) read(ctx context.Context, customerID string) (from int64, head []byte, err error) {
	if fund.CheckID(customerID) != nil {
		return 0, nil, sql.ErrNoRows // no text of the database
	}
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	select {
	case h.turns <- struct{}{}:
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
	defer func() { <-h.turns }()
	conn, err := h.take()
	if err != nil {
		return 0, nil, err
	}
	if conn != nil {
		from, head, err = conn.read(ctx, customerID)
		if !conn.IsClosed() {
			h.giveBack(conn)
			return from, head, err
		}
		conn.farewell()
		if ctx.Err() != nil {
			return 0, nil, err
		}
		// The server ended it meanwhile, as it does when it is started again. Reading once more
		// is as good.
	}
	if conn, err = h.connect(ctx); err != nil {
		return 0, nil, err
	}
	from, head, err = conn.read(ctx, customerID)
	h.giveBack(conn)
	return from, head, err
}

// take returns the connection that was used last; nil: a new one is needed.
func (h *headConns) take() (*headConn, error) {
	for {
		conn, err := h.pop()
		if conn == nil || err != nil || conn.life.Err() == nil {
			return conn, err
		}
		conn.farewell()
	}
}

func (h *headConns) pop() (*headConn, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.closed {
		return nil, sql.ErrConnDone
	}
	last := len(h.idle) - 1
	if last < 0 {
		return nil, nil //nolint:nilnil // there is none
	}
	conn := h.idle[last]
	h.idle = slices.Delete(h.idle, last, last+1)
	return conn, nil
}

// giveBack keeps a connection for the next read, unless it broke or the store was closed.
func (h *headConns) giveBack(conn *headConn) {
	h.lock.Lock()
	keep := !h.closed && !conn.IsClosed()
	if keep {
		h.idle = append(h.idle, conn)
	}
	h.lock.Unlock()
	if !keep {
		conn.farewell()
	}
}

// connect makes a connection.
func (h *headConns) connect(ctx context.Context) (*headConn, error) {
	conn, err := pgconn.ConnectConfig(ctx, h.config.Copy())
	if err != nil {
		return nil, err
	}
	c := &headConn{PgConn: conn}
	c.life, c.end = context.WithTimeout(context.Background(), connLifetime)
	if c.statement, err = conn.Prepare(ctx, "head", h.text, nil); err != nil {
		c.farewell()
		return nil, err
	}
	return c, nil
}

// close ends the connections; one that is in use ends with its read. A nil headConns has none.
func (h *headConns) close() {
	if h == nil {
		return
	}
	h.lock.Lock()
	idle := h.idle
	h.idle, h.closed = nil, true
	h.lock.Unlock()
	for _, conn := range idle {
		conn.farewell()
	}
}

// binaryResults asks for numbers and bytes as they are.
var binaryResults = [...]int16{1}

// errNoHead says that the server answered with something else than a head row.
var errNoHead = errors.New("no head row")

// read sends the statement and reads its one row.
func (c *headConn) read(ctx context.Context, customerID string) (from int64, head []byte, err error) {
	rows := c.ExecStatement(ctx, c.statement, [][]byte{[]byte(customerID)}, nil, binaryResults[:])
	found := false
	for rows.NextRow() {
		row := rows.Values()
		if found = len(row) == 2 && len(row[0]) == 8; !found { //nolint:mnd // effective_from, a bigint, and head
			_, err := rows.Close()
			return 0, nil, errors.Join(errNoHead, err)
		}
		from, head = int64(binary.BigEndian.Uint64(row[0])), slices.Clone(row[1]) // the driver's buffer is used again
	}
	if _, err := rows.Close(); err != nil {
		return 0, nil, err
	}
	if !found {
		return 0, nil, sql.ErrNoRows
	}
	return from, head, nil
}

// farewell closes the connection, whatever has become of the server.
func (c *headConn) farewell() {
	c.end()
	ctx, cancel := context.WithTimeout(context.Background(), notifyTimeout)
	defer cancel()
	_ = c.Close(ctx) // it is gone either way
}
