package features_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// assessed is a cell of one assessment.
func assessed(level string, eventAt, knownAt fund.Instant, seq uint64) features.Cell {
	return features.Cell{
		CustomerID: "c1", View: features.AssessmentView, Name: features.AssessedName, EventAt: eventAt, KnownAt: knownAt, SourceSeq: seq,
		Value: fmt.Sprintf(`{"level":%q,"on":"2026-03-05"}`, level),
	}
}

func fold(t interface{ Fatal(args ...any) }, at fund.Instant, cells ...features.Cell) *fund.Profile {
	p, err := features.Fold("c1", cells, nil, features.AsKnown(at))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAssessmentsAreHeldOldestFirst(t *testing.T) {
	midnight := fund.Date(20260305).Start()
	removed := assessed("C5", 60, 60, 0)
	removed.Tombstone, removed.Value = true, ""
	predicted := features.Cell{CustomerID: "c1", View: features.AssessmentView, Name: features.PredictedName, Value: "C5", EventAt: 5}
	for _, c := range []struct {
		name  string
		at    fund.Instant
		cells []features.Cell
		want  []fund.Assessed
	}{
		{"none", 100, []features.Cell{predicted}, nil},
		{"in any order", 100, []features.Cell{assessed("C3", 20, 20, 0), assessed("C2", 10, 10, 0)}, []fund.Assessed{{At: 10, Level: fund.C2}, {At: 20, Level: fund.C3}}},
		{"at the instant itself", 20, []features.Cell{assessed("C2", 10, 10, 0), assessed("C3", 20, 20, 0)}, []fund.Assessed{{At: 10, Level: fund.C2}, {At: 20, Level: fund.C3}}},
		{"not what comes later", 19, []features.Cell{assessed("C2", 10, 10, 0), assessed("C3", 20, 20, 0)}, []fund.Assessed{{At: 10, Level: fund.C2}}},
		{"not what is known later", 20, []features.Cell{assessed("C2", 10, 21, 0)}, nil},
		{"not what was removed", 100, []features.Cell{assessed("C2", 10, 10, 0), removed}, []fund.Assessed{{At: 10, Level: fund.C2}}},
		{"a level of customers.csv beside that of the day", 100, []features.Cell{assessed("C3", 10, 0, 0), assessed("C3", 12, 12, 0)}, []fund.Assessed{{At: 10, Level: fund.C3}, {At: 12, Level: fund.C3}}},
		{"a level of customers.csv that repeats one", 100, []features.Cell{assessed("C3", 10, 0, 0), assessed("C3", 10, 10, 0)}, []fund.Assessed{{At: 10, Level: fund.C3}}},
		{"a day of customers.csv that repeats an hour", 1 << 60, []features.Cell{assessed("C3", midnight, 0, 0), assessed("C3", midnight+5, 0, 0)}, []fund.Assessed{{At: midnight + 5, Level: fund.C3}}},
		{"a day of customers.csv of another level", 1 << 60, []features.Cell{assessed("C2", midnight, 0, 0), assessed("C3", midnight+5, 0, 0)}, []fund.Assessed{{At: midnight, Level: fund.C2}, {At: midnight + 5, Level: fund.C3}}},
		{"one that was taken at midnight", 1 << 60, []features.Cell{assessed("C3", midnight, midnight, 0), assessed("C3", midnight+5, 0, 0)}, []fund.Assessed{{At: midnight, Level: fund.C3}, {At: midnight + 5, Level: fund.C3}}},
		{"another level of the same instant", 100, []features.Cell{assessed("C3", 10, 10, 0), assessed("C2", 10, 0, 0)}, []fund.Assessed{{At: 10, Level: fund.C2}, {At: 10, Level: fund.C3}}},
		{"a correction by a later import", 100, []features.Cell{assessed("C3", 10, 10, 1<<16), assessed("C2", 10, 10, 2<<16)}, []fund.Assessed{{At: 10, Level: fund.C2}}},
		{"a caller who says it again", 100, []features.Cell{assessed("C3", 10, 11, 0), assessed("C3", 10, 12, 0)}, []fund.Assessed{{At: 10, Level: fund.C3}}},
	} {
		got := fold(t, c.at, c.cells...)
		if d := cmp.Diff(c.want, got.Assessments); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if n := len(c.want); n > 0 && got.Assessment != (fund.Assessment{}) && got.Assessment.Level != c.want[n-1].Level {
			t.Errorf("%s: the assessment is %s, the newest %s", c.name, got.Assessment.Level, c.want[n-1].Level)
		}
	}
}

func TestOnlyTheNewestAssessmentsAreHeld(t *testing.T) {
	var cells []features.Cell
	for i := range fund.MaxAssessed + 1 {
		cells = append(cells, assessed("C3", fund.Instant(1+i), fund.Instant(1+i), 0))
	}
	if got := fold(t, fund.MaxAssessed, cells...).Assessments; len(got) != fund.MaxAssessed || got[0].At != 1 {
		t.Errorf("%d from %d, want %d from 1", len(got), got[0].At, fund.MaxAssessed)
	}
	if got := fold(t, 100, cells...).Assessments; len(got) != fund.MaxAssessed || got[0].At != 2 {
		t.Errorf("%d from %d, want %d from 2", len(got), got[0].At, fund.MaxAssessed)
	}
}

// The order in which cells come does not matter, what is held rises in time, and the newest
// of it is the assessment.
func TestAssessmentsFollowFromTheCellsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var cells []features.Cell
		for range rapid.IntRange(0, 40).Draw(t, "cells") {
			at := fund.Instant(rapid.IntRange(1, 50).Draw(t, "at"))
			known := rapid.SampledFrom([]fund.Instant{0, at, at + 1}).Draw(t, "known")
			level := fmt.Sprintf("C%d", rapid.IntRange(1, 5).Draw(t, "level"))
			cells = append(cells, assessed(level, at, known, uint64(rapid.IntRange(0, 2).Draw(t, "seq"))))
		}
		at := fund.Instant(rapid.IntRange(0, 60).Draw(t, "as of"))
		p := fold(t, at, cells...)
		again := fold(t, at, rapid.Permutation(cells).Draw(t, "order")...)
		if d := cmp.Diff(p, again); d != "" {
			t.Fatalf("in another order:\n%s", d)
		}
		if !slices.IsSortedFunc(p.Assessments, func(a, b fund.Assessed) int { return int(a.At - b.At) }) {
			t.Fatalf("%v do not rise", p.Assessments)
		}
		if n := len(p.Assessments); n > 0 && (p.Assessments[n-1] != fund.Assessed{At: p.Assessment.At, Level: p.Assessment.Level}) {
			t.Fatalf("%v end otherwise than with %v", p.Assessments, p.Assessment)
		}
		if (len(p.Assessments) == 0) != (p.Assessment == fund.Assessment{}) {
			t.Fatalf("%v beside %v", p.Assessments, p.Assessment)
		}
	})
}

func TestADamagedAssessmentIsNotGuessed(t *testing.T) {
	older := assessed("C9", 10, 10, 0)
	if _, err := features.Fold("c1", []features.Cell{older, assessed("C3", 20, 20, 0)}, nil, features.AsKnown(30)); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}

func TestFactsForTheGateFold(t *testing.T) {
	person := func(name, value string) features.Cell {
		return features.Cell{CustomerID: "c1", View: features.PersonView, Name: name, Value: value}
	}
	got := fold(t, 1, person("qualified_class", "ASSETS"), person("qualified_until", "2027-01-31"), person("pension_account", "false"), person("open_checks", "AML KYC"))
	want := fund.Person{Qualified: fund.Qualified{Class: "ASSETS", Until: 20270131}, Pension: fund.No, OpenChecks: fund.CheckKYC | fund.CheckAML}
	if got.Person != want {
		t.Errorf("%+v, want %+v", got.Person, want)
	}
	for _, bad := range []features.Cell{person("qualified_until", "soon"), person("pension_account", "yes"), person("open_checks", "PEP")} {
		if err := bad.Check(); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s %q: %v, want ErrInvalid", bad.Name, bad.Value, err)
		}
	}
}
