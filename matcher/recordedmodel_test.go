package matcher_test

import (
	"os"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// A model of before a feature was known says nothing of it, not even that it adds 0: the
// decisions that it made are recorded without, and replay compares the bytes.
func TestARecordedModelTellsNoLaterFeature(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("score/testdata/spine-2.yaml")
	if err != nil {
		t.Fatal(err)
	}
	in := newBank(1, 60).inputs()
	for name, c := range map[string]struct {
		model *score.Model
		last  score.Feature
	}{
		"spine 2":      {must[*score.Model](t)(score.ParseRecorded(data)), score.Objected},
		"the built-in": {in.Model, score.Breach},
	} {
		in.Model = c.model
		core := compile(t, in)
		from, _ := core.Validity()
		b, items := newBank(1, 60), 0
		for i := range 40 {
			s := match(t, core, b.customer(i), matcher.Request{
				At: from, Channel: fund.App, Audience: wording.Customer, Limit: matcher.DefaultLimit, Licence: licensed,
			})
			for j := range s.Items {
				items++
				it := &s.Items[j]
				sum := 0.0
				for k, contribution := range it.Contributions {
					if contribution.Feature != score.Feature(k) {
						t.Fatalf("%s: contribution %d is of %s", name, k, contribution.Feature)
					}
					sum += contribution.Amount
				}
				if n := len(it.Contributions); n != int(c.last)+1 || sum != it.Score {
					t.Fatalf("%s: %d contributions that sum to %v, expected %d and %v", name, n, sum, c.last+1, it.Score)
				}
			}
		}
		if items < 10 {
			t.Fatalf("%s: %d items in all", name, items)
		}
	}
}
