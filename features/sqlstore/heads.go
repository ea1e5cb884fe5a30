package sqlstore

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// headsAtOnce bounds the customers whose histories are in memory together.
const headsAtOnce = 512

// listing names the statements that read a list of customers, a run of ids at a time,
// and what is known of them. scope are the arguments that they take first.
type listing struct {
	customers, cells, purchases, events statement
	scope                               []any
}

// touchedBy lists the customers whom a transaction touched.
func touchedBy(seq uint64) listing {
	return listing{touchedCustomers, touchedCells, touchedPurchases, touchedEvents, []any{int64(seq)}}
}

// staleListing lists the customers whose heads an older version wrote.
func staleListing() listing {
	return listing{staleCustomers, staleCells, stalePurchases, staleEvents, nil}
}

// writeHeads folds the histories of the customers that the transaction touched, and
// writes their heads.
func (u *unit) writeHeads() error {
	touched := touchedBy(u.seq)
	for after := ""; ; {
		last, err := u.writeRun(&touched, after)
		if err != nil || last == "" {
			return err
		}
		after = last
	}
}

// writeRun writes the heads of the next run of customers after an id, and returns the
// last of them; "": there are no more.
func (u *unit) writeRun(l *listing, after string) (last string, err error) {
	ids, err := u.listed(l, after)
	if err != nil || len(ids) == 0 {
		return "", err
	}
	last = ids[len(ids)-1]
	first := ids[0]
	ids = slices.DeleteFunc(ids, func(id string) bool { _, done := u.headed[id]; return done })
	if len(ids) == 0 {
		return last, nil
	}
	if err := u.lockRun(ids); err != nil {
		return "", err
	}
	run := newGathering(ids)
	if err := u.load(l, run, first, last); err != nil {
		return "", err
	}
	for i := range run.histories {
		if err := u.writeHead(&run.histories[i]); err != nil {
			return "", err
		}
	}
	return last, u.bulks[insertHeads].flush(u.ctx)
}

func (u *unit) listed(l *listing, after string) ([]string, error) {
	var ids []string
	err := each(u.ctx, u.tx.Stmtx(u.store.stmts[l.customers]), func(rows *sqlx.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, l.with(after, headsAtOnce)...)
	return ids, err
}

// with returns the arguments of a statement of the listing.
func (l *listing) with(args ...any) []any { return append(append([]any(nil), l.scope...), args...) }

// load reads the histories of the listed customers from first to last.
func (u *unit) load(l *listing, run *gathering, first, last string) error {
	args := l.with(first, last)
	if err := eachCell(u.ctx, u.tx.Stmtx(u.store.stmts[l.cells]), run.addCell, args...); err != nil {
		return err
	}
	if err := eachPurchase(u.ctx, u.tx.Stmtx(u.store.stmts[l.purchases]), run.addPurchase, args...); err != nil {
		return err
	}
	return eachEvent(u.ctx, u.tx.Stmtx(u.store.stmts[l.events]), run.addEvent, args...)
}

func (u *unit) writeHead(h *features.History) error {
	head, err := newestHead(h)
	if err != nil {
		return err
	}
	return u.bulks[insertHeads].add(u.ctx, headRowOf(head.Profile, head.From)...)
}

// addHead writes a head row.
func (u *unit) addHead(p *fund.Profile, from fund.Instant) error {
	if err := features.CheckProfile(p); err != nil {
		return err
	}
	return u.bulks[insertHeads].add(u.ctx, headRowOf(p, from)...)
}

// refoldStale writes anew the heads that were folded by a version that left consents, trails
// or earlier assessments out. Each run is a transaction of its own that takes its customers off the list,
// so that what is interrupted goes on at the next opening. It is no change of anybody's
// facts, so the change log does not name it.
func (s *Store) refoldStale(ctx context.Context) error {
	var left bool
	if err := s.stmts[anyStale].QueryRowContext(ctx).Scan(&left); err != nil || !left {
		return err // a store that is up to date is opened without waiting for who writes to it
	}
	stale := staleListing()
	for last := "-"; last != ""; {
		err := s.inTransaction(ctx, s.writer, func(tx *sqlx.Tx) error {
			u, err := s.newUnit(ctx, tx)
			if err != nil {
				return err
			}
			if last, err = u.writeRun(&stale, ""); err != nil || last == "" {
				return err
			}
			_, err = tx.Stmtx(s.stmts[unlistStale]).ExecContext(ctx, last)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
