package matcher_test

import (
	"time"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// This file reads rulebook.md a second time, product by product, in plain lines. It shares
// no code with the gate: not its facts, nor its keys, nor its packs, nor its arithmetic of
// days. Where the two disagree one of them has misread the rulebook.

// terms are the parameters that a random pack sets, as numbers.
type terms struct {
	matrix                      [6]fund.RiskGrade // of products under the CSRC's book, by level
	ownMatrix                   [6]fund.RiskGrade // under the NFRA's
	validMonths                 int
	sellsR1Expired              bool
	elders, unknownIsElder      bool
	elderAge                    int
	appGrade                    fund.RiskGrade
	elderLockup                 int
	unknownLockup, urgentLockup int
	refusalDays, complaintDays  int
	exposureCap, exposureDays   int
	windowDays                  int // K01
	professionals               bool
	app, branch                 bool // C01
	books                       [2]bookTerms
	ownKinds                    []fund.Kind // S11
	feesUntil, exitsUntil       fund.Date   // the ends of F01's and F02's transitions
}

// bookTerms are what the two books set apart; 0 is the CSRC's.
type bookTerms struct {
	highRisk             fund.RiskGrade
	tests                bool
	perDay, perYear      int
	jumpLevels, jumpDays int
}

// The outcomes of the rulebook's table. CONFIRM and REVIEW are HIDE on the firm's initiative.
var (
	block    = [3]eligibility.Outcome{eligibility.Block, eligibility.Block, eligibility.Block}
	above    = [3]eligibility.Outcome{eligibility.Hide, eligibility.Block, eligibility.None}
	warned   = [3]eligibility.Outcome{eligibility.None, eligibility.None, eligibility.Confirm}
	unasked  = [3]eligibility.Outcome{eligibility.Hide, eligibility.Hide, eligibility.None}
	rests    = [3]eligibility.Outcome{eligibility.Hide, eligibility.None, eligibility.None} // on lists: ordering is not barred
	confirms = [3]eligibility.Outcome{eligibility.Hide, eligibility.Hide, eligibility.Confirm}
	judged   = [3]eligibility.Outcome{eligibility.Hide, eligibility.Hide, eligibility.Review}
	untried  = [3]eligibility.Outcome{eligibility.Hide, eligibility.Block, eligibility.Block}
)

// reader reads the rulebook about one customer at one instant.
type reader struct {
	terms    *terms
	products []fund.Product
	customer *fund.Profile
	at       fund.Instant
	today    time.Time
	channel  fund.Channel
	licensed bool
	said     map[eligibility.RuleID][3]eligibility.Outcome
}

func dayOf(d fund.Date) time.Time {
	return time.Date(d.Year(), time.Month(d.Month()), d.Day(), 0, 0, 0, 0, shanghai)
}

// monthsAfter is the same day so many months later; where there is none, the first of the
// month after.
func monthsAfter(d fund.Date, months int) time.Time {
	first := time.Date(d.Year(), time.Month(d.Month()+months), 1, 0, 0, 0, 0, shanghai)
	day := first.AddDate(0, 0, d.Day()-1)
	if next := first.AddDate(0, 1, 0); day.After(next) {
		return next
	}
	return day
}

func daysBetween(from, to time.Time) int { return int(to.Sub(from).Hours() / 24) }

func (r *reader) say(rule eligibility.RuleID, when bool, outcomes [3]eligibility.Outcome) {
	if !when {
		return
	}
	before := r.said[rule]
	for i := range outcomes {
		outcomes[i] = max(outcomes[i], before[i])
	}
	r.said[rule] = outcomes
}

// read returns what every rule says about a product, of those that say something.
func (r *reader) read(p *fund.Product) map[eligibility.RuleID][3]eligibility.Outcome {
	r.today, r.said = midnight(r.at), map[eligibility.RuleID][3]eligibility.Outcome{}
	grade := p.Grades.Bank
	if grade != fund.GradeUnknown {
		grade = max(grade, p.Grades.Issuer)
	}
	r.readSale()
	r.readListing(p, grade)
	r.readFees(p)
	who := r.standing()
	r.readLevel(p, grade, who)
	r.readTests(p, grade, who)
	r.readPerson(p, grade, who)
	r.readGoal(p, who)
	r.readSilence(p)
	r.readRedemption(p, who)
	return r.said
}

// book is 1 for what the NFRA rules: own products, and the kinds that the bank adds, since
// 2026-02-01 (S11).
func (r *reader) book(p *fund.Product) int {
	if r.today.Before(dayOf(20260201)) {
		return 0
	}
	for _, kind := range r.terms.ownKinds {
		if p.Listing.Kind == kind {
			return 1
		}
	}
	return 0
}

// readSale: C01, C03, C07.
func (r *reader) readSale() {
	own := r.channel == fund.App && r.terms.app || r.channel == fund.Branch && r.terms.branch
	r.say(eligibility.C01, !own, block)
	r.say(eligibility.C03, r.channel == fund.Branch && !r.licensed, block)
	r.say(eligibility.C07, r.customer.Person.OpenChecks != 0, block)
}

// readListing: S10, S07, P03, C02, G01.
func (r *reader) readListing(p *fund.Product, grade fund.RiskGrade) {
	l, person := &p.Listing, &r.customer.Person
	r.say(eligibility.S10, grade == fund.GradeUnknown, block)
	conditions := l.Kind == fund.PrivateFund || l.Kind == fund.Trust || l.Kind == fund.AssetManagement || l.Kind == fund.InsuranceProduct
	proof := person.Qualified.Class != "" && person.Qualified.Until != 0 && r.today.Before(dayOf(person.Qualified.Until))
	r.say(eligibility.S07, conditions && !proof, block)
	r.say(eligibility.P03, (p.ShareClass == "Y" || l.Kind == fund.PensionFund) && person.Pension != fund.Yes, block)
	early := l.PoolFrom != 0 && r.today.Before(dayOf(l.PoolFrom))
	late := l.PoolTo != 0 && !r.today.Before(dayOf(l.PoolTo))
	r.say(eligibility.C02, early || late || l.DueDiligenceID == "" || l.Kind == fund.PrivateFund || l.Status == fund.Suspended, block)
	launching := l.Status == fund.Subscription
	takes := launching || l.Status == fund.Open || l.Status == fund.Limited || l.Status == fund.Suspended // suspended is C02's word
	closed := !launching && p.Terms.ClosedUntil != 0 && r.today.Before(dayOf(p.Terms.ClosedUntil))
	r.say(eligibility.G01, !takes || closed, block)
}

// The caps of F01 in basis points, and the classes that F02 lets charge less after a week.
var (
	entryCaps = map[fund.Class]fund.BasisPoints{
		fund.MoneyMarket: 0, fund.ShortBond: 30, fund.Bond: 30, fund.MixedBond: 50, fund.Balanced: 50, fund.FundOfFunds: 50, fund.Equity: 80,
		fund.Index: 30, fund.OverseasFund: 80, fund.RealEstate: 80, fund.Commodity: 80, fund.SingleStock: 80, fund.ClassUnknown: 80,
	}
	serviceCaps = map[fund.Class]fund.BasisPoints{
		fund.MoneyMarket: 15, fund.ShortBond: 20, fund.Bond: 20, fund.MixedBond: 40, fund.Balanced: 40, fund.FundOfFunds: 40, fund.Equity: 40,
		fund.Index: 20, fund.OverseasFund: 40, fund.RealEstate: 40, fund.Commodity: 40, fund.SingleStock: 40, fund.ClassUnknown: 40,
	}
	exitExceptions = map[fund.Class]bool{fund.Index: true, fund.Bond: true, fund.ShortBond: true, fund.MixedBond: true}
)

// readFees: F01 and F02, of public funds from 2026-01-01 on; existing funds keep theirs
// until the transition ends; what is not on file quarantines nothing.
func (r *reader) readFees(p *fund.Product) {
	k := p.Listing.Kind
	if r.today.Before(dayOf(20260101)) || k != fund.KindUnknown && k != fund.PublicFund && k != fund.PensionFund {
		return
	}
	launched := p.Terms.LaunchedOn
	existing := launched == 0 && p.Listing.Status != fund.Subscription || launched != 0 && dayOf(launched).Before(dayOf(20260101))
	spared := func(until fund.Date) bool { return existing && r.today.Before(dayOf(until)) }
	class := p.Class()
	if !spared(r.terms.feesUntil) {
		service := !p.Missing.Has(fund.FieldServiceFee) && p.Fees.Service > serviceCaps[class]
		r.say(eligibility.F01, service || !p.Missing.Has(fund.FieldSubscriptionLadder) && entryAbove(p, int64(entryCaps[class])), block)
	}
	if !spared(r.terms.exitsUntil) && class != fund.MoneyMarket && !p.Missing.Has(fund.FieldRedemptionLadder) && len(p.Fees.Redemption) > 0 {
		r.say(eligibility.F02, exitBelow(p, class), block)
	}
}

// entryAbove: a step is above the cap; a fixed fee by what it is of the least that pays it.
func entryAbove(p *fund.Product, limit int64) bool {
	from := int64(p.Terms.MinPurchase)
	for _, step := range p.Fees.Subscription {
		if step.Fixed > 0 {
			if from > 0 && int64(step.Fixed)*10_000 > limit*(from-int64(step.Fixed)) {
				return true
			}
		} else if int64(step.Rate) > limit {
			return true
		}
		from = max(from, int64(step.Below))
	}
	return false
}

// exitBelow goes through the days that money may be held.
func exitBelow(p *fund.Product, class fund.Class) bool {
	for day := range int32(180) {
		least := fund.BasisPoints(50)
		switch {
		case day < 7:
			least = 150
		case exitExceptions[class]:
			least = 0
		case day < 30:
			least = 100
		}
		charged := fund.BasisPoints(0)
		for _, step := range p.Fees.Redemption {
			if step.Below == 0 || day < step.Below {
				charged = step.Rate
				break
			}
		}
		if charged < least {
			return true
		}
	}
	return false
}

// who is the customer before the rules.
type who struct {
	level                                       fund.RiskLevel // on file, expired or not
	valid, expired, professional, lowest, elder bool
	minor, limited, unknownCapacity             bool
}

func (r *reader) standing() (w who) {
	c, a := &r.customer.Person, &r.customer.Assessment
	if a.Level != fund.LevelUnknown && (a.On == 0 || !r.today.Before(dayOf(a.On))) {
		w.level = a.Level
		w.valid = a.On != 0 && r.today.Before(monthsAfter(a.On, r.terms.validMonths))
		w.expired = !w.valid
	}
	proof := &c.Professional
	w.professional = r.terms.professionals && c.InvestorType == fund.ProfessionalInvestor && proof.Class != "" &&
		proof.Until != 0 && r.today.Before(dayOf(proof.Until)) && proof.ElectsOrdinary != fund.Yes
	w.limited = c.Capacity == fund.LimitedCapacity || c.Capacity == fund.NoCapacity
	w.unknownCapacity = c.Capacity == fund.CapacityUnknown && w.level == fund.LevelUnknown
	w.lowest = w.limited || c.IsLowestClass == fund.Yes || w.level == fund.C1 && c.IsLowestClass != fund.No && !w.professional
	old := func(years int) bool { return !r.today.Before(monthsAfter(c.BirthDate, 12*years)) }
	switch {
	case c.BirthDate == 0:
		w.elder = r.terms.elders && r.terms.unknownIsElder && c.Segment != "CORPORATE"
	case r.today.Before(dayOf(c.BirthDate)): // cannot be, and shows no adult
		w.minor, w.elder = true, r.terms.elders && r.terms.unknownIsElder
	default:
		w.minor, w.elder = !old(18), r.terms.elders && old(r.terms.elderAge)
	}
	return w
}

func (r *reader) mayHave(p *fund.Product, level fund.RiskLevel) fund.RiskGrade {
	if r.book(p) == 1 {
		return r.terms.ownMatrix[level]
	}
	return r.terms.matrix[level]
}

// readLevel: S01, S02, S03, S05, S12.
func (r *reader) readLevel(p *fund.Product, grade fund.RiskGrade, w who) {
	r.say(eligibility.S01, w.lowest && grade > r.mayHave(p, fund.C1), block)
	r.say(eligibility.S02, !w.professional && grade > r.mayHave(p, w.level), above)
	r.say(eligibility.S03, w.level != fund.LevelUnknown && !w.lowest && grade > r.mayHave(p, w.level), warned)
	r.say(eligibility.S05, !w.professional && grade >= r.terms.books[r.book(p)].highRisk, confirms)
	if w.valid || w.professional {
		return
	}
	outcomes := untried
	if grade == fund.R1 {
		outcomes[0] = eligibility.None // for reading
		if w.expired && r.terms.sellsR1Expired {
			outcomes = [3]eligibility.Outcome{}
		}
	}
	r.say(eligibility.S12, true, outcomes)
}

// readTests: S13.
func (r *reader) readTests(p *fund.Product, grade fund.RiskGrade, w who) {
	a, t := &r.customer.Assessment, &r.terms.books[r.book(p)]
	if !t.tests || w.level == fund.LevelUnknown || a.On == 0 {
		return
	}
	inForce := -1
	for i := range r.customer.Assessments {
		if h := &r.customer.Assessments[i]; h.Level == a.Level && midnight(h.At).Equal(dayOf(a.On)) {
			inForce = i
		}
	}
	sameDay, inYear, before, last := 1, 1, fund.LevelUnknown, fund.LevelUnknown
	for i := range r.customer.Assessments {
		h := &r.customer.Assessments[i]
		day := midnight(h.At)
		if i == inForce || day.After(dayOf(a.On)) {
			continue
		}
		if day.Equal(dayOf(a.On)) {
			sameDay++
			if h.Level != fund.LevelUnknown && (before == fund.LevelUnknown || h.Level < before) {
				before = h.Level
			}
		} else if h.Level != fund.LevelUnknown {
			last = h.Level // they are oldest first: what stood until that day
		}
		if dayOf(a.On).Before(monthsAfter(h.At.Date(), 12)) {
			inYear++
		}
	}
	if last != fund.LevelUnknown && (before == fund.LevelUnknown || last < before) {
		before = last
	}
	r.say(eligibility.S13, sameDay > t.perDay || inYear > t.perYear, block)
	jumped := before != fund.LevelUnknown && int(a.Level)-int(before) >= t.jumpLevels
	r.say(eligibility.S13, jumped && daysBetween(dayOf(a.On), r.today) < t.jumpDays && grade > r.mayHave(p, before), judged)
}

// readPerson: E01, E02.
func (r *reader) readPerson(p *fund.Product, grade fund.RiskGrade, w who) {
	r.say(eligibility.E01, w.elder && r.channel != fund.Branch && grade > r.terms.appGrade, confirms)
	r.say(eligibility.E01, w.elder && r.tied(p) > r.terms.elderLockup, confirms)
	r.say(eligibility.E02, w.minor || (w.limited || w.unknownCapacity) && grade != fund.R1, block)
}

// tied is for how many days money cannot come out.
func (r *reader) tied(p *fund.Product) int {
	start := r.today
	if d := p.Terms.NextOpenOn; d != 0 && dayOf(d).After(start) {
		start = dayOf(d)
	}
	if d := p.Terms.ClosedUntil; d != 0 && p.Listing.Status == fund.Subscription && dayOf(d).After(start) {
		start = dayOf(d)
	}
	return daysBetween(r.today, start) + int(p.Terms.LockupDays)
}

// What serves a goal, and for how many months each class should be held (S04), as the
// built-in pack has it.
var (
	classesFor = map[fund.Goal]string{
		fund.Cash: "MONEY_MARKET SHORT_BOND", fund.SteadyIncome: "MONEY_MARKET SHORT_BOND BOND MIXED_BOND REIT",
		fund.Growth:    "MIXED_BOND BALANCED FUND_OF_FUNDS EQUITY INDEX QDII REIT COMMODITY STOCK",
		fund.Education: "BOND MIXED_BOND BALANCED FUND_OF_FUNDS EQUITY INDEX QDII", fund.Retirement: "BOND MIXED_BOND BALANCED FUND_OF_FUNDS EQUITY INDEX QDII REIT",
		fund.Inflation: "BOND MIXED_BOND BALANCED FUND_OF_FUNDS EQUITY INDEX QDII REIT COMMODITY", fund.House: "MONEY_MARKET SHORT_BOND BOND MIXED_BOND",
		fund.TaxDeferredPension: "BOND MIXED_BOND BALANCED FUND_OF_FUNDS INDEX", fund.Treasury: "MONEY_MARKET SHORT_BOND BOND",
	}
	classMonths = map[fund.Class]int32{
		fund.ShortBond: 3, fund.Bond: 6, fund.MixedBond: 12, fund.Balanced: 24, fund.FundOfFunds: 24, fund.Equity: 36, fund.Index: 36,
		fund.OverseasFund: 36, fund.RealEstate: 36, fund.Commodity: 36, fund.SingleStock: 36, fund.ClassUnknown: 36,
	}
)

// readGoal: S04, by what he stated himself. What is inferred of him may add to it.
func (r *reader) readGoal(p *fund.Product, w who) {
	if w.professional {
		return
	}
	needs, tied, class := &r.customer.Needs, r.tied(p), p.Class()
	wrong := (len(needs.Goals) == 0 || needs.HorizonMonths == 0) && tied > r.terms.unknownLockup
	wrong = wrong || needs.Liquidity == fund.NeedHigh && tied > r.terms.urgentLockup
	if len(needs.Goals) > 0 {
		serves := hasWord(classesFor[needs.Goals[0]], class.String())
		if p.Content.Goals != 0 {
			serves = p.Content.Goals.Has(needs.Goals[0])
		}
		wrong = wrong || !serves
	}
	if h := needs.HorizonMonths; h > 0 {
		wrong = wrong || tied > 30*int(h) || h < classMonths[class]
	}
	outcomes := unasked
	if !w.valid {
		outcomes[0] = eligibility.None // a list for reading is not cut to a goal
	}
	r.say(eligibility.S04, wrong, outcomes)
}

func hasWord(words, word string) bool {
	for len(words) > 0 {
		n := 0
		for n < len(words) && words[n] != ' ' {
			n++
		}
		if words[:n] == word {
			return true
		}
		words = words[min(n+1, len(words)):]
	}
	return false
}

// sameFund: a code names a product, or else a fund.
func (r *reader) sameFund(code string, p *fund.Product) bool {
	for i := range r.products {
		if r.products[i].Code == code {
			return r.products[i].FundCode() == p.FundCode()
		}
	}
	return code != "" && code == p.FundCode()
}

// readSilence: A06. What he refused, in whichever class, is kept from him; a refusal of
// everything and an open complaint keep everything from him outside the app; and what was
// shown too often without a step of his rests.
func (r *reader) readSilence(p *fund.Product) {
	events := r.customer.Trail.Recent
	running := func(e *fund.Event, days int) bool { return daysBetween(midnight(e.At), r.today) < days }
	for i := range events {
		e := &events[i]
		if e.At > r.at {
			continue
		}
		switch e.Kind { //nolint:exhaustive // the rule hears these
		case fund.Refusal:
			holds := running(e, r.terms.refusalDays) || e.Until != 0 && r.today.Before(dayOf(e.Until))
			about := r.sameFund(e.ProductCode, p) || e.ProductCode == "" && r.channel != fund.App
			r.say(eligibility.A06, holds && about, unasked)
		case fund.Complaint:
			open := !e.Closed && running(e, r.terms.complaintDays) && !r.settled(e)
			r.say(eligibility.A06, open && r.channel != fund.App, unasked)
		case fund.Exposure:
			r.say(eligibility.A06, r.tired(e, p), rests)
		}
	}
}

func (r *reader) settled(complaint *fund.Event) bool {
	for i := range r.customer.Trail.Recent {
		e := &r.customer.Trail.Recent[i]
		if e.Kind == fund.Complaint && e.Closed && e.At >= complaint.At && e.At <= r.at && (e.ProductCode == "" || e.ProductCode == complaint.ProductCode) {
			return true
		}
	}
	return false
}

// tired: from a showing in the window on he was shown the fund as often as the cap, and did
// nothing about it.
func (r *reader) tired(first *fund.Event, p *fund.Product) bool {
	if !r.sameFund(first.ProductCode, p) || daysBetween(midnight(first.At), r.today) >= r.terms.exposureDays {
		return false
	}
	shown := 0
	for i := range r.customer.Trail.Recent {
		e := &r.customer.Trail.Recent[i]
		if e.At < first.At || e.At > r.at || !r.sameFund(e.ProductCode, p) {
			continue
		}
		switch e.Kind { //nolint:exhaustive // the rule hears these
		case fund.Exposure:
			shown++
		case fund.Click, fund.DetailView, fund.EvidenceOpen, fund.OrderStart, fund.OrderConfirm, fund.OrderAbandon:
			return false
		}
	}
	return shown >= r.terms.exposureCap
}

// readRedemption: K01 of what the firm brings up. For some days after a redemption nothing
// but money funds; a redemption of a money fund is no switch, one that cured a mismatch is
// a benefit; what the pool does not know counts.
func (r *reader) readRedemption(p *fund.Product, w who) {
	if p.Class() == fund.MoneyMarket {
		return
	}
	for i := range r.customer.Trail.Recent {
		e := &r.customer.Trail.Recent[i]
		if e.Kind != fund.Redeem || e.At > r.at || daysBetween(midnight(e.At), r.today) >= r.terms.windowDays {
			continue
		}
		pays := true
		for j := range r.products {
			if sold := &r.products[j]; sold.Code == e.ProductCode {
				grade := sold.Grades.Bank
				if grade != fund.GradeUnknown {
					grade = max(grade, sold.Grades.Issuer)
				}
				cured := w.level != fund.LevelUnknown && grade > r.mayHave(sold, w.level)
				pays = sold.Class() != fund.MoneyMarket && !cured
			}
		}
		r.say(eligibility.K01, pays, unasked)
	}
}
