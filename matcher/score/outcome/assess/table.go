package assess

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteTable writes the report as tables for people: rates in percent, losses in hundredths
// of a percent of the money.
func (r *Report) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%d products, of which %d with known fees of entry and exit; trained on holdings completed before %s; crash %s to %s\n",
		r.Products, r.Costed, r.Plan.TrainUntil, r.Plan.CrashFrom, r.Plan.CrashTo)
	fmt.Fprintf(w, "intervals: 95 %%, %d resamples of blocks of %d entry months, seed %d\n", r.Plan.Resamples, r.Plan.BlockMonths, r.Plan.Seed)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for i := range r.Horizons {
		r.Horizons[i].writeTo(t)
	}
	return t.Flush()
}

func (h *Horizon) writeTo(w io.Writer) {
	fmt.Fprintf(w, "\n%d months\tentries\tfunds\twindows\tbeyond 90 %%\t\tbeyond 95 %%\tby\tpinball\tpast\tgain\t\treturn\tpast\tgain\t\t\n", h.Months)
	for i := range h.Parts {
		s := &h.Parts[i]
		fmt.Fprintf(w, "%s\t%d\t%d\t%.1f\t%.1f\t%s\t%.1f\t%.1f\t%s%s\n",
			s.Part, s.Entries, s.Products, s.Windows,
			100*s.Beyond90.Value, interval(s.Beyond90, 100, "%.1f"), 100*s.Beyond95.Value, 100*s.Excess90,
			lossCells(&s.Drawdown), lossCells(&s.Return))
	}
}

// lossCells are four cells of a loss: nothing where there is nothing to compare with.
func lossCells(l *Loss) string {
	if l.Compared == 0 {
		return "–\t–\t–\t\t"
	}
	return fmt.Sprintf("%.0f\t%.0f\t%.0f\t%s\t", 1e4*l.Foreseen, 1e4*l.Past, 1e4*l.Gain.Value, interval(l.Gain, 1e4, "%.0f"))
}

// interval says an interval, or that there are too few blocks for one.
func interval(e Estimate, unit float64, verb string) string {
	if e.Blocks < 2 {
		return "[one block]"
	}
	return fmt.Sprintf("["+verb+", "+verb+"]", unit*e.Low, unit*e.High)
}
