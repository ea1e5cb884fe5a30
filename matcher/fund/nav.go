package fund

// NAV is one published value of a product, in yuan a share.
type NAV struct {
	Date  Date
	Unit  float64 // price of a share; positive
	Accum float64 // price with all distributions added back; positive
}

// Window is a span of days, both ends included.
type Window struct{ From, To Date }

// Span names a window of a track record that ends with the last NAV.
type Span uint8

// The spans.
const (
	OneYear Span = iota
	ThreeYears
	FiveYears
	SinceStart // since the first NAV after the last gap
	Spans      // the number of spans
)

var spanNames = [...]string{"1Y", "3Y", "5Y", "SINCE_START"}

// String returns the span's code.
func (s Span) String() string { return nameOf(spanNames[:], uint8(s)) }

// TrackRecord is what a product's NAVs say as of a day. A figure that the series is
// too short for is not OK: the fund is too young for it.
type TrackRecord struct {
	AsOf         Date    // NAVs are dated before it
	Series       Window  // first and last NAV of the part after the last gap
	Observations int32   // NAVs in Series; 0: there is no track record
	StaleDays    int32   // from the last NAV to AsOf
	UnitNAV      float64 // the last one, yuan a share; 0: none
	Gaps         []Window
	Spans        [Spans]SpanFigures
	Outcomes     [Holdings]Outcome
	Payouts      Payouts
	Falls        []Fall // the deepest of at least MinFall, at most MaxFalls, by peak day
	Benchmark    Benchmark
}

// SpanFigures are the figures of one span.
type SpanFigures struct {
	Return     Figure // total, not annualised
	Volatility Figure // standard deviation of daily returns, a year of 252 days
	Downside   Figure // root of the mean, over all days, of the squared daily returns below 0, a year of 252 days
	Sharpe     Figure // yearly mean of the daily returns less the risk-free rate, over Volatility; of a whole year and more
	Drawdown   Drawdown
	Worst      [Periods]Figure // the worst total return over any such period within the span
}

// Period is a number of months over which the worst result is looked for.
type Period uint8

// The periods. Those below a year are for managers only (W01).
const (
	OneMonth Period = iota
	ThreeMonths
	SixMonths
	TwelveMonths
	Periods // the number of periods
)

// Months returns the period's length.
func (p Period) Months() int { return [...]int{1, 3, 6, 12}[p] }

// Holding is a length of time for which a fund might have been held.
type Holding uint8

// The holdings.
const (
	Hold1M Holding = iota
	Hold3M
	Hold6M
	Hold12M
	Hold24M
	Hold36M
	Holdings // the number of holdings
)

// Months returns the holding's length.
func (h Holding) Months() int { return [...]int{1, 3, 6, 12, 24, 36}[h] }

// Outcome is the distribution of total returns over all past entry days for one holding:
// quantiles of the sorted results by the nearest rank (value at ceil(q*n), from 1).
type Outcome struct {
	OK      bool
	Entries int32  // entry days whose holding has passed; also known where there are too few
	Window  Window // first entry to last exit
	Worst   Ratio
	WorstIn Window // entry and exit of the worst
	P10     Ratio
	P25     Ratio
	Median  Ratio
	P75     Ratio
	P90     Ratio
	Best    Ratio
}

// Payouts are distributions as the NAVs show them: days on which the accumulated NAV
// moved away from the unit NAV. Small conversions of shares look the same and are in it.
type Payouts struct {
	OK       bool   // false: the series is too short, or does not show them
	Window   Window // the last 36 months of the series, or what there is of them
	Count    int32  // in Window
	Last     Date   // 0: none in Window
	LastSize Ratio  // of the last, over the unit NAV of the day before
	Total    Ratio  // of all in Window, each over the unit NAV of its day before
	// Drifts: the distance of the two NAVs moves between steps although the unit NAV moves
	// too: they are not on one basis, and returns that are computed from both may be off by
	// a factor. Then not OK.
	Drifts bool
}

// Fall is one fall from a peak and, where it came back, the recovery.
type Fall struct {
	Depth       Ratio // below 0
	PeakOn      Date
	TroughOn    Date
	RecoveredOn Date // 0: not within the series
}

// The falls that a record lists.
const (
	MinFall  = Ratio(100_000) // a tenth
	MaxFalls = 8
)

// Benchmark is the distance to the series that the product names as its benchmark, where
// that series is in the pool.
type Benchmark struct {
	Code   string        // empty: not known
	Excess [Spans]Figure // total return less the benchmark's over the same days
	Falls  [Spans]Figure // the benchmark's deepest fall over the same days
}

// Figure is one measured ratio over a window.
type Figure struct {
	Value  Ratio
	Window Window
	OK     bool
}

// Drawdown is the deepest fall from a peak within a window.
type Drawdown struct {
	Figure             // Value <= 0
	PeakOn        Date // the first day at the highest value before the fall
	TroughOn      Date
	RecoveredOn   Date  // first day at or above the peak; unknown: not recovered by the window's end
	DaysToRecover int32 // from trough to recovery, or to the window's end when not recovered
}
