package cache_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// bank is a store of many writers, as PostgreSQL is: transactions get their numbers when they
// begin and are seen when they commit, in any order. A customer's revision is the number of
// times that he was changed.
type bank struct {
	*memory.Store // for what these tests do not look at
	wakes         chan struct{}

	mu      sync.Mutex
	next    uint64 // number of the next transaction
	running map[uint64]bool
	log     []features.Change // committed, in the order of their positions
	version map[string]uint64
	since   map[string][]time.Time    // by customer: when each version was committed
	before  func(ctx context.Context) // called before each call, without the mutex
	fail    func() error              // asked for each call
	pages   int                       // of the log that were read
	origin  int64                     // of the log
	lag     time.Duration             // of each page with changes
	heads   map[string]int            // reads of each head
}

func newBank() *bank {
	return &bank{
		Store: memory.New(), origin: 1, wakes: make(chan struct{}, 1), next: 1, running: map[uint64]bool{}, version: map[string]uint64{},
		since: map[string][]time.Time{}, heads: map[string]int{}, before: func(context.Context) {}, fail: func() error { return nil },
	}
}

// begin starts a transaction and returns its number.
func (b *bank) begin() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	tx := b.next
	b.next++
	b.running[tx] = true
	return tx
}

// commit ends a transaction that changed some customers.
func (b *bank) commit(tx uint64, customers ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.running, tx)
	changes := make([]features.Change, len(customers))
	for i, id := range customers {
		changes[i] = features.Change{Position: features.Position{Transaction: tx, Entry: uint64(i + 1)}, CustomerID: id}
		b.version[id]++
		b.since[id] = append(b.since[id], time.Now())
	}
	at, _ := slices.BinarySearchFunc(b.log, features.Position{Transaction: tx}, func(c features.Change, p features.Position) int { return c.Position.Compare(p) })
	b.log = slices.Insert(b.log, at, changes...)
}

// change changes customers in one transaction.
func (b *bank) change(customers ...string) { b.commit(b.begin(), customers...) }

// crowd names many customers.
func crowd(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("x", i)
	}
	return out
}

// settled is the end of what no transaction that runs can still add to. The mutex is held.
func (b *bank) settled() features.Position {
	oldest := b.next
	for _, tx := range slices.Collect(maps.Keys(b.running)) {
		oldest = min(oldest, tx)
	}
	return features.Position{Transaction: oldest - 1, Entry: math.MaxInt64}
}

// onCall sets what is called before each call, and when an answer is under way.
func (b *bank) onCall(before func(context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.before = before
}

// failWith makes every call fail.
func (b *bank) failWith(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = func() error { return err }
}

func (b *bank) wait(ctx context.Context) {
	b.mu.Lock()
	before := b.before
	b.mu.Unlock()
	before(ctx)
}

// call does what is common to all calls.
func (b *bank) call(ctx context.Context) error {
	b.wait(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	return cmp.Or(ctx.Err(), b.fail())
}

func (b *bank) Changes(ctx context.Context, after features.Position, limit int) (features.ChangePage, error) {
	if err := b.call(ctx); err != nil {
		return features.ChangePage{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pages++
	page := features.ChangePage{Settled: b.settled(), Origin: b.origin}
	at, _ := slices.BinarySearchFunc(b.log, after, func(c features.Change, p features.Position) int {
		return cmp.Or(c.Position.Compare(p), -1) // the first above it
	})
	page.Changes = slices.Clone(b.log[at:min(len(b.log), at+limit)])
	if len(page.Changes) > 0 {
		page.Lag = b.lag
	}
	return page, nil
}

func (b *bank) ChangesEnd(ctx context.Context) (features.Position, error) {
	if err := b.call(ctx); err != nil {
		return features.Position{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.settled(), nil
}

func (b *bank) Head(ctx context.Context, id string) (*fund.Profile, fund.Instant, error) {
	if err := b.call(ctx); err != nil {
		return nil, 0, err
	}
	b.mu.Lock()
	p := &fund.Profile{CustomerID: id, Revision: b.version[id]}
	b.heads[id]++
	b.mu.Unlock()
	b.wait(ctx) // the answer is under way
	return p, 0, ctx.Err()
}

func (b *bank) Profile(ctx context.Context, id string, _ fund.Instant) (*fund.Profile, error) {
	p, _, err := b.Head(ctx, id)
	return p, err
}

func (b *bank) Write(ctx context.Context, w features.Write) (features.Receipt, error) {
	if err := b.call(ctx); err != nil {
		return features.Receipt{}, err
	}
	b.change(w.CustomerID)
	b.wait(ctx)
	return features.Receipt{Changed: true}, ctx.Err()
}

func (b *bank) Wake(ctx context.Context) <-chan struct{} {
	out := make(chan struct{}, 1)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case _, open := <-b.wakes:
				if !open {
					return
				}
				select {
				case out <- struct{}{}:
				default:
				}
			}
		}
	}()
	return out
}

// pagesRead returns how many pages of the log were read since it was last asked.
func (b *bank) pagesRead() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.pages
	b.pages = 0
	return n
}

// oldest returns the version that a read which is asked for now may give at the oldest.
func (b *bank) oldest(id string, bound time.Duration) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := uint64(0)
	for _, at := range b.since[id] {
		if time.Since(at) >= bound {
			n++
		}
	}
	return n
}
