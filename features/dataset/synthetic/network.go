package synthetic

import (
	"fmt"

	"github.com/fundmatch/fundmatch/features"
)

// manager is a relationship manager and how he sells.
type manager struct {
	row    features.Manager
	pushes bool // sells what is in subscription, and has the old redeemed for it
	issuer int  // the issuer whose funds he knows best
}

// network are the bank's branches and their managers.
type network struct {
	branches []features.Branch
	managers []manager
	outlets  int
}

// The size of the network: so many customers an outlet, within bounds, and so many
// managers in each.
const (
	customersPerOutlet = 700
	minOutlets         = 3
	maxOutlets         = 600
	managersPerOutlet  = 4
)

var regions = [...]string{"华东", "华南", "华北", "西南", "华中"}

// headOffice is the id of the branch above all others.
const headOffice = "HO"

func newNetwork(opts Options) *network {
	n := &network{outlets: min(max(opts.Customers/customersPerOutlet, minOutlets), maxOutlets)}
	n.branches = append(n.branches, features.Branch{ID: headOffice, Name: "示例银行总行", Region: "总行"})
	for i, region := range regions {
		n.branches = append(n.branches, features.Branch{ID: fmt.Sprintf("R%02d", i+1), Name: region + "分行", Region: region, ParentID: headOffice})
	}
	for i := range n.outlets {
		region := i % len(regions)
		n.branches = append(n.branches, features.Branch{
			ID: outletID(i), Name: fmt.Sprintf("%s第%d支行", regions[region], i/len(regions)+1), Region: regions[region],
			ParentID: fmt.Sprintf("R%02d", region+1),
		})
		for j := range managersPerOutlet {
			n.managers = append(n.managers, newManager(opts, i, j))
		}
	}
	return n
}

func outletID(i int) string { return fmt.Sprintf("B%04d", i+1) }

// newManager draws a manager. The first three of the bank are fixed: one who sells by need,
// one who pushes new issues, and the only one whose licence has expired.
func newManager(opts Options, outlet, desk int) manager {
	index := outlet*managersPerOutlet + desk
	s := newStream(opts.Seed, managerStream, index)
	m := manager{pushes: s.chance(0.25), issuer: s.intn(len(issuers))}
	m.row = features.Manager{ID: fmt.Sprintf("M%05d", index+1), BranchID: outletID(outlet)}
	m.row.LicenceID = fmt.Sprintf("F%09d", s.intn(1_000_000_000))
	m.row.LicenceUntil = opts.AsOf.AddDays(s.between(60, 1_000))
	switch {
	case index < 2:
		m.pushes = index == 1
	case index == 2:
		m.row.LicenceUntil = opts.AsOf.AddDays(-45)
	}
	return m
}
