package switching_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// example is the case of docs/switching.md.
type example struct {
	On      string  `yaml:"on"`
	UnitNAV float64 `yaml:"unit_nav"`
	Sell    leg     `yaml:"sell"`
	Lots    []struct {
		AcquiredOn string      `yaml:"acquired_on"`
		Shares     fund.Shares `yaml:"shares"`
	} `yaml:"lots"`
	BuyA  leg               `yaml:"buy_a"`
	BuyC  leg               `yaml:"buy_c"`
	Limit fund.ServiceLimit `yaml:"service_fee_days"`
}

type leg struct {
	Subscription string           `yaml:"subscription"`
	DiscountPct  int32            `yaml:"discount_pct"`
	Redemption   string           `yaml:"redemption"`
	Management   fund.BasisPoints `yaml:"management"`
	Custody      fund.BasisPoints `yaml:"custody"`
	Service      fund.BasisPoints `yaml:"service"`
}

func (l leg) product(t *testing.T, code, class string) *fund.Product {
	t.Helper()
	p := &fund.Product{Code: code, ShareClass: class, ParentCode: code[:1], Type: "指数型-股票", Fees: fees(t, l.Subscription, l.DiscountPct, l.Redemption, l.Management, l.Service)}
	p.Fees.Custody = l.Custody
	return p
}

// row is one row of the tables of the example: its section and key, and the fen.
type row struct{ section, key string }

// readExample reads the yaml block and the tables.
func readExample(t *testing.T) (example, map[row]fund.Money) {
	t.Helper()
	text, err := os.ReadFile("../../docs/switching.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```yaml\n")
	block, tables, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("docs/switching.md has no yaml block")
	}
	var e example
	if err := yaml.UnmarshalWithOptions([]byte(block), &e, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	rows, section := map[row]fund.Money{}, ""
	for line := range strings.Lines(tables) {
		if name, ok := strings.CutPrefix(line, "**"); ok {
			section, _, _ = strings.Cut(name, "**")
		}
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(cells[3]), 10, 64); err == nil {
			rows[row{section, strings.TrimSpace(cells[1])}] = fund.Money(n)
		}
	}
	return e, rows
}

func (e *example) toCase(t *testing.T, horizon int32) switching.Case {
	t.Helper()
	c := switching.Case{
		Sell: switching.Sale{Product: e.Sell.product(t, "OLD", ""), UnitNAV: e.UnitNAV},
		Buy:  switching.Purchase{Classes: []*fund.Product{e.BuyA.product(t, "NEW-A", "A"), e.BuyC.product(t, "NEW-C", "C")}},
		On:   day(t, e.On), HorizonDays: horizon, ServiceLimit: e.Limit,
	}
	for _, l := range e.Lots {
		c.Sell.Lots = append(c.Sell.Lots, fund.Lot{ProductCode: "OLD", Shares: l.Shares, AcquiredOn: day(t, l.AcquiredOn)})
	}
	return c
}

// The example that docs/switching.md computes by hand, to the fen and in every step.
func TestExampleByHand(t *testing.T) {
	t.Parallel()
	e, want := readExample(t)
	got := map[row]fund.Money{}
	var a *switching.Assessment
	for _, horizon := range []int32{153, 731} {
		c := e.toCase(t, horizon)
		a = assess(&c)
		at := func(key string, m fund.Money) { got[row{fmt.Sprintf("Held for %d days", horizon), key}] = m }
		last := a.Leaving[len(a.Leaving)-1]
		at("new exit", last.New)
		at("old exit", last.Old)
		at("lost", a.Cost.Lost)
		at("cost", a.Cost.Total())
		at("saved", a.Benefit.Running)
		at("old running", fund.Accrue(a.Moved, 140, horizon))
		at("new running", fund.Accrue(a.Moved, 20, horizon))
		at("class A", a.Classes[0].Differing())
		at("class C", a.Classes[1].Differing())
		wantVerdict := map[int32]switching.Verdict{153: switching.CostsMore, 731: switching.Pays}[horizon]
		if a.Verdict != wantVerdict || a.BreakEven != 180 || a.Gaps != 0 {
			t.Errorf("%d days: %s, break-even %d, gaps %b; want %s, 180, none", horizon, a.Verdict, a.BreakEven, a.Gaps, wantVerdict)
		}
	}
	sale := func(key string, m fund.Money) { got[row{"The sale", key}] = m }
	bought := func(key string, m fund.Money) { got[row{"The purchase", key}] = m }
	for i, l := range a.Lots {
		name := fmt.Sprintf("lot %d ", i+1)
		sale(name+"value", l.Value)
		sale(name+"fee", l.Fee)
		if l.Next.On != 0 {
			sale(name+"next", l.Next.Fee)
		}
		bought(name+"moved", l.Moved)
	}
	sale("value", a.Sold.Value)
	sale("exit", a.Cost.Exit)
	sale("proceeds", a.Sold.Proceeds)
	bought("entry", a.Cost.Entry)
	bought("moved", a.Moved)
	if len(want) != len(got) || len(want) != 34 {
		t.Errorf("the docs have %d figures, the test %d, expected 34", len(want), len(got))
	}
	for k, m := range want {
		if have, ok := got[k]; !ok || have != m {
			t.Errorf("%s, %s: %d fen, the docs say %d", k.section, k.key, have, m)
		}
	}
	if a.Lots[1].Next.On != day(t, "2026-12-07") || a.Lots[2].Next.On != day(t, "2026-12-03") {
		t.Errorf("next steps on %s and %s", a.Lots[1].Next.On, a.Lots[2].Next.On)
	}
}
