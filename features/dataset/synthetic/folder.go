package synthetic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
)

// ErrFolderInUse is wrapped when the folder to write holds something already.
var ErrFolderInUse = errors.New("folder is not empty")

// WriteFolder writes the bank as a dataset folder, which must not exist or be empty
// (else ErrFolderInUse). The files are written beside it and the folder is renamed when
// all of them are on disk: it is there whole or not at all. Nothing is packed, so that
// the bytes depend on the options alone and not on a version of gzip. progress is called
// now and then with the customers done and all of them; nil: never.
func (b *Bank) WriteFolder(ctx context.Context, dir string, progress func(done, total int)) (err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("write the demo bank: %w", err)
	}
	if err := checkFree(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // G301: invented data, for everybody to read
		return fmt.Errorf("write the demo bank: %w", err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".fundmatch-demo-")
	if err != nil {
		return fmt.Errorf("write the demo bank: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(temp) // best effort: the error that matters is returned
		}
	}()
	if err := b.writeFiles(ctx, temp, progress); err != nil {
		return err
	}
	return publish(temp, dir)
}

// checkFree reports whether a folder can be written: not there, or empty.
func checkFree(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("write the demo bank: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("%w: %s holds %s, expected a folder that is empty or not there", ErrFolderInUse, dir, entries[0].Name())
	}
	return nil
}

// publish gives the finished folder its name.
func publish(temp, dir string) error {
	if err := os.Chmod(temp, 0o755); err != nil { //nolint:gosec // G302: invented data, for everybody to read
		return fmt.Errorf("write the demo bank: %w", err)
	}
	// An empty folder of the name is in the way of the rename.
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write the demo bank: %w", err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return fmt.Errorf("write the demo bank: %w", err)
	}
	return nil
}

// writeFiles writes every file of the format into a folder.
func (b *Bank) writeFiles(ctx context.Context, dir string, progress func(done, total int)) error {
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"products.csv", func(w io.Writer) error { return dataset.WriteProducts(w, b.Products()) }},
		{"calendar.csv", func(w io.Writer) error { return dataset.WriteCalendar(w, b.Calendar()) }},
		{"branches.csv", func(w io.Writer) error { return dataset.WriteBranches(w, slices.Values(b.Branches())) }},
		{"managers.csv", func(w io.Writer) error { return dataset.WriteManagers(w, slices.Values(b.Managers())) }},
		{"nav.csv", func(w io.Writer) error { return dataset.WriteNAVs(w, b.navRows()) }},
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, f.name), f.write); err != nil {
			return err
		}
	}
	return b.writeCustomers(ctx, dir, progress)
}

// writeFile writes one file and waits until it is on disk.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // G302: invented data, for everybody to read
	if err != nil {
		return fmt.Errorf("write the demo bank: %w", err)
	}
	err = errors.Join(write(file), file.Sync(), file.Close())
	if err != nil {
		return fmt.Errorf("write the demo bank: %w", err)
	}
	return nil
}

// writeCustomers makes each customer once and hands his rows to seven writers, one a
// file, each in a goroutine of its own because a writer asks for rows and cannot be
// given them. All have ended when it returns.
func (b *Bank) writeCustomers(ctx context.Context, dir string, progress func(done, total int)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var done sync.WaitGroup
	writers := customerWriters()
	feeds := make([]chan []*Record, len(writers))
	for i, w := range writers {
		feeds[i] = make(chan []*Record, 1)
		done.Go(func() {
			err := writeFile(filepath.Join(dir, w.name), func(out io.Writer) error { return w.write(out, feeds[i]) })
			if err != nil {
				cancel(err)
			}
			for range feeds[i] { // whoever fails must not hold up the maker
			}
		})
	}
	b.makeCustomers(ctx, feeds, progress)
	for _, feed := range feeds {
		close(feed)
	}
	done.Wait()
	return context.Cause(ctx)
}

// makeCustomers sends all customers in order to every feed, until ctx ends.
func (b *Bank) makeCustomers(ctx context.Context, feeds []chan []*Record, progress func(done, total int)) {
	for from := 0; from < b.opts.Customers && ctx.Err() == nil; from += chunkCustomers {
		to := min(from+chunkCustomers, b.opts.Customers)
		chunk := make([]*Record, 0, to-from)
		for i := from; i < to; i++ {
			chunk = append(chunk, b.Customer(i))
		}
		for _, feed := range feeds {
			feed <- chunk
		}
		if progress != nil {
			progress(to, b.opts.Customers)
		}
	}
}

// customerWriter writes one of the files that have rows of customers.
type customerWriter struct {
	name  string
	write func(io.Writer, <-chan []*Record) error
}

func customerWriters() []customerWriter {
	return []customerWriter{
		{"customers.csv", func(w io.Writer, in <-chan []*Record) error {
			return dataset.WriteCustomers(w, onSecondPass(rowsOf(in, func(r *Record) []dataset.CustomerRow {
				return []dataset.CustomerRow{r.Customer}
			})))
		}},
		{"assessments.csv", func(w io.Writer, in <-chan []*Record) error {
			return dataset.WriteAssessments(w, rowsOf(in, func(r *Record) []dataset.AssessmentRow { return r.Assessments }))
		}},
		{"consents.csv", func(w io.Writer, in <-chan []*Record) error {
			return dataset.WriteConsents(w, rowsOf(in, func(r *Record) []dataset.ConsentRow { return r.Consents }))
		}},
		{"tags.csv", func(w io.Writer, in <-chan []*Record) error {
			return dataset.WriteTags(w, rowsOf(in, func(r *Record) []dataset.TagRow { return r.Tags }))
		}},
		{"holdings.csv", func(w io.Writer, in <-chan []*Record) error {
			return dataset.WriteHoldings(w, rowsOf(in, func(r *Record) []dataset.HoldingRow { return r.Holdings }))
		}},
		{"interactions.csv", func(w io.Writer, in <-chan []*Record) error {
			return dataset.WriteInteractions(w, rowsOf(in, func(r *Record) []features.CustomerPurchase { return r.Interactions }))
		}},
		{"events.csv", func(w io.Writer, in <-chan []*Record) error {
			return dataset.WriteEvents(w, rowsOf(in, func(r *Record) []features.Event { return r.Events }))
		}},
	}
}

// rowsOf returns the rows of one file from the customers that come in.
func rowsOf[T any](in <-chan []*Record, rows func(*Record) []T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for chunk := range in {
			for _, r := range chunk {
				for _, v := range rows(r) {
					if !yield(v) {
						return
					}
				}
			}
		}
	}
}

// onSecondPass gives the rows on the second pass only. dataset.WriteCustomers makes a
// first one for the names of attributes, of which this bank's customers have none, and
// customers are made once.
func onSecondPass[T any](rows iter.Seq[T]) iter.Seq[T] {
	first := true
	return func(yield func(T) bool) {
		if first {
			first = false
			return
		}
		rows(yield)
	}
}
