package objection_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
	"pgregory.net/rapid"
)

// A personal figure that must reach no customer is planted as one of these: no figure of
// a product or of a suggested amount looks like them.
const (
	plantedMoney = fund.Money(7_770_000_001)
	plantedRatio = fund.Ratio(-777_001)
	plantedCount = int32(77_701)
	plantedDays  = int32(77_702)
)

// anyCase draws a case: any product, whatever is missing, and a customer whose losses and
// habits are planted.
func anyCase(t *rapid.T) *objection.Case {
	c := person()
	odds := func(label string) bool { return rapid.Bool().Draw(t, label) }
	anyProduct(t, c, odds)
	c.Quote.Asked, c.Quote.Own.OK = odds("asked"), odds("cost known")
	c.Quote.Months = rapid.SampledFrom([]int32{6, 12, 24, 36, 60}).Draw(t, "months")
	if odds("classes") {
		c.Quote.A, c.Quote.C = objection.ClassCost{Cost: fund.Cost{Entry: 10}, OK: true}, objection.ClassCost{Cost: fund.Cost{Service: 20}, OK: true}
	}
	p := &c.Customer
	p.Personal = rapid.IntRange(0, 9).Draw(t, "personal") > 0
	p.Level = rapid.SampledFrom([]fund.RiskLevel{0, fund.C1, fund.C2, fund.C3, fund.C5}).Draw(t, "level")
	p.Goal = fund.Goal(rapid.IntRange(0, fund.Goals-1).Draw(t, "goal"))
	p.Need = fund.Need(rapid.IntRange(0, fund.Needs-1).Draw(t, "need"))
	p.HorizonMonths = rapid.SampledFrom([]int32{0, 6, 12, 36}).Draw(t, "horizon")
	p.Elder, p.Company, p.OptedOut, p.ManagerChanged = odds("elder"), odds("company"), odds("opted out"), odds("manager changed")
	for _, name := range []string{"asks_for_income", "compares_platforms", "deposit_large", "deposit_maturing", "joint_decision", "reads_risk_tab"} {
		if odds(name) {
			tagged(c, name)
		}
	}
	anyConduct(t, c, odds)
	for range rapid.IntRange(0, 3).Draw(t, "doubts") {
		doubt := fund.Doubt{ProductCode: c.Product.Code, Code: anyCode(t).String(), Last: now, Count: rapid.Int32Range(0, 3).Draw(t, "count"), Opened: 1}
		doubt.Until = rapid.SampledFrom([]fund.Date{0, today - 1, today + 1}).Draw(t, "until")
		if odds("elsewhere") {
			doubt.ProductCode = "ZZ"
			p.Conduct.Doubts = append(p.Conduct.Doubts, doubt)
		} else {
			p.Doubts = append(p.Doubts, doubt)
		}
	}
	return c
}

func anyCode(t *rapid.T) objection.Code {
	return objection.Code(rapid.IntRange(0, int(objection.Codes)-1).Draw(t, "code"))
}

func anyRecord(t *rapid.T) *fund.TrackRecord {
	return rapid.SampledFrom([]func() *fund.TrackRecord{
		deep, mild, flat, func() *fund.TrackRecord { return young(20240101) }, aYear,
		func() *fund.TrackRecord { return &fund.TrackRecord{AsOf: today} },
		func() *fund.TrackRecord { r := deep(); r.StaleDays = 31; return r },
		func() *fund.TrackRecord {
			r := deep()
			r.Benchmark, r.Payouts = fund.Benchmark{}, fund.Payouts{}
			return r
		},
	}).Draw(t, "record")()
}

// aYear is a record of one year: too short for outcomes, long enough for a fall.
func aYear() *fund.TrackRecord {
	r := young(20230301)
	d := &r.Spans[fund.SinceStart].Drawdown
	d.PeakOn, d.TroughOn, d.DaysToRecover = 20230401, 20230901, 186
	return r
}

func anyProduct(t *rapid.T, c *objection.Case, odds func(string) bool) {
	p := c.Product
	c.Record, c.NewIssue = anyRecord(t), odds("new")
	c.Grade = fund.RiskGrade(rapid.IntRange(0, 5).Draw(t, "grade"))
	c.Class = fund.Class(rapid.IntRange(0, fund.Classes-1).Draw(t, "class"))
	p.Parties.Size = rapid.SampledFrom([]fund.Money{0, 1_000, 6_000_000_000, 90_000_000_000}).Draw(t, "size")
	p.Parties.ManagerName = rapid.SampledFrom([]string{"", "王一"}).Draw(t, "manager")
	p.Parties.ManagerSince = rapid.SampledFrom([]fund.Date{0, 20190301, 20230901, 20250101}).Draw(t, "since")
	p.Terms.LaunchedOn = rapid.SampledFrom([]fund.Date{0, 20190301}).Draw(t, "launched")
	p.Terms.LockupDays = rapid.SampledFrom([]int32{0, 365}).Draw(t, "lockup")
	p.Terms.ClosedUntil = rapid.SampledFrom([]fund.Date{0, 20240901}).Draw(t, "closed")
	p.Terms.NextOpenOn = rapid.SampledFrom([]fund.Date{0, 20240320}).Draw(t, "next open")
	p.Terms.MinPurchase = rapid.SampledFrom([]fund.Money{0, 1_000}).Draw(t, "minimum")
	p.Listing.Status = rapid.SampledFrom([]fund.Status{fund.Open, fund.Subscription}).Draw(t, "status")
	text := rapid.SampledFrom([]string{":0", ":50", "7:150;:0", "7:150;30:100;:50", "7:150;30:100;180:50;365:25;:0", ""}).Draw(t, "ladder")
	p.Fees.Redemption, _ = fund.ParseRedemptionLadder(text)
	p.Fees.DiscountPct = rapid.SampledFrom([]int32{0, 90}).Draw(t, "discount")
	if odds("missing") {
		p.Missing = p.Missing.With(fund.FieldLockup).With(fund.FieldRedemptionLadder)
	}
	if odds("peer") {
		c.Peer = &objection.Peer{Name: "示例价值混合", Record: anyRecord(t)}
	}
	for range rapid.IntRange(0, 10).Draw(t, "managed") {
		c.Managed = append(c.Managed, objection.Managed{Code: "M", Name: "同门", Record: anyRecord(t)})
	}
}

func anyConduct(t *rapid.T, c *objection.Case, odds func(string) bool) {
	d := c.Customer.Conduct
	count := func(label string) int32 { return rapid.SampledFrom([]int32{0, plantedCount}).Draw(t, label) }
	for range rapid.IntRange(0, 2).Draw(t, "held") {
		h := other("L1", "医药混合", fund.Class(rapid.IntRange(0, fund.Classes-1).Draw(t, "held class")), fund.RiskGrade(rapid.IntRange(0, 5).Draw(t, "held grade")))
		switch rapid.IntRange(0, 4).Draw(t, "kin") {
		case 0:
			h.Product.ParentCode = c.Product.Code
		case 1:
			h.Product.Content.Benchmark = c.Product.Content.Benchmark
		case 2:
			h.Product.Content.Themes = c.Product.Content.Themes
		case 3:
			h.Product.Parties = c.Product.Parties
		}
		h.Record = rapid.SampledFrom([]*fund.TrackRecord{nil, deep(), mild()}).Draw(t, "held record")
		holding(c, h, plantedMoney+2_000_000_000, plantedMoney)
	}
	d.Portfolio.Value = rapid.SampledFrom([]fund.Money{0, 2 * plantedMoney}).Draw(t, "portfolio")
	d.Portfolio.HoldingDays = rapid.SampledFrom([]int32{-1, 0, plantedDays}).Draw(t, "holding days")
	if odds("loses") {
		d.Losses.Worst, d.Losses.WorstCode = fund.Measure{Value: plantedRatio, OK: true}, rapid.SampledFrom([]string{"L1", "GONE"}).Draw(t, "loser")
	}
	d.Losses.Open, d.Losses.Realised, d.Losses.RealisedOK = plantedMoney, -plantedMoney, true
	d.Losses.Borne = fund.Measure{Value: plantedRatio, OK: odds("borne")}
	d.Losses.SoldAtLoss, d.Losses.SoldInFall, d.Losses.KeptInFall, d.Losses.SilentInFall = count("sold"), count("sold in fall"), count("kept"), count("silent")
	d.Habits.Postponements, d.Habits.MeanDwell, d.Habits.Churn = count("postponed"), rapid.SampledFrom([]int32{0, 3}).Draw(t, "dwell"), fund.High
	d.Habits.Page = rapid.SampledFrom([]string{"", "RISK", "FEE", "COMPARE"}).Draw(t, "page")
	d.Complaints, d.Contacts.Count30 = count("complaints"), count("contacts")
	if odds("journey") {
		c.Customer.Journey = &fund.Journey{ProductCode: c.Product.Code, Exposures: count("exposures"), Abandons: count("abandons"), Reached: [fund.KeyNodes]fund.Instant{fund.Viewed: now}}
	}
}

// Whatever is known and whatever is missing: at most three, none under one face twice,
// every sentence filled from Evidence alone, the advice from Grounds and Evidence, every
// fact dated and sourced, nothing of his losses and habits in Evidence, the same again.
func TestEveryAnswer(t *testing.T) {
	text, err := templates()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := anyCase(rt)
		found, facts := objection.Foresee(c, nil, nil)
		if len(found) > objection.MaxPerItem {
			rt.Fatalf("%d doubts", len(found))
		}
		faces := map[objection.Code]bool{}
		for i := range found {
			o := &found[i]
			if face, shown := o.Code.Face(); shown && faces[face] {
				rt.Fatalf("%s twice: %v", face, codesOf(found))
			} else if shown {
				faces[face] = true
			}
			checkAnswer(rt, text, o)
		}
		again, factsAgain := objection.Foresee(c, make([]objection.Objection, 0, 9), used()[:0])
		if !reflect.DeepEqual(strip(found), strip(again)) || !slices.Equal(facts, factsAgain) {
			rt.Fatalf("another answer to the same case")
		}
		c.Customer.Refused = true
		if after, _ := objection.Foresee(c, nil, nil); len(after) > 0 {
			rt.Fatalf("after a refusal: %v", codesOf(after))
		}
	})
}

// used is a buffer that an earlier answer was written into.
func used() []fund.Evidence {
	buffer := make([]fund.Evidence, 300)
	for i := range buffer {
		buffer[i] = fund.Evidence{Field: "OLD", Unit: fund.UnitDays, Number: 1, Text: "old", Window: fund.Window{From: 1, To: 2}, AsOf: 3, Stale: 4, Source: "OLD", Document: "old"}
	}
	return buffer
}

// strip makes empty and absent evidence the same.
func strip(found []objection.Objection) []objection.Objection {
	out := slices.Clone(found)
	for i := range out {
		out[i].Grounds, out[i].Evidence = append([]fund.Evidence{}, out[i].Grounds...), append([]fund.Evidence{}, out[i].Evidence...)
	}
	return out
}

func checkAnswer(t *rapid.T, text *wording.Templates, o *objection.Objection) {
	fill := func(name string, reader wording.Audience, facts []fund.Evidence) {
		id, ok := text.ID(name)
		if !ok || !text.Audience(id).May(reader) {
			t.Fatalf("%s: %q is no sentence for %s", o.Code, name, reader)
		}
		if _, err := text.AppendEvidence(nil, id, facts); err != nil {
			t.Fatalf("%s: %v", o.Code, err)
		}
	}
	for _, name := range o.Sentences {
		if name != "" {
			fill(name, wording.Customer, o.Evidence)
		}
	}
	fill(o.Advice, wording.Manager, append(slices.Clone(o.Grounds), o.Evidence...))
	if o.Discloses != "" {
		fill(o.Discloses, wording.Customer, nil)
	}
	if o.Silenced == (o.Sentences[0] != "") {
		t.Fatalf("%s: silenced %v says %q", o.Code, o.Silenced, o.Sentences[0])
	}
	if o.Band < fund.Low || o.Band > fund.High || o.Triggers[0] == "" && o.Band > fund.Low {
		t.Fatalf("%s: %s without a trigger", o.Code, o.Band)
	}
	for _, e := range append(slices.Clone(o.Grounds), o.Evidence...) {
		if e.Field == "" || e.Source == "" || e.AsOf != today {
			t.Fatalf("%s: evidence without field, source or date: %+v", o.Code, e)
		}
	}
	for _, e := range o.Evidence {
		if personal(e) {
			t.Fatalf("%s shows the customer %+v", o.Code, e)
		}
	}
}

// personal reports whether a fact is one of those planted.
func personal(e fund.Evidence) bool {
	n := max(e.Number, -e.Number)
	switch n {
	case int64(plantedMoney), int64(-plantedRatio), int64(plantedCount), int64(plantedDays), 2_000_000_000:
		return true
	}
	return slices.Contains([]string{"LOSS_PRODUCT", "LOSS_RESULT", "BREAK_EVEN_RISE", "BORNE", "WORST_1M", "WORST_3M", "WORST_6M", "CHURN", "RAISED"}, e.Field)
}

// What raises a doubt in a product is what its facts say, and nothing where they are missing.
func TestRaises(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *objection.Subject)
		want   []objection.Code
	}{
		"a mild fund":       {func(*objection.Subject) {}, nil},
		"a fall of a fifth": {func(s *objection.Subject) { s.Record.Spans[fund.SinceStart].Drawdown.Value = -200_000 }, []objection.Code{objection.Drawdown, objection.LossTrauma}},
		"a little less":     {func(s *objection.Subject) { s.Record.Spans[fund.SinceStart].Drawdown.Value = -199_999 }, nil},
		"R4":                {func(s *objection.Subject) { s.Grade = fund.R4 }, []objection.Code{objection.Drawdown, objection.LossTrauma}},
		"dear":              {func(s *objection.Subject) { s.Product.Fees.Service = 35 }, []objection.Code{objection.Fee, objection.CheaperElsewhere}},
		"just not dear":     {func(s *objection.Subject) { s.Product.Fees.Service = 34 }, nil},
		"locked up":         {func(s *objection.Subject) { s.Product.Terms.LockupDays = 1 }, []objection.Code{objection.Liquidity}},
		"leaving costs": {func(s *objection.Subject) {
			s.Product.Fees.Redemption = []fund.RedemptionTier{{Below: 180, Rate: 50}, {}}
		}, []objection.Code{objection.Liquidity}},
		"leaving costs less": {func(s *objection.Subject) {
			s.Product.Fees.Redemption = []fund.RedemptionTier{{Below: 179, Rate: 50}, {}}
		}, nil},
		"ladder unknown":       {func(s *objection.Subject) { s.Product.Fees.Redemption = nil }, nil},
		"a new issue":          {func(s *objection.Subject) { s.NewIssue = true }, []objection.Code{objection.NewFund, objection.Pushed}},
		"abroad":               {func(s *objection.Subject) { s.Class = fund.OverseasFund }, []objection.Code{objection.Understand}},
		"a new manager":        {func(s *objection.Subject) { s.Product.Parties.ManagerSince = 20230901 }, []objection.Code{objection.ManagerTrust}},
		"nine funds":           {func(s *objection.Subject) { s.Managed = make([]objection.Managed, 9) }, []objection.Code{objection.ManagerTrust}},
		"small":                {func(s *objection.Subject) { s.Product.Parties.Size = 9_999_999_999 }, []objection.Code{objection.Size}},
		"size unknown":         {func(s *objection.Subject) { s.Product.Parties.Size = 0 }, nil},
		"results far apart":    {func(s *objection.Subject) { s.Record.Outcomes[fund.Hold12M].P90 = 109_900 }, []objection.Code{objection.Timing}},
		"apart, but stale":     {func(s *objection.Subject) { s.Record.Outcomes[fund.Hold12M].P90 = 909_900; s.Record.StaleDays = 31 }, nil},
		"R2 that lost":         {func(s *objection.Subject) { s.Grade = fund.R2 }, []objection.Code{objection.OpportunityCost}},
		"R2 that never lost":   {func(s *objection.Subject) { s.Grade = fund.R2; s.Record.Outcomes[fund.Hold12M].Worst = 0 }, nil},
		"nothing paid":         {func(s *objection.Subject) { s.Record.Payouts.Count = 0 }, []objection.Code{objection.Dividend}},
		"nothing known of pay": {func(s *objection.Subject) { s.Record.Payouts = fund.Payouts{} }, nil},
	} {
		s := person().Subject
		s.Record = mild()
		s.Record.Outcomes[fund.Hold12M].P90 = 100_000
		c.change(&s)
		want := objection.Set(0)
		for _, code := range c.want {
			want = want.With(code)
		}
		if got := objection.Raises(&s); got != want {
			t.Errorf("%s: %017b, want %017b", name, got, want)
		}
		for code := range objection.Codes {
			if want.Has(code) != slices.Contains(c.want, code) {
				t.Errorf("%s: the set has %s wrong", name, code)
			}
		}
	}
}
