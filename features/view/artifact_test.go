package view_test

import (
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// A catalogue is an artifact with a history: what was read at an instant is read again by the
// definition that was in force then.
func TestACatalogueHasAHistory(t *testing.T) {
	store := memory.New()
	for i, text := range []string{bank, strings.Replace(bank, `version: "3"`, `version: "4"`, 1)} {
		id, err := store.Put(t.Context(), features.ViewsArtifact, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		a := features.Activation{Kind: features.ViewsArtifact, ArtifactID: id, At: fund.Instant(i+1) * 10, By: "data"}
		if err := store.Activate(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range map[fund.Instant]string{10: "3", 19: "3", 20: "4"} {
		_, data, err := store.ActiveAt(t.Context(), features.ViewsArtifact, at)
		if err != nil {
			t.Fatal(err)
		}
		c, err := view.Parse(data)
		if err != nil || c.Version("salary") != want {
			t.Errorf("as of %d: version %s, %v, expected %s", at, c.Version("salary"), err, want)
		}
	}
}
