// Package extract joins labels with features as they were: for each row of a file of
// (customer, instant) the cells that a read at that instant would have found, and nothing
// that became known later. It is the offline end of the one path by which online reads go:
// history.AsOf, then view.Plan.Read.
package extract

import (
	"context"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
)

// Store is what an extract reads.
type Store interface {
	features.Histories
	// ChangesEnd names the state of the store in the output's metadata.
	ChangesEnd(ctx context.Context) (features.Position, error)
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

	Workers  int                                        // customers folded at a time; 0: 1
	Memory   int64                                      // bytes of sorting and results that are kept before files take them; 0: DefaultMemory
	TempDir  string                                     // of those files; "": the system's
	Progress func(stage Stage, done int64, total int64) // total -1: not known; nil: nobody asks
}

// Stage is a part of the work.
type Stage string

// The stages, in their order.
const (
	ReadLabels   Stage = "read labels"
	ReadFeatures Stage = "read features"
	WriteRows    Stage = "write rows"
)

// The bounds of Options.Memory.
const (
	DefaultMemory = 256 << 20
	MinMemory     = 8 << 20
)

// Summary says what an extract did.
type Summary struct {
	Rows      int64 // of the output, as many as of labels
	Customers int64 // of the labels
	Unknown   int64 // rows of customers whom the store does not know
	Present   int64 // cells with a value
	Position  features.Position
}

// label is one row of the labels.
type label struct {
	customerID string
	index      uint64 // place in the file, from 0
	asOf       features.AsOf
}
