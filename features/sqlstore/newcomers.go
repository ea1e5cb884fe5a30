package sqlstore

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// maxNewcomerBytes bounds what an import holds in memory of customers who are new.
const maxNewcomerBytes = 96 << 20

// bytesOfRow is what a row of a newcomer takes in memory besides its texts.
const bytesOfRow = 160

// newcomers are the customers whom the store did not know before an import, with what it has
// said of them so far. Nobody else can write them, because a customer is known by his head and
// heads come from imports, of which one runs. So their rows wait in memory: merging reads no
// table, the rows go into the tables in the order of their keys, and the heads are folded
// from what is there.
type newcomers struct {
	byID  map[string]*features.History
	bytes int
	old   bool                // the store may know customers: from before, or written by this import
	were  map[string]struct{} // some of the customers who were found to be known
}

// newcomer returns what an import has said of a customer so far; nil: the store knows him.
func (b *batch) newcomer(id string) (*features.History, error) {
	n := &b.newcomers
	if h, ok := n.byID[id]; ok {
		return h, nil
	}
	if _, known := n.were[id]; known {
		return nil, nil //nolint:nilnil // who is no newcomer has none
	}
	if n.old {
		var known bool
		if err := b.tx.Stmtx(b.store.stmts[standsInStore]).QueryRowContext(b.ctx, id).Scan(&known); err != nil {
			return nil, err
		}
		if known {
			if len(n.were) >= maxTouched {
				clear(n.were)
			}
			n.were[id] = struct{}{}
			return nil, nil //nolint:nilnil // as above
		}
	}
	h := &features.History{CustomerID: id}
	n.byID[id] = h
	return h, nil
}

// grew counts what waits in memory, and writes all of it when it is too much.
func (b *batch) grew(rows, texts int) error {
	b.newcomers.bytes += rows*bytesOfRow + texts
	if b.newcomers.bytes < b.store.newcomerBytes {
		return nil
	}
	return b.settle()
}

// textsOf returns the length of the texts of cells that may be long.
func textsOf(cells []features.Cell) (n int) {
	for i := range cells {
		n += len(cells[i].Name) + len(cells[i].Value) + len(cells[i].Source)
	}
	return n
}

// settle writes the newcomers, whom the store then knows.
func (b *batch) settle() error {
	n := &b.newcomers
	if len(n.byID) == 0 {
		return nil
	}
	waiting := make([]*features.History, 0, len(n.byID))
	for _, id := range slices.Sorted(maps.Keys(n.byID)) {
		waiting = append(waiting, n.byID[id])
	}
	n.byID, n.bytes = map[string]*features.History{}, 0
	return b.write(waiting)
}

// release writes one newcomer, where the rest of what comes about him has to be written as of
// somebody whom the store knows.
func (b *batch) release(id string) error {
	h, ok := b.newcomers.byID[id]
	if !ok {
		return nil
	}
	delete(b.newcomers.byID, id)
	return b.write([]*features.History{h})
}

// write writes the rows, heads and entries in the change log of newcomers, in the order of
// their ids. Rows and heads of the next are prepared while the database takes these.
func (b *batch) write(waiting []*features.History) error {
	b.newcomers.old = true
	// What others did comes first, so that the change log names people as they came.
	if err := b.unit.flush(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(b.ctx)
	chunks := make(chan chan prepared, runtime.GOMAXPROCS(0))
	var preparing sync.WaitGroup
	defer preparing.Wait()
	defer stop()
	preparing.Go(func() {
		defer close(chunks)
		for some := range slices.Chunk(waiting, b.store.dialect.newcomersAtOnce) {
			one := make(chan prepared, 1)
			select {
			case chunks <- one:
			case <-ctx.Done():
				return
			}
			preparing.Go(func() { one <- prepare(some, b.seq) })
		}
	})
	for one := range chunks {
		p := <-one
		if p.err != nil {
			return p.err
		}
		if err := b.insert(&p); err != nil {
			return err
		}
	}
	if err := b.ctx.Err(); err != nil {
		return err
	}
	for _, h := range waiting {
		b.haveHead(h.CustomerID)
	}
	return b.unit.flush()
}

// prepared are the rows of some newcomers, as the tables take them.
type prepared struct {
	rows [insertCount][][]any
	err  error
}

// prepare folds the heads of newcomers, and writes down their rows.
func prepare(some []*features.History, seq uint64) (p prepared) {
	for _, h := range some {
		h.CellSeqs = slices.Repeat([]uint64{seq}, len(h.Cells))
		h.PurchaseSeqs = slices.Repeat([]uint64{seq}, len(h.Purchases))
		h.EventSeqs = slices.Repeat([]uint64{seq}, len(h.Events))
		head, err := newestHead(h)
		if err != nil {
			p.err = err
			return p
		}
		id := h.CustomerID
		for i := range h.Cells {
			p.add(insertCells, cellRow(&h.Cells[i], seq))
		}
		for i := range h.Purchases {
			p.add(insertPurchases, purchaseRow(id, &h.Purchases[i], seq))
		}
		for i := range h.Events {
			p.add(insertEvents, eventRowOf(&h.Events[i], seq))
		}
		p.add(insertTouched, []any{int64(seq), id})
		p.add(insertHeads, headRowOf(head.Profile, head.From))
	}
	return p
}

func (p *prepared) add(into bulkInsert, row []any) { p.rows[into] = append(p.rows[into], row) }

// newestHead folds a history as of its newest fact.
func newestHead(h *features.History) (features.Head, error) {
	history.Settle(h)
	from := history.Newest(h)
	p, err := history.AsOf(h, features.AsKnown(from))
	if err == nil {
		err = features.CheckProfile(p)
	}
	return features.Head{Profile: p, From: from}, err
}

// insert gives rows to the database: by COPY where it has that.
func (b *batch) insert(p *prepared) error {
	for into := range p.rows {
		rows := p.rows[into]
		if len(rows) == 0 {
			continue
		}
		if b.conn != nil {
			if err := b.copy(bulkInsert(into), rows); err != nil {
				return err
			}
			continue
		}
		for _, row := range rows {
			if err := b.bulks[into].add(b.ctx, row...); err != nil {
				return err
			}
		}
	}
	return nil
}

// copy takes rows of newcomers into a PostgreSQL. Their keys cannot be taken, but for an event
// id that somebody else has used meanwhile: then the import fails whole.
func (b *batch) copy(into bulkInsert, rows [][]any) error {
	table, columns, _ := strings.Cut(b.store.dialect.inserts[into].into, " (")
	names := strings.Split(strings.TrimSuffix(columns, ")"), ", ")
	return b.conn.Raw(func(driver any) error {
		conn, ok := driver.(*stdlib.Conn)
		if !ok {
			return errNoDriver
		}
		_, err := conn.Conn().CopyFrom(b.ctx, pgx.Identifier{table}, names, pgx.CopyFromRows(rows))
		return err
	})
}

func cellRow(c *features.Cell, seq uint64) []any {
	return []any{
		c.CustomerID, string(c.View), c.Name, int64(c.EventAt), int64(c.KnownAt), int64(c.SourceSeq),
		digest(c), c.Value, int64(c.ValidTo), c.Tombstone, c.Source, c.Purpose, int64(seq),
	}
}

func purchaseRow(id string, p *fund.Purchase, seq uint64) []any {
	return []any{id, p.ProductCode, int64(p.KnownOn), p.Kind, int64(seq), int64(p.Amount)}
}

func eventRowOf(e *features.Event, seq uint64) []any {
	return []any{
		e.CustomerID, int64(e.EventAt), e.ID, e.Kind, int64(e.KnownAt), e.ProductCode, e.DecisionID, e.Channel, e.Attributes, int64(seq),
	}
}

func headRowOf(p *fund.Profile, from fund.Instant) []any {
	return []any{p.CustomerID, int64(p.Revision), int64(from), fund.AppendProfile(nil, p)}
}
