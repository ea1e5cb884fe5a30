package affinity

// likesCount counts, by an attribute, what holders of each fund hold besides.
type likesCount struct {
	alike  *alike
	weight float64 // of the attribute, all together 1
	rows   []int64 // [x*values+w]: pairs of fund x with funds of value w
}

// newLikes prepares the attributes that have a weight, and their counts.
func (m *Model) newLikes(items []Item) []likesCount {
	var counts []likesCount
	weights := m.settings.Backoff.Weights.list()
	all := 0.0
	for _, w := range weights {
		all += w
	}
	if all == 0 || m.settings.Backoff.Holders == 0 {
		return nil
	}
	for a, w := range weights {
		if w == 0 {
			continue
		}
		likes := &m.likes[a]
		likes.value = make([]int32, len(items))
		for x := range items {
			likes.value[x] = items[x].list()[a]
			likes.values = max(likes.values, int(likes.value[x])+1)
		}
		if likes.values == 0 {
			likes.value = nil // no fund has one
			continue
		}
		counts = append(counts, likesCount{alike: likes, weight: w / all, rows: make([]int64, len(items)*likes.values)})
	}
	return counts
}

// count adds a fund's pairs.
func (c *likesCount) count(x int, r *row) {
	row := c.rows[x*c.alike.values : (x+1)*c.alike.values]
	for _, y := range r.funds {
		if v := c.alike.value[y]; v != Unknown {
			row[v] += int64(r.together[y])
		}
	}
}

// finish turns the counts of all funds into parts.
func (c *likesCount) finish() {
	n := c.alike.values
	counts := make([]int64, n*n)
	for x, v := range c.alike.value {
		if v == Unknown {
			continue
		}
		for w, pairs := range c.rows[x*n : (x+1)*n] {
			counts[int(v)*n+w] += pairs
		}
	}
	c.alike.given = make([]float64, n*n)
	for v := range n {
		all := int64(0)
		for _, pairs := range counts[v*n : (v+1)*n] {
			all += pairs
		}
		if all == 0 {
			continue
		}
		for w, pairs := range counts[v*n : (v+1)*n] {
			c.alike.given[v*n+w] = c.weight * float64(pairs) / float64(all)
		}
	}
}
