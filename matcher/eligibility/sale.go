package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// ownChannels (C01; 代销办法 9): only over the bank's own channels. An unknown channel is
// not shown to be one. Parameter: channels.
func ownChannels(e *Edition, _ fund.Date) []part {
	return []part{{
		reason: "NOT_OWN_CHANNEL", keys: 1, speaks: always, reads: []string{"channels"}, way: only(RemedySwitchChannel),
		key:   func(f *Facts) int { return when(int(f.Channel) >= len(e.channels) || !e.channels[f.Channel]) },
		facts: func(_ *candidate, f *Facts) []Fact { return []Fact{{"channel", f.Channel.String()}} },
	}}
}

// licensed (C03; 从业资格): in the branch a manager speaks, and he must be shown to hold a
// licence and to be of the customer's branch. No parameters.
func licensed(*Edition, fund.Date) []part {
	of := func(reason string, speaksOf func(Licence) bool) part {
		return part{
			reason: reason, keys: 1, speaks: always, facts: noFacts, way: only(RemedyManager),
			key: func(f *Facts) int { return when(f.Channel == fund.Branch && speaksOf(f.Licence)) },
		}
	}
	return []part{
		// Whatever is not known to be another state is a licence that is missing.
		of("LICENCE_MISSING", func(l Licence) bool { return l != LicenceExpired && l != LicenceElsewhere && l != LicenceValid }),
		of("LICENCE_EXPIRED", func(l Licence) bool { return l == LicenceExpired }),
		of("LICENCE_ELSEWHERE", func(l Licence) bool { return l == LicenceElsewhere }),
	}
}

// noDeposit (C08; 代销办法): the issuer's name, that the bank neither issues nor guarantees
// the product, and that it is no deposit are said with every product. No parameters.
func noDeposit(*Edition, fund.Date) []part {
	return []part{{
		reason: "NO_DEPOSIT", speaks: always,
		facts: func(c *candidate, _ *Facts) []Fact { return []Fact{{"issuer", c.Parties.Issuer}} },
	}}
}

// algorithmic (A01; 算法规定 16): that a list is made by a program, and how, is said with
// every recommendation. No parameters.
func algorithmic(*Edition, fund.Date) []part {
	return []part{{
		reason: "ALGORITHMIC_LIST", keys: 1, speaks: always, facts: noFacts,
		key: func(f *Facts) int { return when(f.Situation == Recommendation) },
	}}
}

// redeemedToBuy (K01; 本行规则，参照 FINRA): for window_days after he redeemed a fund that
// suited him, the bank brings up nothing but money market funds: it would be paid with the
// redemption. Parameter: window_days. His own order is weighed as a switch (order.go).
func redeemedToBuy(e *Edition, _ fund.Date) []part {
	return []part{{
		reason: "PAID_BY_REDEMPTION", keys: 1, reads: []string{"window_days"},
		key:    func(f *Facts) int { return when(f.Redeemed != 0 && !ownOrder(f)) },
		speaks: func(c *candidate, _ int) bool { return c.class != fund.MoneyMarket },
		facts: func(_ *candidate, f *Facts) []Fact {
			return []Fact{{"redeemed_on", f.Redeemed.String()}, {"window_days", itoa(e.switching.WindowDays)}}
		},
		way: wait(func(_ *candidate, f *Facts) fund.Date { return f.Redeemed.AddDays(e.switching.WindowDays) }),
	}}
}
