package policylog

import "time"

// Bounds of decided_at, in nanoseconds since 1970-01-01T00:00:00Z.
const (
	minInstant = -2208988800_000000000    // 1900-01-01T00:00:00Z
	maxInstant = 7258118400_000000000 - 1 // before 2200-01-01T00:00:00Z
)

// parseInstant reads an RFC 3339 instant.
func parseInstant(v []byte) (int64, bool) {
	t, err := time.Parse(time.RFC3339Nano, string(v))
	if err != nil || t.Year() < 1900 || t.Year() > 2199 {
		return 0, false
	}
	return t.UnixNano(), true
}
