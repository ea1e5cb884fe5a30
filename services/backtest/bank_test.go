package backtest_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/backtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bank is the past of a bank as a test writes it down.
type bank struct {
	products  []fund.Product
	customers []backtest.Customer
	splits    []backtest.Split
	purchases []purchase
	offered   map[int32]string // candidates by split, separated by spaces
	wanted    []wanted
}

type purchase struct {
	customer, product, day, kind string
}

type wanted struct {
	split    int32
	customer string
	products string // separated by spaces
}

func date(t *testing.T, s string) fund.Date {
	t.Helper()
	d, err := fund.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func product(code string, grade fund.RiskGrade) fund.Product {
	return fund.Product{Code: code, Name: code, Type: "Stock", Grades: fund.Grades{Bank: grade}}
}

// data builds what a run needs. The slices are cloned, so that a bank may be used again.
func (b *bank) data(t *testing.T) *backtest.Data {
	t.Helper()
	builder, err := backtest.NewBuilder(append([]fund.Product{}, b.products...), append([]backtest.Customer{}, b.customers...), append([]backtest.Split{}, b.splits...))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.purchases {
		kind := "BUY"
		if p.kind != "" {
			kind = p.kind
		}
		if err := builder.Interaction(p.customer, &fund.Purchase{ProductCode: p.product, KnownOn: date(t, p.day), Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range b.splits {
		if codes, ok := b.offered[s.Number]; ok {
			if err := builder.Candidates(s.Number, strings.Fields(codes)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, w := range b.wanted {
		if err := builder.Relevant(w.split, w.customer, strings.Fields(w.products)); err != nil {
			t.Fatal(err)
		}
	}
	data, err := builder.Data()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// few replicates are enough where nobody looks at an interval.
func few() evaluate.Bootstrap { return evaluate.Bootstrap{Replicates: 20, Seed: 1, Level: .95} }

// runOf runs a bank and returns the lists and the report.
func runOf(t *testing.T, b *bank, config backtest.Config) (string, *backtest.Report) {
	t.Helper()
	if config.Workers == 0 {
		config.Workers = 1
	}
	if config.Bootstrap.Replicates == 0 {
		config.Bootstrap = few()
	}
	var run bytes.Buffer
	report, err := backtest.Run(context.Background(), b.data(t), config, &run)
	if err != nil {
		t.Fatal(err)
	}
	return run.String(), report
}

// smallBank is worked out by hand in TestByHand.
func smallBank(t *testing.T) *bank {
	t.Helper()
	level := func(l fund.RiskLevel, on string) backtest.Level {
		out := backtest.Level{Level: l}
		if on != "" {
			out.AssessedOn = date(t, on)
		}
		return out
	}
	return &bank{
		products: []fund.Product{product("P5", fund.R1), product("P1", fund.R1), product("P2", fund.R2), product("P3", fund.R3), product("P4", fund.R5)},
		customers: []backtest.Customer{
			{ID: "b"},
			{ID: "a", Level: level(fund.C2, "2020-01-05")},
			{ID: "c", Level: level(fund.C5, "")},
			{ID: "d", Level: level(fund.C3, "2020-02-10")},
			{ID: "e"},
		},
		splits: []backtest.Split{
			{Number: 1, AsOf: date(t, "2020-02-14"), TestEnd: date(t, "2020-08-14")},
			{Number: 0, AsOf: date(t, "2020-01-31"), TestEnd: date(t, "2020-07-31")},
		},
		purchases: []purchase{
			{"a", "P1", "2020-01-01", ""},
			{"b", "P1", "2020-01-01", ""},
			{"b", "P2", "2020-01-31", ""}, // known on the very day of split 0
			{"c", "P2", "2020-01-01", ""},
			{"c", "P3", "2020-01-02", ""},
			{"d", "P3", "2020-01-03", ""},
			{"d", "P1", "2020-01-03", ""},
			{"d", "P1", "2020-02-03", ""}, // again: still one buyer
			{"e", "P4", "2020-01-04", ""},
			{"a", "P2", "2020-02-01", ""}, // known in split 1 only
			{"e", "P5", "2020-01-04", "REDEEM"},
		},
		offered: map[int32]string{0: "P1 P2 P3 P4 P5", 1: "P4 P3 P1"},
		wanted: []wanted{
			{0, "a", "P2"},
			{0, "b", "P4 P5"},
			{0, "c", ""},
			{1, "b", "P3"},
			{1, "d", "P4 P2"},
		},
	}
}

// randomBank is large enough for several chunks of customers, and the same for a seed.
func randomBank(t *testing.T, seed uint64, customers int) *bank {
	t.Helper()
	state := seed
	draw := func(n int) int { // splitmix64
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return int((z ^ z>>31) % uint64(n))
	}
	const products = 70
	day := func(n int) string { return date(t, "2020-01-01").AddDays(n).String() }
	b := &bank{offered: map[int32]string{}}
	for p := range products {
		b.products = append(b.products, product(fmt.Sprintf("P%03d", p), fund.RiskGrade(1+draw(5))))
		b.products[p].Type = []string{"Stock", "Bond/Government"}[p%2]
	}
	for c := range customers {
		l := backtest.Level{Level: fund.RiskLevel(draw(6))}
		if l.Level > 0 && draw(4) > 0 {
			l.AssessedOn = date(t, day(draw(120)))
		}
		b.customers = append(b.customers, backtest.Customer{ID: fmt.Sprintf("C%05d", c), Level: l, Facts: backtest.Facts{Segment: fmt.Sprint(draw(3))}})
		for range draw(5) {
			b.purchases = append(b.purchases, purchase{b.customers[c].ID, b.products[draw(products)*draw(products)/products].Code, day(draw(120)), ""})
		}
	}
	for s := range 7 {
		split := backtest.Split{Number: int32(3 * s), AsOf: date(t, day(30+10*s)), TestEnd: date(t, day(200+10*s))}
		b.splits = append(b.splits, split)
		for p := range products {
			if draw(5) > 0 {
				b.offered[split.Number] += " " + b.products[p].Code
			}
		}
		for c := range customers {
			if draw(2) > 0 {
				continue
			}
			w := wanted{split.Number, b.customers[c].ID, ""}
			for range draw(4) {
				if code := b.products[draw(products)].Code; !strings.Contains(w.products, code) {
					w.products += " " + code
				}
			}
			b.wanted = append(b.wanted, w)
		}
	}
	return b
}

// spy is a recommender whose lists show whatever it can read: any change in its history
// changes them.
type spy struct{ name string }

func (s spy) Names() []string { return []string{s.name} }

func (s spy) Train(_ context.Context, h *backtest.History, _ int) ([]backtest.Model, error) {
	sum := fnv.New64a()
	fmt.Fprintln(sum, s.name, h.AsOf(), h.Customers(), h.Buyers())
	for i := range h.Products() {
		fmt.Fprintf(sum, "%+v\n", h.Products()[i])
	}
	for c := range int32(h.Customers()) {
		products, knownOn := h.Bought(c)
		fmt.Fprintln(sum, h.Level(c), *h.Facts(c), products, knownOn)
		// What lies behind a slice must not be the future either.
		fmt.Fprintln(sum, products[:cap(products)], knownOn[:cap(knownOn)])
	}
	return []backtest.Model{spied{sum.Sum64()}}, nil
}

type spied struct{ seen uint64 }

func (s spied) Ranker() backtest.Ranker { return s }

// Rank lists the permitted in an order that depends on all that was seen.
func (s spied) Rank(customer int32, permitted []uint64, k int, dst []int32) []int32 {
	sum := fnv.New64a()
	fmt.Fprintln(sum, s.seen, customer, permitted)
	state := sum.Sum64()
	var all []int32
	for w, word := range permitted {
		for i := range 64 {
			if word>>i&1 == 1 {
				all = append(all, int32(64*w+i))
			}
		}
	}
	for n := len(all); n > 0 && k > 0; n, k = n-1, k-1 {
		state = state*6364136223846793005 + 1442695040888963407
		at := int(state>>33) % n
		dst = append(dst, all[at])
		all[at] = all[n-1]
	}
	return dst
}
