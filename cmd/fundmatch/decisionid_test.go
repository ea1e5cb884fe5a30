package main

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Ids are UUIDv7 of the clock, rise within a millisecond, and go on rising when the
// clock is set back.
func TestDecisionIDs(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 30, 2, 0, 0, 123_456_789, time.UTC)
	p := &program{world: world{now: func() time.Time { return now }, random: zeros{}}}
	next := p.decisionIDs(p.now)
	first, err := next()
	if err != nil || first != "019f1641-357b-774f-8000-000000000000" {
		t.Fatalf("%q, %v", first, err)
	}
	format := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`)
	last := first
	for i := range 10_000 {
		if i == 5000 {
			now = now.Add(-time.Hour)
		}
		id, err := next()
		if err != nil || !format.MatchString(id) || id <= last {
			t.Fatalf("%q after %q, %v", id, last, err)
		}
		last = id
	}
}

func TestDecisionIDWithoutRandomness(t *testing.T) {
	t.Parallel()
	p := &program{world: world{now: time.Now, random: strings.NewReader("short")}}
	if id, err := p.decisionIDs(p.now)(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", id, err)
	}
}
