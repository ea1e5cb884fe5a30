package policy_test

import (
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

// This file is the other implementation: the whole log in memory, each formula as its source has it, standard errors by
// covariance matrices and gradients.

// row of a log.
type row struct {
	decision, position int
	code               string
	reward, p, target  float64
}

// told is a value and a standard error.
type told struct{ value, stderr float64 }

// textbook holds estimators by their JSON names.
type textbook map[string]told

func average(x []float64) float64 {
	total := 0.0
	for _, v := range x {
		total += v
	}
	return total / float64(len(x))
}

func covariance(x, y []float64) float64 {
	mx, my, total := average(x), average(y), 0.0
	for i := range x {
		total += (x[i] - mx) * (y[i] - my)
	}
	return total / float64(len(x)-1)
}

// delta is the standard error of a function of the columns' means, by its gradient.
func delta(columns [][]float64, gradient []float64) float64 {
	variance := 0.0
	for i := range columns {
		for j := range columns {
			variance += gradient[i] * gradient[j] * covariance(columns[i], columns[j])
		}
	}
	return math.Sqrt(max(0, variance) / float64(len(columns[0])))
}

func meanOf(x []float64) told {
	return told{average(x), math.Sqrt(covariance(x, x) / float64(len(x)))}
}

// rowsOf turns batches into rows.
func rowsOf(batches []*policy.Batch, target *policy.Target) (all []row) {
	decision := 0
	for _, b := range batches {
		from := 0
		for _, end := range b.Ends {
			for i := from; i < int(end); i++ {
				r := row{decision, int(b.Position[i]), b.Codes[b.Product[i]], b.Reward[i], b.Propensity[i], 0}
				if target != nil {
					r.target = target.Probability(r.code, r.position)
				} else {
					r.target = b.Target[i]
				}
				all = append(all, r)
			}
			from = int(end)
			decision++
		}
	}
	return all
}

// estimates are those of rows, by the settings.
func estimates(all []row, s *policy.Settings) textbook {
	var w, wr, clipped []float64
	var known []row
	for _, r := range all {
		if math.IsNaN(r.reward) {
			continue
		}
		known = append(known, r)
		weight := r.target / r.p
		w, wr = append(w, weight), append(wr, weight*r.reward)
		clipped = append(clipped, min(weight, s.Clip)*r.reward)
	}
	out := textbook{"ips": meanOf(wr), "clipped_ips": meanOf(clipped)}
	mw, mx := average(w), average(wr)
	out["snips"] = told{mx / mw, delta([][]float64{wr, w}, []float64{1 / mw, -mx / (mw * mw)})}
	if s.Target != nil && s.RewardModel != policy.ModelNone {
		modelled(known, w, s, out)
	}
	slateEstimates(all, out)
	out["ndcg"] = ndcg(all, s.ListCutoff)
	return out
}

// modelled adds the estimators with a reward model.
func modelled(known []row, w []float64, s *policy.Settings, out textbook) {
	key := func(code string, position int) [2]any {
		if s.RewardModel == policy.ModelAction {
			position = 0
		}
		return [2]any{code, position}
	}
	rewards := map[[2]any][]float64{}
	for _, r := range known {
		rewards[key(r.code, r.position)] = append(rewards[key(r.code, r.position)], r.reward)
	}
	value := func(position int) float64 {
		total, seen := 0.0, 0.0
		for _, code := range s.Target.Codes() {
			if all := rewards[key(code, position)]; len(all) > 0 {
				share := s.Target.Probability(code, position)
				total, seen = total+share*average(all), seen+share
			}
		}
		return total / seen
	}
	var v, residual, switched, shrunk []float64
	values := map[int]float64{}
	for i, r := range known {
		if _, there := values[r.position]; !there {
			values[r.position] = value(r.position)
		}
		base, miss := values[r.position], r.reward-average(rewards[key(r.code, r.position)])
		v, residual = append(v, base), append(residual, w[i]*miss)
		kept := 0.0
		if w[i] <= s.SwitchLambda {
			kept = w[i]
		}
		switched = append(switched, base+kept*miss)
		shrunk = append(shrunk, base+s.DRosLambda*w[i]/(w[i]*w[i]+s.DRosLambda)*miss)
	}
	both := make([]float64, len(v))
	for i := range v {
		both[i] = v[i] + residual[i]
	}
	out["dm"], out["dr"], out["switch_dr"], out["dros"] = meanOf(v), meanOf(both), meanOf(switched), meanOf(shrunk)
	mw, mr := average(w), average(residual)
	out["sndr"] = told{average(v) + mr/mw, delta([][]float64{v, residual, w}, []float64{1, 1 / mw, -mr / (mw * mw)})}
}

// lists parts rows by decision, each in the order of its positions; those with a censored row are nil, and those with a
// gap where gaps matter.
func listsOf(all []row, gaps bool) (lists [][]row) {
	for i := 0; i < len(all); {
		end := i
		for end < len(all) && all[end].decision == all[i].decision {
			end++
		}
		list := slices.Clone(all[i:end])
		i = end
		slices.SortFunc(list, func(a, b row) int { return a.position - b.position })
		for k, r := range list {
			if math.IsNaN(r.reward) || gaps && r.position != k+1 {
				list = nil
				break
			}
		}
		if list != nil {
			lists = append(lists, list)
		}
	}
	return lists
}

// slateEstimates follow the Open Bandit Pipeline, standard errors by the delta method.
func slateEstimates(all []row, out textbook) {
	lists := listsOf(all, true)
	longest := 0
	for _, list := range lists {
		longest = max(longest, len(list))
	}
	column := func() []float64 { return make([]float64, len(lists)) }
	a, b, c := column(), column(), column()
	var ind, inter slotColumns
	for range longest {
		ind.add(column)
		inter.add(column)
	}
	for s, list := range lists {
		whole, total := 1.0, 0.0
		for k, r := range list {
			w := r.target / r.p
			whole *= w
			total += r.reward
			ind.set(s, k, w, r.reward)
			inter.set(s, k, whole, r.reward)
		}
		n := float64(len(list))
		a[s], b[s], c[s] = whole*total, n*whole, n
	}
	out["standard"] = meanOf(a)
	ma, mb, mc := average(a), average(b), average(c)
	out["sn_standard"] = told{ma * mc / mb, delta([][]float64{a, b, c}, []float64{mc / mb, -ma * mc / (mb * mb), ma / mb})}
	out["independent"], out["sn_independent"] = ind.estimates()
	out["reward_interaction"], out["sn_reward_interaction"] = inter.estimates()
}

// slotColumns are of each position: w r, w, and whether the list has it.
type slotColumns struct{ x, w, has [][]float64 }

func (s *slotColumns) add(column func() []float64) {
	s.x, s.w, s.has = append(s.x, column()), append(s.w, column()), append(s.has, column())
}

func (s *slotColumns) set(list, k int, w, reward float64) {
	s.x[k][list], s.w[k][list], s.has[k][list] = w*reward, w, 1
}

func (s *slotColumns) estimates() (plain, normalised told) {
	if len(s.x) == 0 {
		return told{math.NaN(), math.NaN()}, told{math.NaN(), math.NaN()}
	}
	total := make([]float64, len(s.x[0]))
	var columns [][]float64
	var gradient []float64
	for k := range s.x {
		for i, v := range s.x[k] {
			total[i] += v
		}
		x, w, has := average(s.x[k]), average(s.w[k]), average(s.has[k])
		normalised.value += has * x / w
		columns = append(columns, s.x[k], s.w[k], s.has[k])
		gradient = append(gradient, has/w, -has*x/(w*w), x/w)
	}
	normalised.stderr = delta(columns, gradient)
	return meanOf(total), normalised
}

// ndcg is the mean of DCG over ideal DCG.
func ndcg(all []row, k int) told {
	var values []float64
	for _, list := range listsOf(all, false) {
		dcg, ideal := 0.0, 0.0
		var gains []float64
		for _, r := range list {
			gain := max(r.reward, 0)
			gains = append(gains, gain)
			if r.position <= k {
				dcg += gain / math.Log2(float64(r.position)+1)
			}
		}
		slices.SortFunc(gains, func(a, b float64) int {
			if a > b {
				return -1
			}
			return 1
		})
		for i, g := range gains[:min(k, len(gains))] {
			ideal += g / math.Log2(float64(i)+2)
		}
		if ideal == 0 {
			values = append(values, 0)
			continue
		}
		values = append(values, dcg/ideal)
	}
	return meanOf(values)
}

// compare holds a result against the textbook.
func compare(t failer, got *policy.Result, want textbook, tolerance float64) {
	t.Helper()
	all := map[string]*policy.Estimate{
		"ips": &got.Estimates.IPS, "snips": &got.Estimates.SNIPS, "clipped_ips": &got.Estimates.ClippedIPS,
		"dm": got.Estimates.DM, "dr": got.Estimates.DR, "sndr": got.Estimates.SNDR,
		"switch_dr": got.Estimates.SwitchDR, "dros": got.Estimates.DRos,
		"standard": got.Slates.Standard, "sn_standard": got.Slates.SNStandard,
		"independent": got.Slates.Independent, "sn_independent": got.Slates.SNIndependent,
		"reward_interaction": got.Slates.RewardInteraction, "sn_reward_interaction": got.Slates.SNRewardInteraction,
		"ndcg": &got.Lists.NDCG,
	}
	for name, e := range all {
		w, there := want[name]
		if !there || e == nil {
			if there || e != nil {
				t.Errorf("%s: there %t, expected %t", name, e != nil, there)
			}
			continue
		}
		if !near(float64(e.Value), w.value, tolerance) {
			t.Errorf("%s is %v, expected %v", name, e.Value, w.value)
		}
		stderr := float64(e.StdErr)
		// where all is the same, rounding leaves a root of the last digit
		if !near(stderr, w.stderr, tolerance) && !(math.Abs(stderr*stderr-w.stderr*w.stderr) <= 1e-13) {
			t.Errorf("standard error of %s is %v, expected %v", name, e.StdErr, w.stderr)
		}
		half := 1.959963984540054 * stderr
		if !near(float64(e.CI95[0]), w.value-half, tolerance) || !near(float64(e.CI95[1]), w.value+half, tolerance) {
			t.Errorf("interval of %s is %v, expected %v -+ %v", name, e.CI95, w.value, half)
		}
	}
}

// near compares beside the larger of 1 and the number; what cannot be said is alike.
func near(got, want, tolerance float64) bool {
	if want-want != 0 {
		return got-got != 0
	}
	return math.Abs(got-want) <= tolerance*max(1, math.Abs(want))
}
