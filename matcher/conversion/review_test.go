package conversion_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// mismatched is a holding of R4 by a customer of C2: 10,000 shares at 1.2 yuan, bought
// 20 days before 2024-03-06, and the same bought 200 days before. 7:150;30:100;180:50;:0.
func mismatched(t *testing.T) *conversion.HoldingCase {
	t.Helper()
	exit, err := fund.ParseRedemptionLadder("7:150;30:100;180:50;:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &fund.Product{Code: "161725", Listing: fund.Listing{Status: fund.Open}, Fees: fund.FeeSchedule{Redemption: exit}}
	day := fund.Date(20240306)
	return &conversion.HoldingCase{
		Product: p, Grade: fund.R4, Level: fund.C2, Ceiling: fund.R2, At: instant(t, "2024-03-06T10:00:00+08:00"), UnitNAV: 1.2, NAVOn: 20240304,
		Lots: []fund.Lot{lot(day, 200), lot(day, 20)},
	}
}

// lot is 10,000 shares bought some days before a day.
func lot(day fund.Date, days int) fund.Lot {
	return fund.Lot{ProductCode: "161725", Shares: 100_000_000, AcquiredOn: day.AddDays(-days)}
}

// Whether a holding still suits, and what leaving costs. A lot is worth 12,000 yuan.
func TestReviewHolding(t *testing.T) {
	text := templates(t)
	day := fund.Date(20240306)
	const (
		above = "您的风险承受等级是C2，这只产品的风险等级是R4，已经不再适合您。您可以继续持有，也可以考虑减少。"
		keep  = "暂时不需要做什么，保持现在的持仓就可以。"
	)
	lots := func(days ...int) func(c *conversion.HoldingCase) {
		return func(c *conversion.HoldingCase) {
			c.Lots = nil
			for _, d := range days {
				c.Lots = append(c.Lots, lot(day, d))
			}
		}
	}
	for name, c := range map[string]struct {
		change func(c *conversion.HoldingCase)
		action conversion.Action
		text   string
	}{
		"it suits":                    {func(c *conversion.HoldingCase) { c.Grade = fund.R2 }, conversion.Hold, keep},
		"a grade above":               {func(c *conversion.HoldingCase) { c.Grade = fund.R3; c.Level = fund.C2 }, conversion.Reduce, "您的风险承受等级是C2，这只产品的风险等级是R3，已经不再适合您。您可以继续持有，也可以考虑减少。现在全部赎回，按最近的净值计算，赎回费约120元；从2024年3月16日起约60元。"},
		"a professional":              {func(c *conversion.HoldingCase) { c.Professional = true }, conversion.Hold, keep},
		"no valid test":               {func(c *conversion.HoldingCase) { c.Level = fund.LevelUnknown }, conversion.Hold, "您还没有有效的风险测评，暂时不能判断这只产品是否还适合您。您可以先做测评，现在不需要做别的。"},
		"no ceiling":                  {func(c *conversion.HoldingCase) { c.Ceiling = fund.GradeUnknown }, conversion.Hold, "您还没有有效的风险测评，暂时不能判断这只产品是否还适合您。您可以先做测评，现在不需要做别的。"},
		"grade unknown":               {func(c *conversion.HoldingCase) { c.Grade = fund.GradeUnknown }, conversion.Hold, "这只产品的风险等级暂时不能确认，等确认以后我们再告诉您，现在不需要做什么。"},
		"one lot still costs":         {nil, conversion.Reduce, above + "现在全部赎回，按最近的净值计算，赎回费约120元；从2024年3月16日起约60元。"},
		"free":                        {lots(180, 500), conversion.Reduce, above + "现在赎回没有赎回费。"},
		"a day before it":             {lots(179), conversion.Reduce, above + "现在全部赎回，按最近的净值计算，赎回费约60元；从2024年3月7日起没有赎回费。"},
		"cheaper in 90 days":          {lots(90), conversion.Reduce, above + "现在全部赎回，按最近的净值计算，赎回费约60元；从2024年6月4日起没有赎回费。"},
		"cheaper in 91 days":          {lots(89), conversion.Reduce, above + "现在全部赎回，按最近的净值计算，赎回费约60元。"},
		"the soonest counts":          {lots(29, 6), conversion.Reduce, above + "现在全部赎回，按最近的净值计算，赎回费约300元；从2024年3月7日起约180元。"},
		"bought today":                {lots(0), conversion.Reduce, above + "现在全部赎回，按最近的净值计算，赎回费约180元；从2024年3月13日起约120元。"},
		"bought tomorrow, it is said": {lots(-1), conversion.Reduce, above + "现在全部赎回，按最近的净值计算，赎回费约180元；从2024年3月14日起约120元。"},
		"locked until tomorrow":       {func(c *conversion.HoldingCase) { c.Product.Terms.LockupDays = 201; lots(200)(c) }, conversion.Reduce, above + "这只产品最早到2024年3月7日才能赎回，现在不需要做什么。"},
		"locked until today":          {func(c *conversion.HoldingCase) { c.Product.Terms.LockupDays = 200; lots(200)(c) }, conversion.Reduce, above + "现在赎回没有赎回费。"},
		"one lot is locked":           {func(c *conversion.HoldingCase) { c.Product.Terms.LockupDays = 30; lots(60, 20)(c) }, conversion.Reduce, above + "现在可以赎回的部分，按最近的净值计算，赎回费约60元；其余的最早到2024年3月16日才能赎回。"},
		"one lot is locked, the other free": {
			func(c *conversion.HoldingCase) { c.Product.Terms.LockupDays = 200; lots(200, 20)(c) }, conversion.Reduce,
			above + "现在可以赎回的部分没有赎回费；其余的最早到2024年9月2日才能赎回。",
		},
		"the first of two locked lots": {
			func(c *conversion.HoldingCase) { c.Product.Terms.LockupDays = 30; lots(20, 10)(c) }, conversion.Reduce, above + "这只产品最早到2024年3月16日才能赎回，现在不需要做什么。",
		},
		"closed until May": {func(c *conversion.HoldingCase) { c.Product.Terms.ClosedUntil = 20240506 }, conversion.Reduce, above + "这只产品最早到2024年5月6日才能赎回，现在不需要做什么。"},
		"opens in June":    {func(c *conversion.HoldingCase) { c.Product.Terms.NextOpenOn = 20240603 }, conversion.Reduce, above + "这只产品最早到2024年6月3日才能赎回，现在不需要做什么。"},
		"ladder unknown": {func(c *conversion.HoldingCase) {
			c.Product.Missing = c.Product.Missing.With(fund.FieldRedemptionLadder)
		}, conversion.Reduce, above + "赎回费请先向客户经理核实。"},
		"price unknown":   {func(c *conversion.HoldingCase) { c.UnitNAV = 0 }, conversion.Reduce, above + "赎回费请先向客户经理核实。"},
		"no lots":         {func(c *conversion.HoldingCase) { c.Lots = nil }, conversion.Reduce, above + "赎回费请先向客户经理核实。"},
		"lots of another": {func(c *conversion.HoldingCase) { c.Lots[0].ProductCode, c.Lots[1].Shares = "x", 0 }, conversion.Reduce, above + "赎回费请先向客户经理核实。"},
		"a lot of no day": {func(c *conversion.HoldingCase) { c.Lots[0].AcquiredOn = 0 }, conversion.Reduce, above + "赎回费请先向客户经理核实。"},
		"suspended":       {func(c *conversion.HoldingCase) { c.Product.Listing.Status = fund.Suspended }, conversion.Reduce, above + "赎回费请先向客户经理核实。"},
		"status unknown":  {func(c *conversion.HoldingCase) { c.Product.Listing.Status = fund.StatusUnknown }, conversion.Reduce, above + "赎回费请先向客户经理核实。"},
	} {
		in := mismatched(t)
		if c.change != nil {
			c.change(in)
		}
		got, facts := conversion.ReviewHolding(in, []fund.Evidence{{Field: "OTHER"}})
		if got.Action != c.action || got.ProductCode != "161725" || len(facts) != 1+len(got.Evidence) {
			t.Errorf("%s: %+v", name, got)
		}
		if said := say(t, text, got.Sentence, got.Evidence); said != c.text {
			t.Errorf("%s: says %q, want %q", name, said, c.text)
		}
	}
}

// The evidence of a review: in all, soon, and by lot, each as old as its price.
func TestReviewEvidence(t *testing.T) {
	in := mismatched(t)
	day := fund.Date(20240306)
	in.Lots = []fund.Lot{lot(day, 200), lot(day, 20), lot(day, 20), lot(day, 3)}
	in.Lots[2].Shares = 50_000_001
	got, _ := conversion.ReviewHolding(in, nil)
	// 3 x 1,200,000 fen, and 5,000.0001 shares at 1.2 yuan: 600,000.012, so 600,000 fen.
	fen := func(field string, n int64) fund.Evidence {
		return fund.Evidence{Field: field, Unit: fund.UnitFen, Number: n, AsOf: day, Stale: 2, Source: "HOLDINGS"}
	}
	ofLot := func(n int64, bought fund.Date) fund.Evidence {
		e := fen("EXIT_FEE_LOT", n)
		e.Window = fund.Window{From: bought, To: day}
		return e
	}
	want := []fund.Evidence{
		{Field: "LEVEL", Text: "C2", AsOf: day, Source: "CUSTOMER"},
		{Field: "GRADE", Text: "R4", AsOf: day, Source: "POOL"},
		fen("HOLDING_VALUE", 4_200_000), fen("EXIT_FEE", 12_000+6_000+18_000),
		// In four days the newest lot is seven days old: 1 % of it instead of 1.5 %.
		{Field: "CHEAPER_ON", Unit: fund.UnitDate, Number: 20240310, AsOf: day, Source: "HOLDINGS"},
		fen("CHEAPER_FEE", 12_000+6_000+12_000),
		{Field: "CHEAPER_LOTS", Unit: fund.UnitCount, Number: 1, AsOf: day, Source: "HOLDINGS"},
		ofLot(18_000, 20240303), ofLot(18_000, 20240215), ofLot(0, 20230819),
	}
	if diff := cmp.Diff(want, got.Evidence); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	in.Lots, in.UnitNAV = []fund.Lot{lot(day, 200)}, 1
	in.Lots[0].Shares += 50 // half a fen
	half, _ := conversion.ReviewHolding(in, nil)
	if got := half.Evidence[2]; got.Field != "HOLDING_VALUE" || got.Number != 1_000_001 {
		t.Errorf("half a fen: %+v", got)
	}
	in.Lots = nil
	for d := range 20 {
		in.Lots = append(in.Lots, lot(day, 20-d))
	}
	many, _ := conversion.ReviewHolding(in, nil)
	listed := 0
	for _, e := range many.Evidence {
		if e.Field == "EXIT_FEE_LOT" {
			listed++
		}
	}
	if listed != conversion.MaxReviewLots {
		t.Errorf("%d lots are listed of %d", listed, len(in.Lots))
	}
}

// Waiting never costs more than leaving, leaving never more than the ladder's dearest
// step, and damaged numbers do not panic.
func TestReviewKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := fund.Date(20240306)
		exit, _ := fund.ParseRedemptionLadder("7:150;30:100;180:50;:0")
		in := &conversion.HoldingCase{
			Product: &fund.Product{Code: "161725", Listing: fund.Listing{Status: fund.Open}, Fees: fund.FeeSchedule{Redemption: exit}},
			Grade:   fund.R5, Level: fund.C1, Ceiling: fund.R1, At: instantOf("2024-03-06T10:00:00+08:00"), UnitNAV: rapid.Float64().Draw(t, "price"),
		}
		in.Product.Terms.LockupDays = rapid.SampledFrom([]int32{0, 30}).Draw(t, "lockup")
		for range rapid.IntRange(0, 12).Draw(t, "lots") {
			l := lot(day, rapid.IntRange(-2, 400).Draw(t, "days"))
			l.Shares = fund.Shares(rapid.Int64Range(-1, 1<<40).Draw(t, "shares"))
			in.Lots = append(in.Lots, l)
		}
		got, _ := conversion.ReviewHolding(in, nil)
		value := map[string]int64{}
		for _, e := range got.Evidence {
			value[e.Field] = e.Number
		}
		if got.Action != conversion.Reduce || value["CHEAPER_ON"] != 0 && value["CHEAPER_FEE"] > value["EXIT_FEE"] {
			t.Fatalf("%s %v", got.Action, value)
		}
		bounded := value["HOLDING_VALUE"] < int64(fund.MaxMoney) // sums stop there
		if value["EXIT_FEE"] < 0 || bounded && value["EXIT_FEE"] > value["HOLDING_VALUE"]*150/10_000+int64(len(in.Lots)) {
			t.Fatalf("%v", value)
		}
	})
}
