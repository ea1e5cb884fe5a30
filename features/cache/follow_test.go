package cache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
)

// desk is a cache in front of a bank of many writers.
type desk struct {
	*testing.T
	bank     *bank
	cache    *cache.Profiles
	outcomes [cache.Outcomes]atomic.Int64
	lags     []time.Duration
}

// open runs a test in a bubble of fake time.
func open(t *testing.T, cfg cache.Config, test func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{T: t, bank: newBank()}
		cfg.Observe = func(o cache.Outcome) { d.outcomes[o].Add(1) }
		cfg.ObserveLag = func(lag time.Duration) { d.lags = append(d.lags, lag) }
		d.begin(cfg)
		test(d)
		d.cache.Close()
	})
}

func (d *desk) begin(cfg cache.Config) {
	var err error
	if d.cache, err = cache.New(d.bank, cfg); err != nil {
		d.Fatal(err)
	}
	synctest.Wait() // the first poll
}

// read reads a customer and returns the version.
func (d *desk) read(id string) uint64 {
	d.Helper()
	p, err := d.cache.Profile(d.Context(), id, later)
	if err != nil {
		d.Errorf("%s: %v", id, err)
		return 0
	}
	synctest.Wait() // ristretto keeps what it was given a moment later
	return p.Revision
}

// want reads a customer and checks the version, and whether the cache knew him.
func (d *desk) want(id string, version uint64, cached bool) {
	d.Helper()
	before := d.outcomes[cache.Hit].Load()
	if got := d.read(id); got != version {
		d.Errorf("%s is of version %d, want %d", id, got, version)
	}
	if hit := d.outcomes[cache.Hit].Load() > before; hit != cached {
		d.Errorf("%s came from the cache: %v, want %v", id, hit, cached)
	}
}

// pass lets time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// stall makes every call wait until the returned function is called, or its context ends.
func (b *bank) stall() (resume func()) {
	gate := make(chan struct{})
	b.onCall(func(ctx context.Context) {
		select {
		case <-gate:
		case <-ctx.Done():
		}
	})
	return sync.OnceFunc(func() { close(gate) })
}

func TestAWakeMakesAChangeSeenAtOnce(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		d.want("a", 0, false)
		for i := range uint64(20) {
			d.want("a", i, true)
			d.bank.change("a")
			d.bank.wakes <- struct{}{}
			pass(5 * time.Millisecond)
			d.want("a", i+1, false)
			pass(time.Duration(i) * 37 * time.Millisecond)
		}
		if n := d.outcomes[cache.Woken].Load(); n != 20 {
			t.Errorf("%d wakes were counted, want 20", n)
		}
	})
}

func TestWithoutWakesTheBoundHolds(t *testing.T) {
	for name, lose := range map[string]func(b *bank){
		"all are lost":      func(*bank) {},
		"the listener ends": func(b *bank) { close(b.wakes) },
	} {
		t.Run(name, func(t *testing.T) {
			open(t, cache.Config{}, func(d *desk) {
				lose(d.bank)
				for i := range uint64(20) {
					d.read("a")
					pass(time.Duration(i) * 37 * time.Millisecond)
					d.bank.change("a")
					pass(staleness)
					d.want("a", i+1, false)
				}
				if d.outcomes[cache.Woken].Load() > 0 {
					t.Error("a wake that nobody sent was counted")
				}
			})
		})
	}
}

// A bank that changes all the time must not be polled all the time.
func TestWakesMeetInOnePoll(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		d.bank.onCall(func(context.Context) { time.Sleep(time.Millisecond) }) // what a page takes
		d.bank.pagesRead()
		for range 1000 { // a second
			select {
			case d.bank.wakes <- struct{}{}:
			default:
			}
			pass(time.Millisecond)
		}
		if n := d.bank.pagesRead(); n < 20 || n > 110 {
			t.Errorf("%d polls for a thousand wakes in a second, want some, in a tenth of the time", n)
		}
	})
}

// What commits late lies below what was seen.
func TestALateCommitIsSeenWithinTheBound(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		late := d.bank.begin()
		idle := d.bank.begin() // wrote nothing, and ends much later
		for range 5 {
			d.bank.change("b")
			pass(staleness)
		}
		d.want("a", 0, false)
		d.want("b", 5, false)
		pass(staleness)
		d.want("b", 5, true) // changes that are read again drop nobody again
		d.bank.commit(late, "a")
		pass(staleness)
		d.want("a", 1, false)
		d.bank.change("b")
		pass(staleness)
		d.want("b", 6, false)
		d.bank.commit(idle)
		d.bank.change("a")
		pass(staleness)
		d.want("a", 2, false)
		d.bank.pagesRead()
		pass(10 * staleness)
		if n := d.bank.pagesRead(); n > 21 {
			t.Errorf("%d pages in 20 polls of a log without news", n)
		}
	})
}

// A change may appear below a page while the next is read, which finds everything settled.
func TestACommitBetweenTwoPagesIsSeen(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		d.want("a", 0, false)
		late, calls := d.bank.begin(), 0
		d.bank.change(crowd(1500)...)
		d.bank.onCall(func(context.Context) {
			if calls++; calls == 2 {
				d.bank.commit(late, "a")
			}
		})
		pass(staleness)
		d.want("a", 1, false)
		if calls < 3 {
			t.Errorf("%d calls, want two pages and a later poll", calls)
		}
	})
}

// Each page is kept: a log that grows faster than one poll reads is followed in several.
func TestALogThatTakesLongerThanThePollIsFollowed(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		d.read("a")
		d.bank.onCall(func(context.Context) { time.Sleep(130 * time.Millisecond) }) // a page: seven in a poll
		d.bank.change(append(crowd(30_000), "a")...)
		pass(staleness)
		d.want("a", 1, false) // it reads through
		pass(6 * time.Second)
		d.bank.onCall(func(context.Context) {})
		d.read("a")
		d.want("a", 1, true)
	})
}

// After an import the log is not read entry by entry.
func TestAfterAHugeChangeEverythingIsForgotten(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		d.read("a")
		d.read("b")
		pass(1)
		d.bank.change(append(crowd(500_000), "a")...)
		d.bank.pagesRead()
		pass(staleness)
		if n := d.bank.pagesRead(); n > 40 {
			t.Errorf("%d pages were read", n)
		}
		d.want("a", 1, false)
		d.want("b", 0, false)
		d.want("a", 1, true)
		d.bank.change("a")
		pass(staleness)
		d.want("a", 2, false)
	})
}

// A fill that read before a huge change is not kept after it.
func TestAHugeChangeLosesWhatIsUnderWay(t *testing.T) {
	open(t, cache.Config{FillTimeout: 10 * time.Second}, func(d *desk) {
		gate, slow := make(chan struct{}), true
		read := make(chan uint64)
		go func() {
			d.bank.onCall(func(context.Context) {
				if slow = !slow; slow {
					<-gate // after the reading, on the way back
				}
			})
			p, err := d.cache.Profile(d.Context(), "a", later)
			if err != nil {
				t.Error(err)
			}
			read <- p.Revision
		}()
		synctest.Wait()
		d.bank.onCall(func(context.Context) {})
		d.bank.change(append(crowd(100_000), "a")...)
		pass(staleness)
		close(gate)
		if got := <-read; got != 0 {
			t.Errorf("the slow read gives version %d, want what it read, 0", got)
		}
		synctest.Wait()
		d.want("a", 1, false)
	})
}

// A transaction that never ends costs the cache, not the truth nor the memory.
func TestTooMuchAboveWhatIsSettledGivesTheCacheUp(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		endless := d.bank.begin()
		for range 5 {
			d.bank.change(crowd(30_000)...)
			pass(staleness)
		}
		d.bank.change("a")
		d.want("a", 1, false)
		d.want("a", 1, false) // it is not trusted
		d.bank.change("a")
		d.want("a", 2, false)
		d.bank.pagesRead()
		pass(10 * staleness)
		if n := d.bank.pagesRead(); n != 0 {
			t.Errorf("%d pages were read again for nothing", n)
		}
		d.bank.commit(endless, "b")
		pass(staleness)
		d.want("a", 2, false)
		d.want("a", 2, true)
		d.want("b", 1, false)
		d.bank.change("a")
		pass(staleness)
		d.want("a", 3, false)
	})
}

// What was seen above what is settled is forgotten once it is settled: however much there was of
// it in all, a day of transactions that run beside others gives nothing up.
func TestWhatIsSettledIsNotRemembered(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		for range 6 {
			beside := d.bank.begin()
			d.bank.change(crowd(25_000)...) // above it
			pass(staleness)
			d.read("a")
			d.want("a", 0, true)
			d.bank.commit(beside, "b")
			pass(staleness)
		}
	})
}

// A database that was restored, or promoted from a copy, gives out numbers a second time.
func TestALogThatWentBackIsFollowedAnew(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		for range 10 {
			d.bank.change("a")
		}
		pass(staleness)
		d.want("a", 10, false)
		d.want("a", 10, true)
		pass(1)
		d.bank.mu.Lock()
		d.bank.next, d.bank.log, d.bank.version["a"] = 3, d.bank.log[:2], 2
		d.bank.mu.Unlock()
		pass(staleness)
		d.want("a", 2, false)
		d.want("a", 2, true)
		pass(1)
		d.bank.change("a") // with a number that was seen before
		pass(staleness)
		d.want("a", 3, false)
	})
}

// An asynchronous failover may lose the last changes and give their numbers to others, so that no
// number tells: the server does.
func TestAnotherServersLogIsFollowedAnew(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		d.bank.change("a")
		pass(staleness)
		d.want("a", 1, false)
		d.want("a", 1, true)
		d.bank.mu.Lock() // what the old server knew of a last is lost; b has its number
		d.bank.log[0].CustomerID, d.bank.version["a"], d.bank.version["b"], d.bank.origin = "b", 0, 1, 2
		d.bank.mu.Unlock()
		pass(staleness)
		d.want("a", 0, false)
		d.want("b", 1, false)
		pass(staleness)
		d.want("a", 0, true)
		d.bank.change("a")
		pass(staleness)
		d.want("a", 1, false)
	})
}

func TestAgeAndLagAreTold(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		pass(100 * time.Millisecond)
		if age, ok := d.cache.Age(); !ok || age != 100*time.Millisecond {
			t.Errorf("age %s, %v, want 100 ms", age, ok)
		}
		d.bank.lag = 30 * time.Millisecond
		d.bank.change("a")
		pass(staleness)
		pass(staleness)
		if len(d.lags) != 1 || d.lags[0] != 30*time.Millisecond {
			t.Errorf("lags %v, want one of 30 ms", d.lags)
		}
		resume := d.bank.stall()
		pass(5 * time.Second)
		if age, ok := d.cache.Age(); !ok || age < 5*time.Second {
			t.Errorf("age %s, %v of a stalled log, want 5 s and more", age, ok)
		}
		resume()
		pass(staleness)
		if age, _ := d.cache.Age(); age > staleness {
			t.Errorf("age %s after it went on", age)
		}
	})
}

func TestNoAgeBeforeTheFirstPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{T: t, bank: newBank()}
		resume := d.bank.stall()
		d.begin(cache.Config{})
		if age, ok := d.cache.Age(); ok {
			t.Errorf("age %s of a log that was never read", age)
		}
		resume()
		d.cache.Close()
	})
}

// The promise itself: whatever commits in whatever order, whatever fails, stalls, is told or
// lost, nobody reads what was already replaced when the bound began.
func TestNobodyReadsAStaleVersion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		synctest.Test(t, func(t *testing.T) {
			d := &desk{T: t, bank: newBank()}
			if err := d.livesThrough(seed); err != nil {
				rt.Fatalf("seed %d: %v", seed, err)
			}
		})
	})
}

// livesThrough runs a random day at the desk.
func (d *desk) livesThrough(seed uint64) (found error) {
	r := rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex // of r
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return r.IntN(n)
	}
	slow, broken := draw(3), draw(4) // how often a call is slow or fails
	d.bank.onCall(func(ctx context.Context) {
		if draw(10) < slow {
			select {
			case <-time.After(time.Duration(draw(400)) * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	d.bank.fail = func() error {
		if draw(20) < broken {
			return fmt.Errorf("%w: by chance", features.ErrUnavailable)
		}
		return nil
	}
	d.begin(cache.Config{MaxFills: 4})
	defer d.cache.Close()
	var running []uint64
	var readers sync.WaitGroup
	defer readers.Wait()
	var failed atomic.Pointer[error]
	for range 150 {
		id := fmt.Sprint("c", draw(3))
		switch draw(9) {
		case 0:
			running = append(running, d.bank.begin())
		case 1:
			if n := len(running); n > 0 {
				i := draw(n)
				d.bank.commit(running[i], id)
				running = append(running[:i], running[i+1:]...)
			}
		case 2:
			d.bank.change(id)
		case 3:
			select {
			case d.bank.wakes <- struct{}{}:
			default:
			}
		case 4:
			time.Sleep(time.Duration(draw(700)) * time.Millisecond)
		default:
			readers.Go(func() {
				oldest := d.bank.oldest(id, staleness)
				p, err := d.cache.Profile(context.Background(), id, later)
				switch {
				case err != nil && !errors.Is(err, features.ErrUnavailable):
					failed.Store(&err)
				case err == nil && p.Revision < oldest:
					err = fmt.Errorf("read version %d of %s, want at least %d", p.Revision, id, oldest)
					failed.Store(&err)
				}
			})
			time.Sleep(time.Duration(draw(60)) * time.Millisecond)
		}
	}
	readers.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
