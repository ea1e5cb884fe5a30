package behaviour_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// read reads a customer as of base, C3.
func read(p *fund.Profile, pool behaviour.Pool) *fund.Conduct {
	var c fund.Conduct
	behaviour.Read(p, fund.C3, base, pool, &c)
	return &c
}

// trailOf makes a customer who has nothing but events.
func trailOf(events ...fund.Event) *fund.Profile {
	return &fund.Profile{Trail: behaviour.Of(events)}
}

// daysAgo is the time of base so many days before.
func daysAgo(n int) fund.Instant { return base - fund.Instant(n)*perDay }

// day is the day so many days before base.
func day(ago int) fund.Date { return daysAgo(ago).Date() }

// repeat makes n events that are one day apart, the last so many days ago.
func repeat(n, lastAgo int, e fund.Event) (events []fund.Event) {
	for i := range n {
		e.At = daysAgo(lastAgo + i)
		events = append(events, e)
	}
	return events
}

func TestWindowsIncludeTheirFirstDayAndEndBeforeTheInstant(t *testing.T) {
	for name, c := range map[string]struct {
		at                   fund.Instant
		in30, in90, in365, n int32
	}{
		"a moment before":          {base - 1, 1, 1, 1, 1},
		"the instant":              {base, 0, 0, 0, 0},
		"a moment later":           {base + 1, 0, 0, 0, 0},
		"the first of 30 days":     {day(29).Start(), 1, 1, 1, 1},
		"a moment before 30 days":  {day(29).Start() - 1, 0, 1, 1, 1},
		"the first of 90 days":     {day(89).Start(), 0, 1, 1, 1},
		"a moment before 90 days":  {day(89).Start() - 1, 0, 0, 1, 1},
		"the first of 365 days":    {day(364).Start(), 0, 0, 1, 1},
		"a moment before 365 days": {day(364).Start() - 1, 0, 0, 0, 1},
	} {
		got := read(trailOf(fund.Event{Kind: fund.Contact, At: c.at}), nil).Contacts
		want := fund.Activity{Count: c.n, Count30: c.in30, Count90: c.in90, Count365: c.in365}
		if c.n > 0 {
			want.Last = c.at.Date()
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if c.n == 0 {
			continue
		}
		// A purchase of that day counts alike.
		bought := read(&fund.Profile{Purchases: []fund.Purchase{{ProductCode: "P", KnownOn: c.at.Date(), Kind: "BUY"}}}, nil).Purchases
		if bought != want {
			t.Errorf("%s: a purchase gives %+v, want %+v", name, bought, want)
		}
	}
}

func TestPurchasesAndRedemptionsHaveOneSource(t *testing.T) {
	confirmed := fund.Event{Kind: fund.OrderConfirm, At: daysAgo(5), ProductCode: "P", Amount: 70}
	redeemed := fund.Event{Kind: fund.Redeem, At: daysAgo(10), ProductCode: "P", Amount: 50}
	bought := fund.Purchase{ProductCode: "P", KnownOn: day(40), Kind: "BUY", Amount: 100}
	once := func(ago int, amount fund.Money) fund.Activity {
		a := fund.Activity{Last: day(ago), Count: 1, Count90: 1, Count365: 1, Amount: amount, Amount365: amount}
		if ago < 30 {
			a.Count30 = 1
		}
		return a
	}
	sold := func(ago int) fund.Purchase {
		return fund.Purchase{ProductCode: "P", KnownOn: day(ago), Kind: "REDEEM", Amount: 30}
	}
	both := fund.Activity{Last: day(10), Count: 2, Count30: 1, Count90: 2, Count365: 2, Amount: 80, Amount365: 80}
	for name, c := range map[string]struct {
		ledger                 []fund.Purchase
		events                 []fund.Event
		purchases, redemptions fund.Activity
	}{
		"orders where there are no purchases": {nil, []fund.Event{confirmed}, once(5, 70), fund.Activity{}},
		"purchases alone":                     {[]fund.Purchase{bought}, []fund.Event{confirmed}, once(40, 100), fund.Activity{}},
		"tomorrow's purchase is none yet":     {[]fund.Purchase{{ProductCode: "P", KnownOn: 20240316, Kind: "BUY"}}, []fund.Event{confirmed}, once(5, 70), fund.Activity{}},
		"redemptions of the trail":            {nil, []fund.Event{redeemed}, fund.Activity{}, once(10, 50)},
		"redemptions of the ledger":           {[]fund.Purchase{sold(40)}, nil, fund.Activity{}, once(40, 30)},
		"the ledger before the trail's first": {[]fund.Purchase{sold(11)}, []fund.Event{redeemed}, fund.Activity{}, func() fund.Activity { a := both; a.Count30 = 2; return a }()},
		"the ledger long before":              {[]fund.Purchase{sold(40)}, []fund.Event{redeemed}, fund.Activity{}, both},
		"the same redemption in both":         {[]fund.Purchase{sold(10)}, []fund.Event{redeemed}, fund.Activity{}, once(10, 50)},
		"tomorrow's redemption is no record":  {[]fund.Purchase{sold(10)}, []fund.Event{{Kind: fund.Redeem, At: base + 1}}, fund.Activity{}, once(10, 30)},
	} {
		p := trailOf(c.events...)
		p.Purchases = c.ledger
		got := read(p, nil)
		if got.Purchases != c.purchases || got.Redemptions != c.redemptions {
			t.Errorf("%s:\n%+v\n%+v, want\n%+v\n%+v", name, got.Purchases, got.Redemptions, c.purchases, c.redemptions)
		}
	}
}

// What the trail keeps no longer still counts in all, at any instant since.
func TestForgottenEventsStillCount(t *testing.T) {
	p := trailOf(repeat(behaviour.KeptActs+100, 2, fund.Event{Kind: fund.Redeem, Amount: 3, Cost: 5})...)
	c := read(p, nil)
	want := fund.Activity{Last: day(2), Count: behaviour.KeptActs + 100, Count30: 28, Count90: 88, Count365: behaviour.KeptActs, Amount: 3 * (behaviour.KeptActs + 100), Amount365: 3 * behaviour.KeptActs}
	if c.Redemptions != want {
		t.Errorf("%+v, want %+v", c.Redemptions, want)
	}
	var earlier fund.Conduct
	behaviour.Read(p, fund.C3, daysAgo(102)+1, nil, &earlier)
	if got := earlier.Redemptions; got.Count != behaviour.KeptActs || got.Amount != 3*behaviour.KeptActs || got.Last != day(102) {
		t.Errorf("a hundred days earlier: %+v", got)
	}
	behaviour.Read(p, fund.C3, daysAgo(behaviour.KeptActs+50), nil, &earlier)
	if got, want := earlier.Redemptions, (fund.Activity{Last: day(behaviour.KeptActs + 101), Count: 1}); got != want {
		t.Errorf("before all that is kept: %+v, want only the first, %+v", got, want)
	}
	behaviour.Read(p, fund.C3, daysAgo(behaviour.KeptActs+102), nil, &earlier)
	if earlier.Redemptions != (fund.Activity{}) {
		t.Errorf("before the first: %+v", earlier.Redemptions)
	}
}

func TestComplaintsStayOpenUntilTheyAreSettled(t *testing.T) {
	open := func(ago int, product string) fund.Event {
		return fund.Event{Kind: fund.Complaint, At: daysAgo(ago), ProductCode: product}
	}
	closed := func(ago int, product string) fund.Event {
		return fund.Event{Kind: fund.Complaint, At: daysAgo(ago), ProductCode: product, Closed: true}
	}
	for name, c := range map[string]struct {
		events []fund.Event
		want   int32
	}{
		"none":                            {nil, 0},
		"one":                             {[]fund.Event{open(3, "P")}, 1},
		"settled":                         {[]fund.Event{open(3, "P"), closed(2, "P")}, 0},
		"settled at the same instant":     {[]fund.Event{open(3, "P"), closed(3, "P")}, 0},
		"settled before":                  {[]fund.Event{open(3, "P"), closed(4, "P")}, 1},
		"another one was settled":         {[]fund.Event{open(3, "P"), closed(2, "Q")}, 1},
		"settled about none":              {[]fund.Event{open(3, "P"), open(3, ""), closed(2, "")}, 0},
		"one about none, another settled": {[]fund.Event{open(3, ""), closed(2, "P")}, 1},
		"two at once":                     {[]fund.Event{open(5, "P"), open(4, "P"), closed(3, "P")}, 0},
		"again":                           {[]fund.Event{open(5, "P"), closed(4, "P"), open(3, "P")}, 1},
		"settled tomorrow":                {[]fund.Event{open(5, "P"), closed(-1, "P")}, 1},
	} {
		if got := read(trailOf(c.events...), nil).Complaints; got != c.want {
			t.Errorf("%s: %d open, want %d", name, got, c.want)
		}
	}
}

// The gate hides for as long as any of his refusals holds, so what is read of them must
// hold as long: a later word without a day takes nothing back.
func TestALaterRefusalShortensNothing(t *testing.T) {
	for _, product := range [...]string{"", "P"} {
		events := []fund.Event{
			{Kind: fund.Refusal, At: daysAgo(9), ProductCode: product, About: "FEE", Until: 20301231},
			{Kind: fund.Refusal, At: daysAgo(2), ProductCode: product, About: "SIZE"},
		}
		c := read(trailOf(events...), nil)
		got := c.Refused
		if product != "" {
			got = c.Journey(product).Refused
		}
		if want := (fund.RefusalWord{At: daysAgo(2), Reason: "SIZE", Until: 20301231}); got != want {
			t.Errorf("about %q: %+v, want %+v", product, got, want)
		}
	}
}

func TestTheLikelyNextStep(t *testing.T) {
	of := func(kind fund.EventKind, ago int) fund.Event {
		return fund.Event{Kind: kind, At: daysAgo(ago), ProductCode: "P"}
	}
	general := fund.Event{Kind: fund.Refusal, At: daysAgo(3)}
	for name, c := range map[string]struct {
		events []fund.Event
		node   fund.KeyNode
		next   fund.KeyNode
	}{
		"shown":                               {[]fund.Event{of(fund.Exposure, 5)}, fund.Exposed, fund.Viewed},
		"clicked":                             {[]fund.Event{of(fund.Click, 5)}, fund.Viewed, fund.Asked},
		"looked at":                           {[]fund.Event{of(fund.DetailView, 5)}, fund.Viewed, fund.Asked},
		"doubted":                             {[]fund.Event{of(fund.ObjectionRaised, 5)}, fund.Asked, fund.Started},
		"read the evidence":                   {[]fund.Event{of(fund.EvidenceOpen, 5)}, fund.Asked, fund.Started},
		"began":                               {[]fund.Event{of(fund.OrderStart, 5)}, fund.Started, fund.Confirmed},
		"broke off: back to the question":     {[]fund.Event{of(fund.OrderStart, 6), of(fund.OrderAbandon, 5)}, fund.Abandoned, fund.Asked},
		"bought":                              {[]fund.Event{of(fund.OrderConfirm, 5)}, fund.Confirmed, fund.NoNode},
		"looked again after breaking off":     {[]fund.Event{of(fund.OrderAbandon, 6), of(fund.Click, 5)}, fund.Viewed, fund.Asked},
		"at one instant the further node":     {[]fund.Event{of(fund.OrderConfirm, 5), of(fund.OrderStart, 5), of(fund.Exposure, 5)}, fund.Confirmed, fund.NoNode},
		"refused":                             {[]fund.Event{of(fund.Click, 5), of(fund.Refusal, 4)}, fund.Viewed, fund.NoNode},
		"shown again after refusing":          {[]fund.Event{of(fund.Refusal, 4), of(fund.Exposure, 3)}, fund.Exposed, fund.NoNode},
		"came back by himself after refusing": {[]fund.Event{of(fund.Refusal, 4), of(fund.Click, 3)}, fund.Viewed, fund.Asked},
		"refused all":                         {[]fund.Event{of(fund.Click, 5), general}, fund.Viewed, fund.NoNode},
		"came back after refusing all":        {[]fund.Event{general, of(fund.Click, 2)}, fund.Viewed, fund.Asked},
		"refused in the same moment":          {[]fund.Event{of(fund.Click, 5), of(fund.Refusal, 5)}, fund.Viewed, fund.NoNode},
		"two in the same moment: the first by code": {
			[]fund.Event{of(fund.Click, 5), {Kind: fund.Exposure, At: daysAgo(5), ProductCode: "Q"}, {Kind: fund.OrderStart, At: daysAgo(6), ProductCode: "O"}}, fund.Viewed, fund.Asked,
		},
		"was redeemed and spoken of": {[]fund.Event{of(fund.Redeem, 5), of(fund.Contact, 5), of(fund.Complaint, 5)}, fund.NoNode, fund.NoNode},
		"another one was refused later": {
			[]fund.Event{of(fund.Click, 5), {Kind: fund.Refusal, At: daysAgo(2), ProductCode: "Q"}}, fund.Viewed, fund.NoNode,
		},
		"another one was refused before": {
			[]fund.Event{of(fund.Click, 5), {Kind: fund.Refusal, At: daysAgo(6), ProductCode: "Q"}}, fund.Viewed, fund.Asked,
		},
	} {
		conduct := read(trailOf(c.events...), nil)
		var node fund.KeyNode
		if j := conduct.Journey("P"); j != nil {
			node = j.Node
		}
		if node != c.node || conduct.Habits.Next != c.next {
			t.Errorf("%s: stands at %q, next %q, want %q and %q", name, node, conduct.Habits.Next, c.node, c.next)
		}
	}
}

func TestSignsOfOneWhoLeaves(t *testing.T) {
	click := fund.Event{Kind: fund.Click}
	lots := []fund.Lot{{ProductCode: "P", Shares: 10_000_00, AcquiredOn: 20200101, Cost: 100_00}}
	pool := market{"P": {UnitNAV: 1}} // he has 100 yuan
	redeem := func(ago int, amount fund.Money) fund.Event {
		return fund.Event{Kind: fund.Redeem, At: daysAgo(ago), ProductCode: "Q", Amount: amount}
	}
	buy := func(ago int, amount fund.Money) []fund.Purchase {
		return []fund.Purchase{{ProductCode: "R", KnownOn: day(ago), Kind: "BUY", Amount: amount}}
	}
	for name, c := range map[string]struct {
		events []fund.Event
		ledger []fund.Purchase
		want   fund.Band
	}{
		"nothing on record":                  {nil, nil, fund.BandUnknown},
		"he comes":                           {repeat(4, 89, click), nil, fund.Low},
		"his visits stopped":                 {repeat(4, 90, click), nil, fund.Medium},
		"they were no habit":                 {repeat(3, 90, click), nil, fund.Low},
		"he took a little out":               {[]fund.Event{redeem(10, 99_99)}, nil, fund.Medium},
		"long ago":                           {[]fund.Event{redeem(90, 99_99)}, nil, fund.Low},
		"half":                               {[]fund.Event{redeem(90, 100_00)}, nil, fund.Medium},
		"half, more than a year ago":         {[]fund.Event{redeem(365, 100_00)}, nil, fund.Low},
		"half, and put as much back in":      {[]fund.Event{redeem(90, 100_00)}, buy(60, 100_00), fund.Low},
		"half, and just now":                 {[]fund.Event{redeem(10, 100_00)}, nil, fund.High},
		"a little out, and bought":           {[]fund.Event{redeem(10, 1_00)}, buy(60, 1), fund.Low},
		"no amount, so no share is known":    {[]fund.Event{redeem(90, 0)}, nil, fund.Low},
		"all three":                          {append(repeat(4, 90, click), redeem(10, 100_00)), nil, fund.High},
		"bought once and nothing since then": {nil, buy(3_000, 5), fund.Low},
	} {
		p := trailOf(c.events...)
		p.Lots, p.Purchases = lots, c.ledger
		if got := read(p, pool).Habits.Churn; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// One product with one fall: peak 2022-01-10, trough 2022-04-01, so that what is done
// until 2022-05-31 is done in it at the least.
func TestWhatHeDidInAFall(t *testing.T) {
	const peak, trough = fund.Date(20220110), fund.Date(20220401)
	lot := func(on fund.Date) []fund.Lot { return []fund.Lot{{ProductCode: "P", Shares: 1, AcquiredOn: on}} }
	deal := func(kind string, on fund.Date) fund.Purchase {
		return fund.Purchase{ProductCode: "P", KnownOn: on, Kind: kind}
	}
	sold := func(on fund.Date) []fund.Event {
		return []fund.Event{{Kind: fund.Redeem, At: on.Start(), ProductCode: "P"}, {Kind: fund.Redeem, At: on.Start(), ProductCode: "Q"}}
	}
	visits := func(days ...fund.Date) (events []fund.Event) {
		for _, d := range days {
			events = append(events, fund.Event{Kind: fund.DetailView, At: d.Start()})
		}
		return events
	}
	nothing, soldIn, kept, added := fund.Losses{}, fund.Losses{SoldInFall: 1}, fund.Losses{KeptInFall: 1}, fund.Losses{AddedInFall: 1}
	borne := func(l fund.Losses) fund.Losses { l.Borne = ok(-200_000); return l }
	silent := func(l fund.Losses) fund.Losses { l.SilentInFall = 1; return l }
	for name, c := range map[string]struct {
		lots      []fund.Lot
		ledger    []fund.Purchase
		events    []fund.Event
		recovered fund.Date
		want      fund.Losses
	}{
		"had it all along":                      {lots: lot(20210101), want: borne(kept)},
		"from the peak on":                      {lots: lot(peak), want: borne(kept)},
		"from a day later: not all of it":       {lots: lot(20220111), want: kept},
		"from the trough on":                    {lots: lot(trough), want: nothing},
		"a lot of unknown day":                  {lots: lot(0), want: nothing},
		"no lots known, bought before":          {ledger: []fund.Purchase{deal("BUY", 20210101)}, want: borne(kept)},
		"no lots known, and something since":    {ledger: []fund.Purchase{deal("BUY", 20210101), deal("VIEW", 20210102)}, want: nothing},
		"lots known, none of it":                {lots: []fund.Lot{{ProductCode: "Z", Shares: 1, AcquiredOn: 20200101}}, ledger: []fund.Purchase{deal("BUY", 20210101)}, want: nothing},
		"sold the day before the peak":          {ledger: []fund.Purchase{deal("BUY", 20210101), deal("REDEEM", 20220109)}, recovered: 20220801, want: nothing},
		"sold on the peak":                      {ledger: []fund.Purchase{deal("BUY", 20210101), deal("REDEEM", peak)}, recovered: 20220801, want: soldIn},
		"sold on the day it recovered":          {ledger: []fund.Purchase{deal("BUY", 20210101), deal("REDEEM", 20220801)}, recovered: 20220801, want: soldIn},
		"sold the day after":                    {ledger: []fund.Purchase{deal("BUY", 20210101), deal("REDEEM", 20220802)}, recovered: 20220801, want: borne(kept)},
		"sold 60 days after the trough":         {ledger: []fund.Purchase{deal("BUY", 20210101), deal("REDEEM", 20220531)}, recovered: 20220410, want: soldIn},
		"sold 61 days after it":                 {ledger: []fund.Purchase{deal("BUY", 20210101), deal("REDEEM", 20220601)}, recovered: 20220410, want: borne(kept)},
		"sold years later, never recovered":     {ledger: []fund.Purchase{deal("BUY", 20210101), deal("REDEEM", 20240301)}, want: soldIn},
		"recovered tomorrow: not yet":           {ledger: []fund.Purchase{deal("BUY", 20210101), deal("REDEEM", 20240301)}, recovered: 20240316, want: soldIn},
		"sold a part, the trail says":           {lots: lot(20210101), events: sold(20220215), recovered: 20220801, want: soldIn},
		"sold all, the trail says":              {ledger: []fund.Purchase{deal("BUY", 20210101), deal("VIEW", 20230101)}, events: sold(20220215), recovered: 20220801, want: soldIn},
		"sold and added":                        {ledger: []fund.Purchase{deal("BUY", 20210101), deal("BUY", 20220201), deal("REDEEM", 20220301)}, want: soldIn},
		"added":                                 {ledger: []fund.Purchase{deal("BUY", 20210101), deal("BUY", 20220201)}, recovered: 20220801, want: borne(added)},
		"added by a lot":                        {lots: append(lot(20210101), lot(20220201)...), recovered: 20220801, want: borne(added)},
		"added after it":                        {ledger: []fund.Purchase{deal("BUY", 20210101), deal("BUY", 20220802)}, recovered: 20220801, want: borne(kept)},
		"the first purchase adds nothing":       {ledger: []fund.Purchase{deal("BUY", 20220201)}, lots: lot(20220201), recovered: 20220801, want: kept},
		"the first one adds nothing, one after": {ledger: []fund.Purchase{deal("BUY", 20220201), deal("BUY", 20230101)}, recovered: 20220801, want: kept},
		"the first lot adds nothing either":     {lots: append(lot(20220201), lot(20230101)...), recovered: 20220801, want: kept},
		"a lot that is sold out adds nothing": {
			lots: append(append(lot(20210101), fund.Lot{ProductCode: "P", AcquiredOn: 20220201}), lot(20230101)...), recovered: 20220801, want: borne(kept),
		},
		"out before the fall and in after it": {
			ledger: []fund.Purchase{deal("BUY", 20200101), deal("REDEEM", 20210101), deal("BUY", 20220701)}, recovered: 20220801, want: nothing,
		},
		"a later sale in the ledger, an earlier in the trail": {
			ledger: []fund.Purchase{deal("BUY", 20200101), deal("REDEEM", 20220301)}, events: sold(20210601), recovered: 20220801, want: soldIn,
		},
		"came before and not for 60 days":      {lots: lot(20210101), events: visits(trough, 20220601), want: borne(silent(kept))},
		"came on the sixtieth day":             {lots: lot(20210101), events: visits(trough, 20220531), want: borne(kept)},
		"came the day after":                   {lots: lot(20210101), events: visits(20220301, 20220402), want: borne(kept)},
		"had not come for more than a year":    {lots: lot(20200101), events: visits(20210401), want: borne(kept)},
		"had come a year before":               {lots: lot(20200101), events: visits(20210402), want: borne(silent(kept))},
		"never came before":                    {lots: lot(20210101), events: visits(20220701), want: borne(kept)},
		"did not have it: silence says little": {events: visits(20220301), want: nothing},
	} {
		pool := market{"P": {Falls: []fund.Fall{
			{Depth: -200_000, PeakOn: peak, TroughOn: trough, RecoveredOn: c.recovered},
			{Depth: -900_000, PeakOn: 20240310, TroughOn: 20240316}, // its trough is tomorrow's
		}}}
		p := trailOf(c.events...)
		p.Lots, p.Purchases = c.lots, c.ledger
		if d := cmp.Diff(c.want, read(p, pool).Losses); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// A silence that has not lasted yet is none.
func TestSilenceHasToLast(t *testing.T) {
	for ago, want := range map[int]int32{59: 0, 60: 1} {
		p := trailOf(fund.Event{Kind: fund.Click, At: daysAgo(ago + 5)})
		p.Lots = []fund.Lot{{ProductCode: "P", Shares: 1, AcquiredOn: 20200101}}
		pool := market{"P": {Falls: []fund.Fall{{Depth: -100_000, PeakOn: day(ago + 30), TroughOn: day(ago)}}}}
		if got := read(p, pool).Losses.SilentInFall; got != want {
			t.Errorf("%d days after the trough: %d, want %d", ago, got, want)
		}
	}
}

func TestTurnoverIsKnownOrNot(t *testing.T) {
	pool := market{"P": {UnitNAV: 1}}
	redeem := []fund.Event{{Kind: fund.Redeem, At: daysAgo(10), ProductCode: "P", Amount: 25_00}}
	for name, c := range map[string]struct {
		lots   []fund.Lot
		ledger []fund.Purchase
		events []fund.Event
		want   fund.Measure
	}{
		"a fifth":                {[]fund.Lot{{ProductCode: "P", Shares: 1_000_000, AcquiredOn: 20200101}}, nil, redeem, ok(200_000)},
		"none":                   {[]fund.Lot{{ProductCode: "P", Shares: 1_000_000, AcquiredOn: 20200101}}, nil, nil, ok(0)},
		"all":                    {nil, nil, redeem, ok(1_000_000)},
		"nothing there":          {nil, nil, nil, fund.Measure{}},
		"something has no value": {[]fund.Lot{{ProductCode: "X", Shares: 1, AcquiredOn: 20200101}}, nil, redeem, fund.Measure{}},
		"lots are not known":     {nil, []fund.Purchase{{ProductCode: "P", KnownOn: 20200101, Kind: "BUY"}}, redeem, fund.Measure{}},
		"something redeemed has no sum": {
			[]fund.Lot{{ProductCode: "P", Shares: 1_000_000, AcquiredOn: 20200101}}, nil, []fund.Event{{Kind: fund.Redeem, At: daysAgo(364)}}, fund.Measure{},
		},
		"it had none over a year ago": {
			[]fund.Lot{{ProductCode: "P", Shares: 1_000_000, AcquiredOn: 20200101}}, nil, []fund.Event{{Kind: fund.Redeem, At: daysAgo(366)}}, ok(0),
		},
	} {
		p := trailOf(c.events...)
		p.Lots, p.Purchases = c.lots, c.ledger
		if got := read(p, pool).Portfolio.Turnover; got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Only a redemption with both its proceeds and its cost says what it brought.
func TestRealisedResults(t *testing.T) {
	p := trailOf(
		fund.Event{Kind: fund.Redeem, At: base - 1, Amount: 100, Cost: 90}, fund.Event{Kind: fund.Redeem, At: base - 1, Amount: 70, Cost: 90},
		fund.Event{Kind: fund.Redeem, At: base - 1, Amount: 90, Cost: 90}, fund.Event{Kind: fund.Redeem, At: base - 1, Amount: 50}, fund.Event{Kind: fund.Redeem, At: base - 1, Cost: 50},
	)
	if d := cmp.Diff(fund.Losses{Realised: -10, RealisedOK: true, SoldAtLoss: 1}, read(p, nil).Losses); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if l := read(trailOf(fund.Event{Kind: fund.Redeem, At: base - 1, Cost: 50}), nil).Losses; l.RealisedOK {
		t.Errorf("nothing known, and yet %+v", l)
	}
}

// A position is rounded once, half up to the fen, over all its lots.
func TestValuesAreRoundedOnce(t *testing.T) {
	for shares, want := range map[fund.Shares]fund.Money{49: 0, 50: 1, 10_049: 100, 10_050: 101} {
		p := &fund.Profile{Lots: []fund.Lot{{ProductCode: "P", Shares: shares - 1, AcquiredOn: 20200101}, {ProductCode: "P", Shares: 1, AcquiredOn: 20200102}}}
		if pos := read(p, market{"P": {UnitNAV: 1}}).Positions[0]; pos.Value != want || !pos.ValueOK {
			t.Errorf("%d ten-thousandths of a share at 1 yuan are %d fen, want %d", shares, pos.Value, want)
		}
	}
}

// A grade that the level allows is not above it; a product without a grade says nothing.
func TestGradesAgainstTheLevel(t *testing.T) {
	pool := market{"P": {UnitNAV: 1, Grade: fund.R3}, "Q": {UnitNAV: 3, Grade: fund.R4}, "R": {UnitNAV: 9}}
	p := &fund.Profile{}
	for _, code := range []string{"P", "Q", "R"} {
		p.Lots = append(p.Lots, fund.Lot{ProductCode: code, Shares: 10_000, AcquiredOn: 20200101})
	}
	for level, want := range map[fund.RiskLevel][2]fund.Measure{
		fund.LevelUnknown: {}, fund.C2: {ok(1_000_000), ok(1_750_000)}, fund.C3: {ok(750_000), ok(750_000)}, fund.C4: {ok(0), ok(-250_000)}, fund.C5: {ok(0), ok(-1_250_000)},
	} {
		var c fund.Conduct
		behaviour.Read(p, level, base, pool, &c)
		if got := [2]fund.Measure{c.Portfolio.AboveLevel, c.Portfolio.GradeGap}; got != want {
			t.Errorf("%s: %+v, want %+v", level, got, want)
		}
	}
	delete(pool, "P")
	delete(pool, "Q")
	if f := read(p, pool).Portfolio; f.AboveLevel.OK || f.GradeGap.OK || f.HHIIssuer.OK || !f.HHIFund.OK {
		t.Errorf("nothing but a product without grade or issuer: %+v", f)
	}
}

// The day that he named stays until he names another one.
func TestDoubts(t *testing.T) {
	of := func(ago int, about string, until fund.Date) fund.Event {
		return fund.Event{Kind: fund.ObjectionRaised, At: daysAgo(ago), ProductCode: "P", About: about, Until: until}
	}
	c := read(trailOf(of(9, "NOT_NOW", 20240401), of(8, "NOT_NOW", 20240501), of(7, "NOT_NOW", 0), of(6, "FEE", 0),
		fund.Event{Kind: fund.EvidenceOpen, At: daysAgo(5), ProductCode: "P", About: "NOT_NOW"}, fund.Event{Kind: fund.EvidenceOpen, At: daysAgo(5), ProductCode: "Q", About: "FEE"}), nil)
	if d := cmp.Diff([]fund.Doubt{
		{ProductCode: "P", Code: "FEE", Count: 1, Last: daysAgo(6)},
		{ProductCode: "P", Code: "NOT_NOW", Count: 3, Last: daysAgo(7), Until: 20240501, Opened: 1},
		{ProductCode: "Q", Code: "FEE", Opened: 1},
	}, c.Doubts); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if c.Habits.Postponements != 3 {
		t.Errorf("%d times he postponed, want 3", c.Habits.Postponements)
	}
}

// New issues by the day: the 180th day after the launch is the last one.
func TestNewIssues(t *testing.T) {
	pool := market{"P": {LaunchedOn: 20230101}, "U": {}}
	for bought, want := range map[fund.Date]fund.Measure{20221215: ok(1_000_000), 20230101: ok(1_000_000), 20230630: ok(1_000_000), 20230701: ok(0)} {
		p := &fund.Profile{Purchases: []fund.Purchase{{ProductCode: "P", KnownOn: bought, Kind: "BUY"}, {ProductCode: "U", KnownOn: bought, Kind: "BUY"}}}
		if got := read(p, pool).Portfolio.NewIssues; got != want {
			t.Errorf("bought on %s: %+v, want %+v", bought, got, want)
		}
		if got := read(trailOf(fund.Event{Kind: fund.OrderConfirm, At: bought.Start(), ProductCode: "P"}), pool); got.Portfolio.NewIssues != want || got.Habits.Season[bought.Month()-1] != 1 {
			t.Errorf("ordered on %s: %+v, want %+v", bought, got.Portfolio.NewIssues, want)
		}
	}
	if got := read(&fund.Profile{Purchases: []fund.Purchase{{ProductCode: "U", KnownOn: 20230101, Kind: "BUY"}}}, pool).Portfolio.NewIssues; got.OK {
		t.Errorf("launched nobody knows when: %+v", got)
	}
}

func TestTheChannelOfMostActs(t *testing.T) {
	of := func(kind fund.EventKind, channel string) fund.Event {
		return fund.Event{Kind: kind, At: base - 1, Channel: channel}
	}
	many := []fund.Event{of(fund.Click, "Z"), of(fund.DetailView, "Z")}
	for i := range 40 {
		many = append(many, of(fund.Refusal, string(rune('a'+i%26))+string(rune('a'+i/26))))
	}
	for want, events := range map[string][]fund.Event{
		"":    {of(fund.Exposure, "APP"), of(fund.Contact, "APP"), of(fund.Complaint, "APP"), of(fund.Redeem, "APP"), of(fund.Click, "")},
		"APP": {of(fund.Click, "BRANCH"), of(fund.OrderStart, "APP"), of(fund.Click, ""), of(fund.Exposure, "BRANCH")},
		"B":   {of(fund.EvidenceOpen, "A"), of(fund.ObjectionRaised, "B"), of(fund.OrderConfirm, "B")},
		"Z":   many,
		"C":   {{Kind: fund.Click, At: base - 1, Channel: "D"}, {Kind: fund.Click, At: base - 2, Channel: "C"}},
		"E":   {{Kind: fund.Click, At: base - 2, Channel: "F"}, {Kind: fund.Click, At: base - 1, Channel: "E"}},
	} {
		if got := read(trailOf(events...), nil).Habits.Channel; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheBusiestMonthStandsOut(t *testing.T) {
	for name, c := range map[string]struct {
		season [12]int32
		want   string
	}{
		"December":         {[12]int32{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}, "12"},
		"too few":          {[12]int32{3}, ""},
		"two alike":        {[12]int32{3, 3}, ""},
		"two alike, later": {[12]int32{1, 2, 2}, ""},
		"more than those":  {[12]int32{2, 2, 3}, "3"},
	} {
		got := ""
		conduct := fund.Conduct{At: base, Habits: fund.Habits{Season: c.season}, Portfolio: fund.Portfolio{HoldingDays: -1}}
		for _, f := range behaviour.Facts(&conduct, nil) {
			got += f.Value()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
