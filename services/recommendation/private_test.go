package recommendation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

// oneCustomer is a store of one customer.
type oneCustomer struct {
	features.Profiles
	profile *fund.Profile
}

func (o *oneCustomer) Profile(context.Context, string, fund.Instant) (*fund.Profile, error) {
	return o.profile, nil
}

// troubled makes random customers of a bank with much to hide: losses open and realised,
// falls that they sat out or did not, doubts, complaints, broken-off orders.
type troubled struct {
	rng   *rand.Rand
	core  *matcher.Core
	at    fund.Instant
	store oneCustomer
	ask   *recommendation.Service
}

// newTroubled opens the seed's bank.
func newTroubled(tb testing.TB, seed uint64) *troubled {
	tb.Helper()
	b := openBank(tb, synthetic.Options{Customers: 60, Products: 60, Seed: seed, AsOf: fund.Date(20260310)})
	core, at, err := b.engine.Core()
	if err != nil {
		tb.Fatal(err)
	}
	t := &troubled{rng: rand.New(rand.NewPCG(seed, 5)), core: core, at: at}
	t.ask = recommendation.New(recommendation.Fixed(core, at), &t.store, noLog{}, recommendation.Config{Clock: b.clock, NewID: newID})
	return t
}

func (t *troubled) one(n int) bool { return t.rng.IntN(n) == 0 }

func anyOf[T any](t *troubled, from ...T) T { return from[t.rng.IntN(len(from))] }

func (t *troubled) product() int { return t.rng.IntN(t.core.Len()) }

func (t *troubled) code() string { return t.core.Product(t.product()).Code }

// customer is one of them. Everything that he has stands at a loss of a sixth and more.
func (t *troubled) customer() *fund.Profile {
	day := t.at.Date()
	p := &fund.Profile{CustomerID: "c", Personalization: anyOf(t, fund.Unknown, fund.Yes, fund.Yes, fund.No)}
	p.Person = fund.Person{
		InvestorType: fund.Ordinary, BirthDate: anyOf(t, fund.Date(19500101), 19700615, 19900101), Capacity: fund.FullCapacity,
		IsLowestClass: fund.No, AUM: anyOf(t, fund.Money(0), 5_000_000, 300_000_000), Income: anyOf(t, fund.Money(0), 20_000_000),
	}
	p.Assessment = fund.Assessment{Level: anyOf(t, fund.C2, fund.C3, fund.C4, fund.C5), On: day.AddDays(-anyOf(t, 30, 200, 500))}
	p.Needs = fund.StatedNeeds{HorizonMonths: anyOf(t, int32(0), 6, 12, 36, 60), Liquidity: fund.Need(t.rng.IntN(fund.Needs))}
	if !t.one(4) {
		p.Needs.Goals = []fund.Goal{fund.Goal(1 + t.rng.IntN(fund.Goals-1))}
	}
	for range t.rng.IntN(4) {
		i := t.product()
		shares, nav := fund.Shares(1_000_000+t.rng.IntN(90_000_000)), t.core.Record(i).UnitNAV
		worth := float64(shares) * nav / 100
		p.Lots = append(p.Lots, fund.Lot{
			ProductCode: t.core.Product(i).Code, Shares: shares, AcquiredOn: day.AddDays(-t.rng.IntN(2000)),
			Cost: fund.Money(worth * (1.2 + 2*t.rng.Float64())),
		})
	}
	slices.SortStableFunc(p.Lots, func(a, b fund.Lot) int { return strings.Compare(a.ProductCode, b.ProductCode) })
	for range t.rng.IntN(3) {
		p.Purchases = append(p.Purchases, fund.Purchase{ProductCode: t.code(), KnownOn: day.AddDays(-t.rng.IntN(2000)), Kind: "BUY"})
	}
	slices.SortFunc(p.Purchases, func(a, b fund.Purchase) int { return strings.Compare(a.ProductCode, b.ProductCode) })
	if t.one(2) {
		p.Consents = []fund.Consent{{Purpose: fund.ConsentCall, Granted: t.one(2), At: t.at - 1}}
	}
	p.Trail = behaviour.Of(t.events())
	return p
}

func (t *troubled) events() []fund.Event {
	var events []fund.Event
	for range t.rng.IntN(20) {
		e := fund.Event{
			Kind: fund.EventKind(1 + t.rng.IntN(fund.EventKinds-1)), At: t.at - fund.Instant(t.rng.Int64N(600*86_400_000_000)),
			ProductCode: t.code(), Channel: anyOf(t, "APP", "BRANCH"), Dwell: anyOf(t, int32(0), 5, 90),
		}
		switch e.Kind {
		case fund.ObjectionRaised, fund.EvidenceOpen:
			e.About = objection.Code(t.rng.IntN(int(objection.Codes))).String()
		case fund.DetailView:
			e.About = anyOf(t, "RISK", "FEE", "COMPARE")
		case fund.Redeem:
			e.Amount = fund.Money(100_000 + t.rng.IntN(900_000))
			e.Cost = e.Amount * 3 / 2
		case fund.Refusal:
			if t.one(3) {
				e.ProductCode = ""
			}
		default:
		}
		events = append(events, e)
	}
	return events
}

// asCustomer is what the customer is answered: the list and an explanation, for himself.
func (t *troubled) asCustomer(tb testing.TB, p *fund.Profile, channel, product string, limit int32) []proto.Message {
	tb.Helper()
	t.store.profile = p
	list, err := t.ask.Recommend(tb.Context(), &fundmatchv1.RecommendRequest{CustomerId: "c", Channel: channel, Limit: &limit, Explain: true, Audience: "CUSTOMER"})
	if err != nil {
		tb.Fatal(err)
	}
	why, err := t.ask.Explain(tb.Context(), &fundmatchv1.ExplainRequest{CustomerId: "c", Channel: channel, ProductCode: product, Audience: "CUSTOMER"})
	if err != nil {
		tb.Fatal(err)
	}
	list.DecisionId = "" // new each time
	return []proto.Message{list, why}
}

// forbiddenCodes are doubts that do not show, and triggers that say what the bank knows
// of him. Those of the product itself, such as GRADE, are fields of evidence as well.
var forbiddenCodes = strings.Fields(`LOSS_TRAUMA BREAK_EVEN_FIRST PUSHED CHEAPER_ELSEWHERE
	RAISED RAISED_ELSEWHERE OPENED_EVIDENCE LOW_LEVEL SOLD_IN_FALL READS_RISK SHORT_HORIZON FEE_PAGE SHORT_HOLDING DEPOSITS
	OPEN_LOSS SOLD_AT_LOSS SILENT_IN_FALL WATCHES ABANDONED FIRST_OF_KIND SHORT_DWELL DEPOSIT_MATURING CASH_GOAL OPEN_COMPLAINT
	OPTED_OUT MANAGER_CHANGED HELD_FUND HELD_INDEX HELD_THEME HELD_MANAGER INCOME_GOAL ASKS_FOR_INCOME HOLDS_LOSS POSTPONES
	JOINT_DECISION COMPARES_PLATFORMS COMPARE_PAGE`)

// forbiddenFields are fields of evidence that hold his results, how he bore them, and how
// he behaves.
var forbiddenFields = strings.Fields(`LOSS_PRODUCT LOSS_RESULT BREAK_EVEN_RISE BORNE BEARS KEPT_IN_FALL COMPLAINTS CONTACTS_30D EXPOSURES ABANDONS
	MEAN_DWELL_SECONDS POSTPONEMENTS HOLDING_DAYS HELD_SHARE OPEN_RESULT WORST_RESULT WORST_PRODUCT REALISED_RESULT FALL_BORNE
	ADDED_IN_FALL SILENT_AFTER_FALL CHURN CHANNEL LAST_PAGE NEXT_STEP PORTFOLIO_COST PORTFOLIO_VALUE TURNOVER OPEN_COMPLAINTS REFUSED_FOR
	WORST_1M WORST_3M WORST_6M`)

// bandsAllowed are the places where LOW, MEDIUM and HIGH are a need that he stated, not
// how likely something is.
var bandsAllowed = []string{"customerValue", "NEED", "USUAL_NEED"}

// forbidden finds what no customer may read in a decoded JSON value.
func forbidden(value any, name string) string {
	switch v := value.(type) {
	case map[string]any:
		if field, ok := v["field"].(string); ok {
			if slices.Contains(forbiddenFields, field) {
				return "evidence " + field
			}
			name = field
		}
		for key, inner := range v {
			at := key
			if key == "value" {
				at = name
			}
			if found := forbidden(inner, at); found != "" {
				return found
			}
		}
	case []any:
		for _, inner := range v {
			if found := forbidden(inner, name); found != "" {
				return found
			}
		}
	case string:
		isBand := v == "LOW" || v == "MEDIUM" || v == "HIGH"
		if slices.Contains(forbiddenCodes, v) || isBand && !slices.Contains(bandsAllowed, name) {
			return fmt.Sprintf("%s: %q", name, v)
		}
	}
	return ""
}

// No code, trigger, band or fact of the forbidden kind is in what a customer reads, and no
// field of managers is set; how much he lost changes nothing in it: whoever lost more, of
// the same things, reads the same bytes.
func TestNothingPrivateReachesACustomer(t *testing.T) {
	t.Parallel()
	const perBank = 2_000
	read, faces := 0, 0
	n := answers(t, 2_000)
	for seed := uint64(1); read < n && !t.Failed(); seed++ {
		bank := newTroubled(t, seed)
		for range perBank / 4 { // two lists and two explanations each
			lost := bank.customer()
			channel, product, limit := anyOf(bank, "APP", "BRANCH"), bank.code(), int32(1+bank.rng.IntN(20))
			told := bank.asCustomer(t, lost, channel, product, limit)
			for k, m := range bank.asCustomer(t, withDeeperLosses(lost), channel, product, limit) {
				if faces += privateIn(t, told[k]); !proto.Equal(m, told[k]) {
					t.Errorf("bank %d: who lost more reads another answer\n%v\n%v\n%+v", seed, told[k], m, lost)
				}
				read += 2
			}
		}
	}
	if read < n/2 || faces < read/20 {
		t.Errorf("%d answers read, %d doubts in them: hardly tried", read, faces)
	}
}

// privateIn reports what is private in a message and counts its doubts.
func privateIn(t *testing.T, m proto.Message) (doubts int) {
	t.Helper()
	unmarked := proto.Clone(m)
	takeManagers(unmarked.ProtoReflect())
	if !proto.Equal(m, unmarked) {
		t.Errorf("a field of managers is set: %v", m)
	}
	encoded, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		t.Fatal(err)
	}
	if found := forbidden(decoded, ""); found != "" {
		t.Errorf("the customer reads %s in %s", found, encoded)
	}
	return strings.Count(string(encoded), `"answer"`)
}

// withDeeperLosses is the customer had everything cost him half as much again.
func withDeeperLosses(p *fund.Profile) *fund.Profile {
	deeper := *p
	deeper.Lots = slices.Clone(p.Lots)
	for i := range deeper.Lots {
		deeper.Lots[i].Cost += deeper.Lots[i].Cost / 2
	}
	deeper.Trail.Recent = slices.Clone(p.Trail.Recent)
	for i := range deeper.Trail.Recent {
		deeper.Trail.Recent[i].Cost += deeper.Trail.Recent[i].Cost / 2
	}
	return &deeper
}
