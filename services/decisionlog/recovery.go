package decisionlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// resume takes up a writer directory where it was left. The caller holds its lock.
func resume(dir string, id uint32, cfg *Config) (*writer, Recovery, error) {
	w := &writer{dir: dir, id: id, cfg: cfg, next: 1, profiles: newProfileTable(cfg.MaxProfiles)}
	w.block.hash = newHasher()
	if err := removeUnnamed(writerDir(dir, id)); err != nil {
		return nil, Recovery{}, err
	}
	places, err := listSegments(dir, id)
	if err != nil || len(places) == 0 {
		return w, Recovery{}, err
	}
	last := places[len(places)-1]
	end, err := findEnd(last)
	if err != nil {
		return nil, Recovery{}, err
	}
	var recovery Recovery
	if end.broken != nil {
		if recovery, err = setAside(last.path, end.offset); err != nil {
			return nil, Recovery{}, fmt.Errorf("%w: setting aside the torn end of %s: %w", ErrFull, last.path, err)
		}
	}
	w.last, w.next, w.chain = last.number, end.next, end.chain
	if end.sealed {
		return w, recovery, nil
	}
	w.tail, err = continueSegment(last, &end, cfg.open)
	return w, recovery, err
}

// removeUnnamed takes away segments that never got their name: nothing was recorded in them.
func removeUnnamed(home string) error {
	paths, err := listWith(home, segmentSuffix+newSuffix)
	for _, path := range paths {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// continueSegment opens a segment to write after its last whole block, which is on the disk from here on.
func continueSegment(at place, end *ending, open openFile) (*tail, error) {
	f, err := open(at.path, os.O_WRONLY)
	if err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	if err := f.Sync(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: fsync of %s: %w", ErrRefused, at.path, err), f.Close())
	}
	t := &tail{file: f, path: at.path, number: at.number, span: end.span, finish: end.broken != nil}
	t.written.Store(end.offset)
	t.durable.Store(end.offset)
	return t, nil
}

// ending is where the whole blocks of a segment end.
type ending struct {
	offset int64
	next   uint64
	chain  Hash
	span   span
	sealed bool
	broken *BrokenError // what follows them, when it is not the end of the file
}

// findEnd reads a last segment to its end. A break there is part of ending when the bytes from it on may be what a
// crash left; a break before bytes that were on the disk is an error.
func findEnd(at place) (ending, error) {
	s, err := openSegment(at)
	if err != nil {
		return ending{}, err
	}
	defer s.release()
	end := ending{chain: s.header.seed(), span: emptySpan()}
	for err == nil {
		var h blockHeader
		if h, err = s.nextBlock(); err == nil {
			if _, err = s.body(&h); err == nil {
				end.chain = h.chain
				end.span.join(h.span)
			}
		}
	}
	end.offset, end.next, end.sealed = s.offset, s.next, s.sealed
	if errors.Is(err, io.EOF) {
		return end, nil
	}
	if !errors.As(err, &end.broken) {
		return end, err
	}
	later, err := durableBeyond(s.src, end.offset)
	if err == nil && later {
		end.broken.Reason += "; not a torn end: later blocks say that these bytes were on the disk"
		err = end.broken
	}
	return end, err
}

// durableBeyond looks for a block after offset that says that more than offset bytes were on the disk before it. Then
// a break at offset is no trace of a crash: after a loss of power only what was not yet synced may be missing, in any
// order.
func durableBeyond(src io.ReaderAt, offset int64) (bool, error) {
	const window = 1 << 20
	buf := make([]byte, window)
	for at := offset; ; at += window - blockHeaderBytes + 1 {
		n, err := src.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, fmt.Errorf("decision log: %w", err)
		}
		for rest := buf[:n]; len(rest) >= blockHeaderBytes; rest = rest[1:] {
			i := bytes.Index(rest, []byte(blockMagic))
			if i < 0 || len(rest)-i < blockHeaderBytes {
				break
			}
			rest = rest[i:]
			var h blockHeader
			if h.decode(rest[:blockHeaderBytes]) == nil && h.durable > uint64(offset) {
				return true, nil
			}
		}
		if n < window {
			return false, nil
		}
	}
}

// setAside copies what begins at offset to a file of its own and then cuts it off. Stopped in between, the next Open
// sets it aside once more.
func setAside(path string, offset int64) (Recovery, error) {
	src, err := os.OpenFile(path, os.O_RDWR, fileMode)
	if err != nil {
		return Recovery{}, err
	}
	defer closeRead(src)
	torn, err := createNumbered(path + tornSuffix)
	if err != nil {
		return Recovery{}, err
	}
	n, err := io.Copy(torn, io.NewSectionReader(src, offset, 1<<62-offset))
	if err := errors.Join(err, torn.Sync(), torn.Close(), syncDir(filepath.Dir(path))); err != nil {
		return Recovery{}, err
	}
	if err := errors.Join(src.Truncate(offset), src.Sync()); err != nil {
		return Recovery{}, err
	}
	return Recovery{Torn: torn.Name(), Offset: offset, Bytes: n}, nil
}

// createNumbered makes path, or path-2, path-3: nothing that was set aside is overwritten.
func createNumbered(path string) (*os.File, error) {
	const most = 1000
	name := path
	for i := 2; i <= most; i++ {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		name = fmt.Sprintf("%s-%d", path, i)
	}
	return nil, fmt.Errorf("%s: set aside %d times already", path, most)
}
