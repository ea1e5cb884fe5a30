package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Import is features.Importer. Its commit waits for the disk; other writes may lose
// their last instants when the power fails, but never half of one.
func (s *Store) Import(ctx context.Context, at fund.Instant, fill func(features.Batch) error) (res features.ImportResult, err error) {
	var filled error
	err = s.importing(ctx, func(tx *sqlx.Tx, conn *sqlx.Conn) error {
		b, err := s.newBatch(ctx, tx, conn, at)
		if err != nil {
			return final{err}
		}
		filled = fill(b)
		if filled != nil {
			return final{filled}
		}
		if res, err = b.end(); err != nil {
			return final{err} // the rows come once: nothing is there to try again with
		}
		return nil
	})
	switch {
	case filled != nil:
		return features.ImportResult{}, filled
	case err != nil:
		return features.ImportResult{}, fail(ctx, "import", err)
	}
	return res, nil
}

// batch takes the rows of one import.
type batch struct {
	*unit
	at        fund.Instant        // when the pool is published
	conn      *sqlx.Conn          // of the transaction, for COPY; nil: the database has none
	known     map[string]struct{} // some of the customers who got cells in this import
	newcomers newcomers
	stored    presence
	pool      map[string][]byte // code to canonical bytes; nil: not read yet
	poolMoved bool
	navs      series
	days      map[fund.Date]bool // nil: not read yet
	early     int64              // facts that came too early
}

// presence says which tables had rows before the import. Where one had none, nothing
// has to be looked up.
type presence struct{ cells, purchases, navs, events bool }

// series is what is known of one product's NAVs.
type series struct {
	code   string
	newest map[fund.Date]fund.NAV
	seen   map[string]struct{} // the products that came in this import
}

func (s *Store) newBatch(ctx context.Context, tx *sqlx.Tx, conn *sqlx.Conn, at fund.Instant) (*batch, error) {
	if err := s.lockForImport(ctx, tx); err != nil {
		return nil, err
	}
	u, err := s.newUnit(ctx, tx)
	if err != nil {
		return nil, err
	}
	b := &batch{unit: u, at: at, conn: conn, known: map[string]struct{}{}, navs: series{seen: map[string]struct{}{}}}
	b.newcomers = newcomers{byID: map[string]*features.History{}, were: map[string]struct{}{}}
	for _, q := range [...]struct {
		st  statement
		any *bool
	}{{anyCell, &b.stored.cells}, {anyPurchase, &b.stored.purchases}, {anyNAV, &b.stored.navs}, {anyEvent, &b.stored.events}} {
		if err := tx.Stmtx(s.stmts[q.st]).QueryRowContext(ctx).Scan(q.any); err != nil {
			return nil, err
		}
	}
	b.newcomers.old = b.stored.cells || b.stored.purchases || b.stored.events
	return b, nil
}

// flush writes what is left of the rows.
func (b *batch) flush() error {
	if err := b.settle(); err != nil {
		return err
	}
	return b.unit.flush()
}

// end publishes, writes heads and says what changed.
func (b *batch) end() (features.ImportResult, error) {
	if err := b.flush(); err != nil {
		return features.ImportResult{}, err
	}
	var res features.ImportResult
	if b.poolMoved {
		if err := b.publish(); err != nil {
			return res, err
		}
		res.Published = true
	}
	if b.changed > 0 {
		if err := b.finish(b.at); err != nil {
			return res, err
		}
	}
	res.Changed, res.Quarantined = b.changed, b.early
	r, err := scanPublished(b.tx.QueryRowContext(b.ctx, b.store.dialect.text(selectPublished)))
	if errors.Is(err, features.ErrNoPool) {
		return res, nil
	}
	res.Revision = r
	return res, err
}

// candidate is the revision that the merged products would be.
func (b *batch) candidate(ctx context.Context) (features.Revision, error) {
	r := features.Revision{PublishedAt: b.at, Seq: b.seq, Products: len(b.pool)}
	err := b.tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(revision), 0) + 1 FROM pool_revisions`).Scan(&r.ID)
	if err != nil {
		return features.Revision{}, err
	}
	hash := sha256.New()
	for _, code := range slices.Sorted(maps.Keys(b.pool)) {
		hash.Write(b.pool[code])
	}
	hash.Sum(r.Hash[:0])
	return r, nil
}

// publish writes the merged products as the next revision.
func (b *batch) publish() error {
	r, err := b.candidate(b.ctx)
	if err != nil {
		return err
	}
	revision := signed(r.ID)
	if _, err := b.tx.Stmtx(b.store.stmts[insertRevision]).ExecContext(b.ctx, revision, r.Hash[:], int64(r.PublishedAt), signed(r.Seq), r.Products); err != nil {
		return err
	}
	for _, code := range slices.Sorted(maps.Keys(b.pool)) {
		if err := b.bulks[insertProducts].add(b.ctx, revision, code, b.pool[code]); err != nil {
			return err
		}
	}
	return b.bulks[insertProducts].flush(b.ctx)
}

// HasProduct reports whether a product is in the pool in force or came in this import.
func (b *batch) HasProduct(code string) (bool, error) {
	if err := b.readPool(); err != nil {
		return false, fail(b.ctx, "import", err)
	}
	_, ok := b.pool[code]
	return ok, nil
}

// HasCustomer reports whether a customer is in the store or got a cell in this import.
func (b *batch) HasCustomer(id string) (bool, error) {
	if _, ok := b.known[id]; ok {
		return true, nil
	}
	if h, ok := b.newcomers.byID[id]; ok {
		return len(h.Cells) > 0, nil
	}
	if !b.newcomers.old {
		return false, nil
	}
	err := b.bulks[insertCells].flush(b.ctx)
	var has bool
	if err == nil {
		err = b.tx.Stmtx(b.store.stmts[storedCustomer]).QueryRowContext(b.ctx, id, int64(b.seq), id).Scan(&has)
	}
	if has {
		b.remember(id)
	}
	return has, fail(b.ctx, "import", err)
}

func (b *batch) remember(id string) {
	if len(b.known) >= maxTouched {
		clear(b.known)
	}
	b.known[id] = struct{}{}
}

// readPool reads the products in force, once.
func (b *batch) readPool() error {
	if b.pool != nil {
		return nil
	}
	b.pool = map[string][]byte{}
	return each(b.ctx, b.tx.Stmtx(b.store.stmts[storedPool]), func(rows *sqlx.Rows) error {
		var code string
		var product []byte
		err := rows.Scan(&code, &product)
		b.pool[code] = product
		return err
	})
}

// Products is features.Batch.
func (b *batch) Products(rows []fund.Product) error {
	if err := b.readPool(); err != nil {
		return fail(b.ctx, "import products", err)
	}
	for i := range rows {
		if err := features.CheckProduct(&rows[i]); err != nil {
			return err
		}
		encoded := fund.AppendProduct(nil, &rows[i])
		if old, ok := b.pool[rows[i].Code]; ok && bytes.Equal(old, encoded) {
			continue
		}
		b.pool[rows[i].Code] = encoded
		b.poolMoved = true
		b.changedMarket()
	}
	return b.ctx.Err()
}

func (b *batch) changedMarket() {
	b.changed++
	b.market = true
}

// NAVs is features.Batch.
func (b *batch) NAVs(productCode string, rows []fund.NAV) error {
	if err := b.readSeries(productCode); err != nil {
		return fail(b.ctx, "import NAVs of "+productCode, err)
	}
	for _, n := range rows {
		if err := features.CheckNAV(productCode, n); err != nil {
			return err
		}
		if b.navs.newest[n.Date] == n {
			continue
		}
		b.navs.newest[n.Date] = n
		b.changedMarket()
		if err := b.bulks[insertNAVs].add(b.ctx, productCode, int64(n.Date), int64(b.seq), n.Unit, n.Accum); err != nil {
			return fail(b.ctx, "import NAVs of "+productCode, err)
		}
	}
	return nil
}

// readSeries makes navs speak of a product.
func (b *batch) readSeries(code string) error {
	if b.navs.code == code && b.navs.newest != nil {
		return nil
	}
	b.navs.code, b.navs.newest = code, map[fund.Date]fund.NAV{}
	_, again := b.navs.seen[code]
	b.navs.seen[code] = struct{}{}
	if !again && !b.stored.navs {
		return nil
	}
	if again {
		if err := b.bulks[insertNAVs].flush(b.ctx); err != nil {
			return err
		}
	}
	return each(b.ctx, b.tx.Stmtx(b.store.stmts[storedNAVs]), func(rows *sqlx.Rows) error {
		var n fund.NAV
		err := rows.Scan(&n.Date, &n.Unit, &n.Accum)
		b.navs.newest[n.Date] = n
		return err
	}, code)
}

// Calendar is features.Batch.
func (b *batch) Calendar(rows []features.CalendarDay) (err error) {
	if b.days == nil {
		if b.days, err = calendarDays(b.ctx, b.tx.Stmtx(b.store.stmts[storedCalendar])); err != nil {
			return fail(b.ctx, "import the calendar", err)
		}
	}
	for _, d := range rows {
		if err := d.Check(); err != nil {
			return err
		}
		if open, ok := b.days[d.Date]; ok && open == d.Open {
			continue
		}
		b.days[d.Date] = d.Open
		b.changedMarket()
		if _, err := b.tx.Stmtx(b.store.stmts[upsertCalendarDay]).ExecContext(b.ctx, int64(d.Date), int64(b.seq), d.Open); err != nil {
			return fail(b.ctx, "import the calendar", err)
		}
	}
	return nil
}

// Cells is features.Batch.
func (b *batch) Cells(rows []features.Cell) error {
	for i := range rows {
		if err := rows[i].CheckImported(); err != nil {
			return err
		}
	}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].CustomerID == rows[0].CustomerID {
			n++
		}
		if err := b.cellsOf(rows[0].CustomerID, rows[:n]); err != nil {
			return fail(b.ctx, "import customer "+rows[0].CustomerID, err)
		}
		rows = rows[n:]
	}
	return nil
}

// cellsOf merges cells of one customer with what is stored of him, or came of a newcomer.
func (b *batch) cellsOf(id string, rows []features.Cell) error {
	rows, early := features.TakeImported(rows, b.at)
	if err := b.setAside(early...); err != nil {
		return err
	}
	if len(rows) == 0 {
		return nil
	}
	h, err := b.newcomer(id)
	if err != nil {
		return err
	}
	if h != nil {
		added := features.MergeImported(h.Cells, rows, b.seq)
		h.Cells = append(h.Cells, added...)
		b.changed += int64(len(added))
		return b.grew(len(added), textsOf(added))
	}
	stored := newGathering([]string{id})
	if err := b.bulks[insertCells].flush(b.ctx); err != nil {
		return err
	}
	if err := eachCell(b.ctx, b.tx.Stmtx(b.store.stmts[storedCells]), stored.addCell, id); err != nil {
		return err
	}
	added := features.MergeImported(stored.histories[0].Cells, rows, b.seq)
	if len(added) == 0 {
		return nil
	}
	b.remember(id)
	b.changed += int64(len(added))
	if err := b.addCells(added); err != nil {
		return err
	}
	return b.touch(id)
}

// setAside counts and keeps facts that came too early.
func (b *batch) setAside(facts ...features.QuarantinedFact) error {
	b.early += int64(len(facts))
	return b.keepEarly(facts...)
}

// Purchases is features.Batch.
func (b *batch) Purchases(rows []features.CustomerPurchase) error {
	for i := range rows {
		p := &rows[i]
		if err := p.Check(); err != nil {
			return err
		}
		if err := b.purchase(p); err != nil {
			return fail(b.ctx, "import interactions of "+p.CustomerID, err)
		}
	}
	return nil
}

func (b *batch) purchase(p *features.CustomerPurchase) error {
	if p.Ahead(b.at) {
		return b.setAside(p.Quarantined(b.at))
	}
	h, err := b.newcomer(p.CustomerID)
	if err != nil {
		return err
	}
	if h != nil {
		b.changedMarket()
		h.Purchases = append(h.Purchases, p.Purchase)
		return b.grew(1, len(p.ProductCode))
	}
	if known, err := b.knownPurchase(p); known || err != nil {
		return err
	}
	b.changedMarket()
	if err := b.bulks[insertPurchases].add(b.ctx, purchaseRow(p.CustomerID, &p.Purchase, b.seq)...); err != nil {
		return err
	}
	return b.touch(p.CustomerID)
}

// knownPurchase reports whether the purchase stands in the store with this amount.
func (b *batch) knownPurchase(p *features.CustomerPurchase) (bool, error) {
	if !b.stored.purchases {
		return false, nil
	}
	var amount fund.Money
	err := b.tx.Stmtx(b.store.stmts[storedPurchase]).QueryRowContext(b.ctx, p.CustomerID, p.ProductCode, int64(p.KnownOn), p.Kind).Scan(&amount)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil && amount == p.Amount, err
}

// Managers is features.Batch.
func (b *batch) Managers(rows []features.Manager) error {
	for _, m := range rows {
		if err := m.Check(); err != nil {
			return err
		}
		if err := b.upsert(upsertManager, m.ID, m.BranchID, m.LicenceID, int64(m.LicenceUntil), int64(b.seq)); err != nil {
			return err
		}
	}
	return nil
}

// Branches is features.Batch.
func (b *batch) Branches(rows []features.Branch) error {
	for _, r := range rows {
		if err := r.Check(); err != nil {
			return err
		}
		if err := b.upsert(upsertBranch, r.ID, r.Name, r.Region, r.ParentID, int64(b.seq)); err != nil {
			return err
		}
	}
	return nil
}

// upsert writes a row when it is new or different, and counts it.
func (b *batch) upsert(st statement, args ...any) error {
	res, err := b.tx.Stmtx(b.store.stmts[st]).ExecContext(b.ctx, args...)
	if err != nil {
		return fail(b.ctx, "import", err)
	}
	n, err := res.RowsAffected()
	b.changed += n
	return fail(b.ctx, "import", err)
}
