package view_test

import (
	"os"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features/view"
)

// docs/features.md names every built-in view, feature, purpose and status, and its example of
// a catalogue is one.
func TestTheDocsSayWhatThereIs(t *testing.T) {
	page, err := os.ReadFile("../../docs/features.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	_, views, _ := strings.Cut(text, "\n## Views")
	for _, v := range view.Default().Views() {
		_, row, ok := strings.Cut(views, "\n| "+v.Name+" |")
		if !ok {
			t.Errorf("no row of the view %s", v.Name)
			continue
		}
		row, _, _ = strings.Cut(row, "\n")
		for _, f := range v.Features {
			name := f.Name
			for _, act := range []string{"purchases", "redemptions", "visits", "contacts"} {
				if rest, ok := strings.CutPrefix(name, act); ok && rest != "" {
					name = rest
				}
			}
			if !strings.Contains(row, "`"+name+"`") {
				t.Errorf("the row of %s does not name %s", v.Name, f.Name)
			}
		}
	}
	for s := view.Present; s <= view.PurposeDenied; s++ {
		if !strings.Contains(text, s.String()) {
			t.Errorf("no word about %s", s)
		}
	}
	for _, p := range view.Default().Purposes() {
		if !strings.Contains(text, p.Name) {
			t.Errorf("no word about %s", p.Name)
		}
	}
	_, example, _ := strings.Cut(text, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	if _, err := view.Parse([]byte(example)); err != nil {
		t.Errorf("the example: %v", err)
	}
}
