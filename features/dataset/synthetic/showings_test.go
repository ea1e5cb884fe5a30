package synthetic

import (
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
)

// What is shown becomes an order seldom, more often in the branch and after an earlier look,
// and never always: a model has something to learn, and nothing that gives it away.
func TestWhatIsShownBecomesAnOrderSeldom(t *testing.T) {
	bank := generate(t, Options{Customers: 3_000, AsOf: asOf})
	shown, ordered := map[string]float64{}, map[string]float64{}
	instalments := 0
	for i := range bank.Customers() {
		events := bank.Customer(i).Events
		for k := range events {
			e := &events[k]
			if isInstalment(e) && e.Kind == "ORDER_CONFIRM" {
				instalments++
				if exposedBefore(events[:k], e) {
					t.Fatalf("%s: an instalment that somebody looked at", e.ID)
				}
			}
			if e.Kind != "EXPOSURE" {
				continue
			}
			kinds := []string{"all", e.Channel}
			if viewedBefore(events[:k], e) {
				kinds = append(kinds, "viewed")
			}
			for _, kind := range kinds {
				shown[kind]++
				if orderedAfter(events[k:], e) {
					ordered[kind]++
				}
			}
		}
	}
	for kind, bounds := range map[string][2]float64{"all": {.2, .4}, "APP": {.15, .35}, "BRANCH": {.3, .6}, "viewed": {.4, .8}} {
		if share := ordered[kind] / shown[kind]; shown[kind] < 500 || share < bounds[0] || share > bounds[1] {
			t.Errorf("%s: %.3f of %v followed by an order, expected %v to %v", kind, share, shown[kind], bounds[0], bounds[1])
		}
	}
	if instalments == 0 {
		t.Error("no instalments of plans")
	}
}

func viewedBefore(events []features.Event, of *features.Event) bool {
	for i := range events {
		if e := &events[i]; e.Kind == "DETAIL_VIEW" && e.ProductCode == of.ProductCode {
			return true
		}
	}
	return false
}

// exposedBefore looks a quarter of an hour back, as the way to an order takes.
func exposedBefore(events []features.Event, order *features.Event) bool {
	for i := range events {
		e := &events[i]
		if e.Kind == "CLICK" && e.ProductCode == order.ProductCode && e.EventAt > order.EventAt.Add(-20*time.Minute) {
			return true
		}
	}
	return false
}

func orderedAfter(events []features.Event, exposure *features.Event) bool {
	for i := range events {
		e := &events[i]
		if e.Kind == "ORDER_CONFIRM" && e.ProductCode == exposure.ProductCode && !isInstalment(e) &&
			e.EventAt > exposure.EventAt && e.EventAt < exposure.EventAt.Add(30*24*time.Hour) {
			return true
		}
	}
	return false
}
