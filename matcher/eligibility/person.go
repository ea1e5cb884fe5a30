package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// elders (E01; 代销办法): without a manager nothing above app_grade, and no lockup of more
// than lockup_days. Parameters: those, age and unknown_age.
func elders(e *Edition, _ fund.Date) []part {
	return []part{
		{
			reason: "ELDER_GRADE_WITHOUT_MANAGER", keys: 1, reads: []string{"age", "unknown_age", "app_grade"},
			key:    func(f *Facts) int { return when(f.Elder && f.Channel != fund.Branch) },
			speaks: func(c *candidate, _ int) bool { return gradeAbove(c, e.elder.AppGrade) },
			facts: func(c *candidate, _ *Facts) []Fact {
				return []Fact{{"grade", c.grade.String()}, {"limit", e.elder.AppGrade.String()}}
			},
			way: only(RemedySwitchChannel),
		},
		{
			reason: "ELDER_LONG_LOCKUP", keys: 1, reads: []string{"age", "unknown_age", "lockup_days"}, way: confirmed(),
			key:    func(f *Facts) int { return when(f.Elder) },
			speaks: func(c *candidate, _ int) bool { return c.tied > e.elder.LockupDays },
			facts: func(c *candidate, _ *Facts) []Fact {
				return []Fact{{"tied_days", itoa(c.tied)}, {"limit", itoa(e.elder.LockupDays)}}
			},
		},
	}
}

// civilCapacity (E02; 代销办法; 民法典 17 至 23): nothing under 18; with limited or no
// capacity R1 through the guardian; R1 where neither a record nor an assessment speaks for
// full capacity. No parameters.
func civilCapacity(*Edition, fund.Date) []part {
	limited := func(f *Facts) int {
		return when(f.Capacity == fund.LimitedCapacity || f.Capacity == fund.NoCapacity)
	}
	aboveR1 := func(c *candidate, _ int) bool { return c.grade != fund.R1 }
	facts := func(c *candidate, f *Facts) []Fact {
		return []Fact{{"capacity", f.Capacity.String()}, {"grade", c.grade.String()}}
	}
	return []part{
		{
			reason: "MINOR", keys: 1, speaks: always, facts: noFacts, way: only(RemedyNone),
			key: func(f *Facts) int { return when(f.Minor) },
		},
		{reason: "CAPACITY_LIMITED", keys: 1, key: limited, speaks: aboveR1, facts: facts, way: only(RemedyLowerGrade)},
		{
			reason: "CAPACITY_UNKNOWN", keys: 1, speaks: aboveR1, facts: facts, way: only(RemedyRetest),
			key: func(f *Facts) int { return when(f.Capacity == fund.CapacityUnknown) },
		},
		part{
			reason: "THROUGH_GUARDIAN", keys: 1, key: limited, speaks: always, facts: noFacts, way: only(RemedyManager),
		}.says(Step),
	}
}

// entryConditions (S07; 适当性办法 22(1)): a kind with entry conditions is sold to whoever
// has shown that he qualifies, while the proof holds. No parameters; the amounts are P01's.
// A directly sold private fund is never admitted, whatever the proof (C02).
func entryConditions(*Edition, fund.Date) []part {
	return []part{{
		reason: "ENTRY_PROOF_MISSING", keys: 1, facts: kindFacts, way: only(RemedyProof),
		key:    func(f *Facts) int { return when(!f.Qualified) },
		speaks: func(c *candidate, _ int) bool { return c.Listing.Kind.HasEntryConditions() },
	}}
}

// unspecifiedPublic (P02; 私募投资基金监督管理条例 20): such kinds are not shown on lists
// for everybody. No parameters.
func unspecifiedPublic(*Edition, fund.Date) []part {
	return []part{{
		reason: "NOT_FOR_THE_UNSPECIFIED_PUBLIC", keys: 1, facts: kindFacts, way: only(RemedyNone),
		key:    func(f *Facts) int { return when(f.Public) },
		speaks: func(c *candidate, _ int) bool { return c.Listing.Kind.HasEntryConditions() },
	}}
}

// pensionAccount (P03; 个人养老金投资公开募集证券投资基金业务管理暂行规定): Y shares and
// pension funds are sold in a pension account only. No parameters.
func pensionAccount(*Edition, fund.Date) []part {
	return []part{{
		reason: "PENSION_ACCOUNT_MISSING", keys: 1, way: only(RemedyPensionAccount),
		key:    func(f *Facts) int { return when(!f.Pension) },
		speaks: func(c *candidate, _ int) bool { return c.ShareClass == "Y" || c.Listing.Kind == fund.PensionFund },
		facts: func(c *candidate, _ *Facts) []Fact {
			return []Fact{{"share_class", c.ShareClass}, {"kind", c.Listing.Kind.String()}}
		},
	}}
}

// checksOpen (C07; 反洗钱法): nothing is sold while a check of identity or of money
// laundering is open. No parameters. Which check it is is said to nobody: whoever told him
// would tip him off.
func checksOpen(*Edition, fund.Date) []part {
	return []part{{
		reason: "CHECKS_OPEN", keys: 1, speaks: always, facts: noFacts, way: only(RemedyNone),
		key: func(f *Facts) int { return when(f.OpenChecks) },
	}}
}

// elderMode (A07; 算法规定 19): an elder reads plain words in large type and is shown the
// way to a person. No parameters; who is an elder is E01's.
func elderMode(*Edition, fund.Date) []part {
	return []part{{
		reason: "ELDER_MODE", keys: 1, speaks: always, facts: noFacts,
		key: func(f *Facts) int { return when(f.Elder) },
	}}
}
