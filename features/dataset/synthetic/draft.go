package synthetic

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// stage is where a fund stands in its life.
type stage int

// The stages.
const (
	established  stage = iota
	inLaunch           // in subscription: no values yet
	closedPeriod       // just launched, closed: a value a week
	reopened           // launched months ago: a few months of values
)

// draft is a fund before its share classes are written out.
type draft struct {
	style      styleID
	stage      stage
	theme      int
	issuerStem string
	issuer     string
	name       string // without the letter of the share class
	classes    []string
	listing    fund.Listing
	terms      fund.Terms
	money      fundMoney
	people     fundPeople
	grades     fund.Grades
}

// fundMoney are a draft's fees.
type fundMoney struct {
	entry    fund.BasisPoints
	service  fund.BasisPoints
	exit     string
	discount int32
	size     fund.Money
}

// fundPeople are who runs a draft.
type fundPeople struct {
	manager string
	since   fund.Date
}

// drawFund drafts a fund of a style as it stands on the market's as-of day.
func drawFund(s stream, id styleID, m *market) *draft {
	st := &styles[id]
	d := &draft{style: id, theme: -1}
	d.issuerStem, d.issuer = drawIssuer(s, st.kind)
	if st.load.theme > 0 {
		d.theme = s.intn(len(themes))
	}
	d.drawStage(s, m)
	d.drawTerms(s, st, m.asOf)
	d.drawPool(s, st, m.asOf)
	d.drawGrades(s, st)
	d.drawMoney(s, st, m.asOf)
	d.drawClasses(s, st)
	d.people = drawPeople(s, d.terms.LaunchedOn, m.asOf)
	return d
}

func drawIssuer(s stream, kind fund.Kind) (stem, issuer string) {
	switch kind {
	case fund.OwnProduct:
		return "示例", ownIssuer
	case fund.PrivateFund:
		return "玄圃", privateIssuer
	case fund.Trust:
		return "沧澜", trustIssuer
	default:
		stem = choose(s, issuers[:])
		return stem, stem + "基金"
	}
}

// drawStage decides how old the fund is.
func (d *draft) drawStage(s stream, m *market) {
	var age int
	switch x := s.float(); {
	case x < 0.50:
		age = historyDays + s.between(1, 3_600)
	case x < 0.88:
		age = s.between(200, historyDays-30)
	case x < 0.92:
		d.stage, age = reopened, s.between(110, 199)
	case x < 0.95:
		d.stage, age = closedPeriod, s.between(40, 90)
	default:
		d.stage, age = inLaunch, s.between(2, 20)
	}
	if styles[d.style].kind.HasEntryConditions() {
		d.stage = established
	}
	d.terms.LaunchedOn = m.asOf.AddDays(-age)
}

// drawTerms decides status, lockup and amounts.
func (d *draft) drawTerms(s stream, st *style, asOf fund.Date) {
	d.listing.Status = fund.Open
	switch st.kind {
	case fund.PrivateFund:
		d.terms.MinPurchase = 100_000_000 // one million yuan
	case fund.Trust:
		d.terms.MinPurchase, d.terms.LockupDays = 30_000_000, 365
	case fund.OwnProduct:
		d.terms.MinPurchase = choose(s, []fund.Money{100, 100_000, 1_000_000})
		d.terms.LockupDays = choose(s, []int32{0, 14, 30, 90, 365})
	default:
		d.terms.MinPurchase = choose(s, []fund.Money{1_000, 1_000, 10_000, 100_000})
	}
	switch d.stage {
	case inLaunch:
		d.listing.Status = fund.Subscription
		d.terms.ClosedUntil = asOf.AddDays(s.between(30, 120))
	case closedPeriod:
		d.listing.Status = fund.Closed
		d.terms.ClosedUntil = asOf.AddDays(s.between(10, 75))
	default:
		d.drawStatus(s, st, asOf)
	}
}

// lockups are the holding periods by style, in days.
var lockups = map[styleID][]int32{
	shortBondStyle: {7, 30, 60}, mixedBondStyle: {90, 180}, bondTiltStyle: {180, 365}, fofStyle: {365, 1_095}, flexibleStyle: {365},
}

// drawStatus decides how an established fund is traded.
func (d *draft) drawStatus(s stream, st *style, asOf fund.Date) {
	if days := lockups[d.style]; days != nil && s.chance(0.25) {
		d.terms.LockupDays = choose(s, days)
	}
	switch x := s.float(); {
	case x < 0.09 && st.kind == fund.PublicFund:
		d.listing.Status = fund.Limited
		d.terms.DayLimit = choose(s, []fund.Money{100_000, 1_000_000, 5_000_000, 100_000_000})
	case x < 0.13 && st.kind == fund.PublicFund && d.style != moneyStyle:
		d.listing.Status = fund.Closed // opens at intervals: 定开
		d.terms.LockupDays = choose(s, []int32{92, 183, 365})
		d.terms.NextOpenOn = asOf.AddDays(s.between(5, int(d.terms.LockupDays)))
	case x < 0.155:
		d.listing.Status = fund.Suspended
	}
}

// drawPool decides the pool period and the papers.
func (d *draft) drawPool(s stream, st *style, asOf fund.Date) {
	l, launched := &d.listing, d.terms.LaunchedOn
	l.Kind = st.kind
	if d.stage != established || s.chance(0.75) {
		l.PoolFrom = launched
		if d.stage == established {
			l.PoolFrom = max(launched, min(launched.AddDays(s.intn(120)), asOf.AddDays(-60)))
		}
	}
	switch x := s.float(); {
	case x < 0.04 && d.stage == established && l.PoolFrom != 0:
		l.PoolTo = max(asOf.AddDays(-s.between(5, 200)), l.PoolFrom.AddDays(30)) // ended
	case x < 0.07 && d.stage == established:
		l.PoolFrom = asOf.AddDays(s.between(3, 60)) // starts later
	case x < 0.40:
		l.PoolTo = asOf.AddDays(s.between(90, 900))
	}
	if !s.chance(0.015) {
		l.DueDiligenceID = fmt.Sprintf("DD-%d-%05d", min(launched.AddDays(20), asOf.AddDays(-1)).Year(), s.intn(100_000))
	}
	if !s.chance(0.03) {
		l.KeyFactsVersion = fmt.Sprintf("%d-%d", asOf.AddDays(-90).Year(), s.between(1, 4))
	}
}

// drawGrades gives the bank's and the issuer's opinion of the risk.
func (d *draft) drawGrades(s stream, st *style) {
	bank := fund.R1 + fund.RiskGrade(s.pick(st.grades[:]))
	if d.theme == slumpTheme && d.style == stockStyle {
		bank = fund.R5
	}
	d.grades = fund.Grades{Bank: bank, Issuer: bank}
	switch x := s.float(); {
	case x < 0.10 && bank < fund.R5:
		d.grades.Issuer++
	case x < 0.14 && bank > fund.R1:
		d.grades.Issuer--
	case x < 0.20:
		d.grades.Issuer = fund.GradeUnknown
	}
}

// The transition of rules F01 and F02: funds launched before the first day keep their fees
// until the second.
const (
	feeRulesFrom    = fund.Date(2026_01_01)
	feeRulesForAll  = fund.Date(2027_01_01)
	entryBefore2026 = fund.BasisPoints(150) // the usual entry fee of equities until then
)

// keepsOldFees reports whether the fund may still charge what was usual before the fee rules.
func (d *draft) keepsOldFees(asOf fund.Date) bool {
	return d.terms.LaunchedOn < feeRulesFrom && asOf < feeRulesForAll
}

// drawMoney sets the fees: within the caps and above the floors for most; as they were until
// 2025 for a few that may still charge them.
func (d *draft) drawMoney(s stream, st *style, asOf fund.Date) {
	m := &d.money
	m.entry, m.service, m.exit = st.fees.entry, st.fees.service, st.fees.exit
	m.discount = choose(s, []int32{0, 0, 20, 40, 60, 90})
	m.size = fund.Money(s.quantile([]float64{30, 60, 150, 400, 900, 2_200, 6_000, 26_000})) * 100_000_000 // a million yuan each
	if d.style == moneyStyle {
		m.size *= 4
	}
	if st.kind != fund.PublicFund || !d.keepsOldFees(asOf) {
		return
	}
	switch x := s.float(); {
	case x < 0.025 && m.entry > 0:
		m.entry = entryBefore2026
	case x < 0.040 && m.service > 0:
		m.service = 60
	case x < 0.100 && m.exit == ladderF02:
		m.exit = ladderUnder
	}
}

// drawClasses decides which share classes the fund has.
func (d *draft) drawClasses(s stream, st *style) {
	x := s.float()
	switch {
	case st.kind != fund.PublicFund || d.style == propertyStyle || x < 0.14:
		d.classes = []string{""}
	case d.style == moneyStyle:
		d.classes = []string{"A", "B"}
	case d.style == fofStyle && x < 0.60:
		d.classes = []string{"A", "Y"}
	case d.style == fofStyle && x < 0.75:
		d.classes = []string{"A", "C", "Y"}
	default:
		d.classes = []string{"A", "C"}
	}
}

func drawPeople(s stream, launched, asOf fund.Date) fundPeople {
	p := fundPeople{manager: choose(s, surnames[:]) + choose(s, givenNames[:])}
	days := asOf.DaysSince(launched)
	switch {
	case days < 200 || s.chance(0.3):
		p.since = launched
	case s.chance(0.2):
		p.since = asOf.AddDays(-s.between(10, 180)) // a change of manager
	default:
		p.since = launched.AddDays(s.intn(days))
	}
	return p
}

// nameRest returns the name after issuer and stem: theme, period and kind.
func (d *draft) nameRest() string {
	rest := ""
	if d.theme >= 0 {
		rest = themes[d.theme].name
	}
	if n := d.terms.LockupDays; n > 0 && styles[d.style].kind == fund.PublicFund {
		if d.terms.NextOpenOn != 0 {
			return rest + fmt.Sprintf("%d天定开", n) + styles[d.style].noun
		}
		rest += fmt.Sprintf("%d天持有期", n)
	}
	return rest + styles[d.style].noun
}
