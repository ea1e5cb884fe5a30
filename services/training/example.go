package training

import (
	"encoding/json"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// example is one exposure: what was known before it, and what became of it.
type example struct {
	customer  int32 // place in survey.customers
	at        fund.Instant
	converted bool
	branch    bool
	newIssue  bool
	level     fund.RiskLevel
	inputs    score.ConversionInputs
	amount    float64 // log of the yuan ordered; 0: not known, or nothing was
	means     float64 // log of 1 + the yuan of his assets
}

// Counts says what became of the exposures.
type Counts struct {
	Customers  int64 `json:"customers"`
	Exposures  int64 `json:"exposures"`
	Repeated   int64 `json:"repeated"`   // of a fund that he had been shown that day already
	OpenWindow int64 `json:"openWindow"` // the days for an order are not over by the last day
	NotInPool  int64 `json:"notInPool"`
	Impersonal int64 `json:"impersonal"` // personalisation was off
	NotOffered int64 `json:"notOffered"` // no valid assessment, or the product was not permitted
	Examples   int64 `json:"examples"`
	Converted  int64 `json:"converted"`
}

func (c *Counts) add(o *Counts) {
	c.Exposures += o.Exposures
	c.Repeated += o.Repeated
	c.OpenWindow += o.OpenWindow
	c.NotInPool += o.NotInPool
	c.Impersonal += o.Impersonal
	c.NotOffered += o.NotOffered
	c.Examples += o.Examples
	c.Converted += o.Converted
}

// burst is how soon exposures follow one another that are of one answer: all of them are
// seen as of the first, as the answer saw them.
const burst = time.Minute

// reader makes the examples of one customer after another. Each worker has its own.
type reader struct {
	*running
	situation matcher.Situation
	out       *part
	shown     map[showing]bool
}

// showing is a fund on a day: one example, however often he saw it.
type showing struct {
	fund int32
	day  fund.Date
}

// read adds what a customer's exposures tell.
func (r *reader) read(customer int32, h *features.History) error {
	clear(r.shown)
	var last, seenAt fund.Instant // the last exposure, and the first of its burst
	var situated sight            // what the situation is of
	var profile *fund.Profile
	for i := range h.Events {
		e := &h.Events[i]
		if !isExposure(e) || e.EventAt < r.survey.from.Start() || e.VisibleFrom() >= r.survey.until() {
			continue
		}
		if last == 0 || e.EventAt > last.Add(burst) {
			seenAt = e.EventAt
		}
		last = e.EventAt
		r.out.counts.Exposures++
		if !r.counts(e) {
			continue
		}
		if now := (sight{seenAt, channelOf(e)}); situated != now {
			var err error
			if profile, err = r.situate(h, now); err != nil {
				return err
			}
			situated = now
		}
		r.add(customer, h, e, seenAt, profile)
	}
	return nil
}

// counts reports whether an exposure can be an example, and notes why not.
func (r *reader) counts(e *features.Event) bool {
	number, known := r.pool.funds[e.ProductCode]
	key := showing{number, e.EventAt.Date()}
	switch {
	case !known:
		r.out.counts.NotInPool++
	case r.shown[key]:
		r.out.counts.Repeated++
	case r.windowEnd(e.EventAt) > r.survey.until():
		r.out.counts.OpenWindow++
	default:
		r.shown[key] = true
		return true
	}
	return false
}

// windowEnd is the first instant at which an order counts no more.
func (r *running) windowEnd(at fund.Instant) fund.Instant {
	return at.Add(time.Duration(r.Options.WithinDays) * 24 * time.Hour)
}

// sight is when and where he was shown something.
type sight struct {
	at      fund.Instant
	channel fund.Channel
}

// situate reads the customer as the matcher would have seen him. That a manager may sell is
// taken as given: he did.
func (r *reader) situate(h *features.History, s sight) (*fund.Profile, error) {
	p, err := r.profileBefore(h, s.at)
	if err != nil {
		return nil, err
	}
	request := requestAt(s.at)
	request.Channel = s.channel
	return p, r.cores.at(s.at).Situate(p, request, &r.situation)
}

// channelOf is where an exposure took place; a contact is the manager's.
func channelOf(e *features.Event) fund.Channel {
	channel, err := fund.ParseChannel(e.Channel)
	if err == nil && channel != fund.ChannelUnknown {
		return channel
	}
	if e.Kind == fund.Contact.String() {
		return fund.Branch
	}
	return fund.App
}

// add makes the example of an exposure to whom the situation is of.
func (r *reader) add(customer int32, h *features.History, e *features.Event, at fund.Instant, p *fund.Profile) {
	core, s, counts := r.cores.at(at), &r.situation, &r.out.counts
	place, ok := core.Find(e.ProductCode)
	switch {
	case !ok:
		counts.NotInPool++
		return
	case !s.Personal():
		counts.Impersonal++
		return
	case !s.Ordering() || !s.Permitted(place):
		counts.NotOffered++
		return
	}
	x := example{
		customer: customer, at: e.EventAt, branch: channelOf(e) == fund.Branch, newIssue: core.IsNewIssue(place),
		level: p.Assessment.Level, means: logYuan(p.Person.AUM),
	}
	s.Conversion(place, &x.inputs)
	x.converted, x.amount = r.outcome(h, e)
	counts.Examples++
	if x.converted {
		counts.Converted++
	}
	r.out.examples = append(r.out.examples, x)
}

// outcome looks for an order of the fund, in whichever share class, that was confirmed after
// an exposure and within its days. An instalment of a plan is none: no exposure brought it
// about.
func (r *reader) outcome(h *features.History, exposure *features.Event) (converted bool, amount float64) {
	wanted, end := r.pool.funds[exposure.ProductCode], r.windowEnd(exposure.EventAt)
	for i := range h.Events {
		e := &h.Events[i]
		if e.EventAt <= exposure.EventAt || e.EventAt >= end || e.VisibleFrom() >= r.survey.until() || e.Kind != fund.OrderConfirm.String() {
			continue
		}
		if number, ok := r.pool.funds[e.ProductCode]; !ok || number != wanted || isInstalment(e) {
			continue
		}
		if entry, ok := e.Entry(); ok && entry.Amount > 0 {
			amount = logYuan(entry.Amount)
		}
		return true, amount
	}
	return false, 0
}

// isInstalment reports whether an order was given by a plan: {"plan": true}.
func isInstalment(e *features.Event) bool {
	var attributes struct {
		Plan bool `json:"plan"`
	}
	return e.Attributes != "" && json.Unmarshal([]byte(e.Attributes), &attributes) == nil && attributes.Plan
}

func requestAt(at fund.Instant) matcher.Request {
	return matcher.Request{At: at, Channel: fund.App, Limit: matcher.MinLimit, Licence: matcher.Licence{State: matcher.LicenceValid}}
}
