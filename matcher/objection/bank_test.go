package objection_test

import (
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
)

// now is the instant that the cases are asked at.
var now = fund.Date(today).Start().Add(10 * 60 * 60 * 1_000_000_000)

// deep is a record of more than three years with everything that a record can hold.
func deep() *fund.TrackRecord {
	r := fallen(20230601, 1)
	series := fund.Window{From: 20200102, To: 20240305}
	r.Series = series
	all := &r.Spans[fund.SinceStart]
	all.Volatility = fund.Figure{Value: 221_500, Window: series, OK: true}
	all.Worst[fund.OneMonth] = fund.Figure{Value: -120_300, Window: fund.Window{From: 20220301, To: 20220401}, OK: true}
	all.Worst[fund.ThreeMonths] = fund.Figure{Value: -171_200, Window: fund.Window{From: 20220105, To: 20220405}, OK: true}
	all.Worst[fund.SixMonths] = fund.Figure{Value: -202_100, Window: fund.Window{From: 20211101, To: 20220501}, OK: true}
	for span, w := range map[fund.Span]fund.Window{fund.ThreeYears: {From: 20210305, To: 20240305}, fund.OneYear: {From: 20230303, To: 20240305}} {
		f := &r.Spans[span]
		f.Drawdown = fund.Drawdown{Figure: fund.Figure{Value: -310_000, Window: w, OK: true}, PeakOn: w.From, TroughOn: 20221031}
		f.Volatility = fund.Figure{Value: 201_000, Window: w, OK: true}
		f.Worst[fund.TwelveMonths] = fund.Figure{Value: -262_000, Window: fund.Window{From: 20211101, To: 20221101}, OK: true}
	}
	for h, n := range map[fund.Holding]int32{fund.Hold1M: 990, fund.Hold3M: 950, fund.Hold6M: 890, fund.Hold12M: 768, fund.Hold24M: 524} {
		r.Outcomes[h] = fund.Outcome{
			OK: true, Entries: n, Window: series, Worst: -281_400, WorstIn: fund.Window{From: 20210301, To: 20220301},
			P10: -190_100, P25: -81_000, Median: 23_400, P75: 120_200, P90: 213_000, Best: 402_000,
		}
	}
	r.Payouts = fund.Payouts{Window: fund.Window{From: 20210305, To: 20240305}, Count: 2, Last: 20231215, LastSize: 21_000, Total: 48_000}
	r.Benchmark.Code = "IDX"
	r.Benchmark.Falls[fund.SinceStart] = fund.Figure{Value: -331_000, Window: series, OK: true}
	return r
}

// mild is a record over the same days that fell little.
func mild() *fund.TrackRecord {
	r := deep()
	for i := range r.Spans {
		r.Spans[i].Drawdown.Value, r.Spans[i].Volatility.Value = r.Spans[i].Drawdown.Value/10, r.Spans[i].Volatility.Value/10
		r.Spans[i].Worst[fund.TwelveMonths].Value /= 20
	}
	return r
}

// person is an ordinary case with a customer of whom something is known.
func person() *objection.Case {
	c := aCase()
	c.Record, c.Class, c.Grade = deep(), fund.Equity, fund.R3
	p := c.Product
	p.Name, p.Code = "示例成长混合A", "EQ1"
	p.Grades = fund.Grades{Bank: fund.R3}
	p.Parties = fund.Parties{Issuer: "示例基金", ManagerName: "王一", ManagerSince: 20190301, Size: 200_000_000_000}
	p.Terms.LaunchedOn, p.Terms.MinPurchase = 20190301, 1_000
	p.Content = fund.Content{Themes: []string{"科技"}, Benchmark: "沪深指数"}
	c.Customer.At = now
	c.Customer.Conduct = &fund.Conduct{At: now}
	return c
}

// holding gives the customer a position in a product.
func holding(c *objection.Case, h *objection.Held, cost, value fund.Money) {
	result := fund.RatioOf(float64(value)/float64(cost) - 1)
	h.Position = &fund.Position{
		ProductCode: h.Product.Code, FirstOn: 20220110, LastOn: 20220110, Cost: cost, CostOK: true, Value: value, ValueOK: true,
		Result: fund.Measure{Value: result, OK: true},
	}
	conduct := c.Customer.Conduct
	conduct.Positions = append(conduct.Positions, *h.Position)
	conduct.Portfolio.Value += value
	conduct.Portfolio.Cost += cost
	if result < 0 {
		conduct.Losses.Open += cost - value
		if worst := &conduct.Losses.Worst; !worst.OK || result < worst.Value {
			*worst, conduct.Losses.WorstCode = fund.Measure{Value: result, OK: true}, h.Product.Code
		}
	}
	c.Customer.Held = append(c.Customer.Held, *h)
}

// other is a product that someone holds.
func other(code, name string, class fund.Class, grade fund.RiskGrade) *objection.Held {
	return &objection.Held{
		Product: &fund.Product{
			Code: code, Name: name, Grades: fund.Grades{Bank: grade},
			Parties: fund.Parties{Issuer: "别家基金", ManagerName: "李二"}, Content: fund.Content{Themes: []string{"医药"}, Benchmark: "医药指数"},
		},
		Class: class, Record: deep(),
	}
}

// doubted makes a doubt about the product one that he raised so many times.
func doubted(c *objection.Case, code string, times int32) {
	c.Customer.Doubts = append(c.Customer.Doubts, fund.Doubt{ProductCode: c.Product.Code, Code: code, Count: times, Last: now})
}
