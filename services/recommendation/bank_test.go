package recommendation_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/recommendation"
	"github.com/google/uuid"
)

// memoryLog keeps records in memory.
type memoryLog struct {
	mu      sync.Mutex
	records []decisionlog.Record
	err     error
}

func (l *memoryLog) Append(_ context.Context, r decisionlog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	r.Profile, r.Payload = append([]byte(nil), r.Profile...), append([]byte(nil), r.Payload...)
	l.records = append(l.records, r)
	return nil
}

// bank is a synthetic bank with a service over it, at ten in the morning of its day.
type bank struct {
	store   *memory.Store
	loader  *engine.Loader
	engine  *engine.Engine
	log     *memoryLog
	service *recommendation.Service
	morning time.Time // at which it was opened
	at      time.Time // what its clock shows
	clock   func() time.Time
}

// engineAt lets the engine's clock, and with it the instant of answers, follow another.
func (b *bank) engineAt(clock func() time.Time) { b.clock = clock }

func openBank(tb testing.TB, opts synthetic.Options) *bank {
	tb.Helper()
	b := &bank{store: memory.New(), log: &memoryLog{}, at: opts.AsOf.Start().Add(10 * time.Hour).Time()}
	generated, err := synthetic.Generate(opts)
	if err != nil {
		tb.Fatal(err)
	}
	ctx := context.Background()
	b.morning = b.at
	b.clock = func() time.Time { return b.at }
	clock := func() time.Time { return b.clock() }
	if _, err := b.store.Import(ctx, fund.InstantOf(b.at), generated.Load); err != nil {
		tb.Fatal(err)
	}
	if err := engine.InstallDefaults(ctx, b.store, fund.InstantOf(b.at)); err != nil {
		tb.Fatal(err)
	}
	if b.loader, err = engine.NewLoader(b.store, b.store, "test"); err != nil {
		tb.Fatal(err)
	}
	b.engine = engine.New(b.loader, clock, engine.Config{})
	if err := b.engine.Reload(ctx); err != nil {
		tb.Fatal(err)
	}
	b.service = recommendation.New(b.engine, b.store, b.log, recommendation.Config{Clock: clock, NewID: newID})
	return b
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}
