package decisionlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Report is what Verify found whole.
type Report struct {
	Writers  []WriterReport
	Segments int
	Records  uint64
	Erased   uint64
	Bytes    int64
}

// WriterReport is about the chain of one writer.
type WriterReport struct {
	Writer   uint32
	Segments int
	Records  uint64
	Erased   uint64
	// Chain is the last link. The files alone cannot show that records were cut off at the end; who keeps Records and
	// Chain elsewhere can.
	Chain Hash
	// Torn are the files that recovery set aside.
	Torn []string
}

// Verify walks all chains of the log in dir: every checksum, every commitment of what was not erased, every link, and
// that no segment is missing. progress, when not nil, is told bytes done and in all. Live writers are no hindrance.
//
// Errors: *BrokenError for the first break, ErrNewerFormat, those of ctx and of reading. The Report covers what came
// before.
func Verify(ctx context.Context, dir string, progress func(done, total int64)) (Report, error) {
	places, err := listAll(dir)
	if err != nil {
		return Report{}, err
	}
	walk := verifier{hash: newHasher(), progress: progress}
	for _, at := range places {
		if info, err := os.Stat(at.path); err == nil {
			walk.total += info.Size()
		}
	}
	for _, at := range places {
		if err := walk.segment(ctx, at); err != nil {
			return walk.report, err
		}
		walk.tell(0)
	}
	return walk.report, nil
}

// verifier carries the state from segment to segment.
type verifier struct {
	hash     *hasher
	progress func(done, total int64)
	total    int64
	told     int64
	report   Report
	link     link
}

// link is what the next segment of a writer must go on from.
type link struct {
	writer  uint32
	segment uint64
	next    uint64
	chain   Hash
}

func (v *verifier) segment(ctx context.Context, at listed) error {
	if at.writer != v.link.writer {
		torn, err := listWith(filepath.Dir(at.path), tornSuffix)
		if err != nil {
			return fmt.Errorf("decision log: %w", err)
		}
		v.link = link{writer: at.writer, segment: 1, next: 1}
		v.report.Writers = append(v.report.Writers, WriterReport{Writer: at.writer, Torn: torn})
	}
	s, err := openSegment(at.place)
	if err != nil {
		return err
	}
	defer s.release()
	if err := v.follows(s); err != nil {
		return err
	}
	check := newSegmentCheck(s, v.hash)
	err = v.blocks(ctx, s, check, at.last)
	v.count(s, check)
	if err != nil {
		return err
	}
	if !s.sealed && !at.last {
		return s.broken("segment ends without a seal, yet another follows")
	}
	v.link.segment, v.link.next, v.link.chain = at.number+1, s.next, check.chain
	return nil
}

// follows holds a segment's header against the end of the segment before.
func (v *verifier) follows(s *segment) error {
	var reason string
	switch {
	case s.number != v.link.segment:
		reason = fmt.Sprintf("segment %d is missing", v.link.segment)
	case s.header.first != v.link.next:
		reason = fmt.Sprintf("segment begins with record %d, want %d", s.header.first, v.link.next)
	case s.header.previous != v.link.chain:
		reason = fmt.Sprintf("chain of the segment before: header says %s, it was %s", s.header.previous, v.link.chain)
	default:
		return nil
	}
	broken := s.broken(reason)
	broken.Index, broken.Offset = v.link.next, 0
	return broken
}

// blocks checks block after block. A block that a live writer has not written whole yet is waited for a little.
func (v *verifier) blocks(ctx context.Context, s *segment, check *segmentCheck, last bool) error {
	const tries, pause = 3, 5 * time.Millisecond
	for waited := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := check.block(s)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case last && isCut(err) && waited < tries:
			waited++
			time.Sleep(pause)
			s.rewind(s.offset, s.next)
		case err != nil:
			return err
		default:
			waited = 0
			v.tell(s.offset)
		}
	}
}

// count adds what was found whole in a segment to the report.
func (v *verifier) count(s *segment, check *segmentCheck) {
	records := s.next - s.header.first
	w := &v.report.Writers[len(v.report.Writers)-1]
	w.Segments++
	w.Records += records
	w.Erased += check.erased
	w.Chain = check.chain
	v.report.Segments++
	v.report.Records += records
	v.report.Erased += check.erased
	v.report.Bytes += s.offset
}

// tell reports progress at the end of a segment and every few megabytes inside.
func (v *verifier) tell(inside int64) {
	const every = 4 << 20
	done := v.report.Bytes + inside
	if v.progress == nil || inside != 0 && done-v.told < every {
		return
	}
	v.told = done
	v.progress(done, max(v.total, done))
}

// segmentCheck holds the blocks of one segment against the chain, the commitments and each other.
type segmentCheck struct {
	hash     *hasher
	chain    Hash
	span     span
	erased   uint64
	carriers map[uint64]Hash // commitments of the profiles that the segment's records carry
}

func newSegmentCheck(s *segment, h *hasher) *segmentCheck {
	return &segmentCheck{hash: h, chain: s.header.seed(), span: emptySpan(), carriers: make(map[uint64]Hash)}
}

// block checks the next block; io.EOF: there is none.
func (c *segmentCheck) block(s *segment) error {
	offset := s.offset
	h, err := s.nextBlock()
	if errors.Is(err, io.EOF) && s.sealed {
		return c.seal(s, &h, offset)
	}
	if err != nil {
		return err
	}
	body, err := s.body(&h)
	if err != nil {
		return err
	}
	chain, span, erased := c.chain, emptySpan(), c.erased
	err = eachEntry(body, h.first, h.count, func(e *entry) error {
		chain = c.hash.link(chain, e.index, &e.public)
		span.add(&e.public)
		if e.erased {
			erased++
		}
		return c.entry(e)
	})
	switch {
	case err != nil:
	case chain != h.chain:
		err = &entryError{index: h.first, err: fmt.Errorf("chain: block says %s, its records give %s", h.chain, chain)}
	case span != h.span:
		err = &entryError{index: h.first, err: errors.New("block header: times differ from those of its records")}
	}
	if err != nil {
		return s.brokenAt(offset, err)
	}
	c.chain, c.erased = chain, erased
	c.span.join(span)
	return nil
}

// entry checks the commitments of an entry and that its profile is where it says.
func (c *segmentCheck) entry(e *entry) error {
	if e.carries() {
		c.carriers[e.index] = e.profileSum
	} else if e.carrier != 0 {
		if sum, ok := c.carriers[e.carrier]; !ok || sum != e.profileSum {
			return fmt.Errorf("record: its profile is not in record %d of this segment", e.carrier)
		}
	}
	return e.checkCommitments(c.hash)
}

// seal checks the summary at the end of a segment.
func (c *segmentCheck) seal(s *segment, h *blockHeader, offset int64) error {
	if h.chain == c.chain && h.span == c.span {
		return io.EOF
	}
	return s.brokenAt(offset, errors.New("seal differs from the blocks before it"))
}
