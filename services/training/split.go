package training

import (
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// side is on which side of the split a customer stands, for good.
type side uint8

// The sides: half of the customers are learnt from, the others only ever judge.
const (
	learning side = iota
	judging
)

// sideOf draws a customer's side.
func (r *running) sideOf(customerID string) side {
	return side(mix(customerID, sideSalt) >> 63)
}

// cuts divide the time of the history: examples to fit from the first day, to calibrate, and
// to judge. What belongs to one period has its outcome within it (purged), as if the fit had
// been made on the evening of the first cut and calibrated on that of the second.
type cuts struct{ calibrate, judge, end fund.Instant }

// The shares of the time that lie before the cuts. They were set before the first fit: each
// period must be longer than the days that an outcome is given, by 30 of 270 days.
const (
	calibrateFrom = 0.45
	judgeFrom     = 0.68
)

func (r *running) cuts() cuts {
	days := float64(r.survey.through.DaysSince(r.survey.from) + 1)
	day := func(share float64) fund.Instant { return r.survey.from.AddDays(int(days * share)).Start() }
	return cuts{calibrate: day(calibrateFrom), judge: day(judgeFrom), end: r.survey.until()}
}

// periods are the examples of each period, by place in a list of them.
type periods struct {
	fit       []int
	calibrate [2][]int // in two halves, a customer in one of them
	judge     []int
}

// split puts every example where it may be used; most are used nowhere, which is the price of
// figures that hold for other people at a later time.
func (r *running) split(examples []example) *periods {
	c, p := r.cuts(), &periods{}
	sides := make([]side, len(r.survey.customers))
	halves := make([]uint64, len(r.survey.customers))
	for i, id := range r.survey.customers {
		sides[i], halves[i] = r.sideOf(id), mix(id, sideSalt)>>62&1
	}
	for i := range examples {
		x := &examples[i]
		end := r.windowEnd(x.at)
		switch learns := sides[x.customer] == learning; {
		case learns && end <= c.calibrate:
			p.fit = append(p.fit, i)
		case learns && x.at >= c.calibrate && end <= c.judge:
			half := halves[x.customer]
			p.calibrate[half] = append(p.calibrate[half], i)
		case !learns && x.at >= c.judge && end <= c.end:
			p.judge = append(p.judge, i)
		}
	}
	return p
}

// tooShort reports whether the history leaves no room for the three periods.
func (r *running) tooShort() bool {
	c, window := r.cuts(), time.Duration(r.Options.WithinDays)*24*time.Hour
	return r.survey.from.Start().Add(window) >= c.calibrate || c.calibrate.Add(window) >= c.judge || c.judge.Add(window) >= c.end
}
