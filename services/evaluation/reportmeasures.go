package evaluation

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate/conduct"
	"github.com/fundmatch/fundmatch/matcher/evaluate/funnel"
	"github.com/fundmatch/fundmatch/matcher/evaluate/money"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// The parts of a run that a report is made of, besides that of the policy.
const (
	partOverview = "overview"
	partConduct  = "conduct"
	partFunnel   = "funnel"
	partMoney    = "money"
	partGroups   = "groups"
	partArms     = "arms"
)

// ReportCutoff is how many places of a list nDCG and ROI look at.
const ReportCutoff = 10

// ReportParts are the parts that Report reads. They are asked of the same run as the policy's.
func ReportParts(segments []string) []Part {
	return []Part{
		{partOverview, func() Measure { return &overview{} }},
		{partConduct, func() Measure { return &conductMeasure{} }},
		{partFunnel, func() Measure { return &funnelMeasure{} }},
		{partMoney, func() Measure { return newMoneyMeasure() }},
		{partGroups, func() Measure { return newGroups(segments) }},
		{partArms, func() Measure { return newArms() }},
		{partForecasts, func() Measure { return newForecasts() }},
	}
}

// ReportTexts are the columns of text that the report reads where the log has them, besides those of the segments.
func ReportTexts(segments []string) []string {
	return slices.DeleteFunc([]string{
		policylog.ColumnRiskLevel, policylog.ColumnRiskGrade, policylog.ColumnIssuer, policylog.ColumnArm,
		policylog.ColumnForeseen, policylog.ColumnRaised,
	}, func(name string) bool { return slices.Contains(segments, name) })
}

// ReportNumbers are the columns of numbers that the report reads where the log has them.
func ReportNumbers() []string {
	conducts, funnels := conduct.FlagColumns(), funnel.FlagColumns()
	return uniqueOf(conducts[:], funnels[:], returnColumns(), []string{policylog.ColumnAmount, policylog.ColumnHeldDays, policylog.ColumnProbability})
}

// returnColumns are those of money.HorizonDays.
func returnColumns() []string {
	return []string{policylog.ColumnReturn90, policylog.ColumnReturn180, policylog.ColumnReturn365}
}

// uniqueOf joins lists of names, each name once.
func uniqueOf(lists ...[]string) (names []string) {
	for _, name := range slices.Concat(lists...) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// textOf is a block's column of text, nil where the log lacks it.
func textOf(b *policylog.Block, name string) *policylog.Text {
	for i := range b.Texts {
		if t := &b.Texts[i]; t.Name == name && t.There {
			return t
		}
	}
	return nil
}

// numbersOf is a block's column of numbers, nil where the log lacks it.
func numbersOf(b *policylog.Block, name string) []float64 {
	for i := range b.Numbers {
		if n := &b.Numbers[i]; n.Name == name && n.There {
			return n.Values
		}
	}
	return nil
}

// flagsOf are columns of yes and no. What is neither is an error that names the row.
func flagsOf(b *policylog.Block, names []string, out [][]float64) error {
	for i, name := range names {
		out[i] = numbersOf(b, name)
		for row, v := range out[i] {
			if v != 0 && v != 1 && !math.IsNaN(v) {
				return rowError(b, row, name, fmt.Sprint(v), "1, 0, or nothing where it is not known")
			}
		}
	}
	return nil
}

// rowError names a row of a block, what stands there and what was expected.
func rowError(b *policylog.Block, row int, column, value, want string) error {
	decision, _ := slices.BinarySearch(b.Ends, int32(row+1))
	d := &b.Decisions[decision]
	return &RowError{Row: d.Row, Decision: string(d.ID), Position: b.Position[row], What: column + ": " + value, Want: want}
}

// idsOf are the ids of a block's decisions.
func idsOf(b *policylog.Block) [][]byte {
	ids := make([][]byte, len(b.Decisions))
	for i := range b.Decisions {
		ids[i] = b.Decisions[i].ID
	}
	return ids
}

func conductText(b *policylog.Block, name string) *conduct.Text {
	if t := textOf(b, name); t != nil {
		return &conduct.Text{Values: t.Values, Names: t.Names}
	}
	return nil
}

// conductMeasure is conduct.State over blocks.
type conductMeasure struct{ conduct.State }

// Add counts a block.
func (m *conductMeasure) Add(b *policylog.Block) error {
	text := func(name string) *conduct.Text { return conductText(b, name) }
	rows := &conduct.Rows{
		Ends: b.Ends, IDs: idsOf(b), Position: b.Position,
		Product:   &conduct.Text{Values: b.Product, Names: b.Codes},
		RiskLevel: text(policylog.ColumnRiskLevel), RiskGrade: text(policylog.ColumnRiskGrade), Issuer: text(policylog.ColumnIssuer),
	}
	names := conduct.FlagColumns()
	if err := flagsOf(b, names[:], rows.Flags[:]); err != nil {
		return err
	}
	m.State.Add(rows)
	return nil
}

// Merge adds what a later state counted.
func (m *conductMeasure) Merge(later Measure) error {
	o, same := later.(*conductMeasure)
	if !same {
		return errOtherPart
	}
	m.State.Merge(&o.State)
	return nil
}

// funnelMeasure is funnel.State over blocks.
type funnelMeasure struct{ funnel.State }

// Add counts a block.
func (m *funnelMeasure) Add(b *policylog.Block) error {
	text := func(name string) *funnel.Text {
		if t := textOf(b, name); t != nil {
			return &funnel.Text{Values: t.Values, Names: t.Names}
		}
		return nil
	}
	rows := &funnel.Rows{Ends: b.Ends, Foreseen: text(policylog.ColumnForeseen), Raised: text(policylog.ColumnRaised)}
	names := funnel.FlagColumns()
	if err := flagsOf(b, names[:], rows.Flags[:]); err != nil {
		return err
	}
	m.State.Add(rows)
	return nil
}

// Merge adds what a later state counted.
func (m *funnelMeasure) Merge(later Measure) error {
	o, same := later.(*funnelMeasure)
	if !same {
		return errOtherPart
	}
	m.State.Merge(&o.State)
	return nil
}

// moneyMeasure is money.State over blocks.
type moneyMeasure struct{ *money.State }

func newMoneyMeasure() *moneyMeasure {
	s, err := money.New(money.Settings{Cutoffs: []int{ReportCutoff}})
	if err != nil {
		panic(err) // not reached: the cutoff is a constant
	}
	return &moneyMeasure{s}
}

// Add measures a block.
func (m *moneyMeasure) Add(b *policylog.Block) error {
	rows := &money.Rows{
		Ends: b.Ends, Cluster: b.Cluster, Position: b.Position,
		Amount: numbersOf(b, policylog.ColumnAmount), HeldDays: numbersOf(b, policylog.ColumnHeldDays),
	}
	for i, name := range returnColumns() {
		rows.Return[i] = numbersOf(b, name)
	}
	err := m.State.Add(rows)
	if wrong := (*money.RowError)(nil); errors.As(err, &wrong) {
		return rowError(b, wrong.Row, columnOfMoney(wrong.Column), fmt.Sprint(wrong.Value), wrong.Want)
	}
	return err
}

// columnOfMoney is the log's name of a column of money.Rows.
func columnOfMoney(name string) string {
	for i, days := range money.HorizonDays() {
		if name == fmt.Sprintf("Return[%dd]", days) {
			return returnColumns()[i]
		}
	}
	switch name {
	case "Amount":
		return policylog.ColumnAmount
	case "HeldDays":
		return policylog.ColumnHeldDays
	}
	return name
}

// Merge adds what a later state holds.
func (m *moneyMeasure) Merge(later Measure) error {
	o, same := later.(*moneyMeasure)
	if !same {
		return errOtherPart
	}
	return m.State.Merge(o.State)
}
