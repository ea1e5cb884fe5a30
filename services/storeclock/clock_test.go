package storeclock

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when the tests' time begins, by the true clock.
var start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// machine is a process and a store whose clocks are off by what a test says.
type machine struct {
	mu            sync.Mutex    // for the test of Run
	passed        time.Duration // true time since start
	wall, store   time.Duration // by which the clocks are ahead of the true one
	there, back   time.Duration // that a reading takes on its way
	readings      int
	err           error
	observed      []State
	limit         time.Duration
	wallSlowsDown func() // between the looks at two clocks
}

func (m *machine) clock() *Clock {
	if m.limit == 0 {
		m.limit = 250 * time.Millisecond
	}
	return New(Config{
		Store: func(context.Context) (time.Time, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.readings++
			m.passed += m.there
			at := start.Add(m.passed + m.store).Truncate(time.Microsecond)
			m.passed += m.back
			return at, m.err
		},
		Wall: func() time.Time {
			m.mu.Lock()
			defer m.mu.Unlock()
			at := start.Add(m.passed + m.wall)
			if m.wallSlowsDown != nil {
				m.wallSlowsDown()
			}
			return at
		},
		Elapsed: func() time.Duration { return m.passed },
		Limit:   m.limit,
		Observe: func(s State, _ Skew) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.observed = append(m.observed, s)
		},
	})
}

func TestWhatMayBeAnswered(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, c := range []struct {
		name        string
		wall, store time.Duration
		took        time.Duration // each way
		want        State
	}{
		{"the same", 0, 0, ms, Agreed},
		{"a little ahead", 100 * ms, 0, ms, Agreed},
		{"ahead", 200 * ms, 0, ms, Drifting},
		{"behind", 0, 200 * ms, ms, Drifting},
		{"ahead by the limit, all but what is not known", 247 * ms, 0, ms, Drifting},
		{"ahead by what may be the limit", 250 * ms, 0, ms, Skewed},
		{"three minutes ahead", 3 * time.Minute, 0, ms, Skewed},
		{"three minutes behind", -3 * time.Minute, 0, ms, Skewed},
		{"the store is three minutes behind", 0, -3 * time.Minute, ms, Skewed},
		{"a reading so slow that it proves nothing", 0, 0, 300 * ms, Skewed},
		{"a reading that proves enough", 0, 0, 200 * ms, Drifting},
	} {
		m := &machine{wall: c.wall, store: c.store, there: c.took, back: c.took}
		clock := m.clock()
		if got := clock.State(); got != Unknown {
			t.Errorf("%s: %d before the store's clock was read", c.name, got)
		}
		if err := clock.Check(); !errors.Is(err, ErrSkewed) {
			t.Errorf("%s: %v before the store's clock was read", c.name, err)
		}
		if err := clock.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := clock.State(), clock.Check(); got != c.want || errors.Is(err, ErrSkewed) != (c.want == Skewed) {
			t.Errorf("%s: %d, %v, want %d", c.name, got, err, c.want)
		}
	}
}

// A clock that is set between two readings is noticed by the next question.
func TestAStepIsNoticedAtOnce(t *testing.T) {
	t.Parallel()
	m := &machine{there: time.Millisecond, back: time.Millisecond}
	clock := m.clock()
	if err := clock.Begin(t.Context()); err != nil || m.readings != 1 {
		t.Fatalf("%v after %d readings, want one", err, m.readings)
	}
	for _, step := range []time.Duration{0, -3 * time.Minute, 0, 3 * time.Minute, 0, 300 * time.Millisecond, 0} {
		m.passed += 10 * time.Second
		m.wall = step
		if err := clock.Check(); (err != nil) != (step != 0) {
			t.Errorf("the clock was set to %s: %v", step, err)
		}
		if off := clock.Now().Sub(start.Add(m.passed)); off.Abs() > 2*time.Millisecond {
			t.Errorf("the store's clock is %s off while the own one is %s off", off, step)
		}
	}
	m.store = -time.Minute // the server's is set
	if err := clock.Read(t.Context()); err != nil || clock.State() != Skewed {
		t.Errorf("the server's clock was set: %v, %d", err, clock.State())
	}
	m.store = 0
	if err := clock.Read(t.Context()); err != nil || clock.State() != Agreed {
		t.Errorf("the server's clock was set right: %v, %d", err, clock.State())
	}
}

// Where the store says nothing for long, what was known wears out.
func TestWhatIsKnownWearsOut(t *testing.T) {
	t.Parallel()
	m := &machine{there: time.Millisecond, back: time.Millisecond}
	clock := m.clock()
	if err := clock.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.err = errors.New("gone")
	if err := clock.Begin(t.Context()); !errors.Is(err, m.err) {
		t.Errorf("Begin: %v, want the source's error", err)
	}
	m.passed += 2 * time.Minute
	if got := clock.State(); got != Agreed {
		t.Errorf("after two minutes: %d", got)
	}
	m.passed += 5 * time.Minute
	if got := clock.State(); got != Skewed {
		t.Errorf("after seven minutes: %d", got)
	}
}

func TestBeginLooksAgainWhereItLearnsNothing(t *testing.T) {
	t.Parallel()
	m := &machine{there: 300 * time.Millisecond, back: 300 * time.Millisecond}
	if err := m.clock().Begin(t.Context()); err != nil || m.readings != firstReadings {
		t.Errorf("%v after %d readings, want %d", err, m.readings, firstReadings)
	}
}

// Who sleeps between the looks at two clocks has learned less, not something else.
func TestAProcessThatIsStoppedIsNotTakenForASkewedOne(t *testing.T) {
	t.Parallel()
	m := &machine{}
	clock, looks := m.clock(), 0
	if err := clock.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.wallSlowsDown = func() {
		if looks++; looks < closeLooks {
			m.passed += time.Second
		}
	}
	if err := clock.Check(); err != nil {
		t.Error(err)
	}
}

// Whatever the readings take and whoever is set: the truth lies within what is said, and
// nothing is answered beyond the limit.
func TestTheTruthLiesWithin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{}
		clock := m.clock()
		span := func(label string, most time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, label))
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				m.wall = span("wall", time.Second) - 500*time.Millisecond
			case 1: // both good clocks, one a little slower
				passes := span("passes", time.Minute)
				m.passed += passes
				m.store += time.Duration(rapid.Int64Range(-1, 1).Draw(t, "drift")) * passes / (2 * drift)
			default:
				m.there, m.back = span("there", 300*time.Millisecond), span("back", 300*time.Millisecond)
				if err := clock.Read(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			skew, ok := clock.Skew()
			truth := m.wall - m.store
			if ok && (truth < skew.Least || truth > skew.Most) {
				t.Fatalf("the skew is %s, said to be from %s to %s", truth, skew.Least, skew.Most)
			}
			if clock.Check() == nil && truth.Abs() > m.limit {
				t.Fatalf("answered with a skew of %s", truth)
			}
			if off := clock.Now().Sub(start.Add(m.passed + m.store)); ok && off.Abs() > skew.Most-skew.Least {
				t.Fatalf("the store's clock is %s off, known to %s", off, skew.Most-skew.Least)
			}
		}
	})
}

func TestRunReadsEverySecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{}
		clock := m.clock()
		ctx, stop := context.WithCancel(t.Context())
		go clock.Run(ctx)
		for i, c := range []struct {
			wall time.Duration
			err  error
		}{{0, nil}, {200 * time.Millisecond, nil}, {time.Second, nil}, {0, errors.New("gone")}, {0, nil}} {
			m.mu.Lock()
			m.wall, m.err = c.wall, c.err
			m.mu.Unlock()
			time.Sleep(time.Second)
			synctest.Wait()
			m.mu.Lock()
			if m.readings != i+1 {
				t.Errorf("%d readings after %d seconds", m.readings, i+1)
			}
			m.mu.Unlock()
		}
		stop()
		synctest.Wait()
		m.mu.Lock()
		defer m.mu.Unlock()
		want := []State{Agreed, Drifting, Skewed, Agreed}
		if len(m.observed) != len(want) {
			t.Fatalf("observed %v, want %v", m.observed, want)
		}
		for i := range want {
			if m.observed[i] != want[i] {
				t.Errorf("observed %v, want %v", m.observed, want)
			}
		}
	})
}

func TestTheErrorSaysWhoIsAhead(t *testing.T) {
	t.Parallel()
	for wall, want := range map[time.Duration]string{
		3 * time.Minute:  "the own is 3m0s ahead of the store's, give or take 1ms, expected at most 250ms",
		-3 * time.Minute: "the own is 3m0s behind the store's, give or take 1ms, expected at most 250ms",
	} {
		m := &machine{wall: wall, there: time.Millisecond, back: time.Millisecond}
		clock := m.clock()
		if err := clock.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := clock.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
