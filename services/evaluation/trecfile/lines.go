package trecfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/services/evaluation/packed"
)

// blockBytes is how much is read at a time.
const blockBytes = 1 << 20

// maxWindow bounds what a zstd file may make its reader hold.
const maxWindow = 128 << 20

// bom is what some editors begin a file with. It would become part of the first query's id.
const bom = "\ufeff"

// lines hands out the lines of a file, one after the other, with their numbers. A line is a part of a larger text: who
// keeps one keeps all of that.
type lines struct {
	file    string
	limit   int           // bytes of a line
	source  io.ReadCloser // the text, unpacked
	text    string        // what was read and not handed out
	number  int64         // of the line that was handed out last
	buffer  []byte
	atEnd   bool
	counter *counter
}

// counter counts the bytes of the file itself, packed or not.
type counter struct {
	file *os.File
	read int64
	tell func(bytes int64) // nil: nobody wants to know
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.file.Read(p)
	c.read += int64(n)
	return n, err
}

// open opens a file, unpacked by the end of its name.
func open(name string, limit int, tell func(bytes int64)) (*lines, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be opened: %w", name, reasonOf(err))
	}
	if info, err := file.Stat(); err != nil || info.IsDir() {
		return nil, errors.Join(&Error{File: name, Want: "a file, not a folder", Cause: err}, file.Close())
	}
	l := &lines{file: name, limit: limit, buffer: make([]byte, 0, blockBytes), counter: &counter{file: file, tell: tell}}
	_, packing := packed.ByName(name)
	if l.source, err = packed.NewReader(l.counter, packing, maxWindow); err != nil {
		return nil, errors.Join(&Error{File: name, Want: "a file packed with " + packing.String(), Cause: err}, file.Close())
	}
	return l, nil
}

// reasonOf is why the system refused, without the name of the file, which is said already.
func reasonOf(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

func (l *lines) close() error { return errors.Join(l.source.Close(), l.counter.file.Close()) }

// next hands out the next line without its end; io.EOF behind the last.
func (l *lines) next(ctx context.Context) (string, error) {
	for {
		if end := strings.IndexByte(l.text, '\n'); end >= 0 {
			line := l.text[:end]
			l.text = l.text[end+1:]
			l.number++
			return l.checked(line)
		}
		if l.atEnd {
			if l.text == "" {
				return "", io.EOF
			}
			line := l.text
			l.text = ""
			l.number++
			return l.checked(line)
		}
		if len(l.text) > l.limit {
			l.number++
			return l.checked(l.text)
		}
		if err := l.fill(ctx); err != nil {
			return "", err
		}
	}
}

func (l *lines) checked(line string) (string, error) {
	if len(line) > l.limit {
		return "", &Error{File: l.file, Line: l.number, Value: line[:l.limit], Want: fmt.Sprintf("a line of %d bytes at most", l.limit)}
	}
	if l.number == 1 && strings.HasPrefix(line, bom) {
		return "", &Error{File: l.file, Line: 1, Value: bom, Want: "text without a byte order mark"}
	}
	return line, nil
}

// fill reads the next block behind what is left of the last.
func (l *lines) fill(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.buffer = append(l.buffer[:0], l.text...)
	begin := len(l.buffer)
	l.buffer = slices.Grow(l.buffer, blockBytes)[:begin+blockBytes]
	n, err := 0, error(nil)
	for n < blockBytes && err == nil { // not io.ReadFull: it tells an end and a file cut short as the same
		var more int
		more, err = l.source.Read(l.buffer[begin+n:])
		n += more
	}
	l.text = string(l.buffer[:begin+n])
	if l.counter.tell != nil {
		l.counter.tell(l.counter.read)
	}
	if errors.Is(err, io.EOF) {
		l.atEnd = true
		return nil
	}
	if path := (*fs.PathError)(nil); err == nil || errors.As(err, &path) {
		return err
	}
	return &Error{File: l.file, Line: l.number + int64(strings.Count(l.text, "\n")) + 1, Want: "a packed file that is whole", Cause: err}
}
