package monitor

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	march fund.Instant = 1_583_020_800_000_000 // 2020-03-01T00:00:00Z
	day   fund.Instant = 86_400_000_000
)

// bank is a source in memory: customers by id.
type bank []features.History

func (b bank) CustomerIDs(_ context.Context, after string, limit int) ([]string, error) {
	var out []string
	for i := range b {
		if b[i].CustomerID > after && len(out) < limit {
			out = append(out, b[i].CustomerID)
		}
	}
	return out, nil
}

func (b bank) Histories(_ context.Context, q features.HistoryQuery, yield func(*features.History) error) error {
	for i := range b {
		id := b[i].CustomerID
		in := id > q.After && (q.Through == "" || id <= q.Through)
		if q.CustomerIDs != nil {
			_, in = slices.BinarySearch(q.CustomerIDs, id)
		}
		if in {
			h := b[i]
			if err := yield(&h); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b bank) Heads(context.Context, []string) ([]features.Head, error) { return nil, nil }

// tagged makes a bank whose i-th customer has the cells that f gives.
func tagged(n int, f func(i int) []features.Cell) bank {
	var b bank
	for i := range n {
		id := fmt.Sprintf("c%05d", i)
		cells := f(i)
		h := features.History{CustomerID: id}
		for _, c := range cells {
			c.CustomerID = id
			h.Cells = append(h.Cells, c)
			h.CellSeqs = append(h.CellSeqs, 1)
		}
		b = append(b, h)
	}
	return b
}

func segment(name string) features.Cell {
	return features.Cell{View: features.PersonView, Name: "segment", Value: name}
}

func mood(value string, at fund.Instant) features.Cell {
	return features.Cell{View: features.TagView, Name: "mood", Value: value, EventAt: at}
}

func planOf(tb testing.TB, names ...string) *view.Plan {
	tb.Helper()
	p, err := view.Default().PlanViews(names)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func mustRun(tb testing.TB, src Source, plan Plan, cfg Config) *Report {
	tb.Helper()
	r, err := Run(context.Background(), src, plan, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// moving is a bank in which the tag of half of the customers changes on 11 March, some
// lose it, and some customers come later.
func moving(n int) bank {
	return tagged(n, func(i int) []features.Cell {
		cells := []features.Cell{segment([]string{"MASS", "PRIVATE"}[i%2]), mood([]string{"calm", "keen"}[i%2], march+fund.Instant(i)*1_000_000)}
		switch {
		case i%10 == 0:
			gone := mood("", march+10*day)
			gone.Tombstone = true
			cells = append(cells, gone)
		case i%2 == 0:
			cells = append(cells, mood("keen", march+10*day))
		case i%25 == 1:
			cells = cells[1:]
			cells[0].EventAt = march + 12*day // nothing of him was known before
		}
		return cells
	})
}

func TestFillFreshnessAndDrift(t *testing.T) {
	b := moving(5_000)
	r := mustRun(t, b, planOf(t, "tag.mood"), Config{At: march + 20*day, BaselineAt: march + 5*day, Segments: true})
	all := &r.Features[0].Lines[0]
	if all.Rows != 5_000 || all.Statuses[view.Present] != 4_500 || all.Statuses[view.NotFound] != 500 || all.Fill() != 0.9 {
		t.Errorf("rows %d, present %d, not found %d, fill %g", all.Rows, all.Statuses[view.Present], all.Statuses[view.NotFound], all.Fill())
	}
	if r.Customers != 5_000 || r.BaselineCustomers != 4_900 || all.BaselineRows != 4_900 || all.BaselineFill != 1 {
		t.Errorf("customers %d, of the baseline %d, its rows %d, its fill %g", r.Customers, r.BaselineCustomers, all.BaselineRows, all.BaselineFill)
	}
	// 4,500 keen and 500 without, of 2,400 keen and 2,500 calm; an empty bin for others.
	want := drift([]int64{0, 4_500, 0, 500}, []int64{2_500, 2_400, 0, 0})
	if all.Drift != want || all.Drift.Band() != Unstable {
		t.Errorf("drift %+v, want %+v", all.Drift, want)
	}
	if !slices.Equal(r.Segments, []string{"(none)", "MASS", "PRIVATE"}) {
		t.Fatalf("segments %v", r.Segments)
	}
	for _, l := range r.Features[0].Lines {
		if l.Segment == "PRIVATE" && (l.Rows != 2_400 || l.Fill() != 1 || l.Drift.Band() != Stable) {
			t.Errorf("PRIVATE: %+v", l)
		}
	}
	if all.Age.Dated != 4_500 || all.Age.Newest != march+12*day || all.Age.Oldest != march+3*1_000_000 {
		t.Errorf("age %+v", all.Age)
	}
}

func TestReportsDoNotDependOnWorkers(t *testing.T) {
	b := moving(9_000)
	cfg := Config{At: march + 20*day, BaselineAt: march + 5*day, Segments: true}
	plan := planOf(t, "tag.mood", "person", "behaviour")
	var first []byte
	for _, workers := range []int{1, 2, 7} {
		cfg.Workers = workers
		var page bytes.Buffer
		r := mustRun(t, b, plan, cfg)
		if err := r.WriteHTML(&page); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = page.Bytes()
		}
		if !bytes.Equal(first, page.Bytes()) {
			t.Errorf("%d workers give another page", workers)
		}
	}
}

func TestASavedBaselineGivesTheSameDrift(t *testing.T) {
	b := moving(3_000)
	plan := planOf(t, "tag.mood", "person", "behaviour")
	live := mustRun(t, b, plan, Config{At: march + 20*day, BaselineAt: march + 5*day})
	taken, err := TakeBaseline(t.Context(), b, plan, Config{At: march + 5*day})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := taken.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := ReadBaseline(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	saved := mustRun(t, b, plan, Config{At: march + 20*day, Baseline: read})
	if d := cmp.Diff(live, saved); d != "" {
		t.Errorf("against a saved baseline (-live +saved):\n%s", d)
	}
	if _, err := Run(t.Context(), b, planOf(t, "needs"), Config{At: march, Baseline: read}); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("features that the baseline has not: %v", err)
	}
	if _, err := Run(t.Context(), b, plan, Config{At: march, Baseline: read, Segments: true}); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("segments that the baseline has not: %v", err)
	}
}

func TestBaselinesThatAreNone(t *testing.T) {
	const feature = `{"view":"tag","name":"x","type":"int","cuts":[{"at":1}],"lines":[{"rows":3,"present":2,"bins":[1,1,1]}]}`
	file := func(feature string) string {
		return `{"format":"fundmatch baseline 1","at":"2020-03-01T00:00:00Z","customers":3,"segments":null,"features":[` + feature + `]}`
	}
	if _, err := ReadBaseline(strings.NewReader(file(feature))); err != nil {
		t.Fatalf("a good one: %v", err)
	}
	for _, c := range []struct{ name, text, says string }{
		{"nothing", "", "end of the file"},
		{"cut off", file(feature)[:60], "end of the file"},
		{"two", file(feature) + file(feature), "format"},
		{"another format", strings.Replace(file(feature), "baseline 1", "baseline 2", 1), "format"},
		{"an unknown field", strings.Replace(file(feature), `"customers"`, `"clients"`, 1), "clients"},
		{"no instant", strings.Replace(file(feature), "2020-03-01T", "2020-13-01T", 1), "at:"},
		{"negative customers", strings.Replace(file(feature), `"customers":3`, `"customers":-3`, 1), "customers"},
		{"segments out of order", strings.Replace(file(feature), `"segments":null`, `"segments":["b","a"]`, 1), "segments"},
		{"twice", file(feature + "," + feature), "features[1]"},
		{"another type", file(strings.Replace(feature, `"int"`, `"float"`, 1)), "features[0].type"},
		{"a cut that is no number", file(strings.Replace(feature, `"at":1`, `"at":"x"`, 1)), "features[0].cuts[0].at"},
		{"cuts out of order", file(strings.Replace(feature, `{"at":1}`, `{"at":2},{"at":1}`, 1)), "features[0].cuts"},
		{"cuts of texts", file(strings.Replace(feature, `"int"`, `"string"`, 1)), "features[0]"},
		{"bins too few", file(strings.Replace(feature, `[1,1,1]`, `[1,1]`, 1)), "features[0].lines[0].bins"},
		{"a negative count", file(strings.Replace(feature, `[1,1,1]`, `[1,1,-1]`, 1)), "features[0].lines[0]"},
		{"more present than rows", file(strings.Replace(feature, `"present":2`, `"present":4`, 1)), "present"},
		{"a line too many", file(strings.Replace(feature, `]}]}`, `]},{"rows":0,"present":0,"bins":[0,0,0]}]}`, 1)), "features[0].lines"},
	} {
		if _, err := ReadBaseline(strings.NewReader(c.text)); !errors.Is(err, features.ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want ErrInvalid that says %q", c.name, err, c.says)
		}
	}
}

func FuzzReadBaseline(f *testing.F) {
	taken, err := TakeBaseline(context.Background(), moving(300), planOf(f, "tag.mood", "behaviour"), Config{At: march + 20*day, Segments: true})
	var file bytes.Buffer
	if err := errors.Join(err, taken.Write(&file)); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add([]byte(`{"format":"fundmatch baseline 1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ReadBaseline(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, features.ErrInvalid) {
				t.Errorf("%v: want ErrInvalid", err)
			}
			return
		}
		var out bytes.Buffer
		if err := b.Write(&out); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadBaseline(&out); err != nil {
			t.Errorf("what was written of it is refused: %v", err)
		}
	})
}

// The index of an example that can be followed by hand: shares of 0.5, 0.3 and 0.2 against
// thirds, with half a row a bin.
func TestPSI(t *testing.T) {
	d := drift([]int64{500, 300, 200}, []int64{400, 400, 400})
	want := 0.0
	for _, s := range [][2]float64{{500.5 / 1001.5, 400.5 / 1201.5}, {300.5 / 1001.5, 400.5 / 1201.5}, {200.5 / 1001.5, 400.5 / 1201.5}} {
		want += float64((s[0] - s[1]) * math.Log(s[0]/s[1]))
	}
	if !d.Known || d.PSI != want || math.Abs(want-0.1386) > 0.0005 || d.Band() != Shifted {
		t.Errorf("PSI %g, want %g, about 0.1386 (0.5 ln 1.5 ...)", d.PSI, want)
	}
	if math.Abs(d.Noise-2*(1/1000.0+1/1200.0)) > 1e-15 || d.Bins != 3 {
		t.Errorf("noise %g, bins %d", d.Noise, d.Bins)
	}
	for _, c := range []struct {
		now, before []int64
		band        Band
	}{
		{[]int64{100, 0}, []int64{100, 0}, Stable},
		{[]int64{99, 0}, []int64{100, 0}, NoBand},
		{[]int64{100, 0}, []int64{99, 0}, NoBand},
		{[]int64{0, 1_000}, []int64{1_000, 0}, Unstable}, // empty bins, and finite
	} {
		if d := drift(c.now, c.before); d.Band() != c.band || math.IsInf(d.PSI, 0) || math.IsNaN(d.PSI) {
			t.Errorf("%v against %v: %+v, want %s", c.now, c.before, d, c.band)
		}
	}
	for psi, band := range map[float64]Band{0: Stable, 0.0999: Stable, 0.1: Shifted, 0.2499: Shifted, 0.25: Unstable} {
		if got := (Drift{Known: true, PSI: psi}).Band(); got != band {
			t.Errorf("%g is %s, want %s", psi, got, band)
		}
	}
}

func TestDriftIsNeverNegativeAndGrowsWithTheShift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "bins")
		counts := rapid.SliceOfN(rapid.Int64Range(50, 1_000), n, n)
		now, before := counts.Draw(t, "now"), counts.Draw(t, "before")
		there, back := drift(now, before), drift(before, now)
		if there.PSI < 0 || math.Abs(there.PSI-back.PSI) > 1e-9 {
			t.Errorf("%g one way and %g the other", there.PSI, back.PSI)
		}
		if same := drift(now, now); same.PSI != 0 {
			t.Errorf("no shift gives %g", same.PSI)
		}
	})
}

func ints(numbers ...int64) []view.Value {
	var out []view.Value
	for _, n := range numbers {
		out = append(out, view.IntValue(n))
	}
	return out
}

func TestCuts(t *testing.T) {
	place := func(b *bins, n int64) int { return b.place(view.IntValue(n)) }
	var hundred, ties []int64
	for n := range int64(100) {
		hundred = append(hundred, n+1)
		ties = append(ties, max(n-50, 0)) // half of them 0
	}
	b := &bins{kind: view.Int, cuts: cutsOf(ints(hundred...))}
	if b.count() != quantileBins+1 || place(b, 10) != 0 || place(b, 11) != 1 || place(b, 91) != 9 || place(b, 1_000) != 9 || place(b, -5) != 0 {
		t.Errorf("%d bins; 10, 11, 91 in %d, %d, %d", b.count(), place(b, 10), place(b, 11), place(b, 91))
	}
	b = &bins{kind: view.Int, cuts: cutsOf(ints(ties...))}
	if zero := place(b, 0); place(b, -1) == zero || place(b, 1) == zero {
		t.Errorf("a value that half of them have shares a bin: %+v", b.cuts)
	}
	b = &bins{kind: view.Int, cuts: cutsOf(ints(5, 5, 5, 5))}
	if place(b, 4) == place(b, 5) || place(b, 5) == place(b, 6) {
		t.Errorf("a constant's neighbours are not told apart: %+v", b.cuts)
	}
	if b = (&bins{kind: view.Int}); b.count() != 2 || place(b, 7) != 0 || b.missing() != 1 {
		t.Errorf("bins without values: %d", b.count())
	}
}

// Bins hold what they are told, each value in one, in its order, whatever the ties.
func TestCutsPartTheNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.Int64Range(-6, 6), 1, 60).Draw(t, "numbers")
		b := &bins{kind: view.Int, cuts: cutsOf(ints(numbers...))}
		if len(b.cuts) > 2*quantileBins || !ascending(b.cuts, compareCuts) {
			t.Fatalf("cuts %+v", b.cuts)
		}
		last := -1
		for n := int64(-8); n <= 8; n++ {
			at := b.place(view.IntValue(n))
			if at < last || at > b.missing()-1 {
				t.Fatalf("%d in bin %d after %d of %d", n, at, last, b.count())
			}
			last = at
		}
	})
}

func TestDecimalsAreCutExactly(t *testing.T) {
	var values []view.Value
	for _, s := range []string{"0.1", "0.10000000000000000001", "0.2"} {
		v, err := view.DecimalValue(s)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	b := &bins{kind: view.Decimal, cuts: cutsOf(values)}
	if b.place(values[0]) == b.place(values[1]) {
		t.Error("two decimals that one float64 stands for share a bin")
	}
}

func TestLevels(t *testing.T) {
	s := values{kind: view.String, texts: map[string]int{}}
	for i := range 2_000 {
		s.add(view.StringValue(fmt.Sprintf("v%02d", i%40)))
	}
	s.add(view.StringValue("Zhang San, room 12"))
	b := s.bins()
	if len(b.levels) != maxLevels || !slices.IsSorted(b.levels) || slices.Contains(b.levels, "Zhang San, room 12") {
		t.Errorf("levels %v: expected the %d most frequent, and none of one person", b.levels, maxLevels)
	}
	counts := make([]int64, b.count())
	b.add(counts, view.StringValue("something new"))
	b.add(counts, view.StringValue(b.levels[3]))
	if counts[len(b.levels)] != 1 || counts[3] != 1 {
		t.Errorf("counts %v", counts)
	}
	few := values{kind: view.String, texts: map[string]int{}}
	for range minLevelRows - 1 {
		few.add(view.StringValue("rare"))
	}
	if b := few.bins(); len(b.levels) != 0 {
		t.Errorf("a text of %d customers has a bin: %v", minLevelRows-1, b.levels)
	}
	list := values{kind: view.List, texts: map[string]int{}}
	for range minLevelRows {
		list.add(view.ListValue([]string{"a", "a"}))
		list.add(view.ListValue(nil))
	}
	b = list.bins()
	counts = make([]int64, b.count())
	b.add(counts, view.ListValue([]string{"a", "b", "a"}))
	b.add(counts, view.ListValue(nil))
	if !slices.Equal(b.levels, []string{emptyList, "a"}) || !slices.Equal(counts, []int64{1, 2, 1, 0}) {
		t.Errorf("levels %q, counts %v", b.levels, counts)
	}
}

// A quantile is within 1/128 of the true one, and parts merge to the whole.
func TestAgesAreWithinTheirBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int64Range(0, 400*365*86_400), 1, 200).Draw(t, "ages")
		var whole, left, right ages
		for i, s := range all {
			whole.add(s)
			if i%3 == 0 {
				left.add(s)
			} else {
				right.add(s)
			}
		}
		left.merge(&right)
		slices.Sort(all)
		for _, q := range AgeQuantiles {
			want := all[max((len(all)*q+99)/100, 1)-1]
			got := whole.quantile(q)
			if math.Abs(float64(got-want)) > float64(want)/128 {
				t.Errorf("quantile %d is %d, want %d", q, got, want)
			}
			if merged := left.quantile(q); merged != got {
				t.Errorf("quantile %d of the merged is %d, of the whole %d", q, merged, got)
			}
		}
	})
	var extreme ages
	extreme.add(math.MaxInt64)
	extreme.add(-5)
	if extreme.quantile(99) < math.MaxInt64/128*127 || extreme.quantile(5) != 0 {
		t.Errorf("%d and %d", extreme.quantile(99), extreme.quantile(5))
	}
}

func TestChooseIsByTheIDsAlone(t *testing.T) {
	b := moving(30_000)
	first, err := Choose(t.Context(), b, 500)
	if err != nil || len(first) != 500 || !slices.IsSorted(first) {
		t.Fatalf("%d ids, %v", len(first), err)
	}
	grown, err := Choose(t.Context(), moving(31_000), 500)
	if err != nil {
		t.Fatal(err)
	}
	stayed := 0
	for _, id := range first {
		if _, ok := slices.BinarySearch(grown, id); ok {
			stayed++
		}
	}
	if stayed < 460 {
		t.Errorf("%d of 500 stayed when the bank grew by a thirtieth", stayed)
	}
	// Chosen evenly: a third of the ids has a third of the sample, within four standard errors.
	third := 0
	for _, id := range first {
		if id < "c10000" {
			third++
		}
	}
	if math.Abs(float64(third)-500.0/3) > 4*math.Sqrt(500*2.0/9) {
		t.Errorf("%d of the first third", third)
	}
	r := mustRun(t, b, planOf(t, "tag.mood"), Config{At: march + 20*day, Customers: first})
	if r.Customers != 500 {
		t.Errorf("%d customers measured, want the 500 chosen", r.Customers)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	plan := planOf(t, "tag.mood")
	for name, cfg := range map[string]Config{
		"a baseline after": {At: march, BaselineAt: march + 1},
		"two baselines":    {At: march, BaselineAt: march, Baseline: &Baseline{}},
		"no workers":       {At: march, Workers: -1},
	} {
		if _, err := Run(t.Context(), bank{}, plan, cfg); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty := mustRun(t, bank{}, plan, Config{At: march, BaselineAt: march - day, Segments: true})
	if empty.Customers != 0 || empty.Features[0].Lines[0].Fill() != 0 || empty.Features[0].Lines[0].Drift.Known {
		t.Errorf("an empty bank: %+v", empty)
	}
	if err := empty.WriteHTML(io.Discard); err != nil {
		t.Error(err)
	}
}

func TestBrokenBounds(t *testing.T) {
	r := mustRun(t, moving(2_000), planOf(t, "tag.mood"), Config{At: march + 20*day, BaselineAt: march + 5*day, Segments: true})
	if got := r.Broken(Bounds{}); len(got) != 0 {
		t.Errorf("no bounds: %v", got)
	}
	got := r.Broken(Bounds{MaxPSI: 0.25, MinFill: 0.95})
	var said []string
	for _, b := range got {
		said = append(said, b.Segment+" "+strings.Fields(b.What)[0])
	}
	if want := []string{" PSI", " fill", "MASS PSI", "MASS fill"}; !slices.Equal(said, want) {
		t.Errorf("broken: %v, want %v", said, want)
	}
}

// On the page every text lies within its picture, at the widths that the page's digits
// have, bars lie within theirs, and nothing comes from elsewhere.
func TestThePageHoldsTogether(t *testing.T) {
	b := tagged(400, func(i int) []features.Cell {
		return []features.Cell{segment(`<b>&"` + strconv.Itoa(i%30)), mood("calm", march+fund.Instant(i)*day/4)}
	})
	r := mustRun(t, b, planOf(t, "tag.mood", "person", "behaviour"), Config{At: march + 120*day, BaselineAt: march + 60*day, Segments: true})
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, bad := range []string{"<script", "http:", "https:", "<link", "<img", "url(", "<b>", "ZgotmplZ", "%!"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(text, "2020-06-29 00:00:00Z") || !strings.Contains(text, "How to read it") || !strings.Contains(text, "(others)") {
		t.Error("the page does not say as of when, how to read it, or the other segments")
	}
	pictures := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1)
	if len(pictures) < 100 {
		t.Fatalf("%d pictures", len(pictures))
	}
	for _, p := range pictures {
		checkPicture(t, p)
	}
}

type picture struct {
	Width  float64 `xml:"width,attr"`
	Height float64 `xml:"height,attr"`
	Rects  []struct {
		X      float64 `xml:"x,attr"`
		Y      float64 `xml:"y,attr"`
		Width  float64 `xml:"width,attr"`
		Height float64 `xml:"height,attr"`
	} `xml:"rect"`
	Inner []picture `xml:"g"`
	Texts []struct {
		X      float64 `xml:"x,attr"`
		Y      float64 `xml:"y,attr"`
		Anchor string  `xml:"text-anchor,attr"`
		Text   string  `xml:",chardata"`
	} `xml:"text"`
}

func checkPicture(t *testing.T, text string) {
	t.Helper()
	var p picture
	if err := xml.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, inner := range p.Inner {
		p.Texts = append(p.Texts, inner.Texts...)
	}
	for _, r := range p.Rects {
		if r.X < 0 || r.Y < 0 || r.Width < 0 || r.X+r.Width > p.Width+0.1 || r.Y+r.Height > p.Height+0.1 {
			t.Errorf("a bar leaves its picture: %s", text)
		}
	}
	type span struct{ from, to float64 }
	var spans []span
	for _, x := range p.Texts {
		width := charWidth * float64(len([]rune(x.Text)))
		s := span{x.X, x.X + width}
		switch x.Anchor {
		case "middle":
			s = span{x.X - width/2, x.X + width/2}
		case "end":
			s = span{x.X - width, x.X}
		}
		if s.from < 0 || s.to > p.Width || x.Y > p.Height || x.Y < 9 {
			t.Errorf("%q leaves its picture: %s", x.Text, text)
		}
		for _, o := range spans {
			if s.from < o.to && o.from < s.to {
				t.Errorf("%q lies over another text: %s", x.Text, text)
			}
		}
		spans = append(spans, s)
	}
}

func TestAgesAndCountsAreSaid(t *testing.T) {
	for seconds, want := range map[int64]string{0: "0 s", 59: "59 s", 60: "1.0 min", 3_600: "1.0 h", 86_399: "24 h", 86_400: "1.0 d", 40 * 86_400: "40 d", 400 * 86_400: "1.1 y"} {
		if got := showAge(seconds); got != want {
			t.Errorf("%d seconds: %q, want %q", seconds, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1_000: "1,000", 1_234_567: "1,234,567", -1_000: "-1,000"} {
		if got := showCount(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if got := showShare(0.99999, 10); got != "99.9 %" {
		t.Errorf("nearly all: %q", got)
	}
}
