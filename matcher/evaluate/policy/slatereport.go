package policy

// estimates are the six of whole lists.
func (s *slates) estimates() *SlateEstimates {
	out := &SlateEstimates{LeftOut: s.leftOut, Reason: s.reason}
	if s.reason != "" {
		return out
	}
	var n, rows, squared float64
	for i, lists := range s.lengths {
		length := float64(i + 1)
		out.Decisions += lists
		rows += float64(lists) * length
		squared += float64(lists) * length * length
	}
	n = float64(out.Decisions)
	k := s.longest()
	for _, e := range []struct {
		to    **Estimate
		value Estimate
	}{
		{&out.Standard, mean(n, s.standard.a, s.standard.aa)},
		{&out.SNStandard, s.standard.normalised(n, rows, squared)},
		{&out.Independent, s.independent.mean(n, k)},
		{&out.SNIndependent, s.independent.normalised(n, s.lengths[:k])},
		{&out.RewardInteraction, s.interaction.mean(n, k)},
		{&out.SNRewardInteraction, s.interaction.normalised(n, s.lengths[:k])},
	} {
		*e.to = &e.value
	}
	return out
}

// normalised is sum(a)/n divided by sum(b)/sum(c), c being lengths. With v = sum(a)/sum(b) and g = sum(c)/sum(b) a list moves
// it by g (a - v b) + (v c - value).
func (t *triple) normalised(n, lengths, squared float64) Estimate {
	v, g := quotient(t.a, t.b), sum{hi: lengths}.by(t.b.hi).hi
	value := sum{hi: v}.times(lengths).by(n)
	ofLists := t.aa.minus(t.ab.times(2 * v)).plus(t.bb.times(v).times(v)).times(g).times(g)
	between := t.ac.minus(t.bc.times(v)).times(v).minus(t.a.minus(t.b.times(v)).times(value.hi)).times(2 * g)
	ofLengths := sum{hi: squared}.times(v).times(v).minus(value.square().times(n))
	return estimate(value.hi, n, ofLists.plus(between).plus(ofLengths))
}

// mean is of the sum over positions of x.
func (s *slots) mean(n float64, k int) Estimate {
	var total, squares sum
	for j := range k {
		total = total.plus(s.x(j, k))
		squares = squares.plus(s.xx[j*s.k+j])
		for i := range j {
			squares = squares.plus(s.xx[j*s.k+i].times(2))
		}
	}
	return mean(n, total, squares)
}

// x is the sum of position i's x, and w that of its weights.
func (s *slots) x(i, k int) sum { return column(s.lx, s.k, i, k) }
func (s *slots) w(i, k int) sum { return column(s.lw, s.k, i, k) }

func column(of []sum, wide, i, k int) (total sum) {
	for length := i; length < k; length++ {
		total = total.plus(of[length*wide+i])
	}
	return total
}

// normalised is the sum over positions i of (lists that have i) / n times v_i = sum(x_i) / sum(w_i). A list of some length moves
// it by the sum over its positions of g_i (x_i - v_i w_i) + v_i, less the value, with g_i = lists that have i / sum(w_i).
func (s *slots) normalised(n float64, lengths []int64) Estimate {
	k := len(lengths)
	v, g, has := make([]float64, k), make([]float64, k), 0.0
	var total sum
	for i := k - 1; i >= 0; i-- {
		has += float64(lengths[i])
		w := s.w(i, k)
		v[i], g[i] = quotient(s.x(i, k), w), sum{hi: has}.by(w.hi).hi
		total = total.plus(product(v[i], has))
	}
	value := total.by(n)
	squares := s.within(v, g, k)
	var upTo sum // the sum of v over the positions of a list of that length
	for length := range k {
		upTo = upTo.add(v[length])
		off := upTo.minus(value)
		squares = squares.plus(off.square().times(float64(lengths[length])))
		for i := range length + 1 {
			at := length*s.k + i
			residual := s.lx[at].minus(s.lw[at].times(v[i]))
			squares = squares.plus(residual.times(2 * g[i]).times(off.hi))
		}
	}
	return estimate(value.hi, n, squares)
}

// within is the sum over lists of (sum over i of g_i (x_i - v_i w_i))^2.
func (s *slots) within(v, g []float64, k int) (total sum) {
	for j := range k {
		for i := range j + 1 {
			ji, ij := j*s.k+i, i*s.k+j
			e := s.xx[ji].minus(s.wx[ji].times(v[i])).minus(s.wx[ij].times(v[j])).plus(s.ww[ji].times(v[i]).times(v[j]))
			if i < j {
				e = e.times(2)
			}
			total = total.plus(e.times(g[j]).times(g[i]))
		}
	}
	return total
}
