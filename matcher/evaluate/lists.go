package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// Counts returns how often each product stands in lists of products numbered from 0 to
// products-1. Other numbers are skipped.
func Counts(lists [][]int32, products int) []int64 {
	counts := make([]int64, products)
	for _, list := range lists {
		for _, p := range list {
			if p >= 0 && int(p) < products {
				counts[p]++
			}
		}
	}
	return counts
}

// Coverage is the share of products that stand in any list.
func Coverage(counts []int64) float64 {
	listed := 0
	for _, n := range counts {
		if n > 0 {
			listed++
		}
	}
	return share(float64(listed), len(counts))
}

// Entropy is Shannon's of the places in the lists, -Σ p ln p in nats, p being a product's
// share of them: the sum over products, not their mean.
func Entropy(counts []int64) float64 {
	total := 0.0
	for _, n := range counts {
		total += float64(n)
	}
	sum := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / total
			sum -= p * math.Log(p)
		}
	}
	return sum
}

// Gini is the concentration of the places in the lists: 0 when every product has as many
// as every other, and towards 1 when one has all. Products that no list holds count.
// 0 where there are no places.
func Gini(counts []int64) float64 {
	sorted := slices.Clone(counts)
	slices.SortFunc(sorted, cmp.Compare)
	total, weighted := 0.0, 0.0
	n := float64(len(sorted))
	for i, c := range sorted {
		total += float64(c)
		weighted += (2*float64(i+1) - n - 1) * float64(c)
	}
	if total == 0 {
		return 0
	}
	return weighted / (n * total)
}

// Diversity is how different the products of a list are from each other: the mean of
// 1 - cosine over all pairs of the first k, and 0 for fewer than two. vector gives the
// features of a product; one without any, or of zeros, is like nothing (cosine 0).
func Diversity(list []int32, k int, vector func(product int32) []float64) float64 {
	if k >= 1 && k < len(list) {
		list = list[:k]
	}
	sum, pairs := 0.0, 0
	for i, a := range list {
		for _, b := range list[:i] {
			sum += 1 - cosine(vector(a), vector(b))
			pairs++
		}
	}
	return share(sum, pairs)
}

func cosine(a, b []float64) float64 {
	dot, aa, bb := 0.0, 0.0, 0.0
	for i := range min(len(a), len(b)) {
		dot += float64(a[i] * b[i])
	}
	for _, x := range a {
		aa += float64(x * x)
	}
	for _, x := range b {
		bb += float64(x * x)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return dot / math.Sqrt(aa*bb)
}
