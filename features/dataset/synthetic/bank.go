package synthetic

import (
	"iter"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Bank is an invented bank: its pool, market and network in memory, its customers made
// when they are asked for. It does not change, and is safe for concurrent use.
type Bank struct {
	opts    Options
	market  *market
	pool    *pool
	network *network
}

// Generate invents the bank of the options. Errors wrap ErrOptions. Memory is that of
// the pool and its values, some 6 kB a product, and does not grow with the customers.
func Generate(opts Options) (*Bank, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	m := newMarket(opts.Seed, opts.AsOf)
	return &Bank{opts: opts, market: m, pool: newPool(opts, m), network: newNetwork(opts)}, nil
}

// Options returns the options with their defaults filled in.
func (b *Bank) Options() Options { return b.opts }

// Customers returns the number of customers, the story customers included.
func (b *Bank) Customers() int { return b.opts.Customers }

// Record is everything that the bank's files say of one customer: his rows in each, in
// the order of the files.
type Record struct {
	Customer     dataset.CustomerRow
	Assessments  []dataset.AssessmentRow
	Consents     []dataset.ConsentRow
	Tags         []dataset.TagRow
	Holdings     []dataset.HoldingRow
	Interactions []features.CustomerPurchase
	Events       []features.Event
}

// Customer returns the rows of the customer of an index in [0, Customers()): the same
// for the same options, whoever was asked for before. The first are the story customers.
func (b *Bank) Customer(index int) *Record {
	if index < len(stories) {
		return b.tellStory(index)
	}
	s := newStream(b.opts.Seed, customerStream, index)
	row, p := b.drawCustomer(s, index)
	l := newLife(b, index, s, row, p)
	l.live()
	l.show(index)
	return l.settle()
}

// Products returns the pool's rows in code order.
func (b *Bank) Products() iter.Seq[fund.Product] {
	return func(yield func(fund.Product) bool) {
		for _, l := range b.pool.listings {
			if !yield(l.product) {
				return
			}
		}
	}
}

// NAVs returns the values of each product that has any, in code order, by date. The
// slice is reused for the next product.
func (b *Bank) NAVs() iter.Seq2[string, []fund.NAV] {
	return func(yield func(string, []fund.NAV) bool) {
		var navs []fund.NAV
		for _, l := range b.pool.listings {
			navs = l.path.navs(navs[:0], b.market.days)
			if len(navs) > 0 && !yield(l.product.Code, navs) {
				return
			}
		}
	}
}

// Calendar returns every day from the first value to some 400 days after as-of.
func (b *Bank) Calendar() iter.Seq[features.CalendarDay] {
	return func(yield func(features.CalendarDay) bool) {
		from, to := b.opts.AsOf.AddDays(-historyDays), b.opts.AsOf.AddDays(calendarDays)
		for d := from; d < to; d = d.AddDays(1) {
			if !yield(features.CalendarDay{Date: d, Open: isOpen(d)}) {
				return
			}
		}
	}
}

// Branches returns head office, the regions and the outlets.
func (b *Bank) Branches() []features.Branch { return b.network.branches }

// Managers returns the relationship managers by id.
func (b *Bank) Managers() []features.Manager {
	rows := make([]features.Manager, len(b.network.managers))
	for i := range b.network.managers {
		rows[i] = b.network.managers[i].row
	}
	return rows
}
