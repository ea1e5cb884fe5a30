package decisionlog

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"sync"
)

// Hash is a SHA-256 value: a commitment or a link of the chain.
type Hash [sha256.Size]byte

// String gives the hash in lower-case hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Domain tags, 16 bytes each, so that no value of one use can stand for one of another.
const (
	tagCustomer = "fmdl1:customer\x00\x00"
	tagProfile  = "fmdl1:profile\x00\x00\x00"
	tagPayload  = "fmdl1:payload\x00\x00\x00"
	tagRecord   = "fmdl1:record\x00\x00\x00\x00"
	tagSegment  = "fmdl1:segment\x00\x00\x00"
	tagBytes    = 16
)

// saltBytes is the size of a salt: without it a commitment to a short value could be found by trying all values, and
// erasure would erase nothing.
const saltBytes = 16

type salt [saltBytes]byte

// hasher computes commitments and links without allocating. It is for one goroutine at a time.
type hasher struct {
	digest hash.Hash
	buf    [tagBytes + sha256.Size + 8 + publicBytes]byte
	sum    [sha256.Size]byte
}

func newHasher() *hasher { return &hasher{digest: sha256.New()} }

// commit is SHA-256(tag || salt || value).
func (h *hasher) commit(tag string, s *salt, value []byte) Hash {
	n := copy(h.buf[:], tag)
	n += copy(h.buf[n:], s[:])
	h.digest.Reset()
	h.digest.Write(h.buf[:n])
	h.digest.Write(value)
	return Hash(h.digest.Sum(h.sum[:0]))
}

// link is the chain after a record: SHA-256(tag || previous link || index || public fields). The commitments are among
// the public fields; the personal values and the salts are not, so that they can go.
func (h *hasher) link(previous Hash, index uint64, p *public) Hash {
	n := copy(h.buf[:], tagRecord)
	n += copy(h.buf[n:], previous[:])
	binary.LittleEndian.PutUint64(h.buf[n:], index)
	p.put(h.buf[n+8:])
	return sha256.Sum256(h.buf[:])
}

// segmentSeed is the chain before the first record of a segment. It binds the whole header, the previous segment's
// last link included.
func segmentSeed(header []byte) Hash {
	return sha256.Sum256(append([]byte(tagSegment), header...))
}

// safeRandom makes a source of randomness safe for many goroutines.
func safeRandom(r io.Reader) io.Reader {
	if r == nil {
		return rand.Reader // is safe already
	}
	return &lockedReader{r: r}
}

type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

// Read fills p whole or fails: a short salt would be a weak one.
func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.r, p)
}
