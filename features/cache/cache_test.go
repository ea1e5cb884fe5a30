package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	noon      fund.Instant = 1_600_000_000_000_000
	later     fund.Instant = 1_900_000_000_000_000
	staleness              = time.Second
)

var errBroken = fmt.Errorf("%w: broken", features.ErrUnavailable)

func tag(id, value string, at fund.Instant) features.Cell {
	return features.Cell{CustomerID: id, View: features.TagView, Name: "a", Value: value, EventAt: at}
}

// rig is a cache over a store whose faults the test sets while it runs.
type rig struct {
	*testing.T
	store    *memory.Store
	faulty   *memory.Faulty
	cache    *cache.Profiles
	faults   map[memory.Method]memory.Fault
	mu       sync.Mutex
	outcomes [cache.Outcomes]atomic.Int64
}

// run runs a test in a bubble of fake time on a bank of customers c0 to c9.
func run(t *testing.T, cfg cache.Config, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, store: memory.New(), faults: map[memory.Method]memory.Fault{}}
		_, err := r.store.Import(t.Context(), noon, func(b features.Batch) error {
			var cells []features.Cell
			for i := range 10 {
				cells = append(cells, tag(fmt.Sprint("c", i), "0", noon))
			}
			return b.Cells(cells)
		})
		if err != nil {
			t.Fatal(err)
		}
		r.faulty = memory.NewFaulty(r.store, func(m memory.Method, _ int) memory.Fault {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.faults[m]
		})
		cfg.Observe = func(o cache.Outcome) { r.outcomes[o].Add(1) }
		if r.cache, err = cache.New(r.faulty, cfg); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the first poll
		test(r)
		r.fault(memory.HeadMethod, memory.Fault{})
		r.cache.Close()
	})
}

func (r *rig) fault(m memory.Method, f memory.Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults[m] = f
}

// want reads through the cache and checks the tag's value.
func (r *rig) want(id, value string) {
	r.Helper()
	p, err := r.cache.Profile(r.Context(), id, later)
	if err != nil || len(p.Tags) != 1 || p.Tags[0].Value != value || p.CustomerID != id {
		r.Errorf("%s is %+v, %v, want tag %q", id, p, err, value)
	}
	synctest.Wait() // ristretto keeps what it was given a moment later
}

// wantHeads checks how often the store was asked for a head.
func (r *rig) wantHeads(n int) {
	r.Helper()
	if got := r.faulty.Calls(memory.HeadMethod); got != n {
		r.Errorf("the store was asked for %d heads, want %d", got, n)
	}
}

// wantOutcomes checks how often something happened.
func (r *rig) wantOutcomes(o cache.Outcome, n int64) {
	r.Helper()
	if got := r.outcomes[o].Load(); got != n {
		r.Errorf("outcome %d was seen %d times, want %d", o, got, n)
	}
}

// elsewhere writes to c1 as another replica does.
func (r *rig) elsewhere(value string, at fund.Instant) {
	r.Helper()
	r.writeTo(r.store, value, at)
}

func (r *rig) writeTo(s features.Profiles, value string, at fund.Instant) {
	r.Helper()
	if _, err := s.Write(r.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{tag("c1", value, at)}, RecordedAt: at}); err != nil {
		r.Error(err)
	}
}

func TestASecondReadIsAnsweredFromMemory(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		for range 5 {
			r.want("c1", "0")
		}
		r.want("c2", "0")
		r.wantHeads(2)
		r.wantOutcomes(cache.Hit, 4)
		r.wantOutcomes(cache.Miss, 2)
	})
}

func TestAWriteThroughTheCacheIsSeenAtOnce(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		for i := range 20 {
			r.want("c1", fmt.Sprint(i))
			r.writeTo(r.cache, fmt.Sprint(i+1), noon+fund.Instant(i)+1)
		}
		r.want("c1", "20")
	})
}

// click records a click of each customer through the cache.
func (r *rig) click(id string, customers ...string) error {
	var events []features.Event
	for _, c := range customers {
		events = append(events, features.Event{ID: id + c, CustomerID: c, Kind: "CLICK", EventAt: noon})
	}
	_, err := r.cache.RecordEvents(r.Context(), features.EventBatch{Events: events, RecordedAt: noon})
	return err
}

// wantClicks reads through the cache and checks the trail.
func (r *rig) wantClicks(id string, n int) {
	r.Helper()
	p, err := r.cache.Profile(r.Context(), id, later)
	if err != nil || len(p.Trail.Recent) != n {
		r.Errorf("%s is %+v, %v, want %d clicks", id, p, err, n)
	}
	synctest.Wait() // ristretto keeps what it was given a moment later
}

func TestEventsThroughTheCacheAreSeenAtOnce(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		for i := range 5 {
			for _, id := range []string{"c1", "c2"} {
				r.wantClicks(id, i)
			}
			if err := r.click(fmt.Sprint(i), "c1", "c2"); err != nil {
				r.Error(err)
			}
		}
		r.wantClicks("c1", 5)
		r.wantClicks("c3", 0)
		r.wantClicks("c3", 0)
		r.wantHeads(5 + 5 + 1 + 1) // c3 was not dropped
		n := 0
		err := r.cache.Events(r.Context(), "c2", later, func(*features.Event) error { n++; return nil })
		if err != nil || n != 5 {
			r.Errorf("%d events of c2, %v, want 5", n, err)
		}
		if _, err := r.cache.Manager(r.Context(), "m1"); !errors.Is(err, features.ErrNotFound) {
			r.Errorf("manager: %v, want ErrNotFound", err)
		}
	})
}

func TestEventsThatReportAnErrorDropAllTheSame(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		r.wantClicks("c1", 0)
		r.fault(memory.RecordMethod, memory.Fault{Err: errBroken, Done: true})
		if err := r.click("a", "c1"); !errors.Is(err, errBroken) {
			r.Errorf("recording: %v, want the error", err)
		}
		r.wantClicks("c1", 1)
	})
}

func TestAChangeElsewhereIsSeenWithinTheBound(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		for i := range 20 {
			r.want("c1", fmt.Sprint(i))
			time.Sleep(time.Duration(i) * 37 * time.Millisecond) // at every place between two polls
			r.elsewhere(fmt.Sprint(i+1), noon+fund.Instant(i)+1)
			time.Sleep(staleness)
			synctest.Wait()
			r.want("c1", fmt.Sprint(i+1))
		}
		if r.outcomes[cache.Stale].Load() > 0 {
			r.Error("reads went through although the log was followed")
		}
	})
}

func TestAChangeOfOneCustomerLeavesTheOthers(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		r.want("c1", "0")
		r.want("c2", "0")
		r.elsewhere("1", noon+1)
		time.Sleep(staleness)
		synctest.Wait()
		r.want("c2", "0")
		r.wantHeads(2)
		r.want("c1", "1")
		r.wantHeads(3)
		r.wantOutcomes(cache.Dropped, 1)
	})
}

func TestWithoutPollsReadsGoToTheStore(t *testing.T) {
	for name, fault := range map[string]func() memory.Fault{ // a channel belongs to the bubble that makes it
		"stalled":                 func() memory.Fault { return memory.Fault{Before: make(chan struct{})} },
		"stalled on the way back": func() memory.Fault { return memory.Fault{After: make(chan struct{})} },
		"failing":                 func() memory.Fault { return memory.Fault{Err: errBroken} },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, cache.Config{}, func(r *rig) {
				r.want("c1", "0")
				r.fault(memory.ChangesMethod, fault())
				r.elsewhere("1", noon+1)
				time.Sleep(staleness)
				synctest.Wait()
				for range 3 {
					r.want("c1", "1")
				}
				r.wantHeads(4)
				r.wantOutcomes(cache.Stale, 3)
				r.elsewhere("2", noon+2)
				r.want("c1", "2") // not even as old as the bound
				time.Sleep(2 * staleness)
				if r.outcomes[cache.PollFailed].Load() == 0 {
					r.Error("the failing polls were not told")
				}
				r.fault(memory.ChangesMethod, memory.Fault{})
				time.Sleep(2 * staleness)
				synctest.Wait()
				r.want("c1", "2")
				hits := r.outcomes[cache.Hit].Load()
				r.want("c1", "2")
				r.wantOutcomes(cache.Hit, hits+1)
			})
		})
	}
}

// A fill that read before a change must not be kept after it.
func TestASlowFillLosesAgainstANewerDrop(t *testing.T) {
	for name, change := range map[string]func(r *rig){
		"a write through the cache": func(r *rig) { r.writeTo(r.cache, "1", noon+1) },
		"a change elsewhere":        func(r *rig) { r.elsewhere("1", noon+1); time.Sleep(staleness) },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, cache.Config{}, func(r *rig) {
				gate := make(chan struct{})
				r.fault(memory.HeadMethod, memory.Fault{After: gate})
				slow := make(chan string)
				go func() {
					p, err := r.cache.Profile(r.Context(), "c1", later)
					if err != nil {
						r.Error(err)
					}
					slow <- p.Tags[0].Value
				}()
				synctest.Wait() // it has read and not yet returned
				change(r)
				synctest.Wait()
				r.fault(memory.HeadMethod, memory.Fault{})
				r.want("c1", "1") // does not join the old flight
				r.writeTo(r.cache, "2", noon+2)
				close(gate)
				if got := <-slow; got != "0" {
					r.Errorf("the slow read gives %q, want what it read, 0", got)
				}
				synctest.Wait()
				r.wantOutcomes(cache.FillLost, 1)
				r.want("c1", "2")
				r.want("c1", "2")
			})
		})
	}
}

func TestThePastIsReadFromTheStore(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		r.writeTo(r.cache, "1", noon+10)
		for range 2 { // from a fill, then from the cache
			for at, want := range map[fund.Instant]string{noon: "0", noon + 9: "0", noon + 10: "1"} {
				p, err := r.cache.Profile(r.Context(), "c1", at)
				if err != nil || p.Tags[0].Value != want {
					r.Errorf("at %d: %+v, %v, want %s", at, p, err, want)
				}
			}
			synctest.Wait()
		}
		if r.outcomes[cache.Past].Load() == 0 {
			r.Error("no read of the past was seen")
		}
	})
}

func TestAnUnknownCustomerIsAskedForEachTime(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		for range 3 {
			if p, err := r.cache.Profile(r.Context(), "new", later); !errors.Is(err, features.ErrNotFound) || p != nil {
				r.Errorf("%v, %v, want ErrNotFound", p, err)
			}
		}
		_, err := r.store.Import(r.Context(), noon, func(b features.Batch) error { return b.Cells([]features.Cell{tag("new", "0", noon)}) })
		if err != nil {
			r.Fatal(err)
		}
		r.want("new", "0")
	})
}

func TestAnErrorOfTheStoreIsReturnedAndForgotten(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		r.fault(memory.HeadMethod, memory.Fault{Err: errBroken})
		if _, err := r.cache.Profile(r.Context(), "c1", later); !errors.Is(err, errBroken) {
			r.Errorf("error %v, want the store's", err)
		}
		r.fault(memory.HeadMethod, memory.Fault{})
		r.want("c1", "0")
	})
}

func TestAWriteThatReportsAnErrorDropsAllTheSame(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		r.want("c1", "0")
		r.fault(memory.WriteMethod, memory.Fault{Err: errBroken, Done: true})
		w := features.Write{CustomerID: "c1", Cells: []features.Cell{tag("c1", "1", noon+1)}, RecordedAt: noon}
		if _, err := r.cache.Write(r.Context(), w); !errors.Is(err, errBroken) {
			r.Errorf("error %v, want the store's", err)
		}
		r.want("c1", "1")
	})
}

func TestOneReadServesAllWhoAsk(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		gate := make(chan struct{})
		r.fault(memory.HeadMethod, memory.Fault{Before: gate})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if p, err := r.cache.Profile(r.Context(), "c1", later); err != nil || p.Tags[0].Value != "0" {
					r.Errorf("%+v, %v", p, err)
				}
			})
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(r.Context(), 10*time.Millisecond)
			defer cancel()
			if _, err := r.cache.Profile(ctx, "c1", later); !errors.Is(err, context.DeadlineExceeded) {
				r.Errorf("the impatient one: %v, want DeadlineExceeded", err)
			}
		})
		time.Sleep(100 * time.Millisecond)
		close(gate)
		wg.Wait()
		r.wantHeads(1)
	})
}

// Whoever began the read may leave: the others still get it.
func TestTheFirstCallerMayGo(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		gate := make(chan struct{})
		r.fault(memory.HeadMethod, memory.Fault{Before: gate})
		ctx, cancel := context.WithCancel(r.Context())
		first := make(chan error)
		go func() {
			_, err := r.cache.Profile(ctx, "c1", later)
			first <- err
		}()
		synctest.Wait()
		second := make(chan error)
		go func() {
			_, err := r.cache.Profile(r.Context(), "c1", later)
			second <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			r.Errorf("the first: %v, want Canceled", err)
		}
		close(gate)
		if err := <-second; err != nil {
			r.Errorf("the second: %v", err)
		}
		r.wantHeads(1)
	})
}

func TestAReadOlderThanTheBoundIsNotJoined(t *testing.T) {
	run(t, cache.Config{}, func(r *rig) {
		gate := make(chan struct{})
		r.fault(memory.HeadMethod, memory.Fault{After: gate})
		go func() { _, _ = r.cache.Profile(r.Context(), "c1", later) }()
		synctest.Wait()
		r.fault(memory.HeadMethod, memory.Fault{})
		time.Sleep(staleness)
		r.want("c1", "0")
		r.wantHeads(2)
		close(gate)
		synctest.Wait()
	})
}

func TestAFillThatHangsEnds(t *testing.T) {
	run(t, cache.Config{FillTimeout: 2 * time.Second}, func(r *rig) {
		r.fault(memory.HeadMethod, memory.Fault{Before: make(chan struct{})})
		_, err := r.cache.Profile(r.Context(), "c1", later)
		if !errors.Is(err, features.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			r.Errorf("error %v, want ErrUnavailable", err)
		}
	})
}

func TestFillsAreBounded(t *testing.T) {
	run(t, cache.Config{MaxFills: 2}, func(r *rig) {
		gate := make(chan struct{})
		r.fault(memory.HeadMethod, memory.Fault{Before: gate})
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() { _, _ = r.cache.Profile(r.Context(), fmt.Sprint("c", i), later) })
		}
		synctest.Wait()
		r.want("c5", "0") // on its own, not held back
		r.wantHeads(2)
		close(gate)
		wg.Wait()
		r.want("c5", "0")
		r.wantHeads(3)
	})
}

func TestAnEntryEndsHoweverOftenItIsRead(t *testing.T) {
	run(t, cache.Config{MaxAge: 10 * time.Second}, func(r *rig) {
		for range 30 {
			r.want("c1", "0")
			time.Sleep(time.Second)
			synctest.Wait()
		}
		r.wantHeads(3)
	})
}

func TestAProfileAboveTheBoundIsNotKept(t *testing.T) {
	run(t, cache.Config{MaxBytes: 64 << 10}, func(r *rig) {
		var cells []features.Cell
		for i := range 200 {
			c := tag("c1", strings.Repeat("x", fund.MaxTextLength), noon)
			c.Name = fmt.Sprintf("%0300d", i)
			cells = append(cells, c)
		}
		if _, err := r.cache.Write(r.Context(), features.Write{CustomerID: "c1", Cells: cells, RecordedAt: noon}); err != nil {
			r.Fatal(err)
		}
		for range 3 {
			if p, err := r.cache.Profile(r.Context(), "c1", later); err != nil || len(p.Tags) != 201 {
				r.Errorf("%v", err)
			}
			synctest.Wait()
		}
		r.wantHeads(3)
	})
}

// A log of years is not read again at each start.
func TestTheLogIsFollowedFromItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 3, 1000, 4321} {
			store := memory.New()
			_, err := store.Import(t.Context(), noon, func(b features.Batch) error {
				for i := range n {
					if err := b.Cells([]features.Cell{tag(fmt.Sprint("c", i), "0", noon)}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			var dropped atomic.Int64
			faulty := memory.NewFaulty(store, func(memory.Method, int) memory.Fault { return memory.Fault{} })
			c, err := cache.New(faulty, cache.Config{Observe: func(o cache.Outcome) {
				if o == cache.Dropped {
					dropped.Add(1)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if calls := faulty.Calls(memory.ChangesMethod); dropped.Load() != 0 || calls > 40 {
				t.Errorf("a log of %d: %d drops and %d reads of the log, want none and few", n, dropped.Load(), calls)
			}
			c.Close()
		}
	})
}

// Before the end of the log is known, a change could be missed.
func TestNothingIsKeptBeforeTheLogIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, gate := memory.New(), make(chan struct{})
		write := func(value string, at fund.Instant) {
			_, err := store.Import(t.Context(), noon, func(b features.Batch) error { return b.Cells([]features.Cell{tag("c1", value, at)}) })
			if err != nil {
				t.Fatal(err)
			}
		}
		write("0", noon)
		faulty := memory.NewFaulty(store, func(m memory.Method, _ int) memory.Fault {
			if m == memory.ChangesMethod {
				return memory.Fault{Before: gate}
			}
			return memory.Fault{}
		})
		c, err := cache.New(faulty, cache.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for i, want := range []string{"0", "1"} {
			p, err := c.Profile(t.Context(), "c1", later)
			if err != nil || p.Tags[0].Value != want {
				t.Errorf("read %d: %+v, %v, want %s", i, p, err, want)
			}
			if i == 0 {
				write("1", noon+1)
				close(gate)
				synctest.Wait() // the log is followed from here
			}
		}
	})
}

// noHeads hides that a store has heads.
type noHeads struct{ features.Profiles }

// noEvents hides that a store has events.
type noEvents struct {
	features.Profiles
	cache.HeadReader
}

func TestConfigurationIsChecked(t *testing.T) {
	if _, err := cache.New(noHeads{memory.New()}, cache.Config{}); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("a store without heads: %v, want ErrInvalid", err)
	}
	if _, err := cache.New(noEvents{memory.New(), memory.New()}, cache.Config{}); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("a store without events: %v, want ErrInvalid", err)
	}
	for name, cfg := range map[string]cache.Config{
		"few bytes":       {MaxBytes: 64<<10 - 1},
		"no staleness":    {Staleness: time.Microsecond},
		"a negative age":  {MaxAge: -1},
		"a negative wait": {FillTimeout: -1},
		"negative fills":  {MaxFills: -1},
	} {
		if _, err := cache.New(memory.New(), cfg); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestACloseLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t)
	store := memory.New()
	if _, err := store.Import(t.Context(), noon, func(b features.Batch) error { return b.Cells([]features.Cell{tag("c1", "0", noon)}) }); err != nil {
		t.Fatal(err)
	}
	c, err := cache.New(store, cache.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Profile(t.Context(), "c1", later); err != nil {
		t.Error(err)
	}
	c.Close()
	if p, err := c.Profile(t.Context(), "c1", later); err != nil || p.CustomerID != "c1" {
		t.Errorf("a read after the end: %v, %v, want the store's answer", p, err)
	}
}

// Who wrote reads his own write, and no read goes back in time, whatever else happens.
func TestWritersReadTheirOwnWrites(t *testing.T) {
	defer goleak.VerifyNone(t)
	store := memory.New()
	const customers, writes = 4, 200
	for i := range customers {
		_, err := store.Import(t.Context(), noon, func(b features.Batch) error { return b.Cells([]features.Cell{tag(fmt.Sprint("c", i), "0", noon)}) })
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := cache.New(store, cache.Config{Staleness: 4 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var writing, reading sync.WaitGroup
	var over atomic.Bool
	for i := range customers {
		id := fmt.Sprint("c", i)
		writing.Go(func() {
			for n := range writes {
				at := noon + fund.Instant(n) + 1
				r, err := c.Write(context.Background(), features.Write{CustomerID: id, Cells: []features.Cell{tag(id, fmt.Sprint(n), at)}, RecordedAt: at})
				if err != nil {
					t.Error(err)
					return
				}
				if p, err := c.Profile(context.Background(), id, later); err != nil || p.Revision < r.Revision {
					t.Errorf("read %v, %v after writing revision %d", p, err, r.Revision)
				}
			}
		})
		reading.Go(func() {
			for !over.Load() {
				if _, err := c.Profile(context.Background(), id, later); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	over.Store(true)
	reading.Wait()
}
