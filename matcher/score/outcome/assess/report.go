package assess

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// Schema names the report's form.
const Schema = "fundmatch.outcome-assessment/v1"

// Report says how well outcomes were foreseen.
type Report struct {
	Schema   string         `json:"schema"`
	Products int            `json:"products"`
	Costed   int            `json:"costed"` // products whose fees are known
	Plan     PlanReport     `json:"plan"`
	Params   outcome.Params `json:"params"` // as fitted to the training part
	// Persistence is the part of a deviation of variance that is left a return later, as
	// estimated from the returns of before training ended; 0: not known.
	Persistence float64   `json:"persistence"`
	Horizons    []Horizon `json:"horizons"`
}

// PlanReport is the plan in words.
type PlanReport struct {
	TrainUntil  string `json:"train_until"`
	Until       string `json:"until"`
	CrashFrom   string `json:"crash_from"`
	CrashTo     string `json:"crash_to"`
	BlockMonths int    `json:"block_months"`
	Resamples   int    `json:"resamples"`
	Seed        uint64 `json:"seed"`
}

// Horizon is what was measured of one horizon.
type Horizon struct {
	Months  int32   `json:"months"`
	Parts   []Score `json:"parts"`
	ByMonth []Month `json:"by_month"`
}

// Score is what was measured of one part's entries.
type Score struct {
	Part     string   `json:"part"`
	Entries  int      `json:"entries"`
	Products int      `json:"products"`
	First    string   `json:"first"`   // entry day
	Last     string   `json:"last"`    // entry day
	Windows  float64  `json:"windows"` // holdings that fit one after the other between first entry and last exit: what is independent of time
	Beyond90 Estimate `json:"beyond_90"`
	Beyond95 Estimate `json:"beyond_95"`
	Excess90 float64  `json:"excess_90"` // mean of how far the drawdowns beyond the 90 % range went beyond it
	Drawdown Loss     `json:"drawdown"`
	Return   Loss     `json:"return"`
}

// Loss are mean pinball losses, in shares of the money.
type Loss struct {
	Levels   [outcome.Levels]float64 `json:"levels"`   // by quantile, over all entries
	Compared int                     `json:"compared"` // entries for which an unconditional past quantile is known; what follows is over these
	Foreseen float64                 `json:"foreseen"` // mean over the quantiles
	Past     float64                 `json:"past"`     // that of the unconditional past quantiles
	Gain     Estimate                `json:"gain"`     // Past less Foreseen: above 0 is better
}

// Month are the entries of one calendar month.
type Month struct {
	Month    string  `json:"month"` // 2015-06
	Entries  int     `json:"entries"`
	Beyond90 float64 `json:"beyond_90"` // share of the entries
	Crash    bool    `json:"crash"`     // more than half of the holdings touch it
}

// WriteJSON writes the report as one indented document.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func newReport(products []outcome.Product, plan *Plan, params *outcome.Params) *Report {
	r := &Report{
		Schema: Schema, Params: *params, Persistence: Persistence(products, plan.TrainUntil),
		Plan: PlanReport{
			TrainUntil: plan.TrainUntil.String(), Until: plan.Until.String(),
			CrashFrom: plan.Crash.From.String(), CrashTo: plan.Crash.To.String(),
			BlockMonths: plan.BlockMonths, Resamples: plan.Resamples, Seed: plan.Seed,
		},
	}
	seen := map[string]bool{}
	for i := range products {
		p := &products[i]
		if seen[p.Code] {
			continue // another part of its series
		}
		seen[p.Code] = true
		r.Products++
		if p.Costs.Known {
			r.Costed++
		}
	}
	return r
}

func reportOf(plan *Plan, products []outcome.Product, h outcome.Horizon, entries []entry) Horizon {
	out := Horizon{Months: h.Months(), Parts: []Score{}}
	for part := range parts {
		var of []*entry
		for i := range entries {
			if part.covers(entries[i].part) {
				of = append(of, &entries[i])
			}
		}
		if len(of) > 0 {
			out.Parts = append(out.Parts, scoreOf(plan, products, part, of))
		}
	}
	out.ByMonth = byMonth(entries)
	return out
}

// The quantiles that ranges of 90 and 95 % go up to.
const (
	level90 = 5
	level95 = 6
)

func (e *entry) isBeyond(level int) bool {
	return e.Net.Drawdown > e.foreseen.Drawdown[level].Float()
}

func scoreOf(plan *Plan, products []outcome.Product, part Part, entries []*entry) Score {
	s := Score{Part: part.String(), Entries: len(entries)}
	beyond90, beyond95 := blocks{months: plan.BlockMonths}, blocks{months: plan.BlockMonths}
	codes := map[string]bool{}
	first, last, end := entries[0].AsOf, entries[0].AsOf, entries[0].Due
	excess, far := 0.0, 0.0
	for _, e := range entries {
		codes[products[e.Product].Code] = true
		first, last, end = min(first, e.AsOf), max(last, e.AsOf), max(end, e.Due)
		beyond90.add(e.Bought, indicator(e.isBeyond(level90)))
		beyond95.add(e.Bought, indicator(e.isBeyond(level95)))
		if e.isBeyond(level90) {
			excess += e.Net.Drawdown - e.foreseen.Drawdown[level90].Float()
			far++
		}
	}
	s.Products, s.First, s.Last = len(codes), first.String(), last.String()
	s.Windows = float64(end.DaysSince(first)) / (365.25 / 12 * float64(entries[0].Horizon.Months()))
	s.Beyond90, s.Beyond95, s.Excess90 = beyond90.mean(plan), beyond95.mean(plan), ratio(excess, far)
	s.Drawdown = lossOf(plan, entries, func(e *entry) (float64, *outcome.Grid, *outcome.Grid) {
		return e.Net.Drawdown, &e.foreseen.Drawdown, &e.past.Drawdown
	})
	s.Return = lossOf(plan, entries, func(e *entry) (float64, *outcome.Grid, *outcome.Grid) {
		return e.Net.Return, &e.foreseen.Return, &e.past.Return
	})
	return s
}

func indicator(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// lossOf measures one of the two things foreseen; of returns it, its foreseen and its past
// quantiles.
func lossOf(plan *Plan, entries []*entry, of func(*entry) (value float64, foreseen, past *outcome.Grid)) Loss {
	var l Loss
	foreseen, past, gain := 0.0, 0.0, blocks{months: plan.BlockMonths}
	for _, e := range entries {
		value, ours, theirs := of(e)
		for i := range outcome.Levels {
			l.Levels[i] += pinball(value, ours[i].Float(), outcome.Level(i))
		}
		if !e.compared {
			continue
		}
		a, b := meanPinball(value, ours), meanPinball(value, theirs)
		foreseen, past = foreseen+a, past+b
		gain.add(e.Bought, b-a)
		l.Compared++
	}
	for i := range l.Levels {
		l.Levels[i] /= float64(len(entries))
	}
	l.Foreseen, l.Past = ratio(foreseen, float64(l.Compared)), ratio(past, float64(l.Compared))
	l.Gain = gain.mean(plan)
	return l
}

func meanPinball(value float64, quantiles *outcome.Grid) (sum float64) {
	for i := range outcome.Levels {
		sum += pinball(value, quantiles[i].Float(), outcome.Level(i))
	}
	return sum / outcome.Levels
}

// pinball is the loss whose mean is least at the quantile (R. Koenker and G. Bassett,
// Regression quantiles, 1978).
func pinball(value, quantile, level float64) float64 {
	d := value - quantile
	return math.Max(float64(level*d), float64((level-1)*d))
}

// byMonth counts by the month of the purchase.
func byMonth(entries []entry) []Month {
	sorted := make([]*entry, len(entries))
	for i := range entries {
		sorted[i] = &entries[i]
	}
	slices.SortStableFunc(sorted, func(a, b *entry) int { return cmp.Compare(a.Bought/100, b.Bought/100) })
	months := []Month{}
	for start := 0; start < len(sorted); {
		month := sorted[start].Bought / 100
		end, beyond, crash := start, 0, 0
		for ; end < len(sorted) && sorted[end].Bought/100 == month; end++ {
			if sorted[end].isBeyond(level90) {
				beyond++
			}
			if sorted[end].part == Crash {
				crash++
			}
		}
		n := end - start
		months = append(months, Month{
			Month: (month*100 + 1).String()[:len("2006-01")], Entries: n,
			Beyond90: float64(beyond) / float64(n), Crash: 2*crash > n,
		})
		start = end
	}
	return months
}
