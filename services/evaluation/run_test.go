package evaluation_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/services/evaluation"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// memory is a log in memory whose blocks are as small as a test wants them.
type memory struct {
	files  [][][]float64 // of each file its blocks, of each block the rewards of its rows
	fault  map[[2]int]error
	jitter bool

	mu    sync.Mutex
	open  int         // cursors that are not closed
	taken int         // blocks that were handed out
	after func(n int) // told of it
}

func (m *memory) Files() []evaluation.File {
	files := make([]evaluation.File, len(m.files))
	for i := range files {
		files[i] = evaluation.File{Name: fmt.Sprintf("log-%03d.csv", i), Size: int64(i), Identity: fmt.Sprint(len(m.files[i]))}
	}
	return files
}

func (m *memory) Open(file int, from policylog.Position) (evaluation.Cursor, error) {
	if m.fault[[2]int{file, -1}] != nil {
		return nil, m.fault[[2]int{file, -1}]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open++
	return &memoryCursor{memory: m, file: file, block: from.Block}, nil
}

type memoryCursor struct {
	memory *memory
	file   int
	mu     sync.Mutex
	block  int
	done   bool
}

func (c *memoryCursor) Next(b *policylog.Block) error {
	c.mu.Lock()
	blocks := c.memory.files[c.file]
	if c.done || c.block == len(blocks) {
		c.mu.Unlock()
		return io.EOF
	}
	at := c.block
	c.block++
	c.mu.Unlock()
	if c.memory.jitter {
		time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
	}
	c.memory.took()
	b.File, b.Index = c.file, at
	if err := c.memory.fault[[2]int{c.file, at}]; err != nil {
		c.mu.Lock()
		c.done = true
		c.mu.Unlock()
		return err
	}
	fill(b, blocks[at])
	return nil
}

func (m *memory) took() {
	m.mu.Lock()
	m.taken++
	n := m.taken
	m.mu.Unlock()
	if m.after != nil {
		m.after(n)
	}
}

func (c *memoryCursor) Close() error {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	c.memory.open--
	return nil
}

// fill makes a block of one decision for each row.
func fill(b *policylog.Block, rewards []float64) {
	b.Reward, b.Ends, b.Position = append(b.Reward[:0], rewards...), b.Ends[:0], b.Position[:0]
	h := sha256.New()
	for i, r := range rewards {
		b.Ends = append(b.Ends, int32(i+1))
		b.Position = append(b.Position, 1)
		_ = binary.Write(h, binary.BigEndian, r) // a hash does not fail
	}
	h.Sum(b.SHA256[:0])
	b.End = policylog.Position{Block: b.Index + 1, Row: int64(b.Index + 1)}
}

// sum is a measure whose last digits tell in which order it was made.
type sum struct {
	Sum  float64 `json:"sum"`
	fail float64
}

func (s *sum) Add(b *policylog.Block) error {
	for _, r := range b.Reward {
		if r == s.fail {
			return errTooMuch
		}
		s.Sum += r
	}
	return nil
}

func (s *sum) Merge(later evaluation.Measure) error {
	s.Sum += as[*sum](later).Sum
	if s.Sum > 1e300 {
		return errTooMuch
	}
	return nil
}

var errTooMuch = errors.New("too much")

// Reset makes it a Resetter.
func (s *sum) Reset() { s.Sum = 0 }

func (s *sum) MarshalJSON() ([]byte, error) { return json.Marshal(s.Sum) }

func (s *sum) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &s.Sum) }

func parts() []evaluation.Part {
	return []evaluation.Part{
		{Name: "sum", New: func() evaluation.Measure { return &sum{fail: math.Inf(1)} }},
		{Name: "again", New: func() evaluation.Measure { return &sum{fail: math.Inf(1)} }},
	}
}

func configOf(workers int) *evaluation.Config {
	return &evaluation.Config{Version: "v1", Settings: []byte(`{"a":1}`), Parts: parts(), Workers: workers}
}

// randomLog has files of no block, of one, of many, and rewards of sizes that no order adds up alike.
func randomLog(seed uint64, files int) *memory {
	r := rand.New(rand.NewPCG(seed, 1))
	m := &memory{jitter: true}
	for range files {
		blocks := [][]float64{}
		for range r.IntN(7) {
			rows := make([]float64, 1+r.IntN(5))
			for i := range rows {
				rows[i] = r.NormFloat64() * math.Pow(10, float64(r.IntN(12)))
			}
			blocks = append(blocks, rows)
		}
		m.files = append(m.files, blocks)
	}
	return m
}

// inOrder is what a run has to come to: the sums of blocks, of files and of the log, taken by hand.
func (m *memory) inOrder() (total float64, rows int64) {
	for _, blocks := range m.files {
		file := 0.0
		for _, b := range blocks {
			block := 0.0
			for _, r := range b {
				block += r
				rows++
			}
			file += block
		}
		total += file
	}
	return total, rows
}

// told is all of an outcome that documents are made of.
func told(o *evaluation.Outcome) string {
	return fmt.Sprint(o.Rows, o.Decisions, o.Skipped, o.Bad, o.SHA256, math.Float64bits(as[*sum](o.State.Of("sum")).Sum), *as[*sum](o.State.Of("again")), len(o.Files))
}

func run(t *testing.T, m *memory, c *evaluation.Config) *evaluation.Outcome {
	t.Helper()
	o, err := evaluation.Run(t.Context(), m, c)
	if err != nil {
		t.Fatal(err)
	}
	if m.open != 0 {
		t.Errorf("%d files were left open", m.open)
	}
	return o
}

func TestWorkersDoNotMatter(t *testing.T) {
	defer goleak.VerifyNone(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := randomLog(rapid.Uint64().Draw(rt, "log"), rapid.IntRange(0, 6).Draw(rt, "files"))
		total, rows := m.inOrder()
		one := run(t, m, configOf(1))
		if got := as[*sum](one.State.Of("sum")).Sum; got != total || one.Rows != rows || one.Decisions != rows {
			rt.Fatalf("%v of %d rows, expected %v of %d", got, one.Rows, total, rows)
		}
		for _, workers := range []int{2, 8} {
			if got := run(t, m, configOf(workers)); told(got) != told(one) {
				rt.Fatalf("%d workers: %s\none worker: %s", workers, told(got), told(one))
			}
		}
	})
}

// One worker is the caller: a bank that gives a job one core gets no goroutines beside it.
func TestOneWorkerIsTheCaller(t *testing.T) {
	m := randomLog(5, 4)
	before := runtime.NumGoroutine()
	m.after = func(int) {
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines, %d before the run", n, before)
		}
	}
	run(t, m, configOf(1))
}

// However fast the others are, no more than twice the workers' number of blocks waits for a slow one.
func TestLookAheadIsBounded(t *testing.T) {
	m := &memory{files: [][][]float64{make([][]float64, 500)}}
	for i := range m.files[0] {
		m.files[0][i] = []float64{1}
	}
	released := make(chan struct{})
	m.after = func(n int) {
		if n == 1 { // the first block is slow, all others wait for it
			<-released
		}
	}
	done := make(chan *evaluation.Outcome)
	go func() {
		o, _ := evaluation.Run(context.Background(), m, configOf(4))
		done <- o
	}()
	time.Sleep(50 * time.Millisecond)
	m.mu.Lock()
	taken := m.taken
	m.mu.Unlock()
	close(released)
	if o := <-done; o == nil || o.Rows != 500 {
		t.Fatalf("%+v, expected 500 rows", o)
	}
	if taken > 8 {
		t.Errorf("%d blocks were taken while the first was not folded, expected 8 at most", taken)
	}
}

// The first error in the order of the rows is the one that is told, whoever meets another before.
func TestTheFirstErrorIsTold(t *testing.T) {
	defer goleak.VerifyNone(t)
	at := func(file, block int) error { return fmt.Errorf("log-%03d.csv: block %d", file, block) }
	for range 20 {
		for _, workers := range []int{1, 2, 8} {
			m := randomLog(11, 6)
			m.files[2] = [][]float64{{1}, {2}, {3}, {4}, {5}, {6}}
			m.fault = map[[2]int]error{{2, 4}: at(2, 4), {2, 5}: at(2, 5), {3, -1}: at(3, -1), {4, 0}: at(4, 0)}
			_, err := evaluation.Run(t.Context(), m, configOf(workers))
			if fmt.Sprint(err) != at(2, 4).Error() {
				t.Fatalf("%d workers: %v, expected %v", workers, err, at(2, 4))
			}
			delete(m.fault, [2]int{2, 4})
			delete(m.fault, [2]int{2, 5})
			if _, err = evaluation.Run(t.Context(), m, configOf(workers)); fmt.Sprint(err) != at(3, -1).Error() {
				t.Fatalf("%d workers: %v, expected %v", workers, err, at(3, -1))
			}
			if m.open != 0 {
				t.Fatalf("%d files were left open", m.open)
			}
		}
	}
}

// What a measure refuses is told with the file: from a block by itself, or from what blocks come to.
func TestMeasuresRefuse(t *testing.T) {
	for _, workers := range []int{1, 8} {
		for want, rows := range map[string][]float64{"sum: too much": {math.Inf(1)}, "again: too much": {math.Inf(-1)}} {
			m := &memory{files: [][][]float64{{{1}}, {{2}, rows, {3}}}}
			c := configOf(workers)
			if rows[0] < 0 {
				c.Parts[0].New = func() evaluation.Measure { return &sum{} }
				c.Parts[1].New = func() evaluation.Measure { return &sum{fail: math.Inf(-1)} }
			}
			_, err := evaluation.Run(t.Context(), m, c)
			if !errors.Is(err, errTooMuch) || err.Error() != "log-001.csv: "+want {
				t.Errorf("%v, expected log-001.csv: %s", err, want)
			}
		}
		m := &memory{files: [][][]float64{{{1}}, {{9e299}, {9e299}, {9e299}}}}
		_, err := evaluation.Run(t.Context(), m, configOf(workers))
		if !errors.Is(err, errTooMuch) || err.Error() != "log-001.csv: sum: too much" {
			t.Errorf("%v, expected log-001.csv: sum: too much", err)
		}
	}
}

func TestInterrupted(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, workers := range []int{1, 8} {
		ctx, cancel := context.WithCancel(t.Context())
		m := randomLog(3, 40)
		m.after = func(n int) {
			if n == 10 {
				cancel()
			}
		}
		if _, err := evaluation.Run(ctx, m, configOf(workers)); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, expected that it was interrupted", err)
		}
		if m.open != 0 || m.taken > 10+workers {
			t.Errorf("%d files were left open, %d blocks were taken after the tenth", m.open, m.taken-10)
		}
	}
}

func TestProgressCountsRows(t *testing.T) {
	m := randomLog(8, 9)
	_, rows := m.inOrder()
	c := configOf(4)
	last := int64(0)
	c.Progress = func(n int64) {
		if n < last {
			t.Errorf("%d rows after %d", n, last)
		}
		last = n
	}
	var saved []byte
	c.Checkpoint = &evaluation.Checkpoint{Now: (&clock{time.Unix(1, 0)}).Now, Save: func(data []byte) error {
		if last > rows/2 && saved == nil {
			saved = bytes.Clone(data)
		}
		return nil
	}}
	if run(t, m, c); last != rows {
		t.Errorf("%d rows were told, expected %d", last, rows)
	}
	last = rows / 2
	c.Checkpoint.Found = saved
	if run(t, m, c); last != rows {
		t.Errorf("%d rows were told after going on, expected %d", last, rows)
	}
}

// A reader that gives a block twice, or leaves one out, is found out: for any number of workers, and without waiting.
func TestReadersKeepTheirPromise(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, workers := range []int{1, 2, 8} {
		for _, step := range []int{-1, 1} {
			m := &stepping{memory{files: [][][]float64{{{1}}, {{1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}}, {{1}}}}, step}
			_, err := evaluation.Run(t.Context(), m, configOf(workers))
			if err == nil || !strings.Contains(err.Error(), "gave a block twice or left one out") {
				t.Errorf("%d workers, %+d: %v", workers, step, err)
			}
			if m.open != 0 {
				t.Errorf("%d files were left open", m.open)
			}
		}
	}
}

// stepping numbers the blocks from the fifth of a file on wrongly.
type stepping struct {
	memory
	step int
}

func (s *stepping) Open(file int, from policylog.Position) (evaluation.Cursor, error) {
	c, err := s.memory.Open(file, from)
	return steppingCursor{c, s.step}, err
}

type steppingCursor struct {
	evaluation.Cursor
	step int
}

func (c steppingCursor) Next(b *policylog.Block) error {
	err := c.Cursor.Next(b)
	if err == nil && b.Index >= 4 {
		b.Index += c.step
	}
	return err
}

// Rows that were left out are counted all, and told up to a bound.
func TestSkippedRows(t *testing.T) {
	m := &skipping{memory: memory{files: [][][]float64{{{1}, {1}, {1}}, {{1}, {1}, {1}}}}}
	for _, workers := range []int{1, 8} {
		o, err := evaluation.Run(t.Context(), m, configOf(workers))
		if err != nil {
			t.Fatal(err)
		}
		if o.Skipped != 6*30 || len(o.Bad) != evaluation.MaxBad || o.Rows != 6 {
			t.Fatalf("%d left out, %d told, of %d", o.Skipped, len(o.Bad), o.Rows)
		}
		for i, b := range o.Bad {
			if want := fmt.Sprintf("log-%03d.csv block %d row %d", i/60, i/20%3, i%20); b.Value != want {
				t.Fatalf("%q is told %dth, expected %q", b.Value, i, want)
			}
		}
	}
}

// skipping leaves 30 rows of each block out and lists 20.
type skipping struct{ memory }

func (s *skipping) Open(file int, from policylog.Position) (evaluation.Cursor, error) {
	c, err := s.memory.Open(file, from)
	return skippingCursor{c}, err
}

type skippingCursor struct{ evaluation.Cursor }

func (c skippingCursor) Next(b *policylog.Block) error {
	err := c.Cursor.Next(b)
	b.Bad, b.BadRows = b.Bad[:0], 30
	for i := range 20 {
		b.Bad = append(b.Bad, policylog.Bad{Value: fmt.Sprintf("log-%03d.csv block %d row %d", b.File, b.Index, i)})
	}
	return err
}

// clock is a time that stands still until it is told to go on.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// A run that ends at any block goes on from what it saved last, to the same bytes: with one worker or several, over a
// whole log or a shard of it.
func TestGoesOnFromACheckpoint(t *testing.T) {
	errKilled, total := errors.New("killed"), 0
	for _, workers := range []int{1, 3} {
		for seed := range uint64(6) {
			m := randomLog(seed, 5)
			want := told(run(t, m, configOf(workers)))
			shard := evaluation.Shard{Index: 1, Of: 2}
			wantPartial := encoded(t, m, shard, configOf(workers))
			for _, whole := range []bool{true, false} {
				var saved []byte
				kills := 0
				for done := false; !done; {
					c := configOf(workers)
					saves := 0
					c.Checkpoint = &evaluation.Checkpoint{
						Found: saved, Now: (&clock{time.Unix(1, 0)}).Now,
						Save: func(data []byte) error {
							if saves++; saves > 2 { // the third is not written any more
								return errKilled
							}
							saved = bytes.Clone(data)
							return nil
						},
					}
					got := ""
					if whole {
						o, err := evaluation.Run(t.Context(), m, c)
						if done = err == nil; done {
							got = told(o)
						} else if !errors.Is(err, errKilled) {
							t.Fatal(err)
						}
					} else {
						p, err := evaluation.RunShard(t.Context(), m, shard, c)
						if done = err == nil; done {
							data, err := p.Encode()
							if err != nil {
								t.Fatal(err)
							}
							got = string(data)
						} else if !errors.Is(err, errKilled) {
							t.Fatal(err)
						}
					}
					if !done {
						kills++
						total++
						continue
					}
					if whole && got != want || !whole && got != wantPartial {
						t.Errorf("after %d kills: %s\nexpected %s or %s", kills, got, want, wantPartial)
					}
				}
			}
		}
	}
	if total < 20 {
		t.Errorf("%d runs were killed: the test proved little", total)
	}
}

func encoded(t *testing.T, m *memory, s evaluation.Shard, c *evaluation.Config) string {
	t.Helper()
	p, err := evaluation.RunShard(t.Context(), m, s, c)
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
