package synthetic

import (
	"fmt"
	"iter"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
)

// chunkCustomers is how many customers are made, written or loaded at a time.
const chunkCustomers = 256

// Load puts the bank into a batch: what WriteFolder followed by an import of the folder
// would put there. Errors are the batch's.
func (b *Bank) Load(to features.Batch) error {
	if err := b.loadPool(to); err != nil {
		return fmt.Errorf("load the demo bank's pool: %w", err)
	}
	var l loading
	for from := 0; from < b.opts.Customers; from += chunkCustomers {
		l.reset()
		for i := from; i < min(from+chunkCustomers, b.opts.Customers); i++ {
			l.add(b.Customer(i))
		}
		if err := l.put(to); err != nil {
			return fmt.Errorf("load the demo bank's customers %d to %d: %w", from, from+chunkCustomers-1, err)
		}
	}
	return nil
}

// loadPool loads all that is not a customer's.
func (b *Bank) loadPool(to features.Batch) error {
	if err := to.Products(slices.Collect(b.Products())); err != nil {
		return err
	}
	if err := to.Calendar(slices.Collect(b.Calendar())); err != nil {
		return err
	}
	if err := to.Branches(slices.Clone(b.Branches())); err != nil {
		return err
	}
	if err := to.Managers(b.Managers()); err != nil {
		return err
	}
	for code, navs := range b.NAVs() {
		if err := to.NAVs(code, navs); err != nil {
			return err
		}
	}
	return nil
}

// loading gathers the rows of some customers.
type loading struct {
	cells     []features.Cell
	purchases []features.CustomerPurchase
	events    []features.Event
}

func (l *loading) reset() {
	l.cells, l.purchases, l.events = l.cells[:0], l.purchases[:0], l.events[:0]
}

// add gathers the rows of one customer.
func (l *loading) add(r *Record) {
	l.cells = r.Customer.AppendCells(l.cells)
	l.cells = appendAll(l.cells, r.Assessments, (*dataset.AssessmentRow).AppendCells)
	l.cells = appendAll(l.cells, r.Consents, (*dataset.ConsentRow).AppendCells)
	l.cells = appendAll(l.cells, r.Tags, (*dataset.TagRow).AppendCells)
	l.cells = appendAll(l.cells, r.Holdings, (*dataset.HoldingRow).AppendCells)
	l.purchases = append(l.purchases, r.Interactions...)
	l.events = append(l.events, r.Events...)
}

func appendAll[T any](dst []features.Cell, rows []T, appendCells func(*T, []features.Cell) []features.Cell) []features.Cell {
	for i := range rows {
		dst = appendCells(&rows[i], dst)
	}
	return dst
}

func (l *loading) put(to features.Batch) error {
	if err := to.Cells(l.cells); err != nil {
		return err
	}
	if err := to.Purchases(l.purchases); err != nil {
		return err
	}
	return to.Events(l.events)
}

// navRows returns the rows of nav.csv.
func (b *Bank) navRows() iter.Seq[dataset.NAVRow] {
	return func(yield func(dataset.NAVRow) bool) {
		for code, navs := range b.NAVs() {
			for _, nav := range navs {
				if !yield(dataset.NAVRow{ProductCode: code, NAV: nav}) {
					return
				}
			}
		}
	}
}
