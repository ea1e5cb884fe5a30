package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Options say how a folder is loaded.
type Options struct {
	// SkipBad loads the good rows of a file that has bad ones.
	SkipBad bool
	// Rejects takes the bad rows as CSV, with a header before the first of them; nil:
	// they are only counted.
	Rejects io.Writer
	// ForbidsTag reports whether no tag of a name may be kept of anybody (A09): its row is
	// bad. nil: every name may.
	ForbidsTag func(name string) bool
	// CheckCell reports whether the bank's catalogue of views takes a cell of features.csv
	// (view.Catalogue.CheckCell): its row is bad where it does not. nil: every view and type.
	CheckCell func(*features.Cell) error
	// Progress is called now and then; nil: never.
	Progress func(Progress)
}

// Progress is how far the load of a file is.
type Progress struct {
	File  string
	Rows  int64 // good rows so far
	Bytes int64 // read so far, as they lie on disk
	Size  int64 // the file's, on disk
}

// Report says what was loaded.
type Report struct {
	Files    []FileReport // in the order of loading
	Ignored  []string     // CSV files of the folder that the format does not know
	Rejected int64        // bad rows that were left out
}

// FileReport says what was loaded from one file.
type FileReport struct {
	Name           string // as it lies in the folder
	Rows           int64  // good rows
	Rejected       int64  // bad rows that were left out
	IgnoredColumns []string
}

// MaxRejects is how many bad rows SkipBad leaves out before it gives up: a folder with
// more of them is another folder than the one that was meant.
const MaxRejects = 100_000

// Rows in one call of a Batch. NAVs come in larger groups, because a call takes those
// of one product.
const (
	batchRows    = 1_000
	navBatchRows = 16_384
)

// Load reads the folder's files into a batch: products, calendar, branches, managers,
// nav, customers, assessments, consents, tags, features, holdings, interactions, events. Customers
// and products that a row names must be in the folder or known; known may be nil.
// The first bad row is its *Error, and the caller has to drop the batch; with
// opts.SkipBad the good rows are loaded. The NAVs of a product come in one call or, where
// they lie apart or are many, in several, each in date order.
func (f *Folder) Load(ctx context.Context, b features.Batch, known Known, opts Options) (Report, error) {
	l := &loader{
		folder: f, batch: b, refs: newReferences(known), options: opts,
		report: Report{Ignored: slices.Clone(f.ignored)},
	}
	for _, name := range fileNames() {
		if _, ok := f.files[name]; !ok {
			continue
		}
		if err := l.loadFile(ctx, name); err != nil {
			return l.report, err
		}
	}
	return l.report, nil
}

type loader struct {
	folder  *Folder
	batch   features.Batch
	refs    *references
	options Options
	report  Report
	cells   []features.Cell
	navs    []fund.NAV
	reject  record
}

func (l *loader) loadFile(ctx context.Context, name string) error {
	in, err := l.folder.open(ctx, name)
	if err != nil {
		return err
	}
	defer func() { _ = in.file.Close() }() // read only
	switch name {
	case "products.csv":
		return load(l, in, productFormat(), l.refs.products.present, l.batch.Products)
	case "calendar.csv":
		return load(l, in, calendarFormat(), nil, l.batch.Calendar)
	case "branches.csv":
		return load(l, in, branchFormat(), nil, l.batch.Branches)
	case "managers.csv":
		return load(l, in, managerFormat(), nil, l.batch.Managers)
	case "nav.csv":
		return load(l, in, navFormat(), nil, l.putNAVs)
	case "customers.csv":
		return load(l, in, customerFormat(), l.refs.customers.present, putCells(l, (*CustomerRow).AppendCells))
	case "assessments.csv":
		return load(l, in, assessmentFormat(), nil, putCells(l, (*AssessmentRow).AppendCells))
	case "consents.csv":
		return load(l, in, consentFormat(), nil, putCells(l, (*ConsentRow).AppendCells))
	case "tags.csv":
		return load(l, in, l.lawfulTags(), nil, putCells(l, (*TagRow).AppendCells))
	case "features.csv":
		return load(l, in, l.lawfulFeatures(), nil, putCells(l, (*FeatureRow).AppendCells))
	case "holdings.csv":
		return l.loadHoldings(in)
	case "interactions.csv":
		return load(l, in, interactionFormat(), nil, l.batch.Purchases)
	default:
		return load(l, in, eventFormat(), nil, l.batch.Events)
	}
}

// loadHoldings hands over single lots as they come, and posting batches when the file has
// ended.
func (l *loader) loadHoldings(in *source) error {
	var posted postings
	lots := putCells(l, (*HoldingRow).AppendCells)
	err := load(l, in, holdingFormat(), nil, func(rows []HoldingRow) error {
		if rows = posted.take(rows); len(rows) == 0 {
			return nil
		}
		return lots(rows)
	})
	if err != nil {
		return err
	}
	if err := posted.put(l.batch); err != nil {
		return fmt.Errorf("load %s: %w", in.name, err)
	}
	return nil
}

// lawfulTags is the format of tags.csv less the names that are forbidden.
func (l *loader) lawfulTags() *format[TagRow] {
	f := tagFormat()
	if l.options.ForbidsTag == nil {
		return f
	}
	decode := f.decode
	f.decode = func(r *row) TagRow {
		v := decode(r)
		if r.err == nil && l.options.ForbidsTag(v.Name) {
			r.failAt("name", v.Name, "a tag that no law forbids to keep (rule A09)")
		}
		return v
	}
	return f
}

// load reads one file. keys takes the keys of its rows where later files refer to them.
func load[T any](l *loader, in *source, f *format[T], keys keySet, put func([]T) error) error {
	limit := batchRows
	if f.name == "nav.csv" {
		limit = navBatchRows
	}
	o := &observer{refs: l.refs, keys: keys}
	report := FileReport{Name: in.name}
	rows := make([]T, 0, limit)
	flush := func() error {
		if len(rows) > 0 {
			if err := put(rows); err != nil {
				return fmt.Errorf("load %s: %w", in.name, err)
			}
		}
		report.Rows += int64(len(rows))
		rows = rows[:0]
		if l.options.Progress != nil {
			l.options.Progress(Progress{File: in.name, Rows: report.Rows, Bytes: in.taken.n, Size: in.size})
		}
		return nil
	}
	for v, err := range read(in, in.name, f, o) {
		if err != nil {
			if err := l.leaveOut(err); err != nil {
				return err
			}
			report.Rejected++
			continue
		}
		if rows = append(rows, v); len(rows) == limit {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	report.IgnoredColumns = o.ignored
	l.report.Files = append(l.report.Files, report)
	return nil
}

// putNAVs hands over the NAVs of each product in date order.
func (l *loader) putNAVs(rows []NAVRow) error {
	slices.SortFunc(rows, func(a, b NAVRow) int {
		if c := strings.Compare(a.ProductCode, b.ProductCode); c != 0 {
			return c
		}
		return int(a.Date) - int(b.Date)
	})
	for len(rows) > 0 {
		code := rows[0].ProductCode
		l.navs = l.navs[:0]
		for len(rows) > 0 && rows[0].ProductCode == code {
			l.navs = append(l.navs, rows[0].NAV)
			rows = rows[1:]
		}
		if err := l.batch.NAVs(code, l.navs); err != nil {
			return err
		}
	}
	return nil
}

// putCells hands over rows as cells.
func putCells[T any](l *loader, appendCells func(*T, []features.Cell) []features.Cell) func([]T) error {
	return func(rows []T) error {
		l.cells = l.cells[:0]
		for i := range rows {
			l.cells = appendCells(&rows[i], l.cells)
		}
		return l.batch.Cells(l.cells)
	}
}

// leaveOut notes a bad row, or returns the error that ends the load.
func (l *loader) leaveOut(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || !l.options.SkipBad || e.fatal {
		return err
	}
	l.report.Rejected++
	if l.report.Rejected > MaxRejects {
		return &Error{File: e.File, Line: e.Line, Problem: fmt.Sprintf("more than %d bad rows", MaxRejects), Expected: "a dataset that is mostly good", Err: e}
	}
	if l.options.Rejects == nil {
		return nil
	}
	var out []byte
	if l.report.Rejected == 1 {
		out = l.appendReject(out, "file", "line", "column", "value", "expected", "raw")
	}
	value := e.Value
	if e.Problem != "" {
		value = e.Problem
	}
	out = l.appendReject(out, e.File, fmt.Sprint(e.Line), e.Column, value, e.Expected, strings.TrimRight(e.raw, "\r\n"))
	if _, err := l.options.Rejects.Write(out); err != nil {
		return fmt.Errorf("write rejects: %w", err)
	}
	return nil
}

// appendReject appends one line of rejects.csv, which is UTF-8 whatever the row was.
func (l *loader) appendReject(dst []byte, fields ...string) []byte {
	l.reject.reset()
	for _, f := range fields {
		l.reject.text(strings.ToValidUTF8(f, "\uFFFD"))
	}
	return l.reject.appendCSV(dst)
}
