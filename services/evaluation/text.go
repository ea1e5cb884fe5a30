package evaluation

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// WriteText writes the document as a table for people.
func (d *PolicyDocument) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "rows\t%d\tof %d decisions, %d without a reward yet, %d left out\n", d.Rows, d.Decisions, d.Censored, d.Skipped)
	fmt.Fprintf(t, "verdict\t%s\t%s\n", d.Verdict.Status, reasons(d.Verdict))
	writeEstimates(t, "", &d.Estimates)
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

func writeEstimates(w io.Writer, indent string, e *policy.Estimates) {
	for _, row := range []struct {
		name string
		of   *policy.Estimate
	}{
		{"ips", &e.IPS},
		{"snips", &e.SNIPS},
		{"clipped_ips", &e.ClippedIPS},
		{"dm", e.DM},
		{"dr", e.DR},
		{"sndr", e.SNDR},
		{"switch_dr", e.SwitchDR},
		{"dros", e.DRos},
	} {
		if row.of != nil {
			writeEstimate(w, indent+row.name, row.of)
		}
	}
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
