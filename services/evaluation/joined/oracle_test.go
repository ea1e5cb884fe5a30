package joined

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// said is what the oracle says of one row: docs/evaluation/joined.md read word by word, with every event held against
// every row, and nothing shared with the package.
type said struct {
	reward                      float64
	exposed, confirmed, refused float64
	amount, redeemed7, heldDays float64
	raised                      string
}

// classes are the funds of the five products.
var classes = map[string]string{"A": "F", "C": "F", "B": "B", "M": "M", "N": "N"}

func oracle(row *Row, o *Options, events []features.Event) said {
	s := said{empty, empty, empty, empty, empty, empty, empty, ""}
	end := row.DecidedAt + fund.Instant(o.Window.Microseconds())
	if end > o.Through {
		return s
	}
	var of []features.Event
	for _, e := range events {
		known := max(e.EventAt, e.KnownAt)
		plan := e.Kind == "ORDER_CONFIRM" && strings.Contains(e.Attributes, "plan")
		about := e.CustomerID == row.CustomerID && e.ProductCode != "" && classes[e.ProductCode] == classes[row.ProductCode]
		named := e.DecisionID == row.DecisionID || e.DecisionID == "" && !o.NeedDecision
		if known <= o.Through && about && named && !plan && e.EventAt >= row.DecidedAt && e.EventAt < end {
			of = append(of, e)
		}
	}
	first := fund.Instant(math.MaxInt64)
	happened := func(kinds ...string) float64 {
		for _, e := range of {
			if slices.Contains(kinds, e.Kind) {
				return 1
			}
		}
		return 0
	}
	s.reward, s.exposed, s.confirmed, s.refused = happened(o.Outcome.String()), happened("EXPOSURE", "CONTACT"), happened("ORDER_CONFIRM"), happened("REFUSAL")
	s.amount = 0
	for _, e := range of {
		if e.Kind == "ORDER_CONFIRM" {
			first = min(first, e.EventAt)
			s.amount += 700
			if e.Attributes == "" {
				s.amount = empty
			}
		}
	}
	for _, code := range []string{"DRAWDOWN", "FEE", "SIZE"} {
		for _, e := range of {
			if e.Kind == "OBJECTION" && strings.Contains(e.Attributes, code) && !strings.Contains(s.raised, code) {
				s.raised = strings.TrimSpace(s.raised + " " + code)
			}
		}
	}
	if s.confirmed == 0 {
		return s
	}
	sold := fund.Instant(math.MaxInt64)
	for _, e := range events {
		if e.CustomerID == row.CustomerID && e.Kind == "REDEEM" && e.EventAt > first && max(e.EventAt, e.KnownAt) <= o.Through && classes[e.ProductCode] == classes[row.ProductCode] {
			sold = min(sold, e.EventAt)
		}
	}
	if sold != math.MaxInt64 {
		s.heldDays = float64(sold.Date().DaysSince(first.Date()))
	}
	if week := first.Add(7 * 24 * time.Hour); week <= o.Through {
		s.redeemed7 = oneIf(sold < week)
	}
	return s
}

// drawEvent draws an event of few customers, products, hours and decisions, so that they meet. Days are drawn from lists:
// a range favours its ends, and then nearly all events lie before the decisions.
func drawEvent(t *rapid.T, decisions []string) (e features.Event) {
	e.CustomerID = rapid.SampledFrom([]string{"K1", "K2"}).Draw(t, "customer")
	e.Kind = rapid.SampledFrom([]string{"EXPOSURE", "CONTACT", "ORDER_CONFIRM", "ORDER_CONFIRM", "REDEEM", "REFUSAL", "OBJECTION"}).Draw(t, "kind")
	e.EventAt = hour(rapid.SampledFrom([]int{8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 23, 26}).Draw(t, "day"), rapid.SampledFrom([]int{0, 10, 11}).Draw(t, "hour"))
	if rapid.Bool().Draw(t, "late") {
		e.KnownAt = e.EventAt.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "days late")) * 24 * time.Hour)
	}
	e.ProductCode = rapid.SampledFrom([]string{"A", "C", "B", "N", ""}).Draw(t, "product")
	e.DecisionID = rapid.SampledFrom(append([]string{"", "", decisionID(999)}, decisions...)).Draw(t, "decision")
	switch e.Kind {
	case "ORDER_CONFIRM":
		e.Attributes = rapid.SampledFrom([]string{"", `{"amount_fen": 700}`, `{"amount_fen": 700}`, `{"plan": true}`}).Draw(t, "attributes")
	case "OBJECTION":
		e.Attributes = rapid.SampledFrom([]string{"", `{"objection": "FEE"}`, `{"objection": "SIZE"}`, `{"objection": "DRAWDOWN"}`}).Draw(t, "attributes")
	}
	return e
}

// The join against the oracle, over random logs and events; and the same rows for any number of workers.
func TestTheJoinAgainstTheOracle(t *testing.T) {
	t.Parallel()
	came, censored := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		b := openBank(t)
		b.customer(t, "K1")
		b.customer(t, "K2")
		var decisions []string
		for range rapid.IntRange(1, 4).Draw(t, "decisions") {
			at := hour(rapid.SampledFrom([]int{10, 11, 12, 14, 16}).Draw(t, "decided on"), 10)
			codes := rapid.SampledFrom([][]string{{"A", "B"}, {"B", "C", "M"}, {"A"}}).Draw(t, "list")
			decisions = append(decisions, b.shown(rapid.SampledFrom([]string{"K1", "K2"}).Draw(t, "asks"), at, codes...))
		}
		events := make([]features.Event, rapid.SampledFrom([]int{0, 5, 14, 20, 30}).Draw(t, "events"))
		for i := range events {
			events[i] = drawEvent(t, decisions)
			events[i].ID = fmt.Sprint("E", i)
		}
		b.load(t, func(batch features.Batch) error { return batch.Events(events) })
		o := week()
		o.Through = hour(rapid.SampledFrom([]int{17, 18, 20, 23, 24, 25, 30}).Draw(t, "through"), 10)
		o.NeedDecision = rapid.Bool().Draw(t, "need the decision")
		o.Outcome = rapid.SampledFrom([]fund.EventKind{fund.OrderConfirm, fund.Refusal}).Draw(t, "outcome")
		rows, _ := b.join(t, o)
		for i := range rows {
			r, want := &rows[i], oracle(&rows[i], &o, events)
			got := said{
				r.Reward, r.Numbers[exposed], r.Numbers[confirmed], r.Numbers[refused], r.Numbers[amount], r.Numbers[redeemed7], r.Numbers[heldDays], r.Texts[raised],
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s %s %s: %+v, want %+v", r.CustomerID, r.DecisionID, r.ProductCode, got, want)
			}
			if math.IsNaN(r.Reward) {
				censored++
			} else if r.Reward == 1 {
				came++
			}
		}
		o.Workers = 3
		if again, _ := b.join(t, o); fmt.Sprint(again) != fmt.Sprint(rows) {
			t.Fatal("three workers give other rows than one")
		}
	})
	if came == 0 || censored == 0 {
		t.Errorf("%d outcomes and %d censored rows: the draws show nothing", came, censored)
	}
}

// Many batches come out in the log's order, whole, whatever the number of workers.
func TestTheOrderIsTheLogs(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.customer(t, "K1")
	for i := range 3*batchRecords + 7 {
		b.shown("K1", hour(10, 10).Add(time.Duration(i%97)*time.Minute), "A", "B")
	}
	b.event(t, "K1", fund.OrderConfirm, hour(10, 11), "A")
	var first []byte
	for _, workers := range []int{1, 2, 8} {
		o := week()
		o.Workers = workers
		rows, told := b.join(t, o)
		for i := range rows {
			if rows[i].DecisionID != decisionID(i/2+1) || rows[i].Position != int32(i%2+1) {
				t.Fatalf("%d workers: row %d is %s at %d", workers, i, rows[i].DecisionID, rows[i].Position)
			}
		}
		said := fmt.Appendf(nil, "%v %+v", rows, told)
		if first == nil {
			first = said
		}
		if !bytes.Equal(first, said) || told.Joined.Outcomes == 0 {
			t.Errorf("%d workers give something else", workers)
		}
	}
}

var errDisk = errors.New("disk full")

// full is a writer that takes one batch.
type full struct{ batches int }

func (f *full) Write([]Row) error {
	if f.batches++; f.batches > 1 {
		return errDisk
	}
	return nil
}

// The first thing wrong in the log's order is told, for any number of workers, and no worker is left behind.
func TestTheFirstErrorIsTold(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.customer(t, "K1")
	for range 6 * batchRecords {
		b.shown("K1", hour(10, 10), "A")
	}
	whole := slices.Clone(b.log)
	for _, workers := range []int{1, 2, 8} {
		job := Job{Store: b, Now: hour(900, 0), Version: "test", Options: week()}
		job.Options.Workers = workers
		spoilt := slices.Clone(whole)
		for _, i := range []int{2*batchRecords + 3, 4 * batchRecords} {
			spoilt[i].Payload = []byte{0xff}
		}
		job.Log = spoilt
		if _, err := job.Run(t.Context(), &taken{}); !errors.Is(err, fund.ErrNewerVersion) || !strings.Contains(err.Error(), spoilt[2*batchRecords+3].DecisionID) {
			t.Errorf("%d workers: %v", workers, err)
		}
		job.Log = whole
		if _, err := job.Run(t.Context(), &full{}); !errors.Is(err, errDisk) {
			t.Errorf("%d workers: %v", workers, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		job.Options.Progress = func(stage Stage, _, _ int64) {
			if stage == Decisions {
				cancel()
			}
		}
		if _, err := job.Run(ctx, &taken{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%d workers: %v", workers, err)
		}
		cancel()
	}
	other := slices.Clone(whole[:1])
	other[0].Payload = b.foreign()
	if _, err := (&Job{Log: other, Store: b, Now: hour(900, 0), Options: week()}).Run(t.Context(), &taken{}); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("a decision of another store: %v", err)
	}
}

// foreign is a decision of a pool that the store does not have.
func (b *bank) foreign() []byte {
	s := b.slateOf("K1", hour(10, 10), "A")
	s.Identity.PoolRevision = 99
	return s.AppendCanonical(nil)
}

// Options that mean nothing are refused with what was expected; so is a log of nothing and a store that knows nothing.
func TestRefuses(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.customer(t, "K1")
	b.shown("K1", hour(10, 10), "A")
	for name, edit := range map[string]func(*Options){
		"window 0s":                      func(o *Options) { o.Window = 0 },
		"window -1ns":                    func(o *Options) { o.Window = -1 },
		"at most 26280h0m0s":             func(o *Options) { o.Window = MaxWindow + 1 },
		"no outcome":                     func(o *Options) { o.Outcome = fund.EventUnknown },
		`reward "money"`:                 func(o *Options) { o.Reward = "money" },
		"amount of CLICK":                func(o *Options) { o.Reward, o.Outcome = Amount, fund.Click },
		"257 workers":                    func(o *Options) { o.Workers = 257 },
		"-1 workers":                     func(o *Options) { o.Workers = -1 },
		"expected at most now":           func(o *Options) { o.Through = hour(900, 1) },
		`policy "best"`:                  func(o *Options) { o.Policy = "best" },
		"model of 0 bytes":               func(o *Options) { o.Policy = Candidate },
		`policy "" with a model of 1 by`: func(o *Options) { o.Model = []byte("x") },
	} {
		o := week()
		edit(&o)
		_, err := (&Job{Log: b.log, Store: b, Now: hour(900, 0), Options: o}).Run(t.Context(), &taken{})
		if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := week()
	o.Since = hour(11, 0)
	if _, err := (&Job{Log: b.log, Store: b, Now: hour(900, 0), Options: o}).Run(t.Context(), &taken{}); !errors.Is(err, ErrNoDecisions) || !strings.Contains(err.Error(), "none was decided from "+o.Since.String()+" to ") {
		t.Errorf("nothing in the log: %v", err)
	}
	o = week()
	o.Through = 0
	if _, err := (&Job{Log: b.log, Store: b, Now: hour(900, 0), Options: o}).Run(t.Context(), &taken{}); !errors.Is(err, ErrNoEvents) {
		t.Errorf("no events: %v", err)
	}
	broken := &decisionlog.BrokenError{Reason: "a link"}
	if _, err := (&Job{Log: brokenLog{b.log, broken}, Store: b, Now: hour(900, 0), Options: week()}).Run(t.Context(), &taken{}); !errors.Is(err, broken) {
		t.Errorf("a broken log: %v", err)
	}
}

// brokenLog ends with an error.
type brokenLog struct {
	told
	err error
}

func (l brokenLog) All(ctx context.Context, since int64) iter.Seq2[decisionlog.Stored, error] {
	return func(yield func(decisionlog.Stored, error) bool) {
		for s, err := range l.told.All(ctx, since) {
			if !yield(s, err) {
				return
			}
		}
		yield(decisionlog.Stored{}, l.err)
	}
}

// Nobody knows what happened on days of which nothing was reported: without a last instant it is the newest event's.
func TestTheLastInstant(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.customer(t, "K1")
	b.shown("K1", hour(10, 10), "A")
	b.event(t, "K1", fund.Click, hour(15, 0), "A")
	o := week()
	o.Through = 0
	rows, told := b.join(t, o)
	if told.Through != hour(15, 0).String() || !math.IsNaN(rows[0].Reward) {
		t.Errorf("through %s, reward %v", told.Through, rows[0].Reward)
	}
	b.event(t, "K1", fund.Click, hour(12, 0), "A", knownAt(hour(40, 0)))
	b.event(t, "K1", fund.OrderConfirm, hour(899, 0), "A", knownAt(hour(901, 0))) // nobody knows of it yet
	if rows, told = b.join(t, o); told.Through != hour(40, 0).String() || rows[0].Reward != 0 {
		t.Errorf("through %s, reward %v", told.Through, rows[0].Reward)
	}
}
