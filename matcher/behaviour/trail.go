package behaviour

import "github.com/fundmatch/fundmatch/matcher/fund"

// Fold takes one event into a trail. See Of.
func Fold(t *fund.Trail, e *fund.Event) {
	t.Recent = append(t.Recent, *e)
}

// Of makes the trail of a list of events, in whatever order they stand.
func Of(events []fund.Event) fund.Trail {
	var t fund.Trail
	for i := range events {
		Fold(&t, &events[i])
	}
	return t
}
