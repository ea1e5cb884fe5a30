package dataset

import (
	"encoding/json"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// AppendCells appends what the row says as cells. Only the level depends on
// risk_assessed_on; everything else was always true. The investor type is there even
// when it is unknown, so that a customer of whom nothing else is known exists.
func (v *CustomerRow) AppendCells(dst []features.Cell) []features.Cell {
	c := cellList{cells: dst, customer: v.CustomerID}
	p := &v.Person
	c.add(features.PersonView, "investor_type", p.InvestorType.String())
	c.addGiven(features.PersonView, "professional_class", p.Professional.Class)
	c.addGiven(features.PersonView, "professional_until", p.Professional.Until.String())
	c.addGiven(features.PersonView, "elects_ordinary", p.Professional.ElectsOrdinary.String())
	c.addGiven(features.PersonView, "qualified_class", p.Qualified.Class)
	c.addGiven(features.PersonView, "qualified_until", p.Qualified.Until.String())
	c.addGiven(features.PersonView, "pension_account", p.Pension.String())
	c.addChecks(v)
	c.addGiven(features.PersonView, "birth_date", p.BirthDate.String())
	c.addGiven(features.PersonView, "capacity", p.Capacity.String())
	c.addGiven(features.PersonView, "is_lowest_class", p.IsLowestClass.String())
	c.addGiven(features.PersonView, "industry", p.Industry)
	c.addGiven(features.PersonView, "segment", p.Segment)
	c.addGiven(features.PersonView, "branch_id", p.BranchID)
	c.addGiven(features.PersonView, "manager_id", p.ManagerID)
	c.addGiven(features.PersonView, "aum_fen", knownText(int64(p.AUM)))
	c.addGiven(features.PersonView, "income_fen", knownText(int64(p.Income)))
	c.addGiven(features.NeedsView, features.GoalsName, fund.JoinGoals(v.Needs.Goals))
	c.addGiven(features.NeedsView, features.HorizonName, knownText(int64(v.Needs.HorizonMonths)))
	c.addGiven(features.NeedsView, features.LiquidityName, v.Needs.Liquidity.String())
	c.addGiven(features.PersonalizationView, features.EnabledName, v.Personalization.String())
	for _, a := range v.Attributes {
		c.add(features.AttributeView, a.Name, a.Value)
	}
	c.addLevel(v.Level)
	return c.cells
}

// cellList gathers the cells of one customer.
type cellList struct {
	cells    []features.Cell
	customer string
}

// add appends a cell that was always true.
func (c *cellList) add(view features.View, name, value string) {
	c.cells = append(c.cells, features.Cell{CustomerID: c.customer, View: view, Name: name, Value: value})
}

func (c *cellList) addGiven(view features.View, name, value string) {
	if value != "" {
		c.add(view, name, value)
	}
}

// addChecks says which checks are open; none only where the file says so, since an empty
// field reports nothing and must not end what an earlier file reported.
func (c *cellList) addChecks(v *CustomerRow) {
	if checks := v.Person.OpenChecks; checks != 0 || v.NoOpenChecks {
		c.add(features.PersonView, "open_checks", checks.String())
	}
}

func (c *cellList) addLevel(l CustomerLevel) {
	if l.Level == fund.LevelUnknown {
		return
	}
	name, value := features.PredictedName, l.Level.String()
	if l.IsAssessment() {
		name = features.AssessedName
		value = jsonText(features.AssessmentValue{Level: value, On: l.AssessedOn.String()})
	}
	c.cells = append(c.cells, features.Cell{
		CustomerID: c.customer, View: features.AssessmentView, Name: name, Value: value, EventAt: l.AssessedOn.Start(),
	})
}

// AppendCells appends the assessment, true and known from the moment it was made.
func (v *AssessmentRow) AppendCells(dst []features.Cell) []features.Cell {
	return append(dst, features.Cell{
		CustomerID: v.CustomerID, View: features.AssessmentView, Name: features.AssessedName,
		Value: jsonText(features.AssessmentValue{
			Level: v.Level.String(), On: v.AssessedAt.Date().String(), Questionnaire: v.Questionnaire, Channel: v.Channel,
		}),
		EventAt: v.AssessedAt, KnownAt: v.AssessedAt,
	})
}

// AppendCells appends the consent; its channel is the cell's source.
func (v *ConsentRow) AppendCells(dst []features.Cell) []features.Cell {
	return append(dst, features.Cell{
		CustomerID: v.CustomerID, View: features.ConsentView, Name: v.Purpose, Value: strconv.FormatBool(v.Granted),
		EventAt: v.EventAt, Source: v.Channel, Purpose: v.Purpose,
	})
}

// AppendCells appends the tag.
func (v *TagRow) AppendCells(dst []features.Cell) []features.Cell {
	return append(dst, features.Cell{
		CustomerID: v.CustomerID, View: features.TagView, Name: v.Name, Value: v.Value,
		EventAt: v.EventAt, KnownAt: v.KnownAt, ValidTo: v.ValidTo, Source: v.Source, Purpose: v.Purpose,
	})
}

// AppendCells appends the lot of a row without a batch_id. What a batch says is known when
// all of its rows are: Folder.Load puts its rows together.
func (v *HoldingRow) AppendCells(dst []features.Cell) []features.Cell {
	return append(dst, features.Cell{
		CustomerID: v.CustomerID, View: features.LotView, Name: features.LotName(v.ProductCode, v.AcquiredOn, v.Account),
		Value: jsonText(features.LotValueOf(v.Lot)), EventAt: v.AcquiredOn.Start(),
	})
}

// jsonText writes a value of texts and whole numbers, which encoding/json cannot refuse.
func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func knownText(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
