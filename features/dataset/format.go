package dataset

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// format describes one file: its columns, and how a row becomes a value and back. The
// functions read and write the columns in the order of the list.
type format[T any] struct {
	name     string // products.csv
	columns  []string
	required int // so many of the columns must be in the header
	longest  int // bytes of a field; 0: MaxField
	decode   func(*row) T
	encode   func(*record, *T)
	// attributes returns what the unknown columns held; nil: the format keeps none.
	attributes func(*T) []fund.Attribute
	// key appends what no two rows may have in common; keyColumns are its names.
	key        func([]byte, *T) []byte
	keyColumns []int
	// seen, where set, makes what stands in for a set of keys.
	seen func() func(*T) bool
	// customer and product are the columns that name a customer or a product of another
	// file; -1: none.
	customer, product int
}

// keySet holds keys as 128 bits of their SHA-256: 16 bytes a row whatever the length of
// the ids, and no two keys that anybody can find fall together.
type keySet map[[16]byte]struct{}

func keyOf(b []byte) [16]byte {
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

// add reports whether the key is new.
func (s keySet) add(key []byte) bool {
	k := keyOf(key)
	n := len(s)
	s[k] = struct{}{}
	return len(s) > n
}

func (s keySet) has(id string) bool {
	_, ok := s[keyOf([]byte(id))]
	return ok
}

// keyText appends a text to a key; ids and texts never hold the zero byte.
func keyText(dst []byte, s string) []byte { return append(append(dst, s...), 0) }

func keyNumber(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(n))
}
