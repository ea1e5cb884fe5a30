package matcher_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// answersEnv sets how many answers the property test asks for; CI asks for 200,000.
const answersEnv = "FUNDMATCH_PROPERTY_ANSWERS"

const (
	defaultAnswers = 5_000
	answersPerPool = 500
)

// No answer, to whomever, on whatever pool, holds an item that the gate refuses, or that
// this file's own reading of the rulebook refuses; and every answer keeps the promises
// of its form. This is the test that must never be weakened.
func TestNoUnsuitableProductIsEverShown(t *testing.T) {
	answers := defaultAnswers
	if s := os.Getenv(answersEnv); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("%s=%q, expected a positive number", answersEnv, s)
		}
		answers = n
	}
	seen := tally{}
	for pool := 0; pool*answersPerPool < answers; pool++ {
		checkPool(t, uint64(pool), &seen)
		if t.Failed() {
			t.Fatalf("pool %d of %s=%d", pool, answersEnv, answers)
		}
	}
	seen.check(t)
}

func checkPool(t *testing.T, seed uint64, seen *tally) {
	t.Helper()
	b := newBank(seed, 40+int(seed%6)*50)
	core := b.compile(t)
	shuffled := b.inputs()
	shuffled.Products = slices.Clone(b.products)
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(shuffled.Products), func(i, j int) {
		shuffled.Products[i], shuffled.Products[j] = shuffled.Products[j], shuffled.Products[i]
	})
	permuted := compile(t, shuffled)
	gate, err := eligibility.Compile(defaults().rules, inCodeOrder(b.products), b.asOf)
	if err != nil {
		t.Fatal(err)
	}
	var out, again matcher.Slate
	for i := range answersPerPool {
		p, r := b.customer(i), b.request(core)
		if err := core.Match(p, r, &out); err != nil {
			t.Fatal(err)
		}
		judge := judgement{core: core, gate: gate, profile: p, slate: &out}
		if err := judge.check(); err != nil {
			t.Errorf("pool %d, customer %d at %s over %s: %v\n%+v", seed, i, r.At, r.Channel, err, p)
			return
		}
		seen.add(&out)
		if i%8 != 0 {
			continue
		}
		if err := permuted.Match(p, r, &again); err != nil || !bytes.Equal(out.AppendCanonical(nil), again.AppendCanonical(nil)) {
			t.Errorf("pool %d, customer %d: another order of the products gives another answer (%v)", seed, i, err)
			return
		}
	}
}

func inCodeOrder(products []fund.Product) []fund.Product {
	sorted := slices.Clone(products)
	slices.SortFunc(sorted, func(a, b fund.Product) int { return bytes.Compare([]byte(a.Code), []byte(b.Code)) })
	return sorted
}

// judgement is one answer under examination.
type judgement struct {
	core    *matcher.Core
	gate    *eligibility.Gate
	profile *fund.Profile
	slate   *matcher.Slate
}

func (j *judgement) check() error {
	s := j.slate
	if len(s.Items) > s.Request.Limit {
		return fmt.Errorf("%d items, the limit is %d", len(s.Items), s.Request.Limit)
	}
	if s.Personal && (s.Information || j.profile.Personalization == fund.No) {
		return fmt.Errorf("a personal list for one who may not have one")
	}
	codes := make([]string, 0, 2*len(s.Items))
	for i := range s.Items {
		codes = append(codes, s.Items[i].Code)
		if peer := s.Items[i].PeerCode; peer != "" {
			codes = append(codes, peer)
		}
		if err := checkItem(s, &s.Items[i]); err != nil {
			return fmt.Errorf("%s: %w", s.Items[i].Code, err)
		}
	}
	if err := checkExplored(s); err != nil {
		return err
	}
	for i := range s.Explored.Choices { // what another seed would have shown too
		codes = append(codes, s.Explored.Choices[i].Code)
	}
	for _, code := range codes {
		if err := j.permitted(code); err != nil {
			return fmt.Errorf("%s: %w", code, err)
		}
	}
	if err := checkOrder(j.core, s); err != nil {
		return err
	}
	bytesOf := s.AppendCanonical(nil)
	parsed, err := matcher.ParseSlate(bytesOf)
	if err != nil {
		return err
	}
	if !bytes.Equal(parsed.AppendCanonical(nil), bytesOf) {
		return fmt.Errorf("the record is read back as another answer")
	}
	return nil
}

// permitted holds a shown product against the gate, product by product, and against the
// rulebook as this file reads it.
func (j *judgement) permitted(code string) error {
	place, ok := j.core.Find(code)
	if !ok {
		return fmt.Errorf("not in the pool")
	}
	at := j.slate.Request.At
	wish := j.slate.Wish
	if !j.slate.Personal {
		wish, _ = expectation.Settle(j.profile, at, nil)
	}
	goal, months, need := wish.ForGate(j.slate.Personal)
	ctx := eligibility.Context{At: at, Channel: j.slate.Request.Channel}
	if j.slate.Request.Licence == licensed {
		ctx.Licence = eligibility.LicenceValid
	}
	facts := j.gate.Facts(j.profile, goal, months, need, ctx)
	var refusals eligibility.Refusals
	j.gate.Refusals(j.profile, at, &refusals)
	if verdict, findings := j.gate.Judge(place, &facts, &refusals, nil); !verdict.Permitted {
		return fmt.Errorf("the gate refuses it: %+v", findings)
	}
	product, channel := j.core.Product(place), j.slate.Request.Channel
	why := cmp.Or(overTheWrongCounter(&j.slate.Request), refusal(product, j.profile, at, channel), j.silence(product))
	if why != "" {
		return fmt.Errorf("the rulebook refuses it: %s", why)
	}
	return nil
}

// silence is an independent reading of A06: what he refused, in whichever class, is kept
// from him for ninety days and until the day that he named; a refusal of everything, or an
// open complaint of less than half a year, keeps everything from him outside the app.
func (j *judgement) silence(p *fund.Product) string {
	at := j.slate.Request.At
	app := j.slate.Request.Channel == fund.App
	day := 24 * time.Hour
	midnight := func(e *fund.Event) time.Time {
		y, m, d := e.At.Time().In(time.FixedZone("CST", 8*60*60)).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.FixedZone("CST", 8*60*60))
	}
	events := j.profile.Trail.Recent
	for i := range events {
		e := &events[i]
		if e.At > at {
			continue
		}
		start := midnight(e)
		switch e.Kind { //nolint:exhaustive // the rule hears these two
		case fund.Refusal:
			over := !at.Time().Before(start.Add(90*day)) && (e.Until == 0 || at.Date() >= e.Until)
			if over {
				continue
			}
			place, ok := j.core.Find(e.ProductCode)
			if ok && j.core.Product(place).FundCode() == p.FundCode() {
				return "A06: refused"
			}
			if e.ProductCode == "" && !app {
				return "A06: refused everything"
			}
		case fund.Complaint:
			if !e.Closed && !app && at.Time().Before(start.Add(180*day)) && !closedLater(events[i+1:], e, at) {
				return "A06: complaint open"
			}
		}
	}
	return ""
}

func closedLater(later []fund.Event, e *fund.Event, at fund.Instant) bool {
	for i := range later {
		l := &later[i]
		if l.Kind == fund.Complaint && l.Closed && l.At <= at && (l.ProductCode == "" || l.ProductCode == e.ProductCode) {
			return true
		}
	}
	return false
}

// overTheWrongCounter is what C01 and C03 say.
func overTheWrongCounter(r *matcher.Request) string {
	switch {
	case r.Channel == fund.ChannelUnknown:
		return "C01: no channel of the bank's"
	case r.Channel == fund.Branch && r.Licence.State != "VALID":
		return "C03: no licensed manager"
	}
	return ""
}

// refusal is an independent reading of rulebook.md: S01 S02 S04 (tied money) S05 S07 S10
// S12 S14 E01 E02 C02 C07 G01 P03. It shares no code with the gate, nor its arithmetic of dates.
func refusal(p *fund.Product, c *fund.Profile, at fund.Instant, channel fund.Channel) string {
	shanghai := time.FixedZone("CST", 8*60*60)
	now := at.Time().In(shanghai)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, shanghai)
	date := func(d fund.Date) time.Time {
		return time.Date(d.Year(), time.Month(d.Month()), d.Day(), 0, 0, 0, 0, shanghai)
	}
	before := func(a, b time.Time) bool { return a.Before(b) }

	grade := p.Grades.Bank
	if grade != 0 && p.Grades.Issuer > grade {
		grade = p.Grades.Issuer
	}
	launching := p.Listing.Status == fund.Subscription
	switch {
	case grade == 0:
		return "S10: no grade of the bank"
	case p.Listing.Kind == fund.PrivateFund || p.Listing.Kind == fund.Trust || p.Listing.Kind == fund.AssetManagement || p.Listing.Kind == fund.InsuranceProduct:
		return "S07: entry proof missing"
	case p.ShareClass == "Y" || p.Listing.Kind == fund.PensionFund:
		return "P03: no pension account"
	case p.Listing.DueDiligenceID == "":
		return "C02: no due diligence"
	case p.Listing.PoolFrom != 0 && before(today, date(p.Listing.PoolFrom)):
		return "C02: not yet in the pool"
	case p.Listing.PoolTo != 0 && !before(today, date(p.Listing.PoolTo)):
		return "C02: no longer in the pool"
	case !launching && p.Listing.Status != fund.Open && p.Listing.Status != fund.Limited:
		return "G01: not tradable"
	case !launching && p.Terms.ClosedUntil != 0 && before(today, date(p.Terms.ClosedUntil)):
		return "G01: closed period"
	}

	ageAtLeast := func(years int) bool {
		b := c.Person.BirthDate // time.Date turns 29 February of a common year into 1 March
		return !before(today, time.Date(b.Year()+years, time.Month(b.Month()), b.Day(), 0, 0, 0, 0, shanghai))
	}
	birthKnown := c.Person.BirthDate != 0
	if birthKnown && !ageAtLeast(18) {
		return "E02: under 18"
	}
	a := c.Assessment
	onFile := a.Level != 0 && (a.On == 0 || !before(today, date(a.On)))
	valid := onFile && a.On != 0 &&
		before(today, time.Date(a.On.Year()+1, time.Month(a.On.Month()), a.On.Day(), 0, 0, 0, 0, shanghai))
	proof := c.Person.Professional
	professional := c.Person.InvestorType == fund.ProfessionalInvestor && proof.Class != "" && proof.Until != 0 &&
		before(today, date(proof.Until)) && proof.ElectsOrdinary != fund.Yes
	limited := c.Person.Capacity == fund.LimitedCapacity || c.Person.Capacity == fund.NoCapacity
	level := fund.RiskLevel(0)
	if onFile {
		level = a.Level
	}
	elder := !birthKnown && c.Person.Segment != "CORPORATE" || birthKnown && ageAtLeast(65)
	switch {
	case limited && grade > fund.R1:
		return "E02: limited capacity"
	case c.Person.Capacity == fund.CapacityUnknown && !onFile && grade > fund.R1:
		return "E02: capacity unknown and never assessed"
	case !valid && !professional && grade > fund.R1:
		return "S12: no valid assessment"
	case !professional && int(grade) > max(int(level), 1):
		return "S02: above the level"
	case !professional && grade == fund.R5:
		return "S05: high risk"
	case c.Person.OpenChecks != 0:
		return "C07: a check is open"
	case c.Person.IsLowestClass == fund.Yes && grade > fund.R1:
		return "S01: lowest class by flag"
	case level == fund.C1 && c.Person.IsLowestClass != fund.No && !professional && grade > fund.R1:
		return "S01: C1 without the flag is lowest"
	case elder && channel != fund.Branch && grade > fund.R3:
		return "E01: grade without a manager"
	}
	// A list for information only is not cut to a goal (S12).
	return tiedRefusal(p, c, today, date, launching, elder, professional || !valid)
}

// tiedRefusal is what S04, unless he is exempt, and E01 say about money that cannot come out.
func tiedRefusal(p *fund.Product, c *fund.Profile, today time.Time, date func(fund.Date) time.Time, launching, elder, exempt bool) string {
	start := today
	for _, d := range []fund.Date{p.Terms.NextOpenOn, p.Terms.ClosedUntil} {
		if d != 0 && date(d).After(start) && (d == p.Terms.NextOpenOn || launching) {
			start = date(d)
		}
	}
	tied := int(start.Sub(today).Hours()/24) + int(p.Terms.LockupDays)
	switch {
	case elder && tied > 365:
		return "E01: long lockup"
	case exempt:
		return ""
	case (len(c.Needs.Goals) == 0 || c.Needs.HorizonMonths == 0) && tied > 90:
		return "S04: lockup without a stated goal and horizon"
	case c.Needs.Liquidity == fund.NeedHigh && tied > 7:
		return "S04: lockup for one who may need the money"
	case c.Needs.HorizonMonths > 0 && tied > 31*int(c.Needs.HorizonMonths):
		return "S04: tied beyond the horizon"
	}
	return ""
}

// checkItem holds one item's form.
func checkItem(s *matcher.Slate, it *matcher.Item) error {
	sum := 0.0
	for _, c := range it.Contributions {
		sum += c.Amount
		if !s.Personal && c.Feature.Personal() && c.Amount != 0 {
			return fmt.Errorf("%s contributes %v to a list that is not personal", c.Feature, c.Amount)
		}
	}
	if sum != it.Score {
		return fmt.Errorf("contributions sum to %v, the score is %v", sum, it.Score)
	}
	v := &it.Conversion
	switch {
	case len(it.Objections) == 0 || len(it.Objections) > 3:
		return fmt.Errorf("%d objections, expected 1 to 3", len(it.Objections))
	case s.Information != (v.Action.String() == "RETEST_RISK"):
		return fmt.Errorf("action %s, information only: %v", v.Action, s.Information)
	case s.Information && v.Quote.Suggested+v.Quote.Min+v.Quote.Max != 0:
		return fmt.Errorf("an amount to buy on a list for information")
	case v.Quote.Max > 0 && v.Quote.Suggested > v.Quote.Max:
		return fmt.Errorf("%d fen suggested above the day limit %d", v.Quote.Suggested, v.Quote.Max)
	case v.Quote.Suggested > 0 && v.Quote.Suggested < v.Quote.Min:
		return fmt.Errorf("%d fen suggested below the minimum %d", v.Quote.Suggested, v.Quote.Min)
	case v.AvailableOn != 0 && v.Cutoff <= s.Request.At:
		return fmt.Errorf("the cutoff %s has passed at %s", v.Cutoff, s.Request.At)
	case v.ProductCode != it.Code:
		return fmt.Errorf("the action speaks of %s", v.ProductCode)
	}
	return nil
}

// checkOrder: best first, one entry a fund, new issues within their share, each with an
// existing peer of another fund, and below an existing fund of the same score (K03).
func checkOrder(core *matcher.Core, s *matcher.Slate) error {
	funds, newIssues := map[string]bool{}, 0
	isNew := func(code string) bool { place, _ := core.Find(code); return core.IsNewIssue(place) }
	for i := range s.Items {
		it := &s.Items[i]
		place, _ := core.Find(it.Code)
		fundCode := core.Product(place).FundCode()
		if funds[fundCode] {
			return fmt.Errorf("fund %s stands twice", fundCode)
		}
		funds[fundCode] = true
		if i > 0 {
			before := &s.Items[i-1]
			if before.Score < it.Score || before.Score == it.Score && isNew(before.Code) && !isNew(it.Code) {
				return fmt.Errorf("%s (%v) stands above %s (%v)", before.Code, before.Score, it.Code, it.Score)
			}
		}
		if !isNew(it.Code) {
			continue
		}
		newIssues++
		peer, ok := core.Find(it.PeerCode)
		if !ok || core.IsNewIssue(peer) || core.Product(peer).FundCode() == fundCode || core.Product(peer).Class() != core.Product(place).Class() {
			return fmt.Errorf("new issue %s beside peer %q, expected an existing fund of its class", it.Code, it.PeerCode)
		}
	}
	if 100*newIssues > 30*len(s.Items) {
		return fmt.Errorf("%d new issues among %d items, at most 30 %%", newIssues, len(s.Items))
	}
	return nil
}

// tally makes sure that the random answers reach what the test speaks of.
type tally struct {
	answers, items, personal, information, impersonal, empty, newIssues, exchanged int

	chances, drawn int // lists whose last place was left to chance, and those in which it was taken
}

func (n *tally) add(s *matcher.Slate) {
	n.answers++
	n.items += len(s.Items)
	switch {
	case s.Personal:
		n.personal++
	case s.Information:
		n.information++
	default:
		n.impersonal++
	}
	if len(s.Items) == 0 {
		n.empty++
	}
	if s.Explored.Rank > 0 {
		n.chances++
	}
	if s.Explored.Drawn > 0 {
		n.drawn++
	}
	for i := range s.Items {
		if s.Items[i].PeerCode != "" {
			n.newIssues++
		}
		if s.Items[i].Conversion.ShareClass == "C" {
			n.exchanged++
		}
	}
}

func (n *tally) check(t *testing.T) {
	t.Helper()
	t.Logf("%+v", *n)
	if n.answers < 1000 {
		return
	}
	for name, enough := range map[string]bool{
		"items": n.items > n.answers/2, "personal": n.personal > n.answers/5, "information": n.information > n.answers/20,
		"impersonal": n.impersonal > n.answers/50, "empty": n.empty > 0, "new issues": n.newIssues > 0, "chances": n.chances > n.answers/250, "drawn": n.drawn > n.answers/2500,
	} {
		if !enough {
			t.Errorf("the random answers hardly reach %s: %+v", name, *n)
		}
	}
}
