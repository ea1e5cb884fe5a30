package eligibility

import (
	"cmp"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Refusals is what a customer does not want to be offered, as of an instant (A06): what
// has ended by then is not in it. It stands beside Facts and not in them, because facts
// stay small and comparable. nil and the zero value are none.
type Refusals struct {
	Funds []Refused // refused funds, each once, by number
	// Every is a refusal that named no product, Complaint an open complaint. Outside the
	// app both hide everything; in the app his own feed goes on.
	Every, Complaint Refused
	// Tired are funds that were shown to him so often without a reaction of his that they
	// rest, each once, by number. On is the day of the showing with which the cap was full,
	// Until the instant at which that one leaves the window.
	Tired []Refused
	// Until is the first later instant at which any of this changes by the clock alone;
	// fund.Forever: never. 0 in the zero value, which nobody read off a profile.
	Until fund.Instant

	shown []showing // the buffer of countShowings
}

// Refused is a word of the customer's that is still to be kept. Until 0: none.
type Refused struct {
	Fund  int32        // as the gate numbers funds; of Funds only
	On    fund.Date    // the day on which he said it
	Until fund.Instant // the first instant at which it no longer hides anything
}

// Silent reports whether everything is hidden over a channel, whatever the product. An
// unknown channel is not shown to be the app.
func (r *Refusals) Silent(ch fund.Channel) bool {
	return r != nil && ch != fund.App && (r.Every.Until != 0 || r.Complaint.Until != 0)
}

// silence are A06's parameters.
type silence struct {
	RefusalDays       int
	ComplaintDays     int
	ContactCap        int
	ContactWindowDays int
	// ExposureCap is how often one fund is shown within ExposureWindowDays, without a
	// reaction of his, before it rests. 0: without a cap, as in packs of before 2026-11-22.2.
	ExposureCap, ExposureWindowDays int
	// QuietFrom and QuietUntil are the minutes of the day between which nobody is contacted.
	QuietFrom, QuietUntil int
}

// The quiet hours of packs that name none: 20:00 to 9:00.
const (
	eveningQuiet = 20 * 60
	morningQuiet = 9 * 60
)

func (s silence) install(e *Edition) { e.silence = s }

// readSilence: how long a word holds is the bank's to set, not whether it holds; so each
// has a floor.
func readSilence(in *reader) setting {
	return silence{
		RefusalDays:       in.number("refusal_days", 30, 1095),
		ComplaintDays:     in.number("complaint_days", 30, 1095),
		ContactCap:        in.number("contact_cap", 1, 31),
		ContactWindowDays: in.number("contact_window_days", 7, 365),
		ExposureCap:       in.added("exposure_cap", 1, 1000, 0), ExposureWindowDays: in.added("exposure_window_days", 7, 365, 0),
		QuietFrom: in.added("quiet_from_minute", 17*60, 22*60, eveningQuiet), QuietUntil: in.added("quiet_until_minute", 7*60, 12*60, morningQuiet),
	}
}

// nothingFollows (A06) has no parts: it asks about the customer's own words, fund by
// fund, which no key of Facts holds. Gate.refuse and Gate.judgeRefusals speak for it, and
// both go by Refusals alone.
func nothingFollows(*Edition, fund.Date) []part { return nil }

// Refusals reads off a profile's trail what A06 keeps from him at an instant, into dst,
// whose buffers are used again. It does not allocate once they have grown. Nothing is in
// it where the rule is not in force.
func (g *Gate) Refusals(p *fund.Profile, at fund.Instant, dst *Refusals) {
	*dst = Refusals{Funds: dst.Funds[:0], Tired: dst.Tired[:0], Until: fund.Forever, shown: dst.shown[:0]}
	if g.silence == nil {
		return
	}
	events := p.Trail.Recent
	for i := range events {
		e := &events[i]
		switch {
		case e.Kind != fund.Refusal && e.Kind != fund.Complaint:
		case e.At > at: // not there yet
			dst.Until = min(dst.Until, e.At)
		case e.Kind == fund.Refusal:
			g.hearRefusal(e, at, dst)
		default:
			g.hearComplaint(e, notBefore(events, i), at, dst)
		}
	}
	g.countShowings(events, at, dst)
	dst.settle()
}

// hearRefusal: silence until the day that he named, and for the pack's days at least. A
// later word never shortens an earlier one. A product of no fund in the pool hides
// nothing.
func (g *Gate) hearRefusal(e *fund.Event, at fund.Instant, dst *Refusals) {
	day := e.At.Date()
	word := Refused{On: day, Until: max(e.Until, day.AddDays(g.edition.RefusalDays())).Start()}
	if word.Until <= at {
		return
	}
	if e.ProductCode == "" {
		dst.Every.extend(word)
		return
	}
	number, ok := g.funds.byCode[e.ProductCode]
	if !ok {
		return
	}
	word.Fund = number
	i, again := find(dst.Funds, number)
	if !again {
		dst.Funds = slices.Insert(dst.Funds, i, word)
	}
	dst.Funds[i].extend(word)
}

// notBefore returns the events from the instant of the i-th on. Banks that know days and
// no hours file a complaint and its end under one instant, in an order that says nothing.
func notBefore(events []fund.Event, i int) []fund.Event {
	at := events[i].At
	for i > 0 && events[i-1].At == at {
		i--
	}
	return events[i:]
}

// hearComplaint: silence while a complaint is open, for the pack's days at most.
func (g *Gate) hearComplaint(e *fund.Event, later []fund.Event, at fund.Instant, dst *Refusals) {
	day := e.At.Date()
	word := Refused{On: day, Until: day.AddDays(g.edition.ComplaintDays()).Start()}
	if e.Closed || word.Until <= at {
		return
	}
	for i := range later {
		l := &later[i]
		if l.Kind == fund.Complaint && l.Closed && l.At <= at && (l.ProductCode == e.ProductCode || l.ProductCode == "") {
			return
		}
	}
	dst.Complaint.extend(word)
}

// extend keeps the word that holds longer, of equal ones the newer.
func (r *Refused) extend(word Refused) {
	if word.Until >= r.Until {
		*r = word
	}
}

// settle says when the first of the words ends.
func (r *Refusals) settle() {
	for _, words := range [...][]Refused{r.Funds, r.Tired} {
		for i := range words {
			r.Until = min(r.Until, words[i].Until)
		}
	}
	for _, all := range [...]*Refused{&r.Every, &r.Complaint} {
		if all.Until != 0 {
			r.Until = min(r.Until, all.Until)
		}
	}
}

// RefusalOf returns the refusal of product i, or of another share class of its fund.
func (g *Gate) RefusalOf(i int, r *Refusals) (Refused, bool) {
	if r == nil {
		return Refused{}, false
	}
	at, ok := find(r.Funds, g.funds.of[i])
	if !ok {
		return Refused{}, false
	}
	return r.Funds[at], true
}

func find(words []Refused, number int32) (int, bool) {
	return slices.BinarySearchFunc(words, number, func(w Refused, n int32) int { return cmp.Compare(w.Fund, n) })
}

// refuse takes the products that A06 hides away from permitted, and returns how many they
// are whatever other rules take away.
func (g *Gate) refuse(f *Facts, r *Refusals, permitted []uint64) int {
	switch {
	case r == nil || !g.refusals[f.Situation].Excludes():
		return 0
	case r.Silent(f.Channel):
		clear(permitted)
		return len(g.products)
	}
	count := 0
	for i := range r.Funds {
		count += g.hideFund(r.Funds[i].Fund, permitted)
	}
	for i := range r.tired(f) {
		if _, refused := find(r.Funds, r.Tired[i].Fund); !refused {
			count += g.hideFund(r.Tired[i].Fund, permitted)
		}
	}
	return count
}

// tired are the funds that rest. Having been shown something often bars nobody from ordering
// it: only lists let it rest.
func (r *Refusals) tired(f *Facts) []Refused {
	if f.Situation != Recommendation {
		return nil
	}
	return r.Tired
}

// hideFund takes all share classes of a fund away and returns how many they are.
func (g *Gate) hideFund(number int32, permitted []uint64) (count int) {
	for i := g.funds.firstOf(number); i >= 0; i = g.funds.next[i] {
		permitted[i>>6] &^= 1 << (i & 63)
		count++
	}
	return count
}

// silences are the reasons of A06, in the order in which they are given.
var silences = [...]string{"PRODUCT_REFUSED", "SHOWN_TOO_OFTEN", "EVERYTHING_REFUSED", "COMPLAINT_OPEN"}

// judgeRefusals appends what A06 says about product i.
func (g *Gate) judgeRefusals(i int, f *Facts, r *Refusals, dst []Finding) []Finding {
	outcome := g.refusals[f.Situation]
	if r == nil || outcome == None {
		return dst
	}
	say := func(reason, said string, word Refused, parameters ...string) {
		dst = append(dst, Finding{
			Rule: A06, Outcome: outcome, Reason: reason, Citation: g.silence.Citation,
			Facts:      []Fact{{said, word.On.String()}, {"until", word.Until.Date().String()}},
			Parameters: g.silence.parameters(parameters),
			Remedy:     Remedy{Code: RemedyWait, On: word.Until.Date()},
		})
	}
	if word, ok := g.RefusalOf(i, r); ok {
		say("PRODUCT_REFUSED", "refused_on", word, "refusal_days")
	}
	if at, ok := find(r.tired(f), g.funds.of[i]); ok {
		say("SHOWN_TOO_OFTEN", "shown_since", r.Tired[at], "exposure_cap", "exposure_window_days")
	}
	if !r.Silent(f.Channel) {
		return dst
	}
	if r.Every.Until != 0 {
		say("EVERYTHING_REFUSED", "refused_on", r.Every, "refusal_days")
	}
	if r.Complaint.Until != 0 {
		say("COMPLAINT_OPEN", "complained_on", r.Complaint, "complaint_days")
	}
	return dst
}

// funds numbers the funds of a pool: share classes of one fund have one number.
type funds struct {
	of     []int32          // fund of each product
	first  []int32          // first product of each fund
	next   []int32          // the next product of the same fund; -1: none
	byCode map[string]int32 // by product code and by fund code
}

func fundsOf(products []fund.Product) funds {
	t := funds{of: make([]int32, len(products)), next: make([]int32, len(products)), byCode: make(map[string]int32, len(products))}
	for i := range products {
		p := &products[i]
		number, ok := t.byCode[p.FundCode()]
		if ok {
			t.next[i] = t.first[number]
			t.first[number] = int32(i)
		} else {
			number = int32(len(t.first))
			t.first, t.next[i] = append(t.first, int32(i)), -1
			t.byCode[p.FundCode()] = number
		}
		t.of[i] = number
	}
	// A product's own code names it before any fund's does.
	for i := range products {
		t.byCode[products[i].Code] = t.of[i]
	}
	return t
}

// firstOf returns the first product of a fund, -1 for a number that is none.
func (t *funds) firstOf(number int32) int32 {
	if number < 0 || int(number) >= len(t.first) {
		return -1
	}
	return t.first[number]
}
