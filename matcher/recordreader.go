package matcher

import (
	"fmt"
	"math"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// slateReader reads a recorded slate of any version.
type slateReader struct {
	*fund.Decoder
	version byte // of a slate's layout, of which the other records have the parts
	defined bool // the record names the definitions of derived features
}

// second reports whether the record is of the second version or a later one.
func (d *slateReader) second() bool { return d.version >= 2 }

func (d *slateReader) flag() bool { return d.Step(2) == 1 }

// ParseSlate reads what AppendCanonical wrote, in this version or an older one. Errors
// wrap fund.ErrMalformed or fund.ErrNewerVersion.
func ParseSlate(b []byte) (*Slate, error) {
	d := &slateReader{Decoder: fund.NewDecoder(b)}
	if err := d.beginSlate(); err != nil {
		return nil, err
	}
	s := &Slate{CustomerID: d.Text(), Request: d.request()}
	if err := d.identity(&s.Identity); err != nil {
		return nil, err
	}
	s.Personal, s.Information = d.flag(), d.flag()
	if d.second() {
		s.Elder = d.flag()
	}
	s.ValidUntil = fund.Instant(d.Int())
	d.wish(&s.Wish)
	for range d.Count(maxRecordedList) {
		s.Excluded = append(s.Excluded, eligibility.RuleCount{ID: eligibility.RuleID(d.Text()), Count: int(min(d.Uint(), eligibility.MaxProducts))})
	}
	for range d.Count(maxRecordedList) {
		s.Notices = append(s.Notices, Notice{Code: d.Text(), Sentence: d.Text(), Task: d.Text(), Evidence: d.facts()})
	}
	for range d.Count(maxRecordedList) {
		s.Disclosures = append(s.Disclosures, d.Text())
	}
	for range d.Count(MaxLimit) {
		it := d.item()
		it.Why = WhyOf(it.Contributions, s.Personal) // not recorded: it follows
		s.Items = append(s.Items, it)
	}
	if d.second() {
		for range d.Count(maxReviews) {
			s.Holdings = append(s.Holdings, d.review())
		}
		if d.flag() {
			s.Brief = d.brief(s.Request.Licence)
		}
	}
	if d.version >= variedVersion {
		d.explored(s)
		if err := d.readForetold(s); err != nil {
			return nil, err
		}
	}
	if err := d.Done(); err != nil {
		return nil, err
	}
	if err := s.checkVariation(d.version); err != nil {
		return nil, err
	}
	return s, nil
}

// beginSlate reads the version and what it says of the layout.
func (d *slateReader) beginSlate() error {
	d.version = d.Byte()
	if d.Err() == nil && (d.version == 0 || d.version > slateVersion) {
		return fund.VersionError("decision", d.version, slateVersion)
	}
	d.defined = d.version >= definedVersion
	return nil
}

func (d *slateReader) request() (r Request) {
	r.At = fund.Instant(d.Int())
	r.Channel = fund.Channel(d.Step(int(fund.Branch) + 1))
	r.Audience = wording.Audience(d.Step(int(wording.Manager) + 1))
	r.Limit = int(min(d.Uint(), MaxLimit))
	if d.second() {
		r.Licence = d.licence()
	}
	if d.version >= variedVersion {
		d.variation(&r)
	}
	return r
}

func (d *slateReader) variation(r *Request) {
	r.Exploration = slate.Exploration{
		Probability: fund.BasisPoints(min(d.Uint(), slate.MaxExploration+1)), Next: int(d.Step(slate.MaxNext + 1)),
		MaxGap: math.Float64frombits(d.Fixed64()),
	}
	r.Seed = d.Fixed64()
	for range d.Count(maxRecordedList) {
		r.Exposures = append(r.Exposures, experiment.Assignment{Layer: d.Text(), Experiment: d.Text(), Arm: d.Text()})
	}
}

func (d *slateReader) explored(s *Slate) {
	x := &s.Explored
	if x.Rank = int(d.Step(MaxLimit + 1)); x.Rank == 0 {
		return
	}
	x.Drawn = int(d.Step(slate.MaxNext + 1))
	for range d.Count(slate.MaxNext + 1) {
		x.Choices = append(x.Choices, Choice{Code: d.Text(), Score: math.Float64frombits(d.Fixed64())})
	}
	x.setPropensities(&s.Request.Exploration)
}

// readForetold reads the probabilities of conversion.
func (d *slateReader) readForetold(s *Slate) error {
	if !d.flag() {
		return nil
	}
	for i := range s.Items {
		if !d.flag() {
			continue
		}
		value := d.Uint()
		if value > 1_000_000 {
			return fmt.Errorf("%w: probability of item %d: %d millionths, expected at most 1000000", fund.ErrMalformed, i, value)
		}
		s.Items[i].Conversion.Probability = fund.Measure{Value: fund.Ratio(value), OK: true}
	}
	if d.Err() == nil && !s.foretold() {
		return fmt.Errorf("%w: no probability of any item, expected one in a record that has them", fund.ErrMalformed)
	}
	return nil
}

// checkVariation refuses what no answer can be, and a record of version 4 with nothing that
// needs it: the same answer would have two encodings.
func (s *Slate) checkVariation(version byte) error {
	x := &s.Explored
	switch err := s.Request.Exploration.Check(); {
	case err != nil:
		return fmt.Errorf("%w: %w", fund.ErrMalformed, err)
	case version >= variedVersion && !s.fourth():
		return fmt.Errorf("%w: neither exploration nor experiments nor probabilities, expected any of them in a record of this version", fund.ErrMalformed)
	case x.Rank == 0:
		return nil
	case s.Request.Exploration.Probability == 0, x.Rank != len(s.Items), len(x.Choices) < 2, x.Drawn >= len(x.Choices), s.Items[x.Rank-1].Code != x.Choices[x.Drawn].Code:
		return fmt.Errorf("%w: choice %d of %d at rank %d of %d, expected the product of an explored list's last place", fund.ErrMalformed,
			x.Drawn, len(x.Choices), x.Rank, len(s.Items))
	}
	return nil
}

// identity refuses a record whose version says that it names definitions, and which does
// not: the same answer would have two encodings.
func (d *slateReader) identity(id *Identity) error {
	id.PoolRevision, id.DataSeq, id.AsOf = d.Uint(), d.Uint(), fund.Instant(d.Int())
	id.ModelID, id.RulesID, id.WordingID, id.Engine = d.Text(), d.Text(), d.Text(), d.Text()
	if !d.defined {
		return nil
	}
	if id.Definitions = d.Text(); d.Err() == nil && id.Definitions == "" {
		return fmt.Errorf("%w: no version of the derived features' definitions, expected one in a record of this version", fund.ErrMalformed)
	}
	return nil
}

func (d *slateReader) wish(w *expectation.Wish) {
	w.Goal = fund.Goal(d.Step(fund.Goals))
	w.HorizonMonths = d.Int32()
	w.Need = fund.Need(d.Step(fund.Needs))
	w.Source = expectation.Source(d.Step(expectation.Sources))
	w.Confidence = fund.Ratio(d.Int())
	w.Question = expectation.Question(d.Step(expectation.Questions))
	if !d.second() {
		return
	}
	w.HorizonSource = expectation.Source(d.Step(expectation.Sources))
	w.NeedSource = expectation.Source(d.Step(expectation.Sources))
	w.Company = d.flag()
	w.Attitude = expectation.Attitude(d.Step(expectation.Attitudes))
	w.Theme = d.Text()
	g := &w.Ground
	g.Class, g.Share, g.Views, g.Since = fund.Class(d.Step(fund.Classes)), fund.Ratio(d.Int()), d.Int32(), d.Day()
	g.Age, g.Industry = expectation.AgeBand(d.Step(expectation.AgeBands)), expectation.Industry(d.Step(expectation.Industries))
	g.Months, g.Need = d.Int32(), fund.Need(d.Step(fund.Needs))
}

func (d *slateReader) item() Item {
	it := Item{Code: d.Text(), Score: math.Float64frombits(d.Fixed64()), Propensity: math.Float64frombits(d.Fixed64()), PeerCode: d.Text()}
	for range d.Count(maxRecordedList) {
		c := score.Contribution{Feature: score.Feature(d.Step(int(score.Features)))}
		c.Value, c.Weight = math.Float64frombits(d.Fixed64()), math.Float64frombits(d.Fixed64())
		c.Amount = score.Amount(c.Value, c.Weight)
		it.Contributions = append(it.Contributions, c)
	}
	for range d.Count(maxRecordedList) {
		m := expectation.Match{
			Aspect: expectation.Aspect(d.Step(expectation.Aspects)), Customer: d.fact(), Product: d.fact(),
			Facts: d.facts(), Sentence: d.Text(), Met: true,
		}
		if d.second() {
			m.Fit, m.Met, m.ManagerOnly = fund.Ratio(d.Int()), d.flag(), d.flag()
		}
		it.Matched = append(it.Matched, m)
	}
	for range d.Count(maxRecordedList) {
		it.Objections = append(it.Objections, d.objection())
	}
	d.conversion(&it.Conversion)
	if d.second() && d.flag() {
		it.Card = d.card()
	}
	return it
}

// The fixed lists of version 1.
const (
	triggersV1  = 2
	sentencesV1 = 3
	stepsV1     = 8
)

func (d *slateReader) objection() objection.Objection {
	o := objection.Objection{Code: objection.Code(d.Step(int(objection.Codes))), Band: fund.Band(d.Step(int(fund.High) + 1))}
	if d.second() {
		o.Silenced, o.Raised = d.flag(), d.Int32()
	}
	d.texts(o.Triggers[:], triggersV1)
	if d.second() {
		o.Grounds = d.facts()
	}
	o.Evidence = d.facts()
	d.texts(o.Sentences[:], sentencesV1)
	if d.second() {
		o.Advice = d.Text()
	}
	o.Discloses = d.Text()
	return o
}

// texts reads a list into out: of a fixed length in version 1, after its length since.
func (d *slateReader) texts(out []string, v1 int) {
	n := v1
	if d.second() {
		n = d.Count(len(out))
	}
	for i := range min(n, len(out)) {
		out[i] = d.Text()
	}
}

func (d *slateReader) conversion(v *conversion.Conversion) {
	v.Action = conversion.Action(d.Step(int(conversion.Actions)))
	v.ProductCode, v.ShareClass = d.Text(), d.Text()
	q := &v.Quote
	for _, m := range [...]*fund.Money{&q.Min, &q.Suggested, &q.Max, &q.CostAmount} {
		*m = fund.Money(d.Int())
	}
	q.Months, q.Days = d.Int32(), d.Int32()
	for _, c := range [...]*conversion.ClassCost{&q.A, &q.C, &q.Own} {
		c.Code, c.OK, c.Cost = d.Text(), d.flag(), d.cost()
	}
	v.AvailableOn, v.Cutoff = d.Day(), fund.Instant(d.Int())
	v.Calendar = conversion.CalendarSource(d.Step(int(conversion.KnownCalendar) + 1))
	var steps [conversion.MaxSteps]string
	d.texts(steps[:], stepsV1)
	for i, s := range steps {
		v.Steps[i] = conversion.Step(s)
	}
	v.Sentence = d.Text()
	if d.second() {
		v.ToManager = d.Text()
	}
	v.Evidence = d.facts()
	if !d.second() {
		return
	}
	v.Plan = conversion.PlanTerms{Cadence: conversion.Cadence(d.Step(int(conversion.Cadences))), Amount: fund.Money(d.Int())}
	v.FollowUp = conversion.FollowUp{Node: fund.KeyNode(d.Step(int(fund.KeyNodes))), Backward: d.flag(), On: d.Day(), Sentence: d.Text()}
}

func (d *slateReader) cost() (c fund.Cost) {
	for _, m := range [...]*fund.Money{&c.Entry, &c.Service, &c.Running, &c.Exit} {
		*m = fund.Money(d.Int())
	}
	return c
}

func (d *slateReader) card() *Card {
	c := &Card{Opinion: d.Text(), OpinionFacts: d.facts()}
	c.BankGrade, c.IssuerGrade, c.Grade = d.grade(), d.grade(), d.grade()
	for range d.Count(maxRecordedList) {
		c.Costs = append(c.Costs, CostPoint{ShareClass: d.Text(), Days: d.Int32(), OK: d.flag(), Cost: d.cost()})
	}
	c.BreakEvenDays = d.Int32()
	c.WorstYear = d.facts()
	c.Recording = d.flag()
	c.PeerFacts = d.facts()
	c.DoNothing = d.Text()
	return c
}

func (d *slateReader) grade() fund.RiskGrade { return fund.RiskGrade(d.Step(int(fund.R5) + 1)) }

func (d *slateReader) licence() Licence {
	return Licence{ManagerID: d.Text(), State: d.Text(), Until: d.Day()}
}

func (d *slateReader) review() HoldingReview {
	return HoldingReview{
		Code: d.Text(), Action: conversion.Action(d.Step(int(conversion.Actions))), Sentence: d.Text(), Evidence: d.facts(), Private: d.facts(),
	}
}

func (d *slateReader) brief(licence Licence) *Brief {
	b := &Brief{Licence: licence}
	b.Level, b.State = fund.RiskLevel(d.Step(int(fund.C5)+1)), eligibility.LevelState(d.Step(int(eligibility.Valid)+1))
	b.AssessedOn, b.ExpiresOn = d.Day(), d.Day()
	b.InvestorType = fund.InvestorType(d.Step(int(fund.ProfessionalInvestor) + 1))
	b.Elder, b.Company = d.flag(), d.flag()
	c := &b.Contact
	c.Allowed, c.Reason = d.flag(), conversion.ContactReason(d.Text())
	c.Remaining, c.Cap, c.WindowDays, c.OpenComplaints = d.Int32(), d.Int32(), d.Int32(), d.Int32()
	c.NotBefore, c.LastOn = d.Day(), d.Day()
	for range d.Count(fund.MaxConsents) {
		b.Consents = append(b.Consents, fund.Consent{Purpose: d.Text(), Granted: d.flag(), At: fund.Instant(d.Int())})
	}
	b.Delivery, b.DeliveryReason = d.Text(), d.Text()
	b.Facts = d.facts()
	return b
}

func (d *slateReader) facts() []fund.Evidence {
	n := d.Count(maxRecordedList)
	facts := make([]fund.Evidence, 0, min(n, 64))
	for range n {
		facts = append(facts, d.fact())
	}
	return facts
}

func (d *slateReader) fact() fund.Evidence {
	return fund.Evidence{
		Field: d.Text(), Unit: fund.Unit(d.Step(int(fund.UnitMinutes) + 1)), Number: d.Int(), Text: d.Text(),
		Window: fund.Window{From: d.Day(), To: d.Day()}, AsOf: d.Day(), Stale: d.Int32(), Source: d.Text(), Document: d.Text(),
	}
}
