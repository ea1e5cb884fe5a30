package affinity

import (
	"context"
	"sync"
)

// chunk is how many rows a goroutine takes at a time.
const chunk = 16

// each calls, for every row from 0 to n-1, a function that newWorker makes once for each
// goroutine. Rows are dealt in no order: what they write must be their own. It returns
// when all goroutines have ended, with ctx's error if that came first.
func (o *Options) each(ctx context.Context, step Step, n int, newWorker func() func(row int)) error {
	var (
		mu         sync.Mutex
		next, done int
		running    sync.WaitGroup
	)
	// deal counts the rows of the last chunk as done and returns the next.
	deal := func(finished int) (from, to int) {
		mu.Lock()
		defer mu.Unlock()
		if finished > 0 {
			done += finished
			o.tell(step, done, n)
		}
		from = next
		if ctx.Err() == nil {
			next = min(n, next+chunk)
		}
		return from, next
	}
	for range max(1, min(o.Workers, n)) {
		running.Go(func() {
			work := newWorker()
			finished := 0
			for {
				from, to := deal(finished)
				if from == to {
					return
				}
				for row := from; row < to; row++ {
					work(row)
				}
				finished = to - from
			}
		})
	}
	running.Wait()
	return ctx.Err()
}

func (o *Options) tell(s Step, done, all int) {
	if o.Progress != nil {
		o.Progress(s, done, all)
	}
}
