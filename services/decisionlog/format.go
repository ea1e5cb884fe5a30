package decisionlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/klauspost/compress/s2"
)

// The format of docs/decision-log.md. All integers are little-endian.
const (
	segmentMagic  = "FMDECLOG"
	formatVersion = 1
	headerBytes   = 76
	headerCRCAt   = headerBytes - 4

	blockMagic       = "FMBK"
	blockHeaderBytes = 108
	blockCRCAt       = blockHeaderBytes - 4

	publicBytes = 1 + 16 + 8 + 8 + 3*32 + 8
	flagErased  = 1

	// maxEntryBytes is the largest encoded record, its length field included.
	maxEntryBytes = 4 + publicBytes + 1 + (saltBytes + 1 + MaxCustomerIDBytes) +
		(saltBytes + 4 + MaxProfileBytes) + (saltBytes + 4 + MaxPayloadBytes)
	// blockBytes is how many bytes of records a block gathers before the next is begun.
	blockBytes = 1 << 20
	// maxBlockBytes is the largest body: a block is never split, one record may be larger than blockBytes.
	maxBlockBytes = maxEntryBytes
)

// blockType tells a block of records from the seal that ends a segment.
type blockType uint8

const (
	blockRecords blockType = 1
	blockSeal    blockType = 2
)

// codec says how a body is stored.
type codec uint8

const (
	codecStored codec = 0
	codecS2     codec = 1
)

// segmentHeader begins a segment file.
type segmentHeader struct {
	writer   uint32
	segment  uint64
	first    uint64 // index of the first record
	created  int64  // microseconds since the Unix epoch
	previous Hash   // the chain at the end of the segment before, zero for the first
}

func (h *segmentHeader) encode() []byte {
	b := make([]byte, headerBytes)
	copy(b, segmentMagic)
	b[8] = formatVersion
	binary.LittleEndian.PutUint32(b[12:], h.writer)
	binary.LittleEndian.PutUint64(b[16:], h.segment)
	binary.LittleEndian.PutUint64(b[24:], h.first)
	binary.LittleEndian.PutUint64(b[32:], uint64(h.created))
	copy(b[40:], h.previous[:])
	binary.LittleEndian.PutUint32(b[headerCRCAt:], checksum(b[:headerCRCAt]))
	return b
}

// seed is the chain before the segment's first record.
func (h *segmentHeader) seed() Hash { return segmentSeed(h.encode()[:headerCRCAt]) }

// decode reads a header. The magic and the version byte keep their places in every version, so that an older program
// can say what it met.
func (h *segmentHeader) decode(b []byte) error {
	switch {
	case string(b[:8]) != segmentMagic:
		return fmt.Errorf("segment header begins with %q, want %q", b[:8], segmentMagic)
	case b[8] > formatVersion:
		return fmt.Errorf("%w: version %d, this program reads up to %d", ErrNewerFormat, b[8], formatVersion)
	case b[8] == 0:
		return errors.New("segment header: version 0")
	case binary.LittleEndian.Uint32(b[headerCRCAt:]) != checksum(b[:headerCRCAt]):
		return errors.New("segment header: CRC-32C differs")
	case b[9] != 0 || b[10] != 0 || b[11] != 0:
		return errors.New("segment header: reserved bytes are not zero")
	}
	h.writer = binary.LittleEndian.Uint32(b[12:])
	h.segment = binary.LittleEndian.Uint64(b[16:])
	h.first = binary.LittleEndian.Uint64(b[24:])
	h.created = int64(binary.LittleEndian.Uint64(b[32:]))
	copy(h.previous[:], b[40:])
	return nil
}

// span is the range of times in a block or a segment. Readers skip by it.
type span struct {
	minRecorded, maxRecorded int64  // RecordedAt of all records
	minID, maxID             uint64 // times in the ids of the decisions; min > max: no decision
}

func emptySpan() span {
	return span{minRecorded: math.MaxInt64, maxRecorded: math.MinInt64, minID: math.MaxUint64, maxID: 0}
}

func (s *span) add(p *public) {
	s.minRecorded, s.maxRecorded = min(s.minRecorded, p.recordedAt), max(s.maxRecorded, p.recordedAt)
	if p.kind == KindDecision {
		t := p.id.millis()
		s.minID, s.maxID = min(s.minID, t), max(s.maxID, t)
	}
}

func (s *span) join(o span) {
	s.minRecorded, s.maxRecorded = min(s.minRecorded, o.minRecorded), max(s.maxRecorded, o.maxRecorded)
	s.minID, s.maxID = min(s.minID, o.minID), max(s.maxID, o.maxID)
}

// mayHold says whether a decision of this id time can be inside.
func (s *span) mayHold(millis uint64) bool { return s.minID <= millis && millis <= s.maxID }

// blockHeader precedes each block. A seal is a block header alone: its span is the segment's, its first the index that
// comes next.
type blockHeader struct {
	kind    blockType
	codec   codec
	stored  uint32 // bytes of the body in the file
	raw     uint32 // bytes of the body decompressed
	count   uint32 // records
	bodyCRC uint32
	first   uint64 // index of the first record
	span    span
	durable uint64 // bytes of this file that were known to be on the disk when the block was made
	chain   Hash   // after the last record
}

func (h *blockHeader) encode(b []byte) {
	_ = b[blockHeaderBytes-1]
	copy(b, blockMagic)
	b[4], b[5], b[6], b[7] = byte(h.kind), byte(h.codec), 0, 0
	binary.LittleEndian.PutUint32(b[8:], h.stored)
	binary.LittleEndian.PutUint32(b[12:], h.raw)
	binary.LittleEndian.PutUint32(b[16:], h.count)
	binary.LittleEndian.PutUint32(b[20:], h.bodyCRC)
	binary.LittleEndian.PutUint64(b[24:], h.first)
	binary.LittleEndian.PutUint64(b[32:], uint64(h.span.minRecorded))
	binary.LittleEndian.PutUint64(b[40:], uint64(h.span.maxRecorded))
	binary.LittleEndian.PutUint64(b[48:], h.span.minID)
	binary.LittleEndian.PutUint64(b[56:], h.span.maxID)
	binary.LittleEndian.PutUint64(b[64:], h.durable)
	copy(b[72:], h.chain[:])
	binary.LittleEndian.PutUint32(b[blockCRCAt:], checksum(b[:blockCRCAt]))
}

func (h *blockHeader) decode(b []byte) error {
	if string(b[:4]) != blockMagic {
		return fmt.Errorf("block begins with %q, want %q", b[:4], blockMagic)
	}
	if binary.LittleEndian.Uint32(b[blockCRCAt:]) != checksum(b[:blockCRCAt]) {
		return errors.New("block header: CRC-32C differs")
	}
	h.kind, h.codec = blockType(b[4]), codec(b[5])
	h.stored = binary.LittleEndian.Uint32(b[8:])
	h.raw = binary.LittleEndian.Uint32(b[12:])
	h.count = binary.LittleEndian.Uint32(b[16:])
	h.bodyCRC = binary.LittleEndian.Uint32(b[20:])
	h.first = binary.LittleEndian.Uint64(b[24:])
	h.span.minRecorded = int64(binary.LittleEndian.Uint64(b[32:]))
	h.span.maxRecorded = int64(binary.LittleEndian.Uint64(b[40:]))
	h.span.minID = binary.LittleEndian.Uint64(b[48:])
	h.span.maxID = binary.LittleEndian.Uint64(b[56:])
	h.durable = binary.LittleEndian.Uint64(b[64:])
	copy(h.chain[:], b[72:])
	if b[6] != 0 || b[7] != 0 {
		return errors.New("block header: reserved bytes are not zero")
	}
	return h.checkShape()
}

// checkShape bounds what a reader is going to allocate.
func (h *blockHeader) checkShape() error {
	switch h.kind {
	case blockSeal:
		if h.stored != 0 || h.raw != 0 || h.count != 0 || h.codec != codecStored || h.bodyCRC != 0 {
			return errors.New("seal: has a body")
		}
		return nil
	case blockRecords:
		return h.checkBody()
	default:
		return fmt.Errorf("block header: unknown type %d", h.kind)
	}
}

func (h *blockHeader) checkBody() error {
	switch {
	case h.codec != codecStored && h.codec != codecS2:
		return fmt.Errorf("block header: unknown codec %d", h.codec)
	case h.raw == 0 || h.raw > maxBlockBytes:
		return fmt.Errorf("block header: body of %d bytes, want 1 to %d", h.raw, maxBlockBytes)
	case h.stored == 0 || h.stored > h.raw || h.codec == codecStored && h.stored != h.raw:
		return fmt.Errorf("block header: body of %d bytes stored in %d", h.raw, h.stored)
	case h.count == 0 || uint64(h.count)*(4+publicBytes+1) > uint64(h.raw):
		return fmt.Errorf("block header: %d records in %d bytes", h.count, h.raw)
	}
	return nil
}

// compress appends the stored form of raw to dst: s2 where it is smaller, else the bytes themselves.
func compress(dst, raw []byte) ([]byte, codec) {
	start := len(dst)
	need := start + s2.MaxEncodedLen(len(raw))
	if cap(dst) < need {
		grown := make([]byte, start, need+need/4)
		copy(grown, dst)
		dst = grown
	}
	body := s2.Encode(dst[start:cap(dst)], raw)
	if len(body) >= len(raw) {
		return append(dst, raw...), codecStored
	}
	return dst[:start+len(body)], codecS2
}

// decompress gives the body of a block in memory of its own.
func (h *blockHeader) decompress(stored []byte) ([]byte, error) {
	if got := checksum(stored); got != h.bodyCRC {
		return nil, fmt.Errorf("block body: CRC-32C %08x, header says %08x", got, h.bodyCRC)
	}
	if h.codec == codecStored {
		return append([]byte(nil), stored...), nil
	}
	if n, err := s2.DecodedLen(stored); err != nil {
		return nil, fmt.Errorf("block body: %w", err)
	} else if n != int(h.raw) {
		return nil, fmt.Errorf("block body: s2 says %d bytes decompressed, header says %d", n, h.raw)
	}
	raw, err := s2.Decode(make([]byte, h.raw), stored)
	if err != nil {
		return nil, fmt.Errorf("block body: %w", err)
	}
	return raw, nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
