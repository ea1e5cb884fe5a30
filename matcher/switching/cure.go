package switching

import "github.com/fundmatch/fundmatch/matcher/fund"

// curesMismatch: what is sold is above what suits him and what is bought is not. An unknown
// grade or level cures nothing.
func (a *assessing) curesMismatch() bool {
	suits, sold, bought := &a.Suitability, a.Sell.Product.Grades.Effective(), a.new().Grades.Effective()
	return suits.Sold != fund.GradeUnknown && bought != fund.GradeUnknown && sold > suits.Sold && bought <= suits.Bought
}

// curesConcentration: a fund, an issuer or a theme that is sold took more than K04's share of
// his assets and no longer does, and what is bought does not take more than its own.
func (a *assessing) curesConcentration() bool {
	if !a.Portfolio.Known || a.Portfolio.Assets <= 0 {
		return false
	}
	cured := false
	for _, v := range [...]struct {
		name      func(*fund.Product) string
		of        func(*Stake) string
		from, may int // the limits of what is sold and of what is bought
	}{
		{(*fund.Product).FundCode, func(s *Stake) string { return s.Fund }, a.Portfolio.Sold.Product, a.Portfolio.Bought.Product},
		{func(p *fund.Product) string { return p.Parties.Issuer }, func(s *Stake) string { return s.Issuer }, a.Portfolio.Sold.Issuer, a.Portfolio.Bought.Issuer},
		{theme, func(s *Stake) string { return s.Theme }, a.Portfolio.Sold.Theme, a.Portfolio.Bought.Theme},
	} {
		sold, bought := v.name(a.Sell.Product), v.name(a.new())
		if v.may > 0 && a.after(bought, sold, bought, v.of) > a.allowed(v.may) {
			return false
		}
		tooMuch := v.from > 0 && a.before(sold, sold, v.of) > a.assets()/100*fund.Money(v.from)
		cured = cured || tooMuch && a.after(sold, sold, bought, v.of) <= a.allowed(v.from)
	}
	return cured
}

// theme is the one under which a product of several counts.
func theme(p *fund.Product) string {
	if len(p.Content.Themes) == 0 {
		return ""
	}
	return p.Content.Themes[0]
}

// assets are those of before the switch. What a redemption has paid out already may or may
// not still be among them: the larger sum makes the smaller share.
func (a *assessing) assets() fund.Money {
	if a.Sell.Paid.On != 0 {
		return a.Portfolio.Assets + a.out.Sold.Value
	}
	return a.Portfolio.Assets
}

// allowed is the limit after the switch, whose fees are gone.
func (a *assessing) allowed(limit int) fund.Money {
	return (a.assets() - a.out.Cost.Exit - a.out.Cost.Entry) / 100 * fund.Money(limit)
}

// before is what he had of a name before the switch.
func (a *assessing) before(name, sold string, of func(*Stake) string) (sum fund.Money) {
	if name == "" {
		return 0
	}
	for i := range a.Portfolio.Stakes {
		if s := &a.Portfolio.Stakes[i]; of(s) == name {
			sum += s.Value
		}
	}
	if a.Sell.Paid.On != 0 && name == sold {
		sum += a.out.Sold.Value // what was redeemed is no longer among the stakes
	}
	return sum
}

// after is what he has of a name after the switch.
func (a *assessing) after(name, sold, bought string, of func(*Stake) string) fund.Money {
	sum := a.before(name, sold, of)
	if name != "" && name == sold {
		sum -= a.out.Sold.Value
	}
	if name != "" && name == bought {
		sum += max(0, a.out.Amount-a.out.Cost.Entry)
	}
	return sum
}
