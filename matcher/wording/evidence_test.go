package wording

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func drawdownEvidence() []fund.Evidence {
	return []fund.Evidence{
		{Field: "MAX_DRAWDOWN", Unit: fund.UnitRatio, Number: -360100},
		{Field: "PEAK_ON", Unit: fund.UnitDate, Number: 20150612},
		{Field: "TROUGH_ON", Unit: fund.UnitDate, Number: 20150825},
		{Field: "RECOVERED_ON", Unit: fund.UnitDate, Number: 20200706},
		{Field: "RECOVERY_DAYS", Unit: fund.UnitDays, Number: 1851},
		{Field: "AMOUNT", Unit: fund.UnitFen, Number: 1_000_000},
		{Field: "LOSS", Unit: fund.UnitFen, Number: 360_100},
	}
}

// Filled from evidence a sentence reads as filled from values, and costs no
// allocation.
func TestAppendEvidence(t *testing.T) {
	ts := templates(t)
	id, _ := ts.ID(drawdown)
	want, err := ts.Append(nil, id, drawdownValues())
	if err != nil {
		t.Fatal(err)
	}
	evidence := drawdownEvidence()
	got, err := ts.AppendEvidence(nil, id, evidence)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	buffer := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(20, func() {
		if _, err := ts.AppendEvidence(buffer, id, evidence); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Evidence that is missing, of another unit, or out of range is an error that names
// template and slot, and the buffer comes back as it was.
func TestAppendEvidenceNeverLeavesAHole(t *testing.T) {
	ts := templates(t)
	id, _ := ts.ID(drawdown)
	for i, e := range drawdownEvidence() {
		missing := slices.Delete(drawdownEvidence(), i, i+1)
		mistyped, absurd := drawdownEvidence(), drawdownEvidence()
		mistyped[i].Unit = fund.UnitNone
		absurd[i].Number = -1 << 62
		for _, c := range []struct {
			name     string
			evidence []fund.Evidence
			want     error
		}{{"missing", missing, ErrSlot}, {"mistyped", mistyped, ErrSlot}, {"absurd", absurd, ErrValue}} {
			got, err := ts.AppendEvidence([]byte("kept"), id, c.evidence)
			if !errors.Is(err, c.want) || string(got) != "kept" || !strings.Contains(err.Error(), strings.ToLower(e.Field)) {
				t.Errorf("%s %s: got %q, %v", c.name, e.Field, got, err)
			}
		}
	}
	if _, err := ts.AppendEvidence(nil, 0, nil); !errors.Is(err, ErrTemplate) {
		t.Errorf("no template: %v", err)
	}
}

// Every unit fills the slots that can show it, and no other.
func TestEvidenceUnits(t *testing.T) {
	for kind := Percent; kind <= LargeMoney; kind++ {
		fits := 0
		for unit := fund.UnitNone; unit <= fund.UnitMinutes; unit++ {
			e := fund.Evidence{Unit: unit, Text: map[SlotType]string{Grade: "R3", Level: "C2"}[kind]}
			if _, ok := valueOf(&e, &segment{slot: "v", kind: kind}); ok {
				fits++
			}
		}
		if fits != 1 {
			t.Errorf("%s is filled by %d units", kind, fits)
		}
	}
	for _, e := range []fund.Evidence{{Text: "R6"}, {Text: ""}, {Text: "C3"}} {
		v, ok := valueOf(&e, &segment{slot: "v", kind: Grade})
		if _, err := v.append(nil); ok && err == nil {
			t.Errorf("%q is no grade", e.Text)
		}
	}
}
