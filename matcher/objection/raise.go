package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// raiseByProduct raises what the product itself raises in anybody, the level and the
// horizon of the customer added where they are known.
func (v *view) raiseByProduct(all *doubts) {
	v.raiseDrawdown(&all[Drawdown])
	v.raiseFee(&all[Fee])
	v.raiseLiquidity(&all[Liquidity])
	if v.NewIssue {
		all[NewFund].because(newIssue, fund.High)
	}
	v.raiseManagerTrust(&all[ManagerTrust])
	v.raiseSize(&all[Size])
}

// raiseByPerson raises what only this customer has.
func (v *view) raiseByPerson(all *doubts) {
	v.raiseLossTrauma(&all[LossTrauma])
	v.raiseTiming(&all[Timing])
	v.raiseUnderstand(&all[Understand])
	v.raiseOpportunityCost(&all[OpportunityCost])
	v.raisePushed(&all[Pushed])
	v.raiseAlreadyHave(&all[AlreadyHave])
	v.raiseDividend(&all[Dividend])
	v.raiseBreakEvenFirst(&all[BreakEvenFirst])
	v.raiseAskFamily(&all[AskFamily])
	v.raiseCheaperElsewhere(&all[CheaperElsewhere])
	if v.conduct.Habits.Postponements >= v.Limits.Postponements {
		all[NotNow].because(postpones, fund.Medium)
	}
}

// raiseDrawdown 怕回撤: who bears little, or sold in a fall, before what has fallen or
// may fall.
func (v *view) raiseDrawdown(d *doubt) {
	if v.Grade <= fund.R1 && !v.Record.Spans[fund.SinceStart].Drawdown.OK {
		return
	}
	if v.Grade == fund.GradeUnknown && !v.shows {
		return // neither grade nor record: there is nothing to answer with
	}
	d.band = fund.Low
	if !v.mayFall() {
		return // a money fund that never fell worries nobody for his level alone
	}
	switch {
	case v.who.Level != fund.LevelUnknown && v.who.Level <= fund.C2:
		d.because(lowLevel, fund.High)
	case v.Grade >= fund.R3:
		d.because(gradeRaises, fund.Medium)
	}
	if v.conduct.Losses.SoldInFall > 0 {
		d.because(soldInFall, fund.High)
	}
	if v.tags.has(readsRisk) || v.conduct.Habits.Page == "RISK" {
		d.because(readsRiskPage, fund.Medium)
	}
}

// shortMonths is a horizon, and shortDays a habit of holding, in which fees weigh.
const (
	shortMonths = 12
	shortDays   = 180
)

// raiseFee 费用: always worth an answer; likelier when the money stays a short time.
func (v *view) raiseFee(d *doubt) {
	d.band = fund.Low
	if v.who.HorizonMonths > 0 && v.who.HorizonMonths < shortMonths {
		d.because(shortHorizon, fund.Medium)
	}
	if page := v.conduct.Habits.Page; page == "FEE" || page == "COMPARE" {
		d.because(feePage, fund.Medium)
	}
	if days := v.conduct.Portfolio.HoldingDays; days > 0 && days < shortDays && v.conduct.Redemptions.Count365 > 0 {
		d.because(shortHolding, fund.Medium)
	}
}

// raiseLiquidity 流动性: money needed soon, age, deposits, or a product that holds it.
func (v *view) raiseLiquidity(d *doubt) {
	d.band = fund.Low
	if v.shut() {
		d.because(lockup, fund.Medium)
	} else if v.Product.Terms.NextOpenOn > v.Day {
		d.because(periodic, fund.Medium)
	}
	holds := d.band == fund.Medium
	switch {
	case v.who.Need == fund.NeedHigh:
		d.because(needsMoney, fund.High)
	case v.who.Elder && holds:
		d.because(age, fund.Low)
	}
	if holds && v.tags.has(depositMaturing|hasDeposits) {
		d.because(deposits, fund.Medium)
	}
}

// raiseLossTrauma 亏过钱: a position far below its cost, a sale at a loss, silence after
// a fall; before what may fall.
func (v *view) raiseLossTrauma(d *doubt) {
	if !v.mayFall() {
		return
	}
	if v.loser.ok {
		d.because(lossOpen, fund.Medium)
	}
	if v.conduct.Losses.SoldAtLoss > 0 {
		d.because(soldAtLoss, fund.Medium)
	}
	if v.conduct.Losses.SilentInFall > 0 {
		d.because(silentInFall, fund.Medium)
	}
}

// moves reports whether the day of entry can matter.
func (s *Subject) moves() bool { return s.Class != fund.MoneyMarket && s.Class != fund.ShortBond }

// raiseTiming 时点: looks again and again, or began an order and left it.
func (v *view) raiseTiming(d *doubt) {
	j := v.journey
	if !v.moves() || j.Reached[fund.Confirmed] > 0 {
		return
	}
	if j.Reached[fund.Viewed] > 0 && j.Exposures >= v.Limits.Looks {
		d.because(watches, fund.Medium)
	}
	if j.Abandons > 0 {
		d.because(abandoned, fund.Medium)
	}
}

// raiseUnderstand 看不懂: the first of its kind in his hands, pages hardly read.
func (v *view) raiseUnderstand(d *doubt) {
	if v.who.Conduct != nil && v.Class != fund.ClassUnknown && v.Class != fund.MoneyMarket && !v.holdsClass() {
		d.because(firstOfKind, fund.Low)
		if v.special() {
			d.because(specialKind, fund.Medium)
		}
	}
	if dwell := v.conduct.Habits.MeanDwell; dwell > 0 && dwell < v.Limits.ShortDwell && v.journey.Reached[fund.Viewed] > 0 {
		d.because(shortDwell, fund.Medium)
	}
}

func (v *view) holdsClass() bool {
	for i := range v.who.Held {
		if v.who.Held[i].Class == v.Class {
			return true
		}
	}
	return false
}

// special reports whether the product is of a kind that few know from daily life.
func (s *Subject) special() bool {
	switch s.Class {
	case fund.FundOfFunds, fund.OverseasFund, fund.RealEstate, fund.Commodity:
		return true
	default:
		return s.Product.Listing.Kind.HasEntryConditions()
	}
}

// raiseManagerTrust 不信任基金经理: a short tenure, a fund taken over, too many funds.
// Nobody picks a money fund for its manager.
func (v *view) raiseManagerTrust(d *doubt) {
	p := &v.Product.Parties
	if p.ManagerName == "" || v.Class == fund.MoneyMarket {
		return
	}
	if v.newManager() {
		d.because(shortTenure, fund.Medium)
		if v.tookOver() {
			d.because(tookOver, fund.Low)
		}
	}
	if len(v.Managed) > int(v.Limits.ManagerFunds) {
		d.because(managesMany, fund.Low)
	}
}

func (s *Subject) newManager() bool {
	since := s.Product.Parties.ManagerSince
	return since != 0 && since <= s.Day && since.AddMonths(int(s.Limits.TenureMonths)) > s.Day
}

// tookOver reports whether the fund was another's before.
func (s *Subject) tookOver() bool {
	launched := s.Product.Terms.LaunchedOn
	return launched != 0 && s.Product.Parties.ManagerSince > launched
}

// raiseOpportunityCost 不如存款: deposits at hand, or a hope that a deposit would meet.
func (v *view) raiseOpportunityCost(d *doubt) {
	if v.tags.has(depositMaturing) {
		d.because(maturingDeposit, fund.Medium)
	}
	if v.tags.has(hasDeposits) {
		d.because(deposits, fund.Medium)
	}
	if g := v.who.Goal; (g == fund.Cash || g == fund.Treasury) && v.Grade != fund.GradeUnknown && v.Grade <= fund.R2 {
		d.because(cashGoal, fund.Medium)
	}
}

// raiseSize 规模太小: net assets below or near the line at which a fund may be wound up.
func (v *view) raiseSize(d *doubt) {
	switch size := v.Product.Parties.Size; {
	case size <= 0 || v.NewIssue:
	case size < v.Limits.ClosureLine:
		d.because(belowClosureLine, fund.High)
	case size < v.Limits.SizeNear:
		d.because(nearClosureLine, fund.Medium)
	}
}

// raisePushed 被推销: an open complaint, calls refused, a new face.
func (v *view) raisePushed(d *doubt) {
	if v.conduct.Complaints > 0 {
		d.because(openComplaint, fund.High)
	}
	if v.who.OptedOut {
		d.because(optedOut, fund.Medium)
	}
	if v.who.ManagerChanged {
		d.because(managerChanged, fund.Medium)
	}
}

// raiseAlreadyHave 重复: the fund, its index, its theme or its manager is held.
func (v *view) raiseAlreadyHave(d *doubt) {
	switch v.overlap.kind {
	case sameFund:
		d.because(heldFund, fund.High)
	case sameIndex:
		d.because(heldIndex, fund.Medium)
	case sameTheme:
		d.because(heldTheme, fund.Medium)
	case sameManager:
		d.because(heldManager, fund.Low)
	case noKin:
	}
}

// raiseDividend 分红: who lives on income. A money fund pays every day.
func (v *view) raiseDividend(d *doubt) {
	if v.Class == fund.MoneyMarket {
		return
	}
	if v.who.Goal == fund.SteadyIncome {
		d.because(incomeGoal, fund.Medium)
	}
	if v.tags.has(asksForIncome) {
		d.because(asksIncome, fund.Medium)
	}
	if d.count > 0 && v.Record.Payouts.Window.To != 0 && v.Record.Payouts.Count == 0 {
		d.name(noPayouts)
	}
}

// raiseBreakEvenFirst 回本再说: holds a loss and puts things off.
func (v *view) raiseBreakEvenFirst(d *doubt) {
	if !v.loser.ok || v.conduct.Habits.Postponements == 0 && v.journey.Abandons == 0 {
		return
	}
	d.because(holdsLoss, fund.Medium)
	if v.conduct.Habits.Postponements >= v.Limits.Postponements {
		d.because(postpones, fund.Medium)
	} else {
		d.name(postpones)
	}
}

// raiseAskFamily 和家人商量: age, or decisions made together. A company asks its own.
func (v *view) raiseAskFamily(d *doubt) {
	if v.who.Company {
		return
	}
	if v.who.Elder {
		d.because(elder, fund.Medium)
	}
	if v.tags.has(jointDecision) {
		d.because(decidesJointly, fund.Medium)
	}
}

// raiseCheaperElsewhere 别处更便宜: compares platforms; comparing pages is a weaker sign.
func (v *view) raiseCheaperElsewhere(d *doubt) {
	if v.tags.has(comparesPlatforms) {
		d.because(comparesBanks, fund.High)
	}
	if v.conduct.Habits.Page == "COMPARE" {
		d.because(comparePage, fund.Low)
	}
}

// Raises says which doubts a product raises by itself: after an objection, products that
// raise the same are offered less. What rests on figures of the past is left out where
// the record is too short or too old to say it.
func Raises(s *Subject) Set {
	set := Set(0)
	if s.falls() {
		set = set.With(Drawdown).With(LossTrauma)
	}
	f := &s.Product.Fees
	if f.Management+f.Custody+f.Service >= s.Limits.DearRunning {
		set = set.With(Fee).With(CheaperElsewhere)
	}
	if s.shut() || s.Product.Terms.NextOpenOn > s.Day || exitsLate(f) {
		set = set.With(Liquidity)
	}
	if s.NewIssue {
		set = set.With(NewFund).With(Pushed)
	}
	if s.special() || s.Class == fund.ClassUnknown {
		set = set.With(Understand)
	}
	if s.Product.Parties.ManagerName != "" && s.Class != fund.MoneyMarket && (s.newManager() || len(s.Managed) > int(s.Limits.ManagerFunds)) {
		set = set.With(ManagerTrust)
	}
	if size := s.Product.Parties.Size; size > 0 && size < s.Limits.SizeNear && !s.NewIssue {
		set = set.With(Size)
	}
	return set | s.raisesByPast()
}

// falls reports whether the product fell deeply, or is graded so that it may: R4 and R5.
func (s *Subject) falls() bool {
	d := &s.Record.Spans[fund.SinceStart].Drawdown
	return s.Grade >= fund.R4 || d.OK && d.Value <= -s.Limits.DeepFall
}

// exitsLate reports whether leaving costs something for half a year or longer.
func exitsLate(f *fund.FeeSchedule) bool {
	if len(f.Redemption) == 0 {
		return false // not known
	}
	free := f.FreeExitAfter()
	return free < 0 || free >= shortDays
}

// raisesByPast is what a record shows: results that hang on the day of entry, twelve
// months with a loss in what a saver would take for a deposit, no distributions.
func (s *Subject) raisesByPast() Set {
	set := Set(0)
	if !s.showsRecord() || !s.fresh(s.Record) {
		return set
	}
	if year := &s.Record.Outcomes[fund.Hold12M]; year.OK {
		if s.moves() && year.P90-year.P10 >= s.Limits.Spread {
			set = set.With(Timing)
		}
		if s.Grade != fund.GradeUnknown && s.Grade <= fund.R2 && year.Worst < 0 {
			set = set.With(OpportunityCost)
		}
	}
	if p := &s.Record.Payouts; s.Class != fund.MoneyMarket && p.Window.To != 0 && p.Count == 0 {
		set = set.With(Dividend)
	}
	return set
}
