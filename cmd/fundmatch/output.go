package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// printJSON prints a value as one JSON document on one line.
func (p *program) printJSON(v any) error {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	_, err := p.stdout.Write(buf.Bytes())
	return err
}

// printMessage prints an answer as REST gives it: protojson with unset fields present.
// protojson varies its blanks on purpose, so they are taken out: same answer, same bytes.
func (p *program) printMessage(m proto.Message) error {
	data, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	var buf bytes.Buffer
	if err := json.Compact(&buf, data); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	buf.WriteByte('\n')
	_, err = p.stdout.Write(buf.Bytes())
	return err
}

// note says something on stderr that is not the result.
func (p *program) note(format string, args ...any) {
	if !p.quiet {
		fmt.Fprintf(p.stderr, format+"\n", args...)
	}
}

// writeOut gives write the file of a name, or stdout for "". The file is written beside
// its place and renamed when all of it is on disk: it is there whole or not at all.
func (p *program) writeOut(name string, write func(io.Writer) error) error {
	if name == "" {
		out := bufio.NewWriterSize(p.stdout, 64<<10)
		return errors.Join(write(out), out.Flush())
	}
	return writeFile(name, write)
}

func writeFile(name string, write func(io.Writer) error) error {
	return writeFiles(output{name, write})
}

// output is a file to be written.
type output struct {
	name  string
	write func(io.Writer) error
}

// bytesTo is an output of bytes.
func bytesTo(name string, data []byte) output {
	return output{name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}}
}

// writeFiles writes files that belong together: each is whole on disk, beside its place, before the first takes its place.
// So a full disk leaves none of them, and none of another run beside one of this.
func writeFiles(outputs ...output) (err error) {
	staged := make([]string, 0, len(outputs))
	defer func() {
		for i := 0; err != nil && i < len(staged); i++ {
			_ = os.Remove(staged[i]) // the error that matters is returned
		}
	}()
	for _, o := range outputs {
		temporary, err := o.stage()
		if err != nil {
			return err
		}
		staged = append(staged, temporary)
	}
	for i, o := range outputs {
		if err := os.Rename(staged[i], o.name); err != nil {
			return fmt.Errorf("write %s: %w", o.name, err)
		}
	}
	return nil
}

// stage writes the file beside its place.
func (o *output) stage() (temporary string, err error) {
	if err := mayReplace(o.name); err != nil {
		return "", err
	}
	file, err := os.CreateTemp(filepath.Dir(o.name), "."+filepath.Base(o.name)+".*")
	if errors.Is(err, fs.ErrNotExist) {
		return "", usageError("%s: there is no such folder to write in", o.name)
	}
	if err != nil {
		return "", unavailableError(err, "%s: cannot be written: %s", o.name, pathReason(err))
	}
	defer func() {
		if err != nil {
			_ = file.Close()           // a second time is harmless
			_ = os.Remove(file.Name()) // the error that matters is returned
		}
	}()
	out := bufio.NewWriterSize(file, 256<<10)
	if err := o.write(out); err != nil {
		return "", asNamed(err, file.Name(), o.name)
	}
	if err := errors.Join(out.Flush(), file.Sync(), file.Close()); err != nil {
		return "", asNamed(err, file.Name(), o.name)
	}
	return file.Name(), nil
}

// measured is a report that has a table, a document and a drawing.
type measured interface {
	WriteTable(w io.Writer) error
	WriteJSON(w io.Writer) error
	WriteSVG(w io.Writer) error
}

// tellMeasured writes the document and the drawing to the files that were named, and prints
// the table.
func (p *program) tellMeasured(report measured, json, svg string) error {
	if json != "" {
		if err := writeFile(json, report.WriteJSON); err != nil {
			return err
		}
	}
	if svg != "" {
		if err := writeFile(svg, report.WriteSVG); err != nil {
			return err
		}
	}
	return p.writeOut("", report.WriteTable)
}

// asNamed tells an error of a temporary file as of the file that was asked for: nobody can look
// for the other, which is gone.
func asNamed(err error, temporary, name string) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) && e.Path == temporary {
		return &fs.PathError{Op: e.Op, Path: name, Err: e.Err}
	}
	return err
}

// sqliteMagic begins every SQLite database: https://www.sqlite.org/fileformat.html
const sqliteMagic = "SQLite format 3\x00"

// mayWrite refuses, before minutes of work, an output that would take the place of what a
// flag names to be read, that mayReplace refuses, or whose folder takes none. An empty name
// is not written to.
func mayWrite(flag, read string, names ...string) error {
	for _, name := range names {
		if name == "" {
			continue
		}
		if sameFile(name, read) {
			return usageError("%s: %s is what would be written, expected another name", flag, name)
		}
		if err := mayReplace(name); err != nil {
			return err
		}
	}
	return inFolders(names...)
}

// notRead refuses outputs that would take the place of what is read. An empty name and - are not written to.
func notRead(read string, outputs ...string) error {
	for _, out := range outputs {
		if out != "" && out != "-" && sameFile(out, read) {
			return usageError("%s: is what is read, expected the name of another file", out)
		}
	}
	return nil
}

// mayReplace refuses a name whose place is taken by what no output may replace: a mistyped
// --out must not cost a bank its store, nor the machine its /dev/null. Any other file is
// replaced, as by every program.
func mayReplace(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return usageError("%s: %s is no folder", name, filepath.Dir(name))
	case err != nil:
		return nil // not there, or writing there will say why it cannot be
	case info.IsDir():
		return usageError("%s: is a directory, expected the name of a file to write", name)
	case !info.Mode().IsRegular():
		return usageError("%s: is no regular file, expected the name of a file to write", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil // what cannot be read cannot be told apart, and its folder decides
	}
	defer func() { _ = file.Close() }() // it is only read
	head := make([]byte, len(sqliteMagic))
	if _, err := io.ReadFull(file, head); err == nil && string(head) == sqliteMagic {
		return usageError("%s: is an SQLite store, expected the name of another file to write", name)
	}
	return nil
}

// inFolders refuses, before minutes of work, names in folders that are not there or cannot be written in. An empty name and
// - are not written to.
func inFolders(names ...string) error {
	for _, name := range names {
		if name == "" || name == "-" {
			continue
		}
		probe, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return usageError("%s: there is no such folder to write in", name)
		case errors.Is(err, syscall.ENOTDIR):
			return usageError("%s: %s is no folder", name, filepath.Dir(name))
		case err != nil:
			return unavailableError(err, "%s: cannot be written: %s", name, pathReason(err))
		}
		if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
			return unavailableError(err, "%s: cannot be written: %s", name, pathReason(err))
		}
	}
	return nil
}

// samePlace reports whether both names are of one place, whether or not a file is there.
func samePlace(a, b string) bool {
	if a == "" || b == "" || a == "-" || b == "-" {
		return false
	}
	first, err := filepath.Abs(a)
	second, err2 := filepath.Abs(b)
	return err == nil && err2 == nil && first == second || sameFile(a, b)
}

// sameFile reports whether both names are of one file that is there.
func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
