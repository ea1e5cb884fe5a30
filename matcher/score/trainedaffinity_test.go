package score_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// trainedOn is an affinity section of a day over two funds, with the settings of the built-in.
func trainedOn(t *testing.T, day fund.Date, names *affinity.Names) []byte {
	t.Helper()
	history := affinity.NewHistory(2)
	for range 5 {
		own := affinity.Customer{Purchases: []affinity.Purchase{{Item: 0, Day: 1}, {Item: 1, Day: 2}}, Groups: []affinity.Fact{{Value: 0, Day: affinity.Always}}}
		if err := history.Add(own); err != nil {
			t.Fatal(err)
		}
	}
	items := []affinity.Item{{Kind: 0}, {Kind: 1}}
	m, err := affinity.Train(t.Context(), history, items, int32(day.DayNumber()), model(t).Settings.Affinity.Learned, affinity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	names.Items = []string{"F1", "F2"}
	data, err := m.AppendBinary(nil, names)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A section that was trained on days after the manifest's, or whose names are not found by
// halving or stand for nothing, is no section of the file.
func TestAnAffinitySectionThatIsRefused(t *testing.T) {
	t.Parallel()
	kinds, last := []string{"债券型", "股票型"}, fund.Date(20260630)
	for name, c := range map[string]struct {
		day   fund.Date
		names affinity.Names
		says  string // empty: it is taken
	}{
		"as it should be":                 {last, affinity.Names{Kinds: kinds, Groups: []string{"GOLD", "MASS"}}, ""},
		"of a day after the training's":   {last.AddDays(1), affinity.Names{Kinds: kinds}, `until the manifest's training.through "2026-06-30"`},
		"kinds in no order":               {last, affinity.Names{Kinds: []string{"股票型", "债券型"}}, `kinds: name 1: "债券型" after "股票型"`},
		"one kind twice":                  {last, affinity.Names{Kinds: []string{"债券型", "债券型"}}, "kinds: name 1"},
		"a group for who is of no group":  {last, affinity.Names{Kinds: kinds, Groups: []string{"", "GOLD"}}, "groups: name 0"},
		"a group that stands there twice": {last, affinity.Names{Kinds: kinds, Groups: []string{"GOLD", "GOLD"}}, "groups: name 1"},
	} {
		data := packed(t, func(f *modelfile.File) { f.Sections[modelfile.SectionAffinity] = trainedOn(t, c.day, &c.names) })
		m, err := score.ParseModel(data)
		switch {
		case c.says == "":
			if err != nil || m.Affinity == nil {
				t.Errorf("%s: %v", name, err)
			}
		case !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "section affinity.bin"):
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	untrained := packed(t, func(f *modelfile.File) {
		f.Sections[modelfile.SectionAffinity] = trainedOn(t, last, &affinity.Names{Kinds: kinds})
		f.Manifest.Training = modelfile.Window{}
	})
	if _, err := score.ParseModel(untrained); !errors.Is(err, score.ErrModel) {
		t.Errorf("an affinity of a model that was trained from nothing: %v", err)
	}
}
