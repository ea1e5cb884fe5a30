//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func postingPromises() []promise {
	return []promise{
		{"the batch of the newest import speaks alone", newestPosting},
		{"of the batches of one import the last speaks", lastOfOneImport},
		{"a batch that is imported again with fewer lots is what the customer holds", cutOffPosting},
		{"posting the same again changes nothing, an older batch wins again", repostedBatch},
		{"before the first posting its lots are there from their days on", beforeThePosting},
		{"lots without a batch speak until the first posting, and what was acquired after it", postingOverLots},
		{"a snapshot over the API and a batch: the newer one speaks", postingAndSnapshot},
		{"lots of days to come are kept aside, the rest of the batch counts", earlyLots},
		{"whatever is posted and read, a read sees one whole batch", wholePostings},
	}
}

// lotValue returns a lot of a batch.
func lotValue(code string, on fund.Date, batch string) features.LotValue {
	return features.LotValue{ProductCode: code, Shares: 10_000, AcquiredOn: on.String(), BatchID: batch}
}

// posting returns a batch as holdings.csv brings it: without a time. place is its place
// among those of the file.
func posting(id string, place uint64, lots ...features.LotValue) features.Cell {
	text, err := json.Marshal(append([]features.LotValue{}, lots...))
	if err != nil {
		panic(err) // texts and whole numbers
	}
	return features.Cell{CustomerID: id, View: features.HoldingsView, Name: features.PostedName, Value: string(text), SourceSeq: place}
}

// post imports batches at an instant.
func post(t *testing.T, s Store, at fund.Instant, cells ...features.Cell) features.ImportResult {
	t.Helper()
	res, err := s.Import(t.Context(), at, func(b features.Batch) error { return b.Cells(cells) })
	if err != nil {
		t.Fatalf("post: %v", err)
	}
	return res
}

// held names what a customer holds as of an instant: product and batch.
func held(t *testing.T, s Store, id string, at fund.Instant) string {
	t.Helper()
	var out []string
	for _, l := range profile(t, s, id, at).Lots {
		out = append(out, l.ProductCode+":"+l.BatchID)
	}
	return strings.Join(out, " ")
}

func wantHeld(t *testing.T, s Store, at fund.Instant, want string) {
	t.Helper()
	if got := held(t, s, "c1", at); got != want {
		t.Errorf("at %s he holds %q, want %q", at, got, want)
	}
}

func newestPosting(t *testing.T, s Store) {
	known(t, s, "c1")
	post(t, s, noon(day2), posting("c1", 0, lotValue("A", day1, "b1"), lotValue("B", day1, "b1")))
	post(t, s, noon(day3), posting("c1", 0, lotValue("A", day1, "b2")))
	wantHeld(t, s, noon(day2), "A:b1 B:b1")
	wantHeld(t, s, noon(day3)-1, "A:b1 B:b1")
	wantHeld(t, s, noon(day3), "A:b2")
	wantHeld(t, s, later, "A:b2")
}

func lastOfOneImport(t *testing.T, s Store) {
	known(t, s, "c1")
	post(t, s, noon(day3), posting("c1", 0, lotValue("A", day1, "z")), posting("c1", 1, lotValue("B", day1, "a")))
	for _, at := range []fund.Instant{noon(day1), noon(day3), later} {
		wantHeld(t, s, at, "B:a")
	}
}

func cutOffPosting(t *testing.T, s Store) {
	known(t, s, "c1")
	post(t, s, noon(day2), posting("c1", 0, lotValue("A", day1, "b1"), lotValue("B", day1, "b1")))
	post(t, s, noon(day3), posting("c1", 0, lotValue("B", day1, "b1")))
	wantHeld(t, s, noon(day2), "A:b1 B:b1")
	wantHeld(t, s, later, "B:b1")
	post(t, s, noon(day4), posting("c1", 0))
	wantHeld(t, s, later, "")
}

func repostedBatch(t *testing.T, s Store) {
	known(t, s, "c1")
	one, two := posting("c1", 0, lotValue("A", day1, "b1")), posting("c1", 1, lotValue("B", day1, "b2"))
	post(t, s, noon(day2), one, two)
	before := changes(t, s)
	if res := post(t, s, noon(day3), one, two); res.Changed != 0 {
		t.Errorf("the same again changed %d rows", res.Changed)
	}
	wantSame(t, "the log", changes(t, s), before)
	wantHeld(t, s, later, "B:b2")
	if res := post(t, s, noon(day4), one); res.Changed != 1 {
		t.Errorf("the older batch alone changed %d rows, want 1", res.Changed)
	}
	wantHeld(t, s, later, "A:b1")
	wantHeld(t, s, noon(day3), "B:b2")
}

func beforeThePosting(t *testing.T, s Store) {
	known(t, s, "c1")
	post(t, s, noon(day4), posting("c1", 0, lotValue("A", day1, "b1"), lotValue("B", day3, "b1")))
	post(t, s, noon(day5), posting("c1", 0, lotValue("C", day1, "b2")))
	for at, want := range map[fund.Instant]string{
		day1.Start() - 1: "", day1.Start(): "A:b1", day3.Start() - 1: "A:b1", day3.Start(): "A:b1 B:b1", noon(day4): "A:b1 B:b1", noon(day5): "C:b2",
	} {
		wantHeld(t, s, at, want)
	}
}

func postingOverLots(t *testing.T, s Store) {
	lot := func(code string, on fund.Date) features.Cell {
		v := fmt.Sprintf(`{"product_code":%q,"shares":1,"acquired_on":%q}`, code, on)
		return features.Cell{CustomerID: "c1", View: features.LotView, Name: features.LotName(code, on, ""), Value: v, EventAt: on.Start()}
	}
	post(t, s, noon(day2), lot("A", day1), lot("B", day1))
	post(t, s, noon(day3), posting("c1", 0, lotValue("A", day1, "b1")))
	wantHeld(t, s, noon(day2), "A: B:")
	wantHeld(t, s, noon(day3), "A:b1")
	post(t, s, noon(day4), lot("C", day4))
	wantHeld(t, s, later, "A:b1 C:")
}

func postingAndSnapshot(t *testing.T, s Store) {
	known(t, s, "c1")
	snapshot := func(code string, at fund.Instant) features.Cell {
		return features.Cell{
			CustomerID: "c1", View: features.HoldingsView, Name: features.SnapshotName, EventAt: at, KnownAt: at,
			Value: fmt.Sprintf(`[{"product_code":%q,"shares":1,"acquired_on":%q}]`, code, day1),
		}
	}
	post(t, s, noon(day2), posting("c1", 0, lotValue("A", day1, "b1")))
	write(t, s, snapshot("B", noon(day3)))
	post(t, s, noon(day4), posting("c1", 0, lotValue("C", day1, "b2")))
	write(t, s, snapshot("D", noon(day2)-hour)) // late, and about an instant before
	for at, want := range map[fund.Instant]string{noon(day2): "A:b1", noon(day3): "B:", noon(day4): "C:b2", noon(day2) - 1: "D:", later: "C:b2"} {
		wantHeld(t, s, at, want)
	}
}

func earlyLots(t *testing.T, s Store) {
	known(t, s, "c1")
	tomorrow := (noon(day5) + 24*hour).Date()
	batch := posting("c1", 0, lotValue("A", day1, "b1"), lotValue("B", tomorrow, "b1"))
	res := post(t, s, noon(day5), batch)
	if res.Quarantined != 1 || res.Changed != 1 {
		t.Errorf("result %+v, want one lot quarantined", res)
	}
	wantHeld(t, s, later, "A:b1")
	if got := quarantined(t, s); len(got) != 1 || got[0].What != "lot B" {
		t.Errorf("the quarantine holds %+v, want the lot", got)
	}
	if res := post(t, s, noon(day5)+hour, batch); res.Changed != 0 {
		t.Errorf("the same again changed %d rows", res.Changed)
	}
}

// wholePostings draws files with one or more batches, and reads at every instant: what is
// read is one batch, whole; before the first posting it is the lots of that one up to the day.
func wholePostings(t *testing.T, s Store) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		id := fmt.Sprintf("p%d", run)
		loadCells(t, s, person(id, "industry", "X"))
		type file struct {
			at   fund.Instant
			last []string // the lots of its last batch
		}
		var files []file
		for n := range rapid.IntRange(1, 4).Draw(rt, "files") {
			at := noon(day1) + fund.Instant(n)*24*hour
			var cells []features.Cell
			var last []string
			for b := range rapid.IntRange(1, 3).Draw(rt, "batches") {
				batch := fmt.Sprintf("f%db%d", n, b)
				codes := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"A", "B", "C", "D"}), 1, 4, rapid.ID[string]).Draw(rt, "products")
				slices.Sort(codes)
				var lots []features.LotValue
				last = last[:0:0]
				for _, code := range codes {
					lots, last = append(lots, lotValue(code, day1, batch)), append(last, code+":"+batch)
				}
				cells = append(cells, posting(id, uint64(b), lots...))
			}
			post(t, s, at, cells...)
			files = append(files, file{at, last})
		}
		for n, f := range files {
			for _, at := range []fund.Instant{f.at, f.at + hour, f.at + 24*hour - 1} {
				if got, want := held(t, s, id, at), strings.Join(f.last, " "); got != want {
					rt.Fatalf("after file %d at %s he holds %q, want %q", n, at, got, want)
				}
			}
		}
		if got, want := held(t, s, id, files[0].at-1), strings.Join(files[0].last, " "); got != want {
			rt.Fatalf("before the first posting he holds %q, want %q", got, want)
		}
	})
}
