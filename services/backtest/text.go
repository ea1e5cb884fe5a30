package backtest

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// WriteText writes the figures for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	rule := "without the grade rule"
	if r.Config.Permitted {
		rule = "with the grade rule"
	}
	whole := fmt.Sprintf("%d-%d", r.Config.FirstSplit, r.Config.LastSplit)
	fmt.Fprintf(w, "splits %s, %s lists a contender, %s\n", whole, grouped(int64(r.Lists())), rule)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CONTENDER\tSPLITS\tNDCG@10\tRECALL@10\tPERMITTED NDCG@10\tVIOLATIONS\tCOVERAGE")
	for i := range r.Contenders {
		c := &r.Contenders[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", c.Name, whole, c.Whole.NDCG, c.Whole.Recall, c.Whole.PermittedNDCG, c.Violations, showNumber(c.Coverage))
		for _, h := range c.Halves {
			fmt.Fprintf(t, "\t%s\t%s\t%s\t%s\t\t\n", h.Splits, h.NDCG, h.Recall, h.PermittedNDCG)
		}
	}
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		fmt.Fprintf(t, "less %s\t%s\t%s\t%s\t%s\t\t\n", c.To, whole, signed(c.Whole.NDCG.Figure), signed(c.Whole.Recall.Figure), signed(c.Whole.PermittedNDCG.Figure))
		for _, h := range c.Halves {
			fmt.Fprintf(t, "\t%s\t%s\t%s\t%s\t\t\n", h.Splits, signed(h.NDCG.Figure), signed(h.Recall.Figure), signed(h.PermittedNDCG.Figure))
		}
		fmt.Fprintf(t, "\tworst five\t%s of it (%s)\t\t%s of it (%s)\t\t\n", showNumber(c.Worst.Ratio), c.Worst.Splits, showNumber(c.WorstPermitted.Ratio), c.WorstPermitted.Splits)
	}
	return t.Flush()
}

// Lists is how many lists each contender made.
func (r *Report) Lists() (n int) {
	for i := range r.Splits {
		n += r.Splits[i].Customers
	}
	return n
}

// String shows a mean and its interval.
func (f Figure) String() string {
	if math.IsNaN(float64(f.Value)) {
		return "–"
	}
	return fmt.Sprintf("%.4f [%.4f, %.4f]", float64(f.Value), float64(f.CI95[0]), float64(f.CI95[1]))
}
