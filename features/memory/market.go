package memory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// market is the pool and the market data.
type market struct {
	revisions map[uint64][]fund.Product // in code order
	inForce   features.Revision
	seq       uint64 // of the newest transaction that touched pool or market data
	navs      map[string][]dated[fund.NAV]
	calendar  []dated[features.CalendarDay]
}

// Published is features.Pools.
func (s *Store) Published(ctx context.Context) (r features.Revision, err error) {
	err = s.read(ctx, func() error {
		if s.market.inForce.ID == 0 {
			return features.ErrNoPool
		}
		r = s.market.inForce
		r.Seq = s.market.seq
		return nil
	})
	return r, err
}

// Pool is features.Pools.
func (s *Store) Pool(ctx context.Context, revision uint64) (out []fund.Product, err error) {
	err = s.read(ctx, func() error {
		products, ok := s.market.revisions[revision]
		if !ok {
			return notFound("pool revision", strconv.FormatUint(revision, 10))
		}
		out = slices.Clone(products)
		return nil
	})
	return out, err
}

// NAVs is features.Pools.
func (s *Store) NAVs(ctx context.Context, cut features.Cut, yield func(string, []fund.NAV) error) error {
	var codes []string
	var series map[string][]dated[fund.NAV]
	if err := s.read(ctx, func() error {
		series = maps.Clone(s.market.navs) // the slices never change in place
		codes = slices.Sorted(maps.Keys(series))
		return nil
	}); err != nil {
		return err
	}
	for _, code := range codes {
		if err := ctx.Err(); err != nil {
			return err
		}
		navs := newestOfDays(series[code], cut.Seq, cut.AsOf.Date(), func(n fund.NAV) fund.Date { return n.Date })
		if len(navs) == 0 {
			continue
		}
		if err := yield(code, navs); err != nil {
			return err
		}
	}
	return nil
}

// newestOfDays returns the newest value, written at or before seq, of each day before
// a day; rows stand in the order of their writing.
func newestOfDays[T any](rows []dated[T], seq uint64, before fund.Date, day func(T) fund.Date) []T {
	byDay := map[fund.Date]T{}
	for _, r := range rows {
		if r.seq <= seq && day(r.value) < before {
			byDay[day(r.value)] = r.value
		}
	}
	out := slices.Collect(maps.Values(byDay))
	slices.SortFunc(out, func(a, b T) int { return cmp.Compare(day(a), day(b)) })
	return out
}

// Purchases is features.Pools.
func (s *Store) Purchases(ctx context.Context, cut features.Cut, yield func(string, []fund.Purchase) error) error {
	var byID map[string]*customer
	if err := s.read(ctx, func() error {
		byID = maps.Clone(s.people.byID)
		for _, n := range s.people.nameless {
			byID[n.id] = n.customer
		}
		return nil
	}); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		purchases := byID[id].purchasesIn(cut.Seq, cut.AsOf)
		if len(purchases) == 0 {
			continue
		}
		if err := yield(id, purchases); err != nil {
			return err
		}
	}
	return nil
}

// lastDate is later than every date that may enter.
const lastDate fund.Date = 9999_12_31

// Calendar is features.Pools.
func (s *Store) Calendar(ctx context.Context, seq uint64) (c fund.Calendar, err error) {
	err = s.read(ctx, func() error {
		days := map[fund.Date]bool{}
		for _, d := range newestOfDays(s.market.calendar, seq, lastDate, func(d features.CalendarDay) fund.Date { return d.Date }) {
			days[d.Date] = d.Open
		}
		c = fund.NewCalendar(days)
		return nil
	})
	return c, err
}

type artifactID struct {
	kind features.ArtifactKind
	id   string
}

// models is what is kept of models and rule packs.
type models struct {
	kept    map[artifactID][]byte
	history map[features.ArtifactKind][]features.Activation // as they came
}

// Put is features.Models.
func (s *Store) Put(ctx context.Context, kind features.ArtifactKind, data []byte) (string, error) {
	if err := features.CheckArtifact(kind, data); err != nil {
		return "", err
	}
	if err := s.lockWriting(ctx); err != nil {
		return "", err
	}
	defer s.unlockWriting()
	sum := sha256.Sum256(data)
	id := hex.EncodeToString(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.models.kept[artifactID{kind, id}] = slices.Clone(data)
	return id, nil
}

// Artifact is features.Models.
func (s *Store) Artifact(ctx context.Context, kind features.ArtifactKind, id string) (data []byte, err error) {
	err = s.read(ctx, func() error {
		kept, ok := s.models.kept[artifactID{kind, id}]
		if !ok {
			return notFound(string(kind), id)
		}
		data = slices.Clone(kept)
		return nil
	})
	return data, err
}

// Activate is features.Models.
func (s *Store) Activate(ctx context.Context, a features.Activation) error {
	if err := a.Check(); err != nil {
		return err
	}
	if err := s.lockWriting(ctx); err != nil {
		return err
	}
	defer s.unlockWriting()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.models.kept[artifactID{a.Kind, a.ArtifactID}]; !ok {
		return notFound(string(a.Kind), a.ArtifactID)
	}
	if done, err := s.replays(&a.Idempotency, a.At); done || err != nil {
		return err
	}
	s.people.remember("", &a.Idempotency, features.Receipt{}, a.At)
	a.Idempotency = features.Idempotency{}
	s.models.history[a.Kind] = append(s.models.history[a.Kind], a)
	return nil
}

// Repeats is features.Models.
func (s *Store) Repeats(ctx context.Context, i features.Idempotency, now fund.Instant) (done bool, err error) {
	err = s.read(ctx, func() (err error) {
		done, err = s.replays(&i, now)
		return err
	})
	return done, err
}

// Active is features.Models.
func (s *Store) Active(ctx context.Context, kind features.ArtifactKind) (id string, data []byte, err error) {
	return s.inForce(ctx, kind, func(features.Activation) bool { return true })
}

// ActiveID is features.Models.
func (s *Store) ActiveID(ctx context.Context, kind features.ArtifactKind) (id string, err error) {
	err = s.read(ctx, func() error {
		history := s.models.history[kind]
		if len(history) == 0 {
			return notFound("active", string(kind))
		}
		id = history[len(history)-1].ArtifactID
		return nil
	})
	return id, err
}

// ActiveAt is features.Models.
func (s *Store) ActiveAt(ctx context.Context, kind features.ArtifactKind, at fund.Instant) (id string, data []byte, err error) {
	return s.inForce(ctx, kind, func(a features.Activation) bool { return a.At <= at })
}

// inForce returns the artifact of the last activation that counts.
func (s *Store) inForce(ctx context.Context, kind features.ArtifactKind, counts func(features.Activation) bool) (id string, data []byte, err error) {
	err = s.read(ctx, func() error {
		for _, a := range slices.Backward(s.models.history[kind]) {
			if counts(a) {
				id, data = a.ArtifactID, slices.Clone(s.models.kept[artifactID{kind, a.ArtifactID}])
				return nil
			}
		}
		return notFound("active", string(kind))
	})
	return id, data, err
}

// Activations is features.Models.
func (s *Store) Activations(ctx context.Context, kind features.ArtifactKind) (out []features.Activation, err error) {
	err = s.read(ctx, func() error {
		out = slices.Clone(s.models.history[kind])
		return nil
	})
	return out, err
}
