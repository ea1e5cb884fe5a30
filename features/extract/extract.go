// Package extract joins labels with features as they were: for each row of a file of
// (customer, instant) the cells that a read at that instant would have found, and nothing
// that became known later. It is the offline end of the one path by which online reads go:
// the profile of then, read by view.Plan.
package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Store is what an extract reads.
type Store interface {
	features.Histories
	// ChangesEnd names the state of the store in the output's metadata.
	ChangesEnd(ctx context.Context) (features.Position, error)
}

// Job is one extract.
type Job struct {
	Store   Store
	Plan    *view.Plan
	Labels  Labels
	Format  Format
	Options Options
	// Catalogue is that of the plan: its versions are in the output's metadata.
	Catalogue *view.Catalogue
}

// Known says what the reader of a row knew.
type Known uint8

// The ways to know.
const (
	// KnownDefault: the column known_at where the file has one, as_of where it has none or the field is empty.
	KnownDefault Known = iota
	// KnownAt: what was known at as_of, whatever other columns say.
	KnownAt
	// KnownColumn: the column that Options.KnownColumn names; as_of where its field is empty.
	KnownColumn
	// KnownNow: all that is known today. It leaks the future into the past, and says so in the output's metadata.
	KnownNow
)

// Options are what may be chosen of an extract. The result depends on the first five alone.
type Options struct {
	Purpose     string
	Role        view.Role
	Known       Known
	KnownColumn string
	Status      bool // a column view.feature:status beside each feature

	Now fund.Instant // labels later than it are counted, since what happens until then is not known; 0: none is

	Workers  int                                  // customers folded at a time; 0: 1
	Memory   int                                  // bytes of sorting and results that are kept before a file takes them; 0: DefaultMemory
	TempDir  string                               // of that file; "": the system's
	Progress func(stage Stage, done, total int64) // total -1: not known; nil: nobody asks
}

// Stage is a part of the work.
type Stage string

// The stages, in their order. All count rows.
const (
	ReadLabels   Stage = "read labels"
	ReadFeatures Stage = "read features"
	WriteRows    Stage = "write rows"
)

// The bounds of Options.
const (
	DefaultMemory = 256 << 20
	MinMemory     = 8 << 20
	MaxWorkers    = 1024
)

// Summary says what an extract did.
type Summary struct {
	Rows      int64 // of the output, as many as of labels
	Customers int64 // of the labels
	Unknown   int64 // rows of customers whom the store does not know
	Later     int64 // rows whose as_of is later than Options.Now
	Present   int64 // cells with a value
	Metadata  []Metadatum
}

// Metadatum is one thing that the output says of itself: in a Parquet file's own metadata;
// a CSV file has no place for it.
type Metadatum struct{ Key, Value string }

// progressEvery is the number of rows between two reports of progress, and two looks at
// whether anybody still waits.
const progressEvery = 4096

// running is a job at work.
type running struct {
	*Job
	columns []column
	total   int64
	summary Summary
}

// Run reads the labels, joins them and writes the output to w, in the order of the labels,
// no row dropped and none merged. Labels that are no such file, or changed while they were
// read: features.ErrInvalid, as a rule a *dataset.Error with file, line and column; w has
// nothing to be kept then.
func (j *Job) Run(ctx context.Context, w io.Writer) (_ Summary, err error) {
	r := &running{Job: j, columns: columnsOf(j.Plan)}
	if err := r.check(); err != nil {
		return Summary{}, err
	}
	memory := cmp.Or(j.Options.Memory, DefaultMemory)
	labels := newSorter(j.Options.TempDir, memory/4)
	results := newSorter(j.Options.TempDir, memory/2)
	defer func() { err = errors.Join(err, labels.close(), results.close()) }()
	digest, rows, err := r.sortLabels(labels, r.tell(ctx, ReadLabels))
	if err != nil {
		return Summary{}, err
	}
	r.total = rows
	before, err := j.Store.ChangesEnd(ctx)
	if err != nil {
		return Summary{}, err
	}
	if err := r.join(ctx, labels, results); err != nil {
		return Summary{}, err
	}
	after, err := j.Store.ChangesEnd(ctx)
	if err != nil {
		return Summary{}, err
	}
	r.describe(digest, before, after)
	if err := labels.close(); err != nil { // its memory is the writer's now
		return Summary{}, err
	}
	return r.summary, r.write(ctx, w, results, digest)
}

// check refuses options that mean nothing.
func (r *running) check() error {
	o := &r.Options
	switch {
	case r.Format != CSV && r.Format != Parquet:
		return features.Invalid("format", string(r.Format), "csv or parquet")
	case len(r.columns) == 0:
		return features.Invalid("views", "", "at least one feature")
	case o.Workers < 0 || o.Workers > MaxWorkers:
		return features.Invalid("workers", strconv.Itoa(o.Workers), fmt.Sprintf("1 to %d", MaxWorkers))
	case o.Memory != 0 && o.Memory < MinMemory:
		return features.Invalid("memory", strconv.Itoa(o.Memory), fmt.Sprintf("at least %d bytes", MinMemory))
	}
	return nil
}

// tell returns a function that reports progress and ends the work when nobody waits for it.
func (r *running) tell(ctx context.Context, stage Stage) func(done, total int64) error {
	return func(done, total int64) error {
		if done%progressEvery != 0 && done != total {
			return nil
		}
		if r.Options.Progress != nil {
			r.Options.Progress(stage, done, total)
		}
		return ctx.Err()
	}
}

// describe says what the output was made of.
func (r *running) describe(labels string, before, after features.Position) {
	known := map[Known]string{
		KnownDefault: "known_at, else as_of", KnownAt: "as_of", KnownColumn: r.Options.KnownColumn + ", else as_of",
		KnownNow: "NOW: LEAKS WHAT BECAME KNOWN AFTER as_of",
	}
	position := func(p features.Position) string { return fmt.Sprintf("%d.%d", p.Transaction, p.Entry) }
	r.summary.Metadata = []Metadatum{
		{"fundmatch.views", r.versions()},
		{"fundmatch.purpose", r.Options.Purpose},
		{"fundmatch.role", r.Options.Role.String()},
		{"fundmatch.known", known[r.Options.Known]},
		{"fundmatch.labels_sha256", labels},
		{"fundmatch.store_position", position(before)},
	}
	if after != before { // written to meanwhile: the snapshot lies between the two
		r.summary.Metadata = append(r.summary.Metadata, Metadatum{"fundmatch.store_position_after", position(after)})
	}
}
