package extract

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Labels is a CSV file of rows that features are joined to: customer_id, as_of (an RFC 3339
// time, or a day: its first instant in Asia/Shanghai), and whatever else. It is read twice,
// so that no memory has to hold it.
type Labels struct {
	Name string // that errors show; .gz: packed
	Open func() (io.ReadCloser, error)
}

// The columns of labels that have a meaning.
const (
	CustomerColumn = "customer_id"
	AsOfColumn     = "as_of"
	KnownAtColumn  = "known_at"
)

// label is one row of the labels.
type label struct {
	index uint64 // place in the file, from 0
	asOf  features.AsOf
}

// labelReader reads the rows of labels once.
type labelReader struct {
	table   *dataset.Table
	file    io.Closer
	digest  hash.Hash // of the bytes as they are
	columns []string
	places  [3]int // of customer_id, as_of and when it was known; -1: at as_of
	always  bool   // everything is known
}

// read opens the labels and finds the columns.
func (l *Labels) read(o *Options) (r *labelReader, err error) {
	file, err := l.Open()
	if err != nil {
		return nil, err
	}
	r = &labelReader{file: file, digest: sha256.New(), always: o.Known == KnownNow}
	required := []string{CustomerColumn, AsOfColumn}
	if o.Known == KnownColumn {
		required = append(required, o.KnownColumn)
	}
	r.table, err = dataset.OpenTable(io.TeeReader(file, r.digest), l.Name, required...)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	r.columns = r.table.Columns()
	known := KnownAtColumn
	switch o.Known {
	case KnownColumn:
		known = o.KnownColumn
	case KnownAt, KnownNow:
		known = ""
	case KnownDefault:
	}
	r.places = [3]int{slices.Index(r.columns, CustomerColumn), slices.Index(r.columns, AsOfColumn), slices.Index(r.columns, known)}
	return r, nil
}

// sum is the SHA-256 of what was read.
func (r *labelReader) sum() string { return hex.EncodeToString(r.digest.Sum(nil)) }

// parse reads the row that the table stands at.
func (r *labelReader) parse() (customerID string, a features.AsOf, err error) {
	customerID = r.table.Field(r.places[0])
	if fund.CheckID(customerID) != nil {
		return "", a, r.table.Bad(r.places[0], "a customer id: 1 to 64 of 0-9 A-Z a-z . _ - that begin with a letter or digit")
	}
	if a.At, err = r.instant(r.places[1]); err != nil {
		return "", a, err
	}
	a.Known = a.At
	switch {
	case r.always:
		a.Known = fund.Forever
	case r.places[2] >= 0 && r.table.Field(r.places[2]) != "":
		a.Known, err = r.instant(r.places[2])
	}
	return customerID, a, err
}

func (r *labelReader) instant(column int) (fund.Instant, error) {
	at, err := ParseInstant(r.table.Field(column))
	if err != nil {
		return 0, r.table.Bad(column, expectedInstant)
	}
	return at, nil
}

const expectedInstant = "an RFC 3339 time such as 2026-06-01T10:00:00+08:00, or a day such as 2026-06-01"

// ParseInstant reads an RFC 3339 time, or a day: its first instant in Asia/Shanghai, so that
// nothing of the day itself is known. Anything else: features.ErrInvalid.
func ParseInstant(text string) (fund.Instant, error) {
	if len(text) == len("2026-06-01") {
		if day, err := fund.ParseDate(text); err == nil {
			return day.Start(), nil
		}
	}
	if at, err := fund.ParseInstant(text); err == nil && at > 0 {
		return at, nil
	}
	return 0, fmt.Errorf("%w: %.80q, expected %s", features.ErrInvalid, text, expectedInstant)
}

// sortLabels reads the labels for the first time and puts them in the order of customers
// and instants.
func (r *running) sortLabels(into *sorter, tell func(done, total int64) error) (digest string, rows int64, err error) {
	in, err := r.Labels.read(&r.Options)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, in.file.Close()) }()
	if err := r.Labels.checkColumns(in.columns, r.addedColumns()); err != nil {
		return "", 0, err
	}
	var key, value []byte
	for {
		err := in.table.Next()
		if errors.Is(err, io.EOF) {
			return in.sum(), rows, nil
		}
		if err != nil {
			return "", 0, err
		}
		id, a, err := in.parse()
		if err != nil {
			return "", 0, err
		}
		key = append(append(key[:0], id...), 0) // no id has a zero byte
		key = binary.BigEndian.AppendUint64(key, uint64(a.At))
		key = binary.BigEndian.AppendUint64(key, uint64(rows))
		value = value[:0]
		if a.Known != a.At {
			value = binary.BigEndian.AppendUint64(value, uint64(a.Known))
		}
		if err := into.add(key, value); err != nil {
			return "", 0, err
		}
		rows++
		if r.Options.Now != 0 && a.At > r.Options.Now {
			r.summary.Later++
		}
		if err := tell(rows, -1); err != nil {
			return "", 0, err
		}
	}
}

// sortedLabel reads what sortLabels wrote.
func sortedLabel(key, value []byte) (customerID []byte, l label) {
	id := len(key) - 17
	l.asOf.At = fund.Instant(binary.BigEndian.Uint64(key[id+1:]))
	l.index = binary.BigEndian.Uint64(key[id+9:])
	l.asOf.Known = l.asOf.At
	if len(value) == 8 {
		l.asOf.Known = fund.Instant(binary.BigEndian.Uint64(value))
	}
	return key[:id], l
}

// checkColumns refuses labels of which a column would come twice in the output.
func (l *Labels) checkColumns(columns []string, added []string) error {
	for _, name := range added {
		if slices.Contains(columns, name) {
			return &dataset.Error{
				File: l.Name, Line: 1, Column: name, Problem: "a column of the features that are asked for",
				Expected: "label columns of other names than " + strings.Join(added[:min(3, len(added))], ", "),
			}
		}
	}
	return nil
}
