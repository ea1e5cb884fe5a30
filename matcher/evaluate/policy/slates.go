package policy

// MaxSlate is the longest list that slate estimators take: they hold sums for each pair of positions.
const MaxSlate = 64

// Why there are no slate estimates.
const (
	TooLong  = "TOO_LONG" // a list is longer than MaxSlate
	Overflow = "OVERFLOW" // products of weights are beyond float64
)

// slates are sums over whole lists.
type slates struct {
	leftOut int64 // lists with a censored row or a gap
	reason  string
	lengths []int64 // at n-1: lists of n positions

	standard    triple
	independent slots
	interaction slots
}

// triple holds the sums of a = W R (weight and reward of the list), b = n W and c = n, the list's length, and of their products.
type triple struct{ a, b, aa, ab, ac, bb, bc sum }

func (t *triple) merge(o *triple) {
	t.a, t.b = t.a.plus(o.a), t.b.plus(o.b)
	t.aa, t.ab, t.ac = t.aa.plus(o.aa), t.ab.plus(o.ab), t.ac.plus(o.ac)
	t.bb, t.bc = t.bb.plus(o.bb), t.bc.plus(o.bc)
}

// slots holds, of k positions, sums of weights w and of x = w r: by the length of the list, which says which positions it
// has, and of the products of each two positions j and i at j*k+i; of xx and ww only i <= j.
type slots struct {
	k          int
	lw, lx     []sum // at (n-1)*k+i: position i of lists of n
	ww, wx, xx []sum // wx: x of j, w of i
}

func (s *slates) reset() {
	clear(s.lengths)
	s.leftOut, s.reason, s.standard = 0, "", triple{}
	s.independent.reset()
	s.interaction.reset()
}

func (s *slots) reset() {
	for _, v := range s.all() {
		clear(*v)
	}
}

func (s *slots) all() [5]*[]sum { return [5]*[]sum{&s.lw, &s.lx, &s.ww, &s.wx, &s.xx} }

// grow makes room for k positions.
func (s *slots) grow(k int) {
	if k <= s.k {
		return
	}
	for _, v := range s.all() {
		wide := make([]sum, k*k)
		for j := range s.k {
			copy(wide[j*k:], (*v)[j*s.k:][:s.k])
		}
		*v = wide
	}
	s.k = k
}

func (s *slates) grow(k int) {
	for len(s.lengths) < k {
		s.lengths = append(s.lengths, 0)
	}
	s.independent.grow(k)
	s.interaction.grow(k)
}

func (s *slates) merge(o *slates) {
	s.leftOut += o.leftOut
	if s.reason != "" || o.reason != "" {
		s.lose(max(s.reason, o.reason)) // the same whichever comes first
		return
	}
	k := o.longest()
	s.grow(k)
	for i, n := range o.lengths[:k] {
		s.lengths[i] += n
	}
	s.standard.merge(&o.standard)
	s.independent.merge(&o.independent, k)
	s.interaction.merge(&o.interaction, k)
}

// longest is the length of the longest list; memory may be there for longer ones.
func (s *slates) longest() int {
	k := len(s.lengths)
	for k > 0 && s.lengths[k-1] == 0 {
		k--
	}
	return k
}

func (s *slots) merge(o *slots, k int) {
	mine, others := s.all(), o.all()
	for v := range mine {
		for j := range k {
			to, from := (*mine[v])[j*s.k:][:k], (*others[v])[j*o.k:][:k]
			for i := range from {
				to[i] = to[i].plus(from[i])
			}
		}
	}
}

// lose gives the estimates up. What was counted is counted no more, but the lists that were left out.
func (s *slates) lose(reason string) {
	*s = slates{leftOut: s.leftOut, reason: reason}
}

// slateWork takes a batch's lists with plain sums of weights, and of rewards less the shift.
type slateWork struct {
	k        int // as wide as the longest list of all batches yet
	reason   string
	lengths  []int64
	standard struct{ a, b, aa, ab, ac, bb, bc float64 } // as in triple

	independent, interaction slotWork

	list  struct{ weight, reward []float64 } // of the list that was taken last, in the order of its positions
	order struct{ weight, reward []float64 } // memory for the list where its rows are in another order
	chain []float64                          // of the list: products of its weights up to each position
	x     []float64                          // of the list: w r
}

type slotWork struct{ lw, lx, ww, wx, xx []float64 }

func (s *slotWork) open(k int, wider bool) {
	for _, v := range []*[]float64{&s.lw, &s.lx, &s.ww, &s.wx, &s.xx} {
		if wider {
			*v = make([]float64, k*k)
		} else {
			clear(*v)
		}
	}
}

// open empties it, with room for the lists of a batch.
func (s *slateWork) open(ends []int32) {
	longest, from := 0, int32(0)
	for _, end := range ends {
		longest = max(longest, int(end-from))
		from = end
	}
	s.reason = ""
	if longest > MaxSlate {
		s.reason, longest = TooLong, 0
	}
	wider := longest > s.k
	s.k = max(s.k, longest)
	s.standard = struct{ a, b, aa, ab, ac, bb, bc float64 }{}
	s.independent.open(s.k, wider)
	s.interaction.open(s.k, wider)
	if !wider {
		clear(s.lengths)
		return
	}
	s.lengths = make([]int64, s.k)
	s.order.weight, s.order.reward = make([]float64, s.k), make([]float64, s.k)
	s.chain, s.x = make([]float64, s.k), make([]float64, s.k)
}

// add takes a list whose rewards are all known; false where its positions are not 1 to n.
func (s *slateWork) add(position []int32, reward, weight []float64, shift float64) bool {
	if s.reason != "" {
		return true
	}
	n := len(position)
	s.list.weight, s.list.reward = weight, reward
	for i, p := range position {
		if int(p) != i+1 {
			if !s.sort(position, reward, weight) {
				return false
			}
			break
		}
	}
	weight, reward = s.list.weight, s.list.reward
	chain, whole, total := s.chain[:n], 1.0, 0.0
	for i, w := range weight {
		whole *= w
		chain[i] = whole
		total += reward[i] - shift
	}
	s.lengths[n-1]++
	t, rows := &s.standard, float64(n)
	a, b := float64(whole*total), float64(whole*rows)
	t.a += a
	t.b += b
	t.aa += float64(a * a)
	t.ab += float64(a * b)
	t.ac += float64(a * rows)
	t.bb += float64(b * b)
	t.bc += float64(b * rows)
	s.independent.add(s.k, weight, reward, s.x[:n], shift)
	s.interaction.add(s.k, chain, reward, s.x[:n], shift)
	return true
}

// sort sets s.list by position; false with a gap.
func (s *slateWork) sort(position []int32, reward, weight []float64) bool {
	n := len(position)
	seen := uint64(0)
	for i, p := range position {
		if p < 1 || int(p) > n || seen&(1<<(p-1)) != 0 {
			return false
		}
		seen |= 1 << (p - 1)
		s.order.weight[p-1], s.order.reward[p-1] = weight[i], reward[i]
	}
	s.list.weight, s.list.reward = s.order.weight[:n], s.order.reward[:n]
	return true
}

// add adds a list's slots. Most rewards are 0: then they cost nothing.
func (s *slotWork) add(k int, weight, reward, x []float64, shift float64) {
	n := len(weight)
	s.weights(k, weight)
	lx, reward, x := s.lx[(n-1)*k:][:n], reward[:n], x[:n]
	for j, w := range weight {
		x[j] = w * (reward[j] - shift)
	}
	for j, v := range x {
		if v == 0 {
			continue
		}
		lx[j] += v
		row := s.wx[j*k:][:n]
		for i, w := range weight {
			row[i] += float64(v * w)
		}
		row = s.xx[j*k:][:j+1]
		for i, u := range x[:len(row)] {
			row[i] += float64(v * u)
		}
	}
}

// weights adds the products of each two weights, two rows of the table at a time: most of what slates cost. What it adds above
// the diagonal nobody reads.
func (s *slotWork) weights(k int, weight []float64) {
	n := len(weight)
	lw := s.lw[(n-1)*k:][:n]
	for j, w := range weight {
		lw[j] += w
	}
	j := 0
	for ; j+1 < n; j += 2 {
		w, v := weight[j], weight[j+1]
		upper, lower := s.ww[j*k:][:j+2], s.ww[(j+1)*k:][:j+2]
		for i, u := range weight[:j+2] {
			upper[i] += float64(w * u)
			lower[i] += float64(v * u)
		}
	}
	if j < n {
		row := s.ww[j*k:][:n]
		for i, u := range weight {
			row[i] += float64(weight[j] * u)
		}
	}
}

// take turns a batch's sums into those of whole rewards, into an empty state.
func (s *slates) take(w *slateWork, shift float64) {
	if w.reason != "" {
		s.lose(w.reason)
		return
	}
	s.grow(w.k)
	copy(s.lengths, w.lengths)
	t := &w.standard
	b, bb := sum{hi: t.b}, sum{hi: t.bb}
	s.standard = triple{
		a: b.times(shift).add(t.a), b: b,
		aa: bb.times(shift).times(shift).plus(product(2*shift, t.ab)).add(t.aa),
		ab: bb.times(shift).add(t.ab), bb: bb,
		ac: product(shift, t.bc).add(t.ac), bc: sum{hi: t.bc},
	}
	s.independent.take(&w.independent, w.k, shift)
	s.interaction.take(&w.interaction, w.k, shift)
	if !s.finite() {
		s.lose(Overflow)
	}
}

func (s *slots) take(w *slotWork, k int, shift float64) {
	for j := range k {
		for i := range k {
			from, to := j*k+i, j*s.k+i
			s.lw[to] = sum{hi: w.lw[from]}
			s.lx[to] = product(shift, w.lw[from]).add(w.lx[from])
			ww := w.ww[from]
			if i > j {
				ww = w.ww[i*k+j]
			}
			s.wx[to] = product(shift, ww).add(w.wx[from])
			if i <= j {
				s.ww[to] = sum{hi: ww}
				mixed := sum{hi: w.wx[from]}.add(w.wx[i*k+j])
				s.xx[to] = product(shift, ww).times(shift).plus(mixed.times(shift)).add(w.xx[from])
			}
		}
	}
}

func (s *slates) finite() bool {
	for _, v := range s.standard.sums() {
		if !v.finite() {
			return false
		}
	}
	return s.independent.finite() && s.interaction.finite()
}

func (s *slots) finite() bool {
	for _, values := range s.all() {
		for _, v := range *values {
			if !v.finite() {
				return false
			}
		}
	}
	return true
}
