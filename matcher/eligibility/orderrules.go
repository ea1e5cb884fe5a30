package eligibility

import (
	"strconv"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// dealt (G01): the amount is within what the product takes of one customer in a day, all
// his orders that are dealt on the same day together; and he is told the day on which an
// order after the cutoff or on a closed day is dealt. Of a day limit it must be known what
// stands against it.
func dealt(*Edition) []orderPart {
	return []orderPart{
		{
			reason: "BELOW_MINIMUM", remedy: remedyAmount,
			speaks: func(q *orderQuestion) bool { return q.Amount.Fen < q.product.Terms.MinPurchase },
			facts: func(q *orderQuestion) []Fact {
				return []Fact{fen("amount_fen", q.Amount.Fen), fen("min_purchase_fen", q.product.Terms.MinPurchase)}
			},
		},
		bounded(orderPart{
			reason: "ABOVE_DAY_LIMIT", remedy: remedyAmount,
			room: func(q *orderQuestion) fund.Money {
				if q.product.Terms.DayLimit == 0 || !q.Amount.DayOK {
					return fund.MaxMoney
				}
				return q.product.Terms.DayLimit - q.Amount.Day
			},
			facts: func(q *orderQuestion) []Fact {
				return []Fact{fen("amount_fen", q.Amount.Fen), fen("ordered_fen", q.Amount.Day), fen("day_limit_fen", q.product.Terms.DayLimit)}
			},
		}),
		bounded(orderPart{
			reason: "DAY_ORDERS_UNKNOWN",
			room:   func(q *orderQuestion) fund.Money { return roomUnless(q.product.Terms.DayLimit > 0 && !q.Amount.DayOK) },
			facts:  func(q *orderQuestion) []Fact { return []Fact{fen("day_limit_fen", q.product.Terms.DayLimit)} },
		}),
		{
			reason: "NO_OPEN_DAY",
			speaks: func(q *orderQuestion) bool { return q.Dealing.On == 0 },
		},
		orderPart{
			reason: "ACCEPTED_FOR_NEXT_OPEN_DAY",
			speaks: func(q *orderQuestion) bool { return q.Dealing.On != 0 && q.Dealing.Later() },
			facts: func(q *orderQuestion) []Fact {
				source := "KNOWN"
				if q.Dealing.Assumed {
					source = "ASSUMED"
				}
				return []Fact{{"dealing_on", q.Dealing.On.String()}, {"calendar", source}}
			},
		}.says(Disclose),
	}
}

// withinMeans (S15): the amount and his other orders of some days fit his assets with the
// bank or, where those are not known, his income of a year. Where neither is known his own
// order is confirmed, and nothing is said against what the firm suggests: that is the
// minimum, or no amount.
func withinMeans(e *Edition) []orderPart {
	m := &e.means
	read := []string{"assets_percent", "income_percent", "window_days"}
	return []orderPart{
		bounded(orderPart{
			reason: "ABOVE_MEANS", remedy: remedyAmount, reads: read,
			room: func(q *orderQuestion) fund.Money {
				if !q.Wealth.known() || !q.Amount.WindowOK {
					return fund.MaxMoney
				}
				return m.limit(&q.Wealth) - q.Amount.Window
			},
			facts: func(q *orderQuestion) []Fact {
				return []Fact{fen("amount_fen", q.Amount.Fen), fen("ordered_fen", q.Amount.Window), fen("limit_fen", m.limit(&q.Wealth))}
			},
		}),
		bounded(orderPart{
			reason: "ORDERS_UNKNOWN", reads: read,
			room: func(q *orderQuestion) fund.Money { return roomUnless(q.Wealth.known() && !q.Amount.WindowOK) },
		}),
		{
			reason: "MEANS_UNKNOWN", reads: read, hisOnly: true,
			speaks: func(q *orderQuestion) bool { return !q.Wealth.known() },
		},
	}
}

func (w *Wealth) known() bool { return w.AUM > 0 || w.Income > 0 }

// limit is what orders may come to. Assets speak before income: they are what he has.
func (m *Means) limit(w *Wealth) fund.Money {
	if w.AUM > 0 {
		return percentOf(w.AUM, m.AssetsPercent)
	}
	return percentOf(w.Income, m.IncomePercent)
}

// concentrated (K04): what he has of the fund, of its issuer and of its theme stays, with
// the order, within a share of what he has with the bank, by his level. That is his assets
// with the bank, out of which the order is paid; where they are not known, or are less than
// what he holds, it is what he holds, the order added. An issuer or a theme that the
// product does not name is not counted. Where he has nothing of a known value his own order
// is confirmed: what is all that he has cannot be told from a small part.
func concentrated(e *Edition) []orderPart {
	c := &e.concentration
	of := func(reason, parameter string, limits *[fund.C5 + 1]int, stake func(s *Stakes) *Stake) orderPart {
		return bounded(orderPart{
			reason: reason, remedy: remedyAmount, reads: []string{parameter},
			room: func(q *orderQuestion) fund.Money {
				s := stake(&q.Stakes)
				if !s.OK {
					return fund.MaxMoney
				}
				return q.roomBeside(s.Value, limits[q.facts.Level])
			},
			facts: func(q *orderQuestion) []Fact {
				base, _ := q.base()
				return []Fact{
					fen("amount_fen", q.Amount.Fen), fen("held_fen", stake(&q.Stakes).Value), fen("assets_fen", base),
					{"percent", itoa(limits[q.facts.Level])},
					{"level", q.facts.Level.String()},
				}
			},
		})
	}
	return []orderPart{
		of("FUND_CONCENTRATED", "product_percent", &c.Product, func(s *Stakes) *Stake { return &s.Fund }),
		of("ISSUER_CONCENTRATED", "issuer_percent", &c.Issuer, func(s *Stakes) *Stake { return &s.Issuer }),
		of("THEME_CONCENTRATED", "theme_percent", &c.Theme, func(s *Stakes) *Stake { return &s.Theme }),
		{
			reason: "ASSETS_UNKNOWN", reads: []string{"product_percent"}, hisOnly: true,
			speaks: func(q *orderQuestion) bool { base, _ := q.base(); return base == 0 },
		},
	}
}

// base is what he has with the bank before the order, and whether the order adds to it;
// 0: unknown.
func (q *orderQuestion) base() (total fund.Money, grows bool) {
	if q.Wealth.AUM > 0 && q.Wealth.AUM >= q.Stakes.Portfolio {
		return q.Wealth.AUM, false
	}
	return q.Stakes.Portfolio, true
}

// roomBeside is the largest amount with which a stake stays within a percentage of what he
// has. Where the order adds to that, from (stake + a) * 100 <= percent * (total + a).
func (q *orderQuestion) roomBeside(stake fund.Money, percent int) fund.Money {
	total, grows := q.base()
	switch {
	case total == 0:
		return fund.MaxMoney
	case !grows:
		return percentOf(total, percent) - stake
	case percent >= 100:
		return fund.MaxMoney
	}
	total, stake = min(total, mostCounted), min(stake, mostCounted)
	return max(0, total*fund.Money(percent)-100*stake) / fund.Money(100-percent)
}

// mostCounted bounds sums of money so that a hundred times one does not overflow.
const mostCounted = 10 * fund.MaxMoney

// percentOf is a percentage of an amount, rounded down to the fen: a whole amount is above
// it exactly when it is above the unrounded one.
func percentOf(m fund.Money, percent int) fund.Money {
	return m/100*fund.Money(percent) + m%100*fund.Money(percent)/100
}

// recorded (C04): a branch sale has its recording; elsewhere what had to be confirmed is
// confirmed electronically, with its trace.
func recorded(*Edition) []orderPart {
	return []orderPart{
		{
			reason: "RECORDING",
			speaks: func(q *orderQuestion) bool { return q.facts.Channel == fund.Branch },
			done:   func(q *orderQuestion) bool { return q.Proofs.RecordingID != "" },
		},
		{
			reason: "ELECTRONIC_TRACE",
			speaks: func(q *orderQuestion) bool { return q.facts.Channel != fund.Branch && q.Proofs.Warned },
		},
	}
}

// delivered (C05): key facts, matching opinion and fees were given to him before the order;
// where the fees are not on file they are to be asked for.
func delivered(*Edition) []orderPart {
	always := func(*orderQuestion) bool { return true }
	return []orderPart{
		{
			reason: "KEY_FACTS", speaks: always,
			facts: func(q *orderQuestion) []Fact { return []Fact{{"key_facts_version", q.product.Listing.KeyFactsVersion}} },
			done:  func(q *orderQuestion) bool { return q.Proofs.KeyFacts },
		},
		{reason: "MATCHING_OPINION", speaks: always, done: func(q *orderQuestion) bool { return q.Proofs.Opinion }},
		{
			reason: "FEES", speaks: func(q *orderQuestion) bool { return feesOnFile(q.product.Product) },
			done: func(q *orderQuestion) bool { return q.Proofs.Fees },
		},
		{reason: "ASK_FEES", speaks: func(q *orderQuestion) bool { return !feesOnFile(q.product.Product) }},
		orderPart{
			reason: "ENTRY_FEE", speaks: func(q *orderQuestion) bool { return feesOnFile(q.product.Product) },
			facts: func(q *orderQuestion) []Fact {
				return []Fact{fen("amount_fen", q.Amount.Fen), fen("entry_fee_fen", q.product.Fees.EntryFee(q.Amount.Fen))}
			},
		}.says(Disclose),
	}
}

// feesOnFile reports whether every part of the cost is known (rulebook: no ladder or fee,
// the cost is unknown).
func feesOnFile(p *fund.Product) bool {
	const needed = 1<<fund.FieldSubscriptionLadder | 1<<fund.FieldRedemptionLadder | 1<<fund.FieldServiceFee | 1<<fund.FieldManagementFee
	return p.Missing&needed == 0
}

// qualifiedAmount (P01): a product with entry conditions is bought from a minimum on, after
// a time to cool off and a call back.
func qualifiedAmount(e *Edition) []orderPart {
	private := func(q *orderQuestion) bool {
		k := q.product.Listing.Kind
		return k == fund.Trust || k == fund.AssetManagement
	}
	return []orderPart{
		{
			reason: "BELOW_QUALIFIED_MINIMUM", remedy: remedyAmount, reads: []string{"min_purchase_fen"},
			speaks: func(q *orderQuestion) bool { return private(q) && q.Amount.Fen < e.qualified.MinPurchase },
			facts: func(q *orderQuestion) []Fact {
				return []Fact{fen("amount_fen", q.Amount.Fen), fen("min_purchase_fen", e.qualified.MinPurchase)}
			},
		},
		orderPart{
			reason: "COOLING_OFF", reads: []string{"cooling_hours"}, speaks: private,
			facts: func(*orderQuestion) []Fact { return []Fact{{"cooling_hours", itoa(e.qualified.CoolingHours)}} },
		}.says(Step),
		orderPart{reason: "CALL_BACK", speaks: private}.says(Step),
	}
}

// remedyAmount: another amount would do.
const remedyAmount = "CHANGE_AMOUNT"

// bounded makes a part speak about every amount above its room.
func bounded(p orderPart) orderPart {
	room := p.room
	p.speaks = func(q *orderQuestion) bool { return q.Amount.Fen > room(q) }
	return p
}

// roomUnless is all room, or none.
func roomUnless(blocked bool) fund.Money {
	if blocked {
		return 0
	}
	return fund.MaxMoney
}

func fen(name string, m fund.Money) Fact { return Fact{name, strconv.FormatInt(int64(m), 10)} }
