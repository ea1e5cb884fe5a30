package decisionlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Log is one writer of the log. Its methods are safe for many goroutines.
type Log struct {
	dir      string
	cfg      Config
	w        *writer
	lock     *os.File
	recovery Recovery

	queue queue
	pool  sync.Pool

	dirty chan struct{} // a record waits for fsync
	stop  chan struct{}
	done  chan struct{}
}

// Recovery is what Open found at the end of the last segment.
type Recovery struct {
	// Torn is the file to which the broken end was set aside; empty: the log ended with a whole block.
	Torn string
	// Offset is where in the segment the broken end began, Bytes how long it was.
	Offset, Bytes int64
}

// Open takes the first writer directory that no live process holds, sets a torn end aside, and goes on where that
// writer stopped. The directory is made when it is missing.
//
// Errors: *BrokenError when the last segment is broken elsewhere than at its end, ErrNewerFormat, ErrBusy when all
// writers are held, ErrInvalid for the configuration, ErrFull when the torn end cannot be set aside.
func Open(dir string, cfg Config) (*Log, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFull, err)
	}
	id, lock, err := lockWriter(dir)
	if err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	l := &Log{
		dir: dir, cfg: cfg, lock: lock,
		dirty: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	l.pool.New = func() any { return &pending{hash: newHasher(), wake: make(chan bool, 1)} }
	if l.w, l.recovery, err = resume(dir, id, &l.cfg); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	go l.background()
	return l, nil
}

// Recovery says what Open set aside, for the caller to report.
func (l *Log) Recovery() Recovery { return l.recovery }

// Append records r and returns after its bytes were given to the kernel with write(2): they survive the end of the
// process. With Config.SyncEachAnswer it returns after fsync, else fsync follows within Config.SyncEvery. The slices of
// r must not change until Append returns; they are not kept.
//
// When ctx ends first, Append returns its error only if the record is not and will not be in the log. Once a writer has
// taken the record up, Append waits for the outcome whatever ctx says.
//
// Errors: ErrInvalid (*InvalidError), ErrClosed, ErrFull (not in the log; may be tried again), ErrRefused (whether the
// record reached the disk is unknown), and those of ctx.
func (l *Log) Append(ctx context.Context, r Record) error {
	id, err := r.check()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.RecordedAt == 0 {
		r.RecordedAt = l.cfg.Now().UnixMicro()
	}
	p, ok := l.pool.Get().(*pending)
	if !ok {
		return errors.New("decision log: foreign value in the pool")
	}
	if err := l.prepare(p, &r, id); err != nil {
		return err
	}
	err = l.enqueue(ctx, p)
	p.reset()
	l.pool.Put(p)
	if err == nil && !l.cfg.SyncEachAnswer {
		l.askSync()
	}
	return err
}

// prepare does outside of the lock what does not need it: salts and commitments.
func (l *Log) prepare(p *pending, r *Record, id decisionID) error {
	if _, err := io.ReadFull(l.cfg.Random, p.random[:]); err != nil {
		return fmt.Errorf("decision log: no randomness for the salts: %w", err)
	}
	e := &p.entry
	e.salts = salts{
		customer: salt(p.random[0:]), profile: salt(p.random[saltBytes:]), payload: salt(p.random[2*saltBytes:]),
	}
	e.public = public{kind: r.Kind, id: id, decidedAt: r.DecidedAt, recordedAt: r.RecordedAt}
	p.customer = r.CustomerID
	e.customerID = append(p.customerID[:0], r.CustomerID...)
	e.profile, e.payload = r.Profile, r.Payload
	e.customerSum = p.hash.commit(tagCustomer, &e.salts.customer, e.customerID)
	e.payloadSum = p.hash.commit(tagPayload, &e.salts.payload, e.payload)
	if len(e.profile) > 0 {
		p.mark = l.w.profiles.fingerprint(e.profile)
		if _, known := l.w.profiles.find(p.customer, p.mark); !known {
			e.profileSum = p.hash.commit(tagProfile, &e.salts.profile, e.profile)
		}
	}
	return nil
}

// Close writes what waits, syncs, and gives the writer directory free. Later calls of Append return ErrClosed; a second
// Close does nothing.
func (l *Log) Close() error {
	op := &pending{op: l.w.end, wake: make(chan bool, 1)}
	if !l.queue.addLast(op) {
		<-l.done
		return nil
	}
	err := l.await(context.Background(), op)
	close(l.stop)
	<-l.done
	return errors.Join(err, l.lock.Close())
}

// background syncs in groups, and seals the segment when an erasure in another process asks for it.
func (l *Log) background() {
	defer close(l.done)
	const lookForRequests = 100 * time.Millisecond
	requests := time.NewTicker(lookForRequests)
	defer requests.Stop()
	group := time.NewTimer(l.cfg.SyncEvery)
	group.Stop()
	request := filepath.Join(writerDir(l.dir, l.w.id), rotateName)
	for {
		select {
		case <-l.stop:
			return
		case <-l.dirty:
			group.Reset(l.cfg.SyncEvery)
			select {
			case <-group.C:
			case <-l.stop:
				return
			}
			_ = l.w.sync() // a failure is kept: the next Append refuses and says why
		case <-requests.C:
			if _, err := os.Lstat(request); err == nil {
				_ = l.exclusively(context.Background(), l.w.rotateWhenAsked) // who asked sees that it did not happen
			}
		}
	}
}

func (l *Log) askSync() {
	select {
	case l.dirty <- struct{}{}:
	default:
	}
}
