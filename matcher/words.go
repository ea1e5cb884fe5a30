package matcher

import (
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// Words are what a finding says to its reader, in zh-CN.
type Words struct {
	Text   string // why the rule spoke; empty for a customer: nothing of it is his to read
	Change string // what would have to change in the facts; for the manager only
	Remedy string // the way out; empty: there is none to name
}

// Words renders a finding for a reader. A manager always gets a text: a reason without a
// sentence of its own is said with its rule's id. A customer gets what is written for him,
// template rule.<id>.<reason>.customer, and nothing else.
func (c *Core) Words(f *eligibility.Finding, reader wording.Audience) Words {
	facts := findingFacts(f)
	rule := "rule." + string(f.Rule)
	reason := rule + "." + f.Reason
	remedy := "remedy." + f.Remedy.Code
	if reader != wording.Manager {
		return Words{
			Text:   c.firstThatFits(reader, facts, reason+".customer", reason+".customer.plain"),
			Remedy: c.firstThatFits(reader, facts, remedy+".customer", remedy),
		}
	}
	return Words{
		Text:   c.firstThatFits(reader, facts, reason, reason+".no_level", reason+".no_grade", reason+".plain", "rule.unknown.reason"),
		Change: c.firstThatFits(reader, facts, reason+".change", rule+".change"),
		Remedy: c.firstThatFits(reader, facts, remedy+".dated", remedy),
	}
}

// SourceMark says how sure the source of a finding's rule is: 1 read in the text, 2 read in a
// report, 3 known and not checked; 0: the rule is not in force. Of a rule's entries in the two
// books it is the one with the finding's citation.
func (c *Core) SourceMark(f *eligibility.Finding) (mark int) {
	for book := range eligibility.Books {
		for _, r := range c.gate.EditionOf(book).Rules {
			if r.ID == f.Rule && (mark == 0 || r.Citation == f.Citation) {
				mark = r.SourceMark
			}
		}
	}
	return mark
}

// firstThatFits renders the first of the sentences that exists, is the reader's to see and
// has its slots filled by the facts; "" when none does. A finding may lack a fact, so this is
// no error.
func (c *Core) firstThatFits(reader wording.Audience, facts []fund.Evidence, names ...string) string {
	for _, name := range names {
		id, ok := c.text.ID(name)
		if !ok || !c.text.Audience(id).May(reader) {
			continue
		}
		if text, err := c.text.AppendEvidence(nil, id, facts); err == nil {
			return string(text)
		}
	}
	return ""
}

// findingFacts are a finding's facts as the slots of its sentences read them: first what it
// found, then the parameters that it goes by, its rule, and the day of its remedy.
func findingFacts(f *eligibility.Finding) []fund.Evidence {
	facts := make([]fund.Evidence, 0, len(f.Facts)+len(f.Parameters)+2)
	for _, fact := range f.Facts {
		facts = append(facts, factEvidence(fact.Name, fact.Value))
	}
	for _, p := range f.Parameters {
		facts = append(facts, factEvidence(p.Name, p.Value))
	}
	facts = append(facts, fund.Evidence{Field: "RULE", Text: string(f.Rule)})
	if f.Remedy.On != 0 {
		facts = append(facts, fund.Evidence{Field: "DAY", Unit: fund.UnitDate, Number: int64(f.Remedy.On)})
	}
	return facts
}

// unitsByName say what a fact's name says of its number, and how many of the unit's are one
// of the fact's.
var unitsByName = [...]struct {
	suffix string
	unit   fund.Unit
	times  int64
}{
	{"_days", fund.UnitDays, 1},
	{"_months", fund.UnitMonths, 1},
	{"_fen", fund.UnitFen, 1},
	{"_bps", fund.UnitRatio, 100},
	{"percent", fund.UnitRatio, 10_000}, // a ratio counts millionths
	{"_minute", fund.UnitMinutes, 1},
}

// mostOfAFact bounds the numbers that are multiplied.
const mostOfAFact = 1 << 48

// factEvidence reads a rule's fact, a text under a name, as what its name says it is.
func factEvidence(name, value string) fund.Evidence {
	e := fund.Evidence{Field: strings.ToUpper(name), Text: value}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && -mostOfAFact < n && n < mostOfAFact {
		for _, u := range unitsByName {
			if strings.HasSuffix(name, u.suffix) {
				e.Unit, e.Number, e.Text = u.unit, n*u.times, ""
				return e
			}
		}
		return e
	}
	if day, err := fund.ParseDate(value); err == nil && day != 0 {
		e.Unit, e.Number, e.Text = fund.UnitDate, int64(day), ""
	}
	return e
}
