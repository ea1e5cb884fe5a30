package sqlstore

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// archiveReader reads an archive and believes nothing of it: every frame is bounded and
// has its sum, every table its digest, and the end says that it is the end. Errors are
// features.ErrInvalid with the place, or those of the reader beneath.
type archiveReader struct {
	in      *bufio.Reader
	at      int64 // bytes read
	unzip   *zstd.Decoder
	stored  bytes.Buffer
	content []byte // of the frame
	rows    []byte // of the frame, not read yet
	last    byte   // kind of the frame that ended the rows
	digest  hash.Hash
	overall hash.Hash
	header  archiveHeader
	failed  error // of the reader beneath: the caller's own
}

func newArchiveReader(r io.Reader) (*archiveReader, error) {
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame))
	if err != nil {
		return nil, err
	}
	a := &archiveReader{in: bufio.NewReaderSize(r, 64<<10), unzip: unzip, digest: sha256.New(), overall: sha256.New()}
	if err := a.begin(); err != nil {
		unzip.Close()
		return nil, err
	}
	return a, nil
}

func (a *archiveReader) close() { a.unzip.Close() }

// damaged says where an archive is not what it should be.
func (a *archiveReader) damaged(found, expected string) error {
	return fmt.Errorf("%w: the archive is damaged or cut off at byte %d: %s, expected %s", features.ErrInvalid, a.at, found, expected)
}

// cutOff makes an error of the end of the file; other errors of reading stay.
func (a *archiveReader) cutOff(err error, expected string) error {
	switch {
	case errors.Is(err, features.ErrInvalid):
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return a.damaged("the end of the file", expected)
	case a.failed == nil:
		a.failed = err
	}
	return err
}

// begin reads magic and header.
func (a *archiveReader) begin() error {
	magic := make([]byte, len(archiveMagic))
	if _, err := io.ReadFull(a.in, magic); err != nil {
		return a.cutOff(err, "an archive of fundmatch backup")
	}
	if string(magic) != archiveMagic {
		return a.damaged(fmt.Sprintf("%.20q", magic), "an archive of fundmatch backup")
	}
	a.at += int64(len(magic))
	if err := a.frameOf(headerFrame); err != nil {
		return err
	}
	if err := json.Unmarshal(a.content, &a.header); err != nil {
		return a.damaged("a header that is no JSON", "the header")
	}
	return a.checkHeader()
}

func (a *archiveReader) checkHeader() error {
	switch schema := a.header.Schema; {
	case schema > archiveSchema:
		return fmt.Errorf("%w: the archive is of schema %d, this program knows %d", features.ErrNewerStore, schema, archiveSchema)
	case schema < archiveSchema:
		return a.damaged(fmt.Sprintf("schema %d", schema), fmt.Sprintf("schema %d", archiveSchema))
	}
	tables := archiveTables()
	if len(a.header.Tables) != len(tables) {
		return a.damaged(fmt.Sprintf("%d tables", len(a.header.Tables)), fmt.Sprintf("%d", len(tables)))
	}
	for i, t := range a.header.Tables {
		if t.Name != tables[i].name || t.Rows < 0 || t.Rows > math.MaxInt64>>8 {
			return a.damaged(fmt.Sprintf("table %.40q with %d rows", t.Name, t.Rows), "table "+tables[i].name)
		}
	}
	return nil
}

// frameOf reads a frame of a kind.
func (a *archiveReader) frameOf(kind byte) error {
	got, err := a.next()
	if err == nil && got != kind {
		return a.damaged(fmt.Sprintf("a frame of kind %q", got), fmt.Sprintf("one of kind %q", kind))
	}
	return err
}

// next reads a frame and returns its kind.
func (a *archiveReader) next() (byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(a.in, head[:]); err != nil {
		return 0, a.cutOff(err, "a frame")
	}
	length, stored := binary.LittleEndian.Uint32(head[1:]), binary.LittleEndian.Uint32(head[5:])
	if length > maxFrame || stored > 2*maxFrame {
		return 0, a.damaged(fmt.Sprintf("a frame of %d bytes", max(length, stored)), fmt.Sprintf("at most %d", maxFrame))
	}
	a.stored.Reset()
	// What is not there is not reserved: a length alone costs nothing.
	if _, err := io.CopyN(&a.stored, a.in, int64(stored)); err != nil {
		return 0, a.cutOff(err, "the rest of a frame")
	}
	if frameSum(head[:9], a.stored.Bytes()) != binary.LittleEndian.Uint32(head[9:]) {
		return 0, a.damaged("a frame with another checksum", "the one that it was written with")
	}
	content, err := a.unzip.DecodeAll(a.stored.Bytes(), a.content[:0])
	if err != nil || len(content) != int(length) {
		return 0, a.damaged("a frame that does not unpack", fmt.Sprintf("%d bytes", length))
	}
	a.content = content
	a.at += frameHead + int64(stored)
	return head[0], nil
}

// table reads the rows of a table, which is the i-th, and returns its digest. add gets
// each row's values, valid during the call: int64, bool, float64, string or []byte.
func (a *archiveReader) table(i int, t *archiveTable, add func(values []any) error) (out ArchivedTable, err error) {
	if err := a.frameOf(tableFrame); err != nil {
		return out, err
	}
	if string(a.content) != t.name {
		return out, a.damaged(fmt.Sprintf("table %.40q", a.content), t.name)
	}
	a.digest.Reset()
	a.rows, a.last = nil, rowsFrame
	out = ArchivedTable{Name: t.name}
	values := make([]any, len(t.columns))
	for ; ; out.Rows++ {
		more, err := a.more()
		if err != nil {
			return out, err
		}
		if !more {
			break
		}
		if err := a.row(t, values); err != nil {
			return out, err
		}
		if err := add(values); err != nil {
			return out, err
		}
	}
	return out, a.endTable(&out, a.header.Tables[i].Rows)
}

func (a *archiveReader) endTable(out *ArchivedTable, expected int64) error {
	var said archiveDigest
	if a.last != digestFrame || json.Unmarshal(a.content, &said) != nil {
		return a.damaged("no digest", "that of table "+out.Name)
	}
	a.digest.Sum(out.Digest[:0])
	a.overall.Write(out.Digest[:])
	if said.SHA256 != hex.EncodeToString(out.Digest[:]) || said.Rows != out.Rows || out.Rows != expected {
		return a.damaged(fmt.Sprintf("%d rows of table %s", out.Rows, out.Name), fmt.Sprintf("%d with the digest of its end", expected))
	}
	return nil
}

// more reports whether a row follows, and fetches the frame that it begins in.
func (a *archiveReader) more() (bool, error) {
	for len(a.rows) == 0 && a.last == rowsFrame {
		kind, err := a.next()
		if err != nil {
			return false, err
		}
		if a.last = kind; kind == rowsFrame {
			a.rows = a.content
			a.digest.Write(a.rows)
		}
	}
	return len(a.rows) > 0, nil
}

func (a *archiveReader) row(t *archiveTable, values []any) (err error) {
	for i, c := range t.columns {
		switch c.kind {
		case flagColumn:
			values[i], err = a.flag()
		case realColumn:
			values[i], err = a.real()
		case textColumn:
			values[i], err = a.text()
		case blobColumn:
			values[i], err = a.blob()
		default:
			values[i], err = a.whole()
		}
		if err != nil {
			return a.cutOff(err, "column "+c.name+" of table "+t.name)
		}
	}
	return nil
}

// one reads a byte of the rows.
func (a *archiveReader) one() (byte, error) {
	more, err := a.more()
	if err != nil {
		return 0, err
	}
	if !more {
		return 0, io.ErrUnexpectedEOF
	}
	b := a.rows[0]
	a.rows = a.rows[1:]
	return b, nil
}

// varint reads an unsigned varint, of which the tenth byte is the last.
func (a *archiveReader) varint() (uint64, error) {
	n := uint64(0)
	for i := range binary.MaxVarintLen64 {
		b, err := a.one()
		if err != nil {
			return 0, err
		}
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 && (i < binary.MaxVarintLen64-1 || b <= 1) {
			return n, nil
		}
	}
	return 0, a.damaged("a number of more than 64 bits", "a varint")
}

func (a *archiveReader) whole() (int64, error) {
	n, err := a.varint()
	return int64(n>>1) ^ -int64(n&1), err
}

func (a *archiveReader) flag() (bool, error) {
	b, err := a.one()
	if err == nil && b > 1 {
		return false, a.damaged(fmt.Sprintf("a flag of %d", b), "0 or 1")
	}
	return b == 1, err
}

func (a *archiveReader) real() (float64, error) {
	var raw [8]byte
	for i := range raw {
		b, err := a.one()
		if err != nil {
			return 0, err
		}
		raw[i] = b
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(raw[:])), nil
}

func (a *archiveReader) text() (string, error) {
	b, err := a.blob()
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return "", a.damaged(fmt.Sprintf("the text %.40q", b), "UTF-8 without NUL")
	}
	return string(b), nil
}

// blob reads bytes that may span frames, and grows with what is there.
func (a *archiveReader) blob() ([]byte, error) {
	n, err := a.varint()
	if err != nil {
		return nil, err
	}
	if n > features.MaxArtifactLength {
		return nil, a.damaged(fmt.Sprintf("a value of %d bytes", n), fmt.Sprintf("at most %d", features.MaxArtifactLength))
	}
	out := make([]byte, 0, min(n, uint64(len(a.rows))))
	for uint64(len(out)) < n {
		more, err := a.more()
		if err != nil {
			return nil, err
		}
		if !more {
			return nil, io.ErrUnexpectedEOF
		}
		part := a.rows[:min(n-uint64(len(out)), uint64(len(a.rows)))]
		out = append(out, part...)
		a.rows = a.rows[len(part):]
	}
	return out, nil
}

// end reads what stands after the last table, and that nothing stands after it.
func (a *archiveReader) end() error {
	if err := a.frameOf(endFrame); err != nil {
		return err
	}
	if !bytes.Equal(a.content, a.overall.Sum(nil)) {
		return a.damaged("another digest of all tables", "that of the archive's end")
	}
	switch _, err := a.in.ReadByte(); {
	case err == nil:
		return a.damaged("bytes after the end", "nothing")
	case !errors.Is(err, io.EOF):
		return a.cutOff(err, "")
	}
	return nil
}

// readArchive reads all of an archive. add gets each row; tables begin with begin.
func readArchive(a *archiveReader, begin func(*archiveTable) error, add func(*archiveTable, []any) error, end func(*archiveTable) error) (Archive, error) {
	out := Archive{Schema: a.header.Schema, From: strings.ToValidUTF8(a.header.From, ""), MadeAt: fund.Instant(a.header.MadeAt)}
	tables := archiveTables()
	for i := range tables {
		t := &tables[i]
		if err := begin(t); err != nil {
			return Archive{}, err
		}
		archived, err := a.table(i, t, func(values []any) error { return add(t, values) })
		if err != nil {
			return Archive{}, err
		}
		if err := end(t); err != nil {
			return Archive{}, err
		}
		out.Tables = append(out.Tables, archived)
	}
	out.Tables = slices.Clip(out.Tables)
	return out, a.end()
}
