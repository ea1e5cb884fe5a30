// Package expectation is 接: what a customer hopes for and can bear, from what is known
// and never from what is convenient; and how one product meets it, aspect by aspect.
// docs/expectations.md has the tables.
package expectation

import "github.com/fundmatch/fundmatch/matcher/fund"

// Wish is a customer's expectation as it is settled before products are looked at.
type Wish struct {
	Goal          fund.Goal
	HorizonMonths int32 // his own word, to the bank or in a questionnaire; 0 unknown
	Need          fund.Need
	Source        Source     // of the goal
	HorizonSource Source     // of HorizonMonths where that is known
	NeedSource    Source     // of Need where that is known
	Confidence    fund.Ratio // how sure the goal is, in millionths
	Question      Question   // the one that would tell most
	Company       bool       // no natural person
	Attitude      Attitude
	Theme         string // what he is interested in, as a tag names it; empty: unknown
	Ground        Ground
}

// Ground is what an inferred goal rests on. What its source does not use is zero.
type Ground struct {
	Class    fund.Class // HOLDINGS, BEHAVIOUR: the class that weighs most among those that serve the goal
	Share    fund.Ratio // HOLDINGS, BEHAVIOUR: of the portfolio or the views in such classes
	Views    int32      // BEHAVIOUR: pages seen in all
	Since    fund.Date  // TAG, QUESTIONNAIRE: the day from which it holds; 0: not known
	Age      AgeBand    // GROUP: of a person
	Industry Industry   // GROUP: of a company
	Months   int32      // GROUP: after which such a company usually pays; shown and asked about, never computed with
	Need     fund.Need  // GROUP: how soon such a company usually needs money; the same
}

// Settle reads a customer's wish as of an instant, and the next instant at which a tag or
// an age that it may rest on changes. For the goal the most trusted source decides; what
// is not known stays unknown and is asked for. Knowledge may be nil. It allocates nothing.
func Settle(p *fund.Profile, at fund.Instant, k *Knowledge) (w Wish, until fund.Instant) {
	l := readLabels(p, at)
	w = Wish{Company: p.Person.IsCompany(), Attitude: l.attitude, Theme: l.theme, Confidence: unknownConfidence}
	until = l.until
	// Stored bytes may hold any number: the horizon is kept within its bounds.
	if h := min(p.Needs.HorizonMonths, fund.MaxHorizonMonths); h > 0 {
		w.HorizonMonths, w.HorizonSource = h, Stated
	} else if l.months > 0 {
		w.HorizonMonths, w.HorizonSource = l.months, FromQuestionnaire
	}
	if p.Needs.Liquidity != fund.NeedUnknown {
		w.Need, w.NeedSource = p.Needs.Liquidity, Stated
	} else if l.need != fund.NeedUnknown {
		w.Need, w.NeedSource = l.need, FromQuestionnaire
	}
	switch {
	case len(p.Needs.Goals) > 0:
		w.Goal, w.Source, w.Confidence = p.Needs.Goals[0], Stated, statedConfidence
	case l.source == FromQuestionnaire:
		w.Goal, w.Source, w.Confidence = l.goal, l.source, questionnaireConfidence
		w.Ground.Since = l.since
	case w.infer(k): // from holdings, then from behaviour
	case l.source == FromTag:
		w.Goal, w.Source, w.Confidence = l.goal, l.source, taggedConfidence
		w.Ground.Since = l.since
	default:
		until = min(until, w.guess(&p.Person, at))
	}
	w.Question = w.question(k != nil && k.Lost)
	return w, until
}

// Impersonal is the expectation of a list that reads no personal cell. That a company is
// asked is no preference: the gate reads it too, and a company is not asked for its
// children's schooling.
func Impersonal(company bool) Wish {
	return Wish{Confidence: unknownConfidence, Question: AskGoal, Company: company}
}

// Source says where a part of the wish comes from. The numbers stand in decision records
// and say nothing of trust: Trust does.
type Source uint8

// The sources.
const (
	FromGroup         Source = iota // nothing is known of him: what customers in his situation may want
	FromTag                         // a label that somebody or something put on him
	Stated                          // he said so to the bank
	FromQuestionnaire               // an answer in a questionnaire
	FromHoldings                    // what he holds
	FromBehaviour                   // which products he looked at
	sourceCount
)

// Sources is the number of sources.
const Sources = int(sourceCount)

var sourceNames = [Sources]string{"GROUP", "TAG", "STATED", "QUESTIONNAIRE", "HOLDINGS", "BEHAVIOUR"}

// String returns the source's code.
func (s Source) String() string { return sourceNames[s] }

// trust is the playbook's order: stated goals, risk questionnaire, holdings, behaviour,
// tags, group.
var trust = [Sources]int{FromGroup: 0, FromTag: 1, FromBehaviour: 2, FromHoldings: 3, FromQuestionnaire: 4, Stated: 5}

// Trust is the source's place in the order of trust: of two sources the higher one
// decides.
func (s Source) Trust() int { return trust[s] }

// How sure a goal is by its source: judgement, until outcomes calibrate it. Holdings and
// behaviour lie between their two bounds by how clear they are. The order is that of
// trust.
const (
	statedConfidence        = fund.Ratio(900_000)
	questionnaireConfidence = fund.Ratio(800_000)
	holdingsConfidence      = fund.Ratio(600_000) // at clearShare
	holdingsConfidenceAll   = fund.Ratio(750_000) // where all that he holds says the same
	behaviourConfidence     = fund.Ratio(510_000)
	behaviourConfidenceAll  = fund.Ratio(580_000)
	taggedConfidence        = fund.Ratio(500_000)
	groupConfidence         = fund.Ratio(200_000)
	unknownConfidence       = fund.Ratio(100_000)
)

// ScoringConfidence is how sure a goal must be to count in a score: at least as likely
// as not.
const ScoringConfidence = fund.Ratio(500_000)

// Scores reports whether the goal is sure enough to score and to match products with. A
// group's guess is shown and asked about, never scored.
func (w *Wish) Scores() bool { return w.Goal != fund.GoalUnknown && w.Confidence >= ScoringConfidence }

// Narrows reports whether the goal may narrow what the gate lets through: his own word,
// or a label that he can see and delete. What is only concluded from holdings and visits,
// or from a group, narrows nothing.
func (w *Wish) Narrows() bool {
	return w.Goal != fund.GoalUnknown && (w.Source == Stated || w.Source == FromQuestionnaire || w.Source == FromTag)
}

// MustAsk reports whether an order is out of place before he is asked: goal or horizon
// are not his own word to the bank. What is inferred may narrow, never open; a
// questionnaire's answer is put to him once more.
func (w *Wish) MustAsk() bool {
	return w.Goal == fund.GoalUnknown || w.Source != Stated || w.HorizonMonths <= 0 || w.HorizonSource != Stated
}

// ForGate returns what the gate may be told. Where the list is not personal that is what
// he said himself and nothing else (rule A02): the rest is preference, not legal duty.
func (w *Wish) ForGate(personal bool) (goal fund.Goal, months int32, need fund.Need) {
	if w.Narrows() && (personal || w.Source == Stated) {
		goal = w.Goal
	}
	if personal || w.HorizonSource == Stated {
		months = w.HorizonMonths
	}
	if personal || w.NeedSource == Stated {
		need = w.Need
	}
	return goal, months, need
}
