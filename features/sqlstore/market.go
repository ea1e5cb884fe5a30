package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// market reads pool and market data: through the readers' connections, or within the
// transaction of an import. It is features.Pools.
type market struct{ stmt func(statement) *sqlx.Stmt }

// Published is features.Pools.
func (m market) Published(ctx context.Context) (features.Revision, error) {
	r, err := scanPublished(m.stmt(selectPublished).QueryRowContext(ctx))
	return r, fail(ctx, "read the published pool", err)
}

// scanPublished reads the revision in force, with the newest sequence number of the
// market in the same statement, so that the two belong together.
func scanPublished(row *sql.Row) (r features.Revision, err error) {
	var hash []byte
	err = row.Scan(&r.ID, &hash, &r.PublishedAt, &r.Products, &r.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return features.Revision{}, features.ErrNoPool
	}
	if err == nil && len(hash) != len(r.Hash) {
		err = fund.ErrMalformed
	}
	copy(r.Hash[:], hash)
	return r, err
}

// Pool is features.Pools.
func (m market) Pool(ctx context.Context, revision uint64) ([]fund.Product, error) {
	// The revision and its products never change, so two reads are one snapshot.
	var n int
	err := m.stmt(selectRevision).QueryRowContext(ctx, signed(revision)).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound("pool revision", strconv.FormatUint(revision, 10))
	}
	if err != nil {
		return nil, fail(ctx, "read a pool", err)
	}
	out := make([]fund.Product, 0, n)
	err = each(ctx, m.stmt(selectPool), func(rows *sqlx.Rows) error {
		var encoded sql.RawBytes
		if err := rows.Scan(&encoded); err != nil {
			return err
		}
		p, err := fund.ParseProduct(encoded)
		if err == nil {
			out = append(out, *p)
		}
		return err
	}, signed(revision))
	if err != nil {
		return nil, fail(ctx, "read a pool", err)
	}
	return out, nil
}

// lastInstant is the end of the last day that a date can name.
const lastInstant = fund.Instant(7_258_089_600_000_000 - 1)

// dayOf returns the day of an instant, however late.
func dayOf(at fund.Instant) fund.Date { return min(at, lastInstant).Date() }

// NAVs is features.Pools. Rows of one day come in the order of their writing, so the
// last one counts.
func (m market) NAVs(ctx context.Context, cut features.Cut, yield func(string, []fund.NAV) error) error {
	var y yielding[fund.NAV]
	var code string
	var n fund.NAV
	err := each(ctx, m.stmt(streamNAVs), func(rows *sqlx.Rows) error {
		if err := rows.Scan(&code, &n.Date, &n.Unit, &n.Accum); err != nil {
			return err
		}
		return y.add(code, n, func(a, b fund.NAV) bool { return a.Date == b.Date }, yield)
	}, int64(dayOf(cut.AsOf)), signed(cut.Seq))
	return y.end(ctx, "read NAVs", err, yield)
}

// Purchases is features.Pools.
func (m market) Purchases(ctx context.Context, cut features.Cut, yield func(string, []fund.Purchase) error) error {
	var y yielding[fund.Purchase]
	err := eachPurchase(ctx, m.stmt(streamPurchases), func(p *features.CustomerPurchase, _ uint64) error {
		return y.add(p.CustomerID, p.Purchase, samePurchase, yield)
	}, int64(dayOf(cut.AsOf)), signed(cut.Seq))
	return y.end(ctx, "read interactions", err, yield)
}

// yielding groups rows by their first key and keeps the last of each second one.
type yielding[T any] struct {
	key    string
	rows   []T
	failed error // what yield returned
}

func (y *yielding[T]) add(key string, row T, same func(a, b T) bool, yield func(string, []T) error) error {
	if key != y.key && len(y.rows) > 0 {
		if y.failed = yield(y.key, y.rows); y.failed != nil {
			return y.failed
		}
		y.rows = y.rows[:0]
	}
	y.key = key
	if n := len(y.rows) - 1; n >= 0 && same(y.rows[n], row) {
		y.rows[n] = row
		return nil
	}
	y.rows = append(y.rows, row)
	return nil
}

// end yields the last group. The error of yield comes back as it is.
func (y *yielding[T]) end(ctx context.Context, op string, err error, yield func(string, []T) error) error {
	switch {
	case y.failed != nil:
		return y.failed
	case err != nil:
		return fail(ctx, op, err)
	case len(y.rows) == 0:
		return nil
	}
	return yield(y.key, y.rows)
}

// Calendar is features.Pools.
func (m market) Calendar(ctx context.Context, seq uint64) (fund.Calendar, error) {
	days, err := calendarDays(ctx, m.stmt(selectCalendar), signed(seq))
	if err != nil {
		return fund.Calendar{}, fail(ctx, "read the calendar", err)
	}
	return fund.NewCalendar(days), nil
}

// calendarDays reads days in the order of their writing, so the last one counts.
func calendarDays(ctx context.Context, st *sqlx.Stmt, args ...any) (map[fund.Date]bool, error) {
	days := map[fund.Date]bool{}
	err := each(ctx, st, func(rows *sqlx.Rows) error {
		var day fund.Date
		var open bool
		err := rows.Scan(&day, &open)
		days[day] = open
		return err
	}, args...)
	return days, err
}

// Put is features.Models.
func (s *Store) Put(ctx context.Context, kind features.ArtifactKind, data []byte) (string, error) {
	if err := features.CheckArtifact(kind, data); err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	id := hex.EncodeToString(sum[:])
	_, err := s.stmts[insertArtifact].ExecContext(ctx, string(kind), id, data)
	if err != nil {
		return "", fail(ctx, "keep an artifact", err)
	}
	return id, nil
}

// Artifact is features.Models.
func (s *Store) Artifact(ctx context.Context, kind features.ArtifactKind, id string) (data []byte, err error) {
	err = s.stmts[selectArtifact].QueryRowContext(ctx, string(kind), id).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound(string(kind), id)
	}
	return data, fail(ctx, "read an artifact", err)
}

// Activate is features.Models.
func (s *Store) Activate(ctx context.Context, a features.Activation) error {
	if err := a.Check(); err != nil {
		return err
	}
	id := ""
	err := s.stmts[selectArtifactID].QueryRowContext(ctx, string(a.Kind), a.ArtifactID).Scan(&id) // artifacts are never removed
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(string(a.Kind), a.ArtifactID)
	}
	if err != nil {
		return fail(ctx, "look for an artifact", err)
	}
	err = s.durably(ctx, func(tx *sqlx.Tx) error {
		if done, err := s.replays(ctx, tx, &a.Idempotency, a.At); done || err != nil {
			return err
		}
		if _, err := tx.Stmtx(s.stmts[insertActivation]).ExecContext(ctx, string(a.Kind), a.ArtifactID, int64(a.At), a.By, a.Note); err != nil {
			return err
		}
		w := features.Write{RecordedAt: a.At, Idempotency: a.Idempotency}
		return s.remember(ctx, tx, &w, features.Receipt{})
	})
	return fail(ctx, "activate an artifact", err)
}

// Repeats is features.Models.
func (s *Store) Repeats(ctx context.Context, i features.Idempotency, now fund.Instant) (done bool, err error) {
	err = s.inTransaction(ctx, s.writer, func(tx *sqlx.Tx) error {
		done, err = s.replays(ctx, tx, &i, now)
		return err
	})
	return done, fail(ctx, "look for an activation", err)
}

// Active is features.Models.
func (s *Store) Active(ctx context.Context, kind features.ArtifactKind) (id string, data []byte, err error) {
	return scanActive(ctx, kind, s.stmts[selectActive].QueryRowContext(ctx, string(kind)))
}

// ActiveID is features.Models.
func (s *Store) ActiveID(ctx context.Context, kind features.ArtifactKind) (id string, err error) {
	err = s.stmts[selectActiveID].QueryRowContext(ctx, string(kind)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", notFound("active", string(kind))
	}
	return id, fail(ctx, "read which artifact is active", err)
}

// ActiveAt is features.Models.
func (s *Store) ActiveAt(ctx context.Context, kind features.ArtifactKind, at fund.Instant) (id string, data []byte, err error) {
	return scanActive(ctx, kind, s.stmts[selectActiveAt].QueryRowContext(ctx, string(kind), int64(at)))
}

func scanActive(ctx context.Context, kind features.ArtifactKind, row *sql.Row) (id string, data []byte, err error) {
	err = row.Scan(&id, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, notFound("active", string(kind))
	}
	return id, data, fail(ctx, "read the active artifact", err)
}

// Activations is features.Models.
func (s *Store) Activations(ctx context.Context, kind features.ArtifactKind) (out []features.Activation, err error) {
	err = each(ctx, s.stmts[selectActivations], func(rows *sqlx.Rows) error {
		a := features.Activation{Kind: kind}
		err := rows.Scan(&a.ArtifactID, &a.At, &a.By, &a.Note)
		out = append(out, a)
		return err
	}, string(kind))
	if err != nil {
		return nil, fail(ctx, "read the history of artifacts", err)
	}
	return out, nil
}
