package affinity_test

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// realFolder is data/fartrans from this package's directory.
const realFolder = "../../../../shared/data/fartrans"

// realBank is data/fartrans as a model reads it.
type realBank struct {
	items   []affinity.Item
	codes   map[string]int32
	history *affinity.History
	bought  map[string][]affinity.Purchase // by customer
	level   map[string]affinity.Fact
	group   map[string]int32
	splits  []realSplit
}

type realSplit struct {
	asOf       int32
	candidates []int32
	customers  []string
	relevant   [][]int32
}

func readReal(tb testing.TB) *realBank {
	tb.Helper()
	if _, err := os.Stat(realFolder); errors.Is(err, fs.ErrNotExist) {
		tb.Skip("shared/data/fartrans is absent: the figures on real customers are not checked")
	}
	b := &realBank{codes: map[string]int32{}, bought: map[string][]affinity.Purchase{}, level: map[string]affinity.Fact{}, group: map[string]int32{}}
	number := func(m map[string]int32, name string) int32 {
		if _, ok := m[name]; !ok {
			m[name] = int32(len(m))
		}
		return m[name]
	}
	kinds, markets, groups := map[string]int32{}, map[string]int32{}, map[string]int32{}
	for _, p := range readCSV(tb, "products.csv") {
		b.codes[p["product_code"]] = int32(len(b.items))
		b.items = append(b.items, affinity.Item{
			Kind: number(kinds, p["product_type"]), Issuer: affinity.Unknown, Theme: affinity.Unknown, Goal: affinity.Unknown, Market: number(markets, p["market"]),
		})
	}
	for _, r := range readCSV(tb, "interactions.csv.gz") {
		b.bought[r["customer_id"]] = append(b.bought[r["customer_id"]], affinity.Purchase{Item: b.codes[r["product_code"]], Day: day(tb, r["known_on"])})
	}
	b.history = affinity.NewHistory(len(b.items))
	for _, r := range readCSV(tb, "customers.csv") {
		id := r["customer_id"]
		c := affinity.Customer{Purchases: b.bought[id]}
		b.group[id] = number(groups, r["segment"])
		c.Groups = []affinity.Fact{{Value: b.group[id], Day: affinity.Always}}
		if r["risk_assessed_on"] != "" {
			b.level[id] = affinity.Fact{Value: int32(r["risk_level"][1] - '0'), Day: day(tb, r["risk_assessed_on"])}
			c.Levels = []affinity.Fact{b.level[id]}
		}
		if err := b.history.Add(c); err != nil {
			tb.Fatal(err)
		}
	}
	b.readSplits(tb)
	return b
}

func (b *realBank) readSplits(tb testing.TB) {
	tb.Helper()
	for _, r := range readCSV(tb, "splits.csv") {
		b.splits = append(b.splits, realSplit{asOf: day(tb, r["as_of"])})
	}
	for i, r := range readCSV(tb, "candidates.csv.gz") {
		b.splits[i].candidates = b.funds(r["product_codes"])
	}
	for _, r := range readCSV(tb, "relevant.csv.gz") {
		i, err := strconv.Atoi(r["split"])
		if err != nil {
			tb.Fatal(err)
		}
		s := &b.splits[i]
		s.customers, s.relevant = append(s.customers, r["customer_id"]), append(s.relevant, b.funds(r["product_codes"]))
	}
}

func (b *realBank) funds(codes string) []int32 {
	var out []int32
	for _, code := range strings.Fields(codes) {
		out = append(out, b.codes[code])
	}
	return out
}

// query is a customer as he was known on a day.
func (b *realBank) query(id string, asOf int32) affinity.Query {
	q := affinity.Query{Group: b.group[id], Level: affinity.Unknown}
	if l, ok := b.level[id]; ok && l.Day <= asOf {
		q.Level = l.Value
	}
	for _, p := range b.bought[id] {
		if p.Day <= asOf {
			q.Owned = append(q.Owned, p.Item)
		}
	}
	slices.Sort(q.Owned)
	return q
}

func readCSV(tb testing.TB, name string) []map[string]string {
	tb.Helper()
	f, err := os.Open(filepath.Join(realFolder, name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			tb.Fatal(err)
		}
	}
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	out := make([]map[string]string, 0, len(rows)-1)
	for _, row := range rows[1:] {
		m := make(map[string]string, len(row))
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}

func day(tb testing.TB, date string) int32 {
	tb.Helper()
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		tb.Fatal(err)
	}
	return int32(t.Unix() / 86400)
}

// ndcg is the binary nDCG@10 of a list of scores over candidates, ties by index.
func ndcg(score []float64, candidates []int32, relevant []int32) float64 {
	best := slices.Clone(candidates)
	slices.SortStableFunc(best, func(a, b int32) int {
		switch {
		case score[a] > score[b]:
			return -1
		case score[a] < score[b]:
			return 1
		default:
			return int(a - b)
		}
	})
	gain, ideal := 0.0, 0.0
	for rank := range 10 {
		d := 1 / math.Log2(float64(rank)+2)
		if rank < len(relevant) {
			ideal += d
		}
		if rank < len(best) && slices.Contains(relevant, best[rank]) {
			gain += d
		}
	}
	if ideal == 0 {
		return 0
	}
	return gain / ideal
}

// scorer sets dst to what each fund is worth to a customer.
type scorer func(q *affinity.Query, dst []float64)

// learned is what a model says that was trained for split i.
func (b *realBank) learned(tb testing.TB, i int, s affinity.Settings) scorer {
	tb.Helper()
	m, err := affinity.Train(tb.Context(), b.history, b.items, b.splits[i].asOf, s, affinity.Options{Workers: 2})
	if err != nil {
		tb.Fatal(err)
	}
	scratch := &affinity.Scratch{}
	return func(q *affinity.Query, dst []float64) { m.Affinity(q, scratch, dst) }
}

// knn is the neighbours that any better model is measured against: co/(n_x^.5 n_y^.1).
func (b *realBank) knn(i int) scorer {
	together := make([][]float64, len(b.items))
	for x := range together {
		together[x] = make([]float64, len(b.items))
	}
	for id := range b.bought {
		owned := b.query(id, b.splits[i].asOf).Owned
		for _, x := range owned {
			for _, y := range owned {
				together[x][y]++
			}
		}
	}
	holders := make([]float64, len(b.items))
	for x := range holders {
		holders[x] = together[x][x]
	}
	for x := range together {
		for y, co := range together[x] {
			if co > 0 {
				together[x][y] = co / (math.Pow(holders[x], .5) * math.Pow(holders[y], .1))
			}
		}
	}
	return func(q *affinity.Query, dst []float64) {
		clear(dst)
		for _, x := range q.Owned {
			for y, v := range together[x] {
				dst[y] += v
			}
		}
	}
}

// ndcg is the nDCG@10 of each customer of split i.
func (b *realBank) ndcg(i int, worth scorer) []float64 {
	split := &b.splits[i]
	known := make([]bool, len(b.items))
	for _, list := range b.bought {
		for _, p := range list {
			known[p.Item] = known[p.Item] || p.Day <= split.asOf
		}
	}
	candidates := slices.DeleteFunc(slices.Clone(split.candidates), func(y int32) bool { return !known[y] })
	scores, out := make([]float64, len(b.items)), make([]float64, len(split.customers))
	for c, id := range split.customers {
		q := b.query(id, split.asOf)
		worth(&q, scores)
		open := slices.DeleteFunc(slices.Clone(candidates), func(y int32) bool { return slices.Contains(q.Owned, y) })
		out[c] = ndcg(scores, open, split.relevant[c])
	}
	return out
}

func mean(values []float64) float64 { return sum(values) / float64(len(values)) }

// On one split of each ten, the model is better than item kNN and no worse than it was
// when its figures were written down. The whole of it is what the backtest says, and
// TestAblation.
func TestFartrans(t *testing.T) {
	b := readReal(t)
	var model, knn []float64
	for i := 4; i < len(b.splits); i += 10 {
		model, knn = append(model, mean(b.ndcg(i, b.learned(t, i, affinity.Default())))), append(knn, mean(b.ndcg(i, b.knn(i))))
		if m, k := model[len(model)-1], knn[len(knn)-1]; m < k {
			t.Errorf("split %d: nDCG@10 %.4f, item kNN has %.4f", i, m, k)
		}
	}
	t.Logf("nDCG@10 %.4f, item kNN %.4f", mean(model), mean(knn))
	if mean(model) < .4015 || mean(model) < mean(knn)+.0115 {
		t.Errorf("nDCG@10 %.4f with %.4f of item kNN, expected .4015 and .0115 more", mean(model), mean(knn))
	}
}
