package sqlstore

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgreSQL tells other replicas that the change log has grown, so that they poll it at once
// and not at their next turn. Nothing depends on it: the log is the truth, a lost word costs
// time. Three rules follow from that.
//
// A writing transaction does not notify: NOTIFY within a transaction takes one lock of the whole
// cluster until its commit, so writers would commit one after the other. After the commit the
// writer leaves word here and goes on; one sender, on a connection of its own, passes it on.
// Words that come close together are one word.
// A listener begins when somebody asks for wakes and not before, so that a verb of the command
// line opens no connection for it.

// channel is what is listened to. PostgreSQL keeps channels of one database apart from those
// of others.
const channel = "fundmatch_changes"

// The times of the notifier.
const (
	notifyEvery   = 10 * time.Millisecond // the least time between two words of one process
	notifyTimeout = 2 * time.Second       // for one step: to connect, to send, to say goodbye
	firstRetry    = 50 * time.Millisecond // after a connection broke; doubles
	lastRetry     = 5 * time.Second
	aliveEvery    = 30 * time.Second // a listener that hears nothing asks whether the server is there
)

// notifier passes on that changes were committed, and listens for it.
type notifier struct {
	config *pgx.ConnConfig
	word   chan struct{} // at most one waits
	ctx    context.Context
	stop   context.CancelFunc
	start  sync.Once
	wait   sync.WaitGroup
}

// newNotifier prepares to notify a database. Nothing is connected before it is needed.
func newNotifier(config *pgx.ConnConfig) *notifier {
	ctx, stop := context.WithCancel(context.Background())
	return &notifier{config: config, word: make(chan struct{}, 1), ctx: ctx, stop: stop}
}

// committed leaves word that a transaction wrote the change log. It returns at once. A nil
// notifier does nothing.
func (n *notifier) committed() {
	if n == nil || n.ctx.Err() != nil {
		return
	}
	select {
	case n.word <- struct{}{}:
	default: // one that waits says the same
	}
	n.start.Do(func() { n.wait.Go(n.send) })
}

// Wake is cache.Waker: a listener of its own for as long as ctx lasts. A nil notifier wakes
// nobody.
func (n *notifier) Wake(ctx context.Context) <-chan struct{} {
	if n == nil || n.ctx.Err() != nil {
		return nil
	}
	wakes := make(chan struct{}, 1)
	n.wait.Go(func() {
		defer close(wakes)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		unlink := context.AfterFunc(n.ctx, cancel)
		defer unlink()
		n.listen(ctx, wakes)
	})
	return wakes
}

// close passes on a last word, ends the listeners and waits for all of it.
func (n *notifier) close() {
	if n == nil {
		return
	}
	n.stop()
	n.wait.Wait()
}

// send passes words on until the notifier is closed, and the one that is left then.
func (n *notifier) send() {
	s := sender{config: n.config, retry: firstRetry}
	defer s.close()
	for {
		select {
		case <-n.word:
			s.send(n.ctx)
			rest(n.ctx, notifyEvery)
		case <-n.ctx.Done():
			select {
			case <-n.word:
				s.send(n.ctx)
			default:
			}
			return
		}
	}
}

// sender is the connection that words are passed on with.
type sender struct {
	config *pgx.ConnConfig
	conn   *pgx.Conn
	retry  time.Duration
}

// send tries once: a word that is lost is found by the next poll. After a failure it waits,
// so that a database that is down is not asked a hundred times a second, but not beyond the
// end of ctx. The word itself is said even when ctx has ended: a verb of the command line
// commits and ends.
func (s *sender) send(ctx context.Context) {
	step, cancel := context.WithTimeout(context.WithoutCancel(ctx), notifyTimeout)
	defer cancel()
	err := s.try(step)
	if err == nil {
		s.retry = firstRetry
		return
	}
	s.close()
	rest(ctx, s.retry)
	s.retry = min(2*s.retry, lastRetry)
}

func (s *sender) try(ctx context.Context) (err error) {
	if s.conn == nil {
		if s.conn, err = pgx.ConnectConfig(ctx, s.config.Copy()); err != nil {
			return err
		}
	}
	_, err = s.conn.Exec(ctx, "NOTIFY "+channel)
	return err
}

func (s *sender) close() {
	if s.conn != nil {
		farewell(s.conn)
		s.conn = nil
	}
}

// listen wakes until ctx ends, over one connection after the other.
func (n *notifier) listen(ctx context.Context, wakes chan<- struct{}) {
	for retry := firstRetry; ctx.Err() == nil; retry = min(2*retry, lastRetry) {
		if n.hear(ctx, wakes) {
			retry = firstRetry
		}
		rest(ctx, retry)
	}
}

// hear listens on one connection until it breaks, and reports whether it ever stood.
func (n *notifier) hear(ctx context.Context, wakes chan<- struct{}) (stood bool) {
	step, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(step, n.config.Copy())
	if err != nil {
		return false
	}
	defer farewell(conn)
	if _, err := conn.Exec(step, "LISTEN "+channel); err != nil {
		return false
	}
	for {
		// What was said before the listening began, or while there was no connection, is lost.
		select {
		case wakes <- struct{}{}:
		default:
		}
		if !heard(ctx, conn) {
			return true
		}
	}
}

// heard waits for a word. A connection that is silent for long may be a dead one: it is asked.
func heard(ctx context.Context, conn *pgx.Conn) bool {
	for {
		waiting, cancel := context.WithTimeout(ctx, aliveEvery)
		_, err := conn.WaitForNotification(waiting)
		silent := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil {
			return true
		}
		if !silent || conn.IsClosed() {
			return false
		}
		step, cancel := context.WithTimeout(ctx, notifyTimeout)
		err = conn.Ping(step)
		cancel()
		if err != nil {
			return false
		}
	}
}

// farewell closes a connection, whatever has become of the server.
func farewell(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), notifyTimeout)
	defer cancel()
	_ = conn.Close(ctx) // it is gone either way
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}
