package cache

import (
	"unsafe"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// overhead is what ristretto and the maps of it need for an entry besides its values:
// key, item, two map slots.
const overhead = 256

// size returns the bytes that an entry holds in memory.
func size(p *fund.Profile) int64 {
	n := overhead + int(unsafe.Sizeof(entry{})+unsafe.Sizeof(*p)) + len(p.CustomerID) + len(p.Needs.Goals)
	n += len(p.Person.Professional.Class) + len(p.Person.Industry) + len(p.Person.Segment) + len(p.Person.BranchID) + len(p.Person.ManagerID)
	n += len(p.Assessment.Questionnaire) + len(p.Assessment.Channel)
	n += cap(p.Tags)*int(unsafe.Sizeof(fund.Tag{})) + cap(p.Lots)*int(unsafe.Sizeof(fund.Lot{}))
	n += cap(p.Consents)*int(unsafe.Sizeof(fund.Consent{})) + cap(p.Trail.Recent)*int(unsafe.Sizeof(fund.Event{}))
	n += cap(p.Assessments) * int(unsafe.Sizeof(fund.Assessed{}))
	n += cap(p.Purchases)*int(unsafe.Sizeof(fund.Purchase{})) + cap(p.Attributes)*int(unsafe.Sizeof(fund.Attribute{}))
	for i := range p.Tags {
		t := &p.Tags[i]
		n += len(t.Name) + len(t.Value) + len(t.Source) + len(t.Purpose)
	}
	for i := range p.Lots {
		n += len(p.Lots[i].ProductCode) + len(p.Lots[i].Account) + len(p.Lots[i].BatchID)
	}
	for i := range p.Purchases {
		n += len(p.Purchases[i].ProductCode) + len(p.Purchases[i].Kind)
	}
	for i := range p.Attributes {
		n += len(p.Attributes[i].Name) + len(p.Attributes[i].Value)
	}
	for i := range p.Consents {
		n += len(p.Consents[i].Purpose)
	}
	for i := range p.Trail.Recent {
		e := &p.Trail.Recent[i]
		n += len(e.ProductCode) + len(e.Channel) + len(e.About)
	}
	n += cap(p.Features) * int(unsafe.Sizeof(fund.Feature{}))
	for i := range p.Features {
		f := &p.Features[i]
		n += len(f.View) + len(f.Name) + len(f.Value) + len(f.Source) + len(f.Purpose)
	}
	return int64(n)
}
