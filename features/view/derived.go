package view

import (
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// derive computes the behaviour of a profile once a read. What needs the market is not in
// it: the pool of an instant is the matcher's, and a receipt seals what came of it.
func (s *source) derive() *fund.Conduct {
	if !s.derived {
		behaviour.Read(s.profile, fund.LevelUnknown, s.at, nil, &s.conduct)
		s.derived = true
	}
	return &s.conduct
}

func behaviourReadings() []reading {
	out := activityReadings("purchases", "purchases", true, func(c *fund.Conduct) *fund.Activity { return &c.Purchases })
	out = append(out, activityReadings("redemptions", "redemptions", true, func(c *fund.Conduct) *fund.Activity { return &c.Redemptions })...)
	out = append(out, activityReadings("visits", "looks at products", false, func(c *fund.Conduct) *fund.Activity { return &c.Visits })...)
	out = append(out, activityReadings("contacts", "contacts by the bank", false, func(c *fund.Conduct) *fund.Activity { return &c.Contacts })...)
	return append(out, habitReadings()...)
}

// activityReadings are recency, frequency and money of one kind of act. Where there was
// none, nothing is said: the bank may not have been told.
func activityReadings(name, what string, money bool, of func(c *fund.Conduct) *fund.Activity) []reading {
	feature := func(suffix string, t Type, doc string, read func(s *source, a *fund.Activity) finding) reading {
		return reading{Feature{Name: name + suffix, Type: t, Doc: doc}, func(s *source) finding {
			a := of(s.derive())
			if a.Count == 0 {
				return finding{}
			}
			return read(s, a)
		}}
	}
	out := []reading{
		feature("", Int, what+", all that were ever told", func(_ *source, a *fund.Activity) finding { return count(a.Count) }),
		feature("_30", Int, what+" in 30 days", func(_ *source, a *fund.Activity) finding { return count(a.Count30) }),
		feature("_90", Int, what+" in 90 days", func(_ *source, a *fund.Activity) finding { return count(a.Count90) }),
		feature("_365", Int, what+" in 365 days", func(_ *source, a *fund.Activity) finding { return count(a.Count365) }),
		feature("_days_since", Int, "days since the last of the "+what, func(s *source, a *fund.Activity) finding { return days(a.DaysSince(s.at.Date())) }),
		feature("_last_on", String, "day of the last of the "+what, func(_ *source, a *fund.Activity) finding { return text(a.Last.String()) }),
	}
	if money {
		out = append(out,
			feature("_fen", Int, "sum of the "+what+" whose amount is known, in fen", func(_ *source, a *fund.Activity) finding { return known(a.Amount) }),
			feature("_365_fen", Int, "the same of 365 days", func(_ *source, a *fund.Activity) finding { return known(a.Amount365) }))
	}
	return out
}

func habitReadings() []reading {
	habit := func(name string, t Type, doc string, read func(c *fund.Conduct) finding) reading {
		return reading{Feature{Name: name, Type: t, Doc: doc}, func(s *source) finding { return read(s.derive()) }}
	}
	return []reading{
		habit("last_seen_on", String, "day of the last act of his own", func(c *fund.Conduct) finding { return text(c.Habits.LastSeen.String()) }),
		habit("channel", String, "of most of his own acts", func(c *fund.Conduct) finding { return text(c.Habits.Channel) }),
		habit("last_page", String, "the page seen last", func(c *fund.Conduct) finding { return text(c.Habits.Page) }),
		habit("next_step", String, "likely next step of the newest journey", func(c *fund.Conduct) finding { return text(c.Habits.Next.String()) }),
		habit("dwell_seconds_90", Int, "mean seconds on a product's page in 90 days", func(c *fund.Conduct) finding { return known(c.Habits.MeanDwell) }),
		habit("postponements_365", Int, "orders abandoned and doubts NOT_NOW in 365 days", sinceSeen(func(c *fund.Conduct) int32 { return c.Habits.Postponements })),
		habit("journeys", Int, "products that he met", sinceSeen(func(c *fund.Conduct) int32 { return int32(len(c.Journeys)) })),
		habit("doubts", Int, "products and codes that he doubted or read evidence about", sinceSeen(func(c *fund.Conduct) int32 { return int32(len(c.Doubts)) })),
		habit("open_complaints", Int, "complaints that nothing settled", sinceSeen(func(c *fund.Conduct) int32 { return c.Complaints })),
		habit("refused_on", String, "day of the newest refusal that names no product", func(c *fund.Conduct) finding { return text(c.Refused.At.Date().String()) }),
		habit("sold_at_loss", Int, "redemptions below cost, of those with both known", func(c *fund.Conduct) finding {
			if !c.Losses.RealisedOK {
				return finding{}
			}
			return count(c.Losses.SoldAtLoss)
		}),
		habit("realised_fen", Int, "result of the redemptions with a known cost, in fen", func(c *fund.Conduct) finding {
			if !c.Losses.RealisedOK {
				return finding{}
			}
			return count(c.Losses.Realised)
		}),
	}
}

// sinceSeen is a count that is 0 only for a customer of whom anything was ever told.
func sinceSeen(of func(c *fund.Conduct) int32) func(c *fund.Conduct) finding {
	return func(c *fund.Conduct) finding {
		if n := of(c); n > 0 || c.Habits.LastSeen != 0 {
			return count(n)
		}
		return finding{}
	}
}

// holdingsReadings sum up the lots. Without any nothing is said: a customer who has nothing
// and one of whom nothing was told look the same.
func holdingsReadings() []reading {
	sum := func(name string, t Type, doc string, read func(s *source, lots []fund.Lot) finding) reading {
		return reading{Feature{Name: name, Type: t, Doc: doc}, func(s *source) finding {
			if len(s.profile.Lots) == 0 {
				return finding{}
			}
			return read(s, s.profile.Lots)
		}}
	}
	return []reading{
		sum("lots", Int, "lots with shares", func(_ *source, lots []fund.Lot) finding { return count(countLots(lots)) }),
		sum("products", Int, "products that he has shares of", func(_ *source, lots []fund.Lot) finding { return count(eachHeld(lots, nil)) }),
		sum("product_codes", List, "their codes, in byte order", func(_ *source, lots []fund.Lot) finding {
			codes := make([]string, 0, 8)
			eachHeld(lots, func(code string) { codes = append(codes, code) })
			return finding{value: ListValue(codes), state: there}
		}),
		sum("cost_fen", Int, "what the lots with shares had cost, in fen; unknown when that of one is", func(_ *source, lots []fund.Lot) finding { return costOf(lots) }),
		sum("oldest_days", Int, "age of the oldest lot with shares in days; unknown when the day of one is", func(s *source, lots []fund.Lot) finding { return oldest(lots, s.at.Date()) }),
	}
}

func countLots(lots []fund.Lot) (n int) {
	for i := range lots {
		if lots[i].Shares > 0 {
			n++
		}
	}
	return n
}

// eachHeld calls yield, which may be nil, for each product of the lots, which are by
// product, and returns their number.
func eachHeld(lots []fund.Lot, yield func(code string)) (n int) {
	last := -1
	for i := range lots {
		if lots[i].Shares <= 0 || last >= 0 && lots[last].ProductCode == lots[i].ProductCode {
			continue
		}
		last = i
		n++
		if yield != nil {
			yield(lots[i].ProductCode)
		}
	}
	return n
}

func costOf(lots []fund.Lot) finding {
	sum := fund.Money(0)
	for i := range lots {
		switch l := &lots[i]; {
		case l.Shares <= 0:
		case l.Cost <= 0 || l.Cost > fund.MaxMoney || sum > fund.MaxMoney-l.Cost:
			return finding{}
		default:
			sum += l.Cost
		}
	}
	return known(sum)
}

func oldest(lots []fund.Lot, today fund.Date) finding {
	first := fund.Date(0)
	for i := range lots {
		switch l := &lots[i]; {
		case l.Shares <= 0:
		case l.AcquiredOn == 0:
			return finding{}
		case first == 0 || l.AcquiredOn < first:
			first = l.AcquiredOn
		}
	}
	if first == 0 || first > today {
		return finding{}
	}
	return count(today.DaysSince(first))
}
