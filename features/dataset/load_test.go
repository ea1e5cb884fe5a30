package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// recorder is a features.Batch that keeps what it is given, and in which order.
type recorder struct {
	calls     []string
	products  []fund.Product
	navs      map[string][]fund.NAV
	calendar  []features.CalendarDay
	cells     []features.Cell
	purchases []features.CustomerPurchase
	events    []features.Event
	managers  []features.Manager
	branches  []features.Branch
	err       error
}

func (r *recorder) note(what string, n int) error {
	r.calls = append(r.calls, fmt.Sprintf("%s %d", what, n))
	return r.err
}

func (r *recorder) Products(rows []fund.Product) error {
	r.products = append(r.products, rows...)
	return r.note("products", len(rows))
}

func (r *recorder) NAVs(code string, rows []fund.NAV) error {
	if r.navs == nil {
		r.navs = map[string][]fund.NAV{}
	}
	r.navs[code] = append(r.navs[code], rows...)
	return r.note("navs of "+code, len(rows))
}

func (r *recorder) Calendar(rows []features.CalendarDay) error {
	r.calendar = append(r.calendar, rows...)
	return r.note("calendar", len(rows))
}

func (r *recorder) Cells(rows []features.Cell) error {
	r.cells = append(r.cells, rows...)
	return r.note("cells", len(rows))
}

func (r *recorder) Purchases(rows []features.CustomerPurchase) error {
	r.purchases = append(r.purchases, rows...)
	return r.note("purchases", len(rows))
}

func (r *recorder) Events(rows []features.Event) error {
	r.events = append(r.events, rows...)
	return r.note("events", len(rows))
}

func (r *recorder) Managers(rows []features.Manager) error {
	r.managers = append(r.managers, rows...)
	return r.note("managers", len(rows))
}

func (r *recorder) Branches(rows []features.Branch) error {
	r.branches = append(r.branches, rows...)
	return r.note("branches", len(rows))
}

// discard is a features.Batch that keeps nothing.
type discard struct{}

func (discard) Products([]fund.Product) error               { return nil }
func (discard) NAVs(string, []fund.NAV) error               { return nil }
func (discard) Calendar([]features.CalendarDay) error       { return nil }
func (discard) Cells([]features.Cell) error                 { return nil }
func (discard) Purchases([]features.CustomerPurchase) error { return nil }
func (discard) Events([]features.Event) error               { return nil }
func (discard) Managers([]features.Manager) error           { return nil }
func (discard) Branches([]features.Branch) error            { return nil }

// folderOf writes files into a new directory; what ends in .gz is packed.
func folderOf(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		data := []byte(text)
		if strings.HasSuffix(name, ".gz") {
			data = packed(tb, text)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func packed(tb testing.TB, text string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func loadFolder(tb testing.TB, files map[string]string, known Known, opts Options) (*recorder, Report, error) {
	tb.Helper()
	f, err := Open(folderOf(tb, files))
	if err != nil {
		tb.Fatal(err)
	}
	r := &recorder{}
	report, err := f.Load(tb.Context(), r, known, opts)
	return r, report, err
}

const (
	someProducts  = "product_code,name,product_type,risk_grade\np1,A,货币型,R1\np2,B,混合型,R4\n"
	someCustomers = "customer_id,investor_type,risk_level\nc1,ORDINARY,C3\nc2,,\n"
)

func TestLoadEveryFile(t *testing.T) {
	r, report, err := loadFolder(t, map[string]string{
		"products.csv":        someProducts,
		"calendar.csv":        "date,open,note\n2020-01-01,false,New Year\n2020-01-02,true,\n",
		"branches.csv":        "branch_id,name\nb1,上海分行\n",
		"managers.csv":        "manager_id,branch_id,licence_id,licence_until\nm1,b1,L1,2030-01-01\n",
		"nav.csv.gz":          "nav_date,product_code,unit_nav,accum_nav\n2020-01-03,p1,1.1,2\n2020-01-02,p2,1,1\n2020-01-02,p1,1,1.5\n",
		"customers.csv":       someCustomers,
		"assessments.csv":     "customer_id,assessed_at,risk_level\nc1,2020-01-01T20:00:00Z,C4\n",
		"consents.csv":        "customer_id,purpose,granted,event_at,channel\nc1,MARKETING,false,2020-01-01T00:00:00Z,APP\n",
		"tags.csv":            "customer_id,name,value,event_at,valid_to\nc1,age_band,30,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z\n",
		"features.csv":        "customer_id,view,feature,value,event_at,purpose\nc2,salary,level,\" \"\"high\"\" \",2020-01-01T00:00:00Z,PROFILING\nc2,salary,bonus,,2020-01-01T00:00:00Z,\n",
		"holdings.csv":        "customer_id,product_code,shares,acquired_on,account,batch_id\nc1,p2,12.5,2020-01-02,a1,1\nc1,p2,7,2020-01-02,a1,2\n",
		"interactions.csv.gz": "customer_id,product_code,known_on\nc1,p2,2020-01-02\n",
		"events.csv":          "event_id,customer_id,kind,event_at,attributes\ne1,c2,CLICK,2020-01-01T00:00:00Z,\"{\"\"a\"\":1}\"\n",
		"splits.csv":          "split,as_of,test_end\n",
		"relevant.csv.gz":     "split,customer_id,product_codes\n",
		"readme.md":           "not a CSV file",
	}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantCalls := []string{
		"products 2", "calendar 2", "branches 1", "managers 1", "navs of p1 2", "navs of p2 1", "cells 3",
		"cells 1", "cells 1", "cells 1", "cells 2", "cells 2", "purchases 1", "events 1",
	}
	if diff := cmp.Diff(wantCalls, r.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	wantReport := Report{
		Files: []FileReport{
			{Name: "products.csv", Rows: 2},
			{Name: "calendar.csv", Rows: 2, IgnoredColumns: []string{"note"}},
			{Name: "branches.csv", Rows: 1},
			{Name: "managers.csv", Rows: 1},
			{Name: "nav.csv.gz", Rows: 3},
			{Name: "customers.csv", Rows: 2},
			{Name: "assessments.csv", Rows: 1},
			{Name: "consents.csv", Rows: 1},
			{Name: "tags.csv", Rows: 1},
			{Name: "features.csv", Rows: 2},
			{Name: "holdings.csv", Rows: 2},
			{Name: "interactions.csv.gz", Rows: 1},
			{Name: "events.csv", Rows: 1},
		},
		Ignored: []string{"relevant.csv.gz", "splits.csv"},
	}
	if diff := cmp.Diff(wantReport, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if want := []fund.NAV{{Date: 20200102, Unit: 1, Accum: 1.5}, {Date: 20200103, Unit: 1.1, Accum: 2}}; !slices.Equal(r.navs["p1"], want) {
		t.Errorf("NAVs of p1 are %v, expected %v", r.navs["p1"], want)
	}
	wantCells := []features.Cell{
		{CustomerID: "c1", View: "person", Name: "investor_type", Value: "ORDINARY"},
		{CustomerID: "c1", View: "assessment", Name: "predicted", Value: "C3"},
		{CustomerID: "c2", View: "person", Name: "investor_type"},
		{CustomerID: "c1", View: "assessment", Name: "assessed", Value: `{"level":"C4","on":"2020-01-02"}`, EventAt: 1577908800000000, KnownAt: 1577908800000000},
		{CustomerID: "c1", View: "consent", Name: "MARKETING", Value: "false", EventAt: 1577836800000000, Source: "APP", Purpose: "MARKETING"},
		{CustomerID: "c1", View: "tag", Name: "age_band", Value: "30", EventAt: 1577836800000000, ValidTo: 1609459200000000},
		{CustomerID: "c2", View: "salary", Name: "level", Value: `"high"`, EventAt: 1577836800000000, Purpose: "PROFILING"},
		{CustomerID: "c2", View: "salary", Name: "bonus", Value: "null", EventAt: 1577836800000000},
		{CustomerID: "c1", View: "holdings", Name: "posted", Value: `[{"product_code":"p2","shares":125000,"acquired_on":"2020-01-02","account":"a1","batch_id":"1"}]`},
		{CustomerID: "c1", View: "holdings", Name: "posted", Value: `[{"product_code":"p2","shares":70000,"acquired_on":"2020-01-02","account":"a1","batch_id":"2"}]`, SourceSeq: 1},
	}
	if diff := cmp.Diff(wantCells, r.cells); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	if want := (features.CustomerPurchase{CustomerID: "c1", Purchase: fund.Purchase{ProductCode: "p2", KnownOn: 20200102, Kind: "BUY"}}); r.purchases[0] != want {
		t.Errorf("purchase is %v, expected %v", r.purchases[0], want)
	}
	if want := (features.Event{ID: "e1", CustomerID: "c2", Kind: "CLICK", EventAt: 1577836800000000, Attributes: `{"a":1}`}); r.events[0] != want {
		t.Errorf("event is %v, expected %v", r.events[0], want)
	}
	if want := (features.Manager{ID: "m1", BranchID: "b1", LicenceID: "L1", LicenceUntil: 20300101}); r.managers[0] != want {
		t.Errorf("manager is %v, expected %v", r.managers[0], want)
	}
}

// What a customers.csv row says comes out of the fold as it went in.
func TestCustomerCellsFold(t *testing.T) {
	row := CustomerRow{
		CustomerID: "c1",
		Person: fund.Person{
			InvestorType: fund.ProfessionalInvestor, BirthDate: 19800229, Capacity: fund.FullCapacity, IsLowestClass: fund.No,
			Professional: fund.Professional{Class: "C", Until: 20300101, ElectsOrdinary: fund.Yes},
			Industry:     "教育", Segment: "MASS", BranchID: "b1", ManagerID: "m1", AUM: 100, Income: 200,
			Qualified: fund.Qualified{Class: "ASSETS", Until: 20270101}, Pension: fund.Yes, OpenChecks: fund.CheckKYC | fund.CheckAML,
		},
		Level:           CustomerLevel{Level: fund.C4, Source: LevelAssessed, AssessedOn: 20200305},
		Needs:           fund.StatedNeeds{Goals: []fund.Goal{fund.House, fund.Cash}, HorizonMonths: 36, Liquidity: fund.NeedHigh},
		Personalization: fund.No,
		Attributes:      []fund.Attribute{{Name: "a", Value: "1"}, {Name: "b", Value: "<2>"}},
	}
	want := &fund.Profile{
		CustomerID: "c1", Person: row.Person, Needs: row.Needs, Personalization: fund.No, Attributes: row.Attributes,
		Assessments: []fund.Assessed{{Level: fund.C4, At: fund.Date(2020_03_05).Start()}},
		Assessment:  fund.Assessment{Level: fund.C4, On: 20200305, At: fund.Date(20200305).Start()},
	}
	at := fund.Date(20200305).Start()
	got, err := features.Fold("c1", row.AppendCells(nil), nil, features.AsKnown(at))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
	before, err := features.Fold("c1", row.AppendCells(nil), nil, features.AsKnown(at-1))
	if err != nil {
		t.Fatal(err)
	}
	want.Assessment, want.Assessments = fund.Assessment{}, nil
	if diff := cmp.Diff(want, before); diff != "" {
		t.Errorf("a moment before the assessment (-want +got):\n%s", diff)
	}
}

func TestLevelIsAnAssessmentOnlyWithADate(t *testing.T) {
	const day = fund.Date(20200305)
	tests := []struct {
		level     CustomerLevel
		assessed  fund.RiskLevel
		predicted fund.RiskLevel
		from      fund.Instant
	}{
		{CustomerLevel{}, 0, 0, 0},
		{CustomerLevel{AssessedOn: day, Source: LevelAssessed}, 0, 0, 0},
		{CustomerLevel{Level: fund.C2}, 0, fund.C2, 0},
		{CustomerLevel{Level: fund.C2, Source: LevelAssessed}, 0, fund.C2, 0},
		{CustomerLevel{Level: fund.C2, Source: LevelPredicted}, 0, fund.C2, 0},
		{CustomerLevel{Level: fund.C2, Source: LevelPredicted, AssessedOn: day}, 0, fund.C2, day.Start()},
		{CustomerLevel{Level: fund.C2, Source: LevelAssessed, AssessedOn: day}, fund.C2, 0, day.Start()},
		{CustomerLevel{Level: fund.C2, AssessedOn: day}, fund.C2, 0, day.Start()},
	}
	for _, tt := range tests {
		row := CustomerRow{CustomerID: "c1", Level: tt.level}
		cells := row.AppendCells(nil)
		for _, at := range []fund.Instant{max(tt.from, 1), tt.from - 1} {
			p, err := features.Fold("c1", cells, nil, features.AsKnown(at))
			if err != nil {
				t.Fatal(err)
			}
			assessed, predicted := tt.assessed, tt.predicted
			if at < tt.from {
				assessed, predicted = 0, 0
			}
			if at > 0 && (p.Assessment.Level != assessed || p.PredictedLevel != predicted) {
				t.Errorf("%+v at %v: assessed %v, predicted %v, expected %v and %v", tt.level, at, p.Assessment.Level, p.PredictedLevel, assessed, predicted)
			}
		}
	}
}

type knownIDs struct {
	products, customers []string
	asked               []string
	err                 error
}

func (k *knownIDs) HasProduct(code string) (bool, error) {
	k.asked = append(k.asked, code)
	return slices.Contains(k.products, code), k.err
}

func (k *knownIDs) HasCustomer(id string) (bool, error) {
	k.asked = append(k.asked, id)
	return slices.Contains(k.customers, id), k.err
}

func TestReferences(t *testing.T) {
	withBoth := func(name, text string) map[string]string {
		return map[string]string{"products.csv": someProducts, "customers.csv": someCustomers, name: text}
	}
	const (
		product  = "expected a product that products.csv or the store has"
		customer = "expected a customer that customers.csv or the store has"
	)
	tests := []struct {
		name, text, want string
	}{
		{"nav.csv", "product_code,nav_date,unit_nav,accum_nav\np1,2020-01-02,1,1\np9,2020-01-02,1,1\n", `nav.csv:3:product_code: "p9", ` + product},
		{"interactions.csv", "customer_id,product_code,known_on\nc1,p9,2020-01-02\n", `interactions.csv:2:product_code: "p9", ` + product},
		{"interactions.csv", "customer_id,product_code,known_on\nc9,p1,2020-01-02\n", `interactions.csv:2:customer_id: "c9", ` + customer},
		{"holdings.csv", "customer_id,product_code,shares,acquired_on\nc1,p9,1,2020-01-02\n", `holdings.csv:2:product_code: "p9", ` + product},
		{"holdings.csv", "customer_id,product_code,shares,acquired_on\nc9,p1,1,2020-01-02\n", `holdings.csv:2:customer_id: "c9", ` + customer},
		{"assessments.csv", "customer_id,assessed_at,risk_level\nc9,2020-01-02T00:00:00Z,C1\n", `assessments.csv:2:customer_id: "c9", ` + customer},
		{"consents.csv", "customer_id,purpose,granted,event_at\nc9,P,true,2020-01-02T00:00:00Z\n", `consents.csv:2:customer_id: "c9", ` + customer},
		{"tags.csv", "customer_id,name,value,event_at\nc9,n,v,2020-01-02T00:00:00Z\n", `tags.csv:2:customer_id: "c9", ` + customer},
		{"events.csv", "event_id,customer_id,kind,event_at\ne1,c9,CLICK,2020-01-02T00:00:00Z\n", `events.csv:2:customer_id: "c9", ` + customer},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			for _, known := range []Known{nil, &knownIDs{}} {
				_, _, err := loadFolder(t, withBoth(tt.name, tt.text), known, Options{})
				if err == nil || err.Error() != tt.want {
					t.Errorf("\n got %v\nwant %s", err, tt.want)
				}
			}
			all := &knownIDs{products: []string{"p9"}, customers: []string{"c9"}}
			if _, _, err := loadFolder(t, withBoth(tt.name, tt.text), all, Options{}); err != nil {
				t.Errorf("the store knows it, but: %v", err)
			}
			if len(all.asked) != 1 {
				t.Errorf("the store was asked for %v, expected one id that the folder lacks", all.asked)
			}
		})
	}
	t.Run("store fails", func(t *testing.T) {
		gone := errors.New("gone")
		_, _, err := loadFolder(t, withBoth("tags.csv", tests[7].text), &knownIDs{err: gone}, Options{SkipBad: true})
		if !errors.Is(err, gone) || errors.Is(err, features.ErrInvalid) {
			t.Errorf("got %v, expected the store's error", err)
		}
	})
	t.Run("store is asked once", func(t *testing.T) {
		k := &knownIDs{products: []string{"p9"}}
		text := "product_code,nav_date,unit_nav,accum_nav\np9,2020-01-02,1,1\np8,2020-01-02,1,1\np9,2020-01-03,1,1\np8,2020-01-03,1,1\n"
		if _, _, err := loadFolder(t, map[string]string{"nav.csv": text}, k, Options{SkipBad: true}); err != nil {
			t.Fatal(err)
		}
		if want := []string{"p9", "p8"}; !slices.Equal(k.asked, want) {
			t.Errorf("the store was asked for %v, expected %v", k.asked, want)
		}
	})
}

func TestSkipBad(t *testing.T) {
	var rejects bytes.Buffer
	r, report, err := loadFolder(t, map[string]string{
		"products.csv": "product_code,name,product_type,risk_grade\np1,\"A, a\",T,R1\np2,B,T,R6\np1,C,T,R2\np3\np4,\"D \"\"d\"\"\",T,\xff\np5,E,T,R5\n",
		"nav.csv":      "product_code,nav_date,unit_nav,accum_nav\np2,2020-01-02,1,1\np5,2020-01-02,1,1\n",
	}, nil, Options{SkipBad: true, Rejects: &rejects})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, p := range r.products {
		codes = append(codes, p.Code)
	}
	if want := []string{"p1", "p5"}; !slices.Equal(codes, want) || r.products[0].Name != "A, a" {
		t.Errorf("loaded %v %q, expected %v with the first p1", codes, r.products[0].Name, want)
	}
	if len(r.navs) != 1 || len(r.navs["p5"]) != 1 {
		t.Errorf("NAVs of %v, expected those of p5: p2 was left out", r.navs)
	}
	want := Report{Rejected: 5, Files: []FileReport{{Name: "products.csv", Rows: 2, Rejected: 4}, {Name: "nav.csv", Rows: 1, Rejected: 1}}}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	wantRejects := `file,line,column,value,expected,raw
products.csv,3,risk_grade,R6,R1 to R5,"p2,B,T,R6"
products.csv,4,product_code,p1,a key that no row before has,"p1,C,T,R2"
products.csv,5,,1 fields,4 fields as in the header,p3
products.csv,6,risk_grade,` + "\uFFFD" + `,UTF-8,"p4,""D """"d"""""",T,` + "\uFFFD" + `"
nav.csv,2,product_code,p2,a product that products.csv or the store has,"p2,2020-01-02,1,1"
`
	if diff := cmp.Diff(wantRejects, rejects.String()); diff != "" {
		t.Errorf("rejects.csv (-want +got):\n%s", diff)
	}
}

// What makes a whole file unreadable is no bad row: SkipBad does not get past it.
func TestSkipBadStopsAtABrokenFile(t *testing.T) {
	tests := map[string]map[string]string{
		"products.csv:1:risk_grade: column is missing, expected the columns product_code name product_type risk_grade": {"products.csv": "product_code,name,product_type\n"},
		"products.csv:2: a quoted field that does not end, expected a closing quote within 1048576 bytes":              {"products.csv": "product_code,name,product_type,risk_grade\np1,\"A,T,R1\n"},
		"calendar.csv:100002: more than 100000 bad rows, expected a dataset that is mostly good":                       {"calendar.csv": "date,open\n" + strings.Repeat("\n", MaxRejects+1)},
		"calendar.csv:1: a carriage return without a line feed, expected fields as RFC 4180 has them":                  {"calendar.csv": "date,open\r2020-01-01,true\r"},
	}
	for want, files := range tests {
		if _, _, err := loadFolder(t, files, nil, Options{SkipBad: true}); err == nil || err.Error() != want {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
	_, report, err := loadFolder(t, map[string]string{"calendar.csv": "date,open\n" + strings.Repeat("\n", MaxRejects)}, nil, Options{SkipBad: true})
	if err != nil || report.Rejected != MaxRejects {
		t.Errorf("got %d rejects and %v, expected as many as there may be", report.Rejected, err)
	}
}

func TestLoadStopsWhenItShould(t *testing.T) {
	files := map[string]string{"products.csv": someProducts, "customers.csv": someCustomers}
	t.Run("the first bad row", func(t *testing.T) {
		files := map[string]string{"products.csv": someProducts + "p2,B,T,R1\n", "customers.csv": someCustomers}
		r, _, err := loadFolder(t, files, nil, Options{})
		if err == nil || len(r.calls) > 0 {
			t.Errorf("got %v after calls %v, expected an error before any", err, r.calls)
		}
	})
	t.Run("the store fails", func(t *testing.T) {
		f, err := Open(folderOf(t, files))
		if err != nil {
			t.Fatal(err)
		}
		full := errors.New("disk full")
		if _, err := f.Load(t.Context(), &recorder{err: full}, nil, Options{SkipBad: true}); !errors.Is(err, full) || errors.Is(err, features.ErrInvalid) {
			t.Errorf("got %v, expected the store's error", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		f, err := Open(folderOf(t, files))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Load(ctx, &recorder{}, nil, Options{}); !errors.Is(err, context.Canceled) || errors.Is(err, features.ErrInvalid) {
			t.Errorf("got %v, expected context.Canceled", err)
		}
	})
	t.Run("rejects cannot be written", func(t *testing.T) {
		full := errors.New("disk full")
		bad := map[string]string{"products.csv": someProducts + "p2,B,T,R1\n"}
		if _, _, err := loadFolder(t, bad, nil, Options{SkipBad: true, Rejects: failingWriter{full}}); !errors.Is(err, full) {
			t.Errorf("got %v, expected the writer's error", err)
		}
	})
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

func TestProgressAndGroups(t *testing.T) {
	var days strings.Builder
	days.WriteString("date,open\n")
	for i := range 2500 {
		fmt.Fprintf(&days, "%s,true\n", fund.DateOfDay(i))
	}
	var got []Progress
	r, _, err := loadFolder(t, map[string]string{"calendar.csv": days.String()}, nil, Options{Progress: func(p Progress) { got = append(got, p) }})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"calendar 1000", "calendar 1000", "calendar 500"}; !slices.Equal(r.calls, want) {
		t.Errorf("calls %v, expected %v", r.calls, want)
	}
	size := int64(days.Len())
	last := Progress{File: "calendar.csv", Rows: 2500, Bytes: size, Size: size}
	if len(got) != 3 || got[0].Rows != 1000 || got[0].Size != size || got[2] != last {
		t.Errorf("progress %+v, expected three steps to %+v", got, last)
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		dir   string
		want  string
	}{
		"no dataset":     {files: map[string]string{"a.csv": "", "splits.csv": ""}, want: ": no dataset file, expected at least one of products.csv calendar.csv"},
		"plain and gzip": {files: map[string]string{"products.csv": "", "products.csv.gz": ""}, want: "products.csv: is there both plain and as products.csv.gz, expected one of the two"},
		"directory":      {dir: "nav.csv", want: "nav.csv: not a regular file, expected a CSV file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := folderOf(t, tt.files)
			if tt.dir != "" {
				if err := os.Mkdir(filepath.Join(dir, tt.dir), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Open(dir); !errors.Is(err, features.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, expected %s", err, tt.want)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) || errors.Is(err, features.ErrInvalid) {
		t.Errorf("got %v, expected that the directory does not exist", err)
	}
	f, err := Open(folderOf(t, map[string]string{"nav.csv": "", "branches.csv.gz": ""}))
	if err != nil || !slices.Equal(f.Files(), []string{"branches.csv.gz", "nav.csv"}) {
		t.Errorf("got %v and %v, expected both files in the order of loading", f.Files(), err)
	}
}

// A check that was reported open is closed by NONE, and not by a file that says nothing.
func TestOpenChecksEndWhenTheFileSaysSo(t *testing.T) {
	var stored []features.Cell
	for i, step := range []struct {
		column string
		want   fund.Checks
	}{{"KYC", fund.CheckKYC}, {"", fund.CheckKYC}, {"AML KYC", fund.CheckKYC | fund.CheckAML}, {"NONE", 0}, {"", 0}, {"AML", fund.CheckAML}} {
		in := strings.NewReader("customer_id,investor_type,risk_level,open_checks\nc1,ORDINARY,,\"" + step.column + "\"\n")
		for row, err := range ReadCustomers(in, "customers.csv") {
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, features.MergeImported(stored, row.AppendCells(nil), uint64(i+1))...)
		}
		p, err := features.Fold("c1", stored, nil, features.AsKnown(1))
		if err != nil {
			t.Fatal(err)
		}
		if p.Person.OpenChecks != step.want {
			t.Errorf("import %d says %q: open are %q, want %q", i+1, step.column, p.Person.OpenChecks, step.want)
		}
	}
}

// A tag that may be kept of nobody is a bad row of its own column (A09).
func TestForbiddenTagsAreBadRows(t *testing.T) {
	files := map[string]string{
		"customers.csv": "customer_id,investor_type,risk_level\nc1,ORDINARY,\n",
		"tags.csv":      "customer_id,value,name,event_at\nc1,2,child,2020-01-01T00:00:00Z\nc1,yes,religion,2020-01-01T00:00:00Z\n",
	}
	forbids := func(name string) bool { return name == "religion" }
	_, _, err := loadFolder(t, files, nil, Options{ForbidsTag: forbids})
	const want = `tags.csv:3:name: "religion", expected a tag that no law forbids to keep (rule A09)`
	if err == nil || err.Error() != want {
		t.Errorf("%v, expected %s", err, want)
	}
	var rejects bytes.Buffer
	_, report, err := loadFolder(t, files, nil, Options{ForbidsTag: forbids, SkipBad: true, Rejects: &rejects})
	if err != nil || report.Rejected != 1 || report.Files[1].Rows != 1 || !strings.Contains(rejects.String(), "tags.csv,3,name,religion,") {
		t.Errorf("left out: %+v, %v, %q", report, err, rejects.String())
	}
	if _, report, err := loadFolder(t, files, nil, Options{}); err != nil || report.Files[1].Rows != 2 {
		t.Errorf("where nothing is forbidden: %+v, %v", report, err)
	}
}

// What the law forbids to keep and what the catalogue of views does not take are bad rows of
// their own columns.
func TestFeaturesOutsideTheCatalogueAreBadRows(t *testing.T) {
	const header = "customer_id,view,feature,value,event_at\n"
	options := Options{
		ForbidsTag: func(name string) bool { return name == "religion" },
		CheckCell: func(c *features.Cell) error {
			if c.Value != "1" {
				return features.Invalid("value", c.Value, "a one")
			}
			return nil
		},
	}
	for rows, want := range map[string]string{
		"c1,v,n,1,2020-01-01T00:00:00Z\n":        "",
		"c1,v,n,2,2020-01-01T00:00:00Z\n":        `features.csv:2:value: "2", expected a one`,
		"c1,v,religion,1,2020-01-01T00:00:00Z\n": `features.csv:2:feature: "religion", expected a feature that no law forbids to keep (rule A09)`,
		"c9,v,n,1,2020-01-01T00:00:00Z\n":        `features.csv:2:customer_id: "c9", expected a customer that customers.csv or the store has`,
	} {
		_, _, err := loadFolder(t, map[string]string{"customers.csv": someCustomers, "features.csv": header + rows}, nil, options)
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
			t.Errorf("%q:\n got %s\nwant %s", rows, got, want)
		}
	}
}
