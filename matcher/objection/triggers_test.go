package objection_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
)

// calm is a case in which a customer of whom much is known has no doubt of his own.
func calm() *objection.Case {
	c := person()
	c.Customer.HorizonMonths = 36
	holding(c, other("H1", "成熟混合", fund.Equity, fund.R3), 5_000_000, 5_200_000)
	return c
}

// What raises each doubt: just does, just does not, and not where the fact is missing.
func TestTriggers(t *testing.T) {
	type change = func(c *objection.Case)
	tag := func(name, value string, from, to fund.Instant) change {
		return func(c *objection.Case) { c.Customer.Tags = []fund.Tag{{Name: name, Value: value, From: from, To: to}} }
	}
	losing := func(value fund.Money) change {
		return func(c *objection.Case) {
			holding(c, other("L", "医药混合", fund.Equity, fund.R4), 1_000_000, value)
		}
	}
	journey := func(j fund.Journey) change { return func(c *objection.Case) { c.Customer.Journey = &j } }
	kin := func(code, parent, benchmark, theme, manager, issuer string) change {
		return func(c *objection.Case) {
			h := other(code, "已持有", fund.Equity, fund.R3)
			h.Product.ParentCode = parent
			h.Product.Content = fund.Content{Benchmark: benchmark, Themes: []string{theme}}
			h.Product.Parties = fund.Parties{ManagerName: manager, Issuer: issuer}
			holding(c, h, 100, 100)
		}
	}
	both := func(list ...change) change {
		return func(c *objection.Case) {
			for _, f := range list {
				f(c)
			}
		}
	}
	for name, c := range map[string]struct {
		code   objection.Code
		change change
		want   string
	}{
		"no doubt of his own": {objection.LossTrauma, func(*objection.Case) {}, ""},
		"C2":                  {objection.Drawdown, func(c *objection.Case) { c.Customer.Level = fund.C2 }, "HIGH LOW_LEVEL"},
		"C3":                  {objection.Drawdown, func(c *objection.Case) { c.Customer.Level = fund.C3 }, "MEDIUM GRADE"},
		"sold in a fall":      {objection.Drawdown, func(c *objection.Case) { c.Customer.Conduct.Losses.SoldInFall = 1 }, "HIGH GRADE SOLD_IN_FALL"},
		"page of risks":       {objection.Drawdown, func(c *objection.Case) { c.Grade = fund.R2; c.Customer.Conduct.Habits.Page = "RISK" }, "MEDIUM READS_RISK"},
		"another page":        {objection.Drawdown, func(c *objection.Case) { c.Grade = fund.R2; c.Customer.Conduct.Habits.Page = "NEWS" }, "LOW"},
		"tag of risks":        {objection.Drawdown, both(func(c *objection.Case) { c.Grade = fund.R2 }, tag("reads_risk_tab", "true", now, now+1)), "MEDIUM READS_RISK"},
		"tag not yet":         {objection.Drawdown, both(func(c *objection.Case) { c.Grade = fund.R2 }, tag("reads_risk_tab", "true", now+1, fund.Forever)), "LOW"},
		"tag run out":         {objection.Drawdown, both(func(c *objection.Case) { c.Grade = fund.R2 }, tag("reads_risk_tab", "true", 0, now)), "LOW"},
		"tag that says no":    {objection.Drawdown, both(func(c *objection.Case) { c.Grade = fund.R2 }, tag("reads_risk_tab", "false", 0, fund.Forever)), "LOW"},
		"C2, never falls":     {objection.Drawdown, func(c *objection.Case) { c.Customer.Level, c.Grade, c.Record = fund.C2, fund.R1, flat() }, "LOW"},
		"sold in a fall, never falls": {objection.Drawdown, func(c *objection.Case) {
			c.Grade, c.Record, c.Customer.Conduct.Losses.SoldInFall = fund.R1, flat(), 1
		}, "LOW"},

		"a year":                  {objection.Fee, func(c *objection.Case) { c.Customer.HorizonMonths = 12 }, "LOW"},
		"under a year":            {objection.Fee, func(c *objection.Case) { c.Customer.HorizonMonths = 11 }, "MEDIUM SHORT_HORIZON"},
		"horizon unknown":         {objection.Fee, func(c *objection.Case) { c.Customer.HorizonMonths = 0 }, "LOW"},
		"page of fees":            {objection.Fee, func(c *objection.Case) { c.Customer.Conduct.Habits.Page = "FEE" }, "MEDIUM FEE_PAGE"},
		"short, and page of fees": {objection.Fee, func(c *objection.Case) { c.Customer.HorizonMonths, c.Customer.Conduct.Habits.Page = 6, "FEE" }, "HIGH SHORT_HORIZON FEE_PAGE"},
		"holds 179 days and sells": {objection.Fee, func(c *objection.Case) {
			c.Customer.Conduct.Portfolio.HoldingDays, c.Customer.Conduct.Redemptions.Count365 = 179, 1
		}, "MEDIUM SHORT_HOLDING"},
		"holds 180 days and sells": {objection.Fee, func(c *objection.Case) {
			c.Customer.Conduct.Portfolio.HoldingDays, c.Customer.Conduct.Redemptions.Count365 = 180, 1
		}, "LOW"},
		"bought lately": {objection.Fee, func(c *objection.Case) { c.Customer.Conduct.Portfolio.HoldingDays = 20 }, "LOW"},

		"deposits before a lockup": {objection.Liquidity, both(func(c *objection.Case) { c.Product.Terms.LockupDays = 90 }, tag("deposit_large", "true", 0, fund.Forever)), "MEDIUM LOCKUP DEPOSITS"},
		"deposits alone":           {objection.Liquidity, tag("deposit_large", "true", 0, fund.Forever), "LOW"},
		"open at times":            {objection.Liquidity, func(c *objection.Case) { c.Product.Terms.NextOpenOn = today + 1 }, "MEDIUM PERIODIC"},
		"open today":               {objection.Liquidity, func(c *objection.Case) { c.Product.Terms.NextOpenOn = today }, "LOW"},
		"need of some months":      {objection.Liquidity, func(c *objection.Case) { c.Customer.Need = fund.NeedMedium }, "LOW"},

		"a new issue":  {objection.NewFund, func(c *objection.Case) { c.NewIssue = true }, "HIGH NEW_ISSUE"},
		"no new issue": {objection.NewFund, func(*objection.Case) {}, ""},

		"a tenth below cost":       {objection.LossTrauma, losing(900_000), "MEDIUM OPEN_LOSS GRADE"},
		"less than a tenth":        {objection.LossTrauma, losing(900_001), ""},
		"sold at a loss":           {objection.LossTrauma, func(c *objection.Case) { c.Customer.Conduct.Losses.SoldAtLoss = 1 }, "MEDIUM SOLD_AT_LOSS GRADE"},
		"silent":                   {objection.LossTrauma, func(c *objection.Case) { c.Customer.Conduct.Losses.SilentInFall = 1 }, "MEDIUM SILENT_IN_FALL GRADE"},
		"two signs":                {objection.LossTrauma, both(losing(800_000), func(c *objection.Case) { c.Customer.Conduct.Losses.SoldAtLoss = 2 }), "HIGH OPEN_LOSS SOLD_AT_LOSS GRADE"},
		"before what never falls":  {objection.LossTrauma, both(losing(500_000), func(c *objection.Case) { c.Grade, c.Record = fund.R1, flat() }), ""},
		"loss of a fund not known": {objection.LossTrauma, func(c *objection.Case) { c.Customer.Conduct.Losses.Worst = fund.Measure{Value: -500_000} }, ""},

		"watches":               {objection.Timing, journey(fund.Journey{Exposures: 3, Reached: [fund.KeyNodes]fund.Instant{fund.Viewed: now}}), "MEDIUM WATCHES"},
		"seen twice":            {objection.Timing, journey(fund.Journey{Exposures: 2, Reached: [fund.KeyNodes]fund.Instant{fund.Viewed: now}}), ""},
		"never looked":          {objection.Timing, journey(fund.Journey{Exposures: 9}), ""},
		"bought":                {objection.Timing, journey(fund.Journey{Exposures: 9, Abandons: 1, Reached: [fund.KeyNodes]fund.Instant{fund.Viewed: now, fund.Confirmed: now}}), ""},
		"left the cart":         {objection.Timing, journey(fund.Journey{Abandons: 1}), "MEDIUM ABANDONED"},
		"watches and left":      {objection.Timing, journey(fund.Journey{Exposures: 3, Abandons: 1, Reached: [fund.KeyNodes]fund.Instant{fund.Viewed: now}}), "HIGH WATCHES ABANDONED"},
		"a money fund":          {objection.Timing, both(func(c *objection.Case) { c.Class = fund.MoneyMarket }, journey(fund.Journey{Abandons: 1})), ""},
		"no journey":            {objection.Timing, func(*objection.Case) {}, ""},
		"first of its kind":     {objection.Understand, func(c *objection.Case) { c.Class = fund.Bond }, "LOW FIRST_OF_KIND"},
		"first of a rare kind":  {objection.Understand, func(c *objection.Case) { c.Class = fund.RealEstate }, "MEDIUM FIRST_OF_KIND SPECIAL_KIND"},
		"holds its kind":        {objection.Understand, func(*objection.Case) {}, ""},
		"kind unknown":          {objection.Understand, func(c *objection.Case) { c.Class = fund.ClassUnknown }, ""},
		"holdings unknown":      {objection.Understand, func(c *objection.Case) { c.Class, c.Customer.Conduct, c.Customer.Held = fund.Bond, nil, nil }, ""},
		"fourteen seconds":      {objection.Understand, both(func(c *objection.Case) { c.Customer.Conduct.Habits.MeanDwell = 14 }, journey(fund.Journey{Reached: [fund.KeyNodes]fund.Instant{fund.Viewed: now}})), "MEDIUM SHORT_DWELL"},
		"fifteen seconds":       {objection.Understand, both(func(c *objection.Case) { c.Customer.Conduct.Habits.MeanDwell = 15 }, journey(fund.Journey{Reached: [fund.KeyNodes]fund.Instant{fund.Viewed: now}})), ""},
		"dwell of other pages":  {objection.Understand, func(c *objection.Case) { c.Customer.Conduct.Habits.MeanDwell = 3 }, ""},
		"rare kind, short look": {objection.Understand, both(func(c *objection.Case) { c.Class, c.Customer.Conduct.Habits.MeanDwell = fund.OverseasFund, 3 }, journey(fund.Journey{Reached: [fund.KeyNodes]fund.Instant{fund.Viewed: now}})), "MEDIUM FIRST_OF_KIND SPECIAL_KIND SHORT_DWELL"},

		"a day short of a year in office": {objection.ManagerTrust, func(c *objection.Case) { c.Product.Parties.ManagerSince = 20230307 }, "MEDIUM SHORT_TENURE TOOK_OVER"},
		"a year in office":                {objection.ManagerTrust, func(c *objection.Case) { c.Product.Parties.ManagerSince = 20230306 }, ""},
		"there from the start": {objection.ManagerTrust, func(c *objection.Case) {
			c.Product.Parties.ManagerSince, c.Product.Terms.LaunchedOn = 20230901, 20230901
		}, "MEDIUM SHORT_TENURE"},
		"since unknown":   {objection.ManagerTrust, func(c *objection.Case) { c.Product.Parties.ManagerSince = 0 }, ""},
		"manager unknown": {objection.ManagerTrust, func(c *objection.Case) { c.Product.Parties.ManagerSince, c.Product.Parties.ManagerName = 20240101, "" }, ""},
		"eight funds":     {objection.ManagerTrust, func(c *objection.Case) { c.Managed = make([]objection.Managed, 8) }, ""},
		"nine funds":      {objection.ManagerTrust, func(c *objection.Case) { c.Managed = make([]objection.Managed, 9) }, "LOW MANAGES_MANY"},
		"of a money fund": {objection.ManagerTrust, func(c *objection.Case) { c.Product.Parties.ManagerSince, c.Class = 20240101, fund.MoneyMarket }, ""},

		"a deposit matures":         {objection.OpportunityCost, tag("deposit_maturing", "true", 0, fund.Forever), "MEDIUM DEPOSIT_MATURING"},
		"a large deposit":           {objection.OpportunityCost, tag("deposit_large", "true", 0, fund.Forever), "MEDIUM DEPOSITS"},
		"cash, R2":                  {objection.OpportunityCost, func(c *objection.Case) { c.Customer.Goal, c.Grade = fund.Cash, fund.R2 }, "MEDIUM CASH_GOAL"},
		"treasury, R1":              {objection.OpportunityCost, func(c *objection.Case) { c.Customer.Goal, c.Grade = fund.Treasury, fund.R1 }, "MEDIUM CASH_GOAL"},
		"cash, R3":                  {objection.OpportunityCost, func(c *objection.Case) { c.Customer.Goal = fund.Cash }, ""},
		"cash, no grade":            {objection.OpportunityCost, func(c *objection.Case) { c.Customer.Goal, c.Grade = fund.Cash, fund.GradeUnknown }, ""},
		"cash and a deposit":        {objection.OpportunityCost, both(func(c *objection.Case) { c.Customer.Goal, c.Grade = fund.Cash, fund.R2 }, tag("deposit_maturing", "true", 0, fund.Forever)), "HIGH DEPOSIT_MATURING CASH_GOAL"},
		"below the closure line":    {objection.Size, func(c *objection.Case) { c.Product.Parties.Size = 4_999_999_999 }, "HIGH BELOW_CLOSURE_LINE"},
		"at the closure line":       {objection.Size, func(c *objection.Case) { c.Product.Parties.Size = 5_000_000_000 }, "MEDIUM NEAR_CLOSURE_LINE"},
		"just not near":             {objection.Size, func(c *objection.Case) { c.Product.Parties.Size = 10_000_000_000 }, ""},
		"size unknown":              {objection.Size, func(c *objection.Case) { c.Product.Parties.Size = 0 }, ""},
		"a complaint":               {objection.Pushed, func(c *objection.Case) { c.Customer.Conduct.Complaints = 1 }, "HIGH OPEN_COMPLAINT"},
		"opted out":                 {objection.Pushed, func(c *objection.Case) { c.Customer.OptedOut = true }, "MEDIUM OPTED_OUT"},
		"new relationship manager":  {objection.Pushed, func(c *objection.Case) { c.Customer.ManagerChanged = true }, "MEDIUM MANAGER_CHANGED"},
		"no complaint":              {objection.Pushed, func(*objection.Case) {}, ""},
		"the fund in another class": {objection.AlreadyHave, kin("EQ1C", "EQ1", "", "", "", ""), "HIGH HELD_FUND"},
		"the same index":            {objection.AlreadyHave, kin("X", "", "沪深指数", "科技", "王一", "示例基金"), "MEDIUM HELD_INDEX"},
		"the same theme":            {objection.AlreadyHave, kin("X", "", "", "科技", "王一", "示例基金"), "MEDIUM HELD_THEME"},
		"the same manager":          {objection.AlreadyHave, kin("X", "", "", "医药", "王一", "示例基金"), "LOW HELD_MANAGER"},
		"a namesake elsewhere":      {objection.AlreadyHave, kin("X", "", "", "医药", "王一", "别家基金"), ""},
		"nothing in common, known":  {objection.AlreadyHave, func(c *objection.Case) { c.Product.Content, c.Product.Parties = fund.Content{}, fund.Parties{} }, ""},

		"income":                     {objection.Dividend, func(c *objection.Case) { c.Customer.Goal = fund.SteadyIncome }, "MEDIUM INCOME_GOAL"},
		"growth":                     {objection.Dividend, func(c *objection.Case) { c.Customer.Goal = fund.Growth }, ""},
		"asks for income, none paid": {objection.Dividend, both(tag("asks_for_income", "true", 0, fund.Forever), func(c *objection.Case) { c.Record.Payouts.Count = 0 }), "MEDIUM ASKS_FOR_INCOME NO_PAYOUTS"},
		"income of a money fund":     {objection.Dividend, func(c *objection.Case) { c.Customer.Goal, c.Class = fund.SteadyIncome, fund.MoneyMarket }, ""},

		"a loss and a postponement":  {objection.BreakEvenFirst, both(losing(700_000), func(c *objection.Case) { c.Customer.Conduct.Habits.Postponements = 1 }), "MEDIUM HOLDS_LOSS POSTPONES"},
		"a loss and two":             {objection.BreakEvenFirst, both(losing(700_000), func(c *objection.Case) { c.Customer.Conduct.Habits.Postponements = 2 }), "HIGH HOLDS_LOSS POSTPONES"},
		"a loss, nothing postponed":  {objection.BreakEvenFirst, losing(700_000), ""},
		"postponed without a loss":   {objection.BreakEvenFirst, func(c *objection.Case) { c.Customer.Conduct.Habits.Postponements = 1 }, ""},
		"an elder":                   {objection.AskFamily, func(c *objection.Case) { c.Customer.Elder = true }, "MEDIUM ELDER"},
		"an elder who asks his wife": {objection.AskFamily, both(func(c *objection.Case) { c.Customer.Elder = true }, tag("joint_decision", "true", 0, fund.Forever)), "HIGH ELDER JOINT_DECISION"},
		"not old":                    {objection.AskFamily, func(*objection.Case) {}, ""},
		"a company":                  {objection.AskFamily, func(c *objection.Case) { c.Customer.Elder, c.Customer.Company = true, true }, ""},
		"compares platforms":         {objection.CheaperElsewhere, tag("compares_platforms", "true", 0, fund.Forever), "HIGH COMPARES_PLATFORMS"},
		"page of comparison":         {objection.CheaperElsewhere, func(c *objection.Case) { c.Customer.Conduct.Habits.Page = "COMPARE" }, "MEDIUM COMPARE_PAGE FEE_PAGE"},
		"page of fees only":          {objection.CheaperElsewhere, func(c *objection.Case) { c.Customer.Conduct.Habits.Page = "FEE" }, ""},
		"postponed twice":            {objection.NotNow, func(c *objection.Case) { c.Customer.Conduct.Habits.Postponements = 2 }, "MEDIUM POSTPONES"},
		"postponed once":             {objection.NotNow, func(c *objection.Case) { c.Customer.Conduct.Habits.Postponements = 1 }, ""},
	} {
		in := calm()
		c.change(in)
		if got := objection.AllDoubts(in)[c.code]; got != c.want {
			t.Errorf("%s: %s is %q, want %q", name, c.code, got, c.want)
		}
		in.Customer.Personal = false
		for code, got := range objection.AllDoubts(in) {
			for trigger, own := range objection.Own() {
				if own && containsWord(got, trigger) {
					t.Errorf("%s: nothing personal may be read, and %s is %q", name, objection.Code(code), got)
				}
			}
		}
	}
}

func containsWord(text, word string) bool { return slices.Contains(strings.Fields(text), word) }

// What he said comes before what is inferred: about this product, then about others.
func TestWhatHeSaysComesFirst(t *testing.T) {
	elsewhere := func(code string, last fund.Instant) func(c *objection.Case) {
		return func(c *objection.Case) {
			c.Customer.Conduct.Doubts = []fund.Doubt{{ProductCode: "ZZ", Code: code, Count: 1, Last: last}}
		}
	}
	for name, c := range map[string]struct {
		change func(c *objection.Case)
		want   string
	}{
		"nothing":                        {func(*objection.Case) {}, "DRAWDOWN MEDIUM"},
		"a dividend":                     {func(c *objection.Case) { doubted(c, "DIVIDEND", 1) }, "DIVIDEND HIGH"},
		"a dividend before a complaint":  {func(c *objection.Case) { doubted(c, "DIVIDEND", 1); c.Customer.Conduct.Complaints = 1 }, "DIVIDEND HIGH"},
		"elsewhere":                      {elsewhere("MANAGER_TRUST", now), "MANAGER_TRUST HIGH"},
		"here before elsewhere":          {func(c *objection.Case) { elsewhere("DRAWDOWN", now)(c); doubted(c, "DIVIDEND", 1) }, "DIVIDEND HIGH"},
		"elsewhere, a year and a day":    {elsewhere("MANAGER_TRUST", now.Add(-366*24*time.Hour)), "DRAWDOWN MEDIUM"},
		"elsewhere, the size of another": {elsewhere("SIZE", now), "DRAWDOWN MEDIUM"},
		"elsewhere, not now":             {elsewhere("NOT_NOW", now), "DRAWDOWN MEDIUM"},
		"elsewhere, no such code":        {elsewhere("PRICE", now), "DRAWDOWN MEDIUM"},
		"a refusal":                      {func(c *objection.Case) { c.Customer.Refused = true; doubted(c, "DIVIDEND", 1) }, ""},
		"a refusal, nothing personal":    {func(c *objection.Case) { c.Customer = objection.Customer{Refused: true} }, ""},
		"his word against inference":     {func(c *objection.Case) { c.Customer.Conduct.Losses.SoldAtLoss = 1; doubted(c, "DRAWDOWN", 1) }, "DRAWDOWN HIGH"},
	} {
		in := calm()
		c.change(in)
		got := ""
		if found, _ := objection.Foresee(in, nil, nil); len(found) > 0 {
			got = found[0].Code.String() + " " + found[0].Band.String()
		}
		if got != c.want {
			t.Errorf("%s: first %s, want %s", name, got, c.want)
		}
	}
}

// Opening the evidence raises a band by one, once, however often it was opened.
func TestOpenedEvidenceRaisesByOne(t *testing.T) {
	for _, c := range []struct {
		code, want string
		change     func(c *objection.Case)
	}{
		{"FEE", "MEDIUM OPENED_EVIDENCE", func(*objection.Case) {}},
		{"DIVIDEND", "LOW OPENED_EVIDENCE", func(*objection.Case) {}},
		{"DRAWDOWN", "HIGH GRADE OPENED_EVIDENCE", func(*objection.Case) {}},
		{"DRAWDOWN", "HIGH LOW_LEVEL OPENED_EVIDENCE", func(c *objection.Case) { c.Customer.Level = fund.C1 }},
		{"NEW_FUND", "", func(*objection.Case) {}}, // it cannot be a doubt about this product
	} {
		in := calm()
		c.change(in)
		in.Customer.Doubts = []fund.Doubt{{ProductCode: "EQ1", Code: c.code, Opened: 7}}
		code, _ := objection.ParseCode(c.code)
		if got := objection.AllDoubts(in)[code]; got != c.want {
			t.Errorf("%s: %q, want %q", c.code, got, c.want)
		}
	}
}

// After a second rebuttal, silence: the manager is told to stop, the customer nothing.
func TestSilenceAfterTheSecond(t *testing.T) {
	for code := range objection.Codes {
		for times, silent := range map[int32]bool{1: false, 2: true, 5: true} {
			in := calm()
			doubted(in, code.String(), times)
			found, _ := objection.Foresee(in, nil, nil)
			o := &found[0]
			if o.Code != code || o.Raised != times || o.Silenced != silent || o.Triggers[0] != "RAISED" {
				t.Fatalf("%s raised %d times: %s raised %d, silenced %v, %v", code, times, o.Code, o.Raised, o.Silenced, o.Triggers)
			}
			said := len(o.Evidence) > 0 || o.Sentences != [4]string{} || o.Discloses != ""
			if silent && said {
				t.Errorf("%s raised %d times still says %v", code, times, o.Sentences)
			}
			if !silent && o.Sentences[0] == "" {
				t.Errorf("%s raised once has no answer", code)
			}
			// Whoever puts it off rebutted nothing: he is left to look again.
			if want := silent && code != objection.NotNow; want != (o.Advice == "objection.advice.SILENCED") {
				t.Errorf("%s raised %d times: advice %s", code, times, o.Advice)
			}
		}
	}
}

// Who named a day is left alone until it has come.
func TestLeftAloneUntilTheDayHeNamed(t *testing.T) {
	for until, want := range map[fund.Date]int{0: 3, today: 3, today + 1: 1} {
		in := calm()
		in.Customer.Doubts = []fund.Doubt{{ProductCode: "EQ1", Code: "NOT_NOW", Count: 1, Until: until}}
		found, _ := objection.Foresee(in, nil, nil)
		if len(found) != want || found[0].Code != objection.NotNow {
			t.Errorf("until %s: %d doubts, first %s", until, len(found), found[0].Code)
		}
	}
}

// A customer sees no two answers under one face, and none that tells what is known of him.
func TestFaces(t *testing.T) {
	shown := map[objection.Code]objection.Code{}
	for code := range objection.Codes {
		face, ok := code.Face()
		if parsed, known := objection.ParseCode(code.String()); !known || parsed != code {
			t.Errorf("%s is read as %s, %v", code, parsed, known)
		}
		if ok {
			shown[code] = face
		}
	}
	if shown[objection.LossTrauma] != objection.Drawdown || shown[objection.CheaperElsewhere] != objection.Fee {
		t.Errorf("faces %v", shown)
	}
	for _, hidden := range []objection.Code{objection.BreakEvenFirst, objection.Pushed} {
		if face, ok := shown[hidden]; ok {
			t.Errorf("%s is shown as %s", hidden, face)
		}
	}
	if len(shown) != int(objection.Codes)-2 {
		t.Errorf("%d of %d have a face", len(shown), objection.Codes)
	}
	if _, ok := objection.Codes.Face(); ok || objection.Codes.String() != "UNKNOWN" {
		t.Error("the number of codes is a code")
	}
	for _, s := range []string{"", "drawdown", "UNKNOWN"} {
		if _, ok := objection.ParseCode(s); ok {
			t.Errorf("%q is a code", s)
		}
	}
}
