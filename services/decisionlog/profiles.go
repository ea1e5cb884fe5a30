package decisionlog

import (
	"hash/maphash"
	"sync"
)

// fingerprint recognises the bytes of a profile without keeping them: two 64-bit hashes under secret seeds, and the
// length. A false match would need the same customer, the same length and a collision of 128 bits that nobody can
// construct; replay would report it.
type fingerprint struct {
	a, b   uint64
	length int
}

// writtenProfile is where in the segment the latest profile of a customer lies.
type writtenProfile struct {
	mark    fingerprint
	carrier uint64
	sum     Hash
}

// profileTable remembers the latest profile of each customer in the segment that is being written. It holds two
// generations of at most half of its bound each; a customer that is not asked for is forgotten, which costs one more
// copy of his profile. Safe for many goroutines.
type profileTable struct {
	seedA, seedB maphash.Seed
	half         int

	mu       sync.Mutex
	now, old map[string]writtenProfile
}

func newProfileTable(bound int) profileTable {
	return profileTable{
		seedA: maphash.MakeSeed(), seedB: maphash.MakeSeed(), half: bound / 2,
		now: make(map[string]writtenProfile), old: make(map[string]writtenProfile),
	}
}

func (t *profileTable) fingerprint(profile []byte) fingerprint {
	return fingerprint{a: maphash.Bytes(t.seedA, profile), b: maphash.Bytes(t.seedB, profile), length: len(profile)}
}

// find gives where these very bytes of this customer lie in the segment.
func (t *profileTable) find(customer string, mark fingerprint) (writtenProfile, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.now[customer]
	if !ok {
		if known, ok = t.old[customer]; ok {
			t.set(customer, known)
		}
	}
	if !ok || known.mark != mark {
		return writtenProfile{}, false
	}
	return known, true
}

func (t *profileTable) put(customer string, p writtenProfile) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(customer, p)
}

func (t *profileTable) set(customer string, p writtenProfile) {
	if _, ok := t.now[customer]; !ok && len(t.now) >= t.half {
		t.now, t.old = t.old, t.now
		clear(t.now)
	}
	t.now[customer] = p
}

func (t *profileTable) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.now)
	clear(t.old)
}
