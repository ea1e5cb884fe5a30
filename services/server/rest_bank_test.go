package server

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	text "github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/customer"
	"github.com/fundmatch/fundmatch/services/decision"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/event"
	"github.com/fundmatch/fundmatch/services/model"
	"github.com/fundmatch/fundmatch/services/order"
	"github.com/fundmatch/fundmatch/services/pool"
	"github.com/fundmatch/fundmatch/services/recommendation"
	"github.com/fundmatch/fundmatch/services/wording"
)

// goldenBank is the bank that the golden customers belong to, as it stands on a Tuesday.
var goldenBank = synthetic.Options{Customers: 60, Products: 60, Seed: 7, AsOf: fund.Date(20260310)}

// bankStore is all that the services need of a store.
//
//nolint:interfacebloat // all of it at once, each concern in an interface of its own
type bankStore interface {
	features.Erasures
	features.Profiles
	features.Staff
	features.Events
	features.Confirmations
	features.Pools
	features.Models
	features.Importer
	Close() error
}

// bank is a synthetic bank behind the real services: the path of the program, with a
// clock that stands still and with random numbers that do not surprise.
type bank struct {
	store    bankStore
	loader   *engine.Loader
	engine   *engine.Engine
	log      *decisionlog.Log
	dir      string // of the decision log
	clock    *standingClock
	draws    *draws
	decision *decision.Service
	services Services
}

// standingClock moves only when a test says so.
type standingClock struct{ micros atomic.Int64 }

func (c *standingClock) set(at fund.Instant) { c.micros.Store(int64(at)) }

func (c *standingClock) now() time.Time { return fund.Instant(c.micros.Load()).Time() }

// draws gives the same numbers after the same restart: decision ids and salts.
type draws struct {
	mu    sync.Mutex
	seed  string
	count uint64
}

// restart begins the numbers of a seed, such as the name of a case.
func (d *draws) restart(seed string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seed, d.count = seed, 0
}

// Read implements io.Reader.
func (d *draws) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := 0; i < len(p); {
		d.count++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(d.seed), d.count))
		i += copy(p[i:], sum[:])
	}
	return len(p), nil
}

// decisionIDs makes UUIDv7s of a clock and of draws: shaped like real ones, and the same
// ones each time.
func decisionIDs(now func() time.Time, random *draws) func() (string, error) {
	return func() (string, error) {
		var id uuid.UUID
		if _, err := random.Read(id[6:]); err != nil {
			return "", err
		}
		ms := now().UnixMilli()
		for i := range 6 {
			id[i] = byte(ms >> (40 - 8*i))
		}
		id[6] = 0x70 | id[6]&0x0f
		id[8] = 0x80 | id[8]&0x3f
		return id.String(), nil
	}
}

// openMemoryBank opens a bank in memory at ten in the morning of its day.
func openMemoryBank(tb testing.TB, opts synthetic.Options) *bank {
	tb.Helper()
	return openBank(tb, memory.New(), opts)
}

// openSQLiteBank opens a bank in an SQLite file.
func openSQLiteBank(tb testing.TB, opts synthetic.Options) *bank {
	tb.Helper()
	store, err := sqlstore.Open(tb.Context(), sqlstore.OpenConfig{Path: filepath.Join(tb.TempDir(), "bank.db")})
	if err != nil {
		tb.Fatal(err)
	}
	return openBank(tb, store, opts)
}

func openBank(tb testing.TB, store bankStore, opts synthetic.Options) *bank {
	tb.Helper()
	generated, err := synthetic.Generate(opts)
	if err != nil {
		tb.Fatal(err)
	}
	return openBankAt(tb, &opening{store: store, at: opts.AsOf.Start().Add(10 * time.Hour), pack: eligibility.Default(), load: generated.Load})
}

// opening is what a bank is opened with.
type opening struct {
	store  bankStore
	loader *engine.Loader // of that store; nil: its own
	at     fund.Instant
	told   fund.Instant // when the bank was told of what load gives, where that is later than at
	pack   []byte       // rule pack
	load   func(features.Batch) error
}

// openBankAt opens a bank.
func openBankAt(tb testing.TB, o *opening) *bank {
	tb.Helper()
	b := &bank{
		store: o.store, loader: o.loader, dir: filepath.Join(tb.TempDir(), "decisions"), draws: &draws{seed: tb.Name()}, clock: &standingClock{},
	}
	b.clock.set(o.at)
	tb.Cleanup(func() { _ = o.store.Close() })
	if _, err := o.store.Import(tb.Context(), max(o.at, o.told), o.load); err != nil {
		tb.Fatal(err)
	}
	b.publish(tb, o.pack)
	var err error
	if b.log, err = decisionlog.Open(b.dir, decisionlog.Config{Now: b.clock.now, Random: b.draws}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := b.log.Close(); err != nil {
			tb.Error(err)
		}
	})
	b.compile(tb)
	b.serve(tb)
	return b
}

// publish puts a rule pack in force.
func (b *bank) publish(tb testing.TB, pack []byte) {
	tb.Helper()
	id, err := b.store.Put(tb.Context(), features.RulesArtifact, pack)
	if err != nil {
		tb.Fatal(err)
	}
	now := fund.InstantOf(b.clock.now())
	err = b.store.Activate(tb.Context(), features.Activation{Kind: features.RulesArtifact, ArtifactID: id, At: now, By: "test", Note: "the pack of the case"})
	if err != nil {
		tb.Fatal(err)
	}
}

// compile makes the core of what the store holds.
func (b *bank) compile(tb testing.TB) {
	tb.Helper()
	err := engine.InstallDefaults(tb.Context(), b.store, fund.InstantOf(b.clock.now()))
	if err != nil {
		tb.Fatal(err)
	}
	if b.loader == nil {
		if b.loader, err = engine.NewLoader(b.store, b.store, "test"); err != nil {
			tb.Fatal(err)
		}
	}
	b.engine = engine.New(b.loader, b.clock.now, engine.Config{})
	if err := b.engine.Reload(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// theLinter is made once for all banks: it is immutable.
var theLinter = sync.OnceValues(text.NewLinter)

// serve puts the services over the bank.
func (b *bank) serve(tb testing.TB) {
	tb.Helper()
	reader, err := decisionlog.OpenReader(b.dir)
	if err != nil {
		tb.Fatal(err)
	}
	b.decision = decision.New(b.loader, reader)
	recommend := recommendation.New(b.engine, b.store, b.log, recommendation.Config{
		Clock: b.clock.now, NewID: decisionIDs(b.clock.now, b.draws), Staff: b.store,
	})
	orders := order.New(b.engine, order.Stores{
		Profiles: b.store, Confirmations: b.store, Staff: b.store, Log: b.log, Records: reader,
	}, order.Config{NewID: decisionIDs(b.clock.now, b.draws), Now: b.clock.now})
	linter, err := theLinter()
	if err != nil {
		tb.Fatal(err)
	}
	b.services.Register = func(r grpc.ServiceRegistrar) {
		fundmatchv1.RegisterRecommendationServiceServer(r, recommend)
		fundmatchv1.RegisterDecisionServiceServer(r, b.decision)
		fundmatchv1.RegisterPoolServiceServer(r, pool.New(b.engine))
		fundmatchv1.RegisterCustomerServiceServer(r, customer.New(b.store, b.clock.now, b.customerRules,
			customer.WithEraser(customer.NewEraser(b.store, b.log, b.draws, b.clock.now))))
		fundmatchv1.RegisterEventServiceServer(r, event.New(b.store, b.clock.now))
		fundmatchv1.RegisterOrderServiceServer(r, orders)
		fundmatchv1.RegisterWordingServiceServer(r, wording.New(b.engine, linter))
		fundmatchv1.RegisterModelServiceServer(r, model.New(b.store, b.tryModel, b.clock.now))
	}
	b.services.Checks = []Check{{Name: "core", Ready: func(context.Context) error {
		_, _, err := b.engine.Core()
		return err
	}}}
}

func (b *bank) tryModel(ctx context.Context, data []byte) error {
	return b.loader.TryModel(ctx, data, fund.InstantOf(b.clock.now()))
}

func (b *bank) customerRules() (customer.Rules, error) {
	core, _, err := b.engine.Core()
	return core, err
}

// start puts the bank on the network.
func (b *bank) start(t *testing.T) *running {
	t.Helper()
	return start(t, &fake{}, options{with: func(s *Services) { *s = b.services }})
}
