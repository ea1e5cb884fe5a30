package customer

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// The states of a cell.
const (
	present  = "PRESENT"
	notFound = "NOT_FOUND"
	expired  = "EXPIRED"
)

// The prefixes that keep names given by the bank apart from the profile's own.
const (
	tagPrefix       = "tag."
	attributePrefix = "attribute."
)

// answer shows a profile as of an instant: the fixed cells first, in a fixed order, then
// tags and attributes by name.
func answer(p *fund.Profile, at fund.Instant) *fundmatchv1.GetCustomerResponse {
	cells := []*fundmatchv1.ProfileCell{levelCell(p.Assessment, at), plain("risk_level_predicted", p.PredictedLevel.String())}
	cells = append(cells, personCells(&p.Person, at)...)
	cells = append(cells,
		plain(features.GoalsName, fund.JoinGoals(p.Needs.Goals)),
		plain(features.HorizonName, number(int64(p.Needs.HorizonMonths))),
		plain(features.LiquidityName, p.Needs.Liquidity.String()),
		plain("personalization", p.Personalization.String()))
	for i := range p.Tags {
		cells = append(cells, tagCell(&p.Tags[i], at))
	}
	for i := range p.Attributes {
		cells = append(cells, plain(attributePrefix+p.Attributes[i].Name, p.Attributes[i].Value))
	}
	out := &fundmatchv1.GetCustomerResponse{CustomerId: p.CustomerID, Revision: p.Revision, Cells: cells}
	for i := range p.Lots {
		out.Lots = append(out.Lots, lotMessage(&p.Lots[i]))
	}
	return out
}

// personCells shows who the customer is, but for open checks of identity or of money
// laundering: a profile is for him to read too, and whoever told him would tip him off (C07).
func personCells(p *fund.Person, at fund.Instant) []*fundmatchv1.ProfileCell {
	return []*fundmatchv1.ProfileCell{
		plain("investor_type", p.InvestorType.String()),
		provenCell("professional_class", p.Professional.Class, p.Professional.Until, at),
		plain("elects_ordinary", p.Professional.ElectsOrdinary.String()),
		plain("birth_date", p.BirthDate.String()),
		plain("capacity", p.Capacity.String()),
		plain("is_lowest_class", p.IsLowestClass.String()),
		plain("industry", p.Industry),
		plain("segment", p.Segment),
		plain("branch_id", p.BranchID),
		plain("manager_id", p.ManagerID),
		plain("aum_fen", number(int64(p.AUM))),
		plain("income_fen", number(int64(p.Income))),
		provenCell("qualified_class", p.Qualified.Class, p.Qualified.Until, at),
		plain("pension_account", p.Pension.String()),
	}
}

// plain is a cell without times; the empty text is unknown.
func plain(name, value string) *fundmatchv1.ProfileCell {
	if value == "" {
		return &fundmatchv1.ProfileCell{Name: name, Status: notFound}
	}
	return &fundmatchv1.ProfileCell{Name: name, Value: value, Status: present}
}

// bounded is a cell that is true in [from, to); 0 and Forever are open ends.
func bounded(name, value string, from, to, at fund.Instant) *fundmatchv1.ProfileCell {
	c := plain(name, value)
	if from > 0 {
		c.EventAt = timestamppb.New(from.Time())
		age := int32(max(0, at.Date().DaysSince(from.Date())))
		c.AgeDays = &age
	}
	if to > 0 && to != fund.Forever {
		c.ValidTo = timestamppb.New(to.Time())
		if at >= to {
			c.Value, c.Status = "", expired
		}
	}
	return c
}

// levelCell shows the assessed level. It holds from its day, 00:00 in Asia/Shanghai, to
// the same day a year on. A level whose day is unknown cannot be shown to hold.
func levelCell(a fund.Assessment, at fund.Instant) *fundmatchv1.ProfileCell {
	const name = "risk_level"
	if a.Level == fund.LevelUnknown {
		return plain(name, "")
	}
	if a.On == 0 {
		return &fundmatchv1.ProfileCell{Name: name, Status: expired}
	}
	from, to, _ := a.Validity()
	if a.At != 0 {
		from = a.At
	}
	return bounded(name, a.Level.String(), from, to, at)
}

// provenCell shows the class of a professional investor, or of one who qualifies for other
// products. Its proof is valid before the day it ends; a class without proof on file does
// not count (rules S14, P01).
func provenCell(name, class string, until fund.Date, at fund.Instant) *fundmatchv1.ProfileCell {
	if class == "" {
		return plain(name, "")
	}
	if until == 0 {
		return &fundmatchv1.ProfileCell{Name: name, Status: expired}
	}
	return bounded(name, class, 0, until.Start(), at)
}

func tagCell(t *fund.Tag, at fund.Instant) *fundmatchv1.ProfileCell {
	return bounded(tagPrefix+t.Name, t.Value, t.From, t.To, at)
}

func hasTag(p *fund.Profile, name string) bool {
	_, ok := slices.BinarySearchFunc(p.Tags, name, func(t fund.Tag, n string) int { return strings.Compare(t.Name, n) })
	return ok
}

func lotMessage(l *fund.Lot) *fundmatchv1.Lot {
	return &fundmatchv1.Lot{
		ProductCode: l.ProductCode, Shares: wire.Shares(l.Shares), AcquiredOn: l.AcquiredOn.String(),
		CostFen: int64(l.Cost), Account: l.Account,
	}
}

// number writes a count of which 0 is unknown.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
