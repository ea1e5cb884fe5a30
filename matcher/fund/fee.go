package fund

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// FeeSchedule is what a product costs: at entry by amount, at exit by days held, and
// while it is held. Product.Missing names the parts that the bank did not give.
type FeeSchedule struct {
	Subscription []SubscriptionTier
	DiscountPct  int32 // percent taken off the subscription fee: 90 leaves a tenth (1折)
	Redemption   []RedemptionTier
	Management   BasisPoints // a year, inside the NAV
	Custody      BasisPoints // a year, inside the NAV
	Service      BasisPoints // a year, inside the NAV: the C class's fee in place of one at entry
}

// SubscriptionTier is one step of the entry ladder: for gross amounts below Below
// (0: without end) a rate, or a fixed fee.
type SubscriptionTier struct {
	Below Money
	Rate  BasisPoints
	Fixed Money
}

// RedemptionTier is one step of the exit ladder: for shares held less than Below days
// (0: without end) a rate.
type RedemptionTier struct {
	Below int32
	Rate  BasisPoints
}

// Limits of the fee ladders. The rates are far above every lawful fee: they catch a
// percentage that was typed as a price.
const (
	MaxLadderTiers = 16
	MaxRate        = BasisPoints(2_000)
	MaxMoney       = Money(1_000_000_000_000_000) // ten trillion yuan
	maxLadderDays  = 40_000
)

// ParseSubscriptionLadder reads "100000000:150;500000000:100;:100000f": below so many
// fen so many basis points, or a fixed fee in fen with f. Bounds rise, and the last
// step has none. The empty text is unknown (nil).
func ParseSubscriptionLadder(s string) ([]SubscriptionTier, error) {
	steps, err := parseLadder(s)
	if err != nil {
		return nil, err
	}
	tiers := make([]SubscriptionTier, 0, len(steps))
	for _, st := range steps {
		t := SubscriptionTier{Below: Money(st.below)}
		if st.below > int64(MaxMoney) {
			return nil, ladderError(s, "bounds of at most "+strconv.FormatInt(int64(MaxMoney), 10)+" fen")
		}
		price, fixed := strings.CutSuffix(st.price, "f")
		n, err := strconv.ParseInt(price, 10, 64)
		switch {
		case err != nil || n < 0:
			return nil, ladderError(s, "a price of basis points, or of fen with f")
		case fixed && n <= int64(MaxMoney):
			t.Fixed = Money(n)
		case !fixed && n <= int64(MaxRate):
			t.Rate = BasisPoints(n)
		default:
			return nil, ladderError(s, fmt.Sprintf("rates of at most %d basis points", MaxRate))
		}
		tiers = append(tiers, t)
	}
	if len(tiers) == 0 {
		return nil, nil
	}
	return tiers, nil
}

// ParseRedemptionLadder reads "7:150;30:100;180:50;:0": held less than so many days so
// many basis points. Bounds rise, and the last step has none. The empty text is
// unknown (nil).
func ParseRedemptionLadder(s string) ([]RedemptionTier, error) {
	steps, err := parseLadder(s)
	if err != nil {
		return nil, err
	}
	tiers := make([]RedemptionTier, 0, len(steps))
	for _, st := range steps {
		n, err := strconv.ParseInt(st.price, 10, 32)
		if err != nil || n < 0 || n > int64(MaxRate) {
			return nil, ladderError(s, fmt.Sprintf("rates of 0 to %d basis points", MaxRate))
		}
		if st.below > maxLadderDays {
			return nil, ladderError(s, fmt.Sprintf("bounds of at most %d days", maxLadderDays))
		}
		tiers = append(tiers, RedemptionTier{Below: int32(st.below), Rate: BasisPoints(n)})
	}
	if len(tiers) == 0 {
		return nil, nil
	}
	return tiers, nil
}

type ladderStep struct {
	below int64
	price string
}

func parseLadder(s string) ([]ladderStep, error) {
	if s == "" {
		return nil, nil
	}
	parts := strings.Split(s, ";")
	if len(parts) > MaxLadderTiers {
		return nil, ladderError(s, fmt.Sprintf("at most %d steps", MaxLadderTiers))
	}
	steps := make([]ladderStep, len(parts))
	for i, part := range parts {
		bound, price, ok := strings.Cut(part, ":")
		if !ok {
			return nil, ladderError(s, "steps of bound:price")
		}
		last := i == len(parts)-1
		if (bound == "") != last {
			return nil, ladderError(s, "a bound on every step but the last")
		}
		steps[i].price = price
		if last {
			break
		}
		n, err := strconv.ParseInt(bound, 10, 64)
		if err != nil || n <= 0 || (i > 0 && n <= steps[i-1].below) {
			return nil, ladderError(s, "positive bounds that rise")
		}
		steps[i].below = n
	}
	return steps, nil
}

func ladderError(s, expected string) error {
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return fmt.Errorf("%w: ladder %q, expected %s", ErrInvalid, s, expected)
}

// FormatSubscriptionLadder writes a ladder as ParseSubscriptionLadder reads it.
func FormatSubscriptionLadder(tiers []SubscriptionTier) string {
	var b []byte
	for i, t := range tiers {
		b = appendBound(b, i, int64(t.Below))
		if t.Fixed > 0 {
			b = append(strconv.AppendInt(b, int64(t.Fixed), 10), 'f')
		} else {
			b = strconv.AppendInt(b, int64(t.Rate), 10)
		}
	}
	return string(b)
}

// FormatRedemptionLadder writes a ladder as ParseRedemptionLadder reads it.
func FormatRedemptionLadder(tiers []RedemptionTier) string {
	var b []byte
	for i, t := range tiers {
		b = strconv.AppendInt(appendBound(b, i, int64(t.Below)), int64(t.Rate), 10)
	}
	return string(b)
}

func appendBound(b []byte, i int, below int64) []byte {
	if i > 0 {
		b = append(b, ';')
	}
	if below > 0 {
		b = strconv.AppendInt(b, below, 10)
	}
	return append(b, ':')
}

// Cost is what holding an amount for some days costs, in fen, each part rounded half
// up on its own. The forecast of no return is part of it: exit and running fees are
// charged on the net amount as if the price did not move (S06).
type Cost struct {
	Entry   Money // subscription fee
	Service Money // service fee over the days that bear one (F03)
	Running Money // management and custody over the days
	Exit    Money // redemption fee on the last day
}

// Total is the sum of the parts.
func (c Cost) Total() Money { return c.Entry + c.Service + c.Running + c.Exit }

// Differing is the part in which share classes of one fund differ.
func (c Cost) Differing() Money { return c.Entry + c.Service + c.Exit }

// daysInYear is the day count of accrued fund fees (365, leap years too).
const daysInYear = 365

// ServiceLimit is after how many days of holding no service fee is charged any more (F03).
// 0 is no limit: a money fund, or a rule pack in which F03 is not in force.
type ServiceLimit int32

// For returns the limit for products of a class: a money fund has none.
func (l ServiceLimit) For(class Class) ServiceLimit {
	if class == MoneyMarket {
		return 0
	}
	return l
}

// Bearing returns how many of the first so many days of holding bear a service fee.
func (l ServiceLimit) Bearing(days int32) int32 {
	if l <= 0 {
		return days
	}
	return min(days, int32(l))
}

// CostOf returns the cost of a gross purchase of amount held for days, of which limit says
// how many bear a service fee.
//
// A fee is the product's (A05; 个保法 24): nothing of the customer is asked for here, so two
// who buy the same pay the same.
//
// The entry fee is charged on the net amount (外扣法): net = gross / (1 + rate), fee =
// gross - net; a fixed fee is taken whole. The ladder's step is chosen by the gross
// amount. CSRC, 证券投资基金销售业务中费用计算方法.
func (f *FeeSchedule) CostOf(amount Money, days int32, limit ServiceLimit) Cost {
	if amount <= 0 {
		return Cost{}
	}
	entry := f.EntryFee(amount)
	net := amount - entry
	return Cost{
		Entry:   entry,
		Service: Accrue(net, f.Service, limit.Bearing(days)),
		Running: Accrue(net, f.Management+f.Custody, days),
		Exit:    f.ExitFee(net, days),
	}
}

// Accrue returns what a yearly rate takes of an amount in so many days, rounded half up to
// the fen. Fees accrue by days over 365, leap years too; nothing accrues in less than a day.
func Accrue(amount Money, rate BasisPoints, days int32) Money {
	return mulDiv(amount, int64(rate)*int64(days), 10_000*daysInYear)
}

// EntryFee returns the subscription fee on a gross amount, discount taken off.
func (f *FeeSchedule) EntryFee(amount Money) Money {
	if amount <= 0 {
		return 0
	}
	for _, t := range f.Subscription {
		if t.Below != 0 && amount >= t.Below {
			continue
		}
		kept := int64(100 - f.DiscountPct)
		if t.Fixed > 0 {
			return min(mulDiv(t.Fixed, kept, 100), amount)
		}
		// Basis points times percent kept are millionths.
		return max(0, amount-mulDiv(amount, 1_000_000, 1_000_000+int64(t.Rate)*kept))
	}
	return 0
}

// ExitFee returns the redemption fee on shares worth value that were held so many days,
// rounded half up to the fen. It is taken off the proceeds.
func (f *FeeSchedule) ExitFee(value Money, days int32) Money {
	return f.ExitRate(days).Of(value)
}

// Of returns what the rate takes of an amount, rounded half up to the fen.
func (r BasisPoints) Of(amount Money) Money { return mulDiv(amount, int64(r), 10_000) }

// ExitRate returns the redemption fee's rate for shares held so many days.
func (f *FeeSchedule) ExitRate(days int32) BasisPoints {
	for _, t := range f.Redemption {
		if t.Below == 0 || days < t.Below {
			return t.Rate
		}
	}
	return 0
}

// GrossOf returns what shares were worth whose redemption at a rate paid out so much,
// rounded half up to the fen.
func GrossOf(proceeds Money, rate BasisPoints) Money {
	return mulDiv(proceeds, 10_000, 10_000-int64(rate))
}

// navUnit is how finely a NAV is read: published NAVs have four places, some eight.
const navUnit = 100_000_000

// Worth returns what shares are worth at a unit NAV in yuan, rounded half up to the fen.
// It is computed on the NAV's decimal places, so that a half fen is one. Not OK: the NAV is
// unknown, or the value is more than a bank can hold and so a mistake in the data.
func (s Shares) Worth(nav float64) (Money, bool) {
	scaled := float64(nav * navUnit)
	if !(scaled >= 1 && scaled < 1e17) { // NaN is neither
		return 0, false
	}
	// Ten-thousandths of a share in a share, over fen in a yuan.
	worth := mulDiv(Money(s), int64(scaled+0.5), 100*navUnit)
	return worth, worth <= MaxMoney
}

// ExitRates returns the least and the highest redemption rate for shares of which only
// this much is known: they were held from so many to so many days. A ladder that is not
// known has no rate; ok is false.
func (f *FeeSchedule) ExitRates(from, to int32) (least, highest BasisPoints, ok bool) {
	start := int32(0)
	for _, t := range f.Redemption {
		if (t.Below == 0 || t.Below > from) && start <= to {
			if !ok {
				least, ok = t.Rate, true
			}
			least, highest = min(least, t.Rate), max(highest, t.Rate)
		}
		start = t.Below
	}
	return least, highest, ok
}

// FreeExitAfter returns the days after which redemption costs nothing, or -1 when it
// always costs.
func (f *FeeSchedule) FreeExitAfter() int32 {
	free := int32(-1)
	from := int32(0)
	for _, t := range f.Redemption {
		if t.Rate > 0 {
			free = -1
		} else if free < 0 {
			free = from
		}
		from = t.Below
	}
	return free
}

// maxCost is where mulDiv stops: far above every cost, and the sum of a Cost's parts
// still fits.
const maxCost = Money(1) << 60

// mulDiv returns a*num/den rounded half up, without overflow in the product. What is
// negative, or has no sensible quotient, comes from damaged bytes: it gives 0 or maxCost,
// never a panic.
func mulDiv(a Money, num, den int64) Money {
	if a <= 0 || num <= 0 || den <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(a), uint64(num))
	lo, carry := bits.Add64(lo, uint64(den)/2, 0)
	if hi += carry; hi >= uint64(den) {
		return maxCost
	}
	q, _ := bits.Div64(hi, lo, uint64(den))
	return Money(min(q, uint64(maxCost)))
}
