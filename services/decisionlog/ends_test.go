package decisionlog

import (
	"context"
	"errors"
	"os"
	"testing"
)

// Wherever the last block is cut, what a walk passes over in silence is told.
func TestCheckEnds(t *testing.T) {
	t.Parallel()
	dir := smallLog(t, 3, Config{})
	reader, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.CheckEnds(t.Context()); err != nil {
		t.Errorf("a whole log: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := reader.CheckEnds(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gave up: %v", err)
	}
	l := openLog(t, dir, Config{})
	mustAppend(t, l, records(3, 4)...)
	files := segmentFiles(t, dir)
	last := files[len(files)-1]
	whole, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.CheckEnds(t.Context()); err != nil {
		t.Errorf("a log that is open, at rest: %v", err)
	}
	mustClose(t, l)
	for _, n := range []int{1, 20, blockHeaderBytes} {
		overwrite(t, last, whole[:len(whole)-n])
		broken := (*BrokenError)(nil)
		if err := reader.CheckEnds(t.Context()); !errors.As(err, &broken) || broken.Path != last {
			t.Errorf("%d bytes short: %v", n, err)
		}
		for _, err := range reader.All(t.Context(), 0) {
			if err != nil {
				t.Errorf("%d bytes short: a walk says %v, so it needs no CheckEnds", n, err)
			}
		}
	}
}
