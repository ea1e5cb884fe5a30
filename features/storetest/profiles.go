//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func profilePromises() []promise {
	return []promise{
		{"an unknown customer is not found", unknownCustomer},
		{"a customer's facts are no other customer's", separateCustomers},
		{"nothing that happens later is in a profile", noFutureEvents},
		{"nothing that becomes known later is in a profile", noFutureKnowledge},
		{"a fact of unknown times is known always", alwaysKnown},
		{"a late correction leaves what was believed before it", lateCorrection},
		{"a tombstone removes from its time on and leaves the past", tombstone},
		{"an expired value stays with its bounds and is not replaced by an older one", expiredValueStays},
		{"cells with equal times are ordered by sequence, then value, a tombstone last", ties},
		{"every view comes back as it was written", everyView},
		{"earlier assessments are held, oldest first", earlierAssessments},
		{"a snapshot of holdings silences the lots before it", snapshotOverLots},
		{"purchases are known from the start of their day", purchaseDays},
		{"the revision is that of the newest visible fact", revisionOfVisible},
		{"ids are listed in byte order, page by page", listedIDs},
		{"a limit below one is invalid", limitBelowOne},
		{"a cancelled context ends every call", cancelledContext},
		{"a closed store is unavailable", closedStore},
	}
}

func unknownCustomer(t *testing.T, s Store) {
	known(t, s, "c1")
	for _, id := range []string{"c2", "", "c", "c11", "C1", "c1' OR '1'='1"} {
		if p, err := s.Profile(t.Context(), id, later); !errors.Is(err, features.ErrNotFound) || p != nil {
			t.Errorf("profile of %q: %v, %v, want ErrNotFound alone", id, p, err)
		}
	}
}

func separateCustomers(t *testing.T, s Store) {
	loadCells(t, s, tag("c1", "a", "1", noon(day1)), tag("c2", "a", "2", noon(day1)), tag("c2", "b", "3", noon(day1)))
	wantTag(t, s, "c1", "a", later, "1")
	wantTag(t, s, "c1", "b", later, "")
	wantTag(t, s, "c2", "a", later, "2")
}

func noFutureEvents(t *testing.T, s Store) {
	loadCells(t, s, tag("c1", "mood", "calm", noon(day1)), tag("c1", "mood", "afraid", noon(day3)))
	wantTag(t, s, "c1", "mood", noon(day1)-1, "")
	wantTag(t, s, "c1", "mood", noon(day1), "calm")
	wantTag(t, s, "c1", "mood", noon(day3)-1, "calm")
	wantTag(t, s, "c1", "mood", noon(day3), "afraid")
	wantTag(t, s, "c1", "mood", later, "afraid")
}

func noFutureKnowledge(t *testing.T, s Store) {
	c := tag("c1", "mood", "calm", noon(day1))
	c.KnownAt = noon(day2)
	loadCells(t, s, c)
	wantTag(t, s, "c1", "mood", noon(day2)-1, "")
	wantTag(t, s, "c1", "mood", noon(day2), "calm")
}

func alwaysKnown(t *testing.T, s Store) {
	loadCells(t, s, person("c1", "segment", "gold"), tag("c1", "mood", "calm", noon(day3)))
	if got := profile(t, s, "c1", 1).Person.Segment; got != "gold" {
		t.Errorf("segment in 1970 is %q, want gold", got)
	}
}

func lateCorrection(t *testing.T, s Store) {
	first, second := tag("c1", "mood", "calm", noon(day1)), tag("c1", "mood", "afraid", noon(day1))
	first.KnownAt, second.KnownAt = noon(day2), noon(day4)
	loadCells(t, s, first)
	write(t, s, second)
	wantTag(t, s, "c1", "mood", noon(day3), "calm")
	wantTag(t, s, "c1", "mood", noon(day4), "afraid")
}

func tombstone(t *testing.T, s Store) {
	gone := tag("c1", "mood", "", noon(day2))
	gone.Tombstone = true
	loadCells(t, s, tag("c1", "mood", "calm", noon(day1)))
	write(t, s, gone)
	wantTag(t, s, "c1", "mood", noon(day2)-1, "calm")
	wantTag(t, s, "c1", "mood", noon(day2), "")
	write(t, s, tag("c1", "mood", "brave", noon(day3)))
	wantTag(t, s, "c1", "mood", noon(day3), "brave")
}

func expiredValueStays(t *testing.T, s Store) {
	brief := tag("c1", "mood", "afraid", noon(day2))
	brief.ValidTo = noon(day3)
	loadCells(t, s, tag("c1", "mood", "calm", noon(day1)), brief)
	p := profile(t, s, "c1", noon(day4))
	want := []fund.Tag{{Name: "mood", Value: "afraid", From: noon(day2), To: noon(day3)}}
	wantSame(t, "tags after the end of validity", p.Tags, want)
	if _, valid := p.Tag("mood", noon(day4)); valid {
		t.Error("the tag is valid after its end")
	}
}

func ties(t *testing.T, s Store) {
	at := noon(day1)
	known(t, s, "c1")
	seq := func(value string, n uint64, gone bool) features.Cell {
		c := tag("c1", "mood", value, at)
		c.SourceSeq, c.Tombstone = n, gone
		return c
	}
	for _, step := range []struct {
		cell features.Cell
		want string
	}{
		{seq("b", 0, false), "b"},
		{seq("a", 0, false), "b"}, // the lower value loses although it comes later
		{seq("c", 0, false), "c"},
		{seq("a", 2, false), "a"}, // the higher sequence wins over the higher value
		{seq("z", 1, false), "a"},
		{seq("a", 2, true), ""}, // a tombstone wins over the same value
	} {
		write(t, s, step.cell)
		wantTag(t, s, "c1", "mood", at, step.want)
		wantTag(t, s, "c1", "mood", later, step.want)
	}
}

func everyView(t *testing.T, s Store) {
	at := noon(day1)
	cell := func(view features.View, name, value string) features.Cell {
		return features.Cell{CustomerID: "c1", View: view, Name: name, Value: value, EventAt: at}
	}
	labelled := cell(features.TagView, "mood", "谨慎 😀")
	labelled.Source, labelled.Purpose, labelled.ValidTo = "survey", "SERVICE", noon(day5)
	loadCells(t, s,
		person("c1", "investor_type", "PROFESSIONAL"), person("c1", "birth_date", "1980-02-29"), person("c1", "aum_fen", "100"),
		cell(features.AssessmentView, features.AssessedName, `{"level":"C4","on":"2020-03-01","channel":"APP"}`),
		cell(features.AssessmentView, features.PredictedName, "C2"),
		cell(features.NeedsView, features.GoalsName, "GROWTH HOUSE"), cell(features.NeedsView, features.HorizonName, "36"),
		cell(features.NeedsView, features.LiquidityName, "LOW"), cell(features.PersonalizationView, features.EnabledName, "false"),
		labelled, cell(features.LotView, "P1|2020-03-01|x", `{"product_code":"P1","shares":10000,"acquired_on":"2020-03-01","account":"x"}`),
		cell(features.AttributeView, "city", "上海"),
		cell(features.PersonView, "qualified_class", "ASSETS"), cell(features.PersonView, "qualified_until", "2030-01-01"),
		cell(features.PersonView, "pension_account", "true"), cell(features.PersonView, "open_checks", "KYC AML"))
	got := profile(t, s, "c1", later)
	want := &fund.Profile{
		CustomerID: "c1", Revision: got.Revision,
		Person:     fund.Person{InvestorType: fund.ProfessionalInvestor, BirthDate: 19800229, AUM: 100, Qualified: fund.Qualified{Class: "ASSETS", Until: 20300101}, Pension: fund.Yes, OpenChecks: fund.CheckKYC | fund.CheckAML},
		Assessment: fund.Assessment{Level: fund.C4, On: day1, At: at, Channel: "APP"}, PredictedLevel: fund.C2,
		Assessments:     []fund.Assessed{{At: at, Level: fund.C4}},
		Needs:           fund.StatedNeeds{Goals: []fund.Goal{fund.Growth, fund.House}, HorizonMonths: 36, Liquidity: fund.NeedLow},
		Personalization: fund.No,
		Tags:            []fund.Tag{{Name: "mood", Value: "谨慎 😀", From: at, To: noon(day5), Source: "survey", Purpose: "SERVICE"}},
		Lots:            []fund.Lot{{ProductCode: "P1", Shares: 10000, AcquiredOn: day1, Account: "x"}},
		Attributes:      []fund.Attribute{{Name: "city", Value: "上海"}},
	}
	wantSame(t, "profile", got, want)
	if got.Revision == 0 {
		t.Error("revision 0 of a customer with facts")
	}
}

// earlierAssessments holds that a head and a read of the past tell the same history. The day
// of customers.csv is the assessment of that day and level with an hour, once that is known.
func earlierAssessments(t *testing.T, s Store) {
	assessed := func(level string, at, knownAt fund.Instant) features.Cell {
		return features.Cell{
			CustomerID: "c1", View: features.AssessmentView, Name: features.AssessedName, EventAt: at, KnownAt: knownAt,
			Value: `{"level":"` + level + `","on":"2020-03-01"}`,
		}
	}
	loadCells(t, s, assessed("C2", day1.Start(), 0), assessed("C2", noon(day1), noon(day1)))
	write(t, s, assessed("C4", noon(day3), noon(day3)))
	write(t, s, assessed("C3", noon(day2), noon(day4))) // known late
	first, second := fund.Assessed{At: day1.Start(), Level: fund.C2}, fund.Assessed{At: noon(day1), Level: fund.C2}
	third, fourth := fund.Assessed{At: noon(day2), Level: fund.C3}, fund.Assessed{At: noon(day3), Level: fund.C4}
	for at, want := range map[fund.Instant][]fund.Assessed{
		day1.Start() - 1: nil, day1.Start(): {first}, noon(day1): {second}, noon(day3): {second, fourth},
		noon(day4) - 1: {second, fourth}, noon(day4): {second, third, fourth}, later: {second, third, fourth},
	} {
		wantSame(t, "assessments at "+at.String(), profile(t, s, "c1", at).Assessments, want)
	}
}

func snapshotOverLots(t *testing.T, s Store) {
	lot := func(code string, at fund.Instant) features.Cell {
		v := fmt.Sprintf(`{"product_code":%q,"shares":1,"acquired_on":%q}`, code, at.Date())
		return features.Cell{CustomerID: "c1", View: features.LotView, Name: features.LotName(code, at.Date(), ""), Value: v, EventAt: at}
	}
	all := features.Cell{
		CustomerID: "c1", View: features.HoldingsView, Name: features.SnapshotName, EventAt: noon(day2),
		Value: `[{"product_code":"B","shares":2,"acquired_on":"2020-02-01"}]`,
	}
	loadCells(t, s, lot("A", noon(day1)))
	write(t, s, all)
	write(t, s, lot("C", noon(day3)))
	for at, want := range map[fund.Instant]string{noon(day1): "A", noon(day2): "B", noon(day3): "BC"} {
		got := ""
		for _, l := range profile(t, s, "c1", at).Lots {
			got += l.ProductCode
		}
		if got != want {
			t.Errorf("lots at %s are %q, want %q", at, got, want)
		}
	}
}

func purchaseDays(t *testing.T, s Store) {
	known(t, s, "c1")
	load(t, s, func(b features.Batch) error {
		return b.Purchases([]features.CustomerPurchase{
			{CustomerID: "c1", Purchase: fund.Purchase{ProductCode: "P2", KnownOn: day2, Kind: "BUY", Amount: 100}},
			{CustomerID: "c1", Purchase: fund.Purchase{ProductCode: "P1", KnownOn: day3, Kind: "BUY"}},
		})
	})
	for at, want := range map[fund.Instant]int{day2.Start() - 1: 0, day2.Start(): 1, day3.Start() - 1: 1, day3.Start(): 2} {
		if got := profile(t, s, "c1", at).Purchases; len(got) != want {
			t.Errorf("purchases at %s: %v, want %d", at, got, want)
		}
	}
	want := []fund.Purchase{{ProductCode: "P1", KnownOn: day3, Kind: "BUY"}, {ProductCode: "P2", KnownOn: day2, Kind: "BUY", Amount: 100}}
	wantSame(t, "purchases in product order", profile(t, s, "c1", later).Purchases, want)
}

func revisionOfVisible(t *testing.T, s Store) {
	known(t, s, "c1")
	r0 := profile(t, s, "c1", later).Revision
	r1 := write(t, s, tag("c1", "a", "1", noon(day2))).Revision
	known(t, s, "other")
	r2 := write(t, s, tag("c1", "b", "1", noon(day4))).Revision
	if r0 >= r1 || r1 >= r2 {
		t.Fatalf("revisions %d, %d, %d do not rise", r0, r1, r2)
	}
	for at, want := range map[fund.Instant]uint64{noon(day1): r0, noon(day2): r1, noon(day3): r1, noon(day4): r2, later: r2} {
		if got := profile(t, s, "c1", at).Revision; got != want {
			t.Errorf("revision at %s is %d, want %d", at, got, want)
		}
	}
}

func listedIDs(t *testing.T, s Store) {
	known(t, s, "b", "a-1", "B", "a", "10", "9")
	want := []string{"10", "9", "B", "a", "a-1", "b"}
	var got []string
	for after := ""; ; after = got[len(got)-1] {
		page, err := s.CustomerIDs(t.Context(), after, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		if len(page) > 4 {
			t.Fatalf("a page of %d, want at most 4", len(page))
		}
		got = append(got, page...)
	}
	wantSame(t, "ids", got, want)
}

func limitBelowOne(t *testing.T, s Store) {
	for _, limit := range []int{0, -1} {
		if _, err := s.Changes(t.Context(), features.Position{}, limit); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("changes, limit %d: %v, want ErrInvalid", limit, err)
		}
		if _, err := s.CustomerIDs(t.Context(), "", limit); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("ids, limit %d: %v, want ErrInvalid", limit, err)
		}
	}
}

// everyCall names one call of each method.
func everyCall(ctx context.Context, s Store) map[string]error {
	errs := map[string]error{}
	_, errs["Profile"] = s.Profile(ctx, "c1", later)
	_, errs["Write"] = s.Write(ctx, features.Write{CustomerID: "c1", Cells: []features.Cell{tag("c1", "x", "1", noon(day1))}, RecordedAt: noon(day5)})
	_, errs["Changes"] = s.Changes(ctx, features.Position{}, 1)
	_, errs["CustomerIDs"] = s.CustomerIDs(ctx, "", 1)
	errs["Histories"] = s.Histories(ctx, features.HistoryQuery{}, func(*features.History) error { return nil })
	_, errs["Heads"] = s.Heads(ctx, []string{"c1"})
	_, errs["Published"] = s.Published(ctx)
	_, errs["Pool"] = s.Pool(ctx, 1)
	cut := features.Cut{AsOf: later, Seq: 1 << 40}
	errs["NAVs"] = s.NAVs(ctx, cut, func(string, []fund.NAV) error { return nil })
	errs["Purchases"] = s.Purchases(ctx, cut, func(string, []fund.Purchase) error { return nil })
	_, errs["Calendar"] = s.Calendar(ctx, 1)
	_, errs["Put"] = s.Put(ctx, features.ModelArtifact, []byte("m"))
	_, errs["Artifact"] = s.Artifact(ctx, features.ModelArtifact, "id")
	errs["Activate"] = s.Activate(ctx, activation(features.ModelArtifact, "id", 1))
	_, _, errs["Active"] = s.Active(ctx, features.ModelArtifact)
	_, _, errs["ActiveAt"] = s.ActiveAt(ctx, features.ModelArtifact, later)
	_, errs["Activations"] = s.Activations(ctx, features.ModelArtifact)
	word := confirmation("c1", 1)
	errs["Confirm"] = s.Confirm(ctx, []features.Confirmation{word})
	_, errs["Confirmations"] = s.Confirmations(ctx, "c1", []string{word.ID})
	errs["Use"] = s.Use(ctx, "c1", []string{word.ID}, "d1", 1)
	_, errs["Import"] = s.Import(ctx, 1, func(b features.Batch) error {
		return b.Cells([]features.Cell{tag("c1", "y", "1", noon(day1))})
	})
	return errs
}

func cancelledContext(t *testing.T, s Store) {
	loadBank(t, s)
	before := changes(t, s)
	for name, err := range everyCall(cancelled(t), s) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	wantSame(t, "changes after cancelled calls", changes(t, s), before)
}

func closedStore(t *testing.T, s Store) {
	loadBank(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range everyCall(t.Context(), s) {
		if !errors.Is(err, features.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
}
