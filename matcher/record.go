package matcher

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

// slateVersion is the first byte of a recorded slate. A change of the layout adds a
// version and keeps the old one readable: decisions are kept for years.
//
// 2 added what issue 3 brought: the sources of a wish, the fit of its aspects, grounds and
// advice of doubts, plans and what follows, cards, the brief, the review of holdings.
// 3 added the version of the definitions that features were derived by. What names none is
// of version 2: a record that is read and written again keeps its bytes.
// 4 added what is left to chance, the arms of experiments, and the probabilities of
// conversion. An answer with none of them is of version 3 still, byte for byte.
const slateVersion = 4

// definedVersion is the first that names definitions, variedVersion the first that holds what
// is left to chance.
const (
	definedVersion = 3
	variedVersion  = 4
)

// maxRecordedList bounds the lists of a record; far above what Match makes.
const maxRecordedList = 4096

// AppendCanonical appends the canonical bytes of the answer: what the decision log
// keeps and replay compares. The same answer gives the same bytes. Texts are not in it;
// they follow from the sentences' names, the evidence, and the wording's version.
func (s *Slate) AppendCanonical(dst []byte) []byte {
	e := fund.Encoder{Buf: append(dst, s.version())}
	e.Text(s.CustomerID)
	e.Int(int64(s.Request.At))
	e.Byte(byte(s.Request.Channel))
	e.Byte(byte(s.Request.Audience))
	e.Uint(uint64(s.Request.Limit))
	encodeLicence(&e, &s.Request.Licence)
	if s.fourth() {
		encodeVariation(&e, &s.Request)
	}
	encodeIdentity(&e, &s.Identity)
	e.Byte(flag(s.Personal))
	e.Byte(flag(s.Information))
	e.Byte(flag(s.Elder))
	e.Int(int64(s.ValidUntil))
	encodeWish(&e, &s.Wish)
	e.Uint(uint64(len(s.Excluded)))
	for _, x := range s.Excluded {
		e.Text(string(x.ID))
		e.Uint(uint64(x.Count))
	}
	e.Uint(uint64(len(s.Notices)))
	for i := range s.Notices {
		n := &s.Notices[i]
		e.Text(n.Code)
		e.Text(n.Sentence)
		e.Text(n.Task)
		encodeFacts(&e, n.Evidence)
	}
	e.Uint(uint64(len(s.Disclosures)))
	for _, d := range s.Disclosures {
		e.Text(d)
	}
	e.Uint(uint64(len(s.Items)))
	for i := range s.Items {
		encodeItem(&e, &s.Items[i])
	}
	e.Uint(uint64(len(s.Holdings)))
	for i := range s.Holdings {
		encodeReview(&e, &s.Holdings[i])
	}
	e.Byte(flag(s.Brief != nil))
	if s.Brief != nil {
		encodeBrief(&e, s.Brief)
	}
	if s.fourth() {
		encodeExplored(&e, &s.Explored)
		s.encodeForetold(&e)
	}
	return e.Buf
}

// version is the oldest version of a record that holds the whole answer. What is of the
// fourth names its definitions always: it is made by a program that has them.
func (s *Slate) version() byte {
	if s.fourth() {
		return slateVersion
	}
	return recordVersion(definedVersion, &s.Identity)
}

// varies reports whether the answer was made with exploration or under experiments.
func (s *Slate) varies() bool {
	r := &s.Request
	return r.Exploration != (slate.Exploration{}) || r.Seed != 0 || len(r.Exposures) > 0 || s.Explored.Rank != 0
}

// fourth reports whether the answer holds what only the fourth version has room for.
func (s *Slate) fourth() bool { return s.varies() || s.foretold() }

// foretold reports whether any item has a probability of conversion.
func (s *Slate) foretold() bool {
	for i := range s.Items {
		if s.Items[i].Conversion.Probability.OK {
			return true
		}
	}
	return false
}

// encodeForetold writes the probabilities, in the order of the items.
func (s *Slate) encodeForetold(e *fund.Encoder) {
	e.Byte(flag(s.foretold()))
	if !s.foretold() {
		return
	}
	for i := range s.Items {
		p := &s.Items[i].Conversion.Probability
		e.Byte(flag(p.OK))
		if p.OK {
			e.Uint(uint64(p.Value))
		}
	}
}

func encodeVariation(e *fund.Encoder, r *Request) {
	e.Uint(uint64(r.Exploration.Probability))
	e.Byte(byte(r.Exploration.Next))
	e.Fixed64(math.Float64bits(r.Exploration.MaxGap))
	e.Fixed64(r.Seed)
	e.Uint(uint64(len(r.Exposures)))
	for i := range r.Exposures {
		x := &r.Exposures[i]
		e.Text(x.Layer)
		e.Text(x.Experiment)
		e.Text(x.Arm)
	}
}

// encodeExplored leaves out the propensities: they follow from the number of choices.
func encodeExplored(e *fund.Encoder, x *Explored) {
	e.Byte(byte(x.Rank))
	if x.Rank == 0 {
		return
	}
	e.Byte(byte(x.Drawn))
	e.Uint(uint64(len(x.Choices)))
	for i := range x.Choices {
		e.Text(x.Choices[i].Code)
		e.Fixed64(math.Float64bits(x.Choices[i].Score))
	}
}

// recordVersion is the version of a record's layout: the newest, which names the definitions
// of derived features, or the one before where there are none to name.
func recordVersion(newest byte, id *Identity) byte {
	if id.Definitions == "" {
		return newest - 1
	}
	return newest
}

// encodeIdentity is shared by the records of slates, order checks and switches.
func encodeIdentity(e *fund.Encoder, id *Identity) {
	e.Uint(id.PoolRevision)
	e.Uint(id.DataSeq)
	e.Int(int64(id.AsOf))
	e.Text(id.ModelID)
	e.Text(id.RulesID)
	e.Text(id.WordingID)
	e.Text(id.Engine)
	if id.Definitions != "" {
		e.Text(id.Definitions)
	}
}

func encodeWish(e *fund.Encoder, w *expectation.Wish) {
	e.Byte(byte(w.Goal))
	e.Int(int64(w.HorizonMonths))
	e.Byte(byte(w.Need))
	e.Byte(byte(w.Source))
	e.Int(int64(w.Confidence))
	e.Byte(byte(w.Question))
	e.Byte(byte(w.HorizonSource))
	e.Byte(byte(w.NeedSource))
	e.Byte(flag(w.Company))
	e.Byte(byte(w.Attitude))
	e.Text(w.Theme)
	g := &w.Ground
	e.Byte(byte(g.Class))
	e.Int(int64(g.Share))
	e.Int(int64(g.Views))
	e.Int(int64(g.Since))
	e.Byte(byte(g.Age))
	e.Byte(byte(g.Industry))
	e.Int(int64(g.Months))
	e.Byte(byte(g.Need))
}

func encodeItem(e *fund.Encoder, it *Item) {
	e.Text(it.Code)
	e.Fixed64(math.Float64bits(it.Score))
	e.Fixed64(math.Float64bits(it.Propensity))
	e.Text(it.PeerCode)
	e.Uint(uint64(len(it.Contributions)))
	for _, c := range it.Contributions {
		e.Byte(byte(c.Feature))
		e.Fixed64(math.Float64bits(c.Value))
		e.Fixed64(math.Float64bits(c.Weight))
	}
	e.Uint(uint64(len(it.Matched)))
	for i := range it.Matched {
		m := &it.Matched[i]
		e.Byte(byte(m.Aspect))
		encodeFact(e, &m.Customer)
		encodeFact(e, &m.Product)
		encodeFacts(e, m.Facts)
		e.Text(m.Sentence)
		e.Int(int64(m.Fit))
		e.Byte(flag(m.Met))
		e.Byte(flag(m.ManagerOnly))
	}
	e.Uint(uint64(len(it.Objections)))
	for i := range it.Objections {
		encodeObjection(e, &it.Objections[i])
	}
	encodeConversion(e, &it.Conversion)
	e.Byte(flag(it.Card != nil))
	if it.Card != nil {
		encodeCard(e, it.Card)
	}
}

func encodeObjection(e *fund.Encoder, o *objection.Objection) {
	e.Byte(byte(o.Code))
	e.Byte(byte(o.Band))
	e.Byte(flag(o.Silenced))
	e.Int(int64(o.Raised))
	encodeTexts(e, o.Triggers[:])
	encodeFacts(e, o.Grounds)
	encodeFacts(e, o.Evidence)
	encodeTexts(e, o.Sentences[:])
	e.Text(o.Advice)
	e.Text(o.Discloses)
}

// encodeTexts writes the texts up to the last that is not empty.
func encodeTexts(e *fund.Encoder, texts []string) {
	n := len(texts)
	for n > 0 && texts[n-1] == "" {
		n--
	}
	e.Uint(uint64(n))
	for _, t := range texts[:n] {
		e.Text(t)
	}
}

func encodeCost(e *fund.Encoder, c *fund.Cost) {
	for _, m := range [...]fund.Money{c.Entry, c.Service, c.Running, c.Exit} {
		e.Int(int64(m))
	}
}

func encodeCard(e *fund.Encoder, c *Card) {
	e.Text(c.Opinion)
	encodeFacts(e, c.OpinionFacts)
	e.Byte(byte(c.BankGrade))
	e.Byte(byte(c.IssuerGrade))
	e.Byte(byte(c.Grade))
	e.Uint(uint64(len(c.Costs)))
	for i := range c.Costs {
		p := &c.Costs[i]
		e.Text(p.ShareClass)
		e.Int(int64(p.Days))
		e.Byte(flag(p.OK))
		encodeCost(e, &p.Cost)
	}
	e.Int(int64(c.BreakEvenDays))
	encodeFacts(e, c.WorstYear)
	e.Byte(flag(c.Recording))
	encodeFacts(e, c.PeerFacts)
	e.Text(c.DoNothing)
}

func encodeLicence(e *fund.Encoder, l *Licence) {
	e.Text(l.ManagerID)
	e.Text(l.State)
	e.Int(int64(l.Until))
}

func encodeReview(e *fund.Encoder, h *HoldingReview) {
	e.Text(h.Code)
	e.Byte(byte(h.Action))
	e.Text(h.Sentence)
	encodeFacts(e, h.Evidence)
	encodeFacts(e, h.Private)
}

func encodeBrief(e *fund.Encoder, b *Brief) {
	e.Byte(byte(b.Level))
	e.Byte(byte(b.State))
	e.Int(int64(b.AssessedOn))
	e.Int(int64(b.ExpiresOn))
	e.Byte(byte(b.InvestorType))
	e.Byte(flag(b.Elder))
	e.Byte(flag(b.Company))
	c := &b.Contact
	e.Byte(flag(c.Allowed))
	e.Text(string(c.Reason))
	for _, n := range [...]int32{c.Remaining, c.Cap, c.WindowDays, c.OpenComplaints, int32(c.NotBefore), int32(c.LastOn)} {
		e.Int(int64(n))
	}
	e.Uint(uint64(len(b.Consents)))
	for _, x := range b.Consents {
		e.Text(x.Purpose)
		e.Byte(flag(x.Granted))
		e.Int(int64(x.At))
	}
	e.Text(b.Delivery)
	e.Text(b.DeliveryReason)
	encodeFacts(e, b.Facts)
}

func encodeConversion(e *fund.Encoder, v *conversion.Conversion) {
	e.Byte(byte(v.Action))
	e.Text(v.ProductCode)
	e.Text(v.ShareClass)
	q := &v.Quote
	for _, m := range [...]fund.Money{q.Min, q.Suggested, q.Max, q.CostAmount} {
		e.Int(int64(m))
	}
	e.Int(int64(q.Months))
	e.Int(int64(q.Days))
	for _, c := range [...]*conversion.ClassCost{&q.A, &q.C, &q.Own} {
		e.Text(c.Code)
		e.Byte(flag(c.OK))
		encodeCost(e, &c.Cost)
	}
	e.Int(int64(v.AvailableOn))
	e.Int(int64(v.Cutoff))
	e.Byte(byte(v.Calendar))
	n := 0
	for n < len(v.Steps) && v.Steps[n] != "" {
		n++
	}
	e.Uint(uint64(n))
	for _, s := range v.Steps[:n] {
		e.Text(string(s))
	}
	e.Text(v.Sentence)
	e.Text(v.ToManager)
	encodeFacts(e, v.Evidence)
	e.Byte(byte(v.Plan.Cadence))
	e.Int(int64(v.Plan.Amount))
	e.Byte(byte(v.FollowUp.Node))
	e.Byte(flag(v.FollowUp.Backward))
	e.Int(int64(v.FollowUp.On))
	e.Text(v.FollowUp.Sentence)
}

func encodeFacts(e *fund.Encoder, facts []fund.Evidence) {
	e.Uint(uint64(len(facts)))
	for i := range facts {
		encodeFact(e, &facts[i])
	}
}

func encodeFact(e *fund.Encoder, f *fund.Evidence) {
	e.Text(f.Field)
	e.Byte(byte(f.Unit))
	e.Int(f.Number)
	e.Text(f.Text)
	e.Int(int64(f.Window.From))
	e.Int(int64(f.Window.To))
	e.Int(int64(f.AsOf))
	e.Int(int64(f.Stale))
	e.Text(f.Source)
	e.Text(f.Document)
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}
