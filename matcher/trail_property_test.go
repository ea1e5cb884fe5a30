package matcher_test

import (
	"bytes"
	"cmp"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// tries is how often a property is tried: usual, or the environment's number of answers
// divided by what one try costs in answers.
func tries(tb testing.TB, usual, cost int) int {
	tb.Helper()
	text := os.Getenv(answersEnv)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("%s=%q, expected a positive number", answersEnv, text)
	}
	return max(usual, n/cost)
}

// scene is one random customer before one random bank.
type scene struct {
	seed    uint64
	bank    *bank
	core    *matcher.Core
	profile *fund.Profile
	request matcher.Request
}

// scenes visits random scenes, many customers a bank.
func scenes(t *testing.T, n, products int, check func(s *scene)) {
	t.Helper()
	const perBank = 40
	for i := 0; i < n && !t.Failed(); {
		seed := uint64(i / perBank)
		b := newBank(seed+1_000, products)
		core := b.compile(t)
		for range min(perBank, n-i) {
			check(&scene{seed: seed + 1_000, bank: b, core: core, profile: b.customer(i), request: b.request(core)})
			i++
		}
	}
}

// with is the scene's customer with one more event.
func (s *scene) with(e fund.Event) *fund.Profile {
	p := *s.profile
	p.Trail.Recent = slices.Clone(p.Trail.Recent)
	behaviour.Fold(&p.Trail, &e)
	return &p
}

func (s *scene) explain(t *testing.T, p *fund.Profile, code string, ch fund.Channel) *matcher.Explanation {
	t.Helper()
	r := s.request
	r.Channel = ch
	e, err := s.core.Explain(p, code, r)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// standing is a permitted product and its score.
type standing struct {
	code  string
	score float64
}

// ranking lists the permitted products, best first, equal ones by code: what a list is
// cut from before its bounds.
func (s *scene) ranking(t *testing.T, p *fund.Profile) []standing {
	t.Helper()
	var all []standing
	for i := range s.core.Len() {
		code := s.core.Product(i).Code
		if e := s.explain(t, p, code, s.request.Channel); e.Verdict.Permitted {
			all = append(all, standing{code, e.Slate.Items[0].Score})
		}
	}
	slices.SortFunc(all, func(a, b standing) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.code, b.code))
	})
	return all
}

func placeOf(all []standing, code string) int {
	return slices.IndexFunc(all, func(s standing) bool { return s.code == code })
}

// Whoever objects to a product is not offered it higher, whatever he says about it and
// whenever he said it.
func TestAnObjectionNeverRaisesWhatItWasAbout(t *testing.T) {
	t.Parallel()
	fell, personal := 0, 0
	scenes(t, tries(t, 400, 100), 30, func(s *scene) {
		before := s.ranking(t, s.profile)
		if len(before) == 0 {
			return
		}
		about := before[s.bank.rng.IntN(len(before))]
		e := fund.Event{
			Kind: fund.ObjectionRaised, ProductCode: about.code, Channel: "APP",
			At: s.request.At - fund.Instant(s.bank.rng.Int64N(240*86_400_000_000)),
		}
		if code := s.bank.rng.IntN(int(objection.Codes) + 2); code < int(objection.Codes) {
			e.About, e.Until = objection.Code(code).String(), s.bank.near()
		} else {
			e.About = pick(s.bank, "", "A_DOUBT_OF_THE_BANKS_OWN")
		}
		after := s.ranking(t, s.with(e))
		was, is := placeOf(before, about.code), placeOf(after, about.code)
		switch {
		case is < 0 || len(after) != len(before):
			t.Errorf("bank %d, customer %s: the objection %+v changes what is permitted", s.seed, s.profile.CustomerID, e)
		case after[is].score > about.score || is < was:
			t.Errorf("bank %d, customer %s at %s: after %+v %s stands at %d with %v, before at %d with %v",
				s.seed, s.profile.CustomerID, s.request.At, e, about.code, is, after[is].score, was, about.score)
		case after[is].score < about.score:
			fell++
		}
		if s.explain(t, s.profile, about.code, s.request.Channel).Personal {
			personal++
		}
	})
	if fell < personal/4 || fell == 0 {
		t.Errorf("only %d of %d products fell: the objections were hardly heard", fell, personal)
	}
}

// refusalEnds is this file's own reading of A06: a refusal is kept for ninety days, and
// until the day that he named where that is later.
func refusalEnds(e *fund.Event) fund.Instant {
	shanghai := time.FixedZone("CST", 8*60*60)
	day := e.At.Time().In(shanghai)
	end := time.Date(day.Year(), day.Month(), day.Day()+90, 0, 0, 0, 0, shanghai)
	if u := e.Until; u != 0 {
		if named := time.Date(u.Year(), time.Month(u.Month()), u.Day(), 0, 0, 0, 0, shanghai); named.After(end) {
			end = named
		}
	}
	return fund.InstantOf(end)
}

// After a refusal nothing follows until it ends: its fund is on no list, in whichever
// class and channel, personal or not; whoever asks about it hears of no next step.
func TestAfterARefusalNothingFollows(t *testing.T) {
	t.Parallel()
	in, over := 0, 0
	scenes(t, tries(t, 1_500, 10), 40, func(s *scene) {
		refused := s.bank.products[s.bank.rng.IntN(len(s.bank.products))]
		e := s.refusal(refused.Code)
		p := s.with(e)
		if s.request.At >= refusalEnds(&e) {
			over++
			s.profile.Trail = fund.Trail{}
			if x := s.explain(t, s.with(e), refused.Code, s.request.Channel); x.Verdict.Permitted && x.Slate.Items[0].Conversion.Action == conversion.NoContact {
				t.Errorf("bank %d, customer %s at %s: %s may be offered again and is kept from him, refused by %+v",
					s.seed, p.CustomerID, s.request.At, refused.Code, e)
			}
			return
		}
		in++
		for _, ch := range []fund.Channel{fund.App, fund.Branch} {
			r := s.request
			r.Channel, r.Limit = ch, matcher.MaxLimit
			out := match(t, s.core, p, r)
			if out.ValidUntil > refusalEnds(&e) {
				t.Errorf("bank %d, customer %s: holds until %s, the refusal %+v ends before", s.seed, p.CustomerID, out.ValidUntil, e)
			}
			for i := range out.Items {
				for _, code := range []string{out.Items[i].Code, out.Items[i].PeerCode} {
					if place, ok := s.core.Find(code); ok && s.core.Product(place).FundCode() == refused.FundCode() {
						t.Errorf("bank %d, customer %s over %s: %s is shown, refused by %+v", s.seed, p.CustomerID, ch, code, e)
					}
				}
			}
			place, _ := s.core.Find(refused.Code)
			for _, class := range s.core.Classes(place) {
				x := s.explain(t, p, s.core.Product(int(class)).Code, ch)
				if why := followsRefusal(x); why != "" || x.Verdict.Permitted {
					t.Errorf("bank %d, customer %s over %s: %s: %s, permitted %v, refused by %+v", s.seed, p.CustomerID, ch, x.Product.Code, why, x.Verdict.Permitted, e)
				}
			}
		}
	})
	if in < 100 || over < 20 {
		t.Errorf("%d refusals in force, %d over: hardly tried", in, over)
	}
}

// refusal is a random refusal before the question, of a product or, with an empty code, of
// everything.
func (s *scene) refusal(code string) fund.Event {
	return fund.Event{
		Kind: fund.Refusal, ProductCode: code, Channel: pick(s.bank, "APP", "BRANCH"), About: pick(s.bank, "", "FEE", "不要再打电话"),
		At:    s.request.At - fund.Instant(s.bank.rng.Int64N(150*86_400_000_000)),
		Until: pick(s.bank, 0, 0, s.bank.day.AddDays(-10), s.bank.day, s.bank.day.AddDays(1), s.bank.day.AddDays(400)),
	}
}

// followsRefusal says what an explanation of a refused product still urges; empty: nothing.
// REDUCE stands above the word: the bank must tell him that what he holds is above his
// level (S08).
func followsRefusal(x *matcher.Explanation) string {
	it := &x.Slate.Items[0]
	v := &it.Conversion
	switch {
	case v.Action != conversion.NoContact && v.Action != conversion.Reduce:
		return "action " + v.Action.String()
	case len(it.Objections) > 0:
		return "a doubt is answered: " + it.Objections[0].Code.String()
	case v.FollowUp != conversion.FollowUp{}:
		return "a follow-up"
	case v.Steps[0] != "":
		return "step " + string(v.Steps[0])
	case v.Plan != conversion.PlanTerms{}:
		return "a plan"
	}
	return ""
}

// After a refusal of everything the branch offers nothing and says why; his own app goes
// on (A06), and no manager comes back to anything in either.
func TestAfterARefusalOfEverythingTheBranchIsSilent(t *testing.T) {
	t.Parallel()
	in, fed := 0, 0
	scenes(t, tries(t, 1_500, 10), 30, func(s *scene) {
		e := s.refusal("")
		p := s.with(e)
		if s.request.At >= refusalEnds(&e) {
			return
		}
		in++
		for _, ch := range []fund.Channel{fund.Branch, fund.ChannelUnknown, fund.App} {
			r := s.request
			r.Channel = ch
			out := match(t, s.core, p, r)
			told := slices.ContainsFunc(out.Notices, func(n matcher.Notice) bool { return n.Code == "CUSTOMER_REFUSED" })
			if app := ch == fund.App; !app && (len(out.Items) > 0 || !told) {
				t.Errorf("bank %d, customer %s over %s: %d items, told %v after %+v", s.seed, p.CustomerID, ch, len(out.Items), told, e)
			} else if app {
				fed += min(len(out.Items), 1)
			}
			for i := range out.Items {
				if out.Items[i].Conversion.FollowUp != (conversion.FollowUp{}) {
					t.Errorf("bank %d, customer %s: a follow-up after %+v", s.seed, p.CustomerID, e)
				}
			}
		}
		code := s.bank.products[s.bank.rng.IntN(len(s.bank.products))].Code
		if why := followsRefusal(s.explain(t, p, code, fund.Branch)); why != "" {
			t.Errorf("bank %d, customer %s: %s: %s after %+v", s.seed, p.CustomerID, code, why, e)
		}
	})
	if in < 100 || fed < 50 {
		t.Errorf("%d refusals in force, %d feeds of the app: hardly tried", in, fed)
	}
}

// Events may arrive in any order: folded in one by one they give the answer that all of
// them give at once.
func TestTheOrderOfEventsLeavesNoTraceInAnAnswer(t *testing.T) {
	t.Parallel()
	personal := 0
	scenes(t, tries(t, 1_000, 20), 40, func(s *scene) {
		events := s.bank.events()
		for i := range events {
			if i > 0 && s.bank.one(5) {
				events[i] = events[s.bank.rng.IntN(i)] // the same twice, or at the same instant
				if s.bank.one(2) {
					events[i].Kind = fund.EventKind(1 + s.bank.rng.IntN(fund.EventKinds-1))
				}
			}
		}
		p := s.profile
		p.Trail = behaviour.Of(events)
		s.request.Audience = wording.Manager
		want := match(t, s.core, p, s.request)
		if want.Personal {
			personal++
		}
		wanted := want.AppendCanonical(nil)
		for range 3 {
			s.bank.rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			p.Trail = fund.Trail{}
			for i := range events {
				behaviour.Fold(&p.Trail, &events[i])
			}
			if got := match(t, s.core, p, s.request); !bytes.Equal(got.AppendCanonical(nil), wanted) {
				t.Errorf("bank %d, customer %s at %s: another order gives another answer\n%+v\n%+v", s.seed, p.CustomerID, s.request.At, got, want)
				return
			}
		}
	})
	if personal < 100 {
		t.Errorf("%d personal answers: hardly tried", personal)
	}
}

// An answer equals itself until it says that it ends, to its last microsecond: with trails
// and for managers too, to whom the day's quiet hours and the contact's caps matter.
func TestAnswersWithTrailsHoldAsLongAsTheySay(t *testing.T) {
	t.Parallel()
	ends := map[string]int{}
	scenes(t, tries(t, 2_000, 4), 30, func(s *scene) {
		s.request.Audience = pick(s.bank, wording.Manager, wording.Manager, wording.Customer)
		first := match(t, s.core, s.profile, s.request)
		said := first.AppendCanonical(nil)
		for _, at := range []fund.Instant{
			first.ValidUntil - 1, s.request.At + fund.Instant(s.bank.rng.Int64N(int64(first.ValidUntil-s.request.At))),
		} {
			later := s.request
			later.At = at
			second := match(t, s.core, s.profile, later)
			second.Request.At = s.request.At
			if !bytes.Equal(second.AppendCanonical(nil), said) {
				t.Errorf("bank %d, customer %s: said at %s to hold until %s, changed at %s\n%+v\n%+v",
					s.seed, s.profile.CustomerID, s.request.At, first.ValidUntil, at, first, second)
			}
		}
		minutes := int(first.ValidUntil-first.ValidUntil.Date().Start()) / 60_000_000
		switch {
		case first.ValidUntil != first.ValidUntil.Date().Start()+fund.Instant(minutes)*60_000_000:
			ends["within a minute"]++
		case minutes == 9*60 || minutes == 20*60:
			ends["quiet hours"]++
		case minutes == 15*60:
			ends["cutoff"]++
		case minutes == 0:
			ends["midnight"]++
		default:
			ends["other"]++
		}
	})
	for _, edge := range []string{"within a minute", "quiet hours", "cutoff", "midnight"} {
		if ends[edge] == 0 {
			t.Errorf("no answer ends at %s: %v", edge, ends)
		}
	}
}
