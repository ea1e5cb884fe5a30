package main

import (
	"sync/atomic"
	"time"
)

// maxStepBack is the largest correction of the clock that is waited out. A larger one is
// taken at once: then the clock was wrong, and staying in its future would stop answers.
const maxStepBack = time.Minute

// steadyClock returns a clock that stands still while the other one catches up after it
// was set back a little, as time servers do. Otherwise a customer's newest fact would lie
// in the future for that while: a lowered risk level would not be seen, and a later
// assessment would lose against it.
func steadyClock(clock func() time.Time) func() time.Time {
	var last atomic.Int64 // nanoseconds since the Unix epoch
	return func() time.Time {
		now := clock()
		for {
			seen := last.Load()
			if back := seen - now.UnixNano(); back > 0 && back <= int64(maxStepBack) {
				return time.Unix(0, seen)
			}
			if last.CompareAndSwap(seen, now.UnixNano()) {
				return now
			}
		}
	}
}
