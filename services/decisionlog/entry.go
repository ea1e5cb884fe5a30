package decisionlog

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// public is what stays of a record after erasure: all that the chain is over.
type public struct {
	kind       Kind
	id         decisionID
	decidedAt  int64
	recordedAt int64
	// Commitments to the personal values; profileSum is zero where there is no profile.
	customerSum, payloadSum, profileSum Hash
	// carrier is the index of the record, in the same segment, that carries the profile's bytes; 0: no profile.
	carrier uint64
}

func (p *public) put(b []byte) {
	_ = b[publicBytes-1]
	b[0] = byte(p.kind)
	copy(b[1:], p.id[:])
	binary.LittleEndian.PutUint64(b[17:], uint64(p.decidedAt))
	binary.LittleEndian.PutUint64(b[25:], uint64(p.recordedAt))
	copy(b[33:], p.customerSum[:])
	copy(b[65:], p.payloadSum[:])
	copy(b[97:], p.profileSum[:])
	binary.LittleEndian.PutUint64(b[129:], p.carrier)
}

func (p *public) get(b []byte) {
	_ = b[publicBytes-1]
	p.kind = Kind(b[0])
	copy(p.id[:], b[1:])
	p.decidedAt = int64(binary.LittleEndian.Uint64(b[17:]))
	p.recordedAt = int64(binary.LittleEndian.Uint64(b[25:]))
	copy(p.customerSum[:], b[33:])
	copy(p.payloadSum[:], b[65:])
	copy(p.profileSum[:], b[97:])
	p.carrier = binary.LittleEndian.Uint64(b[129:])
}

// entry is a record in its encoded form. The byte slices of a decoded entry lie in the block's body.
type entry struct {
	public
	index      uint64
	erased     bool
	customerID []byte
	profile    []byte // only where the entry carries it
	payload    []byte
	salts      salts
}

// salts are the salts of the three personal values.
type salts struct{ customer, profile, payload salt }

// carries says whether the profile's bytes are in this entry (or were, before erasure).
func (e *entry) carries() bool { return e.carrier != 0 && e.carrier == e.index }

// erase takes away what is personal. The public part, and with it the chain, stays.
func (e *entry) erase() {
	e.erased, e.customerID, e.profile, e.payload, e.salts = true, nil, nil, nil, salts{}
}

// append encodes the entry after dst.
func (e *entry) append(dst []byte) []byte {
	start := len(dst)
	var head [4 + publicBytes + 1]byte
	e.put(head[4:])
	if e.erased {
		head[4+publicBytes] = flagErased
	}
	dst = append(dst, head[:]...)
	if !e.erased {
		dst = append(dst, e.salts.customer[:]...)
		dst = append(dst, byte(len(e.customerID)))
		dst = append(dst, e.customerID...)
		if e.carries() {
			dst = append(dst, e.salts.profile[:]...)
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(e.profile)))
			dst = append(dst, e.profile...)
		}
		dst = append(dst, e.salts.payload[:]...)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(e.payload)))
		dst = append(dst, e.payload...)
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

// decode reads the entry of the given index from the front of b and gives what follows it.
func (e *entry) decode(b []byte, index uint64) ([]byte, error) {
	if len(b) < 4+publicBytes+1 {
		return nil, fmt.Errorf("record: %d bytes left, want at least %d", len(b), 4+publicBytes+1)
	}
	length := int(binary.LittleEndian.Uint32(b))
	if length < publicBytes+1 || length > len(b)-4 {
		return nil, fmt.Errorf("record: length %d, want %d to %d", length, publicBytes+1, len(b)-4)
	}
	body, rest := b[4:4+length], b[4+length:]
	*e = entry{index: index}
	e.get(body)
	if err := e.checkPublic(); err != nil {
		return nil, err
	}
	switch flags := body[publicBytes]; {
	case flags&^flagErased != 0:
		return nil, fmt.Errorf("record: unknown flags %#x", flags)
	case flags&flagErased != 0:
		e.erased = true
		if length != publicBytes+1 {
			return nil, fmt.Errorf("record: erased, yet %d bytes follow", length-publicBytes-1)
		}
		return rest, nil
	}
	return rest, e.decodePersonal(body[publicBytes+1:])
}

func (e *entry) checkPublic() error {
	switch {
	case e.kind != KindDecision && e.kind != KindServed:
		return fmt.Errorf("record: unknown kind %d", e.kind)
	case !e.id.valid():
		return fmt.Errorf("record: decision id %s is not a UUIDv7", e.id)
	case e.carrier > e.index:
		return fmt.Errorf("record: profile in record %d, after this one", e.carrier)
	case (e.carrier == 0) != (e.profileSum == Hash{}):
		return errors.New("record: a profile commitment without a profile, or a profile without")
	}
	return nil
}

func (e *entry) decodePersonal(b []byte) error {
	cut := cutter{rest: b}
	e.salts.customer = salt(cut.take(saltBytes))
	e.customerID = cut.take(int(cut.take(1)[0]))
	if e.carries() {
		e.salts.profile = salt(cut.take(saltBytes))
		e.profile = cut.take(int(binary.LittleEndian.Uint32(cut.take(4))))
	}
	e.salts.payload = salt(cut.take(saltBytes))
	e.payload = cut.take(int(binary.LittleEndian.Uint32(cut.take(4))))
	switch {
	case cut.short || len(cut.rest) != 0:
		return errors.New("record: lengths inside do not add up to its length")
	case len(e.customerID) == 0 || len(e.customerID) > MaxCustomerIDBytes:
		return tooLong("customer id", len(e.customerID), 1, MaxCustomerIDBytes)
	case len(e.profile) > MaxProfileBytes || len(e.payload) > MaxPayloadBytes:
		return errors.New("record: profile or payload above its limit")
	case e.carries() && len(e.profile) == 0:
		return errors.New("record: carries an empty profile")
	}
	return nil
}

// cutter takes fields off the front; past the end it gives zeros and remembers.
type cutter struct {
	rest  []byte
	short bool
}

func (c *cutter) take(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.short, c.rest = true, nil
		return make([]byte, min(max(n, 0), saltBytes))
	}
	field := c.rest[:n:n]
	c.rest = c.rest[n:]
	return field
}

// checkCommitments recomputes the commitments from the personal values. A profile that another entry carries is
// checked there.
func (e *entry) checkCommitments(h *hasher) error {
	switch {
	case e.erased:
		return nil
	case h.commit(tagCustomer, &e.salts.customer, e.customerID) != e.customerSum:
		return errors.New("record: customer id differs from its commitment")
	case e.carries() && h.commit(tagProfile, &e.salts.profile, e.profile) != e.profileSum:
		return errors.New("record: profile differs from its commitment")
	case h.commit(tagPayload, &e.salts.payload, e.payload) != e.payloadSum:
		return errors.New("record: payload differs from its commitment")
	}
	return nil
}

// eachEntry decodes the entries of a body in order. The entry is reused between calls.
func eachEntry(body []byte, first uint64, count uint32, visit func(e *entry) error) error {
	var e entry
	rest := body
	for i := range uint64(count) {
		var err error
		if rest, err = e.decode(rest, first+i); err != nil {
			return &entryError{index: first + i, err: err}
		}
		if err := visit(&e); err != nil {
			return &entryError{index: first + i, err: err}
		}
	}
	if len(rest) != 0 {
		return &entryError{index: first + uint64(count) - 1, err: fmt.Errorf("%d bytes after the last record of the block", len(rest))}
	}
	return nil
}

// entryError says which record of a block an error is about.
type entryError struct {
	index uint64
	err   error
}

func (e *entryError) Error() string { return e.err.Error() }
func (e *entryError) Unwrap() error { return e.err }
