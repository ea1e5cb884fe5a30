package wording

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/decisiontable"
)

// TestTextCases holds the sentences of the decision table against the linter. The same
// sentences are asked over REST in services/server.
func TestTextCases(t *testing.T) {
	table, err := decisiontable.Read("testdata/texts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	l := linter(t)
	for _, id := range table.IDs() {
		for i := range table.Rules[id] {
			c := &table.Rules[id][i]
			t.Run(id+"/"+c.About, func(t *testing.T) {
				found := l.Lint(c.Text, SalesText)
				says, words := "NONE", ""
				for _, f := range found {
					if f.Rule == id {
						says, words = "BLOCK", f.Text
					}
				}
				if says != c.Says || c.Words != "" && words != c.Words {
					t.Errorf("%s says %s of %q, expected %s of %q: %s", id, says, words, c.Says, c.Words, summary(found))
				}
			})
		}
	}
}
