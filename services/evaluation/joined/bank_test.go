package joined

import (
	"context"
	"fmt"
	"iter"
	"math"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// opened is when the bank of these tests opens; every decision is made after it.
const opened = fund.Date(20260301)

// hour is an hour of a day of March 2026 and, beyond it, of the days after.
func hour(day, hour int) fund.Instant {
	return opened.AddDays(day - 1).Start().Add(time.Duration(hour) * time.Hour)
}

// told is a log by hand.
type told []decisionlog.Stored

func (l told) All(ctx context.Context, since int64) iter.Seq2[decisionlog.Stored, error] {
	return func(yield func(decisionlog.Stored, error) bool) {
		for _, s := range l {
			if err := ctx.Err(); err != nil {
				yield(decisionlog.Stored{}, err)
				return
			}
			if s.RecordedAt >= since && !yield(s, nil) {
				return
			}
		}
	}
}

// failer is what a test and a drawn one have in common.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// bank is a store of five products, of which two are classes of one fund, and a log by hand.
type bank struct {
	*memory.Store
	identity matcher.Identity
	log      told
	events   int
}

// openBank opens one without NAVs.
func openBank(tb failer) *bank { return openMarket(tb, nil) }

func openMarket(tb failer, series map[string][]fund.NAV) *bank {
	tb.Helper()
	b := &bank{Store: memory.New()}
	result, err := b.Import(context.Background(), opened.Start(), func(batch features.Batch) error {
		if err := batch.Products(fiveProducts()); err != nil {
			return err
		}
		for code, navs := range series {
			if err := batch.NAVs(code, navs); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := engine.InstallDefaults(context.Background(), b.Store, opened.Start()); err != nil {
		tb.Fatal(err)
	}
	b.identity = matcher.Identity{PoolRevision: result.Revision.ID, DataSeq: result.Revision.Seq, AsOf: hour(2, 0), WordingID: "w", Engine: "test", Definitions: "1"}
	for kind, id := range map[features.ArtifactKind]*string{features.ModelArtifact: &b.identity.ModelID, features.RulesArtifact: &b.identity.RulesID} {
		if *id, err = b.ActiveID(context.Background(), kind); err != nil {
			tb.Fatal(err)
		}
	}
	return b
}

func fiveProducts() []fund.Product {
	product := func(code, class, parent string, grade fund.RiskGrade, status fund.Status) fund.Product {
		return fund.Product{
			Code: code, Name: "基金" + code, Type: "混合型-偏股", ShareClass: class, ParentCode: parent,
			Parties: fund.Parties{Issuer: "管理人" + code[:1]}, Grades: fund.Grades{Bank: grade, Issuer: grade},
			Listing: fund.Listing{Kind: fund.PublicFund, Status: status},
			Fees: fund.FeeSchedule{
				Subscription: []fund.SubscriptionTier{{Rate: 100}}, Redemption: []fund.RedemptionTier{{Below: 180, Rate: 50}, {}},
			},
		}
	}
	free := product("M", "", "", fund.R1, fund.Open)
	free.Missing = free.Missing.With(fund.FieldRedemptionLadder)
	return []fund.Product{
		product("A", "A", "F", fund.R3, fund.Open), product("C", "C", "F", fund.R3, fund.Open),
		product("B", "", "", fund.R2, fund.Open), free, product("N", "", "", fund.R4, fund.Subscription),
	}
}

// fiveSeries: A falls by a tenth in the third month and rises to 1.2 after a year, B stands still for 100 days and ends,
// M is like A, N begins 60 days after the bank opened.
func fiveSeries() map[string][]fund.NAV {
	series := func(first, days int, value func(day int) float64) (navs []fund.NAV) {
		for d := first; d < first+days; d++ {
			v := value(d)
			navs = append(navs, fund.NAV{Date: opened.AddDays(d), Unit: v, Accum: v})
		}
		return navs
	}
	falls := func(day int) float64 {
		switch {
		case day < 60:
			return 1
		case day < 80:
			return .9
		}
		return .9 + .3*math.Min(1, float64(day-80)/200)
	}
	flat := func(int) float64 { return 1 }
	return map[string][]fund.NAV{
		"A": series(-60, 500, falls), "C": series(-60, 500, falls), "M": series(-60, 500, falls),
		"B": series(-60, 160, flat), "N": series(60, 400, flat),
	}
}

// customer puts a customer into the store who lets his facts be used, and what he says besides.
func (b *bank) customer(tb failer, id string, cells ...features.Cell) {
	tb.Helper()
	all := append([]features.Cell{{View: features.PersonView, Name: "segment", Value: "MASS"}}, cells...)
	for i := range all {
		all[i].CustomerID = id
	}
	b.load(tb, func(batch features.Batch) error { return batch.Cells(all) })
}

func (b *bank) load(tb failer, fill func(features.Batch) error) {
	tb.Helper()
	if _, err := b.Import(context.Background(), hour(1000, 0), fill); err != nil {
		tb.Fatal(err)
	}
}

// event puts an event into the store; what it does not say is filled in.
func (b *bank) event(tb failer, customerID string, kind fund.EventKind, at fund.Instant, product string, more ...func(*features.Event)) {
	tb.Helper()
	b.events++
	e := features.Event{ID: fmt.Sprintf("E%06d", b.events), CustomerID: customerID, Kind: kind.String(), EventAt: at, ProductCode: product, Channel: "APP"}
	for _, say := range more {
		say(&e)
	}
	b.load(tb, func(batch features.Batch) error { return batch.Events([]features.Event{e}) })
}

func naming(decision string) func(*features.Event) {
	return func(e *features.Event) { e.DecisionID = decision }
}

func knownAt(at fund.Instant) func(*features.Event) {
	return func(e *features.Event) { e.KnownAt = at }
}

func with(attributes string) func(*features.Event) {
	return func(e *features.Event) { e.Attributes = attributes }
}

// decisionID is the n-th id.
func decisionID(n int) string { return fmt.Sprintf("01890a5d-ac96-774b-bcce-%012x", n) }

// slateOf is an answer that shows products in their order.
func (b *bank) slateOf(customerID string, at fund.Instant, codes ...string) *matcher.Slate {
	s := &matcher.Slate{
		CustomerID: customerID, Identity: b.identity, Personal: true, ValidUntil: at.Add(time.Hour),
		Request: matcher.Request{At: at, Channel: fund.App, Audience: wording.Customer, Limit: 10, Exposures: []experiment.Assignment{{Layer: "L", Experiment: "x", Arm: "one"}}},
	}
	for _, code := range codes {
		it := matcher.Item{Code: code, Score: 1, Propensity: 1}
		it.Conversion.Quote.CostAmount = 1_000_000
		s.Items = append(s.Items, it)
	}
	return s
}

// record adds a slate to the log and returns the decision's id.
func (b *bank) record(s *matcher.Slate, edits ...func(*fund.Profile)) string {
	p := &fund.Profile{
		CustomerID: s.CustomerID, Person: fund.Person{Segment: "MASS"},
		Assessment: fund.Assessment{Level: fund.C3, On: opened, At: opened.Start()},
	}
	for _, edit := range edits {
		edit(p)
	}
	id := decisionID(len(b.log) + 1)
	b.log = append(b.log, decisionlog.Stored{Record: decisionlog.Record{
		DecisionID: id, DecidedAt: int64(s.Request.At), RecordedAt: int64(s.Request.At), CustomerID: s.CustomerID,
		Kind: decisionlog.KindDecision, Profile: fund.AppendProfile(nil, p), Payload: s.AppendCanonical(nil),
	}})
	return id
}

// shown records that a customer was shown products.
func (b *bank) shown(customerID string, at fund.Instant, codes ...string) string {
	return b.record(b.slateOf(customerID, at, codes...))
}

// taken are rows that were written.
type taken []Row

func (k *taken) Write(rows []Row) error {
	*k = append(*k, rows...)
	return nil
}

// week is the options of most tests: a week's window, all that is known by the 60th day.
func week() Options {
	return Options{Window: 7 * 24 * time.Hour, Outcome: fund.OrderConfirm, Through: hour(60, 0)}
}

// join runs a join and returns its rows.
func (b *bank) join(tb failer, o Options) ([]Row, *Summary) {
	tb.Helper()
	var rows taken
	summary, err := (&Job{Log: b.log, Store: b, Now: hour(900, 0), Version: "test", Options: o}).Run(context.Background(), &rows)
	if err != nil {
		tb.Fatal(err)
	}
	if summary.Rows != int64(len(rows)) {
		tb.Errorf("%d rows written, %d told", len(rows), summary.Rows)
	}
	return rows, summary
}

// number is a value of a column of numbers by its name.
func (r *Row) number(tb failer, name string) float64 {
	tb.Helper()
	for i, column := range NumberColumns() {
		if column == name {
			return r.Numbers[i]
		}
	}
	tb.Fatalf("no column %s", name)
	return 0
}

// text is a value of a column of text by its name.
func (r *Row) text(tb failer, name string) string {
	tb.Helper()
	for i, column := range TextColumns() {
		if column == name {
			return r.Texts[i]
		}
	}
	tb.Fatalf("no column %s", name)
	return ""
}

// same compares numbers, an empty one being equal to an empty one.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
