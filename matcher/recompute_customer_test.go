package matcher_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// productRows are facts of the product's papers and of the pool.
func productRows() map[string]row {
	text := func(of func(p *fund.Product) string) row {
		return onPaper(func(p *fund.Product) want { return isText(of(p)) })
	}
	day := func(of func(p *fund.Product) fund.Date) row {
		return onPaper(func(p *fund.Product) want { return isNumber(int(of(p))) })
	}
	return map[string]row{
		"GRADE":         fromPool(func(_ *clerk, p *fund.Product) want { return isText(fmt.Sprintf("R%d", grade(p))) }),
		"STATUS":        fromPool(func(_ *clerk, p *fund.Product) want { return isText(cmp.Or(p.Listing.Status.String(), "UNKNOWN")) }),
		"PEER":          {"POOL", func(k *clerk, c *claim) want { return isText(k.find(c.item.PeerCode).Name) }},
		"MANAGER":       text(func(p *fund.Product) string { return cmp.Or(p.Parties.ManagerName, "UNKNOWN") }),
		"BENCHMARK":     text(func(p *fund.Product) string { return p.Content.Benchmark }),
		"SHARE_CLASS":   text(func(p *fund.Product) string { return p.ShareClass }),
		"CLASS":         {"PRODUCT HOLDINGS BEHAVIOUR", classClaim},
		"CLOSED_UNTIL":  day(func(p *fund.Product) fund.Date { return p.Terms.ClosedUntil }),
		"NEXT_OPEN_ON":  day(func(p *fund.Product) fund.Date { return p.Terms.NextOpenOn }),
		"LAUNCHED_ON":   day(func(p *fund.Product) fund.Date { return p.Terms.LaunchedOn }),
		"MANAGER_SINCE": day(func(p *fund.Product) fund.Date { return p.Parties.ManagerSince }),
		"LOCKUP":        onPaper(func(p *fund.Product) want { return isNumber(p.Terms.LockupDays) }),
		"MIN_PURCHASE":  onPaper(func(p *fund.Product) want { return isNumber(p.Terms.MinPurchase) }),
		"MINIMUM":       onPaper(func(p *fund.Product) want { return isNumber(p.Terms.MinPurchase) }),
		"SIZE":          onPaper(sized),
		"DISCOUNT":      onPaper(func(p *fund.Product) want { return isRatio(float64(p.Fees.DiscountPct) / 100) }),
		"RUNNING":       onPaper(func(p *fund.Product) want { return isRatio(float64(p.Fees.Management+p.Fees.Custody) / 10_000) }),
		"CLOSURE_LINE":  constant("RULES", isNumber(5_000_000_000)), // 公开募集证券投资基金运作管理办法 41
		"PRODUCT_THEME": {"PRODUCT", themeClaim},
		"THEME":         {"PRODUCT TAG", themeClaim},
		"TENURE": {"COMPUTED", func(k *clerk, c *claim) want {
			months := 0
			for monthsLater(k.about(c).Parties.ManagerSince, months+1) <= k.day {
				months++
			}
			return isNumber(months)
		}},
		"PRODUCT_HORIZON": {"MODEL", func(k *clerk, c *claim) want {
			return isNumber(defaults().model.Settings.Classes[k.about(c).Class()].Months)
		}},
		"COMMISSION_IN_RANK": constant("RULES", isText("NO")),
		"SWITCH_OFF":         constant("RULES", isText("PERSONALIZATION")),
		"QUOTED_ON":          {"COMPUTED", func(k *clerk, _ *claim) want { return isNumber(int(k.day)) }},
		"CUTOFF":             constant("CALENDAR", isNumber(15*60)),
		"AVAILABLE_ON":       {"CALENDAR", availableOn},
		"PAYOUTS_FROM":       payoutRow(func(b *navBook, start int, _ []payout) want { return isNumber(int(b.navs[start].Date)) }),
		"PAYOUTS_TO":         payoutRow(func(b *navBook, _ int, _ []payout) want { return isNumber(int(b.last())) }),
		"PAYOUTS":            payoutRow(func(_ *navBook, _ int, all []payout) want { return isNumber(len(all)) }),
		"PAYOUT_LAST_ON":     payoutRow(func(_ *navBook, _ int, all []payout) want { return isNumber(int(all[len(all)-1].on)) }),
		"PAYOUT_LAST":        payoutRow(func(_ *navBook, _ int, all []payout) want { return isRatio(all[len(all)-1].size) }),
		"PAYOUTS_TOTAL": payoutRow(func(_ *navBook, _ int, all []payout) want {
			sum := 0.0
			for _, p := range all {
				sum += p.size
			}
			return isRatio(sum)
		}),
	}
}

func payoutRow(of func(b *navBook, start int, all []payout) want) row {
	return fromNAV(func(_ *clerk, b *navBook, _ *claim) want {
		start, all := b.payouts()
		return of(b, start, all).during(b.window(start))
	})
}

func sized(p *fund.Product) want {
	if p.Parties.Size == 0 {
		return isText("UNKNOWN")
	}
	return isNumber(p.Parties.Size)
}

// classClaim is the product's class, or in the wish's ground the name of the heaviest class
// of what he holds.
func classClaim(k *clerk, c *claim) want {
	if c.where != "wish" {
		return isText(k.about(c).Class().String())
	}
	names := [...]string{"其他产品", "货币基金", "短期债券基金", "债券基金", "债券为主的混合基金", "股票债券均衡的基金", "基金中的基金", "股票基金", "指数基金", "海外基金", "基础设施基金", "商品基金", "股票"}
	for _, at := range k.held {
		if name := names[k.find(at.code).Class()]; name == c.Text {
			return isText(name)
		}
	}
	return nothing()
}

// themeClaim is a theme that both products have.
func themeClaim(k *clerk, c *claim) want {
	if !slices.Contains(k.about(c).Content.Themes, c.Text) {
		return nothing()
	}
	for code := range k.p.Held() {
		if slices.Contains(k.find(code).Content.Themes, c.Text) {
			return isText(c.Text)
		}
	}
	return nothing()
}

// availableOn is the next weekday, today before 15:00 included, not before the product
// opens; a launch takes orders while closed.
func availableOn(k *clerk, c *claim) want {
	now := k.r.At.Time().In(time.FixedZone("CST", 8*60*60))
	day, t := k.day, k.about(c).Terms
	if now.Hour() >= 15 {
		day = day.AddDays(1)
	}
	if k.about(c).Listing.Status != fund.Subscription {
		day = max(day, t.ClosedUntil, t.NextOpenOn)
	}
	for day.Weekday() == 0 || day.Weekday() == 6 {
		day = day.AddDays(1)
	}
	return isNumber(int(day))
}

// costRows are amounts and what they cost.
func costRows() map[string]row {
	ladder := func(of func(tiers []fund.RedemptionTier) float64) row {
		return onPaper(func(p *fund.Product) want { return want{number: of(p.Fees.Redemption)} })
	}
	rate := func(t fund.RedemptionTier) float64 { return float64(t.Rate) * 100 }
	rows := map[string]row{
		"FEE_LAST": ladder(func(t []fund.RedemptionTier) float64 { return rate(t[len(t)-1]) }),
		"FEE": ladder(func(t []fund.RedemptionTier) float64 {
			return rate(slices.MaxFunc(t, func(a, b fund.RedemptionTier) int { return cmp.Compare(a.Rate, b.Rate) }))
		}),
		"FEE_DAYS": ladder(func(t []fund.RedemptionTier) (days float64) {
			for _, step := range t {
				if step.Rate > 0 {
					days = float64(step.Below)
				}
			}
			return days
		}),
		"HORIZON": {"MODEL CUSTOMER", func(k *clerk, c *claim) want {
			if c.Source == "CUSTOMER" {
				return isNumber(min(k.p.Needs.HorizonMonths, fund.MaxHorizonMonths))
			}
			return isNumber(k.horizon(c))
		}},
		"AMOUNT": {"COMPUTED", func(k *clerk, c *claim) want {
			if plan := c.item.Conversion.Plan; c.where == "conversion" && plan.Amount > 0 {
				return k.part(c)
			}
			if c.where == "conversion" {
				return isMoney(k.suggestion(c))
			}
			return isMoney(k.amount(c))
		}},
		"HELD": {"COMPUTED", func(k *clerk, c *claim) want { return isNumber(k.horizon(c)) }},
		"CHEAPER_CLASS": {"COMPUTED", func(k *clerk, c *claim) want {
			other := map[string]string{"A": "C", "C": "A"}[k.about(c).ShareClass]
			own := k.costs(k.about(c), c)
			for _, cost := range k.classCosts(c, other) {
				if cost < own.entry+own.service+own.exit {
					return isText(other)
				}
			}
			return nothing()
		}},
		"CHEAPER": {"COMPUTED", func(k *clerk, c *claim) want {
			a, other := k.classCosts(c, "A"), k.classCosts(c, "C")
			if len(a) != 1 || len(other) != 1 {
				return isText(c.Text) // several A: which is on offer is the gate's word
			}
			if other[0] < a[0] {
				return isText("C")
			}
			return isText("A")
		}},
	}
	for i := range 3 {
		rows[fmt.Sprintf("DAYS_%d", i+1)] = ladder(func(t []fund.RedemptionTier) float64 { return float64(t[i].Below) })
		rows[fmt.Sprintf("FEE_%d", i+1)] = ladder(func(t []fund.RedemptionTier) float64 { return rate(t[i]) })
	}
	for field, of := range map[string]func(x costs) int64{
		"COST": func(x costs) int64 { return x.entry + x.service + x.exit }, "RUNNING_COST": func(x costs) int64 { return x.running },
		"TOTAL_COST": func(x costs) int64 { return x.entry + x.service + x.exit + x.running }, "ENTRY_FEE": func(x costs) int64 { return x.entry },
	} {
		rows[field] = row{"COMPUTED", func(k *clerk, c *claim) want { return isNumber(of(k.costs(k.about(c), c))) }}
	}
	cost := rows["COST"].of
	rows["COST"] = row{"COMPUTED PRODUCT", func(k *clerk, c *claim) want {
		if k.about(c).Missing != 0 {
			return isText("UNKNOWN")
		}
		return cost(k, c)
	}}
	for _, class := range []string{"A", "C"} {
		rows["COST_"+class] = row{"COMPUTED", func(k *clerk, c *claim) want {
			all := k.classCosts(c, class)
			if len(all) == 0 {
				return nothing()
			}
			return want{number: float64(all[0]), others: all}
		}}
	}
	return rows
}

func (k *clerk) classCosts(c *claim, class string) (all []int64) {
	for i := range k.products {
		if p := &k.products[i]; p.FundCode() == k.about(c).FundCode() && p.ShareClass == class && p.Missing == 0 {
			x := k.costs(p, c)
			all = append(all, x.entry+x.service+x.exit)
		}
	}
	return all
}

// horizon is the months that costs are of: his own where they may be read, else a year.
func (k *clerk) horizon(c *claim) int {
	if c.slate.Personal && c.slate.Wish.HorizonMonths > 0 {
		return int(c.slate.Wish.HorizonMonths)
	}
	return 12
}

const reference = 5_000_000.0 // fen: what costs are of where no amount is suggested

// amount is what an item's costs are of: the suggestion, else the reference. Where his
// means are unknown the suggestion is the least that can be bought, of which no cost tells
// anything: then the reference, as far as a day's limit goes.
func (k *clerk) amount(c *claim) float64 {
	sum := k.suggestion(c)
	if !c.slate.Personal || k.p.Person.AUM <= 0 {
		sum = max(sum, reference)
		if limit := float64(k.about(c).Terms.DayLimit); limit > 0 {
			sum = min(sum, limit)
		}
	}
	return cmp.Or(sum, reference)
}

func down(x, to float64) float64 { return math.Floor(x/to) * to }

// suggestion is a twentieth of his assets by his need, within a fifth less what he has of
// the fund, whole hundreds of yuan, within the product's terms.
func (k *clerk) suggestion(c *claim) float64 {
	p, sum := k.about(c), 0.0
	least, limit := k.least(p), float64(p.Terms.DayLimit)
	if c.slate.Personal && k.mostOrdered(c) < max(least, 1) {
		return 0
	}
	if aum := float64(k.p.Person.AUM); c.slate.Personal && aum > 0 {
		room := k.room(c)
		if least > room {
			return 0
		}
		part := map[fund.Need]float64{fund.NeedLow: 1, fund.NeedMedium: .75, fund.NeedHigh: .5, fund.NeedUnknown: .75}[c.slate.Wish.Need]
		sum = down(min(aum*.05*part, room, k.mostOrdered(c))+1e-6, 10_000)
	}
	return within(sum, least, limit)
}

func within(sum, least, limit float64) float64 {
	if limit > 0 {
		sum = min(sum, down(limit/2, 10_000))
	}
	if sum = max(sum, least); limit > 0 {
		sum = min(sum, limit)
	}
	return sum
}

// room is what one fund may still take of his assets: a fifth.
func (k *clerk) room(c *claim) float64 {
	room := float64(k.p.Person.AUM) * .2
	for _, at := range k.held {
		if k.find(at.code).FundCode() == k.about(c).FundCode() {
			room -= at.value
		}
	}
	return max(0, room)
}

// part is one part of a plan: a tenth of a month's income, at most the suggestion.
func (k *clerk) part(c *claim) want {
	t := k.about(c).Terms
	if k.p.Person.Income == 0 {
		return isNumber(t.MinPurchase)
	}
	part := math.Floor(math.Floor(float64(k.p.Person.Income)/12)/10_000) * 1_000
	if s := k.suggestion(c); s > 0 {
		part = min(part, s)
	}
	return isMoney(within(down(part, 10_000), float64(t.MinPurchase), float64(t.DayLimit)))
}

// costs are of an amount over a horizon, in fen.
type costs struct{ entry, service, running, exit int64 }

// half rounds a fraction half up.
func half(num, den *big.Int) int64 {
	twice := new(big.Int).Add(new(big.Int).Mul(num, big.NewInt(2)), den)
	return twice.Div(twice, new(big.Int).Mul(den, big.NewInt(2))).Int64()
}

func times(xs ...int64) *big.Int {
	out := big.NewInt(1)
	for _, x := range xs {
		out.Mul(out, big.NewInt(x))
	}
	return out
}

// costs follows docs/conversions.md: 外扣法, steps by the gross amount and by days held, the
// service fee for a year at most since F03 is in force, the price unmoved.
func (k *clerk) costs(p *fund.Product, c *claim) (x costs) {
	amount, days := int64(math.Round(k.amount(c))), int64(math.Ceil(float64(k.horizon(c))*30.4375))
	kept := int64(100 - p.Fees.DiscountPct)
	for _, t := range p.Fees.Subscription {
		if t.Below == 0 || fund.Money(amount) < t.Below {
			x.entry = amount - half(times(amount, 1_000_000), big.NewInt(1_000_000+int64(t.Rate)*kept))
			if t.Fixed > 0 {
				x.entry = min(amount, half(times(int64(t.Fixed), kept), big.NewInt(100)))
			}
			break
		}
	}
	net, serviceDays := amount-x.entry, min(days, 365)
	if p.Class() == fund.MoneyMarket || k.day < 20260101 { // the day on which F03 begins
		serviceDays = days
	}
	year := big.NewInt(10_000 * 365)
	x.service = half(times(net, int64(p.Fees.Service), serviceDays), year)
	x.running = half(times(net, int64(p.Fees.Management+p.Fees.Custody), days), year)
	x.exit = exitFee(p, float64(net), int(days))
	return x
}

func exitFee(p *fund.Product, value float64, days int) int64 {
	for _, t := range p.Fees.Redemption {
		if t.Below == 0 || days < int(t.Below) {
			return half(times(int64(value), int64(t.Rate)), big.NewInt(10_000))
		}
	}
	return 0
}

// goalNames name the goals to customers.
var goalNames = [...]string{"", "日常备用", "稳健收益", "长期增值", "子女教育", "养老", "抵御物价上涨", "购房", "个人养老金", "企业闲置资金"}

// companyGoals name those that mean something else to a company.
var companyGoals = map[fund.Goal]string{fund.Education: "员工教育培训", fund.Retirement: "员工养老", fund.House: "购置房产"}

// personRows are facts of who he is, what he wants and what he said.
func personRows() map[string]row {
	shanghai := func(d fund.Date) time.Time {
		return time.Date(d.Year(), time.Month(d.Month()), d.Day(), 0, 0, 0, 0, time.UTC)
	}
	expires := func(k *clerk, _ *claim) want {
		later := shanghai(k.p.Assessment.On).AddDate(1, 0, 0)
		return isNumber(later.Year()*10_000 + int(later.Month())*100 + later.Day())
	}
	return map[string]row{
		"LEVEL":       {"CUSTOMER", func(k *clerk, _ *claim) want { return isText(fmt.Sprintf("C%d", k.p.Assessment.Level)) }},
		"ASSESSED_ON": {"CUSTOMER", func(k *clerk, _ *claim) want { return isNumber(int(k.p.Assessment.On)) }},
		"EXPIRES_ON":  {"CUSTOMER", expires},
		"EXPIRED_ON":  {"CUSTOMER", expires},
		"NEED":        {"CUSTOMER", func(k *clerk, _ *claim) want { return isText(k.p.Needs.Liquidity.String()) }},
		"AT_HAND":     {"COMPUTED", func(k *clerk, c *claim) want { return isMoney(k.room(c)) }},
		"GOAL": {"CUSTOMER HOLDINGS MODEL TAG PRODUCT BEHAVIOUR", func(k *clerk, c *claim) want {
			w := isText(goalNames[c.slate.Wish.Goal])
			if name := companyGoals[c.slate.Wish.Goal]; c.where == "wish" && name != "" && k.p.Person.IsCompany() {
				w = isText(name)
			}
			if t, ok := k.p.Tag("goal", k.r.At); ok && c.Source == "TAG" && t.From != 0 {
				w = w.during(fund.Window{From: t.From.Date(), To: k.day}).aged(int32(k.day.DaysSince(t.From.Date())))
			}
			return w
		}},
		"WANTED_GOAL": {"CUSTOMER HOLDINGS TAG BEHAVIOUR", func(k *clerk, c *claim) want {
			switch c.Source {
			case "CUSTOMER":
				return isText(k.p.Needs.Goals[0].String())
			case "TAG":
				t, _ := k.p.Tag("goal", k.r.At)
				return isText(t.Value)
			}
			return isText(c.slate.Wish.Goal.String())
		}},
		"SERVED_GOAL": {"MODEL PRODUCT", func(k *clerk, c *claim) want {
			p, goal := k.about(c), c.slate.Wish.Goal
			serves := defaults().model.Settings.Goals[goal][p.Class()] > 0
			if p.Content.Goals != 0 {
				serves = p.Content.Goals.Has(goal)
			}
			if serves {
				return isText(goal.String())
			}
			return isText("OTHER")
		}},
		"SHARE": {"HOLDINGS", shareOfGoal},
		"AGE_BAND": {"CUSTOMER", func(k *clerk, _ *claim) want {
			bands := map[int]string{18: "不满30岁", 30: "30至44岁", 45: "45至59岁", 60: "60岁及以上"}
			for _, age := range []int{60, 45, 30, 18} {
				if shanghai(k.p.Person.BirthDate).AddDate(age, 0, 0).Compare(shanghai(k.day)) <= 0 {
					return isText(bands[age])
				}
			}
			return nothing()
		}},
		"SEGMENT":         constant("CUSTOMER", isText("企业客户")),
		"INDUSTRY":        constant("CUSTOMER", isText("其他行业")), // random companies have none on file
		"CYCLE":           constant("MODEL", isNumber(3)),
		"USUAL_NEED":      constant("MODEL", isText("MEDIUM")),
		"OPEN_COMPLAINTS": {"BEHAVIOUR EVENTS", func(k *clerk, _ *claim) want { return isNumber(len(k.complaints())) }},
		"COMPLAINTS":      {"CUSTOMER", func(k *clerk, _ *claim) want { return isNumber(len(k.complaints())) }},
		"UNTIL":           {"CUSTOMER EVENTS", until},
	}
}

// shareOfGoal is how much of what he holds serves the goal that was concluded from it best.
func shareOfGoal(k *clerk, c *claim) want {
	fits, total := &defaults().model.Settings.Goals, 0.0
	tell := []fund.Goal{fund.Cash, fund.SteadyIncome, fund.Growth, fund.Inflation}
	if k.p.Person.IsCompany() {
		tell[0] = fund.Treasury
	}
	share := 0.0
	for _, at := range k.held {
		total += at.value
	}
	for _, at := range k.held {
		class := k.find(at.code).Class()
		best := slices.MaxFunc(tell, func(a, b fund.Goal) int { return cmp.Compare(fits[a][class], fits[b][class]) })
		if best == c.slate.Wish.Goal && fits[best][class] >= .5 {
			share += at.value / total
		}
	}
	return want{number: share * 1e6, slack: float64(len(k.held)) + .5}
}

// complaints are those that are open.
func (k *clerk) complaints() (open []fund.Event) {
	for i := range k.deeds {
		if e := &k.deeds[i]; e.Kind == fund.Complaint && !e.Closed && !closedLater(k.deeds[i+1:], e, k.r.At) && !k.closedAtOnce(i) {
			open = append(open, *e)
		}
	}
	return open
}

// closedAtOnce reports whether a closing at the very instant stands before the complaint.
func (k *clerk) closedAtOnce(i int) bool {
	e := &k.deeds[i]
	return slices.ContainsFunc(k.deeds[:i], func(x fund.Event) bool {
		return x.Kind == fund.Complaint && x.Closed && x.At == e.At && (x.ProductCode == "" || x.ProductCode == e.ProductCode)
	})
}

// until is the day on which a refusal, a complaint or a day that he named is over.
func until(k *clerk, c *claim) want {
	last := fund.Instant(0)
	for i := range k.deeds {
		e := &k.deeds[i]
		every := e.ProductCode == "" && (c.where == "notice CUSTOMER_REFUSED" || k.r.Channel != fund.App)
		about := c.product != "" && e.ProductCode != "" && k.find(e.ProductCode).FundCode() == k.about(c).FundCode()
		if e.Kind == fund.Refusal && refusalEnds(e) > k.r.At && (every || about) {
			last = max(last, refusalEnds(e))
		}
	}
	if c.where == "notice COMPLAINT_OPEN" {
		last = 0
		for _, e := range k.complaints() {
			last = max(last, e.At.Date().AddDays(180).Start())
		}
	}
	if last != 0 {
		return isNumber(int(last.Date()))
	}
	named, ofAll := fund.Date(0), fund.Date(0)
	for _, e := range k.deeds { // the day that he named last, of this product and of none
		switch put := e.Kind == fund.ObjectionRaised && e.About == "NOT_NOW" && e.Until != 0; {
		case put && e.ProductCode == c.product:
			named = e.Until
		case put && e.ProductCode == "" && c.where == "conversion" && k.r.Channel != fund.App:
			ofAll = e.Until
		}
	}
	return isNumber(int(max(named, ofAll)))
}

// holdingRows are what leaving a holding costs.
func holdingRows() map[string]row {
	rows := map[string]row{
		"UNLOCK_ON": {"HOLDINGS", func(k *clerk, c *claim) want {
			first := fund.Date(0)
			for _, l := range k.lots(c) {
				if on := k.opensOn(c, l); on > k.day && (first == 0 || on < first) {
					first = on
				}
			}
			return isNumber(int(first))
		}},
		"LOCKED_LOTS": {"HOLDINGS", func(k *clerk, c *claim) want { return isNumber(len(k.lots(c)) - len(k.free(c))) }},
	}
	priced := func(field string, of func(k *clerk, c *claim) (fen float64, w fund.Window)) {
		rows[field] = row{"HOLDINGS", func(k *clerk, c *claim) want {
			fen, w := of(k, c)
			return isMoney(fen).during(w).aged(k.book(c).stale())
		}}
	}
	sum := func(k *clerk, c *claim, of func(l fund.Lot, value float64) float64) (fen float64) {
		for _, l := range k.free(c) {
			fen += of(l, k.worth(l))
		}
		return fen
	}
	priced("HOLDING_VALUE", func(k *clerk, c *claim) (float64, fund.Window) {
		return sum(k, c, func(_ fund.Lot, value float64) float64 { return value }), fund.Window{}
	})
	fee := func(k *clerk, c *claim, on fund.Date) func(fund.Lot, float64) float64 {
		return func(l fund.Lot, value float64) float64 {
			return float64(exitFee(k.about(c), value, on.DaysSince(l.AcquiredOn)))
		}
	}
	priced("EXIT_FEE", func(k *clerk, c *claim) (float64, fund.Window) { return sum(k, c, fee(k, c, k.day)), fund.Window{} })
	priced("EXIT_FEE_LOT", func(k *clerk, c *claim) (float64, fund.Window) {
		return sum(k, c, func(l fund.Lot, value float64) float64 {
			if l.AcquiredOn != c.Window.From {
				return 0
			}
			return fee(k, c, k.day)(l, value)
		}), fund.Window{From: c.Window.From, To: k.day}
	})
	priced("CHEAPER_FEE", func(k *clerk, c *claim) (float64, fund.Window) {
		on, _ := k.cheaper(c)
		return sum(k, c, fee(k, c, on)), fund.Window{}
	})
	rows["CHEAPER_ON"] = row{"HOLDINGS", func(k *clerk, c *claim) want { on, _ := k.cheaper(c); return isNumber(int(on)) }}
	rows["CHEAPER_LOTS"] = row{"HOLDINGS", func(k *clerk, c *claim) want { _, lots := k.cheaper(c); return isNumber(lots) }}
	return rows
}

func (k *clerk) lots(c *claim) []fund.Lot {
	for _, at := range k.held {
		if at.code == c.product {
			return at.lots
		}
	}
	return nil
}

func (k *clerk) opensOn(c *claim, l fund.Lot) fund.Date {
	t := k.about(c).Terms
	return max(t.ClosedUntil, t.NextOpenOn, l.AcquiredOn.AddDays(int(t.LockupDays)))
}

func (k *clerk) free(c *claim) (all []fund.Lot) {
	for _, l := range k.lots(c) {
		if k.opensOn(c, l) <= k.day {
			all = append(all, l)
		}
	}
	return all
}

func (k *clerk) worth(l fund.Lot) float64 {
	b := k.books[l.ProductCode]
	return math.Floor(float64(l.Shares)*b.navs[len(b.navs)-1].Unit/100 + .5)
}

// cheaper is the first day within ninety on which a lot's rate is lower, and how many are.
func (k *clerk) cheaper(c *claim) (on fund.Date, lots int) {
	rate := func(l fund.Lot, day fund.Date) int64 { return exitFee(k.about(c), 10_000, day.DaysSince(l.AcquiredOn)) }
	for days := 1; days <= 90 && lots == 0; days++ {
		on = k.day.AddDays(days)
		for _, l := range k.free(c) {
			if rate(l, on) < rate(l, k.day) {
				lots++
			}
		}
	}
	return on, lots
}

// behaviourRows are the facts of a manager's brief.
func behaviourRows() map[string]row {
	rows := map[string]row{}
	of := func(field string, figure func(k *clerk) want) {
		rows[field] = row{"BEHAVIOUR", func(k *clerk, _ *claim) want { return figure(k) }}
	}
	window := func(k *clerk, days int) fund.Window { return fund.Window{From: k.day.AddDays(1 - days), To: k.day} }
	for name, acts := range map[string]func(k *clerk) []act{
		"PURCHASE": (*clerk).purchases, "REDEMPTION": (*clerk).redemptions, "VISIT": (*clerk).visits, "CONTACT": (*clerk).contacts,
	} {
		of("LAST_"+name+"_ON", func(k *clerk) want { all := acts(k); return isNumber(int(all[len(all)-1].on)) })
		of(name+"S", func(k *clerk) want { return isNumber(len(acts(k))) })
		for _, days := range []int{30, 90, 365} {
			of(fmt.Sprintf("%sS_%d", name, days), func(k *clerk) want {
				n, _ := since(acts(k), k.day.AddDays(1-days))
				return isNumber(n).during(window(k, days))
			})
		}
		if sum := map[string]string{"PURCHASE": "PURCHASED", "REDEMPTION": "REDEEMED"}[name]; sum != "" {
			of(sum, func(k *clerk) want { _, fen := since(acts(k), 0); return isMoney(fen) })
			of(sum+"_365", func(k *clerk) want {
				_, fen := since(acts(k), k.day.AddDays(-364))
				return isMoney(fen).during(window(k, 365))
			})
		}
	}
	portfolioRows(of)
	lossRows(of)
	habitRows(of, window)
	return rows
}

// act is one dated act.
type act struct {
	on  fund.Date
	fen float64
}

func since(all []act, from fund.Date) (n int, fen float64) {
	for _, a := range all {
		if a.on >= from {
			n++
			fen += a.fen
		}
	}
	return n, fen
}

func (k *clerk) actsOf(kinds ...fund.EventKind) (all []act) {
	for _, e := range k.deeds {
		if slices.Contains(kinds, e.Kind) {
			all = append(all, act{e.At.Date(), float64(e.Amount)})
		}
	}
	return all
}

func (k *clerk) visits() []act      { return k.actsOf(fund.Click, fund.DetailView) }
func (k *clerk) contacts() []act    { return k.actsOf(fund.Contact) }
func (k *clerk) redemptions() []act { return k.actsOf(fund.Redeem) }

// purchases are his interactions, or where there is none the confirmed orders.
func (k *clerk) purchases() (all []act) {
	for _, b := range k.p.Purchases {
		if b.Kind == "BUY" {
			all = append(all, act{b.KnownOn, float64(b.Amount)})
		}
	}
	if len(all) == 0 {
		return k.actsOf(fund.OrderConfirm)
	}
	return all
}

// staleness is the age of the oldest NAV that he is valued by.
func (k *clerk) staleness() (days int32) {
	for _, at := range k.held {
		if at.lastNAV != 0 {
			days = max(days, int32(k.day.DaysSince(at.lastNAV)))
		}
	}
	return days
}

func (k *clerk) total() (fen float64) {
	for _, at := range k.held {
		fen += at.value
	}
	return fen
}

// index is the sum of the squared shares by a key, of those that have one.
func (k *clerk) index(key func(p *fund.Product) string) (herfindahl, largest float64) {
	by, total := map[string]float64{}, 0.0
	for _, at := range k.held {
		if name := key(k.find(at.code)); name != "" {
			by[name] += at.value
			total += at.value
		}
	}
	for _, v := range by {
		herfindahl += v / total * v / total
		largest = max(largest, v/total)
	}
	return herfindahl, largest
}

func portfolioRows(of func(string, func(*clerk) want)) {
	valued := func(field string, figure func(k *clerk) want) {
		of(field, func(k *clerk) want { return figure(k).aged(k.staleness()) })
	}
	valued("PORTFOLIO_VALUE", func(k *clerk) want { return isMoney(k.total()) })
	of("PORTFOLIO_COST", func(k *clerk) want {
		sum := 0.0
		for _, at := range k.held {
			sum += at.cost
		}
		return isMoney(sum)
	})
	valued("OPEN_RESULT", func(k *clerk) want {
		value, cost := 0.0, 0.0
		for _, at := range k.held {
			if at.value > 0 && at.cost > 0 {
				value, cost = value+at.value, cost+at.cost
			}
		}
		return isRatio(value/cost - 1)
	})
	valued("LARGEST_FUND", func(k *clerk) want { _, r := k.index((*fund.Product).FundCode); return isRatio(r) })
	valued("HHI_FUND", func(k *clerk) want { r, _ := k.index((*fund.Product).FundCode); return isRatio(r) })
	valued("HHI_ISSUER", func(k *clerk) want {
		r, _ := k.index(func(p *fund.Product) string { return p.Parties.Issuer })
		return isRatio(r)
	})
	valued("HHI_THEME", func(k *clerk) want {
		r, _ := k.index(func(p *fund.Product) string { return append(slices.Clone(p.Content.Themes), "")[0] })
		return isRatio(r)
	})
	valued("ABOVE_LEVEL", func(k *clerk) want { above, _ := k.grades(); return isRatio(above) })
	valued("GRADE_GAP", func(k *clerk) want { _, gap := k.grades(); return isRatio(gap) })
	of("NEW_ISSUES", func(k *clerk) want {
		fresh, all := 0.0, 0.0
		for _, b := range k.p.Purchases {
			if on := k.find(b.ProductCode).Terms.LaunchedOn; b.Kind == "BUY" && on != 0 {
				all++
				if b.KnownOn <= on.AddDays(180) {
					fresh++
				}
			}
		}
		if all == 0 {
			for _, e := range k.deeds {
				if e.Kind != fund.OrderConfirm || e.ProductCode == "" {
					continue
				}
				if on := k.find(e.ProductCode).Terms.LaunchedOn; on != 0 {
					all++
					if e.At.Date() <= on.AddDays(180) {
						fresh++
					}
				}
			}
		}
		return isRatio(fresh / all)
	})
	valued("HOLDING_DAYS", func(k *clerk) want { return k.age() })
	valued("TURNOVER", func(k *clerk) want {
		_, redeemed := since(k.redemptions(), k.day.AddDays(-364))
		return isRatio(redeemed / (redeemed + k.total())).during(fund.Window{From: k.day.AddDays(-364), To: k.day})
	})
}

// age is the mean age of the lots by value, in days.
func (k *clerk) age() want {
	sum, weight := 0.0, 0.0
	for _, at := range k.held {
		sum, weight = sum+at.ageSum, weight+at.ageValue
	}
	return want{number: sum / weight, slack: .5 + 1e-9} // rounded half up; the sum's order moves a half
}

// grades are the share above his level and the mean grade less the level.
func (k *clerk) grades() (above, gap float64) {
	total, level := 0.0, float64(k.p.Assessment.Level)
	for _, at := range k.held {
		g := float64(grade(k.find(at.code)))
		if g == 0 {
			continue
		}
		total += at.value
		gap += g * at.value
		if g > level {
			above += at.value
		}
	}
	return above / total, gap/total - level
}

// loser is the position with the lowest result below 0, of equals the first.
func (k *clerk) loser() (code string, result float64) {
	for _, at := range k.held {
		if at.value > 0 && at.cost > 0 && at.value/at.cost-1 < result {
			code, result = at.code, at.value/at.cost-1
		}
	}
	return code, result
}

func lossRows(of func(string, func(*clerk) want)) {
	valued := func(field string, figure func(k *clerk) want) {
		of(field, func(k *clerk) want { return figure(k).aged(k.staleness()) })
	}
	valued("OPEN_LOSS", func(k *clerk) want {
		sum := 0.0
		for _, at := range k.held {
			if at.value > 0 && at.cost > at.value {
				sum += at.cost - at.value
			}
		}
		return isMoney(sum)
	})
	valued("WORST_RESULT", func(k *clerk) want { _, r := k.loser(); return isRatio(r) })
	of("WORST_PRODUCT", func(k *clerk) want { code, _ := k.loser(); return isText(code) })
	of("REALISED_RESULT", func(k *clerk) want { sum, _ := k.realised(); return isMoney(sum) })
	of("SOLD_AT_LOSS", func(k *clerk) want { _, n := k.realised(); return isNumber(n) })
	of("FALL_BORNE", func(k *clerk) want { return isNumber(k.bore().borne) })
	of("SOLD_IN_FALL", func(k *clerk) want { return isNumber(k.bore().sold) })
	of("KEPT_IN_FALL", func(k *clerk) want { return isNumber(k.bore().kept) })
	of("ADDED_IN_FALL", func(k *clerk) want { return isNumber(k.bore().added) })
	of("SILENT_AFTER_FALL", func(k *clerk) want { return isNumber(k.bore().silent) })
}

func (k *clerk) realised() (sum float64, losses int) {
	for _, e := range k.deeds {
		if e.Kind == fund.Redeem && e.Amount > 0 && e.Cost > 0 {
			sum += float64(e.Amount - e.Cost)
			if e.Amount < e.Cost {
				losses++
			}
		}
	}
	return sum, losses
}

// bearing is how he bore falls.
type bearing struct {
	borne                     fund.Ratio
	sold, kept, added, silent int
}

func (k *clerk) bore() (b bearing) {
	codes := map[string]bool{}
	for _, l := range k.p.Lots {
		codes[l.ProductCode] = true
	}
	for _, x := range k.p.Purchases {
		codes[x.ProductCode] = true
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		for _, f := range k.books[code].falls() {
			k.bear(code, f, &b)
		}
	}
	return b
}

// bear files one fall of a product. Random interactions are of the day itself: they lie
// after every trough, so what he had he has in lots.
func (k *clerk) bear(code string, f fund.Fall, b *bearing) {
	first := fund.Date(0)
	var lots []fund.Lot
	for _, at := range k.held {
		if at.code == code {
			lots = at.lots
		}
	}
	for _, l := range lots {
		if first == 0 || l.AcquiredOn < first {
			first = l.AcquiredOn
		}
	}
	if first == 0 || first >= f.TroughOn {
		return
	}
	silence := f.TroughOn.AddDays(60)
	if visits := k.visits(); len(visits) > 0 && visits[0].on <= f.TroughOn && silence <= k.day {
		before, _ := since(visits, f.TroughOn.AddDays(-364))
		after, _ := since(visits, f.TroughOn.AddDays(1))
		later, _ := since(visits, silence.AddDays(1))
		if before > after && after == later {
			b.silent++
		}
	}
	in := func(on fund.Date) bool {
		return on >= f.PeakOn && (f.RecoveredOn == 0 || on <= max(f.RecoveredOn, silence))
	}
	for _, e := range k.deeds {
		if e.Kind == fund.Redeem && e.ProductCode == code && in(e.At.Date()) {
			b.sold++
			return
		}
	}
	added := slices.ContainsFunc(lots, func(l fund.Lot) bool { return l.AcquiredOn > first && in(l.AcquiredOn) }) ||
		slices.ContainsFunc(k.p.Purchases, func(x fund.Purchase) bool {
			return x.ProductCode == code && x.Kind == "BUY" && x.KnownOn > first && in(x.KnownOn)
		})
	if added {
		b.added++
	} else {
		b.kept++
	}
	if first <= f.PeakOn {
		b.borne = min(b.borne, f.Depth)
	}
}

func habitRows(of func(string, func(*clerk) want), window func(*clerk, int) fund.Window) {
	of("CHANNEL", func(k *clerk) want {
		n := map[string]int{}
		for _, e := range k.deeds {
			switch e.Kind {
			case fund.Exposure, fund.Contact, fund.Complaint, fund.Redeem:
			default:
				n[e.Channel]++
			}
		}
		return isText(slices.MinFunc(slices.Collect(maps.Keys(n)), func(a, b string) int {
			return cmp.Or(cmp.Compare(n[b], n[a]), strings.Compare(a, b))
		}))
	})
	of("CHURN", func(k *clerk) want {
		year, quarter := k.day.AddDays(-364), k.day.AddDays(-89)
		signs := 0
		v365, _ := since(k.visits(), year)
		v90, _ := since(k.visits(), quarter)
		r90, _ := since(k.redemptions(), quarter)
		b90, _ := since(k.purchases(), quarter)
		_, out := since(k.redemptions(), year)
		_, in := since(k.purchases(), year)
		for _, sign := range []bool{v365 >= 4 && v90 == 0, r90 > 0 && b90 == 0, k.allValued() && out > 0 && out >= k.total() && in < out} {
			if sign {
				signs++
			}
		}
		return isText([]string{"LOW", "MEDIUM", "HIGH", "HIGH"}[signs])
	})
	of("POSTPONEMENTS_365", func(k *clerk) want { return isNumber(k.postponed()).during(window(k, 365)) })
	of("LAST_PAGE", func(k *clerk) want {
		page := ""
		for _, e := range k.deeds {
			if (e.Kind == fund.Click || e.Kind == fund.DetailView) && e.About != "" {
				page = e.About
			}
		}
		return isText(page)
	})
	of("DWELL_SECONDS_90", func(k *clerk) want { return k.dwelt().during(window(k, 90)) })
	of("LAST_SEEN_ON", func(k *clerk) want {
		last := fund.Date(0)
		for _, e := range k.deeds {
			if e.Kind != fund.Exposure && e.Kind != fund.Contact && (e.Kind != fund.Complaint || !e.Closed) {
				last = max(last, e.At.Date())
			}
		}
		for _, a := range k.purchases() {
			last = max(last, a.on)
		}
		return isNumber(int(last))
	})
	of("BUSIEST_MONTH", func(k *clerk) want {
		var months [13]int
		for _, a := range k.purchases() {
			months[a.on.Month()]++
		}
		most := slices.Max(months[:])
		return isNumber(slices.Index(months[:], most))
	})
	of("NEXT_STEP", (*clerk).nextStep)
	of("REFUSED_ON", func(k *clerk) want { return isNumber(int(k.refusedAll().At.Date())) })
	of("REFUSED_UNTIL", func(k *clerk) want { return isNumber(int(k.refusedAll().Until)) })
	of("REFUSED_FOR", func(k *clerk) want { return isText(k.refusedAll().About) })
}

// allValued reports whether everything that he has has a value: what he bought and is not
// known to have in lots has none.
func (k *clerk) allValued() bool {
	if len(k.p.Lots) == 0 {
		for range k.p.Held() {
			return false
		}
	}
	return !slices.ContainsFunc(k.held, func(p position) bool { return p.value == 0 && p.lastNAV == 0 })
}

func (k *clerk) postponed() (n int) {
	for _, e := range k.deeds {
		put := e.Kind == fund.OrderAbandon || e.Kind == fund.ObjectionRaised && e.About == "NOT_NOW"
		if put && e.At.Date() >= k.day.AddDays(-364) {
			n++
		}
	}
	return n
}

func (k *clerk) dwelt() want {
	sum, n := 0.0, 0.0
	for _, e := range k.deeds {
		if e.Kind == fund.DetailView && e.Dwell > 0 && e.At.Date() >= k.day.AddDays(-89) {
			sum, n = sum+float64(e.Dwell), n+1
		}
	}
	return want{number: math.Floor(sum/n + .5)}
}

func (k *clerk) refusedAll() (last fund.Event) {
	for _, e := range k.deeds {
		if e.Kind == fund.Refusal && e.ProductCode == "" {
			e.Until = max(e.Until, last.Until) // a later one never shortens an earlier one
			last = e
		}
	}
	return last
}

// stations are the key nodes by kind, in the order of the way.
var stations = map[fund.EventKind]int{
	fund.Exposure: 1, fund.Click: 2, fund.DetailView: 2, fund.ObjectionRaised: 3, fund.EvidenceOpen: 3, fund.OrderStart: 4, fund.OrderAbandon: 5, fund.OrderConfirm: 6,
}

// nextStep follows the product that something happened about last, by its last node or its
// refusal: an exposure moves nobody back.
func (k *clerk) nextStep() want {
	type way struct {
		node int
		at   fund.Instant
	}
	ways, when := map[string]way{}, map[string]fund.Instant{}
	for _, e := range k.deeds {
		w, node := ways[e.ProductCode], stations[e.Kind]
		if e.ProductCode == "" {
			continue
		}
		if e.Kind == fund.Refusal {
			when[e.ProductCode] = e.At
			ways[e.ProductCode] = w
		}
		if node > 1 || node == 1 && w.node <= 1 {
			ways[e.ProductCode] = way{node, e.At}
			when[e.ProductCode] = e.At
		}
	}
	newest := ""
	for _, code := range slices.Sorted(maps.Keys(ways)) {
		if newest == "" || when[code] > when[newest] {
			newest = code
		}
	}
	next := []string{"", "VIEWED", "ASKED", "STARTED", "CONFIRMED", "ASKED", ""}[ways[newest].node]
	if next == "" {
		return nothing()
	}
	return isText(next)
}

// groundRows are the facts of him behind a doubt, and what compares a product with his.
func groundRows() map[string]row {
	rows := map[string]row{}
	of := func(field, sources string, figure func(k *clerk, c *claim) want) { rows[field] = row{sources, figure} }
	both := func(field string, figure func(k *clerk) want) {
		of(field, "CUSTOMER BEHAVIOUR", func(k *clerk, _ *claim) want { return figure(k) })
	}
	both("SOLD_AT_LOSS", func(k *clerk) want { _, n := k.realised(); return isNumber(n) })
	both("SOLD_IN_FALL", func(k *clerk) want { return isNumber(k.bore().sold) })
	both("KEPT_IN_FALL", func(k *clerk) want { return isNumber(k.bore().kept) })
	both("SILENT_IN_FALL", func(k *clerk) want { return isNumber(k.bore().silent) })
	both("BORNE", func(k *clerk) want { return isNumber(k.bore().borne) })
	both("POSTPONEMENTS", func(k *clerk) want { return isNumber(k.postponed()) })
	both("MEAN_DWELL_SECONDS", (*clerk).dwelt)
	both("CONTACTS_30D", func(k *clerk) want { n, _ := since(k.contacts(), k.day.AddDays(-29)); return isNumber(n) })
	of("HOLDING_DAYS", "CUSTOMER BEHAVIOUR", func(k *clerk, c *claim) want {
		if c.Source == "CUSTOMER" {
			return k.age()
		}
		return k.age().aged(k.staleness())
	})
	for field, kind := range map[string]fund.EventKind{"EXPOSURES": fund.Exposure, "ABANDONS": fund.OrderAbandon, "RAISED": fund.ObjectionRaised} {
		of(field, "CUSTOMER", func(k *clerk, c *claim) want {
			n := 0
			for _, e := range k.deeds {
				if e.Kind == kind && e.ProductCode == c.product && (field != "RAISED" || "grounds "+e.About == c.where) {
					n++
				}
			}
			return isNumber(n)
		})
	}
	of("LOSS_PRODUCT", "CUSTOMER", func(k *clerk, _ *claim) want { code, _ := k.loser(); return isText(k.find(code).Name) })
	of("LOSS_RESULT", "CUSTOMER", func(k *clerk, _ *claim) want {
		code, r := k.loser()
		first := slices.MinFunc(k.lots(&claim{product: code}), func(a, b fund.Lot) int { return int(a.AcquiredOn) - int(b.AcquiredOn) })
		return isRatio(r).during(fund.Window{From: first.AcquiredOn, To: k.day})
	})
	of("BREAK_EVEN_RISE", "COMPUTED", func(k *clerk, _ *claim) want {
		_, r := k.loser()
		r = math.Round(r*1e6) / 1e6
		return isRatio(1/(1+r) - 1)
	})
	of("HELD_FUNDS", "CUSTOMER", func(k *clerk, _ *claim) want {
		codes := map[string]bool{}
		for code := range k.p.Held() {
			codes[code] = true
		}
		return isNumber(len(codes))
	})
	of("HELD_NAME", "POOL", func(k *clerk, c *claim) want { return isText(k.beside(c).Name) })
	of("HELD_GRADE", "POOL", func(k *clerk, c *claim) want { return isText(fmt.Sprintf("R%d", grade(k.beside(c)))) })
	of("HELD_SHARE", "CUSTOMER", func(k *clerk, c *claim) want { return isRatio(k.valueOf(k.beside(c).Code) / k.total()) })
	of("SHARE_AFTER", "COMPUTED", func(k *clerk, c *claim) want {
		part, nearest := k.amount(c), kin(k.about(c), k.beside(c))
		for _, at := range k.held {
			if kin(k.about(c), k.find(at.code)) >= nearest {
				part += at.value
			}
		}
		return isRatio(part / (k.total() + k.amount(c)))
	})
	for field, figure := range map[string]func(b, other *navBook, span int) want{
		"SPAN_MONTHS": func(_, _ *navBook, span int) want { return isNumber(span) },
		"SPAN_TO":     func(b, _ *navBook, _ int) want { return isNumber(int(b.last())) },
		"OWN_FALL":    func(b, _ *navBook, span int) want { return isRatio(b.fall(b.start(span)).value) },
	} {
		of(field, "NAV", func(k *clerk, c *claim) want {
			b, other := k.book(c), k.books[k.beside(c).Code]
			span := spanOf(b, other)
			return figure(b, other, span).during(b.window(b.start(span))).aged(b.stale())
		})
	}
	of("HELD_FALL", "NAV", func(k *clerk, c *claim) want {
		b := k.books[k.beside(c).Code]
		from := b.start(spanOf(k.book(c), b))
		return isRatio(b.fall(from).value).during(b.window(from)).aged(b.stale())
	})
	of("BEARS", "COMPUTED", func(k *clerk, _ *claim) want {
		level, b := []fund.Ratio{0, 10_000, 50_000, 150_000, 300_000, 450_000}[k.p.Assessment.Level], k.bore()
		if b.sold <= b.kept+b.added {
			return isNumber(level)
		}
		return isNumber(max(level/2, min(level, -b.borne)))
	})
	return rows
}

// spanOf is the longest span of three years and one that both series have, ending and
// beginning within a week of each other.
func spanOf(a, b *navBook) int {
	near := func(x, y fund.Date) bool { return max(x, y).DaysSince(min(x, y)) <= 7 }
	for _, months := range []int{36, 12} {
		i, j := a.start(months), b.start(months)
		if i >= 0 && j >= 0 && near(a.navs[i].Date, b.navs[j].Date) && near(a.last(), b.last()) {
			return months
		}
	}
	return 0
}

func (k *clerk) valueOf(code string) float64 {
	for _, at := range k.held {
		if at.code == code {
			return at.value
		}
	}
	return 0
}

// kin is how near a holding is: the fund, its benchmark, a theme, manager and issuer.
func kin(p, held *fund.Product) int {
	switch {
	case p.FundCode() == held.FundCode():
		return 4
	case p.Content.Benchmark != "" && p.Content.Benchmark == held.Content.Benchmark:
		return 3
	case slices.ContainsFunc(p.Content.Themes, func(t string) bool { return slices.Contains(held.Content.Themes, t) }):
		return 2
	case p.Parties.ManagerName != "" && p.Parties.Issuer != "" && p.Parties.ManagerName == held.Parties.ManagerName && p.Parties.Issuer == held.Parties.Issuer:
		return 1
	}
	return 0
}

// beside is the holding that a doubt compares the product with: the one that lost most, the
// largest that has a grade, or the nearest.
func (k *clerk) beside(c *claim) *fund.Product {
	doubt := strings.Fields(c.where)[1]
	if doubt == "LOSS_TRAUMA" {
		code, _ := k.loser()
		return k.find(code)
	}
	var best *fund.Product
	for code := range k.p.Held() {
		p := k.find(code)
		if doubt == "UNDERSTAND" {
			if grade(p) != 0 && p.FundCode() != k.about(c).FundCode() && (best == nil || k.valueOf(code) > k.valueOf(best.Code)) {
				best = p
			}
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(kin(k.about(c), p), kin(k.about(c), best)), cmp.Compare(k.valueOf(code), k.valueOf(best.Code))) > 0 {
			best = p
		}
	}
	return best
}
