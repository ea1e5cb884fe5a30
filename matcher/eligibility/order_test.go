package eligibility_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ordering is one order before the built-in pack: everything is known, nothing speaks but
// what every order is told.
type ordering struct {
	product fund.Product
	facts   eligibility.Facts
	order   eligibility.Order
}

// plain is an order of 10,000 yuan by a customer of level C3 with a million yuan.
func plain() *ordering {
	return &ordering{
		product: fund.Product{
			Code: "p", Type: "债券型", Grades: fund.Grades{Bank: fund.R2}, Parties: fund.Parties{Issuer: "甲"},
			Listing: fund.Listing{Kind: fund.PublicFund, Status: fund.Open, DueDiligenceID: "DD", KeyFactsVersion: "v1"},
			Content: fund.Content{Themes: []string{"消费"}},
			Terms:   fund.Terms{MinPurchase: 1_000, DayLimit: 50_000_000},
		},
		facts: eligibility.Facts{
			Standing: eligibility.Standing{Level: fund.C3, State: eligibility.Valid, Capacity: fund.FullCapacity},
			Setting:  eligibility.Setting{Situation: eligibility.CustomerOrder, Channel: fund.App},
		},
		order: eligibility.Order{
			Amount:  eligibility.OrderAmount{Fen: 1_000_000, DayOK: true, WindowOK: true},
			Wealth:  eligibility.Wealth{AUM: 100_000_000, Income: 20_000_000},
			Stakes:  eligibility.Stakes{Fund: eligibility.Stake{OK: true}, Issuer: eligibility.Stake{OK: true}, Theme: eligibility.Stake{OK: true}},
			Dealing: eligibility.Dealing{On: today},
			Proofs:  eligibility.Proofs{KeyFacts: true, Opinion: true, Fees: true},
		},
	}
}

func (x *ordering) gate(t failer) *eligibility.Gate {
	pack, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, pack, []fund.Product{x.product}, today.Start())
}

// said lists the findings as rule, reason, outcome, with + where a step is done.
func (x *ordering) said(t failer) []string {
	_, found := x.gate(t).JudgeOrder(0, &x.facts, &x.order, nil)
	said := make([]string, len(found))
	for i := range found {
		said[i] = string(found[i].Rule) + " " + found[i].Reason + " " + found[i].Outcome.String()
		if found[i].Done {
			said[i] += "+"
		}
	}
	return said
}

// always is said of every order that has nothing to be said of.
var always = []string{"C05 KEY_FACTS STEP+", "C05 MATCHING_OPINION STEP+", "C05 FEES STEP+", "C05 ENTRY_FEE DISCLOSE"}

// Each case changes the plain order; what is said beside always stands in want. The cases
// of one rule come in threes: fires, just does not, and the fact is missing.
func TestWhatTheRulesSayOfAnOrder(t *testing.T) {
	const trace = "C04 ELECTRONIC_TRACE STEP"
	for name, c := range map[string]struct {
		change func(x *ordering)
		want   []string
	}{
		"nothing": {func(*ordering) {}, nil},

		"G01 a fen below the minimum": {func(x *ordering) { x.order.Amount.Fen = 999 }, []string{"G01 BELOW_MINIMUM BLOCK"}},
		"G01 the minimum":             {func(x *ordering) { x.order.Amount.Fen = 1_000 }, nil},
		"G01 no minimum on file":      {func(x *ordering) { x.product.Terms.MinPurchase, x.order.Amount.Fen = 0, 1 }, nil},
		"G01 a fen above the day limit": {
			func(x *ordering) { x.product.Terms.DayLimit = 999_999 }, []string{"G01 ABOVE_DAY_LIMIT BLOCK"},
		},
		"G01 the day limit": {func(x *ordering) { x.product.Terms.DayLimit = 1_000_000 }, nil},
		"G01 a fen above with what was ordered before": {
			func(x *ordering) { x.product.Terms.DayLimit, x.order.Amount.Day = 1_500_000, 500_001 }, []string{"G01 ABOVE_DAY_LIMIT BLOCK"},
		},
		"G01 the limit with what was ordered before": {func(x *ordering) { x.product.Terms.DayLimit, x.order.Amount.Day = 1_500_000, 500_000 }, nil},
		"G01 orders of the day are not known":        {func(x *ordering) { x.order.Amount.DayOK = false }, []string{"G01 DAY_ORDERS_UNKNOWN BLOCK"}},
		"G01 not known, and no limit":                {func(x *ordering) { x.order.Amount.DayOK, x.product.Terms.DayLimit = false, 0 }, nil},
		"G01 after the cutoff":                       {func(x *ordering) { x.order.Dealing.AfterCutoff = true }, []string{"G01 ACCEPTED_FOR_NEXT_OPEN_DAY DISCLOSE"}},
		"G01 on a closed day":                        {func(x *ordering) { x.order.Dealing.ClosedDay = true }, []string{"G01 ACCEPTED_FOR_NEXT_OPEN_DAY DISCLOSE"}},
		"G01 no open day in sight":                   {func(x *ordering) { x.order.Dealing.On = 0 }, []string{"G01 NO_OPEN_DAY BLOCK"}},

		"S15 a fen above half of his assets": {func(x *ordering) { x.order.Wealth.AUM, x.order.Stakes = 1_999_999, eligibility.Stakes{} }, []string{"S15 ABOVE_MEANS CONFIRM", trace}},
		"S15 half of his assets":             {func(x *ordering) { x.order.Wealth.AUM, x.order.Stakes = 2_000_000, eligibility.Stakes{} }, nil},
		"S15 split orders are one":           {func(x *ordering) { x.order.Amount.Window = 49_000_001 }, []string{"S15 ABOVE_MEANS CONFIRM", trace}},
		"S15 split orders within":            {func(x *ordering) { x.order.Amount.Window = 49_000_000 }, nil},
		"S15 an earlier amount is not known": {func(x *ordering) { x.order.Amount.WindowOK = false }, []string{"S15 ORDERS_UNKNOWN CONFIRM", trace}},
		"S15 a fen above a year's income": {func(x *ordering) {
			x.order.Wealth = eligibility.Wealth{Income: 999_999}
			x.order.Stakes.Portfolio = 90_000_000
		}, []string{"S15 ABOVE_MEANS CONFIRM", trace}},
		"S15 a year's income": {func(x *ordering) {
			x.order.Wealth = eligibility.Wealth{Income: 1_000_000}
			x.order.Stakes.Portfolio = 90_000_000
		}, nil},
		"S15 neither is known": {func(x *ordering) { x.order.Wealth = eligibility.Wealth{}; x.order.Stakes.Portfolio = 90_000_000 }, []string{"S15 MEANS_UNKNOWN CONFIRM", trace}},

		// C3: 30 % in a fund or a theme, 60 % with an issuer.
		"K04 a fen above in a fund":       {func(x *ordering) { x.order.Stakes.Fund.Value = 29_000_001 }, []string{"K04 FUND_CONCENTRATED CONFIRM", trace}},
		"K04 just within in a fund":       {func(x *ordering) { x.order.Stakes.Fund.Value = 29_000_000 }, nil},
		"K04 a fen above with an issuer":  {func(x *ordering) { x.order.Stakes.Issuer.Value = 59_000_001 }, []string{"K04 ISSUER_CONCENTRATED CONFIRM", trace}},
		"K04 just within with an issuer":  {func(x *ordering) { x.order.Stakes.Issuer.Value = 59_000_000 }, nil},
		"K04 a fen above in a theme":      {func(x *ordering) { x.order.Stakes.Theme.Value = 29_000_001 }, []string{"K04 THEME_CONCENTRATED CONFIRM", trace}},
		"K04 an issuer that is not named": {func(x *ordering) { x.order.Stakes.Issuer = eligibility.Stake{Value: 99_000_000} }, nil},
		"K04 a theme that is not named":   {func(x *ordering) { x.order.Stakes.Theme = eligibility.Stake{Value: 99_000_000} }, nil},
		"K04 the unknown level is C1":     {func(x *ordering) { x.facts.Level = fund.LevelUnknown; x.order.Stakes.Fund.Value = 19_000_001 }, []string{"K04 FUND_CONCENTRATED CONFIRM", trace}},
		"K04 nothing of known value":      {func(x *ordering) { x.order.Wealth.AUM = 0 }, []string{"K04 ASSETS_UNKNOWN CONFIRM", trace}},
		"K04 assets below what he holds": {func(x *ordering) {
			x.order.Wealth.AUM, x.order.Stakes.Portfolio, x.order.Stakes.Fund.Value = 9_000_000, 100_000_000, 29_300_001
		}, []string{"K04 FUND_CONCENTRATED CONFIRM", trace}},
		"K04 within what he holds and buys": {func(x *ordering) {
			x.order.Wealth.AUM, x.order.Stakes.Portfolio, x.order.Stakes.Fund.Value = 9_000_000, 100_000_000, 29_300_000
		}, nil},

		"C04 a branch sale without its recording": {func(x *ordering) { x.facts.Channel = fund.Branch }, []string{"C04 RECORDING STEP"}},
		"C04 a branch sale with it":               {func(x *ordering) { x.facts.Channel, x.order.Proofs.RecordingID = fund.Branch, "R1" }, []string{"C04 RECORDING STEP+"}},
		"C04 the gate warned":                     {func(x *ordering) { x.order.Proofs.Warned = true }, []string{trace}},

		"P01 a fen below":                      {func(x *ordering) { x.private(29_999_999) }, []string{"P01 BELOW_QUALIFIED_MINIMUM BLOCK", "P01 COOLING_OFF STEP", "P01 CALL_BACK STEP"}},
		"P01 the minimum":                      {func(x *ordering) { x.private(30_000_000) }, []string{"P01 COOLING_OFF STEP", "P01 CALL_BACK STEP"}},
		"P01 nobody's kind is a public fund's": {func(x *ordering) { x.private(29_999_999); x.product.Listing.Kind = fund.KindUnknown }, nil},
	} {
		x := plain()
		c.change(x)
		want := slices.Concat(c.want, always)
		said := x.said(t)
		slices.Sort(want)
		slices.Sort(said)
		if d := cmp.Diff(want, said); d != "" {
			t.Errorf("%s (-want +said):\n%s", name, d)
		}
	}
}

// private makes the product a trust and the order one of an amount that his means bear.
func (x *ordering) private(amount fund.Money) {
	x.product.Listing.Kind = fund.Trust
	x.order.Wealth.AUM = 100_000_000_000
	x.order.Amount.Fen = amount
}

// What is not on record is not done, and fees that are not on file are to be asked for.
func TestPapersBeforeAnOrder(t *testing.T) {
	x := plain()
	x.order.Proofs = eligibility.Proofs{}
	want := []string{"C05 KEY_FACTS STEP", "C05 MATCHING_OPINION STEP", "C05 FEES STEP", "C05 ENTRY_FEE DISCLOSE"}
	if d := cmp.Diff(want, x.said(t)); d != "" {
		t.Errorf("nothing opened (-want +said):\n%s", d)
	}
	for _, missing := range []fund.Field{fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder, fund.FieldServiceFee, fund.FieldManagementFee} {
		x := plain()
		x.product.Missing = x.product.Missing.With(missing)
		want := []string{"C05 KEY_FACTS STEP+", "C05 MATCHING_OPINION STEP+", "C05 ASK_FEES STEP"}
		if d := cmp.Diff(want, x.said(t)); d != "" {
			t.Errorf("no %s (-want +said):\n%s", missing, d)
		}
	}
}

// On the firm's own initiative nobody is sold what he must be warned of; what cannot be
// measured is not held against what the firm suggests, which is the minimum.
func TestOnTheFirmsInitiativeWarningsHide(t *testing.T) {
	for name, c := range map[string]struct {
		change func(x *ordering)
		want   []string
	}{
		"above his means": {func(x *ordering) { x.order.Amount.Window = 49_500_000 }, []string{"S15 ABOVE_MEANS HIDE"}},
		"concentrated":    {func(x *ordering) { x.order.Stakes.Fund.Value = 50_000_000 }, []string{"K04 FUND_CONCENTRATED HIDE"}},
		"orders unknown":  {func(x *ordering) { x.order.Amount.WindowOK = false }, []string{"S15 ORDERS_UNKNOWN HIDE"}},
		"means unknown":   {func(x *ordering) { x.order.Wealth = eligibility.Wealth{} }, nil},
	} {
		x := plain()
		x.facts.Situation = eligibility.FirmOrder
		c.change(x)
		want := slices.Concat(c.want, always)
		said := x.said(t)
		slices.Sort(want)
		slices.Sort(said)
		if d := cmp.Diff(want, said); d != "" {
			t.Errorf("%s (-want +said):\n%s", name, d)
		}
	}
}

func someOrder(t *rapid.T) *ordering {
	x := plain()
	money := func(name string) fund.Money {
		return fund.Money(rapid.OneOf(rapid.Int64Range(0, 200), rapid.Int64Range(0, 200_000_000), rapid.Int64Range(0, int64(fund.MaxMoney))).Draw(t, name))
	}
	x.product.Terms.MinPurchase, x.product.Terms.DayLimit = money("minimum"), money("day limit")
	x.product.Listing.Kind = rapid.SampledFrom([]fund.Kind{fund.PublicFund, fund.Trust, fund.KindUnknown}).Draw(t, "kind")
	x.facts.Level = upTo(t, fund.C5, "level")
	x.facts.Situation = rapid.SampledFrom([]eligibility.Situation{eligibility.FirmOrder, eligibility.CustomerOrder}).Draw(t, "situation")
	yes := func(name string) bool { return !rarely(t, name) }
	x.order.Amount = eligibility.OrderAmount{Fen: money("amount") + 1, Day: money("day"), DayOK: yes("day"), Window: money("window"), WindowOK: yes("window")}
	x.order.Wealth = eligibility.Wealth{AUM: money("aum"), Income: money("income")}
	stake := func(name string) eligibility.Stake { return eligibility.Stake{Value: money(name), OK: yes(name)} }
	x.order.Stakes = eligibility.Stakes{Portfolio: money("portfolio"), Fund: stake("fund"), Issuer: stake("issuer"), Theme: stake("theme")}
	return x
}

// ofAmount is what MaxAmount is about.
func ofAmount(f *eligibility.OrderFinding) bool {
	switch f.Reason {
	case "ABOVE_DAY_LIMIT", "DAY_ORDERS_UNKNOWN", "ABOVE_MEANS", "ORDERS_UNKNOWN", "FUND_CONCENTRATED", "ISSUER_CONCENTRATED", "THEME_CONCENTRATED", "BELOW_MINIMUM", "BELOW_QUALIFIED_MINIMUM":
		return true
	}
	return false
}

// MaxAmount is exactly the largest amount of which nothing is said: at it the rules of
// amounts are silent, a fen above it one of them speaks; and where it is 0, one of them
// speaks at every amount.
func TestMaxAmountIsTheLargestSilentOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := someOrder(t)
		gate := x.gate(t)
		most := gate.MaxAmount(0, &x.facts, &x.order)
		speaks := func(amount fund.Money) bool {
			x.order.Amount.Fen = amount
			_, found := gate.JudgeOrder(0, &x.facts, &x.order, nil)
			return slices.ContainsFunc(found, func(f eligibility.OrderFinding) bool { return ofAmount(&f) })
		}
		if most > 0 && speaks(most) {
			t.Fatalf("the rules speak at %d fen", most)
		}
		if most < fund.MaxMoney && !speaks(most+1) {
			t.Fatalf("the rules are silent at %d fen, a fen above the most", most+1)
		}
		if amount := fund.Money(rapid.Int64Range(1, int64(fund.MaxMoney)).Draw(t, "any")); most == 0 && !speaks(amount) {
			t.Fatalf("there is no amount, and the rules are silent at %d fen", amount)
		}
	})
}

// The minimum aside, a larger amount is never judged more mildly.
func TestALargerAmountIsNeverJudgedMoreMildly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := someOrder(t)
		gate := x.gate(t)
		verdict := func(amount fund.Money) eligibility.Outcome {
			x.order.Amount.Fen = amount
			v, _ := gate.JudgeOrder(0, &x.facts, &x.order, nil)
			return v.Outcome
		}
		least := max(x.product.Terms.MinPurchase, 30_000_000)
		small := fund.Money(rapid.Int64Range(int64(least), int64(fund.MaxMoney)).Draw(t, "small"))
		large := fund.Money(rapid.Int64Range(int64(small), int64(fund.MaxMoney)).Draw(t, "large"))
		if a, b := verdict(small), verdict(large); b < a {
			t.Fatalf("%d fen: %s, %d fen: %s", small, a, large, b)
		}
	})
}

// Concentration is exact: with the rounding of no float. 10 % of 3 fen are no fen.
func TestSharesAreExact(t *testing.T) {
	x := plain()
	x.product.Terms, x.facts.Situation = fund.Terms{}, eligibility.FirmOrder
	for _, c := range []struct {
		aum, portfolio, held, want fund.Money
	}{
		{100, 0, 0, 30},
		{101, 0, 0, 30},
		{103, 0, 0, 30},
		{104, 0, 0, 31},
		{104, 0, 31, 0},
		{3, 0, 0, 0},
		{0, 70, 0, 30},     // 30 of 100
		{0, 72, 0, 30},     // 30.86 would be too much
		{0, 73, 0, 31},     // 31 of 104 are 29.8 %
		{70, 70, 0, 21},    // assets that are all that he holds: the order is paid out of them
		{60, 70, 0, 30},    // assets below what he holds are not all that he has
		{0, 100, 30, 0},    // he has as much as he may
		{0, 100, 29, 1},    // 30 of 101; 31 of 102 are too much
		{0, 1e17, 0, 1e15}, // beyond what may be ordered: unbounded
	} {
		x.order.Wealth = eligibility.Wealth{AUM: c.aum}
		x.order.Stakes = eligibility.Stakes{Portfolio: c.portfolio, Fund: eligibility.Stake{Value: c.held, OK: true}}
		got := x.gate(t).MaxAmount(0, &x.facts, &x.order)
		if c.aum > 0 {
			c.want = min(c.want, c.aum/2) // S15
		}
		if got != c.want {
			t.Errorf("assets %d, holdings %d, of the fund %d: at most %d, want %d", c.aum, c.portfolio, c.held, got, c.want)
		}
	}
}

// A bank may leave a level's share unbounded.
func TestAHundredPercentBoundsNothing(t *testing.T) {
	pack, err := eligibility.ParsePack(edited(t, map[string]any{"K04.product_percent.C3": 100}))
	if err != nil {
		t.Fatal(err)
	}
	x := plain()
	x.product.Terms, x.facts.Situation = fund.Terms{}, eligibility.FirmOrder
	x.order.Wealth, x.order.Stakes = eligibility.Wealth{}, eligibility.Stakes{Portfolio: 70, Fund: eligibility.Stake{Value: 70, OK: true}}
	if got := compile(t, pack, []fund.Product{x.product}, today.Start()).MaxAmount(0, &x.facts, &x.order); got != fund.MaxMoney {
		t.Errorf("at most %d", got)
	}
}

// Whether the next open day is known or assumed is said with it.
func TestWhereTheNextOpenDayIsFrom(t *testing.T) {
	for assumed, want := range map[bool]string{true: "ASSUMED", false: "KNOWN"} {
		x := plain()
		x.order.Dealing.AfterCutoff, x.order.Dealing.Assumed = true, assumed
		_, found := x.gate(t).JudgeOrder(0, &x.facts, &x.order, nil)
		i := slices.IndexFunc(found, func(f eligibility.OrderFinding) bool { return f.Reason == "ACCEPTED_FOR_NEXT_OPEN_DAY" })
		if i < 0 || !slices.Contains(found[i].Facts, eligibility.Fact{Name: "calendar", Value: want}) {
			t.Errorf("assumed %v: %+v", assumed, found)
		}
	}
}

func TestMaxAmountDoesNotAllocate(t *testing.T) {
	x := plain()
	gate := x.gate(t)
	if n := testing.AllocsPerRun(100, func() { gate.MaxAmount(0, &x.facts, &x.order) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A finding names the parameters that it rests on and what would cure it.
func TestFindingsOfOrdersNameTheirGrounds(t *testing.T) {
	x := plain()
	x.order.Stakes.Fund.Value, x.order.Amount.Window = 40_000_000, 60_000_000
	_, found := x.gate(t).JudgeOrder(0, &x.facts, &x.order, nil)
	seen := 0
	for i := range found {
		f := &found[i]
		if f.Citation == "" {
			t.Errorf("%s %s: no citation", f.Rule, f.Reason)
		}
		if f.Rule != eligibility.K04 && f.Rule != eligibility.S15 {
			continue
		}
		seen++
		if f.Remedy.Code != eligibility.RemedyAmount || len(f.Parameters) == 0 || len(f.Facts) == 0 {
			t.Errorf("%s %s: %+v", f.Rule, f.Reason, f)
		}
	}
	if seen != 2 {
		t.Errorf("%d findings of S15 and K04, want 2", seen)
	}
	bears := map[string][]string{}
	for _, r := range eligibility.Reasons() {
		if r.Order {
			bears[r.Reason] = r.Remedies
		}
	}
	want := map[string][]string{
		"FUND_CONCENTRATED": {eligibility.RemedyAmount}, "MEANS_UNKNOWN": {eligibility.RemedyConfirm, eligibility.RemedyReview},
		"LOT_TOO_YOUNG": {eligibility.RemedyWaitForLot}, "KEY_FACTS": {eligibility.RemedyConfirm, eligibility.RemedyReview}, "ENTRY_FEE": nil,
	}
	for reason, codes := range want {
		if d := cmp.Diff(codes, bears[reason]); d != "" {
			t.Errorf("%s: %s", reason, d)
		}
	}
}

// What cures a warning that no amount cures: his word, or a person's who decides; a step or
// a disclosure needs no cure. And what blocks is not permitted.
func TestRemediesAndVerdictsOfOrders(t *testing.T) {
	review := map[string]any{"S15.outcome": map[string]any{"recommendation": "NONE", "firm_order": "REVIEW", "customer_order": "REVIEW"}}
	for name, c := range map[string]struct {
		set     map[string]any
		change  func(x *ordering)
		reason  string
		remedy  string
		verdict eligibility.Verdict
	}{
		"a step":             {nil, func(*ordering) {}, "KEY_FACTS", "", eligibility.Verdict{Outcome: eligibility.Step, Permitted: true}},
		"a disclosure":       {nil, func(*ordering) {}, "ENTRY_FEE", "", eligibility.Verdict{Outcome: eligibility.Step, Permitted: true}},
		"means unknown":      {nil, (*ordering).poor, "MEANS_UNKNOWN", eligibility.RemedyConfirm, eligibility.Verdict{Outcome: eligibility.Confirm, Permitted: true}},
		"the same, reviewed": {review, (*ordering).poor, "MEANS_UNKNOWN", eligibility.RemedyReview, eligibility.Verdict{Outcome: eligibility.Review, Permitted: true}},
		"no open day":        {nil, func(x *ordering) { x.order.Dealing.On = 0 }, "NO_OPEN_DAY", "", eligibility.Verdict{Outcome: eligibility.Block}},
	} {
		x := plain()
		c.change(x)
		gate := compile(t, packWith(t, c.set), []fund.Product{x.product}, today.Start())
		verdict, found := gate.JudgeOrder(0, &x.facts, &x.order, nil)
		i := slices.IndexFunc(found, func(f eligibility.OrderFinding) bool { return f.Reason == c.reason })
		if verdict != c.verdict || i < 0 || found[i].Remedy.Code != c.remedy {
			t.Errorf("%s: %+v, %+v", name, verdict, found)
		}
	}
}

// poor takes away what is known of his means.
func (x *ordering) poor() { x.order.Wealth = eligibility.Wealth{} }

// For how long an exposure counts where the pack does not say.
func TestOriginDaysOfOrders(t *testing.T) {
	for want, pack := range map[int]*eligibility.Pack{
		30: {}, 45: packWith(t, map[string]any{"K01.origin_days": 45}),
	} {
		if got := compile(t, pack, []fund.Product{plain().product}, today.Start()).OrderTerms(0).OriginDays; got != want {
			t.Errorf("%d days, want %d", got, want)
		}
	}
}
