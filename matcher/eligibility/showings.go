package eligibility

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// showing counts how often one fund was shown to him.
type showing struct {
	fund  int32
	count int32
	done  bool // tired of it, or he reacted: what lies before counts no more
}

// ExposureCap is how often one fund is shown within ExposureWindowDays, without a reaction
// of his, before it rests (A06); 0: no cap, as in packs of before 2026-11-22.2.
func (e *Edition) ExposureCap() int { return e.silence.ExposureCap }

// ExposureWindowDays is the window of ExposureCap in days, today included (A06).
func (e *Edition) ExposureWindowDays() int { return e.silence.ExposureWindowDays }

// countShowings finds the funds that were shown to him so often that they rest (A06;
// 算法规定 12). It goes from the newest event back: a fund rests when the showing that fills
// the cap is still in the window and he did not react to the fund since. Share classes of
// one fund are shown together.
func (g *Gate) countShowings(events []fund.Event, at fund.Instant, dst *Refusals) {
	limit, days := g.edition.ExposureCap(), g.edition.ExposureWindowDays()
	if limit == 0 {
		return
	}
	first := at.Date().AddDays(1 - days).Start()
	from, shown := len(events), 0
	for ; from > 0 && events[from-1].At >= first; from-- {
		if events[from-1].Kind == fund.Exposure {
			shown++
		}
	}
	if shown < limit { // of most customers: nothing needs to be looked up, and nothing can change
		return
	}
	for i := len(events) - 1; i >= from; i-- {
		switch e := &events[i]; {
		case e.Kind != fund.Exposure && !isReaction(e.Kind):
		case e.At > at: // not there yet
			dst.Until = min(dst.Until, e.At)
		default:
			g.countShowing(e, int32(limit), days, dst)
		}
	}
}

func (g *Gate) countShowing(e *fund.Event, limit int32, days int, dst *Refusals) {
	number, ok := g.funds.byCode[e.ProductCode]
	if !ok {
		return
	}
	s := dst.showingOf(number)
	switch {
	case s.done:
		return
	case e.Kind != fund.Exposure:
		s.done = true
		return
	}
	s.count++
	if s.count < limit {
		return
	}
	s.done = true
	day := e.At.Date()
	i, _ := find(dst.Tired, number)
	dst.Tired = slices.Insert(dst.Tired, i, Refused{Fund: number, On: day, Until: day.AddDays(days).Start()})
}

// showingOf finds the count of a fund, or begins one.
func (r *Refusals) showingOf(number int32) *showing {
	i, ok := slices.BinarySearchFunc(r.shown, number, func(s showing, n int32) int { return int(s.fund) - int(n) })
	if !ok {
		r.shown = slices.Insert(r.shown, i, showing{fund: number})
	}
	return &r.shown[i]
}

// isReaction reports whether an act of his shows that the fund concerns him.
func isReaction(k fund.EventKind) bool {
	switch k {
	case fund.Click, fund.DetailView, fund.EvidenceOpen, fund.OrderStart, fund.OrderConfirm, fund.OrderAbandon:
		return true
	default:
		return false
	}
}
