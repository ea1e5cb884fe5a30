package evaluation

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fundmatch/fundmatch/matcher/evaluate/conduct"
	"github.com/fundmatch/fundmatch/matcher/evaluate/funnel"
	"github.com/fundmatch/fundmatch/matcher/evaluate/money"
	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/matcher/evaluate/share"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// NotAsked is the status of the policy's verdict where no other policy was to be judged.
const NotAsked policy.Status = "NOT_ASKED"

// BuiltInGate is judged whether it is asked for or not, wherever the log says what it needs.
const BuiltInGate = "violations == 0"

// ReportOf makes the report of a run over the parts of VerbReport: all but gates and conclusion, which Conclude adds. An
// error wraps ErrPartial where its parts are not of the same rows.
func ReportOf(o *Outcome, s *Settings, version string) (*Report, error) {
	m, err := measuresOf(o.State)
	if err != nil {
		return nil, err
	}
	if err := m.check(&o.Tally); err != nil {
		return nil, err
	}
	r := &Report{
		Schema: ReportSchema, Version: version, Log: m.log(o), Conduct: conductReport(&m.conduct.State),
		Segments: m.groups.report(), Money: moneyReport(m.money.State, &m.conduct.State, &m.overview.group), Funnel: funnelReport(&m.funnel.State),
		Forecasts: m.forecasts.report(),
	}
	if v := r.Conduct.Shown.Violations; v != nil {
		r.Violations = &v.Yes
	}
	if r.Policy, err = policyReport(o, s); err != nil {
		return nil, err
	}
	r.Experiment, err = m.arms.report(s.Arms)
	return r, err
}

// measures are the parts that a report is made of.
type measures struct {
	overview  *overview
	conduct   *conductMeasure
	funnel    *funnelMeasure
	money     *moneyMeasure
	groups    *groups
	arms      *armsMeasure
	forecasts *forecasts
}

func measuresOf(s *State) (m measures, err error) {
	var there [7]bool
	m.overview, there[0] = s.Of(partOverview).(*overview)
	m.conduct, there[1] = s.Of(partConduct).(*conductMeasure)
	m.funnel, there[2] = s.Of(partFunnel).(*funnelMeasure)
	m.money, there[3] = s.Of(partMoney).(*moneyMeasure)
	m.groups, there[4] = s.Of(partGroups).(*groups)
	m.arms, there[5] = s.Of(partArms).(*armsMeasure)
	m.forecasts, there[6] = s.Of(partForecasts).(*forecasts)
	if there != [7]bool{true, true, true, true, true, true, true} {
		return m, errOtherPart
	}
	return m, nil
}

// check sees that every part has seen every row: what was merged from outside may have left some out of one of them, such
// as those that must not have been shown.
func (m *measures) check(t *Tally) error {
	for _, part := range []struct {
		name string
		rows int64
	}{
		{partOverview, m.overview.Rows},
		{partConduct, m.conduct.Scopes[conduct.Shown].Rows},
		{partFunnel, m.funnel.Rows},
		{partMoney, m.money.Result().Rows},
	} {
		if part.rows != t.Rows {
			return fmt.Errorf("%w: the state of %s is of %d rows where %d were read", ErrPartial, part.name, part.rows, t.Rows)
		}
	}
	return nil
}

func (m *measures) log(o *Outcome) ReportLog {
	instant := func(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }
	return ReportLog{
		Rows: o.Rows, Decisions: o.Decisions, Skipped: o.Skipped, Censored: m.overview.Censored,
		From: instant(m.overview.From), To: instant(m.overview.To), SHA256: hex.EncodeToString(o.SHA256[:]),
		Reward: m.overview.Reward.mean(), NDCG: m.overview.NDCG.mean(),
	}
}

// policyReport is what evaluate policy says of the same rows.
func policyReport(o *Outcome, s *Settings) (PolicyReport, error) {
	if s.NoPolicy {
		none := policy.Number(math.NaN())
		nothing := policy.Estimate{Value: none, StdErr: none, CI95: [2]policy.Number{none, none}}
		return PolicyReport{
			Verdict: policy.Verdict{Status: NotAsked, Reasons: []policy.Reason{{
				Code: "NO_TARGET", Text: "the log has no column target_propensity, and no --target-policy was given",
			}}},
			Estimates: policy.Estimates{IPS: nothing, SNIPS: nothing, ClippedIPS: nothing},
			Segments:  []SegmentResult{},
		}, nil
	}
	d, err := PolicyDocumentOf(o, s)
	if err != nil {
		return PolicyReport{}, err
	}
	return PolicyReport{
		Verdict: d.Verdict, Config: &d.Config, Estimates: d.Estimates, Diagnostics: &d.Diagnostics,
		Slates: d.Slates, Lists: d.Logged, Segments: d.Segments,
	}, nil
}

// Withheld says of the path of a figure whether its verdict is.
func (r *Report) Withheld(path string) bool {
	if rest, is := strings.CutPrefix(path, "policy."); is {
		d := PolicyDocument{Verdict: r.Policy.Verdict, Segments: r.Policy.Segments}
		return d.Withheld(rest)
	}
	rest, is := strings.CutPrefix(path, "experiment.experiments.")
	if !is {
		return false
	}
	for i := range r.Experiment.Experiments {
		e := &r.Experiment.Experiments[i]
		if e.Verdict.Status != experiments.Withheld {
			continue
		}
		for _, name := range []string{e.Name, strconv.Itoa(i)} { // all by which a gate may call it
			if strings.HasPrefix(rest, name+".comparisons.") {
				return true
			}
		}
	}
	return false
}

// GatesWith are those that were asked for, and the built-in one before them where it can be judged: where the log does not
// say what was permitted, the report says that instead.
func (r *Report) GatesWith(asked []gate.Gate) ([]gate.Gate, error) {
	built, err := gate.Parse(BuiltInGate)
	if err != nil {
		return nil, err
	}
	if r.Violations == nil || slices.ContainsFunc(asked, func(g gate.Gate) bool { return g.String() == BuiltInGate }) {
		return asked, nil
	}
	return append([]gate.Gate{built}, asked...), nil
}

// Encode writes the document, indented, a line at its end.
func (r *Report) Encode() ([]byte, error) { return encodeDocument(r) }

// shareOf is a share as a document has it.
func shareOf(s *share.Share) *Share {
	out := &Share{Yes: s.Yes, Known: s.Known(), Unknown: s.Unknown}
	if v, known := s.Value(); known {
		low, high, _ := s.Interval()
		out.Value, out.CI95 = &v, &[2]float64{low, high}
	}
	return out
}

// needs lists columns once each, in order; lacked says which of them are.
type needs struct {
	names []string
}

func (n *needs) lack(lacks bool, column string) bool {
	if lacks && !slices.Contains(n.names, column) {
		n.names = append(n.names, column)
	}
	return lacks
}

func conductReport(s *conduct.State) ConductReport {
	n := &needs{names: []string{}}
	r := ConductReport{First: []NamedViolation{}}
	r.Shown = conductFigures(s, conduct.Shown, n)
	r.Bought = conductFigures(s, conduct.Bought, n)
	for _, v := range s.First {
		r.First = append(r.First, NamedViolation(v))
	}
	r.Needs = n.names
	return r
}

func conductFigures(s *conduct.State, scope conduct.Scope, n *needs) ConductFigures {
	f := &s.Scopes[scope]
	columns := conduct.FlagColumns()
	flag := func(flag conduct.Flag) *Share {
		if n.lack(s.Lacks(conduct.FlagColumn(flag)), columns[flag]) {
			return nil
		}
		return shareOf(&f.Flags[flag])
	}
	r := ConductFigures{Rows: f.Rows, Unknown: f.Unknown, Products: *concentration(&f.Products)}
	noLevel := n.lack(s.Lacks(conduct.ColumnRiskLevel), policylog.ColumnRiskLevel)
	noGrade := n.lack(s.Lacks(conduct.ColumnRiskGrade), policylog.ColumnRiskGrade)
	if !noLevel && !noGrade {
		r.Violations = shareOf(&f.Violations)
		r.AboveLevel, r.UnknownLevel, r.Ungraded = &f.Kinds[conduct.AboveLevel], &f.Kinds[conduct.UnknownLevel], &f.Kinds[conduct.Ungraded]
	}
	if scope == conduct.Bought {
		n.lack(s.Lacks(conduct.FlagColumn(conduct.Confirmed)), columns[conduct.Confirmed])
	}
	r.NewIssues, r.NoBenefit, r.Complaints = flag(conduct.NewIssue), flag(conduct.NoBenefit), flag(conduct.Complained)
	r.Redeemed7, r.Redeemed30, r.Redeemed90 = flag(conduct.Redeemed7), flag(conduct.Redeemed30), flag(conduct.Redeemed90)
	if !n.lack(s.Lacks(conduct.ColumnIssuer), policylog.ColumnIssuer) {
		r.Issuers = concentration(&f.Issuers)
	}
	return r
}

// shownCodes is how many codes of a concentration are told.
const shownCodes = 5

func concentration(c *conduct.Concentration) *Concentration {
	out := &Concentration{Rows: c.Rows, Unknown: c.Unknown, Largest: []CodeShare{}}
	if !c.TooMany {
		codes := int64(len(c.Codes))
		out.Codes = &codes
	}
	if hhi, known := c.HHI(); known {
		out.HHI, out.Effective = finite(hhi), finite(1/hhi)
	}
	for _, p := range c.Largest(shownCodes) {
		out.Largest = append(out.Largest, CodeShare{Code: p.Code, Rows: p.Rows, Share: float64(p.Rows) / float64(c.Rows)})
	}
	return out
}

func moneyReport(s *money.State, c *conduct.State, whole *group) MoneyReport {
	result := s.Result()
	n := &needs{names: []string{}}
	r := MoneyReport{}
	for h, column := range returnColumns() {
		m := &result.Returns[h]
		out := HorizonReport{Days: m.Days}
		roi := &m.ROI[0]
		if !n.lack(roi.Lists+roi.Censored == 0, column) {
			out.ROI = &Mean{N: roi.Lists, Value: finite(roi.Return)}
			if m := whole.ROI[h].mean(); m.N == roi.Lists && m.StdErr != nil { // the same lists: what a mean of theirs is sure of
				out.ROI.interval(roi.Return, *m.StdErr)
			}
			out.Censored, out.Monthly = &roi.Censored, finite(roi.Monthly)
			out.Fell, out.MeanLoss = &CountReport{finite(m.Loss.Share), m.Loss.Fell, m.Loss.Known}, finite(m.Loss.Mean)
			if m.Profit.Customers > 0 {
				out.InProfit, out.Sampled = &CountReport{finite(m.Profit.Share), m.Profit.Gained, m.Profit.Customers}, m.Profit.Sampled
			}
		}
		breach := conduct.Breached90 + conduct.Flag(h)
		if !n.lack(c.Lacks(conduct.FlagColumn(breach)), conduct.FlagColumns()[breach]) {
			out.BreachShown, out.BreachBought = shareOf(&c.Scopes[conduct.Shown].Flags[breach]), shareOf(&c.Scopes[conduct.Bought].Flags[breach])
		}
		r.Horizons = append(r.Horizons, out)
	}
	r.Held, r.Needs = heldReport(&result.Held), n.names
	return r
}

func heldReport(h *money.Held) HeldReport {
	r := HeldReport{Sold: h.Sold, Days: finite(h.Mean)}
	from := 0.
	for i, to := range money.HeldBounds() {
		r.Bins = append(r.Bins, HeldBin{From: from, To: &to, N: h.Histogram[i]})
		from = to
	}
	r.Bins = append(r.Bins, HeldBin{From: from, N: h.Histogram[money.HeldBins-1]})
	return r
}

func funnelReport(s *funnel.State) FunnelReport {
	n := &needs{names: []string{}}
	columns := funnel.FlagColumns()
	lacks := func(f funnel.Flag) bool { return n.lack(s.Lacks(funnel.FlagColumn(f)), columns[f]) }
	r := FunnelReport{Steps: []StepReport{{Code: "LISTED", Reached: &s.Rows}}, TooMany: s.TooMany, Objections: []ObjectionReport{}}
	before := false // the step before is not known
	for _, step := range []struct {
		code string
		step funnel.Step
		flag funnel.Flag
	}{
		{"EXPOSED", funnel.StepExposed, funnel.Exposed},
		{"VIEWED", funnel.StepViewed, funnel.Viewed},
		{"STARTED", funnel.StepStarted, funnel.Started},
		{"CONFIRMED", funnel.StepConfirmed, funnel.Confirmed},
	} {
		out := StepReport{Code: step.code}
		way := &s.Ways[step.step]
		unknown := lacks(step.flag)
		if !unknown {
			reached := way.WentOn.Yes + way.Entered
			out.Reached = &reached
		}
		if !unknown && !before {
			out.WentOn, out.Entered = shareOf(&way.WentOn), &way.Entered
			if v := out.WentOn.Value; v != nil {
				out.DropOff = finite(1 - *v)
			}
		}
		before = unknown
		r.Steps = append(r.Steps, out)
	}
	if !lacks(funnel.Abandoned) && !before {
		r.Abandoned = shareOf(&s.Quits)
	}
	r.objections(s, n)
	r.Needs = n.names
	return r
}

// objections fills in what is known of them.
func (r *FunnelReport) objections(s *funnel.State, n *needs) {
	columns := funnel.FlagColumns()
	have := haveOf{
		foreseen: !n.lack(s.Lacks(funnel.ColumnForeseen), policylog.ColumnForeseen),
		raised:   !n.lack(s.Lacks(funnel.ColumnRaised), policylog.ColumnRaised),
		answered: !n.lack(s.Lacks(funnel.FlagColumn(funnel.Answered)), columns[funnel.Answered]),
		started:  !s.Lacks(funnel.FlagColumn(funnel.Started)),
	}
	if have.raised && have.started && !s.Lacks(funnel.FlagColumn(funnel.Viewed)) {
		r.NoDoubt = shareOf(&s.None)
	}
	if !have.foreseen && !have.raised {
		return
	}
	whole := objectionReport("ANY", &s.Any, have)
	r.Any = &whole
	for _, code := range slices.Sorted(maps.Keys(s.Objections)) {
		r.Objections = append(r.Objections, objectionReport(code, s.Objections[code], have))
	}
}

// haveOf says which columns there are.
type haveOf struct{ foreseen, raised, answered, started bool }

func objectionReport(code string, d *funnel.Doubt, have haveOf) ObjectionReport {
	r := ObjectionReport{Code: code}
	if have.foreseen {
		r.Foreseen = &d.Foreseen
	}
	if have.raised {
		r.Raised = &d.Raised
	}
	if have.foreseen && have.raised {
		r.Both = &d.Both
	}
	if have.raised && have.answered {
		r.Answered = shareOf(&d.Answered)
	}
	if r.Answered != nil && have.started {
		r.WentOnUnanswered, r.WentOnAnswered = shareOf(&d.WentOn[0]), shareOf(&d.WentOn[1])
		if v, low, high, known := share.Difference(&d.WentOn[1], &d.WentOn[0]); known {
			r.Difference, r.CI95 = &v, &[2]float64{low, high}
		}
	}
	return r
}

// report are the segments by column as asked, and by value in bytewise order.
func (g *groups) report() []SegmentReport {
	out := []SegmentReport{}
	for i, column := range g.columns {
		for _, value := range slices.Sorted(maps.Keys(g.by[i])) {
			part := g.by[i][value]
			s := SegmentReport{
				Name: column + ":" + value, Column: column, Value: value,
				Rows: part.Rows, Decisions: part.Lists, Censored: part.Censored,
				Reward: part.Reward.mean(), NDCG: part.NDCG.mean(),
				ROI90: part.ROI[0].mean(), ROI180: part.ROI[1].mean(), ROI365: part.ROI[2].mean(),
			}
			if part.Wrong.Known() > 0 {
				s.Violations = &part.Wrong.Yes
			}
			out = append(out, s)
		}
	}
	return out
}

// report judges each experiment.
func (m *armsMeasure) report(planned []ArmWeight) (ArmsReport, error) {
	r := ArmsReport{Needs: []string{}, Experiments: []ExperimentReport{}}
	if m.lacked {
		r.Needs = append(r.Needs, policylog.ColumnArm)
	}
	names := slices.Sorted(maps.Keys(m.experiments))
	for _, a := range planned {
		if !slices.Contains(names, a.Experiment) {
			return r, fmt.Errorf("%w: experiment %.80q is not in the log, expected one of %.300q", experiments.ErrConfig, a.Experiment, names)
		}
	}
	for _, name := range names {
		e, err := m.experiments[name].report(name, planned)
		if err != nil {
			return r, fmt.Errorf("experiment %.80q: %w", name, err)
		}
		r.Experiments = append(r.Experiments, e)
	}
	return r, nil
}

// reward is the metric of the experiments.
const reward = "reward"

func (s *armSample) report(name string, planned []ArmWeight) (ExperimentReport, error) {
	r := ExperimentReport{Name: name, Sampled: s.sampled, Arms: []ArmReport{}, Comparisons: []ArmComparison{}}
	columns := experiments.Columns{Metrics: []string{reward}, Pre: []string{""}}
	state, err := experiments.NewState(columns)
	if err != nil {
		return r, err
	}
	counts, open := map[string]*ArmReport{}, openShares{}
	for _, hash := range slices.Sorted(maps.Keys(s.customers)) {
		c := s.customers[hash]
		if c.Mixed {
			r.Mixed++
			continue
		}
		if counts[c.Arm] == nil {
			counts[c.Arm] = &ArmReport{Arm: c.Arm}
		}
		counts[c.Arm].Decisions += c.Lists
		counts[c.Arm].Censored += c.Open
		open.add(c)
		metric := c.Reward
		if c.Known == 0 {
			metric = math.NaN()
		}
		if err := state.Add(&experiments.Row{Arm: c.Arm, Metrics: []float64{metric}, Pre: []float64{math.NaN()}}); err != nil {
			return r, err
		}
	}
	d, err := state.Judge(plannedOf(name, planned, columns))
	if errors.Is(err, experiments.ErrData) { // one arm, or nobody: there is nothing to compare
		r.Verdict = experiments.Verdict{Status: experiments.Withheld, Reasons: []experiments.Reason{{Code: "ONE_ARM", Text: strings.Replace(err.Error(), experiments.ErrData.Error(), "there is nothing to compare", 1)}}}
		return r, nil
	}
	if err != nil {
		return r, err
	}
	r.fill(d, counts)
	open.withhold(&r)
	return r, nil
}

// plannedOf is how an experiment is judged: by the shares that were planned, or else by equal ones.
func plannedOf(name string, planned []ArmWeight, columns experiments.Columns) experiments.Config {
	c := experiments.Defaults(columns)
	for _, w := range planned {
		if w.Experiment != name {
			continue
		}
		if c.Weights == nil {
			c.Control, c.Weights = w.Arm, map[string]float64{}
		}
		c.Weights[w.Arm] = w.Weight
	}
	return c
}

// fill takes over what was judged.
func (r *ExperimentReport) fill(d *experiments.Document, counts map[string]*ArmReport) {
	r.Verdict, r.Control, r.Planned = d.Verdict, d.Config.Control, !d.Config.WeightsAssumed
	if m := d.SRM; m != nil {
		r.Ratio = &RatioReport{Chi2: finite(float64(m.Chi2)), DF: m.DF, P: finite(float64(m.P)), Mismatch: m.Mismatch}
	}
	for _, a := range d.Arms {
		out, metric := *counts[a.Arm], &a.Metrics[0]
		out.Customers, out.Known, out.Reward, out.SD = a.Customers, metric.N, finite(float64(metric.Mean)), finite(float64(metric.SD))
		r.Arms = append(r.Arms, out)
	}
	for _, c := range d.Comparisons {
		out, metric := ArmComparison{Arm: c.Arm}, &c.Metrics[0]
		if e := metric.Welch.Absolute; e != nil {
			out.Difference, out.CI95, out.P, out.PHolm = finite(e.Value), ends(e), finite(e.P), finite(e.Holm)
		}
		if e := metric.Welch.Relative; e != nil {
			out.Relative, out.RelCI95 = finite(e.Value), ends(e)
		}
		if e := metric.Sequential.Absolute; e != nil {
			out.AlwaysCI95 = ends(e)
		}
		r.Comparisons = append(r.Comparisons, out)
	}
}

func ends(e *experiments.Estimate) *[2]float64 {
	if finite(e.Low) == nil || finite(e.High) == nil {
		return nil
	}
	return &[2]float64{e.Low, e.High}
}
