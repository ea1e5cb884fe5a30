package dataset

import (
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The writers write the header and a line a row, in the order of the rows, LF at each
// end. A row that the reader of the file would refuse for what it holds is an *Error,
// and ends the file; that keys differ is the caller's to see to. What Product.Missing
// names is written empty.

// WriteProducts writes products.csv. It ranges over rows twice: the first time for the
// names of the attributes, each of which becomes a column.
func WriteProducts(w io.Writer, rows iter.Seq[fund.Product]) error {
	return write(w, productFormat(), rows)
}

// WriteNAVs writes nav.csv.
func WriteNAVs(w io.Writer, rows iter.Seq[NAVRow]) error { return write(w, navFormat(), rows) }

// WriteCustomers writes customers.csv. It ranges over rows twice, as WriteProducts does.
func WriteCustomers(w io.Writer, rows iter.Seq[CustomerRow]) error {
	return write(w, customerFormat(), rows)
}

// WriteAssessments writes assessments.csv.
func WriteAssessments(w io.Writer, rows iter.Seq[AssessmentRow]) error {
	return write(w, assessmentFormat(), rows)
}

// WriteConsents writes consents.csv.
func WriteConsents(w io.Writer, rows iter.Seq[ConsentRow]) error {
	return write(w, consentFormat(), rows)
}

// WriteTags writes tags.csv.
func WriteTags(w io.Writer, rows iter.Seq[TagRow]) error { return write(w, tagFormat(), rows) }

// WriteFeatures writes features.csv.
func WriteFeatures(w io.Writer, rows iter.Seq[FeatureRow]) error {
	return write(w, featureFormat(), rows)
}

// WriteHoldings writes holdings.csv.
func WriteHoldings(w io.Writer, rows iter.Seq[HoldingRow]) error {
	return write(w, holdingFormat(), rows)
}

// WriteInteractions writes interactions.csv.
func WriteInteractions(w io.Writer, rows iter.Seq[features.CustomerPurchase]) error {
	return write(w, interactionFormat(), rows)
}

// WriteEvents writes events.csv.
func WriteEvents(w io.Writer, rows iter.Seq[features.Event]) error {
	return write(w, eventFormat(), rows)
}

// WriteManagers writes managers.csv.
func WriteManagers(w io.Writer, rows iter.Seq[features.Manager]) error {
	return write(w, managerFormat(), rows)
}

// WriteBranches writes branches.csv.
func WriteBranches(w io.Writer, rows iter.Seq[features.Branch]) error {
	return write(w, branchFormat(), rows)
}

// WriteCalendar writes calendar.csv.
func WriteCalendar(w io.Writer, rows iter.Seq[features.CalendarDay]) error {
	return write(w, calendarFormat(), rows)
}

// flushAt is how many bytes are gathered before they are written.
const flushAt = 64 << 10

func write[T any](w io.Writer, f *format[T], rows iter.Seq[T]) error {
	extra, err := attributeNames(f, rows)
	if err != nil {
		return err
	}
	out := writing[T]{format: f, attributes: extra, line: 1}
	out.row.names = f.columns
	out.row.header = slices.Concat(f.columns, extra)
	for i, name := range out.row.header {
		out.record.text(name)
		if i < len(f.columns) {
			out.row.at = append(out.row.at, i)
		} else {
			out.row.unknown = append(out.row.unknown, attributeColumn{name: name, at: i})
		}
	}
	buf := out.record.appendCSV(nil)
	for v := range rows {
		out.line++
		if err := out.encode(&v); err != nil {
			return err
		}
		if buf = out.record.appendCSV(buf); len(buf) < flushAt {
			continue
		}
		if _, err := w.Write(buf); err != nil {
			return fmt.Errorf("write %s: %w", f.name, err)
		}
		buf = buf[:0]
	}
	if _, err := w.Write(buf); err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	return nil
}

// writing is the state of one file that is being written.
type writing[T any] struct {
	format     *format[T]
	attributes []string // the unknown columns, by name
	record     record
	row        row
	line       int
}

// encode fills the record with a row, and reads it back to see that a reader would take it.
func (w *writing[T]) encode(v *T) error {
	w.record.reset()
	w.format.encode(&w.record, v)
	if w.format.attributes != nil {
		if err := w.encodeAttributes(w.format.attributes(v)); err != nil {
			return err
		}
	}
	r := &w.row
	r.text, r.ends, r.next, r.err = string(w.record.buf), w.record.ends, 0, nil
	w.format.decode(r)
	r.checkUTF8()
	if r.err != nil {
		r.err.File, r.err.Line = w.format.name, w.line
		return r.err
	}
	return nil
}

// encodeAttributes writes each attribute into the column of its name.
func (w *writing[T]) encodeAttributes(list []fund.Attribute) error {
	written := 0
	for _, name := range w.attributes {
		value := ""
		if i := slices.IndexFunc(list, func(a fund.Attribute) bool { return a.Name == name }); i >= 0 {
			value = list[i].Value
			written++
		}
		w.record.text(value)
	}
	if written != len(list) {
		return &Error{
			File: w.format.name, Line: w.line, Problem: "an attribute that comes twice or that the first pass over the rows did not have",
			Expected: "the same rows in both passes, and different names",
		}
	}
	return nil
}

// attributeNames returns the names of all attributes of all rows, in order.
func attributeNames[T any](f *format[T], rows iter.Seq[T]) ([]string, error) {
	if f.attributes == nil {
		return nil, nil
	}
	var names []string
	for v := range rows {
		for _, a := range f.attributes(&v) {
			if i, found := slices.BinarySearch(names, a.Name); !found {
				names = slices.Insert(names, i, a.Name)
			}
		}
		if len(names) > fund.MaxAttributes {
			return nil, tooManyAttributes(f.name, len(names))
		}
	}
	for _, name := range names {
		if slices.Contains(f.columns, name) || !isColumnName(name) {
			return nil, &Error{File: f.name, Line: 1, Value: clip(name, maxErrorValue), Expected: "attributes of other names than the format's columns, " + expectedColumnName}
		}
	}
	return names, nil
}
