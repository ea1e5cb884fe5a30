package backtest

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteText writes the figures for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	rule := "without the grade rule"
	if r.Config.Permitted {
		rule = "with the grade rule"
	}
	fmt.Fprintf(w, "splits %d-%d, %d lists a contender at most, %s\n", r.Config.FirstSplit, r.Config.LastSplit, r.lists(), rule)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CONTENDER\tSPLITS\tNDCG@10\tRECALL@10\tPERMITTED NDCG@10\tVIOLATIONS\tCOVERAGE")
	for i := range r.Contenders {
		c := &r.Contenders[i]
		whole := fmt.Sprintf("%d-%d", r.Config.FirstSplit, r.Config.LastSplit)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%.3f\n", c.Name, whole, c.Whole.NDCG, c.Whole.Recall, c.Whole.PermittedNDCG, c.Broken, float64(c.Coverage))
		for _, h := range c.Halves {
			fmt.Fprintf(t, "\t%s\t%s\t%s\t%s\t\t\n", h.Splits, h.NDCG, h.Recall, h.PermittedNDCG)
		}
	}
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		d := &c.Whole
		fmt.Fprintf(t, "%s - %s\t\t%+.4f\t%+.4f\t%+.4f\t\t\n", c.Of, c.To, d.NDCG.Value, d.Recall.Value, d.PermittedNDCG.Value)
	}
	return t.Flush()
}

// lists is how many lists each contender made.
func (r *Report) lists() (n int) {
	for i := range r.Splits {
		n += r.Splits[i].Customers
	}
	return n
}

// String shows a mean and its interval.
func (f Figure) String() string {
	return fmt.Sprintf("%.4f [%.4f, %.4f]", float64(f.Value), float64(f.CI95[0]), float64(f.CI95[1]))
}
