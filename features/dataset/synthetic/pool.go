package synthetic

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// listing is a product and what the model knows of it beyond its row.
type listing struct {
	product    fund.Product
	style      styleID
	theme      int // index of themes; -1: none
	path       path
	popularity float64   // weight among the products of its style
	from, to   fund.Date // customers could buy it in [from, to); from unknown: never
}

// sellable reports whether customers could buy the product on an open day of the past.
func (l *listing) sellable(day fund.Date) bool { return l.from != 0 && day >= l.from && day < l.to }

// pool is everything that the bank lists, in code order.
type pool struct {
	market   *market
	listings []*listing
	byStyle  [styleCount]shelf
	launches []int // listings in order of launch, for those who chase new issues
}

// shelf are the listings of one style that could ever be bought, most popular chosen
// most often.
type shelf struct {
	members    []int
	cumulative []float64
}

// pick returns a listing of the shelf by popularity, -1 when it is empty.
func (h *shelf) pick(s stream) int {
	if len(h.members) == 0 {
		return -1
	}
	x := float64(s.float() * h.cumulative[len(h.cumulative)-1])
	i, _ := slices.BinarySearch(h.cumulative, x)
	return h.members[min(i, len(h.members)-1)]
}

// newPool invents the products: the anchors, then funds until the number is reached.
func newPool(opts Options, m *market) *pool {
	b := &poolBuilder{opts: opts, market: m, names: map[string]int{}}
	for i := range anchors {
		b.addAnchor(i)
	}
	drawn := opts.Products
	if drawn >= MinProducts+len(ruled) {
		drawn -= len(ruled)
	}
	for index := 0; len(b.listings) < drawn; index++ {
		b.addFund(index)
	}
	b.listings = b.listings[:drawn]
	for i := range opts.Products - drawn {
		b.addRuled(i)
	}
	p := &pool{market: m, listings: b.listings}
	slices.SortFunc(p.listings, func(x, y *listing) int { return cmp.Compare(x.product.Code, y.product.Code) })
	p.shelve()
	return p
}

// shelve builds the indices by which customers choose.
func (p *pool) shelve() {
	for i, l := range p.listings {
		if l.from == 0 {
			continue
		}
		shelf := &p.byStyle[l.style]
		total := l.popularity
		if n := len(shelf.cumulative); n > 0 {
			total += shelf.cumulative[n-1]
		}
		shelf.members = append(shelf.members, i)
		shelf.cumulative = append(shelf.cumulative, total)
		if l.product.Terms.LaunchedOn >= p.market.days[0] {
			p.launches = append(p.launches, i)
		}
	}
	slices.SortFunc(p.launches, func(x, y int) int {
		return cmp.Or(cmp.Compare(p.launch(x), p.launch(y)), cmp.Compare(x, y))
	})
}

func (p *pool) launch(i int) fund.Date { return p.listings[i].product.Terms.LaunchedOn }

// launchedWithin lists the products that were launched in [from, to).
func (p *pool) launchedWithin(from, to fund.Date) []int {
	first, _ := slices.BinarySearchFunc(p.launches, from, func(i int, d fund.Date) int { return cmp.Compare(p.launch(i), d) })
	last, _ := slices.BinarySearchFunc(p.launches, to, func(i int, d fund.Date) int { return cmp.Compare(p.launch(i), d) })
	return p.launches[first:last]
}

// priceOn returns the value in ten-thousandths at which a share was bought on an open
// day, by its index: par before the first value, 0 when there was none.
func (p *pool) priceOn(l *listing, day int) int32 {
	if day < l.path.first {
		return 10_000
	}
	return l.path.unitAt(day)
}

// poolBuilder makes the listings one fund after another.
type poolBuilder struct {
	opts     Options
	market   *market
	listings []*listing
	names    map[string]int // how often a name was taken
	codes    [4]int         // the last number given, by kind of code
}

// code returns the next code: six digits in a range without public funds, or a letter
// that says what the product is.
func (b *poolBuilder) code(kind fund.Kind) string {
	var series int
	var format string
	switch kind {
	case fund.OwnProduct:
		series, format = 1, "W%05d"
	case fund.PrivateFund:
		series, format = 2, "S%05d"
	case fund.Trust:
		series, format = 3, "T%05d"
	default:
		series, format = 0, "%06d"
	}
	if b.codes[series] == 0 {
		b.codes[series] = 90_000
		if series == 0 {
			b.codes[series] = 900_000
		}
	}
	b.codes[series]++
	return fmt.Sprintf(format, b.codes[series])
}

// uniqueName numbers a name that was taken before.
func (b *poolBuilder) uniqueName(stem, rest string) string {
	b.names[stem+rest]++
	if n := b.names[stem+rest]; n > 1 {
		return fmt.Sprintf("%s%d号%s", stem, n, rest)
	}
	return stem + rest
}

// addFund draws a fund of the pool's composition and lists its share classes.
func (b *poolBuilder) addFund(index int) {
	s := newStream(b.opts.Seed, fundStream, index)
	d := drawFund(s, drawStyle(s, index), b.market)
	b.list(d, s)
}

// The cycle in which products that are no public funds stand among the others: about
// one in fifteen is the bank's own, one in fifty each is a private fund and a trust.
const otherCycle = 47

// drawStyle chooses the style of a fund.
func drawStyle(s stream, index int) styleID {
	switch index % otherCycle {
	case 5, 12, 19, 26, 33, 40:
		return ownStyle
	case 9:
		return privateStyle
	case 23:
		return trustStyle
	}
	var weights [styleCount]float64
	for i := range styles {
		weights[i] = styles[i].share
	}
	return styleID(s.pick(weights[:]))
}

// list makes the listings of a drafted fund: one a share class.
func (b *poolBuilder) list(d *draft, s stream) {
	st := &styles[d.style]
	d.name = b.uniqueName(d.issuerStem+choose(s, st.stems), d.nameRest())
	shared := b.market.fundPath(b.opts.Seed, len(b.listings), d, st)
	parent := ""
	for _, class := range d.classes {
		kind := st.kind
		if class == "Y" {
			kind = fund.PensionFund
		}
		l := &listing{style: d.style, theme: d.theme, path: b.market.noPath()}
		l.product = d.product(class, b.code(kind))
		if len(d.classes) > 1 {
			parent = cmp.Or(parent, l.product.Code)
			l.product.ParentCode = parent
		}
		if shared != nil {
			l.path = b.market.classPath(shared, &l.product.Fees)
		}
		b.offer(l, newStream(b.opts.Seed, classStream, len(b.listings)))
		b.listings = append(b.listings, l)
	}
}

// offer says how much customers wanted a product, and when they could buy it.
func (b *poolBuilder) offer(l *listing, s stream) {
	l.popularity = s.quantile([]float64{1, 1.5, 2, 3, 5, 9, 18, 60})
	if l.product.ShareClass == "C" {
		l.popularity *= 0.7
	}
	kind := l.product.Listing.Kind
	if kind.HasEntryConditions() || l.product.Listing.PoolFrom > b.opts.AsOf {
		return
	}
	l.from = max(l.product.Terms.LaunchedOn, l.product.Listing.PoolFrom)
	l.to = b.opts.AsOf
	if l.product.Listing.PoolTo != 0 {
		l.to = min(l.to, l.product.Listing.PoolTo)
	}
}
