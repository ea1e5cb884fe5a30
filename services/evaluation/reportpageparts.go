package evaluation

import (
	"fmt"
	"math"
	"strconv"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/page"
)

// drawnSegments is how many segments are drawn; the table has all.
const drawnSegments = 12

func (r *Report) segmentsPage() page.Section {
	s := page.Section{ID: "segments", Title: "For whom?"}
	if len(r.Segments) == 0 {
		s.Tone, s.Lead = page.Unsure, "The log has no column segment, and none was asked for (--segment)."
		return s
	}
	s.Lead = "Figures by segment, as they were logged. Many are compared at once: a single one that stands out may do so by chance."
	s.Blocks = append(s.Blocks, page.Block{Charts: r.segmentCharts()}, page.Block{Table: r.segmentTable()})
	if len(r.Policy.Segments) > 0 {
		s.Blocks = append(s.Blocks, page.Block{Table: r.policySegments()})
	}
	return s
}

func (r *Report) segmentCharts() (charts []page.Chart) {
	rewards := &page.Intervals{
		Words:     page.Words{Title: "Logged reward a row, by segment", Says: "Each mean with its 95 % interval; the broken line is the mean of all."},
		Reference: finiteOr(r.Log.Reward.Value),
	}
	cloud := &page.Cloud{Words: page.Words{
		Title: "nDCG@10 (to the right) against ROI over 90 days (up), by segment",
		Says:  "What customers wanted beside what it earned them. Lists in the upper right do both.",
	}}
	for i := range r.Segments[:min(len(r.Segments), drawnSegments)] {
		g := &r.Segments[i]
		if g.Reward.Value != nil {
			row := page.Interval{Label: segmentName(g.Column, g.Value), Value: *g.Reward.Value, Low: math.NaN(), High: math.NaN()}
			if ci := g.Reward.CI95; ci != nil {
				row.Low, row.High = ci[0], ci[1]
			}
			rewards.Rows = append(rewards.Rows, row)
		}
		if g.NDCG.Value != nil && g.ROI90.Value != nil {
			cloud.Marks = append(cloud.Marks, page.Mark{Label: segmentName(g.Column, g.Value), X: *g.NDCG.Value, Y: *g.ROI90.Value})
		}
	}
	if len(rewards.Rows) > 0 {
		charts = append(charts, rewards)
	}
	if len(cloud.Marks) > 0 {
		charts = append(charts, cloud)
	}
	return charts
}

func segmentName(column, value string) string {
	if value == "" {
		value = unknownText
	}
	if column != "segment" {
		value = column + " " + value
	}
	const most = 60
	if r := []rune(value); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return value
}

func (r *Report) segmentTable() *page.Table {
	t := &page.Table{
		Caption: "As logged",
		Head:    []string{"Segment", "Rows", "Violations", "Reward a row", "95 % interval", "nDCG@10", "ROI 90 days", "95 % interval"},
		Numbers: []bool{false, true, true, true, true, true, true, true},
	}
	for i := range r.Segments {
		g := &r.Segments[i]
		row := page.Row{Cells: []string{
			segmentName(g.Column, g.Value), grouped(g.Rows), groupedOf(g.Violations), numberOf(g.Reward.Value), boundsText(g.Reward.CI95),
			numberOf(g.NDCG.Value), percentText(g.ROI90.Value), percentBounds(g.ROI90.CI95),
		}}
		if g.Violations != nil && *g.Violations > 0 {
			row.Tone = page.Bad
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (r *Report) policySegments() *page.Table {
	t := &page.Table{
		Caption: "The judged policy, by segment",
		Head:    []string{"Segment", "Rows", "SNIPS", "95 % interval", "Effective sample", "Verdict"},
		Numbers: []bool{false, true, true, true, true},
	}
	for i := range r.Policy.Segments {
		g := &r.Policy.Segments[i]
		e := &g.Estimates.SNIPS
		row := page.Row{Cells: []string{
			segmentName(g.Column, g.Value), grouped(g.Rows), numberText(float64(e.Value)), boundsText(estimateBounds(e)),
			numberText(float64(g.Diagnostics.ESS)), "given",
		}}
		if g.Verdict.Status == policy.Withheld {
			row.Tone, row.Cells[5] = page.Unsure, "withheld: "+string(g.Verdict.Reasons[0].Code)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (r *Report) surePage() page.Section {
	s := page.Section{ID: "sure", Title: "How sure is that?"}
	d := r.Policy.Diagnostics
	if d == nil {
		s.Lead = "Nothing to be sure of: no other policy was judged."
		s.Blocks = r.Forecasts.reliabilityPage()
		return s
	}
	s.Tone, s.Lead = page.Good, "The log can carry the verdict: the effective sample, the mean weight and the support are as they must be."
	if r.Policy.Verdict.Status == policy.Withheld {
		s.Tone, s.Lead = page.Unsure, "The log cannot carry a verdict. "+whatToDo(r.Policy.Verdict)
	}
	withheld := map[policy.ReasonCode]bool{}
	for _, why := range r.Policy.Verdict.Reasons {
		withheld[why.Code] = true
	}
	tone := func(code policy.ReasonCode) page.Tone {
		if withheld[code] {
			return page.Unsure
		}
		return page.Good
	}
	s.Tiles = []page.Tile{
		{Tone: tone(policy.SmallEffectiveSample), Name: "Effective sample", Value: numberText(float64(d.ESS)), Under: fmt.Sprintf("rows, at least %g wanted", r.Policy.Config.MinESS)},
		{Tone: tone(policy.MeanWeightOff), Name: "Mean weight", Value: numberText(float64(d.MeanWeight)), Under: "must be near 1; p " + chanceText(finite(float64(d.MeanWeightP)))},
		{Name: "Largest weight", Value: numberText(float64(d.MaxWeight)), Under: plural(d.ClippedRows, "row") + " above the clip"},
		{Tone: tone(policy.SupportBroken), Name: "Support violations", Value: grouped(d.SupportViolations), Under: "shown by the target, never by the log"},
	}
	s.Blocks = append([]page.Block{{Charts: []page.Chart{weightChart(d), clipChart(d)}}}, r.Forecasts.reliabilityPage()...)
	return s
}

// weightChart is the histogram of the weights, without the empty ends.
func weightChart(d *policy.Diagnostics) page.Chart {
	c := &page.Bars{Words: page.Words{Title: "How much rows weigh", Says: "Rows by weight, target propensity over logged propensity. Few rows with much weight carry the estimate alone."}}
	total := int64(0)
	for _, w := range d.Weights {
		total += w.Rows
	}
	bins := drawnWeights(d.Weights)
	for i := range bins {
		w := &bins[i]
		share := float64(w.Rows) / float64(total)
		c.Rows = append(c.Rows, page.Bar{
			Label: weightLabel(float64(w.From), float64(w.To)), Value: float64(w.Rows), Behind: grouped(w.Rows) + "  (" + percentText(&share) + ")",
		})
	}
	return c
}

// Below and above these weights one bar is enough: nothing more is read off it.
const (
	leastDrawn = .125
	mostDrawn  = 128
)

// drawnWeights puts the bins below and above what is drawn together, and leaves out the empty ones at the ends.
func drawnWeights(all []policy.WeightCount) (bins []policy.WeightCount) {
	for _, w := range all {
		last := len(bins) - 1
		if last >= 0 && (float64(w.To) <= leastDrawn || float64(w.From) > mostDrawn) {
			bins[last].To = w.To
			bins[last].Rows += w.Rows
			continue
		}
		bins = append(bins, w)
	}
	for len(bins) > 0 && bins[0].Rows == 0 {
		bins = bins[1:]
	}
	for len(bins) > 0 && bins[len(bins)-1].Rows == 0 {
		bins = bins[:len(bins)-1]
	}
	return bins
}

func weightLabel(from, to float64) string {
	short := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
	if math.IsInf(to, 1) || math.IsNaN(to) {
		return short(from) + " and more"
	}
	return short(from) + " to " + short(to)
}

// clipChart is clipped IPS by where it is clipped.
func clipChart(d *policy.Diagnostics) page.Chart {
	c := &page.Curve{
		Words: page.Words{Title: "Clipped IPS (up) by the largest weight that is let through", Says: "Where the curve still climbs at its right end, single rows decide."},
		Log:   true,
	}
	for i := range d.Clip {
		at := &d.Clip[i]
		c.Marks = append(c.Marks, page.Mark{X: float64(at.L), Y: float64(at.Value), Low: float64(at.CI95[0]), High: float64(at.CI95[1])})
	}
	return c
}

func (r *Report) moneyPage() page.Section {
	m := &r.Money
	s := page.Section{ID: "money", Title: "What did customers get?"}
	h := &m.Horizons[0]
	s.Lead = "What the products that were listed returned after fees, and how often they fell beyond what the customer can bear."
	if h.ROI == nil && h.BreachShown == nil {
		s.Tone, s.Lead = page.Unsure, "What customers got cannot be said."
	}
	s.Tiles = []page.Tile{
		{Name: "Return of the first ten, 90 days", Value: percentText(roiValue(h)), Under: "mean of lists, after fees"},
		{Name: "Fell beyond what he can bear, 90 days", Value: shareText(h.BreachBought), Under: "of what was bought"},
		{Name: "Customers in profit, 90 days", Value: countShare(h.InProfit), Under: "of those who bought"},
		{Name: "Held", Value: daysText(m.Held.Days), Under: "mean of " + plural(m.Held.Sold, "holding") + " sold again"},
	}
	s.Blocks = append(lacking(m.Needs), page.Block{Table: returnTable(m.Horizons)}, page.Block{Table: breachTable(m.Horizons)})
	if m.Held.Sold > 0 {
		s.Blocks = append(s.Blocks, page.Block{Charts: []page.Chart{heldChart(&m.Held)}})
	}
	return s
}

// returnTable is what products returned, by horizon.
func returnTable(horizons []HorizonReport) *page.Table {
	t := &page.Table{
		Caption: "Return, by horizon",
		Head:    []string{"Days", "Return, first ten", "95 % interval", "A month", "Lists", "Rows that lost", "Mean loss", "In profit"},
		Numbers: []bool{false, true, true, true, true, true, true, true},
		Note:    "Return: mean over lists of the mean of the first ten products; lists of which one return is not known are left out. In profit: customers whose purchases together gained.",
	}
	for i := range horizons {
		h := &horizons[i]
		lists, sure := unknownText, (*[2]float64)(nil)
		if h.ROI != nil {
			lists, sure = grouped(h.ROI.N), h.ROI.CI95
		}
		t.Rows = append(t.Rows, page.Row{Cells: []string{
			strconv.Itoa(h.Days), percentText(roiValue(h)), percentBounds(sure), percentText(h.Monthly), lists, countShare(h.Fell), percentText(h.MeanLoss),
			countShare(h.InProfit),
		}})
	}
	return t
}

// breachTable is how often products fell further than their customers can bear, by horizon.
func breachTable(horizons []HorizonReport) *page.Table {
	t := &page.Table{
		Caption: "Fell beyond what the customer can bear, by horizon",
		Head:    []string{"Days", "Shown", "95 % interval", "Rows", "Bought", "95 % interval", "Orders"},
		Numbers: []bool{false, true, true, true, true, true, true},
	}
	for i := range horizons {
		h := &horizons[i]
		cells := append([]string{strconv.Itoa(h.Days)}, shareCells(h.BreachShown)...)
		t.Rows = append(t.Rows, page.Row{Cells: append(cells, shareCells(h.BreachBought)...)})
	}
	return t
}

func roiValue(h *HorizonReport) *float64 {
	if h.ROI == nil {
		return nil
	}
	return h.ROI.Value
}

func countShare(c *CountReport) string {
	if c == nil {
		return unknownText
	}
	return percentText(c.Value)
}

func daysText(v *float64) string {
	if v == nil {
		return unknownText
	}
	return strconv.FormatFloat(*v, 'f', 1, 64) + " days"
}

func heldChart(h *HeldReport) page.Chart {
	c := &page.Bars{Words: page.Words{Title: "How long was held what was sold again", Says: "Holdings by days from purchase to redemption."}}
	for _, b := range h.Bins {
		label := fmt.Sprintf("%g days and more", b.From)
		if b.To != nil {
			label = fmt.Sprintf("%g to %g days", b.From, *b.To)
		}
		c.Rows = append(c.Rows, page.Bar{Label: label, Value: float64(b.N), Behind: grouped(b.N)})
	}
	return c
}

// stepName is a step as people call it.
func stepName(code string) string {
	switch code {
	case "LISTED":
		return "Listed"
	case "EXPOSED":
		return "接 Exposed"
	case "VIEWED":
		return "接 Viewed"
	case "STARTED":
		return "发 Order started"
	}
	return "发 Bought"
}

func (r *Report) funnelPage() page.Section {
	f := &r.Funnel
	s := page.Section{ID: "funnel", Title: "Where do people drop out?", Blocks: lacking(f.Needs)}
	worst, at := 0., ""
	chart := &page.Bars{Words: page.Words{Title: "Rows that reached each step", Says: "From listed to bought, with the share that went on from the step before."}}
	t := &page.Table{
		Caption: "Step by step",
		Head:    []string{"Step", "Reached", "Went on to it", "95 % interval", "Dropped out before", "Came from elsewhere"},
		Numbers: []bool{false, true, true, true, true, true},
		Note:    "Went on to it: of the rows that reached the step before. Came from elsewhere: reached it though they are not known to have reached the step before, as an order in a branch.",
	}
	for i := range f.Steps {
		step := &f.Steps[i]
		cells := []string{stepName(step.Code), groupedOf(step.Reached), "", "", "", ""}
		if step.Reached != nil {
			bar := page.Bar{Label: stepName(step.Code), Value: float64(*step.Reached), Behind: grouped(*step.Reached)}
			if step.WentOn != nil {
				bar.Behind += "  (" + shareText(step.WentOn) + ")"
			}
			chart.Rows = append(chart.Rows, bar)
		}
		if step.WentOn != nil {
			cells[2], cells[3], cells[4], cells[5] = shareText(step.WentOn), percentBounds(step.WentOn.CI95), percentText(step.DropOff), groupedOf(step.Entered)
		}
		if v := step.DropOff; v != nil && *v > worst {
			worst, at = *v, stepName(step.Code)
		}
		t.Rows = append(t.Rows, page.Row{Cells: cells})
	}
	s.Lead = "Most drop out before " + at + ": " + percentText(&worst) + " of those who were there."
	if at == "" {
		s.Tone, s.Lead = page.Unsure, "Where people drop out cannot be said."
	}
	if f.Abandoned != nil {
		t.Rows = append(t.Rows, page.Row{Cells: []string{"发 Abandoned, of the orders started", grouped(f.Abandoned.Yes), shareText(f.Abandoned), percentBounds(f.Abandoned.CI95), "", ""}})
	}
	s.Blocks = append(s.Blocks, page.Block{Charts: []page.Chart{chart}}, page.Block{Table: t})
	if f.Any != nil {
		s.Blocks = append(s.Blocks, page.Block{Heading: "化: objections", Table: objectionTable(f)})
	}
	return s
}

func objectionTable(f *FunnelReport) *page.Table {
	t := &page.Table{
		Caption: "Objection by objection: foreseen, raised, answered, went on",
		Head:    []string{"Objection", "Foreseen", "Raised", "Of these foreseen", "Answered", "Went on, answered", "Went on, not answered", "Difference", "95 % interval"},
		Numbers: []bool{false, true, true, true, true, true, true, true, true},
		Note:    "Answered: he opened evidence about the product. Went on: an order was started. Who opens evidence differs from who does not: the difference is no effect of the evidence; an experiment tells that.",
	}
	if f.NoDoubt != nil {
		t.Note += " Without any objection " + shareText(f.NoDoubt) + " of the rows viewed went on."
	}
	rows := append([]ObjectionReport{*f.Any}, f.Objections...)
	for i := range rows {
		o := &rows[i]
		name := o.Code
		if i == 0 {
			name = "Any"
		}
		t.Rows = append(t.Rows, page.Row{Cells: []string{
			name, groupedOf(o.Foreseen), groupedOf(o.Raised), groupedOf(o.Both), shareText(o.Answered),
			shareText(o.WentOnAnswered), shareText(o.WentOnUnanswered), percentText(o.Difference), percentBounds(o.CI95),
		}})
	}
	return t
}

func (r *Report) gatesPage() page.Section {
	s := page.Section{ID: "gates", Title: "Gates", Tone: page.Good, Lead: "Every gate holds."}
	t := &page.Table{Caption: "What had to hold", Head: []string{"Gate", "Found", "Outcome"}, Numbers: []bool{false, true}}
	failed := int64(0)
	for _, g := range r.Gates {
		row := page.Row{Cells: []string{g.Gate, numberOf(g.Value), "holds"}}
		if !g.Passed {
			failed++
			row.Tone, row.Cells[2] = page.Bad, "fails: "+g.Reason
		}
		t.Rows = append(t.Rows, row)
	}
	switch {
	case len(r.Gates) == 0:
		s.Tone, s.Lead = page.Unsure, "No gate was asked for, and the built-in one (violations == 0) could not be judged."
		return s
	case failed > 0:
		s.Tone, s.Lead = page.Bad, plural(failed, "gate")+" of "+grouped(int64(len(r.Gates)))+" failed: the command ended with exit code 1."
	}
	s.Blocks = []page.Block{{Table: t}}
	return s
}
