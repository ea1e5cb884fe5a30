package dataset

import (
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// postings gathers the rows of holdings.csv that carry a batch_id, wherever they lie in the
// file: a batch counts as a whole, so that nothing of it is handed over before the file ends.
// It holds them in memory, some 150 bytes a row.
type postings struct {
	customers []string            // in the order of their first row
	of        map[string][]*batch // by customer, in the order of their first row
	named     map[[2]string]*batch
}

// batch is all that a file says under one batch_id of one customer.
type batch struct{ lots []fund.Lot }

// take keeps the rows of batches and returns the others, in the place of rows.
func (p *postings) take(rows []HoldingRow) []HoldingRow {
	single := rows[:0]
	for i := range rows {
		if rows[i].BatchID == "" {
			single = append(single, rows[i])
			continue
		}
		p.add(&rows[i])
	}
	return single
}

func (p *postings) add(v *HoldingRow) {
	if p.of == nil {
		p.of, p.named = map[string][]*batch{}, map[[2]string]*batch{}
	}
	name := [2]string{v.CustomerID, v.BatchID}
	b, known := p.named[name]
	if !known {
		b = &batch{}
		p.named[name] = b
		if len(p.of[v.CustomerID]) == 0 {
			p.customers = append(p.customers, v.CustomerID)
		}
		p.of[v.CustomerID] = append(p.of[v.CustomerID], b)
	}
	b.lots = append(b.lots, v.Lot)
}

// put hands the batches over: those of one customer in one call, each a cell whose place
// among them is its SourceSeq, so that the last one in the file is in force.
func (p *postings) put(to features.Batch) error {
	var cells []features.Cell
	for i, id := range p.customers {
		for place, b := range p.of[id] {
			cells = append(cells, b.cell(id, uint64(place)))
		}
		if len(cells) < batchRows && i+1 < len(p.customers) {
			continue
		}
		if err := to.Cells(cells); err != nil {
			return err
		}
		cells = cells[:0]
	}
	return nil
}

// cell returns the batch without a time, which the import gives it. Its lots are in order:
// the same batch is the same cell however the file was sorted.
func (b *batch) cell(customerID string, place uint64) features.Cell {
	slices.SortFunc(b.lots, features.CompareLots)
	lots := make([]features.LotValue, len(b.lots))
	for i := range b.lots {
		lots[i] = features.LotValueOf(b.lots[i])
	}
	return features.Cell{
		CustomerID: customerID, View: features.HoldingsView, Name: features.PostedName, Value: jsonText(lots), SourceSeq: place,
	}
}
