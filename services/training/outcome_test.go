package training

import (
	"errors"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// fittedThrough is a training of a synthetic bank up to its ranges.
func fittedThrough(t *testing.T, through fund.Date) *running {
	t.Helper()
	shown := did(fund.Exposure, 10, 10, "")
	bank := &told{Store: aBank(t, 40, 40), histories: []*features.History{customer(1, shown), customer(2, did(fund.Exposure, 230, 10, ""))}}
	r := begun(t, bank, Options{Through: through})
	if err := r.fitOutcome(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// The settings get the shapes of the bank's own NAVs where those are of enough time, and the
// program's elsewhere; the rest of the text stays as it was, comments included.
func TestTheBanksRanges(t *testing.T) {
	r := fittedThrough(t, 20261025)
	base := string(score.DefaultModel())
	text, err := r.withOutcome(base)
	if err != nil {
		t.Fatal(err)
	}
	m, err := score.ParseModel([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, shipped, told := m.Settings.Outcome, outcome.Default(), r.toldOutcome
	if got == nil || told.Products == 0 || len(told.Horizons) != int(outcome.Horizons) {
		t.Fatalf("outcome %+v, told %+v", got, told)
	}
	own, programs := 0, 0
	for h := range outcome.Horizons {
		shape, is := got.Shapes[h], told.Horizons[h]
		if is.Own != (is.Windows >= 8) || is.Months != h.Months() {
			t.Errorf("%v: told %+v", h, is)
		}
		if is.Own {
			own++
			if shape.Drawdown == shipped.Shapes[h].Drawdown || shape.Holdings != is.Holdings || shape.Windows != is.Windows {
				t.Errorf("%v: %+v, told %+v", h, shape, is)
			}
			continue
		}
		programs++
		if shape.Holdings != shipped.Shapes[h].Holdings || shape.Drawdown[3] < shipped.Shapes[h].Drawdown[3] { // deepened at most
			t.Errorf("%v: %+v, expected the program's", h, shape)
		}
	}
	if own == 0 || programs == 0 {
		t.Errorf("%d shapes of the bank's own, %d of the program: one of the ways was not taken", own, programs)
	}
	if before, after := outcomeBlock.ReplaceAllString(base, ""), outcomeBlock.ReplaceAllString(text, ""); before != after {
		t.Error("more than the outcome was written anew")
	}
}

// What is dated after the last day looked at is not fitted to.
func TestRangesAreOfThePast(t *testing.T) {
	late, early := fittedThrough(t, 20261025).toldOutcome, fittedThrough(t, 20260401).toldOutcome
	if early.Horizons[0].Holdings >= late.Horizons[0].Holdings || early.Horizons[0].Holdings == 0 {
		t.Errorf("%d holdings half a year earlier, %d", early.Horizons[0].Holdings, late.Horizons[0].Holdings)
	}
}

// A base that foresees nothing is left so, and one whose outcome is no block of its own is
// refused.
func TestABaseWithoutRanges(t *testing.T) {
	r := &running{base: &score.Model{}}
	if err := r.fitOutcome(t.Context()); err != nil || r.outcomes != nil {
		t.Errorf("%v, %+v", err, r.outcomes)
	}
	if text, err := r.withOutcome("a: 1\n"); err != nil || text != "a: 1\n" {
		t.Errorf("%q, %v", text, err)
	}
	r.outcomes = &outcome.Params{}
	if _, err := r.withOutcome("a: 1\n"); !errors.Is(err, score.ErrModel) {
		t.Errorf("%v, expected score.ErrModel", err)
	}
}
