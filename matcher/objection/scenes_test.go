package objection_test

import (
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
)

// scene is one readable case of a doubt.
type scene struct {
	code   objection.Code
	name   string // what is special, as a reader of the golden file is told
	change func(c *objection.Case)
}

// The scenes: for each doubt every situation of its evidence.
func scenes() []scene {
	list := append(scenesOfFalls(), scenesOfCosts()...)
	list = append(list, scenesOfParties()...)
	return append(list, scenesOfPersons()...)
}

func loses(c *objection.Case) {
	holding(c, other("L1", "医药混合", fund.Equity, fund.R4), 5_000_000, 3_500_000)
}

func tagged(c *objection.Case, name string) {
	c.Customer.Tags = append(c.Customer.Tags, fund.Tag{Name: name, Value: "true", To: fund.Forever})
}

func scenesOfFalls() []scene {
	return []scene{
		{objection.Drawdown, "他在下跌时赎回过", func(c *objection.Case) { c.Customer.Conduct.Losses.SoldInFall, c.Customer.Level = 1, fund.C2 }},
		{objection.Drawdown, "没有金额，跌过，又回来了，任何一年都没有亏", func(c *objection.Case) {
			c.Quote.Asked, c.Record.Spans[fund.SinceStart].Worst[fund.TwelveMonths].Value = false, 1_000
		}},
		{objection.Drawdown, "没有金额，还没有回来，不到一年", func(c *objection.Case) {
			c.Quote.Asked, c.Record = false, fallen(0, 1)
			c.Record.Spans[fund.SinceStart].Worst[fund.TwelveMonths] = fund.Figure{}
		}},
		{objection.Drawdown, "净值太旧", func(c *objection.Case) { c.Record.StaleDays = 31 }},
		{objection.Drawdown, "没有成立多久", func(c *objection.Case) { c.Record = young(20240101) }},
		{objection.Drawdown, "没有等级也没有记录，但他自己问过", func(c *objection.Case) {
			c.Grade, c.Record = fund.GradeUnknown, young(20240101)
			doubted(c, "DRAWDOWN", 1)
		}},
		{objection.Drawdown, "问过两次，解释过了", func(c *objection.Case) { doubted(c, "DRAWDOWN", 2) }},
		{objection.LossTrauma, "持有的医药基金亏了三成", loses},
		{objection.LossTrauma, "亏损的那只和它是同一个主题，等级更高", func(c *objection.Case) {
			c.Product.Content.Themes = []string{"医药"}
			c.Record, c.Grade = mild(), fund.R2
			loses(c)
			c.Customer.Conduct.Losses.SoldAtLoss = 1
		}},
		{objection.LossTrauma, "持有的医药基金亏了三成，这一只不向他推荐", func(c *objection.Case) { loses(c); c.Barred = true }},
		{objection.LossTrauma, "亏损卖出过，现在什么都没有", func(c *objection.Case) {
			c.Customer.Conduct.Losses.SoldAtLoss, c.Product.Terms.MinPurchase = 2, 0
		}},
		{objection.LossTrauma, "亏损的那只记录太旧，不能比较", func(c *objection.Case) {
			loses(c)
			c.Customer.Held[0].Record.StaleDays = 90
		}},
		{objection.Timing, "看了四次，没有买", func(c *objection.Case) {
			c.Customer.Journey = &fund.Journey{ProductCode: "EQ1", Exposures: 4, Reached: [fund.KeyNodes]fund.Instant{fund.Viewed: now}}
		}},
		{objection.Timing, "下单到一半放下，比较基准没有净值，打算放三年", func(c *objection.Case) {
			c.Customer.Journey = &fund.Journey{ProductCode: "EQ1", Abandons: 1}
			c.Record.Benchmark, c.Quote.Months, c.Customer.HorizonMonths = fund.Benchmark{}, 36, 36
		}},
		{objection.Timing, "记录不到一年", func(c *objection.Case) {
			c.Customer.Journey = &fund.Journey{ProductCode: "EQ1", Abandons: 1}
			c.Record = young(20230801)
		}},
		{objection.Timing, "净值太旧", func(c *objection.Case) {
			c.Customer.Journey = &fund.Journey{ProductCode: "EQ1", Abandons: 1}
			c.Record.StaleDays = 31
		}},
		{objection.OpportunityCost, "定期快到期，打算放一年", func(c *objection.Case) {
			tagged(c, "deposit_maturing")
			c.Customer.HorizonMonths = 12
		}},
		{objection.OpportunityCost, "要现金管理，基准没有净值", func(c *objection.Case) {
			c.Customer.Goal, c.Grade, c.Class, c.Record = fund.Cash, fund.R2, fund.ShortBond, mild()
			c.Record.Benchmark = fund.Benchmark{}
		}},
		{objection.OpportunityCost, "记录太短", func(c *objection.Case) { tagged(c, "deposit_large"); c.Record = young(20230801) }},
		{objection.OpportunityCost, "净值太旧", func(c *objection.Case) { tagged(c, "deposit_large"); c.Record.StaleDays = 31 }},
	}
}

func scenesOfCosts() []scene {
	ladder := func(text string) func(c *objection.Case) {
		return func(c *objection.Case) {
			tiers, err := fund.ParseRedemptionLadder(text)
			if err != nil {
				panic(err)
			}
			c.Product.Fees.Redemption = tiers
			c.Customer.Conduct.Habits.Page = "FEE"
		}
	}
	return []scene{
		{objection.Fee, "看过费用页，四档赎回费", ladder("7:150;30:100;180:50;:0")},
		{objection.Fee, "四档，最后仍然收", ladder("7:150;30:100;180:50;:25")},
		{objection.Fee, "三档", ladder("7:150;30:100;:0")},
		{objection.Fee, "三档，最后仍然收", ladder("7:150;30:100;:50")},
		{objection.Fee, "两档，最后仍然收", ladder("7:150;:50")},
		{objection.Fee, "五档", ladder("7:150;30:100;180:50;365:25;:0")},
		{objection.Fee, "五档，最后仍然收", ladder("7:150;30:100;180:50;365:25;:10")},
		{objection.Fee, "一直收", ladder(":50")},
		{objection.Fee, "一直不收", ladder(":0")},
		{objection.Fee, "赎回费不明", func(c *objection.Case) {
			c.Product.Missing = c.Product.Missing.With(fund.FieldRedemptionLadder)
			doubted(c, "FEE", 1)
		}},
		{objection.Fee, "费用不明", func(c *objection.Case) { c.Quote.Own.OK = false; doubted(c, "FEE", 1) }},
		{objection.CheaperElsewhere, "比较过几家平台", func(c *objection.Case) {
			tagged(c, "compares_platforms")
			c.Product.Fees.DiscountPct = 90
		}},
		{objection.CheaperElsewhere, "费用不明", func(c *objection.Case) { tagged(c, "compares_platforms"); c.Quote.Own.OK = false }},
		{objection.Liquidity, "随时要用钱，封闭期产品", func(c *objection.Case) {
			c.Customer.Need, c.Product.Terms.ClosedUntil = fund.NeedHigh, 20240901
		}},
		{objection.Liquidity, "有存款，锁定一年", func(c *objection.Case) { tagged(c, "deposit_large"); c.Product.Terms.LockupDays = 365 }},
		{objection.Liquidity, "定期开放，买入后还要锁定", func(c *objection.Case) {
			c.Product.Terms.NextOpenOn, c.Product.Terms.LockupDays = 20240320, 90
		}},
		{objection.Liquidity, "定期开放", func(c *objection.Case) { c.Product.Terms.NextOpenOn = 20240320 }},
		{objection.Liquidity, "没有锁定期，一直收赎回费", func(c *objection.Case) {
			c.Customer.Need = fund.NeedHigh
			c.Product.Fees.Redemption = []fund.RedemptionTier{{Below: 7, Rate: 150}, {Rate: 50}}
		}},
		{objection.NewFund, "募集期，有老产品可比，基金经理还管别的", func(c *objection.Case) {
			newIssue(c)
			c.Peer = &objection.Peer{Name: "示例价值混合", Record: deep()}
			c.Managed = []objection.Managed{{Code: "EQ1", Name: c.Product.Name, Record: c.Record}, {Code: "M2", Name: "示例稳健", Record: mild()}, {Code: "M3", Name: "示例进取", Record: deep()}}
		}},
		{objection.NewFund, "募集后封闭，没有可比的", func(c *objection.Case) { newIssue(c); c.Product.Terms.ClosedUntil = 20240901 }},
		{objection.NewFund, "刚成立，成立日不明", func(c *objection.Case) {
			newIssue(c)
			c.Product.Listing.Status, c.Product.Terms.LaunchedOn = fund.Open, 0
		}},
		{objection.NewFund, "刚成立，成立日不明，有可比的", func(c *objection.Case) {
			newIssue(c)
			c.Product.Listing.Status, c.Product.Terms.LaunchedOn, c.Peer = fund.Open, 0, &objection.Peer{Name: "示例价值混合"}
		}},
		{objection.NewFund, "他问过，但它已经不是新基金", func(c *objection.Case) { doubted(c, "NEW_FUND", 1) }},
		{objection.NewFund, "他问过，它已经不是新基金，成立日不明", func(c *objection.Case) {
			c.Product.Terms.LaunchedOn = 0
			doubted(c, "NEW_FUND", 1)
		}},
		{objection.NewFund, "他问过，它不算新发，但记录太短", func(c *objection.Case) {
			c.Record = young(20240101)
			doubted(c, "NEW_FUND", 1)
		}},
	}
}

func newIssue(c *objection.Case) {
	c.NewIssue, c.Record = true, &fund.TrackRecord{AsOf: today}
	c.Product.Listing.Status, c.Product.Terms.LaunchedOn = fund.Subscription, 0
}

func scenesOfParties() []scene {
	recent := func(change func(c *objection.Case)) func(c *objection.Case) {
		return func(c *objection.Case) {
			c.Product.Parties.ManagerSince = 20230901
			change(c)
		}
	}
	return []scene{
		{objection.ManagerTrust, "半年前接手，一共管三只，一只太新", recent(func(c *objection.Case) {
			c.Managed = []objection.Managed{
				{Code: "EQ1", Name: c.Product.Name, Record: c.Record},
				{Code: "M2", Name: "示例稳健", Record: mild()},
				{Code: "M3", Name: "示例新锐", Record: young(20240101)},
			}
		})},
		{objection.ManagerTrust, "只管这一只，从成立就管", recent(func(c *objection.Case) {
			c.Product.Terms.LaunchedOn = 20230901
			c.Managed = []objection.Managed{{Code: "EQ1", Name: c.Product.Name, Record: c.Record}}
		})},
		{objection.ManagerTrust, "上个月底才接手", func(c *objection.Case) { c.Product.Parties.ManagerSince = 20240226 }},
		{objection.ManagerTrust, "上个月底成立，从成立就管", func(c *objection.Case) {
			c.Product.Parties.ManagerSince, c.Product.Terms.LaunchedOn = 20240226, 20240226
		}},
		{objection.ManagerTrust, "管的都太新", recent(func(c *objection.Case) {
			c.Managed = []objection.Managed{{Code: "EQ1", Name: c.Product.Name, Record: young(20240101)}}
		})},
		{objection.ManagerTrust, "还管什么不知道", recent(func(*objection.Case) {})},
		{objection.ManagerTrust, "他问过，任职日不明", func(c *objection.Case) {
			c.Product.Parties.ManagerSince = 0
			doubted(c, "MANAGER_TRUST", 1)
		}},
		{objection.ManagerTrust, "他问过，由谁管理不明", func(c *objection.Case) {
			c.Product.Parties = fund.Parties{}
			doubted(c, "MANAGER_TRUST", 1)
		}},
		{objection.Size, "低于五千万", func(c *objection.Case) { c.Product.Parties.Size = 3_200_000_000 }},
		{objection.Size, "离五千万不远", func(c *objection.Case) { c.Product.Parties.Size = 6_800_000_000 }},
		{objection.Size, "他问过，规模大", func(c *objection.Case) { doubted(c, "SIZE", 1) }},
		{objection.Size, "他问过，规模不明", func(c *objection.Case) { c.Product.Parties.Size = 0; doubted(c, "SIZE", 1) }},
		{objection.Dividend, "要稳定收入，分过红", func(c *objection.Case) { c.Customer.Goal = fund.SteadyIncome }},
		{objection.Dividend, "问过分红，没有分过", func(c *objection.Case) {
			tagged(c, "asks_for_income")
			c.Record.Payouts.Count, c.Record.Payouts.Last = 0, 0
		}},
		{objection.Dividend, "要稳定收入，没有记录", func(c *objection.Case) { c.Customer.Goal, c.Record = fund.SteadyIncome, young(20240101) }},
		{objection.Understand, "第一次买海外基金，手上是债券基金", func(c *objection.Case) {
			c.Class, c.Grade = fund.OverseasFund, fund.R4
			holding(c, other("H1", "稳健债券", fund.Bond, fund.R2), 5_000_000, 5_100_000)
		}},
		{objection.Understand, "第一次买基金中基金，手上是股票基金，没有写基准", func(c *objection.Case) {
			c.Class, c.Product.Content.Benchmark = fund.FundOfFunds, ""
			holding(c, other("H1", "成长股票", fund.Equity, fund.R4), 5_000_000, 5_100_000)
		}},
		{objection.Understand, "第一次买商品基金，手上同等级", func(c *objection.Case) {
			c.Class = fund.Commodity
			holding(c, other("H1", "平衡混合", fund.Balanced, fund.R3), 5_000_000, 5_100_000)
		}},
		{objection.Understand, "第一次买REITs，什么都没有", func(c *objection.Case) { c.Class = fund.RealEstate }},
		{objection.Understand, "他问过，类别和等级都不明", func(c *objection.Case) {
			c.Class, c.Grade = fund.ClassUnknown, fund.GradeUnknown
			doubted(c, "UNDERSTAND", 1)
		}},
		{objection.Understand, "他问过货币基金", asksKind(fund.MoneyMarket)},
		{objection.Understand, "他问过中短债", asksKind(fund.ShortBond)},
		{objection.Understand, "他问过债券基金", asksKind(fund.Bond)},
		{objection.Understand, "他问过偏债混合", asksKind(fund.MixedBond)},
		{objection.Understand, "他问过混合基金", asksKind(fund.Balanced)},
		{objection.Understand, "他问过股票基金", asksKind(fund.Equity)},
		{objection.Understand, "他问过指数基金", asksKind(fund.Index)},
		{objection.Understand, "他问过股票", asksKind(fund.SingleStock)},
	}
}

func asksKind(class fund.Class) func(c *objection.Case) {
	return func(c *objection.Case) {
		c.Class = class
		doubted(c, "UNDERSTAND", 1)
	}
}

func scenesOfPersons() []scene {
	return []scene{
		{objection.Pushed, "有未了结的投诉，一个月里联系过五次", func(c *objection.Case) {
			c.Customer.Conduct.Complaints, c.Customer.Conduct.Contacts.Count30 = 1, 5
		}},
		{objection.Pushed, "拒绝过营销电话，换了客户经理", func(c *objection.Case) { c.Customer.OptedOut, c.Customer.ManagerChanged = true, true }},
		{objection.AlreadyHave, "已经持有同一只基金的C类", func(c *objection.Case) {
			h := other("EQ1C", "示例成长混合C", fund.Equity, fund.R3)
			h.Product.ParentCode = "EQ1"
			holding(c, h, 3_000_000, 3_100_000)
			holding(c, other("H2", "稳健债券", fund.Bond, fund.R2), 5_000_000, 5_100_000)
		}},
		{objection.AlreadyHave, "已经持有这一只", holdsIt},
		{objection.AlreadyHave, "已经持有这一只，现在不向他推荐", func(c *objection.Case) { holdsIt(c); c.Barred = true }},
		{objection.AlreadyHave, "已经持有同一个指数", func(c *objection.Case) { kindred(c, "沪深指数", "", "", "") }},
		{objection.AlreadyHave, "已经持有同一个主题", func(c *objection.Case) { kindred(c, "", "科技", "", "") }},
		{objection.AlreadyHave, "他问过，同一位基金经理", func(c *objection.Case) {
			kindred(c, "", "", "王一", "示例基金")
			c.Quote.Asked = false
			doubted(c, "ALREADY_HAVE", 1)
		}},
		{objection.AlreadyHave, "同一个主题，名字太长写不下", func(c *objection.Case) {
			long := ""
			for range 201 {
				long += "长"
			}
			c.Product.Content.Themes = []string{long}
			kindred(c, "", long, "", "")
		}},
		{objection.AlreadyHave, "他问过，没有重复", func(c *objection.Case) {
			holding(c, other("H2", "稳健债券", fund.Bond, fund.R2), 5_000_000, 5_100_000)
			doubted(c, "ALREADY_HAVE", 1)
		}},
		{objection.BreakEvenFirst, "医药基金亏了三成，推迟过两次", func(c *objection.Case) {
			loses(c)
			c.Customer.Conduct.Habits.Postponements = 2
		}},
		{objection.BreakEvenFirst, "他说过回本再说，看不到他亏在哪里", func(c *objection.Case) { doubted(c, "BREAK_EVEN_FIRST", 1); c.Grade = fund.GradeUnknown }},
		{objection.AskFamily, "老年客户，夫妻一起决定", func(c *objection.Case) { c.Customer.Elder = true; tagged(c, "joint_decision") }},
		{objection.AskFamily, "老年客户，记录和费用都没有，等级不明", func(c *objection.Case) {
			c.Customer.Elder, c.Grade, c.Record, c.Quote.Own.OK = true, fund.GradeUnknown, young(20240101), false
		}},
		{objection.AskFamily, "老年客户，记录很长，一次也没有跌过", func(c *objection.Case) {
			c.Customer.Elder, c.Record = true, flat()
		}},
		{objection.AskFamily, "他说要商量，跌下去还没有回来", func(c *objection.Case) { c.Record = fallen(0, 1); doubted(c, "ASK_FAMILY", 1) }},
		{objection.NotNow, "一年里推迟过两次", func(c *objection.Case) { c.Customer.Conduct.Habits.Postponements = 2 }},
		{objection.NotNow, "他说过二月以后再看，那一天已经过了", func(c *objection.Case) {
			c.Customer.Doubts = []fund.Doubt{{ProductCode: "EQ1", Code: "NOT_NOW", Count: 1, Last: now, Until: 20240301}}
		}},
		{objection.NotNow, "他说过六月以后再看", func(c *objection.Case) {
			c.Customer.Doubts = []fund.Doubt{{ProductCode: "EQ1", Code: "NOT_NOW", Count: 1, Last: now, Until: 20240601}}
		}},
	}
}

func kindred(c *objection.Case, benchmark, theme, manager, issuer string) {
	h := other("K1", "已持有混合", fund.Equity, fund.R3)
	h.Product.Content = fund.Content{Benchmark: benchmark, Themes: []string{theme}}
	h.Product.Parties = fund.Parties{ManagerName: manager, Issuer: issuer}
	holding(c, h, 4_000_000, 4_200_000)
}
