package affinity

// alike tells by one attribute what is alike: the way to funds that nobody holds yet.
type alike struct {
	value  []int32 // of each fund; Unknown
	values int     // different values; 0: the attribute does not count
	// given[v*values+w]: of what holders of a fund of value v hold besides, the part that
	// has value w, times the attribute's weight.
	given []float64
	share []float64 // of each fund among the holdings of its value
}

// of is what a fund x by this attribute says of y.
func (a *alike) of(x, y int32) float64 {
	if a.values == 0 || a.value[x] == Unknown || a.value[y] == Unknown {
		return 0
	}
	return float64(a.given[int(a.value[x])*a.values+int(a.value[y])] * a.share[y])
}

// add adds, to each fund, what the likes of the owned funds say of it.
func (a *alike) add(m *Model, owned []int32, mean float64, s *Scratch, dst []float64) {
	if a.values == 0 {
		return
	}
	if cap(s.values) < a.values {
		s.values = make([]float64, a.values)
	}
	sums := s.values[:a.values]
	clear(sums)
	for _, x := range owned {
		if !m.has(x) || a.value[x] == Unknown {
			continue
		}
		v, weight := int(a.value[x]), float64(mean*m.own[x])
		for w, given := range a.given[v*a.values : (v+1)*a.values] {
			sums[w] += float64(weight * given)
		}
	}
	for y, v := range a.value {
		if v != Unknown {
			dst[y] += float64(sums[v] * a.share[y])
		}
	}
}

// setShares computes the part of each fund among the holdings of its value. One imagined
// holder a fund gives its part to a fund that nobody holds yet.
func (a *alike) setShares(holders []int32) {
	if a.values == 0 {
		return
	}
	all := make([]float64, a.values)
	for y, v := range a.value {
		if v != Unknown {
			all[v] += float64(holders[y]) + 1
		}
	}
	a.share = make([]float64, len(a.value))
	for y, v := range a.value {
		if v != Unknown {
			a.share[y] = (float64(holders[y]) + 1) / all[v]
		}
	}
}
