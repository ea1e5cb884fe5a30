package cache

import (
	"math/bits"
	"sync/atomic"
)

// index finds entries that ristretto keeps, without its bookkeeping of each access, which
// takes longer than finding the entry. It decides nothing: ristretto says what is kept, and
// what it lets go leaves the index. An entry that finds no place is found by ristretto.
//
// Readers wait for nobody. Entries come and go by customer under the mutex of the shard,
// and a bucket is of one shard; only ristretto's own farewells come without it.
type index struct {
	buckets []bucket // a power of two, at least shardCount
}

// slotsOfBucket makes a bucket half a cache line.
const slotsOfBucket = 4

type bucket [slotsOfBucket]atomic.Pointer[entry]

// newIndex returns an index with at least two places for each of so many entries.
func newIndex(entries int64) *index {
	buckets := max(shardCount, uint64(entries)*2/slotsOfBucket)
	return &index{buckets: make([]bucket, 1<<bits.Len64(buckets-1))}
}

func (x *index) bucket(hash uint64) *bucket { return &x.buckets[hash&uint64(len(x.buckets)-1)] }

// get returns the entry of a customer; nil: the index has none.
func (x *index) get(hash uint64, id string) *entry {
	b := x.bucket(hash)
	for i := range b {
		// Hashes are compared for speed, the customer because he may share one.
		if e := b[i].Load(); e != nil && e.hash == hash && e.id == id {
			return e
		}
	}
	return nil
}

// put makes an entry the one that is found. The shard is locked.
func (x *index) put(e *entry) {
	b := x.bucket(e.hash)
	into := &b[e.hash>>32%slotsOfBucket] // where all places are taken
	for i := range b {
		switch old := b[i].Load(); {
		case old == nil:
			into = &b[i]
		case old.id == e.id:
			b[i].Store(e)
			return
		}
	}
	into.Store(e)
}

// drop forgets a customer. The shard is locked.
func (x *index) drop(hash uint64, id string) {
	b := x.bucket(hash)
	for i := range b {
		if e := b[i].Load(); e != nil && e.id == id {
			b[i].Store(nil)
		}
	}
}

// forget takes out an entry that ristretto no longer keeps, unless another took its place.
func (x *index) forget(e *entry) {
	if e == nil {
		return
	}
	b := x.bucket(e.hash)
	for i := range b {
		b[i].CompareAndSwap(e, nil)
	}
}

// clear forgets everyone.
func (x *index) clear() {
	for i := range x.buckets {
		for j := range x.buckets[i] {
			x.buckets[i][j].Store(nil)
		}
	}
}
