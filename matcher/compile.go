package matcher

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/track"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// Errors of this package.
var (
	// ErrCompile is wrapped when a pool, model or rule pack cannot become a core.
	ErrCompile = errors.New("core not compiled")
	// ErrOutsideValidity: the core does not speak for the instant asked about.
	ErrOutsideValidity = errors.New("outside the core's validity")
	// ErrUnknownProduct: the product is not in the pool.
	ErrUnknownProduct = errors.New("product not in the pool")
	// ErrRequest is wrapped when a request is out of bounds.
	ErrRequest = errors.New("invalid request")
)

// Identity names everything that a core was compiled from: with it, the same core can be
// compiled again years later.
type Identity struct {
	PoolRevision uint64
	DataSeq      uint64       // newest sequence number of market data
	AsOf         fund.Instant // instant that the core speaks for
	ModelID      string       // hex SHA-256 of the model file
	RulesID      string       // hex SHA-256 of the rule pack
	WordingID    string       // hash of the templates
	Engine       string       // version of the program
	// Definitions is behaviour.DefinitionVersion: what the features mean that are derived of
	// trail, lots and purchases. Compile fills it in; empty: a record that names none.
	Definitions string
}

// Inputs are what a core is compiled from.
type Inputs struct {
	Identity Identity
	Products []fund.Product // in any order
	// NAVs and Purchases stream the market data that the identity's cut allows: NAVs
	// dated before AsOf's day, interactions known by AsOf.
	NAVs      func(yield func(productCode string, navs []fund.NAV) error) error
	Purchases func(yield func(customerID string, purchases []fund.Purchase) error) error
	Model     *score.Model
	Rules     *eligibility.Pack
	Calendar  fund.Calendar
	Wording   *wording.Templates
}

// Core is a compiled pool. It is immutable and may be used by any number of goroutines.
type Core struct {
	identity    Identity
	products    []fund.Product // in code order
	index       map[string]int32
	records     []fund.TrackRecord
	forecast    *outcome.Forecast // nil: the model foresees nothing
	funds       fundTable
	classes     []fund.Class
	newIssue    []bool
	subjects    []objection.Subject // of each product, without day and peer
	limits      *objection.Limits
	contact     conversion.ContactLimits
	known       holdings
	gate        *eligibility.Gate
	quarantined []int
	rules       eligibility.Edition
	holdings    score.Holdings
	scorer      *score.Scorer
	chooser     *slate.Chooser
	model       *score.Model
	calendar    fund.Calendar
	text        *wording.Templates
	from, until fund.Instant
}

// fundTable ties share classes together.
type fundTable struct {
	of      []int32   // fund of each product
	members [][]int32 // products of each fund, in code order
	byCode  map[string]int32
}

// Compile makes a core. The order of the products does not matter. Errors wrap
// ErrCompile and name the product, rule or setting.
func Compile(in *Inputs) (*Core, error) {
	if err := in.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCompile, err)
	}
	c := &Core{
		identity: in.Identity, products: slices.Clone(in.Products), model: in.Model, calendar: in.Calendar, text: in.Wording,
	}
	c.identity.Definitions = behaviour.DefinitionVersion // whatever was asked for: it is this program that derives
	slices.SortFunc(c.products, func(a, b fund.Product) int { return strings.Compare(a.Code, b.Code) })
	for _, step := range []func(*Inputs) error{c.indexProducts, c.readTracks, c.compileGate, c.describe, c.readPurchases, c.compileScores} {
		if err := step(in); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCompile, err)
		}
	}
	return c, nil
}

// check sees to it that nothing is left out: a core without one of these would fail in
// the middle of an answer.
func (in *Inputs) check() error {
	for _, need := range [...]struct {
		name  string
		given bool
	}{
		{"instant that it speaks for", in.Identity.AsOf > 0},
		{"model", in.Model != nil},
		{"rule pack", in.Rules != nil},
		{"templates", in.Wording != nil},
		{"NAVs", in.NAVs != nil},
		{"purchases", in.Purchases != nil},
	} {
		if !need.given {
			return fmt.Errorf("no %s given", need.name)
		}
	}
	return nil
}

func (c *Core) indexProducts(*Inputs) error {
	n := len(c.products)
	c.index = make(map[string]int32, n)
	c.funds = fundTable{of: make([]int32, n), byCode: make(map[string]int32, n)}
	for i := range c.products {
		p := &c.products[i]
		if err := fund.CheckID(p.Code); err != nil {
			return fmt.Errorf("product %d: %w", i, err)
		}
		if _, twice := c.index[p.Code]; twice {
			return fmt.Errorf("product %s stands twice", p.Code)
		}
		c.index[p.Code] = int32(i)
		c.funds.add(int32(i), p.FundCode())
	}
	return nil
}

func (t *fundTable) add(product int32, code string) {
	f, ok := t.byCode[code]
	if !ok {
		f = int32(len(t.members))
		t.byCode[code] = f
		t.members = append(t.members, nil)
	}
	t.of[product] = f
	t.members[f] = append(t.members[f], product)
}

// readTracks computes the track record of every product that has NAVs. Classes without
// NAVs of their own have no record: another class's result is not theirs.
func (c *Core) readTracks(in *Inputs) error {
	day := c.identity.AsOf.Date()
	c.records = make([]fund.TrackRecord, len(c.products))
	for i := range c.records {
		c.records[i].AsOf = day
	}
	benchmarks, err := c.readBenchmarks(in)
	if err != nil {
		return err
	}
	settings := track.Settings{RiskFree: c.model.Settings.Track.RiskFree}
	ahead := c.newForesight()
	err = in.NAVs(func(code string, navs []fund.NAV) error {
		i, ok := c.index[code]
		if !ok {
			return nil
		}
		record, err := track.Compute(navs, day, settings)
		if err != nil {
			return fmt.Errorf("product %s: %w", code, err)
		}
		if name := c.products[i].Content.Benchmark; benchmarks[name] != nil && name != code {
			if record.Benchmark, err = track.Against(&record, name, benchmarks[name]); err != nil {
				return fmt.Errorf("product %s: benchmark %s: %w", code, name, err)
			}
		}
		c.records[i] = record
		return ahead.add(i, navs, &record)
	})
	if err != nil {
		return err
	}
	c.forecast, err = ahead.foresee(day)
	return err
}

// readBenchmarks keeps the NAVs of the products that others name as their benchmark. Most
// pools have none, and are read once.
func (c *Core) readBenchmarks(in *Inputs) (map[string][]fund.NAV, error) {
	named := map[string][]fund.NAV{}
	for i := range c.products {
		if code := c.products[i].Content.Benchmark; code != "" {
			if _, inPool := c.index[code]; inPool {
				named[code] = nil
			}
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	err := in.NAVs(func(code string, navs []fund.NAV) error {
		if _, wanted := named[code]; wanted {
			named[code] = slices.Clone(navs)
		}
		return nil
	})
	return named, err
}

func (c *Core) compileGate(in *Inputs) error {
	gate, err := eligibility.Compile(in.Rules, c.products, c.identity.AsOf)
	if err != nil {
		return err
	}
	c.gate = gate
	c.quarantine()
	c.rules = in.Rules.InForce(c.identity.AsOf)
	if err := c.checkModelInputs(in); err != nil {
		return err
	}
	c.from, c.until = gate.Validity()
	// The data of a core are those of its instant: it may not speak for earlier ones.
	c.from = max(c.from, c.identity.AsOf)
	return nil
}

// checkModelInputs holds what the model reads, for the score and for the probability of
// conversion, against the pack's forbidden inputs (F04).
func (c *Core) checkModelInputs(*Inputs) error {
	for f := range score.Features {
		if c.rules.ForbidsInput(f.String()) {
			return fmt.Errorf("%w: feature %s", score.ErrForbiddenInput, f)
		}
	}
	if m := c.model.Conversion; m != nil {
		for _, input := range m.Inputs() {
			if c.rules.ForbidsInput(input.String()) {
				return fmt.Errorf("%w: conversion: input %s", score.ErrForbiddenInput, input)
			}
		}
	}
	return nil
}

// describe sets up what the stages read of each product.
func (c *Core) describe(*Inputs) error {
	day := c.identity.AsOf.Date()
	n := len(c.products)
	c.newIssue, c.classes = make([]bool, n), make([]fund.Class, n)
	c.subjects, c.known = make([]objection.Subject, n), holdings{index: c.index, products: make([]behaviour.Product, n)}
	limits := c.objectionLimits()
	c.limits, c.contact = &limits, c.contactLimits()
	managed := c.managed()
	for i := range c.products {
		p := &c.products[i]
		c.newIssue[i], c.classes[i] = c.rules.IsNewIssue(p, day), p.Class()
		c.subjects[i] = objection.Subject{
			Product: p, Record: c.told(i), Grade: c.rules.Grade(p), Class: c.classes[i], NewIssue: c.newIssue[i],
			Limits: c.limits, Managed: managed[manager{p.Parties.ManagerName, c.classes[i]}],
		}
		known := behaviour.Product{
			FundCode: p.FundCode(), Issuer: p.Parties.Issuer, Grade: c.rules.Grade(p), LaunchedOn: p.Terms.LaunchedOn,
			UnitNAV: c.records[i].UnitNAV, NAVOn: c.records[i].Series.To, Falls: c.subjects[i].Record.Falls,
		}
		if len(p.Content.Themes) > 0 {
			known.Theme = p.Content.Themes[0]
		}
		c.known.products[i] = known
	}
	return nil
}

// told is the record that the stages read. Of a fund whose accumulated and unit NAVs are
// not on one basis no figure can be trusted (docs/track.md, Limits): it compares and
// measures nothing, and nothing of it is told. Explain lists the figures with that warning.
func (c *Core) told(i int) *fund.TrackRecord {
	r := &c.records[i]
	if !unclear(r) {
		return r
	}
	return &fund.TrackRecord{
		AsOf: r.AsOf, Series: r.Series, Observations: r.Observations, StaleDays: r.StaleDays, UnitNAV: r.UnitNAV, Gaps: r.Gaps,
	}
}

// unclear reports whether a record's NAVs are not on one basis.
func unclear(r *fund.TrackRecord) bool { return r.Payouts.Drifts }

// objectionLimits are the model's settings of the objection stage over its defaults.
func (c *Core) objectionLimits() objection.Limits {
	l, s := objection.DefaultLimits(), &c.model.Settings.Objection
	l.StaleDays = c.model.Settings.StaleDays
	l.ClosureLine, l.LossRatio, l.TenureMonths = s.ClosureLine, s.LossRatio, s.TenureDays/30
	l.ManagerFunds = s.ManyFunds - 1 // the model names the number from which on there are many
	return l
}

// contactLimits are the rule pack's (A06). Nobody is called in the evening or the night.
func (c *Core) contactLimits() conversion.ContactLimits {
	return conversion.ContactLimits{
		Cap: int32(c.rules.ContactCap()), WindowDays: int32(c.rules.ContactWindowDays()), RefusalDays: int32(c.rules.RefusalDays()),
		QuietFrom: int32(c.rules.QuietFrom()), QuietUntil: int32(c.rules.QuietUntil()),
	}
}

// manager is a manager's funds of one class: those that can be compared.
type manager struct {
	name  string
	class fund.Class
}

// managed lists the comparable funds of each manager, the first share class of each by
// code: all of them or none, never the best alone (W08). Managers are told apart by their
// names, which is all that the dataset has of them.
func (c *Core) managed() map[manager][]objection.Managed {
	managed := map[manager][]objection.Managed{}
	for i := range c.products {
		p := &c.products[i]
		if name := p.Parties.ManagerName; name != "" && c.funds.members[c.funds.of[i]][0] == int32(i) {
			key := manager{name, p.Class()}
			managed[key] = append(managed[key], objection.Managed{Code: p.Code, Name: p.Name, Record: c.told(i)})
		}
	}
	return managed
}

// holdings is the pool as behaviour asks about it.
type holdings struct {
	index    map[string]int32
	products []behaviour.Product
}

// Product implements behaviour.Pool.
func (h *holdings) Product(code string) *behaviour.Product {
	i, ok := h.index[code]
	if !ok {
		return nil
	}
	return &h.products[i]
}

func (c *Core) compileScores(in *Inputs) error {
	day := c.identity.AsOf.Date()
	scored := make([]score.Product, len(c.products))
	choices := make([]slate.Product, len(c.products))
	for i := range c.products {
		p := &c.products[i]
		subject := c.subjects[i]
		subject.Day = day
		scored[i] = score.Product{
			Product: p, Fund: c.funds.of[i], Record: subject.Record, Raises: uint32(objection.Raises(&subject)),
			ServiceLimit: c.serviceLimit(i), Grade: subject.Grade, Foreseen: c.foreseen(i),
		}
		choices[i] = slate.Product{
			Code: p.Code, Fund: c.funds.of[i], Issuer: p.Parties.Issuer, Manager: p.Parties.ManagerName,
			Themes: p.Content.Themes, Class: c.classes[i], NewIssue: c.newIssue[i],
		}
	}
	c.scorer = score.Compile(in.Model, scored, len(c.funds.members), c.holdings)
	s := &in.Model.Settings.Slate
	c.chooser = slate.Compile(choices, slate.Settings{
		MaxIssuerPct: s.MaxIssuerPct, MaxThemePct: s.MaxThemePct, MaxManagerPct: s.MaxManagerPct,
		MaxHeldPct: s.MaxHeldPct, NewIssuePct: c.rules.NewIssueShare(),
	})
	return nil
}

// Identity returns what the core was compiled from.
func (c *Core) Identity() Identity { return c.identity }

// Validity returns the span [from, until) that the core speaks for.
func (c *Core) Validity() (from, until fund.Instant) { return c.from, c.until }

// Len returns the number of products.
func (c *Core) Len() int { return len(c.products) }

// Product returns the product at a place in code order. It must not be changed.
func (c *Core) Product(i int) *fund.Product { return &c.products[i] }

// Find returns the place of a product.
func (c *Core) Find(code string) (int, bool) {
	i, ok := c.index[code]
	return int(i), ok
}

// Record returns the track record of the product at a place. It must not be changed.
func (c *Core) Record(i int) *fund.TrackRecord { return &c.records[i] }

// IsNewIssue reports whether the product at a place counts as a new issue (K03).
func (c *Core) IsNewIssue(i int) bool { return c.newIssue[i] }

// Classes returns the places of all share classes of the product's fund, in code order,
// itself included. The slice must not be changed.
func (c *Core) Classes(i int) []int32 { return c.funds.members[c.funds.of[i]] }

// Assumed lists the facts of a product that the bank did not give and that were assumed.
func (c *Core) Assumed(i int) []fund.Field { return c.gate.Assumed(i) }

// Wording returns the templates that texts are made with.
func (c *Core) Wording() *wording.Templates { return c.text }
