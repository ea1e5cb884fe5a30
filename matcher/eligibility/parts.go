package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// part is a small piece of a rule that speaks about a product to all customers of one
// key. Keys enumerate what the part needs to know of a customer, so that Compile can ask
// it about every product and key ahead; Judge asks it again.
type part struct {
	reason   string
	outcomes Outcomes // of the rule; fixed for a part that says its own
	keys     int
	key      func(f *Facts) int // -1: the part does not apply
	speaks   func(c *candidate, key int) bool
	facts    func(c *candidate, f *Facts) []Fact
	// below, where it is set, is the first key to which the part no longer speaks about
	// a product: speaks is key < below. It spares Compile the keys that change nothing.
	below func(c *candidate) int
}

// speaksBelow makes the part one of rising keys, such as months.
func (p part) speaksBelow(below func(c *candidate) int) part {
	p.below = below
	p.speaks = func(c *candidate, key int) bool { return key < below(c) }
	return p
}

// says makes the part speak its own outcome, not the rule's: work that comes with it.
func (p part) says(o Outcome) part {
	p.outcomes = Outcomes{o, o, o}
	return p
}

// everyone is the key of a part that asks nothing about the customer.
func everyone(*Facts) int { return 0 }

// when is the key of a part that applies to some customers and asks nothing more.
func when(applies bool) int {
	if applies {
		return 0
	}
	return -1
}

func gradeAbove(c *candidate, limit fund.RiskGrade) bool { return c.grade > limit }

func gradeFacts(c *candidate, f *Facts) []Fact {
	return []Fact{{"grade", c.grade.String()}, {"level", f.Level.String()}}
}

// lowestClass (S01): the lowest class is sold nothing above its level. A missing grade
// is S10's.
func lowestClass(e *Edition, _ fund.Date) []part {
	return []part{{
		reason: "ABOVE_LOWEST_CLASS", keys: 1,
		key:    func(f *Facts) int { return when(f.Lowest) },
		speaks: func(c *candidate, _ int) bool { return gradeAbove(c, e.matrix[fund.C1]) },
		facts:  gradeFacts,
	}}
}

// gradeOverLevel (S02): nothing above his level is recommended to an ordinary investor;
// without a level nothing above the lowest.
func gradeOverLevel(e *Edition, _ fund.Date) []part {
	return []part{{
		reason: "GRADE_ABOVE_LEVEL", keys: len(e.matrix),
		key: func(f *Facts) int {
			if f.Professional {
				return -1
			}
			return int(f.Level)
		},
		speaks: func(c *candidate, key int) bool { return gradeAbove(c, e.matrix[key]) },
		facts:  gradeFacts,
	}}
}

// warnedOfGrade (S03): whoever wants a grade above the level on file is warned, the
// professional too; the lowest class is S01's.
func warnedOfGrade(e *Edition, _ fund.Date) []part {
	return []part{{
		reason: "WARN_GRADE_ABOVE_LEVEL", keys: len(e.matrix),
		key: func(f *Facts) int {
			if f.Level == fund.LevelUnknown || f.Lowest {
				return -1
			}
			return int(f.Level)
		},
		speaks: func(c *candidate, key int) bool { return gradeAbove(c, e.matrix[key]) },
		facts:  gradeFacts,
	}}
}

// daysPerMonth turns a horizon into days on the safe side: a month has 28 to 31.
const daysPerMonth = 30

// candidate is a product with what the parts read of it most.
type candidate struct {
	*fund.Product
	grade fund.RiskGrade // the effective one (S10)
	class fund.Class
	tied  int // tiedDays
}

func candidates(products []fund.Product, day fund.Date) []candidate {
	out := make([]candidate, len(products))
	for i := range products {
		p := &products[i]
		out[i] = candidate{Product: p, grade: p.Grades.Effective(), class: p.Class(), tied: tiedDays(p, day)}
	}
	return out
}

// tiedDays is how long money put in on a day cannot come out: until the next opening,
// or the end of a launch's closed period, and then the lockup.
func tiedDays(p *fund.Product, day fund.Date) int {
	start := max(day, p.Terms.NextOpenOn)
	if p.Listing.Status == fund.Subscription {
		start = max(start, p.Terms.ClosedUntil)
	}
	return start.DaysSince(day) + int(p.Terms.LockupDays)
}

// fitsGoal (S04): kind, horizon and liquidity of the product fit what the customer
// wants. Professionals are exempt (S14).
func fitsGoal(e *Edition, _ fund.Date) []part {
	fit := &e.fit
	tied := func(c *candidate, f *Facts) []Fact {
		return []Fact{{"tied_days", itoa(c.tied)}, {"horizon_months", itoa(f.HorizonMonths)}}
	}
	return []part{
		{
			reason: "LOCKUP_WITHOUT_STATED_GOAL", keys: 1,
			key:    func(f *Facts) int { return when(!f.Professional && !f.Stated) },
			speaks: func(c *candidate, _ int) bool { return c.tied > fit.UnknownLockupDays },
			facts:  tied,
		},
		{
			reason: "GOAL_NOT_SERVED", keys: fund.Goals,
			key: func(f *Facts) int {
				if f.Professional || f.Goal == fund.GoalUnknown {
					return -1
				}
				return int(f.Goal)
			},
			speaks: func(c *candidate, key int) bool { return !fit.serves(c, fund.Goal(key)) },
			facts: func(c *candidate, f *Facts) []Fact {
				return []Fact{{"goal", f.Goal.String()}, {"class", c.class.String()}}
			},
		},
		part{
			reason: "TIED_BEYOND_HORIZON", keys: fund.MaxHorizonMonths + 1, key: horizonKey, facts: tied,
		}.speaksBelow(func(c *candidate) int { return (c.tied + daysPerMonth - 1) / daysPerMonth }),
		part{
			reason: "HORIZON_TOO_SHORT_FOR_CLASS", keys: fund.MaxHorizonMonths + 1, key: horizonKey,
			facts: func(c *candidate, f *Facts) []Fact {
				return []Fact{
					{"horizon_months", itoa(f.HorizonMonths)},
					{"class", c.class.String()},
					{"class_months", itoa(fit.Months[c.class])},
				}
			},
		}.speaksBelow(func(c *candidate) int { return fit.Months[c.class] }),
		{
			reason: "TIED_DESPITE_HIGH_LIQUIDITY_NEED", keys: 1,
			key:    func(f *Facts) int { return when(!f.Professional && f.Need == fund.NeedHigh) },
			speaks: func(c *candidate, _ int) bool { return c.tied > fit.HighNeedLockupDays },
			facts:  tied,
		},
	}
}

func horizonKey(f *Facts) int {
	if f.Professional || f.HorizonMonths <= 0 {
		return -1
	}
	return min(int(f.HorizonMonths), fund.MaxHorizonMonths)
}

// serves: the product's own goals decide where it names any, else its class.
func (f *Fit) serves(c *candidate, g fund.Goal) bool {
	if c.Content.Goals != 0 {
		return c.Content.Goals.Has(g)
	}
	return f.Serves[g][c.class]
}

// entryConditions (S07): a kind with entry conditions is not sold without proof. No
// proof can be recorded yet, so always.
func entryConditions(*Edition, fund.Date) []part {
	return []part{{
		reason: "ENTRY_PROOF_MISSING", keys: 1, key: everyone,
		speaks: func(c *candidate, _ int) bool { return c.Listing.Kind.HasEntryConditions() },
		facts:  kindFacts,
	}}
}

func kindFacts(c *candidate, _ *Facts) []Fact { return []Fact{{"kind", c.Listing.Kind.String()}} }

// unspecifiedPublic (P02): such kinds are not shown on lists for everybody.
func unspecifiedPublic(*Edition, fund.Date) []part {
	return []part{{
		reason: "NOT_FOR_THE_UNSPECIFIED_PUBLIC", keys: 1,
		key:    func(f *Facts) int { return when(f.Public) },
		speaks: func(c *candidate, _ int) bool { return c.Listing.Kind.HasEntryConditions() },
		facts:  kindFacts,
	}}
}

// pensionAccount (P03): Y shares are sold in a pension account only. No account can be
// recorded yet, so to nobody.
func pensionAccount(*Edition, fund.Date) []part {
	return []part{{
		reason: "PENSION_ACCOUNT_MISSING", keys: 1, key: everyone,
		speaks: func(c *candidate, _ int) bool { return c.ShareClass == "Y" || c.Listing.Kind == fund.PensionFund },
		facts: func(c *candidate, _ *Facts) []Fact {
			return []Fact{{"share_class", c.ShareClass}, {"kind", c.Listing.Kind.String()}}
		},
	}}
}

// hasGrade (S10): without the bank's grade nothing is sold.
func hasGrade(*Edition, fund.Date) []part {
	return []part{{
		reason: "GRADE_MISSING", keys: 1, key: everyone,
		speaks: func(c *candidate, _ int) bool { return c.grade == fund.GradeUnknown },
		facts: func(c *candidate, _ *Facts) []Fact {
			return []Fact{{"bank_grade", c.Grades.Bank.String()}, {"issuer_grade", c.Grades.Issuer.String()}}
		},
	}}
}

// The keys of validAssessment.
const (
	recommendedWithoutLevel = iota
	orderedWithoutLevel
	orderedR1WhileExpired // and the pack lets R1 be sold meanwhile
	assessmentKeys
)

// validAssessment (S12): without a valid assessment only R1 is shown, for information,
// and nothing is ordered. The way out, the retest, comes with every product.
func validAssessment(e *Edition, _ fund.Date) []part {
	facts := func(c *candidate, f *Facts) []Fact {
		return []Fact{{"level_state", f.State.String()}, {"grade", c.grade.String()}}
	}
	key := func(f *Facts) int {
		switch {
		case !f.informational():
			return -1
		case f.Situation == Recommendation:
			return recommendedWithoutLevel
		case f.State == Expired && e.assessment.SellR1WhileExpired:
			return orderedR1WhileExpired
		default:
			return orderedWithoutLevel
		}
	}
	return []part{
		{
			reason: "NO_VALID_ASSESSMENT", keys: assessmentKeys, key: key,
			speaks: func(c *candidate, key int) bool {
				return key == orderedWithoutLevel || c.grade != fund.R1
			},
			facts: facts,
		},
		part{
			reason: "RETEST_RISK", keys: 1, key: func(f *Facts) int { return when(f.informational()) },
			speaks: func(*candidate, int) bool { return true },
			facts:  facts,
		}.says(Task),
	}
}

// elders (E01): without a manager nothing above a grade, and no long lockup.
func elders(e *Edition, _ fund.Date) []part {
	return []part{
		{
			reason: "ELDER_GRADE_WITHOUT_MANAGER", keys: 1,
			key:    func(f *Facts) int { return when(f.Elder && f.Channel != fund.Branch) },
			speaks: func(c *candidate, _ int) bool { return gradeAbove(c, e.elder.AppGrade) },
			facts: func(c *candidate, _ *Facts) []Fact {
				return []Fact{{"grade", c.grade.String()}, {"limit", e.elder.AppGrade.String()}}
			},
		},
		{
			reason: "ELDER_LONG_LOCKUP", keys: 1,
			key:    func(f *Facts) int { return when(f.Elder) },
			speaks: func(c *candidate, _ int) bool { return c.tied > e.elder.LockupDays },
			facts: func(c *candidate, _ *Facts) []Fact {
				return []Fact{{"tied_days", itoa(c.tied)}, {"limit", itoa(e.elder.LockupDays)}}
			},
		},
	}
}

// civilCapacity (E02): nothing under 18; with limited or no capacity R1 through the
// guardian; R1 where neither a record nor an assessment speaks for full capacity.
func civilCapacity(*Edition, fund.Date) []part {
	limited := func(f *Facts) int {
		return when(f.Capacity == fund.LimitedCapacity || f.Capacity == fund.NoCapacity)
	}
	aboveR1 := func(c *candidate, _ int) bool { return c.grade != fund.R1 }
	facts := func(c *candidate, f *Facts) []Fact {
		return []Fact{{"capacity", f.Capacity.String()}, {"grade", c.grade.String()}}
	}
	always := func(*candidate, int) bool { return true }
	return []part{
		{reason: "MINOR", keys: 1, key: func(f *Facts) int { return when(f.Minor) }, speaks: always, facts: noFacts},
		{reason: "CAPACITY_LIMITED", keys: 1, key: limited, speaks: aboveR1, facts: facts},
		{
			reason: "CAPACITY_UNKNOWN", keys: 1, speaks: aboveR1, facts: facts,
			key: func(f *Facts) int { return when(f.Capacity == fund.CapacityUnknown) },
		},
		part{reason: "THROUGH_GUARDIAN", keys: 1, key: limited, speaks: always, facts: noFacts}.says(Step),
	}
}

func noFacts(*candidate, *Facts) []Fact { return nil }

// inPool (C02): only head office's pool, in the product's period, with due diligence on
// file, not suspended; directly sold private funds never.
func inPool(_ *Edition, day fund.Date) []part {
	of := func(reason string, speaks func(c *candidate) bool, facts func(c *candidate, f *Facts) []Fact) part {
		return part{
			reason: reason, keys: 1, key: everyone, facts: facts,
			speaks: func(c *candidate, _ int) bool { return speaks(c) },
		}
	}
	period := func(c *candidate, _ *Facts) []Fact {
		return []Fact{{"pool_from", c.Listing.PoolFrom.String()}, {"pool_to", c.Listing.PoolTo.String()}}
	}
	return []part{
		of("NOT_YET_IN_POOL", func(c *candidate) bool { return day < c.Listing.PoolFrom }, period),
		of("NO_LONGER_IN_POOL", func(c *candidate) bool { return c.Listing.PoolTo != 0 && day >= c.Listing.PoolTo }, period),
		of("DUE_DILIGENCE_MISSING", func(c *candidate) bool { return c.Listing.DueDiligenceID == "" }, noFacts),
		of("PRIVATE_FUND", func(c *candidate) bool { return c.Listing.Kind == fund.PrivateFund }, kindFacts),
		of("SUSPENDED", func(c *candidate) bool { return c.Listing.Status == fund.Suspended }, noFacts),
	}
}

// tradable (G01): a known status that takes orders; no closed period. A launch takes
// orders before its closed period begins. Where the next opening is later, the order is
// accepted for that day, and it is said. Minimum and day limit belong to the amount and
// are held where one is known.
func tradable(_ *Edition, day fund.Date) []part {
	isClosed := func(c *candidate, _ int) bool {
		s := c.Listing.Status
		return s != fund.Subscription && s != fund.Open && s != fund.Limited && s != fund.Suspended
	}
	inClosedPeriod := func(c *candidate, _ int) bool {
		return c.Terms.ClosedUntil > day && c.Listing.Status != fund.Subscription
	}
	return []part{
		{reason: "NOT_TRADABLE", keys: 1, key: everyone, speaks: isClosed, facts: func(c *candidate, _ *Facts) []Fact {
			return []Fact{{"status", c.Listing.Status.String()}}
		}},
		{reason: "CLOSED_PERIOD", keys: 1, key: everyone, speaks: inClosedPeriod, facts: func(c *candidate, _ *Facts) []Fact {
			return []Fact{{"closed_until", c.Terms.ClosedUntil.String()}}
		}},
		part{
			reason: "NEXT_OPEN_LATER", keys: 1, key: everyone,
			speaks: func(c *candidate, _ int) bool { return c.Terms.NextOpenOn > day },
			facts: func(c *candidate, _ *Facts) []Fact {
				return []Fact{{"next_open_on", c.Terms.NextOpenOn.String()}}
			},
		}.says(Disclose),
	}
}
