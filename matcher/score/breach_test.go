package score_test

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// falling is a range whose drawdown is the same at every quantile: a certain fall.
func falling(drawdown fund.Ratio) *outcome.Distribution {
	d := &outcome.Distribution{}
	for i := range d.Drawdown {
		d.Drawdown[i] = drawdown
	}
	return d
}

// breaching compiles products of grades, each with the same range at every horizon; nil:
// unknown.
func breaching(t *testing.T, grades []fund.RiskGrade, ranges ...*outcome.Distribution) *score.Scorer {
	t.Helper()
	m := *model(t)
	params := outcome.Default()
	m.Settings.Outcome, m.Weights[score.Breach] = &params, -1
	products := make([]score.Product, len(ranges))
	for i, d := range ranges {
		products[i] = score.Product{Product: &fund.Product{Code: string(rune('a' + i))}, Fund: int32(i), Record: &fund.TrackRecord{}, Grade: grades[i]}
		for h := range products[i].Foreseen {
			products[i].Foreseen[h] = d
		}
	}
	return score.Compile(&m, products, len(products), nearest(len(products)))
}

func breachOf(s *score.Scorer, c score.Customer, products int) []float64 {
	all := uint64(1)<<products - 1
	var out score.Scores
	s.Score(&c, []uint64{all}, &out)
	values := make([]float64, products)
	for i := range values {
		for _, x := range s.Contributions(&out, i, nil) {
			if x.Feature == score.Breach {
				values[i] = x.Value
			}
		}
	}
	return values
}

// What falls further than his level bears costs score by how likely it is.
func TestBreachIsThatOfHisLevel(t *testing.T) {
	grades := []fund.RiskGrade{fund.R2, fund.R2}
	s := breaching(t, grades, falling(20_000), falling(200_000)) // C2 bears 5 %, C4 30 %
	for level, want := range map[fund.RiskLevel][]float64{
		fund.C2: {0, 1}, fund.C4: {0, 0},
		fund.LevelUnknown: {0, 0}, // nobody can say what he bears
	} {
		got := breachOf(s, score.Customer{Personal: true, Level: level, HorizonMonths: 12}, 2)
		for i := range want {
			if diff := got[i] - want[i]; diff > .06 || diff < -.06 { // between the outer quantiles and certainty
				t.Errorf("%s: breach %v, want about %v", level, got, want)
			}
		}
	}
	if got := breachOf(s, score.Customer{Level: fund.C2}, 2); !slices.Equal(got, []float64{0, 0}) {
		t.Errorf("without personal cells it reads his level: %v", got)
	}
}

// To be unknown is no advantage: as the worst known of its grade, or of all.
func TestTheUnknownBreachesAsTheWorstOfItsGrade(t *testing.T) {
	grades := []fund.RiskGrade{fund.R2, fund.R2, fund.R2, fund.R3, fund.R4}
	s := breaching(t, grades, falling(0), falling(60_000), nil, falling(400_000), nil)
	got := breachOf(s, score.Customer{Personal: true, Level: fund.C2, HorizonMonths: 6}, 5)
	if got[2] != got[1] || got[2] <= got[0] || got[4] != got[3] || got[4] < got[2] {
		t.Errorf("breach %v: the third is to be as the second, the fifth as the fourth", got)
	}
	none := breaching(t, grades[:2], nil, nil)
	if got := breachOf(none, score.Customer{Personal: true, Level: fund.C1}, 2); !slices.Equal(got, []float64{0, 0}) {
		t.Errorf("where nothing is known of any, something is said: %v", got)
	}
}

// Over more than a year nothing told funds apart: a long horizon is looked at over a year.
func TestABreachIsLookedAtOverAYearAtMost(t *testing.T) {
	for months, want := range map[int32]outcome.Horizon{
		1: outcome.ThreeMonths, 6: outcome.SixMonths, 12: outcome.TwelveMonths, 13: outcome.TwelveMonths, 84: outcome.TwelveMonths,
	} {
		if got := score.BreachHorizon(months); got != want {
			t.Errorf("%d months: %s, want %s", months, got, want)
		}
	}
}
