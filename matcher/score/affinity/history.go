package affinity

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrHistory is wrapped by every error about what a model is to be trained from.
var ErrHistory = errors.New("history refused")

// Unknown is the attribute, group or level of which nothing is known.
const Unknown int32 = -1

// Always is the day of what was known before records began, or has no date.
const Always int32 = math.MinInt32

// attributes of an item, by which funds that nobody holds yet are reached.
const (
	kind = iota
	issuer
	theme
	goal
	market
	attributes
)

var attributeNames = [attributes]string{"kind", "issuer", "theme", "goal", "market"}

// MaxAttribute is the largest number of an attribute: which values go together is kept in
// a square.
const MaxAttribute = 511

// Item is what is known of a fund without its holders. Each attribute is a number from 0
// to MaxAttribute, in any numbering, or Unknown.
type Item struct {
	Kind, Issuer, Theme, Goal, Market int32
}

func (i *Item) list() [attributes]int32 {
	return [attributes]int32{i.Kind, i.Issuer, i.Theme, i.Goal, i.Market}
}

// Purchase is a fund that a customer bought, by its index, and the day (any count of
// days, or Always) from which that is known.
type Purchase struct {
	Item, Day int32
}

// Fact is a group or a level of a customer, and the day from which it is known.
type Fact struct {
	Value, Day int32
}

// Customer is one customer's history, in any order.
type Customer struct {
	Purchases []Purchase
	// Groups and Levels are the group that he resembles and his risk level as they were
	// assessed; the latest by a day is in force then. Numbers from 0 to MaxFact.
	Groups, Levels []Fact
}

// MaxFact is the largest number of a group or level.
const MaxFact = 63

// History collects customers. It holds 8 bytes a purchase; Train reads it and may be
// called for several days, also at the same time.
type History struct {
	items     int
	purchases []Purchase // by customer; then by item, each once, its earliest day
	end       []int      // of customer c's purchases
	groups    facts
	levels    facts
	firstDay  int32 // of the dated purchases; math.MaxInt32 without any
}

// facts are the facts of all customers: rows by customer, then by day.
type facts struct {
	rows []Fact
	end  []int
}

// NewHistory returns an empty history over so many items.
func NewHistory(items int) *History { return &History{items: items, firstDay: math.MaxInt32} }

// Customers is the number of customers added.
func (h *History) Customers() int { return len(h.end) }

// Purchases is the number of purchases kept: of several of the same fund by the same
// customer the first.
func (h *History) Purchases() int { return len(h.purchases) }

// Add takes a copy of one customer's history. A purchase of an item that is no index of
// the history, or a group or level out of bounds, is an error, and nothing is added.
func (h *History) Add(c Customer) error {
	for _, p := range c.Purchases {
		if p.Item < 0 || int(p.Item) >= h.items {
			return fmt.Errorf("%w: customer %d: item %d, expected 0 to %d", ErrHistory, len(h.end), p.Item, h.items-1)
		}
	}
	for _, list := range [...][]Fact{c.Groups, c.Levels} {
		for _, f := range list {
			if f.Value < Unknown || f.Value > MaxFact {
				return fmt.Errorf("%w: customer %d: group or level %d, expected %d to %d", ErrHistory, len(h.end), f.Value, Unknown, MaxFact)
			}
		}
	}
	own := len(h.purchases)
	h.purchases = append(h.purchases, c.Purchases...)
	slices.SortFunc(h.purchases[own:], func(a, b Purchase) int { return cmp.Or(cmp.Compare(a.Item, b.Item), cmp.Compare(a.Day, b.Day)) })
	distinct := slices.CompactFunc(h.purchases[own:], func(a, b Purchase) bool { return a.Item == b.Item })
	h.purchases = h.purchases[:own+len(distinct)]
	for _, p := range distinct {
		if p.Day != Always {
			h.firstDay = min(h.firstDay, p.Day)
		}
	}
	h.end = append(h.end, len(h.purchases))
	h.groups.add(c.Groups)
	h.levels.add(c.Levels)
	return nil
}

// add appends one customer's facts by day; of two of a day the later in the list stands
// last and is in force.
func (f *facts) add(list []Fact) {
	own := len(f.rows)
	f.rows = append(f.rows, list...)
	slices.SortStableFunc(f.rows[own:], func(a, b Fact) int { return cmp.Compare(a.Day, b.Day) })
	f.end = append(f.end, len(f.rows))
}

// at is what was known of customer c on a day.
func (f *facts) at(c int, day int32) int32 {
	start := 0
	if c > 0 {
		start = f.end[c-1]
	}
	value := Unknown
	for _, fact := range f.rows[start:f.end[c]] {
		if fact.Day > day {
			break
		}
		value = fact.Value
	}
	return value
}

// of is customer c's purchases.
func (h *History) of(c int) []Purchase {
	start := 0
	if c > 0 {
		start = h.end[c-1]
	}
	return h.purchases[start:h.end[c]]
}
