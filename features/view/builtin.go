package view

import (
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The purposes that are built in.
const (
	Suitability = "SUITABILITY"     // to judge what may be offered: the law's (适当性办法)
	Audit       = "AUDIT"           // to show afterwards what was done and why
	Service     = "SERVICE"         // to do what the customer asked for
	Personalize = "PERSONALIZATION" // to choose for the person
	Evaluation  = "EVALUATION"      // to learn and to measure from what happened
	Public      = "PUBLIC"          // a list for everybody
)

// The views that are derived: they have no cells of their own.
const (
	HoldingsView  = "holdings"
	BehaviourView = "behaviour"
)

// builtinVersion is the version of the definitions that are fundmatch's own and not those of
// matcher/behaviour. It changes when a value comes to mean something else.
const builtinVersion = "1"

func builtinPurposes() []Purpose {
	return []Purpose{
		{Suitability, Duty, "to judge what may be offered to the customer"},
		{Audit, Duty, "to show afterwards what was done and why"},
		{Service, Duty, "to do what the customer asked for"},
		{Personalize, Personalizing, "to choose for the person; the customer's own switch"},
		{fund.ConsentProfiling, Personalizing, "to infer what the person is like"},
		{fund.ConsentPush, Personalizing, "to send him offers"},
		{fund.ConsentCall, Personalizing, "to call him with offers"},
		{Evaluation, Personalizing, "to fit and to measure models from what happened"},
		{Public, NonPersonal, "a list for everybody"},
	}
}

// entry is a view with how it is read off a profile.
type entry struct {
	View
	needs []features.View
	own   bool     // fundmatch's, no view of the bank
	trail bool     // it needs events and purchases besides
	timed bool     // the profile keeps event times of it, so that ages can be bounded
	read  []reader // by the place of the feature; none: by name
	named func(s *source, ref Ref) finding
	parse func(t Type, text string) (Value, error) // of what named finds; nil: it is typed
}

// reader reads one feature off a profile.
type reader func(s *source) finding

// reading is a feature and its reader, as the tables below write them.
type reading struct {
	Feature
	read reader
}

// table gives a view the features of its readings.
func table(e entry, list []reading) entry {
	for i := range list {
		e.Features = append(e.Features, list[i].Feature)
		e.read = append(e.read, list[i].read)
	}
	return e
}

// builtinViews returns the built-in views in the order in which they are shown.
func builtinViews() []entry {
	personal := Access{
		Personal:     true,
		Purposes:     []string{Suitability, Audit, Service, Personalize, fund.ConsentProfiling, fund.ConsentPush, fund.ConsentCall, Evaluation},
		NeedsConsent: []string{fund.ConsentProfiling, fund.ConsentPush, fund.ConsentCall},
		Roles:        []Role{Manager, App, Auditor},
	}
	gate := personal
	gate.Purposes = append(slices.Clone(personal.Purposes), Public)
	words := gate // what he said about the use of his facts is read to obey it
	words.NeedsConsent, words.Gate = nil, true
	inner := personal // what the bank thinks of him goes to nobody outside
	inner.Roles = []Role{Manager, Auditor}

	define := func(name, doc, version string) Definition {
		return Definition{Name: name, Doc: doc, Owner: "fundmatch", Version: version}
	}
	derived := func(name, doc, version string) Definition {
		d := define(name, doc, version)
		d.Derived = true
		return d
	}
	v := func(d Definition, a Access, open Type) View { return View{Definition: d, Access: a, Open: open} }
	list := []entry{
		table(entry{View: v(define("person", "who the customer is, as customers.csv says", builtinVersion), gate, 0), needs: []features.View{features.PersonView}}, personReadings()),
		table(entry{View: v(define("assessment", "his risk level, assessed and predicted", builtinVersion), gate, 0), needs: []features.View{features.AssessmentView}, timed: true}, assessmentReadings()),
		table(entry{View: v(define("needs", "what he said that he wants", builtinVersion), gate, 0), needs: []features.View{features.NeedsView}}, needsReadings()),
		table(entry{View: v(define("personalization", "his switch of personalisation", builtinVersion), words, 0), needs: []features.View{features.PersonalizationView}}, switchReadings()),
		{View: v(define("consent", "his newest word on each purpose, by its name", builtinVersion), words, Bool), needs: []features.View{features.ConsentView}, named: consentOf},
		{View: v(define("tag", "his tags, by name", builtinVersion), personal, String), needs: []features.View{features.TagView}, timed: true, named: tagOf, parse: parseText},
		{View: v(define("attribute", "columns of customers.csv that fundmatch does not know, by name", builtinVersion), personal, String), needs: []features.View{features.AttributeView}, named: attributeOf, parse: parseText},
		table(entry{View: v(derived(HoldingsView, "his lots, summed up", builtinVersion), personal, 0), needs: []features.View{features.LotView, features.HoldingsView}}, holdingsReadings()),
		table(entry{View: v(derived(BehaviourView, "what events and purchases say, without the market (docs/behaviour.md)", behaviour.DefinitionVersion), inner, 0), needs: []features.View{features.LotView, features.HoldingsView}, trail: true}, behaviourReadings()),
	}
	for i := range list {
		list[i].own = true
	}
	return list
}

// source is one profile while it is read, and what was derived of it.
type source struct {
	profile *fund.Profile
	at      fund.Instant
	derived bool
	conduct fund.Conduct // once derived
}

// finding is what a profile says of one feature, whoever asks.
type finding struct {
	value   Value
	state   state
	from    fund.Instant
	to      fund.Instant // 0: open
	purpose string       // that the cell is kept for
}

// state is what was found.
type state uint8

const (
	absent state = iota
	removed
	null
	unproven // there, and not shown to hold
	there
)

// text is a plain text without times; the empty one is unknown.
func text(s string) finding {
	if s == "" {
		return finding{}
	}
	return finding{value: StringValue(s), state: there}
}

// known is a whole number of which 0 is unknown.
func known[T ~int32 | ~int64](n T) finding {
	if n == 0 {
		return finding{}
	}
	return count(n)
}

// count is a whole number of which 0 is 0.
func count[T ~int32 | ~int64 | ~int](n T) finding {
	return finding{value: IntValue(int64(n)), state: there}
}

// answer is a yes or no that may not be known.
func answer(a fund.Answer) finding {
	if a == fund.Unknown {
		return finding{}
	}
	return finding{value: BoolValue(a == fund.Yes), state: there}
}

// proven is a class whose proof holds before a day; without proof on file it does not count
// (rules S14, P01).
func proven(class string, until fund.Date) finding {
	f := text(class)
	if f.state == there {
		f.to = until.Start()
		if until == 0 {
			f.state = unproven
		}
	}
	return f
}

func personReadings() []reading {
	who := func(name string, t Type, doc string, read func(p *fund.Person) finding) reading {
		return reading{Feature{Name: name, Type: t, Doc: doc, Gate: true}, func(s *source) finding { return read(&s.profile.Person) }}
	}
	private := func(name string, t Type, doc string, read func(p *fund.Person) finding) reading {
		r := who(name, t, doc, read)
		r.Gate = false
		return r
	}
	checks := who("open_checks", String, "checks of identity or of money laundering that stand open; shown to nobody who could tip him off (C07)",
		func(p *fund.Person) finding { return text(p.OpenChecks.String()) })
	checks.Roles = []Role{Auditor}
	return []reading{
		who("investor_type", String, "ORDINARY or PROFESSIONAL", func(p *fund.Person) finding { return text(p.InvestorType.String()) }),
		who("professional_class", String, "class of a professional investor, valid before the day of professional_until", func(p *fund.Person) finding { return proven(p.Professional.Class, p.Professional.Until) }),
		who("professional_until", String, "day on which its proof ends", func(p *fund.Person) finding { return text(p.Professional.Until.String()) }),
		who("elects_ordinary", Bool, "a professional who wants to be treated as ordinary", func(p *fund.Person) finding { return answer(p.Professional.ElectsOrdinary) }),
		who("birth_date", String, "day", func(p *fund.Person) finding { return text(p.BirthDate.String()) }),
		who("capacity", String, "FULL, LIMITED or NONE", func(p *fund.Person) finding { return text(p.Capacity.String()) }),
		who("is_lowest_class", Bool, "the lowest class of bearing risk (S01)", func(p *fund.Person) finding { return answer(p.IsLowestClass) }),
		private("industry", String, "as the bank names it", func(p *fund.Person) finding { return text(p.Industry) }),
		who("segment", String, "as the bank names it", func(p *fund.Person) finding { return text(p.Segment) }),
		who("branch_id", String, "the branch in charge", func(p *fund.Person) finding { return text(p.BranchID) }),
		who("manager_id", String, "the manager in charge", func(p *fund.Person) finding { return text(p.ManagerID) }),
		who("aum_fen", Int, "assets with the bank, in fen", func(p *fund.Person) finding { return known(p.AUM) }),
		who("income_fen", Int, "income a year, in fen", func(p *fund.Person) finding { return known(p.Income) }),
		who("qualified_class", String, "class of a qualified investor, valid before the day of qualified_until", func(p *fund.Person) finding { return proven(p.Qualified.Class, p.Qualified.Until) }),
		who("qualified_until", String, "day on which its proof ends", func(p *fund.Person) finding { return text(p.Qualified.Until.String()) }),
		who("pension_account", Bool, "has a pension account (P03)", func(p *fund.Person) finding { return answer(p.Pension) }),
		checks,
	}
}

func assessmentReadings() []reading {
	said := func(name, doc string, gate bool, read func(a *fund.Assessment) finding) reading {
		return reading{Feature{Name: name, Type: String, Doc: doc, Gate: gate}, func(s *source) finding {
			a := &s.profile.Assessment
			f := read(a)
			f.from = a.At
			if f.from == 0 { // a bank that knows days only
				f.from = a.On.Start()
			}
			return f
		}}
	}
	predicted := reading{
		Feature{Name: "predicted_level", Type: String, Doc: "C1 to C5, guessed and not assessed: it permits nothing", Roles: []Role{Manager, Auditor}},
		func(s *source) finding { return text(s.profile.PredictedLevel.String()) },
	}
	return []reading{
		said("level", "C1 to C5, valid from its day to the same date a year on (S12)", true, func(a *fund.Assessment) finding {
			f := text(a.Level.String())
			if _, to, ok := a.Validity(); ok {
				f.to = to
			} else if f.state == there {
				f.state = unproven
			}
			return f
		}),
		said("assessed_on", "day that the level holds from", true, func(a *fund.Assessment) finding { return text(a.On.String()) }),
		said("questionnaire", "version of the questionnaire", false, func(a *fund.Assessment) finding { return text(a.Questionnaire) }),
		said("channel", "where he was assessed", false, func(a *fund.Assessment) finding { return text(a.Channel) }),
		predicted,
	}
}

func needsReadings() []reading {
	need := func(name string, t Type, doc string, read func(n *fund.StatedNeeds) finding) reading {
		return reading{Feature{Name: name, Type: t, Doc: doc, Gate: true}, func(s *source) finding { return read(&s.profile.Needs) }}
	}
	return []reading{
		need(features.GoalsName, List, "goals in the order he named them", func(n *fund.StatedNeeds) finding {
			if len(n.Goals) == 0 {
				return finding{}
			}
			goals := make([]string, len(n.Goals))
			for i, g := range n.Goals {
				goals[i] = g.String()
			}
			return finding{value: ListValue(goals), state: there}
		}),
		need(features.HorizonName, Int, "months", func(n *fund.StatedNeeds) finding { return known(n.HorizonMonths) }),
		need(features.LiquidityName, String, "LOW, MEDIUM or HIGH", func(n *fund.StatedNeeds) finding { return text(n.Liquidity.String()) }),
	}
}

func switchReadings() []reading {
	return []reading{{
		Feature{Name: features.EnabledName, Type: Bool, Doc: "false: he switched personalisation off"},
		func(s *source) finding { return answer(s.profile.Personalization) },
	}}
}

func consentOf(s *source, ref Ref) finding {
	for i := range s.profile.Consents {
		if c := &s.profile.Consents[i]; c.Purpose == ref.Name {
			return finding{value: BoolValue(c.Granted), state: there, from: c.At}
		}
	}
	return finding{}
}

func tagOf(s *source, ref Ref) finding {
	tags := s.profile.Tags
	i, ok := placeOf(len(tags), ref.Name, func(i int) string { return tags[i].Name })
	if !ok {
		return finding{}
	}
	t := &tags[i]
	return finding{value: StringValue(t.Value), state: there, from: t.From, to: boundOf(t.To), purpose: t.Purpose}
}

func attributeOf(s *source, ref Ref) finding {
	list := s.profile.Attributes
	i, ok := placeOf(len(list), ref.Name, func(i int) string { return list[i].Name })
	if !ok {
		return finding{}
	}
	return finding{value: StringValue(list[i].Value), state: there}
}

// featureOf finds the cell of a bank's own feature.
func featureOf(s *source, ref Ref) finding {
	list := s.profile.Features
	lo, hi := 0, len(list)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if f := &list[mid]; f.View < ref.View || f.View == ref.View && f.Name < ref.Name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(list) || list[lo].View != ref.View || list[lo].Name != ref.Name {
		return finding{}
	}
	f := &list[lo]
	out := finding{from: f.From, to: boundOf(f.To), purpose: f.Purpose, state: there, value: StringValue(f.Value)}
	switch f.Value {
	case "":
		out.state, out.to = removed, 0
	case "null":
		out.state = null
	}
	return out
}

// boundOf turns the profile's open end into 0.
func boundOf(to fund.Instant) fund.Instant {
	if to == fund.Forever {
		return 0
	}
	return to
}

// placeOf finds a name in a list ordered by it.
func placeOf(n int, name string, at func(i int) string) (int, bool) {
	lo, hi := 0, n
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if at(mid) < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < n && at(lo) == name
}

// days writes a number of days since a day; -1: never.
func days(n int32) finding {
	if n < 0 {
		return finding{}
	}
	return count(n)
}
