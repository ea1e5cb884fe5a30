package cache_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/cache"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// licences is a bank whose managers are in a map.
type licences struct {
	*bank
	until map[string]fund.Date
	asked int
}

func (l *licences) Manager(ctx context.Context, id string) (features.Manager, error) {
	if err := l.call(ctx); err != nil {
		return features.Manager{}, err
	}
	l.asked++
	until, ok := l.until[id]
	if !ok {
		return features.Manager{}, fmt.Errorf("%w: manager %s", features.ErrNotFound, id)
	}
	return features.Manager{ID: id, LicenceUntil: until}, nil
}

func TestAManagerIsKnownForTheBoundAndNoLonger(t *testing.T) {
	open(t, cache.Config{}, func(d *desk) {
		l := &licences{bank: d.bank, until: map[string]fund.Date{"m": 2030_01_01}}
		c, err := cache.New(l, cache.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		want := func(id string, until fund.Date) {
			t.Helper()
			if m, err := c.Manager(d.Context(), id); err != nil || m.LicenceUntil != until {
				t.Errorf("%s: %+v, %v, want a licence until %d", id, m, err, until)
			}
		}
		want("m", 2030_01_01)
		l.until["m"] = 2020_01_01
		pass(staleness - 1)
		want("m", 2030_01_01)
		if l.asked != 1 {
			t.Errorf("asked %d times within the bound, want once", l.asked)
		}
		resume := d.bank.stall()
		defer resume()
		want("m", 2030_01_01)
		pass(1)
		if _, err := c.Manager(d.Context(), "m"); !errors.Is(err, features.ErrUnavailable) {
			t.Errorf("beyond the bound, of a stalled store: %v, want ErrUnavailable", err)
		}
		resume()
		pass(2 * time.Second)
		want("m", 2020_01_01)
		for range 3 {
			if _, err := c.Manager(d.Context(), "new"); !errors.Is(err, features.ErrNotFound) {
				t.Errorf("%v, want ErrNotFound", err)
			}
		}
		l.until["new"] = 2031_01_01
		want("new", 2031_01_01) // not found is not kept
	})
}

// A bank has fewer managers than this; whoever asks for so many costs no memory.
func TestManagersAreBounded(t *testing.T) {
	l := &licences{bank: newBank(), until: map[string]fund.Date{}}
	l.Store = memory.New()
	c, err := cache.New(l, cache.Config{Staleness: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const many = 1<<16 + 10
	for i := range many {
		l.until[fmt.Sprint("m", i)] = fund.Date(i)
	}
	ask := func(i int) {
		if m, err := c.Manager(t.Context(), fmt.Sprint("m", i)); err != nil || m.LicenceUntil != fund.Date(i) {
			t.Fatalf("m%d: %+v, %v", i, m, err)
		}
	}
	for i := range many {
		ask(i)
	}
	asked := l.asked
	ask(many - 1)
	ask(0) // forgotten with all others when there were too many
	if l.asked != asked+1 {
		t.Errorf("asked %d times, want once for the one that was forgotten", l.asked-asked)
	}
}
