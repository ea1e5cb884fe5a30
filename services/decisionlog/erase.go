package decisionlog

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// rotateWait is how long Erase waits for another process to seal the segment that it writes.
const rotateWait = 10 * time.Second

// Erase takes the personal values of a customer (id, profiles, payloads, and their salts) out of every record that was
// in the log when it was called, in the segments of all writers, and says how many records those were. Public fields
// and commitments stay: the chain is whole, and Find says ErrErased. The bytes that recovery set aside cannot be told
// apart by customer and go as a whole. Erasing again is safe, and finishes what a crash interrupted.
//
// An error leaves each segment either as it was or erased whole, and names what was not done: ErrBusy when a live
// writer did not give its segment free within 10 s, ErrFull, *BrokenError (a broken segment is left as it is),
// ErrClosed, those of ctx.
func (l *Log) Erase(ctx context.Context, customerID string) (int, error) {
	return l.EraseUntil(ctx, customerID, math.MaxInt64)
}

// EraseUntil is Erase of the records that were recorded at or before an instant, in microseconds since 1970: who came
// to the bank again afterwards keeps what was decided since.
func (l *Log) EraseUntil(ctx context.Context, customerID string, until int64) (int, error) {
	if customerID == "" || len(customerID) > MaxCustomerIDBytes {
		return 0, tooLong("customer id", len(customerID), 1, MaxCustomerIDBytes)
	}
	if err := l.exclusively(ctx, func() error { return nil }); err != nil {
		return 0, err
	}
	lock, err := waitForLock(ctx, filepath.Join(l.dir, eraseLockName))
	if err != nil {
		return 0, err
	}
	defer closeRead(lock)
	ids, err := listWriters(l.dir)
	if err != nil {
		return 0, err
	}
	e := eraser{log: l, customer: customerID, until: until, hash: newHasher()}
	total := 0
	var errs []error
	for _, id := range ids {
		n, err := e.writer(ctx, id)
		total += n
		errs = append(errs, err)
	}
	return total, errors.Join(errs...)
}

// waitForLock waits for another erasure to end.
func waitForLock(ctx context.Context, path string) (*os.File, error) {
	for {
		lock, err := tryLock(path)
		if !errors.Is(err, errHeld) {
			return lock, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context) error {
	const interval = 20 * time.Millisecond
	t := time.NewTimer(interval)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// eraser is one erasure. It holds the directory's erase lock.
type eraser struct {
	log      *Log
	customer string
	until    int64
	hash     *hasher
}

// writer erases in the segments of one writer. One that no process holds is held meanwhile, so that nobody appends.
func (e *eraser) writer(ctx context.Context, id uint32) (int, error) {
	home := writerDir(e.log.dir, id)
	live := id == e.log.w.id
	if !live {
		lock, err := tryLock(filepath.Join(home, lockName))
		switch {
		case errors.Is(err, errHeld):
			live = true
		case err != nil:
			return 0, fmt.Errorf("decision log: %w", err)
		default:
			defer closeRead(lock)
			if err := e.settle(id, (*writer).end); err != nil {
				return 0, err
			}
		}
	}
	places, err := listSegments(e.log.dir, id)
	if err != nil {
		return 0, err
	}
	errs := []error{removeTemps(home)}
	total := 0
	for i, at := range places {
		n, err := e.segment(ctx, at, live && i == len(places)-1)
		total += n
		errs = append(errs, err)
	}
	errs = append(errs, e.clearTorn(home))
	return total, errors.Join(errs...)
}

// settle recovers a writer directory that was left behind and does one thing with it. Its lock is held.
func (e *eraser) settle(id uint32, do func(*writer) error) error {
	w, _, err := resume(e.log.dir, id, &e.log.cfg)
	if err != nil {
		return err
	}
	return do(w)
}

// removeTemps takes away what an interrupted erasure left: it may hold values of the next customer to be erased.
func removeTemps(home string) error {
	paths, err := listWith(home, tempSuffix)
	for _, path := range paths {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// segment erases in one segment; writing: a live writer may still append to it.
func (e *eraser) segment(ctx context.Context, at place, writing bool) (int, error) {
	held, err := e.holds(ctx, at, writing)
	if err != nil || !held {
		return 0, err
	}
	if writing {
		if err := e.waitSealed(ctx, at); err != nil {
			return 0, err
		}
	}
	return e.rewrite(ctx, at)
}

// holds says whether the segment has a record of the customer.
func (e *eraser) holds(ctx context.Context, at place, writing bool) (bool, error) {
	v, err := openView(listed{place: at, last: writing})
	if err != nil {
		return false, err
	}
	defer v.release()
	held := false
	for !held {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		h, err := v.next()
		if err == nil {
			err = v.walk(&h, func(other *entry) error {
				held = held || e.owns(other)
				return nil
			})
			err = v.ended(err, io.EOF)
		}
		if errors.Is(err, io.EOF) {
			return held, nil
		}
		if err != nil {
			return false, err
		}
	}
	return held, nil
}

func (e *eraser) owns(other *entry) bool {
	return !other.erased && other.recordedAt <= e.until && string(other.customerID) == e.customer
}

// waitSealed has the segment's writer go on in another segment.
func (e *eraser) waitSealed(ctx context.Context, at place) error {
	if at.writer == e.log.w.id {
		return e.log.exclusively(ctx, func() error {
			if _, sealed, err := readSeal(at.path); sealed || err != nil {
				return err
			}
			return e.log.w.rotate()
		})
	}
	home := filepath.Dir(at.path)
	ctx, cancel := context.WithTimeoutCause(ctx, rotateWait, fmt.Errorf("%w: %s", ErrBusy, at.path))
	defer cancel()
	request, err := os.OpenFile(filepath.Join(home, rotateName), os.O_WRONLY|os.O_CREATE, fileMode)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err := request.Close(); err != nil {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	for {
		if _, sealed, err := readSeal(at.path); sealed || err != nil {
			return err
		}
		if lock, err := tryLock(filepath.Join(home, lockName)); err == nil { // its process has ended
			err = e.settle(at.writer, func(w *writer) error { return errors.Join(w.rotate(), w.end()) })
			if err := errors.Join(err, lock.Close()); err != nil {
				return err
			}
		}
		if err := pause(ctx); err != nil {
			return context.Cause(ctx)
		}
	}
}

// rewrite puts an erased copy in the place of a segment that nobody appends to. Until the rename the old file stands,
// after it the new one; both are whole.
func (e *eraser) rewrite(ctx context.Context, at place) (int, error) {
	temp := at.path + tempSuffix
	n, err := e.writeErased(ctx, at, temp)
	if err == nil {
		err = e.checkErased(ctx, at, temp)
	}
	if err != nil {
		return 0, errors.Join(err, removeTemps(filepath.Dir(at.path)))
	}
	e.log.cfg.atStep("checked")
	if err := os.Rename(temp, at.path); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrFull, err)
	}
	e.log.cfg.atStep("renamed")
	if err := syncDir(filepath.Dir(at.path)); err != nil {
		return n, fmt.Errorf("%w: %w", ErrFull, err)
	}
	return n, nil
}

// writeErased writes the erased copy and syncs it.
func (e *eraser) writeErased(ctx context.Context, at place, temp string) (int, error) {
	s, err := openSegment(at)
	if err != nil {
		return 0, err
	}
	defer s.release()
	out, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrFull, err)
	}
	e.log.cfg.atStep("created")
	n, err := e.copyErased(ctx, s, out)
	e.log.cfg.atStep("written")
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return 0, fmt.Errorf("%w: erased copy %s: %w", ErrFull, temp, err)
	}
	e.log.cfg.atStep("synced")
	return n, nil
}

// copyErased copies block by block; only blocks that hold records of the customer are made anew.
func (e *eraser) copyErased(ctx context.Context, s *segment, dst io.Writer) (int, error) {
	out := bufio.NewWriterSize(dst, readBuffer)
	if _, err := out.Write(s.header.encode()); err != nil {
		return 0, err
	}
	total, b := 0, block{}
	for at := int64(headerBytes); ; at += int64(len(b.out)) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		h, err := s.nextBlock()
		b.head = h
		b.head.durable = uint64(at) // the whole copy is on the disk before it gets its name
		if errors.Is(err, io.EOF) {
			if s.sealed {
				_, err = out.Write(b.sealed())
			} else {
				err = nil
			}
			return total, errors.Join(err, out.Flush())
		}
		if err != nil {
			return 0, err
		}
		n, err := e.eraseBlock(s, &h, &b)
		if err != nil {
			return 0, err
		}
		total += n
		if _, err := out.Write(b.out); err != nil {
			return 0, err
		}
	}
}

// sealed gives the bytes of a block that is a header alone.
func (b *block) sealed() []byte {
	out := make([]byte, blockHeaderBytes)
	b.head.encode(out)
	return out
}

// eraseBlock makes in b.out the block whose header was read, without the customer's values.
func (e *eraser) eraseBlock(s *segment, h *blockHeader, b *block) (int, error) {
	offset := s.offset
	body, err := s.body(h)
	if err != nil {
		return 0, err
	}
	n := 0
	b.raw = b.raw[:0]
	err = eachEntry(body, h.first, h.count, func(other *entry) error {
		if e.owns(other) {
			other.erase()
			n++
		}
		b.raw = other.append(b.raw)
		return nil
	})
	if err != nil {
		return 0, s.brokenAt(offset, err)
	}
	if n > 0 {
		b.finish()
		return n, nil
	}
	b.out = append(b.out[:0], b.sealed()...)
	b.out = append(b.out, s.stored...)
	return 0, nil
}

// checkErased reads the copy back before it takes the segment's place.
func (e *eraser) checkErased(ctx context.Context, at place, temp string) error {
	s, err := openSegment(place{path: temp, writer: at.writer, number: at.number})
	if err != nil {
		return err
	}
	defer s.release()
	for check := newSegmentCheck(s, e.hash); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := check.block(s); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// tornNote stands in a file of set-aside bytes after they were erased.
const tornNote = "fundmatch decision log: set-aside bytes removed by an erasure"

// clearTorn replaces bytes that recovery set aside by a note. They are part of a block and cannot be told apart by
// customer; none of them was acknowledged to survive.
func (e *eraser) clearTorn(home string) error {
	paths, err := listWith(home, tornSuffix)
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range paths {
		errs = append(errs, clearTornFile(path))
		e.log.cfg.atStep("torn")
	}
	return errors.Join(errs...)
}

func clearTornFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("decision log: %w", err)
	}
	defer closeRead(f)
	sum := sha256.New()
	head := make([]byte, len(tornNote))
	n, err := io.ReadFull(f, head)
	if err != nil && !isEnd(err) {
		return fmt.Errorf("decision log: %w", err)
	}
	if strings.HasPrefix(string(head[:n]), tornNote) {
		return nil
	}
	sum.Write(head[:n])
	more, err := io.Copy(sum, f)
	if err != nil {
		return fmt.Errorf("decision log: %w", err)
	}
	note := fmt.Sprintf("%s: %d bytes, SHA-256 %x\n", tornNote, int64(n)+more, sum.Sum(nil))
	temp := path + tempSuffix
	if err := writeSynced(temp, note); err != nil {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return errors.Join(os.Rename(temp, path), syncDir(filepath.Dir(path)))
}

func writeSynced(path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Sync(), f.Close())
}
