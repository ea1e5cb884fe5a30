package fund_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestIDs(t *testing.T) {
	for _, good := range []string{"0", "A", "z", "161725", "02DF6316A92C55491047", "a.b_c-d", strings.Repeat("x", 64)} {
		if err := fund.CheckID(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", ".a", "-a", "_a", "a b", "a/b", "a\n", "é", "基金", "a\x00", strings.Repeat("x", 65), strings.Repeat("长", 500)} {
		if err := fund.CheckID(bad); !errors.Is(err, fund.ErrInvalid) || len(err.Error()) > 300 {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// Each coded value is read as it is written; nothing else is read.
func TestCodesAreReadAsTheyAreWritten(t *testing.T) {
	check := func(name string, n int, read func(string) (string, error), write func(i int) string) {
		for i := range n {
			code := write(i)
			if got, err := read(code); err != nil || got != code {
				t.Errorf("%s %d: %q is read as %q (%v)", name, i, code, got, err)
			}
		}
		for _, bad := range []string{"?", "x ", "R6", "C0", "r1", "TRUE", "R11", "UNKNOWN?"} {
			if got, err := read(bad); !errors.Is(err, fund.ErrInvalid) {
				t.Errorf("%s: %q is read as %q (%v)", name, bad, got, err)
			}
		}
	}
	check("grade", 6, func(s string) (string, error) { g, err := fund.ParseRiskGrade(s); return g.String(), err }, func(i int) string { return fund.RiskGrade(i).String() })
	check("level", 6, func(s string) (string, error) { g, err := fund.ParseRiskLevel(s); return g.String(), err }, func(i int) string { return fund.RiskLevel(i).String() })
	check("answer", 3, func(s string) (string, error) { g, err := fund.ParseAnswer(s); return g.String(), err }, func(i int) string { return fund.Answer(i).String() })
	check("goal", fund.Goals, func(s string) (string, error) { g, err := fund.ParseGoal(s); return g.String(), err }, func(i int) string { return fund.Goal(i).String() })
	check("need", fund.Needs, func(s string) (string, error) { g, err := fund.ParseNeed(s); return g.String(), err }, func(i int) string { return fund.Need(i).String() })
	check("kind", 8, func(s string) (string, error) { g, err := fund.ParseKind(s); return g.String(), err }, func(i int) string { return fund.Kind(i).String() })
	check("status", 6, func(s string) (string, error) { g, err := fund.ParseStatus(s); return g.String(), err }, func(i int) string { return fund.Status(i).String() })
	check("investor", 3, func(s string) (string, error) { g, err := fund.ParseInvestorType(s); return g.String(), err }, func(i int) string { return fund.InvestorType(i).String() })
	check("capacity", 4, func(s string) (string, error) { g, err := fund.ParseCapacity(s); return g.String(), err }, func(i int) string { return fund.Capacity(i).String() })
	check("channel", 3, func(s string) (string, error) { g, err := fund.ParseChannel(s); return g.String(), err }, func(i int) string { return fund.Channel(i).String() })
	check("initiative", 2, func(s string) (string, error) { g, err := fund.ParseInitiative(s); return g.String(), err }, func(i int) string { return fund.Initiative(i).String() })
}

func TestGoalsAreReadAsTheyAreWritten(t *testing.T) {
	goals, err := fund.ParseGoals("RETIREMENT, CASH;GROWTH|HOUSE")
	if err != nil || fund.JoinGoals(goals) != "RETIREMENT CASH GROWTH HOUSE" {
		t.Errorf("%v, %v: the order is the customer's", goals, err)
	}
	if set := fund.SetOf(goals); fund.JoinGoals(set.Goals()) != "CASH GROWTH RETIREMENT HOUSE" || set.Has(fund.Treasury) {
		t.Errorf("as a set: %v", set.Goals())
	}
	for _, bad := range []string{"CASH CASH", "UNKNOWN", "RICH"} {
		if _, err := fund.ParseGoals(bad); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// The higher grade counts (S10); without the bank's there is none.
func TestEffectiveGrade(t *testing.T) {
	for _, c := range []struct{ bank, issuer, want fund.RiskGrade }{
		{fund.R2, fund.R4, fund.R4}, {fund.R4, fund.R2, fund.R4}, {fund.R3, 0, fund.R3}, {0, fund.R1, 0}, {0, 0, 0},
	} {
		if got := (fund.Grades{Bank: c.bank, Issuer: c.issuer}).Effective(); got != c.want {
			t.Errorf("bank %q and issuer %q: %q, want %q", c.bank, c.issuer, got, c.want)
		}
	}
}

// realTypes are all types of the two real data sets of 2026, and what they are made of.
var realTypes = map[string]fund.Class{
	"混合型-偏股": fund.Equity, "混合型-灵活": fund.Balanced, "混合型-偏债": fund.MixedBond, "混合型-平衡": fund.Balanced, "混合-绝对收益": fund.Balanced,
	"债券型-长债": fund.Bond, "债券型-混合债": fund.MixedBond, "债券型-中短债": fund.ShortBond, "债券型-可转债": fund.MixedBond,
	"指数型-股票": fund.Index, "股票型": fund.Equity, "货币型": fund.MoneyMarket, "FOF": fund.FundOfFunds, "QDII": fund.OverseasFund,
	"商品（不含QDII）": fund.Commodity, "Reits": fund.RealEstate, "理财型": fund.ShortBond,
	"Stock": fund.SingleStock, "Stock/Large Cap": fund.SingleStock, "Bond/Corporate": fund.Bond, "Bond/Government": fund.Bond,
	"MTF/Equity": fund.Equity, "MTF/Bond": fund.Bond, "MTF/Bonds": fund.Bond, "MTF/Money Market": fund.MoneyMarket, "MTF/Balanced": fund.Balanced,
	"MTF/Other": fund.ClassUnknown, "MTF/Structured": fund.ClassUnknown, "": fund.ClassUnknown, "雪茄": fund.ClassUnknown,
}

func TestClassOfType(t *testing.T) {
	for name, want := range realTypes {
		if got := (&fund.Product{Type: name}).Class(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestEveryTypeOfTheRealDataIsPlaced(t *testing.T) {
	for _, file := range []string{"../../../shared/data/cn-funds/products.csv", "../../../shared/data/fartrans/products.csv"} {
		f, err := os.Open(file)
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("the real data are not here")
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		rows := csv.NewReader(f)
		header, err := rows.Read()
		if err != nil {
			t.Fatal(err)
		}
		column := -1
		for i, name := range header {
			if name == "product_type" {
				column = i
			}
		}
		for {
			row, err := rows.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, known := realTypes[row[column]]; !known {
				t.Fatalf("%s: type %q is in no table", file, row[column])
			}
		}
	}
}

func TestRatios(t *testing.T) {
	for x, want := range map[float64]fund.Ratio{
		-.3601105: -360_111, -.3601104: -360_110, .0000005: 1, -.0000005: -1, 0: 0, 1: 1_000_000, .00000049: 0,
	} {
		if got := fund.RatioOf(x); got != want {
			t.Errorf("%v is %d millionths, want %d", x, got, want)
		}
	}
	if fund.Ratio(-360_111).Float() != -.360111 {
		t.Error("back again it is another number")
	}
}

func TestEvidenceIsWritten(t *testing.T) {
	for want, e := range map[string]fund.Evidence{
		"-0.360111":  {Unit: fund.UnitRatio, Number: -360_111},
		"0.000001":   {Unit: fund.UnitRatio, Number: 1},
		"12.500000":  {Unit: fund.UnitRatio, Number: 12_500_000},
		"2015-08-25": {Unit: fund.UnitDate, Number: 20150825},
		"-5":         {Unit: fund.UnitFen, Number: -5},
		"R3":         {Text: "R3", Number: 7},
		"900":        {Unit: fund.UnitMinutes, Number: 900},
	} {
		if got := e.Value(); got != want {
			t.Errorf("%+v is written %q, want %q", e, got, want)
		}
	}
	w := fund.Window{From: 20150615, To: 20150825}
	if w.String() != "2015-06-15/2015-08-25" || (fund.Window{}).String() != "" {
		t.Errorf("windows are written %q and %q", w, fund.Window{})
	}
}

func TestAge(t *testing.T) {
	for _, c := range []struct {
		born, on fund.Date
		want     int
		known    bool
	}{
		{20060306, 20240305, 17, true},
		{20060306, 20240306, 18, true},
		{20040229, 20220228, 17, true},
		{20040229, 20220301, 18, true},
		{20040229, 20240229, 20, true},
		{20240306, 20240306, 0, true},
		{20240307, 20240306, 0, false},
		{0, 20240306, 0, false},
	} {
		p := fund.Person{BirthDate: c.born}
		if age, known := p.AgeOn(c.on); age != c.want || known != c.known {
			t.Errorf("born %s, on %s: %d (%v), want %d (%v)", c.born, c.on, age, known, c.want, c.known)
		}
	}
}

func TestTagsHoldFromUntil(t *testing.T) {
	p := fund.Profile{Tags: []fund.Tag{{Name: "a", Value: "1", From: 10, To: 20}, {Name: "b", To: fund.Forever}}}
	for at, want := range map[fund.Instant]bool{9: false, 10: true, 19: true, 20: false} {
		if _, ok := p.Tag("a", at); ok != want {
			t.Errorf("at %d the tag holds: %v", at, ok)
		}
	}
	if _, ok := p.Tag("c", 15); ok {
		t.Error("a tag that is not there holds")
	}
}

// What is held: lots with shares; without any lots what was bought and not sold since.
func TestHeld(t *testing.T) {
	lots := []fund.Lot{{ProductCode: "sold", Shares: 0}, {ProductCode: "lot", Shares: 1}}
	purchases := []fund.Purchase{
		{ProductCode: "back", KnownOn: 20240101, Kind: "REDEEM"},
		{ProductCode: "back", KnownOn: 20240201, Kind: "BUY"},
		{ProductCode: "bought", KnownOn: 20240101, Kind: "BUY"},
		{ProductCode: "redeemed", KnownOn: 20240101, Kind: "BUY"},
		{ProductCode: "redeemed", KnownOn: 20240101, Kind: "REDEEM"},
		{ProductCode: "seen", KnownOn: 20240101, Kind: "VIEW"},
	}
	for name, c := range map[string]struct {
		profile fund.Profile
		want    []string
	}{
		"lots alone count":  {fund.Profile{Lots: lots, Purchases: purchases}, []string{"lot"}},
		"all lots are sold": {fund.Profile{Lots: lots[:1], Purchases: purchases}, nil},
		"no lots are known": {fund.Profile{Purchases: purchases}, []string{"back", "bought"}},
		"nothing is known":  {fund.Profile{}, nil},
		"a product twice":   {fund.Profile{Lots: append(lots, lots...)}, []string{"lot", "lot"}},
	} {
		if got := slices.Collect(c.profile.Held()); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		for range c.profile.Held() {
			break // whoever has seen enough may stop
		}
	}
}

// The assumed calendar opens on weekdays and says that it is assumed.
func TestDealing(t *testing.T) {
	known := map[fund.Date]bool{}
	for d := fund.Date(20240401); d <= 20240430; d = d.AddDays(1) {
		known[d] = d.Weekday() != time.Saturday && d.Weekday() != time.Sunday && d != 20240404 && d != 20240405
	}
	closed := map[fund.Date]bool{}
	for i := range 70 {
		closed[fund.Date(20240401).AddDays(i)] = false
	}
	for name, c := range map[string]struct {
		days      map[fund.Date]bool
		at        string
		notBefore fund.Date
		want      fund.Date
		known     bool
	}{
		"before the cutoff":                    {nil, "2024-03-08T14:59:59.999999+08:00", 0, 20240308, false},
		"at the cutoff on a Friday":            {nil, "2024-03-08T15:00:00+08:00", 0, 20240311, false},
		"on a Saturday":                        {nil, "2024-03-09T09:00:00+08:00", 0, 20240311, false},
		"on a Sunday evening":                  {nil, "2024-03-10T23:00:00+08:00", 0, 20240311, false},
		"not before it opens":                  {nil, "2024-03-08T10:00:00+08:00", 20240320, 20240320, false},
		"it opens on a Sunday":                 {nil, "2024-03-08T10:00:00+08:00", 20240324, 20240325, false},
		"it has opened before":                 {nil, "2024-03-08T10:00:00+08:00", 20240301, 20240308, false},
		"over a holiday and a weekend":         {known, "2024-04-03T15:00:00+08:00", 0, 20240408, true},
		"on a known open day":                  {known, "2024-04-03T14:00:00+08:00", 0, 20240403, true},
		"beyond the known days":                {known, "2024-05-02T10:00:00+08:00", 0, 20240502, false},
		"a market that does not open again":    {closed, "2024-04-01T10:00:00+08:00", 0, 0, false},
		"the last known day, after 15:00":      {known, "2024-04-30T16:00:00+08:00", 0, 20240501, false},
		"UTC evening is the next Shanghai day": {nil, "2024-03-07T16:30:00Z", 0, 20240308, false},
	} {
		at, err := fund.ParseInstant(c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got, isKnown := fund.NewCalendar(c.days).Dealing(at, c.notBefore); got != c.want || isKnown != c.known {
			t.Errorf("%s: %s (known: %v), want %s (%v)", name, got, isKnown, c.want, c.known)
		}
	}
}

// aProfile draws a profile with lists of every length.
func aProfile(t *rapid.T) *fund.Profile {
	text := rapid.StringN(0, 8, 32)
	instant := rapid.Map(rapid.Int64(), func(n int64) fund.Instant { return fund.Instant(n) })
	date := rapid.SampledFrom([]fund.Date{0, 19000101, 20240229, 21991231})
	money := rapid.Map(rapid.Int64(), func(n int64) fund.Money { return fund.Money(n) })
	p := &fund.Profile{
		CustomerID: text.Draw(t, "id"), Revision: rapid.Uint64().Draw(t, "revision"),
		Person: fund.Person{
			InvestorType: fund.InvestorType(rapid.Uint8Max(2).Draw(t, "type")),
			Professional: fund.Professional{Class: text.Draw(t, "class"), Until: date.Draw(t, "until"), ElectsOrdinary: fund.Answer(rapid.Uint8Max(2).Draw(t, "elects"))},
			BirthDate:    date.Draw(t, "birth"), Capacity: fund.Capacity(rapid.Uint8Max(3).Draw(t, "capacity")), IsLowestClass: fund.Answer(rapid.Uint8Max(2).Draw(t, "lowest")),
			Industry: text.Draw(t, "industry"), Segment: text.Draw(t, "segment"), BranchID: text.Draw(t, "branch"), ManagerID: text.Draw(t, "manager"),
			AUM: money.Draw(t, "aum"), Income: money.Draw(t, "income"),
		},
		Assessment: fund.Assessment{
			Level: fund.RiskLevel(rapid.Uint8Max(5).Draw(t, "level")), On: date.Draw(t, "on"), At: instant.Draw(t, "at"),
			Questionnaire: text.Draw(t, "questionnaire"), Channel: text.Draw(t, "channel"),
		},
		PredictedLevel: fund.RiskLevel(rapid.Uint8Max(5).Draw(t, "predicted")),
		Needs: fund.StatedNeeds{
			Goals:         rapid.SliceOfN(rapid.Map(rapid.Uint8Max(9), func(n uint8) fund.Goal { return fund.Goal(n) }), 0, 4).Draw(t, "goals"),
			HorizonMonths: rapid.Int32().Draw(t, "horizon"), Liquidity: fund.Need(rapid.Uint8Max(3).Draw(t, "need")),
		},
		Personalization: fund.Answer(rapid.Uint8Max(2).Draw(t, "personalization")),
	}
	for range rapid.IntRange(0, 3).Draw(t, "entries") {
		p.Tags = append(p.Tags, fund.Tag{Name: text.Draw(t, "tag"), Value: text.Draw(t, "value"), From: instant.Draw(t, "from"), To: instant.Draw(t, "to"), Source: "s", Purpose: "p"})
		p.Lots = append(p.Lots, fund.Lot{ProductCode: text.Draw(t, "lot"), Shares: 5, AcquiredOn: date.Draw(t, "acquired"), Cost: money.Draw(t, "cost"), Account: "a", BatchID: "b"})
		p.Purchases = append(p.Purchases, fund.Purchase{ProductCode: text.Draw(t, "bought"), KnownOn: date.Draw(t, "known"), Kind: "BUY", Amount: money.Draw(t, "amount")})
		p.Attributes = append(p.Attributes, fund.Attribute{Name: text.Draw(t, "attribute"), Value: "v"})
		p.Consents = append(p.Consents, fund.Consent{Purpose: text.Draw(t, "purpose"), Granted: rapid.Bool().Draw(t, "granted"), At: instant.Draw(t, "consent at")})
		kind := fund.EventKind(rapid.Uint8Max(uint8(fund.EventKinds-1)).Draw(t, "event"))
		p.Trail.Recent = append(p.Trail.Recent, fund.Event{
			Kind: kind, At: instant.Draw(t, "event at"), ProductCode: text.Draw(t, "product"), Channel: text.Draw(t, "by"), About: text.Draw(t, "about"), Until: date.Draw(t, "named"),
			Amount: money.Draw(t, "order"), Cost: money.Draw(t, "order cost"), Dwell: rapid.Int32().Draw(t, "dwell"), Closed: rapid.Bool().Draw(t, "closed"),
		})
		p.Trail.Tallies[kind] = fund.Tally{
			Count: rapid.Int32Min(1).Draw(t, "count"), First: instant.Draw(t, "first"), Last: instant.Draw(t, "last"), Amount: money.Draw(t, "sum"),
		}
	}
	return p
}

// Equal bytes, equal profiles: nothing is lost, nothing has two encodings.
func TestProfilesAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := aProfile(t)
		encoded := fund.AppendProfile(nil, p)
		got, err := fund.ParseProfile(encoded)
		if err != nil || !bytes.Equal(fund.AppendProfile(nil, got), encoded) || got.CustomerID != p.CustomerID || len(got.Lots) != len(p.Lots) ||
			got.Person != p.Person || got.Assessment != p.Assessment || !slices.Equal(got.Consents, p.Consents) ||
			!slices.Equal(got.Trail.Recent, p.Trail.Recent) || got.Trail.Tallies != p.Trail.Tallies {
			t.Fatalf("%+v is read back as %+v (%v)", p, got, err)
		}
		for _, cut := range []int{0, 1, len(encoded) / 2, len(encoded) - 1} {
			if _, err := fund.ParseProfile(encoded[:cut]); !errors.Is(err, fund.ErrMalformed) {
				t.Fatalf("cut at %d of %d: %v", cut, len(encoded), err)
			}
		}
		if _, err := fund.ParseProfile(append(encoded, 0)); !errors.Is(err, fund.ErrMalformed) {
			t.Fatalf("a byte too many: %v", err)
		}
	})
}

func TestAProfileOfANewerProgramIsRefused(t *testing.T) {
	encoded := fund.AppendProfile(nil, &fund.Profile{})
	encoded[0] = 5
	if _, err := fund.ParseProfile(encoded); !errors.Is(err, fund.ErrNewerVersion) {
		t.Errorf("error %v, want ErrNewerVersion", err)
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add(fund.AppendProfile(nil, &fund.Profile{}))
	f.Add(fund.AppendProfile(nil, &fund.Profile{
		CustomerID: "c", Person: fund.Person{BirthDate: 19800229, AUM: 5}, Assessment: fund.Assessment{Level: fund.C3, On: 20240229},
		Tags: []fund.Tag{{Name: "goal", Value: "CASH", To: fund.Forever}}, Lots: []fund.Lot{{ProductCode: "p", Shares: 1, AcquiredOn: 20200101}},
		Purchases: []fund.Purchase{{ProductCode: "p", KnownOn: 20200101, Kind: "BUY"}}, Attributes: []fund.Attribute{{Name: "a", Value: "b"}},
	}))
	f.Add(fund.AppendProfile(nil, fullProfile()))
	f.Add(versionOne())
	f.Add(unhex("02" + bodyOfVersionOne + tailOfVersionTwo))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := fund.ParseProfile(b)
		if err != nil {
			return
		}
		once := fund.AppendProfile(nil, p)
		again, err := fund.ParseProfile(once)
		if err != nil || !bytes.Equal(fund.AppendProfile(nil, again), once) {
			t.Fatalf("read back as another profile: %v", err)
		}
	})
}

func TestLossOfRoundsHalfUpAndDoesNotOverflow(t *testing.T) {
	for _, c := range []struct {
		amount fund.Money
		result fund.Ratio
		want   fund.Money
	}{
		{100, -360_111, 36},
		{1, -500_000, 1},
		{1, -499_999, 0},
		{5_000_000, -360_111, 1_800_555},
		{5_000_000, 0, 0},
		{fund.MaxMoney, -1_000_000, fund.MaxMoney},
		{3_000_000, -514_584, 1_543_752},
	} {
		if got := fund.LossOf(c.amount, c.result); got != c.want {
			t.Errorf("%d fen at %d millionths: %d, want %d", c.amount, c.result, got, c.want)
		}
	}
}
