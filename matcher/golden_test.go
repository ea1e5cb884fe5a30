package matcher_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// go test ./matcher -run Golden -update writes the answers anew; read the diff.
var update = flag.Bool("update", false, "write the golden files anew")

// golden is one case: what differs from the pool of testdata/pool.yaml, a customer and a
// question.
type golden struct {
	Why      string            `yaml:"why"`
	At       string            `yaml:"at"`
	Channel  string            `yaml:"channel"`
	Limit    int               `yaml:"limit"`
	Customer goldenCustomer    `yaml:"customer"`
	Change   []goldenProduct   `yaml:"change"`   // products of the pool with other values
	Holidays []string          `yaml:"holidays"` // with them the calendar of that month is known
	Explain  string            `yaml:"explain"`  // explain this product instead of a list
	Bought   map[string]string `yaml:"bought"`   // other customers: products that each bought
}

type goldenCustomer struct {
	Level, Assessed, Born, Capacity, Type, Personalization, Need string
	ProfessionalClass                                            string `yaml:"professional_class"`
	ProfessionalUntil                                            string `yaml:"professional_until"`
	Lowest, Goals, Holds, Bought                                 string
	GoalTag                                                      string `yaml:"goal_tag"`
	Predicted                                                    string
	Horizon                                                      int32
	AUM                                                          int64 `yaml:"aum_yuan"`
}

type goldenProduct struct {
	Code, Name, Type, Grade, Class, Parent, Status, Kind, Goals, Issuer, Manager, Themes string
	DueDiligence                                                                         string `yaml:"due_diligence"`
	PoolTo                                                                               string `yaml:"pool_to"`
	Launched, ClosedUntil, NextOpen                                                      string
	Entry, Exit                                                                          string
	NAV                                                                                  string // flat, steady, crash, fallen, young, stale
	Min                                                                                  int64  `yaml:"min_yuan"`
	DayLimit                                                                             int64  `yaml:"day_limit_yuan"`
	Lockup, Discount, Running, Service                                                   int32
}

func TestGoldenCases(t *testing.T) {
	cases, err := filepath.Glob("testdata/golden/*.yaml")
	if err != nil || len(cases) < 20 {
		t.Fatalf("%d golden cases (%v), expected 20 or more", len(cases), err)
	}
	var pool []goldenProduct
	readYAML(t, "testdata/pool.yaml", &pool)
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			var c golden
			readYAML(t, file, &c)
			got, err := json.MarshalIndent(c.answer(t, pool), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSuffix(file, ".yaml") + ".json"
			if *update {
				if err := os.WriteFile(want, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			before, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(before)), "\n"), strings.Split(string(got), "\n")); diff != "" {
				t.Errorf("%s (- golden, + now):\n%s", c.Why, diff)
			}
		})
	}
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// must returns a value that was read from a golden file.
func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (c *golden) answer(t *testing.T, pool []goldenProduct) any {
	t.Helper()
	at := must[fund.Instant](t)(fund.ParseInstant(c.At))
	b := &bank{asOf: at, day: at.Date(), navs: map[string][]fund.NAV{}, purchases: map[string][]fund.Purchase{}}
	for i := range pool {
		p := pool[i]
		for _, change := range c.Change {
			if change.Code == p.Code {
				p = p.with(t, change)
			}
		}
		b.add(t, &p)
	}
	for id, codes := range c.Bought {
		b.purchases[id] = bought(codes, b.day)
	}
	in := b.inputs()
	in.Calendar = c.calendar(t, b.day)
	core := compile(t, in)
	limit := c.Limit
	if limit == 0 {
		limit = 4
	}
	if c.Channel == "" {
		c.Channel = "APP"
	}
	r := matcher.Request{At: at, Channel: must[fund.Channel](t)(fund.ParseChannel(c.Channel)), Licence: licensed, Audience: wording.Customer, Limit: limit}
	if c.Explain == "" {
		return readable(t, core, match(t, core, c.Customer.profile(t, b.day), r))
	}
	e, err := core.Explain(c.Customer.profile(t, b.day), c.Explain, r)
	if err != nil {
		t.Fatal(err)
	}
	return readableExplanation(t, core, e)
}

// with returns the product with the given values of another.
func (p *goldenProduct) with(t *testing.T, change goldenProduct) goldenProduct {
	t.Helper()
	merged := *p
	data, err := yaml.Marshal(change)
	if err != nil {
		t.Fatal(err)
	}
	var given map[string]any
	if err := yaml.Unmarshal(data, &given); err != nil {
		t.Fatal(err)
	}
	for k, v := range given {
		if v == "" || v == uint64(0) {
			delete(given, k)
		} else if v == "none" {
			given[k] = ""
		}
	}
	if data, err = yaml.Marshal(given); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &merged); err != nil {
		t.Fatal(err)
	}
	return merged
}

func (b *bank) add(t *testing.T, g *goldenProduct) {
	t.Helper()
	day := must[fund.Date](t)
	p := fund.Product{
		Code: g.Code, Name: g.Name, Type: g.Type, ShareClass: g.Class, ParentCode: g.Parent,
		Parties: fund.Parties{Issuer: g.Issuer, ManagerName: g.Manager},
		Grades:  fund.Grades{Bank: must[fund.RiskGrade](t)(fund.ParseRiskGrade(g.Grade))},
		Listing: fund.Listing{
			Status: must[fund.Status](t)(fund.ParseStatus(g.Status)), Kind: must[fund.Kind](t)(fund.ParseKind(g.Kind)),
			PoolTo: day(fund.ParseDate(g.PoolTo)), DueDiligenceID: g.DueDiligence, KeyFactsVersion: "2024-01",
		},
		Terms: fund.Terms{
			LaunchedOn: day(fund.ParseDate(g.Launched)), ClosedUntil: day(fund.ParseDate(g.ClosedUntil)), NextOpenOn: day(fund.ParseDate(g.NextOpen)),
			MinPurchase: fund.Money(100 * g.Min), DayLimit: fund.Money(100 * g.DayLimit), LockupDays: g.Lockup,
		},
		Fees: fund.FeeSchedule{
			Subscription: must[[]fund.SubscriptionTier](t)(fund.ParseSubscriptionLadder(g.Entry)), DiscountPct: g.Discount,
			Redemption: must[[]fund.RedemptionTier](t)(fund.ParseRedemptionLadder(g.Exit)),
			Management: fund.BasisPoints(g.Running), Service: fund.BasisPoints(g.Service),
		},
		Content: fund.Content{Goals: fund.SetOf(must[[]fund.Goal](t)(fund.ParseGoals(g.Goals))), Themes: strings.Fields(g.Themes)},
	}
	if g.Entry == "" {
		p.Missing = p.Missing.With(fund.FieldSubscriptionLadder)
	}
	if g.Exit == "" {
		p.Missing = p.Missing.With(fund.FieldRedemptionLadder)
	}
	b.products = append(b.products, p)
	if g.NAV != "" {
		b.navs[p.Code] = history(t, g.NAV, b.day)
	}
}

// history is a price path by name, weekdays only, the last of them yesterday.
func history(t *testing.T, name string, today fund.Date) []fund.NAV {
	t.Helper()
	days, stale, value := 1000, 0, func(int) float64 { return 1 }
	switch name {
	case "flat":
	case "steady":
		value = func(i int) float64 { return 1 + float64(i)/10_000 }
	case "crash": // -30 % in the middle, recovered
		value = func(i int) float64 { return 1 + float64(i)/5_000 - .36*float64(max(0, 100-max(i-500, 500-i)))/100 }
	case "fallen": // -40 % at the end
		value = func(i int) float64 { return 1.5 - .6*float64(max(0, i-800))/200 }
	case "young":
		days, value = 90, func(i int) float64 { return 1 + float64(i%7)/100 }
	case "stale":
		days, stale, value = 600, 90, func(i int) float64 { return 1 + float64(i%50)/500 }
	default:
		t.Fatalf("no price path %q", name)
	}
	var navs []fund.NAV
	for i := range days {
		day := today.AddDays(i - days - stale)
		if w := day.Weekday(); w != 0 && w != 6 {
			navs = append(navs, fund.NAV{Date: day, Unit: value(i), Accum: value(i)})
		}
	}
	return navs
}

func bought(codes string, on fund.Date) []fund.Purchase {
	var out []fund.Purchase
	for _, code := range strings.Fields(codes) {
		out = append(out, fund.Purchase{ProductCode: code, KnownOn: on, Kind: "BUY"})
	}
	return out
}

// calendar is the assumed one, or one of two months that is known.
func (c *golden) calendar(t *testing.T, today fund.Date) fund.Calendar {
	t.Helper()
	if len(c.Holidays) == 0 {
		return fund.Calendar{}
	}
	days := map[fund.Date]bool{}
	for i := range 60 {
		d := today.AddDays(i - 5)
		days[d] = d.Weekday() != 0 && d.Weekday() != 6
	}
	for _, h := range c.Holidays {
		days[must[fund.Date](t)(fund.ParseDate(h))] = false
	}
	return fund.NewCalendar(days)
}

func (g *goldenCustomer) profile(t *testing.T, today fund.Date) *fund.Profile {
	t.Helper()
	day, answer := must[fund.Date](t), must[fund.Answer](t)
	p := &fund.Profile{
		CustomerID: "C1", PredictedLevel: must[fund.RiskLevel](t)(fund.ParseRiskLevel(g.Predicted)),
		Person: fund.Person{
			InvestorType: must[fund.InvestorType](t)(fund.ParseInvestorType(g.Type)), BirthDate: day(fund.ParseDate(g.Born)),
			Professional: fund.Professional{Class: g.ProfessionalClass, Until: day(fund.ParseDate(g.ProfessionalUntil))},
			Capacity:     must[fund.Capacity](t)(fund.ParseCapacity(g.Capacity)), IsLowestClass: answer(fund.ParseAnswer(g.Lowest)), AUM: fund.Money(100 * g.AUM),
		},
		Assessment: fund.Assessment{Level: must[fund.RiskLevel](t)(fund.ParseRiskLevel(g.Level)), On: day(fund.ParseDate(g.Assessed))},
		Needs: fund.StatedNeeds{
			Goals: must[[]fund.Goal](t)(fund.ParseGoals(g.Goals)), HorizonMonths: g.Horizon, Liquidity: must[fund.Need](t)(fund.ParseNeed(g.Need)),
		},
		Personalization: answer(fund.ParseAnswer(g.Personalization)),
		Purchases:       bought(g.Bought, today),
	}
	if g.GoalTag != "" {
		p.Tags = []fund.Tag{{Name: "goal", Value: g.GoalTag, To: fund.Forever}}
	}
	for _, code := range strings.Fields(g.Holds) {
		p.Lots = append(p.Lots, fund.Lot{ProductCode: code, Shares: 10_000, AcquiredOn: today.AddDays(-100)})
	}
	return p
}
