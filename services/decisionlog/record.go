// Package decisionlog is the append-only record of every answer: segment files in the directory of one writer a
// process, a hash chain over commitments, erasure of personal values that leaves the chain whole.
//
// A record is in the file before its answer is sent, so that it survives kill -9; fsync follows in groups, or before
// each answer when configured, so that it survives a loss of power. The payload and the profile are opaque canonical
// bytes: their owners encode them. docs/decision-log.md gives the format byte by byte.
//
// It keeps the logs of A08: no record is ever taken out, and what an erasure takes are the personal values in one. For
// how long the files are kept is the operator's to hold to (keep_years), as is the assessment before sensitive
// processing.
package decisionlog

import (
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
)

// Kind says what a record records.
type Kind uint8

const (
	// KindDecision is a decision with its inputs and its answer.
	KindDecision Kind = 1
	// KindServed says that the decision of the same id was served again (a 304, a repeated request). Its payload is
	// short or empty; Find passes it over.
	KindServed Kind = 2
)

// String gives the name of the kind in exports.
func (k Kind) String() string {
	switch k {
	case KindDecision:
		return "DECISION"
	case KindServed:
		return "SERVED"
	default:
		return fmt.Sprintf("KIND_%d", uint8(k))
	}
}

// Limits of a record. Append refuses what is one past them and a reader refuses to allocate for more.
const (
	// MaxCustomerIDBytes is the longest customer id (contract.md section 3).
	MaxCustomerIDBytes = 64
	// MaxProfileBytes is the largest profile: a customer with some thousands of lots.
	MaxProfileBytes = 1 << 20
	// MaxPayloadBytes is the largest decision payload.
	MaxPayloadBytes = 1 << 20
	// DecisionIDLength is the length of a UUID in its canonical text, 8-4-4-4-12.
	DecisionIDLength = 36
)

// Record is one entry of the log as its caller sees it.
type Record struct {
	// DecisionID is a UUIDv7 (RFC 9562) in canonical lower-case text. Its 48-bit time is what Find looks by.
	DecisionID string
	// DecidedAt is the instant that the answer is for, in microseconds since the Unix epoch.
	DecidedAt int64
	// RecordedAt is when the record was made, in microseconds since the Unix epoch; 0: Append asks Config.Now.
	RecordedAt int64
	// CustomerID is whose decision it is: 1 to MaxCustomerIDBytes bytes. Personal.
	CustomerID string
	// Kind is KindDecision or KindServed.
	Kind Kind
	// Profile is the canonical profile that the decision read; empty: none. Personal. The same bytes of the same
	// customer are written once a segment.
	Profile []byte
	// Payload is the canonical decision. Personal.
	Payload []byte
}

// decisionID is a UUIDv7 in its 16 bytes.
type decisionID [16]byte

func parseDecisionID(text string) (decisionID, error) {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != DecisionIDLength || hasUpperHex(text) || !decisionID(id).valid() {
		return decisionID{}, &InvalidError{
			Field: "decision id", Got: quoteShort(text), Want: "a UUIDv7 in canonical lower-case text",
		}
	}
	return decisionID(id), nil
}

func hasUpperHex(text string) bool {
	for i := range len(text) {
		if text[i] >= 'A' && text[i] <= 'F' {
			return true
		}
	}
	return false
}

// valid says whether the version is 7 and the variant that of RFC 9562.
func (id decisionID) valid() bool { return id[6]>>4 == 7 && id[8]>>6 == 0b10 }

func (id decisionID) String() string { return uuid.UUID(id).String() }

// millis is the time in the id, milliseconds since the Unix epoch.
func (id decisionID) millis() uint64 {
	return uint64(id[0])<<40 | uint64(id[1])<<32 | uint64(id[2])<<24 | uint64(id[3])<<16 | uint64(id[4])<<8 | uint64(id[5])
}

// check holds a record against the limits and gives its id in bytes.
func (r *Record) check() (decisionID, error) {
	id, err := parseDecisionID(r.DecisionID)
	switch {
	case err != nil:
		return id, err
	case r.Kind != KindDecision && r.Kind != KindServed:
		return id, &InvalidError{Field: "kind", Got: r.Kind.String(), Want: "DECISION or SERVED"}
	case r.DecidedAt <= 0:
		return id, &InvalidError{Field: "decided at", Got: fmt.Sprint(r.DecidedAt), Want: "microseconds after 1970"}
	case r.RecordedAt < 0:
		return id, &InvalidError{Field: "recorded at", Got: fmt.Sprint(r.RecordedAt), Want: "microseconds after 1970, or 0"}
	case r.CustomerID == "" || len(r.CustomerID) > MaxCustomerIDBytes:
		return id, tooLong("customer id", len(r.CustomerID), 1, MaxCustomerIDBytes)
	case len(r.Profile) > MaxProfileBytes:
		return id, tooLong("profile", len(r.Profile), 0, MaxProfileBytes)
	case len(r.Payload) > MaxPayloadBytes:
		return id, tooLong("payload", len(r.Payload), 0, MaxPayloadBytes)
	}
	return id, nil
}

func tooLong(field string, got, least, most int) error {
	return &InvalidError{Field: field, Got: fmt.Sprintf("%d bytes", got), Want: fmt.Sprintf("%d to %d bytes", least, most)}
}

func quoteShort(text string) string {
	const most = 48
	if len(text) > most {
		return fmt.Sprintf("%q... (%d bytes)", text[:most], len(text))
	}
	return fmt.Sprintf("%q", text)
}

// Config is what may be chosen about a log. The zero value is a good choice.
type Config struct {
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Random gives the salts and must be unpredictable, 48 bytes a record; nil: crypto/rand.
	Random io.Reader
	// SegmentBytes is the size at which a segment is sealed and the next begun, 4 KiB to 4 GiB; 0: 64 MiB.
	SegmentBytes int64
	// SyncEvery is the longest time that an answered record waits for fsync, 1 ms to 1 min; 0: 10 ms.
	SyncEvery time.Duration
	// SyncEachAnswer makes Append return after fsync: an answered record survives a loss of power.
	SyncEachAnswer bool
	// ObserveSync is told how long each fsync of records took; nil: nobody asks.
	ObserveSync func(time.Duration)
	// MaxProfiles bounds the profiles that the writer remembers having written, 2 to 16 Mi; 0: 65,536.
	MaxProfiles int

	// open and atStep let tests break the disk and stop between the steps of an erasure.
	open   openFile
	atStep func(step string)
}

// Bounds and defaults of Config.
const (
	minSegmentBytes     = 4 << 10
	maxSegmentBytes     = 4 << 30
	defaultSegmentBytes = 64 << 20
	minSyncEvery        = time.Millisecond
	maxSyncEvery        = time.Minute
	defaultSyncEvery    = 10 * time.Millisecond
	minProfiles         = 2
	maxProfiles         = 1 << 24
	defaultMaxProfiles  = 1 << 16
)

// withDefaults fills what was left open and refuses what is out of bounds.
func (c Config) withDefaults() (Config, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Random = safeRandom(c.Random)
	if c.SegmentBytes == 0 {
		c.SegmentBytes = defaultSegmentBytes
	}
	if c.SyncEvery == 0 {
		c.SyncEvery = defaultSyncEvery
	}
	if c.MaxProfiles == 0 {
		c.MaxProfiles = defaultMaxProfiles
	}
	if c.open == nil {
		c.open = openOnDisk
	}
	if c.atStep == nil {
		c.atStep = func(string) {}
	}
	switch {
	case c.SegmentBytes < minSegmentBytes || c.SegmentBytes > maxSegmentBytes:
		return c, &InvalidError{Field: "SegmentBytes", Got: fmt.Sprint(c.SegmentBytes), Want: "4096 to 4294967296"}
	case c.SyncEvery < minSyncEvery || c.SyncEvery > maxSyncEvery:
		return c, &InvalidError{Field: "SyncEvery", Got: c.SyncEvery.String(), Want: "1ms to 1m"}
	case c.MaxProfiles < minProfiles || c.MaxProfiles > maxProfiles:
		return c, &InvalidError{Field: "MaxProfiles", Got: fmt.Sprint(c.MaxProfiles), Want: "2 to 16777216"}
	}
	return c, nil
}
