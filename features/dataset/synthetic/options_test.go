package synthetic

import (
	"errors"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestOptionsAtTheirBoundsAndOnePast(t *testing.T) {
	for _, c := range []struct {
		name string
		opts Options
		says string // part of the error; empty: accepted
	}{
		{"defaults", Options{AsOf: asOf}, ""},
		{"one customer", Options{Customers: 1, AsOf: asOf}, ""},
		{"most customers", Options{Customers: MaxCustomers, AsOf: asOf}, ""},
		{"one customer too many", Options{Customers: MaxCustomers + 1, AsOf: asOf}, "customers 5000001"},
		{"negative customers", Options{Customers: -1, AsOf: asOf}, "customers -1"},
		{"fewest products", Options{Products: MinProducts, AsOf: asOf}, ""},
		{"one product too few", Options{Products: MinProducts - 1, AsOf: asOf}, "products 19"},
		{"one product too many", Options{Products: MaxProducts + 1, AsOf: asOf}, "products 20001"},
		{"no day", Options{}, `as-of ""`},
		{"earliest day", Options{AsOf: EarliestAsOf}, ""},
		{"a day too early", Options{AsOf: EarliestAsOf.AddDays(-1)}, "as-of"},
		{"latest day", Options{AsOf: LatestAsOf}, ""},
		{"a day too late", Options{AsOf: LatestAsOf.AddDays(1)}, "as-of"},
		{"a day that does not exist", Options{AsOf: fund.Date(20260230)}, "as-of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.opts.withDefaults()
			switch {
			case c.says == "" && err != nil:
				t.Fatalf("refused: %v", err)
			case c.says == "":
			case !errors.Is(err, ErrOptions):
				t.Fatalf("error %v, expected ErrOptions", err)
			case !strings.Contains(err.Error(), c.says):
				t.Fatalf("error %q does not name %q", err, c.says)
			}
		})
	}
}

func TestDefaultsAreThoseOfTheContract(t *testing.T) {
	opts, err := Options{AsOf: asOf}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if opts.Customers != 20_000 || opts.Products != 300 || opts.Seed == 0 {
		t.Fatalf("defaults %+v, expected 20,000 customers, 300 products and a seed", opts)
	}
}

func TestEveryAcceptedDayGivesABank(t *testing.T) {
	for _, day := range []fund.Date{EarliestAsOf, 20200229, 20240301, 20310101, LatestAsOf} {
		b := generate(t, Options{Customers: 30, Products: 40, AsOf: day})
		if last := b.market.days[len(b.market.days)-1]; last >= day {
			t.Errorf("as of %s the last day of the market is %s", day, last)
		}
		for i := range b.Customers() {
			b.Customer(i)
		}
		for range b.Calendar() { // must find every lunar holiday up to 400 days ahead
		}
	}
}
