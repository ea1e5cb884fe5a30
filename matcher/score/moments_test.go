package score_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score"
)

func TestShardsGiveTheBitsOfTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(30, 24*score.BlockRows).Draw(t, "rows")
		s := illScaled(rapid.Uint64().Draw(t, "seed"), n, rapid.IntRange(1, 4).Draw(t, "columns"))
		if rapid.Bool().Draw(t, "weighted") {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			for range n {
				s.w = append(s.w, .5+r.Float64())
			}
		}
		var shards []*score.Moments
		for at := 0; at < n; {
			end := min(at+score.BlockRows*rapid.IntRange(1, 12).Draw(t, "blocks"), n)
			shards = append(shards, moments(t, s, at, end))
			at = end
		}
		for len(shards) > 1 { // any two neighbours, in any order
			at := rapid.IntRange(0, len(shards)-2).Draw(t, "merge")
			if err := shards[at].Merge(shards[at+1]); err != nil {
				t.Fatal(err)
			}
			shards = slices.Delete(shards, at+1, at+2)
		}
		whole := moments(t, s, 0, n)
		if shards[0].Rows() != whole.Rows() {
			t.Fatalf("%d rows, want %d", shards[0].Rows(), whole.Rows())
		}
		a, errA := score.Fit(shards[0], score.FitOptions{Ridge: .1})
		b, errB := score.Fit(whole, score.FitOptions{Ridge: .1})
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if text(t, a) != text(t, b) {
			t.Fatalf("merged:\n%s\nwhole:\n%s", text(t, a), text(t, b))
		}
	})
}

// What was merged goes on like what was not: rows may follow, and the part may be used again.
func TestRowsMayFollowAMerge(t *testing.T) {
	t.Parallel()
	const n = 5*score.BlockRows + 77
	s := illScaled(3, n, 3)
	head, tail := moments(t, s, 0, 2*score.BlockRows), moments(t, s, 2*score.BlockRows, 4*score.BlockRows+10)
	before, err := score.Fit(tail, score.FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := head.Merge(tail); err != nil {
		t.Fatal(err)
	}
	for i := 4*score.BlockRows + 10; i < n; i++ {
		if err := head.Add(s.y[i], s.x[i]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := score.Fit(head, score.FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := fit(t, s, score.FitOptions{}); text(t, got) != text(t, want) {
		t.Errorf("got\n%s\nwant\n%s", text(t, got), text(t, want))
	}
	after, err := score.Fit(tail, score.FitOptions{})
	if err != nil || text(t, after) != text(t, before) {
		t.Errorf("the part that was merged changed: %v\n%s\nwas\n%s", err, text(t, after), text(t, before))
	}
}

func TestAFitLeavesTheSumsAsTheyWere(t *testing.T) {
	t.Parallel()
	s := illScaled(4, 1000, 3)
	m := moments(t, s, 0, 600)
	for range 2 {
		if _, err := score.Fit(m, score.FitOptions{Ridge: 2}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 600; i < 1000; i++ {
		if err := m.Add(s.y[i], s.x[i]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := score.Fit(m, score.FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := fit(t, s, score.FitOptions{}); text(t, got) != text(t, want) {
		t.Errorf("got\n%s\nwant\n%s", text(t, got), text(t, want))
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	good := illScaled(1, 300, 3)
	change := func(row, column int, v float64) sample {
		s := sample{y: slices.Clone(good.y), w: make([]float64, len(good.y))}
		for i, x := range good.x {
			s.x, s.w[i] = append(s.x, slices.Clone(x)), 1
		}
		switch {
		case column < 0:
			s.w[row] = v
		case column == 3:
			s.y[row] = v
		default:
			s.x[row][column] = v
		}
		return s
	}
	every := func(column int, f func(i int, x []float64) float64) sample {
		s := change(0, 0, good.x[0][0])
		for i := range s.y {
			v := f(i, s.x[i])
			if column == 3 {
				s.y[i] = v
			} else {
				s.x[i][column] = v
			}
		}
		return s
	}
	cut := func(rows int) sample { return sample{x: good.x[:rows], y: good.y[:rows]} }
	ragged := func(row, values int) sample {
		s := change(0, 0, good.x[0][0])
		s.x[row] = make([]float64, values)
		return s
	}
	tiny := 1e-200
	cases := []struct {
		name   string
		rows   sample
		o      score.FitOptions
		err    error
		column string
		row    int64
		others []string
	}{
		{"NaN", change(256, 1, math.NaN()), score.FitOptions{}, score.ErrFitNotFinite, "x1", 257, nil},
		{"infinite", change(0, 2, math.Inf(-1)), score.FitOptions{}, score.ErrFitNotFinite, "x2", 1, nil},
		{"NaN target", change(299, 3, math.NaN()), score.FitOptions{}, score.ErrFitNotFinite, "y", 300, nil},
		{"too large", change(9, 0, 1.01e100), score.FitOptions{}, score.ErrFitRange, "x0", 10, nil},
		{"all too small", every(0, func(i int, _ []float64) float64 { return float64(i) * tiny }), score.FitOptions{}, score.ErrFitRange, "x0", 0, nil},
		{"weight 0", change(9, -1, 0), score.FitOptions{}, score.ErrFitWeight, "", 10, nil},
		{"weight NaN", change(9, -1, math.NaN()), score.FitOptions{}, score.ErrFitWeight, "", 10, nil},
		{"weight too large", change(9, -1, 1.1e9), score.FitOptions{}, score.ErrFitWeight, "", 10, nil},
		{"a value too few", ragged(20, 2), score.FitOptions{}, score.ErrFitRagged, "", 21, nil},
		{"a value too many", ragged(20, 4), score.FitOptions{}, score.ErrFitRagged, "", 21, nil},
		{"no rows", cut(0), score.FitOptions{}, score.ErrFitRows, "", 0, nil},
		{"a row too few", cut(4), score.FitOptions{}, score.ErrFitRows, "", 0, nil},
		{"a constant", every(1, func(int, []float64) float64 { return .1 }), score.FitOptions{}, score.ErrFitConstant, "x1", 0, nil},
		{"a constant with a ridge", every(1, func(int, []float64) float64 { return .1 }), score.FitOptions{Ridge: 1}, score.ErrFitConstant, "x1", 0, nil},
		{"a constant but for rounding", every(1, func(i int, _ []float64) float64 { return []float64{.3, math.Nextafter(.3, 1)}[i%2] }), score.FitOptions{}, score.ErrFitConstant, "x1", 0, nil},
		{"zeros", every(2, func(int, []float64) float64 { return 0 }), score.FitOptions{}, score.ErrFitConstant, "x2", 0, nil},
		{"a constant target", every(3, func(int, []float64) float64 { return 7 }), score.FitOptions{}, score.ErrFitConstantTarget, "y", 0, nil},
		{"a multiple", every(1, func(_ int, x []float64) float64 { return -3 * x[0] }), score.FitOptions{}, score.ErrFitCollinear, "x1", 0, []string{"x0"}},
		{"a sum and a constant", every(2, func(_ int, x []float64) float64 { return 1 + 1e6*x[0] + .1*x[1] }), score.FitOptions{}, score.ErrFitCollinear, "x2", 0, []string{"x0", "x1"}},
		{"nearly a multiple", every(1, func(i int, x []float64) float64 { return x[0] + 1e-14*float64(i%7) }), score.FitOptions{}, score.ErrFitCondition, "", 0, nil},
		{"a condition above what was asked", good, score.FitOptions{MaxCondition: 1.01}, score.ErrFitCondition, "", 0, nil},
		{"the strictest limit", good, score.FitOptions{MaxCondition: 1}, score.ErrFitCondition, "", 0, nil},
		{"a negative ridge", good, score.FitOptions{Ridge: -1}, score.ErrFitOptions, "", 0, nil},
		{"a ridge that is no number", good, score.FitOptions{Ridge: math.NaN()}, score.ErrFitOptions, "", 0, nil},
		{"a limit below 1", good, score.FitOptions{MaxCondition: .9}, score.ErrFitOptions, "", 0, nil},
		{"a limit beyond what is known", good, score.FitOptions{MaxCondition: 2e9}, score.ErrFitOptions, "", 0, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := try(t, c.rows, c.o)
			var where *score.FitError
			if !errors.Is(err, c.err) || !errors.As(err, &where) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if where.Column != c.column || where.Row != c.row || !slices.Equal(where.Others, c.others) {
				t.Errorf("says column %q, row %d, made of %v; want %q, %d, %v", where.Column, where.Row, where.Others, c.column, c.row, c.others)
			}
			for _, part := range []string{c.err.Error(), "want", c.column} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
	if err := try(t, good, score.FitOptions{}); err != nil {
		t.Errorf("rows without a fault: %v", err)
	}
	if err := try(t, good, score.FitOptions{MaxCondition: 1e9, Ridge: 1e12}); err != nil {
		t.Errorf("options at their limits: %v", err)
	}
	edge := change(9, -1, score.MinWeight)
	edge.w[10], edge.x[11][0], edge.y[12] = score.MaxWeight, score.MaxFitValue, -score.MaxFitValue
	if err := try(t, edge, score.FitOptions{Ridge: 1}); err != nil {
		t.Errorf("at the limits: %v", err)
	}
	if err := try(t, cut(5), score.FitOptions{}); err != nil {
		t.Errorf("just enough rows: %v", err)
	}
}

// try fits rows and returns what was refused.
func try(t *testing.T, s sample, o score.FitOptions) error {
	t.Helper()
	m, err := score.NewMoments(target, columns(3), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.y {
		w := 1.
		if s.w != nil {
			w = s.w[i]
		}
		if err := m.AddWeighted(s.y[i], w, s.x[i]); err != nil {
			return err
		}
	}
	_, err = score.Fit(m, o)
	return err
}

func TestARowThatIsRefusedIsNotAdded(t *testing.T) {
	t.Parallel()
	s := illScaled(6, 520, 2)
	m := moments(t, s, 0, 255)
	for _, x := range [][]float64{{1}, {1, math.NaN()}, {math.Inf(1), 1}} {
		if err := m.Add(1, x); err == nil {
			t.Fatalf("%v was added", x)
		}
	}
	for i := 255; i < 520; i++ {
		if err := m.Add(s.y[i], s.x[i]); err != nil {
			t.Fatal(err)
		}
	}
	got, err := score.Fit(m, score.FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := fit(t, s, score.FitOptions{}); text(t, got) != text(t, want) {
		t.Errorf("got\n%s\nwant\n%s", text(t, got), text(t, want))
	}
}

// A shard counts its rows as the whole does.
func TestAShardNamesTheRowOfTheWhole(t *testing.T) {
	t.Parallel()
	m, err := score.NewMoments(target, columns(1), 3*score.BlockRows)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Add(1, []float64{2}); err != nil {
		t.Fatal(err)
	}
	var where *score.FitError
	if err := m.Add(math.NaN(), []float64{2}); !errors.As(err, &where) || where.Row != 3*score.BlockRows+2 {
		t.Errorf("got %v, want row %d", err, 3*score.BlockRows+2)
	}
}

func TestPartialSumsThatDoNotJoin(t *testing.T) {
	t.Parallel()
	make3 := func(columns []score.Column, first int64) *score.Moments {
		m, err := score.NewMoments(target, columns, first)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	renamed := columns(2)
	renamed[1].Unit = "yuan"
	s := illScaled(1, 600, 2)
	for name, pair := range map[string][2]*score.Moments{
		"a gap":              {moments(t, s, 0, 256), make3(columns(2), 512)},
		"an overlap":         {moments(t, s, 0, 512), make3(columns(2), 256)},
		"inside a block":     {moments(t, s, 0, 255), make3(columns(2), 256)},
		"another unit":       {moments(t, s, 0, 256), make3(renamed, 256)},
		"another count":      {moments(t, s, 0, 256), make3(columns(3), 256)},
		"in the wrong order": {moments(t, s, 256, 512), moments(t, s, 0, 256)},
	} {
		if err := pair[0].Merge(pair[1]); !errors.Is(err, score.ErrFitMerge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := score.NewMoments(target, columns(1), 255); !errors.Is(err, score.ErrFitMerge) {
		t.Errorf("a first row inside a block: %v", err)
	}
	if _, err := score.NewMoments(target, columns(1), -256); !errors.Is(err, score.ErrFitMerge) {
		t.Errorf("a first row before the first: %v", err)
	}
}

func TestColumnsThatAreRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 64)
	for name, c := range map[string][]score.Column{
		"none": nil, "too many": columns(score.MaxFitColumns + 1), "no name": {{}}, "twice": {{Name: "a"}, {Name: "a"}},
		"the target's": {{Name: "y"}}, "too long": {{Name: long + "n"}}, "unit too long": {{Name: "a", Unit: long + "n"}}, "no text": {{Name: "\xff"}},
	} {
		if _, err := score.NewMoments(target, c, 0); !errors.Is(err, score.ErrFitColumns) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := score.NewMoments(target, append(columns(score.MaxFitColumns-1), score.Column{Name: long, Unit: long}), 0); err != nil {
		t.Errorf("at the limits: %v", err)
	}
}

// Workers take ranges of blocks; what they are and how many does not show.
func TestWorkersGiveTheSameBits(t *testing.T) {
	t.Parallel()
	const n = 40_000
	s := illScaled(8, n, 5)
	want := text(t, fit(t, s, score.FitOptions{}))
	for _, workers := range []int{2, 3, 8} {
		share := (n/score.BlockRows/workers + 1) * score.BlockRows
		parts := make([]*score.Moments, workers)
		var group sync.WaitGroup
		for i := range parts {
			group.Go(func() { parts[i] = moments(t, s, i*share, min((i+1)*share, n)) })
		}
		group.Wait()
		for _, next := range parts[1:] {
			if err := parts[0].Merge(next); err != nil {
				t.Fatal(err)
			}
		}
		l, err := score.Fit(parts[0], score.FitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, l); got != want {
			t.Errorf("%d workers:\n%s\nwant\n%s", workers, got, want)
		}
	}
}

// Memory does not grow with the rows.
func TestMemoryIsBounded(t *testing.T) { //nolint:paralleltest // it reads the heap
	held := func(n int) uint64 {
		m, err := score.NewMoments(target, columns(12), 0)
		if err != nil {
			t.Fatal(err)
		}
		stream(t, m, n)
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		runtime.KeepAlive(m)
		return stats.HeapAlloc
	}
	small, large := held(1_000), held(500_000)
	if large > small+200_000 {
		t.Errorf("%d bytes after 500,000 rows, %d after 1,000", large, small)
	}
}

// stream adds made-up rows of as many columns as m has, 12, without holding them.
func stream(tb testing.TB, m *score.Moments, n int) {
	tb.Helper()
	r := rand.New(rand.NewPCG(12, 12))
	x := make([]float64, 12)
	for range n {
		y := r.NormFloat64()
		for j := range x {
			x[j] = float64(j*1000) + r.Float64()
			y += float64(j) * x[j]
		}
		if err := m.Add(y, x); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkFitMillion is the figure of docs/fits.md: rows made, added and fitted.
func BenchmarkFitMillion(b *testing.B) {
	for b.Loop() {
		m, err := score.NewMoments(target, columns(12), 0)
		if err != nil {
			b.Fatal(err)
		}
		stream(b, m, 1_000_000)
		if _, err := score.Fit(m, score.FitOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	b.ReportMetric(float64(stats.Sys)/1e6, "MB-from-system")
}

func BenchmarkAddRow(b *testing.B) {
	for _, p := range []int{12, 64} {
		b.Run(fmt.Sprint(p), func(b *testing.B) {
			m, err := score.NewMoments(target, columns(p), 0)
			if err != nil {
				b.Fatal(err)
			}
			s := illScaled(1, 4096, p)
			i := 0
			for b.Loop() {
				if err := m.Add(s.y[i&4095], s.x[i&4095]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
