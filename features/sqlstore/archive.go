package sqlstore

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// An archive is one file, whatever database it came from:
//
//	magic, then frames: kind (1 byte), length of the content (4, little endian), length as
//	stored (4), CRC-32C of kind, lengths and stored bytes (4), the content compressed by zstd
//
//	H  the header as JSON: schema, when, rows of each table
//	T  the name of the table that follows
//	R  some of its rows, which are one stream of bytes: frames end anywhere
//	E  the table's rows and the SHA-256 of their bytes, as JSON
//	Z  the SHA-256 of all table digests: the archive is whole
//
// Rows are in the order of their key: the same state gives the same digests from both
// databases. Whole numbers are zigzag varints, flags one byte, reals eight (IEEE 754,
// little endian), texts and blobs their length as a varint and their bytes.
const archiveMagic = "fundmatch archive 1\n"

const (
	headerFrame = 'H'
	tableFrame  = 'T'
	rowsFrame   = 'R'
	digestFrame = 'E'
	endFrame    = 'Z'

	frameHead = 1 + 4 + 4 + 4
	// rowsAFrame is how many bytes of rows go into a frame.
	rowsAFrame = 256 << 10
	// maxFrame bounds the content of a frame that is read.
	maxFrame = 1 << 20
)

// Archive says what an archive holds.
type Archive struct {
	Schema int64
	From   string       // the database that it was made of: sqlite or postgres
	MadeAt fund.Instant // the bank's clock
	Tables []ArchivedTable
}

// ArchivedTable is one table of an archive.
type ArchivedTable struct {
	Name   string
	Rows   int64
	Digest [sha256.Size]byte // of the rows as they are written in an archive
}

// Rows returns how many rows there are in all tables.
func (a *Archive) Rows() int64 {
	n := int64(0)
	for _, t := range a.Tables {
		n += t.Rows
	}
	return n
}

// archiveHeader is frame H.
type archiveHeader struct {
	Schema int64          `json:"schema"`
	From   string         `json:"from"`
	MadeAt int64          `json:"made_at"` // microseconds since 1970
	Tables []archiveCount `json:"tables"`
}

type archiveCount struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

// archiveDigest is frame E.
type archiveDigest struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// archiveWriter writes an archive.
type archiveWriter struct {
	w       io.Writer
	zip     *zstd.Encoder
	frame   []byte // reused
	rows    []byte // of the table, not written yet
	digest  hash.Hash
	overall hash.Hash
}

func newArchiveWriter(w io.Writer) (*archiveWriter, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, archiveMagic); err != nil {
		return nil, err
	}
	return &archiveWriter{w: w, zip: zip, digest: sha256.New(), overall: sha256.New()}, nil
}

func (a *archiveWriter) writeFrame(kind byte, content []byte) error {
	head := [frameHead]byte{kind}
	a.frame = a.zip.EncodeAll(content, append(a.frame[:0], head[:]...))
	binary.LittleEndian.PutUint32(a.frame[1:], uint32(len(content)))
	binary.LittleEndian.PutUint32(a.frame[5:], uint32(len(a.frame)-frameHead))
	binary.LittleEndian.PutUint32(a.frame[9:], frameSum(a.frame[:9], a.frame[frameHead:]))
	_, err := a.w.Write(a.frame)
	return err
}

func frameSum(head, stored []byte) uint32 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, stored)
}

func (a *archiveWriter) writeJSON(kind byte, v any) error {
	content, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return a.writeFrame(kind, content)
}

func (a *archiveWriter) beginTable(name string) error {
	a.digest.Reset()
	return a.writeFrame(tableFrame, []byte(name))
}

// endRow hands over rows that fill a frame.
func (a *archiveWriter) endRow() error {
	for len(a.rows) >= rowsAFrame {
		if err := a.flushRows(rowsAFrame); err != nil {
			return err
		}
	}
	return nil
}

func (a *archiveWriter) flushRows(n int) error {
	if n == 0 {
		return nil
	}
	a.digest.Write(a.rows[:n])
	if err := a.writeFrame(rowsFrame, a.rows[:n]); err != nil {
		return err
	}
	a.rows = append(a.rows[:0], a.rows[n:]...)
	return nil
}

func (a *archiveWriter) endTable(rows int64) (digest [sha256.Size]byte, err error) {
	if err := a.flushRows(len(a.rows)); err != nil {
		return digest, err
	}
	a.digest.Sum(digest[:0])
	a.overall.Write(digest[:])
	return digest, a.writeJSON(digestFrame, archiveDigest{rows, hex.EncodeToString(digest[:])})
}

func (a *archiveWriter) end() error { return a.writeFrame(endFrame, a.overall.Sum(nil)) }

func (a *archiveWriter) whole(n int64) { a.rows = binary.AppendVarint(a.rows, n) }

func (a *archiveWriter) flag(yes bool) {
	b := byte(0)
	if yes {
		b = 1
	}
	a.rows = append(a.rows, b)
}

func (a *archiveWriter) real(f float64) {
	a.rows = binary.LittleEndian.AppendUint64(a.rows, math.Float64bits(f))
}

func (a *archiveWriter) bytes(b []byte) {
	a.rows = append(binary.AppendUvarint(a.rows, uint64(len(b))), b...)
}
