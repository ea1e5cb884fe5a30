package backtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ErrData is wrapped by errors about what a backtest is given; the message names the
// split, customer or product.
var ErrData = errors.New("backtest data refused")

// Customer is a customer of the bank.
type Customer struct {
	ID    string
	Facts Facts
	Level Level
}

// Facts are what is known of a customer always: they have no date.
type Facts struct {
	InvestorType fund.InvestorType
	Segment      string
	Attributes   []fund.Attribute // what else the bank told, by name
}

// Level is a customer's risk level as the folder has it.
type Level struct {
	Level fund.RiskLevel // whatever its source and age: what --permitted obeys
	// AssessedOn is when it was assessed; 0: it is no assessment, and feeds no score ever.
	AssessedOn fund.Date
}

// on is the level that was known on a day.
func (l Level) on(day fund.Date) fund.RiskLevel {
	if l.AssessedOn == 0 || l.AssessedOn > day {
		return fund.LevelUnknown
	}
	return l.Level
}

// Split is one day on which lists are made.
type Split struct {
	Number  int32
	AsOf    fund.Date // what was known on this day may be used
	TestEnd fund.Date
}

// Data is a bank's past: products in the order of their codes, customers in that of their
// ids, splits in that of their numbers. The order of files and rows leaves no trace.
type Data struct {
	products []fund.Product
	ids      []string // of the customers
	facts    []Facts
	levels   []Level
	bought   []interaction // by customer, product; the first time only
	ignored  int64         // interactions of kinds that put nothing into a customer's hands
	splits   []split
}

// interaction is the day on which it became known that a customer bought a product.
type interaction struct {
	customer, product int32
	knownOn           fund.Date
}

// split is a Split with what lists are made of and what they are judged by.
type split struct {
	Split

	candidates []int32 // products, ascending
	wanted     []wish  // by customer
}

// wish is what a customer turned out to want.
type wish struct {
	customer int32
	products []int32 // ascending
}

// Builder gathers the data. Its errors wrap ErrData.
type Builder struct {
	data      Data
	products  map[string]int32
	customers map[string]int32
	splits    map[int32]int32
}

// NewBuilder begins with all products, customers and splits, in any order, each with a
// code, id or number of its own. The slices are the builder's from now on.
func NewBuilder(products []fund.Product, customers []Customer, splits []Split) (*Builder, error) {
	b := &Builder{data: Data{products: products}}
	slices.SortFunc(products, func(a, b fund.Product) int { return strings.Compare(a.Code, b.Code) })
	slices.SortFunc(customers, func(a, b Customer) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(splits, func(a, b Split) int { return cmp.Compare(a.Number, b.Number) })
	b.products = make(map[string]int32, len(products))
	for i := range products {
		b.products[products[i].Code] = int32(i)
	}
	b.customers = make(map[string]int32, len(customers))
	for i := range customers {
		c := &customers[i]
		b.customers[c.ID] = int32(i)
		b.data.ids, b.data.facts, b.data.levels = append(b.data.ids, c.ID), append(b.data.facts, c.Facts), append(b.data.levels, c.Level)
	}
	b.splits = make(map[int32]int32, len(splits))
	for i, s := range splits {
		b.splits[s.Number] = int32(i)
		b.data.splits = append(b.data.splits, split{Split: s})
	}
	if len(b.products) < len(products) || len(b.customers) < len(customers) || len(b.splits) < len(splits) {
		return nil, fmt.Errorf("%w: a product, customer or split stands twice", ErrData)
	}
	return b, nil
}

// Interaction adds what a customer did. Only what puts a product into his hands counts,
// as online (fund.Purchase.Owns); the rest is counted and left out.
func (b *Builder) Interaction(customerID string, p *fund.Purchase) error {
	c, err := b.customer(customerID)
	if err != nil {
		return err
	}
	product, ok := b.products[p.ProductCode]
	if !ok {
		return fmt.Errorf("%w: interaction of customer %s with unknown product %s", ErrData, customerID, p.ProductCode)
	}
	if !p.Owns() {
		b.data.ignored++
		return nil
	}
	b.data.bought = append(b.data.bought, interaction{customer: c, product: product, knownOn: p.KnownOn})
	return nil
}

// Candidates says what the lists of a split are made of.
func (b *Builder) Candidates(number int32, codes []string) error {
	s, err := b.split(number)
	if err != nil {
		return err
	}
	if s.candidates != nil {
		return fmt.Errorf("%w: split %d has candidates twice", ErrData, number)
	}
	s.candidates, err = b.indices(codes)
	return err
}

// Relevant adds what a customer turned out to want after a split's day. Lists of the
// split are made for the customers who are added here.
func (b *Builder) Relevant(number int32, customerID string, codes []string) error {
	s, err := b.split(number)
	if err != nil {
		return err
	}
	c, err := b.customer(customerID)
	if err != nil {
		return err
	}
	products, err := b.indices(codes)
	s.wanted = append(s.wanted, wish{customer: c, products: products})
	return err
}

// Data returns what was gathered. The builder must not be used any more.
func (b *Builder) Data() (*Data, error) {
	d := &b.data
	slices.SortFunc(d.bought, func(x, y interaction) int {
		return cmp.Or(cmp.Compare(x.customer, y.customer), cmp.Compare(x.product, y.product), cmp.Compare(x.knownOn, y.knownOn))
	})
	d.bought = slices.CompactFunc(d.bought, func(x, y interaction) bool { return x.customer == y.customer && x.product == y.product })
	for i := range d.splits {
		s := &d.splits[i]
		slices.SortFunc(s.wanted, func(x, y wish) int { return cmp.Compare(x.customer, y.customer) })
		for j := range s.wanted[:max(0, len(s.wanted)-1)] {
			if c := s.wanted[j].customer; c == s.wanted[j+1].customer {
				return nil, fmt.Errorf("%w: customer %s stands twice in split %d", ErrData, d.ids[c], s.Number)
			}
		}
	}
	return d, nil
}

func (b *Builder) split(number int32) (*split, error) {
	i, ok := b.splits[number]
	if !ok {
		return nil, fmt.Errorf("%w: unknown split %d", ErrData, number)
	}
	return &b.data.splits[i], nil
}

func (b *Builder) customer(id string) (int32, error) {
	c, ok := b.customers[id]
	if !ok {
		return 0, fmt.Errorf("%w: unknown customer %s", ErrData, id)
	}
	return c, nil
}

// indices returns the places of different products, ascending.
func (b *Builder) indices(codes []string) ([]int32, error) {
	out := make([]int32, 0, len(codes))
	for _, code := range codes {
		i, ok := b.products[code]
		if !ok {
			return nil, fmt.Errorf("%w: unknown product %s", ErrData, code)
		}
		out = append(out, i)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// permits reports whether the grade rule allows a product: a product that nobody graded
// is permitted to nobody.
func (d *Data) permits(product int32, upTo fund.RiskGrade) bool {
	grade := d.products[product].Grades.Effective()
	return grade != fund.GradeUnknown && grade <= upTo
}

func (d *Data) countPermitted(products []int32, upTo fund.RiskGrade) (n int) {
	for _, p := range products {
		if d.permits(p, upTo) {
			n++
		}
	}
	return n
}
