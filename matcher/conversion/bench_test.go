package conversion_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// busy are the cases that do most: a purchase and a plan that are followed up, over a
// calendar that is known.
func busy() []conversion.Case {
	known := map[fund.Date]bool{}
	for i := range 40 {
		known[fund.Date(20240301).AddDays(i)] = i%7 > 1
	}
	calendar := fund.NewCalendar(known)
	j := &fund.Journey{Node: fund.Abandoned}
	j.Reached[fund.Abandoned] = instantOf("2024-03-05T12:00:00+08:00")
	c := conversion.Case{
		Product: &fund.Product{Code: "161725", ShareClass: "A", Listing: fund.Listing{Status: fund.Open}}, Grade: fund.R3, Class: fund.Equity,
		At: instantOf("2024-03-06T10:00:00+08:00"), Calendar: &calendar, Branch: true, Plans: plans,
		Person: conversion.Person{Level: fund.C3, Elder: true, Affordable: true, HorizonMonths: 60, Income: 12_000_000},
		Thread: conversion.Thread{Journey: j, Contact: conversion.Contact{Allowed: true}},
		Quote:  conversion.Quote{Suggested: 500_000, Own: conversion.ClassCost{OK: true}},
	}
	plan := c
	plan.Thread.Hesitant = true
	return []conversion.Case{c, plan}
}

func costly() (a, c *fund.Product) {
	exit := []fund.RedemptionTier{{Below: 7, Rate: 150}, {Below: 30, Rate: 100}, {Below: 180, Rate: 50}, {}}
	a = &fund.Product{Fees: fund.FeeSchedule{Subscription: []fund.SubscriptionTier{{Rate: 150}}, DiscountPct: 90, Redemption: exit, Management: 120, Custody: 20}}
	c = &fund.Product{Fees: fund.FeeSchedule{Redemption: []fund.RedemptionTier{{Below: 7, Rate: 150}, {}}, Management: 120, Custody: 20, Service: 40}}
	return a, c
}

// The stage allocates nothing once its caller's slices have grown.
func TestNothingIsAllocated(t *testing.T) {
	cases, limits := busy(), limits()
	facts, points := make([]fund.Evidence, 0, 32), make([]conversion.CostPoint, 0, 32)
	a, c := costly()
	holding := mismatched(t)
	conduct := &fund.Conduct{Complaints: 1}
	if n := testing.AllocsPerRun(100, func() {
		for i := range cases {
			_, facts = conversion.Decide(&cases[i], facts[:0])
		}
		_, facts = conversion.ReviewHolding(holding, facts[:0])
		points = conversion.CostTable(a, year, 1_000_000, points[:0])
		conversion.BreakEven(a, c, year, 1_000_000)
		conversion.Allow(conduct, fund.Yes, cases[0].At, limits)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, c := range busy() {
		facts := make([]fund.Evidence, 0, 32)
		got, _ := conversion.Decide(&c, nil)
		b.Run(got.Action.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, facts = conversion.Decide(&c, facts[:0])
			}
		})
	}
}

func BenchmarkCostTable(b *testing.B) {
	a, _ := costly()
	points := make([]conversion.CostPoint, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		points = conversion.CostTable(a, year, 1_000_000, points[:0])
	}
}

func BenchmarkBreakEven(b *testing.B) {
	a, c := costly()
	b.ReportAllocs()
	for b.Loop() {
		conversion.BreakEven(a, c, year, 1_000_000)
	}
}

func BenchmarkReviewHolding(b *testing.B) {
	exit := []fund.RedemptionTier{{Below: 7, Rate: 150}, {Below: 30, Rate: 100}, {Below: 180, Rate: 50}, {}}
	day := fund.Date(20240306)
	in := &conversion.HoldingCase{
		Product: &fund.Product{Code: "161725", Listing: fund.Listing{Status: fund.Open}, Fees: fund.FeeSchedule{Redemption: exit}},
		Grade:   fund.R4, Level: fund.C2, Ceiling: fund.R2, At: day.Start(), UnitNAV: 1.2, Lots: []fund.Lot{lot(day, 200), lot(day, 20)},
	}
	facts := make([]fund.Evidence, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		_, facts = conversion.ReviewHolding(in, facts[:0])
	}
}
