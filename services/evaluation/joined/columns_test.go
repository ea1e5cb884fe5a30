package joined

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/switching"
	"github.com/fundmatch/fundmatch/matcher/wording"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// numbers holds a row's numbers against those that are named, by column; NaN is empty.
func (r *Row) numbers(t *testing.T, want map[string]float64) {
	t.Helper()
	for name, w := range want {
		if got := r.number(t, name); !same(got, w) && !(math.Abs(got-w) < 1e-12) {
			t.Errorf("%s %s: %s is %v, want %v", r.CustomerID, r.ProductCode, name, got, w)
		}
	}
}

// Each stage is told by its own events, and a stage that was not reached is a 0 of its own.
func TestStages(t *testing.T) {
	t.Parallel()
	kinds := map[fund.EventKind]string{
		fund.Exposure: "exposed", fund.Contact: "exposed", fund.Click: "viewed", fund.DetailView: "viewed", fund.EvidenceOpen: "answered",
		fund.OrderStart: "started", fund.OrderConfirm: "confirmed", fund.OrderAbandon: "abandoned", fund.Refusal: "refused", fund.Complaint: "complained",
	}
	stages := []string{"exposed", "viewed", "answered", "started", "confirmed", "abandoned", "refused", "complained"}
	b := openBank(t)
	want := map[string]string{}
	for kind, column := range kinds {
		id := "K-" + kind.String()
		b.customer(t, id)
		b.shown(id, hour(10, 10), "A", "B")
		b.event(t, id, kind, hour(11, 0), "A")
		want[id] = column
	}
	rows, _ := b.join(t, week())
	for i := range rows {
		r := &rows[i]
		for _, stage := range stages {
			r.numbers(t, map[string]float64{stage: oneIf(r.ProductCode == "A" && want[r.CustomerID] == stage)})
		}
	}
	if !slices.Equal(NumberColumns()[:len(stages)], stages) {
		t.Errorf("columns %v", NumberColumns())
	}
}

// The doubts that were foreseen and those that he raised, each once, in the order of the playbook.
func TestDoubts(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.customer(t, "K1")
	s := b.slateOf("K1", hour(10, 10), "A", "B")
	s.Items[0].Objections = []objection.Objection{{Code: objection.NotNow}, {Code: objection.Fee}}
	s.Items[0].Conversion.Action = conversion.Plan
	s.Items[0].Conversion.Probability = fund.Measure{Value: fund.RatioOf(.25), OK: true}
	b.record(s)
	b.record(b.slateOf("K1", hour(10, 10), "A"), func(p *fund.Profile) {
		p.Person.InvestorType, p.Person.Professional = fund.ProfessionalInvestor, fund.Professional{Class: "ASSETS", Until: opened.AddDays(99)}
	})
	for _, about := range []string{`{"objection": "SIZE"}`, `{"objection": "FEE"}`, `{"code": "SIZE"}`, `{"objection": "TOO DEAR"}`} {
		b.event(t, "K1", fund.ObjectionRaised, hour(11, 0), "A", with(about))
	}
	rows, _ := b.join(t, week())
	r := &rows[0]
	r.numbers(t, map[string]float64{"conversion_probability": .25})
	rows[1].numbers(t, map[string]float64{"conversion_probability": math.NaN()})
	if f, w := r.text(t, "foreseen"), r.text(t, "raised"); f != "NOT_NOW FEE" || w != "FEE SIZE" {
		t.Errorf("foreseen %q, raised %q", f, w)
	}
	for name, want := range map[string]string{
		"segment": "MASS", "channel": "APP", "model": b.identity.ModelID, "arm": "x:one", "risk_level": "C3", "risk_grade": "R3", "issuer": "管理人A", "action": "PLAN",
	} {
		if got := r.text(t, name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	if level := rows[2].text(t, "risk_level"); level != "PROFESSIONAL" {
		t.Errorf("level %q of a professional investor", level)
	}
	for layer, want := range map[string]string{"": "x:one", "L": "x:one", "M": "y:two", "N": ""} {
		o := week()
		o.Layer = layer
		s.Request.Exposures = []experiment.Assignment{{Layer: "L", Experiment: "x", Arm: "one"}, {Layer: "M", Experiment: "y", Arm: "two"}}
		b.log[0].Payload = s.AppendCanonical(nil)
		rows, told := b.join(t, o)
		if rows[0].text(t, "arm") != want || strings.Contains(strings.Join(told.Notices, "\n"), `layer "N"`) != (layer == "N") {
			t.Errorf("layer %q: arm %q, want %q; notices %q", layer, rows[0].text(t, "arm"), want, told.Notices)
		}
	}
	if rows[1].text(t, "raised") != "" || rows[1].text(t, "action") != "BUY" {
		t.Errorf("%+v", rows[1])
	}
}

// What was bought and given back: from the first order, by whether the days are over. Who bought nothing gave nothing
// back, and says nothing of how fast money leaves.
func TestRedemptions(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	bought := hour(11, 9)
	for id, sold := range map[string]fund.Instant{
		"K1": 0, "K2": bought.Add(6 * 24 * time.Hour), "K3": bought.Add(7 * 24 * time.Hour), "K4": bought.Add(29 * 24 * time.Hour), "K5": hour(61, 0), "NONE": bought,
	} {
		b.customer(t, id)
		b.shown(id, hour(10, 10), "A")
		if id != "NONE" {
			b.event(t, id, fund.OrderConfirm, bought, "A")
			b.event(t, id, fund.OrderConfirm, bought.Add(time.Hour), "A")
		}
		if sold != 0 {
			b.event(t, id, fund.Redeem, sold, "C") // the other class, into which it was exchanged
		}
	}
	rows, _ := b.join(t, week())
	want := map[string][3]float64{
		"K1": {0, 0, empty}, "K2": {1, 6, empty}, "K3": {0, 7, empty}, "K4": {0, 29, empty}, "K5": {0, empty, empty}, "NONE": {empty, empty, empty},
	}
	for i := range rows {
		r, w := &rows[i], want[rows[i].CustomerID]
		held := w[1]
		if r.CustomerID == "K1" {
			held = empty
		}
		within30 := oneIf(!math.IsNaN(held))
		if r.CustomerID == "NONE" {
			within30 = empty
		}
		r.numbers(t, map[string]float64{"redeemed_7d": w[0], "redeemed_30d": within30, "redeemed_90d": w[2], "held_days": held})
	}
}

// Amounts are summed, and one that is not known leaves the sum unknown.
func TestAmounts(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.customer(t, "K1")
	b.shown("K1", hour(10, 10), "A", "B", "M")
	b.event(t, "K1", fund.OrderConfirm, hour(11, 0), "A", with(`{"amount_fen": 100}`))
	b.event(t, "K1", fund.OrderConfirm, hour(12, 0), "A", with(`{"amount_fen": 250}`))
	b.event(t, "K1", fund.OrderConfirm, hour(11, 0), "B", with(`{"amount_fen": 100}`))
	b.event(t, "K1", fund.OrderConfirm, hour(12, 0), "B")
	o := week()
	o.Reward = Amount
	rows, told := b.join(t, o)
	for i, want := range []float64{350, empty, 0} {
		if !same(rows[i].Reward, want) {
			t.Errorf("%s: reward %v, want %v", rows[i].ProductCode, rows[i].Reward, want)
		}
		rows[i].numbers(t, map[string]float64{"amount_fen": want, "confirmed": oneIf(i < 2)})
	}
	if told.Censored != 1 || told.Reward != "amount" {
		t.Errorf("%+v", told)
	}
}

// What the market did afterwards, after fees, by hand: 1 % at entry of 10,000 yuan leaves 0.990099 of it; half a percent
// at an exit before 180 days.
func TestResults(t *testing.T) {
	t.Parallel()
	b := openMarket(t, fiveSeries())
	b.customer(t, "K1")
	b.shown("K1", hour(10, 10), "A", "B", "M", "N")
	b.record(b.slateOf("K1", hour(10, 10), "A"), func(p *fund.Profile) { p.Assessment.Level = fund.C2 })
	b.record(b.slateOf("K1", hour(10, 10), "A"), func(p *fund.Profile) { p.Assessment = fund.Assessment{} })
	b.shown("K1", hour(60, 14), "A") // on Wednesday, the day before the fall
	b.shown("K1", hour(60, 15), "A") // after the cutoff: dealt on Thursday, when it has fallen
	o := week()
	o.Through = hour(700, 0)
	rows, _ := b.join(t, o)
	const paid = .990099
	a90, a180, a365 := paid*.995*.9285-1, paid*1.0635-1, paid*1.2-1
	want := []map[string]float64{
		{"return_90d": a90, "return_180d": a180, "return_365d": a365, "breached_90d": 0, "breached_180d": 0, "breached_365d": 0, "new_issue": 0},
		{"return_90d": paid*.995 - 1, "return_180d": empty, "return_365d": empty, "breached_90d": 0, "breached_180d": empty},
		{"return_90d": empty, "return_365d": empty, "breached_90d": empty},
		{"return_90d": paid*.995 - 1, "return_365d": paid - 1, "breached_90d": 0, "new_issue": 1},
		{"return_90d": a90, "breached_90d": 1}, // it fell by .108911 of what was paid: more than 5 %, less than 15 %
		{"return_90d": a90, "breached_90d": empty},
		{"return_90d": paid*.995*(.9+.3*69/200) - 1},
		{"return_90d": paid*.995*(.9+.3*70/200)/.9 - 1},
	}
	for i, w := range want {
		rows[i].numbers(t, w)
	}
	if len(rows) != len(want) || rows[5].text(t, "risk_level") != "" {
		t.Errorf("%d rows, level %q", len(rows), rows[5].text(t, "risk_level"))
	}
	o.Through = hour(99, 23) // the NAV of the 99th day itself is dated on, not before it
	rows, _ = b.join(t, o)
	rows[0].numbers(t, map[string]float64{"return_90d": empty, "breached_90d": empty})
	o.Through = hour(101, 0)
	rows, _ = b.join(t, o)
	rows[0].numbers(t, map[string]float64{"return_90d": a90, "return_180d": empty})
}

// assess records the assessment of a switch.
func (b *bank) assess(customerID string, at fund.Instant, buy string, cost, saved fund.Money, known bool) {
	a := matcher.SwitchAssessment{CustomerID: customerID, Request: matcher.SwitchRequest{At: at, Channel: fund.App, SellCode: "M", BuyCode: buy}, Identity: b.identity}
	a.Assessment.Cost = switching.Cost{OK: known, Exit: cost}
	a.Assessment.Benefit.Running = saved
	b.log = append(b.log, decisionlog.Stored{Record: decisionlog.Record{
		DecisionID: decisionID(1000 + len(b.log)), DecidedAt: int64(at), RecordedAt: int64(at), CustomerID: customerID,
		Kind: decisionlog.KindDecision, Payload: a.AppendCanonical(nil),
	}})
}

// A purchase that a switch paid for is judged by the last assessment before it.
func TestSwitchesWithoutABenefit(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	for _, c := range []struct {
		id          string
		at          fund.Instant
		buy         string
		cost, saved fund.Money
		known       bool
	}{
		{"PAYS", hour(10, 12), "A", 100, 101, true},
		{"EQUAL", hour(10, 12), "A", 100, 100, true},
		{"COSTS", hour(10, 12), "C", 100, 0, true},
		{"UNKNOWN", hour(10, 12), "A", 0, 100, false},
		{"ELSE", hour(10, 12), "B", 100, 0, true},
		{"BEFORE", hour(10, 9), "A", 100, 0, true},
		{"AFTER", hour(11, 12), "A", 100, 0, true},
		{"TWICE", hour(10, 13), "A", 100, 200, true},
		{"TWICE", hour(10, 12), "A", 100, 0, true},
	} {
		b.assess(c.id, c.at, c.buy, c.cost, c.saved, c.known)
	}
	want := map[string]float64{"PAYS": 0, "EQUAL": 1, "COSTS": 1, "UNKNOWN": empty, "ELSE": empty, "BEFORE": empty, "AFTER": empty, "TWICE": 0, "NONE": empty}
	for id := range want {
		b.customer(t, id)
		b.shown(id, hour(10, 10), "A")
		b.event(t, id, fund.OrderConfirm, hour(11, 0), "A")
	}
	rows, told := b.join(t, week())
	for i := range rows {
		rows[i].numbers(t, map[string]float64{"no_benefit": want[rows[i].CustomerID]})
	}
	if told.Records.Other != 9 {
		t.Errorf("%+v", told.Records)
	}
}

// Every record is counted as what it is, and only what is asked for becomes rows.
func TestRecordsAreCounted(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.customer(t, "K1")
	first := b.shown("K1", hour(10, 10), "A", "B")
	b.log = append(b.log, b.log[0], b.log[0])
	b.log[1].Kind, b.log[1].Payload, b.log[1].Profile = decisionlog.KindServed, nil, nil
	b.log[2].Erased, b.log[2].Payload, b.log[2].Profile, b.log[2].CustomerID = true, nil, nil, ""
	b.shown("K1", hour(11, 10))
	branch := b.slateOf("K1", hour(12, 10), "A")
	branch.Request.Channel, branch.Request.Audience = fund.Branch, wording.Manager
	second := b.record(branch)
	b.shown("K1", hour(70, 0), "A")
	third := b.shown("K1", hour(9, 0), "M")
	manager, app := wording.Manager, wording.Customer
	for _, c := range []struct {
		name  string
		edit  func(*Options)
		want  []string
		count RecordCounts
	}{
		{"all", func(*Options) {}, []string{first, first, second, third}, RecordCounts{Read: 7, Erased: 1, Served: 1, Empty: 1, Outside: 1, Decisions: 3}},
		{"in the branch", func(o *Options) { o.Channel = fund.Branch }, []string{second}, RecordCounts{Read: 7, Erased: 1, Served: 1, Outside: 1, Filtered: 3, Decisions: 1}},
		{"for managers", func(o *Options) { o.Audience = &manager }, []string{second}, RecordCounts{Read: 7, Erased: 1, Served: 1, Outside: 1, Filtered: 3, Decisions: 1}},
		{"for customers", func(o *Options) { o.Audience = &app }, []string{first, first, third}, RecordCounts{Read: 7, Erased: 1, Served: 1, Outside: 1, Empty: 1, Filtered: 1, Decisions: 2}},
		{"since", func(o *Options) { o.Since = hour(10, 10) }, []string{first, first, second}, RecordCounts{Read: 6, Erased: 1, Served: 1, Empty: 1, Outside: 1, Decisions: 2}},
	} {
		o := week()
		c.edit(&o)
		rows, told := b.join(t, o)
		var got []string
		for i := range rows {
			got = append(got, rows[i].DecisionID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		c.count.OpenEnded = told.Records.OpenEnded
		if c.name == "since" { // of a day before, clocks may differ
			c.count.Read, c.count.Outside = told.Records.Read, told.Records.Outside
		}
		if told.Records != c.count {
			t.Errorf("%s: %+v, want %+v", c.name, told.Records, c.count)
		}
	}
}

// The four ways in which the money paid falls deepest: on the way, below what was paid at entry, by the exit's fee from
// the peak or from what was paid; and a holding that only rises falls by the entry's fee alone.
func TestTheDeepestFall(t *testing.T) {
	t.Parallel()
	p := &fund.Product{Fees: fund.FeeSchedule{
		Subscription: []fund.SubscriptionTier{{Rate: 1000}}, Redemption: []fund.RedemptionTier{{Below: 10, Rate: 2000}, {}},
	}}
	const sum = 1_100_000 // of which 1,000,000 are kept after a tenth of them
	for name, c := range map[string]struct {
		wealth []float64
		days   int
		want   float64
	}{
		"on the way":                 {[]float64{1, 2, 1, 2}, 20, .5},
		"below what was paid":        {[]float64{1, .9, 1.5, 1.6}, 20, 1 - .9/1.1},
		"by the exit, from the peak": {[]float64{1, 1.5, 2, 2}, 5, .2},
		"by the exit, from the paid": {[]float64{1, 1.05, 1, 1}, 5, 1 - .8/1.1},
		"by the entry alone":         {[]float64{1, 1.2, 1.4, 1.6}, 20, 1 - 1/1.1},
	} {
		e := entered{wealth: c.wealth}
		for i := range c.wealth {
			e.days = append(e.days, opened.AddDays(i*c.days/3))
		}
		e.days[3] = opened.AddDays(c.days)
		if h := e.hold(p, sum, c.days); !h.known || math.Abs(h.fall-c.want) > 1e-9 {
			t.Errorf("%s: %+v, want a fall of %v", name, h, c.want)
		}
	}
}
