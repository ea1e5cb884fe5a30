package decisionlog

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound says: no decision of this id is in the log.
	ErrNotFound = errors.New("decision log: no such decision")
	// ErrErased says: the decision was recorded, its personal values were erased. Stored still carries id, times and
	// commitments.
	ErrErased = errors.New("decision log: the personal values of this decision were erased")
	// ErrClosed says: the log was closed.
	ErrClosed = errors.New("decision log: closed")
	// ErrFull says: the record could not be written (disk full, quota, write error) and is not in the log. The next Append
	// tries again.
	ErrFull = errors.New("decision log: cannot write")
	// ErrRefused says: the log takes no further record until it is opened again. After a failed fsync nobody knows which
	// pages reached the disk, and asking again would report success without having written them; after a failed
	// roll-back the end of the file is unknown.
	ErrRefused = errors.New("decision log: refuses further records until it is opened again")
	// ErrNewerFormat says: a segment was written by a newer version of this program.
	ErrNewerFormat = errors.New("decision log: segment of a newer format")
	// ErrCorrupt says: the bytes are not what was written. Every BrokenError is one.
	ErrCorrupt = errors.New("decision log: broken")
	// ErrInvalid says: the record or the configuration is outside the limits. Every InvalidError is one.
	ErrInvalid = errors.New("decision log: invalid")
	// ErrBusy says: another process holds what is needed and did not give way in time.
	ErrBusy = errors.New("decision log: held by another process")
)

// InvalidError names what Append, Find or Open was given and what was expected. The value of a personal field is not
// repeated, only its size.
type InvalidError struct {
	Field, Got, Want string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("decision log: %s: got %s, want %s", e.Field, e.Got, e.Want)
}

// Is says that an InvalidError is ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// BrokenError names the first place at which the log is not what was written.
type BrokenError struct {
	// Path is the segment file.
	Path string
	// Writer and Segment are the numbers in the file's name.
	Writer  uint32
	Segment uint64
	// Index is the record, counted from 1 in the writer; where a whole block is broken, the first record of the block.
	Index uint64
	// Offset is the byte in the file at which the broken header or block begins.
	Offset int64
	// Reason says what was found and what was expected.
	Reason string

	// cut: the file ends before the block does, which is how a block looks while it is being written.
	cut bool
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("decision log broken: writer %d, segment %d, record %d, byte %d of %s: %s",
		e.Writer, e.Segment, e.Index, e.Offset, e.Path, e.Reason)
}

// Is says that a BrokenError is ErrCorrupt.
func (e *BrokenError) Is(target error) bool { return target == ErrCorrupt }

// isCut says whether err is a block that the file's end cuts short.
func isCut(err error) bool {
	var broken *BrokenError
	return errors.As(err, &broken) && broken.cut
}
