package training

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// buyers are customers of the third of March who hold nothing, and others who bought a fund
// on a day: their exposure on the tenth begins the history.
func buyers(on int) []*features.History {
	histories := []*features.History{customer(1, did(fund.Exposure, 10, 10, "")), customer(2, did(fund.Exposure, 150, 10, ""))}
	for i := range 30 {
		h := customer(3 + i)
		h.Purchases = []fund.Purchase{{ProductCode: synthetic.AnchorShortBond, KnownOn: day(on).Date(), Kind: "BUY"}}
		h.PurchaseSeqs = []uint64{1}
		histories = append(histories, h)
	}
	return histories
}

// seenBy is what a customer of level C3 who holds nothing is told, feature by feature, by the
// first core of the past at an hour of its day.
func seenBy(t *testing.T, histories []*features.History, features ...score.Feature) (values []string, largest float64) {
	t.Helper()
	r := begun(t, &told{Store: aBank(t, 40, 40), histories: histories}, Options{})
	at := day(10).Add(36_000_000_000_000)
	core := r.cores.at(at)
	profile, err := r.profileBefore(histories[0], at)
	if err != nil {
		t.Fatal(err)
	}
	reader := reader{running: r}
	if err := core.Situate(profile, requestAt(at), &reader.situation); err != nil {
		t.Fatal(err)
	}
	for i := range core.Len() {
		if !reader.situation.Permitted(i) {
			continue
		}
		for _, c := range reader.situation.Contributions(i) {
			if slices.Contains(features, c.Feature) {
				values = append(values, fmt.Sprintf("%s %s %v", core.Product(i).Code, c.Feature, c.Value))
				largest = max(largest, c.Value)
			}
		}
	}
	return values, largest
}

// What was bought on the day of a core may be what an exposure of that day led to: no example
// is read through it. What was bought before counts.
func TestACoreOfThePastKnowsNothingOfItsDay(t *testing.T) {
	nothing, _ := seenBy(t, buyers(200), score.Popularity, score.Affinity)
	theDay, _ := seenBy(t, buyers(10), score.Popularity, score.Affinity)
	before, _ := seenBy(t, buyers(9), score.Popularity, score.Affinity)
	if len(nothing) == 0 || slices.Equal(before, nothing) {
		t.Fatalf("30 purchases of the day before change nothing of %q", nothing)
	}
	if !slices.Equal(theDay, nothing) {
		t.Errorf("with purchases of the day %q, without %q", theDay, nothing)
	}
}

// The affinity that examples are read through is learned as the one that is served: of
// customers' levels and segments too, which is what it has to say of who holds nothing.
func TestExamplesSeeTheAffinityThatIsServed(t *testing.T) {
	if values, largest := seenBy(t, buyers(9), score.Affinity); largest == 0 {
		t.Errorf("who holds nothing is of a level that holds something, and nothing is near him: %q", values)
	}
}
