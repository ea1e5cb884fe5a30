package evaluation

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
	"github.com/fundmatch/fundmatch/services/evaluation/page"
)

// WriteHTML writes the report as one page for people. The same report gives the same bytes.
func (r *Report) WriteHTML(w io.Writer) error {
	p := page.Page{
		Title: "Offline evaluation",
		About: []page.Fact{
			{Name: "Rows", Value: grouped(r.Log.Rows)},
			{Name: "Lists", Value: grouped(r.Log.Decisions)},
			{Name: "Decided", Value: r.Log.From + " to " + r.Log.To},
			{Name: "Log, SHA-256", Value: r.Log.SHA256},
		},
		Conclusion: page.Conclusion{Tone: headTone(r.Conclusion.Status), Headline: r.Conclusion.Headline},
		Sections: []page.Section{
			r.safePage(), r.betterPage(), r.segmentsPage(), r.surePage(), r.moneyPage(), r.funnelPage(), r.gatesPage(),
		},
		Footer: []string{
			"A figure that is not known is said to be so; it never counts as 0. Intervals are of 95 %. Rows of one list are alike, so intervals of shares and of logged rewards are taken over lists.",
			"fundmatch " + r.Version + ", " + r.Schema + ". The figures with all their digits are in report.json.",
		},
	}
	for _, t := range r.Conclusion.Points {
		p.Conclusion.Points = append(p.Conclusion.Points, page.Point{Tone: toneOf(t.Tone), Text: t.Text})
	}
	return p.Write(w)
}

func headTone(status string) page.Tone {
	switch status {
	case StatusStop:
		return page.Bad
	case StatusWithheld:
		return page.Unsure
	}
	return page.Good
}

func toneOf(tone string) page.Tone {
	switch tone {
	case toneGood:
		return page.Good
	case toneBad:
		return page.Bad
	case toneUnsure:
		return page.Unsure
	}
	return page.Plain
}

// lacking says which columns a section needs.
func lacking(needs []string) []page.Block {
	if len(needs) == 0 {
		return nil
	}
	return []page.Block{{Points: []page.Point{{Tone: page.Unsure, Text: "Needs columns that the log lacks: " + strings.Join(needs, ", ") + "."}}}}
}

// shareCells are a share as three cells: per cent, interval, counts.
func shareCells(s *Share) []string {
	if s == nil {
		return []string{unknownText, "", ""}
	}
	return []string{shareText(s), percentBounds(s.CI95), countText(s.Yes, s.Known)}
}

func (r *Report) safePage() page.Section {
	c := &r.Conduct
	s := page.Section{ID: "safe", Title: "Is it safe?", Tone: page.Good, Lead: "Nothing was shown that the customer may not have."}
	switch {
	case r.Violations == nil:
		s.Tone, s.Lead = page.Unsure, "Whether products suited their customers cannot be said."
	case *r.Violations > 0:
		s.Tone, s.Lead = page.Bad, plural(*r.Violations, "product")+" shown must not have been. Look up the decisions below (fundmatch replay), find the cause, and do not release before it is gone."
	}
	s.Tiles = []page.Tile{
		{Tone: s.Tone, Name: "Violations, shown", Value: groupedOf(r.Violations), Under: "of " + plural(c.Shown.Rows, "row")},
		{Tone: boughtTone(c.Bought.Violations), Name: "Violations, bought", Value: yesText(c.Bought.Violations), Under: "of " + plural(c.Bought.Rows, "order")},
		{Name: "Complaints", Value: yesText(c.Shown.Complaints), Under: shareText(c.Shown.Complaints) + " of rows"},
		{Name: "Redeemed within 30 days", Value: shareText(c.Bought.Redeemed30), Under: "of what was bought"},
	}
	s.Blocks = append(lacking(c.Needs), firstViolations(c)...)
	s.Blocks = append(s.Blocks, page.Block{Table: conductTable(c)})
	return addConcentration(s, c)
}

func boughtTone(s *Share) page.Tone {
	switch {
	case s == nil || s.Known == 0:
		return page.Plain
	case s.Yes > 0:
		return page.Bad
	}
	return page.Good
}

func yesText(s *Share) string {
	if s == nil {
		return unknownText
	}
	return grouped(s.Yes)
}

func firstViolations(c *ConductReport) []page.Block {
	if len(c.First) == 0 {
		return nil
	}
	t := &page.Table{
		Caption: fmt.Sprintf("The first %d violations", len(c.First)),
		Head:    []string{"Decision", "Position", "Product", "Level", "Grade", "What is wrong"}, Numbers: []bool{false, true},
	}
	for _, v := range c.First {
		t.Rows = append(t.Rows, page.Row{Tone: page.Bad, Cells: []string{
			v.DecisionID, grouped(int64(v.Position)), v.Product, orUnknown(v.RiskLevel), orUnknown(v.RiskGrade), kindText(v.Kind),
		}})
	}
	return []page.Block{{Table: t}}
}

func orUnknown(s string) string {
	if s == "" {
		return unknownText
	}
	return s
}

func kindText(kind string) string {
	switch kind {
	case "ABOVE_LEVEL":
		return "its grade is above his level"
	case "UNKNOWN_LEVEL":
		return "without a level only R1 is permitted"
	}
	return "a product without a grade suits nobody"
}

func conductTable(c *ConductReport) *page.Table {
	t := &page.Table{
		Caption: "Conduct, over all that was shown and over what was bought",
		Head:    []string{"", "Shown", "95 % interval", "Rows", "Bought", "95 % interval", "Orders"},
		Numbers: []bool{false, true, true, true, true, true, true},
		Note:    "Rows of which something is not known yet are in neither count. Switches without a benefit: of the switches, those whose net benefit is not above 0.",
	}
	for _, row := range []struct {
		name          string
		shown, bought *Share
	}{
		{"Violations", c.Shown.Violations, c.Bought.Violations},
		{"New issues", c.Shown.NewIssues, c.Bought.NewIssues},
		{"Switches without a net benefit", c.Shown.NoBenefit, c.Bought.NoBenefit},
		{"Redeemed within 7 days", c.Shown.Redeemed7, c.Bought.Redeemed7},
		{"Redeemed within 30 days", c.Shown.Redeemed30, c.Bought.Redeemed30},
		{"Redeemed within 90 days", c.Shown.Redeemed90, c.Bought.Redeemed90},
		{"Complaints", c.Shown.Complaints, c.Bought.Complaints},
	} {
		cells := append([]string{row.name}, shareCells(row.shown)...)
		out := page.Row{Cells: append(cells, shareCells(row.bought)...)}
		if row.name == "Violations" && (yes(row.shown) || yes(row.bought)) {
			out.Tone = page.Bad
		}
		t.Rows = append(t.Rows, out)
	}
	return t
}

func yes(s *Share) bool { return s != nil && s.Yes > 0 }

func addConcentration(s page.Section, c *ConductReport) page.Section {
	t := &page.Table{
		Caption: "Concentration: how much goes to few",
		Head:    []string{"", "Different", "HHI", "As if equal", "Largest", "Its share"},
		Numbers: []bool{false, true, true, true, false, true},
		Note:    "HHI is the sum of squared shares: 1 is all of one. As if equal, 1/HHI: so many of the same size would be as concentrated.",
	}
	for _, row := range []struct {
		name string
		c    *Concentration
	}{
		{"Products shown", &c.Shown.Products},
		{"Products bought", &c.Bought.Products},
		{"Issuers shown", c.Shown.Issuers},
		{"Issuers bought", c.Bought.Issuers},
	} {
		if row.c == nil {
			continue
		}
		cells := []string{row.name, groupedOf(row.c.Codes), numberOf(row.c.HHI), numberOf(row.c.Effective), "", ""}
		if len(row.c.Largest) > 0 {
			cells[4], cells[5] = row.c.Largest[0].Code, percentText(&row.c.Largest[0].Share)
		}
		t.Rows = append(t.Rows, page.Row{Cells: cells})
	}
	s.Blocks = append(s.Blocks, page.Block{Table: t})
	return s
}

func (r *Report) betterPage() page.Section {
	s := page.Section{ID: "better", Title: "Is it better?"}
	switch r.Policy.Verdict.Status {
	case NotAsked:
		s.Lead = "Not asked: the log has no target_propensity, and no --target-policy was given. What was logged earned " + meanText(&r.Log.Reward) + " a row."
	case policy.Withheld:
		s.Tone, s.Lead = page.Unsure, "The verdict is withheld. The estimates below are there to look into, not to decide by."
	default:
		switch r.comparison() {
		case better:
			s.Tone, s.Lead = page.Good, "The judged policy is better than what ran: the intervals do not meet."
		case worse:
			s.Tone, s.Lead = page.Bad, "The judged policy is worse than what ran: the intervals do not meet. Do not release it for its reward."
		default:
			s.Lead = "The judged policy is not shown to be better or worse than what ran: the intervals meet. More of the log, or a longer one, would tell."
		}
	}
	for _, why := range r.Policy.Verdict.Reasons {
		if r.Policy.Verdict.Status == policy.Withheld {
			s.Blocks = append(s.Blocks, page.Block{Points: []page.Point{{Tone: page.Unsure, Text: string(why.Code) + ": " + why.Text + "."}}})
		}
	}
	if r.Policy.Diagnostics != nil {
		s.Blocks = append(s.Blocks, r.estimateBlocks()...)
	}
	return r.addExperiments(s)
}

// estimateBlocks are the estimators beside what was logged.
func (r *Report) estimateBlocks() []page.Block {
	logged := finiteOr(r.Log.Reward.Value)
	chart := &page.Intervals{
		Words: page.Words{
			Title: "Reward a row of the judged policy, by estimator",
			Says:  "Each estimate with its 95 % interval; the broken line is what was logged.",
		},
		Reference: logged,
	}
	t := &page.Table{
		Caption: "Reward a row", Head: []string{"Estimator", "Value", "Standard error", "95 % interval"}, Numbers: []bool{false, true, true, true},
		Note: "SNIPS is what the conclusion reads. Clipped IPS and DM are biased; estimators with a reward model need --target-policy.",
	}
	for _, e := range estimatesOf(&r.Policy.Estimates) {
		if finite(float64(e.Value)) == nil {
			continue
		}
		chart.Rows = append(chart.Rows, page.Interval{Label: e.name, Value: float64(e.Value), Low: float64(e.CI95[0]), High: float64(e.CI95[1]), Tone: r.estimateTone()})
		t.Rows = append(t.Rows, page.Row{Cells: []string{e.name, numberText(float64(e.Value)), numberText(float64(e.StdErr)), boundsText(estimateBounds(e.Estimate))}})
	}
	m := &r.Log.Reward
	t.Rows = append(t.Rows, page.Row{Cells: []string{"As logged", numberOf(m.Value), numberOf(m.StdErr), boundsText(m.CI95)}})
	if len(chart.Rows) == 0 {
		return []page.Block{{Table: t}}
	}
	return []page.Block{{Charts: []page.Chart{chart}}, {Table: t}}
}

func (r *Report) estimateTone() page.Tone {
	if r.Policy.Verdict.Status == policy.Withheld {
		return page.Unsure
	}
	return page.Plain
}

func finiteOr(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

func (r *Report) addExperiments(s page.Section) page.Section {
	if len(r.Experiment.Experiments) == 0 {
		text := "The log names no experiment (column arm)."
		s.Blocks = append(s.Blocks, page.Block{Heading: "Experiments", Points: []page.Point{{Text: text}}})
		return s
	}
	for i := range r.Experiment.Experiments {
		s.Blocks = append(s.Blocks, experimentBlock(&r.Experiment.Experiments[i]))
	}
	last := s.Blocks[len(s.Blocks)-1].Table
	last.Note = "The interval is for one look at a size that was planned; at every look is the interval that holds however often one looks. p is adjusted for the number of arms."
	return s
}

func experimentBlock(e *ExperimentReport) page.Block {
	var points []page.Point
	for _, why := range e.Verdict.Reasons {
		if e.Verdict.Status == experiments.Withheld {
			points = append(points, page.Point{Tone: page.Unsure, Text: "The verdict is withheld. " + why.Code + ": " + why.Text + "."})
		}
	}
	if e.Ratio != nil {
		shares := "equal arms, as nobody named other shares (--arm)"
		if e.Planned {
			shares = "the planned shares"
		}
		points = append(points, page.Point{Text: fmt.Sprintf("Customers against %s: chi-square %s, p %s.", shares, numberOf(e.Ratio.Chi2), chanceText(e.Ratio.P))})
	}
	if e.Mixed > 0 {
		points = append(points, page.Point{Text: plural(e.Mixed, "customer") + " seen in several arms: left out."})
	}
	t := &page.Table{
		Caption: "Reward a customer",
		Head:    []string{"Arm", "Customers", "Lists", "Reward", "Less " + e.Control, "95 % interval", "At every look", "p, Holm"},
		Numbers: []bool{false, true, true, true, true, true, true, true},
	}
	for _, a := range e.Arms {
		cells := []string{a.Arm, grouped(a.Customers), grouped(a.Decisions), numberOf(a.Reward), "", "", "", ""}
		for _, c := range e.Comparisons {
			if c.Arm == a.Arm {
				cells[4], cells[5], cells[6], cells[7] = numberOf(c.Difference), boundsText(c.CI95), boundsText(c.AlwaysCI95), chanceText(c.PHolm)
			}
		}
		t.Rows = append(t.Rows, page.Row{Cells: cells})
	}
	return page.Block{Heading: "Experiment " + e.Name, Points: points, Table: t}
}
