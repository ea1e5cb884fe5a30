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
// too short for is not OK.
type TrackRecord struct {
	AsOf         Date   // NAVs are dated before it
	Series       Window // first and last NAV of the part after the last gap
	Observations int32  // NAVs in Series; 0: there is no track record
	StaleDays    int32  // from the last NAV to AsOf
	Gaps         []Window
	Spans        [Spans]SpanFigures
}

// SpanFigures are the figures of one span.
type SpanFigures struct {
	Return     Figure // total, not annualised
	Volatility Figure // standard deviation of daily returns, a year of 252 days
	Drawdown   Drawdown
	Worst12M   Figure // the worst total return over any 12 months within the span
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
