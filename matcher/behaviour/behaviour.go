// Package behaviour says what lots, purchases and events tell about a customer. Fold
// takes events in one at a time, in any order; Read derives the features as of an
// instant; Facts writes them down as evidence for a manager. It is pure and takes the
// market from its caller. docs/behaviour.md lists every feature.
package behaviour

import "github.com/fundmatch/fundmatch/matcher/fund"

// DefinitionVersion names what Read's features mean. It changes with every change of a
// formula, a window or a bound: whoever keeps a feature keeps the version beside it.
const DefinitionVersion = "2"

// Product is what the pool knows of a product that a customer holds.
type Product struct {
	FundCode   string // what all its share classes have in common; empty: its own code
	Issuer     string
	Theme      string // the first of its themes; empty: none
	Grade      fund.RiskGrade
	LaunchedOn fund.Date
	UnitNAV    float64   // yuan a share; 0: unknown
	NAVOn      fund.Date // the day of UnitNAV; 0: unknown
	Falls      []fund.Fall
}

// Pool is the market as of the instant that is asked about.
type Pool interface {
	// Product finds a product by its code; nil: it is not in the pool. The product must not
	// change while a reading goes on.
	Product(code string) *Product
}

// Read derives the features of a customer as of an instant into out, whose buffers it
// uses again. Nothing that is later than the instant is looked at: events after it, lots,
// purchases and troughs of a day after its day in Asia/Shanghai. Nor are events of the
// instant itself, because what an answer brings about, its own exposure above all, must not
// be among what it rests on; but a refusal and a complaint bind from their instant on.
// Windows are days, the day of the instant included up to the instant. The lists of p stand
// in their documented orders.
//
// LevelUnknown leaves out what needs a level: the caller gives it where the level may not
// be read. A nil pool, or a product that is not in it, leaves out what needs the market.
func Read(p *fund.Profile, level fund.RiskLevel, at fund.Instant, pool Pool, out *fund.Conduct) {
	*out = fund.Conduct{
		At: at, Positions: out.Positions[:0], Journeys: out.Journeys[:0], Doubts: out.Doubts[:0],
		Portfolio: fund.Portfolio{HoldingDays: -1},
	}
	r := reading{profile: p, days: daysUntil(at), trail: p.Trail.Recent[:seenBy(p.Trail.Recent, at-1)], pool: pool, out: out}
	r.readTrail()
	r.readProducts()
	r.settleActivities()
	r.settleRealised()
	r.settlePortfolio(level)
	r.settleHabits()
}

// reading is one reading while it goes on. It lives on the stack.
type reading struct {
	profile    *fund.Profile
	days       days
	trail      []fund.Event // those before the instant
	pool       Pool
	out        *fund.Conduct
	kinds      [fund.EventKinds]acts // what the trail says of each kind of event
	ledger     ledger                // what the purchases say
	own        ownActs
	met        [lastMet]uint16 // places of journeys, from 1
	redeems    redeems
	firstVisit fund.Date // the first one that the trail keeps; 0: none
	assets
}

// assets is what is summed up over the holdings.
type assets struct {
	lotsKnown bool // there are lots at all
	valueless bool // he has something whose value is not known
	stakes    stakes
	ages      ages
	newBuys   newBuys
}

// days are the day of the instant and the first days of the windows that end with it.
type days struct {
	today     fund.Date
	since     [windows]fund.Date
	sinceInst [windows]fund.Instant
}

// The windows.
const (
	in30 = iota
	in90
	in365
	windows
)

func daysUntil(at fund.Instant) days {
	d := days{today: at.Date()}
	const perDay = 24 * 60 * 60 * 1_000_000
	n, start := d.today.DayNumber(), d.today.Start()
	for i, length := range [windows]int{30, 90, 365} {
		d.since[i] = fund.DateOfDay(n + 1 - length)
		d.sinceInst[i] = start + fund.Instant(1-length)*perDay
	}
	return d
}

// seenBy returns how many events are not after an instant.
func seenBy(recent []fund.Event, at fund.Instant) int {
	lo, hi := 0, len(recent)
	if hi == 0 || recent[hi-1].At <= at {
		return hi
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if recent[mid].At <= at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// product asks the pool.
func (r *reading) product(code string) *Product {
	if r.pool == nil {
		return nil
	}
	return r.pool.Product(code)
}
