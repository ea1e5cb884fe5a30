package score

import (
	"math"
	"slices"
	"unicode/utf8"
)

// Bounds of what is fitted.
const (
	// BlockRows is how many rows make a block of the partial sums. Blocks are counted from
	// the first row of all, whatever the shard, so that every division of the work at
	// multiples of BlockRows gives the same bits.
	BlockRows = 256
	// MaxFitColumns bounds the columns of a fit.
	MaxFitColumns = 256
	// MaxFitValue bounds values, so that their squares can be added.
	MaxFitValue = 1e100
	// MinWeight is the least weight of a row.
	MinWeight = 1e-9
	// MaxWeight is the largest.
	MaxWeight = 1e9

	maxColumnName = 64 // bytes
)

// Column names one column of a fit and says in which unit its values are.
type Column struct {
	Name string `json:"name" yaml:"name"`
	Unit string `json:"unit" yaml:"unit"`
}

// Moments holds what a linear fit needs to know of any number of rows: their triangular
// factor, in memory that does not grow with them but for its logarithm: 2 KB a column for
// the rows of an unfinished block, and one (p+1)² triangle for each level of a binary tree.
//
// Each block of BlockRows rows is centred by its own means and reduced by Householder
// reflections. Two neighbours a and b of the tree become one by stacking R_a, R_b and the
// row sqrt(W_a W_b / (W_a + W_b)) (mean_b - mean_a), and reducing again (Chan, Golub and
// LeVeque 1983, with triangles for moments, whose squares would lose half of the digits;
// Demmel et al. 2012, TSQR). Means are pairs of float64, so that columns that lie far from
// zero, like years or timestamps, lose nothing. Which nodes there are follows from the row
// numbers alone: any shards give the same bits when merged.
//
// Moments must not be shared while rows are added.
type Moments struct {
	target      Column
	columns     []Column
	first, rows int64     // the first row's number from 0, and how many came
	least, most []float64 // of each column, then of the target
	nodes       []node    // reduced blocks, in row order
	block       block     // rows that do not yet fill one
}

// node stands for 2^level neighbouring blocks, the first of them the at-th of all. It is
// not changed once made, so partial sums may share it.
type node struct {
	at    int64
	level int
	batch
}

// batch is a number of rows, reduced. Slices are by column, the target last.
type batch struct {
	weight    float64   // sum of the rows' weights
	high, low []float64 // the mean is high + low
	factor    triangle  // of the centred rows, each times the root of its weight
}

// block collects rows column by column, the target last.
type block struct {
	n       int
	at      []float64 // (i, j) at j*BlockRows+i
	weights []float64
	scratch []float64
}

// NewMoments returns the sums of no rows. firstRow is the number of the first row that
// will be added, from 0, a multiple of BlockRows: 0, but for a later shard. The order of
// columns is that of the values in a row.
// Errors: ErrFitColumns, ErrFitMerge (a first row inside a block).
func NewMoments(target Column, columns []Column, firstRow int64) (*Moments, error) {
	if len(columns) < 1 || len(columns) > MaxFitColumns {
		return nil, &FitError{Err: ErrFitColumns, Value: float64(len(columns)), Want: "1 to 256 columns"}
	}
	seen := make(map[string]bool, len(columns)+1)
	for i, c := range append(slices.Clone(columns), target) {
		if !validName(c.Name) || len(c.Unit) > maxColumnName || !utf8.ValidString(c.Unit) || seen[c.Name] {
			return nil, &FitError{Err: ErrFitColumns, Column: c.Name, Value: float64(i + 1), Want: "names of 1 to 64 bytes, each once, units of at most 64"}
		}
		seen[c.Name] = true
	}
	if firstRow < 0 || firstRow%BlockRows != 0 {
		return nil, &FitError{Err: ErrFitMerge, Value: float64(firstRow), Want: "a first row at a multiple of 256"}
	}
	k := len(columns) + 1
	m := &Moments{target: target, columns: slices.Clone(columns), first: firstRow, least: make([]float64, k), most: make([]float64, k)}
	for j := range k {
		m.least[j], m.most[j] = math.Inf(1), math.Inf(-1)
	}
	m.block = block{at: make([]float64, k*BlockRows), weights: make([]float64, BlockRows), scratch: make([]float64, k*max(BlockRows, 2*k+1))}
	return m, nil
}

func validName(name string) bool {
	return name != "" && len(name) <= maxColumnName && utf8.ValidString(name)
}

// Rows returns how many rows were added.
func (m *Moments) Rows() int64 { return m.rows }

// Add adds a row of weight 1: what was observed, and the columns' values.
// Errors: those of AddWeighted.
func (m *Moments) Add(y float64, x []float64) error { return m.AddWeighted(y, 1, x) }

// AddWeighted adds a row whose square counts weight times: a row of twice the weight is
// known with half the variance. Weights do not make rows: n stays the number of rows.
// A row that is refused is not added, and the sums go on without it.
// Errors: ErrFitRagged, ErrFitNotFinite, ErrFitRange, ErrFitWeight.
func (m *Moments) AddWeighted(y, weight float64, x []float64) error {
	if err := m.checkRow(y, weight, x); err != nil {
		return err
	}
	b := &m.block
	for j, v := range x {
		b.at[j*BlockRows+b.n] = v
		m.least[j], m.most[j] = min(m.least[j], v), max(m.most[j], v)
	}
	p := len(x)
	b.at[p*BlockRows+b.n] = y
	m.least[p], m.most[p] = min(m.least[p], y), max(m.most[p], y)
	b.weights[b.n] = weight
	b.n++
	m.rows++
	if b.n == BlockRows {
		m.push(node{at: (m.first+m.rows)/BlockRows - 1, batch: b.reduce(p + 1)})
		b.n = 0
	}
	return nil
}

// checkRow refuses a row that cannot be added.
func (m *Moments) checkRow(y, weight float64, x []float64) error {
	row := m.first + m.rows + 1
	if len(x) != len(m.columns) {
		return &FitError{Err: ErrFitRagged, Row: row, Value: float64(len(x)), Want: number(float64(len(m.columns))) + " values"}
	}
	for j, v := range x {
		if !(math.Abs(v) <= MaxFitValue) {
			return badValue(m.columns[j], row, v)
		}
	}
	if !(math.Abs(y) <= MaxFitValue) {
		return badValue(m.target, row, y)
	}
	if !(weight >= MinWeight && weight <= MaxWeight) {
		return &FitError{Err: ErrFitWeight, Row: row, Value: weight, Want: "1e-9 to 1e9"}
	}
	return nil
}

func badValue(c Column, row int64, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return &FitError{Err: ErrFitNotFinite, Column: c.Name, Row: row, Value: v, Want: "a finite number"}
	}
	return &FitError{Err: ErrFitRange, Column: c.Name, Row: row, Value: v, Want: "within ±1e100"}
}

// Merge adds the sums of the rows that follow m's: next began where m ends, at a multiple
// of BlockRows. The result is, bit for bit, what m would be had all rows been added to it.
// next is not changed and may be used on. Errors: ErrFitMerge.
func (m *Moments) Merge(next *Moments) error {
	if m.target != next.target || !slices.Equal(m.columns, next.columns) {
		return &FitError{Err: ErrFitMerge, Column: next.target.Name, Value: float64(len(next.columns)), Want: "the same columns in the same order"}
	}
	if end := m.first + m.rows; next.first != end {
		return &FitError{Err: ErrFitMerge, Row: next.first + 1, Value: float64(next.first), Want: "sums that begin after row " + number(float64(end)) + ", at a multiple of 256"}
	}
	for _, n := range next.nodes {
		m.push(n)
	}
	for j := range m.least {
		m.least[j], m.most[j] = min(m.least[j], next.least[j]), max(m.most[j], next.most[j])
	}
	m.rows += next.rows
	m.block.n = next.block.n
	copy(m.block.at, next.block.at)
	copy(m.block.weights, next.block.weights)
	return nil
}

// push appends a node and joins neighbours as far as the tree has a place for both: nodes
// of one level, the left one's number even at that level.
func (m *Moments) push(n node) {
	for len(m.nodes) > 0 {
		last := m.nodes[len(m.nodes)-1]
		if last.level != n.level || last.at>>last.level&1 != 0 {
			break
		}
		n = node{at: last.at, level: last.level + 1, batch: join(last.batch, n.batch, m.block.scratch)}
		m.nodes = m.nodes[:len(m.nodes)-1]
	}
	m.nodes = append(m.nodes, n)
}

// whole returns all rows as one batch: the unfinished block, then the nodes from the last
// to the first, smaller to larger. There is at least one row.
func (m *Moments) whole() batch {
	var all batch
	if m.block.n > 0 {
		all = m.block.reduce(len(m.columns) + 1)
	}
	for i, n := range slices.Backward(m.nodes) {
		if i == len(m.nodes)-1 && m.block.n == 0 {
			all = n.batch
			continue
		}
		all = join(n.batch, all, m.block.scratch)
	}
	return all
}

// reduce makes a batch of the rows that were collected.
func (b *block) reduce(k int) batch {
	out := batch{high: make([]float64, k), low: make([]float64, k)}
	weights := b.weights[:b.n]
	roots := make([]float64, b.n)
	for i, w := range weights {
		out.weight += w
		roots[i] = math.Sqrt(w)
	}
	for j := range k {
		raw, centred := b.at[j*BlockRows:j*BlockRows+b.n], b.scratch[j*b.n:(j+1)*b.n]
		high := dot(weights, raw) / out.weight
		for i, v := range raw {
			centred[i] = v - high // exact where the column lies far from zero
		}
		low := dot(weights, centred) / out.weight
		for i, v := range centred {
			centred[i] = float64((v - low) * roots[i])
		}
		out.high[j], out.low[j] = high, low
	}
	out.factor = reduce(b.scratch[:b.n*k], b.n, k)
	return out
}

// join makes one batch of two neighbours.
func join(a, b batch, scratch []float64) batch {
	k := len(a.high)
	height := 2*k + 1
	a.factor.stackRows(scratch, height, 0)
	b.factor.stackRows(scratch, height, k)
	out := batch{weight: a.weight + b.weight, high: make([]float64, k), low: make([]float64, k)}
	share := b.weight / out.weight
	root := math.Sqrt(float64(a.weight * share))
	for j := range k {
		step := (b.high[j] - a.high[j]) + (b.low[j] - a.low[j])
		scratch[j*height+2*k] = float64(root * step)
		out.high[j], out.low[j] = twoSum(a.high[j], a.low[j]+float64(share*step))
	}
	out.factor = reduce(scratch[:height*k], height, k)
	return out
}

// twoSum returns a + b rounded, and what rounding left out (Knuth).
func twoSum(a, b float64) (sum, rest float64) {
	sum = a + b
	part := sum - a
	return sum, (a - (sum - part)) + (b - part)
}
