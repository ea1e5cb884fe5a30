package dataset

import (
	"bytes"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// What a writer writes, the reader of the file reads as the same rows, and writing them
// again gives the same bytes.
func TestRoundTrip(t *testing.T) {
	t.Run("products", func(t *testing.T) { roundTrip(t, productFormat(), drawProduct) })
	t.Run("navs", func(t *testing.T) { roundTrip(t, navFormat(), drawNAV) })
	t.Run("customers", func(t *testing.T) { roundTrip(t, customerFormat(), drawCustomer) })
	t.Run("assessments", func(t *testing.T) {
		roundTrip(t, assessmentFormat(), func(t *rapid.T) AssessmentRow {
			return AssessmentRow{
				CustomerID: anID(t), AssessedAt: anInstant(t), Level: fund.RiskLevel(between(t, 1, 5)), Questionnaire: aText(t), Channel: aText(t),
			}
		})
	})
	t.Run("consents", func(t *testing.T) {
		roundTrip(t, consentFormat(), func(t *rapid.T) ConsentRow {
			return ConsentRow{CustomerID: anID(t), Purpose: aText(t) + "p", Granted: rapid.Bool().Draw(t, "granted"), EventAt: anInstant(t), Channel: aText(t)}
		})
	})
	t.Run("tags", func(t *testing.T) {
		roundTrip(t, tagFormat(), func(t *rapid.T) TagRow {
			r := TagRow{CustomerID: anID(t), Name: aText(t) + "n", Value: aText(t) + "v", EventAt: anInstant(t), Source: aText(t), Purpose: aText(t)}
			if rapid.Bool().Draw(t, "timed") {
				r.KnownAt, r.ValidTo = anInstant(t), r.EventAt+1
			}
			return r
		})
	})
	t.Run("features", func(t *testing.T) {
		values := []string{"null", "1", "0.50", "-1e9", "true", `"a,\"b\"\n<华>"`, `[]`, `["a","b,c"]`}
		roundTrip(t, featureFormat(), func(t *rapid.T) FeatureRow {
			r := FeatureRow{
				CustomerID: anID(t), View: "v" + anID(t)[:1], Feature: anID(t), Value: rapid.SampledFrom(values).Draw(t, "value"), EventAt: anInstant(t), Source: aText(t), Purpose: aText(t),
			}
			if rapid.Bool().Draw(t, "timed") {
				r.KnownAt, r.ValidTo = anInstant(t), r.EventAt+1
			}
			return r
		})
	})
	t.Run("holdings", func(t *testing.T) {
		roundTrip(t, holdingFormat(), func(t *rapid.T) HoldingRow {
			return HoldingRow{CustomerID: anID(t), Lot: fund.Lot{
				ProductCode: anID(t), Shares: fund.Shares(between(t, 0, int64(MaxShares))), AcquiredOn: aFactDate(t),
				Cost: aMoney(t), Account: aText(t), BatchID: aText(t),
			}}
		})
	})
	t.Run("interactions", func(t *testing.T) {
		roundTrip(t, interactionFormat(), func(t *rapid.T) features.CustomerPurchase {
			return features.CustomerPurchase{CustomerID: anID(t), Purchase: fund.Purchase{ProductCode: anID(t), KnownOn: aFactDate(t), Kind: aWord(t), Amount: aMoney(t)}}
		})
	})
	t.Run("events", func(t *testing.T) {
		roundTrip(t, eventFormat(), func(t *rapid.T) features.Event {
			return features.Event{
				ID: anID(t), CustomerID: anID(t), Kind: rapid.SampledFrom(eventKinds()).Draw(t, "kind"), EventAt: anInstant(t), KnownAt: anInstant(t), ProductCode: perhapsID(t),
				DecisionID: aText(t), Channel: aText(t), Attributes: rapid.SampledFrom([]string{"", "{}", " {\"a\":\n[1,\"华\"]}"}).Draw(t, "attributes"),
			}
		})
	})
	t.Run("managers", func(t *testing.T) {
		roundTrip(t, managerFormat(), func(t *rapid.T) features.Manager {
			return features.Manager{ID: anID(t), BranchID: anID(t), LicenceID: aText(t), LicenceUntil: aDate(t)}
		})
	})
	t.Run("branches", func(t *testing.T) {
		roundTrip(t, branchFormat(), func(t *rapid.T) features.Branch {
			return features.Branch{ID: anID(t), Name: aText(t), Region: aText(t), ParentID: perhapsID(t)}
		})
	})
	t.Run("calendar", func(t *testing.T) {
		roundTrip(t, calendarFormat(), func(t *rapid.T) features.CalendarDay {
			return features.CalendarDay{Date: aFactDate(t), Open: rapid.Bool().Draw(t, "open")}
		})
	})
}

func roundTrip[T any](t *testing.T, f *format[T], draw func(*rapid.T) T) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		seen := seenKeys(f, nil)
		var rows []T
		for range rapid.IntRange(0, 4).Draw(t, "rows") {
			if v := draw(t); !seen(&v) {
				rows = append(rows, v)
			}
		}
		var written bytes.Buffer
		if err := write(&written, f, slices.Values(rows)); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(read(bytes.NewReader(written.Bytes()), f.name, f, nil))
		if err != nil {
			t.Fatalf("%v\n%s", err, written.Bytes())
		}
		for i := range got {
			if err := keepable(&got[i]); err != nil {
				t.Fatalf("a row that was read cannot be stored: %v", err)
			}
		}
		if diff := cmp.Diff(rows, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("rows (-written +read):\n%s\n%s", diff, written.Bytes())
		}
		var again bytes.Buffer
		if err := write(&again, f, slices.Values(got)); err != nil || !bytes.Equal(written.Bytes(), again.Bytes()) {
			t.Fatalf("written again (%v):\n%s\nfirst:\n%s", err, again.Bytes(), written.Bytes())
		}
	})
}

func readAll[T any](rows iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range rows {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

func between(t *rapid.T, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, "number") }

func anID(t *rapid.T) string {
	return rapid.StringMatching(`[0-9A-Za-z][0-9A-Za-z._-]{0,63}`).Draw(t, "id")
}

func perhapsID(t *rapid.T) string {
	if rapid.Bool().Draw(t, "given") {
		return anID(t)
	}
	return ""
}

func aWord(t *rapid.T) string { return rapid.StringMatching(`[A-Z][A-Z0-9_]{0,20}`).Draw(t, "code") }

func aText(t *rapid.T) string {
	return rapid.StringOfN(rapid.SampledFrom([]rune(`aB1 ,"';:|华夏成长（）`)), 0, 40, 200).Draw(t, "text")
}

func aDate(t *rapid.T) fund.Date {
	if rapid.Bool().Draw(t, "given") {
		return 0
	}
	return fund.DateOfDay(int(between(t, int64(fund.Date(19000101).DayNumber()), int64(fund.Date(21991231).DayNumber()))))
}

func aFactDate(t *rapid.T) fund.Date {
	return fund.DateOfDay(int(between(t, 1, int64(fund.Date(21991231).DayNumber()))))
}

func anInstant(t *rapid.T) fund.Instant {
	return fund.Instant(between(t, 1_000_000, int64(fund.Date(21991231).Start())))
}

func aMoney(t *rapid.T) fund.Money { return fund.Money(between(t, 0, int64(fund.MaxMoney))) }

func drawGoals(t *rapid.T) []fund.Goal {
	all := fund.GoalSet(between(t, 0, 1<<fund.Goals-1)).Goals()
	if len(all) == 0 {
		return nil
	}
	return rapid.Permutation(all).Draw(t, "goals")
}

func drawAttributes(t *rapid.T) []fund.Attribute {
	var list []fund.Attribute
	for _, name := range []string{"a note", "market", "市场", "Ä"} {
		if rapid.Bool().Draw(t, "given") {
			list = append(list, fund.Attribute{Name: name, Value: aText(t) + "\tx\r\ny\n"})
		}
	}
	slices.SortFunc(list, func(a, b fund.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func drawNAV(t *rapid.T) NAVRow {
	price := rapid.Float64Range(MinNAV, MaxNAV)
	return NAVRow{
		ProductCode: anID(t), NAV: fund.NAV{Date: aFactDate(t), Unit: price.Draw(t, "unit"), Accum: price.Draw(t, "accum")},
		PurchaseStatus: aText(t), RedeemStatus: aText(t),
	}
}

func drawProduct(t *rapid.T) fund.Product {
	p := fund.Product{
		Code: anID(t), Name: aText(t) + "n", Type: aText(t), ShareClass: aText(t), ParentCode: perhapsID(t),
		Parties: fund.Parties{Issuer: aText(t), ManagerName: aText(t), ManagerSince: aDate(t), Size: aMoney(t)},
		Grades:  fund.Grades{Bank: fund.RiskGrade(between(t, 1, 5)), Issuer: fund.RiskGrade(between(t, 0, 5))},
		Listing: fund.Listing{
			Kind: fund.Kind(between(t, 0, int64(fund.InsuranceProduct))), Status: fund.Status(between(t, 0, int64(fund.Suspended))),
			PoolFrom: aDate(t), DueDiligenceID: aText(t), KeyFactsVersion: aText(t),
		},
		Terms:   fund.Terms{LaunchedOn: aDate(t), ClosedUntil: aDate(t), NextOpenOn: aDate(t)},
		Content: fund.Content{Goals: fund.SetOf(drawGoals(t)), Benchmark: aText(t), Attributes: drawAttributes(t)},
	}
	if p.Listing.PoolTo = aDate(t); p.Listing.PoolTo != 0 && p.Listing.PoolTo <= p.Listing.PoolFrom {
		p.Listing.PoolTo = 0
	}
	for _, theme := range []string{"医药", "AI", "低碳-环保"} {
		if rapid.Bool().Draw(t, "theme") {
			p.Content.Themes = append(p.Content.Themes, theme)
		}
	}
	drawFees(t, &p.Fees)
	drawMissing(t, &p)
	return p
}

func drawFees(t *rapid.T, f *fund.FeeSchedule) {
	f.DiscountPct = int32(between(t, 0, 100))
	f.Custody = fund.BasisPoints(between(t, 0, int64(fund.MaxRate)))
	for i := range between(t, 0, 3) {
		f.Subscription = append(f.Subscription, fund.SubscriptionTier{Below: fund.Money(i+1) * 1_000_000, Rate: fund.BasisPoints(between(t, 0, 2000))})
		f.Redemption = append(f.Redemption, fund.RedemptionTier{Below: int32(i+1) * 7, Rate: fund.BasisPoints(between(t, 0, 2000))})
	}
	if rapid.Bool().Draw(t, "ladders") {
		f.Subscription = append(f.Subscription, fund.SubscriptionTier{Fixed: fund.Money(between(t, 1, 100_000))})
		f.Redemption = append(f.Redemption, fund.RedemptionTier{Rate: fund.BasisPoints(between(t, 0, 2000))})
	} else {
		f.Subscription, f.Redemption = nil, nil
	}
}

// drawMissing gives the product the numbers that may be missing, and names the facts that are.
func drawMissing(t *rapid.T, p *fund.Product) {
	number := func(f fund.Field, limit int64) int64 {
		if rapid.Bool().Draw(t, "missing") {
			p.Missing = p.Missing.With(f)
			return 0
		}
		return between(t, 0, limit)
	}
	p.Terms.MinPurchase = fund.Money(number(fund.FieldMinPurchase, 1000))
	p.Terms.DayLimit = fund.Money(number(fund.FieldDayLimit, 1000))
	p.Terms.LockupDays = int32(number(fund.FieldLockup, MaxLockupDays))
	p.Fees.Management = fund.BasisPoints(number(fund.FieldManagementFee, 2000))
	p.Fees.Service = fund.BasisPoints(number(fund.FieldServiceFee, 2000))
	for f, absent := range map[fund.Field]bool{
		fund.FieldKind:               p.Listing.Kind == 0,
		fund.FieldIssuer:             p.Parties.Issuer == "",
		fund.FieldIssuerGrade:        p.Grades.Issuer == 0,
		fund.FieldPoolPeriod:         p.Listing.PoolFrom == 0 && p.Listing.PoolTo == 0,
		fund.FieldNextOpen:           p.Terms.NextOpenOn == 0,
		fund.FieldSubscriptionLadder: p.Fees.Subscription == nil,
		fund.FieldRedemptionLadder:   p.Fees.Redemption == nil,
		fund.FieldLaunchedOn:         p.Terms.LaunchedOn == 0,
		fund.FieldManager:            p.Parties.ManagerName == "",
		fund.FieldThemes:             p.Content.Themes == nil,
		fund.FieldGoals:              p.Content.Goals == 0,
	} {
		if absent {
			p.Missing = p.Missing.With(f)
		}
	}
}

func drawCustomer(t *rapid.T) CustomerRow {
	answer := func() fund.Answer { return fund.Answer(between(t, 0, 2)) }
	v := CustomerRow{
		CustomerID: anID(t),
		Person: fund.Person{
			InvestorType: fund.InvestorType(between(t, 0, 2)), BirthDate: aDate(t), Capacity: fund.Capacity(between(t, 0, 3)), IsLowestClass: answer(),
			Professional: fund.Professional{Class: aText(t), Until: aDate(t), ElectsOrdinary: answer()},
			Industry:     aText(t), Segment: aText(t), BranchID: perhapsID(t), ManagerID: perhapsID(t), AUM: aMoney(t), Income: aMoney(t),
			Qualified: fund.Qualified{Class: aText(t), Until: aDate(t)}, Pension: answer(), OpenChecks: fund.Checks(between(t, 0, 3)),
		},
		Level: CustomerLevel{Level: fund.RiskLevel(between(t, 0, 5)), Source: LevelSource(between(t, 0, 2))},
		Needs: fund.StatedNeeds{
			Goals: drawGoals(t), HorizonMonths: int32(between(t, 0, fund.MaxHorizonMonths)), Liquidity: fund.Need(between(t, 0, 3)),
		},
		Personalization: answer(), Attributes: drawAttributes(t),
	}
	v.NoOpenChecks = v.Person.OpenChecks == 0 && rapid.Bool().Draw(t, "closed")
	if rapid.Bool().Draw(t, "dated") {
		v.Level.AssessedOn = aFactDate(t)
	}
	return v
}

// A writer writes no row that the reader would refuse.
func TestWritersRefuse(t *testing.T) {
	good := fund.Product{Code: "p1", Name: "A", Grades: fund.Grades{Bank: fund.R1}}
	with := func(change func(*fund.Product)) iter.Seq[fund.Product] {
		p := good
		change(&p)
		return slices.Values([]fund.Product{good, p})
	}
	tests := map[string]struct {
		rows iter.Seq[fund.Product]
		want string
	}{
		"no code":      {with(func(p *fund.Product) { p.Code = "" }), `products.csv:3:product_code: "", expected an id: 1 to 64 of 0-9 A-Z a-z . _ - that begin with a letter or digit`},
		"no grade":     {with(func(p *fund.Product) { p.Grades.Bank = 0 }), `products.csv:3:risk_grade: "", expected R1 to R5`},
		"debt":         {with(func(p *fund.Product) { p.Terms.MinPurchase = -1 }), `products.csv:3:min_purchase_fen: "-1", expected fen, a whole number from 0 to 1000000000000000`},
		"not UTF-8":    {with(func(p *fund.Product) { p.Name = "\xff" }), `products.csv:3:name: "\xff", expected UTF-8`},
		"known column": {with(func(p *fund.Product) { p.Content.Attributes = []fund.Attribute{{Name: "kind", Value: "1"}} }), `products.csv:1: "kind", expected attributes of other names than the format's columns, a name of 1 to 64 bytes of UTF-8 without control characters or space around it`},
		"attribute twice": {
			with(func(p *fund.Product) {
				p.Content.Attributes = []fund.Attribute{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}}
			}),
			`products.csv:3: an attribute that comes twice or that the first pass over the rows did not have, expected the same rows in both passes, and different names`,
		},
		"a word that is no theme": {with(func(p *fund.Product) { p.Content.Themes = []string{"a", "a"} }), `products.csv:3:themes: "a a", expected at most 64 different words`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := WriteProducts(io.Discard, tt.rows); err == nil || err.Error() != tt.want {
				t.Errorf("\n got %v\nwant %s", err, tt.want)
			}
		})
	}
	lot := HoldingRow{CustomerID: "c1", Lot: fund.Lot{ProductCode: "p1", Shares: -15_000, AcquiredOn: 20200102}}
	want := `holdings.csv:2:shares: "-1.5", expected shares, a number from 0 to 100000000000 of at most 4 decimal places`
	if err := WriteHoldings(io.Discard, slices.Values([]HoldingRow{lot})); err == nil || err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
	if err := WriteTags(io.Discard, slices.Values([]TagRow{{CustomerID: "c1", Name: "n", Value: "v", EventAt: 1_000_000, ValidTo: fund.Forever}})); err == nil {
		t.Error("an end of validity that is no time was written")
	}
}

func TestWriterTellsOfAFullDisk(t *testing.T) {
	full := io.ErrShortWrite
	rows := func(yield func(features.CalendarDay) bool) {
		for i := range 20_000 {
			if !yield(features.CalendarDay{Date: fund.DateOfDay(i)}) {
				return
			}
		}
	}
	if err := WriteCalendar(failingWriter{full}, rows); err == nil || !strings.Contains(err.Error(), "write calendar.csv") {
		t.Errorf("got %v, expected the disk's error", err)
	}
	if err := WriteCalendar(failingWriter{full}, slices.Values([]features.CalendarDay{})); err == nil {
		t.Error("the header was lost without an error")
	}
}

// pieces notes how large the writes are that it gets.
type pieces struct{ count, largest int }

func (p *pieces) Write(b []byte) (int, error) {
	p.count++
	p.largest = max(p.largest, len(b))
	return len(b), nil
}

// A file is written as it is made: its length is not in memory.
func TestWritersStream(t *testing.T) {
	rows := func(yield func(features.CalendarDay) bool) {
		for i := range 30_000 {
			if !yield(features.CalendarDay{Date: fund.DateOfDay(i), Open: true}) {
				return
			}
		}
	}
	var p pieces
	if err := WriteCalendar(&p, rows); err != nil || p.count < 5 || p.largest > 2*flushAt {
		t.Errorf("got %v after %d writes of at most %d bytes, expected several of about %d", err, p.count, p.largest, flushAt)
	}
}

// The first lines of a file as the world sees them.
func TestWrittenForm(t *testing.T) {
	var b bytes.Buffer
	err := WriteHoldings(&b, slices.Values([]HoldingRow{
		{CustomerID: "c1", Lot: fund.Lot{ProductCode: "p1", Shares: 1_000_050, AcquiredOn: 20200102, Cost: 5, Account: `a "b", c`}},
		{CustomerID: "c2", Lot: fund.Lot{ProductCode: "p1", Shares: 20_000, AcquiredOn: 20200102, BatchID: "1"}},
	}))
	want := "customer_id,product_code,shares,acquired_on,cost_fen,account,batch_id\nc1,p1,100.005,2020-01-02,5,\"a \"\"b\"\", c\",\nc2,p1,2,2020-01-02,,,1\n"
	if err != nil || b.String() != want {
		t.Errorf("got %v and\n%s\nexpected\n%s", err, b.String(), want)
	}
}
