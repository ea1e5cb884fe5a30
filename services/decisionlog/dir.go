package decisionlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Names in the directory of a log: writer-NNNN/NNNNNNNNNNNN.seg and, beside them, what is in the making or set aside.
const (
	writerPrefix  = "writer-"
	segmentSuffix = ".seg"
	newSuffix     = ".new"  // a segment whose header is being written
	tempSuffix    = ".tmp"  // a file that will take the place of another
	tornSuffix    = ".torn" // bytes set aside by recovery
	lockName      = "lock"
	eraseLockName = "erase.lock"
	rotateName    = "rotate" // asks a live writer to seal its segment

	maxWriters = 9999
	dirMode    = 0o750
	fileMode   = 0o600 // personal values: nobody but the owner
)

// file is what the writer needs of a file; tests put a failing one in its place.
type file interface {
	WriteAt(b []byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

type openFile func(path string, flag int) (file, error)

func openOnDisk(path string, flag int) (file, error) { return os.OpenFile(path, flag, fileMode) }

func writerDir(dir string, id uint32) string {
	return filepath.Join(dir, fmt.Sprintf("%s%04d", writerPrefix, id))
}

func segmentPath(writerDir string, number uint64) string {
	return filepath.Join(writerDir, fmt.Sprintf("%012d%s", number, segmentSuffix))
}

// place is a segment file and the numbers in its name.
type place struct {
	path   string
	writer uint32
	number uint64
}

// listWriters gives the numbers of the writers that have a directory, ascending.
func listWriters(dir string) ([]uint32, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	var ids []uint32
	for _, e := range entries {
		text, found := strings.CutPrefix(e.Name(), writerPrefix)
		id, err := strconv.ParseUint(text, 10, 32)
		if found && err == nil && e.IsDir() && id >= 1 && id <= maxWriters && e.Name() == filepath.Base(writerDir(dir, uint32(id))) {
			ids = append(ids, uint32(id))
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// listSegments gives the segments of a writer, ascending.
func listSegments(dir string, id uint32) ([]place, error) {
	home := writerDir(dir, id)
	entries, err := os.ReadDir(home)
	if err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	var places []place
	for _, e := range entries {
		text, found := strings.CutSuffix(e.Name(), segmentSuffix)
		number, err := strconv.ParseUint(text, 10, 64)
		if found && err == nil && segmentPath(home, number) == filepath.Join(home, e.Name()) {
			places = append(places, place{path: segmentPath(home, number), writer: id, number: number})
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	return places, nil
}

// listWith gives the files of a writer whose names contain the suffix.
func listWith(home, suffix string) ([]string, error) {
	return filepath.Glob(filepath.Join(home, "*"+suffix+"*"))
}

// syncDir makes renames and new names in a directory last.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// moveInto renames a synced file over another and makes that last.
func moveInto(temp, path string) error {
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// makeDir creates a directory that a crash does not take away.
func makeDir(path string) error {
	if err := os.Mkdir(path, dirMode); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return syncDir(filepath.Dir(path))
}

// errHeld: another open file holds the lock.
var errHeld = errors.New("held")

// tryLock takes the advisory lock (flock) on path, which lasts until the file is closed or the process ends.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = errHeld
	}
	return nil, errors.Join(err, f.Close())
}

// lockWriter takes the first writer's directory that is free, making it when there is none.
func lockWriter(dir string) (uint32, *os.File, error) {
	for id := uint32(1); id <= maxWriters; id++ {
		home := writerDir(dir, id)
		if err := makeDir(home); err != nil {
			return 0, nil, err
		}
		lock, err := tryLock(filepath.Join(home, lockName))
		if err == nil {
			return id, lock, nil
		}
		if !errors.Is(err, errHeld) {
			return 0, nil, err
		}
	}
	return 0, nil, fmt.Errorf("%w: all %d writers", ErrBusy, maxWriters)
}
