package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// A manager reads how likely an order is, also when it is 0; where the model does not say, nothing.
func TestACardTellsHowLikelyAnOrderIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		probability *float64
		want        string
	}{{nil, ""}, {new(0.0), "下单可能：0.0%"}, {new(.257686), "下单可能：25.8%"}, {new(1.0), "下单可能：100.0%"}} {
		var out card
		out.steps(&fundmatchv1.Expectation{}, nil, &fundmatchv1.Conversion{Action: "BUY", Probability: c.probability})
		got := out.b.String()
		if !strings.Contains(got, c.want) || strings.Contains(got, "下单可能") != (c.want != "") {
			t.Errorf("%v: %q, want %q in it", c.probability, got, c.want)
		}
	}
}

// Who reads that a file could not be written reads its name, not that of the one beside it.
func TestAFileThatFailsIsCalledByItsName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "model.fm")
	err := writeFile(name, func(io.Writer) error {
		beside, err := os.ReadDir(dir)
		if err != nil || len(beside) != 1 {
			t.Fatalf("beside the name: %v, %v", beside, err)
		}
		return &os.PathError{Op: "write", Path: filepath.Join(dir, beside[0].Name()), Err: syscall.ENOSPC}
	})
	if want := "write " + name + ": no space left on device"; err == nil || err.Error() != want || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want %s", err, want)
	}
	other := &os.PathError{Op: "open", Path: "elsewhere", Err: syscall.ENOENT}
	if err := writeFile(name, func(io.Writer) error { return other }); !errors.Is(err, other) {
		t.Errorf("of another file: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
