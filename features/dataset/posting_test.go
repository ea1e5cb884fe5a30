package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
)

const holdingsHead = "customer_id,product_code,shares,acquired_on,batch_id\n"

// A batch is one cell, wherever in the file its rows lie; rows without one stay lots.
func TestABatchIsGatheredFromTheWholeFile(t *testing.T) {
	r, report, err := loadFolder(t, map[string]string{
		"products.csv": someProducts, "customers.csv": someCustomers,
		"holdings.csv": holdingsHead + "c2,p2,1,2020-01-02,b1\nc1,p2,2,2020-01-02,b1\nc2,p1,3,2020-01-01,\nc1,p1,4,2020-01-02,b2\nc2,p1,5,2020-01-01,b1\nc1,p1,6,2020-01-02,b1\n",
	}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	lot := func(code string, shares int, on, batch string) string {
		return fmt.Sprintf(`{"product_code":%q,"shares":%d0000,"acquired_on":%q,"batch_id":%q}`, code, shares, on, batch)
	}
	want := []features.Cell{
		{CustomerID: "c2", View: "lot", Name: "p1|2020-01-01|", Value: `{"product_code":"p1","shares":30000,"acquired_on":"2020-01-01"}`, EventAt: 1577808000000000},
		{CustomerID: "c2", View: "holdings", Name: "posted", Value: "[" + lot("p1", 5, "2020-01-01", "b1") + "," + lot("p2", 1, "2020-01-02", "b1") + "]"},
		{CustomerID: "c1", View: "holdings", Name: "posted", Value: "[" + lot("p1", 6, "2020-01-02", "b1") + "," + lot("p2", 2, "2020-01-02", "b1") + "]"},
		{CustomerID: "c1", View: "holdings", Name: "posted", Value: "[" + lot("p1", 4, "2020-01-02", "b2") + "]", SourceSeq: 1},
	}
	got := slices.DeleteFunc(r.cells, func(c features.Cell) bool { return c.View != "lot" && c.View != "holdings" })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	if last := report.Files[len(report.Files)-1]; last.Rows != 6 {
		t.Errorf("%d rows of %s are reported, want 6", last.Rows, last.Name)
	}
}

// Whatever the order of a file's rows, as long as the batches of each customer begin in the
// same order, it says the same.
func TestTheOrderOfABatchesRowsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var rows []string
		for i := range rapid.IntRange(1, 12).Draw(rt, "rows") {
			rows = append(rows, fmt.Sprintf("c%d,p1,%d,2020-01-%02d,b\n", i%2+1, i+1, i+1))
		}
		load := func(rows []string) []features.Cell {
			files := map[string]string{"products.csv": someProducts, "customers.csv": someCustomers, "holdings.csv": holdingsHead + strings.Join(rows, "")}
			r, _, err := loadFolder(t, files, nil, Options{})
			if err != nil {
				rt.Fatal(err)
			}
			cells := slices.DeleteFunc(r.cells, func(c features.Cell) bool { return c.View != "holdings" })
			slices.SortFunc(cells, func(a, b features.Cell) int { return strings.Compare(a.CustomerID, b.CustomerID) })
			return cells
		}
		if diff := cmp.Diff(load(rows), load(rapid.Permutation(rows).Draw(rt, "order"))); diff != "" {
			rt.Fatalf("another order says something else (-first +second):\n%s", diff)
		}
	})
}

func TestAPostingThatTheBatchRefuses(t *testing.T) {
	refused := errors.New("refused")
	f, err := Open(folderOf(t, map[string]string{
		"products.csv": someProducts, "customers.csv": "customer_id,investor_type,risk_level\nc1,,\n", "holdings.csv": holdingsHead + "c1,p1,1,2020-01-02,b\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Load(t.Context(), &refusing{refused: refused}, nil, Options{})
	if !errors.Is(err, refused) || !strings.Contains(err.Error(), "holdings.csv") {
		t.Errorf("error %v, want the batch's, with the file", err)
	}
}

// refusing is a batch that takes no posting.
type refusing struct {
	recorder
	refused error
}

// Cells is features.Batch.
func (r *refusing) Cells(rows []features.Cell) error {
	if len(rows) > 0 && rows[0].View == features.HoldingsView {
		return r.refused
	}
	return r.recorder.Cells(rows)
}
