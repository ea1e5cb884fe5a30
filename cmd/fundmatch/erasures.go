package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/customer"
)

// settleEvery is how often a service looks for erasures that have settled.
const settleEvery = 30 * time.Second

// settledName is the file in the directory of a decision log that says up to which instant
// the erasures of the store were followed. It is a log's own: replicas may share a store and
// have logs of their own.
const settledName = "erasures-settled"

// followErasures erases in this service's decision log whom others have erased in the store,
// and once more whom it has erased itself, until ctx ends. What fails is tried again.
func (s *service) followErasures(ctx context.Context, eraser *customer.Eraser, dir string) {
	ticks := time.NewTicker(settleEvery)
	defer ticks.Stop()
	for {
		if err := settleErasures(ctx, eraser, dir); err != nil && ctx.Err() == nil {
			s.logger.WarnContext(ctx, "erasures could not be followed in the decision log", "error", err)
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
	}
}

// settleErasures goes on from where the directory says. Without a word there it begins with
// the first erasure: erasing again is safe.
func settleErasures(ctx context.Context, eraser *customer.Eraser, dir string) error {
	path := filepath.Join(dir, settledName)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	since, err := fund.ParseInstant(strings.TrimSpace(string(text)))
	if err != nil {
		since = 0 // what is damaged there costs only work
	}
	next, failed := eraser.Settle(ctx, since)
	if next == since {
		return failed
	}
	return errors.Join(failed, writeFile(path, func(w io.Writer) error {
		_, err := io.WriteString(w, next.String()+"\n")
		return err
	}))
}
