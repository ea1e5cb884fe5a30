package features

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The names of cells within the views that have fixed ones.
const (
	AssessedName  = "assessed"
	PredictedName = "predicted"
	GoalsName     = "goals"
	HorizonName   = "horizon_months"
	LiquidityName = "liquidity_need"
	EnabledName   = "enabled"
	SnapshotName  = "snapshot"
)

// AssessmentValue is the value of the cell assessment/assessed, as JSON.
type AssessmentValue struct {
	Level         string `json:"level"`
	On            string `json:"on"` // the day that it holds from, YYYY-MM-DD
	Questionnaire string `json:"questionnaire,omitempty"`
	Channel       string `json:"channel,omitempty"`
}

// LotValue is the value of a cell of the view lot, as JSON, and an entry of the list
// in holdings/snapshot.
type LotValue struct {
	ProductCode string `json:"product_code"`
	Shares      int64  `json:"shares"` // 1/10000 of a share
	AcquiredOn  string `json:"acquired_on"`
	CostFen     int64  `json:"cost_fen,omitempty"`
	Account     string `json:"account,omitempty"`
	BatchID     string `json:"batch_id,omitempty"`
}

// LotName is the name of a lot's cell: its key in holdings.csv.
func LotName(productCode string, acquiredOn fund.Date, account string) string {
	return productCode + "|" + acquiredOn.String() + "|" + account
}

// Newest returns the first instant at which every cell, purchase and event is visible:
// from it on, the profile is the same for every instant, so a head row can answer.
// lastEvent is the latest Event.VisibleFrom; 0: there are no events.
func Newest(cells []Cell, purchases []fund.Purchase, lastEvent fund.Instant) fund.Instant {
	newest := lastEvent
	for i := range cells {
		newest = max(newest, cells[i].EventAt, cells[i].Known())
	}
	for i := range purchases {
		newest = max(newest, purchases[i].KnownOn.Start())
	}
	return newest
}

// Fold builds the profile of a customer as of an instant, as known at an instant, from all
// of his cells and purchases, in any order. Revision and Trail are the caller's to set. A value that does
// not parse is ErrInvalid: a store that holds one is damaged, and nobody is matched on a
// guess.
func Fold(customerID string, cells []Cell, purchases []fund.Purchase, a AsOf) (*fund.Profile, error) {
	f := folding{profile: &fund.Profile{CustomerID: customerID}}
	for _, c := range newestPerName(cells, a) {
		if err := f.add(c); err != nil {
			return nil, fmt.Errorf("%w: customer %s, cell %s/%s: %w", ErrInvalid, customerID, c.View, c.Name, err)
		}
	}
	if f.holding.cell == nil && len(f.lots) == 0 && !a.KnownOnly {
		if err := f.holding.addFirst(cells, a); err != nil {
			return nil, fmt.Errorf("%w: customer %s, a posting batch: %w", ErrInvalid, customerID, err)
		}
	}
	f.settleLots()
	var err error
	if f.profile.Assessments, err = assessments(cells, a); err != nil {
		return nil, fmt.Errorf("%w: customer %s, an assessment: %w", ErrInvalid, customerID, err)
	}
	for i := range purchases {
		if purchases[i].KnownOn.Start() <= min(a.At, a.Known) {
			f.profile.Purchases = append(f.profile.Purchases, purchases[i])
		}
	}
	slices.SortFunc(f.profile.Purchases, ComparePurchases)
	return f.profile, nil
}

// ComparePurchases orders purchases by product, day, kind and amount.
func ComparePurchases(a, b fund.Purchase) int {
	if c := strings.Compare(a.ProductCode, b.ProductCode); c != 0 {
		return c
	}
	if a.KnownOn != b.KnownOn {
		return int(a.KnownOn) - int(b.KnownOn)
	}
	if c := strings.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	return int(max(-1, min(1, a.Amount-b.Amount)))
}

// newestPerName returns, in (view, name) order, the visible cell in force of each name.
func newestPerName(cells []Cell, a AsOf) []*Cell {
	visible := make([]*Cell, 0, len(cells))
	for i := range cells {
		if cells[i].Visible(a) {
			visible = append(visible, &cells[i])
		}
	}
	slices.SortFunc(visible, func(a, b *Cell) int {
		if c := strings.Compare(string(a.View), string(b.View)); c != 0 {
			return c
		}
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return Compare(a, b)
	})
	out := visible[:0]
	for i, c := range visible {
		if i+1 == len(visible) || visible[i+1].View != c.View || visible[i+1].Name != c.Name {
			out = append(out, c)
		}
	}
	return out
}

// folding collects what several cells decide together.
type folding struct {
	profile *fund.Profile
	holding holding
	lots    []lotCell
}

type lotCell struct {
	lot     fund.Lot
	eventAt fund.Instant
}

func (f *folding) add(c *Cell) error {
	switch c.View {
	case LotView:
		return f.addLot(c)
	case HoldingsView:
		return f.holding.add(c)
	default:
	}
	if !c.View.BuiltIn() {
		return f.addFeature(c)
	}
	if c.Tombstone {
		return nil
	}
	p := f.profile
	switch c.View {
	case PersonView:
		return setPerson(&p.Person, c.Name, c.Value)
	case AssessmentView:
		return setAssessment(p, c)
	case NeedsView:
		return setNeed(&p.Needs, c.Name, c.Value)
	case PersonalizationView:
		return set(&p.Personalization, c.Value, fund.ParseAnswer)
	case TagView:
		to := c.ValidTo
		if to == 0 {
			to = fund.Forever
		}
		p.Tags = append(p.Tags, fund.Tag{Name: c.Name, Value: c.Value, From: c.EventAt, To: to, Source: c.Source, Purpose: c.Purpose})
	case AttributeView:
		p.Attributes = append(p.Attributes, fund.Attribute{Name: c.Name, Value: c.Value})
	case ConsentView: // in the order of the names, which are the purposes
		granted, err := parseConsent(c.Value)
		p.Consents = append(p.Consents, fund.Consent{Purpose: c.Name, Granted: granted, At: c.EventAt})
		return err
	default:
		return fmt.Errorf("unknown view %q", c.View)
	}
	return nil
}

// addFeature adds a cell of one of the bank's own views; a removed one keeps its instant.
func (f *folding) addFeature(c *Cell) error {
	out := fund.Feature{View: string(c.View), Name: c.Name, Value: c.Value, From: c.EventAt, To: c.ValidTo, Source: c.Source, Purpose: c.Purpose}
	if out.To == 0 {
		out.To = fund.Forever
	}
	if c.Tombstone {
		out.Value = ""
	} else if canonical, err := CanonicalValue(c.Value); err != nil || canonical != c.Value {
		return Invalid("value", c.Value, "canonical JSON: a text, number, true, false, null, or a list of texts")
	}
	f.profile.Features = append(f.profile.Features, out)
	return nil
}

func (f *folding) addLot(c *Cell) error {
	if c.Tombstone {
		return nil
	}
	var v LotValue
	if err := json.Unmarshal([]byte(c.Value), &v); err != nil {
		return err
	}
	lot, err := v.Lot()
	f.lots = append(f.lots, lotCell{lot: lot, eventAt: c.EventAt})
	return err
}

// settleLots merges the snapshot or batch in force with the lots acquired after it: it
// says all that there was at its time, so older single lots no longer speak.
func (f *folding) settleLots() {
	lots := f.holding.lots
	for _, l := range f.lots {
		if f.holding.cell == nil || l.eventAt > f.holding.cell.EventAt {
			lots = append(lots, l.lot)
		}
	}
	slices.SortFunc(lots, CompareLots)
	f.profile.Lots = lots
}

// CompareLots orders lots by product, day, account and batch.
func CompareLots(a, b fund.Lot) int {
	if c := strings.Compare(a.ProductCode, b.ProductCode); c != 0 {
		return c
	}
	if a.AcquiredOn != b.AcquiredOn {
		return int(a.AcquiredOn) - int(b.AcquiredOn)
	}
	if c := strings.Compare(a.Account, b.Account); c != 0 {
		return c
	}
	return strings.Compare(a.BatchID, b.BatchID)
}

// Lot returns the value as a lot.
func (v LotValue) Lot() (fund.Lot, error) {
	day, err := fund.ParseDate(v.AcquiredOn)
	return fund.Lot{
		ProductCode: v.ProductCode, Shares: fund.Shares(v.Shares), AcquiredOn: day,
		Cost: fund.Money(v.CostFen), Account: v.Account, BatchID: v.BatchID,
	}, err
}

// LotValueOf is the inverse of LotValue.Lot.
func LotValueOf(l fund.Lot) LotValue {
	return LotValue{
		ProductCode: l.ProductCode, Shares: int64(l.Shares), AcquiredOn: l.AcquiredOn.String(),
		CostFen: int64(l.Cost), Account: l.Account, BatchID: l.BatchID,
	}
}

func setAssessment(p *fund.Profile, c *Cell) error {
	if c.Name == PredictedName {
		return set(&p.PredictedLevel, c.Value, fund.ParseRiskLevel)
	}
	a, err := parseAssessment(c)
	p.Assessment = a
	return err
}

func parseAssessment(c *Cell) (fund.Assessment, error) {
	var v AssessmentValue
	if err := json.Unmarshal([]byte(c.Value), &v); err != nil {
		return fund.Assessment{}, err
	}
	level, err := fund.ParseRiskLevel(v.Level)
	if err != nil {
		return fund.Assessment{}, err
	}
	on, err := fund.ParseDate(v.On)
	return fund.Assessment{Level: level, On: on, At: c.EventAt, Questionnaire: v.Questionnaire, Channel: v.Channel}, err
}

// assessments returns the newest assessments that were true and known at an instant, oldest
// first (S13). What is said of one instant more than once is one assessment when a later
// import corrects it, or when it is the same level again, as a caller who got no answer says
// it again. customers.csv repeats the newest of assessments.csv by its day: an entry of a
// day's first instant, of which no bank says when it knew it, is the one with an hour, of the
// same day and level, once more.
func assessments(cells []Cell, a AsOf) ([]fund.Assessed, error) {
	var said []*Cell
	for i := range cells {
		if c := &cells[i]; c.View == AssessmentView && c.Name == AssessedName && !c.Tombstone && c.Visible(a) {
			said = append(said, c)
		}
	}
	slices.SortFunc(said, Compare)
	var out []fund.Assessed
	dayOnly := map[fund.Assessed]bool{}
	for i, c := range said {
		if i+1 < len(said) && said[i+1].EventAt == c.EventAt && said[i+1].KnownAt == c.KnownAt {
			continue // corrected
		}
		taken, err := parseAssessment(c)
		if err != nil {
			return nil, err
		}
		entry := fund.Assessed{At: taken.At, Level: taken.Level}
		day := fund.Assessed{At: entry.At.Date().Start(), Level: entry.Level}
		dayOnly[entry] = entry == day && c.KnownAt == 0
		out = append(slices.DeleteFunc(out, func(o fund.Assessed) bool { return o == entry || o == day && dayOnly[day] }), entry)
	}
	return out[max(0, len(out)-fund.MaxAssessed):], nil
}

func setNeed(n *fund.StatedNeeds, name, value string) error {
	switch name {
	case GoalsName:
		return set(&n.Goals, value, fund.ParseGoals)
	case HorizonName:
		return set(&n.HorizonMonths, value, parseHorizon)
	case LiquidityName:
		return set(&n.Liquidity, value, fund.ParseNeed)
	}
	return fmt.Errorf("unknown name %q", name)
}

func setPerson(p *fund.Person, name, value string) error {
	switch name {
	case "investor_type":
		return set(&p.InvestorType, value, fund.ParseInvestorType)
	case "professional_class":
		p.Professional.Class = value
	case "professional_until":
		return set(&p.Professional.Until, value, fund.ParseDate)
	case "elects_ordinary":
		return set(&p.Professional.ElectsOrdinary, value, fund.ParseAnswer)
	case "birth_date":
		return set(&p.BirthDate, value, fund.ParseDate)
	case "capacity":
		return set(&p.Capacity, value, fund.ParseCapacity)
	case "is_lowest_class":
		return set(&p.IsLowestClass, value, fund.ParseAnswer)
	case "industry":
		p.Industry = value
	case "segment":
		p.Segment = value
	case "branch_id":
		p.BranchID = value
	case "manager_id":
		p.ManagerID = value
	case "aum_fen":
		return set(&p.AUM, value, parseMoney)
	case "income_fen":
		return set(&p.Income, value, parseMoney)
	default:
		return setShown(p, name, value)
	}
	return nil
}

// setShown reads what the customer has shown the bank, or not shown yet.
func setShown(p *fund.Person, name, value string) error {
	switch name {
	case "qualified_class":
		p.Qualified.Class = value
		return nil
	case "qualified_until":
		return set(&p.Qualified.Until, value, fund.ParseDate)
	case "pension_account":
		return set(&p.Pension, value, fund.ParseAnswer)
	case "open_checks":
		return set(&p.OpenChecks, value, fund.ParseChecks)
	}
	return fmt.Errorf("unknown name %q", name)
}

// set parses a value into dst.
func set[T any](dst *T, value string, parse func(string) (T, error)) error {
	v, err := parse(value)
	if err != nil {
		return err
	}
	*dst = v
	return nil
}

func parseConsent(s string) (bool, error) {
	if s != "true" && s != "false" {
		return false, fmt.Errorf("%q, expected true or false", s)
	}
	return s == "true", nil
}

func parseMoney(s string) (fund.Money, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > int64(fund.MaxMoney) {
		return 0, fmt.Errorf("%q, expected fen from 0 to %d", s, fund.MaxMoney)
	}
	return fund.Money(n), nil
}

func parseHorizon(s string) (int32, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 || n > fund.MaxHorizonMonths {
		return 0, fmt.Errorf("%q, expected months from 0 to %d", s, fund.MaxHorizonMonths)
	}
	return int32(n), nil
}
