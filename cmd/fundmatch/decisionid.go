package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
)

// decisionIDs returns a maker of decision ids: UUIDv7 (RFC 9562) of the clock of the decisions,
// rising within a millisecond too, so that the decision log finds them by time.
func (p *program) decisionIDs(now func() time.Time) func() (string, error) {
	ids := &idMaker{now: now, random: p.random}
	return ids.next
}

type idMaker struct {
	now    func() time.Time
	random io.Reader

	mu   sync.Mutex
	last uint64 // milliseconds << 12 | sequence of the newest id
}

func (m *idMaker) next() (string, error) {
	var id uuid.UUID
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := io.ReadFull(m.random, id[8:]); err != nil {
		return "", fmt.Errorf("randomness of the system: %w", err)
	}
	// RFC 9562, 6.2, method 3: the twelve bits below the millisecond count fractions of
	// it, and go on by one where two ids would be equal or the clock went back.
	now := m.now()
	stamp := uint64(now.UnixMilli())<<12 | uint64(now.Nanosecond()%1_000_000)<<12/1_000_000
	m.last = max(stamp, m.last+1)
	for i := range 6 {
		id[i] = byte(m.last >> (52 - 8*i))
	}
	id[6] = 0x70 | byte(m.last>>8)&0x0f
	id[7] = byte(m.last)
	id[8] = 0x80 | id[8]&0x3f
	return id.String(), nil
}
