package affinity

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// docs/models.md tells every setting as it ships.
func TestDocsTellTheSettings(t *testing.T) {
	page, err := os.ReadFile("../../../docs/models.md")
	if err != nil {
		t.Fatal(err)
	}
	s := Default()
	for _, n := range s.numbers() {
		if row := fmt.Sprintf("\n| %#q | %v | ", n.name, n.get()); !strings.Contains(string(page), row) {
			t.Errorf("docs/models.md lacks %q", strings.TrimSpace(row))
		}
	}
}
