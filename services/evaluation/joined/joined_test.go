package joined

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

var empty = math.NaN()

// An event counts from the instant of the decision on and before the end of its window, whenever it became known as long
// as that is by the last instant that is looked at.
func TestTheWindow(t *testing.T) {
	t.Parallel()
	decided := hour(10, 10)
	end := decided.Add(7 * 24 * time.Hour)
	for name, c := range map[string]struct {
		at    fund.Instant
		known fund.Instant
		want  float64
	}{
		"nothing":                 {0, 0, 0},
		"a second before":         {decided.Add(-time.Second), 0, 0},
		"at the decision":         {decided, 0, 1},
		"a second after":          {decided.Add(time.Second), 0, 1},
		"a second before its end": {end.Add(-time.Second), 0, 1},
		"at its end":              {end, 0, 0},
		"a second after its end":  {end.Add(time.Second), 0, 0},
		"known late":              {decided.Add(time.Hour), hour(60, 0), 1},
		"known too late":          {decided.Add(time.Hour), hour(60, 0).Add(time.Second), 0},
	} {
		b := openBank(t)
		b.customer(t, "K1")
		b.shown("K1", decided, "B", "A")
		if c.at != 0 {
			b.event(t, "K1", fund.OrderConfirm, c.at, "A", knownAt(c.known), with(`{"amount_fen": 5000}`))
		}
		rows, _ := b.join(t, week())
		if len(rows) != 2 || rows[1].ProductCode != "A" || rows[1].Reward != c.want || rows[0].Reward != 0 {
			t.Fatalf("%s: rewards %v and %v, want 0 and %v", name, rows[0].Reward, rows[1].Reward, c.want)
		}
		if got, want := rows[1].number(t, "amount_fen"), 5000*c.want; got != want {
			t.Errorf("%s: amount %v, want %v", name, got, want)
		}
	}
}

// A missing outcome is censored, not 0, until the window is over; so is one that came: to know those alone would count
// the winners only.
func TestCensoring(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.customer(t, "K1")
	b.shown("K1", hour(10, 10), "A", "B")
	b.event(t, "K1", fund.OrderConfirm, hour(11, 0), "A")
	end := hour(17, 10)
	for _, c := range []struct {
		through fund.Instant
		want    [2]float64
	}{
		{hour(10, 10), [2]float64{empty, empty}},
		{end - 1, [2]float64{empty, empty}},
		{end, [2]float64{1, 0}},
	} {
		o := week()
		o.Through = c.through
		rows, told := b.join(t, o)
		open := math.IsNaN(c.want[0])
		for i := range rows {
			if !same(rows[i].Reward, c.want[i]) || math.IsNaN(rows[i].number(t, "confirmed")) != open || math.IsNaN(rows[i].number(t, "exposed")) != open {
				t.Errorf("through %s: row %d: %+v, want a reward of %v", c.through, i, rows[i], c.want[i])
			}
		}
		if (told.Censored == 2) != open || (told.Records.OpenEnded == 1) != open {
			t.Errorf("through %s: %+v", c.through, told)
		}
		if said := strings.Contains(strings.Join(told.Notices, "\n"), "no row has a reward"); said != open {
			t.Errorf("through %s: notices %q", c.through, told.Notices)
		}
	}
	o := week()
	o.Through = hour(10, 9)
	if _, err := (&Job{Log: b.log, Store: b, Now: hour(900, 0), Options: o}).Run(t.Context(), &taken{}); err == nil {
		t.Error("a decision after the last instant is joined")
	}
}

// What names a decision is that decision's; what names none is of every decision of the customer that showed the
// product lately; in whichever share class.
func TestByWhatIsJoined(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	b.customer(t, "K1")
	b.customer(t, "K2")
	first := b.shown("K1", hour(10, 10), "A", "B")
	second := b.shown("K1", hour(12, 10), "B", "A")
	other := b.shown("K2", hour(10, 10), "A", "B")
	b.event(t, "K1", fund.OrderConfirm, hour(13, 0), "A", naming(second)) // the second's alone
	b.event(t, "K1", fund.OrderConfirm, hour(13, 1), "B")                 // both
	b.event(t, "K2", fund.OrderConfirm, hour(13, 0), "C", naming(other))  // the other class of A's fund
	b.event(t, "K2", fund.OrderConfirm, hour(13, 0), "B", naming(first))  // another customer's decision
	b.event(t, "K2", fund.OrderConfirm, hour(13, 0), "N", naming(other))  // was not in the list
	b.event(t, "K2", fund.Refusal, hour(13, 0), "", naming(other))        // about no product
	b.event(t, "K2", fund.Exposure, hour(10, 9), "A", naming(other))      // before it
	b.event(t, "K2", fund.Exposure, hour(20, 9), "A", naming(other))      // after its window
	b.event(t, "K2", fund.OrderConfirm, hour(14, 0), "B", with(`{"plan": true}`))
	want := map[string][2]float64{first: {0, 1}, second: {1, 1}, other: {1, 0}}
	rows, told := b.join(t, week())
	for i := range rows {
		if w := want[rows[i].DecisionID][rows[i].Position-1]; rows[i].Reward != w {
			t.Errorf("%s %s: reward %v, want %v", rows[i].DecisionID, rows[i].ProductCode, rows[i].Reward, w)
		}
	}
	c := EventCounts{
		ByDecision: 2, ByProduct: 2, OtherClass: 1, Outcomes: 4, OutcomesNamed: 2, Instalments: 1,
		BeforeDecision: 1, AfterWindow: 1, NotListed: 1, NoProduct: 1,
	}
	if told.Joined != c {
		t.Errorf("joined %+v, want %+v", told.Joined, c)
	}
	o := week()
	o.NeedDecision = true
	want = map[string][2]float64{first: {0, 0}, second: {0, 1}, other: {1, 0}}
	rows, told = b.join(t, o)
	for i := range rows {
		if w := want[rows[i].DecisionID][rows[i].Position-1]; rows[i].Reward != w {
			t.Errorf("by decision alone: %s %s: reward %v, want %v", rows[i].DecisionID, rows[i].ProductCode, rows[i].Reward, w)
		}
	}
	if told.Joined.Unnamed != 3 || told.Joined.ByProduct != 0 {
		t.Errorf("by decision alone: %+v", told.Joined)
	}
}

// What a customer does not let be used is not read, and what was erased is not there; what the gate reads stays.
func TestWhoseBehaviourIsNotRead(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	say := func(view features.View, name, value string, at fund.Instant) features.Cell {
		return features.Cell{View: view, Name: name, Value: value, EventAt: at}
	}
	b.customer(t, "K1")
	b.customer(t, "OFF", say(features.PersonalizationView, "enabled", "false", hour(50, 0)))
	b.customer(t, "LATER", say(features.PersonalizationView, "enabled", "false", hour(61, 0)))
	b.customer(t, "BACK", say(features.ConsentView, "EVALUATION", "true", hour(1, 0)), say(features.ConsentView, "EVALUATION", "false", hour(20, 0)))
	b.customer(t, "GAVE", say(features.ConsentView, "EVALUATION", "true", hour(1, 0)))
	for _, id := range []string{"K1", "OFF", "LATER", "BACK", "GAVE", "NOBODY", "THEN"} {
		edit := func(*fund.Profile) {}
		if id == "THEN" {
			b.customer(t, id)
			edit = func(p *fund.Profile) { p.Personalization = fund.No }
		}
		b.record(b.slateOf(id, hour(10, 10), "A"), edit)
		if id != "NOBODY" {
			b.event(t, id, fund.OrderConfirm, hour(11, 0), "A")
		}
	}
	rows, told := b.join(t, week())
	reads := map[string]bool{"K1": true, "LATER": true, "GAVE": true}
	for i := range rows {
		r := &rows[i]
		segment, want := "", empty
		if reads[r.CustomerID] {
			segment, want = "MASS", 1
		}
		if !same(r.Reward, want) || r.text(t, "segment") != segment || !same(r.number(t, "exposed"), want-1) {
			t.Errorf("%s: reward %v, segment %q, exposed %v", r.CustomerID, r.Reward, r.text(t, "segment"), r.number(t, "exposed"))
		}
		if r.text(t, "risk_level") != "C3" || r.text(t, "risk_grade") != "R3" {
			t.Errorf("%s: level %q, grade %q: what the gate reads is there for everybody", r.CustomerID, r.text(t, "risk_level"), r.text(t, "risk_grade"))
		}
	}
	if want := (WithheldCounts{PersonalizationOff: 2, ConsentWithdrawn: 1, UnknownCustomer: 1}); told.Withheld != want || told.Censored != 4 {
		t.Errorf("withheld %+v, %d censored", told.Withheld, told.Censored)
	}
}
