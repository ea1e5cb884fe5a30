package eligibility

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Edition is what is in force of one book of a pack at an instant: the enabled rules in
// pack order, each once, and the parameters that other code reads.
type Edition struct {
	Rules []*Rule

	matrix       Matrix
	fit          Fit
	assessment   assessment
	professional bool
	elder        elder
	personal     personalization
	forbidden    forbiddenInputs
	newIssues    NewIssues
	silence      silence

	highRisk      highRiskSale
	nfraKinds     bookKinds
	tests         tests
	means         Means
	channels      channels
	qualified     qualified
	forbiddenTags forbiddenTags
	feeCaps       feeCaps
	exitFloors    exitFloors
	serviceFee    serviceFee
	switching     Switching
	concentration Concentration
}

// InForce returns the edition at an instant for the customer, the bank and public funds:
// the CSRC's book.
func (p *Pack) InForce(at fund.Instant) Edition { return p.InForceIn(at, CSRC) }

// InForceIn returns the edition of one book at an instant (S11). A book's own entry stands
// before one of both books, also where it switches the rule off.
func (p *Pack) InForceIn(at fund.Instant, book Book) Edition {
	e := Edition{newIssues: NewIssues{SharePercent: 100}}
	for i := range p.Rules {
		r := &p.Rules[i]
		if !r.inPeriod(at) || !r.Enabled {
			continue
		}
		if r.Book == book || r.Book == BothBooks && !p.hasOwn(r.ID, book, at) {
			e.Rules = append(e.Rules, r)
			r.setting.install(&e)
		}
	}
	return e
}

func (r *Rule) inPeriod(at fund.Instant) bool { return r.From <= at && at < r.Until }

// hasOwn reports whether a book has an entry of its own of a rule at an instant.
func (p *Pack) hasOwn(id RuleID, book Book, at fund.Instant) bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.ID == id && r.Book == book && r.inPeriod(at) })
}

// Rule is the entry in force of a rule, nil where there is none.
func (e *Edition) Rule(id RuleID) *Rule {
	for _, r := range e.Rules {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// BookOf is the set of rules that a kind of products is sold by (S11). What is of no known
// kind is a public fund.
func (e *Edition) BookOf(kind fund.Kind) Book {
	if int(kind) < len(e.nfraKinds) && e.nfraKinds[kind] {
		return NFRA
	}
	return CSRC
}

// Matrix is the highest grade by level (S09).
func (e *Edition) Matrix() Matrix { return e.matrix }

// Fit is what serves which goal and horizon (S04).
func (e *Edition) Fit() *Fit { return &e.fit }

// Grade is the grade that rules and texts go by: the higher of issuer's and bank's,
// unknown without the bank's (S10).
func (e *Edition) Grade(p *fund.Product) fund.RiskGrade { return p.Grades.Effective() }

// AssessmentMonths is how long an assessment holds, in calendar months (S12).
func (e *Edition) AssessmentMonths() int { return e.assessment.ValidMonths }

// Personal reports whether an answer to the personalisation question lets the ranking
// read personal cells (A02).
func (e *Edition) Personal(a fund.Answer) bool {
	return a == fund.Yes || a == fund.Unknown && e.personal.WhenUnset
}

// ForbiddenInputs are the names that no feature of a score may bear (F04), such as
// commission. The caller must not change the list.
func (e *Edition) ForbiddenInputs() []string { return e.forbidden }

// ForbidsInput reports whether a feature's name says that it is a forbidden input, as
// itself or as one of the words between its underscores, dots and hyphens.
func (e *Edition) ForbidsInput(feature string) bool {
	padded := padWords(feature)
	return slices.ContainsFunc(e.forbidden, func(word string) bool { return strings.Contains(padded, "_"+word+"_") })
}

// padWords writes a name with an underscore before, between and after its words.
func padWords(name string) string {
	return "_" + strings.NewReplacer(".", "_", "-", "_", " ", "_").Replace(strings.ToLower(name)) + "_"
}

// ForbidsTag reports whether a tag's name says that it is about something that no tag may be
// about (A09), as itself or as one of the words between its underscores, dots, hyphens and
// spaces.
func (e *Edition) ForbidsTag(name string) bool {
	padded := padWords(name)
	return slices.ContainsFunc(e.forbiddenTags, func(word string) bool { return strings.Contains(padded, "_"+word+"_") })
}

// Tests is how many risk assessments count at most in a day and in twelve months (S13); 0
// while the rule is not in force.
func (e *Edition) Tests() (perDay, perYear int) { return e.tests.PerDay, e.tests.PerYear }

// RefusalDays is how long after a refusal nothing of it is offered again, unless he named
// a later day (A06). 0 while the rule is not in force, as in packs of before 2026-11-22.
func (e *Edition) RefusalDays() int { return e.silence.RefusalDays }

// ComplaintDays is how long an open complaint keeps the bank silent (A06); 0 while the
// rule is not in force.
func (e *Edition) ComplaintDays() int { return e.silence.ComplaintDays }

// ContactCap is how many contacts he may be given within ContactWindowDays (A06); 0 while
// the rule is not in force: without a cap there is no contact.
func (e *Edition) ContactCap() int { return e.silence.ContactCap }

// ContactWindowDays is the window of ContactCap in days, today included (A06).
func (e *Edition) ContactWindowDays() int { return e.silence.ContactWindowDays }

// QuietFrom and QuietUntil are the minutes of the day, in Asia/Shanghai, between which
// nobody is contacted (A06): from the evening's to the morning's. Packs of before
// 2026-11-22.2 do not name them; 20:00 and 9:00 were in force then.
func (e *Edition) QuietFrom() int { return cmp.Or(e.silence.QuietFrom, eveningQuiet) }

// QuietUntil is the other end of QuietFrom.
func (e *Edition) QuietUntil() int { return cmp.Or(e.silence.QuietUntil, morningQuiet) }

// NewIssueShare is the largest share of a list, in percent, that may be new issues
// (K03); 100 while the rule is off.
func (e *Edition) NewIssueShare() int { return e.newIssues.SharePercent }

// IsNewIssue reports whether a product counts as a new issue on a day (K03): in
// subscription, or launched within the pack's days. Without a launch day it is an
// existing fund.
func (e *Edition) IsNewIssue(p *fund.Product, day fund.Date) bool {
	if p.Listing.Status == fund.Subscription {
		return true
	}
	at := p.Terms.LaunchedOn
	return at != 0 && at.AddDays(e.newIssues.WithinDays) > day
}

func joinWords(words []string) string { return strings.Join(words, " ") }

func itoa[N ~int | ~int32](n N) string { return strconv.Itoa(int(n)) }
