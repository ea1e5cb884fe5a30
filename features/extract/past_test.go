package extract

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// instants are few, so that cells meet at their bounds.
func drawInstant(t *rapid.T, name string) fund.Instant {
	return fund.Instant(rapid.IntRange(1, 12).Draw(t, name)) * 86_400_000_000 * 400
}

// drawCell draws a cell of any view, with a value that the view takes.
func drawCell(t *rapid.T) features.Cell {
	c := features.Cell{CustomerID: "C1", EventAt: drawInstant(t, "event"), SourceSeq: rapid.Uint64Range(0, 2).Draw(t, "seq")}
	if rapid.Bool().Draw(t, "known") {
		c.KnownAt = drawInstant(t, "known at")
	}
	if rapid.IntRange(0, 9).Draw(t, "dateless") == 0 {
		c.EventAt, c.KnownAt = 0, 0
	}
	c.Tombstone = rapid.IntRange(0, 4).Draw(t, "tombstone") == 0
	number := strconv.Itoa(rapid.IntRange(0, 3).Draw(t, "value"))
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
	day := max(c.EventAt, 1).Date()
	switch rapid.IntRange(0, 12).Draw(t, "view") {
	case 11, 12: // a posting batch, whose lots speak of the days before the first posting too
		c.View, c.Name, c.EventAt, c.Tombstone = features.HoldingsView, features.PostedName, drawInstant(t, "posted"), false
		c.Value = fmt.Sprintf(`[{"product_code":"B%s","shares":1%s,"acquired_on":%q}]`, name, number, drawInstant(t, "acquired").Date())
	case 0:
		c.View, c.Name, c.Value = features.PersonView, "segment", number
	case 1:
		c.View, c.Name, c.Value = features.PersonView, "aum_fen", number
	case 2:
		c.View, c.Name, c.Value = features.AssessmentView, features.AssessedName, fmt.Sprintf(`{"level":"C%d","on":%q}`, 1+len(name+number)%5, day)
	case 3:
		c.View, c.Name, c.Value = features.NeedsView, features.HorizonName, number
	case 4:
		c.View, c.Name, c.Value = features.TagView, name, number
	case 5:
		c.View, c.Name, c.Value = features.AttributeView, name, number
	case 6:
		c.View, c.Name, c.Value = features.ConsentView, name, strconv.FormatBool(number == "1")
	case 7:
		c.View, c.Name = features.LotView, features.LotName("P"+name, day, "")
		c.Value = fmt.Sprintf(`{"product_code":"P%s","shares":1%s0000,"acquired_on":%q}`, name, number, day)
	case 8:
		c.View, c.Name = features.HoldingsView, features.SnapshotName
		c.Value = fmt.Sprintf(`[{"product_code":"S%s","shares":1%s,"acquired_on":%q}]`, name, number, day)
	default:
		c.View, c.Name, c.Value = features.View("own"+number), name, rapid.SampledFrom([]string{`"x"`, "1.5", "null", `["a","b"]`}).Draw(t, "own")
		if rapid.Bool().Draw(t, "valid") {
			c.ValidTo = drawInstant(t, "valid to")
		}
	}
	if c.Tombstone && c.View != features.HoldingsView {
		c.Value = ""
	}
	return c
}

func drawHistory(t *rapid.T) *features.History {
	h := &features.History{CustomerID: "C1", Cells: rapid.SliceOfN(rapid.Custom(drawCell), 0, 40).Draw(t, "cells")}
	slices.SortFunc(h.Cells, func(a, b features.Cell) int { return history.CompareCells(&a, &b) })
	for i := range rapid.IntRange(0, 6).Draw(t, "purchases") {
		h.Purchases = append(h.Purchases, fund.Purchase{ProductCode: fmt.Sprint("P", i), KnownOn: drawInstant(t, "bought").Date(), Kind: "BUY"})
	}
	for i := range rapid.IntRange(0, 40).Draw(t, "events") {
		e := features.Event{
			ID: fmt.Sprint("e", i), CustomerID: "C1", EventAt: drawInstant(t, "happened"),
			Kind: rapid.SampledFrom([]string{"CLICK", "REFUSAL", "ORDER_CONFIRM", "NONE"}).Draw(t, "kind"),
		}
		if rapid.Bool().Draw(t, "told") {
			e.KnownAt = drawInstant(t, "told at")
		}
		h.Events = append(h.Events, e)
	}
	slices.SortFunc(h.Events, func(a, b features.Event) int { return features.CompareEvents(&a, &b) })
	return h
}

// However one instant follows another, a past folded on gives the profile that is folded
// from everything anew.
func TestPastIsAsOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		then := newPast(keep(h))
		for range rapid.IntRange(1, 12).Draw(t, "reads") {
			a := features.AsKnown(drawInstant(t, "at") + fund.Instant(rapid.IntRange(-1, 1).Draw(t, "beside")))
			switch rapid.IntRange(0, 2).Draw(t, "mode") {
			case 0:
				a.Known = fund.Forever
			case 1:
				a.Known = drawInstant(t, "as known")
			}
			want, err := history.AsOf(h, a)
			if err != nil {
				t.Fatal(err)
			}
			want.Revision = 0
			got, err := then.asOf(a)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(fund.AppendProfile(nil, got), fund.AppendProfile(nil, want)) {
				t.Fatalf("as of %+v:\ngot  %+v\nwant %+v", a, got, want)
			}
		}
	})
}

// A damaged cell is told as the whole fold tells it, when it comes into force and not before.
func TestPastTellsDamage(t *testing.T) {
	t.Parallel()
	for _, view := range []features.View{features.PersonView, "own"} {
		h := &features.History{CustomerID: "C1", Cells: []features.Cell{
			{CustomerID: "C1", View: view, Name: "aum_fen", Value: "1", EventAt: 10},
			{CustomerID: "C1", View: view, Name: "aum_fen", Value: "{", EventAt: 20},
		}}
		then := newPast(h)
		for _, at := range []fund.Instant{15, 25} {
			_, want := history.AsOf(h, features.AsKnown(at))
			_, got := then.asOf(features.AsKnown(at))
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("view %s at %d: got %v, want %v", view, at, got, want)
			}
		}
	}
}

// A kept history does not change with the memory of the one that it was made of.
func TestKeepCopies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		k := keep(h)
		want, err := history.AsOf(h, features.AsKnown(fund.Forever))
		if err != nil {
			t.Fatal(err)
		}
		for i := range h.Cells {
			h.Cells[i] = features.Cell{}
		}
		for i := range h.Events {
			h.Events[i] = features.Event{}
		}
		for i := range h.Purchases {
			h.Purchases[i] = fund.Purchase{}
		}
		got, err := history.AsOf(k, features.AsKnown(fund.Forever))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fund.AppendProfile(nil, got), fund.AppendProfile(nil, want)) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}
