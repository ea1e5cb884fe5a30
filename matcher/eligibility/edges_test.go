package eligibility_test

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// reasonsOf are what a rule says of the one product on a list, in a setting.
func reasonsOf(t *testing.T, rule eligibility.RuleID, p *fund.Profile, ctx eligibility.Context) []string {
	t.Helper()
	ctx.At = factsDay.Start()
	gate := compile(t, builtIn(), []fund.Product{lawful("P", fund.PublicFund, fund.R1)}, ctx.At)
	f := gate.Facts(p, fund.GoalUnknown, 0, fund.NeedUnknown, ctx)
	var refusals eligibility.Refusals
	gate.Refusals(p, ctx.At, &refusals)
	_, found := gate.Judge(0, &f, &refusals, nil)
	var reasons []string
	for i := range found {
		if found[i].Rule == rule {
			reasons = append(reasons, found[i].Reason)
		}
	}
	return reasons
}

// Of a licence one thing is said, and the true one (C03).
func TestOneReasonALicence(t *testing.T) {
	for licence, want := range map[eligibility.Licence][]string{
		eligibility.LicenceMissing:   {"LICENCE_MISSING"},
		eligibility.LicenceExpired:   {"LICENCE_EXPIRED"},
		eligibility.LicenceElsewhere: {"LICENCE_ELSEWHERE"},
		eligibility.LicenceValid:     nil,
		99:                           {"LICENCE_MISSING"},
	} {
		if got := reasonsOf(t, eligibility.C03, &fund.Profile{}, eligibility.Context{Channel: fund.Branch, Licence: licence}); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", licence, got, want)
		}
	}
}

// A channel that this program does not know is none of the bank's own (C01).
func TestChannelsBeyondTheKnown(t *testing.T) {
	for channel := range fund.Channel(5) {
		own := channel == fund.App || channel == fund.Branch
		got := reasonsOf(t, eligibility.C01, &fund.Profile{}, eligibility.Context{Channel: channel})
		if own != (got == nil) {
			t.Errorf("channel %d: %v", channel, got)
		}
	}
}

// What the bank does is no reaction of his, nor is what he says of other things (A06).
func TestWhatIsNoReaction(t *testing.T) {
	for kind, rests := range map[fund.EventKind]bool{
		fund.Contact: true, fund.Complaint: true, fund.ObjectionRaised: true, fund.Redeem: true,
		fund.Click: false, fund.DetailView: false, fund.EvidenceOpen: false, fund.OrderStart: false, fund.OrderConfirm: false, fund.OrderAbandon: false,
	} {
		p := &fund.Profile{}
		shown := factsDay.AddDays(-5).Start()
		for i := range 60 {
			p.Trail.Recent = append(p.Trail.Recent, fund.Event{Kind: fund.Exposure, At: shown + fund.Instant(i), ProductCode: "P"})
		}
		p.Trail.Recent = append(p.Trail.Recent, fund.Event{Kind: kind, At: shown + 100, ProductCode: "P", Closed: kind == fund.Complaint})
		got := reasonsOf(t, eligibility.A06, p, eligibility.Context{Channel: fund.App})
		if rests != slices.Contains(got, "SHOWN_TOO_OFTEN") {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

// Of two words that hold equally long the newer is told of (A06).
func TestTheNewerOfTwoWordsIsTold(t *testing.T) {
	at := factsDay.Start()
	p := &fund.Profile{}
	for _, days := range []int{-5, -3} {
		p.Trail.Recent = append(p.Trail.Recent, fund.Event{
			Kind: fund.Refusal, At: factsDay.AddDays(days).Start(), ProductCode: "P", Until: factsDay.AddDays(200),
		})
	}
	gate := compile(t, builtIn(), []fund.Product{lawful("P", fund.PublicFund, fund.R1)}, at)
	var refusals eligibility.Refusals
	gate.Refusals(p, at, &refusals)
	if word, ok := gate.RefusalOf(0, &refusals); !ok || word.On != factsDay.AddDays(-3) {
		t.Errorf("refused on %s", word.On)
	}
}
