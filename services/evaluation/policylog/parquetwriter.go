package policylog

import (
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
)

const (
	// groupRows is how many rows the writer holds in memory.
	groupRows = 1 << 17
	// writtenRows is how many rows the writer is given at once.
	writtenRows = 512
	// dictionaryBytes is how large a dictionary may grow in a row group before its texts are written one by one.
	dictionaryBytes = 4 << 20
)

// parquetWriter writes Parquet: texts by dictionary, decided_at as TIMESTAMP(NANOS, UTC), numbers as DOUBLE; what may be
// absent is optional. The columns of every log are not packed: ids and propensities hardly get smaller, and unpacking
// them costs a reader a fifth of its time.
type parquetWriter struct {
	out     *parquet.GenericWriter[any]
	columns Columns
	rows    []parquet.Row // up to writtenRows, of which the memory is used again
	n       int
}

func newParquetWriter(w io.Writer, c Columns) *parquetWriter {
	return &parquetWriter{
		columns: c, rows: make([]parquet.Row, writtenRows),
		out: parquet.NewGenericWriter[any](
			w, parquet.NewSchema("policy_log", parquetSchema(c)), parquet.Compression(&parquet.Uncompressed), parquet.MaxRowsPerRowGroup(groupRows),
			parquet.DictionaryMaxBytes(dictionaryBytes), parquet.CreatedBy("fundmatch", "", ""),
		),
	}
}

// parquetSchema has the columns in their order.
func parquetSchema(c Columns) parquet.Node {
	root := ordered{Group: parquet.Group{}, names: c.names()}
	text := parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	double := parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.Plain)
	for _, name := range []string{ColumnDecisionID, ColumnCustomerID, ColumnProduct} {
		root.Group[name] = text
	}
	root.Group[ColumnDecidedAt] = parquet.Encoded(parquet.Timestamp(parquet.Nanosecond), &parquet.RLEDictionary)
	root.Group[ColumnPosition] = parquet.Encoded(parquet.Leaf(parquet.Int32Type), &parquet.RLEDictionary)
	root.Group[ColumnReward] = parquet.Optional(parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.RLEDictionary)) // mostly 0 or 1
	root.Group[ColumnPropensity] = double
	if c.Target {
		root.Group[ColumnTarget] = double
	}
	for _, name := range c.Texts {
		root.Group[name] = parquet.Compressed(parquet.Optional(text), &parquet.Snappy)
	}
	for _, name := range c.Numbers {
		root.Group[name] = parquet.Compressed(parquet.Optional(double), &parquet.Snappy)
	}
	return root
}

// ordered is a group whose fields stand in an order of its own; parquet.Group's is that of the names.
type ordered struct {
	parquet.Group
	names []string
}

// Fields is parquet.Node.
func (o ordered) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range o.Group.Fields() {
		byName[f.Name()] = f
	}
	out := make([]parquet.Field, len(o.names))
	for i, name := range o.names {
		out[i] = byName[name]
	}
	return out
}

func (w *parquetWriter) write(r *Row) error {
	row := w.rows[w.n][:0]
	add := func(v parquet.Value, definition int) { row = append(row, v.Level(0, definition, len(row))) }
	add(parquet.ByteArrayValue([]byte(r.DecisionID)), 0)
	add(parquet.ByteArrayValue([]byte(r.CustomerID)), 0)
	add(parquet.Int64Value(r.DecidedAt), 0)
	add(parquet.Int32Value(r.Position), 0)
	add(parquet.ByteArrayValue([]byte(r.ProductCode)), 0)
	number := func(v float64) {
		if math.IsNaN(v) {
			add(parquet.NullValue(), 0)
			return
		}
		add(parquet.DoubleValue(v+0), 1)
	}
	number(r.Reward)
	add(parquet.DoubleValue(r.Propensity), 0)
	if w.columns.Target {
		add(parquet.DoubleValue(r.Target+0), 0)
	}
	for _, text := range r.Texts {
		if text == "" {
			add(parquet.NullValue(), 0)
			continue
		}
		add(parquet.ByteArrayValue([]byte(text)), 1)
	}
	for _, v := range r.Numbers {
		number(v)
	}
	w.rows[w.n] = row
	if w.n++; w.n == len(w.rows) {
		return w.flush()
	}
	return nil
}

// flush hands the rows over.
func (w *parquetWriter) flush() error {
	_, err := w.out.WriteRows(w.rows[:w.n])
	w.n = 0
	return err
}

func (w *parquetWriter) close() error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.out.Close()
}
