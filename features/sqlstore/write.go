package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Write is features.Profiles.
func (s *Store) Write(ctx context.Context, w features.Write) (features.Receipt, error) {
	if err := w.Check(); err != nil {
		return features.Receipt{}, err
	}
	var receipt features.Receipt
	var refused error
	guard := w.Guard
	if guard != nil {
		w.Guard = func(before *fund.Profile) error {
			refused = guard(before)
			return refused
		}
	}
	err := s.inTransaction(ctx, s.writer, func(tx *sqlx.Tx) (err error) {
		receipt, err = s.write(ctx, tx, &w)
		return err
	})
	switch {
	case refused != nil:
		return features.Receipt{}, refused
	case err != nil:
		return features.Receipt{}, fail(ctx, "write customer "+w.CustomerID, err)
	}
	return receipt, nil
}

func (s *Store) write(ctx context.Context, tx *sqlx.Tx, w *features.Write) (features.Receipt, error) {
	// The lock first: of two writers under one key, the second then finds what the first has left.
	revision, missing := s.lock(ctx, tx, w.CustomerID)
	if missing != nil && !errors.Is(missing, features.ErrNotFound) {
		return features.Receipt{}, missing
	}
	if r, done, err := s.replay(ctx, tx, w); done || err != nil {
		return r, err
	}
	if missing != nil {
		return features.Receipt{}, missing
	}
	if w.Guard != nil {
		if err := s.ask(ctx, tx, w); err != nil {
			return features.Receipt{}, err
		}
	}
	u, err := s.newUnit(ctx, tx)
	if err != nil {
		return features.Receipt{}, err
	}
	u.locked = true
	cells, early := features.SplitAhead(w.Cells, w.RecordedAt)
	if err := errors.Join(u.addCells(cells), u.keepEarly(early...)); err != nil {
		return features.Receipt{}, err
	}
	for _, b := range [...]bulkInsert{insertCells, insertQuarantined} {
		if err := u.bulks[b].flush(ctx); err != nil {
			return features.Receipt{}, err
		}
	}
	r := features.Receipt{Revision: revision, Changed: u.bulks[insertCells].affected > 0, Quarantined: len(early)}
	if r.Changed {
		r.Revision = u.seq
		if err := u.touch(w.CustomerID); err != nil {
			return features.Receipt{}, err
		}
		if err := u.finish(w.RecordedAt); err != nil {
			return features.Receipt{}, err
		}
	}
	return r, s.remember(ctx, tx, w, r)
}

// ask shows the write's guard the head as the writing transaction sees it.
func (s *Store) ask(ctx context.Context, tx *sqlx.Tx, w *features.Write) error {
	var from int64
	var encoded []byte
	if err := tx.Stmtx(s.stmts[storedHead]).QueryRowContext(ctx, w.CustomerID).Scan(&from, &encoded); err != nil {
		return err
	}
	before, err := fund.ParseProfile(encoded)
	if err != nil {
		return err
	}
	return w.Guard(before)
}

// replay answers a write that came before under its key, within its life.
func (s *Store) replay(ctx context.Context, tx *sqlx.Tx, w *features.Write) (r features.Receipt, done bool, err error) {
	done, err = s.replaysInto(ctx, tx, &w.Idempotency, w.RecordedAt, &r)
	r.Replayed = done
	return r, done, err
}

// replays reports whether an idempotency key came before with the same body.
func (s *Store) replays(ctx context.Context, tx *sqlx.Tx, i *features.Idempotency, now fund.Instant) (bool, error) {
	return s.replaysInto(ctx, tx, i, now, &features.Receipt{})
}

func (s *Store) replaysInto(ctx context.Context, tx *sqlx.Tx, i *features.Idempotency, now fund.Instant, r *features.Receipt) (bool, error) {
	if i.Key == "" {
		return false, nil
	}
	var hash []byte
	err := tx.Stmtx(s.stmts[selectReplay]).QueryRowContext(ctx, i.Scope, i.Key, expiry(now)).Scan(&hash, &r.Revision, &r.Changed, &r.Quarantined)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case !bytes.Equal(hash, i.BodyHash[:]):
		return false, fmt.Errorf("%w: key %q", features.ErrIdempotencyReused, i.Key)
	}
	return true, nil
}

// expiry is the time of recording at and before which a key is forgotten.
func expiry(now fund.Instant) int64 { return int64(now.Add(-features.IdempotencyLife * time.Hour)) }

// remember records the receipt under its key and forgets the keys whose life is over.
func (s *Store) remember(ctx context.Context, tx *sqlx.Tx, w *features.Write, r features.Receipt) error {
	if w.Idempotency.Key == "" {
		return nil
	}
	if _, err := tx.Stmtx(s.stmts[expireReplays]).ExecContext(ctx, expiry(w.RecordedAt)); err != nil {
		return err
	}
	res, err := tx.Stmtx(s.stmts[rememberReplay]).ExecContext(ctx, w.Idempotency.Scope, w.Idempotency.Key,
		w.Idempotency.BodyHash[:], signed(r.Revision), r.Changed, r.Quarantined, int64(w.RecordedAt), w.CustomerID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); n == 1 || err != nil {
		return err
	}
	return errOvertaken // a writer of another customer has taken the key
}

// unit is the work of one writing transaction.
type unit struct {
	ctx     context.Context // of the one call that the unit lives in
	store   *Store
	tx      *sqlx.Tx
	seq     uint64   // of the transaction, when it changes anything
	late    []uint64 // further numbers, see lock.go
	locked  bool     // the heads of all whom it touches
	changed int64    // rows that were new or different
	market  bool     // pool or market data changed
	bulks   [insertCount]bulk
	touched map[string]struct{} // some of the customers that are in the change log already
	dirty   bool                // somebody was touched, so that heads have to be folded
	headed  map[string]struct{} // some of those in the change log whose heads are written already
}

func (s *Store) newUnit(ctx context.Context, tx *sqlx.Tx) (*unit, error) {
	u := &unit{ctx: ctx, store: s, tx: tx, touched: map[string]struct{}{}, headed: map[string]struct{}{}}
	if err := tx.Stmtx(s.stmts[nextSeq]).QueryRowContext(ctx).Scan(&u.seq); err != nil {
		return nil, err
	}
	for i := range u.bulks {
		u.bulks[i] = bulk{columns: s.dialect.inserts[i].columns, one: tx.Stmtx(s.one[i]), many: tx.Stmtx(s.many[i])}
	}
	return u, nil
}

// addCells inserts the cells; one that is there already stays as it is.
func (u *unit) addCells(cells []features.Cell) error {
	b := &u.bulks[insertCells]
	for i := range cells {
		if err := b.add(u.ctx, cellRow(&cells[i], u.seq)...); err != nil {
			return err
		}
	}
	return nil
}

// digestLength is the part of a SHA-256 that tells cells of the same key apart.
const digestLength = 16

// digest appends what stands for the columns that are not in a cell's key. Behind the end of
// buf is where it works.
func digest(buf []byte, c *features.Cell) []byte {
	e := fund.Encoder{Buf: buf}
	e.Text(c.Value)
	e.Int(int64(c.ValidTo))
	e.Text(c.Source)
	e.Text(c.Purpose)
	if c.Tombstone {
		e.Byte(1)
	}
	sum := sha256.Sum256(e.Buf[len(buf):])
	return append(e.Buf[:len(buf)], sum[:digestLength]...)
}

// maxTouched bounds the memory of what is in the change log already; forgetting it
// only costs an insert that does nothing.
const maxTouched = 1 << 17

// touch puts a customer into the change log, once in a transaction.
func (u *unit) touch(customerID string) error {
	u.dirty = true
	delete(u.headed, customerID)
	if _, ok := u.touched[customerID]; ok {
		return nil
	}
	if len(u.touched) >= maxTouched {
		clear(u.touched)
	}
	u.touched[customerID] = struct{}{}
	return u.bulks[insertTouched].add(u.ctx, int64(u.seq), customerID)
}

// haveHead notes that a customer's head is written, with his entry in the change log. Of whom
// it forgets the head is folded once more.
func (u *unit) haveHead(customerID string) {
	if len(u.headed) < maxTouched {
		u.headed[customerID] = struct{}{}
	}
}

// finish writes what is left of the rows, the heads of the touched customers and the
// transaction itself.
func (u *unit) finish(at fund.Instant) error {
	if err := u.flush(); err != nil {
		return err
	}
	if u.dirty {
		if err := u.writeHeads(); err != nil {
			return err
		}
	}
	return u.endTransaction(at)
}

// endTransaction writes a row for each number of the transaction.
func (u *unit) endTransaction(at fund.Instant) error {
	for _, seq := range append([]uint64{u.seq}, u.late...) {
		if _, err := u.tx.Stmtx(u.store.stmts[insertTransaction]).ExecContext(u.ctx, int64(seq), int64(at), u.market); err != nil {
			return err
		}
	}
	return nil
}

// flush writes what is left of the rows.
func (u *unit) flush() error {
	for i := range u.bulks {
		if err := u.bulks[i].flush(u.ctx); err != nil {
			return err
		}
	}
	if b := &u.bulks[insertEvents]; b.affected != b.added {
		return errOvertaken
	}
	return nil
}

// rowsAtOnce is how many rows an insert takes: more saves little.
const rowsAtOnce = 48

// bulk gathers rows for one insert.
type bulk struct {
	columns   int
	one, many *sqlx.Stmt
	args      []any
	added     int64
	affected  int64 // rows that the database took
}

// add adds a row, whose values must not change until the next flush.
func (b *bulk) add(ctx context.Context, row ...any) error {
	b.args = append(b.args, row...)
	b.added++
	if len(b.args) < b.columns*rowsAtOnce {
		return nil
	}
	err := b.run(ctx, b.many, b.args)
	b.reset()
	return err
}

// flush inserts the rows that are left.
func (b *bulk) flush(ctx context.Context) error {
	for from := 0; from < len(b.args); from += b.columns {
		if err := b.run(ctx, b.one, b.args[from:from+b.columns]); err != nil {
			return err
		}
	}
	b.reset()
	return nil
}

func (b *bulk) reset() {
	clear(b.args)
	b.args = b.args[:0]
}

func (b *bulk) run(ctx context.Context, st *sqlx.Stmt, args []any) error {
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return err
	}
	affected, err := res.RowsAffected()
	b.affected += affected
	return err
}
