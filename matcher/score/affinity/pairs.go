package affinity

// pairs finds who holds which funds together.
type pairs struct {
	known *snapshot
	// customers who make pairs and hold fund x: customers[start[x]:start[x+1]].
	start     []int
	customers []int32
}

// pairs lists, for each fund, its holders with two funds or more and at most maxBasket.
func (s *snapshot) pairs(maxBasket int) *pairs {
	p := &pairs{known: s, start: make([]int, len(s.holders)+1)}
	counts := func(c int) bool { n := len(s.of(c)); return n >= 2 && n <= maxBasket }
	for c := range s.end {
		if counts(c) {
			for _, x := range s.of(c) {
				p.start[x+1]++
			}
		}
	}
	for x := range s.holders {
		p.start[x+1] += p.start[x]
	}
	p.customers = make([]int32, p.start[len(s.holders)])
	next := append([]int(nil), p.start...)
	for c := range s.end {
		if counts(c) {
			for _, x := range s.of(c) {
				p.customers[next[x]] = int32(c)
				next[x]++
			}
		}
	}
	return p
}

// row counts the customers who hold other funds together with one.
type row struct {
	funds    []int32 // with any, in the order in which they were met
	together []int32 // of every fund; 0 with none
}

func newRow(items int) *row { return &row{together: make([]int32, items)} }

// count sets row to the counts of fund x.
func (p *pairs) count(x int32, r *row) {
	for _, y := range r.funds {
		r.together[y] = 0
	}
	r.funds = r.funds[:0]
	for _, c := range p.customers[p.start[x]:p.start[x+1]] {
		for _, y := range p.known.of(int(c)) {
			if r.together[y] == 0 && y != x {
				r.funds = append(r.funds, y)
			}
			r.together[y]++
		}
	}
	r.together[x] = 0
}
