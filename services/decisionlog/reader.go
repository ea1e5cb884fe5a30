package decisionlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"sync"
)

// Stored is a record as it lies in the log.
type Stored struct {
	Record
	// Writer, Segment and Index say where: the record is number Index of its writer, counted from 1.
	Writer  uint32
	Segment uint64
	Index   uint64
	// Commitment is SHA-256 over the salted payload, ProfileCommitment that over the profile (zero: no profile).
	Commitment        Hash
	ProfileCommitment Hash
	// Erased: CustomerID, Profile and Payload were taken away; the rest stands.
	Erased bool
}

// Reader reads a log, also while writers in this or another process append: it sees what they had written, block by
// block. It holds no file open between calls. Its methods are safe for many goroutines.
type Reader struct {
	dir string

	mu    sync.Mutex
	spans map[place]span // of sealed segments, which keep theirs for good
}

// OpenReader gives a reader of the log in dir; an error of fs.ErrNotExist when there is no such directory.
func OpenReader(dir string) (*Reader, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("decision log: %s is not a directory: %w", dir, fs.ErrNotExist)
	}
	return &Reader{dir: dir, spans: make(map[place]span)}, nil
}

// Find gives the decision of an id. It opens only segments, and reads only blocks, that hold decisions of the time in
// the id.
//
// Errors: ErrNotFound; ErrErased, with a Stored that still carries id, times and commitments; ErrInvalid for an id that
// is no UUIDv7; *BrokenError or ErrNewerFormat when the decision may lie where the log cannot be read.
func (r *Reader) Find(ctx context.Context, id string) (Stored, error) {
	want, err := parseDecisionID(id)
	if err != nil {
		return Stored{}, err
	}
	places, err := listAll(r.dir)
	if err != nil {
		return Stored{}, err
	}
	var unreadable error
	for i := len(places) - 1; i >= 0; i-- { // mostly a recent one is asked for
		if err := ctx.Err(); err != nil {
			return Stored{}, err
		}
		if known, ok := r.sealedSpan(places[i].place); ok && !known.mayHold(want.millis()) {
			continue
		}
		stored, err := findIn(ctx, places[i], want)
		switch {
		case err == nil && stored.Erased:
			return stored, ErrErased
		case err == nil:
			return stored, nil
		case !errors.Is(err, ErrNotFound):
			unreadable = errors.Join(err, unreadable)
		}
	}
	if unreadable != nil {
		return Stored{}, unreadable
	}
	return Stored{}, fmt.Errorf("%w: %s", ErrNotFound, id)
}

// sealedSpan gives the span of a segment that is sealed.
func (r *Reader) sealedSpan(at place) (span, bool) {
	r.mu.Lock()
	known, ok := r.spans[at]
	r.mu.Unlock()
	if ok {
		return known, true
	}
	seal, ok, err := readSeal(at.path)
	if err != nil || !ok {
		return span{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans[at] = seal.span
	return seal.span, true
}

// listed is a segment and whether it was its writer's last when the directory was read.
type listed struct {
	place
	last bool
}

func listAll(dir string) ([]listed, error) {
	ids, err := listWriters(dir)
	if err != nil {
		return nil, err
	}
	var all []listed
	for _, id := range ids {
		places, err := listSegments(dir, id)
		if err != nil {
			return nil, err
		}
		for i, at := range places {
			all = append(all, listed{place: at, last: i == len(places)-1})
		}
	}
	return all, nil
}

// findIn looks for a decision in one segment.
func findIn(ctx context.Context, at listed, want decisionID) (Stored, error) {
	view, err := openView(at)
	if err != nil {
		return Stored{}, err
	}
	defer view.release()
	for {
		if err := ctx.Err(); err != nil {
			return Stored{}, err
		}
		h, err := view.next()
		if errors.Is(err, io.EOF) {
			return Stored{}, ErrNotFound
		}
		if err != nil {
			return Stored{}, err
		}
		if !h.span.mayHold(want.millis()) {
			if err := view.skip(&h); err != nil {
				return Stored{}, view.ended(err, ErrNotFound)
			}
			continue
		}
		stored, found, err := view.find(&h, want)
		if err != nil {
			return Stored{}, view.ended(err, ErrNotFound)
		}
		if found {
			return stored, nil
		}
	}
}

// All gives every record made at or after since (microseconds since the Unix epoch; 0: all), writer by writer, in the
// order of the log, erased ones included. It ends with the first error: *BrokenError, ErrNewerFormat, that of ctx. The
// slices of a Stored may be kept and must not be changed.
func (r *Reader) All(ctx context.Context, since int64) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		places, err := listAll(r.dir)
		if err != nil {
			yield(Stored{}, err)
			return
		}
		for _, at := range places {
			if known, ok := r.sealedSpan(at.place); ok && known.maxRecorded < since {
				continue
			}
			err := eachIn(ctx, at, since, yield)
			if errors.Is(err, errStop) {
				return
			}
			if err != nil {
				yield(Stored{}, err)
				return
			}
		}
	}
}

// errStop ends a walk that the caller does not want to go on with.
var errStop = errors.New("stop")

func eachIn(ctx context.Context, at listed, since int64, yield func(Stored, error) bool) error {
	view, err := openView(at)
	if err != nil {
		return err
	}
	defer view.release()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := view.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.span.maxRecorded < since {
			err = view.skip(&h)
		} else {
			err = view.each(&h, func(s Stored) error {
				if s.RecordedAt >= since && !yield(s, nil) {
					return errStop
				}
				return nil
			})
		}
		if err != nil {
			return view.ended(err, nil)
		}
	}
}

// view reads the records of one segment and finds their profiles.
type view struct {
	*segment
	last     bool
	hash     *hasher
	profiles map[uint64]carriedProfile // by carrier
	held     int                       // bytes in profiles
}

type carriedProfile struct {
	sum   Hash
	bytes []byte
}

// maxHeldProfiles bounds the profiles that a walk keeps at hand; one that was let go is read again.
const maxHeldProfiles = 32 << 20

func openView(at listed) (*view, error) {
	v := &view{last: at.last, hash: newHasher(), profiles: make(map[uint64]carriedProfile)}
	var err error
	v.segment, err = openSegment(at.place)
	return v, err
}

// next gives the next block; where a live writer is at work, a block that is not whole yet ends the segment.
func (v *view) next() (blockHeader, error) {
	h, err := v.nextBlock()
	return h, v.ended(err, io.EOF)
}

// ended turns a cut at the end of a writer's last segment into what stands for the end.
func (v *view) ended(err, end error) error {
	if v.last && isCut(err) {
		return end
	}
	return err
}

// find looks for a decision in the block whose header was read, and checks it against its commitments.
func (v *view) find(h *blockHeader, want decisionID) (Stored, bool, error) {
	var stored Stored
	found := false
	err := v.walk(h, func(e *entry) error {
		if found || e.id != want || e.kind != KindDecision {
			return nil
		}
		found = true
		var err error
		stored, err = v.stored(e)
		return err
	})
	return stored, found, err
}

func (v *view) each(h *blockHeader, visit func(s Stored) error) error {
	return v.walk(h, func(e *entry) error {
		stored, err := v.stored(e)
		if err != nil {
			return err
		}
		return visit(stored)
	})
}

// walk decodes the entries of the block whose header was read.
func (v *view) walk(h *blockHeader, visit func(e *entry) error) error {
	offset := v.offset
	body, err := v.body(h)
	if err != nil {
		return err
	}
	err = eachEntry(body, h.first, h.count, visit)
	var broken *BrokenError
	if err == nil || errors.Is(err, errStop) || errors.Is(err, errRead) || errors.As(err, &broken) {
		return err
	}
	return v.brokenAt(offset, err)
}

// stored checks an entry against its commitments and puts its profile to it.
func (v *view) stored(e *entry) (Stored, error) {
	s := Stored{
		Record: Record{
			DecisionID: e.id.String(), DecidedAt: e.decidedAt, RecordedAt: e.recordedAt, Kind: e.kind,
			CustomerID: string(e.customerID), Payload: e.payload,
		},
		Writer: v.writer, Segment: v.number, Index: e.index,
		Commitment: e.payloadSum, ProfileCommitment: e.profileSum, Erased: e.erased,
	}
	if err := e.checkCommitments(v.hash); err != nil || e.erased || e.carrier == 0 {
		return s, err
	}
	if e.carries() {
		s.Profile = e.profile
		v.hold(e, e.profile)
		return s, nil
	}
	profile, err := v.carried(e)
	s.Profile = profile
	return s, err
}

func (v *view) hold(e *entry, profile []byte) {
	if v.held+len(profile) > maxHeldProfiles {
		clear(v.profiles)
		v.held = 0
	}
	v.profiles[e.carrier] = carriedProfile{sum: e.profileSum, bytes: bytes.Clone(profile)}
	v.held += len(profile)
}

// carried gives the profile that another record of the segment carries.
func (v *view) carried(e *entry) ([]byte, error) {
	if known, ok := v.profiles[e.carrier]; ok && known.sum == e.profileSum {
		return known.bytes, nil
	}
	h, body, err := v.blockOf(e.carrier)
	if err != nil {
		return nil, err
	}
	var profile []byte
	err = eachEntry(body, h.first, h.count, func(other *entry) error {
		if other.index != e.carrier {
			return nil
		}
		if other.profileSum != e.profileSum || !bytes.Equal(other.customerID, e.customerID) {
			return fmt.Errorf("record: record %d refers to its profile, which is another", e.index)
		}
		profile = other.profile
		return other.checkCommitments(v.hash)
	})
	if err == nil && len(profile) == 0 {
		err = fmt.Errorf("record: profile in record %d, which carries none", e.carrier)
	}
	if err != nil {
		return nil, err
	}
	v.hold(e, profile)
	return profile, nil
}
