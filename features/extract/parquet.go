package extract

import (
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/fundmatch/fundmatch/features/view"
)

const (
	// rowGroup is how many rows the writer holds in memory.
	rowGroup = 1 << 16
	// pageRows is how many rows it is given at once.
	pageRows = 512
)

// parquetTable writes Parquet.
type parquetTable struct {
	out     *parquet.GenericWriter[any]
	columns []column
	status  bool
	rows    []parquet.Row // up to pageRows, of which the memory is used again
	n       int
	texts   []byte // of the rows
}

func newParquetTable(w io.Writer, labels []string, r *running) *parquetTable {
	options := []parquet.WriterOption{
		parquet.NewSchema("extract", outputSchema(labels, r)), parquet.Compression(&parquet.Snappy),
		parquet.MaxRowsPerRowGroup(rowGroup), parquet.CreatedBy("fundmatch", "", ""),
	}
	for _, m := range r.summary.Metadata {
		options = append(options, parquet.KeyValueMetadata(m.Key, m.Value))
	}
	return &parquetTable{
		out: parquet.NewGenericWriter[any](w, options...), columns: r.columns, status: r.Options.Status, rows: make([]parquet.Row, pageRows),
	}
}

// outputSchema has the columns in the order of the output. Each row has one value of each
// label column and of each status.
func outputSchema(labels []string, r *running) parquet.Node {
	root := ordered{Group: parquet.Group{}}
	add := func(name string, n parquet.Node) {
		root.Group[name] = n
		root.names = append(root.names, name)
	}
	for _, name := range labels {
		add(name, parquet.String())
	}
	for _, c := range r.columns {
		add(c.name, parquet.Optional(nodeOf(c.kind)))
		if r.Options.Status {
			add(c.name+statusSuffix, parquet.Encoded(parquet.String(), &parquet.RLEDictionary))
		}
	}
	return root
}

func nodeOf(t view.Type) parquet.Node {
	switch t {
	case view.Int:
		return parquet.Int(64)
	case view.Bool:
		return parquet.Leaf(parquet.BooleanType)
	case view.Time:
		return parquet.Timestamp(parquet.Microsecond)
	case view.List:
		return parquet.List(parquet.String())
	case view.Decimal, view.String:
	}
	return parquet.String()
}

// ordered is a group whose fields stand in an order of its own; parquet.Group's is that of
// the names.
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

func (t *parquetTable) write(labels []string, cells []byte) error {
	row := t.rows[t.n][:0]
	for i, field := range labels {
		row = append(row, text(t, field).Level(0, 0, i))
	}
	in := binaryReader{rest: cells}
	next := len(labels)
	for i := range t.columns {
		status := in.status()
		row = t.appendCell(row, t.columns[i].kind, status, &in, next)
		next++
		if t.status {
			row = append(row, text(t, status.String()).Level(0, 0, next))
			next++
		}
	}
	if err := in.err(); err != nil {
		return err
	}
	t.rows[t.n] = row
	if t.n++; t.n == len(t.rows) {
		return t.flush()
	}
	return nil
}

// appendCell appends the values of one feature: one, or of a list one for each entry.
func (t *parquetTable) appendCell(row parquet.Row, kind view.Type, status view.Status, in *binaryReader, column int) parquet.Row {
	if status != view.Present {
		return append(row, parquet.NullValue().Level(0, 0, column))
	}
	switch kind {
	case view.Bool:
		return append(row, parquet.BooleanValue(in.number() != 0).Level(0, 1, column))
	case view.Int, view.Time:
		return append(row, parquet.Int64Value(in.number()).Level(0, 1, column))
	case view.List:
		n := in.count()
		if n == 0 {
			return append(row, parquet.NullValue().Level(0, 1, column))
		}
		for i := 0; i < n && !in.bad; i++ {
			row = append(row, text(t, in.text()).Level(min(i, 1), 2, column))
		}
		return row
	case view.Decimal, view.String:
	}
	return append(row, text(t, in.text()).Level(0, 1, column))
}

// text keeps a text until its row is written.
func text[T string | []byte](t *parquetTable, s T) parquet.Value {
	start := len(t.texts)
	t.texts = append(t.texts, s...)
	return parquet.ByteArrayValue(t.texts[start:len(t.texts):len(t.texts)])
}

// flush hands the rows over.
func (t *parquetTable) flush() error {
	_, err := t.out.WriteRows(t.rows[:t.n])
	t.n, t.texts = 0, t.texts[:0]
	return err
}

func (t *parquetTable) end() error {
	if err := t.flush(); err != nil {
		return err
	}
	return t.out.Close()
}
