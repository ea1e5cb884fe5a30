package eligibility_test

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// readAt is what the gate reads off a profile at an instant.
func readAt(t *testing.T, p *fund.Profile, at fund.Instant) eligibility.Facts {
	t.Helper()
	products := []fund.Product{lawful("P", fund.PublicFund, fund.R3)}
	return compile(t, builtIn(), products, at).Facts(p, fund.GoalUnknown, 0, fund.NeedUnknown, eligibility.Context{At: at, Channel: fund.App})
}

const factsDay fund.Date = 20260310

// What a level on file is worth (S12): a guess is not an absent one.
func TestStatesOfALevel(t *testing.T) {
	for name, c := range map[string]struct {
		profile fund.Profile
		want    eligibility.LevelState
	}{
		"nothing":                   {fund.Profile{}, eligibility.Absent},
		"a guess":                   {fund.Profile{PredictedLevel: fund.C3}, eligibility.Predicted},
		"of a later day":            {fund.Profile{Assessment: fund.Assessment{Level: fund.C3, On: factsDay + 1}}, eligibility.Absent},
		"of a later day, and guess": {fund.Profile{Assessment: fund.Assessment{Level: fund.C3, On: factsDay + 1}, PredictedLevel: fund.C3}, eligibility.Predicted},
		"of no day":                 {fund.Profile{Assessment: fund.Assessment{Level: fund.C3}, PredictedLevel: fund.C3}, eligibility.Expired},
		"of today":                  {fund.Profile{Assessment: fund.Assessment{Level: fund.C3, On: factsDay}}, eligibility.Valid},
		"a day less than a year":    {fund.Profile{Assessment: fund.Assessment{Level: fund.C3, On: 20250311}}, eligibility.Valid},
		"a year":                    {fund.Profile{Assessment: fund.Assessment{Level: fund.C3, On: 20250310}, PredictedLevel: fund.C3}, eligibility.Expired},
		"a day without a level":     {fund.Profile{Assessment: fund.Assessment{On: factsDay}}, eligibility.Absent},
	} {
		if got := readAt(t, &c.profile, factsDay.Start()).State; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// What the history of assessments says beside the one in force (S13).
func TestHistoryOfAssessments(t *testing.T) {
	on := func(day fund.Date, level fund.RiskLevel) fund.Assessed {
		return fund.Assessed{At: day.Start(), Level: level}
	}
	type counts struct {
		day, year uint8
		before    fund.RiskLevel
		jumped    fund.Date
	}
	for name, c := range map[string]struct {
		level   fund.RiskLevel
		on      fund.Date
		history []fund.Assessed
		want    counts
	}{
		"none":                              {},
		"a level of no day":                 {level: fund.C5, history: []fund.Assessed{on(20260101, fund.C1)}},
		"a day without a level":             {on: factsDay, history: []fund.Assessed{on(20260101, fund.C1)}},
		"a level of tomorrow":               {level: fund.C5, on: factsDay + 1, history: []fund.Assessed{on(20260101, fund.C1)}},
		"the first":                         {level: fund.C5, on: factsDay, want: counts{1, 1, 0, 0}},
		"the first, in the history too":     {level: fund.C5, on: factsDay, history: []fund.Assessed{on(factsDay, fund.C5)}, want: counts{1, 1, 0, 0}},
		"after another":                     {level: fund.C5, on: factsDay, history: []fund.Assessed{on(20260101, fund.C2)}, want: counts{1, 2, fund.C2, factsDay}},
		"a day less than a year after":      {level: fund.C5, on: factsDay, history: []fund.Assessed{on(20250311, fund.C2)}, want: counts{1, 2, fund.C2, factsDay}},
		"a year after":                      {level: fund.C5, on: factsDay, history: []fund.Assessed{on(20250310, fund.C2)}, want: counts{1, 1, fund.C2, factsDay}},
		"the last before counts":            {level: fund.C5, on: factsDay, history: []fund.Assessed{on(20260101, fund.C1), on(20260201, fund.C4)}, want: counts{1, 3, fund.C4, factsDay}},
		"one of no level between":           {level: fund.C5, on: factsDay, history: []fund.Assessed{on(20260101, fund.C1), on(20260201, fund.C4), on(20260301, 0)}, want: counts{1, 4, fund.C4, factsDay}},
		"two on the day, the lowest counts": {level: fund.C5, on: factsDay, history: []fund.Assessed{on(20260201, fund.C4), on(factsDay, fund.C2), on(factsDay, fund.C5)}, want: counts{2, 3, fund.C2, factsDay}},
		"of a later day":                    {level: fund.C5, on: 20260201, history: []fund.Assessed{on(20260301, fund.C1)}, want: counts{1, 1, 0, 0}},
		"of no day":                         {level: fund.C5, on: factsDay, history: []fund.Assessed{{Level: fund.C1}}, want: counts{1, 1, 0, 0}},
	} {
		p := fund.Profile{Assessment: fund.Assessment{Level: c.level, On: c.on}, Assessments: c.history}
		f := readAt(t, &p, factsDay.Start())
		if got := (counts{f.DayTests, f.YearTests, f.Before, f.JumpedOn}); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// A jump is two levels or more (S13), and reviewed for seven days: what the level before it
// would not have allowed.
func TestWhichJumpIsReviewed(t *testing.T) {
	for name, c := range map[string]struct {
		before fund.RiskLevel
		at     fund.Date
		want   bool
	}{
		"no level before": {0, factsDay, false},
		"a level up":      {fund.C3, factsDay, false},
		"two levels up":   {fund.C2, factsDay, true},
		"on the last day": {fund.C2, factsDay.AddDays(6), true},
		"a week later":    {fund.C2, factsDay.AddDays(7), false},
		"the same level":  {fund.C4, factsDay, false},
		"a level down":    {fund.C5, factsDay, false},
	} {
		p := fund.Profile{
			Person:      fund.Person{BirthDate: 19800101, Capacity: fund.FullCapacity},
			Assessment:  fund.Assessment{Level: fund.C4, On: factsDay},
			Assessments: []fund.Assessed{{At: fund.Date(20260101).Start(), Level: c.before}, {At: factsDay.Start(), Level: fund.C4}},
		}
		gate := compile(t, builtIn(), []fund.Product{lawful("P", fund.PublicFund, fund.R4)}, c.at.Start())
		f := gate.Facts(&p, fund.GoalUnknown, 0, fund.NeedUnknown, eligibility.Context{At: c.at.Start(), Channel: fund.App, Initiative: fund.ByCustomer, Order: true})
		_, found := gate.Judge(0, &f, nil, nil)
		got := slices.ContainsFunc(found, func(x eligibility.Finding) bool { return x.Reason == "LEVEL_JUMPED" })
		if got != c.want {
			t.Errorf("%s: reviewed %v", name, got)
		}
		if f.Until <= c.at.Start() {
			t.Errorf("%s: the facts hold until %s, asked at %s", name, f.Until, c.at.Start())
		}
	}
}

// Until when the facts of him hold: the first of the days that change one.
func TestHowLongFactsHold(t *testing.T) {
	for name, c := range map[string]struct {
		profile fund.Profile
		want    fund.Date // 0: for ever
	}{
		"nothing is known":             {fund.Profile{}, 0},
		"until a proof ends":           {fund.Profile{Person: fund.Person{Qualified: fund.Qualified{Class: "ASSETS", Until: 20260401}}}, 20260401},
		"a proof that ended today":     {fund.Profile{Person: fund.Person{Qualified: fund.Qualified{Class: "ASSETS", Until: factsDay}}}, 0},
		"the first of two":             {fund.Profile{Person: fund.Person{Qualified: fund.Qualified{Until: 20260501}, Professional: fund.Professional{Until: 20260401}}}, 20260401},
		"the first of two, told later": {fund.Profile{Person: fund.Person{Qualified: fund.Qualified{Until: 20260401}, Professional: fund.Professional{Until: 20260501}}}, 20260401},
		"an assessment":                {fund.Profile{Assessment: fund.Assessment{Level: fund.C3, On: 20250401}}, 20260401},
		"an assessment of tomorrow":    {fund.Profile{Assessment: fund.Assessment{Level: fund.C3, On: factsDay + 1}}, factsDay + 1},
		"a day without a level":        {fund.Profile{Assessment: fund.Assessment{On: 20250401}}, 0},
		"eighteen tomorrow":            {fund.Profile{Person: fund.Person{BirthDate: 20080311}}, factsDay + 1},
		"sixty-five tomorrow":          {fund.Profile{Person: fund.Person{BirthDate: 19610311}}, factsDay + 1},
		"born tomorrow":                {fund.Profile{Person: fund.Person{BirthDate: factsDay + 1}}, factsDay + 1},
	} {
		want := fund.Forever
		if c.want != 0 {
			want = c.want.Start()
		}
		if got := readAt(t, &c.profile, factsDay.Start()).Until; got != want {
			t.Errorf("%s: until %s, want %s", name, got, want)
		}
	}
}

// When the money of a redemption is free again (K01): at the end of the window, unless he
// redeems once more before.
func TestHowLongARedemptionCounts(t *testing.T) {
	redeem := func(on fund.Date, hours int) fund.Event {
		return fund.Event{Kind: fund.Redeem, At: on.Start() + fund.Instant(hours)*60*60*1_000_000, ProductCode: "GONE"}
	}
	at := factsDay.Start() + 12*60*60*1_000_000
	const window = 14                     // window_days
	first := factsDay.AddDays(1 - window) // the window ends with today
	for name, c := range map[string]struct {
		events   []fund.Event
		redeemed fund.Date
		until    fund.Instant
	}{
		"none":                          {nil, 0, fund.Forever},
		"today":                         {[]fund.Event{redeem(factsDay, 9)}, factsDay, factsDay.AddDays(window).Start()},
		"at the instant":                {[]fund.Event{redeem(factsDay, 12)}, factsDay, factsDay.AddDays(window).Start()},
		"on the window's first day":     {[]fund.Event{redeem(first, 0)}, first, (factsDay + 1).Start()},
		"before it":                     {[]fund.Event{redeem(first.AddDays(-1), 23)}, 0, fund.Forever},
		"later today":                   {[]fund.Event{redeem(factsDay, 13)}, 0, redeem(factsDay, 13).At},
		"on the first day, and later":   {[]fund.Event{redeem(first, 0), redeem(factsDay, 13)}, first, redeem(factsDay, 13).At},
		"on the first day, and in days": {[]fund.Event{redeem(first, 0), redeem(factsDay.AddDays(3), 13)}, first, (factsDay + 1).Start()},
	} {
		p := fund.Profile{Trail: fund.Trail{Recent: c.events}}
		if f := readAt(t, &p, at); f.Redeemed != c.redeemed || f.Until != c.until {
			t.Errorf("%s: %s until %s, want %+v", name, f.Redeemed, f.Until, c)
		}
	}
}

// The horizon is the shorter of what was inferred and what he stated; stating none takes
// nothing away.
func TestHorizonOfAWish(t *testing.T) {
	for _, c := range []struct{ inferred, stated, want int32 }{
		{0, 0, 0},
		{24, 0, 24},
		{0, 36, 36},
		{24, 36, 24},
		{36, 24, 24},
		{24, 24, 24},
		{-1, 24, 24},
		{0, fund.MaxHorizonMonths + 1, fund.MaxHorizonMonths},
		{fund.MaxHorizonMonths + 1, 0, fund.MaxHorizonMonths},
	} {
		p := fund.Profile{Needs: fund.StatedNeeds{HorizonMonths: c.stated}}
		gate := compile(t, builtIn(), nil, factsDay.Start())
		f := gate.Facts(&p, fund.GoalUnknown, c.inferred, fund.NeedUnknown, eligibility.Context{At: factsDay.Start(), Channel: fund.App})
		if f.HorizonMonths != c.want {
			t.Errorf("%d months inferred and %d stated: %d, want %d", c.inferred, c.stated, f.HorizonMonths, c.want)
		}
	}
}

// A kind that no list knows is sold as a public fund (S11).
func TestBookOfEveryKind(t *testing.T) {
	e := builtIn().InForce(factsDay.Start())
	for kind := range fund.Kind(255) {
		want := eligibility.CSRC
		if kind == fund.OwnProduct {
			want = eligibility.NFRA
		}
		if got := e.BookOf(kind); got != want {
			t.Errorf("%s (%d): %v", kind, kind, got)
		}
	}
}

// What the pack in force says of facts that may be kept of customers (A09, S13).
func TestWhatMayBeKeptOfCustomers(t *testing.T) {
	pack, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		t.Fatal(err)
	}
	e := pack.InForce(1)
	for name, want := range map[string]bool{
		"religion": true, "Religion": true, "customer_religion": true, "health-score": true, "x.political.y": true, "sexual_orientation": true,
		"of sexual orientation": true, "is_sexual_orientation_known": true,
		"region": false, "healthy": false, "wealth": false, "orientation": false, "sexual": false, "racehorse": false, "deposit_maturing": false, "": false,
	} {
		if got := e.ForbidsTag(name); got != want {
			t.Errorf("tag %q forbidden: %v, expected %v", name, got, want)
		}
	}
	if perDay, perYear := e.Tests(); perDay != 2 || perYear != 8 {
		t.Errorf("%d assessments a day and %d a year, expected 2 and 8", perDay, perYear)
	}
	none := eligibility.Edition{}
	if perDay, perYear := none.Tests(); perDay != 0 || perYear != 0 || none.ForbidsTag("religion") {
		t.Error("rules that are not in force speak")
	}
}

// A jump is reviewed for as long as the product's own book says (S11, S13).
func TestAJumpIsReviewedByEachBook(t *testing.T) {
	pack := packWith(t, map[string]any{"S13.jump_days": 7, "S13/NFRA.jump_days": 10})
	products := []fund.Product{lawful("public", fund.PublicFund, fund.R4), lawful("own", fund.OwnProduct, fund.R4)}
	for i := range products {
		products[i].Content.Goals = fund.SetOf([]fund.Goal{fund.Growth})
	}
	p := fund.Profile{
		Person:      fund.Person{BirthDate: 19800101, Capacity: fund.FullCapacity},
		Assessment:  fund.Assessment{Level: fund.C4, On: factsDay},
		Assessments: []fund.Assessed{{At: fund.Date(20260101).Start(), Level: fund.C2}, {At: factsDay.Start(), Level: fund.C4}},
	}
	for days, want := range map[int][2]bool{6: {false, false}, 7: {true, false}, 9: {true, false}, 10: {true, true}} {
		at := factsDay.AddDays(days).Start()
		gate := compile(t, pack, products, at)
		f := gate.Facts(&p, fund.Growth, 60, fund.NeedLow, eligibility.Context{At: at, Channel: fund.App})
		f.Stated = true
		var v eligibility.Verdicts
		gate.Select(&f, nil, &v)
		if got := [2]bool{v.Has(0), v.Has(1)}; got != want {
			t.Errorf("%d days later: public and own permitted %v, want %v: %+v", days, got, want, v.Excluded)
		}
	}
}

// Money that is tied for longer than any horizon that may be stated is tied beyond each.
func TestTiedBeyondEveryHorizon(t *testing.T) {
	var products []fund.Product
	for days := int32(30 * fund.MaxHorizonMonths); days <= 32*fund.MaxHorizonMonths; days += 5 {
		p := lawful("P", fund.PublicFund, fund.R3)
		p.Terms.LockupDays = days
		products = append(products, p)
	}
	gate := compile(t, builtIn(), products, factsDay.Start())
	p := fund.Profile{Assessment: fund.Assessment{Level: fund.C5, On: factsDay}}
	f := gate.Facts(&p, fund.Growth, fund.MaxHorizonMonths, fund.NeedLow, eligibility.Context{At: factsDay.Start(), Channel: fund.App})
	_, found := gate.Judge(len(products)-1, &f, nil, nil)
	if !slices.ContainsFunc(found, func(x eligibility.Finding) bool { return x.Reason == "TIED_BEYOND_HORIZON" }) {
		t.Errorf("%+v", found)
	}
}
