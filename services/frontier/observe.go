package frontier

import (
	"context"
	"math"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// measure is one of what is measured of a list.
type measure int

const (
	demand   measure = iota // nDCG@10 of what he bought afterwards and was permitted; NaN: nothing
	beyond                  // share of the listed products that fell further than his level bears; NaN: of none is known
	foreseen                // mean of what was foreseen of that
	measures
)

// observation is what was measured on one day: of each customer who got lists.
type observation struct {
	customers []string
	values    [][measures][]float64 // by weight, measure, customer
}

// observe makes everyone's lists on a day, with each weight.
func (r *running) observe(ctx context.Context, day fund.Date) (observation, error) {
	out := observation{values: make([][measures][]float64, len(Weights()))}
	core, err := r.core(ctx, day)
	if err != nil {
		return out, err
	}
	d := dayOf{running: r, core: core, day: day, end: day.AddMonths(demandMonths)}
	err = r.Store.Histories(ctx, features.HistoryQuery{}, func(h *features.History) error {
		told, err := d.read(h)
		if err != nil || !told {
			return err
		}
		out.customers = append(out.customers, h.CustomerID)
		for k, w := range Weights() {
			for m, v := range d.measure(w) {
				out.values[k][m] = append(out.values[k][m], v)
			}
		}
		return nil
	})
	return out, err
}

// dayOf reads one customer after another on a day.
type dayOf struct {
	*running
	core      *matcher.Core
	day, end  fund.Date
	situation matcher.Situation
	offers    []offer
	wanted    map[int32]int32 // permitted products that he bought afterwards
	tolerance float64
	list      []int32 // places in offers
}

// offer is a permitted product: its score but for BREACH, and the value of that.
type offer struct {
	place       int32
	rest, fears float64
}

// read finds out what may be offered to a customer, and what he bought afterwards; false: he
// gets no list that would be his.
func (d *dayOf) read(h *features.History) (bool, error) {
	at := d.day.Start()
	p, err := d.AsOf(h, features.AsKnown(at-1))
	if err != nil {
		return false, err
	}
	request := matcher.Request{
		At: at, Channel: fund.App, Limit: matcher.MinLimit, Licence: matcher.Licence{State: matcher.LicenceValid},
	}
	if err := d.core.Situate(p, request, &d.situation); err != nil {
		return false, err
	}
	if !d.situation.Personal() || !d.situation.Ordering() || p.Assessment.Level == fund.LevelUnknown {
		return false, nil
	}
	d.tolerance = d.Model.Settings.LossTolerance[p.Assessment.Level].Float()
	d.offers = d.offers[:0]
	d.wanted = map[int32]int32{}
	for place := range d.core.Len() {
		if !d.situation.Permitted(place) {
			continue
		}
		o := offer{place: d.places[d.core.Product(place).Code]}
		for _, c := range d.situation.Contributions(place) {
			if c.Feature == score.Breach {
				o.fears = c.Value
				continue
			}
			o.rest += c.Amount
		}
		d.offers = append(d.offers, o)
	}
	d.want(h)
	return len(d.offers) > 0, nil
}

// want collects what he bought in the time after the day and was permitted on it.
func (d *dayOf) want(h *features.History) {
	permitted := map[int32]bool{}
	for _, o := range d.offers {
		permitted[o.place] = true
	}
	for i := range h.Purchases {
		b := &h.Purchases[i]
		place, ok := d.places[b.ProductCode]
		if ok && permitted[place] && b.Owns() && b.KnownOn >= d.day && b.KnownOn < d.end {
			d.wanted[place] = 1
		}
	}
}

// measure makes the list of a weight: the highest scores, the pool's order among equals. The
// rules of mix of a slate are left out, which would blur what the weight does.
func (d *dayOf) measure(weight float64) (out [measures]float64) {
	d.list = d.list[:0]
	value := func(i int32) float64 { return d.offers[i].rest + float64(weight*d.offers[i].fears) }
	for i := range d.offers {
		at := len(d.list)
		for at > 0 && value(d.list[at-1]) < value(int32(i)) {
			at--
		}
		if at == Places {
			continue
		}
		if len(d.list) < Places {
			d.list = append(d.list, 0)
		}
		copy(d.list[at+1:], d.list[at:])
		d.list[at] = int32(i)
	}
	places := make([]int32, len(d.list))
	known, deep, fears := 0, 0, 0.0
	for k, i := range d.list {
		o := &d.offers[i]
		places[k] = o.place
		fears += o.fears
		if fall, ok := d.falls[entry{o.place, d.day}]; ok {
			known++
			if fall > d.tolerance {
				deep++
			}
		}
	}
	out[demand], out[beyond] = math.NaN(), math.NaN()
	if len(d.wanted) > 0 {
		judgement := evaluate.Judge(places, d.wanted)
		out[demand] = judgement.NDCG(Places, evaluate.LinearGain)
	}
	if known > 0 {
		out[beyond] = float64(deep) / float64(known)
	}
	out[foreseen] = fears / float64(len(d.list))
	return out
}
