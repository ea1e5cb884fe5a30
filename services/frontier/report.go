package frontier

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// Schema names the report's form.
const Schema = "fundmatch.breach-frontier/v1"

// Report is the frontier: a point for each weight.
type Report struct {
	Schema    string  `json:"schema"`
	Model     string  `json:"model"`
	Shipped   float64 `json:"shipped"` // weight of BREACH in the model
	First     string  `json:"first"`   // day
	Last      string  `json:"last"`
	Days      int     `json:"days"`
	Customers int     `json:"customers"` // different ones who got a list
	Lists     int     `json:"lists"`     // of each weight
	Wanting   int     `json:"wanting"`   // of them, whose customer then bought something that was permitted
	Points    []Point `json:"points"`    // by weight, none first
}

// Point is what lists of one weight came to. Intervals are 95 %, by a bootstrap over
// customers: the market of these days is the same for all of them and in none of the
// intervals.
type Point struct {
	Weight   float64 `json:"weight"`
	Demand   Value   `json:"demand"`   // nDCG@10 of what was bought within six months
	Beyond   Value   `json:"beyond"`   // share of listed products that fell beyond the tolerance within twelve months
	Foreseen Value   `json:"foreseen"` // mean probability of that, within the customer's horizon, as foreseen
	// DemandChange and BeyondChange are those against no weight, of the same lists.
	DemandChange Value `json:"demandChange"`
	BeyondChange Value `json:"beyondChange"`
}

// Value is a mean with its interval.
type Value struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// report puts the days together.
func (r *running) report(observed []observation) (*Report, error) {
	out := &Report{
		Schema: Schema, Model: fmt.Sprintf("%s %d", r.Model.Name, r.Model.Version), Shipped: r.Model.Weights[score.Breach], Days: len(observed),
	}
	b := builder{number: map[string]int32{}}
	b.panel.Series = make([][][]float64, len(Weights())*int(measures))
	for i := range observed {
		o := &observed[i]
		if len(o.customers) == 0 {
			continue
		}
		if out.First == "" {
			out.First = r.days[i].String()
		}
		out.Last = r.days[i].String()
		out.Lists += len(o.customers)
		for _, v := range o.values[0][demand] {
			if !math.IsNaN(v) {
				out.Wanting++
			}
		}
		b.add(o)
	}
	out.Customers = len(b.panel.Clusters)
	if out.Lists == 0 {
		return nil, fmt.Errorf("%w: %s to %s", ErrNoHistory, r.days[0], r.days[len(r.days)-1])
	}
	if err := out.fill(&b.panel, r.Options.Workers); err != nil {
		return nil, err
	}
	return out, nil
}

// builder makes the panel that is resampled: a stratum a day.
type builder struct {
	panel  evaluate.Panel
	number map[string]int32 // of customers
}

func (b *builder) add(o *observation) {
	stratum := make([]int32, len(o.customers))
	for k, id := range o.customers {
		n, ok := b.number[id]
		if !ok {
			n = int32(len(b.number))
			b.number[id] = n
			b.panel.Clusters = append(b.panel.Clusters, id)
		}
		stratum[k] = n
	}
	b.panel.Strata = append(b.panel.Strata, stratum)
	for k := range o.values {
		for m := range measures {
			s := k*int(measures) + int(m)
			b.panel.Series[s] = append(b.panel.Series[s], o.values[k][m])
		}
	}
}

// fill computes the points.
func (r *Report) fill(panel *evaluate.Panel, workers int) error {
	means, err := panel.Means()
	if err != nil {
		return err
	}
	resampled, err := evaluate.DefaultBootstrap().Resample(panel, workers)
	if err != nil {
		return err
	}
	of := func(statistic func(evaluate.Means) float64) Value {
		i := resampled.Interval(statistic)
		return Value{Value: known(statistic(means)), Low: known(i.Low), High: known(i.High)}
	}
	for k, w := range Weights() {
		mean := func(k int, m measure) func(evaluate.Means) float64 {
			return func(v evaluate.Means) float64 { return overall(v[k*int(measures)+int(m)]) }
		}
		change := func(m measure) func(evaluate.Means) float64 {
			return func(v evaluate.Means) float64 { return mean(k, m)(v) - mean(0, m)(v) }
		}
		r.Points = append(r.Points, Point{
			Weight: w, Demand: of(mean(k, demand)), Beyond: of(mean(k, beyond)), Foreseen: of(mean(k, foreseen)),
			DemandChange: of(change(demand)), BeyondChange: of(change(beyond)),
		})
	}
	return nil
}

// overall is the mean over days; those on which nothing was measured are left out.
func overall(days []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range days {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// known is 0 for what was not measured: JSON has no NaN, and Wanting and Lists say of how
// many it is.
func known(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// WriteJSON writes the report.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
