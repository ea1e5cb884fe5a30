package decisionlog

import (
	"context"
	"errors"
	"io"
	"time"
)

// CheckEnds says whether the last segment of every writer ends with a whole block. All and Find take a block that is
// not whole for one that is being written: whoever has to have read everything asks here afterwards. A block that a
// live writer is writing is waited for a little.
//
// Errors: *BrokenError that names the torn end, ErrNewerFormat, that of ctx.
func (r *Reader) CheckEnds(ctx context.Context) error {
	places, err := listAll(r.dir)
	if err != nil {
		return err
	}
	for _, at := range places {
		if !at.last {
			continue
		}
		if err := checkEnd(ctx, at.place); err != nil {
			return err
		}
	}
	return nil
}

func checkEnd(ctx context.Context, at place) error {
	s, err := openSegment(at)
	if err != nil {
		return err
	}
	defer s.release()
	const tries, pause = 3, 5 * time.Millisecond
	for waited := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := s.nextBlock()
		if err == nil {
			err = s.skip(&h)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case isCut(err) && waited < tries:
			waited++
			time.Sleep(pause)
			s.rewind(s.offset, s.next)
		case err != nil:
			return err
		default:
			waited = 0
		}
	}
}
