package synthetic

import (
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// profileOf folds a customer's cells as a store does, as of the start of the as-of day.
func profileOf(t *testing.T, b *Bank, index int) *fund.Profile {
	t.Helper()
	var l loading
	r := b.Customer(index)
	l.add(r)
	purchases := make([]fund.Purchase, len(l.purchases))
	for i := range l.purchases {
		purchases[i] = l.purchases[i].Purchase
	}
	p, err := features.Fold(r.Customer.CustomerID, l.cells, purchases, features.AsKnown(asOf.Start()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Events {
		if entry, ok := r.Events[i].Entry(); ok {
			behaviour.Fold(&p.Trail, &entry)
		}
	}
	return p
}

// newest returns the newest event of a kind; nil: there is none.
func newest(p *fund.Profile, kind fund.EventKind) *fund.Event {
	for i := len(p.Trail.Recent) - 1; i >= 0; i-- {
		if p.Trail.Recent[i].Kind == kind {
			return &p.Trail.Recent[i]
		}
	}
	return nil
}

// TestEachStoryShowsItsSituation reads the stories as a store gives them.
func TestEachStoryShowsItsSituation(t *testing.T) {
	b := smallBank(t)
	valid := func(p *fund.Profile) bool { return p.Assessment.On != 0 && asOf < p.Assessment.On.AddMonths(12) }
	situations := map[string]func(p *fund.Profile) bool{
		"DEMO-0001-CASH-ELDER": func(p *fund.Profile) bool {
			age, _ := p.Person.AgeOn(asOf)
			return age >= 65 && valid(p) && p.Needs.Goals[0] == fund.Cash && len(p.Lots) == 1
		},
		"DEMO-0002-STEADY-C3":     func(p *fund.Profile) bool { return valid(p) && p.Assessment.Level == fund.C3 && len(p.Lots) == 2 },
		"DEMO-0003-EXPIRED":       func(p *fund.Profile) bool { return !valid(p) && p.Assessment.Level == fund.C3 },
		"DEMO-0004-NO-ASSESSMENT": func(p *fund.Profile) bool { return p.Assessment.Level == 0 && p.PredictedLevel == 0 },
		"DEMO-0005-LOWEST-CLASS": func(p *fund.Profile) bool {
			return valid(p) && p.Assessment.Level == fund.C1 && p.Person.IsLowestClass == fund.Yes
		},
		"DEMO-0006-MINOR": func(p *fund.Profile) bool {
			age, ok := p.Person.AgeOn(asOf)
			return ok && age == 15 && p.Person.Capacity == fund.LimitedCapacity && len(p.Lots) == 0
		},
		"DEMO-0007-PROFESSIONAL": func(p *fund.Profile) bool {
			return p.Person.InvestorType == fund.ProfessionalInvestor && p.Person.Professional.Until > asOf
		},
		"DEMO-0008-PERSONALIZATION-OFF": func(p *fund.Profile) bool { return valid(p) && p.Personalization == fund.No },
		"DEMO-0009-GOAL-UNKNOWN": func(p *fund.Profile) bool {
			return valid(p) && len(p.Needs.Goals) == 0 && p.Needs.HorizonMonths == 0 && p.Needs.Liquidity == 0
		},
		"DEMO-0010-LIQUIDITY-HIGH": func(p *fund.Profile) bool { return valid(p) && p.Needs.Liquidity == fund.NeedHigh },
		"DEMO-0011-HOLDS-LOSS":     func(p *fund.Profile) bool { return valid(p) && losses(b, p) == 2 },
		"DEMO-0012-COMPANY": func(p *fund.Profile) bool {
			return p.Person.Industry != "" && p.Person.BirthDate == 0 && p.Needs.Goals[0] == fund.Treasury
		},
		"DEMO-0013-PREDICTED-ONLY": func(p *fund.Profile) bool { return p.Assessment.Level == 0 && p.PredictedLevel == fund.C4 },
		"DEMO-0014-NEW-ISSUE-CHASER": func(p *fund.Profile) bool {
			last := p.Purchases[len(p.Purchases)-1]
			return b.network.managers[1].pushes && p.Person.ManagerID == "M00002" && last.ProductCode == AnchorNewIssue && len(p.Lots) == 1
		},
		"DEMO-0015-ELECTS-ORDINARY": func(p *fund.Profile) bool { return p.Person.Professional.ElectsOrdinary == fund.Yes },
		"DEMO-0017-REFUSED": func(p *fund.Profile) bool {
			e := newest(p, fund.Refusal)
			return valid(p) && e != nil && e.ProductCode == "" && asOf.DaysSince(e.At.Date()) <= 7
		},
		"DEMO-0018-ABANDONED": func(p *fund.Profile) bool {
			start, left := newest(p, fund.OrderStart), newest(p, fund.OrderAbandon)
			return valid(p) && start.At < left.At && left.Amount > 0 && asOf.DaysSince(left.At.Date()) == 3 && newest(p, fund.OrderConfirm).ProductCode != left.ProductCode
		},
		"DEMO-0019-SOLD-IN-FALL": func(p *fund.Profile) bool {
			e := newest(p, fund.Redeem)
			return valid(p) && e.Amount < e.Cost && e.ProductCode == AnchorIndex && losses(b, p) >= 1
		},
		"DEMO-0020-ASKS-FAMILY": func(p *fund.Profile) bool {
			age, _ := p.Person.AgeOn(asOf)
			return age >= 65 && newest(p, fund.ObjectionRaised).About == "ASK_FAMILY"
		},
		"DEMO-0021-DEPOSIT": func(p *fund.Profile) bool {
			tag, ok := p.Tag("deposit_maturing", asOf.Start())
			day, err := fund.ParseDate(tag.Value)
			return ok && err == nil && day > asOf && len(p.Lots) == 0
		},
		"DEMO-0022-COMPLAINT": func(p *fund.Profile) bool {
			e := newest(p, fund.Complaint)
			return !e.Closed && e.ProductCode == AnchorIndex && losses(b, p) == 1 && p.Trail.Tallies[fund.Complaint].Count == 3
		},
		"DEMO-0023-OPEN-CHECK": func(p *fund.Profile) bool { return valid(p) && p.Person.OpenChecks == fund.CheckKYC },
		"DEMO-0024-QUALIFIED": func(p *fund.Profile) bool {
			return valid(p) && p.Person.Qualified.Class != "" && p.Person.Qualified.Until > asOf
		},
		"DEMO-0025-QUALIFIED-EXPIRED": func(p *fund.Profile) bool {
			return valid(p) && p.Person.Qualified.Class != "" && p.Person.Qualified.Until <= asOf
		},
		"DEMO-0026-PENSION": func(p *fund.Profile) bool {
			return valid(p) && p.Person.Pension == fund.Yes && slices.Contains(p.Needs.Goals, fund.TaxDeferredPension)
		},
		"DEMO-0027-THREE-TESTS": func(p *fund.Profile) bool {
			tests := 0
			for _, a := range p.Assessments {
				if a.At.Date() == p.Assessment.On && a.At != p.Assessment.On.Start() {
					tests++
				}
			}
			return valid(p) && tests == 3 && asOf.DaysSince(p.Assessment.On) <= 3
		},
		"DEMO-0028-LEVEL-JUMP": func(p *fund.Profile) bool {
			first, last := p.Assessments[0], p.Assessments[len(p.Assessments)-1]
			return valid(p) && last.Level == first.Level+2 && asOf.DaysSince(last.At.Date()) <= 7 && asOf.DaysSince(first.At.Date()) > 100
		},
		"DEMO-0029-REDEEMED": func(p *fund.Profile) bool {
			e := newest(p, fund.Redeem)
			return valid(p) && e.ProductCode == AnchorShortBond && asOf.DaysSince(e.At.Date()) <= 14
		},
		"DEMO-0016-GROWTH-C4": func(p *fund.Profile) bool { return valid(p) && p.Assessment.Level == fund.C4 && len(p.Lots) == 2 },
	}
	if len(situations) != len(StoryIDs()) {
		t.Fatalf("%d situations for %d stories", len(situations), len(StoryIDs()))
	}
	for i, id := range StoryIDs() {
		p := profileOf(t, b, i)
		if p.CustomerID != id || !situations[id](p) {
			t.Errorf("%s does not show its situation: %+v", id, p)
		}
	}
}

// What the bank knows of its customers it may know (A09).
func TestTagsAreLawful(t *testing.T) {
	b := smallBank(t)
	for i := range b.Customers() {
		for _, tag := range b.Customer(i).Tags {
			for _, word := range []string{"religion", "ethnicity", "health", "political", "gender", "race", "disability", "orientation"} {
				if strings.Contains(tag.Name, word) {
					t.Errorf("customer %d has a tag %s", i, tag.Name)
				}
			}
		}
	}
}

// losses counts the lots that are worth less than they cost.
func losses(b *Bank, p *fund.Profile) int {
	last := map[string]float64{}
	for code, navs := range b.NAVs() {
		last[code] = navs[len(navs)-1].Unit
	}
	n := 0
	for _, lot := range p.Lots {
		if float64(lot.Shares)/100*last[lot.ProductCode] < float64(lot.Cost) {
			n++
		}
	}
	return n
}

// TestEveryCustomerFolds sends customers through the fold of the stores: a value that it
// refuses would be a damaged store.
func TestEveryCustomerFolds(t *testing.T) {
	b := smallBank(t)
	for i := range b.Customers() {
		p, r := profileOf(t, b, i), b.Customer(i)
		if len(p.Lots) != len(r.Holdings) || len(p.Purchases) != len(r.Interactions) {
			t.Errorf("%s: %d lots and %d purchases, expected %d and %d", p.CustomerID, len(p.Lots), len(p.Purchases), len(r.Holdings), len(r.Interactions))
		}
		if l := r.Customer.Level; l.IsAssessment() && (p.Assessment.Level != l.Level || p.Assessment.On != l.AssessedOn) {
			t.Errorf("%s: assessment %+v, expected %+v", p.CustomerID, p.Assessment, l)
		}
	}
}

// TestLotsAreBoughtAfterTheEntryFee looks at the lots of the stories, of which nothing was
// sold.
func TestLotsAreBoughtAfterTheEntryFee(t *testing.T) {
	b := smallBank(t)
	pool, days := b.pool, b.market.days
	checked := 0
	for i := range stories {
		for _, h := range b.Customer(i).Holdings {
			for _, l := range pool.listings {
				if l.product.Code != h.ProductCode {
					continue
				}
				price := float64(pool.priceOn(l, indexOnOrAfter(days, h.AcquiredOn))) / 10_000
				paid := float64(h.Cost - l.product.Fees.EntryFee(h.Cost))
				got := float64(h.Shares) / 100 * price // fen
				if h.Shares%100 != 0 {
					t.Errorf("%s: %d ten-thousandths of a share, expected whole hundredths", h.CustomerID, h.Shares)
				}
				if got > paid || got < paid-price { // cut to a hundredth of a share
					t.Errorf("%s: shares for %.2f fen out of %.2f", h.CustomerID, got, paid)
				}
				checked++
			}
		}
	}
	if checked < 12 {
		t.Errorf("%d lots checked, expected 12 and more", checked)
	}
}
