package main

import (
	"testing"
	"time"
)

func TestSteadyClockWaitsOutASmallStepBack(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 5, 0, time.UTC)
	now := at
	clock := steadyClock(func() time.Time { return now })
	for _, c := range []struct {
		name string
		step time.Duration
		want time.Time
	}{
		{"it goes on", 0, at},
		{"five seconds back", -5 * time.Second, at},
		{"nearly there", -time.Nanosecond, at},
		{"caught up", time.Second, at.Add(time.Second)},
		{"a minute back, to the nanosecond", time.Second - maxStepBack, at.Add(time.Second)},
		{"more than a minute back: it was wrong", -time.Hour, at.Add(-time.Hour)},
		{"on from there", -time.Hour + time.Second, at.Add(-time.Hour + time.Second)},
	} {
		now = at.Add(c.step)
		if got := clock(); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
