// Package cache keeps decoded heads in front of a store of profiles. It may forget
// anything at any time and never serves what is older than its bound: a cached read
// happens only while the change log is known to be followed, else it goes to the store.
// docs/features.md tells why each rule is there.
package cache

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/dgraph-io/ristretto/v2"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// HeadReader is what a store has to offer besides features.Profiles to be cached.
type HeadReader interface {
	// Head returns the customer's newest profile and the instant from which on it is
	// the answer. The profile never changes after it was returned. ErrNotFound.
	Head(ctx context.Context, customerID string) (p *fund.Profile, effectiveFrom fund.Instant, err error)
}

// Store is what a store has to be to be cached.
type Store interface {
	features.Profiles
	HeadReader
	features.Events
	features.Staff
	features.Histories
	features.Erasures
}

// Config says how much is kept and for how long. The zero value is usable.
type Config struct {
	// MaxBytes bounds the memory of the cached profiles; 0: 64 MiB.
	MaxBytes int64
	// Staleness is the bound within which a change made elsewhere is seen; 0: 1 s.
	Staleness time.Duration
	// MaxAge is the life of an entry from its fill on, however often it is read; 0: 10 min.
	MaxAge time.Duration
	// FillTimeout ends a read of the store that does not come back, as ErrUnavailable; 0: 2 s.
	FillTimeout time.Duration
	// MaxFills bounds the fills that run together, and as many reads beside them that cannot
	// be shared, and twice as many writes; what is more is refused. 0: 256.
	MaxFills int
	// Clock is the source of time; nil: the system's.
	Clock Clock
	// Observe, when not nil, is told what became of each read and poll. It must return
	// at once and may be called concurrently.
	Observe func(Outcome)
	// ObserveLag, when not nil, is told how old changes were when they were seen, by the
	// store's own clock: from the writing of the newest of a page, also of one made through
	// this cache, to its reading. It must return at once.
	ObserveLag func(time.Duration)
}

// Outcome is what became of a read, a fill or a poll.
type Outcome uint8

// The outcomes. The first four are of reads.
const (
	Hit        Outcome = iota // answered from memory
	Miss                      // not in memory
	Stale                     // the change log was not followed: read through
	Past                      // asked for an instant before the head: read through
	FillLost                  // a change came while a fill ran: its profile was not kept
	Dropped                   // a change dropped a customer
	PollDone                  // the change log was read to its end
	PollFailed                // the change log could not be read
	Woken                     // the store told of changes: a poll came sooner
	Refused                   // too many wait for a store that does not answer
	Outcomes                  // the number of outcomes
)

// The defaults and limits of Config.
const (
	// DefaultStaleness is Config's where it gives none.
	DefaultStaleness = time.Second

	defaultMaxBytes    = 64 << 20
	minMaxBytes        = 64 << 10
	defaultMaxAge      = 10 * time.Minute
	defaultFillTimeout = 2 * time.Second
	defaultMaxFills    = 256
	shardCount         = 64
	typicalProfile     = 1 << 10 // bytes; for the size of ristretto's frequency sketch
)

// Profiles is a store of profiles with a cache in front. Profiles that it returns are
// shared between callers: nobody may change them.
type Profiles struct {
	store  Store
	cfg    Config
	kept   *ristretto.Cache[uint64, *entry] // by the hash of the id
	index  *index
	seed   maphash.Seed
	shards [shardCount]shard
	log    follower
	gates  gates
	staff  staff
	wait   sync.WaitGroup
	// closing ends with Close, and the fills with it.
	closing context.Context
}

// entry is a cached head. It never changes.
type entry struct {
	id      string // of whom it was filled for
	hash    uint64 // of the id
	profile *fund.Profile
	from    fund.Instant
	expires time.Duration // on the clock
}

// shard orders the fills and drops of the customers that hash to it. A fill that began
// before a drop must not be kept after it: both happen under the mutex, and drops
// counts them. Another customer's drop may cost a fill; that is only another miss.
type shard struct {
	mu      sync.Mutex
	drops   uint64
	flights map[string]*flight
}

// flight is one read of a head on behalf of all who ask while it runs.
type flight struct {
	began time.Duration // on the clock
	drops uint64        // of the shard when it began
	kept  bool          // the change log was followed when it began
	done  chan struct{}

	// What was read; set before done is closed.
	profile *fund.Profile
	from    fund.Instant
	err     error
}

// New puts a cache in front of a store of profiles, which must be a Store. The caller
// closes it; the store stays the caller's. Errors wrap features.ErrInvalid.
func New(store features.Profiles, cfg Config) (*Profiles, error) {
	whole, ok := store.(Store)
	if !ok {
		return nil, fmt.Errorf("%w: a store of profiles without heads, events or staff cannot be cached", features.ErrInvalid)
	}
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	found := newIndex(cfg.MaxBytes / typicalProfile)
	kept, err := ristretto.NewCache(&ristretto.Config[uint64, *entry]{
		NumCounters: max(1000, cfg.MaxBytes/typicalProfile*10), MaxCost: cfg.MaxBytes, BufferItems: 64,
		IgnoreInternalCost: true, // size counts all of an entry's bytes
		KeyToHash:          func(hash uint64) (key, conflict uint64) { return hash, 0 },
		OnExit:             found.forget,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", features.ErrInvalid, err)
	}
	p := &Profiles{store: whole, cfg: cfg, kept: kept, index: found, seed: maphash.MakeSeed()}
	p.gates.open(&cfg)
	for i := range p.shards {
		p.shards[i].flights = map[string]*flight{}
	}
	ctx, stop := context.WithCancel(context.Background())
	p.closing, p.log.stop = ctx, stop
	p.wait.Go(func() { p.follow(ctx) })
	return p, nil
}

func (c *Config) complete() error {
	for _, d := range [...]struct {
		value    *time.Duration
		standard time.Duration
	}{{&c.Staleness, DefaultStaleness}, {&c.MaxAge, defaultMaxAge}, {&c.FillTimeout, defaultFillTimeout}} {
		if *d.value == 0 {
			*d.value = d.standard
		}
		if *d.value < time.Millisecond {
			return fmt.Errorf("%w: %s, expected at least a millisecond", features.ErrInvalid, *d.value)
		}
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.MaxFills == 0 {
		c.MaxFills = defaultMaxFills
	}
	if c.MaxBytes < minMaxBytes || c.MaxFills < 1 {
		return fmt.Errorf("%w: %d bytes, %d fills, expected at least %d and 1", features.ErrInvalid, c.MaxBytes, c.MaxFills, minMaxBytes)
	}
	if c.Clock == nil {
		c.Clock = SystemClock()
	}
	if c.Observe == nil {
		c.Observe = func(Outcome) {}
	}
	if c.ObserveLag == nil {
		c.ObserveLag = func(time.Duration) {}
	}
	return nil
}

// Close stops following the change log and frees the memory. Call it once, when no
// other call is under way. Later calls go to the store.
func (p *Profiles) Close() {
	p.log.stop()
	p.wait.Wait()
	p.log.following.Store(false)
	p.log.freshUntil.Store(0)
	p.kept.Close()
	p.index.clear()
}

// Profile is features.Profiles.
func (p *Profiles) Profile(ctx context.Context, customerID string, at fund.Instant) (*fund.Profile, error) {
	now := p.cfg.Clock.Elapsed()
	if int64(now) >= p.log.freshUntil.Load() {
		p.cfg.Observe(Stale)
		return p.fill(ctx, customerID, at, now)
	}
	e := p.find(customerID, now)
	if e == nil || now >= e.expires || int64(e.expires) <= p.log.floor.Load() {
		p.cfg.Observe(Miss)
		return p.fill(ctx, customerID, at, now)
	}
	if at < e.from {
		p.cfg.Observe(Past)
		return p.through(ctx, customerID, at)
	}
	p.cfg.Observe(Hit)
	return e.profile, nil
}

// toldOf is how many hits there are to one that ristretto is told of: enough for it to
// know who is asked for often.
const toldOf = 8

// find returns the entry of a customer; nil: there is none. Neither the index nor ristretto
// takes one customer for another: his id is compared, not only its hash.
func (p *Profiles) find(customerID string, now time.Duration) *entry {
	hash := p.hash(customerID)
	e := p.index.get(hash, customerID)
	if e != nil && scatter(uint64(now))%toldOf != 0 {
		return e
	}
	kept, ok := p.kept.Get(hash)
	if e == nil && ok && kept.id == customerID {
		return kept
	}
	return e
}

// scatter makes of a time, however coarse the clock, a number whose lowest bits are as good
// as drawn.
func scatter(n uint64) uint64 { return n * 0x9E3779B97F4A7C15 >> 32 }

func (p *Profiles) hash(id string) uint64 { return maphash.String(p.seed, id) }

// Write is features.Profiles. The customer is dropped even when the store reports an
// error: the write may have been done all the same.
func (p *Profiles) Write(ctx context.Context, w features.Write) (r features.Receipt, err error) {
	if err := p.enter(&p.gates.writes); err != nil {
		return features.Receipt{}, err
	}
	defer func() {
		p.gates.writes.leave()
		p.heard(err)
		p.drop(w.CustomerID)
		p.settle()
	}()
	return p.store.Write(ctx, w)
}

// RecordEvents is features.Events. All customers of the batch are dropped, as by Write.
func (p *Profiles) RecordEvents(ctx context.Context, b features.EventBatch) (r features.EventsReceipt, err error) {
	if err := p.enter(&p.gates.writes); err != nil {
		return features.EventsReceipt{}, err
	}
	defer func() {
		p.gates.writes.leave()
		p.heard(err)
		dropped := make(map[string]bool, 1) // most batches are of one customer
		for i := range b.Events {
			if id := b.Events[i].CustomerID; !dropped[id] {
				dropped[id] = true
				p.drop(id)
			}
		}
		p.settle()
	}()
	return p.store.RecordEvents(ctx, b)
}

// Events is features.Events, straight from the store.
func (p *Profiles) Events(ctx context.Context, customerID string, at fund.Instant, yield func(*features.Event) error) error {
	return p.bounded(ctx, func(ctx context.Context) error { return p.store.Events(ctx, customerID, at, yield) })
}

// Changes is features.Profiles.
func (p *Profiles) Changes(ctx context.Context, after features.Position, limit int) (features.ChangePage, error) {
	return p.store.Changes(ctx, after, limit)
}

// ChangesEnd is features.Profiles.
func (p *Profiles) ChangesEnd(ctx context.Context) (features.Position, error) {
	return p.store.ChangesEnd(ctx)
}

// CustomerIDs is features.Profiles.
func (p *Profiles) CustomerIDs(ctx context.Context, after string, limit int) ([]string, error) {
	return p.store.CustomerIDs(ctx, after, limit)
}

// fill waits for the head with all others who ask for it, each to his own deadline.
func (p *Profiles) fill(ctx context.Context, id string, at fund.Instant, now time.Duration) (*fund.Profile, error) {
	var f *flight
	if p.closing.Err() == nil {
		f = p.join(ctx, id, now)
	}
	if f == nil {
		return p.through(ctx, id, at)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if f.err != nil || at >= f.from {
		return f.profile, f.err
	}
	return p.through(ctx, id, at)
}

// join returns the flight of a customer, a new one where none is young enough to stay
// within the bound of staleness. It returns nil when too many fills run.
func (p *Profiles) join(ctx context.Context, id string, now time.Duration) *flight {
	s := p.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.flights[id]; ok && now-f.began < p.cfg.Staleness {
		return f
	}
	if !p.gates.fills.enter(p.silent()) {
		return nil
	}
	f := &flight{began: now, drops: s.drops, kept: p.log.following.Load(), done: make(chan struct{})}
	s.flights[id] = f
	p.wait.Go(func() { p.fly(context.WithoutCancel(ctx), s, id, f) })
	return f
}

// fly reads the head and keeps it unless the customer changed meanwhile.
func (p *Profiles) fly(ctx context.Context, s *shard, id string, f *flight) {
	defer p.gates.fills.leave()
	ctx, cancel := context.WithTimeout(ctx, p.cfg.FillTimeout)
	defer cancel()
	unlink := context.AfterFunc(p.closing, cancel)
	defer unlink()
	f.profile, f.from, f.err = p.store.Head(ctx, id)
	p.heard(f.err)
	f.err = p.ownDeadline(f.err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights[id] == f {
		delete(s.flights, id)
	}
	if f.err == nil && f.kept {
		p.keep(s, id, f)
	}
	close(f.done)
}

// keep puts what a flight read into the cache. The shard is locked.
func (p *Profiles) keep(s *shard, id string, f *flight) {
	if s.drops != f.drops {
		p.cfg.Observe(FillLost)
		return
	}
	// ristretto takes an entry above its bound with a nod and forgets it.
	cost := size(f.profile)
	if cost > p.cfg.MaxBytes {
		return
	}
	e := &entry{id: id, hash: p.hash(id), profile: f.profile, from: f.from, expires: f.began + p.cfg.MaxAge}
	p.index.put(e) // first: what ristretto refuses leaves it again
	if !p.kept.Set(e.hash, e, cost) {
		p.index.forget(e)
	}
}

// drop forgets a customer, and lets no fill that is under way bring him back. It is
// complete with the next settle.
func (p *Profiles) drop(id string) {
	s := p.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drops++
	delete(s.flights, id) // who asks from now on begins a read of his own
	hash := p.hash(id)
	p.index.drop(hash, id)
	p.kept.Del(hash)
	p.cfg.Observe(Dropped)
}

// settle waits until ristretto has done what it was told. Its Set only queues a new
// entry, and a Del does not reach an entry that is queued before it: for a moment the
// dropped entry would be seen again.
func (p *Profiles) settle() { p.kept.Wait() }

func (p *Profiles) shard(id string) *shard {
	return &p.shards[p.hash(id)%shardCount]
}
