package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// historiesAtOnce bounds the customers whose histories are in memory together while many
// are read.
const historiesAtOnce = 256

// lastID is above every id that fund.CheckID accepts.
const lastID = "~"

// Histories is features.Histories. A long reading keeps one of the readers' connections, and
// SQLite's log grows meanwhile.
func (s *Store) Histories(ctx context.Context, q features.HistoryQuery, yield func(*features.History) error) error {
	var refused error // by yield: the caller's own, which says nothing of the store
	err := s.inSnapshot(ctx, func(tx *sqlx.Tx) error {
		r := &reading{ctx: ctx, store: s, tx: tx, query: &q}
		return r.runs(func(h *features.History) error {
			refused = yield(h)
			return refused
		})
	})
	if refused != nil {
		return refused
	}
	return fail(ctx, "read histories", err)
}

// reading is one call of Histories: runs of customers in the order of their ids, of each run
// first the ids, then what there is about them.
type reading struct {
	ctx   context.Context // of the one call that the reading lives in
	store *Store
	tx    *sqlx.Tx
	query *features.HistoryQuery
}

func (r *reading) runs(yield func(*features.History) error) error {
	next := r.rangeRun
	if r.query.CustomerIDs != nil {
		next = r.listRun()
	}
	for after := r.query.After; ; {
		ids, last, err := next(after)
		if err != nil || last == "" {
			return err
		}
		after = last
		if err := r.yieldRun(ids, yield); err != nil {
			return err
		}
	}
}

// rangeRun returns the next known ids of the range, and the last of them; "": there are no
// more.
func (r *reading) rangeRun(after string) (ids []string, last string, err error) {
	through := r.query.Through
	if through == "" {
		through = lastID
	}
	if ids, err = r.ids(rangeOfCustomers, after, through, historiesAtOnce); err != nil || len(ids) == 0 {
		return nil, "", err
	}
	return ids, ids[len(ids)-1], nil
}

// listRun returns a function like rangeRun for the ids that the query lists.
func (r *reading) listRun() func(string) ([]string, string, error) {
	rest := history.IDs(r.query)
	return func(string) ([]string, string, error) {
		if len(rest) == 0 {
			return nil, "", nil
		}
		run := rest[:min(len(rest), historiesAtOnce)]
		rest = rest[len(run):]
		known, err := r.ids(listedCustomers, r.store.dialect.list(possibleIDs(run)))
		return known, run[len(run)-1], err
	}
}

func (r *reading) ids(st statement, args ...any) (ids []string, err error) {
	err = each(r.ctx, r.tx.Stmtx(r.store.stmts[st]), func(rows *sqlx.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, args...)
	return ids, err
}

// yieldRun reads what the query asks for about some known customers.
func (r *reading) yieldRun(ids []string, yield func(*features.History) error) error {
	run := newGathering(ids)
	list := r.store.dialect.list(ids)
	cells, args := listedCells, []any{list}
	if r.query.Views != nil {
		cells, args = listedCellsOfViews, append(args, r.store.dialect.list(texts(r.query.Views)))
	}
	stmt := func(st statement) *sqlx.Stmt { return r.tx.Stmtx(r.store.stmts[st]) }
	if err := eachCell(r.ctx, stmt(cells), run.addCell, args...); err != nil {
		return err
	}
	if !r.query.NoPurchases {
		if err := eachPurchase(r.ctx, stmt(listedPurchases), run.addPurchase, list); err != nil {
			return err
		}
	}
	if !r.query.NoEvents {
		if err := eachEvent(r.ctx, stmt(listedEvents), run.addEvent, list); err != nil {
			return err
		}
	}
	for i := range run.histories {
		history.Settle(&run.histories[i])
		if err := yield(&run.histories[i]); err != nil {
			return err
		}
	}
	return nil
}

// gathering collects the histories of some customers from rows in any order.
type gathering struct {
	histories []features.History
	index     map[string]*features.History
	last      *features.History // whose row came last: rows of one customer mostly lie together
}

func newGathering(ids []string) *gathering {
	g := &gathering{histories: make([]features.History, len(ids)), index: make(map[string]*features.History, len(ids))}
	for i, id := range ids {
		g.histories[i].CustomerID = id
		g.index[id] = &g.histories[i]
	}
	return g
}

// of returns the history that a row belongs to; nil: nobody asked for it.
func (g *gathering) of(customerID string) *features.History {
	if g.last == nil || g.last.CustomerID != customerID {
		g.last = g.index[customerID]
	}
	return g.last
}

func (g *gathering) addCell(c *features.Cell, seq uint64) error {
	if h := g.of(c.CustomerID); h != nil {
		h.Cells, h.CellSeqs = append(h.Cells, *c), append(h.CellSeqs, seq)
	}
	return nil
}

func (g *gathering) addPurchase(p *features.CustomerPurchase, seq uint64) error {
	if h := g.of(p.CustomerID); h != nil {
		h.Purchases, h.PurchaseSeqs = append(h.Purchases, p.Purchase), append(h.PurchaseSeqs, seq)
	}
	return nil
}

func (g *gathering) addEvent(e *features.Event, seq uint64) error {
	if h := g.of(e.CustomerID); h != nil {
		h.Events, h.EventSeqs = append(h.Events, *e), append(h.EventSeqs, seq)
	}
	return nil
}

// Heads is features.Histories: one statement, which sees one snapshot. The profiles are the
// caller's own.
func (s *Store) Heads(ctx context.Context, customerIDs []string) ([]features.Head, error) {
	if n := len(customerIDs); n > features.MaxHeads {
		return nil, fmt.Errorf("%w: heads of %d customers, expected at most %d", features.ErrInvalid, n, features.MaxHeads)
	}
	heads := make([]features.Head, len(customerIDs))
	var encoded sql.RawBytes
	err := each(ctx, s.stmts[listedHeads], func(rows *sqlx.Rows) error {
		var place, from int64
		if err := rows.Scan(&place, &from, &encoded); err != nil {
			return err
		}
		p, err := fund.ParseProfile(encoded)
		if err == nil {
			heads[place] = features.Head{Profile: p, From: fund.Instant(from)}
		}
		return err
	}, s.dialect.list(possibleIDs(customerIDs)))
	if err != nil {
		return nil, fail(ctx, "read heads", err)
	}
	return heads, nil
}

// possibleIDs puts "", which nobody's id is, in the place of what no id can be: the database
// gets only texts that it can hold.
func possibleIDs(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		if fund.CheckID(id) == nil {
			out[i] = id
		}
	}
	return out
}

func texts(views []features.View) []string {
	out := make([]string, len(views))
	for i, v := range views {
		if fund.CheckID(string(v)) == nil {
			out[i] = string(v)
		}
	}
	return out
}
