package backtest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/backtest"
)

// What does not fit together is refused, and named.
func TestBuilderRefuses(t *testing.T) {
	begin := func() *backtest.Builder {
		b, err := backtest.NewBuilder([]fund.Product{product("P1", fund.R1)}, []backtest.Customer{{ID: "c"}}, []backtest.Split{{Number: 4}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		try  func(*backtest.Builder) error
		want string
	}{
		"purchase of nobody":  {func(b *backtest.Builder) error { return b.Interaction("x", &fund.Purchase{ProductCode: "P1"}) }, "unknown customer x"},
		"purchase of nothing": {func(b *backtest.Builder) error { return b.Interaction("c", &fund.Purchase{ProductCode: "P2"}) }, "customer c with unknown product P2"},
		"candidates nowhere":  {func(b *backtest.Builder) error { return b.Candidates(5, []string{"P1"}) }, "unknown split 5"},
		"unknown candidate":   {func(b *backtest.Builder) error { return b.Candidates(4, []string{"P2"}) }, "unknown product P2"},
		"candidates twice": {func(b *backtest.Builder) error {
			return errors.Join(b.Candidates(4, []string{"P1"}), b.Candidates(4, []string{"P1"}))
		}, "split 4 has candidates twice"},
		"wish nowhere":     {func(b *backtest.Builder) error { return b.Relevant(5, "c", nil) }, "unknown split 5"},
		"wish of nobody":   {func(b *backtest.Builder) error { return b.Relevant(4, "x", nil) }, "unknown customer x"},
		"wish for nothing": {func(b *backtest.Builder) error { return b.Relevant(4, "c", []string{"P2"}) }, "unknown product P2"},
		"a customer twice": {func(b *backtest.Builder) error {
			_ = b.Relevant(4, "c", []string{"P1"})
			_ = b.Relevant(4, "c", nil)
			_, err := b.Data()
			return err
		}, "customer c stands twice in split 4"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.try(begin()); !errors.Is(err, backtest.ErrData) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, expected %q", err, c.want)
			}
		})
	}
	for name, begin := range map[string]func() (*backtest.Builder, error){
		"a product": func() (*backtest.Builder, error) {
			return backtest.NewBuilder([]fund.Product{product("P", 1), product("P", 2)}, nil, nil)
		},
		"a customer": func() (*backtest.Builder, error) {
			return backtest.NewBuilder(nil, []backtest.Customer{{ID: "c"}, {ID: "c"}}, nil)
		},
		"a split": func() (*backtest.Builder, error) {
			return backtest.NewBuilder(nil, nil, []backtest.Split{{Number: 1}, {Number: 1}})
		},
	} {
		if _, err := begin(); !errors.Is(err, backtest.ErrData) {
			t.Errorf("%s twice: %v", name, err)
		}
	}
}
