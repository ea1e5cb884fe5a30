//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func importPromises() []promise {
	return []promise{
		{"an import whose fill fails changes nothing", importIsAtomic},
		{"an import whose fill panics changes nothing and the store goes on", importPanics},
		{"nothing of an import is seen while it runs", importIsHidden},
		{"an import that is run again changes nothing", importIsIdempotent},
		{"another folder is merged by key", importMerges},
		{"of facts with equal times the later import wins, back and forth", laterImportWins},
		{"within one import the row's own sequence decides between equal times", rowSequenceDecides},
		{"an import leaves newer facts in force", importLeavesNewer},
		{"an import without products publishes nothing", importWithoutProducts},
		{"an import sees its own products and customers", importSeesItself},
		{"a preview shows what the import would publish, and nothing of it stays when fill refuses", previewIsWhatIsPublished},
		{"a preview of an import that changes nothing is what is in force", previewOfNothing},
		{"rows may be used again after each call", rowsAreCopied},
		{"a row that no store may keep is invalid and changes nothing", invalidRows},
		{"a profile past its limits is invalid and changes nothing", importPastLimits},
		{"events, managers and branches count when new or different", otherRows},
	}
}

// product returns an open product.
func product(code, name string) fund.Product {
	return fund.Product{
		Code: code, Name: name, Type: "混合型", Grades: fund.Grades{Bank: fund.R3}, Listing: fund.Listing{Status: fund.Open},
		Content: fund.Content{Themes: []string{"消费"}},
	}
}

// nav returns a NAV.
func nav(day fund.Date, unit float64) fund.NAV {
	return fund.NAV{Date: day, Unit: unit, Accum: unit + 1}
}

// bought returns a purchase.
func bought(customerID, code string, day fund.Date, amount fund.Money) features.CustomerPurchase {
	return features.CustomerPurchase{
		CustomerID: customerID, Purchase: fund.Purchase{ProductCode: code, KnownOn: day, Kind: "BUY", Amount: amount},
	}
}

// fillBank gives a small bank with something in every table.
func fillBank(b features.Batch) error {
	return errors.Join(
		b.Products([]fund.Product{product("P2", "two"), product("P1", "one")}),
		b.NAVs("P1", []fund.NAV{nav(day1, 1), nav(day2, 1.1), nav(day3, 0.9)}),
		b.NAVs("P2", []fund.NAV{nav(day2, 2)}),
		b.Calendar([]features.CalendarDay{{Date: day1, Open: false}, {Date: day2, Open: true}}),
		b.Cells([]features.Cell{
			person("c1", "segment", "gold"), tag("c1", "mood", "calm", noon(day1)), person("c2", "segment", "silver"),
		}),
		b.Purchases([]features.CustomerPurchase{bought("c1", "P1", day2, 100), bought("c2", "P2", day3, 0)}),
		b.Events([]features.Event{{ID: "e1", CustomerID: "c1", Kind: "CLICK", EventAt: noon(day1), Attributes: `{"a":1}`}}),
		b.Managers([]features.Manager{{ID: "m1", BranchID: "b1", LicenceUntil: day5}}),
		b.Branches([]features.Branch{{ID: "b1", Name: "外滩支行"}}),
	)
}

// bankRows is the number of rows of fillBank.
const bankRows = 2 + 3 + 1 + 2 + 3 + 2 + 1 + 1 + 1

func loadBank(t *testing.T, s Store) features.ImportResult {
	t.Helper()
	return load(t, s, fillBank)
}

// state writes down all that a store of fillBank's customers answers.
func state(t *testing.T, s Store) map[string]any {
	t.Helper()
	out := map[string]any{"changes": changes(t, s)}
	ids, err := s.CustomerIDs(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		for _, at := range []fund.Instant{1, noon(day1), noon(day2), noon(day3), later} {
			out[fmt.Sprint(id, at)] = profile(t, s, id, at)
		}
	}
	r, err := s.Published(t.Context())
	if errors.Is(err, features.ErrNoPool) {
		return out
	}
	if err != nil {
		t.Fatal(err)
	}
	cut := features.Cut{AsOf: later, Seq: r.Seq}
	out["published"], out["navs"], out["purchases"] = r, navs(t, s, cut), purchases(t, s, cut)
	if out["pool"], err = s.Pool(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if out["calendar"], err = s.Calendar(t.Context(), r.Seq); err != nil {
		t.Fatal(err)
	}
	return out
}

var errFill = errors.New("the file is bad")

func importIsAtomic(t *testing.T, s Store) {
	fail := func(b features.Batch) error {
		return errors.Join(
			fillBank(b),
			b.Products([]fund.Product{product("P1", "renamed"), product("P3", "three")}),
			b.NAVs("P1", []fund.NAV{nav(day2, 9)}),
			b.Cells([]features.Cell{person("c1", "segment", "lost"), person("c3", "segment", "x")}),
			errFill)
	}
	for _, when := range []string{"empty", "full"} {
		before := state(t, s)
		if _, err := s.Import(t.Context(), noon(day5), fail); !errors.Is(err, errFill) {
			t.Errorf("import into the %s store: %v, want the error of fill", when, err)
		}
		wantSame(t, "state of the "+when+" store", state(t, s), before)
		loadBank(t, s)
	}
}

// previewed reads all that a preview and what it announces have in common.
func previewed(t *testing.T, pools features.Pools) map[string]any {
	t.Helper()
	r, err := pools.Published(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cut := features.Cut{AsOf: later, Seq: r.Seq}
	out := map[string]any{"published": r}
	if out["pool"], err = pools.Pool(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if out["calendar"], err = pools.Calendar(t.Context(), r.Seq); err != nil {
		t.Fatal(err)
	}
	market := map[string]any{}
	if err := errors.Join(
		pools.NAVs(t.Context(), cut, func(code string, navs []fund.NAV) error {
			market["navs of "+code] = slices.Clone(navs)
			return nil
		}),
		pools.Purchases(t.Context(), cut, func(id string, purchases []fund.Purchase) error {
			market["purchases of "+id] = slices.Clone(purchases)
			return nil
		}),
	); err != nil {
		t.Fatal(err)
	}
	out["market"] = market
	return out
}

func preview(t *testing.T, b features.Batch) features.Pools {
	t.Helper()
	p, ok := b.(features.Previewer)
	if !ok {
		t.Fatal("the batch is no Previewer")
	}
	pools, err := p.Preview()
	if err != nil {
		t.Fatal(err)
	}
	return pools
}

func previewIsWhatIsPublished(t *testing.T, s Store) {
	more := func(b features.Batch) error {
		return errors.Join(
			b.Products([]fund.Product{product("P1", "renamed"), product("P3", "three")}),
			b.NAVs("P1", []fund.NAV{nav(day2, 9), nav(day4, 8)}),
			b.Calendar([]features.CalendarDay{{Date: day3, Open: false}}),
			b.Cells([]features.Cell{person("c3", "segment", "x")}),
			b.Purchases([]features.CustomerPurchase{bought("c3", "P3", day2, 7), bought("c1", "P1", day2, 101)}))
	}
	navsOnly := func(b features.Batch) error { return b.NAVs("P2", []fund.NAV{nav(day3, 3)}) }
	for _, fill := range []func(features.Batch) error{fillBank, more, navsOnly} {
		before := state(t, s)
		var shown map[string]any
		look := func(b features.Batch) error {
			if err := fill(b); err != nil {
				return err
			}
			shown = previewed(t, preview(t, b))
			return nil
		}
		_, err := s.Import(t.Context(), noon(day5), func(b features.Batch) error { return errors.Join(look(b), errFill) })
		if !errors.Is(err, errFill) {
			t.Fatalf("import: %v, want the error of fill", err)
		}
		wantSame(t, "state after a refused preview", state(t, s), before)
		load(t, s, look)
		wantSame(t, "what is in force", previewed(t, s), shown)
	}
}

func previewOfNothing(t *testing.T, s Store) {
	load(t, s, func(b features.Batch) error {
		if r, err := preview(t, b).Published(t.Context()); !errors.Is(err, features.ErrNoPool) {
			t.Errorf("published %+v, %v, want ErrNoPool", r, err)
		}
		return nil
	})
	loadBank(t, s)
	want := previewed(t, s)
	load(t, s, func(b features.Batch) error {
		if err := fillBank(b); err != nil {
			return err
		}
		wantSame(t, "preview", previewed(t, preview(t, b)), want)
		return nil
	})
}

func importPanics(t *testing.T, s Store) {
	loadBank(t, s)
	before := state(t, s)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of fill was swallowed")
			}
		}()
		_, _ = s.Import(t.Context(), noon(day5), func(b features.Batch) error {
			if err := b.Cells([]features.Cell{person("c3", "segment", "x")}); err != nil {
				t.Error(err)
			}
			panic("fill")
		})
	}()
	wantSame(t, "state after the panic", state(t, s), before)
	known(t, s, "c4")
}

func importIsHidden(t *testing.T, s Store) {
	loadBank(t, s)
	before := state(t, s)
	load(t, s, func(b features.Batch) error {
		err := errors.Join(
			b.Cells([]features.Cell{person("c1", "segment", "new"), person("c3", "segment", "x")}),
			b.NAVs("P1", []fund.NAV{nav(day4, 3)}))
		wantSame(t, "state while the import runs", state(t, s), before)
		return err
	})
	if got := profile(t, s, "c1", later).Person.Segment; got != "new" {
		t.Errorf("segment afterwards is %q, want new", got)
	}
}

func importIsIdempotent(t *testing.T, s Store) {
	first := loadBank(t, s)
	if first.Changed != bankRows || !first.Published || first.Revision.Products != 2 || first.Revision.PublishedAt != noon(day5) {
		t.Errorf("first import: %+v, want %d rows and a revision of 2 products", first, bankRows)
	}
	before := state(t, s)
	for range 2 {
		again := loadBank(t, s)
		want := features.ImportResult{Revision: first.Revision}
		wantSame(t, "result of the same import", again, want)
		wantSame(t, "state after the same import", state(t, s), before)
	}
}

func importMerges(t *testing.T, s Store) {
	first := loadBank(t, s)
	p1 := profile(t, s, "c1", later)
	res := load(t, s, func(b features.Batch) error {
		return errors.Join(
			b.Products([]fund.Product{product("P2", "renamed"), product("P3", "three")}),
			b.NAVs("P1", []fund.NAV{nav(day4, 1.2), nav(day1, 1)}),
			b.Cells([]features.Cell{person("c2", "segment", "silver"), person("c2", "industry", "tea"), person("c3", "segment", "x")}))
	})
	if res.Changed != 5 || !res.Published || res.Revision.ID <= first.Revision.ID || res.Revision.Products != 3 {
		t.Errorf("second import: %+v, want 5 rows and a newer revision of 3 products", res)
	}
	pool, err := s.Pool(t.Context(), res.Revision.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "pool", pool, []fund.Product{product("P1", "one"), product("P2", "renamed"), product("P3", "three")})
	old, err := s.Pool(t.Context(), first.Revision.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the pool before", old, []fund.Product{product("P1", "one"), product("P2", "two")})
	wantSame(t, "a customer that the folder lacks", profile(t, s, "c1", later), p1)
	if p := profile(t, s, "c2", later).Person; p.Segment != "silver" || p.Industry != "tea" {
		t.Errorf("c2 is %+v, want silver of the first folder and tea of the second", p)
	}
}

func laterImportWins(t *testing.T, s Store) {
	level := func(l string) features.Cell {
		return features.Cell{
			CustomerID: "c1", View: features.AssessmentView, Name: features.AssessedName, EventAt: day1.Start(),
			Value: fmt.Sprintf(`{"level":%q,"on":"2020-03-01"}`, l),
		}
	}
	last := uint64(0)
	for _, want := range []string{"C3", "C5", "C2", "C3", "C5", "C2"} {
		for i, changed := range []int64{2, 0} {
			res := loadCells(t, s, person("c1", "segment", want), level(want))
			if res.Changed != changed {
				t.Errorf("%s, run %d: %d rows, want %d", want, i+1, res.Changed, changed)
			}
		}
		p := profile(t, s, "c1", later)
		if p.Assessment.Level.String() != want || p.Person.Segment != want || p.Revision <= last {
			t.Errorf("level %s, segment %s, revision %d after %d, want %s", p.Assessment.Level, p.Person.Segment, p.Revision, last, want)
		}
		last = p.Revision
	}
}

func rowSequenceDecides(t *testing.T, s Store) {
	first, second := tag("c1", "a", "zz", noon(day1)), tag("c1", "a", "aa", noon(day1))
	second.SourceSeq = features.MaxSourceSeq
	loadCells(t, s, second, first)
	wantTag(t, s, "c1", "a", later, "aa")
	if res := loadCells(t, s, second, first); res.Changed != 0 {
		t.Errorf("the same again: %d rows, want 0", res.Changed)
	}
	loadCells(t, s, tag("c1", "a", "new", noon(day1)))
	wantTag(t, s, "c1", "a", later, "new")
}

func importLeavesNewer(t *testing.T, s Store) {
	loadCells(t, s, tag("c1", "mood", "calm", noon(day1)))
	write(t, s, tag("c1", "mood", "afraid", noon(day3)))
	loadCells(t, s, tag("c1", "mood", "calm", noon(day1)), tag("c1", "mood", "late", noon(day2)))
	wantTag(t, s, "c1", "mood", later, "afraid")
	wantTag(t, s, "c1", "mood", noon(day2), "late")
}

func importWithoutProducts(t *testing.T, s Store) {
	res := loadCells(t, s, person("c1", "segment", "x"))
	if res.Published || res.Revision != (features.Revision{}) {
		t.Errorf("result %+v, want no revision", res)
	}
	first := loadBank(t, s)
	res = load(t, s, func(b features.Batch) error { return b.NAVs("P1", []fund.NAV{nav(day5, 1)}) })
	if res.Published || res.Revision.ID != first.Revision.ID || res.Revision.Seq <= first.Revision.Seq {
		t.Errorf("result %+v, want revision %d with a newer sequence than %d", res, first.Revision.ID, first.Revision.Seq)
	}
}

// lookup is what a batch tells besides.
type lookup interface {
	HasProduct(code string) (bool, error)
	HasCustomer(id string) (bool, error)
}

func importSeesItself(t *testing.T, s Store) {
	loadBank(t, s)
	load(t, s, func(b features.Batch) error {
		look, ok := b.(lookup)
		if !ok {
			t.Fatal("the batch does not tell what it has")
		}
		err := errors.Join(
			b.Products([]fund.Product{product("P3", "three")}), b.Cells([]features.Cell{person("c3", "segment", "x")}),
			b.Purchases([]features.CustomerPurchase{bought("c4", "P1", day1, 1)}))
		for name, want := range map[string]bool{"P1": true, "P3": true, "P4": false, "": false} {
			if got, err := look.HasProduct(name); got != want || err != nil {
				t.Errorf("product %q: %v, %v, want %v", name, got, err, want)
			}
		}
		for name, want := range map[string]bool{"c1": true, "c3": true, "c4": false, "c5": false, "": false} {
			if got, err := look.HasCustomer(name); got != want || err != nil {
				t.Errorf("customer %q: %v, %v, want %v", name, got, err, want)
			}
		}
		return err
	})
}

func rowsAreCopied(t *testing.T, s Store) {
	res := load(t, s, func(b features.Batch) error {
		products, cells := make([]fund.Product, 1), make([]features.Cell, 1)
		rows, buys := make([]fund.NAV, 1), make([]features.CustomerPurchase, 1)
		themes := []string{""}
		for i, code := range []string{"P1", "P2", "P3"} {
			products[0], rows[0] = product(code, code), nav(day1, float64(i+1))
			themes[0] = code
			products[0].Content.Themes = themes
			cells[0], buys[0] = person("c"+code, "segment", code), bought("c"+code, code, day1, fund.Money(i))
			if err := errors.Join(b.Products(products), b.NAVs(code, rows), b.Cells(cells), b.Purchases(buys)); err != nil {
				return err
			}
		}
		return nil
	})
	pool, err := s.Pool(t.Context(), res.Revision.ID)
	if err != nil {
		t.Fatal(err)
	}
	cut := features.Cut{AsOf: later, Seq: res.Revision.Seq}
	series, buys := navs(t, s, cut), purchases(t, s, cut)
	for i, code := range []string{"P1", "P2", "P3"} {
		wantSame(t, "themes", pool[i].Content.Themes, []string{code})
		wantSame(t, "NAVs", series[code], []fund.NAV{nav(day1, float64(i+1))})
		wantSame(t, "purchases", buys["c"+code], []fund.Purchase{bought("", code, day1, fund.Money(i)).Purchase})
	}
}

func invalidRows(t *testing.T, s Store) {
	loadBank(t, s)
	before := state(t, s)
	far := tag("c1", "a", "1", noon(day1))
	far.SourceSeq = features.MaxSourceSeq + 1
	deep := product("P9", "deep")
	deep.Content.Themes = make([]string, fund.MaxThemes+1)
	buy := bought("c1", "P1", day1, 1)
	for name, row := range map[string]func(features.Batch) error{
		"a product without code": func(b features.Batch) error { return b.Products([]fund.Product{product("", "x")}) },
		"too many themes":        func(b features.Batch) error { return b.Products([]fund.Product{deep}) },
		"a NAV of 0":             func(b features.Batch) error { return b.NAVs("P1", []fund.NAV{{Date: day4, Unit: 0, Accum: 1}}) },
		"a NAV of NaN": func(b features.Batch) error {
			return b.NAVs("P1", []fund.NAV{{Date: day4, Unit: math.NaN(), Accum: 1}})
		},
		"an infinite NAV": func(b features.Batch) error {
			return b.NAVs("P1", []fund.NAV{{Date: day4, Unit: 1, Accum: math.Inf(1)}})
		},
		"a NAV without day":     func(b features.Batch) error { return b.NAVs("P1", []fund.NAV{nav(0, 1)}) },
		"a NAV of no product":   func(b features.Batch) error { return b.NAVs("", []fund.NAV{nav(day4, 1)}) },
		"a day without date":    func(b features.Batch) error { return b.Calendar([]features.CalendarDay{{}}) },
		"a cell of no customer": func(b features.Batch) error { return b.Cells([]features.Cell{person("", "segment", "x")}) },
		"an unknown column":     func(b features.Batch) error { return b.Cells([]features.Cell{person("c1", "shoe_size", "42")}) },
		"a source sequence":     func(b features.Batch) error { return b.Cells([]features.Cell{far}) },
		"a purchase without day": func(b features.Batch) error {
			p := buy
			p.KnownOn = 0
			return b.Purchases([]features.CustomerPurchase{p})
		},
		"a negative purchase": func(b features.Batch) error {
			p := buy
			p.Amount = -1
			return b.Purchases([]features.CustomerPurchase{p})
		},
		"a purchase of nothing": func(b features.Batch) error {
			p := buy
			p.ProductCode = ""
			return b.Purchases([]features.CustomerPurchase{p})
		},
		"a purchase of no kind": func(b features.Batch) error {
			p := buy
			p.Kind = ""
			return b.Purchases([]features.CustomerPurchase{p})
		},
		"an event without id": func(b features.Batch) error {
			return b.Events([]features.Event{{CustomerID: "c1", Kind: "CLICK", EventAt: 1}})
		},
		"an event without time": func(b features.Batch) error {
			return b.Events([]features.Event{{ID: "e", CustomerID: "c1", Kind: "CLICK"}})
		},
		"a manager without branch": func(b features.Batch) error { return b.Managers([]features.Manager{{ID: "m"}}) },
		"a branch without id":      func(b features.Batch) error { return b.Branches([]features.Branch{{Name: "x"}}) },
	} {
		_, err := s.Import(t.Context(), noon(day5), func(b features.Batch) error {
			return errors.Join(b.Cells([]features.Cell{person("c1", "segment", "lost")}), row(b))
		})
		if !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	wantSame(t, "state after invalid rows", state(t, s), before)
}

func importPastLimits(t *testing.T, s Store) {
	attributes := func(n int) []features.Cell {
		var cells []features.Cell
		for i := range n {
			cells = append(cells, features.Cell{CustomerID: "c1", View: features.AttributeView, Name: fmt.Sprint(i), Value: "x"})
		}
		return cells
	}
	_, err := s.Import(t.Context(), noon(day5), func(b features.Batch) error { return b.Cells(attributes(fund.MaxAttributes + 1)) })
	if !errors.Is(err, features.ErrInvalid) {
		t.Errorf("%d attributes: %v, want ErrInvalid", fund.MaxAttributes+1, err)
	}
	if got := changes(t, s); len(got) != 0 {
		t.Errorf("changes %v, want none", got)
	}
	loadCells(t, s, attributes(fund.MaxAttributes)...)
}

func otherRows(t *testing.T, s Store) {
	known(t, s, "c1")
	before := changes(t, s)
	fill := func(kind, licence, name string) func(features.Batch) error {
		return func(b features.Batch) error {
			return errors.Join(
				b.Events([]features.Event{{ID: "e1", CustomerID: "c1", Kind: kind, EventAt: 1}, {ID: "e2", CustomerID: "c9", Kind: "CLICK", EventAt: 1}}),
				b.Managers([]features.Manager{{ID: "m1", BranchID: "b1", LicenceID: licence}}),
				b.Branches([]features.Branch{{ID: "b1", Name: name}}))
		}
	}
	for i, step := range []struct {
		fill func(features.Batch) error
		want int64
		who  string // whose profiles change
	}{
		{fill("CLICK", "L1", "a"), 4, "c1c9"},
		{fill("CLICK", "L1", "a"), 0, ""},
		{fill("CLICK", "L2", "a"), 1, ""},
		{fill("DETAIL_VIEW", "L2", "b"), 2, "c1"},
	} {
		if res := load(t, s, step.fill); res.Changed != step.want {
			t.Errorf("step %d: %d rows, want %d", i+1, res.Changed, step.want)
		}
		who := ""
		for _, c := range changes(t, s)[len(before):] {
			who += c.CustomerID
		}
		if before = changes(t, s); who != step.who {
			t.Errorf("step %d: profiles of %q changed, want %q", i+1, who, step.who)
		}
	}
}
