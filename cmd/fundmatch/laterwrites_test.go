package main

import (
	"errors"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// What was said last counts, although the clock that dates it is behind that of who spoke before;
// a caller's own times, and facts that no replica can have dated, stay what they are.
func TestWhatWasSaidLastCounts(t *testing.T) {
	t.Parallel()
	const window = 500 * time.Millisecond
	now := fund.InstantOf(time.Now())
	for _, c := range []struct {
		name     string
		before   time.Duration // by which the fact before is ahead of the writer's clock
		event    time.Duration // by which the caller dates his word before the writer's clock
		want     string
		newestIn time.Duration // from the writer's clock on: the newest fact afterwards
	}{
		{"in order", -time.Millisecond, 0, "C1", 0},
		{"at the same instant", 0, 0, "C1", time.Microsecond},
		{"a slower clock", 3 * time.Millisecond, 0, "C1", 3*time.Millisecond + time.Microsecond},
		{"a clock that is as slow as may be", window, 0, "C1", window + time.Microsecond},
		{"a fact that nobody's clock has dated", window + time.Microsecond, 0, "C5", window + time.Microsecond},
		{"what the caller dates himself", 3 * time.Millisecond, time.Hour, "C5", 3*time.Millisecond + time.Microsecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shared, _ := replica(t, pgtest.Database(t))
			level := func(level string, at, known fund.Instant) []features.Cell {
				return []features.Cell{{
					CustomerID: "c", View: features.AssessmentView, Name: features.AssessedName, EventAt: at, KnownAt: known,
					Value: `{"level":"` + level + `","on":"` + at.Date().String() + `"}`,
				}}
			}
			before := now.Add(c.before)
			_, err := shared.Import(t.Context(), before, func(b features.Batch) error { return b.Cells(level("C5", before, before)) })
			if err != nil {
				t.Fatal(err)
			}
			s := &laterWrites{Store: shared, window: window, now: time.Now}
			w := features.Write{CustomerID: "c", RecordedAt: now, Cells: level("C1", now.Add(-c.event), now)}
			r, err := s.Write(t.Context(), w)
			if err != nil || !r.Changed {
				t.Fatalf("%+v, %v", r, err)
			}
			if said := w.Cells[0]; said.KnownAt != now || w.RecordedAt != now {
				t.Errorf("the caller's write was changed: %+v", w)
			}
			p, newest, err := s.Head(t.Context(), "c")
			if err != nil || p.Assessment.Level.String() != c.want || newest != now.Add(c.newestIn) {
				t.Errorf("%s from %s, %v, want %s from %s", p.Assessment.Level, newest, err, c.want, now.Add(c.newestIn))
			}
			if c.want == "C1" && fund.InstantOf(time.Now()) < newest {
				t.Error("the writer was told before his word counts")
			}
		})
	}
}

func TestWritingOfNobodyIsTheStoresToRefuse(t *testing.T) {
	t.Parallel()
	shared, _ := replica(t, pgtest.Database(t))
	s := &laterWrites{Store: shared, window: time.Second, now: time.Now}
	_, err := s.Write(t.Context(), features.Write{CustomerID: "nobody", RecordedAt: 1})
	if !errors.Is(err, features.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
	_ = shared.Close()
	if _, err := s.Write(t.Context(), features.Write{CustomerID: "c", RecordedAt: 1}); !errors.Is(err, features.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}
