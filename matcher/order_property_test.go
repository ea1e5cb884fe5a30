package matcher_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Whoever orders at once what he was recommended, in the amount that was suggested, is not
// blocked: the list and the check know the same rules. He is the firm's customer then, since
// the firm showed it to him. Where a list may read nothing personal (A02) its amount is the
// product's minimum, and only what that is measured by, his means and what he has, may stand
// against it.
func TestWhatIsRecommendedCanBeOrdered(t *testing.T) {
	answers := defaultAnswers
	if s := os.Getenv(answersEnv); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("%s=%q, expected a positive number", answersEnv, s)
		}
		answers = n
	}
	tried := 0
	for pool := 0; pool*answersPerPool < answers; pool++ {
		b := newBank(uint64(pool), 40+pool%6*50)
		core := b.compile(t)
		var list matcher.Slate
		var check matcher.OrderCheck
		for i := range answersPerPool {
			p, r := b.customer(i), b.request(core)
			if b.one(2) {
				r.Licence = matcher.Licence{ManagerID: "M1", State: matcher.LicenceValid}
			}
			if err := core.Match(p, r, &list); err != nil {
				t.Fatal(err)
			}
			for j := range list.Items {
				it := &list.Items[j]
				if it.Conversion.Action != conversion.Buy || it.Conversion.Quote.Suggested == 0 {
					continue
				}
				tried++
				order := matcher.OrderRequest{
					ProductCode: it.Code, Amount: it.Conversion.Quote.Suggested, At: r.At, Channel: r.Channel, Licence: r.Licence.ForGate(),
				}
				exposed := *p
				exposed.Trail = withExposure(p, it.Code, r.At)
				if err := core.CheckOrder(&exposed, order, &check); err != nil {
					t.Fatal(err)
				}
				if f := blocker(&check, list.Personal); f != nil {
					t.Fatalf("pool %d, customer %d at %s over %s, %s for %d fen: %+v", pool, i, r.At, r.Channel, it.Code, order.Amount, f)
				}
				if check.Origin.Initiative != fund.ByFirm {
					t.Fatalf("pool %d, customer %d: %+v after an exposure", pool, i, check.Origin)
				}
			}
		}
	}
	if tried < answers/20 {
		t.Errorf("%d orders of %d answers: the test shows little", tried, answers)
	}
}

// withExposure is his trail once the list has been shown to him.
func withExposure(p *fund.Profile, code string, at fund.Instant) fund.Trail {
	trail := fund.Trail{Recent: append([]fund.Event(nil), p.Trail.Recent...), Tallies: p.Trail.Tallies}
	behaviour.Fold(&trail, &fund.Event{Kind: fund.Exposure, At: at, ProductCode: code, Channel: "APP"})
	return trail
}

// blocker finds what stands against the order.
func blocker(check *matcher.OrderCheck, personal bool) *eligibility.OrderFinding {
	for i := range check.Findings {
		f := &check.Findings[i]
		measured := f.Rule == eligibility.S15 || f.Rule == eligibility.K04 || f.Reason == "ABOVE_DAY_LIMIT"
		if f.Outcome.Excludes() && (personal || !measured) {
			return f
		}
	}
	return nil
}
