package matcher_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// The same facts give the same verdict in every path, and it is the rulebook's. Random banks
// under random packs, whose parameters change on a day, and under models with absurd
// weights, are asked by every way there is: lists, explanations, orders of the firm's and of
// his own, switches, with personalisation on and off. What each rule says about each product
// is what rulebook_test.go reads.
func TestEveryPathIsTheRulebooks(t *testing.T) {
	t.Parallel()
	const perBank = 400
	banks := (tries(t, defaultAnswers, 1) + perBank - 1) / perBank
	const hands = 2
	var next atomic.Int64
	seen := make([]coverage, hands)
	t.Run("hands", func(t *testing.T) {
		for hand := range hands {
			t.Run(fmt.Sprint(hand), func(t *testing.T) {
				t.Parallel()
				seen[hand] = coverage{}
				for seed := next.Add(1); seed <= int64(banks) && !t.Failed(); seed = next.Add(1) {
					newLawBank(t, uint64(seed)).run(t, perBank, seen[hand])
				}
			})
		}
	})
	all := coverage{}
	for _, of := range seen {
		for what, n := range of {
			all[what] += n
		}
	}
	if !t.Failed() {
		all.check(t, banks)
	}
}

// coverage counts what the random answers reached, by name.
type coverage map[string]int

// check sees that every rule excluded something in every situation in which it may, and
// that every verdict was given on every path.
func (n coverage) check(t *testing.T, banks int) {
	t.Helper()
	t.Logf("%d banks, %v", banks, map[string]int(n))
	wanted := strings.Fields("list.personal list.impersonal list.information order.ALLOW order.CONFIRM order.BLOCK switch.ALLOW switch.CONFIRM switch.BLOCK firm.ALLOW firm.BLOCK")
	for _, id := range strings.Fields("S01 S02 S04 S05 S07 S10 S12 S13 E01 E02 C01 C02 C03 C07 G01 P03 A06 F01 F02 K01") {
		wanted = append(wanted, "list."+id, "firm."+id)
	}
	for _, id := range strings.Fields("S01 S03 S05 S07 S10 S12 S13 E01 E02 C01 C02 C03 C07 G01 P01 P03 S15 K04 F01 F02") {
		wanted = append(wanted, "his."+id)
	}
	for _, what := range wanted {
		if banks >= 10 && n[what] == 0 {
			t.Errorf("%s: never reached", what)
		}
	}
}

// lawBank is a random bank with a random pack whose numbers are known.
type lawBank struct {
	*bank
	terms terms
	core  *matcher.Core
	gate  *eligibility.Gate
	list  matcher.Slate
	check matcher.OrderCheck
	swap  matcher.SwitchAssessment
}

// daysOfLaw are days on which a rule comes or goes, those before, and others.
var daysOfLaw = [...]fund.Date{
	20251231, 20260101, 20260131, 20260201, 20260228, 20260301, 20240229, 20260615, 20261122, 20261231, 20270101, 20280229,
}

func newLawBank(t *testing.T, seed uint64) *lawBank {
	t.Helper()
	b := &lawBank{bank: newBankOn(rand.New(rand.NewPCG(seed, 11)), daysOfLaw[seed%uint64(len(daysOfLaw))], 30+int(seed%3)*17)}
	for i := range b.products {
		b.amend(&b.products[i])
	}
	in := b.inputs()
	in.Rules, in.Model = b.pack(t), b.model(t)
	b.core = compile(t, in)
	gate, err := eligibility.Compile(in.Rules, inCodeOrder(b.products), b.asOf)
	if err != nil {
		t.Fatal(err)
	}
	b.gate = gate
	return b
}

// amend makes most of the products sellable, so that the rules about customers have
// something to exclude, and the others wrong in one way.
func (b *lawBank) amend(p *fund.Product) {
	if b.one(4) {
		return // as hostile as it was
	}
	p.Listing = fund.Listing{Kind: fund.PublicFund, Status: fund.Open, DueDiligenceID: "DD"}
	p.Grades = fund.Grades{Bank: fund.RiskGrade(1 + b.rng.IntN(5))}
	p.ShareClass, p.Fees.Redemption = "A", []fund.RedemptionTier{{Below: 7, Rate: 150}, {Below: 30, Rate: 100}, {Below: 180, Rate: 50}, {}}
	p.Fees.Subscription, p.Fees.Service, p.Missing = []fund.SubscriptionTier{{}}, 0, 0
	p.Terms = fund.Terms{MinPurchase: pick(b.bank, fund.Money(0), 100_000)}
	switch b.rng.IntN(16) {
	case 0:
		p.Listing.Kind = pick(b.bank, fund.Trust, fund.AssetManagement, fund.InsuranceProduct, fund.PensionFund)
	case 1, 2:
		p.Listing.Kind = fund.OwnProduct
	case 3:
		p.Fees.Subscription[0].Rate = pick(b.bank, fund.BasisPoints(30), 31, 50, 51, 80, 81)
	case 4:
		p.Fees.Service = pick(b.bank, fund.BasisPoints(15), 16, 20, 21, 40, 41)
	case 5:
		step := b.rng.IntN(3)
		p.Fees.Redemption[step].Rate--
	case 6:
		step := b.rng.IntN(3)
		p.Fees.Redemption[step].Below--
	case 7:
		p.Terms.LaunchedOn = pick(b.bank, fund.Date(20251231), 20260101, 20200101)
		p.Fees.Service = 60
	case 8:
		p.Terms.LockupDays = pick(b.bank, int32(7), 8, 90, 91, 365, 366)
	case 9:
		p.Terms.ClosedUntil = b.near()
		p.Listing.Status = pick(b.bank, fund.Open, fund.Subscription)
	case 10:
		p.Listing.PoolFrom, p.Listing.PoolTo = b.near(), b.near()
	case 11:
		p.Terms.DayLimit = 300_000
	}
}

// model has weights that no bank would give: the gate does not ask.
func (b *lawBank) model(t *testing.T) *score.Model {
	t.Helper()
	if b.one(4) {
		return defaults().model
	}
	var doc map[string]any
	if err := yaml.Unmarshal(score.DefaultModel(), &doc); err != nil {
		t.Fatal(err)
	}
	weights, _ := doc["weights"].([]any)
	for _, w := range weights {
		of, _ := w.(map[string]any)
		before := of["weight"]
		of["weight"] = pick[any](b.bank, -1000, -1.5, 0, 1e-9, 7, 1000, before)
		if of["feature"] == "COST" || of["feature"] == "OBJECTED" { // these may not praise
			of["weight"] = pick[any](b.bank, -1000, -0.1, before)
		}
		if of["feature"] == "BREACH" {
			of["weight"] = pick[any](b.bank, -10, -0.1, before)
		}
	}
	raw, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	m, err := score.ParseModel(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// pack publishes random terms: those of today, and others from tomorrow on or until
// yesterday, which must not be heard.
func (b *lawBank) pack(t *testing.T) *eligibility.Pack {
	t.Helper()
	b.terms = b.someTerms()
	other := b.someTerms()
	cut, before, after := b.day, &other, &b.terms
	if b.one(2) {
		cut, before, after = b.day.AddDays(1), &b.terms, &other
	}
	var doc map[string]any
	if err := yaml.Unmarshal(eligibility.Default(), &doc); err != nil {
		t.Fatal(err)
	}
	rules, _ := doc["rules"].([]any)
	var out []any
	for _, x := range rules {
		rule, _ := x.(map[string]any)
		id, _ := rule["id"].(string)
		if rule["book"] != nil || id == "S11" || id == "F01" || id == "F02" {
			set(rule, id, &b.terms)
			out = append(out, rule)
			continue
		}
		earlier, later := copied(rule), copied(rule)
		if !set(earlier, id, before) {
			out = append(out, rule)
			continue
		}
		set(later, id, after)
		earlier["effective_to"], later["effective_from"] = cut.String(), cut.String()
		out = append(out, earlier, later)
	}
	// The NFRA's own matrix, which the built-in pack does not have.
	own := matrixOf(b.terms.ownMatrix)
	out = append(out, map[string]any{
		"id": "S09", "book": "NFRA", "enabled": true, "parameters": map[string]any{"matrix": own}, "citation": "测试", "source_mark": 3,
	})
	doc["rules"] = out
	raw, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := eligibility.ParsePack(raw)
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

func copied(rule map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range rule {
		if table, ok := v.(map[string]any); ok {
			v = copied(table)
		}
		out[k] = v
	}
	return out
}

func matrixOf(limits [6]fund.RiskGrade) map[string]any {
	out := map[string]any{}
	for level := fund.C1; level <= fund.C5; level++ {
		out[level.String()] = limits[level].String()
	}
	return out
}

// set writes the terms into an entry; false: the terms are silent about the rule.
func set(rule map[string]any, id string, of *terms) bool {
	in, _ := rule["parameters"].(map[string]any)
	ownBook := 0
	if rule["book"] == "NFRA" {
		ownBook = 1
	}
	book := &of.books[ownBook]
	switch id {
	case "S04":
		in["unknown_lockup_days"], in["high_need_lockup_days"] = of.unknownLockup, of.urgentLockup
	case "S05":
		in["from_grade"] = book.highRisk.String()
	case "S09":
		in["matrix"] = matrixOf(of.matrix)
	case "S11":
		names := []string{}
		for _, k := range of.ownKinds {
			names = append(names, k.String())
		}
		in["nfra_kinds"] = names
	case "S12":
		in["valid_months"], in["sell_r1_while_expired"] = of.validMonths, of.sellsR1Expired
	case "S13":
		rule["enabled"] = book.tests
		in["per_day"], in["per_year"], in["jump_levels"], in["jump_days"] = book.perDay, book.perYear, book.jumpLevels, book.jumpDays
	case "S14":
		rule["enabled"] = of.professionals
	case "E01":
		rule["enabled"] = of.elders
		in["age"], in["app_grade"], in["lockup_days"] = of.elderAge, of.appGrade.String(), of.elderLockup
		in["unknown_age"] = map[bool]string{true: "ELDER", false: "ADULT"}[of.unknownIsElder]
	case "C01":
		channels := []string{}
		for name, own := range map[string]bool{"APP": of.app, "BRANCH": of.branch} {
			if own {
				channels = append(channels, name)
			}
		}
		in["channels"] = channels
	case "A06":
		in["refusal_days"], in["complaint_days"] = of.refusalDays, of.complaintDays
		in["exposure_cap"], in["exposure_window_days"] = of.exposureCap, of.exposureDays
	case "K01":
		in["window_days"] = of.windowDays
	case "F01":
		in["existing_until"] = of.feesUntil.String()
	case "F02":
		in["existing_until"] = of.exitsUntil.String()
	default:
		return false
	}
	return true
}

func (b *lawBank) someTerms() terms {
	t := terms{
		matrix: b.someMatrix(), ownMatrix: b.someMatrix(),
		validMonths: pick(b.bank, 12, 12, 11, 1), sellsR1Expired: b.one(3),
		elders: !b.one(8), unknownIsElder: b.one(2), elderAge: pick(b.bank, 65, 65, 55, 70), appGrade: pick(b.bank, fund.R3, fund.R3, fund.R1, fund.R5),
		elderLockup: pick(b.bank, 365, 365, 0, 90), unknownLockup: pick(b.bank, 90, 90, 0, 365), urgentLockup: pick(b.bank, 7, 7, 0, 90),
		refusalDays: pick(b.bank, 90, 30, 200), complaintDays: pick(b.bank, 180, 30), exposureCap: pick(b.bank, 60, 1, 2, 3), exposureDays: pick(b.bank, 30, 7),
		windowDays: pick(b.bank, 14, 1, 30), professionals: !b.one(8), app: true, branch: true,
		ownKinds:  pick(b.bank, []fund.Kind{fund.OwnProduct}, []fund.Kind{fund.OwnProduct, fund.Trust}, []fund.Kind{fund.OwnProduct, fund.PensionFund}),
		feesUntil: pick(b.bank, fund.Date(20270101), 20260101, 20260302), exitsUntil: pick(b.bank, fund.Date(20270101), 20260101, 20260302),
	}
	if b.one(8) {
		t.app, t.branch = b.one(2), true
	}
	for i := range t.books {
		t.books[i] = bookTerms{
			highRisk: pick(b.bank, fund.R5, fund.R5, fund.R4, fund.R3), tests: !b.one(8), perDay: pick(b.bank, 2, 2, 1), perYear: pick(b.bank, 8, 4, 1),
			jumpLevels: pick(b.bank, 2, 1, 3), jumpDays: pick(b.bank, 7, 7, 0, 90),
		}
	}
	if b.day < 20260201 { // the NFRA's entries are not in force, nor is S11
		t.books[1] = t.books[0]
	}
	return t
}

func (b *lawBank) someMatrix() (m [6]fund.RiskGrade) {
	m[0] = fund.R1
	for level := fund.C1; level <= fund.C5; level++ {
		m[level] = fund.RiskGrade(level)
		if b.one(8) {
			m[level] = max(m[level-1], m[level]-1)
		}
		m[level] = max(m[level], fund.R1)
	}
	return m
}

// person is a customer whom most rules let pass, and who trips over one of them.
func (b *lawBank) person(i int) *fund.Profile {
	p := b.customer(i)
	if b.one(3) {
		return p
	}
	p.Person.Capacity, p.Person.IsLowestClass, p.Person.BirthDate = fund.FullCapacity, fund.No, 19900101
	p.Assessment = fund.Assessment{Level: fund.RiskLevel(1 + b.rng.IntN(5)), On: b.day.AddDays(-20)}
	p.Trail = fund.Trail{}
	if b.one(2) {
		p.Needs = fund.StatedNeeds{Goals: []fund.Goal{fund.Growth}, HorizonMonths: 60}
	}
	switch b.rng.IntN(8) {
	case 0:
		p.Person.OpenChecks = pick(b.bank, fund.CheckKYC, fund.CheckAML)
	case 1, 2:
		p.Assessment.On = b.day.AddDays(-b.rng.IntN(9))
		p.Assessments = b.history(p.Assessment)
	case 3:
		p.Person.Qualified = fund.Qualified{Class: pick(b.bank, "ASSETS", "ASSETS", ""), Until: b.near()}
	case 4:
		p.Person.Pension = pick(b.bank, fund.Yes, fund.Yes, fund.No)
		p.Person.Qualified = fund.Qualified{Class: "ASSETS", Until: b.day.AddDays(1)}
	case 5:
		p.Trail = fund.Trail{Recent: b.tiring()}
	case 6:
		p.Trail = fund.Trail{Recent: []fund.Event{{
			Kind: fund.Redeem, At: b.asOf - fund.Instant(b.rng.Int64N(16*86_400_000_000)), ProductCode: pick(b.bank, b.purchase().ProductCode, b.purchase().ProductCode, "gone"), Amount: 1_000,
		}}}
	case 7:
		p.Assessment.On = pick(b.bank, b.day.AddMonths(-12), b.day.AddDays(1).AddMonths(-12), b.day.AddDays(-400), b.day.AddMonths(-1))
	}
	return p
}

// history is one of assessments around that in force.
func (b *lawBank) history(a fund.Assessment) []fund.Assessed {
	var out []fund.Assessed
	for range b.rng.IntN(9) {
		on := pick(b.bank, a.On, a.On, a.On.AddDays(-1), a.On.AddDays(-100), a.On.AddMonths(-12), a.On.AddMonths(-12).AddDays(1), a.On.AddDays(-600))
		out = append(out, fund.Assessed{At: on.Start() + fund.Instant(b.rng.IntN(80_000))*1_000_000, Level: fund.RiskLevel(b.rng.IntN(6))})
	}
	if b.one(2) {
		out = append(out, fund.Assessed{At: a.On.Start() + 80_000_000_000, Level: a.Level})
	}
	slices.SortFunc(out, func(a, b fund.Assessed) int { return int(a.At - b.At) })
	return out
}

// tiring are showings of one fund, and at times a step of his between them.
func (b *lawBank) tiring() []fund.Event {
	var out []fund.Event
	code := b.purchase().ProductCode
	for range 1 + b.rng.IntN(70) {
		kind := fund.Exposure
		if b.one(40) {
			kind = pick(b.bank, fund.Click, fund.DetailView)
		}
		out = append(out, fund.Event{Kind: kind, ProductCode: code, At: b.asOf - fund.Instant(b.rng.Int64N(31*86_400_000_000)), Channel: "APP"})
	}
	slices.SortFunc(out, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) })
	return out
}

// run asks for so many answers.
func (b *lawBank) run(t *testing.T, answers int, n coverage) {
	t.Helper()
	given := 0
	for i := 0; given < answers; i++ {
		p, r := b.person(i), b.request(b.core)
		made, err := b.ask(p, r, n)
		if err != nil {
			t.Errorf("bank of %s, customer %d at %s over %s %s: %v\n%+v\nterms %+v", b.day, i, r.At, r.Channel, r.Licence.State, err, p, b.terms)
			return
		}
		given += made
	}
}

func (b *lawBank) reader(p *fund.Profile, r *matcher.Request) *reader {
	return &reader{terms: &b.terms, products: b.products, customer: p, at: r.At, channel: r.Channel, licensed: r.Licence.State == matcher.LicenceValid}
}

// The places of a reading's outcomes.
const (
	onList = iota
	firms
	his
)

// ask has one customer answered by every path and returns how many answers that were.
func (b *lawBank) ask(p *fund.Profile, r matcher.Request, n coverage) (answers int, err error) {
	read := b.reader(p, &r)
	if err := b.core.Match(p, r, &b.list); err != nil {
		return 0, err
	}
	shown := map[string]bool{}
	for i := range b.list.Items {
		shown[b.list.Items[i].Code], shown[b.list.Items[i].PeerCode] = true, true
	}
	delete(shown, "")
	for code := range shown {
		place, _ := b.core.Find(code)
		for rule, says := range read.read(b.core.Product(place)) {
			if says[onList].Excludes() {
				return 0, fmt.Errorf("%s is on the list, %s says %s", code, rule, says[onList])
			}
		}
	}
	n["list."+map[bool]string{true: "personal", false: "impersonal"}[b.list.Personal]]++
	if b.list.Information {
		n["list.information"]++
	}
	codes := []string{b.purchase().ProductCode, b.purchase().ProductCode}
	if len(b.list.Items) > 0 {
		codes = append(codes, b.list.Items[b.rng.IntN(len(b.list.Items))].Code)
	}
	for _, code := range codes {
		made, err := b.askAbout(p, r, code, n)
		if err != nil {
			return 0, fmt.Errorf("%s: %w\n%+v", code, err, *b.core.Product(b.placeOf(code)))
		}
		answers += made
	}
	return answers + 1, nil
}

func (b *lawBank) placeOf(code string) int {
	place, _ := b.core.Find(code)
	return place
}

// askAbout compares what every path says about one product.
func (b *lawBank) askAbout(p *fund.Profile, r matcher.Request, code string, n coverage) (answers int, err error) {
	place := b.placeOf(code)
	says := b.reader(p, &r).read(b.core.Product(place))
	why, err := b.core.Explain(p, code, r)
	if err != nil {
		return 0, err
	}
	personal := why.Personal
	if err := agree(says, onList, findings(why.Findings), personal); err != nil {
		return 0, fmt.Errorf("explained for a list: %w", err)
	}
	if err := agree(says, his, findings(why.OrderFindings), personal); err != nil {
		return 0, fmt.Errorf("explained for his order: %w", err)
	}
	if got := b.selects(p, r, place, why); got != why.Verdict.Permitted {
		return 0, fmt.Errorf("selected %v, explained %v", got, why.Verdict.Permitted)
	}
	for rule, outcomes := range says {
		if outcomes[onList].Excludes() {
			n["list."+string(rule)]++
		}
	}
	for _, initiative := range []fund.Initiative{fund.ByFirm, fund.ByCustomer} {
		if err := b.order(p, r, code, initiative, n); err != nil {
			return 0, fmt.Errorf("by %v: %w", initiative, err)
		}
	}
	return 5, nil // an explanation, two orders, two switches
}

// selects is the reverse direction: whether this product is among those that the whole pool
// yields for him.
func (b *lawBank) selects(p *fund.Profile, r matcher.Request, place int, why *matcher.Explanation) bool {
	goal, months, need := why.Slate.Wish.ForGate(why.Personal)
	if !why.Personal {
		goal, months, need = fund.GoalUnknown, p.Needs.HorizonMonths, p.Needs.Liquidity
		if len(p.Needs.Goals) > 0 {
			goal = p.Needs.Goals[0]
		}
	}
	facts := b.gate.Facts(p, goal, months, need, eligibility.Context{At: r.At, Channel: r.Channel, Licence: r.Licence.ForGate()})
	var said eligibility.Refusals
	b.gate.Refusals(p, r.At, &said)
	var v eligibility.Verdicts
	b.gate.Select(&facts, &said, &v)
	return v.Has(place)
}

// strongest of each rule, of those that keep an order or a showing back.
type spoken map[eligibility.RuleID]eligibility.Outcome

func findings(of []eligibility.Finding) spoken {
	out := spoken{}
	for i := range of {
		if f := &of[i]; f.Outcome >= eligibility.Confirm {
			out[f.Rule] = max(out[f.Rule], f.Outcome)
		}
	}
	return out
}

// agree: the gate says what the rulebook says, rule by rule. What is inferred of his goal
// may only add to S04, where personal facts may be read.
func agree(says map[eligibility.RuleID][3]eligibility.Outcome, situation int, got spoken, personal bool) error {
	for rule, outcomes := range says {
		if outcomes[situation] != got[rule] {
			return fmt.Errorf("%s says %s, the rulebook %s", rule, got[rule], outcomes[situation])
		}
	}
	for rule, outcome := range got {
		if _, read := says[rule]; !read && (rule != eligibility.S04 || !personal) {
			return fmt.Errorf("%s says %s, the rulebook nothing", rule, outcome)
		}
	}
	return nil
}

// ofOrders are the rules that judge the amount too, or what was done before it.
var ofOrders = []eligibility.RuleID{
	eligibility.G01, eligibility.S15, eligibility.K04, eligibility.P01, eligibility.K01, eligibility.C04, eligibility.C05,
}

// order checks an order of somebody's initiative, and a switch into the product.
func (b *lawBank) order(p *fund.Profile, r matcher.Request, code string, by fund.Initiative, n coverage) error {
	trail := b.brought(p, code, r.At, by)
	who := *p
	who.Trail = trail
	read := b.reader(&who, &r)
	product := b.core.Product(b.placeOf(code))
	says, situation, name := read.read(product), firms, "firm."
	if by == fund.ByCustomer {
		situation, name = his, "his."
	}
	amount := pick(b.bank, fund.Money(1_000), 100_000, 299_999, 300_001, 5_000_000, 30_000_000, 2_000_000_000)
	request := matcher.OrderRequest{ProductCode: code, Amount: amount, At: r.At, Channel: r.Channel, Licence: r.Licence.ForGate()}
	if err := b.core.CheckOrder(&who, request, &b.check); err != nil {
		return err
	}
	if b.check.Origin.Initiative != by {
		return fmt.Errorf("the order is %+v", b.check.Origin)
	}
	got := spoken{}
	for i := range b.check.Findings {
		if f := &b.check.Findings[i]; f.Outcome >= eligibility.Confirm {
			got[f.Rule] = max(got[f.Rule], f.Outcome)
			if situation == his || f.Outcome.Excludes() {
				n[name+string(f.Rule)]++
			}
		}
	}
	of, personal := spoken{}, b.list.Personal
	for rule, outcome := range got {
		if says[rule][situation] != eligibility.None || !slices.Contains(ofOrders, rule) {
			of[rule] = outcome
		}
	}
	if err := agree(says, situation, of, personal); err != nil {
		return fmt.Errorf("the order: %w", err)
	}
	if err := b.checkVerdict(says, situation, product, &who, amount); err != nil {
		return err
	}
	if situation == his {
		n["order."+b.check.Verdict.String()]++
	} else {
		n[name+b.check.Verdict.String()]++
	}
	return b.swapInto(&who, r, code, says, situation, n)
}

// checkVerdict: no order goes through that a rule keeps back, and none of the firm's that
// would need a word.
func (b *lawBank) checkVerdict(says map[eligibility.RuleID][3]eligibility.Outcome, situation int, p *fund.Product, c *fund.Profile, amount fund.Money) error {
	strongest := amountReading(p, c, b.check.Request.At, amount)[situation]
	for _, outcomes := range says {
		strongest = max(strongest, outcomes[situation])
	}
	verdict := b.check.Verdict
	switch {
	case strongest.Excludes() && verdict != matcher.OrderBlock:
		return fmt.Errorf("the order of %d is %s, a rule says %s", amount, verdict, strongest)
	case strongest >= eligibility.Confirm && verdict == matcher.OrderAllow:
		return fmt.Errorf("the order of %d is %s, a rule says %s", amount, verdict, strongest)
	case situation == firms && verdict == matcher.OrderConfirm:
		return errors.New("an order of the firm's is to be confirmed")
	case verdict == matcher.OrderAllow && len(b.check.Uses) > 0:
		return errors.New("it uses confirmations that nobody gave")
	}
	return nil
}

// amountReading is what the rules of orders say at least: G01's minimum and day limit, P01's
// minimum, S15 and K04 by his assets with the bank. Other orders and holdings only add.
func amountReading(p *fund.Product, c *fund.Profile, at fund.Instant, amount fund.Money) (out [3]eligibility.Outcome) {
	private := p.Listing.Kind == fund.Trust || p.Listing.Kind == fund.AssetManagement
	tooLittle := amount < p.Terms.MinPurchase || private && amount < 30_000_000
	if tooLittle || p.Terms.DayLimit > 0 && amount > p.Terms.DayLimit {
		return block
	}
	percent := map[fund.RiskLevel]fund.Money{fund.C2: 25, fund.C3: 30, fund.C4: 35, fund.C5: 40}[levelOn(c, at)]
	assets := c.Person.AUM
	if assets > 0 && (amount > assets/2 || amount > assets*max(percent, 20)/100 && len(c.Lots) == 0) {
		out = [3]eligibility.Outcome{eligibility.None, eligibility.Hide, eligibility.Confirm}
	}
	if assets == 0 && c.Person.Income == 0 {
		out[his] = eligibility.Confirm
	}
	return out
}

func levelOn(c *fund.Profile, at fund.Instant) fund.RiskLevel {
	if a := &c.Assessment; a.On == 0 || !dayOf(a.On).After(midnight(at)) {
		return a.Level
	}
	return fund.LevelUnknown
}

// brought is his trail with the fund shown to him, or with all that the firm did taken away
// and a search of his own added.
func (b *lawBank) brought(p *fund.Profile, code string, at fund.Instant, by fund.Initiative) fund.Trail {
	if by == fund.ByFirm {
		return withExposure(p, code, at)
	}
	var trail fund.Trail
	for _, e := range p.Trail.Recent {
		if e.Kind != fund.Exposure && e.Kind != fund.Contact {
			trail.Recent = append(trail.Recent, e)
		}
	}
	trail.Recent = append(trail.Recent, fund.Event{Kind: fund.Click, ProductCode: code, Channel: "APP", At: at - 1, About: "SEARCH"})
	slices.SortFunc(trail.Recent, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) })
	return trail
}

// swapInto assesses a switch: its buy leg passes the same gate.
func (b *lawBank) swapInto(p *fund.Profile, r matcher.Request, code string, says map[eligibility.RuleID][3]eligibility.Outcome, situation int, n coverage) error {
	sold := b.purchase().ProductCode
	if len(p.Lots) > 0 {
		sold = p.Lots[0].ProductCode
	}
	if sold == code {
		return nil
	}
	request := matcher.SwitchRequest{At: r.At, Channel: r.Channel, Licence: r.Licence.ForGate(), SellCode: sold, BuyCode: code}
	if err := b.core.AssessSwitch(p, request, &b.swap); err != nil {
		return err
	}
	got := findings(b.swap.Findings)
	if says[eligibility.K01][situation] < got[eligibility.K01] {
		delete(got, eligibility.K01) // the switch itself
		if says[eligibility.K01][situation] != eligibility.None {
			got[eligibility.K01] = says[eligibility.K01][situation]
		}
	}
	if err := agree(says, situation, got, b.list.Personal); err != nil {
		return fmt.Errorf("the switch from %s: %w", sold, err)
	}
	n["switch."+b.swap.Verdict.String()]++
	for rule, outcomes := range says {
		o := outcomes[situation]
		if o.Excludes() && b.swap.Verdict != matcher.OrderBlock || o >= eligibility.Confirm && b.swap.Verdict == matcher.OrderAllow {
			return fmt.Errorf("the switch from %s is %s, %s says %s", sold, b.swap.Verdict, rule, o)
		}
	}
	return nil
}
