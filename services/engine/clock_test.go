package engine_test

import (
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// A core that was compiled while the clock was ahead does not answer after it was set
// right, and must not stop answers until that day comes.
func TestAClockThatWasAheadIsSurvived(t *testing.T) {
	r := newRig(t)
	r.at(noon.AddDate(0, 0, 30))
	if err := r.reload(t, 1, false); err != nil {
		t.Fatal(err)
	}
	r.at(noon)
	if err := r.reload(t, 1, false); err != nil {
		t.Fatal(err)
	}
	core, _, err := r.engine.Core()
	if err != nil {
		t.Fatal(err)
	}
	if from, until := core.Validity(); fund.InstantOf(noon) < from || fund.InstantOf(noon) >= until {
		t.Errorf("the core speaks from %s to %s", from, until)
	}
}

// What is published in the last seconds of a day leaves no gap at midnight: its successor
// is compiled with it.
func TestPublishingBeforeMidnightLeavesNoGap(t *testing.T) {
	r := newRig(t)
	midnight := fund.InstantOf(noon).Date().AddDays(1).Start().Time()
	if err := r.reload(t, 1, false); err != nil {
		t.Fatal(err)
	}
	r.at(midnight.Add(-30 * time.Second))
	if err := r.reload(t, 1, false); err != nil {
		t.Fatal(err)
	}
	r.publish(t, "A", "B", "C")
	r.at(midnight.Add(-time.Second))
	if err := r.reload(t, 2, false); err != nil {
		t.Fatal(err)
	}
	r.at(midnight)
	core, _, err := r.engine.Core()
	if err != nil {
		t.Fatal(err)
	}
	if got := core.Identity().PoolRevision; got != 2 {
		t.Errorf("at midnight revision %d answers, want 2", got)
	}
}
