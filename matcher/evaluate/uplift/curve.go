package uplift

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Observation is a customer of the experiment, with what the model forecast before it.
type Observation struct {
	Uplift   float64 // forecast: by how much the treatment raises his chance
	Treated  bool
	Happened bool
}

// Group is how many had one forecast.
type Group struct {
	Treated       int64 `json:"treated"`
	TreatedEvents int64 `json:"treated_events"` // of the treated: it happened
	Control       int64 `json:"control"`
	ControlEvents int64 `json:"control_events"`
}

// Point is a place on a curve.
type Point struct {
	Customers int64   // so many, those with the highest forecast
	Gain      float64 // events more than without treatment
}

// Groups puts observations of one forecast together, the highest first.
// Errors: ErrData (a forecast that is NaN).
func Groups(observations []Observation) ([]Group, error) {
	for i, o := range observations {
		if math.IsNaN(o.Uplift) {
			return nil, fmt.Errorf("%w: forecast %d is NaN", ErrData, i+1)
		}
	}
	sorted := slices.Clone(observations)
	slices.SortFunc(sorted, func(a, b Observation) int { return cmp.Compare(b.Uplift, a.Uplift) })
	var out []Group
	for i, o := range sorted {
		if i == 0 || o.Uplift != sorted[i-1].Uplift {
			out = append(out, Group{})
		}
		out[len(out)-1].add(o.Treated, o.Happened)
	}
	return out, nil
}

func (g *Group) add(treated, happened bool) {
	event := int64(0)
	if happened {
		event = 1
	}
	if treated {
		g.Treated++
		g.TreatedEvents += event
	} else {
		g.Control++
		g.ControlEvents += event
	}
}

func (g *Group) plus(o Group) {
	g.Treated += o.Treated
	g.TreatedEvents += o.TreatedEvents
	g.Control += o.Control
	g.ControlEvents += o.ControlEvents
}

// QiniCurve is, after each group, events of the treated less those of the control times N_t/N_c (Radcliffe 2007); the
// control's count as 0 while it has nobody.
func QiniCurve(groups []Group) []Point {
	return curve(groups, func(g Group) float64 {
		if g.Control == 0 {
			return float64(g.TreatedEvents)
		}
		return float64(g.TreatedEvents) - float64(float64(g.ControlEvents)*(float64(g.Treated)/float64(g.Control)))
	})
}

// Curve is, after each group, the difference of the arms' shares of events times the customers so far; the share of an arm
// without anybody counts as 0.
func Curve(groups []Group) []Point {
	share := func(events, n int64) float64 {
		if n == 0 {
			return 0
		}
		return float64(events) / float64(n)
	}
	return curve(groups, func(g Group) float64 {
		return float64((share(g.TreatedEvents, g.Treated) - share(g.ControlEvents, g.Control)) * float64(g.Treated+g.Control))
	})
}

// curve starts at nobody and has a point behind each group that is not empty.
func curve(groups []Group, gain func(Group) float64) []Point {
	out := []Point{{}}
	var so Group
	for _, g := range groups {
		if g == (Group{}) {
			continue
		}
		so.plus(g)
		out = append(out, Point{Customers: so.Treated + so.Control, Gain: gain(so)})
	}
	return out
}

// area is that under a curve, by trapezia.
func area(points []Point) float64 {
	var sum float64
	for i := 1; i < len(points); i++ {
		width := float64(points[i].Customers - points[i-1].Customers)
		sum += float64(width * ((points[i].Gain + points[i-1].Gain) / 2))
	}
	return sum
}

// normalised is the area above the straight line to the curve's end, as a share of that of the best curve:
// 1 is the best order, 0 chance.
func normalised(points, best []Point) (float64, error) {
	chance := area([]Point{{}, points[len(points)-1]})
	most := area(best) - chance
	if !(most > 0) {
		return math.NaN(), fmt.Errorf("%w: the best order gains no more than chance", ErrFlat)
	}
	return (area(points) - chance) / most, nil
}

// Qini is the normalised area under the Qini curve (scikit-uplift's qini_auc_score with negative effects): the best order
// has the treated to whom it happened first, then all to whom it makes no difference, then those of the control to whom it
// happened.
// Errors: ErrArms, ErrFlat.
func Qini(groups []Group) (float64, error) {
	all, err := total(groups)
	if err != nil {
		return math.NaN(), err
	}
	best := []Group{
		{Treated: all.TreatedEvents, TreatedEvents: all.TreatedEvents},
		{Treated: all.Treated - all.TreatedEvents, Control: all.Control - all.ControlEvents},
		{Control: all.ControlEvents, ControlEvents: all.ControlEvents},
	}
	return normalised(QiniCurve(groups), QiniCurve(best))
}

// AUUC is the normalised area under the uplift curve (scikit-uplift's uplift_auc_score). Its best order, too, is theirs:
// treated to whom it happened and untreated to whom it did not come before the others, and within both the rarer kind of
// the wrong ones last.
// Errors: ErrArms, ErrFlat.
func AUUC(groups []Group) (float64, error) {
	all, err := total(groups)
	if err != nil {
		return math.NaN(), err
	}
	treatedEvents := Group{Treated: all.TreatedEvents, TreatedEvents: all.TreatedEvents}
	treatedNot := Group{Treated: all.Treated - all.TreatedEvents}
	controlEvents := Group{Control: all.ControlEvents, ControlEvents: all.ControlEvents}
	controlNot := Group{Control: all.Control - all.ControlEvents}
	best := []Group{treatedEvents, controlNot, treatedNot, controlEvents}
	if controlEvents.Control > treatedNot.Treated {
		best = []Group{treatedEvents, controlNot, controlEvents, treatedNot}
	}
	return normalised(Curve(groups), Curve(best))
}

// total sums groups.
func total(groups []Group) (Group, error) {
	var all Group
	for _, g := range groups {
		all.plus(g)
	}
	if all.Treated == 0 || all.Control == 0 {
		return all, fmt.Errorf("%w: %d treated and %d not, expected some of both", ErrArms, all.Treated, all.Control)
	}
	return all, nil
}
