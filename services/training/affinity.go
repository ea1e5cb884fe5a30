package training

import (
	"context"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// addAffinity trains the affinity ahead, as of the last day, and adds its section. A base of
// neighbours alone has none.
func (r *running) addAffinity(ctx context.Context, sections map[string][]byte) error {
	learned, err := r.learnAffinity(ctx, r.survey.through, r.Options.Workers)
	if err != nil || learned == nil {
		return err
	}
	data, err := learned.AppendBinary(nil)
	if err != nil {
		return err
	}
	sections[modelfile.SectionAffinity] = data
	r.report.Affinity = affinityTold(learned.Model, len(data))
	return nil
}

// Affinity tells what was learned of who holds what.
type Affinity struct {
	AsOf  string `json:"asOf"` // the day by whose end it was known
	Funds int    `json:"funds"`
	Held  int    `json:"held"`  // funds that somebody holds or held; of the others only their likes speak
	Bytes int    `json:"bytes"` // of the section
}

func affinityTold(m *affinity.Model, size int) *Affinity {
	told := &Affinity{AsOf: fund.DateOfDay(int(m.AsOf())).String(), Funds: m.Items(), Bytes: size}
	for _, n := range m.Holders() {
		if n > 0 {
			told.Held++
		}
	}
	return told
}

// learnAffinity learns what was known of the owners by the end of a day; nil where the base is
// of neighbours alone. What is served and what the examples were read through is learned
// here, in the same way.
func (r *running) learnAffinity(ctx context.Context, day fund.Date, workers int) (*score.TrainedAffinity, error) {
	settings := &r.base.Settings.Affinity
	if settings.IsNearest {
		return nil, nil //nolint:nilnil // there is nothing to learn
	}
	groups := groupsOf(r.owners)
	customers := func(yield func(affinity.Customer) error) error {
		for i := range r.owners {
			if err := yield(r.owners[i].among(groups)); err != nil {
				return err
			}
		}
		return nil
	}
	learned, err := score.Learn(ctx, r.pool.joined(), customers, int32(day.DayNumber()), settings.Learned, affinity.Options{Workers: workers})
	if err != nil {
		return nil, err
	}
	learned.Names.Groups = groups
	return learned, nil
}

// joined are the products by their funds.
func (p *poolOf) joined() *score.Funds {
	f := &score.Funds{Products: make([]*fund.Product, len(p.products)), Of: make([]int32, len(p.products))}
	for i := range p.products {
		f.Products[i] = &p.products[i]
		f.Of[i] = p.funds[p.products[i].Code]
		if int(f.Of[i]) == len(f.Codes) { // numbered in the order of the products
			f.Codes = append(f.Codes, p.products[i].FundCode())
		}
	}
	return f
}
