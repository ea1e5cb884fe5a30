package policylog

import (
	"bytes"
	"math"
	"slices"
)

// maxPosition bounds positions, and with them the rows of a decision.
const maxPosition = 1000

// noPlace says that a text has no place in the block yet.
const noPlace = math.MaxUint32

// builder makes a block of rows, whatever format they come from. A reader hands over its rows one after another: as a
// record, which is checked here and nowhere else, or, where it has made sure with the same checks that nothing is wrong,
// as values (of the same decision: commit; of the next one: begin it first).
type builder struct {
	plan *plan
	file string
	from Position

	block *Block
	rows  int // of the block so far
	codes dictionary
	texts []dictionary // as in plan

	seen     [maxPosition + 1]uint32 // the decision that had this position last, counted over all blocks
	decision uint32
	hash     *canonical
	memory   []byte // holds ids that do not lie in the chunk
	values   values // of add
	scanner  scanner
}

// values are those of one row, checked.
type values struct {
	position   int32
	product    text
	reward     float64 // NaN: censored
	propensity float64
	target     float64
	texts      []text
	numbers    []float64
}

// text is one value of a column of texts: its place in the block, or, where it has none yet (noPlace), the text itself.
type text struct {
	place uint32
	value []byte
}

func newBuilder(p *plan) builder {
	return builder{plan: p, hash: newCanonical(), texts: make([]dictionary, p.texts), values: newValues(p)}
}

func newValues(p *plan) values {
	return values{texts: make([]text, p.texts), numbers: make([]float64, len(p.columns)-slotOthers-p.texts)}
}

// begin empties the block for a chunk's rows.
func (b *builder) begin(block *Block, file string, columns []string, k *chunk) {
	b.file, b.from, b.block, b.rows = file, k.from, block, 0
	b.memory = b.memory[:0]
	b.hash.known = known{uuids: b.hash.known.uuids[:0]}
	n := k.rows
	block.Ends, block.Cluster, block.Decisions = block.Ends[:0], block.Cluster[:0], block.Decisions[:0]
	block.Position, block.Product = resized(block.Position, n), resized(block.Product, n)
	block.Reward, block.Propensity = resized(block.Reward, n), resized(block.Propensity, n)
	block.Target = resized(block.Target, 0)
	if b.plan.target {
		block.Target = resized(block.Target, n)
	}
	block.Bad, block.BadRows = block.Bad[:0], 0
	b.codes.begin()
	b.beginOthers(columns, n)
}

func (b *builder) beginOthers(columns []string, n int) {
	block, others := b.block, b.plan.columns[slotOthers:]
	block.Texts = resized(block.Texts, b.plan.texts)
	block.Numbers = resized(block.Numbers, len(others)-b.plan.texts)
	for i, c := range others[:b.plan.texts] {
		t := &block.Texts[i]
		t.Name, t.There = c.name, hasColumn(columns, c.name)
		t.Values = resized(t.Values, there(t.There, n))
		b.texts[i].begin()
	}
	for i, c := range others[b.plan.texts:] {
		v := &block.Numbers[i]
		v.Name, v.There = c.name, hasColumn(columns, c.name)
		v.Values = resized(v.Values, there(v.There, n))
	}
}

func there(yes bool, n int) int {
	if yes {
		return n
	}
	return 0
}

func resized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

func hasColumn(columns []string, name string) bool { return slices.Contains(columns, name) }

// isDecision reports whether a row with this id goes on with the decision in hand.
func (b *builder) isDecision(id []byte) bool {
	n := len(b.block.Decisions)
	return n > 0 && bytes.Equal(b.block.Decisions[n-1].ID, id)
}

// beginDecision takes the checked head of the next decision. The texts are kept, not copied: they must last as long as
// the block (keep copies what does not).
func (b *builder) beginDecision(id, customer []byte, at int64) {
	row := b.from.Row + int64(b.rows+b.block.BadRows) + 1
	b.block.Decisions = append(b.block.Decisions, Decision{ID: id, CustomerID: customer, At: at, Row: row})
	b.block.Cluster = append(b.block.Cluster, ClusterOf(customer))
	b.block.Ends = append(b.block.Ends, int32(b.rows))
	b.countDecision()
}

// countDecision makes all positions new.
func (b *builder) countDecision() {
	if b.decision++; b.decision == 0 { // once around
		clear(b.seen[:])
		b.decision = 1
	}
}

// keep copies a text into the block's memory.
func (b *builder) keep(v []byte) []byte {
	n := len(b.memory)
	b.memory = append(b.memory, v...)
	return b.memory[n:len(b.memory):len(b.memory)]
}

// isRepeated reports whether the decision in hand has a row at this position, which must be one of 1 to maxPosition.
func (b *builder) isRepeated(position int32) bool { return b.seen[position] == b.decision }

// commit appends a row to the decision in hand. Nothing is checked any more.
func (b *builder) commit(v *values) {
	block, i := b.block, b.rows
	if v.product.place == noPlace {
		v.product.place = b.codes.add(v.product.value)
	}
	block.Position[i] = v.position
	block.Product[i] = v.product.place
	block.Reward[i] = v.reward
	block.Propensity[i] = v.propensity
	if b.plan.target {
		block.Target[i] = v.target
	}
	for t := range block.Texts {
		if to := &block.Texts[t]; to.There {
			from := &v.texts[t]
			if from.place == noPlace {
				from.place = b.texts[t].add(from.value)
			}
			to.Values[i] = from.place
		}
	}
	for n := range block.Numbers {
		if to := &block.Numbers[n]; to.There {
			to.Values[i] = v.numbers[n]
		}
	}
	b.seen[v.position] = b.decision
	b.rows = i + 1
	block.Ends[len(block.Ends)-1] = int32(b.rows)
}

// bad takes note of a row that cannot be used. It is an error unless bad rows are left out.
func (b *builder) bad(bad Bad) error {
	bad.File = b.file
	if !b.plan.skipBad {
		return &RowError{Bad: bad}
	}
	if b.block.BadRows++; len(b.block.Bad) < MaxBad {
		b.block.Bad = append(b.block.Bad, bad)
	}
	return nil
}

// passOver counts a bad row if it would not be listed any more: then nobody asks for its line and its value.
func (b *builder) passOver() bool {
	if !b.plan.skipBad || len(b.block.Bad) < MaxBad {
		return false
	}
	b.block.BadRows++
	return true
}

// finish cuts the block to the rows that it got and takes its hash.
func (b *builder) finish() {
	block, n := b.block, b.rows
	block.Position, block.Product = block.Position[:n], block.Product[:n]
	block.Reward, block.Propensity = block.Reward[:n], block.Propensity[:n]
	if b.plan.target {
		block.Target = block.Target[:n]
	}
	block.Codes = b.codes.names
	for i := range block.Texts {
		t := &block.Texts[i]
		t.Values, t.Names = t.Values[:there(t.There, n)], b.texts[i].names
	}
	for i := range block.Numbers {
		v := &block.Numbers[i]
		v.Values = v.Values[:there(v.There, n)]
	}
	block.SHA256 = b.hash.block(block)
}
