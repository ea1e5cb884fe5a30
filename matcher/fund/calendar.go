package fund

import "time"

// Cutoff is when a trading day's orders close: 15:00 Asia/Shanghai.
const Cutoff = 15 * time.Hour

// Calendar says on which days orders are dealt. The zero value is the assumed
// calendar: every weekday is open.
type Calendar struct {
	days map[Date]bool
	last Date
}

// NewCalendar makes a calendar of known days. A day that it does not hold is assumed
// to be open when it is a weekday. The map must not change afterwards.
func NewCalendar(days map[Date]bool) Calendar {
	c := Calendar{days: days}
	for d := range days {
		c.last = max(c.last, d)
	}
	return c
}

// Open reports whether orders are dealt on a day, and whether that is known rather
// than assumed.
func (c Calendar) Open(d Date) (open, known bool) {
	if o, ok := c.days[d]; ok {
		return o, true
	}
	w := d.Weekday()
	return w != time.Saturday && w != time.Sunday, false
}

// maxClosedRun bounds the search for an open day: no market is closed for longer.
const maxClosedRun = 60

// Next returns the first open day on or after d, and whether every day looked at is
// known. Where none opens within 60 days it returns the unknown date.
func (c Calendar) Next(d Date) (day Date, known bool) {
	known = true
	for range maxClosedRun {
		open, k := c.Open(d)
		known = known && k
		if open {
			return d, known
		}
		d = d.AddDays(1)
	}
	return 0, false
}

// Dealing returns the day on which an order given at an instant is dealt: the same day
// when it is open and the cutoff has not passed, else the next open day; never before
// notBefore.
func (c Calendar) Dealing(at Instant, notBefore Date) (day Date, known bool) {
	d := at.Date()
	if at.SinceMidnight() >= Cutoff {
		d = d.AddDays(1)
	}
	return c.Next(max(d, notBefore))
}
