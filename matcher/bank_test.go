package matcher_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// parts are what every core of these tests is compiled with.
type parts struct {
	model *score.Model
	rules *eligibility.Pack
	text  *wording.Templates
}

var defaults = sync.OnceValue(func() parts {
	model, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		panic(err)
	}
	rules, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		panic(err)
	}
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		panic(err)
	}
	return parts{model, rules, text}
})

// bank is a random pool with its market data, as hostile as the dataset format allows:
// every status, kind and grade, missing facts, dates around the day that is asked about.
type bank struct {
	rng       *rand.Rand
	asOf      fund.Instant
	day       fund.Date
	products  []fund.Product
	navs      map[string][]fund.NAV
	purchases map[string][]fund.Purchase
}

func newBank(seed uint64, products int) *bank {
	rng := rand.New(rand.NewPCG(seed, 7))
	return newBankOn(rng, fund.Date(20240228).AddDays(rng.IntN(400)), products) // 29 February and year ends among them
}

// newBankOn is a bank on a day.
func newBankOn(rng *rand.Rand, day fund.Date, products int) *bank {
	b := &bank{rng: rng, day: day, navs: map[string][]fund.NAV{}, purchases: map[string][]fund.Purchase{}}
	b.asOf = b.day.Start() + fund.Instant(b.rng.Int64N(20*60*60*1_000_000))
	series := [...][]fund.NAV{b.series(40, 1), b.series(150, 1), b.series(300, 1), b.series(400, 3), b.series(400, 60), b.gapped()}
	for i := range products {
		p := b.product(i)
		b.products = append(b.products, p)
		if b.one(2) {
			b.navs[p.Code] = series[b.rng.IntN(len(series))]
		}
	}
	for i := range products {
		id := fmt.Sprintf("h%04d", i)
		for range 1 + b.rng.IntN(6) {
			b.purchases[id] = append(b.purchases[id], b.purchase())
		}
	}
	return b
}

// one is true once in n times.
func (b *bank) one(n int) bool { return b.rng.IntN(n) == 0 }

func pick[T any](b *bank, from ...T) T { return from[b.rng.IntN(len(from))] }

// near is a day around the day that is asked about, or unknown.
func (b *bank) near() fund.Date {
	return pick(b, 0, 0, b.day.AddDays(-400), b.day.AddDays(-1), b.day, b.day.AddDays(1), b.day.AddDays(40), b.day.AddDays(500))
}

func (b *bank) series(days, staleBy int) []fund.NAV {
	navs := make([]fund.NAV, 0, days)
	value, day := 1.0, b.day.AddDays(-staleBy-days*7/5)
	swing := pick(b, .0001, .01, .03)
	for len(navs) < days && day < b.day {
		if w := day.Weekday(); w != 0 && w != 6 {
			value *= 1 + swing*(b.rng.Float64()-.5)
			navs = append(navs, fund.NAV{Date: day, Unit: value, Accum: value})
		}
		day = day.AddDays(1)
	}
	return navs
}

func (b *bank) gapped() []fund.NAV {
	navs := b.series(300, 1)
	return append(slices.Clone(navs[:100]), navs[160:]...)
}

func (b *bank) product(i int) fund.Product {
	p := fund.Product{
		Code: fmt.Sprintf("P%04d", i), Name: fmt.Sprintf("测试%d", i),
		Type: pick(b, "货币型", "债券型-中短债", "债券型-长债", "混合型-偏债", "混合型-灵活", "FOF", "股票型", "指数型-股票", "QDII", "Reits",
			"商品（不含QDII）", "Stock", "MTF/Other"),
		ShareClass: pick(b, "", "A", "A", "C", "C", "B", "Y"),
		Parties:    fund.Parties{Issuer: pick(b, "", "甲", "乙", "丙", "丁"), ManagerName: pick(b, "", "张", "王", "李", "赵", "钱")},
		Grades:     fund.Grades{Bank: b.grade(), Issuer: b.grade()},
		Listing: fund.Listing{
			Kind:   pick(b, fund.KindUnknown, fund.PublicFund, fund.PublicFund, fund.PublicFund, fund.PublicFund, fund.PublicFund, fund.OwnProduct, fund.PrivateFund, fund.Trust, fund.AssetManagement),
			Status: pick(b, fund.Open, fund.Open, fund.Open, fund.Open, fund.Open, fund.Open, fund.Limited, fund.Limited, fund.Subscription, fund.Closed, fund.Suspended, fund.StatusUnknown),
		},
		Content: fund.Content{Themes: pick(b, nil, []string{"消费"}, []string{"医药", "消费"}, []string{"科技"})},
	}
	if !b.one(12) {
		p.Listing.DueDiligenceID = "DD"
	}
	if b.one(6) {
		p.Listing.PoolFrom, p.Listing.PoolTo = b.near(), b.near()
	}
	p.Terms = fund.Terms{
		LaunchedOn: b.near(), MinPurchase: pick(b, fund.Money(0), 1_000, 100_000, 100_000_000), DayLimit: pick(b, fund.Money(0), 0, 50_000, 1_000_000),
		LockupDays: pick(b, int32(0), 0, 0, 7, 8, 90, 91, 365, 366, 1095),
	}
	if b.one(5) {
		p.Terms.ClosedUntil = b.near()
	}
	if b.one(5) {
		p.Terms.NextOpenOn = b.near()
	}
	if b.one(3) {
		p.Content.Goals = fund.GoalSet(b.rng.IntN(1<<(fund.Goals-1))) << 1
	}
	if i > 0 && b.one(3) {
		// Another share class of the fund before: same fund, same issuer and class.
		before := &b.products[i-1]
		p.ParentCode, p.Type, p.Parties, p.Content = before.FundCode(), before.Type, before.Parties, before.Content
	}
	b.fees(&p)
	return p
}

// grade is R1 to R5, the lower more often, or unknown.
func (b *bank) grade() fund.RiskGrade {
	if b.one(12) {
		return fund.GradeUnknown
	}
	return min(fund.RiskGrade(1+b.rng.IntN(5)), fund.RiskGrade(1+b.rng.IntN(5)))
}

func (b *bank) fees(p *fund.Product) {
	if b.one(5) {
		p.Missing = p.Missing.With(fund.FieldSubscriptionLadder).With(fund.FieldRedemptionLadder)
		return
	}
	p.Fees = fund.FeeSchedule{
		Subscription: []fund.SubscriptionTier{{Below: 100_000_000, Rate: pick(b, fund.BasisPoints(0), 80, 150)}, {Fixed: 100_000}},
		DiscountPct:  pick(b, int32(0), 90),
		Redemption:   []fund.RedemptionTier{{Below: 7, Rate: 150}, {Below: 180, Rate: 50}, {Rate: pick(b, fund.BasisPoints(0), 0, 10)}},
		Management:   pick(b, fund.BasisPoints(0), 30, 120), Custody: 10, Service: pick(b, fund.BasisPoints(0), 40),
	}
}

func (b *bank) purchase() fund.Purchase {
	return fund.Purchase{ProductCode: b.products[b.rng.IntN(len(b.products))].Code, KnownOn: b.day, Kind: pick(b, "BUY", "BUY", "VIEW")}
}

// customer is a random profile with every kind of level, age, standing and wish.
func (b *bank) customer(i int) *fund.Profile {
	p := &fund.Profile{CustomerID: fmt.Sprintf("c%05d", i), Revision: uint64(i)}
	p.Person = fund.Person{
		InvestorType: pick(b, fund.InvestorUnknown, fund.Ordinary, fund.Ordinary, fund.ProfessionalInvestor),
		BirthDate: pick(b, 0, 19800229, 19850615, 19900101, 19771231, 19640229, 19700501, b.day.AddDays(1), b.day.AddMonths(-12*18), b.day.AddDays(1).AddMonths(-12*18),
			b.day.AddMonths(-12*65), b.day.AddDays(1).AddMonths(-12*65), 19400101),
		Capacity: pick(b, fund.CapacityUnknown, fund.CapacityUnknown, fund.FullCapacity, fund.FullCapacity, fund.FullCapacity, fund.FullCapacity,
			fund.FullCapacity, fund.FullCapacity, fund.LimitedCapacity, fund.NoCapacity),
		IsLowestClass: pick(b, fund.Unknown, fund.Unknown, fund.Unknown, fund.No, fund.No, fund.Yes),
		AUM:           pick(b, fund.Money(0), 5_000_000, 300_000_000, 90_000_000_000),
		Segment:       pick(b, "", "MASS", "CORPORATE"),
	}
	if b.one(2) {
		p.Person.Professional = fund.Professional{Class: pick(b, "", "B"), Until: b.near(), ElectsOrdinary: pick(b, fund.Unknown, fund.No, fund.Yes)}
	}
	if !b.one(10) {
		p.Assessment.Level = pick(b, fund.LevelUnknown, fund.C1, fund.C2, fund.C3, fund.C4, fund.C5, fund.C4, fund.C5)
		p.Assessment.On = pick(b, 0, b.day, b.day.AddDays(1), b.day.AddDays(-30), b.day.AddDays(-31), b.day.AddDays(-32), b.day.AddDays(-60), b.day.AddMonths(-12), b.day.AddDays(1).AddMonths(-12), b.day.AddDays(-100), b.day.AddDays(-200), b.day.AddDays(-900))
	}
	p.PredictedLevel = fund.RiskLevel(b.rng.IntN(6))
	if b.one(2) {
		p.Needs.Goals = []fund.Goal{fund.Goal(1 + b.rng.IntN(fund.Goals-1))}
	}
	p.Needs.HorizonMonths = pick(b, int32(0), 1, 6, 12, 40, 60, 24, 36, 120, fund.MaxHorizonMonths)
	p.Needs.Liquidity = fund.Need(b.rng.IntN(fund.Needs))
	p.Personalization = pick(b, fund.Unknown, fund.Unknown, fund.Yes, fund.No)
	if b.one(3) {
		to := pick(b, fund.Forever, b.asOf+1, b.day.AddDays(1).Start()-1)
		p.Tags = []fund.Tag{{Name: "goal", Value: pick(b, "CASH", "GROWTH", "nonsense"), From: pick(b, fund.Instant(0), b.asOf+2), To: to}}
	}
	for range b.rng.IntN(4) {
		p.Lots = append(p.Lots, fund.Lot{ProductCode: b.purchase().ProductCode, Shares: fund.Shares(b.rng.IntN(2) * 10_000), AcquiredOn: b.day})
	}
	slices.SortStableFunc(p.Lots, func(a, b fund.Lot) int { return strings.Compare(a.ProductCode, b.ProductCode) })
	for i := range p.Lots {
		p.Lots[i].Shares *= pick(b, fund.Shares(1), 500)
		p.Lots[i].Cost = pick(b, fund.Money(0), 100, 70_000)
		p.Lots[i].AcquiredOn = b.day.AddDays(-b.rng.IntN(800))
	}
	for range b.rng.IntN(6) {
		p.Purchases = append(p.Purchases, b.purchase())
	}
	slices.SortFunc(p.Purchases, func(a, b fund.Purchase) int {
		return cmp.Or(strings.Compare(a.ProductCode, b.ProductCode), cmp.Compare(a.KnownOn, b.KnownOn), strings.Compare(a.Kind, b.Kind))
	})
	p.Trail = b.trail()
	if b.one(2) {
		p.Consents = []fund.Consent{{Purpose: fund.ConsentCall, Granted: b.one(2), At: b.asOf - 1}}
	}
	return p
}

// trail is what a customer did in the last year or so, some of it after the instant that
// is asked about. Half of the customers did nothing.
func (b *bank) trail() fund.Trail {
	if b.one(2) {
		return fund.Trail{}
	}
	return behaviour.Of(b.events())
}

// events are what a trail is made of, in no order.
func (b *bank) events() []fund.Event {
	var events []fund.Event
	for range b.rng.IntN(30) {
		e := fund.Event{
			Kind: fund.EventKind(1 + b.rng.IntN(fund.EventKinds-1)), At: b.asOf + fund.Instant(b.rng.Int64N(2*86_400_000_000)) - fund.Instant(b.rng.Int64N(400*86_400_000_000)),
			Channel: pick(b, "APP", "BRANCH"), Dwell: pick(b, int32(0), 3, 60),
		}
		if !b.one(6) {
			e.ProductCode = b.purchase().ProductCode
		}
		switch e.Kind { //nolint:exhaustive // the others have nothing of their own
		case fund.ObjectionRaised, fund.EvidenceOpen:
			e.About = objection.Code(b.rng.IntN(int(objection.Codes))).String()
			if e.About == "NOT_NOW" {
				e.Until = b.near()
			}
		case fund.DetailView:
			e.About = pick(b, "", "RISK", "FEE", "COMPARE", "PERFORMANCE")
		case fund.Redeem:
			e.Amount, e.Cost = 90_000, pick(b, fund.Money(0), 70_000, 120_000)
		case fund.Refusal:
			e.Until = pick(b, fund.Date(0), 0, b.day.AddDays(20), b.day.AddDays(300))
		case fund.Complaint:
			e.Closed = b.one(2)
		case fund.OrderConfirm:
			e.Amount = 50_000
		}
		events = append(events, e)
	}
	return events
}

// licensed is a manager in charge who may speak of funds (C03).
var licensed = matcher.Licence{ManagerID: "m1", State: matcher.LicenceValid, Until: 21000101}

// request is a random question within a core's validity.
func (b *bank) request(core *matcher.Core) matcher.Request {
	from, until := core.Validity()
	r := matcher.Request{
		At:      from + fund.Instant(b.rng.Int64N(int64(until-from))),
		Channel: pick(b, fund.App, fund.App, fund.App, fund.Branch, fund.Branch, fund.ChannelUnknown), Licence: pick(b, licensed, licensed, licensed, matcher.Licence{}), Audience: pick(b, wording.Customer, wording.Manager),
		Limit: pick(b, matcher.MinLimit, 3, 5, matcher.DefaultLimit, matcher.MaxLimit),
	}
	if b.one(2) { // whatever is promised of a list is promised of an explored one
		r.Exploration = slate.Exploration{Probability: pick(b, fund.BasisPoints(1), 500, 2000, 2000), Next: pick(b, 1, 5, 20, slate.MaxNext), MaxGap: pick(b, 0, .05, .5, 1e6)}
		r.Seed = b.rng.Uint64()
	}
	if b.one(4) {
		r.Exposures = []experiment.Assignment{{Layer: "model", Experiment: "ease", Arm: pick(b, "control", "ease")}}
	}
	return r
}

// inputs are what the bank's core is compiled from.
func (b *bank) inputs() *matcher.Inputs {
	d := defaults()
	return &matcher.Inputs{
		Identity: matcher.Identity{PoolRevision: 1, DataSeq: 2, AsOf: b.asOf, ModelID: "m", RulesID: "r", WordingID: d.text.Version(), Engine: "test"},
		Products: b.products, Model: d.model, Rules: d.rules, Wording: d.text,
		NAVs:      func(yield func(string, []fund.NAV) error) error { return eachInOrder(b.navs, yield) },
		Purchases: func(yield func(string, []fund.Purchase) error) error { return eachInOrder(b.purchases, yield) },
	}
}

func eachInOrder[T any](m map[string]T, yield func(string, T) error) error {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	for _, k := range keys {
		if err := yield(k, m[k]); err != nil {
			return err
		}
	}
	return nil
}

func (b *bank) compile(tb testing.TB) *matcher.Core {
	tb.Helper()
	return compile(tb, b.inputs())
}

func compile(tb testing.TB, in *matcher.Inputs) *matcher.Core {
	tb.Helper()
	core, err := matcher.Compile(in)
	if err != nil {
		tb.Fatal(err)
	}
	return core
}

func match(tb testing.TB, core *matcher.Core, p *fund.Profile, r matcher.Request) *matcher.Slate {
	tb.Helper()
	var out matcher.Slate
	if err := core.Match(p, r, &out); err != nil {
		tb.Fatal(err)
	}
	return &out
}
