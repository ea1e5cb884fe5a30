package storetest

import "testing"

// TestThereAreEnoughCases counts the named cases: the suite has at least a hundred, each of
// another name.
func TestThereAreEnoughCases(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, g := range groups() {
		for _, p := range g.promises {
			name := g.name + "/" + p.name
			if p.keep == nil || seen[name] {
				t.Errorf("%s is there twice, or does nothing", name)
			}
			seen[name] = true
		}
	}
	t.Logf("%d cases", len(seen))
	if len(seen) < 100 {
		t.Errorf("%d cases, want at least 100", len(seen))
	}
}
