package objection_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

const today = fund.Date(20240306)

// fallen is a record with a fall from peak to trough and a worst year.
func fallen(recovered fund.Date, stale int32) *fund.TrackRecord {
	r := &fund.TrackRecord{AsOf: today, StaleDays: stale, Observations: 900}
	w := fund.Window{From: 20200102, To: 20240305}
	all := &r.Spans[fund.SinceStart]
	all.Drawdown = fund.Drawdown{
		Figure: fund.Figure{Value: -360_111, Window: w, OK: true}, PeakOn: 20210218, TroughOn: 20221031, RecoveredOn: recovered, DaysToRecover: 400,
	}
	all.Worst[fund.TwelveMonths] = fund.Figure{Value: -281_400, Window: fund.Window{From: 20210301, To: 20220301}, OK: true}
	return r
}

// young is a record of so many months.
func young(from fund.Date) *fund.TrackRecord {
	r := &fund.TrackRecord{AsOf: today, Observations: 100}
	r.Spans[fund.SinceStart].Drawdown.Figure = fund.Figure{Value: -50_000, Window: fund.Window{From: from, To: 20240305}, OK: true}
	return r
}

// flat never fell.
func flat() *fund.TrackRecord {
	r := fallen(0, 1)
	all := &r.Spans[fund.SinceStart]
	all.Drawdown = fund.Drawdown{Figure: fund.Figure{Window: all.Drawdown.Window, OK: true}}
	all.Worst[fund.TwelveMonths].Value = 10_000
	return r
}

func aCase() *objection.Case {
	limits := objection.DefaultLimits()
	return &objection.Case{
		Subject: objection.Subject{
			Product: &fund.Product{
				Code: "x", Listing: fund.Listing{Status: fund.Open, KeyFactsVersion: "v3"},
				Fees: fund.FeeSchedule{Redemption: []fund.RedemptionTier{{Below: 7, Rate: 150}, {}}, Management: 120, Custody: 20},
			},
			Record: fallen(20230601, 1), Grade: fund.R3, Day: today, Limits: &limits,
		},
		Quote: objection.Quote{
			Months: 12, Amount: 1_000_000, Asked: true, Own: objection.ClassCost{Cost: fund.Cost{Entry: 1_498, Running: 14_017}, OK: true},
		},
		Customer: objection.Customer{Personal: true, Person: objection.Person{Level: fund.C3}},
	}
}

var templates = sync.OnceValues(func() (*wording.Templates, error) { return wording.Compile(wording.DefaultTemplates()) })

// answers foresees the doubts of a case and renders each for the customer from exactly
// its own evidence.
func answers(t *testing.T, c *objection.Case) map[objection.Code]string {
	t.Helper()
	text, err := templates()
	if err != nil {
		t.Fatal(err)
	}
	doubts, facts := objection.Foresee(c, nil, []fund.Evidence{{Field: "BEFORE"}})
	if len(doubts) > objection.MaxPerItem || facts[0].Field != "BEFORE" {
		t.Fatalf("%d doubts, facts %+v", len(doubts), facts)
	}
	out := map[objection.Code]string{}
	for i := range doubts {
		o := &doubts[i]
		if len(o.Evidence) == 0 {
			t.Errorf("%s is answered without evidence", o.Code)
		}
		for _, e := range o.Evidence {
			if e.Field == "" || e.Source == "" || e.AsOf != today {
				t.Errorf("%s: evidence without field, source or date: %+v", o.Code, e)
			}
		}
		var said []byte
		for _, name := range append(o.Sentences[:], o.Discloses) {
			id, ok := text.ID(name)
			switch {
			case name == "":
				continue
			case !ok || !text.Audience(id).May(wording.Customer):
				t.Fatalf("%q is no sentence for a customer", name)
			case strings.HasPrefix(name, "disclosure."):
				continue
			}
			if said, err = text.AppendEvidence(said, id, o.Evidence); err != nil {
				t.Fatal(err)
			}
		}
		out[o.Code] = string(said)
	}
	return out
}

// answerCase is one situation of the first four doubts and its answer to the word.
type answerCase struct {
	change func(c *objection.Case)
	code   objection.Code
	want   string
}

// answerCases are the answers of the first four doubts, branch by branch.
func answerCases() map[string]answerCase {
	const (
		past  = "过往业绩不预示未来表现。"
		fall  = "这只产品曾从2021年2月18日到2022年10月31日下跌36.01%，"
		year  = "从2021年3月1日到2022年3月1日是它最差的1年，下跌28.14%。"
		exit7 = "另外，管理费和托管费每年1.40%，每天从净值里扣除，不另外向您收取。持有不到7天赎回，收取1.50%的赎回费；满7天不收赎回费。"
	)
	return map[string]answerCase{
		"a fall that was made up": {
			func(*objection.Case) {}, objection.Drawdown,
			fall + "到2023年6月1日才回到原来的位置，从最低点算起用了400天。如果当时投入10,000元，最多时账面亏损约3,601.11元。" + year + "如果当时投入10,000元，到期末账面亏损约2,814元。" + past,
		},
		"a fall that was not": {
			func(c *objection.Case) { c.Record = fallen(0, 1) }, objection.Drawdown,
			fall + "截至2024年3月5日还没有回到原来的位置。如果当时投入10,000元，最多时账面亏损约3,601.11元。" + year + "如果当时投入10,000元，到期末账面亏损约2,814元。" + past,
		},
		"no amount of his own": {
			func(c *objection.Case) { c.Quote.Asked = false }, objection.Drawdown,
			fall + "到2023年6月1日才回到原来的位置，从最低点算起用了400天。" + year + past,
		},
		"no amount, not made up": {
			func(c *objection.Case) { c.Quote.Asked, c.Record = false, fallen(0, 1) }, objection.Drawdown,
			fall + "截至2024年3月5日还没有回到原来的位置。" + year + past,
		},
		"no worst year below zero": {
			func(c *objection.Case) { c.Record.Spans[fund.SinceStart].Worst[fund.TwelveMonths].Value = 1 }, objection.Drawdown,
			fall + "到2023年6月1日才回到原来的位置，从最低点算起用了400天。如果当时投入10,000元，最多时账面亏损约3,601.11元。" + past,
		},
		"a stale record": {
			func(c *objection.Case) { c.Record = fallen(0, 31) }, objection.Drawdown,
			"我们手上的净值只到2024年3月5日，此后的涨跌没有计入。在此之前，它曾从2021年2月18日到2022年10月31日下跌36.01%。请以最新公布的净值为准。" + past,
		},
		"no fall at all": {
			func(c *objection.Case) { c.Record = flat() }, objection.Drawdown, "从2020年1月2日到2024年3月5日，它的净值没有出现过下跌，但以后可能下跌。" + past,
		},
		"a day short of six months": {
			func(c *objection.Case) { c.Record = young(20230906) }, objection.Drawdown,
			"这只产品能用的净值记录还不够，我们无法告诉您它最多跌过多少。它的风险等级是R3，可能亏损，请按自己能承受的损失来决定。",
		},
		"no record": {
			func(c *objection.Case) { c.Record = &fund.TrackRecord{AsOf: today} }, objection.Drawdown,
			"这只产品能用的净值记录还不够，我们无法告诉您它最多跌过多少。它的风险等级是R3，可能亏损，请按自己能承受的损失来决定。",
		},
		"a new issue with a record": {
			func(c *objection.Case) { c.NewIssue = true; c.Product.Terms.LaunchedOn = 20240101 }, objection.Drawdown,
			"这只产品能用的净值记录还不够，我们无法告诉您它最多跌过多少。它的风险等级是R3，可能亏损，请按自己能承受的损失来决定。",
		},

		"one class": {func(*objection.Case) {}, objection.Fee, "投入10,000元、持有1年，买入、服务和赎回的费用合计约14.98元。" + exit7},
		"A is cheaper": {
			func(c *objection.Case) {
				c.Quote.A = objection.ClassCost{Cost: fund.Cost{Entry: 1_498}, OK: true}
				c.Quote.C = objection.ClassCost{Cost: fund.Cost{Service: 4_000}, OK: true}
			}, objection.Fee, "投入10,000元、持有1年，买入、服务和赎回的费用合计：A类约14.98元，C类约40元，A类更省。" + exit7,
		},
		"C is cheaper": {
			func(c *objection.Case) {
				c.Quote.A = objection.ClassCost{Cost: fund.Cost{Entry: 14_980}, OK: true}
				c.Quote.C = objection.ClassCost{Cost: fund.Cost{Service: 4_000}, OK: true}
			}, objection.Fee, "投入10,000元、持有1年，买入、服务和赎回的费用合计：A类约149.80元，C类约40元，C类更省。" + exit7,
		},
		"both cost the same": {
			func(c *objection.Case) {
				c.Quote.A = objection.ClassCost{Cost: fund.Cost{Entry: 4_000}, OK: true}
				c.Quote.C = objection.ClassCost{Cost: fund.Cost{Service: 4_000}, OK: true}
			}, objection.Fee, "投入10,000元、持有1年，A类和C类的费用合计都约40元。" + exit7,
		},
		"only one class is known": {
			func(c *objection.Case) { c.Quote.A = objection.ClassCost{OK: true} }, objection.Fee, "投入10,000元、持有1年，买入、服务和赎回的费用合计约14.98元。" + exit7,
		},
		"no fee to leave": {
			func(c *objection.Case) {
				c.Product.Fees = fund.FeeSchedule{Redemption: []fund.RedemptionTier{{}}}
			}, objection.Fee, "投入10,000元、持有1年，买入、服务和赎回的费用合计约14.98元。这只产品赎回时不收赎回费。",
		},
		"a fee that never ends": {
			func(c *objection.Case) {
				c.Product.Fees = fund.FeeSchedule{Redemption: []fund.RedemptionTier{{Rate: 50}}}
			}, objection.Fee, "投入10,000元、持有1年，买入、服务和赎回的费用合计约14.98元。这只产品不论持有多久，赎回都收取0.50%的赎回费。",
		},
		"fees unknown": {func(c *objection.Case) { c.Quote.Own.OK = false }, objection.Fee, "这只产品的费用我们还没有核实，请先向客户经理确认费用，再决定是否购买。"},

		"free after a week": {func(*objection.Case) {}, objection.Liquidity, "这只产品没有锁定期，交易日可以申请赎回。持有不到7天赎回要付赎回费，最高1.50%。"},
		"free at once": {
			func(c *objection.Case) { c.Product.Fees.Redemption = []fund.RedemptionTier{{}} }, objection.Liquidity,
			"这只产品没有锁定期，交易日可以申请赎回，赎回不收赎回费，赎回款按规则到账。",
		},
		"never free": {
			func(c *objection.Case) {
				c.Product.Fees.Redemption = []fund.RedemptionTier{{Below: 7, Rate: 150}, {Rate: 50}}
			}, objection.Liquidity,
			"这只产品没有锁定期，交易日可以申请赎回。持有不到7天赎回，收取1.50%的赎回费；满7天，仍收取0.50%。",
		},
		"exit fee unknown": {
			func(c *objection.Case) { c.Product.Missing = c.Product.Missing.With(fund.FieldRedemptionLadder) }, objection.Liquidity,
			"这只产品没有锁定期，交易日可以申请赎回。赎回费还没有核实，下单前请先确认。",
		},
		"a lockup": {func(c *objection.Case) { c.Product.Terms.LockupDays = 365 }, objection.Liquidity, "这只产品买入后锁定365天，这段时间里不能赎回。请只用这段时间不需要的钱。"},
		"closed": {
			func(c *objection.Case) { c.Product.Terms.ClosedUntil, c.Product.Terms.LockupDays = 20240901, 30 }, objection.Liquidity,
			"这只产品封闭到2024年9月1日，在此之前不能赎回。请只用这段时间不需要的钱。",
		},
		"closed until today": {
			func(c *objection.Case) { c.Product.Terms.ClosedUntil = today }, objection.Liquidity, "这只产品没有锁定期，交易日可以申请赎回。持有不到7天赎回要付赎回费，最高1.50%。",
		},
		"open at times": {
			func(c *objection.Case) { c.Product.Terms.NextOpenOn = 20240320 }, objection.Liquidity, "这只产品定期开放，下一次可以赎回是2024年3月20日。请按这个日期安排用钱。",
		},
		"lockup unknown": {
			func(c *objection.Case) { c.Product.Missing = c.Product.Missing.With(fund.FieldLockup) }, objection.Liquidity,
			"这只产品的锁定期和开放日我们还没有核实，请先确认什么时候可以赎回，再决定是否购买。",
		},

		"in its launch": {
			func(c *objection.Case) { c.NewIssue, c.Product.Listing.Status = true, fund.Subscription }, objection.NewFund,
			"这只基金正在募集，还没有成立，没有业绩可以参考，请不要把它当作老产品来看。",
		},
		"in its launch, with a peer": {
			func(c *objection.Case) {
				c.NewIssue, c.Product.Listing.Status, c.Peer = true, fund.Subscription, &objection.Peer{Name: "沪深指数"}
			}, objection.NewFund, "这只基金正在募集，还没有业绩可以参考。同类里已经运作的有沪深指数，您可以先看看它的涨跌记录和费用，再作比较。",
		},
		"in its launch, closed afterwards": {
			func(c *objection.Case) {
				c.NewIssue, c.Product.Listing.Status, c.Product.Terms.ClosedUntil = true, fund.Subscription, 20240901
			}, objection.NewFund, "这只基金正在募集，还没有业绩可以参考；成立后封闭到2024年9月1日，在此之前不能赎回。",
		},
		"in its launch, closed, with a peer": {
			func(c *objection.Case) {
				c.NewIssue, c.Product.Listing.Status, c.Product.Terms.ClosedUntil, c.Peer = true, fund.Subscription, 20240901, &objection.Peer{Name: "沪深指数"}
			}, objection.NewFund, "这只基金正在募集，还没有业绩可以参考；成立后封闭到2024年9月1日，在此之前不能赎回。同类里已经运作的有沪深指数，您可以先作比较。",
		},
		"launched lately": {
			func(c *objection.Case) { c.NewIssue, c.Product.Terms.LaunchedOn = true, 20240101 }, objection.NewFund,
			"这只基金从2024年1月1日开始运作，时间还短，我们不展示它的业绩。",
		},
		"launched lately, with a peer": {
			func(c *objection.Case) {
				c.NewIssue, c.Product.Terms.LaunchedOn, c.Peer = true, 20240101, &objection.Peer{Name: "沪深指数"}
			}, objection.NewFund,
			"这只基金从2024年1月1日开始运作，时间还短，我们不展示它的业绩。同类里运作更久的有沪深指数，您可以先作比较。",
		},
	}
}

// What is answered, branch by branch, to the word.
func TestAnswers(t *testing.T) {
	for name, c := range answerCases() {
		in := aCase()
		c.change(in)
		if c.code == objection.Liquidity {
			in.Customer.Need = fund.NeedHigh // so that it is among the first three
		}
		if got := answers(t, in)[c.code]; got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// Which doubts are foreseen, in which order, and why: for managers only.
func TestForesee(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *objection.Case)
		want   string
	}{
		"an ordinary case":       {func(*objection.Case) {}, "DRAWDOWN MEDIUM GRADE, FEE LOW, LIQUIDITY LOW"},
		"a low level":            {func(c *objection.Case) { c.Customer.Level, c.Grade = fund.C2, fund.R2 }, "DRAWDOWN HIGH LOW_LEVEL, FEE LOW, LIQUIDITY LOW"},
		"an unknown level":       {func(c *objection.Case) { c.Customer.Level, c.Grade = 0, fund.R2 }, "DRAWDOWN LOW, FEE LOW, LIQUIDITY LOW"},
		"no grade and no record": {func(c *objection.Case) { c.Grade, c.Record = 0, young(20240101) }, "FEE LOW, LIQUIDITY LOW"},
		"R1 without a record":    {func(c *objection.Case) { c.Grade, c.Record = fund.R1, &fund.TrackRecord{} }, "FEE LOW, LIQUIDITY LOW"},
		"money needed soon":      {func(c *objection.Case) { c.Customer.Need, c.Customer.HorizonMonths = fund.NeedHigh, 11 }, "LIQUIDITY HIGH NEED, DRAWDOWN MEDIUM GRADE, FEE MEDIUM SHORT_HORIZON"},
		"a year is not short":    {func(c *objection.Case) { c.Customer.HorizonMonths = 12 }, "DRAWDOWN MEDIUM GRADE, FEE LOW, LIQUIDITY LOW"},
		"a lockup":               {func(c *objection.Case) { c.Product.Terms.LockupDays = 1 }, "DRAWDOWN MEDIUM GRADE, LIQUIDITY MEDIUM LOCKUP, FEE LOW"},
		"a lockup and age":       {func(c *objection.Case) { c.Product.Terms.LockupDays, c.Customer.Elder = 1, true }, "DRAWDOWN MEDIUM GRADE, LIQUIDITY MEDIUM LOCKUP AGE, ASK_FAMILY MEDIUM ELDER"},
		"age alone":              {func(c *objection.Case) { c.Customer.Elder = true }, "DRAWDOWN MEDIUM GRADE, ASK_FAMILY MEDIUM ELDER, FEE LOW"},
		"a new issue: four, cut": {func(c *objection.Case) { c.NewIssue = true; c.Product.Listing.Status = fund.Subscription }, "NEW_FUND HIGH NEW_ISSUE, DRAWDOWN MEDIUM GRADE, FEE LOW"},
		"everything speaks": {func(c *objection.Case) {
			c.NewIssue, c.Customer.Level, c.Customer.Need = true, fund.C1, fund.NeedHigh
			c.Product.Listing.Status, c.Product.Terms.LockupDays = fund.Subscription, 9
		}, "DRAWDOWN HIGH LOW_LEVEL, LIQUIDITY HIGH LOCKUP NEED, NEW_FUND HIGH NEW_ISSUE"},
	} {
		in := aCase()
		c.change(in)
		doubts, _ := objection.Foresee(in, nil, nil)
		var got []string
		for _, o := range doubts {
			got = append(got, strings.Join(slices.DeleteFunc([]string{o.Code.String(), o.Band.String(), o.Triggers[0], o.Triggers[1]}, func(s string) bool { return s == "" }), " "))
		}
		if joined := strings.Join(got, ", "); joined != c.want {
			t.Errorf("%s: %s, want %s", name, joined, c.want)
		}
	}
}

// Figures of the past come with the sentence that they say nothing of the future (W05).
func TestThePastIsDisclosed(t *testing.T) {
	for name, c := range map[string]struct {
		record *fund.TrackRecord
		want   string
	}{"a fall": {fallen(0, 1), objection.PastPerformance}, "no fall": {flat(), objection.PastPerformance}, "nothing shown": {young(20240101), ""}} {
		in := aCase()
		in.Record = c.record
		if doubts, _ := objection.Foresee(in, nil, nil); doubts[0].Code != objection.Drawdown || doubts[0].Discloses != c.want {
			t.Errorf("%s: %s discloses %q, want %q", name, doubts[0].Code, doubts[0].Discloses, c.want)
		}
	}
}

// A record is shown from six full months on (W01).
func TestShowable(t *testing.T) {
	for from, want := range map[fund.Date]bool{20230905: true, 20230906: false, 20200101: true} {
		if got := objection.Showable(young(from)); got != want {
			t.Errorf("from %s to 2024-03-05: %v", from, got)
		}
	}
	if objection.Showable(&fund.TrackRecord{}) {
		t.Error("no record is shown")
	}
	if facts := objection.DrawdownFacts(young(20240101), nil); len(facts) != 0 {
		t.Errorf("facts of a record that is too short: %+v", facts)
	}
}

// The loss in yuan is the fall of the amount, half up to the fen, at any size.
func TestLossOfAnAmount(t *testing.T) {
	for amount, want := range map[fund.Money]int64{1_000_000: 360_111, 1: 0, 2: 1, 277: 100, fund.MaxMoney: 360_111_000_000_000} {
		in := aCase()
		in.Quote.Amount = amount
		doubts, _ := objection.Foresee(in, nil, nil)
		i := slices.IndexFunc(doubts[0].Evidence, func(e fund.Evidence) bool { return e.Field == "LOSS" })
		if i < 0 || doubts[0].Evidence[i].Number != want {
			t.Errorf("of %d fen: %+v, want %d", amount, doubts[0].Evidence, want)
		}
	}
}

// What NEW_FUND and MANAGER_TRUST both ask for is told once, by whichever comes first.
func TestFundsOfTheManagerAreToldOnce(t *testing.T) {
	for name, raised := range map[string]string{"NEW_FUND first": "", "MANAGER_TRUST first": "MANAGER_TRUST"} {
		c := person()
		newIssue(c)
		c.Product.Parties.ManagerSince = 20240226
		c.Managed = []objection.Managed{{Code: "EQ1", Name: c.Product.Name, Record: c.Record}, {Code: "M2", Name: "示例稳健", Record: mild()}}
		if raised != "" {
			doubted(c, raised, 1)
		}
		told := map[objection.Code]int{}
		found, _ := objection.Foresee(c, nil, nil)
		for i := range found {
			for _, sentence := range found[i].Sentences {
				if sentence == "objection.MANAGER_TRUST.funds.one" {
					told[found[i].Code]++
				}
			}
		}
		if first := found[0].Code; len(told) != 1 || told[first] != 1 {
			t.Errorf("%s: told by %v, first is %s", name, told, first)
		}
	}
}

// Two words of his that are one doubt to him name their cause once.
func TestMergedDoubtsNameACauseOnce(t *testing.T) {
	c := person()
	doubted(c, "DRAWDOWN", 1)
	doubted(c, "LOSS_TRAUMA", 1)
	found, _ := objection.Foresee(c, nil, nil)
	if o := &found[0]; o.Code != objection.LossTrauma || o.Raised != 2 || o.Triggers != [3]string{"RAISED", "GRADE", ""} {
		t.Errorf("%s raised %d times because of %q", o.Code, o.Raised, o.Triggers)
	}
}
