package order_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/order"
)

// No sequence of confirmations gets an order through whose warnings were not all given:
// for this customer, product, grade, level and amount, by his own word with its proof, in
// time, and for one order only; whatever else was said of other customers, products, grades,
// levels and amounts, in whatever order, twice, or by two orders at once.
func TestNoSequenceOfConfirmationsOpensMoreThanItSaid(t *testing.T) {
	t.Parallel()
	const perCounter, actions = 50, 16
	sequences := 200
	if text := os.Getenv("FUNDMATCH_PROPERTY_ANSWERS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("FUNDMATCH_PROPERTY_ANSWERS=%q, expected a number of answers", text)
		}
		sequences = max(sequences, n/100)
	}
	seen := map[string]int{}
	for i := 0; i < sequences && !t.Failed(); i += perCounter {
		c := newCounter(t, uint64(i+1), seen)
		for range min(perCounter, sequences-i) {
			c.begin()
			for range actions {
				c.act()
			}
		}
	}
	t.Logf("%d sequences, %v", sequences, seen)
	for _, what := range []string{
		"ALLOW", "ALLOW confirmed", "CONFIRM", "BLOCK", "S03", "S05", "S15", "K04", "E01", "NOT_ASKED", "REFUSED", "two at once", "not recorded",
		"USED", "OTHER_PRODUCT", "OTHER_GRADE", "OTHER_LEVEL", "SMALLER_AMOUNT", "EXPIRED", "TOO_EARLY", "NO_RECORDING",
	} {
		if seen[what] == 0 {
			t.Errorf("%s: never reached", what)
		}
	}
}

// counter is a bank whose grades, customers' levels and clock the test turns.
type counter struct {
	*testing.T
	rng      *rand.Rand
	service  *order.Service
	people   *people
	pair     *pair
	log      *heldLog
	cores    map[coreKey]*matcher.Core
	now      time.Time
	raised   bool // every grade is a step higher than it was
	managers []string
	ids      []string // of customers
	asked    []*asked
	words    []*said
	seen     map[string]int
}

type coreKey struct {
	day    fund.Date
	raised bool
}

// asked is a check whose warnings may be answered.
type asked struct {
	decision, customer, product string
	verdict                     string
	amount                      fund.Money
	grade                       fund.RiskGrade
	level                       fund.RiskLevel
	at                          time.Time
	items                       []*fundmatchv1.ConfirmedItem
}

// said is a word that was kept.
type said struct {
	*asked
	id, rule, reason string
	at               time.Time
	inBranch         bool
	usedBy           string
}

var pool = [...]fund.RiskGrade{fund.R1, fund.R2, fund.R3, fund.R4, fund.R4, fund.R5}

func productCode(i int) string { return "P" + strconv.Itoa(i) }

func (c *counter) grade(product string) fund.RiskGrade {
	i, _ := strconv.Atoi(product[1:])
	if c.raised {
		return min(pool[i]+1, fund.R5)
	}
	return pool[i]
}

// people answers with profiles whose facts the test sets.
type people struct {
	features.Profiles
	mu     sync.Mutex
	level  map[string]fund.RiskLevel
	born   map[string]fund.Date
	events map[string][]fund.Event
	person fund.Person
	since  fund.Date
}

func (p *people) Profile(_ context.Context, id string, _ fund.Instant) (*fund.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &fund.Profile{
		CustomerID: id, Person: p.person, Assessment: fund.Assessment{Level: p.level[id], On: p.since},
		Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Growth}, HorizonMonths: 120}, Trail: behaviour.Of(p.events[id]),
	}
	out.Person.BirthDate = p.born[id]
	return out, nil
}

// words is a store's.
type words = features.Confirmations

// pair lets two orders that come together read their words before either uses one.
type pair struct {
	words
	arrived atomic.Int32
	both    atomic.Pointer[sync.WaitGroup] // nil: nobody waits
}

func (p *pair) Confirmations(ctx context.Context, customerID string, ids []string) ([]features.Confirmation, error) {
	out, err := p.words.Confirmations(ctx, customerID, ids)
	if both := p.both.Load(); both != nil && p.arrived.Add(1) <= 2 {
		both.Done()
		both.Wait()
	}
	return out, err
}

// heldLog keeps the records of decisions in memory; while it is full it takes none.
type heldLog struct {
	mu      sync.Mutex
	full    bool
	records map[string]decisionlog.Stored
}

func (l *heldLog) Append(_ context.Context, r decisionlog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return decisionlog.ErrFull
	}
	l.records[r.DecisionID] = decisionlog.Stored{Record: r}
	return nil
}

func (l *heldLog) Find(_ context.Context, id string) (decisionlog.Stored, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.records[id]
	if !ok {
		return r, decisionlog.ErrNotFound
	}
	return r, nil
}

func newCounter(t *testing.T, seed uint64, seen map[string]int) *counter {
	t.Helper()
	opts := synthetic.Options{Customers: 20, Products: 20, Seed: 7, AsOf: fund.Date(20260310)}
	c := &counter{T: t, rng: rand.New(rand.NewPCG(seed, 3)), now: opts.AsOf.Start().Add(10 * time.Hour).Time(), cores: map[coreKey]*matcher.Core{}, seen: seen}
	generated, err := synthetic.Generate(opts)
	if err != nil {
		t.Fatal(err)
	}
	store := memory.New()
	if _, err := store.Import(t.Context(), fund.InstantOf(c.now), generated.Load); err != nil {
		t.Fatal(err)
	}
	c.ids = []string{"DEMO-0001-CASH-ELDER", "DEMO-0002-STEADY-C3", "DEMO-0016-GROWTH-C4"}
	for _, m := range generated.Managers() {
		c.managers = append(c.managers, m.ID)
	}
	first, err := store.Manager(t.Context(), c.managers[0])
	if err != nil {
		t.Fatal(err)
	}
	c.people = &people{
		level: map[string]fund.RiskLevel{}, born: map[string]fund.Date{}, events: map[string][]fund.Event{}, since: 20260201,
		person: fund.Person{
			InvestorType: fund.Ordinary, Capacity: fund.FullCapacity, IsLowestClass: fund.No, AUM: 10_000_000, ManagerID: first.ID, BranchID: first.BranchID,
		},
	}
	c.log = &heldLog{records: map[string]decisionlog.Stored{}}
	c.pair = &pair{words: store}
	c.service = order.New(c, order.Stores{Profiles: c.people, Confirmations: c.pair, Staff: store, Log: c.log, Records: c.log}, order.Config{
		NewID: func() (string, error) { id, err := uuid.NewV7(); return id.String(), err },
		Now:   func() time.Time { return c.now },
	})
	return c
}

// Core is the core of the clock's day.
func (c *counter) Core() (*matcher.Core, fund.Instant, error) {
	at := fund.InstantOf(c.now)
	return c.cores[coreKey{at.Date(), c.raised}], at, nil
}

var compiled = sync.OnceValues(func() (matcher.Inputs, error) {
	model, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		return matcher.Inputs{}, err
	}
	rules, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		return matcher.Inputs{}, err
	}
	text, err := wording.Compile(wording.DefaultTemplates())
	return matcher.Inputs{
		Model: model, Rules: rules, Wording: text,
		NAVs:      func(func(string, []fund.NAV) error) error { return nil },
		Purchases: func(func(string, []fund.Purchase) error) error { return nil },
	}, err
})

// prepare compiles the core of the clock's day.
func (c *counter) prepare() {
	at := fund.InstantOf(c.now)
	key := coreKey{at.Date(), c.raised}
	if c.cores[key] != nil {
		return
	}
	in, err := compiled()
	if err != nil {
		c.Fatal(err)
	}
	in.Identity = matcher.Identity{PoolRevision: 1, AsOf: at, ModelID: "m", RulesID: "r", WordingID: in.Wording.Version(), Engine: "test"}
	for i := range pool {
		in.Products = append(in.Products, fund.Product{
			Code: productCode(i), Name: "测试", Type: "混合型-灵活", Parties: fund.Parties{Issuer: strconv.Itoa(i)}, Grades: fund.Grades{Bank: c.grade(productCode(i))},
			Listing: fund.Listing{Kind: fund.PublicFund, Status: fund.Open, DueDiligenceID: "DD"},
		})
	}
	if c.cores[key], err = matcher.Compile(&in); err != nil {
		c.Fatal(err)
	}
}

func (c *counter) one(n int) bool { return c.rng.IntN(n) == 0 }

func anyOf[T any](c *counter, from []T) T { return from[c.rng.IntN(len(from))] }

// begin starts a sequence: customers of some level, who came to some products themselves.
// What was said before stays in the store.
func (c *counter) begin() {
	c.now, c.raised = c.now.Add(time.Hour), c.one(4)
	for _, id := range c.ids {
		c.people.level[id] = fund.RiskLevel(2 + c.rng.IntN(3))
		c.people.born[id] = []fund.Date{19800101, 19500101}[c.rng.IntN(2)]
		c.people.events[id] = nil
		for i := range pool {
			c.people.events[id] = append(c.people.events[id], c.event(fund.Click, productCode(i)))
		}
	}
	// The newest words are those worth trying again.
	c.asked, c.words = c.asked[max(0, len(c.asked)-20):], c.words[max(0, len(c.words)-30):]
}

func (c *counter) event(kind fund.EventKind, code string) fund.Event {
	return fund.Event{Kind: kind, ProductCode: code, Channel: "APP", About: "SEARCH", At: fund.InstantOf(c.now.Add(-time.Minute))}
}

func (c *counter) act() {
	c.now = c.now.Add([]time.Duration{0, time.Microsecond, time.Second, time.Minute, 20 * time.Minute, 25 * time.Hour}[c.rng.IntN(6)])
	if c.one(20) {
		c.now = c.now.Add(time.Duration(c.rng.IntN(8*24)) * time.Hour)
	}
	if !c.now.Before(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) {
		c.now = time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC) // assessments hold for a year
		c.asked, c.words = nil, nil
	}
	id := anyOf(c, c.ids)
	switch n := c.rng.IntN(24); {
	case n == 0:
		c.raised = !c.raised
	case n == 1:
		c.people.level[id] = fund.RiskLevel(1 + c.rng.IntN(5))
	case n == 2 && c.one(4):
		c.people.events[id] = append(c.people.events[id], c.event(fund.Exposure, productCode(c.rng.IntN(len(pool)))))
	case n < 10:
		c.say()
	case n < 12:
		c.both()
	default:
		c.order()
	}
}

// request is an order, most often one that was asked about, with words of any kind.
func (c *counter) request() *fundmatchv1.CheckOrderRequest {
	amounts := []fund.Money{100_000, 1_000_000, 1_000_001, 6_000_000}
	r := &fundmatchv1.CheckOrderRequest{CustomerId: anyOf(c, c.ids), ProductCode: productCode(c.rng.IntN(len(pool))), AmountFen: int64(anyOf(c, amounts))}
	if len(c.asked) > 0 && !c.one(4) {
		q := anyOf(c, c.asked[max(0, len(c.asked)-6):])
		if len(c.words) > 0 && c.one(2) {
			q = anyOf(c, c.words[max(0, len(c.words)-4):]).asked
		}
		r.CustomerId, r.ProductCode, r.AmountFen = q.customer, q.product, int64(q.amount)
		switch c.rng.IntN(8) {
		case 0:
			r.AmountFen++
		case 1:
			r.AmountFen = int64(anyOf(c, amounts))
		case 2:
			r.ProductCode = productCode(c.rng.IntN(len(pool)))
		}
	}
	if c.one(6) {
		r.Channel, r.RecordingId = "BRANCH", []string{"", "REC-1"}[c.rng.IntN(2)]
	}
	for _, w := range slices.Backward(c.words) {
		apart := w.customer != r.GetCustomerId()
		if len(r.GetConfirmations()) < 12 && (!apart && !c.one(5) || apart && c.one(60)) {
			r.Confirmations = append(r.Confirmations, w.id)
		}
	}
	return r
}

// order asks for one order and holds the answer against what was said.
func (c *counter) order() {
	c.prepare()
	r := c.request()
	c.log.full = c.one(40)
	got, err := c.service.CheckOrder(c.Context(), r)
	if c.log.full {
		c.log.full = false
		c.seen["not recorded"]++
		c.spend(r) // what it may have used serves nothing else; so says the store
		return
	}
	c.settle(r, got, err)
}

// spend forgets words that an order without an answer may have used: a later use of one of
// them would be no defect, and none of this test's business.
func (c *counter) spend(r *fundmatchv1.CheckOrderRequest) {
	c.words = slices.DeleteFunc(c.words, func(w *said) bool { return slices.Contains(r.GetConfirmations(), w.id) })
}

// both lets two orders come together with the same words.
func (c *counter) both() {
	c.prepare()
	r := c.request()
	var got [2]*fundmatchv1.CheckOrderResponse
	var errs [2]error
	var group, together sync.WaitGroup
	if len(r.GetConfirmations()) > 0 {
		together.Add(len(got))
		c.pair.arrived.Store(0)
		c.pair.both.Store(&together)
		defer c.pair.both.Store(nil)
	}
	for i := range got {
		group.Go(func() { got[i], errs[i] = c.service.CheckOrder(context.Background(), r) })
	}
	group.Wait()
	c.seen["two at once"]++
	for i := range got {
		c.settle(r, got[i], errs[i])
	}
}

// settle remembers what was asked, and refuses an ALLOW that was not earned.
func (c *counter) settle(r *fundmatchv1.CheckOrderRequest, got *fundmatchv1.CheckOrderResponse, err error) {
	if err != nil {
		c.seen["REFUSED"]++ // a word of another customer is none of his
		return
	}
	c.seen[got.GetVerdict()]++
	for _, x := range got.GetRejectedConfirmations() {
		c.seen[x.GetWhy()]++
	}
	q := &asked{
		decision: got.GetDecisionId(), verdict: got.GetVerdict(), customer: r.GetCustomerId(), product: r.GetProductCode(), amount: fund.Money(r.GetAmountFen()),
		grade: c.grade(r.GetProductCode()), level: c.people.level[r.GetCustomerId()], at: c.now,
	}
	for _, x := range got.GetRequired() {
		c.seen[x.GetRuleId()]++
		if !x.GetMet() {
			q.items = append(q.items, &fundmatchv1.ConfirmedItem{RuleId: x.GetRuleId(), Reason: x.GetReason()})
		}
	}
	c.asked = append(c.asked, q)
	if got.GetVerdict() != "ALLOW" {
		if len(got.GetUsedConfirmations()) > 0 {
			c.Errorf("%s uses %v", got.GetVerdict(), got.GetUsedConfirmations())
		}
		return
	}
	c.earned(r, q, got.GetUsedConfirmations())
}

// needs are the warnings of an order as the rulebook has them, of an ordinary adult with a
// valid level above C1 who came to it himself.
func (c *counter) needs(q *asked, channel string) []string {
	var rules []string
	if int(q.grade) > int(q.level) {
		rules = append(rules, "S03")
	}
	if q.grade == fund.R5 {
		rules = append(rules, "S05")
	}
	if q.amount > 5_000_000 { // half of what he has with the bank
		rules = append(rules, "S15")
	}
	if percent := map[fund.RiskLevel]fund.Money{fund.C2: 25, fund.C3: 30, fund.C4: 35, fund.C5: 40}[q.level]; q.amount > 100_000*max(percent, 20) {
		rules = append(rules, "K04")
	}
	if c.people.born[q.customer] == 19500101 && channel != "BRANCH" && q.grade > fund.R3 {
		rules = append(rules, "E01")
	}
	return rules
}

// earned: each warning was answered by a word that is bound to this order, and every word
// that the order used was free.
func (c *counter) earned(r *fundmatchv1.CheckOrderRequest, q *asked, used []string) {
	for _, rule := range c.needs(q, r.GetChannel()) {
		if !slices.ContainsFunc(c.words, func(w *said) bool { return c.serves(w, r, q, rule) && slices.Contains(used, w.id) }) {
			c.Errorf("allowed without a word on %s: %+v with %v, used %v", rule, *q, r.GetConfirmations(), used)
			for _, w := range c.words {
				if slices.Contains(used, w.id) {
					c.Errorf("used %+v of %+v", *w, *w.asked)
				}
			}
		}
		c.seen["ALLOW confirmed"]++
	}
	for _, w := range c.words {
		if !slices.Contains(used, w.id) {
			continue
		}
		if w.usedBy != "" {
			c.Errorf("the word %s serves %s and %s", w.id, w.usedBy, q.decision)
		}
		w.usedBy = q.decision
	}
}

func (c *counter) serves(w *said, r *fundmatchv1.CheckOrderRequest, q *asked, rule string) bool {
	asking := w.asked
	bound := w.rule == rule && asking.customer == q.customer && asking.product == q.product && asking.grade == q.grade && asking.level == q.level &&
		asking.amount >= q.amount && asking.verdict != "BLOCK"
	inTime := !w.at.Before(asking.at) && !w.at.After(q.at) && q.at.Before(asking.at.Add(7*24*time.Hour)) &&
		(rule != "S05" || !q.at.Before(asking.at.Add(24*time.Hour)))
	proven := w.inBranch || r.GetChannel() != "BRANCH"
	return bound && inTime && proven && slices.Contains(r.GetConfirmations(), w.id)
}

// say answers a question, rightly or not.
func (c *counter) say() {
	if len(c.asked) == 0 {
		return
	}
	q := anyOf(c, c.asked[max(0, len(c.asked)-8):])
	r := &fundmatchv1.RecordConfirmationsRequest{CustomerId: q.customer, DecisionId: q.decision, Trace: "sign-" + q.decision, Items: slices.Clone(q.items)}
	wrong := c.rng.IntN(12)
	switch wrong {
	case 0:
		r.CustomerId = anyOf(c, c.ids)
	case 1:
		r.Items = append(r.Items, &fundmatchv1.ConfirmedItem{RuleId: "S03", Reason: "WARN_GRADE_ABOVE_LEVEL"})
	case 2:
		r.Items = append(r.Items, &fundmatchv1.ConfirmedItem{RuleId: "S02", Reason: "GRADE_ABOVE_LEVEL"})
	case 3:
		r.Trace = ""
	case 4:
		r.DecisionId = uuid.Must(uuid.NewV7()).String()
	case 5, 6, 7:
		r.Channel, r.Trace, r.RecordingId, r.ManagerId = "BRANCH", "", "REC-"+q.decision, c.managers[0]
	}
	got, err := c.service.RecordConfirmations(c.Context(), r)
	if err != nil {
		c.seen["NOT_ASKED"]++
		return
	}
	if q.verdict == "BLOCK" || wrong == 3 || wrong == 4 || r.GetCustomerId() != q.customer {
		c.Errorf("kept %v, which answers nothing: %+v", r, *q)
	}
	for _, x := range got.GetConfirmations() {
		if slices.ContainsFunc(c.words, func(w *said) bool { return w.id == x.GetId() }) {
			continue
		}
		c.words = append(c.words, &said{
			asked: q, id: x.GetId(), rule: x.GetRuleId(), reason: x.GetReason(), at: x.GetConfirmedAt().AsTime(), inBranch: r.GetChannel() == "BRANCH",
			usedBy: x.GetUsedBy(),
		})
	}
	if len(got.GetConfirmations()) != len(r.GetItems()) {
		c.Error(fmt.Sprint("kept ", len(got.GetConfirmations()), " of ", len(r.GetItems()), " words"))
	}
}
