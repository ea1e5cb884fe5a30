package affinity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// Groups are found by searching their names: those of a file that are not sorted, or more
// than a model has, are refused, on the way out as on the way in.
func TestGroupsAreSortedAndBounded(t *testing.T) {
	h := affinity.NewHistory(1)
	m, err := affinity.Train(t.Context(), h, []affinity.Item{{}}, 0, affinity.Default(), affinity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, groups := range map[string][]string{
		"unsorted": {"b", "a"}, "too many": strings.Split(strings.Repeat("g,", affinity.MaxFact+1), ","), "too long": {strings.Repeat("g", 1025)},
	} {
		if _, err := m.AppendBinary(nil, &affinity.Names{Items: []string{"F"}, Groups: groups}); !errors.Is(err, affinity.ErrEncoding) {
			t.Errorf("%s: %v, expected ErrEncoding", name, err)
		}
	}
	data, err := m.AppendBinary(nil, &affinity.Names{Items: []string{"F"}, Groups: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, names, err := affinity.Decode(data); err != nil || len(names.Groups) != 2 {
		t.Errorf("%v, %v", names, err)
	}
	damaged := []byte(strings.Replace(string(data), "\x01a\x01b", "\x01b\x01a", 1))
	if _, _, err := affinity.Decode(damaged); !errors.Is(err, affinity.ErrEncoding) {
		t.Errorf("unsorted groups in a file: %v, expected ErrEncoding", err)
	}
}
