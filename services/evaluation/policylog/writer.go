package policylog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
)

// Columns are those that a written log has besides the seven of every log, in this order.
type Columns struct {
	Target  bool // target_propensity
	Texts   []string
	Numbers []string
}

// Row is one row of a log that is written.
type Row struct {
	DecisionID, CustomerID string
	DecidedAt              int64 // nanoseconds since 1970-01-01T00:00:00Z
	Position               int32
	ProductCode            string
	Reward                 float64 // NaN: censored
	Propensity             float64
	Target                 float64   // where Columns.Target
	Texts                  []string  // as Columns.Texts; "": absent
	Numbers                []float64 // as Columns.Numbers; NaN: absent
}

// Writer writes a log that Open reads as the same rows, bit by bit. It checks each row as reading does. What it has
// written is a whole file only after Close; whoever wants all or nothing writes to a file that he then renames.
type Writer struct {
	columns Columns
	table   tableWriter
	rows    int64
	seen    map[int32]bool // positions of the decision in hand
	last    Row
}

// tableWriter takes checked rows in one format.
type tableWriter interface {
	write(*Row) error
	close() error
}

// NewWriter begins a log.
func NewWriter(w io.Writer, f Format, c Columns) (*Writer, error) {
	asked := Options{Target: c.Target, Texts: c.Texts, Numbers: c.Numbers}
	if _, err := newPlan(&asked); err != nil {
		return nil, err
	}
	out := &Writer{columns: c, seen: map[int32]bool{}}
	switch f {
	case CSV:
		out.table = newCSVWriter(w, c)
	case NDJSON:
		out.table = newNDJSONWriter(w, c)
	case Parquet:
		out.table = newParquetWriter(w, c)
	default:
		return nil, fmt.Errorf("format %d is not known", f)
	}
	return out, nil
}

// Write appends rows. A row that reading would refuse is an error, and nothing more may be written.
func (w *Writer) Write(rows []Row) error {
	for i := range rows {
		w.rows++
		if err := w.check(&rows[i]); err != nil {
			return fmt.Errorf("row %d: %w", w.rows, err)
		}
		if err := w.table.write(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is left; it does not close what it writes to.
func (w *Writer) Close() error { return w.table.close() }

// check refuses what cannot be read back.
func (w *Writer) check(r *Row) error {
	begins := w.rows == 1 || r.DecisionID != w.last.DecisionID
	if begins {
		clear(w.seen)
	}
	if err := w.checkHead(r, begins); err != nil {
		return err
	}
	if err := w.checkRow(r); err != nil {
		return err
	}
	if err := w.checkOthers(r); err != nil {
		return err
	}
	w.seen[r.Position] = true
	w.last.DecisionID, w.last.CustomerID, w.last.DecidedAt = r.DecisionID, r.CustomerID, r.DecidedAt
	return nil
}

func refused(column string, value any, want string) error {
	return fmt.Errorf("%s: %v, expected %s", column, value, want)
}

func (w *Writer) checkHead(r *Row, begins bool) error {
	switch {
	case !isDecisionID([]byte(r.DecisionID)):
		return refused(ColumnDecisionID, strconv.Quote(r.DecisionID), wantDecision)
	case !isID([]byte(r.CustomerID)):
		return refused(ColumnCustomerID, strconv.Quote(r.CustomerID), wantID)
	case r.DecidedAt < minInstant || r.DecidedAt > maxInstant:
		return refused(ColumnDecidedAt, r.DecidedAt, wantAt)
	case !begins && (r.CustomerID != w.last.CustomerID || r.DecidedAt != w.last.DecidedAt):
		return errors.New("customer or instant are not those of the decision's rows before")
	}
	return nil
}

func (w *Writer) checkRow(r *Row) error {
	switch {
	case r.Position < 1 || r.Position > maxPosition:
		return refused(ColumnPosition, r.Position, wantPosition)
	case w.seen[r.Position]:
		return refused(ColumnPosition, r.Position, wantNoRepeat)
	case !isID([]byte(r.ProductCode)):
		return refused(ColumnProduct, strconv.Quote(r.ProductCode), wantID)
	case math.IsInf(r.Reward, 0):
		return refused(ColumnReward, r.Reward, wantNumber)
	case !isPropensity(r.Propensity):
		return refused(ColumnPropensity, r.Propensity, wantPropensity)
	case w.columns.Target && !isTarget(r.Target):
		return refused(ColumnTarget, r.Target, wantTarget)
	}
	return nil
}

func (w *Writer) checkOthers(r *Row) error {
	if len(r.Texts) != len(w.columns.Texts) || len(r.Numbers) != len(w.columns.Numbers) {
		return fmt.Errorf("%d texts and %d numbers, expected %d and %d", len(r.Texts), len(r.Numbers), len(w.columns.Texts), len(w.columns.Numbers))
	}
	for i, text := range r.Texts {
		if !isText([]byte(text)) {
			return refused(w.columns.Texts[i], strconv.Quote(text), wantText)
		}
	}
	if i := slices.IndexFunc(r.Numbers, func(v float64) bool { return math.IsInf(v, 0) }); i >= 0 {
		return refused(w.columns.Numbers[i], r.Numbers[i], wantNumber)
	}
	return nil
}

// names are the columns in their order.
func (c *Columns) names() []string {
	names := []string{
		ColumnDecisionID, ColumnCustomerID, ColumnDecidedAt, ColumnPosition, ColumnProduct, ColumnReward, ColumnPropensity,
	}
	if c.Target {
		names = append(names, ColumnTarget)
	}
	return append(append(names, c.Texts...), c.Numbers...)
}

// csvWriter writes RFC 4180.
type csvWriter struct {
	out     *bufio.Writer
	columns Columns
	line    []byte
	begun   bool
}

func newCSVWriter(w io.Writer, c Columns) *csvWriter {
	return &csvWriter{out: bufio.NewWriterSize(w, 64<<10), columns: c}
}

func (w *csvWriter) write(r *Row) error {
	if err := w.header(); err != nil {
		return err
	}
	b := append(append(w.line[:0], r.DecisionID...), ',')
	b = append(append(b, r.CustomerID...), ',')
	b = append(appendInstant(b, r.DecidedAt), ',')
	b = append(strconv.AppendInt(b, int64(r.Position), 10), ',')
	b = append(append(b, r.ProductCode...), ',')
	b = append(appendNumber(b, r.Reward, ""), ',')
	b = appendNumber(b, r.Propensity, "")
	if w.columns.Target {
		b = appendNumber(append(b, ','), r.Target, "")
	}
	for _, text := range r.Texts {
		b = appendField(append(b, ','), text)
	}
	for _, v := range r.Numbers {
		b = appendNumber(append(b, ','), v, "")
	}
	b = append(b, '\n')
	w.line = b
	_, err := w.out.Write(b)
	return err
}

// header writes the names of the columns, once.
func (w *csvWriter) header() error {
	if w.begun {
		return nil
	}
	w.begun = true
	b := w.line[:0]
	for i, name := range w.columns.names() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendField(b, name)
	}
	b = append(b, '\n')
	w.line = b
	_, err := w.out.Write(b)
	return err
}

func (w *csvWriter) close() error {
	if err := w.header(); err != nil {
		return err
	}
	return w.out.Flush()
}

// appendField quotes a text that has to be quoted.
func appendField(b []byte, text string) []byte {
	if !slices.ContainsFunc([]byte(text), func(c byte) bool { return c == ',' || c == '"' || c == '\n' || c == '\r' }) {
		return append(b, text...)
	}
	b = append(b, '"')
	for i := range len(text) {
		if text[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, text[i])
	}
	return append(b, '"')
}

func appendInstant(b []byte, at int64) []byte {
	return time.Unix(0, at).UTC().AppendFormat(b, time.RFC3339Nano)
}

// appendNumber writes a number so short that it is read back as the same, or absent in place of NaN.
func appendNumber(b []byte, v float64, absent string) []byte {
	if math.IsNaN(v) {
		return append(b, absent...)
	}
	return strconv.AppendFloat(b, v+0, 'g', -1, 64)
}

// ndjsonWriter writes an object a line, with every column in it.
type ndjsonWriter struct {
	out     *bufio.Writer
	columns Columns
	keys    []string // with quotes and colon, in the order of the columns
	line    []byte
}

func newNDJSONWriter(w io.Writer, c Columns) *ndjsonWriter {
	names := c.names()
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = string(append(appendQuoted([]byte{','}, name), ':'))
	}
	keys[0] = "{" + keys[0][1:]
	return &ndjsonWriter{out: bufio.NewWriterSize(w, 64<<10), columns: c, keys: keys}
}

func (w *ndjsonWriter) write(r *Row) error {
	b, keys := w.line[:0], w.keys
	key := func() {
		b = append(b, keys[0]...)
		keys = keys[1:]
	}
	text := func(v string) {
		key()
		b = appendQuoted(b, v)
	}
	text(r.DecisionID)
	text(r.CustomerID)
	key()
	b = append(appendInstant(append(b, '"'), r.DecidedAt), '"')
	key()
	b = strconv.AppendInt(b, int64(r.Position), 10)
	text(r.ProductCode)
	key()
	b = appendNumber(b, r.Reward, "null")
	key()
	b = appendNumber(b, r.Propensity, "null")
	if w.columns.Target {
		key()
		b = appendNumber(b, r.Target, "null")
	}
	for _, v := range r.Texts {
		if v == "" {
			key()
			b = append(b, "null"...)
			continue
		}
		text(v)
	}
	for _, v := range r.Numbers {
		key()
		b = appendNumber(b, v, "null")
	}
	b = append(b, '}', '\n')
	w.line = b
	_, err := w.out.Write(b)
	return err
}

func (w *ndjsonWriter) close() error { return w.out.Flush() }

// appendQuoted writes a JSON string of a text without control characters.
func appendQuoted(b []byte, text string) []byte {
	b = append(b, '"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, text[i])
	}
	return append(b, '"')
}
