package memory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// batch takes rows beside the store: nothing is seen before commit.
type batch struct {
	ctx      context.Context // of the one Import that the batch lives in
	at       fund.Instant    // when the pool is published
	store    *Store
	seq      uint64 // what the import gets when it changes anything
	rows     int64  // new or different
	market   bool   // pool or market data changed
	people   map[string]*customer
	pool     map[string]fund.Product // nil: not touched
	navs     map[string][]dated[fund.NAV]
	calendar []dated[features.CalendarDay]
	events   map[string]features.Event
	manager  map[string]features.Manager
	branch   map[string]features.Branch
	early    []features.QuarantinedFact
}

// Import is features.Importer.
func (s *Store) Import(ctx context.Context, at fund.Instant, fill func(features.Batch) error) (features.ImportResult, error) {
	if err := s.lockWriting(ctx); err != nil {
		return features.ImportResult{}, err
	}
	defer s.unlockWriting()
	b := &batch{
		ctx: ctx, at: at, store: s, seq: s.seq + 1, people: map[string]*customer{}, navs: map[string][]dated[fund.NAV]{},
		calendar: slices.Clip(s.market.calendar), events: map[string]features.Event{}, manager: map[string]features.Manager{},
		branch: map[string]features.Branch{},
	}
	if err := fill(b); err != nil {
		return features.ImportResult{}, err
	}
	for _, id := range slices.Sorted(maps.Keys(b.people)) {
		if err := b.people[id].rebuild(id); err != nil {
			return features.ImportResult{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return features.ImportResult{}, err
	}
	return s.commitImport(b), nil
}

func (s *Store) commitImport(b *batch) features.ImportResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := features.ImportResult{Changed: b.rows, Quarantined: int64(len(b.early))}
	s.people.keepEarly(b.early)
	if b.rows > 0 {
		s.seq = b.seq
	}
	if b.market {
		s.market.seq = b.seq
	}
	for _, id := range slices.Sorted(maps.Keys(b.people)) {
		s.people.byID[id] = b.people[id]
		s.people.log(id)
	}
	s.people.ids = slices.Sorted(maps.Keys(s.people.byID))
	maps.Copy(s.market.navs, b.navs)
	s.market.calendar = b.calendar
	maps.Copy(s.people.events, b.events)
	maps.Copy(s.people.manager, b.manager)
	maps.Copy(s.people.branch, b.branch)
	res.Published = b.pool != nil && s.publish(b.at, b.pool)
	if res.Revision = s.market.inForce; res.Revision.ID != 0 {
		res.Revision.Seq = s.market.seq
	}
	return res
}

// Preview is features.Previewer: another store, to which the import so far is committed.
func (b *batch) Preview() (features.Pools, error) {
	if err := b.store.Ping(b.ctx); err != nil {
		return nil, err
	}
	shown := New()
	shown.seq, shown.market = b.store.seq, b.store.market
	shown.market.revisions = maps.Clone(b.store.market.revisions)
	shown.market.navs = maps.Clone(b.store.market.navs)
	shown.people.byID, shown.people.nameless = maps.Clone(b.store.people.byID), b.store.people.nameless
	shown.commitImport(b)
	return shown, nil
}

// publish makes the products the pool in force when they differ from it.
func (s *Store) publish(at fund.Instant, pool map[string]fund.Product) bool {
	products := slices.SortedFunc(maps.Values(pool), func(a, b fund.Product) int { return strings.Compare(a.Code, b.Code) })
	var canonical []byte
	for i := range products {
		canonical = fund.AppendProduct(canonical, &products[i])
	}
	hash := sha256.Sum256(canonical)
	if s.market.inForce.ID != 0 && hash == s.market.inForce.Hash {
		return false
	}
	s.market.inForce = features.Revision{ID: s.market.inForce.ID + 1, Hash: hash, PublishedAt: at, Products: len(products)}
	s.market.revisions[s.market.inForce.ID] = products
	return true
}

// HasProduct reports whether a product is in the pool in force or came in this import.
func (b *batch) HasProduct(code string) (bool, error) {
	_, ok := b.merged()[code]
	return ok, nil
}

// HasCustomer reports whether a customer is in the store or got a cell in this import.
func (b *batch) HasCustomer(id string) (bool, error) {
	if c, ok := b.people[id]; ok && len(c.cells) > 0 {
		return true, nil
	}
	_, ok := b.store.people.byID[id]
	return ok, nil
}

func (b *batch) merged() map[string]fund.Product {
	if b.pool == nil {
		b.pool = map[string]fund.Product{}
		for _, p := range b.store.market.revisions[b.store.market.inForce.ID] {
			b.pool[p.Code] = p
		}
	}
	return b.pool
}

// Products is features.Batch.
func (b *batch) Products(rows []fund.Product) error {
	for i := range rows {
		if err := features.CheckProduct(&rows[i]); err != nil {
			return err
		}
		now := fund.AppendProduct(nil, &rows[i])
		old, ok := b.merged()[rows[i].Code]
		if ok && bytes.Equal(fund.AppendProduct(nil, &old), now) {
			continue
		}
		kept, err := fund.ParseProduct(now) // a copy: the caller may use his slices again
		if err != nil {
			return err
		}
		b.pool[kept.Code] = *kept
		b.rows++
		b.market = true
	}
	return b.ctx.Err()
}

// NAVs is features.Batch.
func (b *batch) NAVs(productCode string, rows []fund.NAV) error {
	series, ok := b.navs[productCode]
	if !ok {
		series = slices.Clone(b.store.market.navs[productCode])
	}
	newest := map[fund.Date]fund.NAV{}
	for _, d := range series {
		newest[d.value.Date] = d.value
	}
	for _, n := range rows {
		if err := features.CheckNAV(productCode, n); err != nil {
			return err
		}
		if newest[n.Date] == n {
			continue
		}
		newest[n.Date] = n
		series = append(series, dated[fund.NAV]{n, b.seq})
		b.rows++
		b.market = true
	}
	b.navs[productCode] = series
	return b.ctx.Err()
}

// Calendar is features.Batch.
func (b *batch) Calendar(rows []features.CalendarDay) error {
	newest := map[fund.Date]features.CalendarDay{}
	for _, d := range b.calendar {
		newest[d.value.Date] = d.value
	}
	for _, d := range rows {
		if err := d.Check(); err != nil {
			return err
		}
		if newest[d.Date] == d {
			continue
		}
		newest[d.Date] = d
		b.calendar = append(b.calendar, dated[features.CalendarDay]{d, b.seq})
		b.rows++
		b.market = true
	}
	return b.ctx.Err()
}

// Cells is features.Batch.
func (b *batch) Cells(rows []features.Cell) error {
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].CustomerID == rows[0].CustomerID {
			n++
		}
		if err := b.cellsOf(rows[0].CustomerID, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return b.ctx.Err()
}

func (b *batch) cellsOf(id string, rows []features.Cell) error {
	for i := range rows {
		if err := rows[i].CheckImported(); err != nil {
			return err
		}
	}
	rows, early := features.TakeImported(rows, b.at)
	b.early = append(b.early, early...)
	c := b.customer(id)
	added := c.addCells(features.MergeImported(c.plainCells(), rows, b.seq), b.seq)
	if added > 0 {
		b.people[id] = c
		b.rows += added
	}
	return nil
}

// customer returns the import's own copy of a customer, new or known.
func (b *batch) customer(id string) *customer {
	if c, ok := b.people[id]; ok {
		return c
	}
	return b.store.people.byID[id].clone()
}

// Purchases is features.Batch.
func (b *batch) Purchases(rows []features.CustomerPurchase) error {
	for i := range rows {
		if err := rows[i].Check(); err != nil {
			return err
		}
		if rows[i].Ahead(b.at) {
			b.early = append(b.early, rows[i].Quarantined(b.at))
			continue
		}
		c := b.customer(rows[i].CustomerID)
		if c.addPurchase(rows[i].Purchase, b.seq) {
			b.people[rows[i].CustomerID] = c
			b.rows++
			b.market = true
		}
	}
	return b.ctx.Err()
}

// Events is features.Batch.
func (b *batch) Events(rows []features.Event) error {
	for i := range rows {
		if err := rows[i].Check(); err != nil {
			return err
		}
		if rows[i].Ahead(b.at) {
			b.early = append(b.early, rows[i].Quarantined(b.at))
			continue
		}
		b.event(rows[i])
	}
	return b.ctx.Err()
}

// event adds an event that is new, or replaces what was said under its id, of whomever.
func (b *batch) event(e features.Event) {
	old, ok := b.events[e.ID]
	if !ok {
		old, ok = b.store.people.events[e.ID]
	}
	if ok && e.Repeats(&old) {
		return
	}
	if ok {
		was := b.customer(old.CustomerID)
		was.removeEvent(&old)
		b.people[old.CustomerID] = was
	}
	c := b.customer(e.CustomerID)
	c.addEvent(e, b.seq)
	b.people[e.CustomerID] = c
	b.events[e.ID] = e
	b.rows++
}

// Managers is features.Batch.
func (b *batch) Managers(rows []features.Manager) error {
	for _, m := range rows {
		if err := m.Check(); err != nil {
			return err
		}
		put(b, b.store.people.manager, b.manager, m.ID, m)
	}
	return b.ctx.Err()
}

// Branches is features.Batch.
func (b *batch) Branches(rows []features.Branch) error {
	for _, r := range rows {
		if err := r.Check(); err != nil {
			return err
		}
		put(b, b.store.people.branch, b.branch, r.ID, r)
	}
	return b.ctx.Err()
}

// put keeps a row that is new or different.
func put[T comparable](b *batch, kept, staged map[string]T, id string, row T) {
	now, ok := staged[id]
	if !ok {
		now, ok = kept[id]
	}
	if !ok || now != row {
		staged[id] = row
		b.rows++
	}
}
