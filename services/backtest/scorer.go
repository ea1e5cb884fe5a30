package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// This file is all that the backtest knows of matcher/score: the recommenders here score
// as the service does, by the same code.

// funds joins the share classes of the products, as a core does.
type funds struct {
	of    []int32 // fund of each product
	count int
}

func fundsOf(products []fund.Product) funds {
	f := funds{of: make([]int32, len(products))}
	number := map[string]int32{}
	for i := range products {
		code := products[i].FundCode()
		n, ok := number[code]
		if !ok {
			n = int32(len(number))
			number[code] = n
		}
		f.of[i] = n
	}
	f.count = len(number)
	return f
}

// owned appends the funds that a customer had bought: ascending, different.
func (f *funds) owned(h *History, customer int32, dst []int32) []int32 {
	products, _ := h.Bought(customer)
	for _, p := range products {
		dst = append(dst, f.of[p])
	}
	slices.Sort(dst)
	return slices.Compact(dst)
}

// neighbours counts who bought what together.
func (f *funds) neighbours(h *History, s score.NearestSettings) *score.Neighbours {
	baskets := score.NewBaskets(s.MaxBasket)
	var owned []int32
	for c := range int32(h.Customers()) {
		owned = f.owned(h, c, owned[:0])
		baskets.Add(owned)
	}
	return baskets.Neighbours(f.count, s)
}

// holdings learns who holds what together, as a core does.
func (f *funds) holdings(ctx context.Context, h *History, s *score.AffinitySettings, workers int) (score.Holdings, error) {
	if s.IsNearest {
		return score.Holdings{Nearest: f.neighbours(h, s.Nearest)}, nil
	}
	customers := func(yield func(affinity.Customer) error) error {
		var own affinity.Customer
		for c := range int32(h.Customers()) {
			own.Purchases = own.Purchases[:0]
			bought, knownOn := h.Bought(c)
			for i, p := range bought {
				own.Purchases = append(own.Purchases, affinity.Purchase{Item: f.of[p], Day: int32(knownOn[i].DayNumber())})
			}
			if err := yield(own); err != nil {
				return err
			}
		}
		return nil
	}
	learned, err := score.Learn(ctx, f.joined(h.Products()), customers, int32(h.AsOf().DayNumber()), s.Learned, affinity.Options{Workers: workers})
	if err != nil {
		return score.Holdings{}, err
	}
	return score.Holdings{Learned: learned.Model}, nil
}

// joined are the products by their funds.
func (f *funds) joined(products []fund.Product) *score.Funds {
	out := &score.Funds{Products: make([]*fund.Product, len(products)), Of: f.of, Codes: make([]string, f.count)}
	for i := range products {
		out.Products[i] = &products[i]
		out.Codes[f.of[i]] = products[i].FundCode()
	}
	return out
}

// Nearest returns the recommender that lists the products bought most together with what
// the customer has: item kNN, co(x,y) / (n_x^a n_y^b), with the settings of the models
// of before version 3. It is the baseline that a model has to beat.
func Nearest() Recommender {
	return &nearest{settings: score.NearestSettings{OwnedPower: .5, CandidatePower: .1, Neighbours: 200, MaxBasket: 500}}
}

type nearest struct{ settings score.NearestSettings }

func (*nearest) Names() []string { return []string{"knn"} }

func (n *nearest) Train(_ context.Context, h *History, _ int) ([]Model, error) {
	m := &nearestModel{history: h, funds: fundsOf(h.Products())}
	m.neighbours = m.funds.neighbours(h, n.settings)
	return []Model{m}, nil
}

type nearestModel struct {
	history    *History
	funds      funds
	neighbours *score.Neighbours
}

func (m *nearestModel) Ranker() Ranker {
	return &nearestRanker{model: m, affinity: make([]float64, m.funds.count), score: make([]float64, len(m.funds.of))}
}

type nearestRanker struct {
	model           *nearestModel
	owned           []int32
	affinity, score []float64
}

func (r *nearestRanker) Rank(customer int32, permitted []uint64, k int, dst []int32) []int32 {
	m := r.model
	r.owned = m.funds.owned(m.history, customer, r.owned[:0])
	m.neighbours.Accumulate(r.owned, r.affinity)
	for i, f := range m.funds.of {
		r.score[i] = r.affinity[f]
	}
	return top(r.score, permitted, k, dst)
}

// ErrFeature is wrapped when a variant leaves out a feature that there is not.
var ErrFeature = errors.New("unknown feature")

// Scored returns the recommender that scores as the service does under a model. Each
// variant leaves out features, by name: the same model with their weights 0.
func Scored(m *score.Model, variants [][]string) (Recommender, error) {
	r := &scored{models: []*score.Model{m}, names: []string{m.Name}}
	for _, features := range variants {
		v, err := without(m, features)
		if err != nil {
			return nil, err
		}
		r.models = append(r.models, v)
		r.names = append(r.names, m.Name+" without "+strings.Join(features, ", "))
	}
	return r, nil
}

// Demand is a model with nothing but the terms that are learned from purchases: what a
// backtest can hold against purchases. The others lead away from what people bought, and are
// there for that: what they cost is asked for with the whole model.
func Demand(m *score.Model) *score.Model {
	d := *m
	for f := range score.Features {
		if f != score.Affinity && f != score.Popularity {
			d.Weights[f] = 0
		}
	}
	return &d
}

func without(m *score.Model, features []string) (*score.Model, error) {
	v := *m
	for _, name := range features {
		f, ok := featureOf(name)
		if !ok {
			return nil, fmt.Errorf("%w: %.80q, expected one of %s", ErrFeature, name, strings.Join(featureNames(), " "))
		}
		v.Weights[f] = 0
	}
	return &v, nil
}

func featureOf(name string) (score.Feature, bool) {
	for f := range score.Features {
		if f.String() == name {
			return f, true
		}
	}
	return 0, false
}

func featureNames() (names []string) {
	for f := range score.Features {
		names = append(names, f.String())
	}
	return names
}

type scored struct {
	models []*score.Model
	names  []string
}

func (s *scored) Names() []string { return s.names }

// Train learns the affinity once: the variants differ in weights only.
func (s *scored) Train(ctx context.Context, h *History, workers int) ([]Model, error) {
	products := h.Products()
	f := fundsOf(products)
	holdings, err := f.holdings(ctx, h, &s.models[0].Settings.Affinity, workers)
	if err != nil {
		return nil, err
	}
	unrecorded := &fund.TrackRecord{AsOf: h.AsOf()} // a backtest folder has no NAVs
	subjects := make([]score.Product, len(products))
	for i := range products {
		subjects[i] = score.Product{Product: &products[i], Fund: f.of[i], Record: unrecorded}
	}
	var models []Model
	for _, m := range s.models {
		models = append(models, &scoredModel{history: h, funds: &f, scorer: score.Compile(m, subjects, f.count, holdings)})
	}
	return models, nil
}

type scoredModel struct {
	history *History
	funds   *funds
	scorer  *score.Scorer
}

func (m *scoredModel) Ranker() Ranker { return &scoredRanker{model: m} }

type scoredRanker struct {
	model    *scoredModel
	customer score.Customer
	scores   score.Scores
}

// Rank scores as for an answer: of the customer it tells what was known of him then.
func (r *scoredRanker) Rank(customer int32, permitted []uint64, k int, dst []int32) []int32 {
	m := r.model
	owned := m.funds.owned(m.history, customer, r.customer.Owned[:0])
	r.customer = score.Customer{Personal: true, Level: m.history.Level(customer), Owned: owned}
	m.scorer.Score(&r.customer, permitted, &r.scores)
	return top(r.scores.Product, permitted, k, dst)
}
