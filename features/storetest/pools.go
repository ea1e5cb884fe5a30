//nolint:thelper // a promise is a test: its failures must point into it
package storetest

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func poolPromises() []promise {
	return []promise{
		{"without a publication there is no pool", noPool},
		{"an unknown revision is not found", unknownRevision},
		{"products come back whole, in code order", wholeProducts},
		{"the hash depends on the products and not on the order they came in", hashOfContent},
		{"NAVs are dated before the day of the cut", navsBeforeTheDay},
		{"a corrected NAV replaces its day from its sequence number on", correctedNAV},
		{"purchases are known by the instant of the cut", purchasesByInstant},
		{"a corrected purchase replaces its key from its sequence number on", correctedPurchase},
		{"the error of yield ends the reading and comes back", yieldError},
		{"a cut before everything is empty", emptyCut},
		{"without a calendar every weekday is assumed to be open", assumedCalendar},
		{"a corrected day of the calendar counts from its sequence number on", correctedCalendar},
		{"the sequence number of the market rises with its data only", marketSequence},
	}
}

func noPool(t *testing.T, s Store) {
	known(t, s, "c1")
	if r, err := s.Published(t.Context()); !errors.Is(err, features.ErrNoPool) {
		t.Errorf("published %+v, %v, want ErrNoPool", r, err)
	}
}

func unknownRevision(t *testing.T, s Store) {
	id := loadBank(t, s).Revision.ID
	for _, other := range []uint64{0, id + 1, 1<<63 - 1, 1<<64 - 1} {
		if _, err := s.Pool(t.Context(), other); !errors.Is(err, features.ErrNotFound) {
			t.Errorf("pool %d: %v, want ErrNotFound", other, err)
		}
	}
}

func wholeProducts(t *testing.T, s Store) {
	full := product("P9", "九")
	full.Fees = fund.FeeSchedule{Subscription: []fund.SubscriptionTier{{Below: 1, Rate: 2}, {Fixed: 3}}, DiscountPct: 90, Management: 120}
	full.Content.Attributes = []fund.Attribute{{Name: "isin", Value: "X"}}
	full.Missing = fund.FieldSet(0).With(fund.FieldGoals)
	want := []fund.Product{product("A", "a"), full, product("a", "b")}
	res := load(t, s, func(b features.Batch) error {
		return errors.Join(b.Products(want[2:]), b.Products(want[:2]))
	})
	got, err := s.Pool(t.Context(), res.Revision.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "pool", got, want)
	var bytes []byte
	for i := range want {
		bytes = fund.AppendProduct(bytes, &want[i])
	}
	if res.Revision.Hash != sha256.Sum256(bytes) {
		t.Error("the hash is not that of the products' canonical bytes in code order")
	}
}

func hashOfContent(t *testing.T, s Store) {
	first := loadBank(t, s).Revision
	renamed := load(t, s, func(b features.Batch) error { return b.Products([]fund.Product{product("P1", "renamed")}) }).Revision
	back := load(t, s, func(b features.Batch) error { return b.Products([]fund.Product{product("P1", "one")}) }).Revision
	if first.Hash == renamed.Hash || first.Hash != back.Hash {
		t.Errorf("hashes %x, %x, %x: want the first and the last equal", first.Hash[:4], renamed.Hash[:4], back.Hash[:4])
	}
	if first.ID >= renamed.ID || renamed.ID >= back.ID {
		t.Errorf("revisions %d, %d, %d do not rise", first.ID, renamed.ID, back.ID)
	}
}

func navsBeforeTheDay(t *testing.T, s Store) {
	seq := loadBank(t, s).Revision.Seq
	for _, c := range []struct {
		at   fund.Instant
		want map[string][]fund.NAV
	}{
		{day1.Start(), map[string][]fund.NAV{}},
		{day2.Start() - 1, map[string][]fund.NAV{}},
		{day2.Start(), map[string][]fund.NAV{"P1": {nav(day1, 1)}}},
		{day3.Start() - 1, map[string][]fund.NAV{"P1": {nav(day1, 1)}}},
		{day3.Start(), map[string][]fund.NAV{"P1": {nav(day1, 1), nav(day2, 1.1)}, "P2": {nav(day2, 2)}}},
		{later, map[string][]fund.NAV{"P1": {nav(day1, 1), nav(day2, 1.1), nav(day3, 0.9)}, "P2": {nav(day2, 2)}}},
	} {
		wantSame(t, "NAVs as of "+c.at.String(), navs(t, s, features.Cut{AsOf: c.at, Seq: seq}), c.want)
	}
}

func correctedNAV(t *testing.T, s Store) {
	old := features.Cut{AsOf: later, Seq: loadBank(t, s).Revision.Seq}
	before := navs(t, s, old)
	res := load(t, s, func(b features.Batch) error { return b.NAVs("P1", []fund.NAV{nav(day2, 7), nav(day4, 8)}) })
	if res.Changed != 2 {
		t.Errorf("%d rows, want 2", res.Changed)
	}
	wantSame(t, "the old cut", navs(t, s, old), before)
	want := []fund.NAV{nav(day1, 1), nav(day2, 7), nav(day3, 0.9), nav(day4, 8)}
	wantSame(t, "the new cut", navs(t, s, features.Cut{AsOf: later, Seq: res.Revision.Seq})["P1"], want)
	res = load(t, s, func(b features.Batch) error { return b.NAVs("P1", []fund.NAV{nav(day2, 1.1)}) })
	want[1] = nav(day2, 1.1)
	wantSame(t, "the correction of the correction", navs(t, s, features.Cut{AsOf: later, Seq: res.Revision.Seq})["P1"], want)
	wantSame(t, "the old cut still", navs(t, s, old), before)
}

func purchasesByInstant(t *testing.T, s Store) {
	seq := loadBank(t, s).Revision.Seq
	one := []fund.Purchase{bought("", "P1", day2, 100).Purchase}
	two := []fund.Purchase{bought("", "P2", day3, 0).Purchase}
	for _, c := range []struct {
		at   fund.Instant
		want map[string][]fund.Purchase
	}{
		{day2.Start() - 1, map[string][]fund.Purchase{}},
		{day2.Start(), map[string][]fund.Purchase{"c1": one}},
		{day3.Start() - 1, map[string][]fund.Purchase{"c1": one}},
		{day3.Start(), map[string][]fund.Purchase{"c1": one, "c2": two}},
	} {
		wantSame(t, "purchases as of "+c.at.String(), purchases(t, s, features.Cut{AsOf: c.at, Seq: seq}), c.want)
	}
}

func correctedPurchase(t *testing.T, s Store) {
	old := features.Cut{AsOf: later, Seq: loadBank(t, s).Revision.Seq}
	before, revision := purchases(t, s, old), profile(t, s, "c1", later).Revision
	res := load(t, s, func(b features.Batch) error {
		return b.Purchases([]features.CustomerPurchase{bought("c1", "P1", day2, 200), bought("c1", "P0", day4, 1), bought("c2", "P2", day3, 0)})
	})
	if res.Changed != 2 {
		t.Errorf("%d rows, want 2", res.Changed)
	}
	want := []fund.Purchase{bought("", "P0", day4, 1).Purchase, bought("", "P1", day2, 200).Purchase}
	wantSame(t, "the new cut", purchases(t, s, features.Cut{AsOf: later, Seq: res.Revision.Seq})["c1"], want)
	wantSame(t, "the old cut", purchases(t, s, old), before)
	p := profile(t, s, "c1", later)
	wantSame(t, "purchases of the profile", p.Purchases, want)
	if p.Revision <= revision {
		t.Errorf("revision %d after %d", p.Revision, revision)
	}
}

func yieldError(t *testing.T, s Store) {
	cut, calls := features.Cut{AsOf: later, Seq: loadBank(t, s).Revision.Seq}, 0
	stop := errors.New("enough")
	if err := s.NAVs(t.Context(), cut, func(string, []fund.NAV) error { calls++; return stop }); !errors.Is(err, stop) {
		t.Errorf("NAVs: %v, want the error of yield", err)
	}
	if err := s.Purchases(t.Context(), cut, func(string, []fund.Purchase) error { calls++; return stop }); !errors.Is(err, stop) {
		t.Errorf("purchases: %v, want the error of yield", err)
	}
	if calls != 2 {
		t.Errorf("yield was called %d times, want once each", calls)
	}
	known(t, s, "c9") // the store goes on
}

func emptyCut(t *testing.T, s Store) {
	loadBank(t, s)
	for _, cut := range []features.Cut{{}, {AsOf: later}, {Seq: 1 << 40}} {
		if n, p := navs(t, s, cut), purchases(t, s, cut); len(n)+len(p) != 0 {
			t.Errorf("cut %+v: %v, %v, want nothing", cut, n, p)
		}
	}
}

func assumedCalendar(t *testing.T, s Store) {
	c, err := s.Calendar(t.Context(), 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "calendar", openDays(c), "?????")
}

func correctedCalendar(t *testing.T, s Store) {
	first := loadBank(t, s).Revision.Seq
	second := load(t, s, func(b features.Batch) error {
		return b.Calendar([]features.CalendarDay{{Date: day1, Open: true}, {Date: day2, Open: true}, {Date: day3, Open: false}})
	})
	if second.Changed != 2 {
		t.Errorf("%d rows, want 2", second.Changed)
	}
	for seq, want := range map[uint64]string{first - 1: "?????", first: "xo???", second.Revision.Seq: "oox??"} {
		c, err := s.Calendar(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "calendar", openDays(c), want)
	}
}

func marketSequence(t *testing.T, s Store) {
	seq := loadBank(t, s).Revision.Seq
	if got := published(t, s).Seq; got != seq {
		t.Errorf("published says %d, the import %d", got, seq)
	}
	write(t, s, tag("c1", "a", "1", noon(day1)))
	known(t, s, "c7")
	if got := published(t, s).Seq; got != seq {
		t.Errorf("sequence %d after customers' facts, want %d still", got, seq)
	}
	for name, fill := range map[string]func(features.Batch) error{
		"a NAV": func(b features.Batch) error { return b.NAVs("P2", []fund.NAV{nav(day5, 3)}) },
		"a purchase": func(b features.Batch) error {
			return b.Purchases([]features.CustomerPurchase{bought("c1", "P2", day5, 1)})
		},
		"a day":       func(b features.Batch) error { return b.Calendar([]features.CalendarDay{{Date: day5, Open: true}}) },
		"a product":   func(b features.Batch) error { return b.Products([]fund.Product{product("P1", "another")}) },
		"a new share": func(b features.Batch) error { return b.Products([]fund.Product{product("P4", "four")}) },
	} {
		load(t, s, fill)
		now := published(t, s).Seq
		if now <= seq {
			t.Errorf("sequence %d after %s, want more than %d", now, name, seq)
		}
		seq = now
	}
}
