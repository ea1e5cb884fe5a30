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
			reason: "BELOW_MINIMUM", remedy: RemedyAmount,
			speaks: func(q *orderQuestion) bool { return q.Amount.Fen < q.product.Terms.MinPurchase },
			facts: func(q *orderQuestion) []Fact {
				return []Fact{fen("amount_fen", q.Amount.Fen), fen("min_purchase_fen", q.product.Terms.MinPurchase)}
			},
		},
		bounded(orderPart{
			reason: "ABOVE_DAY_LIMIT", remedy: RemedyAmount,
			room: func(q *orderQuestion) fund.Money { return unless(!q.Amount.DayOK, q.dayRoom(q.product.Product)) },
			facts: func(q *orderQuestion) []Fact {
				return []Fact{fen("amount_fen", q.Amount.Fen), fen("ordered_fen", q.Amount.Day), fen("day_limit_fen", q.product.Terms.DayLimit)}
			},
		}),
		bounded(orderPart{
			reason: "DAY_ORDERS_UNKNOWN",
			room:   func(q *orderQuestion) fund.Money { return unless(q.Amount.DayOK, q.dayRoom(q.product.Product)) },
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
	m := e.means
	read := []string{"assets_percent", "income_percent", "window_days"}
	return []orderPart{
		bounded(orderPart{
			reason: "ABOVE_MEANS", remedy: RemedyAmount, reads: read,
			room: func(q *orderQuestion) fund.Money { return unless(!q.Amount.WindowOK, m.room(q.Order)) },
			facts: func(q *orderQuestion) []Fact {
				return []Fact{fen("amount_fen", q.Amount.Fen), fen("ordered_fen", q.Amount.Window), fen("limit_fen", m.limit(&q.Wealth))}
			},
		}),
		bounded(orderPart{
			reason: "ORDERS_UNKNOWN", reads: read,
			room: func(q *orderQuestion) fund.Money { return unless(q.Amount.WindowOK, m.room(q.Order)) },
		}),
		{
			reason: "MEANS_UNKNOWN", reads: read, hisOnly: true,
			speaks: func(q *orderQuestion) bool { return !q.Wealth.known() },
		},
	}
}

// dayRoom is what the day limit leaves; nothing where it cannot be told.
func (o *Order) dayRoom(p *fund.Product) fund.Money {
	switch {
	case p.Terms.DayLimit == 0:
		return fund.MaxMoney
	case !o.Amount.DayOK:
		return 0
	}
	return p.Terms.DayLimit - o.Amount.Day
}

// room is what his means leave beside his other orders; nothing where those are not all
// known, and everything where his means are not.
func (m Means) room(o *Order) fund.Money {
	switch {
	case !o.Wealth.known():
		return fund.MaxMoney
	case !o.Amount.WindowOK:
		return 0
	}
	return m.limit(&o.Wealth) - o.Amount.Window
}

func (w *Wealth) known() bool { return w.AUM > 0 || w.Income > 0 }

// limit is what orders may come to. Assets speak before income: they are what he has.
func (m Means) limit(w *Wealth) fund.Money {
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
			reason: reason, remedy: RemedyAmount, reads: []string{parameter},
			room: func(q *orderQuestion) fund.Money { return q.roomBeside(stake(&q.Stakes), limits[q.facts.Level]) },
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
func (o *Order) base() (total fund.Money, grows bool) {
	if o.Wealth.AUM >= o.Stakes.Portfolio {
		return o.Wealth.AUM, false
	}
	return o.Stakes.Portfolio, true
}

// roomBeside is the largest amount with which a stake stays within a percentage of what he
// has. Where the order adds to that, from (stake + a) * 100 <= percent * (total + a).
func (o *Order) roomBeside(of *Stake, percent int) fund.Money {
	total, grows := o.base()
	switch {
	case !of.OK || total == 0:
		return fund.MaxMoney
	case !grows:
		return percentOf(total, percent) - of.Value
	case percent >= 100:
		return fund.MaxMoney
	}
	total, stake := min(total, mostCounted), min(of.Value, mostCounted)
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
	private := func(q *orderQuestion) bool { return isPrivate(q.product.Product) }
	return []orderPart{
		{
			reason: "BELOW_QUALIFIED_MINIMUM", remedy: RemedyAmount, reads: []string{"min_purchase_fen"},
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

// isPrivate: sold by the asset-management rules to qualified investors only (P01).
func isPrivate(p *fund.Product) bool {
	return p.Listing.Kind == fund.Trust || p.Listing.Kind == fund.AssetManagement
}

// RemedyAmount is the remedy of a finding that another amount cures.
const RemedyAmount = "CHANGE_AMOUNT"

// bounded makes a part speak about every amount above its room.
func bounded(p orderPart) orderPart {
	room := p.room
	p.speaks = func(q *orderQuestion) bool { return q.Amount.Fen > room(q) }
	return p
}

// unless is a room, or all room where another part speaks.
func unless(elsewhere bool, room fund.Money) fund.Money {
	if elsewhere {
		return fund.MaxMoney
	}
	return room
}

func fen(name string, m fund.Money) Fact { return Fact{name, strconv.FormatInt(int64(m), 10)} }
