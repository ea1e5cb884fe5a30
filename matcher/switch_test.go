package matcher_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// switchFund is one product of the example of docs/switching.md.
func switchFund(tb testing.TB, code, parent, class, kind, entry, exit string) fund.Product {
	tb.Helper()
	in, err := fund.ParseSubscriptionLadder(entry)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := fund.ParseRedemptionLadder(exit)
	if err != nil {
		tb.Fatal(err)
	}
	return fund.Product{
		Code: code, Name: code, Type: kind, ShareClass: class, ParentCode: parent, Grades: fund.Grades{Bank: fund.R4},
		Parties: fund.Parties{Issuer: "甲公司"},
		Listing: fund.Listing{Kind: fund.PublicFund, Status: fund.Open, DueDiligenceID: "DD", KeyFactsVersion: "v1"},
		Terms:   fund.Terms{LaunchedOn: 20180102},
		Fees:    fund.FeeSchedule{Subscription: in, Redemption: out, Management: 15, Custody: 5},
	}
}

// switchBank is the pool of the example, at ten o'clock of its day.
func switchBank(tb testing.TB) *bank {
	tb.Helper()
	b := &bank{day: 20261123, navs: map[string][]fund.NAV{}, purchases: map[string][]fund.Purchase{}}
	b.asOf = b.day.Start() + 10*60*60*1_000_000
	old := switchFund(tb, "OLD", "", "", "混合型-偏股", ":80", "7:150;30:100;180:50;:0")
	old.Fees.Management, old.Fees.Custody = 120, 20
	a := switchFund(tb, "NEW-A", "NEW", "A", "指数型-股票", "100000000:30;500000000:10;:100000f", "7:150;30:100;180:50;:0")
	a.Fees.DiscountPct = 90
	c := switchFund(tb, "NEW-C", "NEW", "C", "指数型-股票", ":0", "7:150;:0")
	c.Fees.Service = 20
	cash := switchFund(tb, "CASH", "", "", "货币型", ":0", ":0")
	cash.Grades.Bank = fund.R1
	b.products = []fund.Product{old, a, c, cash}
	for _, code := range []string{"OLD", "CASH"} {
		b.navs[code] = []fund.NAV{{Date: 20261119, Unit: 1.2, Accum: 1.2}, {Date: 20261120, Unit: 1.2345, Accum: 1.2345}}
	}
	return b
}

// switcher is the customer of the example.
func switcher() *fund.Profile {
	return &fund.Profile{
		CustomerID: "c1", Person: fund.Person{BirthDate: 19850615, Capacity: fund.FullCapacity, InvestorType: fund.Ordinary, AUM: 90_000_000},
		Assessment: fund.Assessment{Level: fund.C5, On: 20260601},
		Needs:      fund.StatedNeeds{Goals: []fund.Goal{fund.Growth}, HorizonMonths: 24, Liquidity: fund.NeedLow},
		Lots: []fund.Lot{
			{ProductCode: "OLD", Shares: 100_000_000, AcquiredOn: 20251201},
			{ProductCode: "OLD", Shares: 200_000_000, AcquiredOn: 20260610},
			{ProductCode: "OLD", Shares: 50_005_500, AcquiredOn: 20261103},
		},
	}
}

// searching gives him a search of his own for a product.
func searching(p *fund.Profile, at fund.Instant, code string) *fund.Profile {
	p.Trail = behaviour.Of(append([]fund.Event{{
		Kind: fund.DetailView, At: at - 60_000_000, ProductCode: code, About: behaviour.SearchPage, Channel: "APP",
	}}, p.Trail.Recent...))
	return p
}

func assessSwitch(tb testing.TB, core *matcher.Core, p *fund.Profile, r matcher.SwitchRequest) *matcher.SwitchAssessment {
	tb.Helper()
	out := &matcher.SwitchAssessment{}
	if err := core.AssessSwitch(p, r, out); err != nil {
		tb.Fatal(err)
	}
	return out
}

func switchRequest(b *bank) matcher.SwitchRequest {
	return matcher.SwitchRequest{At: b.asOf, Channel: fund.App, SellCode: "OLD", BuyCode: "NEW-A"}
}

// The example of docs/switching.md through the core: the same fen, and the verdicts.
func TestTheExampleOfASwitch(t *testing.T) {
	b := switchBank(t)
	core := b.compile(t)
	for _, c := range []struct {
		months  int32
		cost    switching.Cost
		saved   fund.Money
		verdict switching.Verdict
	}{
		{5, switching.Cost{OK: true, Exit: 18_518, Entry: 1_290, Lost: 18_517}, 21_634, switching.CostsMore},
		{24, switching.Cost{OK: true, Exit: 18_518, Entry: 1_290}, 103_365, switching.Pays},
	} {
		p := switcher()
		p.Needs.HorizonMonths = c.months
		got := assessSwitch(t, core, p, switchRequest(b))
		a := &got.Assessment
		if a.Cost != c.cost || a.Benefit.Running != c.saved || a.Verdict != c.verdict || a.BreakEven != 180 || got.Dealing.On != b.day || got.Horizon.Assumed {
			t.Errorf("%d months: %+v, saved %d, %s, break-even %d", c.months, a.Cost, a.Benefit.Running, a.Verdict, a.BreakEven)
		}
		// A lot of twenty days on the firm's initiative: nothing of it is offered.
		if got.Origin.Initiative != fund.ByFirm || got.Verdict != matcher.OrderBlock {
			t.Errorf("%d months: %s of %v", c.months, got.Verdict, got.Origin)
		}
	}
}

// Whose idea it is decides what becomes of the same switch.
func TestSwitchesByInitiative(t *testing.T) {
	b := switchBank(t)
	core := b.compile(t)
	own := assessSwitch(t, core, searching(switcher(), b.asOf, "NEW-A"), switchRequest(b))
	if own.Origin.Initiative != fund.ByCustomer || own.Verdict == matcher.OrderBlock || !says(own, "LOT_TOO_YOUNG", eligibility.Review) || !says(own, "SWITCH_RECORDED", eligibility.Audit) {
		t.Errorf("his own: %s, %+v", own.Verdict, own.Findings)
	}
	p := switcher()
	p.Lots = p.Lots[:1]
	if pays := assessSwitch(t, core, p, switchRequest(b)); says(pays, "SWITCH_COSTS_MORE", eligibility.Hide) || pays.Assessment.Verdict != switching.Pays {
		t.Errorf("one that pays: %s, %+v", pays.Verdict, pays.Findings)
	}
	p.Needs.HorizonMonths = 1
	if more := assessSwitch(t, core, p, switchRequest(b)); !says(more, "SWITCH_COSTS_MORE", eligibility.Hide) || more.Verdict != matcher.OrderBlock {
		t.Errorf("one that costs more: %s, %+v", more.Verdict, more.Findings)
	}
}

func says(s *matcher.SwitchAssessment, reason string, outcome eligibility.Outcome) bool {
	for _, f := range s.Findings {
		if f.Rule == eligibility.K01 && f.Reason == reason && f.Outcome == outcome {
			return true
		}
	}
	return false
}

// Selling a money fund is no switch, another class of the same fund is one, and an unknown fee
// speaks for nothing.
func TestKindsOfSwitches(t *testing.T) {
	b := switchBank(t)
	p := switcher()
	p.Lots = []fund.Lot{
		{ProductCode: "CASH", Shares: 100_000_000, AcquiredOn: 20261103}, {ProductCode: "NEW-C", Shares: 100_000_000, AcquiredOn: 20250103},
	}
	b.navs["NEW-C"] = b.navs["OLD"]
	core, r := b.compile(t), switchRequest(b)
	r.SellCode = "CASH"
	if got := assessSwitch(t, core, p, r); got.Assessment.Verdict != switching.NoSwitch || !got.Assessment.Cost.OK || says(got, "SWITCH_RECORDED", eligibility.Audit) {
		t.Errorf("a money fund: %s, %+v", got.Assessment.Verdict, got.Findings)
	}
	r.SellCode = "NEW-C"
	if got := assessSwitch(t, core, p, r); got.Assessment.Verdict == switching.NoSwitch || !says(got, "SWITCH_RECORDED", eligibility.Audit) {
		t.Errorf("another class: %s, %+v", got.Assessment.Verdict, got.Findings)
	}
	b.products[1].Missing = b.products[1].Missing.With(fund.FieldSubscriptionLadder)
	if got := assessSwitch(t, b.compile(t), p, r); !says(got, "SWITCH_COST_UNKNOWN", eligibility.Hide) || got.Verdict != matcher.OrderBlock || got.Justify[0].Code != matcher.JustifyFees {
		t.Errorf("a fee unknown: %s, %+v", got.Verdict, got.Justify)
	}
	r.SellCode = "OLD"
	if got := assessSwitch(t, core, searching(p, b.asOf, "NEW-A"), r); got.Verdict != matcher.OrderBlock || !got.Assessment.Gaps.Has(switching.NoLots) {
		t.Errorf("nothing to sell: %s", got.Verdict)
	}
}

// What would justify the switch, to the day and the fen; doing nothing comes last.
func TestWhatWouldJustifyASwitch(t *testing.T) {
	b := switchBank(t)
	p := switcher()
	p.Needs.HorizonMonths = 5
	got := assessSwitch(t, b.compile(t), p, switchRequest(b))
	want := []matcher.Justification{
		{Code: matcher.JustifyWait, On: 20261203, Saved: 6_173 - 3_087},
		{Code: matcher.JustifyLess, Amount: 1_234_500, Saved: 18_518},
		{Code: matcher.JustifyClass, ProductCode: "NEW-C", Saved: 22_795 - 3_607},
		{Code: matcher.JustifyLonger, On: b.day.AddDays(180)},
		{Code: matcher.JustifyKeep, Saved: 38_325},
	}
	if diff := cmp.Diff(want, got.Justify); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Every sentence can be written from its evidence, and none of them speaks of a return.
func TestSwitchSentencesCanBeWritten(t *testing.T) {
	text := defaults().text
	seen := map[string]bool{}
	for i, s := range someSwitches(t) {
		if len(s.Sentences) == 0 && s.CustomerID != "" {
			t.Fatalf("switch %d says nothing", i)
		}
		for _, said := range s.Sentences {
			id, ok := text.ID(said.Sentence)
			if !ok {
				t.Fatalf("no template %s", said.Sentence)
			}
			line, err := text.AppendEvidence(nil, id, said.Evidence)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(line), "收益") { // Compile lints all else that may not be said
				t.Errorf("%s: %s", said.Sentence, line)
			}
			seen[said.Sentence] = true
		}
		if n := len(s.Justify); n > 0 && s.Justify[n-1].Code != matcher.JustifyKeep {
			t.Fatalf("switch %d does not end with doing nothing", i)
		}
	}
	for _, name := range []string{"switch.cost", "switch.cost.unknown", "switch.keep", "switch.uncertain", "switch.no_switch", "switch.wait", "switch.class"} {
		if !seen[name] {
			t.Errorf("%s was never said", name)
		}
	}
}

// someSwitches are assessments of every kind, over a hostile pool and the example's.
func someSwitches(tb testing.TB) []*matcher.SwitchAssessment {
	tb.Helper()
	out := []*matcher.SwitchAssessment{{}}
	b := newBank(21, 120)
	core := b.compile(tb)
	for i := range 300 {
		p := b.customer(i)
		if len(p.Lots) == 0 {
			continue
		}
		r := matcher.SwitchRequest{
			At: b.request(core).At, Channel: pick(b, fund.App, fund.Branch), Licence: eligibility.LicenceValid, SellCode: p.Lots[0].ProductCode,
			BuyCode: b.purchase().ProductCode, Shares: pick(b, fund.Shares(0), 10_000), Amount: pick(b, fund.Money(0), 5_000, 1_000_000),
		}
		if r.SellCode != r.BuyCode {
			out = append(out, assessSwitch(tb, core, p, r))
		}
	}
	e := switchBank(tb)
	core = e.compile(tb)
	for _, months := range []int32{0, 5, 24} {
		p := switcher()
		p.Needs.HorizonMonths = months
		out = append(out, assessSwitch(tb, core, p, switchRequest(e)))
	}
	return out
}

// What a record keeps is the whole answer, and the request in it gives the same bytes again.
func TestARecordKeepsTheWholeSwitch(t *testing.T) {
	for i, s := range someSwitches(t) {
		record := s.AppendCanonical(nil)
		parsed, err := matcher.ParseSwitchAssessment(record)
		if err != nil || matcher.KindOf(record) != matcher.SwitchAnswer {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, parsed, cmpopts.IgnoreUnexported(matcher.SwitchAssessment{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("switch %d (- answered, + read back):\n%s", i, diff)
		}
	}
	b := switchBank(t)
	core := b.compile(t)
	used := assessSwitch(t, core, switcher(), switchRequest(b))
	want := used.AppendCanonical(nil)
	other := switchRequest(b)
	other.SellCode, other.BuyCode = "NEW-C", "OLD"
	for _, r := range []matcher.SwitchRequest{other, used.Request} {
		if err := core.AssessSwitch(switcher(), r, used); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(used.AppendCanonical(nil), want) {
		t.Error("the same question, asked again into used buffers, has another answer")
	}
}

func TestParseSwitchAssessmentRefuses(t *testing.T) {
	good := someSwitches(t)[1].AppendCanonical(nil)
	newer, slate := bytes.Clone(good), bytes.Clone(good)
	newer[1]++
	slate[0] = 2
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing": {nil, fund.ErrMalformed}, "a slate": {slate, fund.ErrMalformed}, "a newer version": {newer, fund.ErrNewerVersion},
		"version 0": {[]byte{0x60, 0}, fund.ErrMalformed}, "a byte too many": {append(bytes.Clone(good), 0), fund.ErrMalformed},
	} {
		if _, err := matcher.ParseSwitchAssessment(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
	for cut := range good {
		if _, err := matcher.ParseSwitchAssessment(good[:cut]); err == nil {
			t.Fatalf("cut at %d of %d bytes it still parses", cut, len(good))
		}
	}
}

// Bytes from a damaged log never panic, and what parses has one encoding.
func FuzzParseSwitchAssessment(f *testing.F) {
	for _, s := range someSwitches(f)[:12] {
		f.Add(s.AppendCanonical(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := matcher.ParseSwitchAssessment(b)
		if err != nil {
			return
		}
		once := s.AppendCanonical(nil)
		again, err := matcher.ParseSwitchAssessment(once)
		if err != nil || !bytes.Equal(again.AppendCanonical(nil), once) {
			t.Fatalf("read back as another answer: %v", err)
		}
	})
}

func TestAssessSwitchRefuses(t *testing.T) {
	b := switchBank(t)
	core := b.compile(t)
	for name, c := range map[string]struct {
		change func(*matcher.SwitchRequest)
		want   error
	}{
		"into itself":         {func(r *matcher.SwitchRequest) { r.BuyCode = r.SellCode }, matcher.ErrRequest},
		"less than no share":  {func(r *matcher.SwitchRequest) { r.Shares = -1 }, matcher.ErrRequest},
		"less than nothing":   {func(r *matcher.SwitchRequest) { r.Amount = -1 }, matcher.ErrRequest},
		"more than all money": {func(r *matcher.SwitchRequest) { r.Amount = fund.MaxMoney + 1 }, matcher.ErrRequest},
		"no product sold":     {func(r *matcher.SwitchRequest) { r.SellCode = "GONE" }, matcher.ErrUnknownProduct},
		"no product bought":   {func(r *matcher.SwitchRequest) { r.BuyCode = "GONE" }, matcher.ErrUnknownProduct},
		"tomorrow":            {func(r *matcher.SwitchRequest) { r.At = b.day.AddDays(1).Start() }, matcher.ErrOutsideValidity},
	} {
		r := switchRequest(b)
		c.change(&r)
		if err := core.AssessSwitch(switcher(), r, &matcher.SwitchAssessment{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// An order that a redemption of the last days paid is a switch: K01 speaks of it in the
// check of the order, and not of one whose redemption is older or of a money fund.
func TestAnOrderPaidByARedemptionIsASwitch(t *testing.T) {
	b := switchBank(t)
	core := b.compile(t)
	for name, c := range map[string]struct {
		code   string
		ago    int
		amount fund.Money
		reason string
	}{
		"fourteen days ago":     {"OLD", 14, 4_302_300, "SWITCH_RECORDED"},
		"fifteen days ago":      {"OLD", 15, 4_302_300, ""},
		"a money fund":          {"CASH", 1, 4_302_300, ""},
		"an unknown amount":     {"OLD", 1, 0, "SWITCH_COST_UNKNOWN"},
		"not in the pool":       {"GONE", 1, 4_302_300, "SWITCH_COST_UNKNOWN"},
		"he buys it back":       {"NEW-C", 1, 4_302_300, "IN_AND_OUT"},
		"its lots are no one's": {"OLD", 1, 4_302_300, "LOT_TOO_YOUNG"},
	} {
		p := searching(switcher(), b.asOf, "NEW-A")
		p.Trail = behaviour.Of(append(p.Trail.Recent, fund.Event{
			Kind: fund.Redeem, At: b.asOf - fund.Instant(c.ago)*24*60*60*1_000_000, ProductCode: c.code, Amount: c.amount,
		}))
		var out matcher.OrderCheck
		if err := core.CheckOrder(p, matcher.OrderRequest{ProductCode: "NEW-A", Amount: 4_302_300, At: b.asOf, Channel: fund.App}, &out); err != nil {
			t.Fatal(err)
		}
		said := map[string]bool{}
		for _, f := range out.Findings {
			if f.Rule == eligibility.K01 {
				said[f.Reason] = true
			}
		}
		if c.reason == "" && len(said) > 0 || c.reason != "" && !said[c.reason] {
			t.Errorf("%s: K01 said %v, want %q", name, said, c.reason)
		}
	}
}
