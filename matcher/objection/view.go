package objection

import (
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// view is a case as far as it may be read, and what several doubts look at.
type view struct {
	*Case
	who     *Customer     // nobody where nothing personal may be read
	conduct *fund.Conduct // never nil
	journey *fund.Journey // never nil
	shows   bool          // figures of the past are shown
	managed bool          // all funds of its manager were told of
	tags    tags
	loser   loser
	overlap overlap
	facts   sheet // the caller's, with what is appended
}

// What stands in for a customer of whom nothing is known or may be read. Never assigned.
var (
	nobody    Customer
	noConduct fund.Conduct
	noJourney fund.Journey
)

func newView(c *Case, facts []fund.Evidence) view {
	v := view{Case: c, who: &nobody, conduct: &noConduct, journey: &noJourney, shows: c.showsRecord(), facts: facts}
	if !c.Customer.Personal {
		return v
	}
	v.who = &c.Customer
	if c.Customer.Conduct != nil {
		v.conduct = c.Customer.Conduct
	}
	if c.Customer.Journey != nil {
		v.journey = c.Customer.Journey
	}
	v.tags = readTags(&c.Customer.Person, c.Customer.At)
	v.loser = v.findLoser()
	v.overlap = v.findOverlap()
	return v
}

// tags are what his tags say, as far as a doubt asks.
type tags uint8

const (
	readsRisk tags = 1 << iota
	depositMaturing
	hasDeposits
	jointDecision
	comparesPlatforms
	asksForIncome
)

// readTags reads the tags that are valid at an instant and may be used. A tag whose value is
// "false" says that it is not so.
func readTags(p *Person, at fund.Instant) tags {
	found := tags(0)
	for i := range p.Tags {
		t := &p.Tags[i]
		if at < t.From || at >= t.To || t.Value == "false" {
			continue
		}
		if says := meaning(t.Name); says != 0 && fund.Usable(p.Words, t.Purpose) {
			found |= says
		}
	}
	return found
}

// meaning is what a tag of a name says; 0: nothing that a doubt asks.
func meaning(name string) tags {
	switch name {
	case "reads_risk_tab":
		return readsRisk
	case "deposit_maturing":
		return depositMaturing
	case "joint_decision":
		return jointDecision
	case "compares_platforms":
		return comparesPlatforms
	case "asks_for_income":
		return asksForIncome
	}
	if strings.HasPrefix(name, "deposit_") {
		return hasDeposits
	}
	return 0
}

func (t tags) has(of tags) bool { return t&of != 0 }

// loser is the position that hurts most, when one is far enough below its cost.
type loser struct {
	result fund.Ratio
	ok     bool
	held   *Held // nil: it is not in the pool any more
}

func (v *view) findLoser() loser {
	worst := v.conduct.Losses.Worst
	if !worst.OK || worst.Value > -v.Limits.LossRatio {
		return loser{}
	}
	for i := range v.who.Held {
		if h := &v.who.Held[i]; h.Product.Code == v.conduct.Losses.WorstCode {
			return loser{result: worst.Value, ok: true, held: h}
		}
	}
	return loser{result: worst.Value, ok: true}
}

// overlap is the nearest thing that he holds already.
type overlap struct {
	kind  kinship
	held  *Held
	theme string // of SameTheme
}

// kinship says how near a holding is to the product.
type kinship uint8

const (
	noKin kinship = iota
	sameManager
	sameTheme
	sameIndex
	sameFund
)

// findOverlap finds the nearest holding; of equally near ones that of the greatest value,
// then the first.
func (v *view) findOverlap() overlap {
	var best overlap
	for i := range v.who.Held {
		h := &v.who.Held[i]
		kind, theme := v.kinTo(h.Product)
		if kind > best.kind || kind == best.kind && kind != noKin && h.value() > best.held.value() {
			best = overlap{kind: kind, held: h, theme: theme}
		}
	}
	return best
}

func (v *view) kinTo(held *fund.Product) (kinship, string) {
	p := v.Product
	if held.FundCode() == p.FundCode() {
		return sameFund, ""
	}
	if p.Content.Benchmark != "" && held.Content.Benchmark == p.Content.Benchmark {
		return sameIndex, ""
	}
	for _, theme := range p.Content.Themes {
		for _, other := range held.Content.Themes {
			if theme == other && theme != "" {
				return sameTheme, theme
			}
		}
	}
	if p.Parties.ManagerName != "" && p.Parties.Issuer != "" && held.Parties.ManagerName == p.Parties.ManagerName && held.Parties.Issuer == p.Parties.Issuer {
		return sameManager, ""
	}
	return noKin, ""
}

// value is what a holding is worth; 0: not known.
func (h *Held) value() fund.Money {
	if h.Position == nil || !h.Position.ValueOK {
		return 0
	}
	return h.Position.Value
}

// grade is the held product's, unknown where the bank has none.
func (h *Held) grade() fund.RiskGrade { return h.Product.Grades.Effective() }

// showsRecord reports whether figures of the past are shown. Of a new issue none are,
// whatever NAVs came with it.
func (s *Subject) showsRecord() bool { return !s.NewIssue && Showable(s.Record) }

// launching reports whether the product is in its subscription: it has no record at all.
func (s *Subject) launching() bool { return s.Product.Listing.Status == fund.Subscription }

// fresh reports whether a record is new enough to say something about today.
func (s *Subject) fresh(r *fund.TrackRecord) bool { return r.StaleDays <= s.Limits.StaleDays }

// mayFall reports whether the product is known to fall, or graded so that it may.
func (s *Subject) mayFall() bool {
	d := &s.Record.Spans[fund.SinceStart].Drawdown
	return s.Grade > fund.R1 || d.OK && d.Value < 0
}

// shut reports whether money cannot be taken out at will.
func (s *Subject) shut() bool {
	t := &s.Product.Terms
	return t.LockupDays > 0 || t.ClosedUntil > s.Day
}
