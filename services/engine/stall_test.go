package engine_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/services/engine"
)

// stalling is a store that says nothing while it is told so.
type stalling struct {
	*stores
	stalled atomic.Bool
	asked   atomic.Int64
}

func (s *stalling) Published(ctx context.Context) (features.Revision, error) {
	s.asked.Add(1)
	if s.stalled.Load() {
		<-ctx.Done()
		return features.Revision{}, ctx.Err()
	}
	return s.stores.Published(ctx)
}

// A store that once says nothing, and is gone for that call for good, does not keep the engine
// from seeing what is published afterwards.
func TestAStoreThatStallsIsAskedAgain(t *testing.T) {
	r := newRig(t)
	s := &stalling{stores: r.stores}
	loader, err := engine.NewLoader(s, s, "test")
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(loader, r.clock, engine.Config{Poll: time.Millisecond, Ask: 20 * time.Millisecond})
	if err := e.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.stalled.Store(true)
	if err := e.Reload(t.Context()); !errors.Is(err, features.ErrUnavailable) {
		t.Errorf("a store that stalls: %v, want ErrUnavailable", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Reload(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who is gone: %v, want his own end", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	defer running.Wait()
	defer stop()
	for before := s.asked.Load(); s.asked.Load() < before+2; {
		time.Sleep(time.Millisecond)
	}
	r.publish(t, "000001", "000002")
	s.stalled.Store(false)
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		core, _, err := e.Core()
		if err == nil && core.Identity().PoolRevision == 2 {
			return
		}
		if time.Since(began) > 5*time.Second {
			t.Fatalf("the second revision is not in force: %v", err)
		}
	}
}
