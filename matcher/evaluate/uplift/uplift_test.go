package uplift_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/uplift"
)

func groupsOf(t *testing.T, observations ...uplift.Observation) []uplift.Group {
	t.Helper()
	g, err := uplift.Groups(observations)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// scikit-uplift's own case.
func TestPublishedUplift(t *testing.T) {
	g := groupsOf(t, uplift.Observation{Uplift: .1, Happened: true}, uplift.Observation{Uplift: .3, Treated: true})
	qini, err := uplift.Qini(g)
	if err != nil || qini != 1 {
		t.Errorf("Qini %v, %v, expected 1", qini, err)
	}
	auuc, err := uplift.AUUC(g)
	if err != nil || auuc != 1 {
		t.Errorf("AUUC %v, %v, expected 1", auuc, err)
	}
}

// A case that is reckoned on paper: two of three treated and one of two others, two of them with one forecast.
func TestCurvesOnPaper(t *testing.T) {
	g := groupsOf(
		t,
		uplift.Observation{Uplift: .9, Treated: true, Happened: true},
		uplift.Observation{Uplift: .5, Treated: true},
		uplift.Observation{Uplift: .5, Happened: true},
		uplift.Observation{Uplift: .2, Treated: true, Happened: true},
		uplift.Observation{Uplift: -.4},
	)
	qini := []uplift.Point{{}, {1, 1}, {3, 1 - 1*2.}, {4, 2 - 1*3.}, {5, 2 - 1*1.5}}
	if got := uplift.QiniCurve(g); !slices.Equal(got, qini) {
		t.Errorf("Qini curve %v, expected %v", got, qini)
	}
	curve := []uplift.Point{{}, {1, 1}, {3, (.5 - 1) * 3}, {4, (2./3 - 1) * 4}, {5, (2./3 - .5) * 5}}
	for i, p := range uplift.Curve(g) {
		if p.Customers != curve[i].Customers || math.Abs(p.Gain-curve[i].Gain) > 1e-12 {
			t.Errorf("uplift curve at %d: %v, expected %v", i, p, curve[i])
		}
	}
	// Areas: 1/2 + 0 - 1 - 1/4 = -3/4 against chance 5/4; the best is two treated that buy (2, 2), one who does not and
	// one of the control who does not (4, 2), one of the control who does (5, 1/2): 2 + 4 + 5/4 = 29/4.
	got, err := uplift.Qini(g)
	if want := (-.75 - 1.25) / (7.25 - 1.25); err != nil || math.Abs(got-want) > 1e-12 {
		t.Errorf("Qini %v, %v, expected %v", got, err, want)
	}
}

// By other code, customer by customer as scikit-uplift does it: with its own best order.
func TestUpliftAgainstOtherCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "n")
		all := make([]uplift.Observation, n)
		for i := range all {
			all[i] = uplift.Observation{
				Uplift: float64(rapid.IntRange(-4, 4).Draw(t, "u")) / 4, Treated: rapid.Bool().Draw(t, "t"), Happened: rapid.Bool().Draw(t, "y"),
			}
		}
		groups, err := uplift.Groups(all)
		if err != nil {
			t.Fatal(err)
		}
		var wrongControl, wrongTreated float64
		for _, o := range all {
			if o.Happened && !o.Treated {
				wrongControl++
			}
			if !o.Happened && o.Treated {
				wrongTreated++
			}
		}
		bestQini := func(o uplift.Observation) float64 { return bit(o.Happened) * (2*bit(o.Treated) - 1) }
		bestUplift := func(o uplift.Observation) float64 {
			last := bit(o.Treated)
			if wrongControl > wrongTreated {
				last = bit(o.Happened)
			}
			return 2*bit(o.Happened == o.Treated) + last
		}
		own := func(o uplift.Observation) float64 { return o.Uplift }
		for _, c := range []struct {
			name  string
			score func([]uplift.Group) (float64, error)
			gain  func(nt, yt, nc, yc float64) float64
			best  func(uplift.Observation) float64
		}{
			{"Qini", uplift.Qini, func(nt, yt, nc, yc float64) float64 { return yt - yc*share(nt, nc) }, bestQini},
			{"AUUC", uplift.AUUC, func(nt, yt, nc, yc float64) float64 { return (share(yt, nt) - share(yc, nc)) * (nt + nc) }, bestUplift},
		} {
			model, end := areaOf(all, own, c.gain)
			best, _ := areaOf(all, c.best, c.gain)
			chance := end * float64(n) / 2
			got, err := c.score(groups)
			if errors.Is(err, uplift.ErrArms) || errors.Is(err, uplift.ErrFlat) {
				continue
			}
			if want := (model - chance) / (best - chance); err != nil || math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
				t.Fatalf("%s %v, %v, expected %v", c.name, got, err, want)
			}
		}
	})
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func share(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// areaOf walks customers by a score, highest first, and adds up trapezia wherever it changes.
func areaOf(all []uplift.Observation, score func(uplift.Observation) float64, gain func(nt, yt, nc, yc float64) float64) (area, end float64) {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b uplift.Observation) int { return cmp.Compare(score(b), score(a)) })
	var nt, yt, nc, yc, x, y float64
	for i, o := range sorted {
		if o.Treated {
			nt, yt = nt+1, yt+bit(o.Happened)
		} else {
			nc, yc = nc+1, yc+bit(o.Happened)
		}
		if i+1 < len(sorted) && score(sorted[i+1]) == score(o) {
			continue
		}
		g := gain(nt, yt, nc, yc)
		area += (nt + nc - x) * (g + y) / 2
		x, y = nt+nc, g
	}
	return area, y
}

// A merged state is exactly that of all, and says what the customers say themselves where forecasts are bins.
func TestMergeEqualsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "n")
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		var all []uplift.Observation
		states := make([]*uplift.State, 3)
		for i := range states {
			var err error
			if states[i], err = uplift.NewState(8); err != nil {
				t.Fatal(err)
			}
		}
		for i := range n {
			o := uplift.Observation{
				Uplift: float64(rapid.IntRange(0, 7).Draw(t, "bin"))/4 - .875, Treated: rapid.Bool().Draw(t, "t"), Happened: rapid.Bool().Draw(t, "y"),
			}
			all = append(all, o)
			part := states[1]
			if i >= cut {
				part = states[2]
			}
			if err := errors.Join(states[0].Add(o), part.Add(o)); err != nil {
				t.Fatal(err)
			}
		}
		if err := states[1].Merge(states[2]); err != nil || !slices.Equal(states[0].Groups(), states[1].Groups()) {
			t.Fatalf("%v merged, %v whole: %v", states[1].Groups(), states[0].Groups(), err)
		}
		groups, err := uplift.Groups(all)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := uplift.QiniCurve(states[0].Groups()), uplift.QiniCurve(groups); !slices.Equal(got, want) {
			t.Fatalf("%v by bins, %v", got, want)
		}
		data, err := json.Marshal(states[0])
		var back uplift.State
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		if err != nil || !slices.Equal(back.Groups(), states[0].Groups()) {
			t.Fatalf("%s came back as %v: %v", data, back.Groups(), err)
		}
	})
}

func TestUpliftThatCannotBeTold(t *testing.T) {
	treated := groupsOf(t, uplift.Observation{Treated: true, Happened: true})
	quiet := groupsOf(t, uplift.Observation{Treated: true}, uplift.Observation{})
	for name, score := range map[string]func([]uplift.Group) (float64, error){"Qini": uplift.Qini, "AUUC": uplift.AUUC} {
		if v, err := score(treated); !errors.Is(err, uplift.ErrArms) || !math.IsNaN(v) {
			t.Errorf("%s without a control: %v, %v", name, v, err)
		}
		if v, err := score(nil); !errors.Is(err, uplift.ErrArms) || !math.IsNaN(v) {
			t.Errorf("%s of nobody: %v, %v", name, v, err)
		}
		if v, err := score(quiet); !errors.Is(err, uplift.ErrFlat) || !math.IsNaN(v) {
			t.Errorf("%s without events: %v, %v", name, v, err)
		}
	}
	if _, err := uplift.Groups([]uplift.Observation{{Uplift: math.NaN()}}); !errors.Is(err, uplift.ErrData) {
		t.Errorf("NaN: %v", err)
	}
	s, err := uplift.NewState(2)
	if err != nil {
		t.Fatal(err)
	}
	other, err := uplift.NewState(3)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []float64{-1.1, 1.1, math.NaN()} {
		if err := s.Add(uplift.Observation{Uplift: u}); !errors.Is(err, uplift.ErrData) {
			t.Errorf("%v: %v", u, err)
		}
	}
	if err := s.Merge(other); !errors.Is(err, uplift.ErrData) {
		t.Errorf("other bins: %v", err)
	}
	for _, bins := range []int{0, uplift.MaxBins + 1} {
		if _, err := uplift.NewState(bins); !errors.Is(err, uplift.ErrData) {
			t.Errorf("%d bins: %v", bins, err)
		}
	}
	for _, text := range []string{`[]`, `{}`, `[{"treated":1,"treated_events":2}]`, `[{"control":1,"control_events":2}]`, `[{"control_events":-1}]`} {
		if err := json.Unmarshal([]byte(text), &uplift.State{}); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}
