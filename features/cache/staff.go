package cache

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fundmatch/fundmatch/features"
)

// No change log names managers, so what is read of one is used for as long as the bound and
// no longer: enough that a branch's morning is not one read of him for each customer, and
// that answers go on from memory as long as profiles do.

// maxStaff bounds the managers that are remembered; beyond, all are forgotten.
const maxStaff = 1 << 16

// staff are the managers that were read lately.
type staff struct {
	known sync.Map // by id: knownManager
	count atomic.Int64
}

type knownManager struct {
	manager features.Manager
	began   time.Duration // on the clock: when he was asked for
}

// Manager is features.Staff, at most as old as the bound of staleness.
func (p *Profiles) Manager(ctx context.Context, managerID string) (features.Manager, error) {
	now := p.cfg.Clock.Elapsed()
	if v, ok := p.staff.known.Load(managerID); ok {
		k := v.(knownManager) //nolint:forcetypeassert,errcheck // the map holds nothing else
		if now-k.began < p.cfg.Staleness {
			return k.manager, nil
		}
	}
	var m features.Manager
	err := p.bounded(ctx, func(ctx context.Context) (err error) {
		m, err = p.store.Manager(ctx, managerID)
		return err
	})
	if err != nil {
		return features.Manager{}, err
	}
	p.staff.keep(managerID, knownManager{m, now})
	return m, nil
}

// keep remembers a manager. Of two reads of him that end in any order the one that began
// later stays for as long as it may: an older one is used for less time, by the bound itself.
func (s *staff) keep(id string, k knownManager) {
	if s.count.Load() >= maxStaff {
		s.known.Clear()
		s.count.Store(0)
	}
	if _, there := s.known.Swap(id, k); !there {
		s.count.Add(1)
	}
}
