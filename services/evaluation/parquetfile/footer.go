package parquetfile

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// The numbers of fields and types are those of parquet.thrift
// (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
const (
	physicalInt32  = 1
	physicalInt64  = 2
	physicalDouble = 5
	physicalBytes  = 6

	repeatedOptional = 1
	repeatedRepeated = 2
)

// element is an entry of the schema.
type element struct {
	name       []byte
	physical   int64 // -1: a group
	repetition int64
	children   int64
	converted  int64 // -1: not told
	logical    logical
}

// logical is what LogicalType says; kind 0 where it says nothing.
type logical struct {
	kind     int64
	utc      bool
	unit     int64 // 1 ms, 2 us, 3 ns
	signed   bool
	bitWidth int64
}

// parse takes from the footer what the columns asked for need. Chunks have to end before limit.
func (f *File) parse(footer []byte, names []string, limit int64) error {
	c := &compact{b: footer}
	var leaves int
	var problem error
	encryption := false
	c.fields(typeStruct, func(id int64, kind byte) {
		switch id {
		case 2:
			leaves, problem = f.parseSchema(c, kind, names)
			if problem != nil {
				c.fail(problem)
			}
		case 3:
			f.Rows = c.int(kind)
		case 8:
			encryption = true
			c.skip(kind, 0)
		default:
			c.skip(kind, 0)
		}
	})
	switch {
	case problem != nil:
		return problem
	case c.err != nil:
		return notMetadata(c.err)
	case encryption:
		return &Error{Problem: "columns are encrypted", Expected: "a file that is not encrypted"}
	case leaves == 0:
		return notMetadata(errShort)
	}
	c = &compact{b: footer} // again, for the row groups need the schema and may stand before it
	c.fields(typeStruct, func(id int64, kind byte) {
		if id != 4 {
			c.skip(kind, 0)
			return
		}
		n, element := c.list(kind)
		for i := 0; i < n && c.err == nil; i++ {
			if problem = f.parseGroup(c, element, leaves, limit); problem != nil {
				c.fail(problem)
			}
		}
	})
	if problem != nil {
		return problem
	}
	if c.err != nil {
		return notMetadata(c.err)
	}
	return f.checkRows()
}

func notMetadata(err error) error {
	return &Error{Problem: "the footer cannot be read: " + err.Error(), Expected: "the metadata of a Parquet file"}
}

// checkRows compares the file's number of rows with that of its groups.
func (f *File) checkRows() error {
	var sum int64
	for i := range f.groups {
		if f.groups[i].rows < 0 || f.groups[i].rows > math.MaxInt64-sum {
			return &Error{Group: i + 1, Problem: "it claims " + strconv.FormatInt(f.groups[i].rows, 10) + " rows", Expected: "a number of rows"}
		}
		sum += f.groups[i].rows
	}
	if sum != f.Rows {
		return &Error{Problem: fmt.Sprintf("the footer claims %d rows, its row groups have %d", f.Rows, sum), Expected: "the same number"}
	}
	return nil
}

// parseSchema finds the columns and returns how many leaves the schema has.
func (f *File) parseSchema(c *compact, kind byte, names []string) (leaves int, err error) {
	n, each := c.list(kind)
	if n > maxColumns {
		return 0, &Error{Problem: fmt.Sprintf("the schema has %d elements", n), Expected: fmt.Sprintf("at most %d", maxColumns)}
	}
	elements := make([]element, 0, min(n, 64))
	for i := 0; i < n && c.err == nil; i++ {
		elements = append(elements, c.element(each))
	}
	if c.err != nil {
		return 0, notMetadata(c.err)
	}
	found := make([]*Column, len(names))
	next := 1
	for next < len(elements) {
		e := &elements[next]
		column := e.column(leaves)
		if next, leaves, err = walk(elements, next, leaves, 0); err != nil {
			return 0, err
		}
		at := slices.Index(names, column.Name)
		f.Names = append(f.Names, column.Name)
		if at >= 0 && found[at] == nil {
			found[at] = &column
		}
	}
	f.Columns = f.Columns[:0]
	for _, column := range found {
		if column != nil {
			f.Columns = append(f.Columns, *column)
		}
	}
	return leaves, nil
}

// walk goes on behind an element and what is below it.
func walk(elements []element, at, leaves, depth int) (next, counted int, err error) {
	if at >= len(elements) || depth > maxDepth {
		return 0, 0, &Error{Problem: "the schema's groups do not fit its elements", Expected: "the metadata of a Parquet file"}
	}
	e := &elements[at]
	next = at + 1
	if e.physical >= 0 {
		return next, leaves + 1, nil
	}
	for range e.children {
		if next, leaves, err = walk(elements, next, leaves, depth+1); err != nil {
			return 0, 0, err
		}
	}
	return next, leaves, nil
}

// element reads an entry of the schema.
func (c *compact) element(kind byte) element {
	e := element{physical: -1, converted: -1}
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			e.physical = c.int(kind)
		case 3:
			e.repetition = c.int(kind)
		case 4:
			e.name = c.bytes(kind)
		case 5:
			e.children = c.int(kind)
		case 6:
			e.converted = c.int(kind)
		case 10:
			e.logical = c.logical(kind)
		default:
			c.skip(kind, 0)
		}
	})
	return e
}

// logical reads the union LogicalType.
func (c *compact) logical(kind byte) logical {
	var l logical
	c.fields(kind, func(id int64, kind byte) {
		l.kind = id
		if id != logicalTimestamp && id != logicalInteger {
			c.skip(kind, 0)
			return
		}
		c.fields(kind, func(field int64, kind byte) {
			switch {
			case id == logicalTimestamp && field == 1:
				l.utc = c.bool(kind)
			case id == logicalTimestamp && field == 2:
				c.fields(kind, func(unit int64, kind byte) {
					l.unit = unit
					c.skip(kind, 0)
				})
			case id == logicalInteger && field == 1:
				l.bitWidth = c.int(kind)
			case id == logicalInteger && field == 2:
				l.signed = c.bool(kind)
			default:
				c.skip(kind, 0)
			}
		})
	})
	return l
}

// parseGroup reads a row group.
func (f *File) parseGroup(c *compact, kind byte, leaves int, limit int64) error {
	number := len(f.groups) + 1
	g := group{rows: -1, chunks: make([]chunk, len(f.Columns))}
	var problem error
	columns := make([]chunkMetadata, len(f.Columns))
	n := -1
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			n = f.parseChunks(c, kind, columns)
		case 3:
			g.rows = c.int(kind)
		default:
			c.skip(kind, 0)
		}
	})
	if c.err != nil {
		return notMetadata(c.err)
	}
	if n != leaves {
		return &Error{Group: number, Problem: fmt.Sprintf("it has %d columns, the schema %d", n, leaves), Expected: "the same number"}
	}
	for i := range columns {
		if !f.Columns[i].Flat {
			continue
		}
		if g.chunks[i], problem = columns[i].check(&f.Columns[i], number, g.rows, limit); problem != nil {
			return problem
		}
	}
	f.groups = append(f.groups, g)
	return nil
}

// parseChunks reads the chunks of the columns that were asked for, and returns how many there are in all.
func (f *File) parseChunks(c *compact, kind byte, columns []chunkMetadata) int {
	n, each := c.list(kind)
	for leaf := 0; leaf < n && c.err == nil; leaf++ {
		at := slices.IndexFunc(f.Columns, func(column Column) bool { return column.Flat && column.leaf == leaf })
		if at < 0 {
			c.skip(each, 0)
			continue
		}
		columns[at] = c.chunk(each)
	}
	return n
}

// chunkMetadata is what the footer says of a chunk.
type chunkMetadata struct {
	elsewhere, encrypted     bool
	physical, codec, values  int64
	size, data, dictionaryAt int64
}

// chunk reads ColumnChunk.
func (c *compact) chunk(kind byte) chunkMetadata {
	m := chunkMetadata{physical: -1, codec: -1, values: -1, size: -1, data: -1}
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			m.elsewhere = len(c.bytes(kind)) > 0
		case 3:
			c.fields(kind, func(id int64, kind byte) {
				switch id {
				case 1:
					m.physical = c.int(kind)
				case 4:
					m.codec = c.int(kind)
				case 5:
					m.values = c.int(kind)
				case 7:
					m.size = c.int(kind)
				case 9:
					m.data = c.int(kind)
				case 11:
					m.dictionaryAt = c.int(kind)
				default:
					c.skip(kind, 0)
				}
			})
		case 8, 9:
			m.encrypted = true
			c.skip(kind, 0)
		default:
			c.skip(kind, 0)
		}
	})
	return m
}

// check makes the chunk of what the footer says.
func (m *chunkMetadata) check(column *Column, number int, rows, limit int64) (chunk, error) {
	wrong := func(problem, expected string) (chunk, error) {
		return chunk{}, &Error{Column: column.Name, Group: number, Problem: problem, Expected: expected}
	}
	start := m.data
	if m.dictionaryAt > 0 && m.dictionaryAt < start {
		start = m.dictionaryAt
	}
	switch {
	case m.encrypted:
		return wrong("it is encrypted", "a file that is not encrypted")
	case m.elsewhere:
		return wrong("it lies in another file", "a file that is whole by itself")
	case m.physical != column.physical:
		return wrong("its physical type is not the schema's", "the same type")
	case !codecKnown(m.codec):
		return wrong("it is packed by "+codecName(m.codec), "SNAPPY, GZIP, ZSTD or UNCOMPRESSED")
	case m.values != rows:
		return wrong(fmt.Sprintf("it has %d values in %d rows", m.values, rows), "one a row")
	case start < int64(len(magic)) || m.size < 0 || m.size > limit-start:
		return wrong(fmt.Sprintf("it claims %d bytes at %d", m.size, start), "a place within the file")
	}
	return chunk{start: start, end: start + m.size, codec: m.codec}, nil
}
