package pathbench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

const (
	evaluateEnv    = "FUNDMATCH_BENCH_EVALUATE_ROWS" // how many; without it nothing is measured
	evaluateRounds = 5
	evaluateCopies = 10 // the long log is the log so often
)

// BenchmarkEvaluate runs `fundmatch evaluate policy` over a log of eight columns in each format: five rows a decision,
// 200,000 customers, 300 products, propensities with all their digits, one row in twenty rewarded. In turns by one worker,
// by one again (the A/A control), by two, and by one for the estimates alone (--k 0). Processor time is the program's own, user and system, as the kernel counts it
// for a process that has ended; so is its greatest resident memory. Then ten copies of the log, ten times as long.
// Whatever the format and the workers, what is written has to be the same bytes.
func BenchmarkEvaluate(b *testing.B) {
	text := os.Getenv(evaluateEnv)
	if text == "" {
		b.Skip(evaluateEnv + " says how many rows; it takes minutes and gigabytes")
	}
	rows, err := strconv.Atoi(text)
	if err != nil || rows < 1000 {
		b.Fatalf("%s: %q, expected at least 1000", evaluateEnv, text)
	}
	program := buildProgram(b)
	first := map[string][]byte{} // by the kind of run: what was written
	for _, f := range []policylog.Format{policylog.CSV, policylog.NDJSON, policylog.Parquet} {
		b.Run(f.String(), func(b *testing.B) {
			e := evaluated{program: program, dir: b.TempDir(), format: f, rows: rows, first: first}
			e.write(b)
			e.compare(b)
			e.long(b)
		})
	}
}

// evaluated is a log and who reads it.
type evaluated struct {
	program, dir string
	format       policylog.Format
	rows         int
	first        map[string][]byte
}

// spent is what a run cost.
type spent struct {
	wall, cpu time.Duration
	memory    int64 // bytes
}

func (e *evaluated) name(i int) string {
	return filepath.Join(e.dir, fmt.Sprintf("log-%02d.%v", i, e.format))
}

// write makes the log.
func (e *evaluated) write(b *testing.B) {
	b.Helper()
	file, err := os.Create(e.name(0))
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	w, err := policylog.NewWriter(out, e.format, policylog.Columns{Target: true})
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(writeEvaluated(w, e.rows), w.Close(), out.Flush(), file.Close()); err != nil {
		b.Fatal(err)
	}
}

// writeEvaluated writes the rows, the same for the same number.
func writeEvaluated(w *policylog.Writer, rows int) error {
	r := rand.New(rand.NewPCG(20261122, 7))
	batch := make([]policylog.Row, 0, 1000)
	var head policylog.Row
	for i := range rows {
		if i%5 == 0 {
			head.DecisionID = fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", r.Uint32(), r.Uint32()&0xffff, r.Uint32()&0xfff, r.Uint32()&0xfff, r.Uint64()&0xffffffffffff)
			head.CustomerID = "C" + strconv.Itoa(1_000_000+r.IntN(200_000))
			head.DecidedAt = 1_790_000_000_000_000_000 + int64(i/5)*1e9
		}
		row := head
		row.Position, row.ProductCode = int32(i%5)+1, strconv.Itoa(100_000+r.IntN(300))
		row.Propensity, row.Target = .05+.95*r.Float64(), r.Float64()
		if r.IntN(20) == 0 {
			row.Reward = 1
		}
		if batch = append(batch, row); len(batch) == cap(batch) || i == rows-1 {
			if err := w.Write(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// compare runs the program in turns and reports the medians.
func (e *evaluated) compare(b *testing.B) {
	b.Helper()
	var all [3][]spent
	var estimates []spent
	for range evaluateRounds {
		for i, workers := range []int{1, 1, 2} {
			all[i] = append(all[i], e.run(b, "short", workers, e.name(0)))
		}
		estimates = append(estimates, e.run(b, "estimates", 1, e.name(0)))
	}
	ratio := func(x, y []spent) float64 {
		ratios := make([]float64, len(x))
		for i := range x {
			ratios[i] = x[i].wall.Seconds() / y[i].wall.Seconds()
		}
		return median(ratios)
	}
	e.report(b, "", all[0], e.rows)
	e.report(b, "estimates-", estimates, e.rows)
	b.ReportMetric(ratio(all[0], all[1]), "A/A")
	b.ReportMetric(ratio(all[0], all[2]), "speedup-2-workers")
	b.ReportMetric(0, "ns/op")
}

func (e *evaluated) report(b *testing.B, prefix string, runs []spent, rows int) {
	b.Helper()
	var rates, walls []float64
	var most int64
	for _, s := range runs {
		rates = append(rates, float64(rows)/1e6/s.cpu.Seconds())
		walls = append(walls, s.wall.Seconds())
		most = max(most, s.memory)
	}
	b.ReportMetric(median(rates), prefix+"Mrows/cpu-s")
	b.ReportMetric(median(walls), prefix+"wall-s")
	b.ReportMetric(float64(most)/1e6, prefix+"MB")
}

// long reads ten copies of the log, by as many workers as there are processors. They are copies, since one file under
// two names is refused.
func (e *evaluated) long(b *testing.B) {
	b.Helper()
	names := []string{e.name(0)}
	for i := 1; i < evaluateCopies; i++ {
		names = append(names, e.name(i))
		if err := copyFile(e.name(i), e.name(0)); err != nil {
			b.Fatal(err)
		}
	}
	e.report(b, "long-", []spent{e.run(b, "long", 2, names...)}, evaluateCopies*e.rows)
	for _, name := range names {
		if err := os.Remove(name); err != nil { // before the next format's
			b.Fatal(err)
		}
	}
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close(), in.Close())
}

// run evaluates logs and holds what is written against what was written first.
func (e *evaluated) run(b *testing.B, kind string, workers int, logs ...string) spent {
	b.Helper()
	out := filepath.Join(e.dir, "out.json")
	args := []string{"evaluate", "policy", "--quiet", "--workers", strconv.Itoa(workers), "--json", out}
	if kind == "estimates" {
		args = append(args, "--k", "0")
	}
	for _, log := range logs {
		args = append(args, "--log", log)
	}
	if err := os.Remove(out); err != nil && !errors.Is(err, os.ErrNotExist) {
		b.Fatal(err)
	}
	command := exec.CommandContext(b.Context(), e.program, args...)
	s, err := spentBy(command)
	if err != nil {
		b.Fatal(err)
	}
	written, err := os.ReadFile(out)
	if err != nil {
		b.Fatal(err)
	}
	if e.first[kind] == nil {
		e.first[kind] = written
	}
	if !json.Valid(written) || !bytes.Equal(written, e.first[kind]) {
		b.Fatalf("%v by %d workers gives another answer than the first run:\n%s", e.format, workers, written)
	}
	return s
}

// spentBy runs a command to its end.
func spentBy(command *exec.Cmd) (spent, error) {
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	started := time.Now()
	if err := command.Run(); err != nil {
		return spent{}, fmt.Errorf("%v: %w\n%s", command.Args, err, &said)
	}
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return spent{}, errors.New("the system does not say what a process used")
	}
	return spent{
		wall: time.Since(started), cpu: command.ProcessState.UserTime() + command.ProcessState.SystemTime(), memory: usage.Maxrss << 10,
	}, nil
}
