package behaviour_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

var update = flag.Bool("update", false, "write the golden files anew")

// on is ten in the morning of a day in Shanghai.
func on(day fund.Date) fund.Instant { return day.Start() + 10*60*60*1_000_000 }

// aCustomer has a bit of everything. As of 2024-03-15 the windows begin on 2024-02-15,
// 2023-12-17 and 2023-03-17.
func aCustomer() (*fund.Profile, market) {
	pool := market{
		"A": {
			FundCode: "F1", Issuer: "甲基金", Theme: "消费", Grade: fund.R4, LaunchedOn: 20200101, UnitNAV: 0.8, NAVOn: 20240314,
			Falls: []fund.Fall{
				{Depth: -120_000, PeakOn: 20200301, TroughOn: 20200323, RecoveredOn: 20200701}, // before he had it
				{Depth: -300_000, PeakOn: 20210218, TroughOn: 20220425},
			},
		},
		"B": {
			Issuer: "乙基金", Theme: "债券", Grade: fund.R2, LaunchedOn: 20230901, UnitNAV: 1.05, NAVOn: 20240313,
			Falls: []fund.Fall{{Depth: -110_000, PeakOn: 20231001, TroughOn: 20231115, RecoveredOn: 20231220}},
		},
		"C": {
			FundCode: "F1", Issuer: "甲基金", Theme: "消费", Grade: fund.R4, UnitNAV: 0.79, NAVOn: 20240314,
			Falls: []fund.Fall{{Depth: -150_000, PeakOn: 20240105, TroughOn: 20240120, RecoveredOn: 20240210}},
		},
		"E": {
			Issuer: "丙基金", Theme: "医药", Grade: fund.R5, LaunchedOn: 20190101, UnitNAV: 2,
			Falls: []fund.Fall{{Depth: -400_000, PeakOn: 20210701, TroughOn: 20220426}},
		},
	}
	p := &fund.Profile{
		CustomerID: "rich",
		Lots: []fund.Lot{
			{ProductCode: "A", Shares: 100_000_000, AcquiredOn: 20210101, Cost: 1_000_000},
			{ProductCode: "A", Shares: 50_000_000, AcquiredOn: 20220301, Cost: 450_000},
			{ProductCode: "B", Shares: 200_000_000, AcquiredOn: 20230910, Cost: 2_000_000},
			{ProductCode: "C", Shares: 10_000_000, AcquiredOn: 20240101},
			{ProductCode: "C", Shares: 5_000_000, AcquiredOn: 20240125},
			{ProductCode: "D", Shares: 3_000_000, AcquiredOn: 20240201, Cost: 30_000},
			{ProductCode: "E", Shares: 0, AcquiredOn: 20210801, Cost: 600_000},
			{ProductCode: "F", Shares: 9_000_000, AcquiredOn: 20240316, Cost: 90_000}, // tomorrow
		},
		Purchases: []fund.Purchase{
			{ProductCode: "A", KnownOn: 20210101, Kind: "BUY", Amount: 1_000_000},
			{ProductCode: "A", KnownOn: 20220301, Kind: "BUY", Amount: 450_000},
			{ProductCode: "A", KnownOn: 20240301, Kind: "REDEEM", Amount: 200_000}, // the trail has it too
			{ProductCode: "A", KnownOn: 20240310, Kind: "VIEW"},
			{ProductCode: "B", KnownOn: 20230910, Kind: "BUY", Amount: 2_000_000},
			{ProductCode: "B", KnownOn: 20240316, Kind: "BUY", Amount: 1}, // tomorrow
			{ProductCode: "D", KnownOn: 20240201, Kind: "BUY", Amount: 30_000},
			{ProductCode: "E", KnownOn: 20210801, Kind: "BUY", Amount: 600_000},
			{ProductCode: "E", KnownOn: 20220501, Kind: "REDEEM", Amount: 350_000},
		},
		Trail: behaviour.Of([]fund.Event{
			{Kind: fund.Exposure, At: on(20231101), ProductCode: "B", Channel: "APP"},
			{Kind: fund.Click, At: on(20231101) + 1, ProductCode: "B", Channel: "APP", About: "LIST"},
			{Kind: fund.DetailView, At: on(20231110), ProductCode: "B", Channel: "APP", About: "FEES", Dwell: 300},
			{Kind: fund.DetailView, At: on(20240220), ProductCode: "A", Channel: "APP", About: "RISK", Dwell: 41},
			{Kind: fund.DetailView, At: on(20240221), ProductCode: "A", Channel: "BRANCH", Dwell: 20},
			{Kind: fund.ObjectionRaised, At: on(20240222), ProductCode: "A", Channel: "BRANCH", About: "DRAWDOWN"},
			{Kind: fund.EvidenceOpen, At: on(20240223), ProductCode: "A", Channel: "APP", About: "DRAWDOWN"},
			{Kind: fund.ObjectionRaised, At: on(20240224), ProductCode: "A", Channel: "BRANCH", About: "NOT_NOW", Until: 20240401},
			{Kind: fund.OrderStart, At: on(20240225), ProductCode: "H", Channel: "APP", Amount: 70_000},
			{Kind: fund.OrderAbandon, At: on(20240226), ProductCode: "H", Channel: "APP"},
			{Kind: fund.EvidenceOpen, At: on(20240226), Channel: "APP", About: "FEE"},
			{Kind: fund.Refusal, At: on(20240227), ProductCode: "C", Channel: "PHONE", About: "FEE", Until: 20240601},
			{Kind: fund.Contact, At: on(20240228), Channel: "PHONE"},
			{Kind: fund.Redeem, At: on(20240301), ProductCode: "A", Channel: "APP", Amount: 200_000, Cost: 260_000},
			{Kind: fund.Complaint, At: on(20240302), ProductCode: "A", Channel: "PHONE", About: "PUSHED"},
			{Kind: fund.Complaint, At: on(20240303), ProductCode: "B", Channel: "PHONE", About: "FEE"},
			{Kind: fund.Complaint, At: on(20240304), ProductCode: "B", Channel: "PHONE", Closed: true},
			{Kind: fund.Exposure, At: on(20240226) + 1, ProductCode: "H", Channel: "APP"}, // moves nobody back
			{Kind: fund.Exposure, At: on(20240310), ProductCode: "N", Channel: "APP"},
			{Kind: fund.Refusal, At: on(20240316), Channel: "APP"}, // tomorrow
		}),
	}
	return p, pool
}

func ok(r fund.Ratio) fund.Measure { return fund.Measure{Value: r, OK: true} }

// nodes makes the instants of a journey.
func nodes(of map[fund.KeyNode]fund.Instant) (r [fund.KeyNodes]fund.Instant) {
	for node, at := range of {
		r[node] = at
	}
	return r
}

// Every number here was computed by hand from the facts above.
func TestTheFeaturesOfACustomer(t *testing.T) {
	p, pool := aCustomer()
	want := fund.Conduct{
		At:          base,
		Purchases:   fund.Activity{Last: 20240201, Count: 5, Count90: 1, Count365: 2, Amount: 4_080_000, Amount365: 2_030_000},
		Redemptions: fund.Activity{Last: 20240301, Count: 2, Count30: 1, Count90: 1, Count365: 1, Amount: 550_000, Amount365: 200_000},
		Visits:      fund.Activity{Last: 20240221, Count: 4, Count30: 2, Count90: 2, Count365: 4},
		Contacts:    fund.Activity{Last: 20240228, Count: 1, Count30: 1, Count90: 1, Count365: 1},
		Portfolio: fund.Portfolio{
			Value: 3_418_500, Cost: 3_480_000, // 15,000 x 0.80 + 20,000 x 1.05 + 1,500 x 0.79 yuan; C's cost is unknown
			Result:  ok(-43_478), // 33,000 over 34,500 yuan, of A and B
			Largest: ok(614_305), // B: 21,000 of 34,185 yuan
			HHIFund: ok(526_131), HHIIssuer: ok(526_131), HHITheme: ok(526_131),
			AboveLevel: ok(385_695), GradeGap: ok(-228_609), // A and C are R4, B is R2
			NewIssues:   ok(250_000), // B, nine days after its launch, of A, A, B and E
			HoldingDays: 478,
			// Turnover: D has no value.
		},
		Losses: fund.Losses{
			Open: 250_000, Worst: ok(-172_414), WorstCode: "A", Realised: -60_000, RealisedOK: true, SoldAtLoss: 1,
			Borne:      ok(-150_000),
			SoldInFall: 2,                 // A, which has not recovered, and E five days after its trough
			KeptInFall: 1, AddedInFall: 1, // B and C
			SilentInFall: 1, // B: visits until 11-10, trough on 11-15, the next on 02-20
		},
		Habits: fund.Habits{
			Channel: "APP", Churn: fund.Low, Postponements: 2, Page: "RISK", MeanDwell: 31, Next: fund.Viewed, LastSeen: 20240303,
			Season: [12]int32{1, 1, 1, 0, 0, 0, 0, 1, 1},
		},
		Complaints: 1,
		Positions: []fund.Position{
			{
				ProductCode: "A", Shares: 150_000_000, FirstOn: 20210101, LastOn: 20220301, Cost: 1_450_000, CostOK: true,
				Value: 1_200_000, ValueOK: true, ValuedOn: 20240314, Result: ok(-172_414), Share: ok(351_031),
			},
			{
				ProductCode: "B", Shares: 200_000_000, FirstOn: 20230910, LastOn: 20230910, Cost: 2_000_000, CostOK: true,
				Value: 2_100_000, ValueOK: true, ValuedOn: 20240313, Result: ok(50_000), Share: ok(614_305),
			},
			{
				ProductCode: "C", Shares: 15_000_000, FirstOn: 20240101, LastOn: 20240125,
				Value: 118_500, ValueOK: true, ValuedOn: 20240314, Share: ok(34_664),
			},
			{ProductCode: "D", Shares: 3_000_000, FirstOn: 20240201, LastOn: 20240201, Cost: 30_000, CostOK: true},
		},
		Journeys: []fund.Journey{
			{ProductCode: "A", Node: fund.Asked, Reached: nodes(map[fund.KeyNode]fund.Instant{fund.Viewed: on(20240221), fund.Asked: on(20240224)})},
			{ProductCode: "B", Node: fund.Viewed, Exposures: 1, Reached: nodes(map[fund.KeyNode]fund.Instant{fund.Exposed: on(20231101), fund.Viewed: on(20231110)})},
			{ProductCode: "C", Refused: fund.RefusalWord{At: on(20240227), Reason: "FEE", Until: 20240601}},
			{ProductCode: "H", Node: fund.Abandoned, Exposures: 1, Abandons: 1, Reached: nodes(map[fund.KeyNode]fund.Instant{
				fund.Started: on(20240225), fund.Abandoned: on(20240226), fund.Exposed: on(20240226) + 1,
			})},
			{ProductCode: "N", Node: fund.Exposed, Exposures: 1, Reached: nodes(map[fund.KeyNode]fund.Instant{fund.Exposed: on(20240310)})},
		},
		Doubts: []fund.Doubt{
			{Code: "FEE", Opened: 1},
			{ProductCode: "A", Code: "DRAWDOWN", Count: 1, Last: on(20240222), Opened: 1},
			{ProductCode: "A", Code: "NOT_NOW", Count: 1, Last: on(20240224), Until: 20240401},
		},
	}
	var got fund.Conduct
	behaviour.Read(p, fund.C3, base, pool, &got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the features (-want +got):\n%s", d)
	}
	if got.Journey("H") == nil || got.Position("A") == nil || len(got.DoubtsAbout("A")) != 2 {
		t.Error("what is there is not found")
	}
}

// Without a pool and without a level nothing is guessed in their place.
func TestWhatTheMarketOrTheLevelWouldSayIsLeftOut(t *testing.T) {
	p, pool := aCustomer()
	var c fund.Conduct
	behaviour.Read(p, fund.C3, base, nil, &c)
	if want := (fund.Portfolio{Cost: 3_480_000, HoldingDays: -1}); c.Portfolio != want {
		t.Errorf("without a pool: %+v", c.Portfolio)
	}
	if want := (fund.Losses{Realised: -60_000, RealisedOK: true, SoldAtLoss: 1}); c.Losses != want {
		t.Errorf("without a pool: %+v", c.Losses)
	}
	behaviour.Read(p, fund.LevelUnknown, base, pool, &c)
	if c.Portfolio.AboveLevel.OK || c.Portfolio.GradeGap.OK || !c.Portfolio.HHIFund.OK {
		t.Errorf("without a level: %+v", c.Portfolio)
	}
	behaviour.Read(&fund.Profile{}, fund.C3, base, pool, &c)
	if d := cmp.Diff(fund.Conduct{
		At: base, Portfolio: fund.Portfolio{HoldingDays: -1},
		Positions: []fund.Position{}, Journeys: []fund.Journey{}, Doubts: []fund.Doubt{},
	}, c); d != "" {
		t.Errorf("of nobody (-want +got):\n%s", d)
	}
	if facts := behaviour.Facts(&c, nil); len(facts) != 0 {
		t.Errorf("of nobody there are facts: %+v", facts)
	}
}

// The facts as a manager's brief takes them, and that the docs name every one of them.
func TestTheFactsOfACustomer(t *testing.T) {
	p, pool := aCustomer()
	var c fund.Conduct
	behaviour.Read(p, fund.C3, base, pool, &c)
	// What this customer lacks, so that every fact is written once.
	c.Portfolio.Turnover = ok(55_273)
	c.Refused = fund.RefusalWord{At: on(20240314), Reason: "NOT_NOW", Until: 20240701}
	c.Habits.Season[8] = 3
	facts := behaviour.Facts(&c, nil)
	if len(facts) != behaviour.MaxFacts {
		t.Errorf("%d facts, want %d: MaxFacts says so", len(facts), behaviour.MaxFacts)
	}
	docs, err := os.ReadFile("../../docs/behaviour.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for i := range facts {
		f := &facts[i]
		if !strings.Contains(string(docs), "`"+f.Field+"`") {
			t.Errorf("docs/behaviour.md does not say what %s is", f.Field)
		}
		if f.AsOf != 20240315 || f.Source != behaviour.Source {
			t.Errorf("%s is of %s from %q", f.Field, f.AsOf, f.Source)
		}
		lines.WriteString(strings.TrimRight(strings.Join([]string{f.Field, f.Unit.String(), f.Value(), f.Window.String(), staleText(f.Stale)}, " "), " ") + "\n")
	}
	golden(t, "testdata/facts.golden", lines.String())
}

func staleText(days int32) string {
	if days == 0 {
		return ""
	}
	return fmt.Sprintf("stale %d", days)
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}
