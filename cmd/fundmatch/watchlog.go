package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/fundmatch/fundmatch/services/customer"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/recommendation"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

// erasableLog is a decision log.
type erasableLog interface {
	recommendation.Log
	customer.DecisionLog
}

// watchedLog counts what goes into the decision log, and knows whether it takes records.
type watchedLog struct {
	log   erasableLog
	meter telemetry.DecisionLog
	// probe tries, without writing a record, whether the disk of the log takes data.
	probe   func() error
	failing atomic.Bool // the last append failed, and nothing has shown since that one would not
	refused atomic.Bool // for good
}

// Append is recommendation.Log.
func (l *watchedLog) Append(ctx context.Context, r decisionlog.Record) error {
	err := l.log.Append(ctx, r)
	if err != nil {
		l.meter.Errors.Inc()
		l.refused.CompareAndSwap(false, errors.Is(err, decisionlog.ErrRefused))
		if errors.Is(err, decisionlog.ErrFull) {
			l.failing.Store(true)
		}
		return err
	}
	if l.failing.Load() {
		l.failing.Store(false)
	}
	l.meter.Records.Inc()
	l.meter.Bytes.Add(float64(len(r.Payload) + len(r.Profile)))
	return nil
}

// EraseUntil is customer.DecisionLog.
func (l *watchedLog) EraseUntil(ctx context.Context, customerID string, until int64) (int, error) {
	return l.log.EraseUntil(ctx, customerID, until)
}

// ready fails from an append that failed. Once no request is sent here any more, none
// would show that there is room again, so the check itself looks.
func (l *watchedLog) ready(context.Context) error {
	if l.refused.Load() {
		return decisionlog.ErrRefused
	}
	if !l.failing.Load() {
		return nil
	}
	if err := l.probe(); err != nil {
		return fmt.Errorf("%w: %w", decisionlog.ErrFull, err)
	}
	l.failing.Store(false)
	return nil
}

// probeBytes is more than records with their profiles usually take.
const probeBytes = 1 << 20

// probeDisk writes, syncs and removes a file in a directory.
func probeDisk(dir string) (err error) {
	file, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	if _, err := file.Write(make([]byte, probeBytes)); err != nil {
		return err
	}
	return file.Sync()
}
