package dataset

import (
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The readers yield a row, or the *Error of a bad row; whoever goes on after an error
// gets the rows behind it. After an error that leaves no way to go on (a header, a
// gzip stream, a quote that never closes) the sequence ends. file is the name that
// errors show. A row whose key came before is bad; whether the customers and products
// that a row names exist is for Folder.Load to see.

// ReadProducts reads products.csv. Product.Missing names the optional facts that are
// empty or have no column.
func ReadProducts(in io.Reader, file string) iter.Seq2[fund.Product, error] {
	return read(in, file, productFormat(), nil)
}

// ReadNAVs reads nav.csv in the order of the file.
func ReadNAVs(in io.Reader, file string) iter.Seq2[NAVRow, error] {
	return read(in, file, navFormat(), nil)
}

// ReadCustomers reads customers.csv.
func ReadCustomers(in io.Reader, file string) iter.Seq2[CustomerRow, error] {
	return read(in, file, customerFormat(), nil)
}

// ReadAssessments reads assessments.csv.
func ReadAssessments(in io.Reader, file string) iter.Seq2[AssessmentRow, error] {
	return read(in, file, assessmentFormat(), nil)
}

// ReadConsents reads consents.csv.
func ReadConsents(in io.Reader, file string) iter.Seq2[ConsentRow, error] {
	return read(in, file, consentFormat(), nil)
}

// ReadTags reads tags.csv.
func ReadTags(in io.Reader, file string) iter.Seq2[TagRow, error] {
	return read(in, file, tagFormat(), nil)
}

// ReadFeatures reads features.csv. An empty value is null.
func ReadFeatures(in io.Reader, file string) iter.Seq2[FeatureRow, error] {
	return read(in, file, featureFormat(), nil)
}

// ReadHoldings reads holdings.csv.
func ReadHoldings(in io.Reader, file string) iter.Seq2[HoldingRow, error] {
	return read(in, file, holdingFormat(), nil)
}

// ReadInteractions reads interactions.csv. An empty kind is BUY.
func ReadInteractions(in io.Reader, file string) iter.Seq2[features.CustomerPurchase, error] {
	return read(in, file, interactionFormat(), nil)
}

// ReadEvents reads events.csv.
func ReadEvents(in io.Reader, file string) iter.Seq2[features.Event, error] {
	return read(in, file, eventFormat(), nil)
}

// ReadManagers reads managers.csv.
func ReadManagers(in io.Reader, file string) iter.Seq2[features.Manager, error] {
	return read(in, file, managerFormat(), nil)
}

// ReadBranches reads branches.csv.
func ReadBranches(in io.Reader, file string) iter.Seq2[features.Branch, error] {
	return read(in, file, branchFormat(), nil)
}

// ReadCalendar reads calendar.csv.
func ReadCalendar(in io.Reader, file string) iter.Seq2[features.CalendarDay, error] {
	return read(in, file, calendarFormat(), nil)
}

// observer is what Folder.Load adds to a reader; nil for the readers above.
type observer struct {
	refs    *references
	keys    keySet // takes the keys of the file; nil: nobody asks for them later
	ignored []string
}

func read[T any](in io.Reader, file string, f *format[T], o *observer) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		t, err := openTable(in, file, f.columns, f.required, f.attributes != nil)
		if err != nil {
			yield(none, err)
			return
		}
		t.longest = max(t.longest, f.longest)
		rows := reading[T]{table: t, format: f}
		var keys keySet
		if o != nil {
			o.ignored = t.ignored
			rows.refs, keys = o.refs, o.keys
		}
		rows.seen = seenKeys(f, keys)
		for {
			v, err := rows.next()
			if errors.Is(err, io.EOF) || !yield(v, err) || err != nil && isFatal(err) {
				return
			}
		}
	}
}

// seenKeys returns a function that reports whether the key of a row came before.
func seenKeys[T any](f *format[T], keys keySet) func(*T) bool {
	if f.seen != nil {
		return f.seen()
	}
	if keys == nil {
		keys = keySet{}
	}
	var key []byte
	return func(v *T) bool {
		key = f.key(key[:0], v)
		return !keys.add(key)
	}
}

// reading is the state of one file that is being read.
type reading[T any] struct {
	table  *table
	format *format[T]
	seen   func(*T) bool
	refs   *references // nil: not checked
}

func (s *reading[T]) next() (v T, err error) {
	var none T
	if err := s.table.next(); err != nil {
		return none, err
	}
	r := &s.table.row
	v = s.format.decode(r)
	if r.err == nil && s.refs != nil {
		if err := s.refs.check(r, s.format.customer, s.format.product); err != nil {
			return none, err
		}
	}
	if r.err == nil && s.seen(&v) {
		r.failAt(s.keyText())
	}
	if r.err != nil {
		return none, s.table.located(r.err)
	}
	return v, nil
}

// keyText returns a row's key as an error shows it: columns, values, what was expected.
func (s *reading[T]) keyText() (columns, values, expected string) {
	r := &s.table.row
	var names, fields []string
	for _, c := range s.format.keyColumns {
		names = append(names, s.format.columns[c])
		fields = append(fields, r.field(r.at[c]))
	}
	return strings.Join(names, ","), strings.Join(fields, ","), "a key that no row before has"
}
