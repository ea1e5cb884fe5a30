package slate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Exploration says how much of a list is left to chance, so that what is not shown today can
// be learned about: with Probability, the last place takes a uniform draw from the next Next
// permitted products that keep the caps of the list. The zero value explores nothing.
type Exploration struct {
	Probability fund.BasisPoints // e of 10,000 lists
	Next        int              // M: how many of the next products the draw is from
	// MaxGap bounds what a drawn product may score less than the one that it stands for, so
	// that a list loses at most Probability x MaxGap of score in the mean.
	MaxGap float64
}

// The bounds of exploration.
const (
	MaxExploration = 2000 // basis points: one list in five
	MaxNext        = 50
)

// whole is the sum of the weights of one draw, in basis points.
const whole = 10_000

// ErrExploration is wrapped when settings of exploration are out of bounds.
var ErrExploration = errors.New("exploration refused")

// Check reports whether the settings are within bounds. Errors wrap ErrExploration and name
// the field, the value and what was expected.
func (e *Exploration) Check() error {
	switch {
	case e.Probability < 0 || e.Probability > MaxExploration:
		return fmt.Errorf("%w: probability_bps %d, expected 0 to %d", ErrExploration, e.Probability, MaxExploration)
	case e.Next < 0 || e.Next > MaxNext || e.Probability > 0 && e.Next == 0:
		return fmt.Errorf("%w: next %d, expected 1 to %d", ErrExploration, e.Next, MaxNext)
	case !(e.MaxGap >= 0) || math.IsInf(e.MaxGap, 0):
		return fmt.Errorf("%w: max_gap %g, expected a number of at least 0", ErrExploration, e.MaxGap)
	}
	return nil
}

// Draw says who takes the place of which so many alternatives are: 0 to alternatives-1, or
// -1 for the product that stands there without exploration. One draw from whole x alternatives
// numbers decides both whether and which, so that each alternative has exactly Probability of
// them and the product that stands there all others.
func (e *Exploration) Draw(seed uint64, alternatives int) int {
	if e.Probability <= 0 || alternatives <= 0 {
		return -1
	}
	return e.place(Draw(seed, uint64(whole*alternatives)), alternatives)
}

// place is who takes the place by a number below whole x alternatives: the first weight of
// them are the first alternative's, and so on.
func (e *Exploration) place(number uint64, alternatives int) int {
	if weight := uint64(e.Probability); number < weight*uint64(alternatives) {
		return int(number / weight)
	}
	return -1
}

// Propensities are the marginal probabilities of the place: that the product which stands
// there without exploration keeps it, and that one certain alternative takes it. Where there
// is no alternative nothing is left to chance.
func (e *Exploration) Propensities(alternatives int) (stays, taken float64) {
	if e.Probability <= 0 || alternatives <= 0 {
		return 1, 0
	}
	return float64(whole-e.Probability) / whole, float64(e.Probability) / float64(whole*alternatives)
}

// Draw is one uniform draw from 0 to n-1 by a seed; n must not be 0. It is counter based: the
// candidates are SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
// Generators, 2014) of the seed at 1, 2, 3 ..., and the first below the greatest multiple of n
// is taken, so that no number is likelier than another. As SplitMix64's output is a bijection
// of the seed, a uniform seed makes the draw exactly uniform.
func Draw(seed, n uint64) uint64 {
	// The remainder of 2^64 by n: that many of the greatest words would favour the small numbers.
	excess := (math.MaxUint64%n + 1) % n
	for counter := uint64(1); ; counter++ {
		if word := splitMix64(seed, counter); word <= math.MaxUint64-excess {
			return word % n
		}
	}
}

// splitMix64 is the output of the generator that a seed starts, at a counter from 1.
func splitMix64(seed, counter uint64) uint64 {
	z := seed + counter*0x9e3779b97f4a7c15 // the golden ratio's fraction
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Seat is the last place of a finished list, and what may be drawn for it.
type Seat struct {
	// List are the products of the list as they are shown, in order; the last is the one to
	// stand in for. It stays as it is.
	List []int32
	// Shown names the share class in which a product would be shown; -1: it is not to be drawn.
	Shown func(product int32) int32
}

// Alternative is a product that may take the last place of a list.
type Alternative struct {
	Pick
	Shown int32 // share class
}

// Alternatives returns the next products, in the chooser's order, that may take the last
// place of a list: of a fund that is not in it, within the bounds given all others and at
// most MaxGap below the one that they stand for in score, both as listed and as shown, and
// shown not before it. Call it after Choose, with the same request and buffers. It allocates only when the
// buffers are too small.
func (c *Chooser) Alternatives(r *Request, s *Seat, e *Exploration, buf *Buffers) []Alternative {
	buf.Alternatives = buf.Alternatives[:0]
	if len(s.List) == 0 || e.Next <= 0 {
		return buf.Alternatives
	}
	t := c.seat(r, s.List, buf)
	for place := 0; len(buf.Alternatives) < e.Next; place++ {
		i := c.nth(r, &buf.order, place)
		if i < 0 || r.Scores[t.leaving]-r.Scores[i] > e.MaxGap {
			break // in order of score: what follows is further below
		}
		if slices.Contains(buf.funds, c.items[i].fund) {
			continue
		}
		if a, ok := c.alternative(r, s, t, i, e, buf); ok {
			buf.Alternatives = append(buf.Alternatives, a)
			buf.funds = append(buf.funds, c.items[i].fund) // one entry a fund: its best
		}
	}
	return buf.Alternatives
}

// taken is what the other products of a list leave of its bounds.
type taken struct {
	leaving               int32
	held, newIssues       int
	maxHeld, maxNewIssues int
}

// seat counts the parties of all products of a list but the last.
func (c *Chooser) seat(r *Request, list []int32, buf *Buffers) taken {
	buf.resetCounts(c.groups)
	last := len(list) - 1
	t := taken{
		leaving: list[last], maxHeld: atMost(c.settings.MaxHeldPct, r.Limit),
		maxNewIssues: len(list) * c.settings.NewIssuePct / 100,
	}
	for _, i := range list[:last] {
		it := &c.items[i]
		buf.count(it)
		if it.newIssue {
			t.newIssues++
		}
		if _, has := slices.BinarySearch(r.Held, it.fund); has {
			t.held++
		}
	}
	buf.funds = append(buf.funds, c.items[t.leaving].fund) // another class of it would be no other product
	return t
}

// alternative judges one product: as listed, which costs little, and as it would be shown.
func (c *Chooser) alternative(r *Request, s *Seat, t taken, i int32, e *Exploration, buf *Buffers) (Alternative, bool) {
	if !c.mayTake(r, &t, i, buf) {
		return Alternative{}, false
	}
	shown := s.Shown(i)
	switch {
	case shown < 0, shown != i && !c.mayTake(r, &t, shown, buf):
		return Alternative{}, false
	case c.less(r.Scores, shown, t.leaving), r.Scores[t.leaving]-r.Scores[shown] > e.MaxGap:
		return Alternative{}, false
	}
	a := Alternative{Pick: Pick{Product: i, Peer: -1}, Shown: shown}
	if it := &c.items[i]; it.newIssue {
		a.Peer = c.peer(it, r, &buf.order)
		return a, a.Peer >= 0
	}
	return a, true
}

// mayTake reports whether the others leave room for a product.
func (c *Chooser) mayTake(r *Request, t *taken, i int32, buf *Buffers) bool {
	it := &c.items[i]
	if it.newIssue && t.newIssues >= t.maxNewIssues || !c.fits(it, r.Limit, buf.counts) {
		return false
	}
	_, has := slices.BinarySearch(r.Held, it.fund)
	return !has || t.held < t.maxHeld
}
