package switching_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// fees reads a schedule the way the dataset has it.
func fees(t testing.TB, entry string, discount int32, exit string, running, service fund.BasisPoints) fund.FeeSchedule {
	t.Helper()
	in, err := fund.ParseSubscriptionLadder(entry)
	if err != nil {
		t.Fatal(err)
	}
	out, err := fund.ParseRedemptionLadder(exit)
	if err != nil {
		t.Fatal(err)
	}
	return fund.FeeSchedule{Subscription: in, DiscountPct: discount, Redemption: out, Management: running, Service: service}
}

// The ladders of the tests: lawful from 2026 on.
const (
	steps = "7:150;30:100;180:50;:0"
	long  = "7:150;30:100;180:50;730:25;:0"
)

func day(t testing.TB, s string) fund.Date {
	t.Helper()
	d, err := fund.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// plain is a case that is known in full: 10,000 shares at 1 yuan, held a year.
func plain(t testing.TB) switching.Case {
	t.Helper()
	return switching.Case{
		Sell: switching.Sale{
			Product: &fund.Product{Code: "OLD", Type: "混合型-偏股", Fees: fees(t, ":80", 90, steps, 140, 0)},
			Lots:    []fund.Lot{{ProductCode: "OLD", Shares: 100_000_000, AcquiredOn: day(t, "2025-11-23")}},
			UnitNAV: 1,
		},
		Buy: switching.Purchase{Classes: []*fund.Product{
			{Code: "NEW", ShareClass: "A", Type: "混合型-偏股", Fees: fees(t, ":80", 90, steps, 140, 0)},
		}},
		On: day(t, "2026-11-23"), HorizonDays: 365, ServiceLimit: 365,
	}
}

func assess(c *switching.Case) *switching.Assessment {
	out := &switching.Assessment{}
	switching.Assess(c, out)
	return out
}
