package server

import (
	"sync"
	"time"
)

// warningInterval is how often the same cause is logged as a warning. A disk that is full
// refuses every request: thousands of equal lines a second would hide all others, and
// fill what is left of it.
const warningInterval = time.Second

// warnings thins out warnings of the same cause. The causes are reasons of the error
// table, so there are few. The zero value has seen none.
type warnings struct {
	mu     sync.Mutex
	causes map[string]*warned
}

// warned is what was logged of one cause.
type warned struct {
	last    time.Time
	skipped int // since the last line
}

// say reports whether a warning is to be logged now, and how many of its cause were left
// out since the last one.
func (w *warnings) say(cause string, now time.Time) (skipped int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.causes == nil {
		w.causes = map[string]*warned{}
	}
	c := w.causes[cause]
	if c == nil {
		w.causes[cause] = &warned{last: now}
		return 0, true
	}
	if now.Sub(c.last) < warningInterval {
		c.skipped++
		return 0, false
	}
	skipped = c.skipped
	c.last, c.skipped = now, 0
	return skipped, true
}
