package eligibility_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// today is the day on which random questions are asked; the dates of random facts lie
// close around it, so that boundaries are hit.
const today = fund.Date(20210301)

// rarely says when a fact is not the usual one: were all drawn freely, every product
// would be blocked for every customer, and the properties would show little.
func rarely(t *rapid.T, name string) bool {
	return rapid.SampledFrom([]bool{false, false, false, false, false, false, true}).Draw(t, name+"?")
}

// near is a day close to today, or unknown.
func near(t *rapid.T, name string) fund.Date {
	return rapid.SampledFrom([]fund.Date{0, today.AddDays(-1), today, today.AddDays(1), today.AddDays(-9), today.AddDays(60)}).Draw(t, name)
}

func upTo[T ~uint8](t *rapid.T, most T, name string) T {
	return T(rapid.Uint8Range(0, uint8(most)).Draw(t, name))
}

// deviation is a fact that is not the usual one.
type deviation struct {
	name  string
	apply func()
}

func someProduct(t *rapid.T) fund.Product {
	p := fund.Product{
		Code:    "p",
		Type:    rapid.SampledFrom([]string{"货币型", "短债", "债券型", "混合型-偏债", "混合型-平衡", "FOF", "股票型", "指数", "QDII", "REIT", "商品", "其他", ""}).Draw(t, "type"),
		Grades:  fund.Grades{Bank: fund.RiskGrade(rapid.Uint8Range(1, 5).Draw(t, "grade"))},
		Listing: fund.Listing{Kind: fund.PublicFund, Status: fund.Open, DueDiligenceID: "DD"},
		Fees:    someFees(t),
	}
	if rapid.Bool().Draw(t, "own") {
		p.Listing.Kind = fund.OwnProduct
	}
	for _, d := range []deviation{
		{"grade", func() { p.Grades.Bank = fund.GradeUnknown }},
		{"issuer's grade", func() { p.Grades.Issuer = upTo(t, fund.R5, "issuer's grade") }},
		{"kind", func() { p.Listing.Kind = upTo(t, fund.InsuranceProduct, "kind") }},
		{"status", func() { p.Listing.Status = upTo(t, fund.Suspended, "status") }},
		{"diligence", func() { p.Listing.DueDiligenceID = "" }},
		{"from", func() { p.Listing.PoolFrom = near(t, "from") }},
		{"to", func() { p.Listing.PoolTo = near(t, "to") }},
		{"closed until", func() { p.Terms.ClosedUntil = near(t, "closed until") }},
		{"next open", func() { p.Terms.NextOpenOn = near(t, "next open") }},
		{"lockup", func() {
			p.Terms.LockupDays = rapid.SampledFrom([]int32{6, 7, 8, 89, 90, 91, 364, 365, 366, 2000}).Draw(t, "lockup")
		}},
		{"share class", func() { p.ShareClass = rapid.SampledFrom([]string{"A", "Y"}).Draw(t, "share class") }},
		{"launched", func() { p.Terms.LaunchedOn = near(t, "launched") }},
		{"missing", func() {
			p.Missing = fund.FieldSet(0).With(rapid.SampledFrom([]fund.Field{
				fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder, fund.FieldServiceFee,
			}).Draw(t, "missing"))
		}},
		{"goals", func() { p.Content.Goals = fund.GoalSet(rapid.SampledFrom([]uint16{2, 8, 40}).Draw(t, "goals")) }},
	} {
		if rarely(t, d.name) {
			d.apply()
		}
	}
	return p
}

// someFees are mostly lawful for every class, and else close to what F01 and F02 hold.
func someFees(t *rapid.T) fund.FeeSchedule {
	f := fund.FeeSchedule{
		Subscription: []fund.SubscriptionTier{{}},
		Redemption:   []fund.RedemptionTier{{Below: 7, Rate: 150}, {Below: 30, Rate: 100}, {Below: 180, Rate: 50}, {}},
	}
	if rarely(t, "entry fee") {
		f.Subscription[0].Rate = fund.BasisPoints(rapid.SampledFrom([]int{30, 31, 50, 51, 80, 81}).Draw(t, "entry"))
	}
	if rarely(t, "service fee") {
		f.Service = fund.BasisPoints(rapid.SampledFrom([]int{20, 21, 40, 41}).Draw(t, "service"))
	}
	if rarely(t, "exit fee") {
		step := rapid.IntRange(0, 3).Draw(t, "step")
		f.Redemption[step].Rate = max(0, f.Redemption[step].Rate-1)
		if step < 3 && rapid.Bool().Draw(t, "a day less") {
			f.Redemption[step].Below--
		}
	}
	return f
}

func someProfile(t *rapid.T) *fund.Profile {
	p := &fund.Profile{
		Assessment: fund.Assessment{Level: fund.RiskLevel(rapid.Uint8Range(1, 5).Draw(t, "level")), On: today.AddMonths(-3)},
		Person:     fund.Person{InvestorType: fund.Ordinary, BirthDate: today.AddMonths(-12 * 40)},
	}
	for _, d := range []deviation{
		{"level", func() { p.Assessment = fund.Assessment{} }},
		{"undated", func() { p.Assessment.On = 0 }},
		{"assessed", func() { p.Assessment.On = near(t, "assessed") }},
		{"expiring", func() {
			if d := near(t, "expiring"); d != 0 {
				p.Assessment.On = d.AddMonths(-12)
			}
		}},
		{"predicted", func() { p.PredictedLevel = upTo(t, fund.C5, "predicted") }},
		{"personalisation", func() { p.Personalization = upTo(t, fund.Yes, "personalisation") }},
		{"professional", func() {
			p.Person.InvestorType = upTo(t, fund.ProfessionalInvestor, "type")
			p.Person.Professional = fund.Professional{
				Class: rapid.SampledFrom([]string{"A", ""}).Draw(t, "class"), Until: near(t, "proof"),
				ElectsOrdinary: upTo(t, fund.Yes, "elects"),
			}
		}},
		{"capacity", func() { p.Person.Capacity = upTo(t, fund.NoCapacity, "capacity") }},
		{"lowest", func() { p.Person.IsLowestClass = upTo(t, fund.Yes, "lowest") }},
		{"age", func() { p.Person.BirthDate = 0 }},
		{"birthday", func() {
			age := rapid.SampledFrom([]int{65, 64, 80, 55, 70, 18, 17, 0}).Draw(t, "age")
			p.Person.BirthDate = today.AddMonths(-12 * age).AddDays(rapid.IntRange(-1, 1).Draw(t, "birthday"))
		}},
		{"proof of entry", func() {
			p.Person.Qualified = fund.Qualified{Class: rapid.SampledFrom([]string{"ASSETS", ""}).Draw(t, "entry class"), Until: near(t, "entry")}
		}},
		{"pension", func() { p.Person.Pension = upTo(t, fund.Yes, "pension") }},
		{"checks", func() { p.Person.OpenChecks = upTo(t, fund.CheckKYC|fund.CheckAML, "checks") }},
		{"history", func() { p.Assessments = someHistory(t, p.Assessment.On) }},
		{"redemption", func() {
			p.Trail.Recent = append(p.Trail.Recent, fund.Event{
				Kind: fund.Redeem, At: today.AddDays(-rapid.SampledFrom([]int{0, 1, 13, 14, -1}).Draw(t, "redeemed")).Start() + 1,
				ProductCode: rapid.SampledFrom([]string{"", "p0", "p1", "gone"}).Draw(t, "of"),
			})
		}},
		{"goal", func() {
			p.Needs.Goals = []fund.Goal{fund.Goal(rapid.Uint8Range(1, uint8(fund.Treasury)).Draw(t, "goal"))}
		}},
		{"horizon", func() { p.Needs.HorizonMonths = rapid.SampledFrom([]int32{1, 3, 12, 35, 36, 600}).Draw(t, "horizon") }},
		{"need", func() { p.Needs.Liquidity = upTo(t, fund.NeedHigh, "need") }},
	} {
		if rarely(t, d.name) {
			d.apply()
		}
	}
	return p
}

// someHistory are assessments close to what S13 counts.
func someHistory(t *rapid.T, on fund.Date) []fund.Assessed {
	if on == 0 {
		on = today
	}
	history := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fund.Assessed {
		day := rapid.SampledFrom([]fund.Date{on, on, on.AddDays(-1), on.AddMonths(-12), on.AddMonths(-12).AddDays(1), on.AddMonths(-20)}).Draw(t, "test")
		return fund.Assessed{At: day.Start() + fund.Instant(rapid.IntRange(0, 1000).Draw(t, "hour")), Level: upTo(t, fund.C5, "tested")}
	}), 0, 10).Draw(t, "history")
	slices.SortFunc(history, func(a, b fund.Assessed) int { return int(a.At - b.At) })
	return history
}

func someContext(t *rapid.T) eligibility.Context {
	licence := eligibility.LicenceValid
	if rarely(t, "licence") {
		licence = upTo(t, eligibility.LicenceValid, "licence")
	}
	return eligibility.Context{
		Licence:    licence,
		At:         today.Start() + fund.Instant(rapid.Int64Range(0, 86_399_999_999).Draw(t, "at")),
		Initiative: upTo(t, fund.ByCustomer, "initiative"),
		Channel:    rapid.SampledFrom([]fund.Channel{fund.App, fund.App, fund.Branch, fund.Branch, fund.ChannelUnknown}).Draw(t, "channel"),
		Public:     rapid.Bool().Draw(t, "public"),
		Order:      rapid.Bool().Draw(t, "order"),
	}
}

func someEdits(t *rapid.T) map[string]any {
	set := map[string]any{
		"S04.unknown_lockup_days":         rapid.SampledFrom([]int{0, 7, 90, 365}).Draw(t, "unknown lockup"),
		"S04.high_need_lockup_days":       rapid.SampledFrom([]int{0, 7, 90}).Draw(t, "high need lockup"),
		"S04.class_months.EQUITY":         rapid.SampledFrom([]int{0, 12, 36, 600}).Draw(t, "months"),
		"S04.goal_classes.GROWTH":         []string{rapid.SampledFrom([]string{"EQUITY", "BOND"}).Draw(t, "growth")},
		"S09.matrix.C3":                   rapid.SampledFrom([]string{"R2", "R3"}).Draw(t, "matrix"),
		"S12.valid_months":                rapid.SampledFrom([]int{1, 11, 12}).Draw(t, "valid months"),
		"S12.sell_r1_while_expired":       rapid.Bool().Draw(t, "sell R1"),
		"E01.age":                         rapid.SampledFrom([]int{55, 65, 70}).Draw(t, "age"),
		"E01.unknown_age":                 rapid.SampledFrom([]string{"ELDER", "ADULT"}).Draw(t, "unknown age"),
		"E01.app_grade":                   rapid.SampledFrom([]string{"R1", "R3", "R5"}).Draw(t, "app grade"),
		"E01.enabled":                     rapid.Bool().Draw(t, "elders"),
		"S14.enabled":                     rapid.Bool().Draw(t, "professionals"),
		"K03.enabled":                     rapid.Bool().Draw(t, "new issues"),
		"S03.outcome.customer_order":      rapid.SampledFrom([]string{"CONFIRM", "REVIEW", "BLOCK"}).Draw(t, "S03"),
		"S04.outcome.customer_order":      rapid.SampledFrom([]string{"DISCLOSE", "CONFIRM", "HIDE"}).Draw(t, "S04"),
		"S03.outcome.recommendation":      rapid.SampledFrom([]string{"NONE", "CONFIRM", "REVIEW", "AUDIT"}).Draw(t, "S03 pushed"),
		"A06.refusal_days":                rapid.SampledFrom([]int{30, 90, 180}).Draw(t, "refusal days"),
		"A06.complaint_days":              rapid.SampledFrom([]int{30, 90, 180}).Draw(t, "complaint days"),
		"A06.outcome.customer_order":      rapid.SampledFrom([]string{"NONE", "NONE", "DISCLOSE", "HIDE"}).Draw(t, "A06"),
		"S05.from_grade":                  rapid.SampledFrom([]string{"R4", "R5"}).Draw(t, "high risk"),
		"S05/NFRA.from_grade":             rapid.SampledFrom([]string{"R3", "R5"}).Draw(t, "own high risk"),
		"S03/NFRA.outcome.customer_order": rapid.SampledFrom([]string{"CONFIRM", "BLOCK"}).Draw(t, "own S03"),
		"S13.enabled":                     rapid.Bool().Draw(t, "tests"),
		"S13.per_day":                     rapid.SampledFrom([]int{1, 2}).Draw(t, "a day"),
		"S13/NFRA.per_year":               rapid.SampledFrom([]int{2, 8}).Draw(t, "own a year"),
		"S13/NFRA.jump_levels":            rapid.SampledFrom([]int{1, 4}).Draw(t, "own jump"),
		"S13.outcome.customer_order":      rapid.SampledFrom([]string{"REVIEW", "HIDE"}).Draw(t, "S13"),
		"S11.nfra_kinds":                  rapid.SampledFrom([][]string{{"OWN"}, {"OWN", "TRUST"}}).Draw(t, "books"),
		"C01.channels":                    rapid.SampledFrom([][]string{{"APP", "BRANCH"}, {"APP", "BRANCH"}, {"APP"}}).Draw(t, "channels"),
		"K01.window_days":                 rapid.SampledFrom([]int{1, 14}).Draw(t, "window"),
		"A06.exposure_cap":                rapid.SampledFrom([]int{2, 60}).Draw(t, "exposures"),
		"F01.existing_until":              rapid.SampledFrom([]string{"2020-01-01", "2027-01-01"}).Draw(t, "transition"),
		"F02.existing_until":              rapid.SampledFrom([]string{"2020-01-01", "2027-01-01"}).Draw(t, "exit transition"),
		"A02.when_unset":                  rapid.SampledFrom([]string{"ON", "OFF"}).Draw(t, "unset"),
	}
	for _, id := range []string{"S02/NFRA", "S03/NFRA", "S05/NFRA", "S11", "S13/NFRA", "F01", "F02"} {
		set[id+".effective_from"] = rapid.SampledFrom([]string{"2021-03-01", "2020-01-01", "2021-03-02"}).Draw(t, id+" from")
	}
	return set
}

// somePacks are a few random packs: parsing one for every draw would be most of the time.
func somePacks(t *testing.T) []*eligibility.Pack {
	t.Helper()
	packs := []*eligibility.Pack{packWith(t, nil)}
	for seed := range 20 {
		packs = append(packs, packWith(t, rapid.Custom(someEdits).Example(seed)))
	}
	return packs
}

type question struct {
	products []fund.Product
	profile  *fund.Profile
	ctx      eligibility.Context
	gate     *eligibility.Gate
	pack     *eligibility.Pack
}

func someQuestion(t *rapid.T, packs []*eligibility.Pack) question {
	q := question{
		products: rapid.SliceOfN(rapid.Custom(someProduct), 1, 70).Draw(t, "products"),
		profile:  someProfile(t), ctx: someContext(t),
	}
	for i := range q.products {
		q.products[i].Code = fmt.Sprint("p", i)
		if rarely(t, "class") {
			q.products[i].ParentCode = rapid.SampledFrom([]string{"f", "g", "p0"}).Draw(t, "fund")
		}
	}
	if rarely(t, "trail") {
		q.profile.Trail.Recent = append(q.profile.Trail.Recent, someTrail(t)...)
	}
	slices.SortFunc(q.profile.Trail.Recent, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) })
	q.pack = packs[rapid.IntRange(0, len(packs)-1).Draw(t, "pack")]
	q.gate = compile(t, q.pack, q.products, q.ctx.At)
	return q
}

// someTrail is what a customer said, close to the ends of what A06 keeps of it.
func someTrail(t *rapid.T) []fund.Event {
	events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fund.Event {
		days := rapid.SampledFrom([]int{0, 0, 1, 29, 30, 31, 89, 90, 91, 179, 180, 181, -1}).Draw(t, "days ago")
		return fund.Event{
			Kind: rapid.SampledFrom([]fund.EventKind{
				fund.Refusal, fund.Complaint, fund.ObjectionRaised, fund.Exposure, fund.Exposure, fund.Exposure, fund.Click, fund.OrderAbandon,
			}).Draw(t, "kind"),
			At:          today.AddDays(-days).Start() + fund.Instant(rapid.Int64Range(0, 86_399_999_999).Draw(t, "said at")),
			ProductCode: rapid.SampledFrom([]string{"", "p0", "p1", "p2", "p3", "f", "g", "gone"}).Draw(t, "about"),
			Until:       near(t, "named"),
			Closed:      rapid.Bool().Draw(t, "closed"),
		}
	}), 1, 8).Draw(t, "trail")
	slices.SortFunc(events, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) })
	return events
}

type failer interface{ Fatal(args ...any) }

func compile(t failer, pack *eligibility.Pack, products []fund.Product, at fund.Instant) *eligibility.Gate {
	g, err := eligibility.Compile(pack, products, at)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// ask asks with the needs as the customer stated them.
func (q *question) ask(p *fund.Profile) (eligibility.Facts, *eligibility.Verdicts) {
	goal := fund.GoalUnknown
	if len(p.Needs.Goals) > 0 {
		goal = p.Needs.Goals[0]
	}
	f := q.gate.Facts(p, goal, p.Needs.HorizonMonths, p.Needs.Liquidity, q.ctx)
	var v eligibility.Verdicts
	q.gate.Select(&f, q.refusals(p), &v)
	return f, &v
}

func (q *question) refusals(p *fund.Profile) *eligibility.Refusals {
	r := &eligibility.Refusals{}
	q.gate.Refusals(p, q.ctx.At, r)
	return r
}

func TestSelectAndJudgeAgree(t *testing.T) {
	packs := somePacks(t)
	permitted, excluded := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		f, v := q.ask(q.profile)
		counts := map[eligibility.RuleID]int{}
		var findings []eligibility.Finding
		for i := range q.products {
			var verdict eligibility.Verdict
			verdict, findings = q.gate.Judge(i, &f, q.refusals(q.profile), findings[:0])
			if verdict.Permitted != v.Has(i) {
				t.Fatalf("product %d %+v: Judge permits %v, Select %v: %v", i, q.products[i], verdict.Permitted, v.Has(i), findings)
			}
			if verdict.Permitted {
				permitted++
				if verdict.Information != v.Information {
					t.Fatalf("product %d: for information %v, the list %v", i, verdict.Information, v.Information)
				}
			} else {
				excluded++
			}
			seen := map[eligibility.RuleID]bool{}
			for _, found := range findings {
				if found.Outcome.Excludes() && !seen[found.Rule] {
					seen[found.Rule] = true
					counts[found.Rule]++
				}
				assertKnownReason(t, &found)
				onOwn := f.Situation != eligibility.CustomerOrder
				if onOwn && (found.Outcome == eligibility.Confirm || found.Outcome == eligibility.Review) {
					t.Fatalf("on the firm's initiative: %+v", found)
				}
			}
		}
		for _, c := range v.Excluded {
			if counts[c.ID] != c.Count {
				t.Fatalf("%s excluded %d, Judge %d", c.ID, c.Count, counts[c.ID])
			}
			delete(counts, c.ID)
		}
		if len(counts) != 0 {
			t.Fatalf("Select does not report %v", counts)
		}
		if tail := len(q.products) & 63; tail != 0 && v.Permitted[len(v.Permitted)-1]>>tail != 0 {
			t.Fatal("bits beyond the last product are set")
		}
	})
	if permitted == 0 || excluded == 0 {
		t.Errorf("%d permitted, %d excluded: the draws show nothing", permitted, excluded)
	}
}

// TestNothingUnsuitableIsEverPermitted holds the gate against the law in a few plain
// lines that know nothing of parts, keys and packs.
func TestNothingUnsuitableIsEverPermitted(t *testing.T) {
	packs := somePacks(t)
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		_, v := q.ask(q.profile)
		person, assessment := &q.profile.Person, &q.profile.Assessment
		professional := person.InvestorType == fund.ProfessionalInvestor && person.Professional.Class != "" &&
			person.Professional.Until > today && person.Professional.ElectsOrdinary != fund.Yes
		valid := assessment.Level != 0 && assessment.On != 0 && assessment.On <= today && assessment.On.AddMonths(12) > today
		firm := q.ctx.Initiative == fund.ByFirm
		for i := range q.products {
			if !v.Has(i) {
				continue
			}
			p := &q.products[i]
			grade := max(p.Grades.Bank, p.Grades.Issuer)
			switch {
			case p.Grades.Bank == fund.GradeUnknown, p.Listing.DueDiligenceID == "":
				t.Fatalf("without grade or due diligence: %+v", p)
			case p.Listing.Status == fund.StatusUnknown, p.Listing.Status == fund.Closed, p.Listing.Status == fund.Suspended:
				t.Fatalf("status %v", p.Listing.Status)
			case p.Listing.PoolFrom > today, p.Listing.PoolTo != 0 && p.Listing.PoolTo <= today:
				t.Fatalf("pool %v to %v", p.Listing.PoolFrom, p.Listing.PoolTo)
			case p.Listing.Kind == fund.PrivateFund:
				t.Fatal("a directly sold private fund")
			case p.Listing.Kind.HasEntryConditions() && (person.Qualified.Class == "" || person.Qualified.Until <= today || q.ctx.Public):
				t.Fatalf("kind %v without proof, or to the public", p.Listing.Kind)
			case (p.ShareClass == "Y" || p.Listing.Kind == fund.PensionFund) && person.Pension != fund.Yes:
				t.Fatal("a pension fund without an account")
			case person.OpenChecks != 0:
				t.Fatal("a check is open")
			case q.ctx.Channel == fund.ChannelUnknown, q.ctx.Channel == fund.Branch && q.ctx.Licence != eligibility.LicenceValid:
				t.Fatalf("over %v with a licence %v", q.ctx.Channel, q.ctx.Licence)
			case firm && !professional && grade == fund.R5:
				t.Fatal("a high-risk product on the firm's initiative")
			case grade > fund.R1 && !professional && !valid:
				t.Fatalf("%v without a valid assessment: %+v", grade, q.profile)
			case firm && !professional && valid && int(grade) > int(assessment.Level):
				t.Fatalf("%v on the firm's initiative to %v", grade, assessment.Level)
			case grade > fund.R1 && person.IsLowestClass == fund.Yes, grade > fund.R1 && person.Capacity >= fund.LimitedCapacity:
				t.Fatalf("%v to the lowest class", grade)
			case person.BirthDate != 0 && person.BirthDate.AddMonths(18*12) > today:
				t.Fatalf("to a minor born %v", person.BirthDate)
			}
		}
	})
}

func TestALowerLevelOrAHigherGradePermitsNothingMore(t *testing.T) {
	packs := somePacks(t)
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		// Two rules weigh one level against another and not a level: the jump to it (S13), and a
		// redemption that cured a mismatch (K01). They stand aside here.
		q.profile.Assessments = nil
		q.redeemUnknown()
		_, before := q.ask(q.profile)
		lower := *q.profile
		if lower.Assessment.Level > fund.C1 {
			lower.Assessment.Level--
		}
		_, after := q.ask(&lower)
		assertSubset(t, "a lower level", after, before, len(q.products))

		riskier := slices.Clone(q.products)
		for i := range riskier {
			if g := &riskier[i].Grades; rapid.Bool().Draw(t, "riskier") && g.Bank != fund.GradeUnknown && g.Bank < fund.R5 {
				g.Bank++
			}
		}
		q.gate = compile(t, q.pack, riskier, q.ctx.At)
		_, after = q.ask(q.profile)
		assertSubset(t, "a higher grade", after, before, len(q.products))
	})
}

// redeemUnknown makes every redemption one of a product that the pool does not know.
func (q *question) redeemUnknown() {
	for i := range q.profile.Trail.Recent {
		if e := &q.profile.Trail.Recent[i]; e.Kind == fund.Redeem {
			e.ProductCode = "gone"
		}
	}
}

// assertSubset: a list for information only (S12), of R1 and without a buy button, is no
// permission beside one to buy from.
func assertSubset(t *rapid.T, what string, of, all *eligibility.Verdicts, n int) {
	if of.Information && !all.Information {
		return
	}
	for i := range n {
		if of.Has(i) && !all.Has(i) {
			t.Fatalf("%s permits product %d, which was not", what, i)
		}
	}
}

func TestAMissingFactPermitsNothingMore(t *testing.T) {
	packs := somePacks(t)
	dropped := map[string]func(p *fund.Profile){
		"assessment": func(p *fund.Profile) { p.Assessment = fund.Assessment{} },
		"assessment date": func(p *fund.Profile) {
			// One of a later day is not known yet: no day asked about sees it.
			if p.Assessment.On <= today {
				p.Assessment.On = 0
			}
		},
		"proof":         func(p *fund.Profile) { p.Person.Professional.Until = 0 },
		"class":         func(p *fund.Profile) { p.Person.Professional.Class = "" },
		"investor type": func(p *fund.Profile) { p.Person.InvestorType = fund.InvestorUnknown },
		"not the lowest": func(p *fund.Profile) {
			if p.Person.IsLowestClass == fund.No {
				p.Person.IsLowestClass = fund.Unknown
			}
		},
		"entry proof":     func(p *fund.Profile) { p.Person.Qualified.Until = 0 },
		"entry class":     func(p *fund.Profile) { p.Person.Qualified.Class = "" },
		"pension account": func(p *fund.Profile) { p.Person.Pension = fund.Unknown },
		"full capacity": func(p *fund.Profile) {
			if p.Person.Capacity == fund.FullCapacity {
				p.Person.Capacity = fund.CapacityUnknown
			}
		},
	}
	products := map[string]func(p *fund.Product){
		"grade":         func(p *fund.Product) { p.Grades.Bank = fund.GradeUnknown },
		"due diligence": func(p *fund.Product) { p.Listing.DueDiligenceID = "" },
		"status":        func(p *fund.Product) { p.Listing.Status = fund.StatusUnknown },
	}
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		q.profile.Assessments = nil // without the assessment in force there is nothing to count (S13)
		_, before := q.ask(q.profile)
		asked := q.ctx
		for _, ctx := range []eligibility.Context{
			{At: asked.At, Initiative: asked.Initiative, Channel: asked.Channel, Public: asked.Public, Order: asked.Order},
			{At: asked.At, Initiative: asked.Initiative, Licence: asked.Licence, Public: asked.Public, Order: asked.Order},
		} {
			q.ctx = ctx
			_, after := q.ask(q.profile)
			assertSubset(t, "without licence or channel the gate", after, before, len(q.products))
		}
		q.ctx = asked
		for what, drop := range dropped {
			less := *q.profile
			drop(&less)
			_, after := q.ask(&less)
			assertSubset(t, "without "+what+" the gate", after, before, len(q.products))
		}
		for what, drop := range products {
			less := slices.Clone(q.products)
			for i := range less {
				drop(&less[i])
			}
			q.gate = compile(t, q.pack, less, q.ctx.At)
			_, after := q.ask(q.profile)
			assertSubset(t, "without "+what+" the gate", after, before, len(q.products))
		}
	})
}

// assertKnownReason: what the gate says stands in Reasons, with its remedy.
func assertKnownReason(t *rapid.T, f *eligibility.Finding) {
	for _, r := range eligibility.Reasons() {
		if r.Rule != f.Rule || r.Reason != f.Reason || r.Order {
			continue
		}
		if f.Remedy.Code != "" && !slices.Contains(r.Remedies, f.Remedy.Code) || f.Remedy.Code == "" && (len(r.Remedies) > 0 || f.Remedy.On != 0) {
			t.Fatalf("remedy %+v of %s %s, expected one of %v", f.Remedy, f.Rule, f.Reason, r.Remedies)
		}
		if (f.Remedy.Code == eligibility.RemedyWait) && f.Remedy.On <= today {
			t.Fatalf("%s %s waits until %v", f.Rule, f.Reason, f.Remedy.On)
		}
		return
	}
	t.Fatalf("unknown reason %s %s", f.Rule, f.Reason)
}

// TestTimeCuresWhatItIsSaidToCure: on the day that a remedy names, and not the day before,
// that reason is silent.
func TestTimeCuresWhatItIsSaidToCure(t *testing.T) {
	packs := []*eligibility.Pack{builtIn()} // none of its rules changes meanwhile
	cured, draws := map[string]bool{}, 0
	rapid.Check(t, func(t *rapid.T) {
		draws++
		q := someQuestion(t, packs)
		// Nothing new happens meanwhile.
		q.profile.Trail.Recent = slices.DeleteFunc(q.profile.Trail.Recent, func(e fund.Event) bool { return e.At > q.ctx.At })
		q.profile.Assessment.On = min(q.profile.Assessment.On, today)
		if rapid.Bool().Draw(t, "refuses") {
			q.profile.Trail.Recent = append(q.profile.Trail.Recent, fund.Event{Kind: fund.Refusal, At: q.ctx.At, ProductCode: q.products[0].Code})
		}
		for i := range q.products {
			for _, found := range q.judge(i, q.ctx.At) {
				if found.Remedy.On == 0 {
					continue
				}
				same := func(f eligibility.Finding) bool { return f.Rule == found.Rule && f.Reason == found.Reason }
				eve := max(q.ctx.At, found.Remedy.On.AddDays(-1).Start())
				if !slices.ContainsFunc(q.judge(i, eve), same) || slices.ContainsFunc(q.judge(i, found.Remedy.On.Start()), same) {
					t.Fatalf("product %d: %s %s is said to end on %v", i, found.Rule, found.Reason, found.Remedy.On)
				}
				cured[found.Reason] = true
			}
		}
	})
	for _, reason := range []string{"NOT_YET_IN_POOL", "CLOSED_PERIOD", "PAID_BY_REDEMPTION", "PRODUCT_REFUSED"} {
		if !cured[reason] && draws >= enoughDraws {
			t.Errorf("no draw shows %s", reason)
		}
	}
}

// enoughDraws show every reason: a run of fewer (make mutate's first look) need not.
const enoughDraws = 50

// judge asks about one product at another instant, all else the same.
func (q *question) judge(i int, at fund.Instant) []eligibility.Finding {
	gate := q.gate
	if at != q.ctx.At {
		gate = compile(failing{}, q.pack, q.products, at)
	}
	ctx := q.ctx
	ctx.At = at
	f := gate.Facts(q.profile, fund.GoalUnknown, 0, fund.NeedUnknown, ctx)
	var r eligibility.Refusals
	gate.Refusals(q.profile, at, &r)
	_, findings := gate.Judge(i, &f, &r, nil)
	return findings
}

type failing struct{}

func (failing) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// TestOneMoreFactNeverUnblocks: an event, an open check or an assessment more takes away
// and gives nothing. A reaction of his, which lets a tired fund speak again, and a settled
// complaint are what they are for.
func TestOneMoreFactNeverUnblocks(t *testing.T) {
	packs := somePacks(t)
	more := map[string]func(t *rapid.T, p *fund.Profile){
		"a check": func(_ *rapid.T, p *fund.Profile) { p.Person.OpenChecks |= fund.CheckAML },
		"an exposure": func(_ *rapid.T, p *fund.Profile) {
			p.Trail.Recent = append(p.Trail.Recent, fund.Event{Kind: fund.Exposure, At: today.Start(), ProductCode: "p0"})
		},
		"a redemption": func(t *rapid.T, p *fund.Profile) {
			code := rapid.SampledFrom([]string{"", "p0", "p1", "gone"}).Draw(t, "sold")
			p.Trail.Recent = append(p.Trail.Recent, fund.Event{Kind: fund.Redeem, At: today.AddDays(-rapid.IntRange(0, 15).Draw(t, "ago")).Start(), ProductCode: code})
		},
		"an assessment": func(_ *rapid.T, p *fund.Profile) {
			if p.Assessment.On != 0 {
				p.Assessments = append(p.Assessments, fund.Assessed{At: p.Assessment.On.Start(), Level: p.Assessment.Level})
			}
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		_, before := q.ask(q.profile)
		for what, add := range more {
			with := *q.profile
			with.Trail.Recent, with.Assessments = slices.Clone(with.Trail.Recent), slices.Clone(with.Assessments)
			add(t, &with)
			slices.SortFunc(with.Trail.Recent, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) })
			slices.SortStableFunc(with.Assessments, func(a, b fund.Assessed) int { return int(a.At - b.At) })
			_, after := q.ask(&with)
			assertSubset(t, what, after, before, len(q.products))
		}
	})
}

func TestTheOrderOfThePoolDoesNotMatter(t *testing.T) {
	packs := somePacks(t)
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		_, before := q.ask(q.profile)
		order := make([]int, len(q.products))
		for i := range order {
			order[i] = i
		}
		order = rapid.Permutation(order).Draw(t, "order")
		shuffled := make([]fund.Product, len(order))
		for to, from := range order {
			shuffled[to] = q.products[from]
		}
		q.gate = compile(t, q.pack, shuffled, q.ctx.At)
		_, after := q.ask(q.profile)
		for to, from := range order {
			if after.Has(to) != before.Has(from) {
				t.Fatalf("product %d, now %d: %v", from, to, after.Has(to))
			}
		}
		if diff := cmp.Diff(before.Excluded, after.Excluded); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestFactsHoldUntilTheySay(t *testing.T) {
	packs := somePacks(t)
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		f, _ := q.ask(q.profile)
		if f.Until <= q.ctx.At {
			t.Fatalf("facts of %v hold until %v", q.ctx.At, f.Until)
		}
		days := rapid.IntRange(0, 40).Draw(t, "days")
		later := q.ctx.At + fund.Instant(days)*86_400_000_000
		if later >= f.Until {
			later = f.Until - 1
		}
		q.ctx.At = later
		g, _ := q.ask(q.profile)
		if f != g {
			t.Fatalf("changed before %v:\n%+v\n%+v", f.Until, f, g)
		}
	})
}

func TestInferredNeedsNeverOpen(t *testing.T) {
	packs := somePacks(t)
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		_, stated := q.ask(q.profile)
		f := q.gate.Facts(q.profile, upTo(t, fund.Treasury, "inferred goal"),
			rapid.Int32Range(-1, 700).Draw(t, "inferred horizon"), upTo(t, fund.NeedHigh, "inferred need"), q.ctx)
		var v eligibility.Verdicts
		q.gate.Select(&f, q.refusals(q.profile), &v)
		assertSubset(t, "inference", &v, stated, len(q.products))
	})
}

func TestPersonalisationChangesNoVerdict(t *testing.T) {
	packs := somePacks(t)
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		f, before := q.ask(q.profile)
		off := *q.profile
		off.Personalization = fund.No
		g, after := q.ask(&off)
		if diff := cmp.Diff(before, after); diff != "" || q.gate.Personal(&g) {
			t.Fatalf("personal %v: %s", q.gate.Personal(&g), diff)
		}
		f.Personal = false
		if f != g {
			t.Fatalf("other facts differ: %+v %+v", f, g)
		}
	})
}
