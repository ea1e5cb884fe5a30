package evaluation

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// WriteTable writes the document as a table for people.
func (d *PolicyDocument) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "rows\t%d\tof %d decisions, %d without a reward yet, %d left out\n", d.Rows, d.Decisions, d.Censored, d.Skipped)
	fmt.Fprintf(t, "verdict\t%s\t%s\n", d.Verdict.Status, reasons(d.Verdict))
	for _, e := range estimatesOf(&d.Estimates) {
		writeEstimate(t, e.code, e.Estimate)
	}
	if d.Logged != nil {
		writeEstimate(t, fmt.Sprintf("logged ndcg@%d", d.Logged.K), &d.Logged.NDCG)
	}
	x := &d.Diagnostics
	fmt.Fprintf(t, "mean weight\t%s\texpected 1, p %s\n", short(x.MeanWeight), short(x.MeanWeightP))
	fmt.Fprintf(t, "max weight\t%s\n", short(x.MaxWeight))
	fmt.Fprintf(t, "effective sample\t%s\n", short(x.ESS))
	fmt.Fprintf(t, "support violations\t%d\n", x.SupportViolations)
	for i := range d.Segments {
		s := &d.Segments[i]
		fmt.Fprintf(t, "%s\t%d rows\t%s %s\n", oneLine(s.Name), s.Rows, s.Verdict.Status, reasons(s.Verdict))
		writeEstimate(t, "  snips", &s.Estimates.SNIPS)
	}
	writeGates(t, d.Gates)
	return t.Flush()
}

// namedEstimate is an estimate with what documents and people call it.
type namedEstimate struct {
	code, name string
	*policy.Estimate
}

// estimatesOf are those that there are.
func estimatesOf(e *policy.Estimates) []namedEstimate {
	return slices.DeleteFunc([]namedEstimate{
		{"ips", "IPS", &e.IPS},
		{"snips", "SNIPS", &e.SNIPS},
		{"clipped_ips", "Clipped IPS", &e.ClippedIPS},
		{"dm", "DM", e.DM},
		{"dr", "DR", e.DR},
		{"sndr", "SNDR", e.SNDR},
		{"switch_dr", "SWITCH-DR", e.SwitchDR},
		{"dros", "DRos", e.DRos},
	}, func(n namedEstimate) bool { return n.Estimate == nil })
}

func writeEstimate(w io.Writer, name string, e *policy.Estimate) {
	fmt.Fprintf(w, "%s\t%s\t[%s, %s]\n", name, short(e.Value), short(e.CI95[0]), short(e.CI95[1]))
}

func writeGates(w io.Writer, results []gate.Result) {
	for _, r := range results {
		word := "passed"
		if !r.Passed {
			word = "FAILED"
		}
		fmt.Fprintf(w, "gate\t%s\t%s\n", word, r)
	}
}

func reasons(v policy.Verdict) string {
	texts := make([]string, len(v.Reasons))
	for i, r := range v.Reasons {
		texts[i] = r.Text
	}
	return strings.Join(texts, "; ")
}

// short is a figure to six digits; the document has all of them.
func short(n policy.Number) string {
	if v := float64(n); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return fmt.Sprintf("%.6g", v)
	}
	return "-"
}

// oneLine keeps a value of a log from breaking the table.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
