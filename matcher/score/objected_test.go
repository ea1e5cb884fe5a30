package score_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// object lets a customer raise a doubt about a fund, as one event of his does.
func object(c *score.Customer, fundIndex int32, doubt uint32) {
	c.Objected = score.Object(slices.Clone(c.Objected), fundIndex, doubt)
	c.Doubts |= doubt
}

// someDoubt is one of few codes, or one that he did not name.
func someDoubt(t *rapid.T) uint32 {
	return rapid.SampledFrom([]uint32{0, 1, 2, 4, 8, 1 << 31}).Draw(t, "doubt")
}

func TestObjected(t *testing.T) {
	const fee, size, timing = 1, 2, 4
	products := make([]fund.Product, 6)
	in := make([]score.Product, len(products))
	for i, p := range []score.Product{
		{Fund: 0, Raises: fee},
		{Fund: 0}, // another class of it
		{Fund: 1, Raises: fee | size},
		{Fund: 2, Raises: timing},
		{Fund: 3},
		{Fund: 4, Raises: size},
	} {
		products[i] = free(fund.Product{})
		p.Product, p.Record = &products[i], &fund.TrackRecord{}
		in[i] = p
	}
	m := model(t)
	s := score.Compile(m, in, 5, nearest(5))
	for name, c := range map[string]struct {
		doubts map[int32]uint32
		other  uint32 // raised about no product of the pool
		want   [6]float64
	}{
		"nothing":                           {nil, 0, [6]float64{}},
		"one doubt, all classes":            {map[int32]uint32{0: fee}, 0, [6]float64{1, 1, .25, 0, 0, 0}},
		"a doubt that he did not name":      {map[int32]uint32{0: 0}, 0, [6]float64{.5, .5, 0, 0, 0, 0}},
		"two doubts about one":              {map[int32]uint32{3: fee | size}, 0, [6]float64{.25, 0, .25, 0, 1.5, .25}},
		"a doubt about nothing of the pool": {nil, timing, [6]float64{0, 0, 0, .25, 0, 0}},
		"two funds":                         {map[int32]uint32{1: size, 4: timing}, 0, [6]float64{0, 0, 1, .25, 0, 1}},
		"a fund that the pool lacks":        {map[int32]uint32{5: fee, -1: fee}, 0, [6]float64{.25, 0, .25, 0, 0, 0}},
	} {
		customer := &score.Customer{Personal: true, Doubts: c.other}
		for f, d := range c.doubts {
			object(customer, f, d)
		}
		for i, want := range c.want {
			if got := value(s, customer, len(products), i, score.Objected); got != want {
				t.Errorf("%s: product %d is worth %v, want %v", name, i, got, want)
			}
			customer.Personal = false
			if got := value(s, customer, len(products), i, score.Objected); got != 0 {
				t.Errorf("%s: product %d is worth %v without personalisation", name, i, got)
			}
			customer.Personal = true
		}
	}
}

func TestObjectKeepsTheListInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[int32]uint32{}
		var list []score.Objection
		for range rapid.IntRange(0, 12).Draw(t, "events") {
			f, d := rapid.Int32Range(0, 5).Draw(t, "fund"), someDoubt(t)
			want[f] |= d
			list = score.Object(list, f, d)
		}
		if len(list) != len(want) || !slices.IsSortedFunc(list, func(a, b score.Objection) int { return int(a.Fund - b.Fund) }) {
			t.Fatalf("%+v of %v", list, want)
		}
		for _, o := range list {
			if want[o.Fund] != o.Doubts {
				t.Fatalf("%+v of %v", list, want)
			}
		}
	})
}

// weighing compiles the same pool under models that weigh doubts differently, the least
// and the greatest weight among them.
func weighing(tb testing.TB) (scorers []*score.Scorer, fundOf []int32) {
	tb.Helper()
	types := []string{"股票型", "货币型", "债券型-长债", "FOF"}
	const n = 40
	products, in := make([]fund.Product, n), make([]score.Product, n)
	for i := range in {
		products[i] = free(fund.Product{Type: types[i/4%len(types)]})
		products[i].Fees.Management = fund.BasisPoints(i / 8) // many are equal
		in[i] = score.Product{Product: &products[i], Fund: int32(i / 2), Record: &fund.TrackRecord{}}
		if i%3 != 0 {
			in[i].Raises = 1 << (i % 4)
		}
		fundOf = append(fundOf, in[i].Fund)
	}
	for _, w := range []string{"-0.5", "-1000", "-0.000001", "0", "-0.3"} {
		text := strings.Replace(string(score.DefaultModel()), "weight: -0.5", "weight: "+w, 1)
		m, err := score.ParseModel([]byte(text))
		if err != nil {
			tb.Fatal(err)
		}
		scorers = append(scorers, score.Compile(m, in, n/2, nearest(n/2, []int32{0, 1, 2}, []int32{1, 7}, []int32{7, 9, 11})))
	}
	return scorers, fundOf
}

// TestAnObjectionNeverRaisesWhatItWasAbout: one more doubt about a fund lifts neither its
// score nor its place among the products by score. What stood before it stays before it;
// what was equal to it is at least equal.
func TestAnObjectionNeverRaisesWhatItWasAbout(t *testing.T) {
	scorers, fundOf := weighing(t)
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(scorers).Draw(t, "model")
		customer := aCustomer(t, 20)
		about, doubt := rapid.Int32Range(0, 19).Draw(t, "about"), someDoubt(t)
		var before, after score.Scores
		s.Score(customer, all(len(fundOf)), &before)
		more := *customer
		object(&more, about, doubt)
		s.Score(&more, all(len(fundOf)), &after)
		for i, f := range fundOf {
			if f != about {
				continue
			}
			if after.Product[i] > before.Product[i] {
				t.Fatalf("product %d rose from %v to %v", i, before.Product[i], after.Product[i])
			}
			for j, other := range fundOf {
				if other == about {
					continue
				}
				was, is := before.Product[j]-before.Product[i], after.Product[j]-after.Product[i]
				if was > 0 && is <= 0 || was == 0 && is < 0 {
					t.Fatalf("product %d was %v behind product %d and is %v", i, was, j, is)
				}
				if was < 0 && is > 0 {
					moved++
				}
			}
		}
	})
	if moved == 0 {
		t.Error("no objection moved anything: the draws show nothing")
	}
}

// What he objected to is worth less than whatever only resembles it.
func TestWhatHeObjectedToIsWorthLeast(t *testing.T) {
	scorers, fundOf := weighing(t)
	rapid.Check(t, func(t *rapid.T) {
		customer := aCustomer(t, 20)
		customer.Personal = true
		var out score.Scores
		scorers[0].Score(customer, all(len(fundOf)), &out)
		least, most := 99., 0.
		for i, f := range fundOf {
			v := scorers[0].Contributions(&out, i, nil)[score.Objected].Value
			if slices.ContainsFunc(customer.Objected, func(o score.Objection) bool { return o.Fund == f }) {
				least = min(least, v)
			} else {
				most = max(most, v)
			}
		}
		if least <= most {
			t.Fatalf("a fund objected to is worth %v, another %v", least, most)
		}
	})
}

// A model of before OBJECTED serves replay, scores as it did, and serves no new answer.
func TestARecordedModelScoresAsItDid(t *testing.T) {
	old, err := os.ReadFile("testdata/spine-1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := score.ParseModel(old); !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), "OBJECTED") {
		t.Errorf("new answers by the old model: %v", err)
	}
	m, err := score.ParseRecorded(old)
	if err != nil {
		t.Fatal(err)
	}
	if m.Version != 1 || m.Weights[score.Objected] != 0 || m.Reasons[score.Objected] == "" || m.Weights[score.Popularity] != .15 {
		t.Errorf("version %d, weights %v", m.Version, m.Weights)
	}
	current := model(t)
	want := current.Settings // but for what is learned and foreseen since
	want.Affinity = score.AffinitySettings{IsNearest: true, Nearest: usual}
	want.Outcome = nil
	if !reflect.DeepEqual(m.Settings, want) {
		t.Errorf("settings %+v, expected %+v", m.Settings, want)
	}
	same, err := score.ParseRecorded(score.DefaultModel())
	if err != nil || !reflect.DeepEqual(same, current) {
		t.Errorf("the built-in model, recorded: %+v, %v", same, err)
	}
	for name, damaged := range map[string][]byte{
		"another feature missing": bytes.Replace(old, []byte("feature: QUALITY"), []byte("feature: COST"), 1),
		"an unknown key":          append(slices.Clone(old), "extra: 1\n"...),
		"a section cut short":     append(slices.Clone(old), "objection: {loss_ratio: 50000}\n"...),
		"a track without a rate":  append(slices.Clone(old), "track: {}\n"...),
		"nothing":                 nil,
	} {
		if _, err := score.ParseRecorded(damaged); !errors.Is(err, score.ErrModel) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestTheSettingsOfTheStages(t *testing.T) {
	s := model(t).Settings
	got := fmt.Sprint(s.Objection, s.Track, s.Plan)
	if want := "{5000000000 50000 365 8} {150} {1000 36}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	zero := strings.Replace(string(score.DefaultModel()), "risk_free_bps: 150", "risk_free_bps: 0", 1)
	if m, err := score.ParseModel([]byte(zero)); err != nil || m.Settings.Track.RiskFree != 0 {
		t.Errorf("a rate of nothing: %v", err)
	}
}
