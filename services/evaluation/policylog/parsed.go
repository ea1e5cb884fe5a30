package policylog

// parsed is a row of text, taken apart.
type parsed struct {
	record
	plan    *plan
	layout  *layout
	fields  []field // in the order of the row
	scratch []byte  // texts that do not stand in the row as they are
	seen    []bool  // by column
	json    bool
	blamed  string // the key that is to blame
	key     func(name []byte) (place, slot int)
}

// field is one value of a row: where it stands, within its quotes if it has some.
type field struct {
	slot     int // -1: not read
	from, to int
	plain    bool   // it stands there as it is, and as a text in quotes where it must
	value    []byte // of CSV
}

// begin sets up for a file's rows.
func (r *parsed) begin(t *textReader) {
	r.plan, r.layout, r.json = t.plan, &t.layout, !t.quotes
	if len(r.cells) != len(t.plan.columns) {
		r.cells = make([]cell, len(t.plan.columns))
	}
	if len(r.seen) != len(t.layout.slots) {
		r.seen = make([]bool, len(t.layout.slots))
	}
}

// clear empties the cells.
func (r *parsed) clear() {
	clear(r.cells)
	clear(r.seen)
}
