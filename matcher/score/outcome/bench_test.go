package outcome

import (
	"fmt"
	"math"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// bankOf is a pool of funds with so many NAVs each, in all classes.
func bankOf(funds, navs int) []Product {
	products := make([]Product, funds)
	for i := range products {
		s := Series{Days: make([]fund.Date, navs), Wealth: make([]float64, navs)}
		seed, w, day := uint64(i+1), 1.0, fund.Date(20150105).DayNumber()
		for k := range navs {
			s.Days[k], s.Wealth[k] = fund.DateOfDay(day+k/5*7+k%5), w
			seed = seed*6364136223846793005 + 1442695040888963407
			w *= math.Exp(0.02 * (float64(seed>>40)/(1<<23) - 1))
		}
		products[i] = Product{Code: fmt.Sprint(i), Class: fund.Class(1 + i%(fund.Classes-1)), Series: s}
	}
	return products
}

func BenchmarkForesee5000Products2500NAVs(b *testing.B) {
	products, params := bankOf(5000, 2500), Default()
	last := products[0].Series.Days[2499]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Foresee(products, last.AddDays(1), &params); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFit100Products1000NAVs(b *testing.B) {
	products := bankOf(100, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Fit(products, 20990101, DefaultSettings()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBreach(b *testing.B) {
	d := grid()
	for i := 0; b.Loop(); i++ {
		Breach(d, fund.Ratio(i%400_000))
	}
}
