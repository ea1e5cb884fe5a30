package cache_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
)

// waiting counts the reads that a test has under way.
type waiting struct{ answered, unavailable, other, running atomic.Int64 }

// ask reads a customer in the background.
func (w *waiting) ask(d *desk, id string) {
	w.running.Add(1)
	go func() {
		defer w.running.Add(-1)
		switch _, err := d.cache.Profile(context.Background(), id, later); {
		case err == nil:
			w.answered.Add(1)
		case errors.Is(err, features.ErrUnavailable):
			w.unavailable.Add(1)
		default:
			w.other.Add(1)
		}
	}()
}

// A database that stalls: the cache goes on until the bound, then callers hear at once that
// the store is unavailable, few wait, and all is well again soon after it goes on.
func TestAStalledStoreGathersNobody(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		d.want("a", 0, false)
		pass(staleness / 4)
		resume := d.bank.stall()
		defer resume()
		d.want("a", 0, true)
		pass(staleness / 4)
		d.want("a", 0, true)
		pass(staleness)
		var w waiting
		for i := range 100 {
			for j := range 20 {
				w.ask(d, fmt.Sprint("a", (i*20+j)%300))
			}
			pass(100 * time.Millisecond)
		}
		if n := w.running.Load(); n > 100 {
			t.Errorf("%d reads wait for a stalled store", n)
		}
		if w.answered.Load() > 0 || w.other.Load() > 0 || w.unavailable.Load() < 1900 {
			t.Errorf("%d answers, %d unavailable, %d other errors; want no answer and ErrUnavailable", w.answered.Load(), w.unavailable.Load(), w.other.Load())
		}
		if d.outcomes[cache.Refused].Load() == 0 {
			t.Error("nobody was refused at once")
		}
		resume()
		pass(staleness + staleness/2)
		d.read("a")
		d.want("a", 0, true)
		w = waiting{}
		for i := range 200 {
			w.ask(d, fmt.Sprint("b", i))
		}
		synctest.Wait()
		if n := w.answered.Load(); n != 200 {
			t.Errorf("%d of 200 reads are answered after the store went on", n)
		}
	})
}

// Writes before a store that says nothing are refused before they are made: who hears it
// knows that nothing was done.
func TestWritesBeforeAStalledStoreAreRefused(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		resume := d.bank.stall()
		defer resume()
		pass(2*staleness + 1)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		var refused, late atomic.Int64
		for i := range 40 {
			go func() {
				_, err := d.cache.Write(ctx, features.Write{CustomerID: fmt.Sprint("a", i)})
				if errors.Is(err, features.ErrUnavailable) {
					refused.Add(1)
				} else if errors.Is(err, context.DeadlineExceeded) {
					late.Add(1) // it may have been done: nobody can say
				}
			}()
		}
		synctest.Wait()
		if n := refused.Load(); n != 24 {
			t.Errorf("%d of 40 writes were refused at once, want all but 16", n)
		}
		pass(5 * time.Second)
		if n := late.Load(); n != 16 {
			t.Errorf("%d writes ended with their callers' deadline, want 16", n)
		}
		if _, err := d.cache.RecordEvents(context.Background(), features.EventBatch{}); errors.Is(err, features.ErrUnavailable) {
			t.Errorf("a place was not given back: %v", err)
		}
	})
}

// A store that is well takes all, also more than can be shared; beyond, callers are refused.
func TestTheGatesOfAStoreThatIsWell(t *testing.T) {
	open(t, cache.Config{MaxFills: 5, FillTimeout: 500 * time.Millisecond}, func(d *desk) {
		resume := d.bank.stall()
		defer resume()
		var w waiting
		for i := range 13 {
			w.ask(d, fmt.Sprint("a", i))
		}
		synctest.Wait()
		if n := w.running.Load(); n != 10 || w.unavailable.Load() != 3 {
			t.Errorf("%d reads wait and %d were refused, want 5 shared, 5 others, 3 refused", n, w.unavailable.Load())
		}
		pass(500 * time.Millisecond)
		if n := w.unavailable.Load(); n != 13 {
			t.Errorf("%d reads were given up after the time of a fill, want all", n)
		}
		if w.other.Load() > 0 {
			t.Error("the time of a fill was taken for a caller's own")
		}
	})
}

// A caller's own deadline stays his own.
func TestACallersDeadlineBehindAGate(t *testing.T) {
	open(t, cache.Config{MaxFills: 1}, func(d *desk) {
		resume := d.bank.stall()
		defer resume()
		var w waiting
		w.ask(d, "a")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if _, err := d.cache.Profile(ctx, "b", later); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, features.ErrUnavailable) {
			t.Errorf("%v, want DeadlineExceeded", err)
		}
	})
}

// That there is no such customer is an answer too.
func TestAStoreThatKnowsNobodyIsNotSilent(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		d.bank.failWith(fmt.Errorf("%w: nobody", features.ErrNotFound))
		pass(10 * staleness)
		var w waiting
		for i := range 100 {
			w.ask(d, fmt.Sprint("a", i))
		}
		synctest.Wait()
		if n := w.other.Load(); n != 100 {
			t.Errorf("%d of 100 callers heard what the store says", n)
		}
		d.bank.failWith(nil)
	})
}
