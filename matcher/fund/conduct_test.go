package fund_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestDaysSinceTheLastAct(t *testing.T) {
	for last, want := range map[fund.Date]int32{0: -1, 20240315: 0, 20240229: 15, 20230315: 366} {
		if got := (&fund.Activity{Last: last}).DaysSince(20240315); got != want {
			t.Errorf("from %s: %d, want %d", last, got, want)
		}
	}
}

func TestCodesOfConduct(t *testing.T) {
	for band, want := range map[fund.Band]string{fund.BandUnknown: "UNKNOWN", fund.Low: "LOW", fund.Medium: "MEDIUM", fund.High: "HIGH"} {
		if band.String() != want {
			t.Errorf("band %d is %q, want %q", band, band, want)
		}
	}
	want := [fund.KeyNodes]string{"", "EXPOSED", "VIEWED", "ASKED", "STARTED", "ABANDONED", "CONFIRMED"}
	for node, code := range want {
		if fund.KeyNode(node).String() != code {
			t.Errorf("node %d is %q, want %q", node, fund.KeyNode(node), code)
		}
	}
}

// Whatever is there is found, whatever is not is not.
func TestConductIsLookedUpByProduct(t *testing.T) {
	codes := []string{"", "A", "AA", "B", "C1", "C2", "D"}
	rapid.Check(t, func(t *rapid.T) {
		var c fund.Conduct
		doubts := map[string]int{}
		for _, code := range codes {
			if rapid.Bool().Draw(t, "a position") {
				c.Positions = append(c.Positions, fund.Position{ProductCode: code})
			}
			if rapid.Bool().Draw(t, "a journey") {
				c.Journeys = append(c.Journeys, fund.Journey{ProductCode: code})
			}
			for range rapid.IntRange(0, 3).Draw(t, "doubts") {
				c.Doubts = append(c.Doubts, fund.Doubt{ProductCode: code})
				doubts[code]++
			}
		}
		positions, journeys := map[string]bool{}, map[string]bool{}
		for i := range c.Positions {
			positions[c.Positions[i].ProductCode] = true
		}
		for i := range c.Journeys {
			journeys[c.Journeys[i].ProductCode] = true
		}
		for _, code := range append(codes, "0", "AB", "Z") {
			p, j, d := c.Position(code), c.Journey(code), c.DoubtsAbout(code)
			if (p != nil) != positions[code] || p != nil && p.ProductCode != code || (j != nil) != journeys[code] || j != nil && j.ProductCode != code || len(d) != doubts[code] {
				t.Fatalf("%q: %v, %v, %d doubts", code, p, j, len(d))
			}
			for i := range d {
				if d[i].ProductCode != code {
					t.Fatalf("%q: a doubt about %q", code, d[i].ProductCode)
				}
			}
		}
	})
}
