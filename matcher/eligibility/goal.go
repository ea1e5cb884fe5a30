package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// daysPerMonth turns a horizon into days on the safe side: a month has 28 to 31.
const daysPerMonth = 30

// fitsGoal (S04; 适当性办法 22(4)): kind, horizon and liquidity of the product fit what the
// customer wants. Parameters: unknown_lockup_days, high_need_lockup_days, goal_classes,
// class_months. Professionals are exempt (S14). A list for information only is not personal
// (S12): it holds R1 and nothing can be ordered from it, so it is not cut to a goal that
// perhaps no R1 product serves.
func fitsGoal(e *Edition, _ fund.Date) []part {
	fit := &e.fit
	tied := func(c *candidate, f *Facts) []Fact {
		return []Fact{{"tied_days", itoa(c.tied)}, {"horizon_months", itoa(f.HorizonMonths)}}
	}
	return []part{
		{
			reason: "LOCKUP_WITHOUT_STATED_GOAL", keys: 1, reads: []string{"unknown_lockup_days"}, way: only(RemedyStateGoal),
			key:    func(f *Facts) int { return when(isAskedForGoal(f) && !f.Stated) },
			speaks: func(c *candidate, _ int) bool { return c.tied > fit.UnknownLockupDays },
			facts:  tied,
		},
		{
			reason: "GOAL_NOT_SERVED", keys: fund.Goals, reads: []string{"goal_classes"}, way: statedOrNone(),
			key: func(f *Facts) int {
				if !isAskedForGoal(f) || f.Goal == fund.GoalUnknown {
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
			reason: "TIED_BEYOND_HORIZON", keys: fund.MaxHorizonMonths + 1, key: horizonKey, facts: tied, way: statedOrNone(),
		}.speaksBelow(func(c *candidate) int { return (c.tied + daysPerMonth - 1) / daysPerMonth }),
		part{
			reason: "HORIZON_TOO_SHORT_FOR_CLASS", keys: fund.MaxHorizonMonths + 1, key: horizonKey,
			reads: []string{"class_months"}, way: statedOrNone(),
			facts: func(c *candidate, f *Facts) []Fact {
				return []Fact{
					{"horizon_months", itoa(f.HorizonMonths)},
					{"class", c.class.String()},
					{"class_months", itoa(fit.Months[c.class])},
				}
			},
		}.speaksBelow(func(c *candidate) int { return fit.Months[c.class] }),
		{
			reason: "TIED_DESPITE_HIGH_LIQUIDITY_NEED", keys: 1, reads: []string{"high_need_lockup_days"}, way: only(RemedyNone),
			key:    func(f *Facts) int { return when(isAskedForGoal(f) && f.Need == fund.NeedHigh) },
			speaks: func(c *candidate, _ int) bool { return c.tied > fit.HighNeedLockupDays },
			facts:  tied,
		},
	}
}

// isAskedForGoal reports whether S04 holds at all.
func isAskedForGoal(f *Facts) bool {
	return !f.Professional && !(f.Situation == Recommendation && f.informational())
}

func horizonKey(f *Facts) int {
	if !isAskedForGoal(f) || f.HorizonMonths <= 0 {
		return -1
	}
	return min(int(f.HorizonMonths), fund.MaxHorizonMonths)
}

// statedOrNone: where the goal was inferred his own word may cure it; where he stated it
// the product is not for it.
func statedOrNone() wayOut {
	return either(func(f *Facts) bool { return f.Stated }, only(RemedyNone), only(RemedyStateGoal))
}

// serves: the product's own goals decide where it names any, else its class.
func (f *Fit) serves(c *candidate, g fund.Goal) bool {
	if c.Content.Goals != 0 {
		return c.Content.Goals.Has(g)
	}
	return f.Serves[g][c.class]
}
