package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// SequencesEnv names the number of sequences of a test that asks for none: for the night.
const SequencesEnv = "FUNDMATCH_PROPERTY_SEQUENCES"

// RunSequences does n random sequences of writes and reads, by all that a store can be
// written and read by, and compares every answer with the oracle's. Sequences share one
// store and no customer. Where CI is not true it is a tenth of them: a look while one works.
func RunSequences(t *testing.T, open func(t *testing.T) Store, n int) {
	t.Helper()
	if os.Getenv("CI") != "true" {
		n = max(n/10, 1)
	}
	if text := os.Getenv(SequencesEnv); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			t.Fatalf("%s=%q, expected a number of sequences", SequencesEnv, text)
		}
	}
	views := ownViews()
	catalogue, err := view.Extend(ownPurposes(), views)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := catalogue.PlanViews([]string{"alpha", "beta", "gamma"})
	if err != nil {
		t.Fatal(err)
	}
	s := Store(nil)
	done := 0
	for done < n && !t.Failed() {
		if done%sequencesOfOneStore < rapidChecks {
			if s != nil {
				_ = s.Close() // another small bank: the next one is what is tested
			}
			s = open(t)
		}
		rapid.Check(t, func(r *rapid.T) {
			done++
			q := &sequence{T: r, s: s, run: done, oracle: newOracle(), views: views, plan: plan}
			q.play()
		})
	}
}

const (
	sequencesOfOneStore = 500
	rapidChecks         = 100 // of one rapid.Check; another number is right too
)

// The purposes of the sequences.
const (
	duty       = "test-duty"
	care       = "test-care"
	statistics = "test-statistics"
)

func ownPurposes() []view.Purpose {
	return []view.Purpose{{Name: duty, Kind: view.Duty}, {Name: care, Kind: view.Personalizing}, {Name: statistics, Kind: view.NonPersonal}}
}

// ownViews are a bank's own views: of each kind of access and span.
func ownViews() []view.View {
	features := []view.Feature{{Name: "x", Type: view.Int}, {Name: "y", Type: view.Int}}
	define := func(name string) view.Definition { return view.Definition{Name: name, Owner: "test", Version: "1"} }
	return []view.View{
		{Definition: define("alpha"), Features: features, Access: view.Access{Personal: true, Purposes: []string{duty, care}, NeedsConsent: []string{care}}},
		{Definition: define("beta"), Features: features, Span: view.Span{MaxAge: 2 * time.Hour}, Access: view.Access{Purposes: []string{statistics}}},
		{
			Definition: define("gamma"), Features: features, Span: view.Span{MaxAge: time.Hour, LookBack: 3 * time.Hour},
			Access: view.Access{Personal: true, Purposes: []string{duty, statistics}},
		},
	}
}

// sequence is one run of operations beside the oracle.
type sequence struct {
	*rapid.T
	s        Store
	run      int
	oracle   *oracle
	views    []view.View
	plan     *view.Plan
	written  []features.Write
	recorded []features.EventBatch
	events   int
	erased   []string // who was ever erased
}

func (q *sequence) play() {
	from, err := q.s.ChangesEnd(context.Background())
	q.must(err)
	q.load()
	for range q.upTo("operations", 1, 6) {
		switch q.upTo("operation", 0, 9) {
		case 0, 1:
			q.load()
		case 2, 3, 4:
			q.write()
		case 5:
			q.repeat()
		case 6:
			q.record()
		case 7:
			q.erase()
		default:
			q.writeTogether()
		}
		q.compare(q.draw("whose", q.ids()), features.AsOf{At: q.moment(), Known: q.moment(), KnownOnly: q.upTo("known only", 0, 3) == 0})
	}
	q.compareAll(from)
}

func (q *sequence) ids() []string {
	return []string{fmt.Sprintf("s%d-a", q.run), fmt.Sprintf("s%d-b", q.run)}
}

func (q *sequence) upTo(what string, least, most int) int {
	return rapid.IntRange(least, most).Draw(q.T, what)
}

func (q *sequence) draw(what string, from []string) string {
	return rapid.SampledFrom(from).Draw(q.T, what)
}

func (q *sequence) moment() fund.Instant { return rapid.SampledFrom(moments()).Draw(q.T, "moment") }

func (q *sequence) must(err error) {
	if err != nil {
		q.Fatal(err)
	}
}

// clock is when a writer takes something: writers' clocks differ, also by days.
func (q *sequence) clock() fund.Instant {
	return []fund.Instant{noon(day5), noon(day5) - hour, noon(day1) + 2*hour, noon(day3)}[q.upTo("clock", 0, 3)]
}

// drawCells draws cells of any view, name, presence and time.
func (q *sequence) drawCells(id string, most int) []features.Cell {
	cells := make([]features.Cell, q.upTo("cells", 1, most))
	for i := range cells {
		c := features.Cell{
			CustomerID: id, EventAt: drawTime(q.T, "event"), KnownAt: drawTime(q.T, "known"), Source: "api",
			SourceSeq: uint64(q.upTo("sequence", 0, 2)),
		}
		q.drawWhat(&c)
		if i > 0 && q.upTo("in the same breath", 0, 2) == 0 {
			c = otherwise(cells[i-1])
		}
		cells[i] = c
	}
	return cells
}

// otherwise returns what contradicts a cell at its own times: its removal, or a value in
// place of one.
func otherwise(c features.Cell) features.Cell {
	switch {
	case c.View == features.ConsentView || c.View == features.PersonalizationView:
		c.Value = map[string]string{"true": "false", "false": "true"}[c.Value]
	case c.Tombstone:
		c.Tombstone, c.Value = false, "1"
	default:
		c.Tombstone, c.Value = true, ""
	}
	return c
}

func (q *sequence) drawWhat(c *features.Cell) {
	switch q.upTo("view", 0, 9) {
	case 0:
		c.View, c.Name, c.Value = features.ConsentView, q.draw("purpose", []string{care, duty}), q.draw("granted", []string{"true", "false"})
		return
	case 1:
		c.View, c.Name, c.Value = features.PersonalizationView, features.EnabledName, q.draw("switch", []string{"true", "false"})
		return
	case 2:
		c.View, c.Name, c.Value = features.PersonView, "segment", q.draw("segment", []string{"gold", "silver"})
		return
	case 3, 4:
		c.View, c.Name, c.Value = features.TagView, q.draw("tag", []string{"a", "b"}), q.draw("text", []string{"", "u", "v"})
	default:
		c.View, c.Name = features.View(q.draw("own", []string{"alpha", "beta", "gamma"})), q.draw("name", []string{"x", "y"})
		c.Value = q.draw("value", []string{"1", "2", "10", "null"})
	}
	if c.Tombstone = q.upTo("removed", 0, 4) == 0; c.Tombstone && !c.View.BuiltIn() {
		c.Value = ""
	}
	if q.upTo("ends", 0, 2) == 0 {
		c.ValidTo = max(c.EventAt, noon(day1)) + fund.Instant(q.upTo("after", 1, 3))*hour
	}
	if q.upTo("kept for", 0, 5) == 0 {
		c.Purpose = q.draw("kept", []string{care, duty})
	}
}

// write writes to one customer, also to one who is not known.
func (q *sequence) write() {
	id := q.draw("whose", q.ids())
	q.put(features.Write{CustomerID: id, Cells: q.drawCells(id, 3), RecordedAt: q.clock()})
}

// put writes and tells the oracle.
func (q *sequence) put(w features.Write) {
	_, err := q.s.Write(context.Background(), w)
	if !q.oracle.customers[w.CustomerID] {
		if !errors.Is(err, features.ErrNotFound) {
			q.Fatalf("a write to %s, who is not known: %v, want ErrNotFound", w.CustomerID, err)
		}
		return
	}
	q.must(err)
	q.oracle.write(w.RecordedAt, w.Cells)
	q.written = append(q.written, w)
}

// repeat says again what was said, in one way or another.
func (q *sequence) repeat() {
	if len(q.written) > 0 {
		w := q.written[q.upTo("which write", 0, len(q.written)-1)]
		w.Cells = slices.Clone(w.Cells)
		slices.Reverse(w.Cells)
		q.put(w)
	}
	if len(q.recorded) > 0 {
		q.say(q.recorded[q.upTo("which batch", 0, len(q.recorded)-1)])
	}
}

// load imports cells, events and interactions, also of customers who are new.
func (q *sequence) load() {
	at := q.clock()
	var cells []features.Cell
	var events []features.Event
	var deals []features.CustomerPurchase
	for _, id := range q.ids() {
		if q.upTo("comes", 0, 2) == 0 {
			continue
		}
		cells = append(cells, distinctTimes(q.drawCells(id, 3))...)
		for range q.upTo("events", 0, 1) {
			events = append(events, q.drawEvent(id))
		}
		for range q.upTo("deals", 0, 1) {
			deals = append(deals, bought(id, q.draw("product", []string{"P1", "P2"}), day1+fund.Date(q.upTo("day", 0, 4)), fund.Money(q.upTo("amount", 1, 3))))
		}
	}
	for i := range cells {
		cells[i].Source = "file"
	}
	_, err := q.s.Import(context.Background(), at, func(b features.Batch) error {
		return errors.Join(b.Cells(slices.Clone(cells)), b.Events(events), b.Purchases(deals))
	})
	q.must(err)
	q.oracle.load(at, cells, events, deals)
}

// distinctTimes keeps one cell of each name and times: how several of one import stand to
// each other has cases of its own.
func distinctTimes(cells []features.Cell) []features.Cell {
	var out []features.Cell
	for _, c := range cells {
		if !slices.ContainsFunc(out, func(o features.Cell) bool {
			return o.View == c.View && o.Name == c.Name && o.EventAt == c.EventAt && o.KnownAt == c.KnownAt
		}) {
			out = append(out, c)
		}
	}
	return out
}

func (q *sequence) drawEvent(id string) features.Event {
	q.events++
	e := drawEvent(q.T, fmt.Sprintf("s%d-e%d", q.run, q.events), id)
	if q.upTo("says when known", 0, 2) == 0 {
		e.KnownAt = 0
	}
	return e
}

// record records a batch of events of both.
func (q *sequence) record() {
	batch := features.EventBatch{RecordedAt: q.clock()}
	for range q.upTo("events", 1, 3) {
		batch.Events = append(batch.Events, q.drawEvent(q.draw("whose", q.ids())))
	}
	q.say(batch)
}

func (q *sequence) say(batch features.EventBatch) {
	_, err := q.s.RecordEvents(context.Background(), batch)
	for _, e := range batch.Events {
		if !q.oracle.customers[e.CustomerID] {
			if !errors.Is(err, features.ErrNotFound) {
				q.Fatalf("an event of %s, who is not known: %v, want ErrNotFound", e.CustomerID, err)
			}
			return
		}
	}
	q.must(err)
	q.oracle.record(batch.RecordedAt, batch.Events)
	q.recorded = append(q.recorded, batch)
}

func (q *sequence) erase() {
	id := q.draw("who is forgotten", q.ids())
	e := erasure(id)
	e.Pseudonym = [16]byte{byte(q.run), byte(q.run >> 8), byte(q.run >> 16), byte(len(q.erased) + 1), id[len(id)-1]}
	_, err := q.s.Erase(context.Background(), e)
	known := q.oracle.customers[id] || q.oracle.aside[id] || slices.Contains(q.erased, id)
	if !known && !errors.Is(err, features.ErrNotFound) {
		q.Fatalf("an erasure of %s, who was never known: %v, want ErrNotFound", id, err)
	}
	if known {
		q.must(err)
		q.oracle.erase(id)
		q.erased = append(q.erased, id)
	}
}

// writeTogether lets two writers write at once, to one customer or to two: what stands in
// the end does not depend on who was first.
func (q *sequence) writeTogether() {
	var of [2][]features.Write
	for i := range of {
		for range q.upTo("writes", 1, 2) {
			if id := q.draw("whose", q.ids()); q.oracle.customers[id] {
				of[i] = append(of[i], features.Write{CustomerID: id, Cells: q.drawCells(id, 2), RecordedAt: q.clock()})
			}
		}
	}
	var errs [2]error
	var writing sync.WaitGroup
	for i := range of {
		writing.Go(func() {
			for _, w := range of[i] {
				_, err := q.s.Write(context.Background(), w)
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	writing.Wait()
	q.must(errors.Join(errs[:]...))
	for _, w := range slices.Concat(of[0], of[1]) {
		q.oracle.write(w.RecordedAt, w.Cells)
	}
}

// own are the views of the bank, in order.
var own = []features.View{"alpha", "beta", "gamma"}

// compare reads one customer as of one past: from his history, and where the past is one
// that a service reads, by Profile too.
func (q *sequence) compare(id string, a features.AsOf) {
	var p *fund.Profile
	err := q.s.Histories(context.Background(), features.HistoryQuery{CustomerIDs: []string{id}}, func(h *features.History) (err error) {
		p, err = history.AsOf(h, a)
		if err == nil {
			q.same("history", id, a, q.read(h, p, a))
		}
		return err
	})
	q.must(err)
	if (p != nil) != q.oracle.customers[id] {
		q.Fatalf("%s is known: %v, want %v", id, p != nil, q.oracle.customers[id])
	}
	q.compareStatuses(p, id, a)
	q.compareOnline(id, a.At)
}

// read writes down what a history says.
func (q *sequence) read(h *features.History, p *fund.Profile, a features.AsOf) answered {
	out := answeredBy(p)
	for i := range h.Events {
		if h.Events[i].Visible(a) {
			out.Events = append(out.Events, h.Events[i].ID)
		}
	}
	return out
}

func answeredBy(p *fund.Profile) answered {
	return answered{Tags: p.Tags, Features: p.Features, Consents: p.Consents, Purchases: p.Purchases, Segment: p.Person.Segment}
}

func (q *sequence) same(how, id string, a features.AsOf, got answered) {
	if d := cmp.Diff(q.oracle.profile(id, a, own), got); d != "" {
		q.Fatalf("%s of %s as of %s, known %s, known only %v (-oracle +store):\n%s", how, id, a.At, a.Known, a.KnownOnly, d)
	}
}

// compareOnline reads the profile of an instant as a service does.
func (q *sequence) compareOnline(id string, at fund.Instant) {
	p, err := q.s.Profile(context.Background(), id, at)
	if !q.oracle.customers[id] {
		if !errors.Is(err, features.ErrNotFound) {
			q.Fatalf("profile of %s, who is not known: %v, want ErrNotFound", id, err)
		}
		return
	}
	q.must(err)
	got := answeredBy(p)
	q.must(q.s.Events(context.Background(), id, at, func(e *features.Event) error {
		got.Events = append(got.Events, e.ID)
		return nil
	}))
	q.same("profile", id, features.AsKnown(at), got)
	q.compareStatuses(p, id, features.AsKnown(at))
}

// compareStatuses reads every feature for every purpose.
func (q *sequence) compareStatuses(p *fund.Profile, id string, a features.AsOf) {
	for _, purpose := range []string{"", duty, care, statistics, "undeclared"} {
		cells := q.plan.Read(p, &view.Request{At: a.At, Purpose: purpose}, nil)
		for i := range cells {
			c := &cells[i]
			status, value := q.oracle.status(id, &q.views[i/2], c.Name, a, purpose)
			got := ""
			if c.Value.Type != 0 {
				got = string(c.Value.AppendJSON(nil))
			}
			if c.Status != status || got != value {
				q.Fatalf("%s of %s for %q as of %s, known %s: %s %s, want %s %s", c.Ref, id, purpose, a.At, a.Known, c.Status, got, status, value)
			}
		}
	}
}

// compareAll reads everybody at some instants and after all of them, the heads, and the
// change log.
func (q *sequence) compareAll(from features.Position) {
	for _, id := range q.ids() {
		for _, at := range []fund.Instant{q.moment(), q.moment(), later} {
			q.compareOnline(id, at)
		}
	}
	heads, err := q.s.Heads(context.Background(), q.ids())
	q.must(err)
	page, err := q.s.Changes(context.Background(), from, 1_000)
	q.must(err)
	for i, id := range q.ids() {
		if (heads[i].Profile != nil) != q.oracle.customers[id] {
			q.Fatalf("a head of %s: %v, want %v", id, heads[i].Profile != nil, q.oracle.customers[id])
		}
		logged := slices.ContainsFunc(page.Changes, func(c features.Change) bool { return c.CustomerID == id })
		if (q.oracle.customers[id] || slices.Contains(q.erased, id)) && !logged {
			q.Fatalf("the change log does not name %s: %v", id, page.Changes)
		}
		if heads[i].Profile != nil {
			got := answeredBy(heads[i].Profile)
			got.Events = q.oracle.happened(id, features.AsKnown(later))
			q.same("head", id, features.AsKnown(later), got)
		}
	}
}
