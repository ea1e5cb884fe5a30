package synthetic

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// asOf is the day of the banks in these tests: a Saturday, so that the last values are
// of the day before.
const asOf = fund.Date(20261121)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// generate invents a bank or fails the test.
func generate(tb testing.TB, opts Options) *Bank {
	tb.Helper()
	b, err := Generate(opts)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// smallBank is a bank that is quick to write: every anchor, every story, some others.
func smallBank(tb testing.TB) *Bank {
	tb.Helper()
	return generate(tb, Options{Customers: 150, Products: 60, AsOf: asOf})
}

// products returns the pool by code.
func products(b *Bank) map[string]fund.Product {
	out := map[string]fund.Product{}
	for p := range b.Products() {
		out[p.Code] = p
	}
	return out
}

func removeAll(tb testing.TB, dir string) {
	tb.Helper()
	if err := os.RemoveAll(dir); err != nil {
		tb.Fatal(err)
	}
}
