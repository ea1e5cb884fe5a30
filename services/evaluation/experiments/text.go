package experiments

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
)

// WriteJSON writes the document.
func (d *Document) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// WriteTable writes the figures for a terminal.
func (d *Document) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ARM\tCUSTOMERS\tMETRIC\tKNOWN\tMEAN\tSD\tCENSORED")
	for _, a := range d.Arms {
		for i, m := range a.Metrics {
			arm, customers := a.Arm, strconv.FormatInt(a.Customers, 10)
			if i > 0 {
				arm, customers = "", ""
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%d\n", arm, customers, m.Metric, m.N, show(float64(m.Mean)), show(float64(m.SD)), m.Censored)
		}
	}
	fmt.Fprintf(t, "\nLESS %s\tMETRIC\tBY\tDIFFERENCE\tP\tP (HOLM)\tRELATIVE\n", d.Config.Control)
	for _, c := range d.Comparisons {
		for _, m := range c.Metrics {
			readings := []struct {
				by string
				Reading
			}{{"Welch", m.Welch}, {"sequential", m.Sequential}}
			if m.CUPED != nil {
				readings = append(readings, struct {
					by string
					Reading
				}{"CUPED", m.CUPED.Reading})
			}
			for _, r := range readings {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Arm, m.Metric, r.by, r.Absolute.text(1, ""), r.Absolute.p(), r.Absolute.holm(), r.Relative.text(100, " %"))
			}
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nsample ratio: chi-square %s, p %s\nverdict: %s\n", show(float64(d.SRM.Chi2)), chance(float64(d.SRM.P)), d.Verdict.Status)
	for _, r := range d.Verdict.Reasons {
		fmt.Fprintf(w, "  %s: %s\n", r.Code, r.Text)
	}
	return nil
}

// text shows a value and its interval.
func (e *Estimate) text(scale float64, unit string) string {
	if e == nil {
		return "–"
	}
	return fmt.Sprintf("%s%s [%s, %s]", signed(scale*e.Value), unit, signed(scale*e.Low), signed(scale*e.High))
}

func (e *Estimate) p() string {
	if e == nil {
		return "–"
	}
	return show(e.P)
}

func (e *Estimate) holm() string {
	if e == nil {
		return "–"
	}
	return show(e.Holm)
}

func show(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func signed(v float64) string {
	if v >= 0 {
		return "+" + show(v)
	}
	return show(v)
}
