package sqlstore

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync"

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
	chunks := make(chan chan *prepared, runtime.GOMAXPROCS(0))
	var preparing sync.WaitGroup
	defer preparing.Wait()
	defer stop()
	preparing.Go(func() {
		defer close(chunks)
		for some := range slices.Chunk(waiting, b.store.dialect.newcomersAtOnce) {
			one := make(chan *prepared, 1)
			select {
			case chunks <- one:
			case <-ctx.Done():
				return
			}
			preparing.Go(func() {
				p := b.store.newPrepared()
				p.prepare(some, b.seq)
				one <- p
			})
		}
	})
	for one := range chunks {
		p := <-one
		if p.err != nil {
			return p.err
		}
		if err := b.insert(p); err != nil {
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

// prepared are the rows of some newcomers, as the tables take them: in copies where there is
// COPY, in rows elsewhere.
type prepared struct {
	inserts *[insertCount]insert
	copies  *[insertCount]copyRows // nil: the database has no COPY
	rows    [insertCount][]arguments
	err     error
}

func (s *Store) newPrepared() *prepared {
	p := &prepared{inserts: &s.dialect.inserts}
	if s.dialect.severalWriters {
		p.copies = &[insertCount]copyRows{}
	}
	return p
}

// prepare folds the heads of newcomers, and writes down their rows.
func (p *prepared) prepare(some []*features.History, seq uint64) {
	p.makeRoom(some)
	for _, h := range some {
		h.CellSeqs = slices.Repeat([]uint64{seq}, len(h.Cells))
		h.PurchaseSeqs = slices.Repeat([]uint64{seq}, len(h.Purchases))
		h.EventSeqs = slices.Repeat([]uint64{seq}, len(h.Events))
		head, err := newestHead(h)
		if err != nil {
			p.err = err
			return
		}
		id := h.CustomerID
		for i := range h.Cells {
			putCell(p.row(insertCells), &h.Cells[i], seq)
		}
		for i := range h.Purchases {
			putPurchase(p.row(insertPurchases), id, &h.Purchases[i], seq)
		}
		for i := range h.Events {
			putEvent(p.row(insertEvents), &h.Events[i], seq)
		}
		putTouched(p.row(insertTouched), id, seq)
		putHead(p.row(insertHeads), head.Profile, head.From)
	}
}

// makeRoom makes room for the copies of the cells, which are most of what is copied.
func (p *prepared) makeRoom(some []*features.History) {
	if p.copies == nil {
		return
	}
	room := 0
	for _, h := range some {
		room += len(h.Cells)*bytesOfRow + textsOf(h.Cells)
	}
	p.copies[insertCells].buf = make([]byte, 0, room)
}

// row begins a row of a table, and returns what takes its values.
func (p *prepared) row(into bulkInsert) columns {
	if p.copies != nil {
		p.copies[into].begin(p.inserts[into].columns)
		return &p.copies[into]
	}
	p.rows[into] = append(p.rows[into], make(arguments, 0, p.inserts[into].columns))
	return &p.rows[into][len(p.rows[into])-1]
}

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
	for into := range insertCount {
		if p.copies != nil && len(p.copies[into].buf) > 0 {
			if err := b.copy(into, &p.copies[into]); err != nil {
				return err
			}
		}
		for _, row := range p.rows[into] {
			if err := b.bulks[into].add(b.ctx, row...); err != nil {
				return err
			}
		}
	}
	return nil
}

// copy takes rows of newcomers into a PostgreSQL. Their keys cannot be taken, but for an event
// id that somebody else has used meanwhile: then the import fails whole.
func (b *batch) copy(into bulkInsert, rows *copyRows) error {
	return b.conn.Raw(func(driver any) error {
		conn, ok := driver.(*stdlib.Conn)
		if !ok {
			return errNoDriver
		}
		_, err := conn.Conn().PgConn().CopyFrom(b.ctx, rows.stream(), "COPY "+b.store.dialect.inserts[into].into+" FROM STDIN BINARY")
		return err
	})
}

// The columns of rows that are written one by one too.
const (
	cellWidth     = 13
	purchaseWidth = 6
	eventWidth    = 10
	headWidth     = 4
)

func cellRow(c *features.Cell, seq uint64) []any {
	row := make(arguments, 0, cellWidth)
	putCell(&row, c, seq)
	return row
}

func purchaseRow(id string, p *fund.Purchase, seq uint64) []any {
	row := make(arguments, 0, purchaseWidth)
	putPurchase(&row, id, p, seq)
	return row
}

func eventRowOf(e *features.Event, seq uint64) []any {
	row := make(arguments, 0, eventWidth)
	putEvent(&row, e, seq)
	return row
}

func headRowOf(p *fund.Profile, from fund.Instant) []any {
	row := make(arguments, 0, headWidth)
	putHead(&row, p, from)
	return row
}

func putCell(to columns, c *features.Cell, seq uint64) {
	to.text(c.CustomerID)
	to.text(string(c.View))
	to.text(c.Name)
	to.number(int64(c.EventAt))
	to.number(int64(c.KnownAt))
	to.number(int64(c.SourceSeq))
	to.digest(c)
	to.text(c.Value)
	to.number(int64(c.ValidTo))
	to.flag(c.Tombstone)
	to.text(c.Source)
	to.text(c.Purpose)
	to.number(int64(seq))
}

func putPurchase(to columns, id string, p *fund.Purchase, seq uint64) {
	to.text(id)
	to.text(p.ProductCode)
	to.day(p.KnownOn)
	to.text(p.Kind)
	to.number(int64(seq))
	to.number(int64(p.Amount))
}

func putEvent(to columns, e *features.Event, seq uint64) {
	to.text(e.CustomerID)
	to.number(int64(e.EventAt))
	to.text(e.ID)
	to.text(e.Kind)
	to.number(int64(e.KnownAt))
	to.text(e.ProductCode)
	to.text(e.DecisionID)
	to.text(e.Channel)
	to.text(e.Attributes)
	to.number(int64(seq))
}

func putTouched(to columns, id string, seq uint64) {
	to.number(int64(seq))
	to.text(id)
}

func putHead(to columns, p *fund.Profile, from fund.Instant) {
	to.text(p.CustomerID)
	to.number(int64(p.Revision))
	to.number(int64(from))
	to.bytes(fund.AppendProfile(nil, p))
}
